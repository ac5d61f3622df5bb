"""This image's own brain, so that none of it is ever taken out.

No more than an estimate, and made to be too large rather than too small: soft tissue inside bone
in CT, the part of like brightness inside the template's brain in MR, both with the template's
brain as a bound. An estimate that cannot be a brain stops the removal; it never guards nothing.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.geometry import BoolArray, Geometry
from napari_medlabel.privacy.face_fit import Pose
from napari_medlabel.privacy.face_grid import PatientGrid
from napari_medlabel.privacy.face_mask import Skin
from napari_medlabel.privacy.face_template import brain_distance

__all__ = ["Brain", "find_brain"]

# How far the own brain may reach beyond the template's: in CT bone bounds it, in MR nothing does.
_BEYOND_CT_MM, _BEYOND_MR_MM = 18.0, 10.0
_WITHIN_MM: Final = 14.0  # as deep in the template's, all is brain
_NECK_MM: Final = 4.0  # thinner bridges, to eye and scalp, are not brain
_SOFT_HU: Final = (-15.0, 110.0)
_BONE_HU: Final = 200.0
_DARK, _BRIGHT = 0.35, 2.2  # of the brightness deep in the brain
_LEAST, _MOST = 0.55, 1.6  # of the volume that the template's brain has in view


@dataclass(frozen=True, slots=True, eq=False)
class Brain:
    """An image's own brain.

    Parameters
    ----------
    mask
        bool `[k, j, i]`.
    distance_mm
        float32, the same shape: from the mask.
    geometry
        Of these, along the patient's axes.
    volume_ml, expected_ml
        What the mask holds, and what the template's brain holds as far as it is in view.
    plausible
        Whether the two agree; nothing may be removed where they do not.
    """

    mask: BoolArray
    distance_mm: npt.NDArray[np.float32]
    geometry: Geometry
    volume_ml: float
    expected_ml: float

    @property
    def plausible(self) -> bool:
        """Whether this can be a brain."""
        if self.expected_ml < 20.0:  # hardly any of it is in view
            return True
        return _LEAST <= self.volume_ml / self.expected_ml <= _MOST


def find_brain(grid: PatientGrid, pose: Pose, skin: Skin, *, hounsfield: bool) -> Brain:
    """The brain of the image, with the template's as a bound.

    Parameters
    ----------
    grid
        The image.
    pose
        Where the template lies.
    skin
        Of the head; the brain is looked for inside it.
    hounsfield
        Whether the values are Hounsfield units.
    """
    origin = np.asarray(skin.geometry.origin_lps)
    step = skin.geometry.spacing_mm[0]
    ends = origin + (np.asarray(skin.geometry.shape[::-1]) - 1) * step
    near = grid.around(origin, ends)
    prior = _prior(near.geometry, pose)
    where = near.seen & _fitting(skin, near)
    possible = (prior < (_BEYOND_CT_MM if hounsfield else _BEYOND_MR_MM)) & where
    deep = (prior < -_WITHIN_MM) & where
    values = near.values
    if hounsfield:
        tissue = (values > _SOFT_HU[0]) & (values < _SOFT_HU[1])
    else:
        usual = float(np.median(values[deep])) if deep.any() else 0.0
        tissue = (values > usual * _DARK) & (values < usual * _BRIGHT)
    mask = _largest(tissue & possible, deep, step) if deep.any() else np.zeros(values.shape, bool)
    voxel = step**3 / 1000.0
    distance = ndimage.distance_transform_edt(~mask, sampling=step).astype(np.float32)
    if not mask.any():
        distance[:] = np.inf
    expected = float(((prior < 0.0) & where).sum()) * voxel
    return Brain(mask, distance, near.geometry, float(mask.sum()) * voxel, expected)


def _fitting(skin: Skin, near: PatientGrid) -> BoolArray:
    """Well inside the skin; no brain lies as near to it."""
    inside = skin.distance_mm < -5.0
    if inside.shape == near.values.shape:
        return inside
    return np.ones(near.values.shape, bool)


def _prior(geometry: Geometry, pose: Pose) -> npt.NDArray[np.float32]:
    """Distance from the template's brain at every voxel."""
    found = np.empty(geometry.shape, np.float32)
    plane = np.stack(
        np.meshgrid(np.arange(geometry.shape[1]), np.arange(geometry.shape[2]), indexing="ij"),
        axis=-1,
    ).reshape(-1, 2)
    scale = float(pose.size.mean())
    for k in range(geometry.shape[0]):
        index = np.concatenate([np.full((len(plane), 1), k), plane], axis=1)
        x, y, z = pose.template(geometry.lps(index)).astype(np.float32).T
        found[k] = brain_distance(x, y, z).reshape(geometry.shape[1:]) * scale
    return found


def _largest(tissue: BoolArray, deep: BoolArray, step: float) -> BoolArray:
    """The part that holds the middle of the brain, without what hangs on it by a bridge."""
    turns = max(1, round(_NECK_MM / step))
    core = ndimage.binary_erosion(tissue, iterations=turns)
    islands, count = ndimage.label(core)
    if count == 0:
        return tissue & deep
    sizes = np.bincount(islands[deep & core], minlength=count + 1)
    sizes[0] = 0
    kept = np.isin(islands, np.flatnonzero(sizes > 0.02 * sizes.max()))
    grown = ndimage.binary_dilation(kept, iterations=turns + 1, mask=tissue)
    closed = ndimage.binary_closing(np.pad(grown, 4), iterations=3)[4:-4, 4:-4, 4:-4]
    whole: BoolArray = ndimage.binary_fill_holes(closed)
    return whole
