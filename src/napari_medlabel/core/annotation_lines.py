"""What a view draws of an annotation on one of its slices."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np

from napari_medlabel.core.annotation import (
    Angle,
    Cuboid,
    Distance,
    EllipseRoi,
    Keypoint,
    Keypoints,
    OrientedBox,
    Polygon,
    Shape,
    UprightShape,
)
from napari_medlabel.core.annotation_places import oriented_corners, upright_corners
from napari_medlabel.core.geometry import FloatArray, Geometry
from napari_medlabel.core.plane import Kji, Plane, RowColumn

__all__ = ["Lines", "lines_on", "reaches"]

_HALF: Final = 0.5  # voxels: how far a slice reaches to either side
_STEPS: Final = 72  # of an ellipse


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """What to draw on a slice.

    Parameters
    ----------
    lines
        Each float64 `[n, 2]`, `(row, column)` of the view; a closed one ends where it begins.
    points
        Keypoints, float64 `[n, 2]`.
    names
        Of these points, in order.
    hidden
        Which of them are not visible.
    on_slice
        Whether the annotation is on this slice. If not, what is here lies on other slices of the
        view, seen through them: draw it faintly or leave it out.
    """

    lines: tuple[FloatArray, ...] = ()
    points: FloatArray = field(default_factory=lambda: np.zeros((0, 2)))
    names: tuple[str, ...] = ()
    hidden: tuple[bool, ...] = ()
    on_slice: bool = True


def lines_on(shape: Shape, plane: Plane, geometry: Geometry) -> Lines | None:
    """What a view draws of a shape on a slice; None where the view shows nothing of it.

    What lies in a plane is shown by views of that plane. Lines in space are shown where they pass
    through the slice, cut to it; a cuboid by its cross-section.
    """
    match shape:
        case Distance(start, end):
            return _of_path((start, end), plane)
        case Angle(start, vertex, end):
            return _of_path((start, vertex, end), plane)
        case Keypoints():
            return _of_keypoints(shape, plane)
        case Cuboid(low, high):
            box = upright_corners(
                UprightShape(plane, plane.row_column(low), plane.row_column(high))
            )
            return Lines((_closed(box),), on_slice=reaches(low, high, plane))
        case _ if shape.plane.axis != plane.axis:
            return None
        case _:
            return Lines((_ring(shape, geometry),), on_slice=shape.plane == plane)


def reaches(low: Kji, high: Kji, plane: Plane) -> bool:
    """Whether a box in space has a part within a slice."""
    below, above = plane.index - _HALF, plane.index + _HALF
    return low[plane.axis] < above and high[plane.axis] > below


def _ring(shape: UprightShape | OrientedBox | Polygon, geometry: Geometry) -> FloatArray:
    match shape:
        case EllipseRoi(low=low, high=high):
            turn = np.linspace(0.0, 2.0 * np.pi, _STEPS + 1)
            circle = np.stack([np.sin(turn), np.cos(turn)], axis=1)
            ring: FloatArray = np.add(low, high) / 2.0 + circle * np.subtract(high, low) / 2.0
            return ring
        case UprightShape():
            return _closed(upright_corners(shape))
        case OrientedBox():
            return _closed(oriented_corners(shape, geometry))
        case Polygon(points=points):
            return _closed(np.array(points, dtype=np.float64))


def _closed(corners: FloatArray) -> FloatArray:
    return np.concatenate([corners, corners[:1]])


def _of_path(path: tuple[Kji, ...], plane: Plane) -> Lines:
    parts = tuple(part for one in pairwise(path) if (part := _cut(*one, plane)) is not None)
    if parts:
        return Lines(parts)
    return Lines((np.array([plane.row_column(place) for place in path]),), on_slice=False)


def _of_keypoints(shape: Keypoints, plane: Plane) -> Lines:
    here = [one for one in shape.points if abs(one.at[plane.axis] - plane.index) <= _HALF]
    links = [(shape.points[a].at, shape.points[b].at) for a, b in shape.links]
    parts = tuple(part for one in links if (part := _cut(*one, plane)) is not None)
    if here or parts:
        return _with_points(parts, here, plane, on_slice=True)
    through = tuple(np.array([plane.row_column(a), plane.row_column(b)]) for a, b in links)
    return _with_points(through, shape.points, plane, on_slice=False)


def _with_points(
    lines: tuple[FloatArray, ...], points: Sequence[Keypoint], plane: Plane, *, on_slice: bool
) -> Lines:
    places = np.array([plane.row_column(one.at) for one in points]).reshape(-1, 2)
    names = tuple(one.name for one in points)
    return Lines(lines, places, names, tuple(not one.visible for one in points), on_slice)


def _cut(start: Kji, end: Kji, plane: Plane) -> FloatArray | None:
    """The part of a line within a slice, `[2, 2]`; None where it passes by."""
    low, high = plane.index - _HALF, plane.index + _HALF
    first, last = start[plane.axis], end[plane.axis]
    if first == last:
        return _ends(start, end, (0.0, 1.0), plane) if low <= first <= high else None
    at_low, at_high = (low - first) / (last - first), (high - first) / (last - first)
    enter, leave = max(0.0, min(at_low, at_high)), min(1.0, max(at_low, at_high))
    return None if enter > leave else _ends(start, end, (enter, leave), plane)


def _ends(start: Kji, end: Kji, parts: RowColumn, plane: Plane) -> FloatArray:
    a, b = np.array(plane.row_column(start)), np.array(plane.row_column(end))
    return np.stack([a + part * (b - a) for part in parts])
