"""Holes and islands of a segment.

An island is what hangs together by faces, edges or corners of voxels; a hole is what is shut in,
joined by faces only.
"""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.region import (
    Box,
    Islands,
    Report,
    Stop,
    box_of,
    check_axis,
    check_size,
    copy_of,
    edit_of,
    never,
    silent,
    watched,
)
from napari_medlabel.errors import InputError

__all__ = [
    "fill_holes",
    "island_volumes_ml",
    "keep_largest",
    "remove_islands",
    "split_islands",
]


def fill_holes(  # noqa: PLR0913
    labels: LabelArray, value: int, *, axis: int | None = None, over_others: bool = False,
    cancelled: Stop = never, progress: Report = silent,
) -> Edit:  # fmt: skip
    """Fill what a segment encloses.

    Parameters
    ----------
    labels
        uint8 or uint16, `[k, j, i]`.
    value
        The segment's label value.
    axis
        Along which slices lie, each filled by itself: 0, 1 or 2; without it, in 3-D.
    over_others
        Whether voxels of other segments are filled too.
    cancelled
        Polled.
    progress
        Called with slices done and in all.

    Raises
    ------
    InputError
        If there is no such axis.
    Cancelled
        If `cancelled` says so.
    """
    check_axis(axis)
    box = box_of(labels, value)
    if box is None:
        return Edit.nothing(labels.dtype)
    part, after = labels[box], labels[box].copy()
    if axis is None:
        found = Islands(
            lambda where: part[where] != value, _shape(box), corners=False, cancelled=cancelled,
            progress=progress,
        )  # fmt: skip
        shut_in = np.concatenate([[False], ~found.at_edge])
        for where, hole in found.chosen(shut_in):
            _give(after[where], hole, value, over_others=over_others)
    else:
        turned = np.moveaxis(after, axis, 0)
        for plane in watched(turned, len(turned), cancelled, progress):
            _give(plane, _shut_in(plane != value), value, over_others=over_others)
    return edit_of(labels, box, after)


def keep_largest(
    labels: LabelArray, value: int, *, count: int = 1, cancelled: Stop = never,
    progress: Report = silent,
) -> Edit:  # fmt: skip
    """Turn all islands of a segment but the largest ones into background.

    Parameters
    ----------
    labels
        uint8 or uint16, `[k, j, i]`.
    value
        The segment's label value.
    count
        How many are kept; of equal ones the first in the array.
    cancelled
        Polled.
    progress
        Called with slices done and in all.

    Raises
    ------
    InputError
        If the count is less than 1.
    Cancelled
        If `cancelled` says so.
    """
    check_size(count, "number of islands", unit="", least=1)
    box = box_of(labels, value)
    if box is None:
        return Edit.nothing(labels.dtype)
    found = _islands(labels, value, box, cancelled, progress)
    gone = np.ones(found.count + 1, bool)
    gone[[0, *found.by_size()[:count]]] = False
    return _relabelled(labels, box, found, np.where(gone, 0, value))


def remove_islands(  # noqa: PLR0913
    labels: LabelArray, value: int, voxel_ml: float, *, below_ml: float, cancelled: Stop = never,
    progress: Report = silent,
) -> Edit:  # fmt: skip
    """Turn all islands of a segment below a volume into background.

    Parameters
    ----------
    labels
        uint8 or uint16, `[k, j, i]`.
    value
        The segment's label value.
    voxel_ml
        Volume of one voxel, millilitres.
    below_ml
        Smaller islands go; one of exactly this volume stays.
    cancelled
        Polled.
    progress
        Called with slices done and in all.

    Raises
    ------
    InputError
        If the volume is negative.
    Cancelled
        If `cancelled` says so.
    """
    check_size(below_ml, "volume", unit="mL")
    box = box_of(labels, value)
    if box is None:
        return Edit.nothing(labels.dtype)
    found = _islands(labels, value, box, cancelled, progress)
    # As many voxels as fit, rounding in the last digit aside.
    gone = np.concatenate([[False], found.sizes < below_ml / voxel_ml * (1.0 - 1e-9)])
    return _relabelled(labels, box, found, np.where(gone, 0, value))


def split_islands(
    labels: LabelArray, value: int, new_values: Sequence[int], *, cancelled: Stop = never,
    progress: Report = silent,
) -> Edit:  # fmt: skip
    """Give each island a label value of its own: the largest keeps its own, others by size.

    Islands for which there is no new value left keep the old one.

    Raises
    ------
    InputError
        If a new value is the old one, there twice, or cannot be in the array.
    Cancelled
        If `cancelled` says so.
    """
    chosen = list(new_values)
    if len({value, *chosen}) != len(chosen) + 1 or min(chosen, default=1) < 1:
        raise InputError("each island needs a label value of its own")
    box = box_of(labels, value)
    if box is None:
        return Edit.nothing(labels.dtype)
    found = _islands(labels, value, box, cancelled, progress)
    targets = np.full(found.count + 1, value)
    others = found.by_size()[1 : len(chosen) + 1]
    targets[others] = chosen[: len(others)]
    return _relabelled(labels, box, found, targets)


def island_volumes_ml(
    labels: LabelArray, value: int, voxel_ml: float, *, cancelled: Stop = never
) -> list[float]:
    """Volumes of a segment's islands, millilitres, the largest first."""
    box = box_of(labels, value)
    if box is None:
        return []
    sizes = _islands(labels, value, box, cancelled).sizes
    return [float(size) * voxel_ml for size in np.sort(sizes)[::-1]]


def _islands(
    labels: LabelArray, value: int, box: Box, cancelled: Stop, progress: Report = silent
) -> Islands:
    part = labels[box]
    return Islands(
        lambda where: part[where] == value, _shape(box), cancelled=cancelled, progress=progress
    )


def _relabelled(
    labels: LabelArray, box: Box, found: Islands, targets: np.ndarray[tuple[int], np.dtype[np.intp]]
) -> Edit:
    """The edit that gives each island, by its number, a label value."""
    after = copy_of(labels, box, int(targets.max()))
    values = targets.astype(after.dtype)
    for where, numbers in found.each():
        np.copyto(after[where], values[numbers], where=numbers > 0)
    return edit_of(labels, box, after)


def _shut_in(outside: BoolArray) -> BoolArray:
    """Regions of a slice that do not reach its border."""
    numbers, count = ndimage.label(outside)
    open_ = np.zeros(count + 1, bool)
    for edge in (numbers[0], numbers[-1], numbers[:, 0], numbers[:, -1]):
        open_[np.unique(edge)] = True
    open_[0] = True
    shut: BoolArray = ~open_[numbers]
    return shut


def _give(plane: LabelArray, where: BoolArray, value: int, *, over_others: bool) -> None:
    plane[where if over_others else where & (plane == 0)] = value


def _shape(box: Box) -> tuple[int, int, int]:
    k, j, i = (side.stop - side.start for side in box)
    return (k, j, i)
