"""Segments that grow from their seeds and compete for the rest.

A watershed on a coarse grid: Beucher and Lantuéjoul's flooding as an image foresting transform,
Falcão, Stolfi and Lotufo, IEEE TPAMI 26:19-29 (2004), doi:10.1109/TPAMI.2004.1261076, as SciPy has
it. Only where two segments meet, each voxel of the fine grid then goes to another one if its image
values nearby are much more like the voxel's. So the cost hardly grows with the number of voxels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.edit import Edit, LabelArray, label_values
from napari_medlabel.core.geometry import BoolArray, Index, Spacing
from napari_medlabel.core.region import (
    Box,
    Report,
    Stop,
    box_of,
    check_not_stopped,
    check_size,
    check_spacing,
    edit_of,
    never,
    silent,
    watched,
    widened,
)
from napari_medlabel.core.region_threshold import check_image, within
from napari_medlabel.core.volume import Grid
from napari_medlabel.errors import InputError

__all__ = ["grow_from_seeds"]

FloatGrid = npt.NDArray[np.float32]
Coarse = npt.NDArray[np.int16]

_COARSE_VOXELS: Final = 400_000
_GREYS: Final = 1000  # fewer than a wall is high, so that no way leads through one
_MUCH: Final = 0.5  # so much less unlike must another one be, or noise would decide
_NEAR: Final = 3  # cells on a side of the box in which a segment's mean is taken


def grow_from_seeds(  # noqa: PLR0913  # each is a choice the person makes
    labels: LabelArray, image: Grid, spacing_mm: Spacing, *, values: Sequence[int] = (),
    outside: int | None = None, margin_mm: float = 20.0,
    limits: tuple[float, float] = (-np.inf, np.inf), cancelled: Stop = never,
    progress: Report = silent,
) -> Edit:  # fmt: skip
    """Let segments grow from what was drawn of them until they meet at edges of the image.

    What was drawn stays. Voxels of other segments are neither entered nor changed.

    Parameters
    ----------
    labels
        uint8 or uint16, `[k, j, i]`.
    image
        On the same grid; read slab by slab, twice.
    spacing_mm
        Along k, j, i.
    values
        Label values that compete; without them, all that are there. At least two.
    outside
        The one of them that stands for what is not wanted: it wins its part, but only its seeds
        are left of it.
    margin_mm
        How far around the box of all seeds they may grow.
    limits
        Lower and upper image value of voxels that may be taken, both included.
    cancelled
        Polled for each slab and step. One step, the watershed, takes up to a third of a second.
    progress
        Called with parts done and in all.

    Raises
    ------
    InputError
        If there are no two segments with seeds, or a number cannot be.
    GeometryError
        If the image has another shape.
    Cancelled
        If `cancelled` says so.
    """
    check_spacing(spacing_mm)
    check_size(margin_mm, "margin")
    check_image(labels, image)
    if not limits[0] <= limits[1]:
        raise InputError("the lower limit is above the upper one", "exchange the two")
    box, seeds = _seeded(labels, values, margin_mm, spacing_mm)
    if len(seeds) < 2:
        raise InputError(
            "growing needs seeds of two segments or more",
            "draw a little of each, and of what lies around them",
        )
    factors = _factors(box, spacing_mm)
    coarse = _coarsened(labels, image, box, factors, seeds, cancelled)
    owners = _flooded(coarse)
    check_not_stopped(cancelled)
    after = labels[box].copy()
    kinds = _kinds(coarse.mean, owners, len(seeds))
    targets = np.array([0, *(0 if value == outside else value for value in seeds)], labels.dtype)
    border = ndimage.maximum_filter(owners, 3) != ndimage.minimum_filter(owners, 3)
    layers = enumerate(zip(owners, border, strict=True))
    for layer, (owner, mixed) in watched(layers, len(owners), cancelled, progress):
        own = slice(layer * factors[0], (layer + 1) * factors[0])
        part = slice(box[0].start + own.start, min(box[0].start + own.stop, box[0].stop))
        here = _Layer.of(owner, mixed, [kind[layer] for kind in kinds], factors, after.shape)
        for plane, values_here in zip(after[own], image[(part, *box[1:])], strict=True):
            free = plane == 0
            if limits != (-np.inf, np.inf):
                free &= within(values_here, *limits)
            np.copyto(plane, targets[here.winner(values_here)], where=free)
    return edit_of(labels, box, after)


@dataclass(frozen=True, slots=True, eq=False)
class _CoarseGrid:
    """Means of the image, and which seed each cell has: 0 for none, -1 for somebody else's."""

    mean: FloatGrid
    seeds: Coarse


def _seeded(
    labels: LabelArray, values: Sequence[int], margin_mm: float, spacing_mm: Spacing
) -> tuple[Box, list[int]]:
    """The box around all seeds, and the label values that have some."""
    there: set[int] = set().union(
        *(label_values(plane[plane > 0]) for plane in labels if plane.any())
    )
    seeds = sorted(there & set(values) if values else there)
    box = box_of(labels, *seeds) if seeds else None
    if box is None:
        return (slice(0, 0), slice(0, 0), slice(0, 0)), seeds
    k, j, i = (
        min(int(np.ceil(margin_mm / step)), size)
        for step, size in zip(spacing_mm, labels.shape, strict=True)
    )
    return widened(box, (k, j, i), labels.shape), seeds


