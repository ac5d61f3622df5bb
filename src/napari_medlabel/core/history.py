"""What happened to a segmentation, as values in order; replaying them gives its state.

A `Record` is one row of the journal. `State.take` is the one place where a record changes labels,
whether it was just made or is read back, so that a replay cannot differ from the first time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from napari_medlabel.core.annotation_set import AnnotationEdit, AnnotationSet
from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.schema import LabelSchema
from napari_medlabel.errors import InputError, IntegrityError

__all__ = [
    "Did",
    "Journal",
    "LocksSet",
    "MemoryJournal",
    "Record",
    "Redid",
    "State",
    "Step",
    "Undid",
]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One thing a person did: edits, changes of schema and annotations; undone and redone as one.

    Parameters
    ----------
    edit
        The voxels that changed; may be nothing.
    tool
        In words for the history: "Paint", "Erase", "Delete segment".
    settings
        JSON-ready settings of the tool.
    who
        The person's id.
    when
        UTC, ISO 8601 with milliseconds.
    schema_before, schema_after
        Both, where the schema changed; else both None.
    more
        What changed in other groups of labels, one edit for each of them.
    annotations
        How the annotations changed, if they did.

    Raises
    ------
    InputError
        If two edits change one group.
    """

    edit: Edit
    tool: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    who: str = ""
    when: str = ""
    schema_before: LabelSchema | None = None
    schema_after: LabelSchema | None = None
    more: tuple[Edit, ...] = ()
    annotations: AnnotationEdit | None = None

    def __post_init__(self) -> None:
        if len({edit.group for edit in self.edits}) < len(self.edits):
            raise InputError("a step changes each group of labels once")

    @property
    def edits(self) -> tuple[Edit, ...]:
        """All that changed, one edit for each group."""
        return (self.edit, *self.more)

    def inverse(self) -> "Step":
        """The step that takes this one back."""
        return replace(
            self,
            edit=self.edit.inverse(),
            schema_before=self.schema_after,
            schema_after=self.schema_before,
            more=tuple(edit.inverse() for edit in self.more),
            annotations=self.annotations.inverse() if self.annotations else None,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Did:
    """A step was made."""

    step: Step


@dataclass(frozen=True, slots=True)
class Undid:
    """The step of row `number` was taken back."""

    number: int


@dataclass(frozen=True, slots=True)
class Redid:
    """The step of row `number`, taken back before, was made again."""

    number: int


@dataclass(frozen=True, slots=True)
class LocksSet:
    """From here on these label values are locked."""

    locked: frozenset[int]


Record = Did | Undid | Redid | LocksSet


class Journal(Protocol):
    """Where records become durable, in order.

    - `append` returns at once with the record's number; numbers grow by one.
    - `settle` returns when every record so far is durable, or raises NotSaved; records that
      could not be written stay and are tried again by the next `settle`.
    - `step` gives back the step of a `Did`, durable or not.
    """

    def append(self, record: Record) -> int:
        """Take a record; it becomes durable in the background."""

    def settle(self) -> None:
        """Wait until all is durable."""

    def step(self, number: int) -> Step:
        """The step made at this number."""


class MemoryJournal:
    """A journal that keeps its records in memory: scripts and tests."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def append(self, record: Record) -> int:
        """Take a record."""
        self.records.append(record)
        return len(self.records)

    def settle(self) -> None:
        """Nothing to wait for."""

    def step(self, number: int) -> Step:
        """The step made at this number."""
        record = self.records[number - 1] if 0 < number <= len(self.records) else None
        if not isinstance(record, Did):
            raise IntegrityError(f"record {number} of the journal is not a step")
        return record.step


@dataclass(slots=True)
class State:
    """All that records change: labels, schema, annotations, locks, and which steps can be undone.

    `labels` is the array of group 0; `others` has those of other groups, made when they are first
    asked for. `done` and `undone` hold the numbers of steps, the next to be taken last.
    """

    labels: LabelArray
    schema: LabelSchema
    locked: frozenset[int] = frozenset()
    done: list[int] = field(default_factory=list)
    undone: list[int] = field(default_factory=list)
    others: dict[int, LabelArray] = field(default_factory=dict)
    annotations: AnnotationSet = field(default_factory=AnnotationSet)

    def array(self, group: int) -> LabelArray:
        """The labels of a group, `[k, j, i]`."""
        if group == 0:
            return self.labels
        if group not in self.others:
            self.others.setdefault(group, np.zeros(self.labels.shape, np.uint8))
        return self.others[group]

    @property
    def arrays(self) -> dict[int, LabelArray]:
        """The labels of each group that has voxels, growing by its number; always of group 0."""
        filled = {group: self.others[group] for group in sorted(self.others)}
        return {0: self.labels} | {n: array for n, array in filled.items() if array.any()}

    def copy(self) -> "State":
        """The same, with arrays and lists of its own."""
        return replace(
            self,
            labels=self.labels.copy(),
            done=list(self.done),
            undone=list(self.undone),
            others={group: array.copy() for group, array in self.others.items()},
        )

    def take(
        self, number: int, record: Record, step_at: Callable[[int], Step], *, fits: bool = False
    ) -> Step | None:
        """Change as the record says; return the step that was carried out, if it is one.

        With `fits`, that the edits of a `Did` fit the labels has been seen just now.

        Raises
        ------
        IntegrityError
            If the record does not fit the state; nothing is changed then.
        """
        match record:
            case Did(step):
                self._carry_out(step, fits=fits)
                self.done.append(number)
                self.undone.clear()
                return step
            case Undid(undone):
                self._expect(self.done, undone)
                step = step_at(undone).inverse()
                self._carry_out(step)
                self.undone.append(self.done.pop())
                return step
            case Redid(redone):
                self._expect(self.undone, redone)
                step = step_at(redone)
                self._carry_out(step)
                self.done.append(self.undone.pop())
                return step
            case LocksSet(locked):
                self.locked = locked
                return None

    def make_room(self, edit: Edit) -> None:
        """Widen the group's labels to 16 bits where the edit needs them; no value changes."""
        if edit.after.max(initial=0) <= np.iinfo(self.array(edit.group).dtype).max:
            return
        if edit.group == 0:
            self.labels = self.labels.astype(np.uint16)
        else:
            self.others[edit.group] = self.others[edit.group].astype(np.uint16)

    def _carry_out(self, step: Step, *, fits: bool = False) -> None:
        for edit in step.edits:
            self.make_room(edit)
            if not fits and not edit.fits(self.array(edit.group)):
                raise IntegrityError("a step of the history does not fit the labels it was made on")
        if step.annotations is not None:
            if not step.annotations.fits(self.annotations):
                raise IntegrityError("a step of the history does not fit the annotations there")
            self.annotations = step.annotations.applied(self.annotations)
        for edit in step.edits:
            edit.write(self.array(edit.group))
        if step.schema_after is not None:
            self.schema = step.schema_after

    @staticmethod
    def _expect(stack: list[int], number: int) -> None:
        if not stack or stack[-1] != number:
            raise IntegrityError(f"the history does not lead to step {number}")
