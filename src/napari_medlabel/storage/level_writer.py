"""A pyramid written while its finest level streams by; memory holds a few slabs, however many.

Each level takes slabs along one axis, in any order and from several threads. It writes a slab as
soon as it is whole, joins it, hands it to the next coarser level, and forgets it.
"""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import Index
from napari_medlabel.storage.parallel import Job
from napari_medlabel.storage.sealed_store import ObjectFolder
from napari_medlabel.storage.zarr_layout import ArrayLayout

__all__ = ["LevelWriter", "pyramid_writer"]

Array = npt.NDArray[Any]
Join = Callable[[Array, Index], Array]


class LevelWriter:
    """One level of a pyramid.

    Parameters
    ----------
    folder, name
        Where its chunks go: `<name>/c/0/0/0`.
    layout
        How it is cut into chunks; one slab is one chunk thick.
    axis
        Along which slabs come.
    coarser
        The next level, how many voxels along each axis become one there, and how.
    leave_out_zeros
        Whether chunks that are all 0 are not written (they read as 0).
    """

    def __init__(  # noqa: PLR0913  # where a slab comes from, goes to and goes on to
        self,
        folder: ObjectFolder,
        name: str,
        layout: ArrayLayout,
        axis: int,
        coarser: tuple["LevelWriter", Index, Join] | None = None,
        *,
        leave_out_zeros: bool = False,
    ) -> None:
        self.layout = layout
        self.thickness = layout.chunks[axis]
        self._folder, self._name, self._axis = folder, name, axis
        self._coarser = coarser
        self._leave_out_zeros = leave_out_zeros
        self._partial: dict[int, tuple[Array, int]] = {}
        self._lock = threading.Lock()
        self._scratches = layout.scratches()

    def take(self, start: int, block: Array) -> list[Job]:
        """Part of one slab: the voxels from `start` along the axis, all of them along the others.

        Parameters
        ----------
        start
            Index along the axis.
        block
            Not changed until all jobs are done.

        Returns
        -------
        list of Job
            What is to be done with the slab, if it is whole now; see `in_parallel`.
        """
        slab = start // self.thickness
        whole = self._whole(slab, start, block)
        if whole is None:
            return []
        jobs: list[Job] = [] if self._coarser is None else [partial(self._hand_on, slab, whole)]
        for index in self.layout.indices():
            if index[self._axis] == slab:
                box = list(self.layout.box(index))
                box[self._axis] = slice(None)
                jobs.append(partial(self._write, index, whole[tuple(box)]))
        return jobs

    def _hand_on(self, slab: int, whole: Array) -> list[Job]:
        if self._coarser is None:
            return []
        level, steps, join = self._coarser
        return level.take(slab * self.thickness // steps[self._axis], join(whole, steps))

    def _whole(self, slab: int, start: int, block: Array) -> Array | None:
        """The slab, once all its parts are there."""
        low = slab * self.thickness
        size = min(self.thickness, self.layout.shape[self._axis] - low)
        count = block.shape[self._axis]
        if count == size:
            return block
        with self._lock:
            if slab not in self._partial:
                shape = list(self.layout.shape)
                shape[self._axis] = size
                self._partial[slab] = (np.empty(shape, block.dtype), 0)
            array = self._partial[slab][0]
        part = tuple(
            slice(start - low, start - low + count) if axis == self._axis else slice(None)
            for axis in range(3)
        )
        array[part] = block
        with self._lock:
            filled = self._partial[slab][1] + count
            self._partial[slab] = (array, filled)
            if filled < size:
                return None
            del self._partial[slab]
        return array

    def _write(self, index: Index, voxels: Array) -> None:
        if self._leave_out_zeros and not voxels.any():
            return
        content = self.layout.encode(voxels, self._scratches.mine)
        self._folder.write(f"{self._name}/{self.layout.key(index)}", content)


def pyramid_writer(  # noqa: PLR0913  # what its levels need
    folder: ObjectFolder,
    layouts: Sequence[ArrayLayout],
    factors: Sequence[Index],
    axis: int,
    join: Join,
    *,
    leave_out_zeros: bool = False,
) -> LevelWriter:
    """The writer of the finest level; levels are named "0", "1", ... from there."""
    writer: LevelWriter | None = None
    for level in range(len(layouts) - 1, -1, -1):
        coarser = None
        if writer is not None:
            k, j, i = (a // b for a, b in zip(factors[level + 1], factors[level], strict=True))
            coarser = (writer, (k, j, i), join)
        writer = LevelWriter(
            folder, str(level), layouts[level], axis, coarser, leave_out_zeros=leave_out_zeros
        )
    if writer is None:
        raise ValueError("a pyramid has at least one level")
    return writer
