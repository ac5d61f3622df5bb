"""Axes and surfaces of bodies whose size is known, on oblique and anisotropic grids."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.core.geometry import BoolArray, Geometry
from napari_medlabel.core.metrics_segment import segment_statistics
from napari_medlabel.core.metrics_shape import SegmentShape, shape_of, slice_axes, surface_cm2
from napari_medlabel.errors import Cancelled, GeometryError

TURN = np.array([[0.0, 0.6, 0.8], [0.0, 0.8, -0.6], [1.0, 0.0, 0.0]])


def grid(shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> Geometry:
    matrix = np.eye(4)
    matrix[:3, :3] = TURN * spacing
    matrix[:3, 3] = (-20.0, 35.0, 12.0)
    return Geometry(shape, matrix)


def ball(radius_mm: float, spacing: tuple[float, float, float], seed: int = 0) -> BoolArray:
    off = np.random.default_rng(seed).random(3)
    reach = [int(np.ceil(radius_mm / step)) + 2 for step in spacing]
    k, j, i = (
        (np.arange(-n, n + 1) + o) * step for n, o, step in zip(reach, off, spacing, strict=True)
    )
    return k[:, None, None] ** 2 + j[:, None] ** 2 + i**2 <= radius_mm**2


def measured(mask: BoolArray, spacing: tuple[float, float, float]) -> SegmentShape:
    (one,) = segment_statistics(mask.astype(np.uint8), grid(mask.shape, spacing))
    return one.shape


@pytest.mark.parametrize(
    ("radius", "spacing", "error"),
    [
        (8.0, (1.0, 1.0, 1.0), 0.02),
        (30.0, (1.0, 1.0, 1.0), 0.02),
        (12.0, (3.0, 0.8, 0.7), 0.02),
        (25.0, (5.0, 1.0, 1.0), 0.02),
        (10.0, (5.0, 1.0, 1.0), 0.06),
    ],
)
def test_the_surface_of_a_ball_is_as_exact_as_is_said(
    radius: float, spacing: tuple[float, float, float], error: float
) -> None:
    truth = 4.0 * np.pi * radius**2 / 100.0
    for seed in range(4):
        mask = ball(radius, spacing, seed)
        assert surface_cm2(mask, grid(mask.shape, spacing)) == pytest.approx(truth, rel=error)


def test_a_slanted_plate_has_the_surface_of_its_two_sides() -> None:
    spacing = (2.0, 1.0, 1.0)
    j, i = np.mgrid[:80, :80]
    k = np.arange(60)[:, None, None]
    mask = np.abs(k * 2.0 - (40.0 + 0.5 * j)) <= 5.0
    mask &= (j < 70) & (i < 70)
    sides = 2 * 70 * 70 * np.sqrt(1.25)
    rim = 2 * 70 * 10 + 2 * 70 * np.sqrt(1.25) * 10 / np.sqrt(1.25)
    area = surface_cm2(mask, grid(mask.shape, spacing))
    assert area == pytest.approx((sides + rim) / 100.0, rel=0.05)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 0.8, 0.7)])
def test_axes_of_a_ball_are_its_diameter(spacing: tuple[float, float, float]) -> None:
    shape = measured(ball(20.0, spacing), spacing)
    assert shape.long_axis.mm == pytest.approx(40.0, rel=0.03)
    assert shape.short_axis.mm == pytest.approx(40.0, rel=0.03)
    assert 40.0 <= shape.longest_axis.mm < 40.0 + spacing[0] + 1.0


def test_an_ellipse_is_measured_along_and_across_wherever_it_points() -> None:
    spacing = (4.0, 0.8, 0.5)
    j, i = np.mgrid[:100, :160]
    y, x = (j - 50) * 0.8, (i - 80) * 0.5
    for turn in (0.0, 0.4, 1.2, 2.5):
        u, v = np.cos(turn) * x + np.sin(turn) * y, -np.sin(turn) * x + np.cos(turn) * y
        mask = np.zeros((3, 100, 160), bool)
        mask[1] = (u / 30.0) ** 2 + (v / 12.0) ** 2 <= 1.0
        mask[2] = mask[1] & (np.hypot(u, v) < 10)
        shape = measured(mask, spacing)
        long, short = shape.long_axis, shape.short_axis
        assert long.mm == pytest.approx(60.0, abs=1.2)
        assert short.mm == pytest.approx(24.0, abs=1.2)
        geometry = grid(mask.shape, spacing)
        along, across = (
            geometry.lps(axis.end_kji) - geometry.lps(axis.begin_kji) for axis in (long, short)
        )
        assert np.linalg.norm(along) == pytest.approx(long.mm)
        assert np.linalg.norm(across) == pytest.approx(short.mm)
        assert along @ across == pytest.approx(0.0, abs=1e-6)
        assert {long.begin_kji[0], long.end_kji[0], short.begin_kji[0]} == {1.0}


def test_an_axis_stays_in_one_island_of_a_slice() -> None:
    mask = np.zeros((1, 10, 40), bool)
    mask[0, 2:5, 2:8] = mask[0, 2:5, 30:39] = True
    shape = measured(mask, (5.0, 1.0, 1.0))
    assert shape.long_axis.mm == pytest.approx(np.hypot(9.0, 2.0), abs=1e-9)
    assert shape.longest_axis.mm > 36


def test_one_voxel_is_as_large_as_it_is() -> None:
    mask = np.zeros((3, 4, 5), bool)
    mask[1, 2, 3] = True
    shape = measured(mask, (3.0, 0.8, 0.7))
    assert shape.long_axis.mm == pytest.approx(0.8)
    assert shape.short_axis.mm == pytest.approx(0.7)
    assert shape.longest_axis.mm == pytest.approx(3.0)
    assert shape.low_kji == shape.high_kji == (1, 2, 3)
    assert shape.centroid_lps == pytest.approx(grid((3, 4, 5), (3.0, 0.8, 0.7)).lps((1, 2, 3)))
    axes = slice_axes(mask[1], grid((3, 4, 5), (3.0, 0.8, 0.7)))
    assert axes is not None
    assert axes[0].mm == pytest.approx(0.8)
    assert slice_axes(mask[0], grid((3, 4, 5), (3.0, 0.8, 0.7))) is None


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.tuples(*[st.integers(1, 6)] * 3))
def test_the_longest_axis_is_that_of_all_pairs_of_faces(
    seed: int, size: tuple[int, int, int]
) -> None:
    mask = np.random.default_rng(seed).random(size) < 0.4
    mask[0, 0, 0] = True
    geometry = grid(size, (2.5, 0.8, 0.7))
    faces = np.concatenate(
        [np.argwhere(mask) + side * step for step in np.eye(3) for side in (-0.5, 0.5)]
    )
    lps = geometry.lps(faces)
    truth = np.linalg.norm(lps[:, None] - lps[None], axis=-1).max()
    shape = shape_of(mask, (0, 0, 0), geometry)
    assert shape.longest_axis.mm == pytest.approx(truth)
    assert shape.longest_axis.mm >= shape.long_axis.mm - 1e-9 >= shape.short_axis.mm - 2e-9
    assert shape.slices == np.count_nonzero(mask.any(axis=(1, 2)))
    assert shape.centroid_lps == pytest.approx(geometry.lps(np.argwhere(mask).mean(axis=0)))


def test_statistics_know_size_values_and_progress_of_each_segment() -> None:
    labels = np.zeros((6, 20, 20), np.uint8)
    labels[1:4, 2:10, 3:9] = 3
    labels[4, 15, 15] = 7
    image = np.arange(labels.size, dtype=np.int16).reshape(labels.shape)
    told: list[tuple[int, int]] = []
    geometry = grid(labels.shape, (3.0, 0.8, 0.7))
    found = segment_statistics(
        labels, geometry, image, progress=lambda *how: told.append(how)
    )  # fmt: skip
    assert [one.value for one in found] == [3, 7]
    assert found[0].voxels == 3 * 8 * 6
    assert found[0].ml == pytest.approx(found[0].voxels * 3.0 * 0.8 * 0.7 / 1000.0)
    assert found[0].intensities is not None
    assert found[0].intensities.mean == pytest.approx(image[labels == 3].mean())
    assert told[-1] == (4, 4)
    assert [one.value for one in segment_statistics(labels, geometry, values=[7])] == [7]
    with pytest.raises(Cancelled):
        segment_statistics(labels, geometry, cancelled=lambda: True)
    with pytest.raises(GeometryError):
        segment_statistics(labels, geometry, image[:3])
