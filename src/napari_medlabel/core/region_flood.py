"""Regions that spread from one voxel as long as the image, or the labels, stay alike."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import BoolArray, Index
from napari_medlabel.core.region import (
    Box,
    Report,
    Stop,
    check_axis,
    check_size,
    copy_of,
    edit_of,
    never,
    silent,
    widened,
)
from napari_medlabel.core.region_runs import region_around
from napari_medlabel.core.region_threshold import check_image, within
from napari_medlabel.core.volume import Grid
from napari_medlabel.errors import InputError

__all__ = [
    "fill",
    "given",
    "grow_confidently",
    "grow_from_point",
    "region_confidently",
    "region_from_point",
]


def grow_from_point(  # noqa: PLR0913  # each is a choice the person makes
    labels: LabelArray, image: Grid, value: int, seed: Index, tolerance: float, *,
    axis: int | None = None, over_others: bool = False, cancelled: Stop = never,
    progress: Report = silent,
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
        Polled on every slice.
    progress
        Called with slices looked at, and how many may be at most.

    Raises
    ------
    InputError
        If the seed lies outside of the image or in another segment, or a number cannot be.
    GeometryError
        If the image has another shape.
    Cancelled
        If `cancelled` says so.
    """
    box, found = region_from_point(
        labels, image, value, seed, tolerance, axis=axis, over_others=over_others,
        cancelled=cancelled, progress=progress,
    )  # fmt: skip
    return given(labels, box, found, value)


def region_from_point(  # noqa: PLR0913  # each is a choice the person makes
    labels: LabelArray, image: Grid, value: int, seed: Index, tolerance: float, *,
    axis: int | None = None, over_others: bool = False, cancelled: Stop = never,
    progress: Report = silent,
) -> tuple[Box, BoolArray]:  # fmt: skip
    """Where `grow_from_point` grows to: a box, and which of its voxels.

    Parameters
    ----------
    labels, image, value, seed, tolerance, axis, over_others, cancelled, progress
        As there.

    Raises
    ------
    InputError, GeometryError, Cancelled
        As there.
    """
    check_size(tolerance, "tolerance", unit="")
    check_seed(labels, image, seed, axis)
    _check_free(labels, value, seed, over_others=over_others)
    middle = float(image[seed])
    alike = _between(labels, image, value, over_others=over_others)
    return region_around(
        alike(middle - tolerance, middle + tolerance), seed, _shape(labels), axis=axis,
        cancelled=cancelled, progress=progress,
    )  # fmt: skip


def grow_confidently(  # noqa: PLR0913  # each is a choice the person makes
    labels: LabelArray, image: Grid, value: int, seed: Index, *, factor: float = 2.5,
    rounds: int = 4, radius: int = 1, axis: int | None = None, over_others: bool = False,
    cancelled: Stop = never, progress: Report = silent,
) -> Edit:  # fmt: skip
    """As `grow_from_point`, with limits that are learnt from the region itself.

    Mean plus and minus some standard deviations, first of the seed's surroundings, then of the
    region so far: ITK's confidence-connected region growing.

    Parameters
    ----------
    labels, image, value, seed, axis, over_others, cancelled
        As there.
    progress
        Called with rounds done, and how many may be at most.
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
    box, found = region_confidently(
        labels, image, value, seed, factor=factor, rounds=rounds, radius=radius, axis=axis,
        over_others=over_others, cancelled=cancelled, progress=progress,
    )  # fmt: skip
    return given(labels, box, found, value)


def region_confidently(  # noqa: PLR0913  # each is a choice the person makes
    labels: LabelArray, image: Grid, value: int, seed: Index, *, factor: float = 2.5,
    rounds: int = 4, radius: int = 1, axis: int | None = None, over_others: bool = False,
    cancelled: Stop = never, progress: Report = silent,
) -> tuple[Box, BoolArray]:  # fmt: skip
    """Where `grow_confidently` grows to: a box, and which of its voxels.

    Parameters
    ----------
    labels, image, value, seed, factor, rounds, radius, axis, over_others, cancelled, progress
        As there.

    Raises
    ------
    InputError, GeometryError, Cancelled
        As there.
    """
    check_size(factor, "factor", unit="")
    check_size(rounds, "number of rounds", unit="")
    check_size(radius, "radius", unit="voxels", least=1)
    check_seed(labels, image, seed, axis)
    _check_free(labels, value, seed, over_others=over_others)
    alike = _between(labels, image, value, over_others=over_others)
    near = widened(_at(seed), _sides(radius, axis), labels.shape)
    values = np.asarray(image[near], np.float64)
    middle = float(image[seed])
    mean, sd, size = float(values.mean()), float(values.std()), -1
    for n in range(rounds + 1):
        # Whatever the limits are, the seed belongs to its own region.
        low, high = min(mean - factor * sd, middle), max(mean + factor * sd, middle)
        box, found = region_around(
            alike(low, high), seed, _shape(labels), axis=axis, cancelled=cancelled
        )
        progress(n + 1, rounds + 1)
        count = int(np.count_nonzero(found))
        if count == size or n == rounds:
            break
        size, (mean, sd) = count, _mean_and_sd(image, box, found, middle)
    return box, found


def fill(  # noqa: PLR0913  # each is a choice the person makes
    labels: LabelArray, value: int, seed: Index, *, image: Grid | None = None,
    tolerance: float = 0.0, axis: int | None = None, cancelled: Stop = never,
    progress: Report = silent,
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
        Polled on every slice.
    progress
        Called with slices looked at, and how many may be at most.

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
    check_seed(labels, image, seed, axis)
    own = int(labels[seed])
    middle = 0.0 if image is None else float(image[seed])

    def alike(box: Box) -> BoolArray:
        same: BoolArray = np.equal(labels[box], own)
        if image is not None:
            same &= within(image[box], middle - tolerance, middle + tolerance)
        return same

    box, found = region_around(
        alike, seed, _shape(labels), axis=axis, cancelled=cancelled, progress=progress
    )
    return given(labels, box, found, value)


def given(labels: LabelArray, box: Box, found: BoolArray, value: int) -> Edit:
    """The edit that gives a segment the voxels found in a box."""
    after = copy_of(labels, box, value)
    after[found] = value
    return edit_of(labels, box, after)


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


def _mean_and_sd(image: Grid, box: Box, found: BoolArray, near: float) -> tuple[float, float]:
    """Of the image's values in a region, summed slice by slice from a value that is near them."""
    total = squares = 0.0
    for n, inside in enumerate(found):
        plane = image[(slice(box[0].start + n, box[0].start + n + 1), *box[1:])][0]
        own = plane[inside].astype(np.float64) - near
        total += float(own.sum())
        squares += float(own @ own)
    count = float(np.count_nonzero(found))
    mean = total / count
    return near + mean, math.sqrt(max(squares / count - mean * mean, 0.0))


def check_seed(labels: LabelArray, image: Grid | None, seed: Index, axis: int | None) -> None:
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


def _sides(by: int, axis: int | None) -> tuple[int, int, int]:
    k, j, i = (0 if n == axis else by for n in range(3))
    return (k, j, i)


def _shape(array: npt.NDArray[Any]) -> Index:
    return (array.shape[0], array.shape[1], array.shape[2])
