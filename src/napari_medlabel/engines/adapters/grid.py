"""An image as a network was trained to see it: its axes, its spacing; cut out piece by piece.

Where samples lie is MONAI's rule: with a spacing the first sample is the centre of the first voxel
(`monai.transforms.Spacing`); of an image resized to a fixed number of samples each covers its
share of the extent (`monai.transforms.Resize` with mode "area", as torch's adaptive pooling).
"""

import os
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import Axes, FloatArray, Geometry, Index, Spacing
from napari_medlabel.core.region import Box, Stop, check_not_stopped
from napari_medlabel.core.volume import Grid, Volume
from napari_medlabel.engines.engine import Answer
from napari_medlabel.engines.sampling import resampled
from napari_medlabel.errors import InputError

__all__ = ["NetworkGrid", "axes_to"]

_PLACES: Final = {"S": (0, False), "I": (0, True), "P": (1, False), "A": (1, True),
                  "L": (2, False), "R": (2, True)}  # fmt: skip
_LEAST: Final = 0.02  # below this probability nothing is written back
_SLAB_VOXELS: Final = 1 << 23
_MOST_SAMPLES: Final = 1 << 31


def axes_to(orientation: str, geometry: Geometry) -> Axes:
    """The axes that turn an image so that its axes point to where a network's do.

    Parameters
    ----------
    orientation
        Where each axis grows to, "RAS": towards the patient's right, front and head.
    geometry
        Of the image; oblique axes count as the nearest.
    """
    canonical = geometry.canonical  # to k to the head, j to posterior, i to the left
    order, flipped = [], []
    for letter in orientation:
        axis, against = _PLACES[letter]
        order.append(canonical.order[axis])
        flipped.append(canonical.flipped[axis] != against)
    return Axes((order[0], order[1], order[2]), (flipped[0], flipped[1], flipped[2]))


