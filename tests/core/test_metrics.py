"""How large labels are and how far two masks agree; ground truth by brute force or by SciPy."""

import json
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from scipy.spatial.distance import cdist

from napari_medlabel.core.geometry import BoolArray, Geometry, Spacing
from napari_medlabel.core.metrics import (
    PERCENTILES,
    assd_mm,
    compare_labels,
    dice,
    hd95_mm,
    label_statistics,
)
from napari_medlabel.errors import GeometryError
from napari_medlabel.testing import geometries, label_arrays

SHAPE = (4, 5, 6)
SPACINGS = st.tuples(*[st.floats(0.3, 6.0)] * 3)
MASKS = hnp.arrays(np.bool_, SHAPE)


def surface(mask: BoolArray) -> BoolArray:
    return mask & ~ndimage.binary_erosion(mask)


def brute_force(a: BoolArray, b: BoolArray, mm_from_kji: np.ndarray) -> tuple[float, float]:
    """HD95 and ASSD from all distances between all voxels of the surfaces."""
    points = [np.argwhere(surface(mask)) @ mm_from_kji.T for mask in (a, b)]
    gaps = cdist(points[0], points[1])
    there, back = gaps.min(axis=1), gaps.min(axis=0)
    hd95 = max(np.percentile(there, 95), np.percentile(back, 95))
    return float(hd95), float(np.concatenate([there, back]).mean())


@given(MASKS, MASKS, SPACINGS)
def test_distances_are_those_of_brute_force(a: BoolArray, b: BoolArray, spacing: Spacing) -> None:
    assume(a.any() and b.any())
    hd95, assd = brute_force(a, b, np.diag(spacing))
    assert hd95_mm(a, b, spacing) == pytest.approx(hd95)
    assert assd_mm(a, b, spacing) == pytest.approx(assd)


@given(MASKS, MASKS, SPACINGS)
def test_agreement_does_not_depend_on_which_mask_is_first(
    a: BoolArray, b: BoolArray, spacing: Spacing
) -> None:
    assert dice(a, b) == dice(b, a)
    assert hd95_mm(a, b, spacing) == pytest.approx(hd95_mm(b, a, spacing))
    assert assd_mm(a, b, spacing) == pytest.approx(assd_mm(b, a, spacing))
    assert 0.0 <= dice(a, b) <= 1.0
    assert assd_mm(a, b, spacing) >= 0.0


@given(MASKS, SPACINGS)
def test_a_mask_agrees_with_itself(mask: BoolArray, spacing: Spacing) -> None:
    assert dice(mask, mask) == 1.0
    assert hd95_mm(mask, mask, spacing) == 0.0
    assert assd_mm(mask, mask, spacing) == 0.0


@given(MASKS.filter(np.any), SPACINGS)
def test_a_mask_is_infinitely_far_from_an_empty_one(mask: BoolArray, spacing: Spacing) -> None:
    nothing = np.zeros_like(mask)
    assert dice(mask, nothing) == 0.0
    assert hd95_mm(mask, nothing, spacing) == math.inf
    assert assd_mm(nothing, mask, spacing) == math.inf


def test_a_box_that_moved_by_one_slice_is_one_slice_away() -> None:
    a, b = np.zeros((10, 8, 8), bool), np.zeros((10, 8, 8), bool)
    a[3:6, 2:6, 2:6] = True
    b[4:7, 2:6, 2:6] = True
    assert hd95_mm(a, b, (5.0, 0.7, 0.7)) == pytest.approx(5.0)
    assert dice(a, b) == pytest.approx(2 / 3)


def test_a_mask_that_fills_the_array_has_the_border_as_its_surface() -> None:
    full, core = np.ones((5, 5, 5), bool), np.zeros((5, 5, 5), bool)
    core[2, 2, 2] = True
    assert hd95_mm(full, core, (1.0, 1.0, 1.0)) == pytest.approx(math.sqrt(12))


