"""Moving through an open case: planes, slices, layouts, zoom; napari's sliders come along."""

from typing import TYPE_CHECKING, Literal

import numpy as np
from napari import Viewer
from qtpy.QtCore import QObject, QPointF, QTimer, Signal
from qtpy.QtWidgets import QWidget

from napari_medlabel.core.edit import Edit
from napari_medlabel.ui import views
from napari_medlabel.ui._napari_compat import canvas_area, canvas_widget
from napari_medlabel.ui.planes.plane_view import PlaneView
from napari_medlabel.ui.planes.room import SOLID, Room
from napari_medlabel.ui.sight import LAYOUTS, Layout, Sight
from napari_medlabel.ui.steering import zoom

if TYPE_CHECKING:
    from napari_medlabel.ui.planes.plane_view import Hand

__all__ = ["Looking"]

FOLLOW_MS = 120  # napari's sliders follow once the hand rests, while its canvas is not shown


class Looking(QObject):
    """What keys and buttons ask of the views. `turned`: keys act on another view.

    Parameters
    ----------
    viewer
        Whose canvas lies below the views.
    sight
        Where and how one looks.
    hand
        Who acts on the mouse.
    solid
        The view with surfaces.
    parent
        Whoever owns it.
    """

    turned = Signal()

    def __init__(
        self,
        viewer: Viewer,
        sight: Sight,
        hand: "Hand",
        solid: QWidget,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._viewer, self.sight = viewer, sight
        self._area = canvas_area(viewer)
        self._grid = views.grid_for_display(sight.case.volume.geometry)
        self.room = Room(self._area, sight, hand, solid)
        self.active = 0  # the plane that keys act on
        self._before_single: Layout = "1+3"
        self._following = False
        self._follow = QTimer(self)
        self._follow.setSingleShot(True)
        self._follow.setInterval(FOLLOW_MS)
        self._follow.timeout.connect(self.lead_napari)
        viewer.dims.events.current_step.connect(self._napari_stepped)
        sight.moved.connect(self._moved)
        sight.look_changed.connect(self._laid_out)
        self._laid_out()
        self.set_active(sight.look.large if sight.look.large < SOLID else 0)

    def close(self) -> None:
        """Give napari's canvas back."""
        self._follow.stop()
        self._viewer.dims.events.current_step.disconnect(self._napari_stepped)
        self._set_margin(0)
        canvas = canvas_widget(self._viewer)
        QTimer.singleShot(0, canvas, canvas.show)  # by itself: it is drawn as soon as it is shown
        self.room.hide()
        self.room.setParent(None)
        self.room.deleteLater()

    # Views

    @property
    def view(self) -> PlaneView:
        """The view that keys act on."""
        return self.room.planes[self.active]

    @property
    def axis(self) -> int:
        """The axis that keys step along."""
        if self.on_canvas:
            return views.plane_of(self._viewer).axis
        return self.view.axis

    @property
    def on_canvas(self) -> bool:
        """True while napari's own canvas is shown."""
        return self.sight.look.layout == "napari"

    def set_active(self, number: int) -> None:
        """Let keys act on a view."""
        self.active = number
        for view in self.room.planes:
            view.set_active(on=view.number == number)
        self.turned.emit()

    def set_plane(self, number: int) -> None:
        """Make a plane, or the surfaces (3), the large view."""
        self.sight.choose(large=number)
        if number < SOLID:
            self.set_active(number)
            if self.on_canvas:
                views.show_plane(self._viewer, views.PLANES[number])

    def set_layout(self, layout: Layout) -> None:
        """1+3, 2x2, one alone, or napari's own canvas."""
        self.sight.choose(layout=layout)

    def next_layout(self) -> None:
        """The next of the layouts."""
        here = self.sight.look.layout
        n = LAYOUTS.index(here) if here in LAYOUTS else -1
        self.set_layout(LAYOUTS[(n + 1) % len(LAYOUTS)])

    def toggle_single(self, number: int) -> None:
        """One view as large as it can be, and back."""
        if self.sight.look.layout == "single":
            self.sight.choose(layout=self._before_single)
        else:
            self._before_single = self.sight.look.layout
            self.sight.choose(layout="single", large=number)
            if number < SOLID:
                self.set_active(number)

    def make_large(self) -> None:
        """The view that keys act on becomes the large one."""
        self.set_plane(self.active)

    def fit(self) -> None:
        """All of the slice in every view."""
        for view in self.room.planes:
            view.fit()
        if self.on_canvas:
            self._viewer.reset_view()

    def zoom(self, view: PlaneView, factor: float, at: QPointF) -> None:
        """Larger or smaller around a pixel; linked views follow around the crosshair."""
        zoom(self.sight, self.room.planes, view, factor, at)

    # Slices

    def step_slice(self, step: int) -> None:
        """Some slices on along the axis of the active view."""
        self.sight.move_along(self.axis, self.sight.position[self.axis] + step)

    def go_to_end(self, end: Literal["first", "last"]) -> None:
        """The first or last slice."""
        self.sight.move_along(self.axis, 0 if end == "first" else self.sight.shape[self.axis] - 1)

    def show_slice(self, axis: int, index: int) -> None:
        """A slice of the plane across an axis."""
        plane = next(n for n, one in enumerate(views.PLANES) if one.axis == axis)
        if self.room.planes[plane] not in self.room.shown() or self.on_canvas:
            self.set_plane(plane)
        self.set_active(plane)
        self.sight.move_along(axis, index)

    def go_to_edit(self, edit: Edit) -> None:
        """The slice that an edit changed, where it is not shown; all views look there."""
        axis = self.axis
        position = list(self.sight.position)
        if edit.box[axis].start <= position[axis] < edit.box[axis].stop:
            return
        for n, part in enumerate(edit.box):
            if not part.start <= position[n] < part.stop:
                position[n] = (part.start + part.stop - 1) // 2
        self.sight.move_to(position)

    def next_of(self, slices: np.ndarray, step: int) -> bool:
        """The next or previous one of some slices; False where there is none."""
        here = self.sight.position[self.axis]
        later = slices[slices > here] if step > 0 else slices[slices < here][::-1]
        if later.size:
            self.sight.move_along(self.axis, int(later[0]))
        return bool(later.size)

    # napari along with it

    def _moved(self, _new: object, _old: object) -> None:
        if self._following:
            return
        if self.on_canvas:
            self.lead_napari()
        elif self.sight.layers.canvas.ready:
            self._follow.start()

    def lead_napari(self) -> None:
        """Have napari's sliders where one is, once there are layers to step through."""
        if not self.sight.layers.canvas.ready:
            return
        dims = self._viewer.dims
        world_mm = [
            n * step + start
            for n, step, start in zip(self.sight.position, *self._grid, strict=True)
        ]
        self._following = True
        try:
            # Not by steps: layers of somebody else's count them from another place.
            dims.point = (*dims.point[:-3], *world_mm)
        finally:
            self._following = False

    def _napari_stepped(self, _event: object = None) -> None:
        point = self._viewer.dims.point[-3:]
        # Two axes are left when somebody takes all layers away.
        if len(point) == 3 and not self._following and self.sight.layers.canvas.ready:
            self._following = True
            try:
                self.sight.move_to(
                    (at - start) / step for at, step, start in zip(point, *self._grid, strict=True)
                )  # fmt: skip
            finally:
                self._following = False

    def _laid_out(self) -> None:
        on_canvas = self.on_canvas
        self.room.views_area.setVisible(not on_canvas and self.room.page is None)
        canvas_widget(self._viewer).setVisible(on_canvas)
        self.sight.layers.canvas.show(on=on_canvas)
        if on_canvas:
            self.lead_napari()
        self._set_margin(self.room.sizeHint().height() if on_canvas else 0)
        self.room.cover()
        self.room.show()
        self.room.raise_()

    def _set_margin(self, bottom: int) -> None:
        layout = self._area.layout()
        if layout is not None:
            layout.setContentsMargins(0, 0, 0, bottom)
