"""The area that a closed outline encloses, by the even-odd rule; it may cross itself."""

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import FloatArray

__all__ = ["enclosed_area"]

_AT_ONCE: Final = 64  # edges, each against all others: memory stays small


def enclosed_area(outline: npt.ArrayLike) -> float:
    """The area inside, where what is enclosed twice is outside; exact.

    Parameters
    ----------
    outline
        `(row, column)` of each corner, `[n, 2]`, n at least 3; the last is joined to the first.

    Returns
    -------
    float
        In squares of the corners' unit.
    """
    corners: FloatArray = np.asarray(outline, dtype=np.float64)
    starts = corners - corners[0]  # near the origin, where floats are finest
    ends = np.roll(starts, -1, axis=0)
    meetings = _meetings(starts, ends)
    if meetings is None:
        (rows, columns), (next_rows, next_columns) = starts.T, ends.T
        return float(abs(rows @ next_columns - columns @ next_rows) / 2.0)
    lows, highs = np.minimum(starts[:, 0], ends[:, 0]), np.maximum(starts[:, 0], ends[:, 0])
    # Between neighbouring levels no two edges cross: the inside is a row of trapezoids there.
    levels = np.unique(np.concatenate([starts[:, 0], meetings]))
    area = 0.0
    for low, high in pairwise(levels.tolist()):
        middle = (low + high) / 2.0
        there = (lows < middle) & (highs > middle)
        columns = np.sort(_columns_at(starts[there], ends[there], middle))
        area += (high - low) * float((columns[1::2] - columns[::2]).sum())
    return area


def _columns_at(starts: FloatArray, ends: FloatArray, row: float) -> FloatArray:
    """Where edges, none of them along a row, cross a row."""
    step = ends - starts
    columns: FloatArray = starts[:, 1] + (row - starts[:, 0]) / step[:, 0] * step[:, 1]
    return columns


def _meetings(starts: FloatArray, ends: FloatArray) -> FloatArray | None:
    """The rows at which edges that are no neighbours meet; None where none do."""
    count, steps = len(starts), ends - starts
    numbers, rows, met = np.arange(count), [np.zeros(0)], False
    for first in range(0, count, _AT_ONCE):
        these = slice(first, first + _AT_ONCE)
        offset = starts[None] - starts[these, None]
        turn = _cross(steps[these, None], steps[None])
        with np.errstate(all="ignore"):  # of parallel edges
            here = _cross(offset, steps[None]) / turn
            there = _cross(offset, steps[these, None]) / turn
            crossing = starts[these, None, 0] + here * steps[these, None, 0]
        on_one_line = (turn == 0) & (_cross(offset, steps[these, None]) == 0)
        meet = (here >= 0) & (here <= 1) & (there >= 0) & (there <= 1)
        apart = (numbers[None] - numbers[these, None]) % count
        strangers = (apart > 1) & (apart < count - 1)
        met = met or bool(((meet | on_one_line) & strangers).any())
        rows.append(crossing[meet & strangers])
    return np.concatenate(rows) if met else None


def _cross(one: FloatArray, other: FloatArray) -> FloatArray:
    area: FloatArray = one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0]
    return area
