"""Annotations in the journal: what is read back, and what earlier programs make of it."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from benchmarks.kill import CIPHER, GEOMETRY, PLACE, empty
from napari_medlabel.core.annotation import Annotation, Distance
from napari_medlabel.core.annotation_set import AnnotationEdit, AnnotationSet
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.history import Did, State, Step
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.errors import IntegrityError
from napari_medlabel.storage.journal import SqliteJournal
from napari_medlabel.storage.record_codec import decode, decode_state, encode, encode_state
from tests.core.drawn_shapes import annotation_sets

LINE = Annotation("a", Distance((0.0, 0.0, 0.0), (0.0, 3.0, 4.0)), "Line")


@given(annotation_sets, annotation_sets)
def test_a_change_read_back_is_the_change(old: AnnotationSet, new: AnnotationSet) -> None:
    change = AnnotationEdit.between(old, new)
    again = decode(encode(Did(Step(Edit.nothing(), "Change annotation", annotations=change))))
    assert isinstance(again, Did)
    assert again.step.annotations == change


@given(annotation_sets)
def test_a_state_read_back_has_its_annotations(found: AnnotationSet) -> None:
    state = State(np.zeros((2, 3, 4), np.uint8), empty().schema, annotations=found)
    assert decode_state(encode_state(state)).annotations == found


def test_an_earlier_program_does_not_pass_over_annotations() -> None:
    change = AnnotationEdit(0, (), (LINE,))
    assert encode(Did(Step(Edit.nothing(), "Paint")))[0] == 1
    assert encode(Did(Step(Edit.nothing(), "Add", annotations=change)))[0] == 5


def test_an_annotation_that_is_none_is_damage() -> None:
    change = AnnotationEdit(0, (), (LINE,))
    data = encode(Did(Step(Edit.nothing(), "Add", annotations=change)))
    for old, new in ((b'"distance"', b'"distense"'), (b'"id":"a"', b'"id":"!"')):
        assert data.count(old) == 1
        with pytest.raises(IntegrityError, match="damaged"):
            decode(data.replace(old, new))
    parts = encode_state(State(np.zeros((2, 3, 4), np.uint8), empty().schema))
    head = json.loads(parts[0]) | {"annotations": [{"id": "a"}]}
    with pytest.raises(IntegrityError, match="damaged"):
        decode_state([json.dumps(head).encode(), *parts[1:]])


def test_opened_again_a_journal_has_its_annotations(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"

    def opened() -> tuple[SqliteJournal, Segmentation]:
        journal = SqliteJournal(path, CIPHER, PLACE)
        return journal, Segmentation(GEOMETRY, journal.load(empty()), journal)

    journal, work = opened()
    work.set_annotations(AnnotationSet((LINE,)), tool="Add annotation")
    moved = LINE.with_shape(Distance((1.0, 2.0, 3.0), (1.0, 9.0, 9.5)))
    work.set_annotations(AnnotationSet((moved,)), tool="Change annotation")
    journal.close()
    journal, work = opened()
    assert work.annotations.annotations == (moved,)
    journal.checkpoint(work.snapshot())
    work.undo()
    journal.close()
    journal, work = opened()  # now from the checkpoint
    assert work.annotations.annotations == (LINE,)
    work.undo()
    assert len(work.annotations) == 0
    work.redo()
    work.redo()
    assert work.annotations.annotations == (moved,)
    journal.fold(work.snapshot(), keep=1, above_bytes=0)
    journal.close()
    journal, work = opened()
    assert work.annotations.annotations == (moved,)
    assert len(work.history) == 1
    work.undo()
    assert work.annotations.annotations == (LINE,)
    journal.close()
