"""Schemas as documents, and how one comes into a case that has labels already."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.sr._concepts_dict import concepts

from napari_medlabel.commands import schemas
from napari_medlabel.core.schema import Code, Label, LabelSchema
from napari_medlabel.core.schema_document import SchemaDocument, loaded_into, next_instance
from napari_medlabel.errors import InputError, ValueTaken
from napari_medlabel.session import local_session
from napari_medlabel.testing import schemas as any_schema

LIVER, SPLEEN = Label(1, "Liver", "#FF8000"), Label(2, "Spleen", "#33A680")
TEMPLATES = {one.key: one.content for one in schemas.templates(local_session())}


@given(any_schema(), st.text(max_size=40))
def test_a_schema_comes_back_from_its_document(schema: LabelSchema, protocol: str) -> None:
    content = SchemaDocument(schema, protocol)
    assert SchemaDocument.from_document(content.document()) == content


@pytest.mark.parametrize(
    "document",
    [[], {"format": 2, "labels": []}, {"labels": [{"value": 1}]}, {"labels": [], "protocol": 3}],
)
def test_what_is_no_schema_is_refused(document: object) -> None:
    with pytest.raises(InputError):
        SchemaDocument.from_document(document)


@pytest.mark.parametrize("key", TEMPLATES)
def test_every_code_of_a_template_is_in_dicoms_own_dictionary(key: str) -> None:
    known = {
        (code, meaning.casefold())
        for entry in concepts["SCT"].values()
        for code, (meaning, _) in entry.items()
    }
    schema = TEMPLATES[key].schema
    codes = [
        code
        for label in schema
        for code in (label.code, label.category, label.region, *label.modifiers)
        if code
    ]
    assert len(codes) >= 2 * len(schema) > 0
    for code in codes:
        assert code.scheme == "SCT"
        assert (code.value, code.meaning.casefold()) in known


@pytest.mark.parametrize("key", TEMPLATES)
def test_a_template_has_a_protocol_that_names_its_side(key: str) -> None:
    content = TEMPLATES[key]
    assert len(content.protocol) > 200
    for label in content.schema:
        side = {"Right": "24028007", "Left": "7771000"}.get(label.name.split()[0])
        assert [code.value for code in label.modifiers] == ([side] if side else [])


@given(any_schema(max_labels=6), any_schema(max_labels=6), st.sets(st.integers(1, 255)))
def test_nothing_that_was_drawn_is_lost_or_renamed(
    current: LabelSchema, loaded: LabelSchema, used: set[int]
) -> None:
    voxels = {label.value: 5 * (label.value in used) for label in current}
    result = loaded_into(current, loaded, voxels, renumber=True)
    try:
        assert loaded_into(current, loaded, voxels) == result
    except ValueTaken:
        assert result.renumbered
    for label in current:
        if voxels[label.value]:
            value = result.new_values.get(label.value, label.value)
            assert result.schema[value].name.casefold() == label.name.casefold()
            assert result.schema[value].group == label.group
    for label in loaded:
        assert result.schema[label.value].name == label.name
    assert len(set(result.new_values.values())) == len(result.new_values)
    for old, new in result.moved.items():
        name = current[old].name.casefold()
        assert new == next((one.value for one in result.schema if one.name.casefold() == name), 0)


def test_a_name_that_is_there_gets_the_value_colour_and_code_of_the_schema() -> None:
    code = Code("10200004", "SCT", "Liver")
    loaded = LabelSchema(
        "Organs", (Label(2, "Spleen", "#000000"), Label(5, "liver", "#111111", code))
    )
    found = loaded_into(LabelSchema("", (LIVER, SPLEEN)), loaded, {1: 10, 2: 3})
    assert found.new_values == {1: 5}
    assert found.schema == loaded


def test_two_segments_may_change_values_with_one_another() -> None:
    loaded = LabelSchema("", (Label(1, "Spleen", "#000000"), Label(2, "Liver", "#111111")))
    found = loaded_into(LabelSchema("", (LIVER, SPLEEN)), loaded, {1: 10, 2: 3})
    assert found.new_values == {1: 2, 2: 1}


def test_a_value_that_would_mean_something_else_is_refused_only_where_it_has_voxels() -> None:
    current, loaded = LabelSchema("", (LIVER,)), LabelSchema("", (Label(1, "Kidney", "#000000"),))
    with pytest.raises(ValueTaken, match="value 1 is 'Liver' in the case, with voxels, and 'Kid"):
        loaded_into(current, loaded, {1: 1})
    assert [label.name for label in loaded_into(current, loaded, {1: 0}).schema] == ["Kidney"]
    found = loaded_into(current, loaded, {1: 1}, renumber=True)
    assert (found.new_values, found.schema[2].name) == ({1: 2}, "Liver")


def test_what_is_only_in_the_case_stays_behind() -> None:
    own = Label(9, "Mine", "#123456")
    found = loaded_into(LabelSchema("", (own,)), LabelSchema("", (LIVER,)), {9: 0})
    assert found.schema.labels == (LIVER, own)


def test_a_numbered_label_begins_with_one_and_goes_on_after_the_highest() -> None:
    lesion = Label(1, "Lesion {n}", "#FF8000", Code("52988006", "SCT", "Lesion"))
    schema = loaded_into(LabelSchema("", (SPLEEN,)), LabelSchema("L", (lesion,)), {2: 4}).schema
    assert [label.name for label in schema] == ["Lesion 1", "Spleen"]
    for name in ("Lesion 2", "Lesion 3"):
        new = next_instance(schema, 1)
        assert (new.name, new.code) == (name, lesion.code)
        schema = schema.with_label(new)
    schema = schema.without(next(label.value for label in schema if label.name == "Lesion 2"))
    assert next_instance(schema, 1).name == "Lesion 4"
    again = loaded_into(schema, LabelSchema("L", (lesion,)), {1: 7})
    assert again.schema.labels[0].value == 1
    assert {label.name for label in again.schema} == {"Lesion 1", "Lesion 3", "Spleen"}


def test_one_more_of_what_has_no_number_is_the_second() -> None:
    assert next_instance(LabelSchema("", (LIVER,)), 1).name == "Liver 2"
