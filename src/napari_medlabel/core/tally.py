"""How many voxels each label has in each slice, kept up to date edit by edit."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.edit import Edit, LabelArray, label_values

__all__ = ["Tally"]


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
        places = np.nonzero(edit.changed)
        for values, sign in ((edit.after, 1), (edit.before, -1)):
            for value in label_values(values):
                there = values == value
                counts = self._of(value)
                k = places[0][there] + edit.low[0]
                counts += sign * np.bincount(k, minlength=self._shape[0])
                for axis, across in self._across.items():
                    known = across.get(value)
                    if known is None:
                        known = across[value] = np.zeros(self._shape[axis], np.int64)
                    n = places[axis][there] + edit.low[axis]
                    known += sign * np.bincount(n, minlength=self._shape[axis])

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
