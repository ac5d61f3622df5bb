import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_medlabel.core.edit import Edit
from napari_medlabel.core.history import Did, LocksSet, Record, Redid, State, Step, Undid
from napari_medlabel.core.schema import Code, Label, LabelSchema
from napari_medlabel.errors import InputError, IntegrityError
from napari_medlabel.storage.record_codec import (
    decode,
    decode_state,
    encode,
    encode_state,
    encoder,
)

TYPES = st.sampled_from([np.uint8, np.uint16])
SCHEMA = LabelSchema("Köpfe", (Label(1, "Leber", "#FF0000", Code("10200004", "SCT", "Liver")),))


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    kind = draw(TYPES)
    shape = draw(hnp.array_shapes(min_dims=3, max_dims=3, min_side=0, max_side=6))
    changed = draw(hnp.arrays(bool, shape))
    count = int(changed.sum())
    few = st.sampled_from([0, 1, np.iinfo(kind).max])
    low = draw(st.tuples(*[st.integers(0, 2000)] * 3))
    before, after = (draw(hnp.arrays(kind, count, elements=few)) for _ in range(2))
    return Edit(low, changed, before, after)


steps = st.builds(
    Step,
    edits(),
    tool=st.text(max_size=20),
    settings=st.dictionaries(st.text(), st.integers() | st.text() | st.none(), max_size=3),
    who=st.text(max_size=5),
    when=st.text(max_size=5),
)
records = st.one_of(
    st.builds(Did, steps),
    st.builds(Undid, st.integers(0, 2**60)),
    st.builds(Redid, st.integers(0, 2**60)),
    st.builds(LocksSet, st.frozensets(st.integers(1, 65535))),
)


def assert_same_step(one: Step, other: Step) -> None:
    assert one.edit.low == other.edit.low
    for name in ("changed", "before", "after"):
        mine, its = getattr(one.edit, name), getattr(other.edit, name)
        assert mine.dtype == its.dtype
        np.testing.assert_array_equal(mine, its)
    for name in ("tool", "settings", "who", "when", "schema_before", "schema_after"):
        assert getattr(one, name) == getattr(other, name)


@given(records)
def test_a_record_read_back_is_the_record(record: Record) -> None:
    again = decode(encode(record))
    if isinstance(record, Did):
        assert isinstance(again, Did)
        assert_same_step(record.step, again.step)
    else:
        assert again == record


@given(records, st.data())
def test_a_cut_record_is_an_error(record: Record, data: st.DataObject) -> None:
    whole = encode(record)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    try:
        again = decode(cut)
    except IntegrityError:
        return
    assert isinstance(again, LocksSet)  # whose end is that of the sealed record


def test_a_change_of_schema_is_kept() -> None:
    step = Step(Edit.nothing(), "Add segment", {}, "ada", "", LabelSchema(), SCHEMA)
    again = decode(encode(Did(step)))
    assert isinstance(again, Did)
    assert_same_step(step, again.step)


def test_settings_with_numbers_of_numpy_are_kept_as_plain_ones() -> None:
    step = Step(Edit.nothing(), "Paint", {"size": np.int64(3), "spacing": np.float32(0.5)})
    again = decode(encode(Did(step)))
    assert isinstance(again, Did)
    assert again.step.settings == {"size": 3, "spacing": 0.5}


def test_a_brush_stroke_takes_a_few_hundred_bytes() -> None:
    j, i = np.mgrid[-30:30, -30:30]
    labels = np.zeros((5, 60, 60), np.uint8)
    edit = Edit.fill(labels, (2, 0, 0), ((j**2 + i**2) < 900)[None], 3)
    settings = {"size": 30, "shape": "circle"}
    assert len(encode(Did(Step(edit, "Paint", settings, "ada", "2026-01-01T10:00:00.000Z")))) < 500


@pytest.mark.parametrize("kind", [6, 255])
def test_a_kind_of_record_from_the_future_says_so(kind: int) -> None:
    with pytest.raises(IntegrityError, match=f"kind {kind}"):
        decode(bytes([kind]))


@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.uint16]),
        hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=70),
        elements=st.just(0),
        fill=st.just(0),
    ),
    st.data(),
)
def test_a_state_read_back_is_the_state(labels: np.ndarray, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(0, 3))):
        k = data.draw(st.integers(0, labels.shape[0] - 1))
        labels[k, ::2] = data.draw(st.integers(0, np.iinfo(labels.dtype).max))
    state = State(labels, SCHEMA, frozenset({1}), [1, 4, 5], [7])
    again = decode_state(encode_state(state))
    assert again.labels.dtype == labels.dtype
    np.testing.assert_array_equal(again.labels, labels)
    assert (again.schema, again.locked) == (SCHEMA, {1})
    assert (again.done, again.undone) == ([1, 4, 5], [7])
    again.labels[0, 0, 0] = 1  # can be drawn on


def test_a_state_without_one_of_its_parts_is_an_error() -> None:
    parts = encode_state(State(np.ones((70, 3, 3), np.uint8), SCHEMA))
    assert len(parts) == 4
    with pytest.raises(IntegrityError):
        decode_state(parts[:-1])
    with pytest.raises(IntegrityError):
        decode_state([parts[0], parts[1], parts[2], parts[3][:-1]])


# What cannot be stored

CIRCLE: list[object] = []
CIRCLE.append(CIRCLE)
NESTED: list[object] = []
for _ in range(100_000):
    NESTED = [NESTED]


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, b"x", 1j, Path("x"), "\ud800", float("nan"), np.float32("inf"), CIRCLE],
    ids=lambda value: type(value).__name__,
)
def test_a_setting_that_would_not_be_read_back_is_refused_at_once(value: object) -> None:
    step = Step(Edit.nothing(), "Paint", {"size": 3, "deep": [{"value": value}]})
    with pytest.raises(InputError, match="this change cannot be stored") as caught:
        encoder(Did(step))
    assert "settings" in caught.value.hint


def test_settings_without_a_bottom_are_refused_at_once() -> None:
    with pytest.raises(InputError, match="this change cannot be stored"):
        encoder(Did(Step(Edit.nothing(), "Paint", {"value": NESTED})))


@pytest.mark.parametrize(
    "record",
    [
        LocksSet(frozenset({65536})),
        LocksSet(frozenset({-1})),
        Undid(-1),
        Redid(2**64),
        Did(Step(replace(Edit.nothing(), low=(0, 0, 2**32)), "Paint")),
        Did(Step(Edit.nothing(), "Paint", who="\udcff")),
    ],
    ids=repr,
)
def test_numbers_and_names_that_do_not_fit_are_refused_at_once(record: Record) -> None:
    with pytest.raises(InputError, match="this change cannot be stored"):
        encoder(record)


def test_a_setting_of_numpys_is_read_back_as_a_number() -> None:
    settings = {"size": np.int64(3), "limits": (np.float32(0.5), 2.0)}
    again = decode(encode(Did(Step(Edit.nothing(), "Paint", settings))))
    assert isinstance(again, Did)
    assert json.loads(json.dumps(again.step.settings)) == {"size": 3, "limits": [0.5, 2.0]}


def test_a_setting_changed_later_is_stored_as_it_was() -> None:
    settings = {"size": 3}
    later = encoder(Did(Step(Edit.nothing(), "Paint", settings)))
    settings["size"] = 4
    again = decode(later())
    assert isinstance(again, Did)
    assert again.step.settings == {"size": 3}
