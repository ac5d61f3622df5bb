"""A change as a value: inverted, joined, cut, and written."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.errors import GeometryError, InputError, StaleEdit
from napari_medlabel.testing import edits, labels_and_edit

Case = tuple[LabelArray, Edit]
VALUES = (1, 2, 3)


def written(labels: LabelArray, *changes: Edit) -> LabelArray:
    copy = labels.copy()
    for edit in changes:
        edit.write(copy)
    return copy


@given(labels_and_edit())
def test_an_edit_and_its_inverse_leave_every_voxel_as_it_was(case: Case) -> None:
    labels, edit = case
    np.testing.assert_array_equal(written(labels, edit, edit.inverse()), labels)


@given(labels_and_edit())
def test_an_edit_fits_where_it_was_made_and_its_inverse_where_it_leads(case: Case) -> None:
    labels, edit = case
    after = written(labels, edit)
    assert edit.fits(labels)
    assert edit.inverse().fits(after)
    assert edit.is_nothing or not edit.fits(after)


@given(labels_and_edit())
def test_an_edit_counts_what_differs_and_names_what_it_touches(case: Case) -> None:
    labels, edit = case
    after = written(labels, edit)
    differs = labels != after
    assert edit.voxels == np.count_nonzero(differs)
    assert edit.touched() == {int(v) for v in (*labels[differs], *after[differs])} - {0}
    gains = {v: int((after == v).sum()) - int((labels == v).sum()) for v in VALUES}
    assert edit.gained() == {v: n for v, n in gains.items() if n}


@given(labels_and_edit())
def test_an_edit_between_two_contents_is_as_small_as_can_be(case: Case) -> None:
    _, edit = case
    faces = [
        edit.changed[0], edit.changed[-1], edit.changed[:, 0], edit.changed[:, -1],
        edit.changed[..., 0], edit.changed[..., -1],
    ] if edit.voxels else []  # fmt: skip
    assert all(face.any() for face in faces)


@given(labels_and_edit(), st.data())
def test_two_edits_joined_do_what_both_did(case: Case, data: st.DataObject) -> None:
    labels, first = case
    between = written(labels, first)
    second = data.draw(edits(between, VALUES))
    both = first.then(second)
    assert both.fits(labels)
    np.testing.assert_array_equal(written(labels, both), written(between, second))


@given(labels_and_edit())
def test_an_edit_joined_with_its_inverse_is_nothing(case: Case) -> None:
    _, edit = case
    assert edit.then(edit.inverse()).is_nothing


@given(labels_and_edit(), st.data())
def test_joining_is_associative(case: Case, data: st.DataObject) -> None:
    labels, a = case
    b = data.draw(edits(written(labels, a), VALUES))
    c = data.draw(edits(written(labels, a, b), VALUES))
    left, right = a.then(b).then(c), a.then(b.then(c))
    np.testing.assert_array_equal(written(labels, left), written(labels, right))
    assert left.voxels == right.voxels


@given(labels_and_edit().filter(lambda case: not case[1].is_nothing))
def test_an_edit_cannot_be_joined_with_one_made_on_other_labels(case: Case) -> None:
    _, edit = case
    with pytest.raises(StaleEdit):
        edit.then(edit)


@given(labels_and_edit(), st.data())
def test_the_allowed_part_of_an_edit_changes_the_allowed_voxels_only(
    case: Case, data: st.DataObject
) -> None:
    labels, edit = case
    allowed = data.draw(hnp.arrays(np.bool_, edit.changed.shape))
    everywhere = np.zeros(labels.shape, bool)
    everywhere[edit.box] = allowed
    expected = np.where(everywhere, written(labels, edit), labels)
    np.testing.assert_array_equal(written(labels, edit.only(allowed)), expected)


@given(labels_and_edit(), st.data())
def test_an_edit_is_the_sum_of_what_is_allowed_and_what_is_not(
    case: Case, data: st.DataObject
) -> None:
    labels, edit = case
    allowed = data.draw(hnp.arrays(np.bool_, edit.changed.shape))
    joined = edit.only(allowed).then(edit.only(~allowed))
    np.testing.assert_array_equal(written(labels, joined), written(labels, edit))


@given(labels_and_edit(), st.sampled_from([0, *VALUES]), st.data())
def test_a_fill_gives_its_value_to_the_voxels_asked_for(
    case: Case, value: int, data: st.DataObject
) -> None:
    labels, _ = case
    where = data.draw(hnp.arrays(np.bool_, labels.shape))
    edit = Edit.fill(labels, (0, 0, 0), where, value)
    np.testing.assert_array_equal(written(labels, edit), np.where(where, value, labels))


def test_nothing_changes_nothing() -> None:
    nothing = Edit.nothing()
    labels = np.ones((2, 2, 2), np.uint8)
    assert nothing.is_nothing
    assert nothing.fits(labels)
    assert nothing.inverse().is_nothing
    assert not nothing.gained()
    assert not nothing.touched()


def test_an_edit_does_not_fit_outside_the_array() -> None:
    edit = Edit.fill(np.zeros((3, 3, 3), np.uint8), (2, 2, 2), np.ones((1, 1, 1), bool), 1)
    assert not edit.fits(np.zeros((2, 2, 2), np.uint8))


def test_a_value_too_large_for_the_array_is_refused_and_never_wrapped() -> None:
    small, large = np.zeros((1, 1, 2), np.uint8), np.full((1, 1, 2), 300, np.uint16)
    with pytest.raises(InputError, match="larger"):
        Edit.between((0, 0, 0), small, large)
    with pytest.raises(InputError, match="larger"):
        Edit.fill(small, (0, 0, 0), np.ones((1, 1, 2), bool), 70000)
    assert Edit.fill(small, (0, 0, 0), np.ones((1, 1, 2), bool), 300).after.tolist() == [300, 300]
    assert not Edit.between((0, 0, 0), np.zeros_like(large), large).fits(small)


@pytest.mark.parametrize("low", [(0, 0, 1), (-1, 0, 0), (5, 0, 0)])
def test_a_fill_outside_the_array_is_refused(low: tuple[int, int, int]) -> None:
    with pytest.raises(GeometryError, match="inside the array"):
        Edit.fill(np.zeros((2, 2, 2), np.uint8), low, np.ones((2, 2, 2), bool), 1)


def test_an_edit_whose_counts_do_not_fit_is_refused() -> None:
    one, two = np.zeros(1, np.uint8), np.zeros(2, np.uint8)
    with pytest.raises(GeometryError, match="one value before and after"):
        Edit((0, 0, 0), np.ones((1, 1, 2), bool), one, two)
    with pytest.raises(GeometryError, match="inside the array"):
        Edit((0, 0, -1), np.ones((1, 1, 2), bool), two, two.copy())
    with pytest.raises(GeometryError, match="same box"):
        Edit.between((0, 0, 0), np.zeros((1, 1, 1), np.uint8), np.zeros((1, 1, 2), np.uint8))


def test_an_edit_of_other_types_is_a_mistake_of_the_caller() -> None:
    two = np.zeros(2, np.uint8)
    with pytest.raises(TypeError):
        Edit((0, 0, 0), np.ones((1, 1, 2), np.uint8), two, two)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Edit((0, 0, 0), np.ones((1, 1, 2), bool), two, two.astype(np.int64))  # type: ignore[arg-type]


def test_nobody_can_change_an_edit() -> None:
    edit = Edit.fill(np.zeros((2, 2, 2), np.uint8), (0, 0, 0), np.ones((2, 2, 2), bool), 1)
    with pytest.raises(ValueError, match="read-only"):
        edit.after[0] = 2
