"""Prompts as the network sees them on a patch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage

from napari_medlabel.core.geometry import BoolArray, FloatArray
from napari_medlabel.core.prompt import Box, Lasso, Point, Prompt, Scribble, voxels_of
from napari_medlabel.engines.network.encoding import FloatGrid, Sight
from napari_medlabel.engines.sampling import Lattice, Patch

__all__ = ["obeyed", "sight_of"]

_CORE: Final = 0.5  # of an outline's depth: what is deeper is surely meant
_MOST_PLACES: Final = 48  # of an outline or a box
_SURE: Final = 0.9  # the probability at a click, falling off around it
_NARROW: Final = 1.2  # samples, the deviation of that


@dataclass(frozen=True, slots=True)
class _Image:
    spacing_mm: FloatArray
    shape: tuple[int, int, int]


def sight_of(
    patch: Patch,
    prompts: Sequence[Prompt],
    spacing_mm: FloatArray,
    shape: tuple[int, int, int],
    previous: FloatGrid | None = None,
) -> Sight:
    """A patch with what prompts say about it.

    Parameters
    ----------
    patch
        Of the image.
    prompts
        All so far, in order.
    spacing_mm, shape
        Of the voxels that prompts are of.
    previous
        The last answer's probability on the patch.
    """
    image, lattice = _Image(spacing_mm, shape), patch.lattice
    include, exclude = [np.zeros((0, 3))], [np.zeros((0, 3))]
    within, beside = None, None
    for prompt in prompts:
        own = include if prompt.include else exclude
        if isinstance(prompt, Point | Scribble):
            own.append(_each_once(_samples(prompt, lattice, image)))
        elif isinstance(prompt, Lasso):
            own.append(_core_of(prompt, lattice, image))
        box = _box_of(prompt)
        if box is None:
            continue
        inside, outside = _boxed(box, lattice, image)
        if prompt.include:
            within = inside if within is None else within & inside
            beside = outside if beside is None else beside | outside
        elif isinstance(prompt, Box):
            beside = inside if beside is None else beside | inside
    return Sight(
        patch.values, patch.inside, np.concatenate(include), np.concatenate(exclude),
        within, beside, previous,
    )  # fmt: skip


def obeyed(probability: FloatGrid, sight: Sight) -> FloatGrid:
    """The probability where no prompt is contradicted: at clicks, and beside boxes."""
    found = probability.copy()
    if sight.beside is not None:
        found[sight.beside] = 0.0
    for places, include in ((sight.include, True), (sight.exclude, False)):
        for place in places:
            _heed(found, place, include=include)
    return found


def _heed(found: FloatGrid, place: FloatArray, *, include: bool) -> None:
    middle = np.round(place).astype(np.intp)
    low, high = np.maximum(middle - 3, 0), np.minimum(middle + 4, found.shape[0])
    if (low >= high).any():
        return
    k, j, i = ((np.arange(a, b) - p) ** 2 for a, b, p in zip(low, high, place, strict=True))
    away = k[:, None, None] + j[None, :, None] + i[None, None, :]
    sure = np.float32(_SURE) * np.exp(-0.5 * away / _NARROW**2).astype(np.float32)
    part = found[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    if include:
        np.maximum(part, sure, out=part)
    else:
        np.minimum(part, 1.0 - sure, out=part)


def _samples(prompt: Prompt, lattice: Lattice, image: _Image) -> FloatArray:
    return lattice.samples_at(voxels_of(prompt, image.shape) * image.spacing_mm)


def _each_once(samples: FloatArray) -> FloatArray:
    """One place of those next to the same sample."""
    if len(samples) < 2:
        return samples
    _, first = np.unique(np.round(samples).astype(np.intp), axis=0, return_index=True)
    return np.asarray(samples[np.sort(first)])


def _core_of(lasso: Lasso, lattice: Lattice, image: _Image) -> FloatArray:
    """Some places well inside of an outline."""
    voxels = voxels_of(lasso, image.shape)
    if not len(voxels):
        return np.zeros((0, 3))
    axis, _ = lasso.plane
    plane = np.delete(voxels, axis, axis=1)
    corner = plane.min(axis=0) - 1
    drawn = np.zeros(plane.max(axis=0) - corner + 2, bool)
    drawn[tuple((plane - corner).T)] = True
    depth = ndimage.distance_transform_edt(drawn, sampling=np.delete(image.spacing_mm, axis))
    own = depth[tuple((plane - corner).T)]
    core = voxels[own >= _CORE * own.max()]
    samples = _each_once(lattice.samples_at(core * image.spacing_mm))
    return np.asarray(samples[:: max(-(-len(samples) // _MOST_PLACES), 1)])


def _box_of(prompt: Prompt) -> Box | None:
    """A box, or the box around an outline on its slice."""
    if isinstance(prompt, Box):
        return prompt
    if not isinstance(prompt, Lasso):
        return None
    corners = np.array(prompt.kji)
    low, high = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
    return Box((int(low[0]), int(low[1]), int(low[2])), (int(high[0]), int(high[1]), int(high[2])))


def _boxed(box: Box, lattice: Lattice, image: _Image) -> tuple[BoolArray, BoolArray]:
    """Samples within a box, and those beside it: of a thin one on its slice only."""
    slack = lattice.step_mm / 2.0
    near = [
        (lattice.along(n) >= (box.low[n] - 0.5) * image.spacing_mm[n] - slack)
        & (lattice.along(n) <= (box.high[n] + 0.5) * image.spacing_mm[n] + slack)
        for n in range(3)
    ]
    within = np.zeros((lattice.side,) * 3, bool)
    within[np.ix_(*near)] = True
    beside, thin = ~within, box.thin_axis
    if thin is not None:
        beside &= near[thin].reshape([-1 if axis == thin else 1 for axis in range(3)])
    return within, beside
