"""Smoothing segments, in millimetres: one alone, or neighbours together."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

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
    check_not_stopped,
    check_size,
    check_spacing,
    edit_of,
    never,
    silent,
    slabs,
    widened,
)
from napari_medlabel.errors import InputError

__all__ = ["smooth_gaussian", "smooth_jointly", "smooth_median"]

MmFilter = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]

_TRUNCATE = 3.0  # sigmas: a Gaussian's tail beyond counts for 0.3 %
_HALF = np.float32(0.5)


def smooth_median(  # noqa: PLR0913  # each is a choice the person makes
    labels: LabelArray, value: int, spacing_mm: Spacing, size_mm: float, *,
    over_others: bool = False, cancelled: Stop = never, progress: Report = silent,
) -> Edit:  # fmt: skip
    """Give each voxel to a segment where it has most of the box around the voxel.

    Small bumps and dents go, flat faces stay. An axis whose spacing is more than half the size
    is left as it is.

    Parameters
    ----------
    labels
        uint8 or uint16, `[k, j, i]`.
    value
        The segment's label value.
    spacing_mm
        Along k, j, i.
    size_mm
        The box's side: along each axis the largest odd number of voxels that fit, at least one.
    over_others
        Whether voxels of other segments may be taken.
    cancelled
        Polled for each part.
    progress
        Called with slices done and in all.

    Raises
    ------
    InputError
        If a length cannot be.
    Cancelled
        If `cancelled` says so.
    """
    check_spacing(spacing_mm)
    check_size(size_mm, "size of the box")
    sizes = [1 + 2 * int(size_mm * (1.0 + 1e-6) / step / 2.0) for step in spacing_mm]

    def mean(mask: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        found: npt.NDArray[np.float32] = ndimage.uniform_filter(mask, sizes, mode="nearest")
        return found

    reach = (sizes[0] // 2, sizes[1] // 2, sizes[2] // 2)
    return _smoothed(
        labels, value, mean, reach, over_others=over_others, cancelled=cancelled, progress=progress
    )


def smooth_gaussian(  # noqa: PLR0913  # each is a choice the person makes
    labels: LabelArray, value: int, spacing_mm: Spacing, sigma_mm: float, *,
    over_others: bool = False, cancelled: Stop = never, progress: Report = silent,
) -> Edit:  # fmt: skip
    """Give each voxel to a segment where a Gaussian of it is a half or more.

    Corners become round; what is thinner than about two sigmas is lost.

    Parameters
    ----------
    labels
        uint8 or uint16, `[k, j, i]`.
    value
        The segment's label value.
    spacing_mm
        Along k, j, i.
    sigma_mm
        Of the Gaussian, cut off at three sigmas.
    over_others
        Whether voxels of other segments may be taken.
    cancelled
        Polled for each part.
    progress
        Called with slices done and in all.

    Raises
    ------
    InputError
        If a length cannot be.
    Cancelled
        If `cancelled` says so.
    """
    check_spacing(spacing_mm)
    check_size(sigma_mm, "sigma")
    blurred, reach = _gaussian(sigma_mm, spacing_mm)
    return _smoothed(
        labels, value, blurred, reach, over_others=over_others, cancelled=cancelled,
        progress=progress,
    )  # fmt: skip


def smooth_jointly(  # noqa: PLR0913
    labels: LabelArray, values: Sequence[int], spacing_mm: Spacing, sigma_mm: float, *,
    cancelled: Stop = never, progress: Report = silent,
) -> Edit:  # fmt: skip
    """Smooth segments and the background between them together: no gap, no overlap.

    Each voxel goes to the segment, or to the background, whose Gaussian is largest there; where
    none of three or more has a half, the strongest still gets it, so that no gap opens where
    they meet. Voxels of segments that are not named stay as they are, and nothing is lost to
    them. Method: Slicer's joint smoothing, with the largest Gaussian instead of a windowed sinc.

    Parameters
    ----------
    labels
        uint8 or uint16, `[k, j, i]`.
    values
        Label values of the segments; at least one.
    spacing_mm
        Along k, j, i.
    sigma_mm
        Of the Gaussian, cut off at three sigmas.
    cancelled
        Polled for each segment in each part.
    progress
        Called with slices done and in all.

    Raises
    ------
    InputError
        If a length cannot be, or no segment is named.
    Cancelled
        If `cancelled` says so.
    """
    check_spacing(spacing_mm)
    check_size(sigma_mm, "sigma")
    wanted = sorted(set(values) - {0})
    if not wanted:
        raise InputError("no segment was named", "choose the segments to smooth")
    box = box_of(labels, *wanted)
    if box is None:
        return Edit.nothing(labels.dtype)
    blurred, reach = _gaussian(sigma_mm, spacing_mm)
    box = widened(box, reach, labels.shape)
    after = labels[box].copy()
    for part, own, inner in _parts(labels, box, reach):
        best = blurred((part == 0).astype(np.float32))[inner]
        winner = np.zeros(best.shape, labels.dtype)
        for value in wanted:
            check_not_stopped(cancelled)
            mask = part == value
            if not mask.any():
                continue
            strength = blurred(mask.astype(np.float32))[inner]
            stronger = strength > best
            np.copyto(best, strength, where=stronger)
            winner[stronger] = value
        free = np.isin(after[own], [0, *wanted])
        np.copyto(after[own], winner, where=free)
        progress(own.stop, len(after))
    return edit_of(labels, box, after)


def _smoothed(  # noqa: PLR0913
    labels: LabelArray, value: int, weight: MmFilter, reach: tuple[int, int, int], *,
    over_others: bool, cancelled: Stop, progress: Report,
) -> Edit:  # fmt: skip
    """The edit that gives the segment all voxels that it weighs a half or more in."""
    box = box_of(labels, value)
    if box is None:
        return Edit.nothing(labels.dtype)
    box = widened(box, reach, labels.shape)
    after = labels[box].copy()
    for part, own, inner in _parts(labels, box, reach):
        check_not_stopped(cancelled)
        inside: BoolArray = weight((part == value).astype(np.float32))[inner] >= _HALF
        target = after[own]
        gained = inside if over_others else inside & (target == 0)
        target[(target == value) & ~inside] = 0
        target[gained] = value
        progress(own.stop, len(after))
    return edit_of(labels, box, after)


def _parts(
    labels: LabelArray, box: Box, reach: tuple[int, int, int]
) -> Iterator[tuple[LabelArray, slice, tuple[slice, slice, slice]]]:
    """Slabs of a box: labels with all that reaches in, where in the box, and which of them.

    The labels end at the array's borders, where a filter repeats the last voxel.
    """
    wide = widened(box, reach, labels.shape)
    for where in slabs(box, reach[0]):
        k = slice(max(where.start - reach[0], 0), min(where.stop + reach[0], labels.shape[0]))
        inner = (
            slice(where.start - k.start, where.stop - k.start),
            slice(box[1].start - wide[1].start, box[1].stop - wide[1].start),
            slice(box[2].start - wide[2].start, box[2].stop - wide[2].start),
        )
        own = slice(where.start - box[0].start, where.stop - box[0].start)
        yield labels[k, wide[1], wide[2]], own, inner


def _gaussian(sigma_mm: float, spacing_mm: Spacing) -> tuple[MmFilter, tuple[int, int, int]]:
    sigmas = [sigma_mm / step for step in spacing_mm]
    k, j, i = (int(_TRUNCATE * sigma + 0.5) for sigma in sigmas)

    def blurred(mask: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        found: npt.NDArray[np.float32] = ndimage.gaussian_filter(
            mask, sigmas, mode="nearest", truncate=_TRUNCATE, output=np.float32
        )
        return found

    return blurred, (k, j, i)
