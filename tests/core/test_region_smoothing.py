import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from napari_medlabel.core import region
from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import Spacing
from napari_medlabel.core.region_smoothing import smooth_gaussian, smooth_jointly, smooth_median
from napari_medlabel.errors import Cancelled, InputError
from napari_medlabel.testing import label_arrays

SHAPE = (5, 7, 6)
SPACINGS = st.tuples(*[st.sampled_from([0.6, 1.0, 3.0])] * 3)


def after(labels: LabelArray, edit: Edit) -> LabelArray:
    changed = labels.copy()
    assert edit.fits(changed)
    edit.write(changed)
    return changed


@given(label_arrays(SHAPE, (1, 2)), SPACINGS, st.sampled_from([0.0, 1.5, 3.0]))
def test_the_median_is_that_of_a_box_in_millimetres(
    labels: LabelArray, spacing_mm: Spacing, size_mm: float
) -> None:
    sizes = [1 + 2 * int(size_mm / step / 2 + 1e-6) for step in spacing_mm]
    median = ndimage.median_filter((labels == 1).astype(np.uint8), sizes, mode="nearest")
    smooth = after(labels, smooth_median(labels, 1, spacing_mm, size_mm, over_others=True))
    np.testing.assert_array_equal(smooth == 1, median == 1)
    kind = after(labels, smooth_median(labels, 1, spacing_mm, size_mm))
    np.testing.assert_array_equal(kind == 2, labels == 2)


def test_a_gaussian_rounds_a_corner_and_keeps_a_face_where_it_is() -> None:
    labels = np.zeros((1, 40, 40), np.uint8)
    labels[:, 10:30, 10:30] = 1
    smooth = after(labels, smooth_gaussian(labels, 1, (5.0, 1.0, 1.0), 2.0))
    assert smooth[0, 10, 10] == 0
    np.testing.assert_array_equal(smooth[0, 20], labels[0, 20])
    np.testing.assert_array_equal(smooth[0, :, 20], labels[0, :, 20])


def test_millimetres_and_not_voxels_are_smoothed() -> None:
    labels = np.zeros((41, 41, 41), np.uint8)
    labels[20, 20, :] = labels[:, 20, 20] = 1
    smooth = after(labels, smooth_gaussian(labels, 1, (0.2, 0.2, 5.0), 0.4))
    assert not (smooth == 1).any()
    coarse = after(labels, smooth_gaussian(labels, 1, (5.0, 5.0, 5.0), 0.4))
    np.testing.assert_array_equal(coarse, labels)


@given(label_arrays(SHAPE, (1, 2, 3)), SPACINGS, st.sampled_from([0.5, 1.5, 4.0]))
def test_smoothing_together_leaves_no_gap_and_harms_nobody_else(
    labels: LabelArray, spacing_mm: Spacing, sigma_mm: float
) -> None:
    full = np.where(labels == 0, 3, labels).astype(labels.dtype)
    smooth = after(full, smooth_jointly(full, [1, 2, 3], spacing_mm, sigma_mm))
    assert (smooth > 0).all()  # where everything is labelled, everything stays labelled
    others = after(labels, smooth_jointly(labels, [1, 2], spacing_mm, sigma_mm))
    np.testing.assert_array_equal(others == 3, labels == 3)


@given(label_arrays(SHAPE, (1, 2)), st.sampled_from([0.5, 2.0]))
def test_smoothing_together_is_the_strongest_gaussian(labels: LabelArray, sigma_mm: float) -> None:
    spacing_mm = (2.0, 0.8, 1.0)
    sigmas = [sigma_mm / step for step in spacing_mm]
    strength = np.stack([
        ndimage.gaussian_filter((labels == value).astype(float), sigmas, mode="nearest", truncate=3)
        for value in (0, 1, 2)
    ])  # fmt: skip
    smooth = after(labels, smooth_jointly(labels, [1, 2], spacing_mm, sigma_mm))
    clear = np.diff(np.sort(strength, axis=0)[1:], axis=0)[0] > 1e-5
    np.testing.assert_array_equal(smooth[clear], strength.argmax(axis=0)[clear])


def test_slabs_make_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    labels = (ndimage.gaussian_filter(rng.normal(size=(30, 20, 20)), 2) > 0).astype(np.uint8)
    whole = smooth_gaussian(labels, 1, (1.0, 1.0, 1.0), 1.0)
    together = smooth_jointly(labels, [1], (1.0, 1.0, 1.0), 1.0)
    monkeypatch.setattr(region.slabs, "__defaults__", (0, 1))
    for one, other in (
        (whole, smooth_gaussian(labels, 1, (1.0, 1.0, 1.0), 1.0)),
        (together, smooth_jointly(labels, [1], (1.0, 1.0, 1.0), 1.0)),
    ):
        np.testing.assert_array_equal(after(labels, one), after(labels, other))


def test_bad_choices_are_refused_and_cancelling_ends_it() -> None:
    labels = np.ones((2, 3, 4), np.uint8)
    with pytest.raises(InputError, match="sigma"):
        smooth_gaussian(labels, 1, (1.0, 1.0, 1.0), -1.0)
    with pytest.raises(InputError, match="no segment"):
        smooth_jointly(labels, [], (1.0, 1.0, 1.0), 1.0)
    with pytest.raises(Cancelled):
        smooth_jointly(labels, [1], (1.0, 1.0, 1.0), 1.0, cancelled=lambda: True)
