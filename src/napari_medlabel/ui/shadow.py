"""The shadow under what floats over the views: painted once, and no hindrance to the mouse."""

from qtpy.QtCore import QEvent, QObject, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPixmap
from qtpy.QtWidgets import QWidget

__all__ = ["Shadow"]

DOWN, BLUR, DARKEST = 8, 28, 191  # 0 8 28, black 75 %
RADIUS = 8.0


class Shadow(QWidget):
    """Follows a widget, just below it.

    A graphics effect would blur anew whenever the canvas under it is drawn.

    Parameters
    ----------
    caster
        What floats; its parent is the shadow's, too.
    """

    def __init__(self, caster: QWidget) -> None:
        super().__init__(caster.parentWidget())
        self._caster = caster
        self._drawn: QPixmap | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        caster.installEventFilter(self)
        self._follow()

    def eventFilter(self, _caster: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's
        """Go where it goes."""
        if event.type() in {
            QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide,
            QEvent.Type.ZOrderChange,
        }:  # fmt: skip
            self._follow()
        return False

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        """The picture of it."""
        if self._drawn is None or self._drawn.size() != self.size():
            self._drawn = _picture(self.size())
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._drawn)
        painter.end()

    def _follow(self) -> None:
        self.setVisible(self._caster.isVisible())
        box = self._caster.geometry()
        self.setGeometry(box.adjusted(-BLUR, DOWN - BLUR, BLUR, DOWN + BLUR))
        self.stackUnder(self._caster)


def _picture(size: QSize) -> QPixmap:
    """Rounded boxes within each other, which add up as a blurred one does."""
    made = QPixmap(size)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
    box = QRectF(0.0, 0.0, float(size.width()), float(size.height()))
    for n in range(BLUR + 1):
        part = n / BLUR
        painter.setBrush(QColor(0, 0, 0, round(DARKEST * part**2.4 * 0.6)))
        painter.drawRoundedRect(box.adjusted(n, n, -n, -n), RADIUS + BLUR - n, RADIUS + BLUR - n)
    painter.end()
    return made
