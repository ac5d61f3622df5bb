"""Who reaches a sample first: fronts from what is included, or from what is not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage

from napari_medlabel.core.geometry import BoolArray, FloatArray
from napari_medlabel.core.prompt import Box, Lasso, Point, Prompt, Scribble, voxels_of
from napari_medlabel.core.region import Stop
from napari_medlabel.engines.fronts import FAR, FloatGrid, spread
from napari_medlabel.engines.sampling import SIDE, Lattice, Patch

__all__ = ["Bout", "Seeds", "compete", "seeds_of"]

_EDGE: Final = 38.0  # samples that a step over the whole range of values costs
_UNLIKE: Final = 6.0  # how much tissue unlike the clicked one slows the including front
_BARRED: Final = 50.0  # the same outside of the volume
_SMOOTH: Final = 0.6  # samples: against noise
_HEAD_START: Final = 20.0  # samples a prompt has before the last answer, by the root of their count
_ROUGH: Final = 2.0  # samples a click has before a lasso's inside
_CORE: Final = 0.4  # of a box, in its middle: where the object is to be expected
_SURE: Final = 0.65  # what of the last answer holds until a prompt says otherwise
_SPREAD: Final = (0.02, 0.12)  # of the values at a prompt, of their range
_TASTES: Final = 8  # places of a prompt at which values are looked at


@dataclass(frozen=True, slots=True, eq=False)
class Seeds:
    """Where fronts start: fractional places in mm, `[n, 3]`, and after how many samples.

    `firm` is of prompts that were meant voxel by voxel: clicks and scribbles.
    """

    places_mm: FloatArray
    include: bool
    delay: float = 0.0
    firm: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Bout:
    """What a competition on one patch came to: float32 and bool, `[SIDE, SIDE, SIDE]`.

    `values` are the image's by their range on the patch, smoothed.
    """

    patch: Patch
    values: FloatGrid
    probability: FloatGrid


def seeds_of(
    prompts: Sequence[Prompt], spacing_mm: FloatArray, shape: tuple[int, int, int]
) -> list[Seeds]:
    """Where the fronts of prompts start; of a box's outside see `compete`."""
    found = []
    for prompt in prompts:
        if isinstance(prompt, Point | Scribble):
            places = voxels_of(prompt, shape) * spacing_mm
            found.append(Seeds(places, prompt.include))
        elif isinstance(prompt, Lasso):
            places = voxels_of(prompt, shape) * spacing_mm
            found.append(Seeds(places, prompt.include, _ROUGH, firm=False))
        elif prompt.include:
            found.append(Seeds(_core(prompt) * spacing_mm, include=True, firm=False))
    return found


def compete(  # noqa: PLR0913  # what a bout is made of
    patches: Sequence[Patch],
    prompts: Sequence[Prompt],
    spacing_mm: FloatArray,
    shape: tuple[int, int, int],
    *,
    last: FloatGrid | None = None,
    cancelled: Stop,
) -> list[Bout]:
    """Let the fronts of prompts compete on patches.

    The patch's faces count as excluded, where they lie in the volume. The probability is the share
    of the excluding front's way: 1 at included prompts, 0 at excluded ones, 0.5 where both meet.

    Parameters
    ----------
    patches
        Any number; together they cost little more than one.
    prompts
        All so far.
    spacing_mm, shape
        Of the voxels that prompts are of.
    last
        The last answer's probability on the patch, where there is but one; it holds where no
        prompt says otherwise.
    cancelled
        Polled.
    """
    image = np.stack([_by_range(patch) for patch in patches])
    inside = np.stack([patch.inside for patch in patches])
    away = np.full((2, *image.shape), FAR, np.float32)  # [include, exclude]
    like = np.zeros_like(image)
    seeds = seeds_of(prompts, spacing_mm, shape)
    head_start = _HEAD_START / np.sqrt(len(prompts))
    for n, patch in enumerate(patches):
        _start_at_faces(away[1, n], patch.inside)
        for prompt in prompts:
            _start_beside(away[1, n], prompt, patch.lattice, spacing_mm)
        if last is not None:
            away[0, n][last > _SURE] = head_start
            outside = (last < 1.0 - _SURE) & patch.inside
            away[1, n][outside] = np.minimum(away[1, n][outside], head_start)
        for seed in seeds:
            at = _samples(seed, patch.lattice)
            if seed.include:
                np.maximum(like[n], _likeness(image[n], at), out=like[n])
            away[0 if seed.include else 1, n][at[:, 0], at[:, 1], at[:, 2]] = seed.delay
            if seed.firm:
                away[1 if seed.include else 0, n][at[:, 0], at[:, 1], at[:, 2]] = FAR
    barred = _BARRED * ~inside
    slow = np.stack([1.0 + _UNLIKE * (1.0 - like) + barred, 1.0 + barred])
    flat = (2 * len(patches), SIDE, SIDE, SIDE)
    spread(
        away.reshape(flat), np.concatenate([image, image]),
        slow.reshape(flat).astype(np.float32), edge=_EDGE, cancelled=cancelled,
    )  # fmt: skip
    share = away[1] / (away[0] + away[1] + 1e-6)
    share[~inside] = 0.0
    rows = zip(patches, image, share.astype(np.float32), strict=True)
    return [Bout(patch, values, own) for patch, values, own in rows]


