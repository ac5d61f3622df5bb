"""Bone in a CT: dense and rough with a dense shell, unlike vessels and bowel with contrast."""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.automatic.look import CoarseLook
from napari_medlabel.core.automatic.shapes import (
    closed,
    filled_in_slices,
    grown,
    islands,
    opened,
    regrown,
    shrunk,
)
from napari_medlabel.core.geometry import BoolArray

__all__ = ["BONE_HU", "coarse_bone"]

BONE_HU: Final = 150.0
_SURE_HU: Final = 250.0
_MOST_SURE_HU: Final = 450.0
_ABOVE_BLOOD_HU: Final = 60.0
_ENHANCED_HU: Final = 100.0
_EVEN_HU, _MOST_EVEN_HU = 20.0, 32.0  # the deviation within blood; within spongy bone it is 50
_WINDOW_MM: Final = 4.0
_RIM_MM: Final = 6.0
_LEAST_BLOOD_ML: Final = 1.0
_GAP_MM: Final = 5.0
_MARROW_HU: Final = -150.0
_LEAST_ML: Final = 0.4
_LARGE_ML: Final = 60.0
_CAVITY_MM: Final = 13.0
_BESIDE_MM: Final = 3.2


def coarse_bone(look: CoarseLook, body: BoolArray) -> BoolArray:
    """Bones with their marrow; nothing where there are none."""
    spacing = look.spacing_mm
    dense = body & (look.means > BONE_HU)
    blood, blood_hu = _even(look, body)
    near_blood = grown(blood, _RIM_MM, spacing) & (look.means < blood_hu + _ABOVE_BLOOD_HU)
    dense &= ~near_blood
    sure = max(_SURE_HU, min(blood_hu + _ABOVE_BLOOD_HU, _MOST_SURE_HU))
    dense = _with_core(dense, look.means > sure)
    numbers, sizes = islands(dense, corners=True)
    dense = np.asarray((sizes * look.geometry.voxel_ml > _LEAST_ML)[numbers])
    return _with_marrow(look, dense) & body


def _with_core(mask: BoolArray, cores: BoolArray) -> BoolArray:
    """Parts of a mask that hold a core."""
    numbers, sizes = islands(mask, corners=True)
    held = np.zeros(len(sizes), bool)
    held[np.unique(numbers[cores & mask])] = True
    held[0] = False
    return np.asarray(held[numbers])


def _even(look: CoarseLook, body: BoolArray) -> tuple[BoolArray, float]:
    """Large parts as dense as bone but without grain or shell: blood, or bowel, with contrast.

    Returns
    -------
    tuple
        The inside of them, and how bright they are.
    """
    spacing = look.spacing_mm
    spread = _spread_within(look, body & (look.means > _ENHANCED_HU))
    noise = _spread_within(look, body & (look.means > 0) & (look.means < _ENHANCED_HU))
    known = noise[np.isfinite(noise)]
    usual = float(np.median(known)) if known.size else 0.0
    limit = min(max(_EVEN_HU, 1.6 * usual + 10.0), _MOST_EVEN_HU)
    even = np.where(np.isfinite(spread), spread, np.inf) < limit
    even &= look.means > _ENHANCED_HU
    numbers, sizes = islands(opened(even, 1.01 * min(spacing), spacing))
    large = np.asarray((sizes * look.geometry.voxel_ml > _LEAST_BLOOD_ML)[numbers])
    bright = look.means[large & (look.means > BONE_HU - 20.0)]
    return large, float(np.percentile(bright, 95)) if bright.size else 0.0


def _spread_within(look: CoarseLook, mask: BoolArray) -> npt.NDArray[np.float32]:
    """The deviation of the image around each voxel deep in a mask; NaN elsewhere."""
    spacing = look.spacing_mm
    inner = shrunk(mask, 1.01 * max(spacing), spacing)
    size = [max(3, 2 * round(_WINDOW_MM / step) + 1) for step in spacing]
    share = ndimage.uniform_filter(inner.astype(np.float32), size)
    weight = np.maximum(share, 1e-6)
    values = np.where(inner, look.means, np.float32(0.0))
    mean = ndimage.uniform_filter(values, size) / weight
    square = ndimage.uniform_filter(values * values, size) / weight
    spread = np.sqrt(np.maximum(square - mean**2, 0.0))
    return np.where(inner & (share > 0.15), spread, np.float32(np.nan))


def _with_marrow(look: CoarseLook, dense: BoolArray) -> BoolArray:
    """What dense bone encloses, or all but encloses; not brain, nor air."""
    spacing = look.spacing_mm
    marrow = (look.means > _MARROW_HU) & ~_thick(look, dense)
    shut = dense | (closed(dense, _GAP_MM, spacing) & marrow)
    for axis in range(3):
        holes = filled_in_slices(shut, axis) & ~shut & marrow
        numbers, sizes = islands(holes)
        shut |= np.asarray((sizes * look.geometry.voxel_ml < _LARGE_ML)[numbers]) & holes
    return shut


def _thick(look: CoarseLook, dense: BoolArray) -> BoolArray:
    """Soft tissue wider than any cavity of marrow: brain, muscles, organs."""
    soft = (look.means > _MARROW_HU) & ~dense
    ball = opened(soft, _CAVITY_MM, look.spacing_mm)
    return regrown(ball, soft, _BESIDE_MM, look.spacing_mm)
