"""Looking at a whole image patch by patch: where patches lie, and how their answers are joined.

Overlapping answers are weighted by a Gaussian around each patch's middle, as MONAI's
`sliding_window_inference` does (sigma one eighth of the patch).
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import Index
from napari_medlabel.core.region import Stop, check_not_stopped

__all__ = ["centered", "joined", "starts"]

FloatGrid = npt.NDArray[np.float32]
Look = Callable[[Index], FloatGrid | None]

_SIGMA: Final = 0.125
_FAINTEST: Final = 1e-3


def starts(shape: Index, patch: Index, overlap: float) -> Iterator[Index]:
    """Where patches begin that cover an image; a smaller image lies in the middle of one."""
    along = []
    for count, side in zip(shape, patch, strict=True):
        if count <= side:
            along.append([(count - side) // 2])
            continue
        step = max(int(side * (1.0 - overlap)), 1)
        last = count - side
        along.append(sorted({*range(0, last, step), last}))
    yield from ((k, j, i) for k, j, i in product(*along))


def centered(sample: npt.ArrayLike, shape: Index, patch: Index) -> Index:
    """Where a patch around a sample begins, moved so that it covers the image."""
    found = []
    for place, count, side in zip(np.round(np.asarray(sample)), shape, patch, strict=True):
        if count <= side:
            found.append((count - side) // 2)
        else:
            found.append(int(np.clip(int(place) - side // 2, 0, count - side)))
    return (found[0], found[1], found[2])


def joined(  # noqa: PLR0913  # what, where and how
    look: Look, channels: int, shape: Index, patch: Index, overlap: float, *, cancelled: Stop
) -> FloatGrid:
    """The answers of patches that cover an image, `[channel, *shape]`, float32.

    Parameters
    ----------
    look
        The answer, `[channel, *patch]`, of the patch that begins at a sample; None is all 0.
    channels, shape, patch, overlap
        As they say.
    cancelled
        Polled before each patch.
    """
    total = np.zeros((channels, *shape), np.float32)
    weight = np.zeros(shape, np.float32)
    own = _importance(patch)
    for low in starts(shape, patch, overlap):
        check_not_stopped(cancelled)
        found = look(low)
        inside, part = [], []
        for start, side, count in zip(low, patch, shape, strict=True):
            begin, end = max(start, 0), min(start + side, count)
            inside.append(slice(begin, end))
            part.append(slice(begin - start, end - start))
        weight[tuple(inside)] += own[tuple(part)]
        if found is not None:
            total[(slice(None), *inside)] += found[(slice(None), *part)] * own[tuple(part)]
    total /= weight
    return total


def _importance(patch: Index) -> FloatGrid:
    along = []
    for side in patch:
        places = (np.arange(side) - (side - 1) / 2.0) / max(side * _SIGMA, 1e-6)
        along.append(np.exp(-0.5 * places**2))
    k, j, i = along
    whole = k[:, None, None] * j[None, :, None] * i[None, None, :]
    return np.asarray(np.maximum(whole, _FAINTEST), np.float32)
