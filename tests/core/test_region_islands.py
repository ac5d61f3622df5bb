"""Holes and islands; ground truth by SciPy on the whole array."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from napari_medlabel.core import region
from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.region import Islands
from napari_medlabel.core.region_islands import (
    fill_holes,
    island_volumes_ml,
    keep_largest,
    remove_islands,
    split_islands,
)
from napari_medlabel.errors import Cancelled, InputError
from napari_medlabel.testing import label_arrays

SHAPE = (5, 7, 6)
LABELS = label_arrays(SHAPE, (1, 2))
CORNERS = np.ones((3, 3, 3), bool)


def after(labels: LabelArray, edit: Edit) -> LabelArray:
    """The labels with the edit, which must be as small as can be and lead back."""
    changed = labels.copy()
    assert edit.fits(changed)
    edit.write(changed)
    back = changed.copy()
    edit.inverse().write(back)
    np.testing.assert_array_equal(back, labels)
    where = np.argwhere(changed != labels)
    if len(where):
        assert tuple(where.min(axis=0)) == edit.low
        assert tuple(np.ptp(where, axis=0) + 1) == edit.changed.shape
    return changed


@pytest.fixture(params=[1 << 22, 1], ids=["one slab", "a slab for each slice"])
def slabs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = (0, request.param)
    monkeypatch.setattr(region.slabs, "__defaults__", defaults)
    monkeypatch.setattr(region, "_KEPT_VOXELS", request.param)


@pytest.mark.usefixtures("slabs")
@pytest.mark.parametrize("corners", [False, True])
def test_islands_are_those_of_scipy(corners: bool) -> None:  # noqa: FBT001
    rng = np.random.default_rng(3)
    structure = CORNERS if corners else None
    for density in (0.2, 0.35, 0.5):
        mask = rng.random((9, 11, 8)) < density
        truth, count = ndimage.label(mask, structure)
        islands = Islands(mask.__getitem__, mask.shape, corners=corners)
        numbers = np.concatenate([part for _, part in islands.each()])
        assert islands.count == count
        pairs = {(int(a), int(b)) for a, b in zip(truth.ravel(), numbers.ravel(), strict=True)}
        assert len(pairs) == count + 1  # one to one, background with background
        assert (0, 0) in pairs
        np.testing.assert_array_equal(islands.sizes, np.bincount(numbers.ravel())[1:])
        assert islands.at((4, 5, 6)) == numbers[4, 5, 6]


@given(LABELS)
def test_filled_holes_are_those_of_scipy(labels: LabelArray) -> None:
    filled = after(labels, fill_holes(labels, 1, over_others=True))
    np.testing.assert_array_equal(filled == 1, ndimage.binary_fill_holes(labels == 1))


@given(LABELS, st.sampled_from([None, 0, 1, 2]), st.booleans())
def test_filling_holes_twice_is_filling_them_once(
    labels: LabelArray,
    axis: int | None,
    over_others: bool,  # noqa: FBT001
) -> None:
    once = after(labels, fill_holes(labels, 1, axis=axis, over_others=over_others))
    assert fill_holes(once, 1, axis=axis, over_others=over_others).is_nothing
    if not over_others:
        np.testing.assert_array_equal(once == 2, labels == 2)


@given(LABELS, st.sampled_from([0, 1, 2]))
def test_holes_of_slices_are_filled_slice_by_slice(labels: LabelArray, axis: int) -> None:
    filled = after(labels, fill_holes(labels, 1, axis=axis, over_others=True))
    for plane, truth in zip(
        np.moveaxis(filled, axis, 0), np.moveaxis(labels, axis, 0), strict=True
    ):
        np.testing.assert_array_equal(plane == 1, ndimage.binary_fill_holes(truth == 1))


@given(LABELS)
def test_the_largest_island_is_one_and_stays_the_largest(labels: LabelArray) -> None:
    kept = after(labels, keep_largest(labels, 1))
    sizes = np.bincount(ndimage.label(labels == 1, CORNERS)[0].ravel())[1:]
    assert np.count_nonzero(kept == 1) == sizes.max(initial=0)
    assert ndimage.label(kept == 1, CORNERS)[1] == min(len(sizes), 1)
    assert keep_largest(kept, 1).is_nothing
    np.testing.assert_array_equal(kept == 2, labels == 2)


@given(LABELS, st.integers(0, 20))
def test_islands_below_a_volume_go_and_no_other(labels: LabelArray, least: int) -> None:
    voxel_ml = 0.7 * 0.3
    left = after(labels, remove_islands(labels, 1, voxel_ml, below_ml=least * voxel_ml))
    numbers, _ = ndimage.label(labels == 1, CORNERS)
    sizes = np.bincount(numbers.ravel())
    np.testing.assert_array_equal(left == 1, (numbers > 0) & (sizes[numbers] >= least))
    volumes = island_volumes_ml(left, 1, voxel_ml)
    assert volumes == sorted(volumes, reverse=True)
    assert sum(volumes) == pytest.approx(np.count_nonzero(left == 1) * voxel_ml)


@given(LABELS)
def test_split_islands_hang_together_and_are_all_there(labels: LabelArray) -> None:
    count = ndimage.label(labels == 1, CORNERS)[1]
    new = list(range(10, 10 + max(count - 1, 0)))
    split = after(labels, split_islands(labels, 1, new))
    np.testing.assert_array_equal(np.isin(split, [1, *new]), labels == 1)
    sizes = [np.count_nonzero(split == value) for value in [1, *new]]
    assert sizes == sorted(sizes, reverse=True)
    assert all(ndimage.label(split == value, CORNERS)[1] == 1 for value in new)


def test_islands_without_a_new_value_keep_the_old_one_and_large_values_widen_the_edit() -> None:
    labels = np.zeros((1, 3, 9), np.uint8)
    labels[0, 1, [0, 1, 2, 4, 5, 8]] = 1
    edit = split_islands(labels, 1, [300])
    assert edit.after.dtype == np.uint16
    assert edit.gained() == {1: -2, 300: 2}


@pytest.mark.parametrize("new", [[1], [5, 5], [0]])
def test_a_label_value_cannot_stand_for_two_islands(new: list[int]) -> None:
    with pytest.raises(InputError, match="of its own"):
        split_islands(np.ones((1, 2, 3), np.uint8), 1, new)


def test_a_label_that_is_not_there_has_no_holes_and_no_islands() -> None:
    labels = np.zeros((2, 3, 4), np.uint16)
    assert fill_holes(labels, 1).is_nothing
    assert keep_largest(labels, 1).is_nothing
    assert island_volumes_ml(labels, 1, 1.0) == []


def test_bad_choices_are_refused_and_cancelling_ends_it() -> None:
    labels = np.ones((2, 3, 4), np.uint8)
    with pytest.raises(InputError, match="axis 3"):
        fill_holes(labels, 1, axis=3)
    with pytest.raises(InputError, match="background is not a segment"):
        keep_largest(labels, 0)
    with pytest.raises(InputError) as caught:
        remove_islands(labels, 1, 0.1, below_ml=float("nan"))
    assert caught.value.hint == "choose 0 mL or more"
    with pytest.raises(Cancelled):
        keep_largest(labels, 1, cancelled=lambda: True)
