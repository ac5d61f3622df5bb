"""How many voxels each label has in each slice, kept up to date edit by edit."""

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import BoolArray

__all__ = ["Tally"]

_BYTE: Final = 255  # the most that a byte counts to


class Tally:
    """Voxels per label and slice.

    Parameters
    ----------
    labels
        What to count once, `[k, j, i]`; later only edits are counted.
    others
        Labels of other groups on the same grid, with other values.
    """

    def __init__(self, labels: LabelArray, *others: LabelArray) -> None:
        self._shape = labels.shape
        self._counts: dict[int, npt.NDArray[np.int64]] = {}
        # Along rows and columns: counted when first asked for, kept up to date from then on.
        self._across: dict[int, dict[int, npt.NDArray[np.int64]]] = {}
        for array in (labels, *others):
            self._count(array)

    def _count(self, labels: LabelArray) -> None:
        for k, plane in enumerate(labels):
            if not plane.any():
                continue
            found = np.bincount(plane.ravel())
            for value in np.flatnonzero(found):
                if value:
                    self._of(int(value))[k] = found[value]

    def take(self, edit: Edit) -> None:
        """Count an edit that was written."""
        if edit.is_nothing:
            return
        for values, sign in ((edit.after, 1), (edit.before, -1)):
            if (values == values[0]).all():
                self._take_one(int(values[0]), edit, sign)
            else:
                self._take_many(values, edit, sign)

    def _take_one(self, value: int, edit: Edit, sign: int) -> None:
        """Voxels that are all of one label."""
        if value == 0:
            return
        counts = _counts_along(edit.changed, across=bool(self._across))
        for axis in (0, *self._across):
            found, low = counts[axis], edit.low[axis]
            self._along(axis, value)[low : low + len(found)] += sign * found

    def _take_many(self, values: LabelArray, edit: Edit, sign: int) -> None:
        """Voxels of several labels, slice by slice: what is looked at stays in the cache."""
        changed, length = edit.changed, int(values.max()) + 1
        found = np.zeros((len(changed), length), np.int64)
        across = {axis: np.zeros((changed.shape[axis], length), np.int64) for axis in self._across}
        start = 0
        for k, plane in enumerate(changed):
            end = start + int(np.count_nonzero(plane))
            if end == start:
                continue
            here = values[start:end]
            found[k] = np.bincount(here, minlength=length)
            places = np.nonzero(plane) if across else ()
            for axis in across:
                size = changed.shape[axis]
                flat = np.bincount(places[axis - 1] * length + here, minlength=size * length)
                across[axis] += flat.reshape(size, length)
            start = end
        for axis, counted in ({0: found} | across).items():
            low = edit.low[axis]
            for value in np.flatnonzero(counted.any(axis=0)):
                if value:
                    there = self._along(axis, int(value))
                    there[low : low + len(counted)] += sign * counted[:, value]

    def _along(self, axis: int, value: int) -> npt.NDArray[np.int64]:
        if axis == 0:
            return self._of(value)
        return self._across[axis].setdefault(value, np.zeros(self._shape[axis], np.int64))

    def voxels(self, value: int) -> int:
        """How many voxels have the label value."""
        counts = self._counts.get(value)
        return 0 if counts is None else int(counts.sum())

    def slices(self, value: int) -> npt.NDArray[np.intp]:
        """Indices k of the slices that have a voxel of the label value."""
        counts = self._counts.get(value)
        return np.zeros(0, np.intp) if counts is None else np.flatnonzero(counts)

    def slices_along(
        self, value: int, axis: int, arrays: Iterable[LabelArray]
    ) -> npt.NDArray[np.intp]:
        """Indices along any axis; `arrays` are the labels as they are now, to count once."""
        if axis == 0:
            return self.slices(value)
        if axis not in self._across:
            self._across[axis] = {}
            for labels in arrays:
                self._count_across(axis, labels)
        counts = self._across[axis].get(value)
        return np.zeros(0, np.intp) if counts is None else np.flatnonzero(counts)

    def _count_across(self, axis: int, labels: LabelArray) -> None:
        size, across = self._shape[axis], self._across[axis]
        filled = np.flatnonzero(sum(self._counts.values(), np.zeros(self._shape[0], np.int64)))
        for k in filled:
            where = np.nonzero(labels[k])
            values = labels[k][where].astype(np.int64)
            if not values.size:
                continue
            found = np.bincount(values * size + where[axis - 1])
            found = np.pad(found, (0, -len(found) % size)).reshape(-1, size)
            for value in np.flatnonzero(found.any(axis=1)):
                counts = across.setdefault(int(value), np.zeros(size, np.int64))
                counts += found[value]

    def _of(self, value: int) -> npt.NDArray[np.int64]:
        return self._counts.setdefault(value, np.zeros(self._shape[0], np.int64))


def _counts_along(changed: BoolArray, *, across: bool) -> tuple[npt.NDArray[np.int64], ...]:
    """How many are True in each slice along k and, with `across`, along j and i."""
    slices = np.array([np.count_nonzero(plane) for plane in changed], np.int64)
    if not across:
        return (slices,)
    columns = np.zeros(changed.shape[1:], np.int64)
    for start in range(0, len(changed), _BYTE):  # sums of bytes in bytes, which is much faster
        part = changed[start : start + _BYTE].view(np.uint8)
        columns += np.add.reduce(part, axis=0, dtype=np.uint8)
    return slices, columns.sum(axis=1), columns.sum(axis=0)
