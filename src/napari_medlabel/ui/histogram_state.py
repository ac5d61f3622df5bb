"""What the intensity box shows: a slice's histogram, and limits that are dragged along it.

Pure, and tested without Qt. Positions along the axis are fractions, 0 at its low end.
"""

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import FloatArray

__all__ = [
    "EMPTY", "Histogram", "IntensityState", "Limits", "Part", "Preset", "around", "decimals_of",
    "dragged", "histogram_of", "nudged", "part_at", "preset_of", "step_of",
]  # fmt: skip

Limits = tuple[float, float]
Part = Literal["low", "high", "middle"]

BINS: Final = 160
SAMPLED: Final = 256  # values along each axis of a slice that are counted at most
TAILS: Final = (0.2, 99.8)  # percent: a metal clip shall not squeeze all else into one bin
GRIP: Final = 0.03  # of the axis on either side of a handle that takes hold of it


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """How often values are: `heights` from 0 to 1 in equal bins from `low` to `high`."""

    low: float
    high: float
    heights: FloatArray

    def fraction(self, value: float) -> float:
        """Where a value is along the axis; values beyond are at its ends."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    def value(self, fraction: float) -> float:
        """The value at a place along the axis."""
        return self.low + min(max(fraction, 0.0), 1.0) * (self.high - self.low)


EMPTY: Final = Histogram(0.0, 1.0, np.zeros(BINS))


@dataclass(frozen=True, slots=True)
class Preset:
    """A range with a name: `Preset("Bone", 250.0, 3000.0)`."""

    name: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class IntensityState:
    """All that the intensity box shows.

    Parameters
    ----------
    kind
        "mask" has a switch; "threshold" is always on, and has presets and Otsu.
    on
        Whether the mask is on.
    low, high
        The limits, both included.
    inverted
        Values outside of the limits count.
    around
        With a number, limits follow each click: its value plus and minus so much.
    clicked
        The value that was clicked last, if any was.
    unit
        Of the values: "HU", or "" where there is none.
    histogram
        Of the visible slice.
    presets
        Ranges to offer.
    reason
        Why nothing can be chosen; "" where it can.
    """

    kind: Literal["mask", "threshold"] = "mask"
    on: bool = False
    low: float = 0.0
    high: float = 1.0
    inverted: bool = False
    around: float | None = None
    clicked: float | None = None
    unit: str = ""
    histogram: Histogram = EMPTY
    presets: tuple[Preset, ...] = ()
    reason: str = ""

    @property
    def active(self) -> bool:
        """Whether the limits count."""
        return self.on or self.kind == "threshold"

    def with_limits(self, limits: Limits) -> "IntensityState":
        """The same with other limits."""
        return replace(self, low=limits[0], high=limits[1])


def histogram_of(values: npt.NDArray[Any], bins: int = BINS) -> Histogram:
    """The histogram of a slice, over the range that most of its values are in.

    Parameters
    ----------
    values
        Numbers in any shape; those that are not finite are left out. Of large slices, only
        `SAMPLED` along each axis are counted.
    bins
        At most; whole numbers never share bins unevenly, which would show as a comb.

    Returns
    -------
    Histogram
        Heights are logarithms of counts, so that an organ shows beside the air around the
        body; all 0 where nothing was finite.
    """
    steps = tuple(slice(None, None, max(1, -(-n // SAMPLED))) for n in values.shape)
    sample = np.asarray(values[steps]).ravel()
    whole = sample.dtype.kind in "iub"
    sample = sample.astype(np.float64)
    sample = sample if whole else sample[np.isfinite(sample)]
    if sample.size == 0:
        return EMPTY
    low = float(np.percentile(sample, TAILS[0], method="lower"))  # a value that there is
    high = float(np.percentile(sample, TAILS[1], method="higher"))
    if whole:
        low, count = float(np.floor(low)), int(np.ceil(high) - np.floor(low)) + 1
        width = -(-count // bins)
        bins = -(-count // width)
        low, high = low - 0.5, low - 0.5 + bins * width
    elif high - low <= abs(low) * 1e-9:
        low, high = low - 0.5, high + 0.5
    counts, _edges = np.histogram(sample, bins, (low, high))
    heights = np.log1p(_smoothed(counts.astype(np.float64)))
    top = float(heights.max())
    return Histogram(low, high, heights / top if top > 0 else heights)


def _smoothed(counts: FloatArray) -> FloatArray:
    """A little less noise: a bin counts twice, its neighbours once."""
    padded = np.pad(counts, 1, mode="edge")
    calm: FloatArray = (padded[:-2] + 2.0 * counts + padded[2:]) / 4.0
    return calm


def part_at(histogram: Histogram, limits: Limits, fraction: float) -> Part:
    """What a press at a place along the axis takes hold of.

    The nearer handle where one is near or the place is outside of the limits; else what is
    between them.
    """
    low, high = (histogram.fraction(limit) for limit in limits)
    nearer: Part = "low" if abs(fraction - low) < abs(fraction - high) else "high"
    if low == high:  # both in one place: the one that can move there
        nearer = "low" if fraction < low else "high"
    between = low + GRIP < fraction < high - GRIP
    return "middle" if between else nearer


def dragged(histogram: Histogram, start: Limits, part: Part, by: float) -> Limits:
    """Limits after a drag.

    Parameters
    ----------
    histogram
        Its axis is the room there is; a limit that is beyond it may come back.
    start
        Where the limits were when the drag began.
    part
        What is dragged: a handle stops at the other one, both keep their distance.
    by
        How far, as a fraction of the axis.
    """
    low, high = start
    step = by * (histogram.high - histogram.low)
    if part == "middle":
        least, most = min(histogram.low - low, 0.0), max(histogram.high - high, 0.0)
        move = min(max(step, least), most)
        return _rounded(histogram, low + move), _rounded(histogram, high + move)
    if part == "low":
        moved = histogram.value(histogram.fraction(low) + by)
        return min(_rounded(histogram, moved), high), high
    moved = histogram.value(histogram.fraction(high) + by)
    return low, max(_rounded(histogram, moved), low)


def nudged(histogram: Histogram, limits: Limits, part: Part, steps: int) -> Limits:
    """Limits after a few fine steps of a handle or of both; they may leave the axis."""
    low, high = limits
    by = steps * step_of(histogram)
    if part == "low":
        return min(low + by, high), high
    if part == "high":
        return low, max(high + by, low)
    return low + by, high + by


def around(value: float, by: float) -> Limits:
    """The limits around a value that was clicked."""
    return value - by, value + by


def step_of(histogram: Histogram) -> float:
    """A fine step: 1, 2 or 5 times a power of ten, about a 400th of the axis."""
    wanted = (histogram.high - histogram.low) / 400.0
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(power * next(n for n in (1.0, 2.0, 5.0, 10.0) if wanted <= n * power * 1.000001))


def decimals_of(histogram: Histogram) -> int:
    """Digits after the point that a fine step needs."""
    return max(0, -int(np.floor(np.log10(step_of(histogram)))))


def preset_of(state: IntensityState) -> int:
    """Which preset is on, or -1."""
    near = step_of(state.histogram) / 2.0
    for n, one in enumerate(state.presets):
        if abs(one.low - state.low) < near and abs(one.high - state.high) < near:
            return n
    return -1


def _rounded(histogram: Histogram, value: float) -> float:
    return round(value, decimals_of(histogram))
