"""Regions that spread from one voxel as long as the image, or the labels, stay alike."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import BoolArray, Index, Spacing
from napari_medlabel.core.region import (
    Box,
    Islands,
    Stop,
    check_axis,
    check_not_stopped,
    check_size,
    check_spacing,
    copy_of,
    edit_of,
    never,
    widened,
)
from napari_medlabel.core.region_threshold import best_split, check_image, within
from napari_medlabel.core.volume import Grid
from napari_medlabel.errors import InputError

__all__ = ["fill", "grow_confidently", "grow_from_point", "paint_to_edge"]

_FIRST: Final = 24  # voxels looked at on each side of the seed before the region is known
_CLEAR: Final = 0.7  # two classes are apart where so much of the variance lies between them
_BINS: Final = 64


def grow_from_point(  # noqa: PLR0913  # each is a choice the person makes
    labels: LabelArray, image: Grid, value: int, seed: Index, tolerance: float, *,
    axis: int | None = None, over_others: bool = False, cancelled: Stop = never,
) -> Edit:  # fmt: skip
    """Give a segment what hangs together with a voxel and differs little from it in the image.

    Parameters
    ----------
    labels
        uint8 or uint16, `[k, j, i]`.
    image
        On the same grid; read around the seed, as far as the region reaches.
    value
        The segment's label value.
    seed
        The voxel to start from.
    tolerance
        Largest difference from the seed's value, in the image's unit.
    axis
        Stay in the seed's slice along this axis; without it, in 3-D. Voxels hang together by
        faces.
    over_others
        Whether voxels of other segments are entered; else they are walls.
    cancelled
        Polled.

    Raises
    ------
    InputError
        If the seed lies outside of the image or in another segment, or a number cannot be.
    GeometryError
        If the image has another shape.
    Cancelled
        If `cancelled` says so.
    """
    check_size(tolerance, "tolerance", unit="")
    _check_seed(labels, image, seed, axis)
    _check_free(labels, value, seed, over_others=over_others)
    middle = float(image[seed])
    alike = _between(labels, image, value, over_others=over_others)
    box, found = _connected(
        alike(middle - tolerance, middle + tolerance),
        seed,
        _first_box(seed, axis, labels.shape),
        labels.shape,
        cancelled,
    )
    return _given(labels, box, found, value)


def grow_confidently(  # noqa: PLR0913  # each is a choice the person makes
    labels: LabelArray, image: Grid, value: int, seed: Index, *, factor: float = 2.5,
    rounds: int = 4, radius: int = 1, axis: int | None = None, over_others: bool = False,
    cancelled: Stop = never,
) -> Edit:  # fmt: skip
    """As `grow_from_point`, with limits that are learnt from the region itself.

    Mean plus and minus some standard deviations, first of the seed's surroundings, then of the
    region so far: ITK's confidence-connected region growing.

    Parameters
    ----------
    labels, image, value, seed, axis, over_others, cancelled
        As there.
    factor
        How many standard deviations.
    rounds
        How often the region is taken for the next limits; it ends earlier where nothing changes.
    radius
        Of the seed's surroundings, in voxels.

    Raises
    ------
    InputError, GeometryError, Cancelled
        As there.
    """
    check_size(factor, "factor", unit="")
    check_size(rounds, "number of rounds", unit="")
    check_size(radius, "radius", unit="voxels", least=1)
    _check_seed(labels, image, seed, axis)
    _check_free(labels, value, seed, over_others=over_others)
    alike = _between(labels, image, value, over_others=over_others)
    near = widened(_at(seed), _sides(radius, axis), labels.shape)
    values = np.asarray(image[near], np.float64)
    middle = float(image[seed])
    size = -1
    box, found = _first_box(seed, axis, labels.shape), np.ones((1, 1, 1), bool)
    for _ in range(rounds + 1):
        mean, sd = float(values.mean()), float(values.std())
        # Whatever the limits are, the seed belongs to its own region.
        low, high = min(mean - factor * sd, middle), max(mean + factor * sd, middle)
        box, found = _connected(alike(low, high), seed, box, labels.shape, cancelled)
        count = int(np.count_nonzero(found))
        if count == size:
            break
        size, values = count, image[box][found].astype(np.float64)
    return _given(labels, box, found, value)


def fill(  # noqa: PLR0913  # each is a choice the person makes
    labels: LabelArray, value: int, seed: Index, *, image: Grid | None = None,
    tolerance: float = 0.0, axis: int | None = None, cancelled: Stop = never,
) -> Edit:  # fmt: skip
    """Give a segment the region around a voxel that has the voxel's label throughout.

    Parameters
    ----------
    labels
        uint8 or uint16, `[k, j, i]`.
    value
        The label value to fill with; 0 erases.
    seed
        The voxel to start from.
    image, tolerance
        If given, only as far as the image differs from the seed's value by no more than this.
    axis
        Stay in the seed's slice along this axis; without it, in 3-D. Voxels hang together by
        faces.
    cancelled
        Polled.

    Raises
    ------
    InputError
        If the seed lies outside of the image or a number cannot be.
    GeometryError
        If the image has another shape.
    Cancelled
        If `cancelled` says so.
    """
    check_size(tolerance, "tolerance", unit="")
    _check_seed(labels, image, seed, axis)
    own = int(labels[seed])
    middle = 0.0 if image is None else float(image[seed])

    def alike(box: Box) -> BoolArray:
        same: BoolArray = np.equal(labels[box], own)
        if image is not None:
            same &= within(image[box], middle - tolerance, middle + tolerance)
        return same

    first = _first_box(seed, axis, labels.shape)
    box, found = _connected(alike, seed, first, labels.shape, cancelled)
    return _given(labels, box, found, value)


def paint_to_edge(  # noqa: PLR0913  # each is a choice the person makes
    labels: LabelArray, image: Grid, value: int, center: Index, *, diameter_mm: float,
    spacing_mm: Spacing, axis: int = 0, over_others: bool = False,
) -> Edit:  # fmt: skip
    """Paint a disc, but only up to the edge that the image shows in it.

    Where the values in the disc are of two kinds (Otsu's two classes with 70 % of the variance
    between them), the disc is cut to what is of the centre's kind and hangs together with it,
    holes filled; else it is painted whole.

    Parameters
    ----------
    labels
        uint8 or uint16, `[k, j, i]`.
    image
        On the same grid; only the disc is read.
    value
        The segment's label value.
    center
        The voxel in the middle.
    diameter_mm
        Of the disc.
    spacing_mm
        Along k, j, i.
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
    _check_seed(labels, image, center, axis)
    radius_mm = diameter_mm / 2.0
    sides = [int(radius_mm * (1.0 + 1e-6) / step) for step in spacing_mm]
    sides[axis] = 0
    box = widened(_at(center), sides, labels.shape)
    steps = [
        (np.arange(side.start, side.stop) - middle) * step
        for side, middle, step in zip(box, center, spacing_mm, strict=True)
    ]
    k, j, i = np.meshgrid(*steps, indexing="ij", sparse=True)
    disc = k**2 + j**2 + i**2 <= (radius_mm * (1.0 + 1e-6)) ** 2
    values = np.nan_to_num(np.asarray(image[box], np.float64))
    own = (center[0] - box[0].start, center[1] - box[1].start, center[2] - box[2].start)
    found = _of_its_kind(values, disc, own)
    target = labels[box]
    free = np.ones(target.shape, bool) if over_others else (target == 0) | (target == value)
    return _given(labels, box, found & free, value)


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


