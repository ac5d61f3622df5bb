"""Segments by image values: between two limits, and the limit that parts two classes best."""

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import BoolArray, FloatArray
from napari_medlabel.core.region import (
    Box,
    Report,
    Stop,
    check_not_stopped,
    copy_of,
    edit_of,
    never,
    silent,
    slabs,
    whole_box,
)
from napari_medlabel.core.volume import Grid
from napari_medlabel.errors import GeometryError, InputError

__all__ = ["best_split", "check_image", "otsu", "threshold", "within"]

_BINS: Final = 1024


def threshold(  # noqa: PLR0913  # each is a choice the person makes
    labels: LabelArray, image: Grid, value: int, lower: float, upper: float, *,
    box: Box | None = None, inside: int | None = None, over_others: bool = False,
    cancelled: Stop = never, progress: Report = silent,
) -> Edit:  # fmt: skip
    """Give a segment all voxels whose image value lies within limits.

    Parameters
    ----------
    labels
        uint8 or uint16, `[k, j, i]`.
    image
        On the same grid; read slab by slab.
    value
        The segment's label value.
    lower, upper
        Both included, in the image's unit; infinite for no limit.
    box
        Only here; without it, everywhere.
    inside
        Only voxels of this segment, which loses them; without it, background.
    over_others
        Whether voxels of all other segments may be taken, too.
    cancelled
        Polled for each slab.
    progress
        Called with slices done and in all.

    Raises
    ------
    InputError
        If the lower limit is above the upper one, or a limit is not a number.
    GeometryError
        If the image has another shape.
    Cancelled
        If `cancelled` says so.
    """
    check_image(labels, image)
    if not lower <= upper:
        raise InputError("the lower limit is above the upper one", "exchange the two")
    where = _inside(box, labels.shape)
    after = copy_of(labels, where, value)
    for part in slabs(where):
        check_not_stopped(cancelled)
        values = image[(part, *where[1:])]
        target = after[part.start - where[0].start : part.stop - where[0].start]
        found = within(values, lower, upper)
        target[found & _allowed(target, inside, over_others=over_others)] = value
        progress(part.stop - where[0].start, len(after))
    return edit_of(labels, where, after)


def otsu(
    image: Grid, *, labels: LabelArray | None = None, inside: int | None = None,
    box: Box | None = None, cancelled: Stop = never,
) -> float:  # fmt: skip
    """The value that parts the image's values into two classes best.

    Largest variance between the classes, from a histogram of 1024 bins: Otsu, IEEE Trans. Syst.
    Man Cybern. 9:62-66 (1979), doi:10.1109/TSMC.1979.4310076.

    Parameters
    ----------
    image
        Read slab by slab, twice; values that are not finite are left out.
    labels, inside
        Only voxels of this segment.
    box
        Only here; without it, everywhere.
    cancelled
        Polled for each slab.

    Returns
    -------
    float
        In the image's unit; the upper class is above it.

    Raises
    ------
    InputError
        If there are not two different values.
    GeometryError
        If the image has another shape than the labels.
    Cancelled
        If `cancelled` says so.
    """
    if labels is not None:
        check_image(labels, image)
    where = _inside(box, image.shape)

    def values(part: slice) -> npt.NDArray[Any]:
        check_not_stopped(cancelled)
        found = image[(part, *where[1:])]
        if labels is not None and inside is not None:
            found = found[labels[part, where[1], where[2]] == inside]
        finite: npt.NDArray[Any] = found[np.isfinite(found)]
        return finite

    low, high = np.inf, -np.inf
    for part in slabs(where):
        found = values(part)
        if found.size:
            low, high = min(low, float(found.min())), max(high, float(found.max()))
    if not low < high:
        raise InputError("there are no two different image values here", "choose a larger region")
    counts = np.zeros(_BINS, np.int64)
    for part in slabs(where):
        counts += np.histogram(values(part), _BINS, (low, high))[0]
    return best_split(counts, low, high)[0]


def best_split(counts: npt.NDArray[np.int64], low: float, high: float) -> tuple[float, float]:
    """The limit between two classes, and which part of the variance lies between them.

    Parameters
    ----------
    counts
        A histogram of equal bins from `low` to `high`, not empty.
    low, high
        The ends of the first and the last bin.
    """
    edges = np.linspace(low, high, len(counts) + 1)
    centers: FloatArray = (edges[:-1] + edges[1:]) / 2.0
    below = np.cumsum(counts)[:-1]
    above = counts.sum() - below
    sums = np.cumsum(counts * centers)
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = np.square(sums[:-1] / below - (sums[-1] - sums[:-1]) / above)
    between = np.nan_to_num(below * above * apart)
    # An empty valley gives one best value many times over: the middle of it is the fairest.
    best = np.flatnonzero(between >= between.max() * (1.0 - 1e-12))
    limit = float(edges[1:-1][best].mean())
    total = float(counts.sum())
    mean = float(sums[-1]) / total
    spread = float((counts * np.square(centers - mean)).sum())
    share = float(between.max()) / total / spread if spread > 0 else 0.0
    return limit, share


def within(values: npt.NDArray[Any], lower: float, upper: float) -> BoolArray:
    """Whether each value lies within the limits, both included; whole numbers stay what they are.

    Comparing int16 with a fraction would make a float64 of every voxel first.
    """
    low: float | int = lower
    high: float | int = upper
    if np.issubdtype(values.dtype, np.integer):
        kind = np.iinfo(values.dtype)
        if lower > kind.max or upper < kind.min:
            return np.zeros(values.shape, bool)
        low = math.ceil(max(lower, kind.min))
        high = math.floor(min(upper, kind.max))
    inside: BoolArray = values >= low
    inside &= values <= high
    return inside


def check_image(labels: LabelArray, image: Grid) -> None:
    """Pass, if the image is on the labels' grid.

    Raises
    ------
    GeometryError
        Otherwise.
    """
    if tuple(image.shape) != labels.shape:
        raise GeometryError("the image does not have the shape of the labels")


def _allowed(part: LabelArray, inside: int | None, *, over_others: bool) -> BoolArray:
    if inside is not None:
        own: BoolArray = np.equal(part, inside)
        return own
    return np.ones(part.shape, bool) if over_others else np.equal(part, 0)


def _inside(box: Box | None, shape: tuple[int, ...]) -> Box:
    """The box cut to the array.

    Raises
    ------
    InputError
        If nothing of it is left.
    """
    if box is None:
        return whole_box(shape)
    k, j, i = (
        slice(max(side.start, 0), min(side.stop, size))
        for side, size in zip(box, shape, strict=True)
    )
    if any(side.start >= side.stop for side in (k, j, i)):
        raise InputError("the box lies outside of the image", "draw it inside")
    return (k, j, i)
