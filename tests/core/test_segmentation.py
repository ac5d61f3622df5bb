"""The one door through which labels change."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import BoolArray, Geometry, Index
from napari_medlabel.core.history import Did, MemoryJournal, Record, State, Step
from napari_medlabel.core.schema import Label, LabelSchema
from napari_medlabel.core.segmentation import Change, IntensityMask, Segmentation
from napari_medlabel.errors import (
    GeometryError,
    InputError,
    IntegrityError,
    Locked,
    NotSaved,
    ReadOnly,
    StaleEdit,
)
from napari_medlabel.testing import Action, Lock, actions

SHAPE = (3, 4, 5)
VALUES = (1, 2, 3)
SCHEMA = LabelSchema("Organs", tuple(Label(v, f"organ {v}", "#33FFCC") for v in VALUES))


def new(labels: LabelArray | None = None, schema: LabelSchema = SCHEMA) -> Segmentation:
    array = np.zeros(SHAPE, np.uint8) if labels is None else labels
    geometry = Geometry.from_spacing(array.shape, (3.0, 0.7, 0.7))
    return Segmentation(geometry, State(array, schema), MemoryJournal())


def ones(shape: Index = SHAPE) -> BoolArray:
    return np.ones(shape, bool)


def paint(segmentation: Segmentation, value: int, low: Index, shape: Index) -> Edit:
    return segmentation.apply(Edit.fill(segmentation.labels, low, ones(shape), value))


def facts(state: State) -> tuple[object, ...]:
    return (state.labels.tobytes(), state.schema, state.locked, state.done, state.undone)


def replayed(start: State, records: list[Record]) -> State:
    journal = MemoryJournal()
    journal.records = records
    for number, record in enumerate(records, 1):
        start.take(number, record, journal.step)
    return start


def sequences(*, locks: bool = True) -> st.SearchStrategy[list[Action]]:
    return st.lists(actions(SHAPE, VALUES, locks=locks), min_size=10, max_size=30)


@settings(max_examples=200)
@given(sequences())
def test_a_locked_voxel_never_changes(sequence: list[Action]) -> None:
    segmentation = new()
    for action in sequence:
        before, locked = segmentation.labels.copy(), segmentation.locked
        action(segmentation)
        mine = [np.isin(labels, list(locked)) for labels in (before, segmentation.labels)]
        kept = np.where(mine[0] | mine[1], before, 0)
        np.testing.assert_array_equal(np.where(mine[0] | mine[1], segmentation.labels, 0), kept)


@given(sequences())
def test_undoing_everything_gives_the_first_state_bit_for_bit(sequence: list[Action]) -> None:
    segmentation = new()
    for action in sequence:
        action(segmentation)
    last = facts(segmentation.snapshot())
    for value in segmentation.locked:
        segmentation.lock(value, on=False)
    unlocked = facts(segmentation.snapshot())
    steps = 0
    while segmentation.undo() is not None:
        steps += 1
    assert segmentation.labels.tobytes() == bytes(np.prod(SHAPE))
    assert segmentation.schema == SCHEMA
    for _ in range(steps):
        segmentation.redo()
    assert facts(segmentation.snapshot()) == unlocked
    assert last[:2] == unlocked[:2]


@given(sequences())
def test_replaying_the_journal_gives_the_same_state(sequence: list[Action]) -> None:
    journal = MemoryJournal()
    geometry = Geometry.from_spacing(SHAPE)
    segmentation = Segmentation(geometry, State(np.zeros(SHAPE, np.uint8), SCHEMA), journal)
    for action in sequence:
        action(segmentation)
    again = replayed(State(np.zeros(SHAPE, np.uint8), SCHEMA), journal.records)
    assert facts(again) == facts(segmentation.snapshot())


@given(sequences())
def test_counts_kept_up_to_date_are_those_of_a_recount(sequence: list[Action]) -> None:
    segmentation = new()
    for action in sequence:
        action(segmentation)
    for value in VALUES:
        found = segmentation.labels == value
        assert segmentation.voxels(value) == np.count_nonzero(found)
        assert segmentation.slices(value).tolist() == np.flatnonzero(found.any((1, 2))).tolist()
        volume = np.count_nonzero(found) * segmentation.geometry.voxel_ml
        assert segmentation.volume_ml(value) == pytest.approx(volume)


@given(sequences())
def test_every_voxel_has_a_label_of_the_schema(sequence: list[Action]) -> None:
    segmentation = new()
    for action in sequence:
        action(segmentation)
        values = {label.value for label in segmentation.schema}
        assert set(np.unique(segmentation.labels).tolist()) <= values | {0}


@given(sequences())
def test_watchers_are_told_all_that_changed_and_nothing_else(sequence: list[Action]) -> None:
    segmentation = new()
    mirror = segmentation.labels.copy()
    told: list[Change] = []
    segmentation.watch(told.append)
    for action in sequence:
        action(segmentation)
    for change in told:
        change.edit.write(mirror)
    np.testing.assert_array_equal(mirror, segmentation.labels)


@given(st.data())
def test_what_was_written_is_part_of_what_was_wanted(data: st.DataObject) -> None:
    segmentation = new()
    for action in data.draw(sequences()):
        action(segmentation)
    assume(segmentation.schema.get(1) is not None)
    before = segmentation.labels.copy()
    edit = segmentation.apply(Edit.fill(before, (0, 0, 0), ones(), 1))
    after = segmentation.labels
    assert set(np.unique(after[after != before]).tolist()) <= {1}
    assert edit.voxels == np.count_nonzero(after != before)


def test_a_locked_label_survives_a_fill() -> None:
    segmentation = new()
    paint(segmentation, 1, (0, 0, 0), (1, 4, 5))
    segmentation.lock(1)
    edit = paint(segmentation, 2, (0, 0, 0), SHAPE)
    assert segmentation.voxels(1) == 20
    assert segmentation.voxels(2) == edit.voxels == 40


def test_a_locked_label_gains_nothing() -> None:
    segmentation = new()
    segmentation.lock(1)
    assert paint(segmentation, 1, (0, 0, 0), SHAPE).is_nothing
    assert not segmentation.can_undo


def test_a_whole_edit_is_refused_where_a_lock_would_trim_it() -> None:
    segmentation = new()
    paint(segmentation, 1, (0, 0, 0), (1, 1, 1))
    segmentation.lock(1)
    edit = Edit.fill(segmentation.labels, (0, 0, 0), ones(), 2)
    with pytest.raises(Locked, match="organ 1") as caught:
        segmentation.apply(edit, whole=True)
    assert caught.value.hint == "unlock it first"
    assert segmentation.voxels(2) == 0


def test_a_step_that_touches_a_locked_label_is_not_undone_in_part() -> None:
    segmentation = new()
    paint(segmentation, 1, (0, 0, 0), (1, 1, 1))
    segmentation.lock(1)
    with pytest.raises(Locked):
        segmentation.undo()
    assert segmentation.voxels(1) == 1
    segmentation.lock(1, on=False)
    assert segmentation.undo() is not None
    segmentation.lock(1)
    with pytest.raises(Locked):
        segmentation.redo()
    assert segmentation.voxels(1) == 0


def test_the_intensity_mask_keeps_voxels_outside_its_limits() -> None:
    segmentation = new()
    image = np.arange(60, dtype=np.int16).reshape(SHAPE)
    segmentation.intensity_mask = IntensityMask(image, 10, 19)
    edit = paint(segmentation, 1, (0, 0, 0), SHAPE)
    np.testing.assert_array_equal(segmentation.labels == 1, (image >= 10) & (image <= 19))
    assert edit.voxels == 10
    segmentation.intensity_mask = IntensityMask(image, 1000, 2000)
    assert segmentation.undo() is not None
    assert segmentation.voxels(1) == 0


def test_an_edit_made_on_other_labels_is_stale() -> None:
    segmentation = new()
    late = Edit.fill(segmentation.labels, (0, 0, 0), ones(), 1)
    paint(segmentation, 2, (0, 0, 0), (1, 1, 1))
    with pytest.raises(StaleEdit):
        segmentation.apply(late)
    assert segmentation.voxels(1) == 0


def test_a_value_without_a_label_is_refused() -> None:
    segmentation = new()
    with pytest.raises(InputError, match="no label with value 9"):
        paint(segmentation, 9, (0, 0, 0), (1, 1, 1))


def test_a_read_only_segmentation_refuses_everything() -> None:
    segmentation = new()
    paint(segmentation, 1, (0, 0, 0), (1, 1, 1))
    segmentation.read_only = "another window has this case"
    before = facts(segmentation.snapshot())
    attempts = [
        lambda: paint(segmentation, 2, (0, 0, 0), (1, 1, 1)),
        segmentation.undo,
        lambda: segmentation.lock(1),
        lambda: segmentation.set_label(Label(7, "new", "#33FFCC")),
        lambda: segmentation.delete_label(1),
    ]
    for attempt in attempts:
        with pytest.raises(ReadOnly, match="another window"):
            attempt()
    assert facts(segmentation.snapshot()) == before


def test_labels_cannot_be_changed_past_the_door() -> None:
    segmentation = new()
    with pytest.raises(ValueError, match="read-only"):
        segmentation.labels[0, 0, 0] = 1


def test_a_label_with_voxels_cannot_leave_the_schema() -> None:
    segmentation = new()
    paint(segmentation, 1, (0, 0, 0), (1, 1, 1))
    with pytest.raises(InputError, match="still has voxels"):
        segmentation.apply(Edit.nothing(), schema=SCHEMA.without(1))
    assert segmentation.schema == SCHEMA


def test_deleting_a_label_is_one_step_and_undo_brings_back_voxels_and_name() -> None:
    segmentation = new()
    paint(segmentation, 1, (1, 0, 0), (2, 2, 2))
    segmentation.delete_label(1)
    assert segmentation.schema.get(1) is None
    assert segmentation.voxels(1) == 0
    segmentation.undo()
    assert segmentation.schema == SCHEMA
    assert segmentation.voxels(1) == 8


def test_a_locked_label_cannot_be_deleted() -> None:
    segmentation = new()
    segmentation.lock(2)
    with pytest.raises(Locked, match="organ 2"):
        segmentation.delete_label(2)


def test_renaming_is_a_step_of_the_history_with_words_for_it() -> None:
    segmentation = new()
    segmentation.set_label(replace(SCHEMA[1], name="liver"))
    segmentation.set_label(Label(9, "spleen", "#33FFCC"))
    step = segmentation.next_undo()
    assert step is not None
    assert step.tool == "Add segment"
    segmentation.undo()
    assert segmentation.schema[1].name == "liver"
    assert segmentation.next_redo() is not None
    segmentation.undo()
    assert segmentation.schema == SCHEMA
    assert segmentation.history == ()


def test_a_change_that_changes_nothing_is_no_step() -> None:
    segmentation = new()
    segmentation.set_label(SCHEMA[1])
    paint(segmentation, 0, (0, 0, 0), SHAPE)
    segmentation.lock(1, on=False)
    assert segmentation.history == ()
    assert not segmentation.can_undo
    assert segmentation.undo() is None
    assert segmentation.redo() is None


def test_a_new_step_ends_the_steps_that_could_be_made_again() -> None:
    segmentation = new()
    paint(segmentation, 1, (0, 0, 0), (1, 1, 1))
    segmentation.undo()
    paint(segmentation, 2, (0, 0, 0), (1, 1, 1))
    assert not segmentation.can_redo


def test_a_full_disk_leaves_all_as_it_was_and_the_next_try_goes_on() -> None:
    class FullDisk(MemoryJournal):
        full = True

        def settle(self) -> None:
            if self.full:
                raise NotSaved("the disk is full")

    journal = FullDisk()
    geometry = Geometry.from_spacing(SHAPE)
    segmentation = Segmentation(geometry, State(np.zeros(SHAPE, np.uint8), SCHEMA), journal)
    with pytest.raises(NotSaved):
        paint(segmentation, 1, (0, 0, 0), SHAPE)
    assert segmentation.voxels(1) == 0
    assert journal.records == []
    journal.full = False
    paint(segmentation, 1, (0, 0, 0), SHAPE)
    segmentation.settle()
    assert segmentation.voxels(1) == 60


def test_a_watcher_that_ended_is_told_no_more() -> None:
    segmentation = new()
    told: list[Change] = []
    end = segmentation.watch(told.append)
    Lock(1, on=True)(segmentation)
    end()
    end()
    Lock(1, on=False)(segmentation)
    assert [change.kind for change in told] == ["locks"]


def test_a_snapshot_does_not_follow_later_changes() -> None:
    segmentation = new()
    snapshot = segmentation.snapshot()
    paint(segmentation, 1, (0, 0, 0), SHAPE)
    assert not snapshot.labels.any()
    assert snapshot.done == []


def test_a_new_segmentation_is_empty() -> None:
    segmentation = Segmentation(Geometry.from_spacing(SHAPE))
    assert segmentation.labels.shape == SHAPE
    assert len(segmentation.schema) == 0
    with pytest.raises(GeometryError):
        Segmentation(Geometry.from_spacing((1, 1, 1)), State(np.zeros(SHAPE, np.uint8), SCHEMA))


@pytest.mark.parametrize("number", [0, 2, -1, 99])
def test_a_journal_has_no_step_where_there_is_none(number: int) -> None:
    segmentation = new()
    paint(segmentation, 1, (0, 0, 0), SHAPE)
    segmentation.lock(1)
    with pytest.raises(IntegrityError):
        segmentation._journal.step(number)


def test_records_that_do_not_fit_are_an_integrity_error_and_change_nothing() -> None:
    journal = MemoryJournal()
    geometry = Geometry.from_spacing(SHAPE)
    segmentation = Segmentation(geometry, State(np.zeros(SHAPE, np.uint8), SCHEMA), journal)
    paint(segmentation, 1, (0, 0, 0), SHAPE)
    segmentation.undo()
    did, undid = journal.records
    assert isinstance(did, Did)
    state = State(np.full(SHAPE, 2, np.uint8), SCHEMA)
    before = facts(state)
    for record in (did, undid):
        with pytest.raises(IntegrityError):
            state.take(1, record, journal.step)
    assert facts(state) == before


def test_a_segment_that_is_locked_cannot_leave_by_undo() -> None:
    segmentation = Segmentation(Geometry.from_spacing((2, 3, 4)))
    segmentation.set_label(Label(1, "Liver", "#FF8000"))
    segmentation.lock(1)
    with pytest.raises(Locked, match="Liver"):
        segmentation.undo()
    segmentation.lock(1, on=False)
    segmentation.undo()
    assert len(segmentation.schema) == 0


def test_only_labels_of_the_schema_can_be_locked() -> None:
    segmentation = Segmentation(Geometry.from_spacing((2, 3, 4)))
    with pytest.raises(InputError):
        segmentation.lock(70000)


def test_a_watcher_that_fails_keeps_nothing_from_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    segmentation = Segmentation(Geometry.from_spacing((2, 3, 4)))
    told = []

    def broken(_change: object) -> None:
        raise KeyError("DOE^JANE")

    segmentation.watch(broken)
    segmentation.watch(told.append)
    segmentation.set_label(Label(1, "Liver", "#FF8000"))
    assert len(told) == 1
    assert "KeyError" in caplog.text
    assert "DOE" not in caplog.text


def test_a_label_above_255_widens_the_labels_and_replay_does_too() -> None:
    journal = MemoryJournal()
    geometry = Geometry.from_spacing((2, 3, 4))
    segmentation = Segmentation(geometry, journal=journal)
    segmentation.set_label(Label(300, "Lesion 300", "#FF8000"))
    before = segmentation.labels.astype(np.uint16)
    after = before.copy()
    after[1, 2, 3] = 300
    segmentation.apply(Edit.between((0, 0, 0), before, after))
    assert segmentation.labels[1, 2, 3] == 300
    state = State(np.zeros(geometry.shape, np.uint8), LabelSchema())
    for number, record in enumerate(journal.records, 1):
        state.take(number, record, journal.step)
    np.testing.assert_array_equal(state.labels, segmentation.labels)
    segmentation.undo()
    assert not segmentation.labels.any()


def test_a_snapshot_never_holds_half_an_edit() -> None:
    segmentation = Segmentation(Geometry.from_spacing((40, 60, 60)))
    segmentation.set_label(Label(1, "Liver", "#FF8000"))
    whole = np.ones((40, 60, 60), bool)
    segmentation.apply(Edit.fill(segmentation.labels, (0, 0, 0), whole, 1))
    over = threading.Event()

    def back_and_forth() -> None:
        while not over.is_set():
            segmentation.undo()
            segmentation.redo()

    hand = threading.Thread(target=back_and_forth)
    hand.start()
    counts = {int(segmentation.snapshot().labels.sum()) for _ in range(200)}
    over.set()
    hand.join()
    assert counts <= {0, whole.size}


@pytest.mark.parametrize("between", ["", "paint", "undo", "lock", "mask"])
def test_edits_are_looked_at_again_where_anything_changed_since(between: str) -> None:
    segmentation = new()
    paint(segmentation, 1, (0, 0, 0), (2, 2, 2))
    wanted = (Edit.fill(segmentation.labels, (0, 0, 0), ones((3, 3, 3)), 2),)
    checked = segmentation.check(wanted)
    assert checked is not None
    if between == "paint":
        paint(segmentation, 3, (2, 2, 2), (1, 1, 1))
    elif between == "undo":
        segmentation.undo()
    elif between == "lock":
        segmentation.lock(1)
    elif between == "mask":
        segmentation.intensity_mask = IntensityMask(np.zeros(SHAPE), 1.0, 2.0)
    assert segmentation.still_holds(checked, wanted) is not bool(between)
    written = {"": 27, "lock": 19, "mask": 0}.get(between)
    if written is None:
        with pytest.raises(StaleEdit):
            segmentation.apply_all(wanted, checked=checked)
    else:
        assert segmentation.apply_all(wanted, checked=checked)[0].voxels == written


def test_another_edit_is_not_taken_for_the_one_that_was_looked_at() -> None:
    segmentation = new()
    wanted = (Edit.fill(segmentation.labels, (0, 0, 0), ones((2, 2, 2)), 1),)
    checked = segmentation.check(wanted)
    stale = (Edit.fill(segmentation.labels, (0, 0, 0), ones((3, 3, 3)), 1).inverse(),)
    assert segmentation.check(stale) is None
    with pytest.raises(StaleEdit):
        segmentation.apply_all(stale, checked=checked)


def test_what_is_looked_at_while_voxels_are_written_counts_for_nothing() -> None:
    segmentation, seen = new(), list[object]()
    wanted = (Edit.fill(segmentation.labels, (1, 1, 1), ones((1, 1, 1)), 1),)

    class Looking(MemoryJournal):
        """Looks at edits while a step is taken back, before its voxels are written."""

        def step(self, number: int) -> Step:
            seen.append(segmentation.check(wanted))
            return MemoryJournal.step(self, number)

    segmentation = Segmentation(segmentation.geometry, None, Looking())
    segmentation.set_label(Label(1, "organ", "#33FFCC"))
    paint(segmentation, 1, (0, 0, 0), (1, 1, 1))
    segmentation.undo()
    assert seen[-1] is None
    assert segmentation.check(wanted) is not None
