"""Pulling an interpolated border to where the image changes.

Each pixel near the border is compared with what the image shows nearby inside and outside of the
drawn shapes, after Lankton and Tannenbaum, IEEE TIP 17:2029-2039 (2008),
doi:10.1109/TIP.2008.2004611: their local means, here those of the two drawn slices.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.blending import Blend
from napari_medlabel.core.geometry import Spacing
from napari_medlabel.core.outline import MmArray, Pixel, Shape, Window
from napari_medlabel.core.volume import Grid

__all__ = ["Guide"]

_NEAR_MM: Final = 6.0  # how far around a pixel its means are taken: the sigma of a Gaussian
_CALM_MM: Final = 0.7  # the sigma that calms the noise of single pixels
_PART: Final = 0.1
_SEEN: Final = 1e-3  # less of a Gaussian than this says nothing


@dataclass(slots=True, eq=False)
class Guide:
    """What the image says.

    Parameters
    ----------
    image
        Numbers, `[k, j, i]`; read slice by slice.
    axis
        The axis that is interpolated along.
    steps_mm
        Spacing of places, rows and columns.
    reach_mm
        How far a border may be pulled at most, halfway between two drawn slices: no farther than
        a tenth of what is between them, which is about how far the shapes alone are off.
    """

    image: Grid
    axis: int
    steps_mm: Spacing
    reach_mm: float
    _means: dict[tuple[int, int], tuple[Shape, Window, MmArray, MmArray]] = field(
        default_factory=dict
    )

    @property
    def _slice(self) -> Window:
        rows, columns = (size for n, size in enumerate(self.image.shape) if n != self.axis)
        return Window((0, 0), (rows, columns))

    def _plane(self, place: int) -> npt.NDArray[Any]:
        key = tuple(place if n == self.axis else slice(None) for n in range(3))
        return self.image[key]

    def pull(self, window: Window, signed: MmArray, place: int, blend: Blend) -> MmArray:
        """Signed distances with the border moved by at most `reach_mm`; elsewhere as they are."""
        _, old, new, _ = blend.places
        t = (place - old) / (new - old)
        farthest = min(self.reach_mm, _PART * (new - old) * self.steps_mm[0])
        reach = np.float32(farthest * 4.0 * t * (1.0 - t))
        part = window.within(self._slice)
        near = np.abs(part.of(signed, window.low)) <= reach
        if not near.any():
            return signed
        inside, outside = self._around(part, blend, t)
        values = np.nan_to_num(part.of(self._plane(place)).astype(np.float32))
        gap = np.maximum(np.square(inside - outside), np.float32(1e-6))
        said = (np.square(values - outside) - np.square(values - inside)) / gap
        np.clip(said, -1.0, 1.0, out=said)
        calm = [_CALM_MM / step for step in self.steps_mm[1:]]
        said = ndimage.gaussian_filter(said, calm, output=np.float32)
        pulled = signed.copy()
        part.of(pulled, window.low)[...] += np.where(near, reach * said, np.float32(0.0))
        return pulled

    def _around(self, part: Window, blend: Blend, t: float) -> tuple[MmArray, MmArray]:
        """Means inside and outside on the drawn slices, moved here and mixed."""
        link, inside, outside, total = blend.link, [], [], []
        path = blend.path(t)
        ends: list[tuple[Shape | None, int, Pixel, float]] = [
            (link.old, blend.places[1], (0, 0), 1.0 - t),
            (link.new, blend.places[2], link.shift, t),
        ]
        for shape, place, shift, weight in ends:
            if shape is None:
                continue
            moved = np.rint(np.asarray(shift) - path).astype(int)
            there = part.moved((int(moved[0]), int(moved[1])))
            own_inside, own_outside = self._of(shape, place, there)
            inside.append(np.float32(weight) * own_inside)
            outside.append(np.float32(weight) * own_outside)
            total.append(np.float32(weight))
        both = sum(total[1:], total[0])
        return sum(inside[1:], inside[0]) / both, sum(outside[1:], outside[0]) / both

    def _of(self, shape: Shape, place: int, window: Window) -> tuple[MmArray, MmArray]:
        key = (id(shape), place)
        known = self._means.get(key)
        if known is None or known[1].with_(window) != known[1]:
            whole = window.with_(shape.window.wider(8))
            known = (shape, whole, *self._local_means(shape, place, whole))
            self._means = {k: v for k, v in self._means.items() if k[1] >= place - 64}
            self._means[key] = known
        return window.of(known[2], known[1].low), window.of(known[3], known[1].low)

    def _local_means(self, shape: Shape, place: int, window: Window) -> tuple[MmArray, MmArray]:
        """Gaussian means of the image's values inside and outside, at every pixel."""
        both = window.within(self._slice)
        values, seen = np.zeros(window.shape, np.float32), np.zeros(window.shape, np.float32)
        there = both.of(self._plane(place)).astype(np.float32)
        both.of(values, window.low)[...] = np.nan_to_num(there)
        both.of(seen, window.low)[...] = np.isfinite(there)
        mask = shape.on(window)
        inside, outside = seen * mask, seen * ~mask
        return self._mean(values, inside), self._mean(values, outside)

    def _mean(self, values: MmArray, weight: MmArray) -> MmArray:
        count, total = self._spread(weight), self._spread(values * weight)
        everywhere = np.float32((values * weight).sum() / max(float(weight.sum()), 1.0))
        mean: MmArray = np.where(
            count > _SEEN, total / np.maximum(count, np.float32(_SEEN)), everywhere
        )
        return mean

    def _spread(self, values: MmArray) -> MmArray:
        """As a Gaussian filter does, by two running means of the same variance."""
        sizes = [
            max(1, round(float(np.sqrt(6.0 * (_NEAR_MM / step) ** 2 + 1.0))))
            for step in self.steps_mm[1:]
        ]
        once = ndimage.uniform_filter(values, sizes, mode="constant")
        spread: MmArray = ndimage.uniform_filter(once, sizes, mode="constant")
        return spread