def _between(
    labels: LabelArray, image: Grid, value: int, *, over_others: bool
) -> Callable[[float, float], Callable[[Box], BoolArray]]:
    def with_limits(low: float, high: float) -> Callable[[Box], BoolArray]:
        def alike(box: Box) -> BoolArray:
            found = within(image[box], low, high)
            if not over_others:
                part = labels[box]
                found &= (part == 0) | (part == value)
            return found

        return alike

    return with_limits


def _connected(
    alike: Callable[[Box], BoolArray], seed: Index, box: Box, shape: tuple[int, ...],
    cancelled: Stop,
) -> tuple[Box, BoolArray]:  # fmt: skip
    """The region around the seed, in a box that grows until the region no longer reaches out.

    A box of one slice stays in it.
    """
    flat = [side.stop - side.start == 1 for side in box]
    while True:
        check_not_stopped(cancelled)
        found = _island_at(alike(box), (
            seed[0] - box[0].start, seed[1] - box[1].start, seed[2] - box[2].start,
        ), cancelled)  # fmt: skip
        more = [
            side.stop - side.start if not flat[n] and _reaches(found, n, side, shape[n]) else 0
            for n, side in enumerate(box)
        ]
        if not any(more):
            return box, found
        box = widened(box, more, shape)


def _island_at(mask: BoolArray, seed: Index, cancelled: Stop) -> BoolArray:
    islands = Islands(mask.__getitem__, _shape(mask), corners=False, cancelled=cancelled)
    found = np.zeros(mask.shape, bool)
    own = islands.at(seed)
    if own:
        wanted = np.zeros(islands.count + 1, bool)
        wanted[own] = True
        for where, inside in islands.chosen(wanted):
            found[where] = inside
    return found


def _reaches(found: BoolArray, axis: int, side: slice, size: int) -> bool:
    """Whether the region touches a face of its box that is not the array's."""
    first, last = found.take(0, axis), found.take(-1, axis)
    return bool((side.start > 0 and first.any()) or (side.stop < size and last.any()))


def _given(labels: LabelArray, box: Box, found: BoolArray, value: int) -> Edit:
    after = copy_of(labels, box, value)
    after[found] = value
    return edit_of(labels, box, after)


def _check_seed(labels: LabelArray, image: Grid | None, seed: Index, axis: int | None) -> None:
    check_axis(axis)
    if image is not None:
        check_image(labels, image)
    if not all(0 <= n < size for n, size in zip(seed, labels.shape, strict=True)):
        raise InputError("the point lies outside of the image", "choose one inside")
    if image is not None and not np.isfinite(image[seed]):
        raise InputError("the image has no value at this point", "choose another point")


def _check_free(labels: LabelArray, value: int, seed: Index, *, over_others: bool) -> None:
    if not over_others and labels[seed] not in (0, value):
        raise InputError(
            "the point lies in another segment", "choose a free one, or allow to paint over others"
        )


def _at(seed: Index) -> Box:
    return (
        slice(seed[0], seed[0] + 1), slice(seed[1], seed[1] + 1), slice(seed[2], seed[2] + 1),
    )  # fmt: skip


def _first_box(seed: Index, axis: int | None, shape: tuple[int, ...]) -> Box:
    return widened(_at(seed), _sides(_FIRST, axis), shape)


def _sides(by: int, axis: int | None) -> tuple[int, int, int]:
    k, j, i = (0 if n == axis else by for n in range(3))
    return (k, j, i)


def _shape(array: npt.NDArray[Any]) -> Index:
    return (array.shape[0], array.shape[1], array.shape[2])
