"""The brush: which voxels are within its radius, in millimetres, and where a stroke passes."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from napari_medlabel.core.geometry import BoolArray, FloatArray

__all__ = ["LARGEST_MM", "SMALLEST_MM", "footprint", "larger", "placed", "smaller", "stations"]

SMALLEST_MM = 0.5
LARGEST_MM = 80.0


@lru_cache(maxsize=64)
def footprint(diameter_mm: float, spacing_mm: tuple[float, ...]) -> BoolArray:
    """Voxels whose centre is within the brush around one voxel's centre.

    Parameters
    ----------
    diameter_mm
        Of the brush; however small, the voxel at its centre belongs to it.
    spacing_mm
        Along the axes that are painted.

    Returns
    -------
    BoolArray
        An odd number of voxels along each axis, the centre voxel in the middle; read-only.
    """
    radius = diameter_mm / 2.0
    reach = [int(radius / step + 1e-9) for step in spacing_mm]
    axes = np.ogrid[tuple(slice(-n, n + 1) for n in reach)]
    squares = sum((axis * step) ** 2 for axis, step in zip(axes, spacing_mm, strict=True))
    mask: BoolArray = np.asarray(squares <= radius**2 * (1.0 + 1e-9))
    mask[tuple(reach)] = True
    mask.flags.writeable = False
    return mask


def placed(
    mask: BoolArray, centre: Sequence[int], shape: Sequence[int]
) -> tuple[BoolArray, list[int], list[int]] | None:
    """The part of a footprint inside an array: mask, first and last-plus-one index per axis.

    None where no voxel of its box is inside.
    """
    reach = [n // 2 for n in mask.shape]
    low = [max(c - r, 0) for c, r in zip(centre, reach, strict=True)]
    high = [min(c + r + 1, n) for c, r, n in zip(centre, reach, shape, strict=True)]
    if any(a >= b for a, b in zip(low, high, strict=True)):
        return None
    inside = tuple(
        slice(a - c + r, b - c + r) for a, b, c, r in zip(low, high, centre, reach, strict=True)
    )
    return mask[inside], low, high


def stations(
    start: Sequence[float], end: Sequence[float], spacing_mm: Sequence[float], diameter_mm: float
) -> FloatArray:
    """Where the brush is set down between two positions of the hand, so that no gap is left.

    Parameters
    ----------
    start, end
        Voxel indices, which may be fractions; `start` has been painted already unless they
        are the same.
    spacing_mm
        Along all axes.
    diameter_mm
        Of the brush.

    Returns
    -------
    FloatArray
        `[n, axes]`, the last of them `end`; a quarter of a diameter, or half a voxel, apart.
    """
    first, last = np.asarray(start, np.float64), np.asarray(end, np.float64)
    moved = (last - first) * np.asarray(spacing_mm)
    step = max(diameter_mm / 4.0, min(spacing_mm) / 2.0)
    count = max(1, int(np.ceil(np.linalg.norm(moved) / step)))
    parts: FloatArray = first + np.linspace(0.0, 1.0, count + 1)[1:, None] * (last - first)
    return parts


def larger(diameter_mm: float) -> float:
    """The next larger size: a tenth more, at least half a millimetre."""
    return min(LARGEST_MM, _half(max(diameter_mm * 1.1, diameter_mm + 0.5)))


def smaller(diameter_mm: float) -> float:
    """The next smaller size."""
    return max(SMALLEST_MM, _half(min(diameter_mm / 1.1, diameter_mm - 0.5)))


def _half(size_mm: float) -> float:
    return round(size_mm * 2.0) / 2.0
