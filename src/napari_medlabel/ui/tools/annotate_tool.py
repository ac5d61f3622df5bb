"""Makes measurements and geometric annotations, each as its hint in `tool_specs` says.

A place is given by a click or by where a drag ends, so that a box can be dragged from corner to
corner or clicked at two. Ends of lines and keypoints may be on different slices: the wheel turns
between clicks. What is there already can be moved with the tool in hand; with Ctrl held a new one
begins even there.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QPainter

from napari_medlabel.core.annotation import (
    KIND_WORDS,
    Angle,
    Annotation,
    Distance,
    Keypoints,
    Kind,
    Shape,
)
from napari_medlabel.core.annotation_moves import PLACES_NEEDED, drawn
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.plane import Kji, Plane
from napari_medlabel.ui.annotations.points_state import with_point
from napari_medlabel.ui.planes.plane_view import PlaneView

if TYPE_CHECKING:
    from napari_medlabel.ui.annotations.part import Annotations
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["AnnotateTool", "shape_of"]

MOVED_PX: Final = 4.0  # a drag further than this gives a place where it ends
CLOSE_PX: Final = 8.0  # so near to its first corner a polygon closes
NEEDED: Final[dict[Kind, int]] = {**PLACES_NEEDED, "oriented-box": 3}
MANY: Final = 10**9  # a polygon ends when it is told to
IN_SPACE: Final = frozenset({"distance", "angle", "keypoints"})
CTRL = Qt.KeyboardModifier.ControlModifier
DRAFT = "draft"  # the id of what is being made


def shape_of(kind: Kind, plane: Plane, places: Sequence[Kji], geometry: Geometry) -> Shape | None:
    """What places given so far make; None of a single one.

    Too few for the kind are shown as a line.
    """
    if len(places) < 2:
        return None
    if kind == "angle" and len(places) >= NEEDED[kind]:
        return Angle(places[0], places[1], places[2])
    flat = [plane.row_column(place) for place in places]
    if kind in IN_SPACE or len(places) < PLACES_NEEDED[kind]:
        return Distance(places[0], places[1])
    if kind == "oriented-box" and len(places) < NEEDED[kind]:
        return Distance(places[0], places[1])
    return drawn(kind, plane, flat, geometry)


class AnnotateTool:
    """Makes annotations of one kind.

    Parameters
    ----------
    drawing
        Where it draws.
    kind
        What it makes.
    """

    def __init__(self, drawing: "Drawing", kind: Kind) -> None:
        self._drawing, self._kind = drawing, kind
        self._annotations: Annotations = drawing.annotations
        self.cursor = Qt.CursorShape.CrossCursor
        self._places: list[Kji] = []
        self._plane = Plane(0, 0)
        self._down: QPointF | None = None  # where the button went down
        self._gripping = False

    @property
    def under_way(self) -> bool:
        """True where it waits for another place, or has keypoints that the next click adds to."""
        return bool(self._places) or self._gripping or bool(self._extended())

    # What a hand does

    def press(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:
        """Take what is there, or give a place."""
        grip = self._annotations.grip
        if not self._places and not keys & CTRL and grip.reaches(view, at, lines=True):
            self._gripping = True
            grip.press(view, at, keys)
        elif self._drawing.read_only or not self._fits(view):
            return
        elif self._kind == "keypoints":
            self._add_point(self._annotations.nearest(at))
        else:
            self._down = view.point(at)
            if not self._places:
                self._plane = Plane(view.axis, int(view.index))
                self._annotations.choose("")
            if self._closes(view, at):
                self.finish()
            else:
                self._give(at)

    def drag(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:
        """Lead the next place."""
        if self._gripping:
            self._annotations.grip.drag(view, at, keys)
        else:
            self._show(view, at)

    def release(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:
        """A drag gives a place where it ends."""
        if self._gripping:
            self._gripping = False
            self._annotations.grip.release(view, at, keys)
            return
        down, self._down = self._down, None
        if self._places and down is not None and self._fits(view):
            if (view.point(at) - down).manhattanLength() > MOVED_PX:
                self._give(at)
            else:
                self._show(view, at)

    def hover(self, view: PlaneView, at: Kji | None, keys: Qt.KeyboardModifier) -> None:
        """Lead the next place, or light what could be taken."""
        if self._places:
            self.cursor = Qt.CursorShape.CrossCursor
            view.setCursor(self.cursor)
            if at is not None:
                self._show(view, at)
            return
        grip = self._annotations.grip
        grip.light(view, None if keys & CTRL else at, lines=True)
        self.cursor = grip.cursor

    def double_click(self, view: PlaneView, at: Kji) -> bool:
        """Close a polygon; else as two clicks, or what a double click does to what is there."""
        if self._places:
            return self._kind == "polygon" and self.finish()
        return self._annotations.grip.double_click(view, at)

    def finish(self) -> bool:
        """This is all: a polygon closes, keypoints are done. False where nothing was under way."""
        if not self._places:
            extended = bool(self._extended())
            if extended:
                self._annotations.choose("")
            return extended
        if self._kind == "polygon" and len(self._places) >= NEEDED["polygon"]:
            self._write()
        return True

    def step_back(self) -> bool:
        """Take the last place back."""
        if not self._places:
            return False
        self._places.pop()
        if not self._places:
            return self.cancel()
        self._draft(self._places)
        return True

    def cancel(self) -> bool:
        """Leave what is under way; what is written stays."""
        if self._gripping:
            self._gripping = False
            return self._annotations.grip.cancel()
        if not self._places:
            return self.finish()
        self._end()
        return True

    def paint(self, view: PlaneView, painter: QPainter) -> None:
        """What is under way is drawn with all that is there."""

    # How

    def _fits(self, view: PlaneView) -> bool:
        """Whether a place of this view can be the next: shapes in a plane stay in it."""
        return not self._places or self._kind in IN_SPACE or view.axis == self._plane.axis

    def _closes(self, view: PlaneView, at: Kji) -> bool:
        if self._kind != "polygon" or len(self._places) < NEEDED["polygon"]:
            return False
        way = view.point(at) - view.point(self._places[0])
        return bool(way.manhattanLength() < CLOSE_PX)

    def _give(self, at: Kji) -> None:
        place = self._annotations.nearest(at)
        if self._places and place == self._places[-1]:
            return
        self._places.append(place)
        needed = MANY if self._kind == "polygon" else NEEDED[self._kind]
        if len(self._places) >= needed:
            self._write()
        else:
            self._draft(self._places)

    def _show(self, view: PlaneView, at: Kji) -> None:
        if self._places and self._fits(view):
            self._draft([*self._places, self._annotations.nearest(at)])

    def _draft(self, places: Sequence[Kji]) -> None:
        shape = shape_of(self._kind, self._plane, places, self._annotations.geometry)
        self._annotations.show_draft(
            None if shape is None else Annotation(DRAFT, shape, f"{KIND_WORDS[shape.kind]} 1")
        )

    def _write(self) -> None:
        shape = shape_of(self._kind, self._plane, self._places, self._annotations.geometry)
        self._end()
        if shape is not None:
            self._annotations.add(shape)

    def _end(self) -> None:
        self._places.clear()
        self._down = None
        self._annotations.show_draft(None)

    # Keypoints: each is a step of its own

    def _extended(self) -> str:
        """The keypoints that the next click adds to: those made last, or chosen in the list."""
        if self._kind != "keypoints":
            return ""
        chosen = self._annotations.chosen
        found = self._annotations.get(chosen)
        return chosen if found is not None and isinstance(found.shape, Keypoints) else ""

    def _add_point(self, at: Kji) -> None:
        found = self._annotations.get(self._extended())
        if found is None or not isinstance(found.shape, Keypoints):
            self._annotations.add(with_point(None, at))
        else:
            self._annotations.change(found.with_shape(with_point(found.shape, at)))
