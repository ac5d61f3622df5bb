"""Margins and shells of a segment, in millimetres.

Distances are Euclidean, from voxel centre to voxel centre, exact on any right-angled grid: those
in each slice by SciPy's transform, those between slices as the smallest sum of squares
(Felzenszwalb and Huttenlocher, Theory of Computing 8:415-428, 2012, doi:10.4086/toc.2012.v008a019,
bounded by the margin). So no more than the slices within one margin are in memory.
"""

from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import BoolArray, Spacing
from napari_medlabel.core.region import (
    Box,
    Report,
    Stop,
    box_of,
    check_size,
    check_spacing,
    edit_of,
    never,
    silent,
    watched,
    widened,
)
from napari_medlabel.errors import InputError

__all__ = ["Side", "grow", "hollow", "near_slices", "reach_of", "shrink"]

Side = Literal["inside", "outside", "both"]


def grow(  # noqa: PLR0913  # each is a choice the person makes
    labels: LabelArray, value: int, spacing_mm: Spacing, by_mm: float, *,
    over_others: bool = False, cancelled: Stop = never, progress: Report = silent,
) -> Edit:  # fmt: skip
    """Give a segment all voxels whose centres are within a margin of one of its own.

    Parameters
    ----------
    labels
        uint8 or uint16, `[k, j, i]`.
    value
        The segment's label value.
    spacing_mm
        Along k, j, i.
    by_mm
        The margin; a voxel at exactly this distance is taken.
    over_others
        Whether voxels of other segments are taken too.
    cancelled
        Polled on every slice.
    progress
        Called with slices done and in all.

    Raises
    ------
    InputError
        If a length cannot be.
    Cancelled
        If `cancelled` says so.
    """
    box = _wide_box(labels, value, spacing_mm, by_mm)
    if box is None:
        return Edit.nothing(labels.dtype)
    part, after = labels[box], labels[box].copy()
    near = near_slices(part.__getitem__, len(part), _is(value), spacing_mm, by_mm)
    for k, found in watched(enumerate(near), len(part), cancelled, progress):
        after[k][found if over_others else found & (part[k] == 0)] = value
    return edit_of(labels, box, after)


def shrink(  # noqa: PLR0913
    labels: LabelArray, value: int, spacing_mm: Spacing, by_mm: float, *,
    cancelled: Stop = never, progress: Report = silent,
) -> Edit:  # fmt: skip
    """Turn all voxels of a segment within a margin of a voxel outside it into background.

    What lies outside of the array is not counted as outside of the segment, so that growing by a
    margin and shrinking by it again leaves at least what was there.

    Parameters
    ----------
    labels
        uint8 or uint16, `[k, j, i]`.
    value
        The segment's label value.
    spacing_mm
        Along k, j, i.
    by_mm
        The margin; a voxel at exactly this distance is lost.
    cancelled
        Polled on every slice.
    progress
        Called with slices done and in all.

    Raises
    ------
    InputError
        If a length cannot be.
    Cancelled
        If `cancelled` says so.
    """
    box = _wide_box(labels, value, spacing_mm, by_mm)
    if box is None:
        return Edit.nothing(labels.dtype)
    part, after = labels[box], labels[box].copy()
    near = near_slices(part.__getitem__, len(part), _is_not(value), spacing_mm, by_mm)
    for k, found in watched(enumerate(near), len(part), cancelled, progress):
        after[k][found & (part[k] == value)] = 0
    return edit_of(labels, box, after)


