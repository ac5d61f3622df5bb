import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_medlabel.core.edit import LabelArray
from napari_medlabel.core.region_threshold import otsu, threshold, within
from napari_medlabel.errors import Cancelled, GeometryError, InputError
from napari_medlabel.testing import label_arrays

SHAPE = (3, 4, 5)
IMAGES = hnp.arrays(np.int16, SHAPE, elements=st.integers(-1000, 1000))
LIMITS = st.tuples(*[st.floats(-1200, 1200)] * 2).map(sorted)


@given(label_arrays(SHAPE, (1, 2)), IMAGES, LIMITS, st.sampled_from([None, 1, 2]), st.booleans())
def test_a_threshold_takes_what_lies_within_and_may_be_taken(
    labels: LabelArray, image: np.ndarray, limits: list[float], inside: int | None,
    over_others: bool,  # noqa: FBT001
) -> None:  # fmt: skip
    lower, upper = limits
    changed = labels.copy()
    edit = threshold(labels, image, 7, lower, upper, inside=inside, over_others=over_others)
    edit.write(changed)
    wanted = (image >= lower) & (image <= upper)
    if inside is not None:
        wanted &= labels == inside
    elif not over_others:
        wanted &= labels == 0
    np.testing.assert_array_equal(changed, np.where(wanted, 7, labels))


def test_a_threshold_stays_in_its_box() -> None:
    labels, image = np.zeros(SHAPE, np.uint8), np.full(SHAPE, 50, np.int16)
    edit = threshold(labels, image, 1, 0, 100, box=(slice(1, 2), slice(-3, 2), slice(3, 99)))
    assert (edit.low, edit.changed.shape) == ((1, 0, 3), (1, 2, 2))


@given(hnp.arrays(st.sampled_from([np.uint8, np.int16, np.float32]), 20), LIMITS)
def test_limits_mean_the_same_for_every_type(values: np.ndarray, limits: list[float]) -> None:
    truth = (values.astype(np.float64) >= limits[0]) & (values.astype(np.float64) <= limits[1])
    if values.dtype.kind in "iu":
        np.testing.assert_array_equal(within(values, *limits), truth)
    assert within(values[np.isfinite(values)], -np.inf, np.inf).all()


def test_otsu_parts_two_kinds_of_values() -> None:
    rng = np.random.default_rng(1)
    image = rng.normal(40, 5, (8, 30, 30))
    image[:, 10:20] = rng.normal(200, 20, (8, 10, 30))
    limit = otsu(image)
    assert 60 < limit < 140
    assert np.mean((image > limit)[:, 10:20]) > 0.99
    assert not (image > limit)[:, :10].any()


@given(hnp.arrays(np.float64, 40, elements=st.floats(0, 100)).filter(lambda a: np.ptp(a) > 1))
def test_otsu_is_the_best_of_all_limits(values: np.ndarray) -> None:
    def within_classes(limit: float) -> float:
        classes = [values[values <= limit], values[values > limit]]
        return float(sum(((part - part.mean()) ** 2).sum() for part in classes if part.size))

    limit = otsu(values.reshape(2, 4, 5))
    best = min(within_classes(float(value)) for value in values)
    # A bin is a thousandth of the range wide, and values in one bin cannot be told apart.
    assert within_classes(limit) <= best + 0.01 * np.ptp(values) ** 2


def test_otsu_looks_only_where_it_is_told() -> None:
    image = np.zeros((1, 4, 20))
    image[0, :2] = np.repeat([0, 10], 10)
    image[0, 2:] = 1000
    labels = np.zeros(image.shape, np.uint8)
    labels[0, :2] = 1
    assert 0 < otsu(image, labels=labels, inside=1) < 10
    assert 0 < otsu(image, box=(slice(0, 1), slice(0, 2), slice(0, 20))) < 10
    assert otsu(image) > 10


def test_values_that_are_not_numbers_are_left_out() -> None:
    image = np.array([[[0.0, 1.0, 9.0, 10.0, np.nan, np.inf]]])
    assert 1 < otsu(image) < 9
    edit = threshold(np.zeros(image.shape, np.uint8), image, 1, -np.inf, 1e9)
    assert edit.voxels == 4


def test_what_cannot_be_is_refused() -> None:
    labels, image = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE)
    with pytest.raises(InputError, match="above the upper"):
        threshold(labels, image, 1, 5, 4)
    with pytest.raises(InputError, match="above the upper"):
        threshold(labels, image, 1, float("nan"), 4)
    with pytest.raises(GeometryError):
        threshold(labels, image[1:], 1, 0, 1)
    with pytest.raises(InputError, match="outside"):
        threshold(labels, image, 1, 0, 1, box=(slice(9, 12), slice(0, 1), slice(0, 1)))
    with pytest.raises(InputError, match="two different"):
        otsu(image)
    with pytest.raises(Cancelled):
        threshold(labels, image, 1, 0, 1, cancelled=lambda: True)
