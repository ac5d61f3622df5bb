"""A histogram with two handles: limits are dragged along the values that they are limits of."""

from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_medlabel.ui import theme
from napari_medlabel.ui.histogram_state import (
    IntensityState,
    Limits,
    Part,
    dragged,
    nudged,
    part_at,
)
from napari_medlabel.ui.theme import DARK, Tokens

__all__ = ["HistogramView"]

HIGH = 44
KNOB = 6.0
COARSE = 10  # fine steps of the wheel while Shift is held
NOTCH = 120  # Qt's eighths of a degree for one step of a wheel


class HistogramView(QWidget):
    """Paints an `IntensityState`; a drag or the wheel moves its limits.

    The fields beside it are its keys. `limits_changed` has the low and the high limit;
    `value_picked` the value under a right click, for the menu.
    """

    limits_changed = Signal(float, float)

    def __init__(self, high: int = HIGH) -> None:
        super().__init__()
        self._high = high
        self._state = IntensityState()
        self._tokens: Tokens = DARK
        self._drawn: tuple[QPixmap, QPixmap] | None = None  # out of and within the limits
        self._hand: tuple[Part, float, Limits] | None = None
        self._hovered: Part | None = None
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip("Drag a handle or what is between them. The wheel moves by fine steps")

    @property
    def state(self) -> IntensityState:
        """What is shown; while the hand drags, with its limits."""
        return self._state

    def set_state(self, new: IntensityState) -> None:
        """Show it; limits under the hand stay where the hand is."""
        old = self._state
        self._state = new if self._hand is None else new.with_limits((old.low, old.high))
        if old.histogram is not new.histogram:
            self._drawn = None
        if old != self._state:
            between = "outside of" if new.inverted else "within"
            self.setAccessibleName(
                f"Histogram: values {between} {new.low:g} to {new.high:g} {new.unit}".rstrip()
            )
            self.update()

    def set_tokens(self, tokens: Tokens) -> None:
        """Draw it in the theme's colours and size."""
        self._tokens, self._drawn = tokens, None
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's
        """As wide as there is room."""
        return QSize(160, self._tokens.px(self._high))

    def handle_x(self, part: Part) -> float:
        """Where a handle, or the middle between both, is from left to right."""
        low, high = (self._x(limit) for limit in (self._state.low, self._state.high))
        return {"low": low, "high": high, "middle": (low + high) / 2.0}[part]

    # Painting

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        """The histogram, lit within the limits, and the handles."""
        if self._drawn is None:
            self._drawn = (
                self._silhouette(self._tokens.line2), self._silhouette(self._tokens.accent_text)
            )  # fmt: skip
        tokens, painter = self._tokens, QPainter(self)
        plain, lit = self._drawn
        chart = self._chart()
        painter.fillRect(chart, QColor(tokens.input))
        painter.drawPixmap(chart.topLeft(), plain)
        if self._state.active and self._state.around is None:
            for part in self._lit(chart):
                painter.save()
                painter.setClipRect(part)
                painter.fillRect(part, QColor(theme.faded(tokens.accent_bg, tokens.input, 0.7)))
                painter.drawPixmap(chart.topLeft(), lit)
                painter.restore()
        painter.fillRect(
            QRectF(chart.left(), chart.bottom(), chart.width(), 1), QColor(tokens.line)
        )
        if self._state.around is None:
            self._paint_handles(painter, chart)
        else:
            self._paint_clicked(painter, chart)
        painter.end()

    def _lit(self, chart: QRectF) -> list[QRectF]:
        low, high = self.handle_x("low"), self.handle_x("high")
        top, height = chart.top(), chart.height()
        if not self._state.inverted:
            return [QRectF(low, top, max(high - low, 1.0), height)]
        return [
            QRectF(chart.left(), top, low - chart.left(), height),
            QRectF(high, top, chart.right() - high, height),
        ]

    def _paint_handles(self, painter: QPainter, chart: QRectF) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        quiet = not self._state.active or not self.isEnabled()
        color = QColor(self._tokens.text3 if quiet else self._tokens.text1)
        ground = QColor(self._tokens.bg)
        for part in ("low", "high"):
            x, lifted = self.handle_x(part), part == self._hovered
            painter.setPen(QPen(color, 1.5))
            painter.drawLine(QPointF(x, chart.top()), QPointF(x, chart.bottom()))
            # A dark knob on the light theme would be a hole: there it is white with a dark rim.
            bright = QColor("#FFFFFF") if ground.lightness() > 128 else color
            painter.setPen(QPen(color if ground.lightness() > 128 else ground, 1.5))
            painter.setBrush(bright)
            radius = self._tokens.px(KNOB) + (1.0 if lifted and not quiet else 0.0)
            painter.drawEllipse(QPointF(x, chart.bottom()), radius - 0.5, radius - 0.5)

    def _paint_clicked(self, painter: QPainter, chart: QRectF) -> None:
        """Around a click: only the last one shows where the limits were."""
        state = self._state
        if state.clicked is None or state.around is None or self._drawn is None:
            return
        low, high = (self._x(state.clicked + sign * state.around) for sign in (-1, 1))
        part = QRectF(low, chart.top(), max(high - low, 1.0), chart.height())
        painter.save()
        painter.setClipRect(part)
        painter.fillRect(part, QColor(self._tokens.accent_bg))
        painter.drawPixmap(chart.topLeft(), self._drawn[1])
        painter.restore()
        painter.setPen(QPen(QColor(self._tokens.text1), 1.5))
        x = self._x(state.clicked)
        painter.drawLine(QPointF(x, chart.top()), QPointF(x, chart.bottom()))

    def _silhouette(self, color: str) -> QPixmap:
        chart, density = self._chart(), self.devicePixelRatioF()
        shown = QPixmap(QSize(max(1, round(chart.width() * density)),
                              max(1, round(chart.height() * density))))  # fmt: skip
        shown.setDevicePixelRatio(density)
        shown.fill(Qt.GlobalColor.transparent)
        heights = self._state.histogram.heights
        wide, bottom = chart.width() / len(heights), chart.height()
        points = [QPointF(0.0, bottom)]
        points += [
            QPointF((n + 0.5) * wide, bottom - 1.0 - float(part) * (bottom - 4.0))
            for n, part in enumerate(heights)
        ]
        points += [QPointF(chart.width(), points[-1].y()), QPointF(chart.width(), bottom)]
        points[1:1] = [QPointF(0.0, points[1].y())]
        painter = QPainter(shown)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(color))
        painter.drawPolygon(QPolygonF(points))
        painter.end()
        return shown

    def _chart(self) -> QRectF:
        side = float(self._tokens.px(KNOB)) + 1.0
        return QRectF(0.0, 0.0, float(self.width()), max(self.height() - side, 1.0))

    def _x(self, value: float) -> float:
        """Where a value is; knobs at the ends stay whole."""
        side = float(self._tokens.px(KNOB)) + 0.5
        wide = float(self.width())
        return min(max(self._state.histogram.fraction(value) * wide, side), wide - side)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Draw it anew."""
        super().resizeEvent(event)
        self._drawn = None

    # The hand

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Take hold of a handle, or of both."""
        if event.button() != Qt.MouseButton.LeftButton or self._state.around is not None:
            event.ignore()
            return
        place = self._fraction(event)
        limits = (self._state.low, self._state.high)
        self._hand = (part_at(self._state.histogram, limits, place), place, limits)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Drag what is held; show what would be."""
        if self._hand is None:
            limits = (self._state.low, self._state.high)
            self._hover(part_at(self._state.histogram, limits, self._fraction(event)))
            return
        part, start, limits = self._hand
        by = self._fraction(event) - start
        if by:
            self._set(dragged(self._state.histogram, limits, part, by))

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:  # noqa: N802
        """Let go."""
        self._hand = None

    def leaveEvent(self, _event: QEvent) -> None:  # noqa: N802
        """Nothing would be held any more."""
        self._hover(None)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Fine steps of what is under the pointer; with Shift, coarse ones."""
        event.accept()
        delta = event.angleDelta().y() or event.angleDelta().x()
        if not delta or self._state.around is not None or not self.isEnabled():
            return
        coarse = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        limits = (self._state.low, self._state.high)
        part = part_at(self._state.histogram, limits, event.position().x() / self.width())
        steps = max(1, abs(delta) // NOTCH) * (1 if delta > 0 else -1) * (COARSE if coarse else 1)
        self._set(nudged(self._state.histogram, limits, part, steps))

    def _fraction(self, event: QMouseEvent) -> float:
        return float(event.position().x() / max(self.width(), 1))

    def _hover(self, part: Part | None) -> None:
        if part != self._hovered:
            self._hovered = part
            shapes = {None: Qt.CursorShape.ArrowCursor, "middle": Qt.CursorShape.OpenHandCursor}
            free = self._state.around is not None
            shape = shapes.get(None if free else part, Qt.CursorShape.SizeHorCursor)
            self.setCursor(shape)
            self.update()

    def _set(self, limits: Limits) -> None:
        if limits != (self._state.low, self._state.high):
            self._state = self._state.with_limits(limits)
            self.update()
            self.limits_changed.emit(*limits)
