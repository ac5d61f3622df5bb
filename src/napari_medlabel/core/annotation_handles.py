"""Where annotations can be taken hold of on a slice, and what of them is under the pointer.

Handles of boxes are their corners, 0 to 3 going round from the low row and column along the row,
then their edges, 4 to 7, beginning with that of the low row; a turned box has one more, 8, that
turns it. Those of an ellipse are its four edges, 0 to 3. All others are the places in order.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from napari_medlabel.core.annotation import (
    Angle,
    Annotation,
    Cuboid,
    Distance,
    EllipseRoi,
    Keypoints,
    OrientedBox,
    Polygon,
    Shape,
    UprightShape,
)
from napari_medlabel.core.annotation_lines import lines_on, reaches
from napari_medlabel.core.annotation_places import oriented_corners, upright_corners
from napari_medlabel.core.geometry import FloatArray, Geometry
from napari_medlabel.core.plane import Kji, Plane, RowColumn, mm_from_row_column

__all__ = ["TURN", "Handle", "Hit", "handles", "hit", "nearest", "places_of"]

TURN: Final = 8  # the handle that turns a box
_TURN_MM: Final = 8.0  # how far it stands off the box
_HALF: Final = 0.5


@dataclass(frozen=True, slots=True)
class Handle:
    """A place to take hold of, `(row, column)`."""

    number: int
    at: RowColumn


@dataclass(frozen=True, slots=True)
class Hit:
    """What is under the pointer: a handle, or the line of this number, and how far off."""

    part: Literal["handle", "line"]
    number: int
    distance_mm: float


def handles(  # noqa: PLR0911  # one for each kind
    shape: Shape, plane: Plane, geometry: Geometry
) -> tuple[Handle, ...]:
    """Where a shape can be taken hold of on a slice; none where it is not on it."""
    match shape:
        case Distance() | Angle() | Keypoints():
            return tuple(
                Handle(n, plane.row_column(at))
                for n, at in enumerate(places_of(shape))
                if abs(at[plane.axis] - plane.index) <= _HALF
            )
        case Cuboid(low, high):
            if not reaches(low, high, plane):
                return ()
            section = UprightShape(plane, plane.row_column(low), plane.row_column(high))
            return _numbered(_with_edges(upright_corners(section)))
        case _ if shape.plane != plane:
            return ()
        case Polygon(points=points):
            return _numbered(points)
        case EllipseRoi():
            return _numbered(_with_edges(upright_corners(shape))[4:])
        case OrientedBox():
            return _numbered(
                [*_with_edges(oriented_corners(shape, geometry)), _turn(shape, geometry)]
            )
        case _:
            return _numbered(_with_edges(upright_corners(shape)))


def hit(
    shape: Shape, plane: Plane, at: RowColumn, geometry: Geometry, tolerance_mm: float
) -> Hit | None:
    """What of a shape is within reach of a place on a slice; a handle before a line.

    Parameters
    ----------
    shape
        The shape.
    plane, at
        The slice, and the pointer's `(row, column)` on it.
    geometry
        Of the canonical grid.
    tolerance_mm
        How far off is still a hit, in the plane.
    """
    if getattr(shape, "plane", plane) != plane:
        return None
    drawn = lines_on(shape, plane, geometry)
    if drawn is None or not drawn.on_slice:
        return None
    matrix = mm_from_row_column(geometry, plane.axis)
    off = [(line - at) @ matrix.T for line in (*drawn.lines, drawn.points)]
    if _is_far(np.concatenate(off), tolerance_mm + _TURN_MM):
        return None
    there = handles(shape, plane, geometry)
    places = np.array([one.at for one in there]).reshape(-1, 2)
    far = np.linalg.norm((places - at) @ matrix.T, axis=1)
    if there and far.min() <= tolerance_mm:
        return Hit("handle", there[int(far.argmin())].number, float(far.min()))
    starts = np.concatenate([line[:-1] for line in off[:-1]] or [np.zeros((0, 2))])
    ends = np.concatenate([line[1:] for line in off[:-1]] or [np.zeros((0, 2))])
    far = _distances_mm(starts, ends)
    if far.size and far.min() <= tolerance_mm:
        return Hit("line", int(far.argmin()), float(far.min()))
    return None


def nearest(
    annotations: Iterable[Annotation],
    plane: Plane,
    at: RowColumn,
    geometry: Geometry,
    tolerance_mm: float,
) -> tuple[Annotation, Hit] | None:
    """The annotation within reach of a place on a slice, and what of it; a handle before a line.

    Parameters
    ----------
    annotations
        Of equally near ones the last is taken: it is drawn on top.
    plane, at, geometry, tolerance_mm
        As in `hit`.
    """
    found = [(one, hit(one.shape, plane, at, geometry, tolerance_mm)) for one in annotations]
    hits = [(one, what) for one, what in reversed(found) if what is not None]
    return min(hits, key=lambda one: (one[1].part != "handle", one[1].distance_mm), default=None)


def places_of(shape: Distance | Angle | Keypoints) -> tuple[Kji, ...]:
    """The places of what has nothing but places."""
    match shape:
        case Distance(start, end):
            return (start, end)
        case Angle(start, vertex, end):
            return (start, vertex, end)
        case Keypoints(points):
            return tuple(point.at for point in points)


def _numbered(places: Iterable[Iterable[float]]) -> tuple[Handle, ...]:
    pairs = (tuple(map(float, place)) for place in places)
    return tuple(Handle(n, (row, column)) for n, (row, column) in enumerate(pairs))


def _with_edges(corners: FloatArray) -> FloatArray:
    """Four corners going round, then the middles of the edges after each of them."""
    middles: FloatArray = (corners + np.roll(corners, -1, axis=0)) / 2.0
    return np.concatenate([corners, middles])


def _turn(box: OrientedBox, geometry: Geometry) -> FloatArray:
    """Where the handle is that turns a box: beyond its first edge."""
    angle = math.radians(box.angle_deg)
    off = box.size_mm[1] / 2.0 + _TURN_MM
    matrix = mm_from_row_column(geometry, box.plane.axis)
    away = np.array([math.sin(angle), -math.cos(angle)]) * off
    return np.asarray(box.center + np.linalg.solve(matrix, away), dtype=np.float64)


def _is_far(places: FloatArray, reach_mm: float) -> bool:
    """Whether the box around places, from the origin in millimetres, is out of reach of it."""
    low, high = places.min(axis=0), places.max(axis=0)
    return bool((low > reach_mm).any() or (high < -reach_mm).any())


def _distances_mm(starts: FloatArray, ends: FloatArray) -> FloatArray:
    """From the origin to each line between two places, `[n]`."""
    steps: FloatArray = ends - starts
    lengths: FloatArray = np.maximum((steps**2).sum(axis=1), 1e-300)
    parts = np.clip(-(starts * steps).sum(axis=1) / lengths, 0.0, 1.0)
    far: FloatArray = np.linalg.norm(starts + parts[:, None] * steps, axis=1)
    return far
