"""Steps and states of several groups of labels as bytes; and those written before there were any.

tests/data/records/records-1.json holds, in hexadecimal, what the first format wrote: one record of
each kind and a state of 40 slices, made once with the names that this file repeats.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.history import Did, LocksSet, Redid, State, Step, Undid
from napari_medlabel.core.schema import Code, Label, LabelSchema
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.errors import IntegrityError
from napari_medlabel.storage.cipher import Cipher
from napari_medlabel.storage.journal import SqliteJournal
from napari_medlabel.storage.record_codec import decode, decode_state, encode, encode_state
from napari_medlabel.testing import Action, actions, edits, label_arrays

FIRST = json.loads((Path(__file__).parents[1] / "data/records/records-1.json").read_text())
LIVER = Label(1, "Leber", "#FF0000", Code("10200004", "SCT", "Liver"))
WHEN = "2026-01-01T10:00:00.000Z"
SHAPE = (3, 4, 5)
GEOMETRY = Geometry.from_spacing(SHAPE, (3.0, 0.7, 0.7))
SCHEMA = LabelSchema(
    "Liver", (Label(1, "a", "#33FFCC"), Label(2, "b", "#FF8000", group=1))
)  # fmt: skip
CIPHER = Cipher(bytes(32))


@st.composite
def steps(draw: st.DrawFn) -> Step:
    groups = draw(st.lists(st.integers(0, 65535), min_size=1, max_size=4, unique=True))
    types = st.sampled_from([np.uint8, np.uint16])
    made = [
        draw(edits(draw(label_arrays(SHAPE, (1, 2), draw(types))), (1, 2))).in_group(group)
        for group in groups
    ]
    return Step(made[0], "Paint", {"size": 3}, "ada", WHEN, more=tuple(made[1:]))


def same(one: Edit, other: Edit) -> bool:
    arrays = [(getattr(one, name), getattr(other, name)) for name in ("changed", "before", "after")]
    alike = all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in arrays)
    return alike and (one.low, one.group) == (other.low, other.group)


@given(steps())
def test_a_step_of_several_groups_is_read_back(step: Step) -> None:
    again = decode(encode(Did(step)))
    assert isinstance(again, Did)
    assert len(again.step.edits) == len(step.edits)
    assert all(same(a, b) for a, b in zip(again.step.edits, step.edits, strict=True))
    assert (again.step.settings, again.step.who) == ({"size": 3}, "ada")


@given(steps(), st.data())
def test_a_cut_step_of_several_groups_is_an_error(step: Step, data: st.DataObject) -> None:
    whole = encode(Did(step))
    with pytest.raises(IntegrityError):
        decode(whole[: data.draw(st.integers(0, len(whole) - 1))])


def test_a_step_in_the_first_group_is_written_as_before() -> None:
    edit = Edit.fill(np.zeros(SHAPE, np.uint8), (0, 0, 0), np.ones(SHAPE, bool), 1)
    assert encode(Did(Step(edit, "Paint")))[0] == 1
    assert encode(Did(Step(edit.in_group(1), "Paint")))[0] == 6


def test_a_record_of_a_later_format_says_that_it_is_newer() -> None:
    edit = Edit.nothing(group=1)
    data = bytearray(encode(Did(Step(edit, "Paint"))))
    data[1] = 2
    with pytest.raises(IntegrityError, match="does not know") as caught:
        decode(bytes(data))
    assert "update" in caught.value.hint


def test_records_of_the_first_format_are_read() -> None:
    found = {name: decode(bytes.fromhex(text)) for name, text in FIRST["records"].items()}
    assert (found["undo"], found["redo"]) == (Undid(7), Redid(7))
    assert found["locks"] == LocksSet(frozenset({1, 300}))
    paint, schema = found["paint"], found["schema"]
    assert isinstance(paint, Did)
    assert isinstance(schema, Did)
    (edit,) = paint.step.edits
    assert (edit.low, edit.changed.shape, edit.group) == ((33, 2, 1), (2, 3, 4), 0)
    np.testing.assert_array_equal(edit.changed, np.indices((2, 3, 4)).sum(0) % 2 == 0)
    assert (edit.before == 0).all()
    assert (edit.after == 300).all()
    assert (paint.step.tool, paint.step.settings) == ("Paint", {"size_mm": 3.5})
    assert (paint.step.who, paint.step.when) == ("ada", WHEN)
    assert schema.step.schema_before == LabelSchema()
    assert schema.step.schema_after == LabelSchema("Köpfe", (LIVER,))


def test_a_state_of_the_first_format_is_read() -> None:
    state = decode_state([bytes.fromhex(text) for text in FIRST["state"]])
    expected = np.zeros((40, 6, 5), np.uint16)
    expected[33:35, 2:5, 1:5][np.indices((2, 3, 4)).sum(0) % 2 == 0] = 300
    np.testing.assert_array_equal(state.labels, expected)
    assert state.labels.dtype == np.uint16
    assert list(state.arrays) == [0]
    assert (state.schema, state.locked) == (LabelSchema("Köpfe", (LIVER,)), {1})
    assert (state.done, state.undone) == ([1, 2], [3])


@given(st.data())
def test_a_state_of_several_groups_is_read_back(data: st.DataObject) -> None:
    shape = (data.draw(st.sampled_from([1, 32, 33, 70])), 2, 3)
    groups = data.draw(st.lists(st.integers(1, 65535), max_size=3, unique=True))
    kinds = st.sampled_from([np.uint8, np.uint16])
    arrays = [data.draw(label_arrays(shape, (1, 2), data.draw(kinds))) for _ in (0, *groups)]
    others = dict(zip(groups, arrays[1:], strict=True))
    state = State(arrays[0], SCHEMA, frozenset({2}), [1], [4], others)
    again = decode_state(encode_state(state))
    assert again.arrays.keys() == state.arrays.keys()
    for group, array in state.arrays.items():
        np.testing.assert_array_equal(again.array(group), array)
        assert again.array(group).dtype == array.dtype
    assert (again.schema, again.locked) == (SCHEMA, {2})


def test_a_state_of_a_later_format_says_that_it_is_newer() -> None:
    head, *slabs = encode_state(State(np.ones(SHAPE, np.uint8), SCHEMA))
    newer = json.dumps(json.loads(head) | {"format": 3}).encode()
    with pytest.raises(IntegrityError, match="does not know"):
        decode_state([newer, *slabs])


def test_a_state_without_the_slabs_of_a_group_is_damaged() -> None:
    state = State(np.ones(SHAPE, np.uint8), SCHEMA, others={1: np.full(SHAPE, 2, np.uint8)})
    parts = encode_state(state)
    with pytest.raises(IntegrityError, match="damaged"):
        decode_state(parts[:-1])
    with pytest.raises(IntegrityError, match="damaged"):
        decode_state([*parts, parts[-1]])


@settings(max_examples=25, deadline=None)
@given(
    sequence=st.lists(actions(SHAPE, (1, 2, 3), groups=(0, 1, 4)), min_size=5, max_size=20),
    at=st.integers(0, 19),
)
def test_a_journal_leads_to_the_same_labels_of_every_group(
    sequence: list[Action], at: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal.sqlite"
    journal = SqliteJournal(path, CIPHER, "place")
    work = Segmentation(GEOMETRY, journal.load(empty()), journal)
    for n, action in enumerate(sequence):
        action(work)
        if n == at:
            journal.checkpoint(work.snapshot())
    journal.close()
    journal = SqliteJournal(path, CIPHER, "place")
    again = Segmentation(GEOMETRY, journal.load(empty()), journal)
    assert again.schema == work.schema
    assert again.history == work.history
    for group, array in work.arrays.items():
        np.testing.assert_array_equal(again.arrays[group], array)
    for value in again.locked:
        again.lock(value, on=False)
    while again.undo() is not None:
        pass
    assert again.schema == SCHEMA
    assert not any(array.any() for array in again.snapshot().arrays.values())
    journal.close()


def test_folding_keeps_the_labels_of_every_group_and_the_last_steps(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite", CIPHER, "place")
    work = Segmentation(GEOMETRY, journal.load(empty()), journal)
    for k in range(3):
        where = np.ones((1, 4, 5), bool)
        work.apply(Edit.fill(work.labels_of(2), (k, 0, 0), where, 2, group=1))
    state = work.snapshot()
    assert journal.fold(state, keep=1, above_bytes=0)
    journal.close()
    journal = SqliteJournal(tmp_path / "journal.sqlite", CIPHER, "place")
    again = Segmentation(GEOMETRY, journal.load(empty()), journal)
    assert (again.voxels(2), len(again.history)) == (60, 1)
    again.undo()
    assert again.voxels(2) == 40
    assert not again.labels.any()
    journal.close()


def empty() -> State:
    return State(np.zeros(SHAPE, np.uint8), SCHEMA)
