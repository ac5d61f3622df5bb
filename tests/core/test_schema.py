"""What may be drawn."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.core.schema import PALETTE, Code, Label, LabelSchema
from napari_medlabel.errors import InputError
from napari_medlabel.testing import schemas


@given(schemas(highest_value=65535))
def test_a_document_gives_the_same_schema_through_json(schema: LabelSchema) -> None:
    assert LabelSchema.from_document(json.loads(json.dumps(schema.document()))) == schema


@given(schemas(), st.text(max_size=8))
def test_the_next_label_is_always_free(schema: LabelSchema, name: str) -> None:
    label = schema.next_label(name)
    longer = schema.with_label(label)
    assert len(longer) == len(schema) + 1
    assert longer.without(label.value) == schema
    assert all(n in {known.value for known in schema} for n in range(1, label.value))


@given(schemas().filter(len))
def test_a_label_with_a_known_value_takes_the_place_of_the_old_one(schema: LabelSchema) -> None:
    old = schema.labels[0]
    changed = schema.with_label(Label(old.value, old.name, "#123456"))
    assert [label.value for label in changed] == [label.value for label in schema]
    assert changed[old.value].color == "#123456"


def test_labels_get_the_colours_of_the_palette_in_turn() -> None:
    schema = LabelSchema()
    for _ in range(len(PALETTE) + 1):
        schema = schema.with_label(schema.next_label())
    assert [label.color for label in schema] == [*PALETTE, PALETTE[0]]
    assert [label.name for label in schema][:2] == ["Segment 1", "Segment 2"]
    assert schema.next_label("segment 2").name == "segment 2 2"


def test_a_colour_is_three_numbers_from_0_to_1() -> None:
    assert Label(1, "liver", "#FF0080").rgb == (1.0, 0.0, 128 / 255)


@pytest.mark.parametrize(
    ("value", "name", "color"),
    [
        (0, "background", "#FFFFFF"),
        (65536, "liver", "#FFFFFF"),
        (1, " ", "#FFFFFF"),
        (1, "liver", "red"),
        (1, "liver", "#GG0000"),
        (1, "liver", "#FFFFF"),
        (1, "liver", "FFFFFF#"),
    ],
)
def test_a_label_that_cannot_be_is_refused(value: int, name: str, color: str) -> None:
    with pytest.raises(InputError):
        Label(value, name, color)


def test_values_and_names_are_each_used_once() -> None:
    liver = Label(1, "Liver", "#FFFFFF")
    with pytest.raises(InputError, match="same value"):
        LabelSchema("x", (liver, Label(1, "Spleen", "#FFFFFF")))
    with pytest.raises(InputError, match="same name"):
        LabelSchema("x", (liver, Label(2, "LIVER", "#FFFFFF")))


def test_a_value_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match="no label with value 4"):
        LabelSchema()[4]


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"labels": 3},
        {"labels": [3]},
        {"labels": [{"value": 1}]},
        {"labels": [{"value": 1.5, "name": "liver", "color": "#FFFFFF"}]},
        {"labels": [{"value": "one", "name": "liver", "color": "#FFFFFF"}]},
        {"labels": [{"value": float("inf"), "name": "liver", "color": "#FFFFFF"}]},
        {"labels": [{"value": 1, "name": "liver", "color": "#FFFFFF", "code": {"value": "1"}}]},
    ],
)
def test_what_is_no_schema_is_refused_with_a_hint(document: dict[str, object]) -> None:
    with pytest.raises(InputError) as caught:
        LabelSchema.from_document(document)
    assert caught.value.hint


def test_a_code_is_kept() -> None:
    label = Label(1, "Liver", "#FFFFFF", Code("10200004", "SCT", "Liver"))
    schema = LabelSchema("Organs", (label,))
    assert LabelSchema.from_document(schema.document())[1].code == label.code
