"""The brush is round in millimetres, whatever the voxels are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.ui import brush

sizes_mm = st.floats(0.5, 40.0)
spacings = st.tuples(st.floats(0.3, 6.0), st.floats(0.3, 6.0))


@given(sizes_mm, spacings)
def test_a_voxel_is_painted_exactly_if_its_centre_is_within_the_radius(
    size_mm: float, spacing: tuple[float, float]
) -> None:
    mask = brush.footprint(size_mm, spacing)
    middle = [n // 2 for n in mask.shape]
    for place in np.ndindex(*mask.shape):
        offset = [(a - m) * s for a, m, s in zip(place, middle, spacing, strict=True)]
        distance = float(np.hypot(*offset))
        if abs(distance - size_mm / 2.0) > 1e-6:
            assert mask[place] == (distance < size_mm / 2.0 or distance == 0.0)


@given(sizes_mm, spacings)
def test_the_footprint_reaches_as_far_as_the_radius_and_no_further(
    size_mm: float, spacing: tuple[float, float]
) -> None:
    mask = brush.footprint(size_mm, spacing)
    for n, step in zip(mask.shape, spacing, strict=True):
        assert n % 2 == 1
        assert (n // 2) * step <= size_mm / 2.0 + 1e-6
        assert (n // 2 + 1) * step > size_mm / 2.0 - 1e-6


def test_on_voxels_twice_as_tall_as_wide_the_disc_is_half_as_many_voxels_tall() -> None:
    mask = brush.footprint(20.0, (2.0, 1.0))
    assert mask.shape == (11, 21)


def test_at_the_border_only_what_is_inside_is_left() -> None:
    found = brush.placed(brush.footprint(6.0, (1.0, 1.0)), (0, 9), (10, 10))
    assert found is not None
    mask, low, high = found
    assert (low, high) == ([0, 6], [4, 10])
    assert mask.shape == (4, 4)


def test_a_brush_that_is_wholly_outside_paints_nothing() -> None:
    assert brush.placed(brush.footprint(6.0, (1.0, 1.0)), (-20, 5), (10, 10)) is None


@given(
    st.tuples(*[st.floats(-50, 50)] * 3), st.tuples(*[st.floats(-50, 50)] * 3),
    st.tuples(*[st.floats(0.3, 6.0)] * 3), sizes_mm,
)  # fmt: skip
def test_a_fast_hand_leaves_no_gap(
    start: tuple[float, ...], end: tuple[float, ...], spacing: tuple[float, ...], size_mm: float
) -> None:
    places = brush.stations(start, end, spacing, size_mm)
    steps = np.diff(np.vstack([start, places]), axis=0) * np.asarray(spacing)
    assert np.linalg.norm(steps, axis=1).max() <= max(size_mm / 4.0, min(spacing) / 2.0) + 1e-6
    np.testing.assert_allclose(places[-1], end, atol=1e-9)


@pytest.mark.parametrize("size_mm", [0.5, 1.0, 7.5, 12.0, 79.5, 80.0])
def test_sizes_step_up_and_down_within_their_limits(size_mm: float) -> None:
    assert size_mm < brush.larger(size_mm) <= brush.LARGEST_MM or size_mm == brush.LARGEST_MM
    assert size_mm > brush.smaller(size_mm) >= brush.SMALLEST_MM or size_mm == brush.SMALLEST_MM
