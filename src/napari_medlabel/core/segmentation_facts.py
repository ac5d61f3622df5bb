"""What there is of a segmentation: labels, schema, locks, history; read here, changed elsewhere."""

import threading
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.annotation_set import AnnotationSet
from napari_medlabel.core.edit import LabelArray
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.history import Journal, MemoryJournal, State, Step
from napari_medlabel.core.schema import LabelSchema
from napari_medlabel.core.tally import Tally
from napari_medlabel.errors import GeometryError

__all__ = ["SegmentationFacts"]


class SegmentationFacts:
    """Labels on a geometry under a schema, to look at: see `core.segmentation.Segmentation`.

    Parameters
    ----------
    geometry, state, journal
        As there.

    Raises
    ------
    GeometryError
        If the labels' shape is not the geometry's.
    """

    def __init__(self, geometry: Geometry, state: State | None, journal: Journal | None) -> None:
        self.geometry = geometry
        self._state = state or State(np.zeros(geometry.shape, np.uint8), LabelSchema())
        arrays = self._state.arrays.values()
        if any(array.shape != geometry.shape for array in arrays):
            raise GeometryError("the labels do not have the shape of the geometry")
        self._journal: Journal = journal or MemoryJournal()
        self._one_at_a_time = threading.RLock()  # a snapshot never sees half an edit
        self._tally = Tally(*arrays)

    @property
    def labels(self) -> LabelArray:
        """The labels of group 0, `[k, j, i]`, read-only view that follows every change."""
        return _read_only(self._state.labels)

    @property
    def arrays(self) -> Mapping[int, LabelArray]:
        """The labels of every group of the schema by its number, as `labels` are those of 0."""
        return {group: _read_only(self._state.array(group)) for group in self.schema.groups}

    def group_of(self, value: int) -> int:
        """The group whose array holds the label; 0 for the background.

        Raises
        ------
        InputError
            If the schema has no such label.
        """
        return self.schema[value].group if value else 0

    def labels_of(self, value: int) -> LabelArray:
        """The array that holds the label, `[k, j, i]`: a read-only view, as `labels` is.

        Raises
        ------
        InputError
            If the schema has no such label.
        """
        return _read_only(self._state.array(self.group_of(value)))

    @property
    def schema(self) -> LabelSchema:
        """What may be drawn."""
        return self._state.schema

    @property
    def annotations(self) -> AnnotationSet:
        """Measurements and geometric annotations."""
        return self._state.annotations

    @property
    def locked(self) -> frozenset[int]:
        """Label values of which no voxel may be lost or gained."""
        return self._state.locked

    @property
    def can_undo(self) -> bool:
        """True where there is a step to take back."""
        return bool(self._state.done)

    @property
    def can_redo(self) -> bool:
        """True where there is a step to make again."""
        return bool(self._state.undone)

    @property
    def history(self) -> tuple[int, ...]:
        """Numbers of the steps that can be taken back, oldest first."""
        return tuple(self._state.done)

    @property
    def undone(self) -> tuple[int, ...]:
        """Numbers of the steps that were taken back and can be made again, the next one last."""
        return tuple(self._state.undone)

    def next_undo(self) -> Step | None:
        """The step that `undo` would take back."""
        return self._journal.step(self._state.done[-1]) if self._state.done else None

    def next_redo(self) -> Step | None:
        """The step that `redo` would make again."""
        return self._journal.step(self._state.undone[-1]) if self._state.undone else None

    def step(self, number: int) -> Step:
        """A step of the history by its number."""
        return self._journal.step(number)

    def voxels(self, value: int) -> int:
        """How many voxels have the label value; kept up to date, not counted anew."""
        return self._tally.voxels(value)

    def volume_ml(self, value: int) -> float:
        """The label's volume in millilitres."""
        return self.voxels(value) * self.geometry.voxel_ml

    def slices(self, value: int) -> npt.NDArray[np.intp]:
        """Indices k of the slices that have a voxel of the label value."""
        return self._tally.slices(value)

    def slices_along(self, value: int, axis: int) -> npt.NDArray[np.intp]:
        """Indices along an axis (0, 1 or 2) of the slices that have a voxel of the label value."""
        with self._one_at_a_time:
            return self._tally.slices_along(value, axis, self.arrays.values())

    def snapshot(self) -> State:
        """A copy of all state: what a version or a checkpoint saves."""
        with self._one_at_a_time:
            return self._state.copy()


def _read_only(labels: LabelArray) -> LabelArray:
    view = labels.view()
    view.flags.writeable = False
    return view
