"""Measures against brute force in millimetres, on grids that are oblique and sheared."""

import math
import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from napari_medlabel.core import annotation_inside
from napari_medlabel.core.annotation import (
    Angle,
    Box2d,
    Cuboid,
    Distance,
    EllipseRoi,
    Keypoint,
    Keypoints,
    OrientedBox,
    Polygon,
    RectangleRoi,
    Shape,
    UprightShape,
)
from napari_medlabel.core.annotation_inside import inside, values_inside
from napari_medlabel.core.annotation_measure import Measure, measure, measure_words
from napari_medlabel.core.annotation_places import corners
from napari_medlabel.core.enclosed_area import enclosed_area
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.lasso import inside_outline
from napari_medlabel.core.plane import Kji, Plane, RowColumn
from napari_medlabel.testing import geometries
from tests.core.drawn_shapes import SIDE, between, kjis, pairs, planes, shapes, turned_boxes

grids = geometries(shape=st.just((SIDE, SIDE, SIDE)))
CENTERS = np.stack(np.meshgrid(*[np.arange(SIDE)] * 3, indexing="ij"), axis=-1)


def where(shape: Shape, geometry: Geometry) -> np.ndarray:
    """What is inside, on the whole grid."""
    box, mask = inside(shape, geometry)
    whole = np.zeros(geometry.shape, bool)
    whole[box] = mask
    return whole


