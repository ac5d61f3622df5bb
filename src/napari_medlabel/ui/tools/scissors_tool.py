"""Intelligent scissors in a view: clicks along an edge, and the line between them follows it.

Edges and ways are prepared on another thread; the line from the last click to the pointer takes
a millisecond. A click searches 256 pixels around it, more once the pointer leaves them.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from qtpy.QtCore import Qt, QTimer

from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.livewire import Livewire, Path
from napari_medlabel.core.outline import Pixel
from napari_medlabel.core.plane import Plane, RowColumn
from napari_medlabel.ui.planes.greys import slice_of
from napari_medlabel.ui.planes.plane_view import Kji, PlaneView
from napari_medlabel.ui.tools.outline_tool import OutlineTool
from napari_medlabel.ui.work import Job

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["ScissorsTool"]

NEAR: Final = 256  # pixels on a side that a click searches at first
WHOLE: Final = 512
REST_MS: Final = 60
AGAIN: Final = 0.5  # a way back of which so much was gone already is none
SNAP_PX: Final = 6.0  # on the screen: a click so near to an edge is on it
SNAP_MM: Final = 3.0  # and never farther than this
Made = Callable[[], Livewire]


class ScissorsTool(OutlineTool):
    """Sets starts by clicks; Backspace takes the last one back."""

    def __init__(self, drawing: "Drawing") -> None:
        super().__init__(drawing, "scissors", "Scissors", fewest=2)
        self._ways: list[Path] = []  # one less than there are starts
        self._edges: Livewire | None = None  # of the slice, without a start
        self._edges_of: object = None
        self._wire: Livewire | None = None  # from the last click on
        self._wide = False
        self._home: Livewire | None = None  # from the first click on
        self._live: Path | None = None  # from the last click to the pointer
        self._job: Job | None = None
        self._rest = QTimer(drawing)  # slices that only pass by are not prepared
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._prepare_seen)
        self._seen: PlaneView | None = None

    @property
    def ready(self) -> bool:
        """True where the line follows the pointer from the last click."""
        return self._wire is not None and self._job is None

    # What a hand does

    def press(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:
        """A start; near the first one the outline is closed."""
        fresh = not self.under_way
        if not self._begins(view, keys) or self._plane is None:
            return
        if fresh:
            self._ways, self._wire, self._live, self._home = [], None, None, None
        place = self._plane.row_column(at)
        if self._closes(place):
            self.finish()
            return
        if self.places:
            self._go_on(view, place)
        else:
            self.places = [_place(self._pixel(view, place, snap=True))]
        self._wire, self._live = None, None
        self._ask(view)
        view.update()

    def drag(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:
        """As without the button."""
        self.hover(view, at, keys)

    def release(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:
        """The click was all."""

    def hover(self, view: PlaneView, at: Kji | None, keys: Qt.KeyboardModifier) -> None:
        """Lead the line along edges to the pointer; prepare the slice before the first click."""
        super().hover(view, at, keys)
        if self._plane is None:
            self._seen = None if at is None or self._drawing.read_only else view
            self._rest.start()
        elif view is self._view and view.index == self._plane.index:
            self._follow(view)

    def step_back(self) -> bool:
        """Take the last start back."""
        if self._ways:
            self._ways.pop()
        stepped = super().step_back()
        self._wire, self._live = None, None
        if self.under_way and self._view is not None:
            self._ask(self._view)
        return stepped

    def finish(self) -> bool:
        """Close along edges, back to the first start."""
        if self.under_way and len(self.places) >= self._fewest and self._view is not None:
            last = _pixel(self.places[-1])
            if self._home is None:
                first = _pixel(self.places[0])
                self._home = self._edges_now(self._view).seeded(first)
            self._ways.append(self._closing(last))
        return super().finish()

    # How

    def _enclosed(self, view: PlaneView) -> BoolArray:
        return self._edges_now(view).closed(np.concatenate(self._ways))

    def _settings(self) -> dict[str, Any]:
        low, high = self._drawing.layers.window.limits
        return {
            "outline": [list(_pixel(place)) for place in self.places],
            "scale_mm": self._scale_mm, "limits": [low, high],
        }  # fmt: skip

    def _forget(self) -> None:
        super()._forget()
        self._ways, self._wire, self._live, self._home = [], None, None, None

    @property
    def _scale_mm(self) -> float:
        return float(self._drawing.choices.settings.of("scissors")["scale_mm"])

    def _snap_mm(self, view: PlaneView) -> float:
        return min(SNAP_PX / view.frame.zoom, SNAP_MM)

    def _pixel(self, view: PlaneView, place: RowColumn, *, snap: bool = False) -> Pixel:
        """The pixel of the slice there, or the edge next to it if that is known already."""
        row, column = (
            min(max(round(n), 0), size - 1)
            for n, size in zip(place, (view.frame.rows, view.frame.columns), strict=True)
        )
        if snap and self._edges is not None and self._edges_of == self._slice_of(view):
            return self._edges.snapped((row, column), self._snap_mm(view))
        return (row, column)

    def _go_on(self, view: PlaneView, place: RowColumn) -> None:
        end = self._pixel(view, place)
        way = self._wire_now(view, end).path_to(end, snap_mm=self._snap_mm(view))
        if len(way) > 1:
            self._ways.append(way)
            self.places.append(_place(way[-1]))

    def _follow(self, view: PlaneView) -> None:
        if self._pointer is None or self._wire is None:
            self._live = None
            return
        near, snap_mm = self._pixel(view, self._pointer), self._snap_mm(view)
        if self._closes(self._pointer):
            near, snap_mm = _pixel(self.places[0]), 0.0
        if not self._wide and not self._wire.reaches(near) and self._job is None:
            self._ask(view, side=WHOLE)
        self._live = self._wire.path_to(near, snap_mm=snap_mm)
        view.update()

    # Beside the window

    def _prepare_seen(self) -> None:
        view = self._seen
        if view is not None and not self.under_way and self._drawing.choices.tool == self._name:
            self._prepare(view, Plane(view.axis, view.index))

    def _slice_of(self, view: PlaneView) -> object:
        plane = self._plane or Plane(view.axis, view.index)
        limits = self._drawing.layers.window.limits
        return (plane, self._scale_mm, limits, self._drawing.case.loading.done)

    def _making(self, view: PlaneView, plane: Plane) -> Made:
        sight = self._drawing.sight
        spacing = (view.frame.row_mm, view.frame.column_mm)
        scale, limits = self._scale_mm, self._drawing.layers.window.limits
        return lambda: Livewire(
            slice_of(sight.image, plane.axis, plane.index), spacing, scale_mm=scale, limits=limits
        )

    def _prepare(self, view: PlaneView, plane: Plane) -> None:
        """Find the slice's edges, where they are not known."""
        wanted = self._slice_of(view)
        if self._edges_of == wanted and (self._edges is not None or self._job is not None):
            return
        self._edges, self._edges_of, self._wire = None, wanted, None

        def found(edges: Livewire) -> None:
            self._edges = edges
            if self.under_way:
                self._snap_first(view)
                self._ask(view)

        self._start(self._making(view, plane), found)

    def _ask(self, view: PlaneView, side: int = NEAR) -> None:
        """Find the ways from the last click; edges first."""
        if self._plane is None or not self.places:
            return
        self._prepare(view, self._plane)
        edges, start = self._edges, _pixel(self.places[-1])
        if edges is None:
            return

        def found(wire: Livewire) -> None:
            self._wire, self._wide = wire, side >= WHOLE
            self._follow(view)
            if self._home is None and len(self.places) >= self._fewest:
                first = _pixel(self.places[0])
                self._start(lambda: edges.seeded(first), came_home)

        def came_home(wire: Livewire) -> None:
            self._home = wire
            view.update()

        self._start(lambda: edges.seeded(start, side=side), found)

    def _start(self, made: Made, then: Callable[[Livewire], None]) -> None:
        self._stop()
        job = Job(lambda _report, _stopped: made(), self._drawing)

        def ended(wire: Livewire) -> None:
            if job is self._job:
                self._job = None
                then(wire)

        def failed(error: object) -> None:
            if job is self._job:
                self._job = None
                self._drawing.failed.emit(error)

        self._job = job
        job.done.connect(ended)
        job.failed.connect(failed)

    def _stop(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.cancel()

    def _edges_now(self, view: PlaneView) -> Livewire:
        """The edges, waited for where a hand was quicker."""
        plane = self._plane or Plane(view.axis, view.index)
        if self._edges is None or self._edges_of != self._slice_of(view):
            self._stop()
            self._edges, self._edges_of = self._making(view, plane)(), self._slice_of(view)
        return self._edges

    def _closing(self, end: Pixel) -> Path:
        """From a pixel along edges to the first start; straight where that leads back the way."""
        straight = np.array([end, _pixel(self.places[0])], np.intp)
        if self._home is None or not self._home.reaches(end):
            return straight
        way = self._home.path_to(end)[::-1]
        made = {(row, column) for part in self._ways for row, column in part.tolist()}
        again = sum((row, column) in made for row, column in way.tolist())
        return straight if again > AGAIN * len(way) else way

    def _wire_now(self, view: PlaneView, end: Pixel) -> Livewire:
        start, wire = _pixel(self.places[-1]), self._wire
        near = wire is not None and wire.start == start and (self._wide or wire.reaches(end))
        if wire is None or not near:
            edges = self._edges_now(view)
            self._stop()
            wire = edges.seeded(start, side=WHOLE)
            self._wire, self._wide = wire, True
        return wire

    def _snap_first(self, view: PlaneView) -> None:
        if len(self.places) == 1:
            self.places = [_place(self._pixel(view, self.places[0], snap=True))]

    # What is seen

    def _line(self) -> Sequence[RowColumn]:
        parts = [*self._ways, *([] if self._live is None else [self._live])]
        line = [_place(pixel) for part in parts for pixel in part]
        if self._live is None and self._pointer is not None:
            line = [*(line or self.places), self._pointer]
        return line or self.places

    def _way_back(self) -> Sequence[RowColumn]:
        if len(self.places) < self._fewest:
            return super()._way_back()
        end = self.places[-1] if self._live is None else _place(self._live[-1])
        return [_place(pixel) for pixel in self._closing(_pixel(end))]


def _pixel(place: RowColumn) -> Pixel:
    return (round(place[0]), round(place[1]))


def _place(pixel: Sequence[Any] | Path) -> RowColumn:
    return (float(pixel[0]), float(pixel[1]))