def _factors(box: Box, spacing_mm: Spacing) -> Index:
    """How many voxels are joined along k, j, i: cells as near to cubes as can be."""
    shape = [side.stop - side.start for side in box]
    factors = [1, 1, 1]
    while np.prod([-(-n // f) for n, f in zip(shape, factors, strict=True)]) > _COARSE_VOXELS:
        sizes = [f * step if f < n else np.inf
                 for f, step, n in zip(factors, spacing_mm, shape, strict=True)]  # fmt: skip
        factors[int(np.argmin(sizes))] += 1
    return (factors[0], factors[1], factors[2])


def _coarsened(  # noqa: PLR0913, PLR0917
    labels: LabelArray, image: Grid, box: Box, factors: Index, seeds: Sequence[int],
    cancelled: Stop,
) -> _CoarseGrid:  # fmt: skip
    """Both on the coarse grid; a cell with a seed in it is a seed, of the highest value in it."""
    numbers = np.full(int(np.iinfo(labels.dtype).max) + 1, -1, np.int16)
    numbers[0] = 0
    numbers[list(seeds)] = np.arange(1, len(seeds) + 1)
    means, cells = [], []
    starts = [np.arange(0, side.stop - side.start, f) for side, f in zip(box, factors, strict=True)]
    for k in range(box[0].start, box[0].stop, factors[0]):
        check_not_stopped(cancelled)
        part = (slice(k, min(k + factors[0], box[0].stop)), *box[1:])
        # One line of cells: few enough voxels that each step stays in the processor's cache.
        line = np.add.reduce(np.nan_to_num(np.asarray(image[part])), axis=0, dtype=np.float32)
        line = np.add.reduceat(np.add.reduceat(line, starts[1], axis=0), starts[2], axis=1)
        means.append(line / np.float32(part[0].stop - part[0].start))
        own = labels[part].max(axis=0)
        own = np.maximum.reduceat(np.maximum.reduceat(own, starts[1], axis=0), starts[2], axis=1)
        cells.append(numbers[own])
    counts = [np.diff([*start, side.stop - side.start])
              for start, side in zip(starts[1:], box[1:], strict=True)]  # fmt: skip
    area = np.outer(*counts).astype(np.float32)
    return _CoarseGrid((np.stack(means) / area).astype(np.float32), np.stack(cells))


def _flooded(coarse: _CoarseGrid) -> Coarse:
    """Which seed wins each cell, from 1: the one from which the largest step on the way is least.

    SciPy's transform counts steps between neighbours, so it is given the image and no gradient.
    """
    low, high = np.percentile(coarse.mean, (0.5, 99.5))
    grey = np.clip((coarse.mean - low) * (_GREYS / max(high - low, 1e-6)), 0, _GREYS)
    walls = coarse.seeds < 0
    levels = np.where(walls, np.iinfo(np.uint16).max, grey).astype(np.uint16)
    owners: Coarse = ndimage.watershed_ift(levels, np.where(walls, 0, coarse.seeds))
    return _calmed(owners)


def _calmed(owners: Coarse) -> Coarse:
    """Each cell to whoever has most of the cells around it: single ones are noise."""
    most = np.zeros(owners.shape, np.float32)
    calm = owners.copy()
    for number in np.unique(owners):
        share = ndimage.uniform_filter((owners == number).astype(np.float32), _NEAR)
        more = share > most
        most[more] = share[more]
        calm[more] = number
    return calm


def _kinds(mean: FloatGrid, owners: Coarse, count: int) -> list[FloatGrid]:
    """For each seed the mean of the image in its cells nearby; NaN where it has none nearby."""
    kinds = []
    for number in range(1, count + 1):
        own = (owners == number).astype(np.float32)
        weight = ndimage.uniform_filter(own, _NEAR, mode="constant")
        total = ndimage.uniform_filter(own * mean, _NEAR, mode="constant")
        with np.errstate(invalid="ignore", divide="ignore"):
            kinds.append(np.where(weight > 1e-4, total / weight, np.float32(np.nan)))
    return kinds


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """The voxels of one layer of cells: whose each is, and where that is to be looked at closer."""

    owner: Coarse
    at: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]
    kinds: list[FloatGrid]

    @classmethod
    def of(
        cls, owner: Coarse, mixed: BoolArray, kinds: Sequence[FloatGrid], factors: Index,
        shape: tuple[int, ...],
    ) -> "_Layer":  # fmt: skip
        """From the cells of the layer."""
        j, i = (np.arange(n) // f for n, f in zip(shape[1:], factors[1:], strict=True))
        fine = np.ix_(j, i)
        if max(factors) == 1:
            none = np.zeros(0, np.intp)
            return cls(owner, (none, none), [])
        rows, columns = np.nonzero(mixed[fine])
        return cls(owner[fine], (rows, columns), [kind[j[rows], i[columns]] for kind in kinds])

    def winner(self, values: npt.NDArray[Any]) -> Coarse:
        """Of each voxel of a slice: the cell's owner, or at borders one much more like it."""
        found = self.owner.copy()
        here = values[self.at].astype(np.float32)
        own = found[self.at]
        best, own_unlike = (np.full(here.shape, np.inf, np.float32) for _ in range(2))
        alike = own.copy()
        for number, kind in enumerate(self.kinds, 1):
            unlike = np.abs(here - kind)
            better = unlike < best  # False where it is NaN: that segment is not near
            best[better] = unlike[better]
            alike[better] = number
            mine = own == number
            own_unlike[mine] = unlike[mine]
        found[self.at] = np.where(best < _MUCH * own_unlike, alike, own)
        return found
