"""Intelligent scissors: the path along edges of one slice that follows the pointer.

Mortensen and Barrett, SIGGRAPH 1995, doi:10.1145/218380.218442: the cheapest path through the
pixels, where a step is cheap that leads to a zero crossing of the Laplacian, along the direction
of the edge, where the gradient is steep. Lengths are in millimetres, so that pixels need not be
square.
"""

from copy import copy
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from napari_medlabel.core.geometry import BoolArray, FloatArray
from napari_medlabel.core.lasso import inside_outline
from napari_medlabel.core.outline import Pixel
from napari_medlabel.errors import GeometryError, InputError

__all__ = ["Livewire", "Path"]

Path = npt.NDArray[np.intp]

_SIDE: Final = 512  # pixels; more around the seed would cost more than a tenth of a second
_ZERO, _DIRECTION, _GRADIENT = 0.43, 0.43, 0.14  # the weights of the paper
_SHORTEST: Final = 0.02  # what a step along a perfect edge costs: of two such, the shorter
_STEEP: Final = 99.0  # percentile of gradients from which on an edge is as clear as can be
_STEPS: Final = ((0, 1), (1, -1), (1, 0), (1, 1))  # and back


class Livewire:
    """The scissors on one slice.

    Parameters
    ----------
    plane
        Image values, `[row, column]`; what is not finite is as the lowest value.
    spacing_mm
        Between rows and between columns.
    scale_mm
        Of the edges that are followed: the sigma of the Gaussian.
    limits
        Image values are cut to these first: the window in which a person sees the edge. Without
        it, the lowest and highest value.

    Raises
    ------
    GeometryError
        If the plane has no two axes.
    InputError
        If a number cannot be.

    Notes
    -----
    On 512 x 512 pixels: 0.1 s to make, 0.1 s for the first seed and less for others, a millisecond
    for a path. Of a larger slice, 512 x 512 pixels around the seed are searched.
    """

    def __init__(
        self, plane: npt.NDArray[Any], spacing_mm: tuple[float, float], *, scale_mm: float = 1.0,
        limits: tuple[float, float] | None = None,
    ) -> None:  # fmt: skip
        _check(plane, spacing_mm, scale_mm, limits)
        self._spacing_mm = spacing_mm
        self._edges = _Edges(plane, spacing_mm, scale_mm, limits)
        self._side = _SIDE
        self._searched: tuple[Pixel, int] | None = None  # what the graph is of
        self._low = (0, 0)
        self._seed: Pixel | None = None

    def snapped(self, point: Pixel, within_mm: float) -> Pixel:
        """The pixel with the steepest gradient no farther away than this; the nearest of equals.

        Raises
        ------
        InputError
            If the point lies outside of the slice, or the distance cannot be.
        """
        self._check_point(point)
        if not (np.isfinite(within_mm) and within_mm >= 0):
            raise InputError("the distance to an edge must be 0 mm or more")
        reach = [int(within_mm / step) for step in self._spacing_mm]
        box = tuple(
            slice(max(n - r, 0), n + r + 1) for n, r in zip(point, reach, strict=True)
        )  # fmt: skip
        steep = self._edges.steep[box]
        away = [
            (np.arange(steep.shape[n]) + box[n].start - point[n]) * self._spacing_mm[n]
            for n in (0, 1)
        ]
        far = np.hypot(away[0][:, None], away[1][None, :])
        score = np.where(far <= within_mm + 1e-6, steep - 1e-6 * far, -np.inf)
        row, column = np.unravel_index(int(np.argmax(score)), score.shape)
        return (int(row) + box[0].start, int(column) + box[1].start)

    def seed(self, point: Pixel, *, snap_mm: float = 0.0) -> Pixel:
        """Start from a pixel, or the strongest edge so near to it; which one, is returned.

        Raises
        ------
        InputError
            If the point lies outside of the slice.
        """
        own = self.snapped(point, snap_mm)
        low = self._low = self._window_low(own)
        if self._searched != (low, self._side):
            self._graph = self._edges.graph(low, self._side)
            self._searched = (low, self._side)
        columns = self._graph_shape[1]
        number = (own[0] - low[0] + 1) * columns + own[1] - low[1] + 1
        _, self._back = dijkstra(self._graph, indices=number, return_predecessors=True)
        self._seed = own
        return own

    def seeded(self, point: Pixel, *, snap_mm: float = 0.0, side: int = _SIDE) -> "Livewire":
        """Scissors that start from a pixel, as `seed` makes these; these stay as they are.

        May be called on another thread while paths of these are asked for.

        Parameters
        ----------
        point, snap_mm
            As for `seed`.
        side
            How many rows and columns around the pixel are searched: 256 take a third of the time.

        Raises
        ------
        InputError
            If the point lies outside of the slice, or nothing would be searched.
        """
        if side < 1:
            raise InputError("the scissors need at least one pixel to search")
        other = copy(self)
        other._side = side  # noqa: SLF001  # a copy of this one
        other.seed(point, snap_mm=snap_mm)
        return other

    @property
    def start(self) -> Pixel | None:
        """The pixel that paths lead from; None before there is one."""
        return self._seed

    def reaches(self, point: Pixel) -> bool:
        """True where a path to the pixel follows edges all the way."""
        rows, columns = self._graph_shape
        inside = (
            low <= n < low + size - 2
            for n, low, size in zip(point, self._low, (rows, columns), strict=True)
        )
        return self._seed is not None and all(inside)

    def path_to(self, point: Pixel, *, snap_mm: float = 0.0) -> Path:
        """The way from the seed to a pixel, both included.

        Parameters
        ----------
        point
            Row and column; outside of what is searched, the last of the way is a straight line.
        snap_mm
            As for `seed`.

        Returns
        -------
        Path
            `[n, 2]`, each pixel a neighbour of the one before, corners touching.

        Raises
        ------
        InputError
            If there is no seed, or the point lies outside of the slice.
        """
        if self._seed is None:
            raise InputError("the scissors have no start", "click on an edge first")
        end = self.snapped(point, snap_mm)
        rows, columns = self._graph_shape
        inner = [
            min(max(n - low + 1, 1), size - 2)
            for n, low, size in zip(end, self._low, (rows, columns), strict=True)
        ]
        number, way = inner[0] * columns + inner[1], list[int]()
        while number >= 0:
            way.append(number)
            number = int(self._back[number])
        path = np.stack(np.divmod(np.array(way[::-1], np.intp), columns), axis=1) - 1
        path += np.array(self._low)
        rest = _straight((int(path[-1, 0]), int(path[-1, 1])), end)
        return np.concatenate([path, rest[1:]])

    def closed(self, points: npt.ArrayLike) -> BoolArray:
        """The pixels that a closed path encloses, and those of the path that lie inside the edge.

        Parameters
        ----------
        points
            The whole way round, `[n, 2]`, as `path_to` gives it part by part; a gap is closed by
            a straight line. A pixel on a zero crossing is inside or outside as the sign of the
            Laplacian there says; every other pixel of the path is inside.

        Returns
        -------
        BoolArray
            `[row, column]`, the slice's shape.

        Raises
        ------
        InputError
            If a point lies outside of the slice.
        """
        corners: Path = np.asarray(points, np.intp).reshape(-1, 2)
        for corner in (corners.min(axis=0), corners.max(axis=0)) if len(corners) else ():
            self._check_point((int(corner[0]), int(corner[1])))
        if not len(corners):
            return np.zeros(self._edges.steep.shape, bool)
        whole = np.concatenate([
            _straight((int(a[0]), int(a[1])), (int(b[0]), int(b[1])))
            for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)
        ])  # fmt: skip
        mask = inside_outline(whole, self._edges.steep.shape)
        mask[whole[:, 0], whole[:, 1]] = True
        outer = whole[self._edges.beyond(mask, whole)]
        mask[outer[:, 0], outer[:, 1]] = False
        return mask

    @property
    def _graph_shape(self) -> Pixel:
        """Rows and columns of what is searched, with a wall of one pixel around it."""
        rows, columns = (min(n, self._side) + 2 for n in self._edges.steep.shape)
        return (rows, columns)

    def _window_low(self, point: Pixel) -> Pixel:
        row, column = (
            min(max(n - self._side // 2, 0), max(size - self._side, 0))
            for n, size in zip(point, self._edges.steep.shape, strict=True)
        )
        return (row, column)

    def _check_point(self, point: Pixel) -> None:
        if not all(0 <= n < size for n, size in zip(point, self._edges.steep.shape, strict=True)):
            raise InputError("the point lies outside of the slice", "choose one inside")


class _Edges:
    """How steep the image is at each pixel, where an edge runs, and on which side a pixel is."""

    def __init__(
        self, plane: npt.NDArray[Any], spacing_mm: tuple[float, float], scale_mm: float,
        limits: tuple[float, float] | None,
    ) -> None:  # fmt: skip
        values = plane.astype(np.float32)
        finite = np.isfinite(values)
        low, high = limits or (
            (float(values[finite].min()), float(values[finite].max())) if finite.any() else (0, 0)
        )
        values = np.clip(np.where(finite, values, np.float32(low)), low, high)
        self._spacing_mm = spacing_mm
        sigma = [scale_mm / step for step in spacing_mm]
        self._slope = [
            ndimage.gaussian_filter(values, sigma, order=order, truncate=3.0) / np.float32(step)
            for order, step in zip(((1, 0), (0, 1)), spacing_mm, strict=True)
        ]
        gradient = np.hypot(*self._slope)
        full = float(np.percentile(gradient, _STEEP)) or float(gradient.max()) or 1.0
        self.steep = np.minimum(gradient / np.float32(full), 1.0)
        self._laplacian = sum(
            ndimage.gaussian_filter(values, sigma, order=order, truncate=3.0) / np.float32(step**2)
            for order, step in zip(((2, 0), (0, 2)), spacing_mm, strict=True)
        )
        self._crossing = _zero_crossings(self._laplacian)
        # Unit vectors along the edge, at right angles to the gradient; none where it is flat.
        length = np.maximum(gradient, np.finfo(np.float32).tiny)
        self._along = (self._slope[1] / length, -self._slope[0] / length)

    def graph(self, low: Pixel, side: int) -> csr_array:
        """Costs of all steps among the pixels of a window, a wall of one pixel around them."""
        window = tuple(
            slice(start, min(start + side, size))
            for start, size in zip(low, self.steep.shape, strict=True)
        )
        own = _ZERO * ~self._crossing[window] + _GRADIENT * (1.0 - self.steep[window])
        along = [part[window] for part in self._along]
        rows, columns = own.shape[0] + 2, own.shape[1] + 2
        costs = np.full((rows, columns, 8), np.inf)
        offsets = []
        for n, (j, i) in enumerate(_STEPS):
            length = float(np.hypot(j * self._spacing_mm[0], i * self._spacing_mm[1]))
            link = (j * self._spacing_mm[0] / length, i * self._spacing_mm[1] / length)
            a, b = _both_ends(own.shape, j, i)
            turn = _angles(*(np.abs(link[0] * along[0][p] + link[1] * along[1][p]) for p in (a, b)))
            here, there = _inner(a), _inner(b)
            shared = (_DIRECTION * turn + _SHORTEST) * length
            costs[..., n][here] = shared + own[b] * length
            costs[..., n + 4][there] = shared + own[a] * length
            offsets.append(j * columns + i)
        count = rows * columns
        near = np.arange(count, dtype=np.int32)[:, None] + np.array(
            [*offsets, *(-n for n in offsets)], np.int32
        )
        near = np.clip(near, 0, count - 1)  # of walls; nothing leads there
        starts = np.arange(0, 8 * count + 1, 8, dtype=np.int32)
        return csr_array((costs.ravel(), near.ravel(), starts), shape=(count, count))

    def beyond(self, mask: BoolArray, path: Path) -> BoolArray:
        """Which pixels of a path lie on a zero crossing, and outside of the edge there."""
        at = (path[:, 0], path[:, 1])
        soft = ndimage.gaussian_filter(mask.astype(np.float32), 2.0, truncate=2.0)
        inward = np.gradient(soft)
        rising = sum(
            slope[at] * side[at] / step
            for slope, side, step in zip(self._slope, inward, self._spacing_mm, strict=True)
        )
        # Inside a bright shape the Laplacian is negative next to the edge; inside a dark one not.
        outside: BoolArray = self._crossing[at] & (rising * self._laplacian[at] > 0)
        return outside


def _zero_crossings(laplacian: npt.NDArray[np.float32]) -> BoolArray:
    """Pixels with a face to one of the other sign, and nearer to zero than that one."""
    found = np.zeros(laplacian.shape, bool)
    for axis in (0, 1):
        own, edge = np.moveaxis(laplacian, axis, 0), np.moveaxis(found, axis, 0)
        a, b = own[:-1], own[1:]
        change = (a > 0) != (b > 0)
        nearer = np.abs(a) <= np.abs(b)
        edge[:-1] |= change & nearer
        edge[1:] |= change & ~nearer
    return found


def _angles(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """From 0, a link along the edge at both ends, to 1, across it at both.

    Arccosines by Abramowitz and Stegun 4.4.45, good to 7e-5, since NumPy's take too long.
    """
    total: npt.NDArray[Any] = np.zeros(a.shape, np.float32)
    for cosine in (np.minimum(a, 1.0), np.minimum(b, 1.0)):
        series = 1.5707288 + cosine * (-0.2121144 + cosine * (0.0742610 - 0.0187293 * cosine))
        total = total + np.sqrt(1.0 - cosine) * series
    return total / np.float32(np.pi)


def _both_ends(shape: tuple[int, ...], j: int, i: int) -> tuple[tuple[slice, slice], ...]:
    """Where a step of so many rows and columns begins, and where it ends."""
    rows, columns = shape
    left, right = max(-i, 0), columns - max(i, 0)
    return (
        (slice(0, rows - j), slice(left, right)),
        (slice(j, rows), slice(left + i, right + i)),
    )


def _inner(part: tuple[slice, slice]) -> tuple[slice, slice]:
    """The same, inside of the wall."""
    return (
        slice(part[0].start + 1, part[0].stop + 1),
        slice(part[1].start + 1, part[1].stop + 1),
    )


def _straight(a: Pixel, b: Pixel) -> Path:
    """Pixels from one to another, both included, corners touching."""
    steps = max(abs(b[0] - a[0]), abs(b[1] - a[1]))
    share = np.linspace(0.0, 1.0, steps + 1)
    line: FloatArray = np.array(a) + share[:, None] * (np.array(b) - np.array(a))
    return np.rint(line).astype(np.intp)


def _check(
    plane: npt.NDArray[Any], spacing_mm: tuple[float, float], scale_mm: float,
    limits: tuple[float, float] | None,
) -> None:  # fmt: skip
    if plane.ndim != 2 or plane.size == 0:
        raise GeometryError("the scissors need one slice, rows and columns")
    if not all(np.isfinite(step) and step > 0 for step in (*spacing_mm, scale_mm)):
        raise InputError("spacing and scale must be more than 0 mm")
    if limits is not None and not (np.isfinite(limits).all() and limits[0] < limits[1]):
        raise InputError("the lower limit is not below the upper one")
