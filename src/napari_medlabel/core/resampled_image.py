"""An image brought onto another grid: linear between voxel centres, read slice by slice.

A voxel reaches half way to its neighbours, also at the edge of the image, where it has one value;
what is farther out has none. That is how ITK's `ResampleImageFilter` with a linear interpolator
counts, too (Ibanez et al., The ITK Software Guide, 4.6.1).
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.geometry import Axes, BoolArray, FloatArray, Geometry
from napari_medlabel.core.region import Box, Report, Stop, check_not_stopped, never, silent
from napari_medlabel.errors import GeometryError

__all__ = ["image_onto", "nothing_of"]

Array = npt.NDArray[Any]
ReadSlices = Callable[[int, int], Array]

_BLOCK: Final = 1 << 21  # voxels that are made in one go
_AT_ONCE: Final = 8  # slices that are read in one go
_EDGE: Final = 1e-6  # of a voxel: rounding puts nothing outside
_STRAIGHT: Final = 1e-7  # of a voxel: by so little axes may lean and still count as parallel


def nothing_of(dtype: npt.DTypeLike) -> float:
    """What stands where there is no image: NaN, the lowest number of a signed type."""
    kind = np.dtype(dtype)
    return float("nan") if kind.kind == "f" else float(np.iinfo(kind).min)


def image_onto(  # noqa: PLR0913  # from where to where, and how
    read: ReadSlices, source: Geometry, target: Geometry, *, dtype: npt.DTypeLike = np.float32,
    nearest: bool = False, cancelled: Stop = never, progress: Report = silent,
) -> Array:  # fmt: skip
    """The values of an image at the voxel centres of another grid.

    Beside the answer no more of the image is held than one block of planes needs: for grids that
    lie alike, some slices.

    Parameters
    ----------
    read
        Slices `start` to `stop` along k of the image, `[k, j, i]` on `source`; in ascending order.
    source, target
        Where the voxels are, and where values are wanted, in one space; sheared or not.
    dtype
        Of the answer: float32, or a signed integer, to which values are rounded.
    nearest
        The value of the voxel that each centre lies in, instead of the mean of its neighbours.
    cancelled
        Polled for each block and while slices are read.
    progress
        Called with planes done and in all.

    Returns
    -------
    NDArray
        `[k, j, i]` of `target`'s shape; `nothing_of(dtype)` where the image does not reach.

    Raises
    ------
    GeometryError
        If the image reaches none of the centres.
    Cancelled
        If `cancelled` says so.
    """
    into: Array = np.full(target.shape, nothing_of(dtype), dtype)
    grids, slices = _Grids(source, target), _Slices(read, cancelled)
    met, done = False, 0
    for part in grids.blocks():
        check_not_stopped(cancelled)
        wanted = grids.slices_for(part)
        if wanted is not None:
            met |= grids.fill(into, part, slices.take(*wanted), wanted[0], nearest=nearest)
        done += part[grids.axis].stop - part[grids.axis].start
        progress(done, target.shape[grids.axis])
    if not met:
        raise GeometryError(
            "the two images do not overlap in space", "choose one of the same part of the body"
        )
    return into


class _Slices:
    """The image's slices as they come; of those that were read the last are held."""

    def __init__(self, read: ReadSlices, cancelled: Stop) -> None:
        self._read, self._cancelled = read, cancelled
        self._first = self._end = 0
        self._held: Array = np.empty(0)

    def take(self, start: int, stop: int) -> Array:
        """Slices `start` to `stop`; neither is before that of the last call."""
        parts = [self._held[start - self._first :]] if start < self._end else []
        begin = max(start, self._end)
        for first in range(begin, stop, _AT_ONCE):
            check_not_stopped(self._cancelled)
            parts.append(self._read(first, min(first + _AT_ONCE, stop)))
        self._held = parts[0] if len(parts) == 1 else np.concatenate(parts)
        self._first, self._end = start, max(stop, self._end)
        return self._held[: stop - start]


