"""What a hand makes of an annotation: drawn, moved, or changed at a handle.

A drag is followed with the shape as it was when the drag began, so that a corner may pass the
opposite one and come back. Numbers of handles are those of `annotation_handles`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeVar

import numpy as np

from napari_medlabel.core.annotation import (
    Angle,
    Box2d,
    Cuboid,
    Distance,
    EllipseRoi,
    Keypoint,
    Keypoints,
    Kind,
    OrientedBox,
    Polygon,
    RectangleRoi,
    Shape,
    UprightShape,
)
from napari_medlabel.core.annotation_handles import TURN, handles, places_of
from napari_medlabel.core.geometry import FloatArray, Geometry
from napari_medlabel.core.plane import Kji, Plane, RowColumn, mm_from_row_column
from napari_medlabel.errors import InputError

__all__ = ["PLACES_NEEDED", "drawn", "moved", "with_handle", "with_vertex", "without_vertex"]

PLACES_NEEDED: Final[Mapping[Kind, int]] = {
    "distance": 2, "angle": 3, "ellipse": 2, "rectangle": 2, "box": 2, "oriented-box": 2,
    "polygon": 3, "cuboid": 2, "keypoints": 1,
}  # fmt: skip

_HALF: Final = 0.5
_SIDES: Final = ((0, -1), (1, 1), (0, 1), (1, -1))  # of edges: row or column, low or high
_SIGNS: Final = ((-1, -1), (1, -1), (1, 1), (-1, 1))  # of corners: along the length, across it
Upright = TypeVar("Upright", bound=UprightShape)


def drawn(  # noqa: C901, PLR0911  # one for each kind
    kind: Kind, plane: Plane, places: Sequence[RowColumn], geometry: Geometry
) -> Shape:
    """The shape of places given on a slice, in order.

    Boxes and ellipses are given by two opposite corners; a turned box may have a third place: then
    the first two are one of its edges and it reaches as far as the third. An angle's vertex is its
    second place. A cuboid is one slice thick at first. Keypoints are named by their numbers.

    Raises
    ------
    InputError
        If there are fewer places than `PLACES_NEEDED`.
    """
    if len(places) < PLACES_NEEDED[kind]:
        raise InputError(f"this takes {PLACES_NEEDED[kind]} places, not {len(places)}")
    first, last = places[0], places[-1]
    low = (float(min(first[0], last[0])), float(min(first[1], last[1])))
    high = (float(max(first[0], last[0])), float(max(first[1], last[1])))
    match kind:
        case "distance":
            return Distance(plane.kji(first), plane.kji(last))
        case "angle":
            return Angle(*(plane.kji(place) for place in places[:3]))
        case "ellipse":
            return EllipseRoi(plane, low, high)
        case "rectangle":
            return RectangleRoi(plane, low, high)
        case "box":
            return Box2d(plane, low, high)
        case "oriented-box":
            return _drawn_turned(plane, places, geometry)
        case "polygon":
            return Polygon(plane, tuple((float(row), float(column)) for row, column in places))
        case "cuboid":
            return _one_slice_thick(plane, low, high)
        case "keypoints":
            named = (Keypoint(f"{n}", plane.kji(at)) for n, at in enumerate(places, start=1))
            return Keypoints(tuple(named))


def with_handle(
    shape: Shape, number: int, plane: Plane, to: RowColumn, geometry: Geometry
) -> Shape:
    """The shape with a handle of a slice moved to a place on it.

    Along the axis that the view leaves out nothing moves.

    Raises
    ------
    InputError
        If there is no such handle on this slice.
    """
    if number not in {one.number for one in handles(shape, plane, geometry)}:
        raise InputError("there is nothing to take hold of here")
    match shape:
        case Distance() | Angle() | Keypoints():
            places = list(places_of(shape))
            places[number] = _put(places[number], plane, to)
            return _from_places(shape, places)
        case Cuboid(low, high):
            box = UprightShape(plane, plane.row_column(low), plane.row_column(high))
            changed = _upright(box, number, to)
            return Cuboid(_put(low, plane, changed.low), _put(high, plane, changed.high))
        case OrientedBox():
            return _oriented(shape, number, to, geometry)
        case Polygon(points=points):
            return replace(shape, points=(*points[:number], to, *points[number + 1 :]))
        case EllipseRoi():
            return _upright(shape, number + 4, to)
        case RectangleRoi() | Box2d():
            return _upright(shape, number, to)


def moved(shape: Shape, step: Kji) -> Shape:
    """The shape moved by a step, `(k, j, i)`; one in a plane by whole slices across it."""
    match shape:
        case Distance() | Angle() | Keypoints():
            return _from_places(shape, [_plus(place, step) for place in places_of(shape)])
        case Cuboid():
            return Cuboid(_plus(shape.low, step), _plus(shape.high, step))
    plane = Plane(shape.plane.axis, max(0, shape.plane.index + round(step[shape.plane.axis])))
    row, column = plane.row_column(step)
    match shape:
        case OrientedBox(center=center):
            return replace(shape, plane=plane, center=(center[0] + row, center[1] + column))
        case Polygon(points=points):
            return Polygon(plane, tuple((r + row, c + column) for r, c in points))
        case _:
            ends = [(r + row, c + column) for r, c in (shape.low, shape.high)]
            return replace(shape, plane=plane, low=ends[0], high=ends[1])


def with_vertex(shape: Polygon, line: int, at: RowColumn) -> Polygon:
    """The outline with one more vertex, on the line after the vertex of this number."""
    points = (*shape.points[: line + 1], (float(at[0]), float(at[1])), *shape.points[line + 1 :])
    return replace(shape, points=points)


def without_vertex(shape: Polygon, number: int) -> Polygon:
    """The outline without a vertex.

    Raises
    ------
    InputError
        If fewer than three would be left.
    """
    return replace(shape, points=(*shape.points[:number], *shape.points[number + 1 :]))


def _from_places(shape: Distance | Angle | Keypoints, places: list[Kji]) -> Shape:
    match shape:
        case Keypoints(points):
            put = (replace(point, at=at) for point, at in zip(points, places, strict=True))
            return replace(shape, points=tuple(put))
        case _:
            return type(shape)(*places)


def _put(place: Kji, plane: Plane, to: RowColumn) -> Kji:
    changed = list(place)
    changed[plane.axes[0]], changed[plane.axes[1]] = float(to[0]), float(to[1])
    return (changed[0], changed[1], changed[2])


def _plus(place: Kji, step: Kji) -> Kji:
    return (place[0] + step[0], place[1] + step[1], place[2] + step[2])


def _drawn_turned(plane: Plane, places: Sequence[RowColumn], geometry: Geometry) -> OrientedBox:
    matrix = mm_from_row_column(geometry, plane.axis)
    first, second = (matrix @ np.subtract(place, places[0]) for place in (places[0], places[1]))
    if len(places) == 2:
        middle, angle_deg, size = second / 2.0, 0.0, np.abs(second)
    else:
        along = second / max(float(np.linalg.norm(second)), 1e-12)
        across = np.array([-along[1], along[0]])
        off = float(across @ (matrix @ np.subtract(places[2], places[0])))
        middle = (first + second + across * off) / 2.0
        angle_deg = math.degrees(math.atan2(along[1], along[0]))
        size = np.array([np.linalg.norm(second), abs(off)])
    row, column = np.asarray(places[0]) + np.linalg.solve(matrix, middle)
    return OrientedBox(
        plane, (float(row), float(column)), (float(size[0]), float(size[1])), angle_deg
    )


def _one_slice_thick(plane: Plane, low: RowColumn, high: RowColumn) -> Cuboid:
    ends = []
    for corner, off in ((low, -_HALF), (high, _HALF)):
        place = list(plane.kji(corner))
        place[plane.axis] += off
        ends.append((place[0], place[1], place[2]))
    return Cuboid(ends[0], ends[1])


def _upright(shape: Upright, number: int, to: RowColumn) -> Upright:
    """The box with a corner or an edge moved; turned round where it passes the opposite one."""
    ends = [list(shape.low), list(shape.high)]
    if number < 4:
        column_high, row_high = number in {1, 2}, number in {2, 3}
        ends[row_high][0], ends[column_high][1] = float(to[0]), float(to[1])
    else:
        axis, side = _SIDES[number - 4]
        ends[side > 0][axis] = float(to[axis])
    (top, left), (bottom, right) = ends
    low, high = (min(top, bottom), min(left, right)), (max(top, bottom), max(left, right))
    return replace(shape, low=low, high=high)


def _oriented(box: OrientedBox, number: int, to: RowColumn, geometry: Geometry) -> OrientedBox:
    matrix = mm_from_row_column(geometry, box.plane.axis)
    x, y = matrix @ np.subtract(to, box.center)
    if number == TURN:
        return replace(box, angle_deg=math.degrees(math.atan2(y, x)) + 90.0)
    angle = math.radians(box.angle_deg)
    turn: FloatArray = np.array(
        [[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]
    )
    half: FloatArray = np.asarray(box.size_mm) / 2.0
    ends = [-half, half.copy()]
    place: FloatArray = turn @ np.array([x, y])
    if number < 4:
        fixed = -np.array(_SIGNS[number]) * half
        ends = [np.minimum(fixed, place), np.maximum(fixed, place)]
    else:
        row_or_column, side = _SIDES[number - 4]
        axis = 1 - row_or_column
        span = sorted((float(place[axis]), float(-side * half[axis])))
        ends[0][axis], ends[1][axis] = span
    middle = turn.T @ (ends[0] + ends[1]) / 2.0
    row, column = np.asarray(box.center) + np.linalg.solve(matrix, middle)
    length, width = (float(n) for n in ends[1] - ends[0])
    return replace(box, center=(float(row), float(column)), size_mm=(length, width))
