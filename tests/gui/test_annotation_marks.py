"""What views draw of annotations, and what places given by a hand make; without a window."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from qtpy.QtGui import QFont, QFontMetricsF, QImage, QPainter

from napari_medlabel.core.annotation import (
    KIND_WORDS,
    Angle,
    Annotation,
    Box2d,
    Cuboid,
    Distance,
    EllipseRoi,
    Keypoint,
    Keypoints,
    Kind,
    OrientedBox,
    Polygon,
    RectangleRoi,
    Shape,
)
from napari_medlabel.core.annotation_handles import handles
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.plane import Plane
from napari_medlabel.ui.annotations.mark import Mark, Place, mark_of, shown_words
from napari_medlabel.ui.annotations.mirrors import shapes_of
from napari_medlabel.ui.annotations.painting import Lit, paint_marks
from napari_medlabel.ui.annotations.view_marks import Bounds
from napari_medlabel.ui.planes.frame import Frame
from napari_medlabel.ui.tools.annotate_tool import shape_of

GRID = Geometry.from_spacing((20, 30, 40), (3.0, 1.0, 1.5), (-10.0, 4.0, 100.0))
SHAPE = (20, 30, 40)
numbers = st.floats(1.0, 18.0)
places = st.tuples(numbers, numbers, numbers)
pairs = st.tuples(numbers, numbers)
planes = st.builds(Plane, st.integers(0, 2), st.integers(0, 19))
boxes = st.tuples(pairs, pairs).map(
    lambda ends: tuple(zip(*(sorted(pair) for pair in zip(*ends, strict=True)), strict=True))
)
cubes = st.tuples(places, places).map(
    lambda ends: tuple(zip(*(sorted(pair) for pair in zip(*ends, strict=True)), strict=True))
)
shapes: st.SearchStrategy[Shape] = st.one_of(
    st.builds(Distance, places, places),
    st.builds(Angle, places, places, places),
    st.builds(lambda plane, box: EllipseRoi(plane, *box), planes, boxes),
    st.builds(lambda plane, box: RectangleRoi(plane, *box), planes, boxes),
    st.builds(lambda plane, box: Box2d(plane, *box), planes, boxes),
    st.builds(OrientedBox, planes, pairs, pairs, st.floats(-180.0, 180.0)),
    st.builds(Polygon, planes, st.lists(pairs, min_size=3, max_size=6).map(tuple)),
    st.builds(lambda box: Cuboid(*box), cubes),
    st.builds(
        lambda found: Keypoints(tuple(Keypoint(str(n), at) for n, at in enumerate(found))),
        st.lists(places, min_size=1, max_size=4),
    ),
)


def place(plane: Plane) -> Place:
    rows, columns = (SHAPE[axis] for axis in plane.axes)
    row_mm, column_mm = ((3.0, 1.0, 1.5)[axis] for axis in plane.axes)
    frame = Frame(rows, columns, row_mm, column_mm, upwards=plane.axis > 0, width=400, height=300)
    return Place(plane, frame.fitted(), GRID, QFontMetricsF(QFont()))


def mark(shape: Shape, plane: Plane, name: str = "Distance 1") -> Mark | None:
    return mark_of(Annotation("a", shape, name), place(plane), lambda _one: "30.0 mm")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(shapes, planes)
def test_no_view_misses_an_annotation_for_looking_only_at_those_near_by(
    qapp: object, shape: Shape, plane: Plane
) -> None:
    assert qapp is not None
    others = (Annotation("b", shape, "Other"),)
    drawn = mark(shape, plane)
    near = Bounds(GRID).near(others, plane)
    assert drawn is None or near == list(others)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(shapes, planes)
@example(EllipseRoi(Plane(0, 0), (1.0, 1.0), (1.0, 1.0)), Plane(0, 0))
@example(EllipseRoi(Plane(0, 0), (1.0, 1.0), (1.0, 9.0)), Plane(0, 0))
def test_what_can_be_taken_hold_of_lies_within_reach_and_is_never_faint(
    qapp: object, shape: Shape, plane: Plane
) -> None:
    assert qapp is not None
    drawn = mark(shape, plane)
    grips = handles(shape, plane, GRID)
    if drawn is None:
        assert grips == ()
        return
    assert [number for number, _at in drawn.grips()] == ([] if drawn.faint else [
        one.number for one in grips
    ])  # fmt: skip
    assert all(drawn.reach.contains(at) for _number, at in drawn.grips())
    assert drawn.plate.isNull() or drawn.reach.contains(drawn.plate)
    image = QImage(400, 300, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    paint_marks(painter, [drawn], QFont(), Lit("a", ("a", 0), gripped=True))
    painter.end()
    outside = [
        (x, y)
        for y in range(0, 300, 7)
        for x in range(0, 400, 7)
        if image.pixelColor(x, y).alpha() and not drawn.reach.contains(float(x), float(y))
    ]
    assert outside == []  # else the picture that is kept would cut it off


@pytest.mark.parametrize(
    ("name", "words"),
    [("Distance 12", ("30.0 mm",)), ("Longest axis", ("Longest axis", "30.0 mm")),
     ("Distance to wall", ("Distance to wall", "30.0 mm"))],
)  # fmt: skip
def test_a_name_that_somebody_gave_is_on_the_plate(name: str, words: tuple[str, ...]) -> None:
    shape = Distance((1.0, 2.0, 3.0), (1.0, 2.0, 8.0))
    assert shown_words(Annotation("a", shape, name), "30.0 mm") == words


@given(st.sampled_from(sorted(KIND_WORDS)), planes, st.lists(places, min_size=0, max_size=5))
def test_places_given_so_far_make_its_kind_or_a_line(
    kind: Kind, plane: Plane, given_places: list[tuple[float, float, float]]
) -> None:
    made = shape_of(kind, plane, given_places, GRID)
    assert (made is None) == (len(given_places) < 2)
    enough = {"angle": 3, "oriented-box": 3, "polygon": 3, "keypoints": 99}.get(kind, 2)
    if made is not None:
        assert made.kind == (kind if len(given_places) >= enough else "distance")


@given(shapes)
def test_napari_is_given_shapes_that_end_where_ours_do(shape: Shape) -> None:
    found = list(shapes_of(Annotation("a", shape, "It"), GRID))
    if isinstance(shape, Keypoints):
        assert found == []
        return
    ((kind, at),) = found
    assert kind in {"line", "path", "ellipse", "rectangle", "polygon"}
    assert at.shape[1] == 3
    if isinstance(shape, Cuboid):
        edges = {tuple(sorted((tuple(a), tuple(b)))) for a, b in pairwise(at)}
        full = all(a < b for a, b in zip(shape.low, shape.high, strict=True))
        assert not full or len(edges) == 12
        assert (tuple(at.min(axis=0)), tuple(at.max(axis=0))) == (shape.low, shape.high)
