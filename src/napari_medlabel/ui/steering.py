"""What every hand over slices does alike: zoom, pan, greys by dragging, and the wheel."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QMouseEvent, QWheelEvent

from napari_medlabel.core.volume import Window
from napari_medlabel.ui.planes.plane_view import PlaneView
from napari_medlabel.ui.sight import Sight

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["ZOOM_STEP", "Dragging", "panning", "wheel", "windowing", "zoom"]

ZOOM_STEP = 1.15
CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier

Dragging = Callable[[PlaneView, QMouseEvent], None]


def zoom(
    sight: Sight, views: Sequence[PlaneView], view: PlaneView, factor: float, at: QPointF
) -> None:
    """Larger or smaller around a pixel; linked views follow around the crosshair."""
    view.set_frame(view.frame.zoomed(factor, at.x(), at.y()))
    if not sight.look.linked:
        return
    for other in views:
        if other is not view:
            middle = other.point(sight.position)
            other.set_frame(other.frame.zoomed(factor, middle.x(), middle.y()))


def panning(view: PlaneView, at: QPointF) -> Dragging:
    """Move the slice with the pointer, from here on."""
    start = view.frame

    def pan(_view: PlaneView, event: QMouseEvent) -> None:
        by = event.position() - at
        view.set_frame(start.panned(by.x(), by.y()))

    return pan


def windowing(drawing: "Drawing", at: QPointF) -> Dragging:
    """Across the width of the greys, up and down their level, from here on."""
    start = drawing.layers.window
    step = max(start.width, 1e-3) / 400.0

    def drag(_view: PlaneView, event: QMouseEvent) -> None:
        by = event.position() - at
        width = max(start.width + by.x() * step * 2.0, step)
        drawing.set_window(Window(width, start.level + by.y() * step))

    return drag


def wheel(
    drawing: "Drawing", views: Sequence[PlaneView], view: PlaneView, event: QWheelEvent
) -> bool:
    """Slices; with Ctrl zoom at the pointer, with Shift the brush's size; False for no turn."""
    delta = event.angleDelta().y() or event.angleDelta().x()
    if delta == 0:
        return False
    up, keys = (1 if delta > 0 else -1), event.modifiers()
    drawing.looking.set_active(view.number)
    if keys & CTRL:
        factor = ZOOM_STEP if up > 0 else 1.0 / ZOOM_STEP
        zoom(drawing.sight, views, view, factor, event.position())
    elif keys & SHIFT:
        drawing.tools.step_size(up)
    else:
        drawing.sight.move_along(view.axis, view.index + up)
    return True
