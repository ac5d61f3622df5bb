"""The body, and what lies around it: the table, sheets, tubes and air; and its skin."""

from typing import Final

import numpy as np
from scipy import ndimage

from napari_medlabel.core.automatic.look import CoarseLook
from napari_medlabel.core.automatic.shapes import (
    closed,
    filled_in_slices,
    grown,
    islands,
    largest,
    opened,
    regrown,
    shrunk,
)
from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.region_threshold import best_split

__all__ = ["SKIN_HU", "coarse_body", "tissue_limit"]

SKIN_HU: Final = -400.0  # half way from air to fat and skin, with what blurs them
ROOM_AIR_HU: Final = -930.0  # air as it is outside of lungs; noise is averaged away
_TABLE_MM: Final = 5.0  # half of what a table's shell, a sheet or a tube measures
_TAKEN_BACK_MM: Final = 7.5  # of what opening took off: ears, noses, folds
_THICK_MM: Final = 12.0  # half of an arm at least
_SHARE: Final = 0.01  # an arm or a leg is no smaller a part
_BINS: Final = 256
_LEAST_LUNG_ML: Final = 5.0
_NOISE_MM: Final = 4.0
_GAPS_MM: Final = 8.0  # bone and sinuses are dark on MR


def coarse_body(look: CoarseLook) -> BoolArray:
    """The body with its lungs and all that it encloses; nothing where there is none.

    Of a CT: what is denser than air and thick, without what is as thin as a table's shell. Of
    anything else, what is brighter than the noise, by Otsu's limit.
    """
    spacing = look.spacing_mm
    tissue = look.means > tissue_limit(look)
    if not look.is_ct:
        solid = largest(opened(closed(tissue, _GAPS_MM, spacing), _NOISE_MM, spacing))
        return np.asarray(ndimage.binary_fill_holes(filled_in_slices(solid)))
    thick = _parts(opened(tissue, _TABLE_MM, spacing), spacing)
    solid = regrown(thick, tissue, _TAKEN_BACK_MM, spacing)
    return _filled(look, opened(solid, _TABLE_MM / 2.0, spacing))


def tissue_limit(look: CoarseLook) -> float:
    """The value that parts tissue from air."""
    if look.is_ct:
        return SKIN_HU
    low, high = float(look.means.min()), float(np.percentile(look.means, 99.5))
    if not low < high:
        return high
    counts = np.histogram(look.means, _BINS, (low, high))[0]
    # Skin and fat are the dark part of what is not air: half way down to it.
    return low + (best_split(counts, low, high)[0] - low) * 0.6


def _parts(thick: BoolArray, spacing: tuple[float, float, float]) -> BoolArray:
    """The largest part, and others that are large and as thick as an arm."""
    numbers, sizes = islands(thick)
    if len(sizes) < 2:
        return np.zeros_like(thick)
    deep = np.zeros(len(sizes), bool)
    deep[np.unique(numbers[shrunk(thick, _THICK_MM, spacing)])] = True
    chosen = deep & (sizes > _SHARE * sizes.max())
    chosen[sizes.argmax()] = True
    chosen[0] = False
    return np.asarray(chosen[numbers])


def _filled(look: CoarseLook, solid: BoolArray) -> BoolArray:
    """The body with what it encloses in axial slices, lungs that the image cuts off among it."""
    spread = grown(_lungs_at_rim(look, solid), _GAPS_MM, look.spacing_mm)
    lungs = np.pad(spread, ((0, 0), (1, 1), (1, 1)), mode="edge")
    lungs[:, 1:-1, 1:-1] = False
    rim = np.pad(solid, ((0, 0), (1, 1), (1, 1)), mode="edge")
    # Beyond the border of a small field of view is body where the image shows body or lung.
    rim[:, 1:-1, 1:-1] = solid
    out = _touching(filled_in_slices(rim | lungs)[:, 1:-1, 1:-1], solid)
    return _without_rooms(look, solid, out)


def _lungs_at_rim(look: CoarseLook, solid: BoolArray) -> BoolArray:
    """Air that reaches the sides of the image but is lung, cut off there: too dense for a room."""
    numbers, sizes = islands(~solid & (look.means < SKIN_HU))
    sides = np.concatenate([
        numbers[:, 0].ravel(), numbers[:, -1].ravel(), numbers[:, :, 0].ravel(),
        numbers[:, :, -1].ravel(),
    ])  # fmt: skip
    found = np.zeros(len(sizes), bool)
    for n in np.unique(sides):
        if n and sizes[n] * look.geometry.voxel_ml > _LEAST_LUNG_ML:
            found[n] = float(np.median(look.means[numbers == n])) > ROOM_AIR_HU
    return np.asarray(found[numbers])


def _touching(mask: BoolArray, solid: BoolArray) -> BoolArray:
    """The parts of a mask that hold some of the body."""
    numbers, sizes = islands(mask)
    held = np.zeros(len(sizes), bool)
    held[np.unique(numbers[solid])] = True
    held[0] = False
    return np.asarray(held[numbers])


def _without_rooms(look: CoarseLook, solid: BoolArray, filled: BoolArray) -> BoolArray:
    """The filled body less rings of room air, as between an arm and the chest."""
    added = filled & ~solid
    outside = ~filled & (look.means < SKIN_HU)
    air = look.means < ROOM_AIR_HU
    wide = opened((added & air) | outside, 6.0, look.spacing_mm)
    numbers, _sizes = islands(wide)
    open_air = np.zeros(int(numbers.max()) + 1, bool)
    open_air[np.unique(numbers[outside & wide])] = True
    open_air[0] = False
    leaking = open_air[numbers] & added
    if not leaking.any():
        return filled
    return filled & ~regrown(leaking, added & air, 8.0, look.spacing_mm)