class NetworkGrid:
    """Samples of an image on the axes of a network.

    Parameters
    ----------
    volume
        The image; its finest level is read, a piece at a time.
    orientation
        See `axes_to`.
    spacing_mm
        Between samples, along the network's axes; None leaves the image's own.
    resized
        Instead of a spacing: how many samples the whole image has, whatever its extent.
    hole
        What stands for values that are no numbers.

    Raises
    ------
    InputError
        If it would have too many samples.
    """

    def __init__(
        self, volume: Volume, orientation: str, spacing_mm: Spacing | None = None, *,
        resized: Index | None = None, hole: float = 0.0,
    ) -> None:  # fmt: skip
        self._image: Grid = volume.levels[0]
        self._hole = hole
        self.axes = axes_to(orientation, volume.geometry)
        self._inverse = self.axes.inverse()
        self.voxels: Index = self.axes.shape(volume.shape)
        own_mm = np.asarray(volume.geometry.spacing_mm)[list(self.axes.order)]
        count = np.array(self.voxels)
        if resized is not None:
            shape = np.array(resized)
            self._step: FloatArray = count / shape
            self._first: FloatArray = (self._step - 1.0) / 2.0
        else:
            self._step = np.ones(3) if spacing_mm is None else np.asarray(spacing_mm) / own_mm
            self._first = np.zeros(3)
            shape = np.maximum(np.round((count - 1) / self._step + 1.0), 1.0)
        if np.prod(shape) > _MOST_SAMPLES:
            raise InputError(
                "the image is too large for this model's spacing", "work on a part of it"
            )
        self.shape: Index = (int(shape[0]), int(shape[1]), int(shape[2]))

    def check_whole(self, channels: int) -> None:
        """Pass where answers for the whole image, one for each channel, fit into free memory.

        Raises
        ------
        InputError
            If they do not; says how much they need.
        """
        needed = 4 * (channels + 1) * int(np.prod(self.shape))  # float32, and their weights
        try:
            free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        except (AttributeError, ValueError, OSError):
            return  # this system does not say
        if needed > free:
            raise InputError(
                f"the whole image would need about {needed / 2**30:.0f} GiB of memory",
                "work on a part of it, or close other programs",
            )

    def samples_at(self, kji: npt.ArrayLike) -> FloatArray:
        """Fractional sample numbers, `[n, 3]`, of voxels of the image, `[n, 3]`."""
        turned = self._turned(np.asarray(kji, np.float64))
        return np.asarray((turned - self._first) / self._step, np.float64)

    def cut(self, low: Index, size: Index) -> npt.NDArray[np.float32]:
        """The image's values at the samples of a box; beyond the image its border goes on."""
        box, matrices = [], []
        for axis in range(3):
            places = self._first[axis] + (low[axis] + np.arange(size[axis])) * self._step[axis]
            last = self.voxels[axis] - 1
            places = np.clip(places, 0.0, last)
            start, stop = int(np.floor(places[0])), int(np.ceil(places[-1])) + 1
            box.append(slice(start, stop))
            matrices.append(linear(places - start, stop - start))
        return resampled(self._read((box[0], box[1], box[2])), matrices)

    def pooled(
        self,
        scaled: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]],
        *,
        cancelled: Stop,
    ) -> npt.NDArray[np.float32]:
        """The whole image, each sample the mean of its voxels' scaled values; slab by slab."""
        weights = [shares(n, m) for n, m in zip(self.voxels, self.shape, strict=True)]
        whole = np.zeros(self.shape, np.float32)
        thick = max(_SLAB_VOXELS // max(self.voxels[1] * self.voxels[2], 1), 1)
        for start in range(0, self.voxels[0], thick):
            check_not_stopped(cancelled)
            stop = min(start + thick, self.voxels[0])
            part = (slice(start, stop), slice(0, self.voxels[1]), slice(0, self.voxels[2]))
            values = scaled(self._read(part))
            whole += resampled(values, [weights[0][:, start:stop], weights[1], weights[2]])
        return whole

    def answer(self, probability: npt.NDArray[np.float32], low: Index) -> Answer:
        """Probabilities at the samples of a box, brought to the image's voxels; 0 outside."""
        likely = probability > _LEAST
        if not likely.any():
            return Answer.nothing()
        box, matrices = [], []
        for axis in range(3):
            side, places = self._voxels_near(likely, axis, low[axis], probability.shape[axis])
            if side.stop <= side.start:
                return Answer.nothing()
            box.append(side)
            matrices.append(linear(places, probability.shape[axis]))
        values = np.clip(resampled(probability, matrices), 0.0, 1.0)
        own = self._image_box((box[0], box[1], box[2]))
        return Answer(own, np.ascontiguousarray(self._inverse.apply(values)))

    def _voxels_near(
        self, likely: npt.NDArray[np.bool_], axis: int, low: int, size: int
    ) -> tuple[slice, FloatArray]:
        """Voxels along an axis that are within half a sample of likely ones, and their places."""
        hits = np.flatnonzero(likely.any(axis=tuple(n for n in range(3) if n != axis)))
        ends = np.array([max(hits[0] - 1.0, -0.5), min(hits[-1] + 1.0, size - 0.5)]) + low
        first, last = self._first[axis] + ends * self._step[axis]
        start = max(int(np.ceil(first)), 0)
        stop = min(int(np.floor(last)) + 1, self.voxels[axis])
        places = (np.arange(start, max(stop, start)) - self._first[axis]) / self._step[axis] - low
        return slice(start, stop), np.clip(places, 0.0, size - 1.0)

    def _turned(self, kji: FloatArray) -> FloatArray:
        """Places in the image, `[n, 3]`, on the network's axes, still counted in voxels."""
        turned = kji[..., list(self.axes.order)]
        count = np.array(self.voxels) - 1.0
        return np.where(np.array(self.axes.flipped), count - turned, turned)

    def _image_box(self, box: Box) -> Box:
        """A box on the network's axes as one of the image."""
        sides = [slice(0, 0)] * 3
        for axis, (side, own) in enumerate(zip(box, self.axes.order, strict=True)):
            n = self.voxels[axis]
            against = self.axes.flipped[axis]
            sides[own] = slice(n - side.stop, n - side.start) if against else side
        return (sides[0], sides[1], sides[2])

    def _read(self, box: Box) -> npt.NDArray[np.float32]:
        """Voxels of a box on the network's axes, float32 and finite."""
        k, j, i = self._image_box(box)
        values = np.asarray(self.axes.apply(np.asarray(self._image[k, j, i])), np.float32)
        if np.isfinite(values).all():
            return values
        hole = self._hole
        return np.nan_to_num(values, nan=hole, posinf=hole, neginf=hole)


def linear(places: FloatArray, size: int) -> FloatArray:
    """Linear interpolation of `size` values at places from 0 to `size - 1`: `[places, size]`."""
    low = np.clip(np.floor(places).astype(np.intp), 0, max(size - 2, 0))
    share = places - low
    matrix = np.zeros((len(places), size))
    rows = np.arange(len(places))
    matrix[rows, low] = 1.0 - share
    matrix[rows, np.minimum(low + 1, size - 1)] += share
    return matrix


def shares(size: int, bins: int) -> FloatArray:
    """Means of `size` values in so many bins, `[bins, size]`: bins may share a value."""
    matrix = np.zeros((bins, size))
    for one in range(bins):
        start, stop = one * size // bins, -(-(one + 1) * size // bins)
        matrix[one, start:stop] = 1.0 / (stop - start)
    return matrix
