"""The area that a closed outline encloses, by the even-odd rule; it may cross itself."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import FloatArray

__all__ = ["enclosed_area"]


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
    lows, highs = np.minimum(starts[:, 0], ends[:, 0]), np.maximum(starts[:, 0], ends[:, 0])
    # Between neighbouring levels no two edges cross: the inside is a row of trapezoids there.
    levels = np.unique(np.concatenate([starts[:, 0], _crossing_rows(starts, ends)]))
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


def _crossing_rows(starts: FloatArray, ends: FloatArray) -> FloatArray:
    """The rows at which edges meet; parallel ones never do."""
    steps = ends - starts
    rows = [np.zeros(0)]
    for n in range(len(starts) - 1):
        offset, others = starts[n + 1 :] - starts[n], steps[n + 1 :]
        turn = steps[n, 0] * others[:, 1] - steps[n, 1] * others[:, 0]
        with np.errstate(all="ignore"):  # of parallel edges
            here = (offset[:, 0] * others[:, 1] - offset[:, 1] * others[:, 0]) / turn
            there = (offset[:, 0] * steps[n, 1] - offset[:, 1] * steps[n, 0]) / turn
        meet = (here >= 0) & (here <= 1) & (there >= 0) & (there <= 1)
        rows.append(starts[n, 0] + here[meet] * steps[n, 0])
    return np.concatenate(rows)
