"""Labels of different groups: each group has an array of its own, so that they may overlap."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.grouping import free_group, move_label, overlaps_in
from napari_medlabel.core.history import Did, MemoryJournal, State, Step
from napari_medlabel.core.provenance import steps_of
from napari_medlabel.core.schema import Label, LabelSchema
from napari_medlabel.core.segmentation import Change, Segmentation
from napari_medlabel.errors import InputError, IntegrityError, Locked, StaleEdit
from napari_medlabel.testing import Action, actions, edits

SHAPE = (3, 4, 5)
LIVER, LESION, CYST = 1, 2, 3
GROUPS = (0, 1, 4)
SCHEMA = LabelSchema(
    "Liver",
    (
        Label(LIVER, "liver", "#33FFCC"),
        Label(LESION, "lesion", "#FF8000", group=1),
        Label(CYST, "cyst", "#A633A6", group=1),
    ),
)
EVERYWHERE = np.ones(SHAPE, bool)


def new(schema: LabelSchema = SCHEMA, journal: MemoryJournal | None = None) -> Segmentation:
    state = State(np.zeros(SHAPE, np.uint8), schema)
    return Segmentation(Geometry.from_spacing(SHAPE, (3.0, 0.7, 0.7)), state, journal)


def paint(segmentation: Segmentation, value: int, rows: slice = slice(None)) -> Edit:
    where = np.zeros(SHAPE, bool)
    where[:, rows] = True
    labels, group = segmentation.labels_of(value), segmentation.group_of(value)
    return segmentation.apply(Edit.fill(labels, (0, 0, 0), where, value, group=group))


def voxels(segmentation: Segmentation, value: int) -> LabelArray:
    return segmentation.labels_of(value) == value


def facts(segmentation: Segmentation) -> tuple[object, ...]:
    state = segmentation.snapshot()
    filled = {group: array.tobytes() for group, array in state.arrays.items()}
    return (filled, state.schema, state.locked, state.done, state.undone)


def sequences() -> st.SearchStrategy[list[Action]]:
    return st.lists(actions(SHAPE, (1, 2, 3), groups=GROUPS), min_size=10, max_size=30)


@settings(max_examples=200)
@given(sequences())
def test_every_voxel_has_a_label_of_its_own_group(sequence: list[Action]) -> None:
    segmentation = new()
    for action in sequence:
        action(segmentation)
        for group, array in segmentation.snapshot().arrays.items():
            values = {label.value for label in segmentation.schema.in_group(group)}
            assert set(np.unique(array).tolist()) <= values | {0}


@given(sequences())
def test_undoing_everything_gives_the_first_state_of_every_group(sequence: list[Action]) -> None:
    segmentation = new()
    for action in sequence:
        action(segmentation)
    for value in segmentation.locked:
        segmentation.lock(value, on=False)
    last, steps = facts(segmentation), 0
    while segmentation.undo() is not None:
        steps += 1
    assert segmentation.schema == SCHEMA
    assert not any(array.any() for array in segmentation.snapshot().arrays.values())
    for _ in range(steps):
        segmentation.redo()
    assert facts(segmentation) == last


@given(sequences())
def test_replaying_the_journal_gives_every_group(sequence: list[Action]) -> None:
    journal = MemoryJournal()
    segmentation = new(journal=journal)
    for action in sequence:
        action(segmentation)
    state = State(np.zeros(SHAPE, np.uint8), SCHEMA)
    for number, record in enumerate(journal.records, 1):
        state.take(number, record, journal.step)
    again = Segmentation(segmentation.geometry, state)
    assert facts(again) == facts(segmentation)
    for value in (LIVER, LESION, CYST):
        assert again.voxels(value) == segmentation.voxels(value)


@given(sequences())
def test_counts_are_those_of_the_label_in_its_own_group(sequence: list[Action]) -> None:
    segmentation = new()
    for action in sequence:
        action(segmentation)
    for label in segmentation.schema:
        found = voxels(segmentation, label.value)
        assert segmentation.voxels(label.value) == np.count_nonzero(found)
        slices = np.flatnonzero(found.any((1, 2)))
        assert segmentation.slices(label.value).tolist() == slices.tolist()


@given(sequences())
def test_watchers_are_told_what_changed_in_every_group(sequence: list[Action]) -> None:
    segmentation = new()
    mirror = {group: np.zeros(SHAPE, np.uint8) for group in GROUPS}
    told: list[Change] = []
    segmentation.watch(told.append)
    for action in sequence:
        action(segmentation)
    for change in told:
        for edit in change.edits:
            edit.write(mirror[edit.group])
    for group, array in segmentation.arrays.items():
        np.testing.assert_array_equal(mirror[group], array)


@settings(max_examples=100)
@given(sequences())
def test_a_locked_voxel_never_changes_whatever_happens_in_other_groups(
    sequence: list[Action],
) -> None:
    segmentation = new()
    for action in sequence:
        before = {value: voxels(segmentation, value).copy() for value in segmentation.locked}
        action(segmentation)
        for value in before.keys() & segmentation.locked:
            np.testing.assert_array_equal(voxels(segmentation, value), before[value])


@given(st.data())
def test_what_becomes_of_an_edit_stays_in_its_group(data: st.DataObject) -> None:
    labels = np.zeros(SHAPE, np.uint8)
    edit = data.draw(edits(labels, (1, 2))).in_group(3)
    allowed = np.ones(edit.changed.shape, bool)
    allowed[::2] = False
    parts = [edit.inverse(), edit.only(allowed), edit.then(edit.inverse()), Edit.nothing(group=3)]
    assert {part.group for part in parts} == {3}


def test_edits_of_two_groups_are_not_joined() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    edit = Edit.fill(labels, (0, 0, 0), EVERYWHERE, 1)
    with pytest.raises(StaleEdit, match="another group"):
        edit.then(edit.in_group(1))
    assert edit.then(Edit.nothing(group=1)) is edit


def test_one_voxel_may_be_in_a_label_of_each_group() -> None:
    segmentation = new()
    paint(segmentation, LIVER)
    paint(segmentation, LESION, slice(1, 3))
    assert (segmentation.voxels(LIVER), segmentation.voxels(LESION)) == (60, 30)
    assert (voxels(segmentation, LIVER) & voxels(segmentation, LESION)).sum() == 30
    assert segmentation.labels.max() == LIVER


def test_labels_of_one_group_still_displace_each_other() -> None:
    segmentation = new()
    paint(segmentation, LESION)
    paint(segmentation, CYST, slice(0, 1))
    assert (segmentation.voxels(LESION), segmentation.voxels(CYST)) == (45, 15)


def test_a_lock_does_not_hinder_drawing_in_another_group() -> None:
    segmentation = new()
    paint(segmentation, LIVER)
    segmentation.lock(LIVER)
    assert paint(segmentation, LESION).voxels == 60
    segmentation.lock(LESION)
    assert paint(segmentation, CYST).is_nothing


def test_a_label_is_not_drawn_into_another_group() -> None:
    segmentation = new()
    with pytest.raises(InputError, match="'lesion' is of group 1, not of group 0"):
        segmentation.apply(Edit.fill(segmentation.labels, (0, 0, 0), EVERYWHERE, LESION))
    assert segmentation.voxels(LESION) == 0


def test_the_arrays_of_all_groups_follow_every_change_and_are_read_only() -> None:
    segmentation = new()
    arrays = segmentation.arrays
    assert list(arrays) == [0, 1]
    paint(segmentation, LESION)
    assert (arrays[1] == LESION).all()
    assert not arrays[0].any()
    with pytest.raises(ValueError, match="read-only"):
        arrays[1][0, 0, 0] = 0


def test_a_group_takes_values_of_16_bits_by_itself() -> None:
    segmentation = new(SCHEMA.with_label(Label(300, "vessel", "#FF8000", group=2)))
    paint(segmentation, 300)
    assert segmentation.labels_of(300).dtype == np.uint16
    assert segmentation.labels.dtype == np.uint8
    segmentation.undo()
    assert segmentation.voxels(300) == 0


def test_moving_a_label_keeps_its_voxels_and_is_one_step() -> None:
    segmentation = new()
    paint(segmentation, LIVER)
    paint(segmentation, LESION, slice(1, 3))
    before = facts(segmentation)
    written = move_label(segmentation, LIVER, 4)
    assert [edit.group for edit in written] == [0, 4]
    assert segmentation.group_of(LIVER) == 4
    assert segmentation.voxels(LIVER) == 60
    assert not segmentation.labels.any()
    (step,) = steps_of([segmentation.step(segmentation.history[-1])])
    assert (step.kind, step.tool, step.voxels) == ("drawn", "Move to group", {})
    segmentation.undo()
    assert facts(segmentation)[:3] == before[:3]


def test_a_label_is_not_moved_onto_others_unless_asked() -> None:
    segmentation = new()
    paint(segmentation, LIVER)
    paint(segmentation, LESION, slice(1, 3))
    with pytest.raises(InputError, match="'liver' overlaps 'lesion' in 30 voxels in group 1"):
        move_label(segmentation, LIVER, 1)
    assert segmentation.group_of(LIVER) == 0
    move_label(segmentation, LIVER, 1, over_others=True)
    assert (segmentation.voxels(LIVER), segmentation.voxels(LESION)) == (60, 0)
    segmentation.undo()
    assert (segmentation.voxels(LIVER), segmentation.voxels(LESION)) == (60, 30)


def test_a_move_over_a_locked_label_is_refused_whole() -> None:
    segmentation = new()
    paint(segmentation, LIVER)
    paint(segmentation, LESION, slice(1, 3))
    segmentation.lock(LESION)
    with pytest.raises(Locked, match="lesion"):
        move_label(segmentation, LIVER, 1, over_others=True)
    assert (segmentation.voxels(LIVER), segmentation.voxels(LESION)) == (60, 30)


def test_an_empty_label_moves_and_one_that_is_there_does_not() -> None:
    segmentation = new()
    assert all(edit.is_nothing for edit in move_label(segmentation, LIVER, 4))
    assert segmentation.group_of(LIVER) == 4
    assert move_label(segmentation, LIVER, 4) == ()
    assert len(segmentation.history) == 1


def test_a_label_with_voxels_does_not_change_its_group_by_its_name_alone() -> None:
    segmentation = new()
    paint(segmentation, LIVER)
    with pytest.raises(InputError, match="'liver' still has voxels in group 0"):
        segmentation.set_label(replace(SCHEMA[LIVER], group=1))
    segmentation.set_label(replace(SCHEMA[CYST], group=0))
    assert segmentation.group_of(CYST) == 0


def test_deleting_a_label_erases_it_in_its_own_group_alone() -> None:
    segmentation = new()
    paint(segmentation, LIVER)
    paint(segmentation, LESION)
    segmentation.delete_label(LESION)
    assert segmentation.voxels(LIVER) == 60
    assert not segmentation.snapshot().array(1).any()


def test_the_lowest_group_with_room_is_found() -> None:
    segmentation = new()
    paint(segmentation, LIVER)
    paint(segmentation, LESION)
    paint(segmentation, CYST, slice(0, 1))
    assert overlaps_in(segmentation, CYST, 0) == {LIVER: 15}
    assert overlaps_in(segmentation, CYST, 1) == {}
    assert free_group(segmentation, CYST) == 1
    assert free_group(segmentation, LIVER) == 0
    segmentation.undo()
    assert free_group(segmentation, LESION) == 1
    assert move_label(segmentation, LESION, 1) == ()


def test_a_step_with_two_edits_of_one_group_cannot_be() -> None:
    edit = Edit.fill(np.zeros(SHAPE, np.uint8), (0, 0, 0), EVERYWHERE, 1)
    with pytest.raises(InputError, match="each group"):
        Step(edit, "Paint", more=(edit,))


def test_a_step_of_two_groups_is_replayed_whole_or_not_at_all() -> None:
    state = State(np.zeros(SHAPE, np.uint8), SCHEMA)
    fits = Edit.fill(state.labels, (0, 0, 0), EVERYWHERE, 1)
    other = replace(fits.inverse(), group=1)
    with pytest.raises(IntegrityError):
        state.take(1, Did(Step(fits, "Paint", more=(other,))), MemoryJournal().step)
    assert not state.labels.any()


def test_a_schema_lists_its_groups_and_keeps_them_in_its_document() -> None:
    assert SCHEMA.groups == (0, 1)
    assert LabelSchema("x", (Label(1, "a", "#33FFCC", group=3),)).groups == (0, 3)
    assert [label.name for label in SCHEMA.in_group(1)] == ["lesion", "cyst"]
    document = SCHEMA.document()
    assert [entry.get("group") for entry in document["labels"]] == [None, 1, 1]
    assert LabelSchema.from_document(document) == SCHEMA


@pytest.mark.parametrize("group", [-1, 65536, 1.5, "a"])
def test_a_group_is_a_whole_number(group: object) -> None:
    entry = {"value": 1, "name": "a", "color": "#33FFCC", "group": group}
    with pytest.raises(InputError):
        LabelSchema.from_document({"labels": [entry]})
