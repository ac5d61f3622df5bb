"""What is to be known of an image's values before a network sees them; one pass, slab by slab."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.region import Stop, check_not_stopped
from napari_medlabel.core.volume import Grid, Volume
from napari_medlabel.engines.models.spec import Intensity
from napari_medlabel.errors import InputError

__all__ = ["Scaling", "checked_image", "scaling_of"]

Values = npt.NDArray[Any]
Scaling = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]

_SLAB_VOXELS: Final = 1 << 23
_SAMPLES: Final = 1 << 22  # that percentiles are told from


@dataclass(frozen=True, slots=True)
class _Facts:
    low: float
    high: float
    mean: float
    deviation: float
    percentiles: tuple[float, float]


def checked_image(volume: Volume) -> Grid:
    """The finest level of a volume that has three axes.

    Raises
    ------
    InputError
        If it has more.
    """
    image = volume.levels[0]
    if len(image.shape) != 3:
        raise InputError(
            f"an image of {len(image.shape)} axes cannot be segmented", "choose one volume of it"
        )
    return image


def scaling_of(volume: Volume, intensity: Intensity, *, cancelled: Stop) -> tuple[Scaling, float]:
    """How an image's values are scaled, and what stands for those that are no numbers.

    Raises
    ------
    InputError
        If the image has one value only.
    Cancelled
        If `cancelled` says so.
    """
    facts = _facts(checked_image(volume), intensity, cancelled)
    if not facts.low < facts.high:
        raise InputError(
            "the image has one value only: nothing in it tells an object from the rest",
            "choose another image",
        )
    return _scaling(intensity, facts), facts.low


def _scaling(intensity: Intensity, facts: _Facts) -> Scaling:
    if intensity.scale == "none":
        return lambda values: values
    if intensity.scale == "zscore":
        mean, deviation = np.float32(facts.mean), np.float32(facts.deviation or 1.0)
        if intensity.nonzero:
            return lambda values: np.where(
                values != 0, (values - mean) / deviation, np.float32(0.0)
            )
        return lambda values: (values - mean) / deviation
    low, high = intensity.low, intensity.high
    if intensity.scale == "percentiles":
        low, high = facts.percentiles
    gain = np.float32((intensity.to_high - intensity.to_low) / max(high - low, 1e-12))
    start, (least, most) = np.float32(low), sorted((intensity.to_low, intensity.to_high))

    def ranged(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        scaled = (values - start) * gain + np.float32(intensity.to_low)
        return np.clip(scaled, np.float32(least), np.float32(most)) if intensity.clip else scaled

    return ranged


def _facts(image: Grid, intensity: Intensity, cancelled: Stop) -> _Facts:
    """Of all finite values; mean and deviation of those other than 0 where that is asked for."""
    thick = max(_SLAB_VOXELS // max(image.shape[1] * image.shape[2], 1), 1)
    low, high, count, total, squares = np.inf, -np.inf, 0, 0.0, 0.0
    step = max(int(np.prod(image.shape)) // _SAMPLES, 1)
    samples = []
    for start in range(0, image.shape[0], thick):
        check_not_stopped(cancelled)
        values = _finite(np.asarray(image[start : start + thick]))
        if not values.size:
            continue
        low, high = min(low, float(values.min())), max(high, float(values.max()))
        if intensity.scale == "zscore":
            own = values[values != 0] if intensity.nonzero else values
            own = own.astype(np.float64)
            count, total = count + own.size, total + float(own.sum())
            squares += float((own * own).sum())
        elif intensity.scale == "percentiles":
            samples.append(values.ravel()[::step])
    mean = total / max(count, 1)
    deviation = float(np.sqrt(max(squares / max(count, 1) - mean * mean, 0.0)))
    ends = (0.0, 1.0)
    if samples:
        found = np.percentile(np.concatenate(samples), (intensity.low, intensity.high))
        ends = (float(found[0]), float(found[1]))
    return _Facts(low, high, mean, deviation, ends)


def _finite(values: Values) -> Values:
    return values.ravel() if values.dtype.kind != "f" else values[np.isfinite(values)]
