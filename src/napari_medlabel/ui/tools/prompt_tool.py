"""Prompts by hand: clicks, scribbles, boxes and outlines, on any of the views.

Ctrl held turns what includes into what excludes, and the other way round. A box is dragged on a
slice; its sides can be dragged in every view, so that it grows over slices, and a click in it on
another slice of its view makes it reach there.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QPainter

from napari_medlabel.core.geometry import Index
from napari_medlabel.core.prompt import Box, Lasso, Point, Prompt, Scribble
from napari_medlabel.ui.assist.box_shape import (
    Side,
    box_between,
    dragged,
    extended,
    sides_at,
    span_of,
)
from napari_medlabel.ui.assist.marks import paint_prompts
from napari_medlabel.ui.planes.plane_view import Kji, PlaneView

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["PromptTool"]

CLICK_PX: Final = 4.0  # a drag that goes no further is a click
FINEST: Final = 0.25  # voxels: an outline keeps no corners nearer to each other
CTRL = Qt.KeyboardModifier.ControlModifier
CURSORS: Final = {0: Qt.CursorShape.SizeVerCursor, 1: Qt.CursorShape.SizeHorCursor}


class PromptTool:
    """Gives prompts of the kind that is chosen."""

    def __init__(self, drawing: "Drawing") -> None:
        self._drawing = drawing
        self.cursor = Qt.CursorShape.CrossCursor
        self._view: PlaneView | None = None
        self._index = 0  # of the slice that the gesture began on
        self._down = QPointF()
        self._places: list[Kji] = []
        self._include = True
        self._far = False  # whether it went further than a click
        self._held: tuple[int, Box, tuple[Side, ...]] | None = None  # a box, by its number
        self._draft: Prompt | None = None

    @property
    def under_way(self) -> bool:
        """True while the button is down."""
        return self._view is not None

    # What a hand does

    def press(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:
        """Begin; nothing where no prompt can be given."""
        assist = self._drawing.assist
        if not view.sight.holds(at) and assist.kind != "box":
            return
        if not assist.may_ask():
            return
        self._view, self._index, self._down = view, int(view.index), view.point(at)
        self._include = (assist.kind != "exclude") != bool(keys & CTRL)
        self._places, self._far, self._draft = [at], False, None
        self._held = self._box_at(view, at) if assist.kind == "box" else None
        assist.hidden = None if self._held is None else self._held[0]
        if assist.kind not in {"box", "lasso"}:
            self._drawing.sight.move_to(at)
        if assist.kind in {"include", "exclude"}:
            place, include = view.sight.nearest(at), self._include
            self._forget()
            assist.give(Point(place, include))

    def drag(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:  # noqa: ARG002
        """Go on, on the slice where it began."""
        if self._view is not view or view.index != self._index:
            return
        self._far = self._far or (view.point(at) - self._down).manhattanLength() > CLICK_PX
        last = self._places[-1]
        if max(abs(a - b) for a, b in zip(at, last, strict=True)) >= FINEST:
            self._places.append(at)
            self._draft = self._made(view)
            if self._held is None:
                view.update()
            else:
                self._drawing.sight.changed.emit()

    def release(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:
        """The prompt is given; a click reaches for a box that is on other slices."""
        if self._view is None:
            return
        self.drag(view, at, keys)
        made, held, far = self._made(self._view), self._held, self._far
        reached = self._reached(self._view, at)
        self._forget()
        assist = self._drawing.assist
        if held is not None:
            if isinstance(made, Box) and made != held[1]:
                assist.change(held[0], made)
        elif not far and reached is not None:
            assist.change(*reached)
        elif made is not None:
            assist.give(made)

    def hover(self, view: PlaneView, at: Kji | None, keys: Qt.KeyboardModifier) -> None:  # noqa: ARG002
        """Say by the pointer what a press would take."""
        found = None
        if at is not None and self._drawing.assist.kind == "box":
            found = self._box_at(view, at)
        cursor = Qt.CursorShape.CrossCursor
        if found is not None:
            rows = [side.axis == view.plane.order[1] for side in found[2]]
            cursor = Qt.CursorShape.SizeAllCursor if len(rows) == 2 else CURSORS[not rows[0]]
        if cursor != self.cursor:
            self.cursor = cursor
            view.setCursor(cursor)

    def double_click(self, view: PlaneView, at: Kji) -> bool:  # noqa: ARG002
        """Two clicks."""
        return False

    def finish(self) -> bool:
        """Enter accepts the preview."""
        return False

    def step_back(self) -> bool:
        """A gesture has no steps."""
        return False

    def cancel(self) -> bool:
        """Leave the gesture under way; prompts that were given stay."""
        had = self.under_way
        self._forget()
        return had

    def paint(self, view: PlaneView, painter: QPainter) -> None:
        """What is under way."""
        if self._draft is not None and (view is self._view or self._held is not None):
            paint_prompts(painter, view, [self._draft])

    # How

    def _made(self, view: PlaneView) -> Prompt | None:
        """What the gesture so far gives; None where that is nothing yet."""
        kind, places = self._drawing.assist.kind, self._places
        if self._held is not None:
            _number, box, sides = self._held
            return dragged(box, sides, view.sight.nearest(places[-1]))
        if kind == "box":
            ends = [view.sight.nearest(one) for one in (places[0], places[-1])]
            return box_between(*ends, include=self._include) if self._far else None
        if kind == "scribble":
            return Scribble(_once(view.sight.nearest(one) for one in places), self._include)
        if kind == "lasso" and self._far and len(places) > 2:
            axis, index = view.axis, float(self._index)
            flat = [tuple(index if n == axis else p[n] for n in range(3)) for p in places]
            return Lasso(tuple((k, j, i) for k, j, i in flat), self._include)
        return None

    def _box_at(self, view: PlaneView, at: Kji) -> tuple[int, Box, tuple[Side, ...]] | None:
        """The box with a side there, the last one first."""
        point = view.point(at)
        axes = (view.plane.order[1], view.plane.order[2])
        boxes = [(n, one) for n, one in enumerate(self._prompts) if isinstance(one, Box)]
        for number, box in reversed(boxes):
            sides = sides_at(box, view.frame, axes, (point.x(), point.y()))
            if sides:
                return number, box, sides
        return None

    def _reached(self, view: PlaneView, at: Kji) -> tuple[int, Box] | None:
        """The box that a click on another of its slices is in, made to reach there."""
        if self._drawing.assist.kind != "box":
            return None
        row, column = at[view.plane.order[1]], at[view.plane.order[2]]
        for number, box in reversed([*enumerate(self._prompts)]):
            if not isinstance(box, Box):
                continue
            first_row, end_row, first_column, end_column = span_of(
                box, (view.plane.order[1], view.plane.order[2])
            )
            inside = first_row <= row < end_row and first_column <= column < end_column
            if inside and not box.low[view.axis] <= view.index <= box.high[view.axis]:
                return number, extended(box, view.axis, int(view.index))
        return None

    @property
    def _prompts(self) -> tuple[Prompt, ...]:
        return self._drawing.assist.prompts

    def _forget(self) -> None:
        view, had = self._view, self._draft is not None and self._held is not None
        self._view, self._held, self._draft = None, None, None
        self._drawing.assist.hidden = None
        self._places = []
        if had:
            self._drawing.sight.changed.emit()
        elif view is not None:
            view.update()


def _once(places: Iterable[Index]) -> tuple[Index, ...]:
    """Voxels in order, none twice in a row."""
    kept: list[Index] = []
    for place in places:
        if not kept or place != kept[-1]:
            kept.append(place)
    return tuple(kept)
