"""What of a new answer is taken: the parts of the change that the new prompt touches."""

from typing import Final

import numpy as np
from scipy import ndimage

from napari_medlabel.core.geometry import BoolArray, FloatArray
from napari_medlabel.core.prompt import Indices, Point
from napari_medlabel.core.region import Box as Sides
from napari_medlabel.engines.answers import (
    around_both,
    bounds_mm,
    on_lattice,
    part_of,
    widened,
)
from napari_medlabel.engines.engine import Answer
from napari_medlabel.engines.sampling import Lattice

__all__ = ["merged", "reach_mm"]

_AROUND: Final = (
    (0, 0, 0), (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1),
)  # fmt: skip
_REACH: Final = 5.0  # times as far as a late click lies from what it agrees with
_SAMPLES: Final = 48  # along each axis, for that distance
_MOST_LABELLED: Final = 4_000_000  # voxels


def reach_mm(last: Answer, click: Point, spacing_mm: FloatArray) -> float:
    """How far from a late click the last answer may change; inf where nothing tells.

    Who clicks in the middle of an error says how large it is: it lies so far from what is right.
    """
    if not last.mask().any():
        return np.inf
    place = np.multiply(click.kji, spacing_mm)
    half = np.abs(np.array(bounds_mm(last, spacing_mm)) - place).max()
    lattice = Lattice.around(place, 2.2 * float(half), _SAMPLES)
    agreeing = (on_lattice(last, lattice, spacing_mm) > 0.5) == click.include
    if not agreeing.any():
        return np.inf
    steps = np.argwhere(agreeing) - (_SAMPLES - 1) / 2.0
    depth = float(np.sqrt((steps**2).sum(axis=1).min())) * lattice.step_mm
    return _REACH * max(depth, float(spacing_mm.min()))


def merged(
    old: Answer, new: Answer, touched: Indices, spacing_mm: FloatArray, reach: float = np.inf
) -> Answer:
    """The old answer, but for those changed parts that a prompt touches.

    Parameters
    ----------
    old, new
        Answers.
    touched
        The prompt's voxels.
    spacing_mm
        Along k, j, i.
    reach
        How far from the middle of these voxels anything may change, mm.
    """
    box = around_both(old.box, new.box)
    found = widened(new, box)
    thin = 1 if found.size < _MOST_LABELLED else 2
    every = (slice(None, None, thin),) * 3
    before, after = (part_of(one, box, every) > 0.5 for one in (old, new))
    changed = before != after
    parts, _ = ndimage.label(changed)
    at = touched - [side.start for side in box]
    at = at[((at >= 0) & (at < found.shape)).all(axis=1)] // thin
    near = np.unique([parts[tuple(np.clip(at + step, 0, np.subtract(parts.shape, 1)).T)]
                      for step in _AROUND])  # fmt: skip
    stays = changed & ~np.isin(parts, near[near > 0])
    if len(at) and np.isfinite(reach):
        stays |= changed & _far(changed.shape, at.mean(axis=0), spacing_mm * thin, reach)
    if not stays.any():
        return Answer(box, found)
    (few,) = ndimage.find_objects(stays.astype(np.uint8))
    whole = [
        slice(side.start * thin, min(side.stop * thin, n))
        for side, n in zip(few, found.shape, strict=True)
    ]
    own: Sides = (whole[0], whole[1], whole[2])
    part = found[own]
    for axis in range(3):
        stays = stays.take(range(few[axis].start, few[axis].stop), axis)
        stays = stays.repeat(thin, axis).take(range(part.shape[axis]), axis)
    k, j, i = (slice(a.start + b.start, a.stop + b.start) for a, b in zip(own, box, strict=True))
    was = part_of(old, (k, j, i))
    # Where both agree the new shares count: they are of all prompts.
    np.copyto(part, was, where=stays & ((was > 0.5) != (part > 0.5)))
    return Answer(box, found)


def _far(
    shape: tuple[int, ...], middle: FloatArray, step_mm: FloatArray, reach: float
) -> BoolArray:
    """Samples farther from the middle than that."""
    k, j, i = (
        (((np.arange(n) - at) * mm) ** 2).astype(np.float32)
        for n, at, mm in zip(shape, middle, step_mm, strict=True)
    )
    return np.asarray(k[:, None, None] + j[None, :, None] + i[None, None, :] > reach**2)
