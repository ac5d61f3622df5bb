"""What hangs together with one voxel, found by runs of voxels instead of voxel by voxel.

A run is an unbroken line of voxels within one row. Runs are found slice by slice, only so far as
the region reaches, and joined where they touch by faces. A noisy mask breaks into so many runs
that numbering voxels is cheaper: then `Islands` does it.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from napari_medlabel.core.geometry import BoolArray, Index
from napari_medlabel.core.region import (
    Box,
    Islands,
    Report,
    Stop,
    check_not_stopped,
    never,
    silent,
    whole_box,
)

__all__ = ["region_around"]

Runs = npt.NDArray[np.int32]

_FIRST: Final = 8  # slices looked at on each side of the seed's before the region is known
_MOST_RUNS: Final = 3_000_000  # with what joins them, some 200 MB


def region_around(  # noqa: PLR0913  # what to follow, from where and how far
    alike: Callable[[Box], BoolArray], seed: Index, shape: Index, *, axis: int | None = None,
    cancelled: Stop = never, progress: Report = silent,
) -> tuple[Box, BoolArray]:  # fmt: skip
    """The voxels that are joined with a seed by faces, through voxels that are alike.

    Parameters
    ----------
    alike
        bool for each voxel of a box, the box's shape; asked for whole slices.
    seed
        The voxel to start from.
    shape
        Of the whole array.
    axis
        Stay in the seed's slice along this axis; without it, in 3-D.
    cancelled
        Polled on every slice.
    progress
        Called with slices looked at, and slices in all that may be.

    Returns
    -------
    tuple
        The smallest box that holds the region, and bool of the box's shape; the seed's voxel, not
        set, where it is not alike.

    Raises
    ------
    Cancelled
        If `cancelled` says so.
    """
    if axis is not None:
        return _in_slice(alike, seed, shape, axis)
    runs = _Runs(alike, shape, cancelled, progress)
    while runs.count <= _MOST_RUNS:
        own = runs.joined_with(seed)
        if not runs.widen(own):
            return runs.region(own, seed)
    return _by_numbers(alike, seed, shape, cancelled)


class _Runs:
    """Runs of the slices looked at so far: begin and end in the slice, laid out with a wall.

    Rows have one more column and slices one more row, which are never alike, so that a run ends
    with its row, and rows of two slices never touch.
    """

    def __init__(
        self, alike: Callable[[Box], BoolArray], shape: Index, cancelled: Stop, progress: Report
    ) -> None:
        self._alike, self._shape = alike, shape
        self._cancelled, self._progress = cancelled, progress
        self._width = shape[2] + 1
        self._begins: dict[int, Runs] = {}
        self._ends: dict[int, Runs] = {}
        self._links: dict[tuple[int, int], tuple[Runs, Runs]] = {}
        self._low = self._high = -1
        self.count = 0

    def joined_with(self, seed: Index) -> dict[int, BoolArray]:
        """For each slice, which of its runs are joined with the seed's; none where it is none."""
        if self._low < 0:
            self._look(max(seed[0] - _FIRST, 0), min(seed[0] + _FIRST + 1, self._shape[0]))
        slices = range(self._low, self._high)
        starts = np.cumsum([0, *(len(self._begins[k]) for k in slices)])
        first = {k: int(start) for k, start in zip(slices, starts, strict=False)}
        place = seed[1] * self._width + seed[2]
        n = int(np.searchsorted(self._begins[seed[0]], place, "right")) - 1
        total = int(starts[-1])
        if n < 0 or self._ends[seed[0]][n] <= place:
            wanted = np.zeros(total, bool)
        else:
            pairs = [
                (a + first[one], b + first[other])
                for (one, other), (a, b) in self._links.items()
            ]  # fmt: skip
            a, b = (np.concatenate(side) for side in zip(*pairs, strict=True))
            graph = coo_array((np.ones(len(a), bool), (a, b)), shape=(total, total))
            _, group = connected_components(graph, directed=False)
            wanted = group == group[first[seed[0]] + n]
        return {k: wanted[first[k] : first[k] + len(self._begins[k])] for k in slices}

    def widen(self, own: dict[int, BoolArray]) -> bool:
        """Look at as many slices more wherever the region reaches the last; False if nowhere."""
        more, low, high = self._high - self._low, self._low, self._high
        if low > 0 and own[low].any():
            low = max(low - more, 0)
        if high < self._shape[0] and own[high - 1].any():
            high = min(high + more, self._shape[0])
        wider = (low, high) != (self._low, self._high)
        if wider:
            self._look(low, high)
        return wider

    def region(self, own: dict[int, BoolArray], seed: Index) -> tuple[Box, BoolArray]:
        """The smallest box around these runs, and which voxels of it they hold."""
        chosen = {
            k: (self._begins[k][wanted], self._ends[k][wanted])
            for k, wanted in own.items() if wanted.any()
        }  # fmt: skip
        if not chosen:
            k, j, i = (slice(n, n + 1) for n in seed)
            return (k, j, i), np.zeros((1, 1, 1), bool)
        begins = np.concatenate([begin for begin, _ in chosen.values()])
        ends = np.concatenate([end for _, end in chosen.values()])
        box = (
            slice(min(chosen), max(chosen) + 1),
            slice(int(begins.min()) // self._width, int(ends.max()) // self._width + 1),
            slice(int((begins % self._width).min()), int((ends % self._width).max())),
        )
        found = np.zeros([side.stop - side.start for side in box], bool)
        for place, (begin, end) in chosen.items():
            check_not_stopped(self._cancelled)
            found[place - box[0].start] = self._painted(begin, end)[box[1:]]
        return box, found

    def _painted(self, begin: Runs, end: Runs) -> BoolArray:
        turns = np.zeros((self._shape[1] + 1) * self._width, np.int8)
        turns[begin] = 1
        turns[end] = -1  # an end is never a begin: there is a gap, or the wall, between
        inside: BoolArray = np.cumsum(turns, dtype=np.int8).view(bool).reshape(-1, self._width)
        return inside

    def _look(self, low: int, high: int) -> None:
        for k in range(low, high):
            if k not in self._begins:
                check_not_stopped(self._cancelled)
                self._find(k)
                self._progress(len(self._begins), self._shape[0])
        self._low, self._high = low, high
        for k in range(low, high):
            if (k, k) not in self._links:
                self._link(k, k, self._width)
            if k + 1 < high and (k, k + 1) not in self._links:
                self._link(k, k + 1, 0)
        self.count = sum(len(begin) for begin in self._begins.values())

    def _find(self, k: int) -> None:
        mask = self._alike((slice(k, k + 1), slice(0, self._shape[1]), slice(0, self._shape[2])))
        walled = np.zeros((self._shape[1] + 1, self._width), bool)
        walled[:-1, :-1] = mask[0]
        flat = walled.ravel()
        turns = np.flatnonzero(flat[1:] != flat[:-1]).astype(np.int32) + 1
        if flat[0]:
            turns = np.concatenate([np.zeros(1, np.int32), turns])
        self._begins[k], self._ends[k] = turns[::2].copy(), turns[1::2].copy()

    def _link(self, one: int, other: int, shift: int) -> None:
        """Note which runs of two slices touch when those of the second are moved back so far."""
        begin, end = self._begins[one] + shift, self._ends[one] + shift
        first = np.searchsorted(self._ends[other], begin, "right")
        after = np.searchsorted(self._begins[other], end, "left")
        counts = np.maximum(after - first, 0)
        a = np.repeat(np.arange(len(begin), dtype=np.int32), counts)
        before = np.repeat(np.cumsum(counts) - counts - first, counts)
        b = np.arange(len(a)) - before
        self._links[one, other] = (a, b.astype(np.int32))


def _in_slice(
    alike: Callable[[Box], BoolArray], seed: Index, shape: Index, axis: int
) -> tuple[Box, BoolArray]:
    k, j, i = (
        slice(seed[n], seed[n] + 1) if n == axis else slice(0, shape[n]) for n in range(3)
    )  # fmt: skip
    numbers, _ = ndimage.label(alike((k, j, i)))
    own = numbers[tuple(0 if n == axis else seed[n] for n in range(3))]
    return _trimmed((k, j, i), (numbers == own) & (own > 0), seed)


def _by_numbers(
    alike: Callable[[Box], BoolArray], seed: Index, shape: Index, cancelled: Stop
) -> tuple[Box, BoolArray]:
    box = whole_box(shape)
    islands = Islands(
        lambda where: alike((where, *box[1:])), shape, corners=False, cancelled=cancelled
    )
    found = np.zeros(shape, bool)
    own = islands.at(seed)
    wanted = np.zeros(islands.count + 1, bool)
    wanted[own] = own > 0
    for where, inside in islands.chosen(wanted):
        check_not_stopped(cancelled)
        found[where] = inside
    return _trimmed(box, found, seed)


def _trimmed(box: Box, found: BoolArray, seed: Index) -> tuple[Box, BoolArray]:
    sides = []
    for axis in range(3):
        hits = np.flatnonzero(found.any(axis=tuple(n for n in range(3) if n != axis)))
        if not hits.size:
            k, j, i = (slice(n, n + 1) for n in seed)
            return (k, j, i), np.zeros((1, 1, 1), bool)
        sides.append(slice(int(hits[0]), int(hits[-1]) + 1))
    k, j, i = (
        slice(own.start + side.start, own.start + side.stop)
        for own, side in zip(box, sides, strict=True)
    )
    return (k, j, i), found[tuple(sides)]
