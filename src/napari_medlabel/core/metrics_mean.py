"""The mean of an image in one segment, from the slices that have it."""

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.region import Stop, check_not_stopped, never
from napari_medlabel.core.volume import Grid

__all__ = ["mean_inside"]


def mean_inside(
    labels: npt.NDArray[np.unsignedinteger], image: Grid, value: int, slices: Iterable[int], *,
    cancelled: Stop = never,
) -> float:  # fmt: skip
    """The mean image value of a segment, in the image's unit.

    Parameters
    ----------
    labels
        Whole numbers from 0, `[k, j, i]`.
    image
        On the same grid; read slice by slice.
    value
        The segment's label value.
    slices
        Those along k that have the segment; others may be among them.
    cancelled
        Polled on every slice.

    Returns
    -------
    float
        Values that are not finite are left out; NaN where there is none.

    Raises
    ------
    Cancelled
        If `cancelled` says so.
    """
    total, count = 0.0, 0
    for k in slices:
        check_not_stopped(cancelled)
        inside = np.asarray(image[int(k)])[labels[int(k)] == value].astype(np.float64)
        finite = inside[np.isfinite(inside)]
        total += float(finite.sum())
        count += finite.size
    return total / count if count else math.nan
