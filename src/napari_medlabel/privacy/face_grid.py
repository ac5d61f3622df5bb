"""An image on a coarse grid along the patient's own axes, whatever the image's axes are."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.geometry import BoolArray, FloatArray, Geometry, Index
from napari_medlabel.core.surface import coarser
from napari_medlabel.core.volume import Grid

__all__ = ["STEP_MM", "PatientGrid", "patient_grid"]

STEP_MM: Final = 2.0
_MOST_VOXELS: Final = 12_000_000  # of a body on 2 mm and more, the step grows instead
_SLAB: Final = 32


@dataclass(frozen=True, slots=True, eq=False)
class PatientGrid:
    """Values on a grid along the patient's axes.

    Parameters
    ----------
    values
        float32 `[k, j, i]`: k to the head, j to posterior, i to the left.
    seen
        bool, the same shape: whether the image reaches there.
    geometry
        Where the voxels are; the spacing is the same along all axes.
    """

    values: npt.NDArray[np.float32]
    seen: BoolArray
    geometry: Geometry

    @property
    def step_mm(self) -> float:
        """The spacing."""
        return self.geometry.spacing_mm[0]

    def coarse(self) -> "PatientGrid":
        """Every second voxel along each axis."""
        every = (slice(None, None, 2),) * 3
        values, seen = self.values[every], self.seen[every]
        step = 2.0 * self.step_mm
        place = Geometry.from_spacing(values.shape, (step,) * 3, self.geometry.origin_lps)
        return PatientGrid(np.ascontiguousarray(values), np.ascontiguousarray(seen), place)

    def around(self, low_lps: FloatArray, high_lps: FloatArray) -> "PatientGrid":
        """The part within a box, as far as there is one."""
        origin, step = np.asarray(self.geometry.origin_lps), self.step_mm
        limits = np.asarray(self.geometry.shape[::-1])
        first = np.clip(np.floor((low_lps - origin) / step).astype(int), 0, limits - 1)
        last = np.clip(np.ceil((high_lps - origin) / step).astype(int) + 1, first + 1, limits)
        where = tuple(slice(a, b) for a, b in zip(first[::-1], last[::-1], strict=True))
        place = Geometry.from_spacing(last[::-1] - first[::-1], (step,) * 3, origin + first * step)
        return PatientGrid(self.values[where], self.seen[where], place)


def patient_grid(image: Grid, geometry: Geometry, step_mm: float = STEP_MM) -> PatientGrid:
    """The image on a coarse grid along the patient's axes, linearly interpolated.

    Parameters
    ----------
    image
        `[k, j, i]` on `geometry`; integers or floats, read slab by slab. What is not finite
        counts as the lowest value.
    step_mm
        The spacing wanted; larger where the image is large.
    """
    factors = _factors(geometry, step_mm)
    means = _means(image, factors)
    low = _lowest(means)
    means = np.nan_to_num(means, copy=False, nan=low, posinf=low, neginf=low)
    source = _coarser_place(geometry, factors, means.shape)
    corners = geometry.corners_lps()
    first, last = corners.min(axis=0), corners.max(axis=0)
    while np.prod((last - first) / step_mm + 1.0) > _MOST_VOXELS:
        step_mm *= 1.25
    count = np.maximum(np.floor((last - first) / step_mm + 1e-6).astype(int) + 1, 1)
    target = Geometry.from_spacing(count[::-1], (step_mm,) * 3, first)
    # half a voxel more than the centres: a slice has a thickness, an image of one slice a place
    matrix = np.linalg.inv(source) @ target.lps_from_kji
    values = np.empty(target.shape, np.float32)
    ndimage.affine_transform(
        means, matrix[:3, :3], matrix[:3, 3], target.shape, values, order=1, mode="nearest"
    )
    return PatientGrid(values, _seen(geometry, target), target)


def _seen(geometry: Geometry, target: Geometry) -> BoolArray:
    """Where the image has voxels; each axis of the target adds its own share."""
    matrix = np.linalg.inv(geometry.lps_from_kji) @ target.lps_from_kji
    seen = np.ones(target.shape, bool)
    rows = [np.arange(n, dtype=np.float32) for n in target.shape]
    for axis, n in enumerate(geometry.shape):
        k, j, i = (
            (matrix[axis, m] * rows[m]).astype(np.float32).reshape(
                [-1 if m == a else 1 for a in range(3)]
            )
            for m in range(3)
        )  # fmt: skip
        at = k + j + i + np.float32(matrix[axis, 3])
        seen &= (at >= -0.51) & (at <= n - 0.49)
    return seen


def _factors(geometry: Geometry, step_mm: float) -> Index:
    k, j, i = (
        min(max(1, round(step_mm / spacing - 0.2)), n)
        for spacing, n in zip(geometry.spacing_mm, geometry.shape, strict=True)
    )
    return (k, j, i)


def _means(image: Grid, factors: Index) -> npt.NDArray[np.float32]:
    """Means of blocks, read slab by slab; what is left over at the far border is left out."""
    whole = tuple(n // f * f for n, f in zip(image.shape, factors, strict=True))
    slabs: list[npt.NDArray[np.float32]] = []
    depth = factors[0] * max(1, _SLAB // factors[0])
    for start in range(0, whole[0], depth):
        part: npt.NDArray[Any] = np.asarray(
            image[start : min(start + depth, whole[0]), : whole[1], : whole[2]]
        )
        slabs.append(coarser(part, factors))
    return np.concatenate(slabs)


def _coarser_place(geometry: Geometry, factors: Index, shape: tuple[int, ...]) -> FloatArray:
    matrix = geometry.coarser(factors).lps_from_kji
    assert len(shape) == 3  # noqa: S101
    return matrix


def _lowest(values: npt.NDArray[np.float32]) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.min()) if finite.size else 0.0
