"""Which voxels are inside of an annotation: those whose centres are."""

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.annotation import (
    Cuboid,
    EllipseRoi,
    OrientedBox,
    Polygon,
    Shape,
    UprightShape,
)
from napari_medlabel.core.annotation_places import corners
from napari_medlabel.core.geometry import BoolArray, FloatArray, Geometry
from napari_medlabel.core.lasso import inside_outline
from napari_medlabel.core.plane import mm_from_row_column
from napari_medlabel.core.volume import Grid

__all__ = ["inside", "values_inside"]

Box = tuple[slice, slice, slice]
_AT_ONCE: Final = 1 << 22  # voxels of a part
_ROUNDING: Final = 1e-9  # voxels: a centre on the edge is inside, however the edge was computed


def inside(shape: Shape, geometry: Geometry) -> tuple[Box, BoolArray]:
    """A box of the grid, and which of its voxels have their centres inside the shape.

    Centres on the edge are inside, but for polygons (see `lasso.inside_outline`). Distances,
    angles and keypoints have no inside.

    Returns
    -------
    box, inside
        For indexing `[k, j, i]`; bool, of the box's shape.
    """
    box = _box_around(shape, geometry)
    size = tuple(side.stop - side.start for side in box)
    match shape:
        case Cuboid():
            return box, np.ones(size, bool)
        case UprightShape() | OrientedBox() | Polygon():
            flat = _in_plane(shape, geometry, box)
            return box, np.expand_dims(flat, shape.plane.axis)
        case _:
            return box, np.zeros(size, bool)


def values_inside(shape: Shape, geometry: Geometry, image: Grid) -> Iterator[npt.NDArray[Any]]:
    """The image's values of the voxels inside, flat, in parts: a cuboid may be the whole image."""
    if not isinstance(shape, Cuboid):
        box, where = inside(shape, geometry)
        if where.any():
            yield image[box][where]
        return
    slices, rows, columns = _box_around(shape, geometry)
    area = (rows.stop - rows.start) * (columns.stop - columns.start)
    step = max(1, _AT_ONCE // max(1, area))
    for k in range(slices.start, slices.stop, step):
        yield image[k : min(k + step, slices.stop), rows, columns].ravel()


def _box_around(shape: Shape, geometry: Geometry) -> Box:
    """The voxels with centres between the outermost corners, cut to the grid."""
    places = corners(shape, geometry)
    low = np.ceil(places.min(axis=0) - _ROUNDING)
    high = np.floor(places.max(axis=0) + _ROUNDING) + 1.0
    sides = []
    for first, last, count in zip(low, high, geometry.shape, strict=True):
        start = int(np.clip(first, 0, count))
        sides.append(slice(start, max(start, int(np.clip(last, 0, count)))))
    return (sides[0], sides[1], sides[2])


def _in_plane(
    shape: UprightShape | OrientedBox | Polygon, geometry: Geometry, box: Box
) -> BoolArray:
    rows, columns = (box[axis] for axis in shape.plane.axes)
    size = (rows.stop - rows.start, columns.stop - columns.start)
    if isinstance(shape, Polygon):
        return inside_outline(np.subtract(shape.points, (rows.start, columns.start)), size)
    row = np.arange(rows.start, rows.stop, dtype=np.float64)[:, None]
    column = np.arange(columns.start, columns.stop, dtype=np.float64)[None, :]
    if isinstance(shape, OrientedBox):
        return _in_oriented(shape, geometry, row, column)
    if isinstance(shape, EllipseRoi):
        return _in_ellipse(shape, row, column)
    return np.ones(size, bool)


def _in_ellipse(shape: EllipseRoi, row: FloatArray, column: FloatArray) -> BoolArray:
    center = np.add(shape.low, shape.high) / 2.0
    half = np.subtract(shape.high, shape.low) / 2.0 + _ROUNDING
    where: BoolArray = ((row - center[0]) / half[0]) ** 2 + (
        (column - center[1]) / half[1]
    ) ** 2 <= 1.0
    return where


def _in_oriented(
    box: OrientedBox, geometry: Geometry, row: FloatArray, column: FloatArray
) -> BoolArray:
    (from_row, from_column) = mm_from_row_column(geometry, box.plane.axis).T
    x, y = (
        from_row[n] * (row - box.center[0]) + from_column[n] * (column - box.center[1])
        for n in (0, 1)
    )
    angle = math.radians(box.angle_deg)
    along = x * math.cos(angle) + y * math.sin(angle)
    across = y * math.cos(angle) - x * math.sin(angle)
    where: BoolArray = (np.abs(along) <= box.size_mm[0] / 2.0 + _ROUNDING) & (
        np.abs(across) <= box.size_mm[1] / 2.0 + _ROUNDING
    )
    return where
