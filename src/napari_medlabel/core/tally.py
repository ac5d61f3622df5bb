"""How many voxels each label has in each slice, kept up to date edit by edit."""

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
        self._depth = len(labels)
        self._counts: dict[int, npt.NDArray[np.int64]] = {}
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
        k = np.nonzero(edit.changed)[0] + edit.low[0]
        for values, sign in ((edit.after, 1), (edit.before, -1)):
            for value in label_values(values):
                counts = self._of(value)
                counts += sign * np.bincount(k[values == value], minlength=self._depth)

    def voxels(self, value: int) -> int:
        """How many voxels have the label value."""
        counts = self._counts.get(value)
        return 0 if counts is None else int(counts.sum())

    def slices(self, value: int) -> npt.NDArray[np.intp]:
        """Indices k of the slices that have a voxel of the label value."""
        counts = self._counts.get(value)
        return np.zeros(0, np.intp) if counts is None else np.flatnonzero(counts)

    def _of(self, value: int) -> npt.NDArray[np.int64]:
        return self._counts.setdefault(value, np.zeros(self._depth, np.int64))
