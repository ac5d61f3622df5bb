"""Segments joined, cut, copied, mirrored and renumbered."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import numpy as np
from scipy import ndimage

from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import BoolArray, FloatArray, Geometry, Spacing
from napari_medlabel.core.region import (
    Box,
    Report,
    Stop,
    box_of,
    check_axis,
    check_not_stopped,
    check_size,
    check_spacing,
    copy_of,
    edit_of,
    never,
    silent,
    slabs,
    watched,
    whole_box,
    widened,
)
from napari_medlabel.core.region_margin import near_slices, reach_of
from napari_medlabel.errors import GeometryError, InputError

__all__ = ["How", "combine", "copy_slice", "mid_plane", "mirror", "relabel"]

How = Literal["union", "subtract", "intersect"]

_ROUNDING: Final = 1e-9  # of voxels: a mirrored centre this near to a centre is on it


def combine(  # noqa: PLR0913  # each is a choice the person makes
    labels: LabelArray, value: int, other: int, how: How, spacing_mm: Spacing, *,
    margin_mm: float = 0.0, others: LabelArray | None = None, cancelled: Stop = never,
    progress: Report = silent,
) -> Edit:  # fmt: skip
    """Join a segment with another one, or cut it by it; the other may be grown for that.

    Segments of one label array never overlap: so cutting a segment by another, or to it, needs a
    margin to have an effect, such as 5 mm around a vessel. One of another group may lie over it.

    Parameters
    ----------
    labels
        uint8 or uint16, `[k, j, i]`.
    value
        The segment that changes.
    other
        The segment to join or to cut by.
    how
        "union": all of the other goes to the segment, and its margin where there is background.
        "subtract", "intersect": the segment loses what is inside, or outside, of the other and
        its margin; the other stays as it is. One of another group always does, and is joined
        where there is background.
    spacing_mm
        Along k, j, i.
    margin_mm
        By which the other is grown, in thought.
    others
        The labels that the other segment is among, on the same grid, where it is of another
        group; without it, `labels`.
    cancelled
        Polled on every slice.
    progress
        Called with slices done and in all.

    Raises
    ------
    InputError
        If the two are one, a length cannot be, or there is no such operation.
    Cancelled
        If `cancelled` says so.
    """
    check_spacing(spacing_mm)
    check_size(margin_mm, "margin")
    if how not in ("union", "subtract", "intersect"):
        raise InputError(f"there is no '{how}' of segments")
    if value == other:
        raise InputError("a segment cannot be combined with itself", "choose another one")
    among = labels if others is None else others
    box = box_of(among, other) if how == "union" else box_of(labels, value)
    if box is None:
        return Edit.nothing(labels.dtype)
    reach = reach_of(margin_mm, spacing_mm)
    if how == "union":
        box = widened(box, reach, labels.shape)
    wide = widened(box, reach, labels.shape)
    part, after = among[wide], copy_of(labels, box, value)
    first = box[0].start - wide[0].start
    rows = slice(box[1].start - wide[1].start, box[1].stop - wide[1].start)
    columns = slice(box[2].start - wide[2].start, box[2].stop - wide[2].start)
    near = near_slices(
        part.__getitem__, len(part), lambda plane: np.equal(plane, other), spacing_mm, margin_mm
    )
    for k, found in watched(enumerate(near), len(part), cancelled, progress):
        if first <= k < first + len(after):
            _combined(after[k - first], found[rows, columns], (value, other), how)
    return edit_of(labels, box, after)


def _combined(plane: LabelArray, found: BoolArray, values: tuple[int, int], how: How) -> None:
    value, other = values
    if how == "union":
        plane[(plane == other) | (found & (plane == 0))] = value
    else:
        plane[(plane == value) & (found if how == "subtract" else ~found)] = 0


def copy_slice(  # noqa: PLR0913  # each is a choice the person makes
    labels: LabelArray, source: int, target: int, *, axis: int = 0,
    values: Iterable[int] | None = None, over_others: bool = False,
) -> Edit:  # fmt: skip
    """Draw on one slice what was drawn on another; nothing is erased.

    Parameters
    ----------
    labels
        uint8 or uint16, `[k, j, i]`.
    source, target
        Indices of the slices along the axis.
    axis
        Along which slices lie.
    values
        Label values that are copied; without it, all.
    over_others
        Whether voxels of other segments may be taken.

    Raises
    ------
    InputError
        If there is no such axis or slice.
    """
    check_axis(axis)
    size = labels.shape[axis]
    if not (0 <= source < size and 0 <= target < size):
        raise InputError("there is no slice to copy from or to", f"slices go from 0 to {size - 1}")
    turned = np.moveaxis(labels, axis, 0)
    drawn, before = turned[source], turned[target]
    copied = drawn > 0 if values is None else np.isin(drawn, [n for n in values if n])
    free = copied if over_others else copied & (before == 0)
    after = np.where(free, drawn, before)
    low = [0, 0, 0]
    low[axis] = target
    return Edit.between(
        (low[0], low[1], low[2]), np.expand_dims(before, axis), np.expand_dims(after, axis)
    )


def mid_plane(geometry: Geometry) -> tuple[FloatArray, FloatArray]:
    """The plane halfway between the left and the right end of a grid.

    Returns
    -------
    tuple
        A point, LPS in mm, and the unit vector along the array's axis that runs nearest to left
        and right. On an oblique grid this is the scanner's plane, not the patient's.
    """
    axis = int(np.argmax(np.abs(geometry.direction[0])))
    middle = (np.asarray(geometry.shape, np.float64) - 1.0) / 2.0
    return geometry.lps(middle), geometry.direction[:, axis]


def mirror(  # noqa: PLR0913  # each is a choice the person makes
    labels: LabelArray, value: int, geometry: Geometry, *, into: int | None = None,
    plane: tuple[FloatArray, FloatArray] | None = None, over_others: bool = False,
    cancelled: Stop = never, progress: Report = silent,
) -> Edit:  # fmt: skip
    """Draw a segment's mirror image; the segment itself stays.

    Each voxel takes the label at its mirrored centre, from the nearest voxel.

    Parameters
    ----------
    labels
        uint8 or uint16, `[k, j, i]`, on `geometry`.
    value
        The segment's label value.
    geometry
        Where the voxels are.
    into
        The segment that gets the mirror image; without it, the segment itself.
    plane
        A point, LPS in mm, and a vector at right angles to the plane; without it, `mid_plane`.
    over_others
        Whether voxels of other segments may be taken.
    cancelled
        Polled for each slab.
    progress
        Called with slices done and in all.

    Raises
    ------
    GeometryError
        If the labels have another shape, or the vector has no length.
    Cancelled
        If `cancelled` says so.
    """
    if labels.shape != geometry.shape:
        raise GeometryError("the labels do not have the shape of the geometry")
    point, normal = mid_plane(geometry) if plane is None else plane
    matrix, offset = _mirroring(geometry, np.asarray(point, float), np.asarray(normal, float))
    source = box_of(labels, value)
    if source is None:
        return Edit.nothing(labels.dtype)
    box = _image_of(source, matrix, offset, labels.shape)
    if box is None:
        return Edit.nothing(labels.dtype)
    new = value if into is None else into
    # A border of nothing: to SciPy, what is a hair outside of the array is not in it.
    shape = np.pad((labels[source] == value).astype(np.uint8), 1)
    start, first = (np.array([side.start for side in part], float) for part in (box, source))
    after = copy_of(labels, box, new)
    for part in slabs(whole_box(after.shape)):
        check_not_stopped(cancelled)
        target = after[part]
        corner = np.array([start[0] + part.start, start[1], start[2]])
        found = ndimage.affine_transform(
            shape, matrix, matrix @ corner + offset - first + 1.0, output_shape=target.shape,
            order=0,
        )  # fmt: skip
        mirrored = found > 0
        target[mirrored if over_others else mirrored & (target == 0)] = new
        progress(part.stop, len(after))
    return edit_of(labels, box, after)


def _mirroring(
    geometry: Geometry, point: FloatArray, normal: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Index of the mirrored centre from index: matrix and offset."""
    length = float(np.linalg.norm(normal))
    if not (np.isfinite(length) and length > 0 and np.isfinite(point).all()):
        raise GeometryError("a plane needs a point and a vector with a length")
    unit = normal / length
    mirrored = np.eye(3) - 2.0 * np.outer(unit, unit)
    lps_from_kji = geometry.lps_from_kji[:3, :3]
    matrix = np.linalg.solve(lps_from_kji, mirrored @ lps_from_kji)
    zero = geometry.kji(mirrored @ (geometry.lps([0.0, 0.0, 0.0]) - point) + point)
    clean: FloatArray = np.where(np.abs(matrix - np.rint(matrix)) < 1e-6, np.rint(matrix), matrix)
    # Halfway between two centres rounding would decide; a hair to one side decides always alike.
    return clean, np.asarray(np.round(zero, 6) + _ROUNDING, np.float64)


