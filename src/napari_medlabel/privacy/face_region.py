"""Which voxels are face: a region fixed to the template, and never a voxel near the brain."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.geometry import BoolArray, FloatArray, Geometry
from napari_medlabel.privacy.face_brain import Brain
from napari_medlabel.privacy.face_fit import Pose
from napari_medlabel.privacy.face_grid import STEP_MM
from napari_medlabel.privacy.face_template import CHIN_Z, GLABELLA, brain_distance

__all__ = ["MARGIN_MM", "Region", "region_of", "sampled"]

MARGIN_MM: Final = 6.0  # between this image's own brain and what is taken out
_ABOVE_MM: Final = 8.0  # of the glabella
_DEEP_MM: Final = 62.0  # behind the glabella
_BELOW_MM: Final = 12.0  # of the chin
_HULL_MM: Final = 9.0  # from the template's brain
_ROOM_MM: Final = 60.0  # in front of the template's nose, and beside it: hair, ghosts, a long nose
_SLAB: Final = 16

Real = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """What is to be taken out of an image.

    Parameters
    ----------
    mask
        bool `[k, j, i]`, on `geometry`.
    geometry
        Of the image.
    voxels
        How many are True.
    brain_voxels
        How many of these lie in the image's own brain: none.
    nearest_brain_mm
        From a removed voxel to the own brain; inf where there is no brain in view.
    """

    mask: BoolArray
    geometry: Geometry
    voxels: int
    brain_voxels: int
    nearest_brain_mm: float


def region_of(  # noqa: PLR0913  # what the region is made from
    geometry: Geometry, pose: Pose, brain: Brain, *, margin_mm: float = MARGIN_MM,
    ears: bool = False, check: Callable[[], None] = lambda: None,
) -> Region:  # fmt: skip
    """The voxels of a face.

    Parameters
    ----------
    geometry
        Of the image.
    pose
        Where the template lies.
    brain
        The image's own.
    margin_mm
        To be kept from the own brain.
    ears
        Whether the ears are to go, too.
    check
        Called between slabs; may raise.
    """
    near, field = _field(geometry, pose, brain, margin_mm=margin_mm, ears=ears)
    mask = np.zeros(geometry.shape, bool)
    voxels, brain_voxels, nearest = 0, 0, float("inf")
    for where, depth in sampled(geometry, near, field, fill=-1.0):
        check()
        part = depth > 0.0
        if part.any():
            mask[where] = part
            voxels += int(part.sum())
            away = _brain_distances(geometry, brain, where, part)
            brain_voxels += int((away <= 0.0).sum())
            nearest = min(nearest, float(away.min()))
    return Region(mask, geometry, voxels, brain_voxels, nearest)


def sampled(
    geometry: Geometry, near: Geometry, field: Real, *, fill: float
) -> Iterator[tuple[tuple[slice, slice, slice], Real]]:
    """A field on a coarse grid at the voxels of an image, slab by slab, within the grid's box.

    Parameters
    ----------
    geometry
        Of the image.
    near, field
        The coarse grid, and float32 values on it.
    fill
        The value outside.
    """
    corners = geometry.kji(near.corners_lps())
    low = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, geometry.shape)
    high = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 1, 0, geometry.shape)
    if (high <= low).any():
        return
    matrix = np.linalg.inv(near.lps_from_kji) @ geometry.lps_from_kji
    for start in range(int(low[0]), int(high[0]), _SLAB):
        stop = min(start + _SLAB, int(high[0]))
        first = np.array((start, low[1], low[2]))
        shape = (stop - start, int(high[1] - low[1]), int(high[2] - low[2]))
        offset = matrix[:3, :3] @ first + matrix[:3, 3]
        values = np.empty(shape, np.float32)
        ndimage.affine_transform(
            field, matrix[:3, :3], offset, shape, values, order=1, mode="constant", cval=fill
        )
        rows, columns = slice(int(low[1]), int(high[1])), slice(int(low[2]), int(high[2]))
        yield (slice(start, stop), rows, columns), values


def _field(
    geometry: Geometry, pose: Pose, brain: Brain, *, margin_mm: float, ears: bool
) -> tuple[Geometry, Real]:
    """How deep each place lies in the region, mm, on a grid of 2 mm around it."""
    near = _around(geometry, pose, ears=ears)
    field = np.empty(near.shape, np.float32)
    columns = np.stack(
        np.meshgrid(np.arange(near.shape[1]), np.arange(near.shape[2]), indexing="ij"), axis=-1
    ).reshape(-1, 2)
    scale = float(pose.size.min())
    for k in range(near.shape[0]):
        index = np.concatenate([np.full((len(columns), 1), k), columns], axis=1)
        lps = near.lps(index)
        x, y, z = pose.template(lps).astype(np.float32).T
        depth = _face_depth(y, z)
        if ears:
            depth = np.maximum(depth, _ear_depth(x, y, z))
        depth = np.minimum(depth, brain_distance(x, y, z) - _HULL_MM) * scale
        field[k] = depth.reshape(near.shape[1:])
    return near, np.minimum(field, _brain_at(near, brain) - np.float32(margin_mm))


def _face_depth(y: Real, z: Real) -> Real:
    front = GLABELLA[1] + _DEEP_MM - y
    below_brow = GLABELLA[2] + _ABOVE_MM - z
    above_chin = z - (CHIN_Z - _BELOW_MM)
    depth: Real = np.minimum(np.minimum(front, below_brow), above_chin)
    return depth


def _ear_depth(x: Real, y: Real, z: Real) -> Real:
    """How deep in the box that holds an ear: outside the cranium, from above to below it."""
    sides = [np.abs(x) - 68.0, y + 14.0, 52.0 - y, z + 42.0, 46.0 - z]
    depth: Real = np.minimum.reduce([np.asarray(side, np.float32) for side in sides])
    return depth


def _around(geometry: Geometry, pose: Pose, *, ears: bool) -> Geometry:
    """A grid of 2 mm around the region, no larger than the image."""
    back = 52.0 if ears else GLABELLA[1] + _DEEP_MM
    ends = np.array(
        [
            (-78.0 - _ROOM_MM, -119.0 - _ROOM_MM, CHIN_Z - _BELOW_MM - 2.0),
            (78.0 + _ROOM_MM, back + 2.0, GLABELLA[2] + _ABOVE_MM + 2.0),
        ]
    )
    box = np.stack(np.meshgrid(*ends.T, indexing="ij"), axis=-1).reshape(-1, 3)
    placed, image = pose.lps(box), geometry.corners_lps()
    slack = max(geometry.spacing_mm) + STEP_MM
    low = np.maximum(placed.min(axis=0), image.min(axis=0) - slack)
    high = np.minimum(placed.max(axis=0), image.max(axis=0) + slack)
    count = np.maximum(np.ceil((high - low) / STEP_MM).astype(int) + 1, 2)
    return Geometry.from_spacing(count[::-1], (STEP_MM,) * 3, low)


def _brain_at(near: Geometry, brain: Brain) -> Real:
    """Distance from the own brain on another grid; beyond its own grid, from its border on."""
    matrix = np.linalg.inv(brain.geometry.lps_from_kji) @ near.lps_from_kji
    finite = np.minimum(brain.distance_mm, 1e4).astype(np.float32)
    found = np.empty(near.shape, np.float32)
    ndimage.affine_transform(
        finite, matrix[:3, :3], matrix[:3, 3], near.shape, found, order=1, mode="nearest"
    )
    return found


def _brain_distances(
    geometry: Geometry, brain: Brain, where: tuple[slice, slice, slice], part: BoolArray
) -> FloatArray:
    """From each removed voxel to the own brain, mm."""
    if not brain.mask.any():
        return np.full(1, np.inf)
    edge = part & ~ndimage.binary_erosion(part) if part.size < 4e6 else part
    index = np.argwhere(edge) + [one.start for one in where]
    places: Any = np.rint(brain.geometry.kji(geometry.lps(index))).astype(np.intp)
    places = np.clip(places, 0, np.asarray(brain.geometry.shape) - 1)
    found: FloatArray = brain.distance_mm[places[:, 0], places[:, 1], places[:, 2]].astype(float)
    return found
