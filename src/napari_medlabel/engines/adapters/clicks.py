"""Prompts for networks that know clicks only, and what prompts say whatever a network answers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.geometry import BoolArray, Index
from napari_medlabel.core.prompt import Box, Lasso, Point, Prompt, Scribble, voxels_of
from napari_medlabel.core.region import Box as Sides
from napari_medlabel.engines.answers import around_both
from napari_medlabel.engines.engine import Answer

__all__ = ["Click", "as_clicks", "corrected", "kept_to"]

_ALONG: Final = 8  # clicks that stand for a scribble


@dataclass(frozen=True, slots=True)
class Click:
    """A voxel that belongs to the object, or does not."""

    kji: Index
    include: bool


def as_clicks(prompts: Iterable[Prompt], shape: Index) -> tuple[Click, ...]:
    """Clicks that say what prompts do, as nearly as clicks can.

    A scribble becomes clicks along it, a lasso one well inside its outline, an including box one in
    its middle. What an excluding box or lasso covers is left to `kept_to`.
    """
    found: list[Click] = []
    for prompt in prompts:
        voxels = _standing_for(prompt, shape)
        found += [Click((int(k), int(j), int(i)), prompt.include) for k, j, i in voxels]
    return tuple(found)


def kept_to(answer: Answer, prompts: Sequence[Prompt], shape: Index) -> Answer:
    """The answer with what prompts say for certain.

    Voxels of clicks and scribbles are as they say. Nothing lies outside of an including 3-D box,
    nor in an excluding box or lasso, but what an including click says. Islands that no including
    prompt lies in are left out, where one lies in any.
    """
    box, probability = _with_room(answer, prompts, shape)
    _leave_islands(box, probability, prompts, shape)
    for prompt in prompts:
        if isinstance(prompt, Box) and prompt.include and prompt.thin_axis is None:
            inside = np.zeros(probability.shape, bool)
            inside[_within(prompt, box)] = True
            probability[~inside] = 0.0
        elif isinstance(prompt, Box) and not prompt.include:
            probability[_within(prompt, box)] = 0.0
        elif isinstance(prompt, Lasso) and not prompt.include:
            probability[_at(voxels_of(prompt, shape), box)] = 0.0
    for prompt in prompts:
        if isinstance(prompt, Point | Scribble):
            probability[_at(voxels_of(prompt, shape), box)] = np.float32(prompt.include)
    return Answer(box, probability)


def corrected(base: Answer, found: Answer, prompts: Sequence[Prompt], shape: Index) -> Answer:
    """An object that was there before, changed only where prompts ask for it.

    An including prompt brings the part of `found` that it lies in; an excluding one takes away the
    part of `base` that it lies in and that `found` does not hold.
    """
    box = around_both(base.box, found.box)
    old, new = _on(base, box), _on(found, box)
    old_mask, new_mask = old > 0.5, new > 0.5
    more = _parts(new_mask, _voxels(prompts, shape, include=True), box)
    less = _parts(old_mask & ~new_mask, _voxels(prompts, shape, include=False), box)
    values = np.where(more & ~old_mask, new, old)
    values[less] = new[less]
    return Answer(box, values)


def _standing_for(prompt: Prompt, shape: Index) -> npt.NDArray[np.intp]:
    if isinstance(prompt, Point):
        return np.array([prompt.kji], np.intp)
    if isinstance(prompt, Box):
        if not prompt.include:
            return np.zeros((0, 3), np.intp)
        low, high = np.maximum(prompt.low, 0), np.minimum(prompt.high, np.array(shape) - 1)
        return np.array([(low + high) // 2], np.intp)
    voxels = voxels_of(prompt, shape)
    if isinstance(prompt, Scribble):
        steps = np.linspace(0, len(voxels) - 1, min(_ALONG, len(voxels)))
        return np.asarray(voxels[np.round(steps).astype(np.intp)])
    if not prompt.include:
        return np.zeros((0, 3), np.intp)
    return np.asarray(voxels[[_deepest(voxels, prompt.plane[0])]])


def _deepest(voxels: npt.NDArray[np.intp], axis: int) -> int:
    """Which of a slice's voxels lies farthest from the others' border."""
    flat = np.delete(voxels, axis, axis=1)
    low = flat.min(axis=0) - 1
    drawn = np.zeros(flat.max(axis=0) - low + 2, bool)
    drawn[tuple((flat - low).T)] = True
    depth = ndimage.distance_transform_edt(drawn)
    return int(np.argmax(depth[tuple((flat - low).T)]))


def _with_room(
    answer: Answer, prompts: Sequence[Prompt], shape: Index
) -> tuple[Sides, npt.NDArray[np.float32]]:
    """A copy of the answer in a box that holds all including clicks and scribbles too."""
    own = _voxels(
        [one for one in prompts if isinstance(one, Point | Scribble)], shape, include=True
    )
    box = answer.box
    if len(own):
        low, high = own.min(axis=0), own.max(axis=0) + 1
        k, j, i = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        box = around_both(box, (k, j, i))
    return box, _on(answer, box)


def _leave_islands(
    box: Sides, probability: npt.NDArray[np.float32], prompts: Sequence[Prompt], shape: Index
) -> None:
    islands, count = ndimage.label(probability > 0.5)
    if count < 2:
        return
    clicks = np.array([c.kji for c in as_clicks(prompts, shape) if c.include], np.intp)
    hit = np.unique(islands[_at(clicks.reshape(-1, 3), box)])
    hit = hit[hit > 0]
    if hit.size:
        probability[(islands > 0) & ~np.isin(islands, hit)] = 0.0


def _voxels(prompts: Sequence[Prompt], shape: Index, *, include: bool) -> npt.NDArray[np.intp]:
    """Voxels that prompts of one sign point at."""
    found = [
        voxels_of(one, shape) if isinstance(one, Point | Scribble) else _standing_for(one, shape)
        for one in prompts
        if one.include == include
    ]
    return np.concatenate([np.zeros((0, 3), np.intp), *found])


def _parts(mask: BoolArray, voxels: npt.NDArray[np.intp], box: Sides) -> BoolArray:
    """The islands of a mask that voxels lie in."""
    islands, _count = ndimage.label(mask)
    hit = np.unique(islands[_at(voxels, box)])
    found: BoolArray = (islands > 0) & np.isin(islands, hit[hit > 0])
    return found


def _at(voxels: npt.NDArray[np.intp], box: Sides) -> tuple[npt.NDArray[np.intp], ...]:
    """Those of voxels that lie in a box, counted from its corner."""
    own = voxels - [side.start for side in box]
    sizes = [side.stop - side.start for side in box]
    k, j, i = own[((own >= 0) & (own < sizes)).all(axis=1)].T
    return k, j, i


def _within(prompt: Box, box: Sides) -> Sides:
    k, j, i = (
        slice(max(low - side.start, 0), max(high + 1 - side.start, 0))
        for low, high, side in zip(prompt.low, prompt.high, box, strict=True)
    )
    return k, j, i


def _on(answer: Answer, box: Sides) -> npt.NDArray[np.float32]:
    """An answer's probability in a box that holds its own; a copy."""
    whole = np.zeros([side.stop - side.start for side in box], np.float32)
    if answer.probability.size:
        k, j, i = (
            slice(a.start - b.start, a.stop - b.start) for a, b in zip(answer.box, box, strict=True)
        )
        whole[k, j, i] = answer.probability
    return whole
