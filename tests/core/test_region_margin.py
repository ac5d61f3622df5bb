"""Margins against distances from every voxel to every other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import BoolArray, Spacing
from napari_medlabel.core.region_margin import Side, grow, hollow, shrink
from napari_medlabel.errors import Cancelled, InputError
from napari_medlabel.testing import label_arrays

SHAPE = (5, 6, 7)
LABELS = label_arrays(SHAPE, (1, 2))
SPACINGS = st.tuples(*[st.sampled_from([0.5, 0.75, 1.0, 2.5, 4.0])] * 3)
MARGINS = st.sampled_from([0.0, 0.5, 1.0, 1.3, 2.5, 4.0, 30.0])


def nearest_mm(mask: BoolArray, spacing_mm: Spacing) -> np.ndarray:
    """From each voxel to the nearest True, by brute force; inf where there is none."""
    if not mask.any():
        return np.full(mask.shape, np.inf)
    every = np.argwhere(np.ones(mask.shape, bool)) * spacing_mm
    return cdist(every, np.argwhere(mask) * spacing_mm).min(axis=1).reshape(mask.shape)


def after(labels: LabelArray, edit: Edit) -> LabelArray:
    changed = labels.copy()
    assert edit.fits(changed)
    edit.write(changed)
    back = changed.copy()
    edit.inverse().write(back)
    np.testing.assert_array_equal(back, labels)
    return changed


@given(LABELS, SPACINGS, MARGINS)
def test_growing_takes_what_is_within_the_margin(
    labels: LabelArray, spacing_mm: Spacing, by_mm: float
) -> None:
    near = nearest_mm(labels == 1, spacing_mm) <= by_mm + 1e-4
    grown = after(labels, grow(labels, 1, spacing_mm, by_mm, over_others=True))
    np.testing.assert_array_equal(grown == 1, near)
    kind = after(labels, grow(labels, 1, spacing_mm, by_mm))
    np.testing.assert_array_equal(kind == 1, near & (labels != 2))
    np.testing.assert_array_equal(kind == 2, labels == 2)


@given(LABELS, SPACINGS, MARGINS)
def test_shrinking_loses_what_is_within_the_margin_of_the_outside(
    labels: LabelArray, spacing_mm: Spacing, by_mm: float
) -> None:
    lost = nearest_mm(labels != 1, spacing_mm) <= by_mm + 1e-4
    shrunk = after(labels, shrink(labels, 1, spacing_mm, by_mm))
    np.testing.assert_array_equal(shrunk == 1, (labels == 1) & ~lost)


@given(LABELS, SPACINGS, MARGINS)
def test_growing_and_shrinking_by_the_same_leaves_at_least_what_was_there(
    labels: LabelArray, spacing_mm: Spacing, by_mm: float
) -> None:
    grown = after(labels, grow(labels, 1, spacing_mm, by_mm, over_others=True))
    closed = after(grown, shrink(grown, 1, spacing_mm, by_mm))
    assert (closed == 1)[labels == 1].all()


@given(LABELS, SPACINGS, MARGINS, st.sampled_from(["inside", "outside", "both"]))
def test_a_shell_lies_along_the_border_on_the_side_asked_for(
    labels: LabelArray, spacing_mm: Spacing, thickness_mm: float, side: Side
) -> None:
    own = labels == 1
    reach = thickness_mm / 2 if side == "both" else thickness_mm
    inner = own & (nearest_mm(~own, spacing_mm) <= reach + 1e-4)
    outer = ~own & (nearest_mm(own, spacing_mm) <= reach + 1e-4)
    truth = {"inside": inner, "outside": outer, "both": inner | outer}[side]
    shell = after(labels, hollow(labels, 1, spacing_mm, thickness_mm, side=side, over_others=True))
    np.testing.assert_array_equal(shell == 1, truth)
    kind = after(labels, hollow(labels, 1, spacing_mm, thickness_mm, side=side))
    np.testing.assert_array_equal(kind == 2, labels == 2)


def test_a_margin_is_in_millimetres_along_every_axis() -> None:
    labels = np.zeros((9, 41, 41), np.uint8)
    labels[4, 20, 20] = 1
    grown = after(labels, grow(labels, 1, (5.0, 0.7, 0.7), 10.0))
    reach = [np.ptp(np.flatnonzero((grown == 1).any(axis=others))) // 2
             for others in ((1, 2), (0, 2), (0, 1))]  # fmt: skip
    assert reach == [2, 14, 14]


def test_bad_lengths_are_refused_and_cancelling_ends_it() -> None:
    labels = np.ones((2, 3, 4), np.uint8)
    for by_mm in (-1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="margin"):
            grow(labels, 1, (1.0, 1.0, 1.0), by_mm)
    with pytest.raises(InputError, match="spacing"):
        shrink(labels, 1, (1.0, 0.0, 1.0), 1.0)
    with pytest.raises(InputError, match="no side"):
        hollow(labels, 1, (1.0, 1.0, 1.0), 1.0, side="top")  # type: ignore[arg-type]
    with pytest.raises(Cancelled):
        grow(labels, 1, (1.0, 1.0, 1.0), 1.0, cancelled=lambda: True)


def test_a_label_that_is_not_there_stays_away() -> None:
    labels = np.zeros((2, 3, 4), np.uint8)
    assert grow(labels, 3, (1.0, 1.0, 1.0), 5.0).is_nothing
    assert hollow(labels, 3, (1.0, 1.0, 1.0), 5.0).is_nothing
