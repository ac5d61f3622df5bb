"""Labels on a geometry under a schema, and the one door through which they change."""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.edit import Edit, LabelArray, label_values
from napari_medlabel.core.geometry import BoolArray, Geometry
from napari_medlabel.core.history import (
    Did,
    Journal,
    LocksSet,
    MemoryJournal,
    Record,
    Redid,
    State,
    Step,
    Undid,
)
from napari_medlabel.core.moment import utc_now
from napari_medlabel.core.schema import Label, LabelSchema
from napari_medlabel.core.tally import Tally
from napari_medlabel.core.volume import Grid
from napari_medlabel.errors import GeometryError, InputError, Locked, ReadOnly, StaleEdit

__all__ = ["Change", "IntensityMask", "Segmentation"]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class IntensityMask:
    """Only voxels whose image value lies within the limits (both included) may change."""

    image: Grid
    lower: float
    upper: float

    def allows(self, box: tuple[slice, slice, slice]) -> BoolArray:
        """bool, the box's shape."""
        values = self.image[box]
        inside: BoolArray = (values >= self.lower) & (values <= self.upper)
        return inside


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What watchers are told, after it happened."""

    kind: Literal["do", "undo", "redo", "locks"]
    step: Step

    @property
    def edit(self) -> Edit:
        """The voxels that changed."""
        return self.step.edit


class Segmentation:
    """Labels on a geometry under a schema, with locks, history and watchers.

    Every change goes through `apply`, `undo`, `redo` or `lock`, and through one journal.

    Parameters
    ----------
    geometry
        Where the voxels are.
    state
        Labels, schema, locks and history to go on from; without it, no label and no voxel.
    journal
        Where changes become durable; without it they are kept in memory.
    who
        The id of the person who makes the changes.
    read_only
        Why it may not be changed, or nothing.

    Raises
    ------
    GeometryError
        If the labels' shape is not the geometry's.
    """

    def __init__(
        self,
        geometry: Geometry,
        state: State | None = None,
        journal: Journal | None = None,
        *,
        who: str = "",
        read_only: str = "",
    ) -> None:
        self.geometry = geometry
        self.who = who
        self.read_only = read_only
        self.intensity_mask: IntensityMask | None = None
        self._state = state or State(np.zeros(geometry.shape, np.uint8), LabelSchema())
        if self._state.labels.shape != geometry.shape:
            raise GeometryError("the labels do not have the shape of the geometry")
        self._journal: Journal = journal or MemoryJournal()
        self._watchers: list[Callable[[Change], None]] = []
        self._one_at_a_time = threading.RLock()  # a snapshot never sees half an edit
        self._tally = Tally(self._state.labels)

    # What there is

    @property
    def labels(self) -> LabelArray:
        """The labels, `[k, j, i]`, read-only view that follows every change."""
        view = self._state.labels.view()
        view.flags.writeable = False
        return view

    @property
    def arrays(self) -> Mapping[int, LabelArray]:
        """The labels of every group of the schema by its number, as `labels` are those of 0."""
        return {0: self.labels}

    def group_of(self, value: int) -> int:
        """The group whose array holds the label; 0 for the background.

        Raises
        ------
        InputError
            If the schema has no such label.
        """
        if value:
            self.schema[value]  # raises InputError where there is none
        return 0

    def labels_of(self, value: int) -> LabelArray:
        """The array that holds the label, `[k, j, i]`: a read-only view, as `labels` is.

        Raises
        ------
        InputError
            If the schema has no such label.
        """
        return self.arrays[self.group_of(value)]

    @property
    def schema(self) -> LabelSchema:
        """What may be drawn."""
        return self._state.schema

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

    def snapshot(self) -> State:
        """A copy of all state: what a version or a checkpoint saves."""
        with self._one_at_a_time:
            now = self._state
            return State(
                now.labels.copy(), now.schema, now.locked, list(now.done), list(now.undone)
            )

    # What changes it

    def apply(
        self,
        wanted: Edit,
        *,
        tool: str = "Edit",
        settings: Mapping[str, Any] | None = None,
        schema: LabelSchema | None = None,
        whole: bool = False,
    ) -> Edit:
        """Write an edit; return what was written, since locks and mask may trim it.

        Parameters
        ----------
        wanted
            Made on the labels as they are now.
        tool, settings
            How it was made, for history and provenance.
        schema
            A new schema that comes with it, undone with it.
        whole
            Write all of it or nothing: locks refuse instead of trimming, no intensity mask.

        Raises
        ------
        ReadOnly, StaleEdit, Locked
            Nothing is changed then.
        NotSaved
            If an earlier change is not durable yet and cannot be made so; nothing is changed.
        InputError
            If it would write a value that is not in the schema, or leave voxels without a label.
        """
        with self._one_at_a_time:
            self._check_writable()
            self._state.make_room(wanted)
            if not wanted.fits(self._state.labels):
                raise StaleEdit("the voxels have changed since the edit was made", "draw it again")
            edit = wanted if whole else self._permitted(wanted)
            new_schema = schema if schema is not None and schema != self.schema else None
            before = self.schema if new_schema is not None else None
            step = Step(edit, tool, dict(settings or {}), self.who, utc_now(), before, new_schema)
            self._check_unlocked(step, voxels=whole)
            self._check_labels(edit, schema or self.schema)
            if not edit.is_nothing or new_schema is not None:
                self._commit("do", Did(step))
            return edit

    def undo(self) -> Edit | None:
        """Take the last step back, whole or not at all; None where there is none.

        Raises
        ------
        ReadOnly, Locked, NotSaved
            Nothing is changed then.
        """
        with self._one_at_a_time:
            if not self._state.done:
                return None
            self._check_writable()
            number = self._state.done[-1]
            self._check_unlocked(self._journal.step(number).inverse())
            return self._commit("undo", Undid(number))

    def redo(self) -> Edit | None:
        """Make the step that was taken back last again, whole or not at all.

        Raises
        ------
        ReadOnly, Locked, NotSaved
            Nothing is changed then.
        """
        with self._one_at_a_time:
            if not self._state.undone:
                return None
            self._check_writable()
            number = self._state.undone[-1]
            self._check_unlocked(self._journal.step(number))
            return self._commit("redo", Redid(number))

    def lock(self, value: int, *, on: bool = True) -> None:
        """Protect every voxel of a label, or stop protecting it.

        Raises
        ------
        InputError
            If the schema has no such label.
        ReadOnly, NotSaved
            Nothing is changed then.
        """
        with self._one_at_a_time:
            self._check_writable()
            self.schema[value]  # raises InputError where there is none
            locked = self.locked | {value} if on else self.locked - {value}
            if locked != self.locked:
                self._commit("locks", LocksSet(locked))

    def set_label(self, label: Label, *, tool: str = "") -> None:
        """Add the label, or change the one with its value; one step of the history."""
        known = self.schema.get(label.value)
        words = tool or ("Add segment" if known is None else "Change segment")
        self.apply(
            Edit.nothing(self._state.labels.dtype),
            tool=words, settings={"label": label.value}, schema=self.schema.with_label(label),
        )  # fmt: skip

    def delete_label(self, value: int) -> Edit:
        """Erase all voxels of a label and take it from the schema; one step of the history.

        Raises
        ------
        Locked
            If the label is locked.
        """
        with self._one_at_a_time:
            self.schema[value]  # raises InputError where there is none
            return self.apply(
                self._erase_all(value), tool="Delete segment", settings={"label": value},
                schema=self.schema.without(value), whole=True,
            )  # fmt: skip

    def settle(self) -> None:
        """Wait until every change is durable.

        Raises
        ------
        NotSaved
            If that cannot be; the changes stay in memory.
        """
        self._journal.settle()

    def forget_steps(self, numbers: Iterable[int]) -> None:
        """Let go of steps of the history that can no longer be taken back; no voxel changes."""
        gone = set(numbers)
        self._state.done = [number for number in self._state.done if number not in gone]

    def watch(self, watcher: Callable[[Change], None]) -> Callable[[], None]:
        """Call `watcher` after every change; the result ends that."""
        self._watchers.append(watcher)

        def end() -> None:
            if watcher in self._watchers:
                self._watchers.remove(watcher)

        return end

    # How

    def _commit(self, kind: Literal["do", "undo", "redo", "locks"], record: Record) -> Edit:
        self._journal.settle()  # the change before this one is durable, or this one is refused
        number = self._journal.append(record)
        step = self._state.take(number, record, self._journal.step)
        if step is None:
            step = Step(
                Edit.nothing(self._state.labels.dtype), "Lock", who=self.who, when=utc_now()
            )
        self._tally.take(step.edit)
        self._tell(Change(kind, step))
        return step.edit

    def _tell(self, change: Change) -> None:
        """Tell every watcher; one that fails changes nothing for the others or the edit."""
        for watcher in tuple(self._watchers):
            try:
                watcher(change)
            except Exception as error:  # noqa: BLE001  # whatever it is, the edit is written
                what = type(error).__name__  # no traceback: its last line may hold a value
                _logger.error("a watcher failed: %s", what)  # noqa: TRY400

    def _check_writable(self) -> None:
        if self.read_only:
            raise ReadOnly(self.read_only)

    def _permitted(self, edit: Edit) -> Edit:
        """The part of the edit that locks and the intensity mask leave."""
        if self.locked and self.locked & edit.touched():
            protected = np.array(sorted(self.locked))
            free = edit.changed.copy()
            free[edit.changed] = ~(np.isin(edit.before, protected) | np.isin(edit.after, protected))
            edit = edit.only(free)
        if self.intensity_mask is not None and not edit.is_nothing:
            edit = edit.only(self.intensity_mask.allows(edit.box))
        return edit

    def _check_unlocked(self, step: Step, *, voxels: bool = True) -> None:
        """Refuse a step that takes a locked label away or, with `voxels`, changes its voxels."""
        hurt = self.locked & step.edit.touched() if voxels else frozenset[int]()
        if step.schema_after is not None:
            hurt |= self.locked - {label.value for label in step.schema_after}
        if not hurt:
            return
        names = [label.name for label in self.schema if label.value in hurt]
        raise Locked(f"this would change a locked segment: {', '.join(names)}", "unlock it first")

    def _check_labels(self, edit: Edit, schema: LabelSchema) -> None:
        values = {label.value for label in schema}
        strange = label_values(edit.after) - values
        if strange:
            raise InputError(f"the schema has no label with value {min(strange)}")
        gained = edit.gained()
        for label in self.schema:
            left = self.voxels(label.value) + gained.get(label.value, 0)
            if label.value not in values and left:
                raise InputError(f"'{label.name}' still has voxels and cannot leave the schema")

    def _erase_all(self, value: int) -> Edit:
        slices = self.slices(value)
        if slices.size == 0:
            return Edit.nothing(self._state.labels.dtype)
        first, last = int(slices[0]), int(slices[-1])
        part = self._state.labels[first : last + 1]
        return Edit.fill(self._state.labels, (first, 0, 0), part == value, 0)
