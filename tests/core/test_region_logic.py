import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.region_logic import (
    How,
    combine,
    copy_slice,
    mid_plane,
    mirror,
    relabel,
)
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.testing import geometries, label_arrays

SHAPE = (4, 5, 6)
LABELS = label_arrays(SHAPE, (1, 2, 3))
SPACING = (2.5, 0.8, 0.7)


def after(labels: LabelArray, edit: Edit) -> LabelArray:
    changed = labels.copy()
    assert edit.fits(changed)
    edit.write(changed)
    return changed


@given(LABELS, st.sampled_from(["union", "subtract", "intersect"]), st.sampled_from([0, 0.8, 3.0]))
def test_segments_are_joined_and_cut_with_a_margin(
    labels: LabelArray, how: How, margin_mm: float
) -> None:
    every = np.argwhere(np.ones(SHAPE, bool)) * SPACING
    other = np.argwhere(labels == 2) * SPACING
    near = np.zeros(SHAPE, bool)
    if len(other):
        near = (cdist(every, other).min(axis=1) <= margin_mm + 1e-6).reshape(SHAPE)
    truth = labels.copy()
    if how == "union":
        truth[(labels == 2) | (near & (labels == 0))] = 1
    else:
        truth[(labels == 1) & (near if how == "subtract" else ~near)] = 0
    changed = after(labels, combine(labels, 1, 2, how, SPACING, margin_mm=margin_mm))
    np.testing.assert_array_equal(changed, truth)


@given(LABELS, st.sampled_from([0, 1, 2]), st.booleans())
def test_a_copied_slice_erases_nothing(
    labels: LabelArray,
    axis: int,
    over_others: bool,  # noqa: FBT001
) -> None:
    edit = copy_slice(labels, 1, 3, axis=axis, values=[1, 2], over_others=over_others)
    changed = after(labels, edit)
    source, old = (np.moveaxis(labels, axis, 0)[n] for n in (1, 3))
    copied = np.isin(source, [1, 2]) & (over_others | (old == 0))
    np.testing.assert_array_equal(np.moveaxis(changed, axis, 0)[3], np.where(copied, source, old))
    others = np.arange(SHAPE[axis]) != 3
    np.testing.assert_array_equal(
        np.compress(others, changed, axis), np.compress(others, labels, axis)
    )


@given(LABELS, geometries(shape=st.just(SHAPE), max_shear=0.0))
def test_the_mirror_image_across_the_middle_of_the_grid_is_a_flip(
    labels: LabelArray, geometry: Geometry
) -> None:
    _, normal = mid_plane(geometry)
    axis = int(np.argmax(np.abs(geometry.direction.T @ normal)))
    mirrored = after(labels, mirror(labels, 1, geometry, into=9, over_others=True))
    flipped = np.flip(labels == 1, axis)
    np.testing.assert_array_equal(mirrored, np.where(flipped, 9, labels))
    kind = after(labels, mirror(labels, 1, geometry))
    np.testing.assert_array_equal(kind, np.where(flipped & (labels == 0), 1, labels))


def test_left_becomes_right_in_an_axial_image() -> None:
    geometry = Geometry.from_spacing((3, 4, 11), (5.0, 1.0, 1.0))
    labels = np.zeros(geometry.shape, np.uint8)
    labels[1, 2, 1:3] = 1
    mirrored = after(labels, mirror(labels, 1, geometry, into=2))
    np.testing.assert_array_equal(np.argwhere(mirrored == 2), [[1, 2, 8], [1, 2, 9]])


def test_a_plane_of_ones_own_mirrors_positions_in_millimetres() -> None:
    geometry = Geometry.from_spacing((3, 30, 30), (5.0, 1.0, 0.5), (10.0, 20.0, 30.0))
    labels = np.zeros(geometry.shape, np.uint8)
    labels[1, 4:8, 2:6] = 1
    point = geometry.lps((1.0, 14.0, 10.0))
    changed = after(
        labels, mirror(labels, 1, geometry, into=2, plane=(point, np.array([0.0, 3.0, 0.0])))
    )
    np.testing.assert_array_equal(changed[1, 21:25, 2:6], np.full((4, 4), 2))
    assert np.count_nonzero(changed == 2) == 16


def test_a_mirror_image_outside_of_the_grid_is_nothing() -> None:
    geometry = Geometry.from_spacing((3, 4, 10))
    labels = np.zeros(geometry.shape, np.uint8)
    labels[1, 1, 1] = 1
    plane = (np.array([500.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0]))
    assert mirror(labels, 1, geometry, plane=plane).is_nothing
    with pytest.raises(GeometryError, match="length"):
        mirror(labels, 1, geometry, plane=(plane[0], np.zeros(3)))


@given(LABELS)
def test_labels_can_be_exchanged_and_back(labels: LabelArray) -> None:
    swapped = after(labels, relabel(labels, {1: 2, 2: 1}))
    np.testing.assert_array_equal(swapped == 1, labels == 2)
    np.testing.assert_array_equal(after(swapped, relabel(swapped, {1: 2, 2: 1})), labels)


def test_a_large_label_value_widens_the_edit() -> None:
    labels = np.ones((1, 2, 3), np.uint8)
    edit = relabel(labels, {1: 70, 70: 1000})
    assert edit.gained() == {1: -6, 70: 6}
    assert edit.after.dtype == np.uint16


def test_what_cannot_be_is_refused() -> None:
    labels = np.ones(SHAPE, np.uint8)
    with pytest.raises(InputError, match="itself"):
        combine(labels, 1, 1, "union", SPACING)
    with pytest.raises(InputError, match="no 'xor'"):
        combine(labels, 1, 2, "xor", SPACING)  # type: ignore[arg-type]
    with pytest.raises(InputError) as caught:
        copy_slice(labels, 0, 4)
    assert caught.value.hint == "slices go from 0 to 3"
    with pytest.raises(InputError, match="background"):
        relabel(labels, {0: 1})
    with pytest.raises(InputError, match="larger than any"):
        relabel(labels, {1: 70_000})
