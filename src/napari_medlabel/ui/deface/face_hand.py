"""The hand over the three slices of the Deface tab: where to look, a brush that adds or spares."""

from typing import TYPE_CHECKING, Final, Protocol

from qtpy.QtCore import QObject, QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPen, QWheelEvent

from napari_medlabel.ui.deface.by_hand import Way
from napari_medlabel.ui.deface.face_sight import GREEN, RED
from napari_medlabel.ui.planes import marks
from napari_medlabel.ui.planes.plane_view import Kji, PlaneView
from napari_medlabel.ui.steering import Dragging, panning, wheel, windowing
from napari_medlabel.ui.tools.brush_tool import brush_outline

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["Brush", "FaceHand"]

LEGEND: Final = (("Removed", RED), ("Brain", GREEN))
CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
LEFT = Qt.MouseButton.LeftButton


class Brush(Protocol):
    """What draws."""

    @property
    def way(self) -> Way | None:
        """Whether it adds or spares; None where it is put away."""

    @property
    def size_mm(self) -> float:
        """Its diameter."""

    def begin(self, axis: int, at: Kji, *, other_way: bool) -> bool:
        """Begin a stroke in a plane across an axis; False where nothing can be drawn."""

    def go_on(self, at: Kji) -> None:
        """Draw to a place."""

    def end(self) -> None:
        """The hand is lifted."""


class FaceHand(QObject):
    """Acts on what the mouse does in any of the three views.

    Parameters
    ----------
    drawing
        The open case, whose place and grey range it changes.
    brush
        What draws.
    """

    def __init__(self, drawing: "Drawing", brush: Brush) -> None:
        super().__init__(drawing)
        self._drawing, self._brush = drawing, brush
        self._doing: Dragging | None = None
        self._drawn = False  # a stroke is under the hand
        self._over: tuple[PlaneView, Kji] | None = None
        self.views: tuple[PlaneView, ...] = ()

    @property
    def busy(self) -> bool:
        """True while a button is down."""
        return self._doing is not None

    def let_go(self) -> None:
        """Whatever is under way ends here."""
        self._doing, self._drawn = None, False

    # Events of the views

    def pressed(self, view: PlaneView, event: QMouseEvent) -> None:
        """Decide what the button means until it comes up."""
        self._drawing.looking.set_active(view.number)
        if self._doing is not None:
            return
        at, keys, button = event.position(), event.modifiers(), event.button()
        space = self._drawing.hand.space_held
        if button == Qt.MouseButton.MiddleButton or (space and button == LEFT):
            self._doing = panning(view, at)
        elif button == Qt.MouseButton.RightButton:
            self._doing = windowing(self._drawing, at)
        elif button != LEFT:
            return
        elif keys & SHIFT or self._brush.way is None:
            self._doing = self._cross
            self._cross(view, event)
        elif self._brush.begin(view.axis, view.kji(at), other_way=bool(keys & CTRL)):
            self._drawn, self._doing = True, self._draw

    def moved(self, view: PlaneView, event: QMouseEvent) -> None:
        """Go on with it, or show what the brush would cover."""
        at = event.position()
        self._drawing.hand.last = view.kji(at) if view.holds(at) else None
        self._drawing.hand.pointed.emit(self._drawing.hand.last)
        if self._doing is not None:
            self._doing(view, event)
        elif event.modifiers() & SHIFT:
            self._drawing.sight.move_to(view.kji(at))
        held = self._brush.way is not None and not event.modifiers() & SHIFT
        shape = Qt.CursorShape.BlankCursor if held else Qt.CursorShape.CrossCursor
        view.setCursor(shape)
        self._follow(view, view.kji(at) if held else None)

    def released(self, _view: PlaneView, _event: QMouseEvent) -> None:
        """The end of it."""
        drawn, self._drawn, self._doing = self._drawn, False, None
        if drawn:
            self._brush.end()

    def double_clicked(self, view: PlaneView, event: QMouseEvent) -> None:
        """Two presses."""
        self.pressed(view, event)

    def wheeled(self, view: PlaneView, event: QWheelEvent) -> None:
        """Slices; with Ctrl zoom at the pointer, with Shift the size of the brush."""
        wheel(self._drawing, self.views, view, event)

    def left(self, view: PlaneView) -> None:
        """Nothing is under the pointer."""
        self._drawing.hand.last = None
        self._drawing.hand.pointed.emit(None)
        self._follow(view, None)

    # What is painted

    def paint(self, view: PlaneView, painter: QPainter) -> None:
        """The ring of the brush, and what the colours mean."""
        if view.number == 0:
            _legend(view, painter)
        if self._over is None or self._over[0] is not view or self._brush.way is None:
            return
        k, j, i = (round(float(n)) for n in self._over[1])
        spacing = (view.frame.row_mm, view.frame.column_mm)
        path = brush_outline(self._brush.size_mm, spacing, view.frame.row_px, view.frame.column_px)
        painter.save()
        painter.translate(view.point((k, j, i)))
        color = RED if self._brush.way == "add" else "#F0F1F2"
        marks.ring(painter, path, color=QColor(color), dashed=self._brush.way == "spare")
        painter.restore()

    def refresh(self) -> None:
        """The brush is another one."""
        if self._over is not None:
            self._over[0].update()

    # How

    def _follow(self, view: PlaneView, at: Kji | None) -> None:
        before, self._over = self._over, None if at is None else (view, at)
        if before is not None and before[0] is not view:
            before[0].update()
        if before is not None or at is not None:
            view.update()

    def _draw(self, view: PlaneView, event: QMouseEvent) -> None:
        self._brush.go_on(view.kji(event.position()))

    def _cross(self, view: PlaneView, event: QMouseEvent) -> None:
        self._drawing.sight.move_to(view.kji(event.position()))


def _legend(view: PlaneView, painter: QPainter) -> None:
    """At the bottom left: a square and a word for each colour."""
    scale = view.sight.scale
    font = marks.font_of(view, 12.0)
    metrics = QFontMetricsF(font)
    side, gap = 10.0 * scale, 6.0 * scale
    widths = [side + gap + metrics.horizontalAdvance(words) for words, _color in LEGEND]
    step = metrics.height() + 4.0
    upright = sum(widths) + 54.0 * scale > view.width() / 2.0  # beside letter and scale bar
    lines = len(widths) if upright else 1
    wide = max(widths) if upright else sum(widths) + 14.0 * scale * (len(widths) - 1)
    x, y = 14.0, view.height() - 10.0 - step * lines
    marks.plate(painter, QRectF(x - 6.0, y - 3.0, wide + 12.0, step * lines + 2.0))
    for (words, color), own in zip(LEGEND, widths, strict=True):
        square = QRectF(x, y + (metrics.height() - side) / 2.0, side, side)
        filled = QColor(color)
        filled.setAlphaF(0.5)
        painter.setBrush(filled)
        painter.setPen(QPen(QColor(color), 1.2))
        painter.drawRoundedRect(square, 2.0, 2.0)
        painter.setFont(font)
        painter.setPen(marks.WHITE)
        painter.drawText(QPointF(x + side + gap, y + metrics.ascent()), words)
        if upright:
            y += step
        else:
            x += own + 14.0 * scale
