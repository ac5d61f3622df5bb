"""What the network sees of a patch: the image and the prompts, as channels.

Training and answering share it, so that the one never shows the network what the other does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import BoolArray, FloatArray
from napari_medlabel.core.region import Stop, never
from napari_medlabel.engines.fronts import FAR, spread

__all__ = ["CHANNELS", "Sight", "encoded"]

CHANNELS: Final = (
    "intensity",  # by the patch's own range
    "window",  # around the first included place's value
    "like included",
    "like excluded",
    "included",
    "excluded",
    "previous",
    "near included",  # geodesically
    "near excluded",
    "boxed",
    "outside",  # of the volume
)

_BALL: Final = 1.8  # samples, the deviation of a click's ball
_REACH: Final = 5  # samples of it that are drawn
_EDGE: Final = 38.0  # half-resolution samples that a step over the whole range costs
_NEAR: Final = 8.0  # half-resolution samples at which nearness has fallen to 1 / e
_WIDTHS: Final = (0.015, 0.15)  # of the range: how far tissue at a place may vary
_TIE: Final = 1e-3  # samples
_TASTES: Final = 12  # places of one kind at which values are looked at

FloatGrid = npt.NDArray[np.float32]
_NONE: Final = np.zeros((0, 3))


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A patch and what was said about it.

    Parameters
    ----------
    values
        float32 `[s, s, s]`, s even; finite.
    inside
        bool, which samples lie in the volume.
    include, exclude
        Fractional sample numbers of included and excluded places, `[n, 3]`; they may lie outside.
    within
        bool: inside of the boxes.
    beside
        bool: where nothing of the object can be, such as beside a box.
    previous
        The last answer's probability.
    """

    values: FloatGrid
    inside: BoolArray
    include: FloatArray = field(default_factory=lambda: _NONE)
    exclude: FloatArray = field(default_factory=lambda: _NONE)
    within: BoolArray | None = None
    beside: BoolArray | None = None
    previous: FloatGrid | None = None


def encoded(sights: Sequence[Sight], *, cancelled: Stop = never) -> FloatGrid:
    """Channels of patches of one size, float32 `[n, channel, s, s, s]`.

    Raises
    ------
    Cancelled
        If `cancelled` says so.
    """
    side = sights[0].values.shape[0]
    found = np.zeros((len(sights), len(CHANNELS), side, side, side), np.float32)
    ranged = [_by_range(sight) for sight in sights]
    for out, sight, (image, centre) in zip(found, sights, ranged, strict=True):
        out[0] = np.clip(2.0 * (image - np.float32(centre)), -4.0, 4.0)
        include, exclude = _on_patch(sight.include, side), _on_patch(sight.exclude, side)
        for n, (like, m, width) in enumerate(_tastes(image, include)):
            if n == 0:
                np.tanh((image - m) / np.float32(3.0 * width), out=out[1])
            np.maximum(out[2], like, out=out[2])
        for like, _, _ in _tastes(image, exclude):
            np.maximum(out[3], like, out=out[3])
        _draw_balls(out[4], sight.include)
        _draw_balls(out[5], sight.exclude)
        if sight.previous is not None:
            out[6] = sight.previous
        if sight.within is not None:
            out[9] = sight.within
        out[10] = ~sight.inside
    found[:, 7:9] = _nearness([image for image, _ in ranged], sights, cancelled)
    return found


def _by_range(sight: Sight) -> tuple[FloatGrid, float]:
    """Values by the range of those in the volume, and their median; outside the lowest."""
    thinned = sight.values[::2, ::2, ::2][sight.inside[::2, ::2, ::2]]
    known = thinned if thinned.size else sight.values.ravel()
    low, middle, high = np.percentile(known, (2, 50, 98))
    width = max(float(high - low), 1e-3 * float(np.ptp(known)), 1e-9)
    values = np.where(sight.inside, sight.values, np.float32(low))
    return np.asarray((values - np.float32(low)) / np.float32(width), np.float32), float(
        (middle - low) / width
    )


def _on_patch(places: FloatArray, side: int) -> npt.NDArray[np.intp]:
    near = np.round(places).astype(np.intp)
    return np.asarray(near[((near >= 0) & (near < side)).all(axis=1)], np.intp)


def _tastes(
    image: FloatGrid, at: npt.NDArray[np.intp]
) -> list[tuple[FloatGrid, np.float32, float]]:
    """For each of some places how like it the image is, its mean value, and how that may vary."""
    found = []
    for place in at[:: max(-(-len(at) // _TASTES), 1)]:
        k, j, i = (slice(max(n - 1, 0), n + 2) for n in place)
        middle = image[k, j, i].mean()
        k, j, i = (slice(max(n - 2, 0), n + 3) for n in place)
        width = float(np.clip(image[k, j, i].std(), *_WIDTHS))
        like = np.exp(-0.5 * ((image - middle) / np.float32(2.0 * width)) ** 2)
        found.append((like, middle, width))
    return found


def _draw_balls(out: FloatGrid, places: FloatArray) -> None:
    side = out.shape[0]
    for place in places:
        middle = np.round(place).astype(np.intp)
        low, high = np.maximum(middle - _REACH, 0), np.minimum(middle + _REACH + 1, side)
        if (low >= high).any():
            continue
        squares = [(np.arange(a, b) - p) ** 2 for a, b, p in zip(low, high, place, strict=True)]
        away = squares[0][:, None, None] + squares[1][None, :, None] + squares[2][None, None, :]
        part = out[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
        np.maximum(part, np.exp(-0.5 * away / _BALL**2), out=part)


def _nearness(images: Sequence[FloatGrid], sights: Sequence[Sight], cancelled: Stop) -> FloatGrid:
    """How near included and excluded places are along even tissue: 1 at them, 0 far away."""
    halves = np.stack([_halved(image) for image in images])
    count, side = len(sights), halves.shape[1]
    away = np.full((2, *halves.shape), FAR, np.float32)
    for n, sight in enumerate(sights):
        for kind, places in enumerate((sight.include, sight.exclude)):
            for tie in (-_TIE, _TIE):  # halfway between two samples it starts at both
                k, j, i = _on_patch((places - 0.5) / 2.0 + tie, side).T
                away[kind, n, k, j, i] = 0.0
        if sight.beside is not None:
            away[1, n][sight.beside[::2, ::2, ::2]] = 0.0
    told = [kind * count + n for kind in (0, 1) for n in range(count) if away[kind, n].min() < FAR]
    flat = away.reshape(2 * count, side, side, side)
    if told:
        some, even = flat[told], np.ones((len(told), side, side, side), np.float32)
        spread(some, halves[[n % count for n in told]], even, edge=_EDGE, cancelled=cancelled)
        flat[told] = some
    near = np.exp(-away / np.float32(_NEAR))
    whole = near.repeat(2, axis=2).repeat(2, axis=3).repeat(2, axis=4)
    return np.asarray(whole.swapaxes(0, 1), np.float32)


def _halved(image: FloatGrid) -> FloatGrid:
    half = image.shape[0] // 2
    return np.asarray(image.reshape(half, 2, half, 2, half, 2).mean(axis=(1, 3, 5)), np.float32)
