"""The skin: what lies between a body and the air around it, from a coarse look at the image."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.geometry import BoolArray, Geometry, Index
from napari_medlabel.core.region_threshold import best_split
from napari_medlabel.core.surface import MOST_FACES, Surface, coarser, surface
from napari_medlabel.core.volume import Grid, Volume

__all__ = ["body", "coarse_tissue", "is_head_sized", "skin", "skin_of"]

AIR_HU: Final = -300.0  # between air with noise and fat
_STEP_MM: Final = 2.5
_SLAB: Final = 32
_BINS: Final = 256
_WIDEST_MM, _DEEPEST_MM = 220.0, 290.0  # a large head: Farkas, and room for ears and a bandage
_AIRWAY_MM: Final = 14.0  # as wide as a nostril or an ear's canal and more
_NOISE_MM: Final = 4.0  # what is thinner is hair, a sheet or noise


def skin(volume: Volume, *, most_faces: int = MOST_FACES) -> Surface | None:
    """The skin of a head; None where the volume shows no head.

    Parameters
    ----------
    volume
        CT in HU is parted from air at -300 HU, anything else by Otsu's limit.
    most_faces
        As for `surface`.
    """
    tissue, geometry = coarse_tissue(volume)
    return skin_of(tissue, geometry, most_faces=most_faces)


def skin_of(
    tissue: BoolArray, geometry: Geometry, *, most_faces: int = MOST_FACES
) -> Surface | None:
    """The skin from what `coarse_tissue` found; None where that is no head."""
    solid = body(tissue, geometry)
    if not is_head_sized(solid, geometry):
        return None
    return surface(solid, geometry, most_faces=most_faces)


def coarse_tissue(volume: Volume) -> tuple[BoolArray, Geometry]:
    """Where the image is brighter than air, on voxels of some 2.5 mm.

    Returns
    -------
    tuple
        bool `[k, j, i]` and its geometry; all False where the image has one value only.
    """
    image, at = _level(volume)
    factors = _factors(at)
    means = _means(image, factors)
    geometry = at.coarser(factors)
    if volume.unit == "HU":
        return means > AIR_HU, geometry
    finite = np.nan_to_num(means, nan=float(np.nanmin(means)) if means.size else 0.0)
    low, high = float(finite.min()), float(np.percentile(finite, 99.5))
    if not low < high:
        return np.zeros(means.shape, bool), geometry
    counts = np.histogram(finite, _BINS, (low, high))[0]
    # Skin and fat are the dark part of what is not air: half way down to it.
    limit = best_split(counts, low, high)[0]
    return finite > low + (limit - low) * 0.6, geometry


def body(tissue: BoolArray, geometry: Geometry) -> BoolArray:
    """The largest connected part, thin things taken off, and all that the air cannot reach."""
    ball = _ball(_NOISE_MM / 2.0, geometry)
    opened = ndimage.binary_opening(np.pad(tissue, 1, mode="edge"), ball)[1:-1, 1:-1, 1:-1]
    islands, count = ndimage.label(opened)
    if count == 0:
        return np.zeros(tissue.shape, bool)
    sizes = np.bincount(islands.ravel())
    sizes[0] = 0
    solid = islands == int(sizes.argmax())
    inside = _within(solid, geometry)
    filled: BoolArray = ndimage.binary_fill_holes(solid | inside)
    return filled


def is_head_sized(solid: BoolArray, geometry: Geometry) -> bool:
    """Whether the body is no wider and no deeper than a head, and not cut off at the sides.

    The axes are those nearest to the patient's own, whatever the array's.
    """
    if not solid.any():
        return False
    axes = geometry.canonical
    laid = axes.apply(solid)
    spacing = geometry.laid_out(axes).spacing_mm
    wide, deep = (np.flatnonzero(laid.any(axis=others)) for others in ((0, 1), (0, 2)))
    tall = np.flatnonzero(laid.any(axis=(1, 2)))
    sizes_mm = [
        (int(found[-1]) - int(found[0]) + 1) * step
        for found, step in zip((tall, deep, wide), spacing, strict=True)
    ]
    return (
        sizes_mm[2] <= _WIDEST_MM and sizes_mm[1] <= _DEEPEST_MM and min(sizes_mm[1:]) >= 100.0
        and sizes_mm[0] >= 60.0
    )  # fmt: skip


# How


def _within(solid: BoolArray, geometry: Geometry) -> BoolArray:
    """What is deep in the body, airways too: with nostrils shut and the cut ends of the body.

    Not up to its surface, so that nothing is added to a face.
    """
    ball = _ball(_AIRWAY_MM / 2.0, geometry)
    room = [(int(n) + 1, int(n) + 1) for n in (np.asarray(ball.shape) // 2)]
    shut = ndimage.binary_closing(np.pad(solid, room), ball)
    (k, _), (j, _), (i, _) = room
    shut = shut[k:-k, j:-j, i:-i]
    for end in (0, -1):
        shut[end] = ndimage.binary_fill_holes(shut[end])
    whole = ndimage.binary_fill_holes(np.pad(shut, ((1, 1), (0, 0), (0, 0)), mode="edge"))
    deep: BoolArray = ndimage.binary_erosion(whole[1:-1], ball, border_value=1)
    return deep


def _level(volume: Volume) -> tuple[Grid, Geometry]:
    """The coarsest level of the pyramid that is fine enough."""
    chosen: tuple[Grid, Geometry] = (volume.levels[0], volume.geometry)
    for level in volume.levels[1:]:
        k, j, i = (round(a / b) for a, b in zip(volume.shape, level.shape, strict=True))
        geometry = volume.geometry.coarser((max(k, 1), max(j, 1), max(i, 1)))
        if geometry.shape == tuple(level.shape) and min(geometry.spacing_mm) <= _STEP_MM:
            chosen = (level, geometry)
    return chosen


def _factors(geometry: Geometry) -> Index:
    k, j, i = (
        min(max(1, round(_STEP_MM / step)), n)
        for step, n in zip(geometry.spacing_mm, geometry.shape, strict=True)
    )
    return (k, j, i)


def _means(image: Grid, factors: Index) -> npt.NDArray[np.float32]:
    """Means of blocks, read slab by slab; those cut off at the far border are means, too."""
    slabs: list[npt.NDArray[np.float32]] = []
    depth = factors[0] * max(1, _SLAB // factors[0])
    for start in range(0, image.shape[0], depth):
        part: npt.NDArray[Any] = np.asarray(image[start : start + depth])
        pads = [(0, -n % factor) for n, factor in zip(part.shape, factors, strict=True)]
        slabs.append(coarser(np.pad(part, pads, mode="edge"), factors))
    return np.concatenate(slabs)


def _ball(radius_mm: float, geometry: Geometry) -> BoolArray:
    """The voxels whose centres are within the radius of one of them."""
    reach = [int(radius_mm / step) for step in geometry.spacing_mm]
    offsets = np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij")
    spread = np.stack(offsets, axis=-1) * np.asarray(geometry.spacing_mm)
    near: BoolArray = np.linalg.norm(spread, axis=-1) <= radius_mm
    return near
