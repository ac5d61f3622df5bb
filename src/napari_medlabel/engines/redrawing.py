"""The border of an answer on voxels, redrawn by the image on as many samples as time allows."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy import ndimage

from napari_medlabel.core.geometry import BoolArray, FloatArray
from napari_medlabel.core.prompt import Point, Prompt, Scribble, voxels_of
from napari_medlabel.core.region import Box as Sides
from napari_medlabel.engines.appearance import redrawn
from napari_medlabel.engines.engine import ProbabilityArray
from napari_medlabel.engines.sampling import Pyramid, linear, resampled

__all__ = ["border_moves"]

_MOST_SAMPLES: Final = 300_000
_COARSER: Final = 1.12
_HELD: Final = 2  # samples around a click that stay as they are
_LEAST: Final = 1e-3  # smaller changes are none
_DROPPED: Final = 0.3  # the most that is left of an island that redrawing cut off


def border_moves(
    share: ProbabilityArray, box: Sides, pyramid: Pyramid, prompts: Sequence[Prompt]
) -> tuple[Sides, ProbabilityArray]:
    """What to add to an answer's probability for a border where the image shows one: `redrawn`.

    Parameters
    ----------
    share
        float32, the box's shape. To what is 0 nothing is to be added.
    box
        Where it lies in the volume.
    pyramid
        The image.
    prompts
        Around clicks and scribbles nothing changes; what is cut off from all of them is left out.

    Returns
    -------
    tuple
        Where in `share` something changes, and by how much, float32; sums may leave [0, 1].
    """
    nothing = (slice(0, 0),) * 3, np.zeros((0, 0, 0), np.float32)
    if min(share.shape) == 0:
        return nothing
    mm = pyramid.spacing_mm
    step_mm = _steps(share.shape, mm)
    places = [_places(side, mm[n], step_mm[n]) for n, side in enumerate(box)]
    few = resampled(
        share,
        [linear(own / mm[n] - box[n].start, share.shape[n]) for n, own in enumerate(places)],
    )
    np.clip(few, 0.0, 1.0, out=few)
    values = pyramid.values(places, float(step_mm.min()))
    found = np.where(few > 0.0, redrawn(few, values, step_mm), few)
    clicks = _at(prompts, pyramid, places, step_mm, include=None)
    found = np.where(ndimage.binary_dilation(clicks, iterations=_HELD), few, found)
    wanted = _at(prompts, pyramid, places, step_mm, include=True)
    found = np.where(_cut_off(found > 0.5, wanted), np.minimum(found, _DROPPED), found)
    change = (found - few).astype(np.float32)
    where, matrices = [], []
    for axis, own in enumerate(places):
        hits = np.flatnonzero((np.abs(change) > _LEAST).any(axis=_others(axis)))
        if not hits.size:
            return nothing
        ends = own[[max(hits[0] - 1, 0), min(hits[-1] + 1, len(own) - 1)]] / mm[axis]
        first, last = np.ceil(ends[0] - 1e-6), np.floor(ends[1] + 1e-6)
        last = share.shape[axis] + box[axis].start - 1 if hits[-1] == len(own) - 1 else last
        at = np.arange(int(first), int(last) + 1)
        where.append(slice(int(first) - box[axis].start, int(last) + 1 - box[axis].start))
        matrices.append(linear((at * mm[axis] - own[0]) / step_mm[axis], len(own)))
    sides: Sides = (where[0], where[1], where[2])
    moved = resampled(change, matrices)
    moved *= share[sides] > 0.0
    return sides, moved


def _others(axis: int) -> tuple[int, ...]:
    return tuple(n for n in range(3) if n != axis)


def _steps(shape: tuple[int, ...], spacing_mm: FloatArray) -> FloatArray:
    """From sample to sample along each axis: voxels, or equal millimetres where they are many."""
    extent = np.multiply(shape, spacing_mm)
    step = float(spacing_mm.min())
    while np.ceil(extent / np.maximum(spacing_mm, step)).prod() > _MOST_SAMPLES:
        step *= _COARSER
    return np.asarray(np.maximum(spacing_mm, step), np.float64)


def _places(side: slice, spacing_mm: float, step_mm: float) -> FloatArray:
    """Samples' places along an axis, mm; the first is on the first voxel."""
    first, last = side.start * spacing_mm, (side.stop - 1) * spacing_mm
    return np.asarray(first + np.arange(int((last - first) / step_mm + 1e-6) + 1) * step_mm)


def _at(
    prompts: Sequence[Prompt],
    pyramid: Pyramid,
    places: Sequence[FloatArray],
    step_mm: FloatArray,
    *,
    include: bool | None,
) -> BoolArray:
    """Samples next to clicks and scribbles: those that include, that exclude, or all."""
    found = np.zeros([len(own) for own in places], bool)
    starts = np.array([own[0] for own in places])
    for prompt in prompts:
        if isinstance(prompt, Point | Scribble) and include in {None, prompt.include}:
            own = voxels_of(prompt, pyramid.shape) * pyramid.spacing_mm
            at = np.round((own - starts) / step_mm).astype(np.intp)
            k, j, i = at[((at >= 0) & (at < found.shape)).all(axis=1)].T
            found[k, j, i] = True
    return found


def _cut_off(mask: BoolArray, wanted: BoolArray) -> BoolArray:
    """Islands that hold nothing wanted, where some do."""
    islands, count = ndimage.label(mask)
    kept = np.setdiff1d(islands[wanted], [0])
    if count < 2 or not kept.size:
        return np.zeros(mask.shape, bool)
    return np.asarray((islands > 0) & ~np.isin(islands, kept))
