"""A window beside the work: it stops nothing, Esc closes it, it takes the theme of the dock."""

from qtpy.QtCore import QPoint, Qt, Signal
from qtpy.QtGui import QHideEvent
from qtpy.QtWidgets import QDialog, QWidget

from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.widgets import dress

__all__ = ["ToolWindow"]

EDGE = 96  # from the top or bottom of the large window


class ToolWindow(QDialog):
    """A small window over a large one; `gone` says that a person closed it.

    Parameters
    ----------
    frame
        The large one.
    title
        Its own.
    size
        Width and height in pixels at 9 pt.
    below
        Whether it first stands at the bottom of the large one, else at the top; at its right.
    """

    gone = Signal()

    def __init__(
        self, frame: QWidget, title: str, size: tuple[int, int], *, below: bool = False
    ) -> None:
        super().__init__(frame, Qt.WindowType.Tool)
        self.setObjectName("medlabel")
        self.setWindowTitle(title)
        self.setModal(False)
        self._size, self._below, self._placed = size, below, False
        self.tokens: Tokens = DARK

    def set_style(self, sheet: str, tokens: Tokens) -> None:
        """Take the theme."""
        self.tokens = tokens
        self.setStyleSheet(sheet)
        dress(self, tokens)

    def open_up(self) -> None:
        """Show it, at its first place the first time."""
        if not self._placed:
            self._placed = True
            frame, screen = self.parentWidget(), self.parentWidget().screen().availableGeometry()
            wide = min(self.tokens.px(self._size[0]), screen.width() - 40)
            high = min(self.tokens.px(self._size[1]), screen.height() - 80)
            self.resize(wide, high)
            down = frame.height() - high - EDGE if self._below else EDGE
            spot = frame.mapToGlobal(QPoint(frame.width() - wide - 28, down))
            left = max(min(spot.x(), screen.right() - wide - 8), screen.left() + 8)
            top = max(min(spot.y(), screen.bottom() - high - 8), screen.top() + 8)
            self.move(left, top)
        self.show()
        self.raise_()
        self.activateWindow()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802  # Qt's
        """It is closed, or its case is."""
        super().hideEvent(event)
        self.gone.emit()
