"""Of which object somebody drew a box: places are tried in it as if one had been clicked.

A click says what the object looks like, a box does not. So each of some places is taken for a
click; of what the network then sees, that counts which it is surest of and which reaches all six
sides of the box, as the object must.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.prompt import Point
from napari_medlabel.engines.engine import Answer
from napari_medlabel.engines.network.encoding import FloatGrid

__all__ = ["is_in", "likely_places", "reach"]

_PLACES: Final = 5  # and the box's middle
_APART: Final = 0.25  # of the box's longest side: nearer places count less
_UPPER: Final = 70.0  # per cent: what is looked at where nothing is likely
_RIM: Final = 2  # samples at a side of the box

Sample = tuple[int, int, int]


def likely_places(probability: FloatGrid, within: BoolArray) -> list[Sample]:
    """Samples in a box that may be deep in its object, the likeliest first, the middle last.

    Parameters
    ----------
    probability
        What the network sees with nothing but the box, `[s, s, s]`.
    within
        Samples in the box; at least one.
    """
    inside = probability * within
    object_like = inside > 0.5
    if not object_like.any():
        object_like = within & (inside >= np.percentile(inside[within], _UPPER))
    places = np.argwhere(within)
    apart = max(_APART * float(np.ptp(places, axis=0).max()), 1.0)
    weight = ndimage.distance_transform_edt(object_like)
    grid = np.indices(weight.shape, sparse=True)
    found: list[Sample] = []
    while len(found) < _PLACES and weight.max() > 0.0:
        found.append(_sample(np.unravel_index(int(weight.argmax()), weight.shape)))
        away = np.sqrt(sum((axis - at) ** 2 for axis, at in zip(grid, found[-1], strict=True)))
        weight = weight * np.minimum(away / apart, 1.0)
    middle = _sample(np.round(places.mean(axis=0)).astype(int))
    return found if middle in found else [*found, middle]


def reach(probability: FloatGrid, within: BoolArray) -> float:
    """How much of an object is at the sides of its box: from 0, at none, to 1, at all six."""
    places = np.argwhere(within)
    k, j, i = (slice(a, b + 1) for a, b in zip(places.min(axis=0), places.max(axis=0), strict=True))
    box = probability[k, j, i]
    ends: list[float] = []
    for axis in range(3):
        along = box.max(axis=tuple(n for n in range(3) if n != axis))
        ends += [float(along[:_RIM].max()), float(along[-_RIM:].max())]
    return float(np.mean(ends))


def is_in(answer: Answer, place: Point) -> bool:
    """Whether a voxel is in the object of an answer."""
    at = [n - side.start for n, side in zip(place.kji, answer.box, strict=True)]
    there = all(0 <= n < size for n, size in zip(at, answer.probability.shape, strict=True))
    return there and bool(answer.probability[tuple(at)] > 0.5)


def _sample(at: npt.ArrayLike) -> Sample:
    k, j, i = np.asarray(at, int).tolist()
    return (k, j, i)
