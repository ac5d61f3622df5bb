"""What was prepared on a case, and what a person did to its segments meanwhile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.core.annotation import Annotation, Distance
from napari_medlabel.core.annotation_set import AnnotationSet
from napari_medlabel.core.schema import Label, LabelSchema
from napari_medlabel.core.since import annotations_since, schema_since
from napari_medlabel.errors import StaleEdit

LIVER, SPLEEN = Label(1, "Liver", "#FF8000"), Label(2, "Spleen", "#33A680")
ONE = LabelSchema("S", (LIVER,))
NAMES, COLORS = ("Liver", "Spleen", "Aorta", "Colon"), ("#FF8000", "#33FFCC")
some_schemas = st.lists(
    st.builds(Label, st.integers(1, 6), st.sampled_from(NAMES), st.sampled_from(COLORS)),
    max_size=3, unique_by=(lambda one: one.value, lambda one: one.name),
).map(lambda labels: LabelSchema("S", tuple(labels)))  # fmt: skip


@given(some_schemas, some_schemas)
def test_where_nobody_did_anything_else_one_change_is_the_outcome(
    before: LabelSchema, new: LabelSchema
) -> None:
    assert schema_since(before, new, before).schema == new
    assert schema_since(before, before, new).schema == new


@given(some_schemas, st.lists(st.sampled_from(["", "A", "a"]), min_size=2, max_size=5))
def test_labels_that_both_added_are_all_there_under_values_of_their_own(
    before: LabelSchema, names: list[str]
) -> None:
    prepared, now = before, before
    for n, name in enumerate(names):
        if n % 2:
            prepared = prepared.with_label(prepared.next_label(name))
        else:
            now = now.with_label(now.next_label(name))
    both = schema_since(before, prepared, now)
    assert both.schema.labels[: len(now)] == now.labels
    assert len(both.schema) == len(prepared) + len(now) - len(before)
    for label in prepared.labels[len(before) :]:
        value = both.moved.get(label.value, label.value)
        assert both.schema[value].color == label.color
        assert now.get(value) is None


def test_what_a_person_changed_meanwhile_stays_as_they_changed_it() -> None:
    renamed = LabelSchema("S", (Label(1, "Tumour", "#FF8000"),))
    prepared = LabelSchema("T", (Label(1, "Mass", "#000000"), SPLEEN))
    assert schema_since(ONE, prepared, renamed).schema == LabelSchema("T", (*renamed, SPLEEN))
    assert schema_since(ONE, LabelSchema("S"), renamed).schema == renamed
    with pytest.raises(StaleEdit, match="Mass"):
        schema_since(ONE, prepared, LabelSchema("S"))


def line(name: str, length: float = 3.0) -> Annotation:
    return Annotation(name, Distance((0.0, 0.0, 0.0), (0.0, 0.0, length)), name)


def test_measurements_of_both_are_kept() -> None:
    a, b, c, moved = line("a"), line("b"), line("c"), line("a", 5.0)
    before = AnnotationSet((a, b))
    found = annotations_since(before, AnnotationSet((b,)), AnnotationSet((a, b, c)))
    assert found.annotations == (b, c)
    found = annotations_since(before, AnnotationSet((a, b, c)), AnnotationSet((moved, b)))
    assert found.annotations == (moved, b, c)
    assert annotations_since(before, AnnotationSet((c,)), before).annotations == (c,)
