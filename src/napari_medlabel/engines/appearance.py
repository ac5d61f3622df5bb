"""The border of an answer by the image: what lies on either side of it looks different.

Near the border each sample is asked twice which side it looks like: by histograms of what is well
inside and well outside of the object, and by mean and variance of either side around the sample,
as in Lankton and Tannenbaum, IEEE Transactions on Image Processing 17:2029-2039 (2008). Both are
weighed against the probability that was there before: a border that does not show stays.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.geometry import FloatArray
from napari_medlabel.engines.fronts import FloatGrid

__all__ = ["redrawn"]

_BAND: Final = 0.15  # of the object's size: how far from the border it may move
_LEAST_BAND_MM: Final = 3.0
_AROUND: Final = 0.3  # of the object's size: what counts as its surroundings
_LEAST_AROUND_MM: Final = 6.0
_LOCAL: Final = 0.12  # of the object's size: how far samples tell about each other
_LOCAL_MM: Final = (3.0, 12.0)
_BINS: Final = 24
_BIN_BLUR: Final = 1.5
_MOST: Final = 3.0  # logits that one look at the image may weigh
_TRUSTED: Final = 0.5  # the weight of the probability beside the local look
_NOISE: Final = 0.02  # of the range: the least deviation of a tissue
_ROUNDS: Final = 2
_SHARP: Final = 2e-3  # probabilities closer to 0 and 1 count as this


def redrawn(share: FloatGrid, values: FloatGrid, step_mm: FloatArray) -> FloatGrid:
    """The probability of an object with its border moved to where the image says it is.

    Parameters
    ----------
    share
        float32 `[k, j, i]` in [0, 1].
    values
        The image at the same samples, float32 and finite.
    step_mm
        From sample to sample along k, j, i.

    Returns
    -------
    FloatGrid
        float32 in [0, 1]; as it was far from the border, and where there is no object.
    """
    mask = share > 0.5
    count = int(np.count_nonzero(mask))
    if count in {0, mask.size}:
        return share
    size_mm = float((count * step_mm.prod()) ** (1.0 / 3.0))
    image = _by_range(values)
    near = _blurred(mask.astype(np.float32), max(_BAND * size_mm, _LEAST_BAND_MM) / 2.0 / step_mm)
    band = np.clip(8.0 * near * (1.0 - near) - 0.5, 0.0, 1.0)
    reach = max(_AROUND * size_mm, _LEAST_AROUND_MM) / 2.0 / step_mm
    around = (_blurred(mask.astype(np.float32), reach) > 0.02).astype(np.float32)
    before = _logit(share)
    found = _share(before + band * _by_histogram(share, image, around))
    local = np.clip(_LOCAL * size_mm, *_LOCAL_MM) / step_mm
    asked = _logit(found)
    for _ in range(_ROUNDS):
        said = _by_place(found, image, local)
        weight = 1.0 - (1.0 - _TRUSTED) * band
        found = _share(weight * asked + band * said)
    return np.where(band > 0.0, found, share).astype(np.float32)


def _by_range(values: FloatGrid) -> FloatGrid:
    low, high = np.percentile(values[::2, ::2, ::2], (2, 98))
    width = np.float32(max(float(high - low), 1e-3 * float(np.ptp(values)), 1e-9))
    image = np.clip((values - np.float32(low)) / width, -0.5, 1.5)
    return np.asarray(ndimage.gaussian_filter(image, 0.5, truncate=2.5), np.float32)


def _by_histogram(share: FloatGrid, image: FloatGrid, around: FloatGrid) -> FloatGrid:
    """Logits by how often a sample's value is found inside, and outside nearby."""
    bins = np.clip((image + 0.2) / 1.4 * _BINS, 0, _BINS - 1).astype(np.intp)
    rows = []
    for weight in (share**2 * around, (1.0 - share) ** 2 * around):
        counts = np.bincount(bins.ravel(), weight.ravel(), _BINS)
        counts = ndimage.gaussian_filter1d(counts, _BIN_BLUR)
        rows.append(counts / max(float(counts.sum()), 1e-9) + 1e-3)
    said = np.clip(np.log(rows[0] / rows[1]), -_MOST, _MOST).astype(np.float32)
    return np.asarray(said[bins], np.float32)


def _by_place(share: FloatGrid, image: FloatGrid, sigma: FloatArray) -> FloatGrid:
    """Logits by mean and deviation of what is inside, and outside, around each sample."""
    said = []
    for weight in (share**2, (1.0 - share) ** 2):
        total = _blurred(weight, sigma) + np.float32(1e-4)
        mean = _blurred(weight * image, sigma) / total
        spread = _blurred(weight * image * image, sigma) / total - mean * mean
        spread = np.maximum(spread, 0.0) + np.float32(_NOISE**2)
        said.append(-0.5 * (image - mean) ** 2 / spread - 0.5 * np.log(spread))
    return np.asarray(np.clip(said[0] - said[1], -_MOST, _MOST), np.float32)


def _blurred(values: FloatGrid, sigma: FloatArray) -> FloatGrid:
    """A Gaussian mean, at half the resolution along axes where that shows no difference."""
    factors = [2 if s > 1.5 and n > 3 else 1 for s, n in zip(sigma, values.shape, strict=True)]
    few = values
    for axis, factor in enumerate(factors):
        if factor == 2:
            few = _halved(few, axis)
    few = ndimage.gaussian_filter(few, sigma / factors, truncate=2.5)
    for axis, factor in enumerate(factors):
        if factor == 2:
            few = few.repeat(2, axis).take(range(values.shape[axis]), axis)
    return np.asarray(few, np.float32)


def _halved(values: FloatGrid, axis: int) -> FloatGrid:
    size = values.shape[axis]
    even, odd = values.take(range(0, size, 2), axis), values.take(range(1, size, 2), axis)
    if size % 2:
        odd = np.concatenate([odd, values.take([size - 1], axis)], axis)
    return np.asarray((even + odd) * np.float32(0.5), np.float32)


def _logit(share: FloatGrid) -> FloatGrid:
    clipped = np.clip(share, _SHARP, 1.0 - _SHARP)
    return np.asarray(np.log(clipped / (1.0 - clipped)), np.float32)


def _share(logits: npt.NDArray[np.floating[Any]]) -> FloatGrid:
    return np.asarray(1.0 / (1.0 + np.exp(-logits)), np.float32)
