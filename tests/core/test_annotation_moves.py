"""Drawing, taking hold and dragging, as a hand does it in any view of a sheared grid."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from napari_medlabel.core.annotation import (
    KIND_WORDS,
    Angle,
    Annotation,
    Box2d,
    Cuboid,
    Distance,
    Keypoint,
    Keypoints,
    OrientedBox,
    Polygon,
    RectangleRoi,
    Shape,
)
from napari_medlabel.core.annotation_handles import TURN, handles, hit, nearest
from napari_medlabel.core.annotation_lines import lines_on
from napari_medlabel.core.annotation_measure import measure
from napari_medlabel.core.annotation_moves import (
    PLACES_NEEDED,
    drawn,
    moved,
    with_handle,
    with_vertex,
    without_vertex,
)
from napari_medlabel.core.annotation_places import corners
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.plane import Kji, Plane, RowColumn
from napari_medlabel.errors import InputError
from napari_medlabel.testing import geometries
from tests.core.drawn_shapes import SIDE, kjis, pairs, planar, planes, shapes, turned_boxes

grids = geometries(shape=st.just((SIDE, SIDE, SIDE)))
kinds = st.sampled_from(sorted(KIND_WORDS))
GRID = Geometry.from_spacing((9, 40, 40), (5.0, 0.5, 1.0))
PLANE = Plane(0, 3)


def mm(geometry: Geometry, plane: Plane, a: RowColumn, b: RowColumn) -> float:
    return math.dist(geometry.lps(plane.kji(a)), geometry.lps(plane.kji(b)))


def same(one: Shape, other: Shape, geometry: Geometry) -> bool:
    return type(one) is type(other) and np.allclose(
        corners(one, geometry), corners(other, geometry), atol=1e-6
    )


def plane_of(shape: Shape, otherwise: Plane) -> Plane:
    return getattr(shape, "plane", otherwise)


# Drawing


@given(grids, kinds, planes, st.lists(pairs, min_size=3, max_size=5, unique=True))
def test_what_is_drawn_begins_and_ends_where_the_hand_was(
    geometry: Geometry, kind: str, plane: Plane, places: list[RowColumn]
) -> None:
    given_places = places if kind in {"polygon", "keypoints"} else places[: PLACES_NEEDED[kind]]
    shape = drawn(kind, plane, given_places, geometry)
    assert shape.kind == kind
    found = np.delete(corners(shape, geometry), plane.axis, axis=1)
    for place in (given_places[0], given_places[-1]):
        assert np.linalg.norm(found - place, axis=1).min() < 1e-6
    lines = lines_on(shape, plane, geometry)
    assert lines is not None
    assert lines.on_slice


@pytest.mark.parametrize("kind", sorted(KIND_WORDS))
def test_too_few_places_make_no_shape(kind: str) -> None:
    with pytest.raises(InputError, match="places"):
        drawn(kind, PLANE, [(1.0, 1.0)] * (PLACES_NEEDED[kind] - 1), GRID)


@given(grids, planes, st.tuples(pairs, pairs, pairs))
def test_a_turned_box_of_three_places_has_an_edge_and_reaches_the_third(
    geometry: Geometry, plane: Plane, places: tuple[RowColumn, ...]
) -> None:
    a, b, c = (geometry.lps(plane.kji(place)) for place in places)
    assume(math.dist(a, b) > 0.1)
    shape = drawn("oriented-box", plane, places, geometry)
    found = geometry.lps(corners(shape, geometry))
    for end in (a, b):
        assert np.linalg.norm(found - end, axis=1).min() < 1e-6
    height = np.linalg.norm(np.cross(b - a, c - a)) / math.dist(a, b)
    assert shape.size_mm == pytest.approx((math.dist(a, b), height), abs=1e-6)


def test_a_cuboid_is_one_slice_thick_at_first() -> None:
    shape = drawn("cuboid", Plane(1, 7), [(2.0, 3.0), (1.0, 9.0)], GRID)
    assert shape == Cuboid((1.0, 6.5, 3.0), (2.0, 7.5, 9.0))


# Taking hold


@given(grids, shapes, planes)
def test_a_handle_is_hit_where_it_is(geometry: Geometry, shape: Shape, other: Plane) -> None:
    plane = plane_of(shape, other)
    for one in handles(shape, plane, geometry):
        found = hit(shape, plane, one.at, geometry, 0.01)
        assert found is not None
        assert (found.part, found.distance_mm) == ("handle", pytest.approx(0, abs=1e-6))


@given(grids, shapes, planes, pairs, st.floats(0.0, 30.0))
def test_what_is_hit_is_as_near_as_the_nearest_of_what_is_drawn(
    geometry: Geometry, shape: Shape, other: Plane, at: RowColumn, tolerance_mm: float
) -> None:
    plane = plane_of(shape, other)
    lines = lines_on(shape, plane, geometry)
    assert lines is not None
    assume(lines.on_slice)
    near_handle = min(
        (mm(geometry, plane, one.at, at) for one in handles(shape, plane, geometry)),
        default=math.inf,
    )
    fine = np.linspace(0, 1, 200)[:, None]
    drawn_points = [
        point for line in lines.lines for a, b in pairwise(line) for point in a + fine * (b - a)
    ]
    near_line = min((mm(geometry, plane, point, at) for point in drawn_points), default=math.inf)
    found = hit(shape, plane, at, geometry, tolerance_mm)
    if near_handle <= tolerance_mm - 1e-6:
        assert found is not None
        assert (found.part, found.distance_mm) == ("handle", pytest.approx(near_handle, abs=1e-6))
    elif near_handle > tolerance_mm + 1e-6 and near_line <= tolerance_mm - 1e-6:
        assert found is not None
        assert found.part == "line"
        assert near_line - 0.5 <= found.distance_mm <= near_line + 1e-6
    elif found is not None:
        assert found.distance_mm <= tolerance_mm


@given(grids, planar, planes)
def test_what_lies_in_another_plane_is_not_taken_hold_of(
    geometry: Geometry, shape: Shape, plane: Plane
) -> None:
    assume(plane != shape.plane)
    assert handles(shape, plane, geometry) == ()
    lines = lines_on(shape, plane, geometry)
    assert (lines is None) == (plane.axis != shape.plane.axis)
    assert lines is None or not lines.on_slice
    assert hit(shape, plane, tuple(corners(shape, geometry)[0][1:]), geometry, 1e3) is None


def test_a_handle_goes_before_a_line_and_the_last_before_the_first() -> None:
    first = Annotation("first", Distance((3.0, 0.0, 0.0), (3.0, 0.0, 20.0)), "First")
    second = Annotation("second", Distance((3.0, 2.0, 9.0), (3.0, 20.0, 9.0)), "Second")
    third = Annotation("third", first.shape, "Third")
    found = nearest((first, second), PLANE, (0.5, 9.0), GRID, 1.0)
    assert found is not None
    assert (found[0].id, found[1].part, found[1].number) == ("second", "handle", 0)
    found = nearest((first, second, third), PLANE, (0.2, 5.0), GRID, 1.0)
    assert found is not None
    assert (found[0].id, found[1].part, found[1].distance_mm) == ("third", "line", 0.1)
    assert nearest((first, second), PLANE, (30.0, 30.0), GRID, 1.0) is None
    assert nearest((first, second), Plane(0, 4), (0.0, 0.0), GRID, 1.0) is None


# Dragging


@given(grids, shapes, planes)
def test_a_handle_left_where_it_is_changes_nothing(
    geometry: Geometry, shape: Shape, other: Plane
) -> None:
    plane = plane_of(shape, other)
    for one in handles(shape, plane, geometry):
        assert same(with_handle(shape, one.number, plane, one.at, geometry), shape, geometry)


@given(grids, shapes, planes, pairs, st.data())
def test_a_dragged_handle_follows_the_hand(
    geometry: Geometry, shape: Shape, other: Plane, to: RowColumn, data: st.DataObject
) -> None:
    plane = plane_of(shape, other)
    there = handles(shape, plane, geometry)
    assume(there)
    one = data.draw(st.sampled_from(there))
    assume(one.number != TURN)
    changed = with_handle(shape, one.number, plane, to, geometry)
    near = [mm(geometry, plane, after.at, to) for after in handles(changed, plane, geometry)]
    edge = shape.kind == "ellipse" or (
        shape.kind in {"rectangle", "box", "cuboid", "oriented-box"} and one.number > 3
    )
    if not edge:
        assert min(near) < 1e-5
        return
    # An edge goes along with the hand only across itself: the line through it meets the hand.
    ends = corners(changed, geometry)
    rows, columns = np.delete(ends, plane.axis, axis=1).T
    if shape.kind != "oriented-box":
        number = one.number + (4 if shape.kind == "ellipse" else 0)
        values, value = (rows, to[0]) if number in {4, 6} else (columns, to[1])
        assert np.abs(values - value).min() < 1e-9


@given(grids, turned_boxes, pairs)
def test_the_handle_that_turns_keeps_size_and_center(
    geometry: Geometry, shape: OrientedBox, to: RowColumn
) -> None:
    assume(mm(geometry, shape.plane, to, shape.center) > 0.01)
    turned = with_handle(shape, TURN, shape.plane, to, geometry)
    assert (turned.size_mm, turned.center) == (shape.size_mm, shape.center)
    handle = handles(turned, shape.plane, geometry)[TURN].at
    center = geometry.lps(shape.plane.kji(shape.center))
    a, b = (geometry.lps(shape.plane.kji(place)) - center for place in (handle, to))
    assert a @ b == pytest.approx(np.linalg.norm(a) * np.linalg.norm(b), rel=1e-6)


@given(grids, turned_boxes, pairs, st.integers(0, 3))
def test_a_corner_of_a_turned_box_leaves_the_opposite_one_alone(
    geometry: Geometry, shape: OrientedBox, to: RowColumn, number: int
) -> None:
    changed = with_handle(shape, number, shape.plane, to, geometry)
    assert changed.angle_deg == shape.angle_deg
    fixed = corners(shape, geometry)[(number + 2) % 4]
    assert np.linalg.norm(corners(changed, geometry) - fixed, axis=1).min() < 1e-5


def test_a_corner_may_pass_the_opposite_one() -> None:
    box = Box2d(PLANE, (2.0, 3.0), (8.0, 9.0))
    assert with_handle(box, 0, PLANE, (10.0, 12.0), GRID) == Box2d(PLANE, (8.0, 9.0), (10.0, 12.0))
    assert with_handle(box, 5, PLANE, (0.0, 1.0), GRID) == Box2d(PLANE, (2.0, 1.0), (8.0, 3.0))


def test_a_cuboid_is_changed_in_every_view() -> None:
    shape = Cuboid((1.5, 2.0, 3.0), (4.5, 8.0, 9.0))
    assert with_handle(shape, 6, PLANE, (7.0, 0.0), GRID).high == (4.5, 7.0, 9.0)
    assert with_handle(shape, 4, Plane(1, 5), (0.5, 0.0), GRID).low == (0.5, 2.0, 3.0)
    assert handles(shape, Plane(0, 1), GRID) == handles(shape, Plane(0, 5), GRID) == ()
    assert len(handles(shape, Plane(0, 2), GRID)) == len(handles(shape, Plane(0, 4), GRID)) == 8


def test_there_is_nothing_to_hold_on_another_slice() -> None:
    line = Distance((3.0, 1.0, 1.0), (6.0, 2.0, 2.0))
    assert with_handle(line, 0, PLANE, (5.0, 6.0), GRID).start == (3.0, 5.0, 6.0)
    with pytest.raises(InputError, match="nothing to take hold of"):
        with_handle(line, 1, PLANE, (5.0, 6.0), GRID)


@given(grids, shapes, st.tuples(*[st.integers(-4, 4)] * 3))
def test_what_is_moved_there_and_back_is_as_it_was(
    geometry: Geometry, shape: Shape, step: tuple[int, int, int]
) -> None:
    plane = plane_of(shape, PLANE)
    assume(plane is PLANE or plane.index + step[plane.axis] >= 0)
    there = moved(shape, step)
    np.testing.assert_allclose(
        corners(there, geometry), corners(shape, geometry) + np.array(step), atol=1e-6
    )
    assert same(moved(there, (-step[0], -step[1], -step[2])), shape, geometry)
    sizes = [measure(one, geometry).area_mm2 for one in (shape, there)]
    assert sizes[0] == (None if sizes[1] is None else pytest.approx(sizes[1], abs=1e-4))


def test_vertices_come_and_go() -> None:
    triangle = Polygon(PLANE, ((0.0, 0.0), (0.0, 4.0), (4.0, 0.0)))
    four = with_vertex(triangle, 1, (4.0, 4.0))
    assert four.points == ((0.0, 0.0), (0.0, 4.0), (4.0, 4.0), (4.0, 0.0))
    assert with_vertex(triangle, 2, (2.0, 0.0)).points[-1] == (2.0, 0.0)
    assert without_vertex(four, 2) == triangle
    with pytest.raises(InputError):
        without_vertex(triangle, 0)


# What is drawn


@given(kjis, kjis, planes)
def test_of_a_line_is_drawn_what_passes_through_the_slice(a: Kji, b: Kji, plane: Plane) -> None:
    lines = lines_on(Distance(a, b), plane, GRID)
    assert lines is not None
    part = np.linspace(0, 1, 401)[:, None]
    line = np.array(a) + part * np.subtract(b, a)
    within = np.abs(line[:, plane.axis] - plane.index) <= 0.5
    places = np.delete(line, plane.axis, axis=1)
    if not lines.on_slice:
        assert not within[np.abs(np.abs(line[:, plane.axis] - plane.index) - 0.5) > 1e-6].any()
        np.testing.assert_allclose(lines.lines[0], places[[0, -1]], atol=1e-9)
        return
    (found,) = lines.lines
    near = np.diff(places, axis=0).max(initial=0.0) * 1.5 + np.ptp(places, axis=0).max() / 200
    for place in places[within]:
        span = found[1] - found[0]
        share = np.clip((place - found[0]) @ span / max(span @ span, 1e-12), 0, 1)
        assert np.linalg.norm(found[0] + share * span - place) <= 1e-6
    for end in found:
        inside = places[within] if within.any() else places
        assert np.linalg.norm(inside - end, axis=1).min() <= near + 1e-6


def test_an_angle_and_keypoints_are_drawn_where_they_are() -> None:
    angle = lines_on(Angle((3.0, 0.0, 0.0), (3.0, 5.0, 5.0), (9.0, 5.0, 9.0)), PLANE, GRID)
    assert angle is not None
    assert [len(line) for line in angle.lines] == [2, 2]
    points = Keypoints(
        (
            Keypoint("a", (3.0, 1.0, 2.0)),
            Keypoint("b", (3.4, 5.0, 6.0), visible=False),
            Keypoint("c", (8.0, 9.0, 9.0)),
        ),
        ((0, 1), (1, 2)),
    )
    here = lines_on(points, PLANE, GRID)
    assert here is not None
    assert (here.names, here.hidden, here.on_slice) == (("a", "b"), (False, True), True)
    assert here.points.tolist() == [[1.0, 2.0], [5.0, 6.0]]
    assert here.lines[0].tolist() == [[1.0, 2.0], [5.0, 6.0]]
    assert here.lines[1][0].tolist() == [5.0, 6.0]
    elsewhere = lines_on(points, Plane(0, 0), GRID)
    assert elsewhere is not None
    assert (len(elsewhere.names), elsewhere.on_slice) == (3, False)


def test_an_ellipse_touches_its_four_edges() -> None:
    shape = drawn("ellipse", PLANE, [(2.0, 4.0), (10.0, 30.0)], GRID)
    lines = lines_on(shape, PLANE, GRID)
    assert lines is not None
    ring = lines.lines[0]
    assert ring.min(0).tolist() == pytest.approx([2.0, 4.0])
    assert ring.max(0).tolist() == pytest.approx([10.0, 30.0])
    np.testing.assert_allclose(ring[0], ring[-1], atol=1e-9)
    assert isinstance(moved(shape, (1.0, 0.0, 0.0)), type(shape))
    assert RectangleRoi(PLANE, shape.low, shape.high) != shape
