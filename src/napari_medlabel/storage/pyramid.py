"""Coarser levels of a volume: the mean for intensities, the most frequent value for labels.

Each level joins 2 voxels into one along some axes. An axis is halved while it has more than 96
voxels (so levels end at about 64) and its spacing is at most 1.5 times the smallest among the axes
that can still be halved: thick slices wait until the others have caught up, and voxels come closer
to cubes with every level. BigDataViewer proposes its mipmaps by the same idea.

Where an axis has an odd number of voxels the last one stands for the missing one, too.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import Index

__all__ = ["join_mean", "join_mode", "level_factors"]

_ENOUGH: Final = 96  # voxels along an axis that is not halved any more
_ANISOTROPY: Final = 1.5
_BLOCKS: Final = 1 << 16  # blocks voted on at once

Array = npt.NDArray[Any]


def level_factors(shape: Sequence[int], spacing_mm: Sequence[float]) -> list[Index]:
    """How many voxels of level 0 are one voxel, along k, j, i, for each level, finest first."""
    factors = [(1, 1, 1)]
    sizes, spacing = list(shape), list(spacing_mm)
    while True:
        large = [axis for axis in range(3) if sizes[axis] > _ENOUGH]
        if not large:
            return factors
        limit = _ANISOTROPY * min(spacing[axis] for axis in large)
        steps = [2 if axis in large and spacing[axis] <= limit else 1 for axis in range(3)]
        sizes = [-(-n // step) for n, step in zip(sizes, steps, strict=True)]
        spacing = [mm * step for mm, step in zip(spacing, steps, strict=True)]
        k, j, i = (factor * step for factor, step in zip(factors[-1], steps, strict=True))
        factors.append((k, j, i))


def join_mean(block: Array, steps: Index) -> Array:
    """The mean of every `steps` voxels (1 or 2 along each axis), in the block's own type.

    Integers are added exactly and rounded to the nearest, halves up (towards positive infinity).
    Sums of 64-bit integers must fit 64 bits. A mean with NaN is NaN.
    """
    shape = tuple(-(-n // step) for n, step in zip(block.shape, steps, strict=True))
    out = np.empty(shape, block.dtype)
    wide = _wide(block.dtype)
    count = int(np.prod(steps))
    for k in range(shape[0]):  # plane by plane, so that the sums stay in the processor's cache
        planes = block[k * steps[0] : (k + 1) * steps[0]]
        total = planes[0].astype(wide)
        if steps[0] == 2:
            total += planes[-1]
        if steps[1] == 2:
            total = _pairs(total, 0)
        if steps[2] == 2:
            total = _pairs(total, 1)
        if wide.kind == "f":
            total /= count
        elif count > 1:
            total += count // 2
            total >>= count.bit_length() - 1
        out[k] = total
    return out


def join_mode(block: Array, steps: Index) -> Array:
    """The most frequent value of every `steps` voxels (1 or 2 along each axis).

    Of values that are equally frequent, a label wins over background (0), then the lower one
    over the higher. No value is new: each voxel's is one of those it was joined from.
    """
    pad = [(0, -n % step) for n, step in zip(block.shape, steps, strict=True)]
    whole = np.pad(block, pad, mode="edge") if any(after for _, after in pad) else block
    sk, sj, si = steps
    parts = [whole[a::sk, b::sj, c::si] for a in range(sk) for b in range(sj) for c in range(si)]
    out = parts[0].copy()
    if not whole.max(initial=0):
        return out
    mixed = np.zeros(out.shape, bool)
    for part in parts[1:]:
        mixed |= part != out
    where = np.nonzero(mixed)
    for start in range(0, len(where[0]), _BLOCKS):
        some = tuple(axis[start : start + _BLOCKS] for axis in where)
        out[some] = _elected(np.stack([part[some] for part in parts], axis=1))
    return out


def _elected(votes: Array) -> Array:
    """One value for each row of votes."""
    ordered = np.sort(votes, axis=1)
    count = np.zeros(ordered.shape, np.uint8)
    for n in range(ordered.shape[1]):
        count += ordered == ordered[:, n : n + 1]
    best = np.argmax(2 * count + (ordered != 0), axis=1)  # the first, so the lowest, of the best
    chosen: Array = ordered[np.arange(len(ordered)), best]
    return chosen


def _pairs(total: Array, axis: int) -> Array:
    """Neighbours along an axis of a plane added; a last one alone counts twice."""
    if total.shape[axis] % 2:
        last = total[-1:] if axis == 0 else total[:, -1:]
        total = np.concatenate([total, last], axis=axis)
    if axis == 0:
        return np.asarray(total[0::2] + total[1::2])
    return np.asarray(total[:, 0::2] + total[:, 1::2])


def _wide(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """A type that holds the sum of eight values."""
    if dtype.kind == "f":
        return np.promote_types(dtype, np.float32)
    return np.dtype(
        np.int32 if dtype.itemsize <= 2 else np.uint64 if dtype == np.uint64 else np.int64
    )
