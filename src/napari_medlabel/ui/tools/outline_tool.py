"""Outlines by hand: corners that are clicked, or a line that is drawn; closed, they are a step.

An outline waits on its slice: the wheel still steps, as in 3D Slicer, and elsewhere it is shown
dashed and takes no corner until one is back.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QColor, QPainter

from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.lasso import inside_outline
from napari_medlabel.core.plane import Plane, RowColumn
from napari_medlabel.ui.planes.plane_view import Kji, PlaneView
from napari_medlabel.ui.tools import outline_marks
from napari_medlabel.ui.tools.enclosed import Mode, write_enclosed

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["LassoTool", "OutlineTool", "PolygonTool"]

WHITE = QColor("#F0F1F2")
CTRL = Qt.KeyboardModifier.ControlModifier
SAME_PX = 2.0  # clicks so near to each other are one corner
FINEST = 0.25  # voxels: a drawn line keeps no points nearer to each other
DIGITS = 2  # of places in voxels, as history keeps them: the area is that of these very places


class OutlineTool:
    """What all outlines have in common; how places are gathered is for each kind.

    Parameters
    ----------
    drawing
        Where it draws.
    name
        Of the tool, in `tool_specs`.
    words
        What history calls it.
    fewest
        So few corners it takes to close.
    """

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, drawing: "Drawing", name: str, words: str, fewest: int = 3) -> None:
        self._drawing, self._name, self._words, self._fewest = drawing, name, words, fewest
        self._view: PlaneView | None = None
        self._plane: Plane | None = None
        self._subtract = False
        self.places: list[RowColumn] = []
        self._pointer: RowColumn | None = None

    @property
    def under_way(self) -> bool:
        """True while an outline waits to be closed."""
        return self._plane is not None

    # What a hand does

    def hover(self, view: PlaneView, at: Kji | None, keys: Qt.KeyboardModifier) -> None:  # noqa: ARG002
        """Lead the line to the pointer."""
        if self._plane is None or view is not self._view:
            return
        self._pointer = None if at is None else self._plane.row_column(at)
        view.update()

    def double_click(self, view: PlaneView, at: Kji) -> bool:  # noqa: ARG002
        """Close it."""
        if self.under_way:
            self.finish()
        return True

    def finish(self) -> bool:
        """Close the outline: what it encloses becomes one step. False where none is under way."""
        plane, view = self._plane, self._view
        if plane is None or view is None:
            return False
        if len(self.places) < self._fewest:
            self._drawing.blocked.emit(f"An outline needs {self._fewest} points")
            return True
        if view.index != plane.index:
            self._drawing.sight.move_along(plane.axis, plane.index)
        inside, settings, mode = self._enclosed(view), self._settings(), self._mode
        self._forget()
        write_enclosed(self._drawing, plane, inside, mode, self._words, settings)
        return True

    def step_back(self) -> bool:
        """Take the last corner back; False where none is under way."""
        if not self.under_way:
            return False
        self.places.pop()
        if not self.places:
            return self.cancel()
        self._update()
        return True

    def cancel(self) -> bool:
        """Leave the outline under way."""
        had = self.under_way
        self._forget()
        return had

    # How

    @property
    def _mode(self) -> Mode:
        chosen: Mode = self._drawing.choices.settings.of(self._name)["mode"]
        return "subtract" if self._subtract else chosen

    def _begins(self, view: PlaneView, keys: Qt.KeyboardModifier) -> bool:
        """Begin on a slice, or go on there; False, and said why, where neither can be."""
        if self._plane is None:
            if self._drawing.read_only:
                return False
            self._view, self._plane = view, Plane(view.axis, view.index)
            self._subtract = bool(keys & CTRL)
            self.places = []
            return True
        if view is self._view and view.index == self._plane.index:
            return True
        name = self._view.plane.name.lower() if self._view is not None else self._plane.view
        self._drawing.blocked.emit(
            f"The outline is on {name} slice {self._plane.index + 1}. Esc leaves it"
        )
        return False

    def _distance_px(self, a: RowColumn, b: RowColumn) -> float:
        if self._view is None:
            return float("inf")
        between = QPointF(*self._view.frame.px(*a)) - QPointF(*self._view.frame.px(*b))
        return float(np.hypot(between.x(), between.y()))

    def _closes(self, place: RowColumn | None) -> bool:
        """Whether a click there would close."""
        return (
            place is not None
            and len(self.places) >= self._fewest
            and self._distance_px(place, self.places[0]) <= outline_marks.NEAR_PX
        )

    def _enclosed(self, view: PlaneView) -> BoolArray:
        return inside_outline(_rounded(self.places), (view.frame.rows, view.frame.columns))

    def _settings(self) -> dict[str, Any]:
        return {"outline": _rounded(self.places)}

    def _forget(self) -> None:
        view = self._view
        self._view = self._plane = self._pointer = None
        self.places = []
        if view is not None:
            view.update()

    def _update(self) -> None:
        if self._view is not None:
            self._view.update()

    # What is seen

    def paint(self, view: PlaneView, painter: QPainter) -> None:
        """The line so far and to the pointer; on its own slice the area that it would be, too."""
        if self._plane is None or view is not self._view:
            return
        active = self._drawing.active_rgb
        erases = self._mode == "subtract" or active is None
        color = WHITE if erases or active is None else QColor.fromRgbF(*active).lighter(130)
        path = outline_marks.path_through(view, self._line())
        painter.save()
        if view.index != self._plane.index:
            outline_marks.line(painter, path, color, dashed=True)
        else:
            back = self._way_back()
            area = outline_marks.path_through(view, [*self._line(), *back])
            outline_marks.enclosed(painter, area, color)
            outline_marks.line(painter, outline_marks.path_through(view, back), color, dashed=True)
            outline_marks.line(painter, path, color)
            closing = self._closes(self._pointer)
            outline_marks.corners(painter, view, self._corners(), color, closing=closing)
        painter.restore()

    def _line(self) -> Sequence[RowColumn]:
        """All of the line that is seen, up to the pointer."""
        return self.places

    def _way_back(self) -> Sequence[RowColumn]:
        """From its end to its beginning."""
        line = self._line()
        return (line[-1], line[0]) if len(line) > 2 else ()

    def _corners(self) -> Sequence[RowColumn]:
        return self.places


class PolygonTool(OutlineTool):
    """Corners by clicks: the first one again, Enter or a double click closes."""

    def __init__(self, drawing: "Drawing") -> None:
        super().__init__(drawing, "polygon", "Polygon")

    def press(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:
        """A corner; it may be dragged until the button comes up."""
        if not self._begins(view, keys) or self._plane is None:
            return
        place = self._plane.row_column(at)
        if self._closes(place):
            self.finish()
            return
        if not self.places or self._distance_px(place, self.places[-1]) > SAME_PX:
            self.places.append(place)
        self._pointer = None
        view.update()

    def drag(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:  # noqa: ARG002
        """Move the corner that was just set."""
        if self._plane is not None and view is self._view and view.index == self._plane.index:
            self.places[-1] = self._plane.row_column(at)
            view.update()

    def release(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:
        """It stays there."""

    def _line(self) -> Sequence[RowColumn]:
        if self._pointer is None or self._closes(self._pointer):
            return self.places
        return [*self.places, self._pointer]


class LassoTool(OutlineTool):
    """A line drawn with the button held; letting go closes it."""

    def __init__(self, drawing: "Drawing") -> None:
        super().__init__(drawing, "lasso", "Lasso")

    def press(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:
        """Begin here."""
        self.cancel()
        if self._begins(view, keys) and self._plane is not None:
            self.places = [self._plane.row_column(at)]

    def drag(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:  # noqa: ARG002
        """Go on, on the slice where it began."""
        if self._plane is None or view is not self._view or view.index != self._plane.index:
            return
        place = self._plane.row_column(at)
        last = self.places[-1]
        if max(abs(place[0] - last[0]), abs(place[1] - last[1])) >= FINEST:
            self.places.append(place)
            view.update()

    def release(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:
        """Close it; a click that went nowhere is nothing."""
        self.drag(view, at, keys)
        if len(self.places) < self._fewest:
            self.cancel()
        else:
            self.finish()

    def double_click(self, view: PlaneView, at: Kji) -> bool:  # noqa: ARG002
        """Two clicks, which draw nothing."""
        return True

    def _corners(self) -> Sequence[RowColumn]:
        return ()


def _rounded(places: Sequence[RowColumn]) -> list[list[float]]:
    return [[round(row, DIGITS), round(column, DIGITS)] for row, column in places]