def triangle_mm2(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
    return float(np.linalg.norm(np.cross(b - a, c - a)) / 2)


# Lengths and angles


@given(grids, kjis, kjis)
def test_a_distance_is_that_of_its_ends_in_the_world(geometry: Geometry, a: Kji, b: Kji) -> None:
    found = measure(Distance(a, b), geometry)
    assert found.length_mm == pytest.approx(math.dist(geometry.lps(a), geometry.lps(b)), abs=1e-9)


@given(grids, kjis, kjis, kjis)
def test_an_angle_obeys_the_law_of_cosines(geometry: Geometry, a: Kji, vertex: Kji, b: Kji) -> None:
    one, other = (math.dist(geometry.lps(vertex), geometry.lps(end)) for end in (a, b))
    third = math.dist(geometry.lps(a), geometry.lps(b))
    found = measure(Angle(a, vertex, b), geometry).angle_deg
    if one < 1e-3 or other < 1e-3:
        assert found is None or 0 <= found <= 180
        return
    cosine = (one**2 + other**2 - third**2) / (2 * one * other)
    assert math.cos(math.radians(found)) == pytest.approx(cosine, abs=1e-5)


def test_an_angle_without_a_side_has_no_size() -> None:
    shape = Angle((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    found = measure(shape, Geometry.from_spacing((2, 2, 2)))
    assert found.angle_deg is None
    assert measure_words(shape, found) == ""


def test_a_right_angle_on_anisotropic_pixels_is_not_one_of_pixels() -> None:
    grid = Geometry.from_spacing((5, 5, 5), (3.0, 2.0, 1.0))
    shape = Angle((0.0, 0.0, 2.0), (0.0, 0.0, 0.0), (0.0, 1.0, 2.0))
    assert measure(shape, grid).angle_deg == pytest.approx(45.0)


# Areas and volumes


@given(grids, between(RectangleRoi, planes))
def test_a_rectangles_area_is_that_of_its_corners_in_the_world(
    geometry: Geometry, shape: UprightShape
) -> None:
    a, b, c, d = geometry.lps(corners(shape, geometry))
    found = measure(shape, geometry)
    area = triangle_mm2(a, b, c) + triangle_mm2(a, c, d)
    assert found.area_mm2 == pytest.approx(area, abs=1e-6)
    assert found.size_mm == pytest.approx((math.dist(a, b), math.dist(b, c)), abs=1e-6)


@given(grids, between(EllipseRoi, planes))
def test_an_ellipses_area_and_diameters_are_those_of_its_outline(
    geometry: Geometry, shape: UprightShape
) -> None:
    turn = np.linspace(0, 2 * np.pi, 721)
    center = np.add(shape.low, shape.high) / 2
    half = np.subtract(shape.high, shape.low) / 2
    ring = center + np.stack([np.sin(turn), np.cos(turn)], axis=1) * half
    points = geometry.lps(shape.plane.kji_of(ring))
    middle = geometry.lps(shape.plane.kji(tuple(center)))
    found = measure(shape, geometry)
    area = sum(triangle_mm2(middle, a, b) for a, b in pairwise(points))
    assert found.area_mm2 == pytest.approx(area, rel=1e-4, abs=1e-6)
    radii = np.linalg.norm(points - middle, axis=1)
    extent = (2 * radii.max(), 2 * radii.min())
    assert found.size_mm == pytest.approx(extent, rel=1e-3, abs=0.02)


@given(grids, planes, pairs, st.tuples(*[st.floats(0.1, 40)] * 2), st.floats(-360, 360))
def test_an_oriented_box_has_right_angles_and_its_size_in_the_world(
    geometry: Geometry, plane: Plane, center: RowColumn, size_mm: RowColumn, angle_deg: float
) -> None:
    shape = OrientedBox(plane, center, size_mm, angle_deg)
    a, b, c, d = geometry.lps(corners(shape, geometry))
    assert (math.dist(a, b), math.dist(b, c)) == pytest.approx(size_mm)
    assert (math.dist(c, d), math.dist(d, a)) == pytest.approx(size_mm)
    assert abs((b - a) @ (c - b)) <= 1e-6 * size_mm[0] * size_mm[1]
    assert (a + c) / 2 == pytest.approx(geometry.lps(plane.kji(center)), abs=1e-6)
    column = geometry.direction[:, plane.axes[1]]
    turned = math.degrees(math.acos(np.clip((b - a) @ column / size_mm[0], -1, 1)))
    assert math.cos(math.radians(turned)) == pytest.approx(
        math.cos(math.radians(angle_deg)), abs=1e-6
    )


def test_a_positive_angle_turns_from_columns_to_rows() -> None:
    grid = Geometry.from_spacing((5, 50, 50), (3.0, 0.5, 1.0))
    shape = OrientedBox(Plane(0, 2), (20.0, 20.0), (20.0, 0.0), 30.0)
    first, second = corners(shape, grid)[:2]
    step = second - first
    assert step == pytest.approx((0.0, 10.0 / 0.5, 10.0 * math.sqrt(3)))


@given(grids, between(Cuboid))
def test_a_cuboids_volume_is_that_of_its_edges_in_the_world(
    geometry: Geometry, shape: UprightShape
) -> None:
    places = geometry.lps(corners(shape, geometry))
    edges = [places[n] - places[0] for n in (4, 2, 1)]  # along k, j, i
    found = measure(shape, geometry)
    assert found.volume_ml == pytest.approx(abs(np.linalg.det(edges)) / 1000, abs=1e-9)
    assert found.size_mm == pytest.approx([np.linalg.norm(edge) for edge in edges])


@given(grids, st.builds(Polygon, planes, st.tuples(pairs, pairs, pairs)))
def test_a_triangles_area_is_that_of_the_world(geometry: Geometry, shape: Polygon) -> None:
    area = triangle_mm2(*geometry.lps(corners(shape, geometry)))
    assert measure(shape, geometry).area_mm2 == pytest.approx(area, abs=1e-5)


@given(st.lists(st.tuples(*[st.integers(0, 8)] * 2), min_size=3, max_size=8))
def test_the_area_of_an_outline_that_crosses_itself_is_that_of_fine_pixels(
    outline: list[RowColumn],
) -> None:
    fine = 32
    scaled = np.array(outline) * fine - 0.5  # pixel edges on the corners
    pixels = inside_outline(scaled, (8 * fine, 8 * fine)).sum() / fine**2
    # Pixels cut by an edge may fall on either side.
    lengths = sum(math.dist(a, b) for a, b in pairwise([*outline, outline[0]]))
    assert enclosed_area(outline) == pytest.approx(pixels, abs=0.02 + lengths / fine * 0.5)


@pytest.mark.parametrize(
    ("outline", "area"),
    [
        ([(0, 0), (0, 4), (4, 4), (4, 0)], 16),
        ([(0, 0), (4, 4), (4, 0), (0, 4)], 8),  # a bow tie: two triangles
        ([(0, 0), (0, 4), (4, 4), (4, 0)] * 2, 0),  # twice round is out again
        ([(0, 0), (0, 6), (6, 6), (6, 0), (0, 0), (2, 2), (2, 4), (4, 4), (4, 2), (2, 2)], 32),
        ([(0, 0), (2, 2), (4, 0), (4, 4), (2, 2), (0, 4)], 8),  # crosses in a corner
        ([(1e5, 1e5), (1e5, 1e5 + 3), (1e5 + 2, 1e5)], 3),
        ([(0, 0), (1, 1), (2, 2)], 0),
    ],
)
def test_areas_by_the_even_odd_rule(outline: list[RowColumn], area: float) -> None:
    assert enclosed_area(outline) == pytest.approx(area, abs=1e-9)


def test_the_area_of_a_long_outline_is_there_at_once() -> None:
    turn = np.linspace(0, 2 * np.pi, 1000, endpoint=False)
    ring = np.stack([100 * np.sin(turn), 100 * np.cos(turn)], axis=1)
    start = time.process_time()
    area = enclosed_area(ring)
    assert time.process_time() - start < 0.5
    assert area == pytest.approx(math.pi * 1e4, rel=1e-4)


# Voxels inside


@given(grids, between(Cuboid) | between(RectangleRoi, planes) | between(Box2d, planes))
def test_voxels_in_a_box_are_those_between_its_edges(
    geometry: Geometry, shape: UprightShape
) -> None:
    low, high = corners(shape, geometry).min(0), corners(shape, geometry).max(0)
    expected = ((low - 1e-9 <= CENTERS) & (high + 1e-9 >= CENTERS)).all(-1)
    np.testing.assert_array_equal(where(shape, geometry), expected)


@example(
    Geometry.from_spacing((6, 6, 6), (1.0, 1.0, 1.0)),
    EllipseRoi(Plane(0, 0), (0.0, 0.0), (3.5, 1.1920928955078125e-07)),
)
@given(grids, between(EllipseRoi, planes))
def test_voxels_in_an_ellipse_are_no_farther_than_its_outline(
    geometry: Geometry, shape: UprightShape
) -> None:
    mask = where(shape, geometry)
    rows, columns = shape.plane.axes
    assert not np.delete(mask, shape.plane.index, shape.plane.axis).any()
    half = np.maximum(np.subtract(shape.high, shape.low) / 2, 1e-9)
    offset = CENTERS[..., (rows, columns)] - np.add(shape.low, shape.high) / 2
    far = ((offset / half) ** 2).sum(-1)
    here = CENTERS[..., shape.plane.axis] == shape.plane.index
    clear = np.abs(far - 1) > 1e-6 + 4e-9 / half.min()  # 1e-9 of a voxel is an edge yet
    np.testing.assert_array_equal(mask[clear], (here & (far < 1))[clear])


@given(grids, turned_boxes)
def test_voxels_in_an_oriented_box_are_between_its_edges_in_the_world(
    geometry: Geometry, shape: OrientedBox
) -> None:
    a, b, _, d = geometry.lps(corners(shape, geometry))
    offset = geometry.lps(CENTERS) - a
    along = offset @ (b - a) / ((b - a) @ (b - a))
    across = offset @ (d - a) / ((d - a) @ (d - a))
    here = CENTERS[..., shape.plane.axis] == shape.plane.index
    gap = np.min([np.abs(along), np.abs(along - 1), np.abs(across), np.abs(across - 1)], axis=0)
    expected = here & (along > 0) & (along < 1) & (across > 0) & (across < 1)
    clear = gap > 1e-6
    np.testing.assert_array_equal(where(shape, geometry)[clear], expected[clear])


@given(grids, st.builds(Polygon, planes, st.lists(pairs, min_size=3, max_size=7).map(tuple)))
def test_voxels_in_a_polygon_are_those_in_its_outline_on_the_whole_slice(
    geometry: Geometry, shape: Polygon
) -> None:
    expected = np.zeros(geometry.shape, bool)
    slices = np.moveaxis(expected, shape.plane.axis, 0)
    slices[shape.plane.index] = inside_outline(shape.points, (SIDE, SIDE))
    np.testing.assert_array_equal(where(shape, geometry), expected)


@given(grids, shapes, st.integers(0, 2**32))
def test_image_values_are_those_of_the_voxels_inside(
    geometry: Geometry, shape: Shape, seed: int
) -> None:
    image = np.random.default_rng(seed).normal(size=geometry.shape)
    image[0, 0, 0] = np.nan
    values = image[where(shape, geometry)]
    parts = [part for part in values_inside(shape, geometry, image) if part.size]
    flat = np.concatenate(parts or [np.zeros(0)])
    np.testing.assert_array_equal(np.sort(flat), np.sort(values))
    found = measure(shape, geometry, image).values
    values = values[np.isfinite(values)]
    if not values.size:
        assert found is None
        return
    assert found.voxels == values.size
    assert (found.minimum, found.maximum) == (values.min(), values.max())
    assert (found.mean, found.sd) == pytest.approx((values.mean(), values.std()))


def test_a_cuboid_as_large_as_the_image_is_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.random.default_rng(3).normal(1e6, 1.0, (7, 30, 40))
    asked: list[int] = []

    class Counted:
        shape, dtype, ndim = image.shape, image.dtype, 3

        def __getitem__(self, key: tuple[slice, ...]) -> np.ndarray:
            asked.append(image[key].size)
            return image[key]

    monkeypatch.setattr(annotation_inside, "_AT_ONCE", 3000)
    whole = Cuboid((-0.5,) * 3, (6.5, 29.5, 39.5))
    found = measure(whole, Geometry.from_spacing(image.shape), Counted()).values
    assert max(asked) <= 3000
    assert (found.voxels, found.minimum, found.maximum) == (8400, image.min(), image.max())
    assert (found.mean, found.sd) == pytest.approx((image.mean(), image.std()), rel=1e-10)


# Words

LINE = Distance((0.0,) * 3, (1.0,) * 3)
SQUARE = RectangleRoi(Plane(0, 0), (0.5, 0.5), (18.5, 18.5))
GRID = Geometry.from_spacing((4, 40, 40), (5.0, 1.0, 1.0))


def test_measures_in_words() -> None:
    image = np.full(GRID.shape, 97, np.int16)
    image[0, :20, ::2] += 24
    assert measure_words(LINE, Measure(length_mm=42.34)) == "42.3 mm"
    assert measure_words(SQUARE, measure(SQUARE, GRID, image), "HU") == "109 ± 12 HU\n3.2 cm²"
    assert measure_words(SQUARE, measure(SQUARE, GRID)) == "3.2 cm²"
    assert measure_words(SQUARE, measure(SQUARE, GRID, image / 100), "") == "1.09 ± 0.12\n3.2 cm²"
    box = Box2d(Plane(0, 0), (0.0, 0.0), (8.0, 6.0))
    assert measure_words(box, measure(box, GRID, image)) == "6.0 × 8.0 mm\n48.0 mm²"  # noqa: RUF001
    cuboid = Cuboid((-0.5,) * 3, (1.5, 9.5, 9.5))
    assert measure_words(cuboid, measure(cuboid, GRID)) == "10.0 × 10.0 × 10.0 mm\n1.0 mL"  # noqa: RUF001
    angle = Angle((0.0, 0.0, 2.0), (0.0, 0.0, 0.0), (0.0, 1.0, 2.0))
    assert measure_words(angle, measure(angle, GRID)) == "26.6°"
    points = Keypoints((Keypoint("a", (0.0,) * 3), Keypoint("b", (1.0,) * 3)))
    assert measure_words(points, measure(points, GRID)) == "2 points"
