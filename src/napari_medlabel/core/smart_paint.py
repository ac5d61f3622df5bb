"""Smart paint: discs that end where the image shows an edge."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import BoolArray, Index, Spacing
from napari_medlabel.core.region import (
    Box,
    check_size,
    check_spacing,
    copy_of,
    edit_of,
    widened,
)
from napari_medlabel.core.region_flood import check_seed
from napari_medlabel.core.region_threshold import best_split
from napari_medlabel.core.volume import Grid

__all__ = ["paint_to_edge"]

_CLEAR: Final = 0.7  # two classes are apart where so much of the variance lies between them
_BINS: Final = 64


def paint_to_edge(  # noqa: PLR0913  # each is a choice the person makes
    labels: LabelArray, image: Grid, value: int, center: Index, *, diameter_mm: float,
    spacing_mm: Spacing, path: Sequence[Index] = (), axis: int = 0, over_others: bool = False,
) -> Edit:  # fmt: skip
    """Paint a disc, or a stroke of them, but only up to the edge that the image shows in each.

    Where the values in the disc are of two kinds (Otsu's two classes with 70 % of the variance
    between them), the disc is cut to what is of the centre's kind and hangs together with it,
    holes filled; else it is painted whole.

    Parameters
    ----------
    labels
        uint8 or uint16, `[k, j, i]`.
    image
        On the same grid; only the discs are read.
    value
        The segment's label value.
    center
        The voxel in the middle of the first disc.
    diameter_mm
        Of each disc.
    spacing_mm
        Along k, j, i.
    path
        Where the stroke goes on from there: the middle of further discs, each cut by itself.
    axis
        Across which the disc lies.
    over_others
        Whether voxels of other segments may be taken.

    Raises
    ------
    InputError
        If the centre lies outside of the image or a length cannot be.
    GeometryError
        If the image has another shape.
    """
    check_spacing(spacing_mm)
    check_size(diameter_mm, "diameter")
    centers = dict.fromkeys([center, *path])
    for one in centers:
        check_seed(labels, image, one, axis)
    radius_mm = diameter_mm / 2.0 * (1.0 + 1e-6)
    sides = [int(radius_mm / step) for step in spacing_mm]
    sides[axis] = 0
    boxes = [widened(_at(one), sides, labels.shape) for one in centers]
    k, j, i = (
        slice(min(box[n].start for box in boxes), max(box[n].stop for box in boxes))
        for n in range(3)
    )
    whole = (k, j, i)
    found = np.zeros([side.stop - side.start for side in whole], bool)
    for one, box in zip(centers, boxes, strict=True):
        own = tuple(
            slice(side.start - first.start, side.stop - first.start)
            for side, first in zip(box, whole, strict=True)
        )
        found[own] |= _disc_to_edge(image, one, box, radius_mm, spacing_mm)
    after = copy_of(labels, whole, value)
    after[found if over_others else found & ((after == 0) | (after == value))] = value
    return edit_of(labels, whole, after)


def _disc_to_edge(
    image: Grid, center: Index, box: Box, radius_mm: float, spacing_mm: Spacing
) -> BoolArray:
    """The voxels of the disc's box that are painted."""
    steps = [
        (np.arange(side.start, side.stop) - middle) * step
        for side, middle, step in zip(box, center, spacing_mm, strict=True)
    ]
    k, j, i = np.meshgrid(*steps, indexing="ij", sparse=True)
    disc = k**2 + j**2 + i**2 <= radius_mm**2
    values = np.nan_to_num(np.asarray(image[box], np.float64))
    own = (center[0] - box[0].start, center[1] - box[1].start, center[2] - box[2].start)
    return _of_its_kind(values, disc, own)


def _of_its_kind(values: npt.NDArray[np.float64], disc: BoolArray, own: Index) -> BoolArray:
    """The part of the disc that is like its centre."""
    inside = values[disc]
    low, high = float(inside.min()), float(inside.max())
    if not low < high:
        return disc
    limit, share = best_split(np.histogram(inside, _BINS, (low, high))[0], low, high)
    if share < _CLEAR:
        return disc
    # A single voxel may be noise: its neighbours in the disc say which kind the centre is.
    near = tuple(slice(max(n - 1, 0), n + 2) for n in own)
    above = float(np.median(values[near][disc[near]])) > limit
    alike = disc & ((values > limit) == above)
    alike[own] = True
    flat = disc.shape.index(1)  # a disc lies in one slice
    numbers, _ = ndimage.label(alike.squeeze(flat))
    part = numbers == numbers[tuple(n for axis, n in enumerate(own) if axis != flat)]
    filled: BoolArray = np.expand_dims(ndimage.binary_fill_holes(part), flat) & disc
    return filled


def _at(center: Index) -> Box:
    k, j, i = (slice(n, n + 1) for n in center)
    return (k, j, i)
