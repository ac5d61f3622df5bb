"""The voxels inside of an outline that a hand drew on one slice."""

from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import BoolArray, FloatArray
from napari_medlabel.errors import InputError

__all__ = ["inside_outline"]

_FARTHEST: Final = 1e6  # pixels; farther out is no outline on this slice


def inside_outline(outline: npt.ArrayLike, shape: tuple[int, int]) -> BoolArray:
    """The pixels of a slice whose centres lie inside of a closed outline.

    Even-odd: where the outline crosses itself, what is enclosed twice is outside. A centre exactly
    on the outline is inside where the inside lies towards higher columns, or, on a level line,
    towards higher rows: so outlines that share a border share no pixel and leave none between them.

    Parameters
    ----------
    outline
        Fractional `(row, column)` of each corner, `[n, 2]`, in either direction; the last is
        joined with the first. Pixel centres are whole numbers. It may leave the slice.
    shape
        Rows and columns of the slice.

    Returns
    -------
    BoolArray
        `[row, column]`; without a True where there are fewer than three corners.

    Raises
    ------
    InputError
        If it is no list of corners, or one is no finite number.
    """
    corners: FloatArray = np.asarray(outline, np.float64)
    if corners.size == 0:
        return np.zeros(shape, bool)
    if corners.shape != (len(corners), 2) or not (np.abs(corners) <= _FARTHEST).all():
        raise InputError("this is no outline on a slice", "draw it again")
    rows, columns = shape
    turns = np.zeros((rows, columns + 1), np.int32)
    if len(corners) >= 3:
        row, place = _crossings(corners, rows)
        first = np.clip(np.ceil(place), 0, columns).astype(np.intp)  # from here on: other side
        np.add.at(turns, (row, first), 1)
    inside: BoolArray = np.cumsum(turns, axis=1)[:, :columns] % 2 == 1
    return inside


def _crossings(corners: FloatArray, rows: int) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """Where the outline crosses each row of pixel centres: rows, and fractional columns."""
    begin, end = corners, np.roll(corners, -1, axis=0)
    # Always from the lower row to the higher, so that a shared border is rounded once.
    swap = (begin[:, 0] > end[:, 0])[:, None]
    low, high = np.where(swap, end, begin), np.where(swap, begin, end)
    start = np.clip(np.ceil(low[:, 0]), 0, rows).astype(np.intp)
    stop = np.clip(np.ceil(high[:, 0]), 0, rows).astype(np.intp)  # a corner counts once
    counts = stop - start
    edge = np.repeat(np.arange(len(low)), counts)
    row = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + start[edge]
    # Multiplied before it is divided: exact wherever the crossing is a whole number.
    rise = (row - low[edge, 0]) * (high - low)[edge, 1]
    place: FloatArray = low[edge, 1] + rise / (high - low)[edge, 0]
    return row, place
