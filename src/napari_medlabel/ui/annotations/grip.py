"""Takes hold of annotations that are there: of a handle, or of the whole."""

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtGui import QPainter

from napari_medlabel.core.annotation import Annotation, Polygon
from napari_medlabel.core.annotation_moves import moved, with_handle, with_vertex, without_vertex
from napari_medlabel.core.plane import Plane
from napari_medlabel.ui.annotations.view_marks import Under
from napari_medlabel.ui.planes.plane_view import Kji, PlaneView

if TYPE_CHECKING:
    from napari_medlabel.ui.annotations.part import Annotations

__all__ = ["Grip"]

STILL_PX = 2.0  # a hand that moves less has only clicked
FEWEST = 3  # corners of a polygon


class Grip:
    """A pointer tool for what is under the pointer: a drag moves it, and is one step.

    A double click on a polygon's line adds a corner, on a corner takes it away.

    Parameters
    ----------
    annotations
        Of the open case.
    """

    def __init__(self, annotations: "Annotations") -> None:
        self._annotations = annotations
        self.cursor = Qt.CursorShape.CrossCursor
        self._held: Under | None = None
        self._start: Annotation | None = None  # as it was when the drag began
        self._from: Kji = (0.0, 0.0, 0.0)
        self._plane = Plane(0, 0)  # where it was taken: the wheel may turn meanwhile
        self._moves = False

    @property
    def holds(self) -> bool:
        """True while the hand is down on something."""
        return self._start is not None

    def reaches(self, view: PlaneView, at: Kji, *, lines: bool = False) -> bool:
        """Whether something is under a place; lines only where they are asked for."""
        return self._annotations.under(view, at, lines=lines) is not None

    def press(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:  # noqa: ARG002
        """Take what is there, and choose it."""
        held = self._annotations.under(view, at, lines=True)
        self._held = held
        self._start = None if held is None else self._annotations.get(held.id)
        self._from, self._moves = at, False
        self._plane = Plane(view.axis, int(view.index))
        if held is not None:
            self._annotations.choose(held.id)

    def drag(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:  # noqa: ARG002
        """Show it as it would be; where nobody may change it, it stays."""
        start, held = self._start, self._held
        if start is None or held is None or self._annotations.read_only:
            return
        way = view.point(at) - view.point(self._from)
        if not self._moves and way.manhattanLength() < STILL_PX:
            return
        self._moves = True
        inside = self._annotations.nearest(at)
        if held.part == "handle":
            to, geometry = self._plane.row_column(inside), self._annotations.geometry
            shape = with_handle(start.shape, held.number, self._plane, to, geometry)
        else:
            k, j, i = (a - b for a, b in zip(inside, self._from, strict=True))
            shape = moved(start.shape, (k, j, i))
        self._annotations.show_draft(start.with_shape(shape))

    def release(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:
        """What was dragged is one step."""
        self.drag(view, at, keys)
        draft = self._annotations.draft
        self._start = None
        if self._moves and draft is not None:
            self._annotations.change(draft)
        self._annotations.show_draft(None)

    def hover(self, view: PlaneView, at: Kji | None, keys: Qt.KeyboardModifier) -> None:  # noqa: ARG002
        """Light what is under the pointer."""
        self.light(view, at, lines=False)

    def light(self, view: PlaneView, at: Kji | None, *, lines: bool) -> bool:
        """Light what is there; False where nothing is."""
        under = None if at is None else self._annotations.under(view, at, lines=lines)
        self._annotations.set_under(under)
        if under is None:
            self.cursor = Qt.CursorShape.CrossCursor
        elif under.part == "handle":
            self.cursor = Qt.CursorShape.PointingHandCursor
        else:
            self.cursor = Qt.CursorShape.SizeAllCursor
        view.setCursor(self.cursor)
        return under is not None

    def double_click(self, view: PlaneView, at: Kji) -> bool:
        """Add or take away a polygon's corner."""
        under = self._annotations.under(view, at, lines=True)
        found = None if under is None else self._annotations.get(under.id)
        if under is None or found is None:
            return False
        shape = found.shape
        if not isinstance(shape, Polygon):
            return under.part != "line"
        if not self._annotations.read_only:
            if under.part == "line":
                new = with_vertex(shape, under.number, shape.plane.row_column(at))
                self._annotations.change(found.with_shape(new))
            elif under.part == "handle" and len(shape.points) > FEWEST:
                self._annotations.change(found.with_shape(without_vertex(shape, under.number)))
        return True

    def cancel(self) -> bool:
        """Let go; it is where it was."""
        held, self._start = self._start, None
        self._annotations.show_draft(None)
        return held is not None

    def paint(self, view: PlaneView, painter: QPainter) -> None:
        """What is moved is drawn with all the others."""