class _Grids:
    """How two grids lie to each other, and the blocks in which one is brought onto the other.

    `axis` of the target is that along which blocks follow each other: the one across which the
    image's own slices run, so that a block needs few of them.
    """

    def __init__(self, source: Geometry, target: Geometry) -> None:
        self._source, self._target = source, target
        self._matrix = _one_from_other(source, target)
        self._axes = _nearest_axes(source, target)
        along_k = np.abs(self._matrix[0, :3]) * (np.array(target.shape) - 1)
        self.axis = int(np.argmax(along_k))

    def blocks(self) -> Iterator[Box]:
        """Parts of the target, in the order in which they need the image's slices."""
        shape, axis = self._target.shape, self.axis
        planes = max(1, _BLOCK * shape[axis] // int(np.prod(shape)))
        starts = range(0, shape[axis], planes)
        for start in starts if self._matrix[0, axis] >= 0 else reversed(starts):
            block = slice(start, min(start + planes, shape[axis]))
            k, j, i = (block if n == axis else slice(0, shape[n]) for n in range(3))
            yield k, j, i

    def slices_for(self, part: Box) -> tuple[int, int] | None:
        """Which of the image's slices a block needs; None where the image is elsewhere."""
        low, high = self._span(part)
        count = np.array(self._source.shape)
        if (high < -0.5 - _EDGE).any() or (low > count - 0.5 + _EDGE).any():
            return None
        first, last = (
            int(n) for n in np.clip((np.floor(low[0]), np.ceil(high[0])), 0, count[0] - 1)
        )
        return first, last + 1

    def fill(self, into: Array, part: Box, window: Array, first: int, *, nearest: bool) -> bool:
        """Write the values of a block from the slices it needs; False where there are none."""
        source = _moved(self._source, (first, 0, 0), window.shape).laid_out(self._axes)
        target = _moved(self._target, [one.start for one in part], into[part].shape)
        matrix = _one_from_other(source, target)
        values: Array = np.empty(target.shape, np.float32)
        ndimage.affine_transform(
            self._axes.apply(window), _straightened(matrix, target.shape), matrix[:3, 3],
            output=values, order=0 if nearest else 1, mode="nearest", prefilter=False,
        )  # fmt: skip
        if into.dtype.kind != "f":
            least = np.iinfo(into.dtype)
            values = np.clip(np.rint(values), least.min + 1, least.max)
        inside = self._inside(part)
        if inside is None:
            into[part] = values
            return True
        np.copyto(into[part], values, where=inside, casting="unsafe")
        return bool(inside.any())

    def _inside(self, part: Box) -> BoolArray | None:
        """Which centres of a block lie in the image; None for all."""
        low, high = self._span(part)
        inside: BoolArray | None = None
        places = np.ogrid[part]
        for n, count in enumerate(self._source.shape):
            if low[n] >= -0.5 - _EDGE and high[n] <= count - 0.5 + _EDGE:
                continue
            at = self._matrix[n, 3] + sum(self._matrix[n, m] * places[m] for m in range(3))
            within = (at >= -0.5 - _EDGE) & (at <= count - 0.5 + _EDGE)
            inside = within if inside is None else inside & within
        return inside

    def _span(self, part: Box) -> tuple[FloatArray, FloatArray]:
        """The lowest and highest place in the image, along its axes, of a block's centres."""
        low: FloatArray = self._matrix[:3, 3]
        high = low
        for n, one in enumerate(part):
            ends = self._matrix[:3, n, None] * (one.start, one.stop - 1)
            low, high = low + ends.min(axis=1), high + ends.max(axis=1)
        return low, high


def _moved(geometry: Geometry, by: Sequence[int], shape: Sequence[int]) -> Geometry:
    """The grid of a part that begins at a voxel."""
    matrix = geometry.lps_from_kji.copy()
    matrix[:3, 3] = geometry.lps(by)
    return Geometry((shape[0], shape[1], shape[2]), matrix)


def _one_from_other(one: Geometry, other: Geometry) -> FloatArray:
    """Index in one grid from index in another; float64 4x4."""
    matrix: FloatArray = np.asarray(
        np.linalg.solve(one.lps_from_kji, other.lps_from_kji), dtype=np.float64
    )
    return matrix


def _nearest_axes(source: Geometry, target: Geometry) -> Axes:
    """How the image's axes are laid out to run along the target's, as nearly as they can."""
    cosines = source.direction.T @ target.direction  # [image's axis, target's axis]
    order = max(permutations(range(3)), key=lambda p: sum(abs(cosines[p[n], n]) for n in range(3)))
    k, j, i = (bool(cosines[order[n], n] < 0) for n in range(3))
    return Axes((order[0], order[1], order[2]), (k, j, i))


def _straightened(matrix: FloatArray, shape: Sequence[int]) -> FloatArray:
    """The matrix, or where axes are parallel its diagonal alone: SciPy is faster with that."""
    plain = matrix[:3, :3]
    leaning = np.abs(plain - np.diag(np.diag(plain))) * (np.array(shape) - 1)
    return np.diag(plain).copy() if leaning.max() < _STRAIGHT else plain
