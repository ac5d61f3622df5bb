"""The head in an image, and how far each place is from its skin."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.geometry import BoolArray, FloatArray, Geometry
from napari_medlabel.core.region_threshold import best_split
from napari_medlabel.privacy.face_grid import PatientGrid

__all__ = ["Skin", "is_hounsfield", "skin_of", "solid_of", "tissue_limit"]

_AIR_HU: Final = -300.0
_OF_OTSU: Final = 0.45  # skin and fat are the dark part of what is not air
_BINS: Final = 256
_NOISE_MM: Final = 4.0  # what is thinner is hair, a sheet or noise
_OPENING_MM: Final = 8.0  # air behind a narrower opening is inside: nostrils, ears, sinuses


@dataclass(frozen=True, slots=True, eq=False)
class Skin:
    """A body, and the distance of each place from its surface.

    Parameters
    ----------
    solid
        bool `[k, j, i]`: the body with all cavities filled.
    distance_mm
        float32, the same shape: from its surface, negative inside.
    seen
        bool, the same shape: where the image reaches.
    geometry
        Of these arrays, along the patient's axes.
    """

    solid: BoolArray
    distance_mm: npt.NDArray[np.float32]
    seen: BoolArray
    geometry: Geometry

    def at(self, lps: FloatArray) -> tuple[FloatArray, FloatArray, BoolArray]:
        """Distance, its slope `[n, 3]` (x, y, z) and whether it is seen, at positions `[n, 3]`."""
        step = self.geometry.spacing_mm[0]
        places = (lps - np.asarray(self.geometry.origin_lps)) / step  # x, y, z
        limits = np.asarray(self.geometry.shape[::-1], np.float64) - 1.0
        inside = ((places >= 0.0) & (places <= limits)).all(axis=1)
        places = np.clip(places, 0.0, np.maximum(limits - 1e-3, 0.0))
        low = places.astype(np.intp)
        part = places - low
        high = np.minimum(low + 1, self.geometry.shape[::-1] - np.ones(3, np.intp))
        (x0, y0, z0), (x1, y1, z1), (u, v, w) = low.T, high.T, part.T
        d = self.distance_mm
        c000, c001, c010, c011 = d[z0, y0, x0], d[z0, y0, x1], d[z0, y1, x0], d[z0, y1, x1]
        c100, c101, c110, c111 = d[z1, y0, x0], d[z1, y0, x1], d[z1, y1, x0], d[z1, y1, x1]
        a00, a01 = c000 + (c001 - c000) * u, c010 + (c011 - c010) * u
        a10, a11 = c100 + (c101 - c100) * u, c110 + (c111 - c110) * u
        b0, b1 = a00 + (a01 - a00) * v, a10 + (a11 - a10) * v
        along_x = (
            ((c001 - c000) * (1 - v) + (c011 - c010) * v) * (1 - w)
            + ((c101 - c100) * (1 - v) + (c111 - c110) * v) * w
        )  # fmt: skip
        along_y = (a01 - a00) * (1 - w) + (a11 - a10) * w
        slope = np.stack([along_x, along_y, b1 - b0], axis=1) / step
        seen = inside & self.seen[z0, y0, x0]
        return b0 + (b1 - b0) * w, slope, seen


def is_hounsfield(grid: PatientGrid, unit: str = "") -> bool:
    """Whether the values are Hounsfield units: said to be, or with air at -1000 and tissue at 0."""
    if unit == "HU":
        values = grid.values[grid.seen]
        return bool(values.size) and bool((values < -500.0).mean() > 0.01)
    values = grid.values[grid.seen]
    if not values.size or float(values.min()) < -4000.0:
        return False
    air = float((np.abs(values + 1000.0) < 150.0).mean())
    soft = float((np.abs(values - 30.0) < 170.0).mean())
    return air > 0.03 and soft > 0.03 and air + soft > 0.4


def tissue_limit(grid: PatientGrid, *, hounsfield: bool) -> float | None:
    """The value above which a voxel is not air; None where the image has one value only."""
    if hounsfield:
        return _AIR_HU
    values = grid.values[grid.seen]
    if not values.size:
        return None
    low, high = float(np.percentile(values, 0.5)), float(np.percentile(values, 99.5))
    if not low < high:
        return None
    counts = np.histogram(values, _BINS, (low, high))[0]
    limit = best_split(counts, low, high)[0]
    return float(low + (limit - low) * _OF_OTSU)


def skin_of(grid: PatientGrid, limit: float) -> Skin | None:
    """The largest body of an image and its skin; None where nothing is there."""
    solid = solid_of(grid, limit)
    if solid is None or not (grid.seen & ~solid).any():
        return None
    step = grid.step_mm
    outside = ndimage.distance_transform_edt(~solid, sampling=step)
    # Where the image ends is no skin: what is not seen counts as inside.
    inside = ndimage.distance_transform_edt(solid | ~grid.seen, sampling=step)
    # The surface lies half a voxel from the centres on either side.
    distance = np.where(solid, step / 2.0 - inside, outside - step / 2.0).astype(np.float32)
    return Skin(solid, distance, grid.seen, grid.geometry)


def solid_of(grid: PatientGrid, limit: float) -> BoolArray | None:
    """The largest body brighter than the limit, with all cavities filled."""
    step = grid.step_mm
    tissue = (grid.values > limit) & grid.seen
    thick = _opened(tissue, _NOISE_MM / 2.0, step)
    islands, count = ndimage.label(thick)
    if count == 0:
        return None
    sizes = np.bincount(islands.ravel())
    sizes[0] = 0
    body = islands == int(sizes.argmax())
    if body.all():
        return None
    return _filled(body, grid.seen, step)


def _filled(body: BoolArray, seen: BoolArray, step: float) -> BoolArray:
    """All that air cannot reach from the border of the image through a wide opening."""
    air = ~body & seen
    turns = max(1, round(_OPENING_MM / 2.0 / step))
    wide = ndimage.binary_erosion(air, iterations=turns, border_value=1)
    rooms, count = ndimage.label(wide)
    if count == 0:
        return body
    open_ones = np.unique(rooms[_border(seen) & ~_closed_at_ends(body) & wide])
    outside = np.isin(rooms, open_ones[open_ones > 0])
    if not outside.any():
        return body
    outside = ndimage.binary_dilation(outside, iterations=turns + 1, mask=air)
    islands, _ = ndimage.label(seen & ~outside)
    sizes = np.bincount(islands.ravel())
    sizes[0] = 0
    whole: BoolArray = islands == int(sizes.argmax())
    return whole


def _border(seen: BoolArray) -> BoolArray:
    """Voxels at the edge of what the image shows."""
    edge: BoolArray = seen & ~ndimage.binary_erosion(seen)
    return edge


def _closed_at_ends(body: BoolArray) -> BoolArray:
    """What is inside the body where the image cuts it, at the top and at the bottom: airways."""
    closed = np.zeros(body.shape, bool)
    for k in (0, 1, -2, -1):
        if -len(body) <= k < len(body):
            shut = ndimage.binary_closing(np.pad(body[k], 4), iterations=3)[4:-4, 4:-4]
            closed[k] = ndimage.binary_fill_holes(shut)
    return closed


def _opened(mask: BoolArray, radius_mm: float, step: float) -> BoolArray:
    """The mask without what is thinner than twice the radius; not shrunk at the image's border."""
    size = int(radius_mm / step)
    if size < 1:
        return mask
    block = ndimage.iterate_structure(ndimage.generate_binary_structure(3, 1), size)
    padded = np.pad(mask, size + 1, mode="edge")
    kept = ndimage.binary_opening(padded, block)
    cut = slice(size + 1, -size - 1)
    opened: BoolArray = kept[cut, cut, cut]
    return opened
