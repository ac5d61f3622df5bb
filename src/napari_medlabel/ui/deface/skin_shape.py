"""A skin without the steps of its voxels: moved onto the smoothed border, lit by its slope."""

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import ndimage

from napari_medlabel.core.surface import Surface

if TYPE_CHECKING:
    from napari_medlabel.commands import Body

__all__ = ["smooth_skin"]

_SIGMA: Final = 1.1  # voxels: a step is one, a nostril is three
_AROUND: Final = 4
_ROUNDS: Final = 3
_FARTHEST: Final = 0.7  # of a voxel in one round


def smooth_skin(surface: Surface, body: "Body") -> Surface:
    """The surface of a body where half of the smoothed body ends.

    Parameters
    ----------
    surface
        Of the body's voxels.
    body
        What it was built of; nothing that is measured comes from the result.
    """
    if surface.is_nothing:
        return surface
    mask = np.pad(body.mask, _AROUND).astype(np.float32)
    field = ndimage.gaussian_filter(mask, _SIGMA)
    slopes = np.gradient(field)
    places = body.geometry.kji(surface.points_lps.astype(np.float64)).T + _AROUND
    for _round in range(_ROUNDS):
        value = _at(field, places)
        slope = np.stack([_at(one, places) for one in slopes])
        step = (value - 0.5) * slope / np.maximum((slope**2).sum(axis=0), 1e-4)
        length = np.sqrt((step**2).sum(axis=0))
        places -= step * np.minimum(1.0, _FARTHEST / np.maximum(length, 1e-6))
    slope = np.stack([_at(one, places) for one in slopes])
    turn = body.geometry.lps_from_kji[:3, :3] / np.asarray(body.geometry.spacing_mm)
    outward = -(turn @ slope)
    length = np.sqrt((outward**2).sum(axis=0))
    flat = length < 1e-3  # where the image ends
    normals = np.where(flat, surface.normals.T, outward / np.maximum(length, 1e-6)).T
    points = body.geometry.lps((places - _AROUND).T)
    return Surface(
        np.ascontiguousarray(points, np.float32), np.ascontiguousarray(normals, np.float32),
        surface.faces,
    )  # fmt: skip


def _at(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    found: np.ndarray = ndimage.map_coordinates(
        values, places, output=np.float32, order=1, mode="nearest"
    )
    return found
