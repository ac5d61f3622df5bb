"""Labels on a geometry under a schema, and the one door through which they change."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from napari_medlabel.core.annotation_places import check_near
from napari_medlabel.core.annotation_set import AnnotationEdit, AnnotationSet
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.history import (
    Did,
    Journal,
    LocksSet,
    Record,
    Redid,
    State,
    Step,
    Undid,
)
from napari_medlabel.core.moment import utc_now
from napari_medlabel.core.schema import Label, LabelSchema
from napari_medlabel.core.segmentation_facts import SegmentationFacts
from napari_medlabel.core.writable import (
    Checked,
    IntensityMask,
    check_labels,
    check_unlocked,
    permitted,
)
from napari_medlabel.errors import ReadOnly, StaleEdit

__all__ = ["Change", "IntensityMask", "Segmentation"]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What watchers are told, after it happened."""

    kind: Literal["do", "undo", "redo", "locks"]
    step: Step

    @property
    def edit(self) -> Edit:
        """The voxels that changed; of several groups of labels those of the first."""
        return self.step.edit

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The voxels that changed, one edit for each group of labels."""
        return self.step.edits


class Segmentation(SegmentationFacts):
    """Labels on a geometry under a schema, annotations, with locks, history and watchers.

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
        super().__init__(geometry, state, journal)
        self.who = who
        self.read_only = read_only
        self.intensity_mask: IntensityMask | None = None
        self._watchers: list[Callable[[Change], None]] = []
        self._turns = 0  # grows by two with each change; odd while voxels are being written

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
        return self.apply_all((wanted,), tool=tool, settings=settings, schema=schema, whole=whole)[
            0
        ]

    def apply_all(  # noqa: PLR0913  # what a step can hold
        self,
        wanted: Sequence[Edit],
        *,
        tool: str = "Edit",
        settings: Mapping[str, Any] | None = None,
        schema: LabelSchema | None = None,
        annotations: AnnotationSet | None = None,
        whole: bool = False,
        checked: Checked | None = None,
    ) -> tuple[Edit, ...]:
        """Write edits of several groups of labels as one step: see `apply`.

        Parameters
        ----------
        wanted
            One for each group, at least one.
        tool, settings, schema, whole
            As in `apply`.
        annotations
            New annotations that come with them, undone with them.
        checked
            What `check` said of these very edits; without it, or where anything changed since,
            they are looked at now.

        Returns
        -------
        tuple of Edit
            What was written of each.
        """
        with self._one_at_a_time:
            self._check_writable()
            if checked is None or not self.still_holds(checked, wanted):
                for edit in wanted:
                    self._state.make_room(edit)
                checked = self._looked_at(wanted, whole=whole)
            if checked is None:
                raise StaleEdit("the voxels have changed since the edit was made", "draw it again")
            edits = checked.edits
            new_schema = schema if schema is not None and schema != self.schema else None
            if new_schema is not None:
                annotations = self._of_segments_in(new_schema, annotations)
            step = self._step(edits, tool, settings, new_schema, annotations)
            check_unlocked(step, self.locked, self.schema, voxels=whole)
            check_labels(edits, self.schema, schema or self.schema, self.voxels)
            if not (step.edit.is_nothing and new_schema is None and step.annotations is None):
                self._commit("do", Did(step))
            return edits

    def check(self, wanted: Sequence[Edit], *, whole: bool = False) -> Checked | None:
        """Look at edits beforehand, on any thread, so that `apply_all` need not.

        Parameters
        ----------
        wanted, whole
            As for `apply_all`.

        Returns
        -------
        Checked or None
            None where one does not fit, or something changed while they were looked at.
        """
        found = self._looked_at(wanted, whole=whole)
        return found if found is not None and self.still_holds(found, wanted) else None

    def still_holds(self, checked: Checked, wanted: Sequence[Edit]) -> bool:
        """Whether nothing has changed since these edits were looked at."""
        return checked.wanted is wanted and checked.at == self._moment and self._turns % 2 == 0

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
            check_unlocked(self._journal.step(number).inverse(), self.locked, self.schema)
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
            check_unlocked(self._journal.step(number), self.locked, self.schema)
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

    def set_annotations(
        self, new: AnnotationSet, *, tool: str, settings: Mapping[str, Any] | None = None
    ) -> None:
        """Make these the annotations; one step of the history, or none where nothing differs.

        Raises
        ------
        InputError
            If a new one is far outside the grid.
        ReadOnly, NotSaved
            Nothing is changed then.
        """
        nothing = Edit.nothing(self._state.labels.dtype)
        self.apply_all((nothing,), tool=tool, settings=settings, annotations=new)

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
        self._turns += 1
        try:
            # What is done was looked at when it was asked for; what is undone is looked at here.
            step = self._state.take(number, record, self._journal.step, fits=kind == "do")
        finally:
            self._turns += 1
        if step is None:
            step = Step(
                Edit.nothing(self._state.labels.dtype), "Lock", who=self.who, when=utc_now()
            )
        for edit in step.edits:
            self._tally.take(edit)
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

    @property
    def _moment(self) -> tuple[object, ...]:
        """What a look at edits holds for: these labels, locks and this mask."""
        return (self._turns, self.locked, self.intensity_mask)

    def _looked_at(self, wanted: Sequence[Edit], *, whole: bool) -> Checked | None:
        """What may be written of edits, if all of them fit the labels."""
        at, locked, mask = self._moment, self.locked, self.intensity_mask
        if not all(edit.fits(self._state.array(edit.group)) for edit in wanted):
            return None
        edits = tuple(edit if whole else permitted(edit, locked, mask) for edit in wanted)
        return Checked(wanted, edits, at)

    def _step(
        self,
        edits: Sequence[Edit],
        tool: str,
        settings: Mapping[str, Any] | None,
        new_schema: LabelSchema | None,
        annotations: AnnotationSet | None,
    ) -> Step:
        """A step of the edits that change anything, made now."""
        now = self.annotations
        moved = AnnotationEdit.between(now, now if annotations is None else annotations)
        for annotation in moved.after:
            check_near(annotation, self.geometry)
        first, *more = [edit for edit in edits if not edit.is_nothing] or edits[:1]
        return Step(
            first, tool, dict(settings or {}), self.who, utc_now(),
            None if new_schema is None else self.schema, new_schema, more=tuple(more),
            annotations=None if moved.is_nothing else moved,
        )  # fmt: skip

    def _of_segments_in(
        self, schema: LabelSchema, annotations: AnnotationSet | None
    ) -> AnnotationSet:
        """The annotations; those of a segment that the schema does not have belong to none."""
        found = self.annotations if annotations is None else annotations
        there = {label.value for label in schema}
        return found.with_segments({one.segment: 0 for one in found if one.segment not in there})

    def _erase_all(self, value: int) -> Edit:
        group = self.group_of(value)
        labels, slices = self._state.array(group), self.slices(value)
        if slices.size == 0:
            return Edit.nothing(labels.dtype, group)
        first, last = int(slices[0]), int(slices[-1])
        part = labels[first : last + 1]
        return Edit.fill(labels, (first, 0, 0), part == value, 0, group=group)
