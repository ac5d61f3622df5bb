"""Every step between slices as a bar: what is uneven is seen at once, and clicked to go there."""

from collections.abc import Sequence

from qtpy.QtCore import QEvent, QRectF, Qt, Signal
from qtpy.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter, QPaintEvent
from qtpy.QtWidgets import QToolTip, QWidget

from napari_medlabel.ui.geometry_facts import Bar
from napari_medlabel.ui.theme import DARK, Tokens

__all__ = ["StepBars"]

HEIGHT = 56
GAP = 1.0
NARROWEST = 3.0  # px of a bar: where there are more, several share one
WIDEST = 18.0


class StepBars(QWidget):
    """One bar for each step, as high as it is long; those unlike the usual one are amber.

    `wanted` has the slice under a click. The same slices are links below: no key is needed here.
    """

    wanted = Signal(object)

    def __init__(self, bars: Sequence[Bar]) -> None:
        super().__init__()
        self._bars = tuple(bars)
        self._tokens: Tokens = DARK
        self._hovered = -1
        self.setFixedHeight(HEIGHT)
        self.setMouseTracking(True)
        odd = sum(bar.odd for bar in bars)
        self.setAccessibleName(f"{len(bars)} steps between slices, {odd} unlike the usual one")

    def set_tokens(self, tokens: Tokens) -> None:
        """Draw it in the theme's colours."""
        self._tokens = tokens
        self.update()

    def column_box(self, column: int) -> QRectF:
        """Where a column is drawn."""
        wide = self._column_width()
        columns = self._columns()
        high = (HEIGHT - 10) * max(bar.mm for bar in columns[column]) / self._largest()
        return QRectF(4 + column * wide, HEIGHT - 5 - high, max(wide - GAP, 1.0), high)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  # Qt's
        """All bars on the ground of a field."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._tokens.input))
        painter.drawRoundedRect(QRectF(self.rect()), 4, 4)
        for column, bars in enumerate(self._columns()):
            color = QColor(self._tokens.warn if any(b.odd for b in bars) else self._tokens.text3)
            painter.setBrush(color.lighter(130) if column == self._hovered else color)
            painter.drawRoundedRect(self.column_box(column), 1, 1)
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Light the bar under the pointer."""
        self._hovered = self._at(event.pos().x())
        bar = self._bar(self._hovered)
        link = bar is not None and bar.to is not None
        shape = Qt.CursorShape.PointingHandCursor if link else Qt.CursorShape.ArrowCursor
        self.setCursor(shape)
        self.update()

    def leaveEvent(self, _event: QEvent) -> None:  # noqa: N802
        """No bar is under it any more."""
        self._hovered = -1
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """A click goes to the slice."""
        bar = self._bar(self._at(event.pos().x()))
        if bar is not None and bar.to is not None and event.button() == Qt.MouseButton.LeftButton:
            self.wanted.emit(bar.to)

    def event(self, event: QEvent) -> bool:
        """Say which step it is."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            bar = self._bar(self._at(event.pos().x()))
            QToolTip.showText(event.globalPos(), "" if bar is None else bar.words, self)
            return True
        return bool(super().event(event))

    # How

    def _room(self) -> float:
        return max(float(self.width()) - 8.0, 1.0)

    def _columns(self) -> list[tuple[Bar, ...]]:
        """The bars, several in a column where they would be too narrow."""
        each = max(1, -(-len(self._bars) * int(NARROWEST) // int(self._room())))
        return [self._bars[n : n + each] for n in range(0, len(self._bars), each)]

    def _column_width(self) -> float:
        return min(self._room() / max(len(self._columns()), 1), WIDEST)

    def _largest(self) -> float:
        return max((bar.mm for bar in self._bars), default=1.0) or 1.0

    def _at(self, x: int) -> int:
        column = int((x - 4) // self._column_width())
        return column if 0 <= column < len(self._columns()) else -1

    def _bar(self, column: int) -> Bar | None:
        """The bar that a column speaks of: of several the one that is odd."""
        if column < 0:
            return None
        bars = self._columns()[column]
        return next((bar for bar in bars if bar.odd), bars[0])