def _by_range(patch: Patch) -> FloatGrid:
    smooth = ndimage.gaussian_filter(patch.values, _SMOOTH)
    inside = patch.values[patch.inside]
    low, high = np.percentile(inside, (2, 98)) if inside.size else (0.0, 0.0)
    width = max(float(high - low), 1e-3 * float(np.ptp(patch.values)), 1e-9)
    return np.asarray(smooth / np.float32(width), np.float32)


def _start_at_faces(away: FloatGrid, inside: BoolArray) -> None:
    for axis in range(3):
        for end in (0, -1):
            face = (slice(None),) * axis + (end,)
            away[face][inside[face]] = 0.0


def _start_beside(
    away: FloatGrid, prompt: Prompt, lattice: Lattice, spacing_mm: FloatArray
) -> None:
    """Exclude what is beside a box, on its slice if thin; of an excluding one what is in it."""
    if isinstance(prompt, Lasso) and prompt.include:
        prompt = _bounds(prompt)
    if not isinstance(prompt, Box):
        return
    near = [
        (lattice.along(n) >= (prompt.low[n] - 0.5) * spacing_mm[n] - lattice.step_mm / 2.0)
        & (lattice.along(n) <= (prompt.high[n] + 0.5) * spacing_mm[n] + lattice.step_mm / 2.0)
        for n in range(3)
    ]
    within = np.zeros((SIDE, SIDE, SIDE), bool)
    within[np.ix_(*near)] = True
    if not prompt.include:
        away[within] = 0.0
        return
    beside, thin = ~within, prompt.thin_axis
    if thin is not None:  # it says nothing of other slices
        beside &= near[thin].reshape([-1 if axis == thin else 1 for axis in range(3)])
    away[beside] = 0.0


def _core(box: Box) -> FloatArray:
    """Places in the middle of a box, as indices: an ellipsoid of them."""
    ball = np.stack(np.meshgrid(*[np.linspace(-1.0, 1.0, 17)] * 3, indexing="ij"), -1).reshape(
        -1, 3
    )
    ball = ball[np.linalg.norm(ball, axis=1) <= 1.0]
    low, high = np.asarray(box.low, np.float64), np.asarray(box.high, np.float64)
    places: FloatArray = (low + high) / 2.0 + ball * _CORE * (high - low) / 2.0
    return places


def _bounds(lasso: Lasso) -> Box:
    """The box drawn on the lasso's slice around it."""
    corners = np.array(lasso.kji)
    low, high = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
    return Box((int(low[0]), int(low[1]), int(low[2])), (int(high[0]), int(high[1]), int(high[2])))


def _samples(seed: Seeds, lattice: Lattice) -> np.ndarray[tuple[int, int], np.dtype[np.intp]]:
    """The samples next to the seed's places, `[n, 3]`, each once."""
    near = np.round(lattice.samples_at(seed.places_mm)).astype(np.intp)
    on_it = near[((near >= 0) & (near < SIDE)).all(axis=1)]
    return np.asarray(np.unique(on_it, axis=0), np.intp)


def _likeness(image: FloatGrid, at: np.ndarray[tuple[int, int], np.dtype[np.intp]]) -> FloatGrid:
    """How like the tissue at one of the samples the image is: 1 alike, 0 not at all."""
    like = np.zeros_like(image)
    for sample in at[:: max(len(at) // _TASTES, 1)]:
        k, j, i = (slice(max(n - 1, 0), n + 2) for n in sample)
        middle = image[k, j, i].mean()
        k, j, i = (slice(max(n - 2, 0), n + 3) for n in sample)
        width = 2.0 * np.clip(image[k, j, i].std(), *_SPREAD)
        np.maximum(like, np.exp(-0.5 * ((image - middle) / width) ** 2), out=like)
    return like
