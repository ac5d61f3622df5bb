"""Take the region out: with nothing, with noise behind a smooth front, or blurred behind one.

The face's own surface is never blurred or eroded, which leaves it recognisable: `noise` and `blur`
first cut everything to the generic front, which is well below the skin, and only what is behind it
is filled or blurred.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.volume import Grid
from napari_medlabel.privacy.face_fit import Pose
from napari_medlabel.privacy.face_generic import front_distance, generic_pose
from napari_medlabel.privacy.face_grid import PatientGrid, patient_grid
from napari_medlabel.privacy.face_mask import solid_of
from napari_medlabel.privacy.face_plan import FacePlan
from napari_medlabel.privacy.face_region import Region, sampled

__all__ = ["Air", "air_of", "fill"]

_BLUR_MM: Final = 10.0
_SHELL_MM: Final = (4.0, 16.0)  # below the skin, where tissue is sampled
_GRAIN: Final = 1.0  # voxels: the noise of images is not white
Array = npt.NDArray[Any]
Real = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Air:
    """What air is in an image: its usual value and its spread."""

    value: float
    spread: float


def air_of(grid: PatientGrid, limit: float, *, hounsfield: bool) -> Air:
    """What air looks like in the image.

    Parameters
    ----------
    grid
        The image.
    limit
        What is brighter is not air.
    hounsfield
        Whether air is -1000.
    """
    values = grid.values[grid.seen & (grid.values <= limit)]
    if hounsfield:
        near = values[np.abs(values + 1000.0) < 80.0]
        return Air(-1000.0, float(near.std()) if near.size else 0.0)
    if not values.size:
        return Air(float(grid.values.min()), 0.0)
    middle = float(np.median(values))
    return Air(middle, float(np.median(np.abs(values - middle))) * 1.4826)


def fill(  # noqa: PLR0913  # what a filling is made from
    array: Array, region: Region, pose: Pose, plan: FacePlan, *, limit: float, hounsfield: bool,
    check: Callable[[], None] = lambda: None,
) -> None:  # fmt: skip
    """Replace the region's voxels in place; no other voxel is touched.

    Parameters
    ----------
    array
        `[k, j, i]` on `region.geometry`; integers or floats.
    region
        What to replace.
    pose
        Where the template lies.
    plan
        Its mode: "blank" a constant, "noise" and "blur" a smooth front. Its seed: of the noise.
    limit, hounsfield
        As the finding has them.
    check
        Called between slabs; may raise.
    """
    grid = patient_grid(array, region.geometry)
    air = air_of(grid, limit, hounsfield=hounsfield)
    if plan.mode == "blank":
        array[region.mask] = stored(np.array(air.value), array.dtype)
        return
    random = np.random.default_rng(plan.seed)
    near, inside, tissue = _generic(grid, generic_pose(pose), limit, blurred=plan.mode == "blur")
    cover = np.stack([inside, tissue.usual])
    for where, depth in sampled(region.geometry, near, cover[0], fill=-1.0):
        check()
        part = region.mask[where]
        if not part.any():
            continue
        flesh = _at(region.geometry, near, cover[1], where)
        grain = random.standard_normal(part.shape, dtype=np.float32)
        grain = ndimage.gaussian_filter(grain, _GRAIN) * np.float32(4.0)
        spread = np.where(depth > 0.0, tissue.spread if plan.mode == "noise" else 0.0, air.spread)
        values = np.where(depth > 0.0, flesh, np.float32(air.value)) + grain * spread
        if not hounsfield and air.value >= 0.0:
            values = np.abs(values)  # magnitudes
        array[where][part] = stored(values[part], array.dtype)
    rest = region.mask.copy()
    for where, _ in sampled(region.geometry, near, cover[0], fill=-1.0):
        rest[where] = False
    array[rest] = stored(np.array(air.value), array.dtype)


@dataclass(frozen=True, slots=True, eq=False)
class _Tissue:
    """What flesh is like at each place of a coarse grid, and its spread."""

    usual: Real
    spread: float


def _generic(
    grid: PatientGrid, pose: Pose, limit: float, *, blurred: bool
) -> tuple[Geometry, Real, _Tissue]:
    """A grid around the front, how deep behind it each place is, and its flesh."""
    corners = pose.lps(_box())
    slack = 10.0
    near = grid.around(corners.min(axis=0) - slack, corners.max(axis=0) + slack)
    depth = np.empty(near.values.shape, np.float32)
    own = near.geometry
    columns = np.stack(
        np.meshgrid(np.arange(own.shape[1]), np.arange(own.shape[2]), indexing="ij"), axis=-1
    ).reshape(-1, 2)
    scale = np.float32(pose.size.mean())
    for k in range(own.shape[0]):
        index = np.concatenate([np.full((len(columns), 1), k), columns], axis=1)
        x, y, _ = pose.template(own.lps(index)).astype(np.float32).T
        depth[k] = (-front_distance(x, y) * scale).reshape(own.shape[1:])
    return own, depth, _tissue(near, depth, limit, blurred=blurred)


def _box() -> npt.NDArray[np.float64]:
    ends = np.array([(-85.0, -130.0, -118.0), (85.0, 10.0, 60.0)])
    return np.stack(np.meshgrid(*ends.T, indexing="ij"), axis=-1).reshape(-1, 3)


def _tissue(near: PatientGrid, depth: Real, limit: float, *, blurred: bool) -> _Tissue:
    solid = solid_of(near, limit)
    tissue = near.values > limit
    if solid is not None:
        under = ndimage.distance_transform_edt(solid, sampling=near.step_mm)
        shell = tissue & (under > _SHELL_MM[0]) & (under < _SHELL_MM[1])
        well_inside = under > _SHELL_MM[0]
    else:
        shell, well_inside = tissue, tissue
    sample = near.values[shell if shell.any() else tissue]
    if not sample.size:
        return _Tissue(np.full(depth.shape, limit, np.float32), 0.0)
    low, high = np.percentile(sample, (10.0, 90.0))
    sample = sample[(sample >= low) & (sample <= high)]
    usual, spread = float(sample.mean()), float(sample.std())
    flesh = np.full(depth.shape, usual, np.float32)
    if blurred:
        # Neither this face's surface nor its cavities: only flesh well below the skin, and where
        # there is none behind the generic front, the usual value.
        sigma = _BLUR_MM / near.step_mm
        kept = well_inside & (depth > 0.0)
        values = np.where(kept, near.values, np.float32(usual))
        flesh = ndimage.gaussian_filter(values, sigma).astype(np.float32)
    return _Tissue(flesh, spread)


def _at(geometry: Geometry, near: Geometry, field: Real, where: tuple[slice, slice, slice]) -> Real:
    """A field of the coarse grid at a box of the image's voxels."""
    matrix = np.linalg.inv(near.lps_from_kji) @ geometry.lps_from_kji
    first = np.array([one.start for one in where])
    shape = tuple(one.stop - one.start for one in where)
    values = np.empty(shape, np.float32)
    offset = matrix[:3, :3] @ first + matrix[:3, 3]
    ndimage.affine_transform(field, matrix[:3, :3], offset, shape, values, order=1, mode="nearest")
    return values


def stored(values: Array, dtype: np.dtype[Any]) -> Array:
    """Values as an image of this type holds them: rounded and within its limits."""
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return np.clip(np.rint(values), limits.min, limits.max).astype(dtype)
    return values.astype(dtype)


def unchanged(before: Grid, after: Grid, region: Region) -> bool:
    """Whether two images are the same outside the region, bit by bit."""
    for k in range(region.geometry.shape[0]):
        kept = ~region.mask[k]
        a, b = np.asarray(before[k])[kept], np.asarray(after[k])[kept]
        if a.tobytes() != b.tobytes():
            return False
    return True
