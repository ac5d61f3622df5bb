"""The sides of a box in a view: which one is under the pointer, and what dragging it makes."""

from dataclasses import dataclass, replace
from typing import Final

from napari_medlabel.core.geometry import Index
from napari_medlabel.core.prompt import Box
from napari_medlabel.ui.planes.frame import Frame, Span

__all__ = ["REACH_PX", "Side", "box_between", "dragged", "extended", "sides_at", "span_of"]

REACH_PX: Final = 6.0
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Side:
    """A side of a box: across which axis, and at which end; None of a box that is thin there."""

    axis: int
    end: int | None


def span_of(box: Box, axes: tuple[int, int]) -> Span:
    """The rows and columns that a box covers in a view of these axes."""
    row, column = axes
    return (box.low[row], box.high[row] + 1, box.low[column], box.high[column] + 1)


def sides_at(box: Box, frame: Frame, axes: tuple[int, int], at: Point) -> tuple[Side, ...]:
    """The sides near a pixel of a view: none, one, or the two of a corner."""
    first_row, end_row, first_column, end_column = span_of(box, axes)
    left, top = frame.px(first_row - 0.5, first_column - 0.5)
    right, bottom = frame.px(end_row - 0.5, end_column - 0.5)
    lines = ((top, bottom), (left, right))  # of the first and the last row, and column
    place = (at[1], at[0])
    if not all(
        min(line) - REACH_PX <= one <= max(line) + REACH_PX
        for one, line in zip(place, lines, strict=True)
    ):
        return ()
    found = []
    for axis, one, line in zip(axes, place, lines, strict=True):
        near = [end for end in (0, 1) if abs(one - line[end]) <= REACH_PX]
        thin = box.low[axis] == box.high[axis]
        if near:
            found.append(Side(axis, None if thin else min(near, key=lambda n: abs(one - line[n]))))
    return tuple(found)


def dragged(box: Box, sides: tuple[Side, ...], kji: Index) -> Box:
    """The box with some sides brought to a voxel; what is thin grows towards it."""
    low, high = list(box.low), list(box.high)
    for side in sides:
        n, place = side.axis, kji[side.axis]
        if side.end is None:
            low[n], high[n] = min(box.low[n], place), max(box.high[n], place)
        elif side.end == 0:
            low[n] = min(place, box.high[n])
        else:
            high[n] = max(place, box.low[n])
    return replace(box, low=(low[0], low[1], low[2]), high=(high[0], high[1], high[2]))


def extended(box: Box, axis: int, index: int) -> Box:
    """The box made to reach a slice."""
    low, high = list(box.low), list(box.high)
    low[axis], high[axis] = min(low[axis], index), max(high[axis], index)
    return replace(box, low=(low[0], low[1], low[2]), high=(high[0], high[1], high[2]))


def box_between(one: Index, other: Index, *, include: bool) -> Box:
    """The box with two voxels at opposite corners, both in it."""
    pairs = [sorted(pair) for pair in zip(one, other, strict=True)]
    (a, d), (b, e), (c, f) = pairs
    return Box((a, b, c), (d, e, f), include)
