"""Annotations change through the one door, and are undone and replayed like strokes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.core.annotation import Annotation, Distance
from napari_medlabel.core.annotation_set import AnnotationEdit, AnnotationSet
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.history import Did, MemoryJournal, State, Step
from napari_medlabel.core.provenance import steps_of
from napari_medlabel.core.schema import Label, LabelSchema
from napari_medlabel.core.segmentation import Change, Segmentation
from napari_medlabel.errors import InputError, IntegrityError, NotSaved, ReadOnly
from tests.core.drawn_shapes import SIDE, annotation_sets

GRID = Geometry.from_spacing((SIDE, SIDE, SIDE), (3.0, 0.7, 0.7), (-30.0, 5.0, 90.0))
SCHEMA = LabelSchema("Organs", (Label(1, "Liver", "#FF8000"),))
LINE = Annotation("a", Distance((0.0, 0.0, 0.0), (0.0, 3.0, 4.0)), "Line")
# No turned boxes: they may reach far beyond so small a grid.
nearby = annotation_sets.map(
    lambda found: AnnotationSet(tuple(one for one in found if one.kind != "oriented-box"))
)


def start() -> State:
    return State(np.zeros(GRID.shape, np.uint8), SCHEMA)


@given(st.lists(nearby | st.sampled_from(["undo", "redo", "paint"]), max_size=12))
def test_any_history_is_replayed_and_taken_back(actions: list[AnnotationSet | str]) -> None:
    journal = MemoryJournal()
    work = Segmentation(GRID, start(), journal)
    for action in actions:
        if isinstance(action, AnnotationSet):
            work.set_annotations(action, tool="Change annotation")
            assert work.annotations == action
        elif action == "paint":
            value = 1 - int(work.labels[0, 0, 0])
            work.apply(Edit.fill(work.labels, (0, 0, 0), np.ones((1, 2, 2), bool), value))
        else:
            getattr(work, action)()
    again = start()
    for number, record in enumerate(journal.records, 1):
        again.take(number, record, journal.step)
    assert again.annotations == work.annotations
    assert (tuple(again.done), tuple(again.undone)) == (work.history, work.undone)
    np.testing.assert_array_equal(again.labels, work.labels)
    assert work.snapshot().annotations == work.annotations
    last = work.annotations
    count = 0
    while work.can_undo:
        work.undo()
        count += 1
    assert work.annotations == AnnotationSet()
    for _ in range(count):
        work.redo()
    assert work.annotations == last


def test_one_change_is_one_step_and_none_is_no_step() -> None:
    told: list[Change] = []
    work = Segmentation(GRID, start(), who="ada")
    work.watch(told.append)
    one = AnnotationSet((LINE,))
    work.set_annotations(one, tool="Add annotation", settings={"kind": "distance"})
    work.set_annotations(one, tool="Add annotation")
    work.set_annotations(AnnotationSet(), tool="Remove annotation")
    assert [change.step.tool for change in told] == ["Add annotation", "Remove annotation"]
    assert told[0].step.annotations == AnnotationEdit(0, (), (LINE,))
    assert told[0].step.who == "ada"
    assert told[0].edit.is_nothing
    work.undo()
    assert work.annotations == one
    assert told[-1].step.annotations == AnnotationEdit(0, (), (LINE,))


def test_locks_do_not_keep_annotations_from_changing() -> None:
    work = Segmentation(GRID, start())
    work.lock(1)
    work.set_annotations(AnnotationSet((LINE,)), tool="Add annotation")
    work.undo()
    work.redo()
    assert len(work.annotations) == 1


def test_a_case_that_may_not_be_changed_keeps_its_annotations() -> None:
    work = Segmentation(GRID, start(), read_only="open in another window")
    with pytest.raises(ReadOnly, match="another window"):
        work.set_annotations(AnnotationSet((LINE,)), tool="Add annotation")
    assert len(work.annotations) == 0


def test_a_new_annotation_far_outside_is_refused_and_nothing_changes() -> None:
    far = Annotation("b", Distance((0.0, 0.0, 0.0), (0.0, 0.0, 500.0)), "Far")
    journal = MemoryJournal()
    work = Segmentation(GRID, start(), journal)
    with pytest.raises(InputError, match="far outside"):
        work.set_annotations(AnnotationSet((LINE, far)), tool="Add annotation")
    assert len(work.annotations) == 0
    assert journal.records == []


def test_a_change_that_cannot_be_made_durable_is_not_made() -> None:
    class FullDisk(MemoryJournal):
        def settle(self) -> None:
            raise NotSaved("disk is full")

    work = Segmentation(GRID, start(), FullDisk())
    with pytest.raises(NotSaved):
        work.set_annotations(AnnotationSet((LINE,)), tool="Add annotation")
    assert len(work.annotations) == 0


def test_a_step_that_does_not_fit_the_annotations_is_damage() -> None:
    state = start()
    step = Step(Edit.nothing(), "Remove annotation", annotations=AnnotationEdit(0, (LINE,), ()))
    with pytest.raises(IntegrityError, match="annotations"):
        state.take(1, Did(step), MemoryJournal().step)
    assert state.done == []


def test_voxels_and_annotations_change_in_one_step() -> None:
    work = Segmentation(GRID, start())
    edit = Edit.fill(work.labels, (0, 0, 0), np.ones((1, 2, 2), bool), 1)
    work.apply_all((edit,), tool="Restore version", annotations=AnnotationSet((LINE,)), whole=True)
    assert (work.voxels(1), len(work.annotations), len(work.history)) == (4, 1, 1)
    work.undo()
    assert (work.voxels(1), len(work.annotations)) == (0, 0)


def test_provenance_counts_changes_of_annotations() -> None:
    work = Segmentation(GRID, start(), who="ada")
    for n in range(3):
        new = work.annotations.with_(Annotation(f"a{n}", LINE.shape, f"Line {n}"))
        work.set_annotations(new, tool="Add annotation", settings={"kind": "distance"})
    work.set_annotations(AnnotationSet(), tool="Remove annotation")
    work.set_label(Label(2, "Spleen", "#33FFCC"))
    found = steps_of(work.step(number) for number in work.history)
    assert [(one.kind, one.tool, one.steps, one.who) for one in found] == [
        ("annotation", "Add annotation", 3, "ada"),
        ("annotation", "Remove annotation", 1, "ada"),
        ("schema", "Add segment", 1, "ada"),
    ]
    assert found[0].settings == {"kind": "distance"}
    assert found[0].voxels == {}