@given(geometries(shape=st.just(SHAPE)), st.data())
def test_labels_are_compared_one_by_one_on_sheared_grids_too(
    geometry: Geometry, data: st.DataObject
) -> None:
    a, b = (data.draw(label_arrays(SHAPE, (1, 2, 300), np.uint16)) for _ in range(2))
    found = compare_labels(a, b, geometry)
    assert [one.value for one in found] == sorted({*np.unique(a), *np.unique(b)} - {0})
    both = [one for one in found if one.voxels_a and one.voxels_b]
    for one in both:
        expected = brute_force(a == one.value, b == one.value, geometry.lps_from_kji[:3, :3])
        assert (one.hd95_mm, one.assd_mm) == pytest.approx(expected, abs=1e-9)
        assert one.dice == dice(a == one.value, b == one.value)
    for one in found:
        assert one.voxels_a == np.count_nonzero(a == one.value)
        assert one.ml_b == pytest.approx(np.count_nonzero(b == one.value) * geometry.voxel_ml)
        assert one.ml_difference == pytest.approx(one.ml_b - one.ml_a)


@given(geometries(shape=st.just(SHAPE)), st.data())
def test_statistics_are_those_of_the_voxels_of_each_label(
    geometry: Geometry, data: st.DataObject
) -> None:
    labels = data.draw(label_arrays(SHAPE, (1, 2, 300), np.uint16))
    image = data.draw(hnp.arrays(np.int16, SHAPE))
    found = label_statistics(labels, geometry, image)
    assert [one.value for one in found] == sorted(set(np.unique(labels).tolist()) - {0})
    for one in found:
        values = image[labels == one.value].astype(float)
        assert one.voxels == values.size
        assert one.ml == pytest.approx(values.size * geometry.voxel_ml)
        assert one.intensities is not None
        assert one.intensities.mean == pytest.approx(values.mean(), abs=1e-9)
        assert one.intensities.sd == pytest.approx(values.std(), abs=1e-9)
        assert (one.intensities.minimum, one.intensities.maximum) == (values.min(), values.max())
        marks = np.percentile(values, PERCENTILES)
        assert list(one.intensities.percentiles.values()) == pytest.approx(marks)


def test_without_an_image_there_are_sizes_only() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[0] = 4
    (one,) = label_statistics(labels, Geometry.from_spacing(SHAPE, (2.0, 0.5, 0.5)))
    assert one.document() == {"value": 4, "voxels": 30, "ml": pytest.approx(0.015)}


def test_documents_are_json_with_null_for_what_has_no_number() -> None:
    a, b = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    a[0] = 1
    geometry = Geometry.from_spacing(SHAPE)
    (compared,) = compare_labels(a, b, geometry)
    assert json.loads(json.dumps(compared.document(), allow_nan=False))["hd95_mm"] is None
    image = np.full(SHAPE, np.nan, np.float32)
    (measured,) = label_statistics(a, geometry, image)
    assert json.loads(json.dumps(measured.document(), allow_nan=False))["mean"] is None


def test_values_that_are_not_finite_are_left_out() -> None:
    labels = np.ones((1, 1, 4), np.uint8)
    image = np.array([[[1.0, 3.0, np.nan, np.inf]]], np.float32)
    (one,) = label_statistics(labels, Geometry.from_spacing((1, 1, 4)), image)
    assert one.voxels == 4
    assert one.intensities is not None
    assert (one.intensities.mean, one.intensities.maximum) == (2.0, 3.0)


def test_no_label_is_no_row() -> None:
    empty = np.zeros(SHAPE, np.uint8)
    assert label_statistics(empty, Geometry.from_spacing(SHAPE)) == ()
    assert compare_labels(empty, empty, Geometry.from_spacing(SHAPE)) == ()


def test_other_grids_are_refused() -> None:
    one, other = np.zeros((2, 2, 2), bool), np.zeros((2, 2, 3), bool)
    grid = Geometry.from_spacing((2, 2, 2))
    attempts = [
        lambda: dice(one, other),
        lambda: hd95_mm(one, other, (1, 1, 1)),
        lambda: assd_mm(one, other, (1, 1, 1)),
        lambda: label_statistics(other, grid),
        lambda: label_statistics(one, grid, other),
        lambda: compare_labels(one, other, grid),
    ]
    for attempt in attempts:
        with pytest.raises(GeometryError, match="not on one grid"):
            attempt()