def _image_of(
    source: Box, matrix: FloatArray, offset: FloatArray, shape: tuple[int, ...]
) -> Box | None:
    """The box that holds the mirror image of a box; a mirroring is its own inverse."""
    ends = [(side.start - 0.5, side.stop - 0.5) for side in source]
    corners = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 3)
    moved = corners @ matrix.T + offset
    low = np.floor(moved.min(axis=0)).astype(int)
    high = np.ceil(moved.max(axis=0)).astype(int) + 1
    k, j, i = (
        slice(max(int(a), 0), min(int(b), size))
        for a, b, size in zip(low, high, shape, strict=True)
    )
    inside = all(side.start < side.stop for side in (k, j, i))
    return (k, j, i) if inside else None


def relabel(labels: LabelArray, new_values: Mapping[int, int]) -> Edit:
    """Give segments other label values, all at once, so that two can be exchanged.

    Parameters
    ----------
    labels
        uint8 or uint16, `[k, j, i]`.
    new_values
        From the old label value to the new one; a new value of 0 erases.

    Raises
    ------
    InputError
        If background is renumbered, or a value is one that no label can have.
    """
    box = box_of(labels, *new_values) if new_values else None
    if box is None:
        return Edit.nothing(labels.dtype)
    highest = int(np.iinfo(labels.dtype).max)
    table = np.arange(highest + 1)
    for old, new in new_values.items():
        if old <= highest:
            table[old] = new
    after = copy_of(labels, box, *new_values.values())
    after[...] = table[after]
    return edit_of(labels, box, after)
