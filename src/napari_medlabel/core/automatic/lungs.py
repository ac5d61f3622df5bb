"""Lungs, the airways and other gas in a body, in a CT."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage

from napari_medlabel.core.automatic.body import SKIN_HU
from napari_medlabel.core.automatic.look import CoarseLook
from napari_medlabel.core.automatic.shapes import (
    Numbers,
    closed,
    filled_in_slices,
    grown,
    islands,
    opened,
    regrown,
    shrunk,
)
from napari_medlabel.core.geometry import BoolArray, Spacing

__all__ = ["LUNG_LIMITS_HU", "GasAndLungs", "gas_and_lungs", "in_two"]

LUNG_LIMITS_HU: Final = (-9000.0, -400.0)  # half way to the wall of the chest
_GAS_HU: Final = -920.0  # darker than lung, but for emphysema
_LUNG_HU: Final = (-950.0, -550.0)  # the median of a lung, from hyperinflated to congested
_LEAST_ML: Final = 4.0
_WHOLE_ML: Final = 300.0  # a smaller one must be cut off by the image
_TUBE_MM: Final = 3.0  # half of the least airway that is told from lung
_RIM_MM: Final = 5.0  # what is half gas, half wall
_VESSELS_MM: Final = 6.0
_BOWEL_HU, _MOST_DARK = -940.0, 0.05  # gas among what fills a bowel, and how much lungs have
_SHARE_OF_NARROW: Final = 0.04
_LEAST_OF_TWO, _APART_MM = 0.08, 40.0
_SPINE_HU, _SPINE_MM = 180.0, 6.0
_MIDLINE_MM: Final = 45.0


@dataclass(frozen=True, slots=True, eq=False)
class GasAndLungs:
    """What of a body is filled with air, on the coarse grid.

    Parameters
    ----------
    lungs
        With their vessels; without trachea and main bronchi.
    gas
        All other air in the body.
    airways
        What of the gas is airway.
    """

    lungs: BoolArray
    gas: BoolArray
    airways: BoolArray


def gas_and_lungs(look: CoarseLook, body: BoolArray) -> GasAndLungs:
    """Take the air in a body apart."""
    spacing = look.spacing_mm
    air = body & (look.means < SKIN_HU)
    pure = _pure_gas(look, air)
    lungs = _lungs(look, body, air & ~pure)
    if lungs.any():
        lungs = closed(lungs, _VESSELS_MM, spacing) & body & ~pure
        lungs |= filled_in_slices(lungs) & ~pure
    inner = air & ~lungs & shrunk(body, _RIM_MM, spacing)
    gas = regrown(inner & ~grown(lungs, _RIM_MM, spacing), inner, _RIM_MM, spacing)
    gas |= pure & inner
    return GasAndLungs(lungs, gas, _airways(look, body, lungs, gas))


def in_two(look: CoarseLook, body: BoolArray, lungs: BoolArray) -> tuple[BoolArray, BoolArray]:
    """The right and the left lung: where they touch, each voxel is of the nearer one's middle."""
    spacing = look.spacing_mm
    for by_mm in (0.0, 2.5, 5.0, 7.5, 10.0, 15.0):
        cores = shrunk(lungs, by_mm, spacing) if by_mm else lungs
        numbers, sizes = islands(cores)
        first, second = (int(n) for n in np.argsort(-np.append(sizes, 0))[:2])
        if sizes.size < 3 or sizes[second] < _LEAST_OF_TWO * sizes[first]:
            continue
        places = [float(np.median(np.nonzero(numbers == n)[2])) for n in (first, second)]
        if abs(places[0] - places[1]) * spacing[2] > _APART_MM:
            right = first if places[0] < places[1] else second
            return _nearest(lungs, numbers, right, first + second - right, spacing)
    return _by_side(look, body, lungs)


# How


def _pure_gas(look: CoarseLook, air: BoolArray) -> BoolArray:
    """Gas with a wall of its own, as in trachea and bowel; not in lungs that are full of holes."""
    spacing = look.spacing_mm
    dark = opened(air & (look.means < _GAS_HU), _TUBE_MM, spacing)
    numbers, sizes = islands(dark)
    walled = np.zeros(len(sizes), bool)
    for n, box in enumerate(ndimage.find_objects(numbers), 1):
        if sizes[n] * look.geometry.voxel_ml < 0.3:
            continue
        wide = tuple(slice(max(s.start - 4, 0), s.stop + 4) for s in box)
        own = numbers[wide] == n
        near = grown(own, 1.01 * max(_RIM_MM, *spacing), spacing)
        ring = grown(near, 1.01 * max(spacing), spacing) & ~near
        walled[n] = float(np.mean(look.means[wide][ring] > SKIN_HU)) > 0.4 if ring.any() else False
    return regrown(np.asarray(walled[numbers]), air, _RIM_MM, spacing)


