"""A chip that is pressed: an icon, words that shorten where there is no room, what follows."""

from collections.abc import Callable

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QResizeEvent, QShowEvent
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy

from napari_medlabel.ui.widgets import IconLabel, text

__all__ = ["ChipButton"]

BORDER = 1
ICONS = {"warn": ("warning", "warn"), "neutral": ("note", "text2"), "quiet": ("", "text3")}


class ChipButton(QPushButton):
    """A state in words on its colour that opens what there is to say about it.

    Parameters
    ----------
    tone
        "warn", "neutral", or "quiet" for a line of text that can be pressed.
    on_click
        What opens it.
    """

    def __init__(self, tone: str, on_click: Callable[[], object]) -> None:
        super().__init__()
        self.setProperty("kind", f"chip-{tone}")
        self.setAutoDefault(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.clicked.connect(lambda _checked=False: on_click())
        icon, color = ICONS[tone]
        self._words = ""
        self._label = text()
        self._label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(*((0, 0, 2, 0) if tone == "quiet" else (8, 0, 6, 0)))
        layout.setSpacing(6)
        parts = [IconLabel(icon, color, 14)] if icon else []
        for part in (*parts, self._label, IconLabel("next", color, 12)):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            layout.addWidget(part, int(part is self._label))

    def show_words(self, words: str, more: str = "") -> None:
        """Show these words, `more` in the tooltip; hidden where there are none."""
        self.setVisible(bool(words))
        if (words, more) == (self._words, self.property("more")):
            return
        self._words = words
        self.setProperty("more", more)
        self.setToolTip("\n".join(filter(None, (words, more))))
        self.setAccessibleName(words)
        self.setAccessibleDescription(more)
        self.updateGeometry()
        self._elide()

    @property
    def words(self) -> str:
        """What it says, shortened or not."""
        return self._words

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's
        """As wide as all of its words."""
        return QSize(self._around + self._wide(), self.layout().sizeHint().height() + 2 * BORDER)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Some words at least."""
        return QSize(80, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Shorten the words, or show all of them."""
        super().resizeEvent(event)
        self._elide()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Its font is known only now."""
        super().showEvent(event)
        self.updateGeometry()
        self._elide()

    @property
    def _around(self) -> int:
        """What is beside the words: margins, icons, spaces."""
        layout = self.layout()
        margins = layout.contentsMargins()
        icons = [layout.itemAt(n).widget() for n in range(layout.count())]
        wide = sum(icon.width() + layout.spacing() for icon in icons if icon is not self._label)
        return int(margins.left() + margins.right() + wide + 2 * BORDER)

    def _wide(self) -> int:
        return int(self._label.fontMetrics().horizontalAdvance(self._words)) + 2

    def _elide(self) -> None:
        room = self.width() - self._around
        way, metrics = Qt.TextElideMode.ElideRight, self._label.fontMetrics()
        fits = self._wide() <= room or not self.isVisible()
        self._label.setText(self._words if fits else metrics.elidedText(self._words, way, room))
