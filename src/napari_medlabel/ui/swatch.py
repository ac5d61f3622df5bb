"""A small patch of colour beside a name."""

from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QWidget

from napari_medlabel.ui.theme import DARK, Tokens

__all__ = ["HatchedSwatch", "Swatch"]

HATCHED_PX = 14
GROUND = "#18191E"  # of the image it stands for, in both themes


class Swatch(QWidget):
    """A rounded square of `size` px, or a dot where `radius` is half of it."""

    def __init__(self, *, size: float = 10.0, radius: float = 2.5) -> None:
        super().__init__()
        self._size, self._radius, self._color = size, radius, ""
        self.set_tokens(DARK)

    def set_color(self, color: str) -> None:
        """Show it, "#RRGGBB"; "" for none."""
        if color != self._color:
            self._color = color
            self.update()

    def set_tokens(self, tokens: Tokens) -> None:
        """Grow with the font."""
        self._grown = tokens.scale
        self.setFixedSize(tokens.px(self._size), tokens.px(self._size))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  # Qt's
        """One patch, or nothing."""
        if self._color:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self._color))
            radius = self._radius * self._grown
            painter.drawRoundedRect(QRectF(self.rect()), radius, radius)
            painter.end()


class HatchedSwatch(QWidget):
    """A segment's colour, hatched: it is not a label yet."""

    def __init__(self) -> None:
        super().__init__()
        self._color = "#FFFFFF"
        self.set_tokens(DARK)

    def set_color(self, color: str) -> None:
        """Show it, "#RRGGBB"."""
        if color != self._color:
            self._color = color
            self.update()

    def set_tokens(self, tokens: Tokens) -> None:
        """Grow with the font."""
        self.setFixedSize(tokens.px(HATCHED_PX), tokens.px(HATCHED_PX))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  # Qt's
        """Stripes at 45 degrees in a frame."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = self.rect().adjusted(1, 1, -1, -1)
        painter.fillRect(box, QColor(GROUND))
        painter.setPen(QPen(QColor(self._color), 1.6))
        painter.setClipRect(box)
        for x in range(-box.height(), box.width() + box.height(), 4):
            painter.drawLine(box.left() + x, box.bottom() + 1, box.left() + x + box.height(),
                             box.top())  # fmt: skip
        painter.setClipping(False)
        painter.setPen(QPen(QColor(self._color), 1.0))
        painter.drawRect(box)
        painter.end()
