"""Where the corners of an annotation are, as indices of the canonical array."""

import math
from typing import Final

import numpy as np

from napari_medlabel.core.annotation import (
    Angle,
    Annotation,
    Cuboid,
    Distance,
    Keypoints,
    OrientedBox,
    Polygon,
    Shape,
    UprightShape,
)
from napari_medlabel.core.geometry import FloatArray, Geometry
from napari_medlabel.core.plane import Kji, mm_from_row_column
from napari_medlabel.errors import InputError

__all__ = ["check_near", "corners", "middle", "oriented_corners", "upright_corners"]

_MARGIN: Final = 10  # voxels


def corners(shape: Shape, geometry: Geometry) -> FloatArray:  # noqa: PLR0911  # one for each kind
    """The places that a shape is made of, in order, `[n, 3]`, `(k, j, i)`.

    Ends of lines; corners of boxes going round, and of what touches their edges; of a cuboid the
    eight, those of the low k first; vertices; keypoints.
    """
    match shape:
        case Distance(start, end):
            return np.array([start, end])
        case Angle(start, vertex, end):
            return np.array([start, vertex, end])
        case UprightShape():
            return shape.plane.kji_of(upright_corners(shape))
        case OrientedBox():
            return shape.plane.kji_of(oriented_corners(shape, geometry))
        case Polygon(plane, points):
            return plane.kji_of(points)
        case Cuboid(low, high):
            ends = [np.array(pair) for pair in zip(low, high, strict=True)]
            return np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 3)
        case Keypoints(points):
            return np.array([point.at for point in points])


def middle(shape: Shape, geometry: Geometry) -> Kji:
    """The middle of all its corners: where to look when it has changed."""
    k, j, i = corners(shape, geometry).mean(axis=0)
    return (float(k), float(j), float(i))


def upright_corners(shape: UprightShape) -> FloatArray:
    """The four corners of the box, `(row, column)`, from `low` along the row first."""
    (top, left), (bottom, right) = shape.low, shape.high
    return np.array([(top, left), (top, right), (bottom, right), (bottom, left)])


def oriented_corners(box: OrientedBox, geometry: Geometry) -> FloatArray:
    """The four corners of a turned box, `(row, column)`; the first edge is its length."""
    angle = math.radians(box.angle_deg)
    length, width = box.size_mm
    along = np.array([math.cos(angle), math.sin(angle)]) * length / 2.0
    across = np.array([-math.sin(angle), math.cos(angle)]) * width / 2.0
    offsets_mm = np.array([-along - across, along - across, along + across, -along + across])
    matrix = mm_from_row_column(geometry, box.plane.axis)
    steps: FloatArray = np.linalg.solve(matrix, offsets_mm.T).T
    return np.asarray(box.center) + steps


def check_near(annotation: Annotation, geometry: Geometry) -> None:
    """Pass where an annotation is on the grid or near it: no further off than the grid is long.

    Raises
    ------
    InputError
        If it is elsewhere.
    """
    size = np.asarray(geometry.shape, dtype=np.float64)
    places = corners(annotation.shape, geometry)
    plane = annotation.plane
    outside = plane is not None and plane.index >= geometry.shape[plane.axis]
    if outside or (places < -size - _MARGIN).any() or (places > 2.0 * size + _MARGIN).any():
        raise InputError(
            "the annotation lies far outside the image", "draw it on the image of this case"
        )
