"""Where the voxels of a segment are, and the connected parts of a mask, in bounded memory.

What region tools share. The tools themselves: `region_islands`, `region_margin`,
`region_smoothing`, `region_threshold`, `region_flood`, `region_seeds` and `region_logic`. Each of
them is a function from labels to an `Edit` in the smallest box; nothing is changed by it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import BoolArray, Index, Spacing
from napari_medlabel.errors import Cancelled, InputError

__all__ = [
    "Box",
    "Islands",
    "Report",
    "Stop",
    "box_of",
    "check_axis",
    "check_not_stopped",
    "check_size",
    "check_spacing",
    "copy_of",
    "edit_of",
    "never",
    "silent",
    "slabs",
    "watched",
    "whole_box",
    "widened",
]

Box = tuple[slice, slice, slice]
Stop = Callable[[], bool]
Report = Callable[[int, int], None]
T = TypeVar("T")

_SLAB_VOXELS: Final = 1 << 22  # 4 million: 16 MB as float32
_KEPT_VOXELS: Final = 1 << 24  # numbers of so many voxels are kept, else made again


def never() -> bool:
    """Nobody calls it off."""
    return False


def silent(_done: int, _total: int) -> None:
    """Nobody asks how far it is."""


def watched(
    parts: Iterable[T], total: int, cancelled: Stop = never, progress: Report = silent
) -> Iterator[T]:
    """Each part in turn; before it, `cancelled` is asked, and after it, `progress` is told.

    Raises
    ------
    Cancelled
        If `cancelled` says so.
    """
    for done, part in enumerate(parts, 1):
        check_not_stopped(cancelled)
        yield part
        progress(min(done, total), total)


def check_not_stopped(cancelled: Stop) -> None:
    """Pass, unless it was called off.

    Raises
    ------
    Cancelled
        If so.
    """
    if cancelled():
        raise Cancelled("this was called off")


def box_of(labels: npt.NDArray[Any], *values: int) -> Box | None:
    """The smallest box that holds all voxels of these label values; None where there are none.

    Raises
    ------
    InputError
        If one of them is background.
    """
    if not values or min(values) < 1:
        raise InputError("background is not a segment", "choose a segment")
    rows, columns = np.zeros(labels.shape[1], bool), np.zeros(labels.shape[2], bool)
    slices = []
    for k, plane in enumerate(labels):
        mask = plane == values[0] if len(values) == 1 else np.isin(plane, values)
        own = mask.any(axis=1)
        if own.any():
            slices.append(k)
            rows |= own
            columns |= mask.any(axis=0)
    if not slices:
        return None
    j, i = np.flatnonzero(rows), np.flatnonzero(columns)
    return (
        slice(slices[0], slices[-1] + 1),
        slice(int(j[0]), int(j[-1]) + 1),
        slice(int(i[0]), int(i[-1]) + 1),
    )


def whole_box(shape: Sequence[int]) -> Box:
    """The box of all voxels."""
    return (slice(0, shape[0]), slice(0, shape[1]), slice(0, shape[2]))


def widened(box: Box, by: Sequence[int], shape: Sequence[int]) -> Box:
    """The box with so many more voxels on both sides of each axis, inside the array."""
    k, j, i = (
        slice(max(side.start - more, 0), min(side.stop + more, size))
        for side, more, size in zip(box, by, shape, strict=True)
    )
    return (k, j, i)


def slabs(box: Box, halo: int = 0, voxels: int = _SLAB_VOXELS) -> Iterator[slice]:
    """Parts of the box's k axis, one after the other, each of a bounded number of voxels.

    With a halo the slabs are at least as thick as it, so that no more than three times as many
    voxels are looked at in all.
    """
    plane = max((box[1].stop - box[1].start) * (box[2].stop - box[2].start), 1)
    thick = max(voxels // plane, halo, 1)
    for start in range(box[0].start, box[0].stop, thick):
        yield slice(start, min(start + thick, box[0].stop))


def copy_of(labels: LabelArray, box: Box, *values: int) -> LabelArray:
    """A copy of a box of the labels, uint16 where uint8 cannot hold one of the values.

    Raises
    ------
    InputError
        If no label can have one of them.
    """
    if min(values, default=0) < 0 or max(values, default=0) > np.iinfo(np.uint16).max:
        raise InputError("the label's value is larger than any segmentation can hold")
    copy: LabelArray = labels[box].copy()
    if max(values, default=0) > np.iinfo(labels.dtype).max:
        copy = copy.astype(np.uint16)
    return copy


def edit_of(labels: LabelArray, box: Box, after: LabelArray) -> Edit:
    """The edit that makes a box of the labels what `after` is, a copy by `copy_of`."""
    before: LabelArray = labels[box]
    if before.dtype != after.dtype:
        before = before.astype(np.uint16)
    return Edit.between((box[0].start, box[1].start, box[2].start), before, after)


def check_spacing(spacing_mm: Spacing) -> None:
    """Pass, if it can be one.

    Raises
    ------
    InputError
        Otherwise.
    """
    if len(spacing_mm) != 3 or not all(np.isfinite(step) and step > 0 for step in spacing_mm):
        raise InputError("a spacing must be three numbers above 0 mm")


def check_size(number: float, name: str, *, unit: str = "mm", least: float = 0.0) -> None:
    """Pass, if the number is finite and at least so large.

    Raises
    ------
    InputError
        Otherwise.
    """
    if not (np.isfinite(number) and number >= least):
        raise InputError(
            f"the {name} cannot be {number:g} {unit}", f"choose {least:g} {unit} or more"
        )


def check_axis(axis: int | None) -> None:
    """Pass, if it is an axis or none.

    Raises
    ------
    InputError
        Otherwise.
    """
    if axis not in (None, 0, 1, 2):
        raise InputError(f"there is no axis {axis}", "slices lie along axis 0, 1 or 2")


@dataclass(frozen=True, slots=True, eq=False)
class _Slab:
    where: slice
    count: int
    kept: npt.NDArray[np.int32] | None


class Islands:
    """The connected parts of a mask, found slab by slab.

    Numbers of voxels are int32 and cost four times a label array: so they are kept for small
    boxes and made again for large ones.

    Parameters
    ----------
    mask
        Called with a part of the k axis of the box, counted from the box's first slice; gives
        bool `[k, j, i]`.
    shape
        Of the box.
    corners
        Whether voxels that touch by an edge or a corner are connected, or only by a face.
    cancelled
        Polled for each slab.
    progress
        Called with slices done and slices in all.

    Raises
    ------
    Cancelled
        If `cancelled` says so.
    """

    def __init__(
        self,
        mask: Callable[[slice], BoolArray],
        shape: Index,
        *,
        corners: bool = True,
        cancelled: Stop = never,
        progress: Report = silent,
    ) -> None:
        self._mask = mask
        self._structure = ndimage.generate_binary_structure(3, 3 if corners else 1)
        self._slabs: list[_Slab] = []
        self._starts: list[int] = []
        pairs: list[npt.NDArray[np.int64]] = []
        sizes: list[npt.NDArray[np.intp]] = []
        edges: list[BoolArray] = []
        last: npt.NDArray[np.int64] | None = None
        keep, total = int(np.prod(shape)) <= _KEPT_VOXELS, 0
        for where in slabs(whole_box(shape)):
            check_not_stopped(cancelled)
            numbers, count, above = self._numbered(where)
            if last is not None and above is not None:
                shared = above > 0
                codes = np.unique((last[shared] << 32) + above[shared] + total)
                pairs.append(np.stack([codes >> 32, codes & 0xFFFFFFFF]) - 1)
            sizes.append(np.bincount(numbers.ravel(), minlength=count + 1)[1:])
            edges.append(_at_edge(numbers, count, where, shape))
            self._slabs.append(_Slab(where, count, numbers if keep else None))
            self._starts.append(total)
            last = numbers[-1].astype(np.int64)
            last[last > 0] += total
            total += count
            progress(where.stop, shape[0])
        self._join(total, pairs, np.concatenate(sizes), np.concatenate(edges))

    def _join(
        self, total: int, pairs: Sequence[npt.NDArray[np.int64]],
        sizes: npt.NDArray[np.intp], edges: BoolArray,
    ) -> None:  # fmt: skip
        same = np.concatenate([np.zeros((2, 0), np.int64), *pairs], axis=1)
        graph = coo_array((np.ones(same.shape[1]), (same[0], same[1])), shape=(total, total))
        count, group = connected_components(graph, directed=False)
        self._of = np.concatenate([[0], group + 1]).astype(np.int32)
        self.sizes = np.bincount(group, sizes, count).astype(np.intp)
        self.at_edge = np.bincount(group, edges, count) > 0

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.sizes)

    def by_size(self) -> npt.NDArray[np.intp]:
        """Numbers from 1, the largest first; of equal ones the first."""
        return np.argsort(-self.sizes, kind="stable") + 1

    def each(self) -> Iterator[tuple[slice, npt.NDArray[np.int32]]]:
        """Parts of the k axis and the number of each voxel's island from 1, or 0 outside."""
        for slab, start in zip(self._slabs, self._starts, strict=True):
            numbers = self._numbered(slab.where)[0] if slab.kept is None else slab.kept
            own = np.concatenate([[0], self._of[start + 1 : start + slab.count + 1]])
            yield slab.where, own.astype(np.int32)[numbers]

    def at(self, index: Index) -> int:
        """The number of the island that a voxel is in, or 0."""
        n = next(n for n, slab in enumerate(self._slabs) if index[0] < slab.where.stop)
        slab = self._slabs[n]
        numbers = self._numbered(slab.where)[0] if slab.kept is None else slab.kept
        own = int(numbers[index[0] - slab.where.start, index[1], index[2]])
        return int(self._of[self._starts[n] + own]) if own else 0

    def chosen(self, wanted: BoolArray) -> Iterator[tuple[slice, BoolArray]]:
        """Parts of the k axis and the voxels of islands that `wanted`, by number, is True for."""
        for slab, start in zip(self._slabs, self._starts, strict=True):
            numbers = self._numbered(slab.where)[0] if slab.kept is None else slab.kept
            own = wanted[self._of[start + 1 : start + slab.count + 1]]
            yield slab.where, np.concatenate([[False], own])[numbers]

    def _numbered(
        self, where: slice
    ) -> tuple[npt.NDArray[np.int32], int, npt.NDArray[np.int32] | None]:
        """Numbers in a slab, how many, and those that reach back into the slice before it."""
        first = max(where.start - 1, 0)
        numbers, count = ndimage.label(self._mask(slice(first, where.stop)), self._structure)
        if first == where.start:
            return numbers, int(count), None
        return numbers[1:], int(count), numbers[0]


def _at_edge(numbers: npt.NDArray[np.int32], count: int, where: slice, shape: Index) -> BoolArray:
    """Whether each number has a voxel on a face of the whole box."""
    faces = [numbers[:, 0], numbers[:, -1], numbers[:, :, 0], numbers[:, :, -1]]
    faces += [numbers[0]] if where.start == 0 else []
    faces += [numbers[-1]] if where.stop == shape[0] else []
    found = np.zeros(count + 1, bool)
    for face in faces:
        found[np.unique(face)] = True
    edge: BoolArray = found[1:]
    return edge