def hollow(  # noqa: PLR0913  # each is a choice the person makes
    labels: LabelArray, value: int, spacing_mm: Spacing, thickness_mm: float, *,
    side: Side = "inside", over_others: bool = False, cancelled: Stop = never,
    progress: Report = silent,
) -> Edit:  # fmt: skip
    """Leave a shell of a segment along its border; what it surrounds becomes background.

    Parameters
    ----------
    labels
        uint8 or uint16, `[k, j, i]`.
    value
        The segment's label value.
    spacing_mm
        Along k, j, i.
    thickness_mm
        Of the shell. Inside, the segment's voxels within it of a voxel outside; outside, all
        others within it of the segment; both, half of it each.
    side
        Of the border, on which the shell lies.
    over_others
        Whether voxels of other segments are taken too.
    cancelled
        Polled on every slice.
    progress
        Called with slices done and in all.

    Raises
    ------
    InputError
        If a length cannot be, or there is no such side.
    Cancelled
        If `cancelled` says so.
    """
    if side not in ("inside", "outside", "both"):
        raise InputError(f"a shell has no side '{side}'", "choose inside, outside or both")
    reach_mm = thickness_mm / 2.0 if side == "both" else thickness_mm
    box = _wide_box(labels, value, spacing_mm, reach_mm)
    if box is None:
        return Edit.nothing(labels.dtype)
    part, after = labels[box], labels[box].copy()
    grown = near_slices(part.__getitem__, len(part), _is(value), spacing_mm, reach_mm)
    rim = near_slices(part.__getitem__, len(part), _is_not(value), spacing_mm, reach_mm)
    both = enumerate(zip(grown, rim, strict=True))
    for k, (wide, inner) in watched(both, len(part), cancelled, progress):
        own = part[k] == value
        added = wide & ~own if side != "inside" else np.zeros_like(own)
        kept = own & inner if side != "outside" else np.zeros_like(own)
        after[k][own & ~kept] = 0
        after[k][added if over_others else added & (part[k] == 0)] = value
    return edit_of(labels, box, after)


def near_slices(
    slices: Callable[[int], npt.NDArray[Any]],
    count: int,
    wanted: Callable[[npt.NDArray[Any]], BoolArray],
    spacing_mm: Spacing,
    by_mm: float,
) -> Iterator[BoolArray]:
    """For each slice in order, the voxels within `by_mm` of a wanted one, bool `[j, i]`.

    Parameters
    ----------
    slices
        Gives slice k, `[j, i]`.
    count
        How many there are.
    wanted
        Which voxels of a slice the distance is measured to.
    spacing_mm
        Along k, j, i.
    by_mm
        The distance, included.
    """
    limit = np.float32((by_mm * (1.0 + 1e-6)) ** 2)
    reach = min(reach_of(by_mm, spacing_mm)[0], count - 1)
    kept: dict[int, npt.NDArray[np.float32] | None] = {}
    for k in range(count):
        for other in range(max(k - reach, 0), min(k + reach, count - 1) + 1):
            if other not in kept:
                kept[other] = _squares_mm2(wanted(slices(other)), spacing_mm)
        kept = {other: squares for other, squares in kept.items() if other >= k - reach}
        near = np.zeros(slices(k).shape, bool)
        for other, squares in kept.items():
            left = limit - np.float32(((other - k) * spacing_mm[0]) ** 2)
            if squares is not None and left >= 0:
                near |= squares <= left
        yield near


def reach_of(by_mm: float, spacing_mm: Spacing) -> tuple[int, int, int]:
    """How many voxels a distance reaches along k, j, i."""
    k, j, i = (int(by_mm * (1.0 + 1e-6) / step) for step in spacing_mm)
    return (k, j, i)


def _squares_mm2(mask: BoolArray, spacing_mm: Spacing) -> npt.NDArray[np.float32] | None:
    """Squared distance in the slice to its nearest True, mm²; None where there is none."""
    if not mask.any():
        return None
    distances = ndimage.distance_transform_edt(~mask, spacing_mm[1:])
    squares: npt.NDArray[np.float32] = np.square(distances, dtype=np.float64).astype(np.float32)
    return squares


def _wide_box(labels: LabelArray, value: int, spacing_mm: Spacing, by_mm: float) -> Box | None:
    """The segment's box with room for the margin, and one voxel outside of it."""
    check_spacing(spacing_mm)
    check_size(by_mm, "margin")
    box = box_of(labels, value)
    if box is None:
        return None
    k, j, i = (
        min(n, size) for n, size in zip(reach_of(by_mm, spacing_mm), labels.shape, strict=True)
    )
    return widened(box, (k + 1, j + 1, i + 1), labels.shape)


def _is(value: int) -> Callable[[npt.NDArray[Any]], BoolArray]:
    return lambda plane: np.equal(plane, value)


def _is_not(value: int) -> Callable[[npt.NDArray[Any]], BoolArray]:
    return lambda plane: np.not_equal(plane, value)
