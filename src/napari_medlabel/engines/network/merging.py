"""What of a new answer is taken: the parts of the change that the new prompt touches."""

from typing import Final

import numpy as np
from scipy import ndimage

from napari_medlabel.core.prompt import Indices
from napari_medlabel.core.region import Box as Sides
from napari_medlabel.engines.answers import around_both, part_of, widened
from napari_medlabel.engines.engine import Answer

__all__ = ["merged"]

_AROUND: Final = (
    (0, 0, 0), (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1),
)  # fmt: skip
_MOST_LABELLED: Final = 4_000_000  # voxels


def merged(old: Answer, new: Answer, touched: Indices) -> Answer:
    """The old answer, but for those changed parts that a prompt touches."""
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
