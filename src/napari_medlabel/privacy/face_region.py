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
from napari_medlabel.privacy.face_plan import USUAL_PLAN, FacePlan
from napari_medlabel.privacy.face_template import CHIN_Z, GLABELLA, NASION_Z, brain_distance

__all__ = ["Region", "region_of", "sampled"]

_ABOVE_MM: Final = 8.0  # of the glabella
_BROW_MM: Final = 30.0  # of the glabella, where the brow is to go
_TEETH_BACK: Final = -25.0  # of the template's third molars, and some more
_EARS_BACK: Final = 52.0
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
    added_voxels, spared_voxels
        How many a person added to what was found, and kept of it.
    withheld_voxels
        How many a person added that stay: they are too near the brain.
    """

    mask: BoolArray
    geometry: Geometry
    voxels: int
    brain_voxels: int
    nearest_brain_mm: float
    added_voxels: int = 0
    spared_voxels: int = 0
    withheld_voxels: int = 0


def region_of(  # noqa: PLR0913  # what the region is made from
    geometry: Geometry, pose: Pose, brain: Brain, plan: FacePlan = USUAL_PLAN, *,
    added: BoolArray | None = None, spared: BoolArray | None = None,
    check: Callable[[], None] = lambda: None,
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
    plan
        What else is to go, and how near to the brain.
    added, spared
        bool, the image's shape: what goes, too, and what stays whatever else is said. What was
        added within the plan's margin of the own brain stays.
    check
        Called between slabs; may raise.
    """
    near, field = _field(geometry, pose, brain, plan)
    mask = np.zeros(geometry.shape, bool)
    for where, depth in sampled(geometry, near, field, fill=-1.0):
        check()
        mask[where] = depth > 0.0
    added_voxels = withheld = spared_voxels = 0
    if added is not None:
        more = added & ~mask
        wanted = int(more.sum())
        _withhold(more, geometry, brain, plan.margin_mm, check)
        mask |= more
        added_voxels = int(more.sum())
        withheld = wanted - added_voxels
    if spared is not None:
        spared_voxels = int((mask & spared).sum())
        mask &= ~spared
    voxels, brain_voxels, nearest = 0, 0, float("inf")
    for where, part in _slabs(mask):
        check()
        voxels += int(part.sum())
        away = _brain_distances(geometry, brain, where, part)
        brain_voxels += int((away <= 0.0).sum())
        nearest = min(nearest, float(away.min()))
    return Region(
        mask, geometry, voxels, brain_voxels, nearest, added_voxels, spared_voxels, withheld
    )


def _slabs(mask: BoolArray) -> Iterator[tuple[tuple[slice, slice, slice], BoolArray]]:
    """Where a mask is not empty, some slices at a time: the box, and the mask in it."""
    for start in range(0, len(mask), _SLAB):
        part = mask[start : start + _SLAB]
        rows, columns = (np.flatnonzero(part.any(axis=axes)) for axes in ((0, 2), (0, 1)))
        if rows.size:
            j, i = (slice(int(line[0]), int(line[-1]) + 1) for line in (rows, columns))
            yield (slice(start, start + len(part)), j, i), part[:, j, i]


def _withhold(
    more: BoolArray, geometry: Geometry, brain: Brain, margin_mm: float, check: Callable[[], None]
) -> None:
    """Take away what is too near the own brain, in place."""
    for where, part in _slabs(more):
        check()
        index = np.argwhere(part)
        away = _at_brain(brain, geometry.lps(index + [one.start for one in where]))
        near = tuple(index[away < margin_mm].T)
        part[near] = False


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


def _field(geometry: Geometry, pose: Pose, brain: Brain, plan: FacePlan) -> tuple[Geometry, Real]:
    """How deep each place lies in the region, mm, on a grid of 2 mm around it."""
    near = _around(geometry, pose, plan)
    field = np.empty(near.shape, np.float32)
    columns = np.stack(
        np.meshgrid(np.arange(near.shape[1]), np.arange(near.shape[2]), indexing="ij"), axis=-1
    ).reshape(-1, 2)
    scale = float(pose.size.min())
    for k in range(near.shape[0]):
        index = np.concatenate([np.full((len(columns), 1), k), columns], axis=1)
        lps = near.lps(index)
        x, y, z = pose.template(lps).astype(np.float32).T
        depth = _face_depth(y, z, plan, pose)
        if plan.ears:
            depth = np.maximum(depth, _ear_depth(x, y, z))
        if plan.teeth:
            depth = np.maximum(depth, _teeth_depth(x, y, z))
        depth = np.minimum(depth, brain_distance(x, y, z) - _HULL_MM) * scale
        field[k] = depth.reshape(near.shape[1:])
    return near, np.minimum(field, _brain_at(near, brain) - np.float32(plan.margin_mm))


def _top(plan: FacePlan) -> float:
    return GLABELLA[2] + (_BROW_MM if plan.brow else _ABOVE_MM)


def _bottom(pose: Pose) -> float:
    """In the template; a face that was fitted short may be longer: then some of the neck goes."""
    return NASION_Z + (CHIN_Z - _BELOW_MM - NASION_Z) / min(pose.face_length, 1.0)


def _face_depth(y: Real, z: Real, plan: FacePlan, pose: Pose) -> Real:
    front = GLABELLA[1] + plan.depth_mm - y
    below_brow = _top(plan) - z
    above_chin = z - _bottom(pose)
    depth: Real = np.minimum(np.minimum(front, below_brow), above_chin)
    return depth


def _ear_depth(x: Real, y: Real, z: Real) -> Real:
    """How deep in the box that holds an ear: outside the cranium, from above to below it."""
    return _box_depth(np.abs(x) - 68.0, y + 14.0, _EARS_BACK - y, z + 42.0, 46.0 - z)


def _teeth_depth(x: Real, y: Real, z: Real) -> Real:
    """How deep in the box that holds both dental arches, from the lips' skin to the last molars."""
    return _box_depth(44.0 - np.abs(x), _TEETH_BACK - y, z - CHIN_Z, -26.0 - z)


def _box_depth(*sides: npt.NDArray[Any]) -> Real:
    depth: Real = np.minimum.reduce([np.asarray(side, np.float32) for side in sides])
    return depth


def _around(geometry: Geometry, pose: Pose, plan: FacePlan) -> Geometry:
    """A grid of 2 mm around the region, no larger than the image."""
    back = max(
        GLABELLA[1] + plan.depth_mm,
        _EARS_BACK if plan.ears else -np.inf,
        _TEETH_BACK if plan.teeth else -np.inf,
    )
    ends = np.array(
        [
            (-78.0 - _ROOM_MM, -119.0 - _ROOM_MM, _bottom(pose) - 2.0),
            (78.0 + _ROOM_MM, back + 2.0, max(_top(plan), 46.0) + 2.0),
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
    return _at_brain(brain, geometry.lps(np.argwhere(edge) + [one.start for one in where]))


def _at_brain(brain: Brain, lps: FloatArray) -> FloatArray:
    """Distance from the own brain at positions `[n, 3]`, mm."""
    places: Any = np.rint(brain.geometry.kji(lps)).astype(np.intp)
    places = np.clip(places, 0, np.asarray(brain.geometry.shape) - 1)
    found: FloatArray = brain.distance_mm[places[:, 0], places[:, 1], places[:, 2]].astype(float)
    return found