def _lungs(look: CoarseLook, body: BoolArray, air: BoolArray) -> BoolArray:
    """Parts of the air that are as dense as lung, and large or cut off by the image."""
    numbers, sizes = islands(air)
    lungs = np.zeros(len(sizes), bool)
    narrow, body_ml = _is_narrow(look, body), look.ml(body)
    volumes_ml = sizes * look.geometry.voxel_ml
    for n in np.flatnonzero(volumes_ml >= _LEAST_ML):
        own = numbers == n
        core = opened(own, 1.01 * min(look.spacing_mm), look.spacing_mm)
        if not core.any():
            continue
        median = float(np.median(look.means[core]))
        cut = own[0].any() or own[-1].any() or own[:, 0].any() or own[:, -1].any()
        cut = cut or own[:, :, 0].any() or own[:, :, -1].any()
        dark = float(np.mean(look.means[core] < _BOWEL_HU))
        whole = volumes_ml[n] > _WHOLE_ML
        lungs[n] = _LUNG_HU[0] < median < _LUNG_HU[1] and (whole or (cut and dark < _MOST_DARK))
    if narrow and volumes_ml[lungs].sum() < _SHARE_OF_NARROW * body_ml:
        lungs[:] = False  # the nose and sinuses of a head
    if lungs.any():  # a lung is not a bubble in the bowel far smaller than its neighbour
        lungs &= volumes_ml > 0.02 * volumes_ml[lungs].max()
    return np.asarray(lungs[numbers])


def _airways(look: CoarseLook, body: BoolArray, lungs: BoolArray, gas: BoolArray) -> BoolArray:
    """Gas near the midline that goes up from between the lungs; in a head all of it."""
    if not lungs.any():
        return gas if _is_narrow(look, body) else np.zeros_like(gas)
    heights = np.flatnonzero(lungs.any(axis=(1, 2)))
    middle_k = heights[0] + 0.5 * (heights[-1] - heights[0])
    middle_i = _midline(look, body)
    numbers, sizes = islands(gas)
    found = np.zeros(len(sizes), bool)
    for n in np.flatnonzero(sizes * look.geometry.voxel_ml > 0.5):
        k, _j, i = np.nonzero(numbers == n)
        off_mm = abs(float(np.median(i)) - middle_i) * look.spacing_mm[2]
        found[n] = float(np.median(k)) > middle_k and off_mm < _MIDLINE_MM
    return np.asarray(found[numbers])


def _is_narrow(look: CoarseLook, body: BoolArray) -> bool:
    """Whether the body is as narrow as a head."""
    wide = np.flatnonzero(body.any(axis=(0, 1)))
    return bool(wide.size) and (wide[-1] - wide[0] + 1) * look.spacing_mm[2] < 220.0


def _nearest(
    lungs: BoolArray, numbers: Numbers, right: int, left: int, spacing: Spacing
) -> tuple[BoolArray, BoolArray]:
    seeds = (numbers == right) | (numbers == left)
    at = ndimage.distance_transform_edt(
        ~seeds, spacing, return_distances=False, return_indices=True
    )
    of_right = lungs & (numbers[tuple(at)] == right)
    return of_right, lungs & ~of_right


def _by_side(look: CoarseLook, body: BoolArray, lungs: BoolArray) -> tuple[BoolArray, BoolArray]:
    """One lung alone is that of the side of the spine that it lies on."""
    places = np.nonzero(lungs)[2]
    none = np.zeros_like(lungs)
    if not places.size:
        return none, none
    return (lungs, none) if float(places.mean()) < _midline(look, body) else (none, lungs)


def _midline(look: CoarseLook, body: BoolArray) -> float:
    """The column of the spine, else that of the middle of the body."""
    spine = opened(body & (look.means > _SPINE_HU), _SPINE_MM, look.spacing_mm)
    columns = np.nonzero(spine if spine.any() else body)[2]
    return float(np.median(columns)) if columns.size else (body.shape[2] - 1) / 2.0
