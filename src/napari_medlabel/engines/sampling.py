"""Patches of an image: cubes of samples at any step, read from the coarsest level fine enough."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import BoolArray, FloatArray, Spacing
from napari_medlabel.core.region import Box, Stop, check_not_stopped, never
from napari_medlabel.core.surface import coarser
from napari_medlabel.core.volume import Grid
from napari_medlabel.engines.engine import ProbabilityArray
from napari_medlabel.errors import InputError

__all__ = ["SIDE", "Lattice", "Patch", "Pyramid", "linear", "resampled"]

SIDE: Final = 40  # samples along each axis of a patch, unless said otherwise

_SLAB_VOXELS: Final = 1 << 23
_SMALLEST: Final = 24  # voxels of the longest side of the coarsest level
_SLACK: Final = 1.15  # a level may be so much coarser than the samples


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """Where the samples of a patch are: millimetres along k, j, i from voxel (0, 0, 0).

    `start_mm` is the first sample, `step_mm` the distance of neighbours, the same on each axis;
    `side` is how many there are along each.
    """

    start_mm: FloatArray
    step_mm: float
    side: int = SIDE

    @classmethod
    def around(cls, center_mm: FloatArray, field_mm: float, side: int = SIDE) -> "Lattice":
        """The lattice of a cube with this middle and this side in mm."""
        step = field_mm / side
        return cls(center_mm - step * (side - 1) / 2.0, step, side)

    @property
    def field_mm(self) -> float:
        """The side of the cube."""
        return self.step_mm * self.side

    @property
    def center_mm(self) -> FloatArray:
        """The middle of the cube."""
        return self.start_mm + self.step_mm * (self.side - 1) / 2.0

    def voxel(
        self, at: Sequence[int], spacing_mm: FloatArray, shape: tuple[int, int, int]
    ) -> tuple[int, int, int]:
        """The voxel nearest to a sample, of those there are."""
        k, j, i = (
            int(np.clip(round(float(self.along(axis)[at[axis]] / spacing_mm[axis])), 0, size - 1))
            for axis, size in enumerate(shape)
        )
        return (k, j, i)

    def along(self, axis: int) -> FloatArray:
        """The samples' places on one axis, mm."""
        return np.asarray(self.start_mm[axis] + np.arange(self.side) * self.step_mm, np.float64)

    def samples_at(self, places_mm: FloatArray) -> FloatArray:
        """Fractional sample numbers, `[n, 3]`, of places."""
        return np.asarray((places_mm - self.start_mm) / self.step_mm, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Image values on a lattice, float32, and which samples lie in the volume."""

    lattice: Lattice
    values: ProbabilityArray
    inside: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    voxels: Grid
    spacing_mm: FloatArray
    origin_mm: FloatArray  # the centre of its first voxel, from that of the finest


class Pyramid:
    """An image and its coarser levels, all finite.

    Parameters
    ----------
    image
        `[k, j, i]`; read slab by slab, once.
    spacing_mm
        Along k, j, i.
    cancelled
        Polled for each slab.

    Raises
    ------
    InputError
        If the image has one value only.
    Cancelled
        If `cancelled` says so.
    """

    def __init__(self, image: Grid, spacing_mm: Spacing, *, cancelled: Stop = never) -> None:
        self.shape = (image.shape[0], image.shape[1], image.shape[2])
        self.spacing_mm: FloatArray = np.asarray(spacing_mm, np.float64)
        self.lowest, highest = _limits(image, cancelled)
        if not self.lowest < highest:
            raise InputError(
                "the image has one value only: nothing in it tells an object from the rest",
                "choose another image",
            )
        self._levels = [_Level(image, self.spacing_mm, np.zeros(3))]
        while (below := self._halved(self._levels[-1], cancelled)) is not None:
            self._levels.append(below)

    @property
    def extent_mm(self) -> float:
        """The longest side of the image."""
        return float((self.spacing_mm * self.shape).max())

    def patch(self, lattice: Lattice) -> Patch:
        """The image on a lattice; where that leaves the volume its nearest voxels go on."""
        values = self.values([lattice.along(axis) for axis in range(3)], lattice.step_mm)
        inside = [self._inside(lattice, axis) for axis in range(3)]
        within: BoolArray = (
            inside[0][:, None, None] & inside[1][None, :, None] & inside[2][None, None, :]
        )
        return Patch(lattice, values, within)

    def values(self, places_mm: Sequence[FloatArray], step_mm: float) -> ProbabilityArray:
        """The image at places along each axis, in order; outside its nearest voxels.

        `step_mm` is how far apart they are: it chooses the level that is read.
        """
        level = self._levels[0]
        for one in self._levels:
            fine_enough = np.maximum(step_mm * _SLACK, self.spacing_mm * 1.001)
            if (one.spacing_mm <= fine_enough).all():
                level = one
        box, matrices = [], []
        for axis, along in enumerate(places_mm):
            places = (along - level.origin_mm[axis]) / level.spacing_mm[axis]
            size = level.voxels.shape[axis]
            first, last = np.clip([np.floor(places[0]), np.ceil(places[-1])], 0, size - 1)
            side = slice(int(first), int(last) + 1)
            box.append(side)
            matrices.append(linear(places - side.start, side.stop - side.start))
        values = np.asarray(level.voxels[box[0], box[1], box[2]], np.float32)
        return resampled(self._finite(values), matrices)

    def on_voxels(self, values: ProbabilityArray, lattice: Lattice, box: Box) -> ProbabilityArray:
        """Values on a lattice, `[side, side, side]`, brought to the voxels of a box."""
        matrices = []
        for axis, side in enumerate(box):
            places = np.arange(side.start, side.stop) * self.spacing_mm[axis]
            samples = (places - lattice.start_mm[axis]) / lattice.step_mm
            matrices.append(linear(samples, lattice.side))
        return resampled(values, matrices)

    def _inside(self, lattice: Lattice, axis: int) -> BoolArray:
        """Which samples along an axis lie in the volume; of a thinner one those next to it."""
        own, size = lattice.along(axis) / self.spacing_mm[axis], self.shape[axis]
        within: BoolArray = (own > -0.5) & (own < size - 0.5)
        if within.any():
            return within
        reach = lattice.step_mm / self.spacing_mm[axis]
        near: BoolArray = (own > -0.5 - reach) & (own < size - 0.5 + reach)
        return near

    def _finite(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        if np.isfinite(values).all():
            return values
        low = self.lowest
        return np.nan_to_num(values, nan=low, posinf=low, neginf=low).astype(np.float32)

    def _halved(self, level: _Level, cancelled: Stop) -> _Level | None:
        """The next level: axes halved that are not much coarser than the finest one."""
        shape = level.voxels.shape
        finest = level.spacing_mm.min()
        k, j, i = (
            2 if step < 1.42 * finest and n >= 8 else 1
            for step, n in zip(level.spacing_mm, shape, strict=True)
        )
        if max(k, j, i) == 1 or max(shape) < _SMALLEST:
            return None
        depth, rows, columns = (n // f * f for n, f in zip(shape, (k, j, i), strict=True))
        thick = max(_SLAB_VOXELS // (shape[1] * shape[2]), 2) // 2 * 2
        parts = []
        for start in range(0, depth, thick):
            check_not_stopped(cancelled)
            slab = level.voxels[start : min(start + thick, depth), :rows, :columns]
            slab = self._finite(slab) if slab.dtype.kind == "f" else slab
            parts.append(coarser(slab, (k, j, i)))
        factors = np.array([k, j, i], np.float64)
        origin = level.origin_mm + (factors - 1.0) / 2.0 * level.spacing_mm
        return _Level(np.concatenate(parts), level.spacing_mm * factors, origin)


def resampled(values: npt.NDArray[Any], matrices: list[FloatArray]) -> ProbabilityArray:
    """Values with a matrix applied along each axis; float32.

    `matrices[n]` is `[new, old]` along axis n. Matrix products, as those are many times as fast
    as picking and weighing neighbours.
    """
    k, j, i = (np.asarray(one, np.float32) for one in matrices)
    old = values.shape
    first = (k @ np.asarray(values, np.float32).reshape(old[0], -1)).reshape(-1, *old[1:])
    return np.asarray(np.matmul(j, first) @ i.T, np.float32)


def linear(places: FloatArray, size: int) -> FloatArray:
    """Linear interpolation of `size` values at fractional places: a matrix `[places, size]`."""
    clipped = np.clip(places, 0.0, size - 1.0)
    low = np.minimum(clipped.astype(np.intp), max(size - 2, 0))
    share = clipped - low
    matrix = np.zeros((len(places), size))
    rows = np.arange(len(places))
    matrix[rows, low] = 1.0 - share
    matrix[rows, np.minimum(low + 1, size - 1)] += share
    return matrix


def _limits(image: Grid, cancelled: Stop) -> tuple[float, float]:
    """The lowest and highest finite value."""
    plane = image.shape[1] * image.shape[2]
    thick = max(_SLAB_VOXELS // plane, 1)
    low, high = np.inf, -np.inf
    for start in range(0, image.shape[0], thick):
        check_not_stopped(cancelled)
        slab = np.asarray(image[start : start + thick])
        values = slab if slab.dtype.kind != "f" else slab[np.isfinite(slab)]
        if values.size:
            low, high = min(low, float(values.min())), max(high, float(values.max()))
    return low, high
