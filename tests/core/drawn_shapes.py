"""Annotations of every kind, anywhere on a grid, for properties."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from napari_medlabel.core.annotation import (
    Angle,
    Annotation,
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
)
from napari_medlabel.core.annotation_set import AnnotationSet
from napari_medlabel.core.plane import Plane
from napari_medlabel.core.schema import Code

SIDE = 6
numbers = st.floats(-1.0, SIDE, width=32)
pairs = st.tuples(numbers, numbers)
kjis = st.tuples(numbers, numbers, numbers)
planes = st.builds(Plane, st.integers(0, 2), st.integers(0, SIDE - 1))
names = st.text(min_size=1, max_size=8).filter(lambda n: bool(n.strip()) and n.isprintable())
lengths_mm = st.floats(0.125, 40.0, width=32)


def between(
    kind: Callable[..., Shape], *before: st.SearchStrategy[object]
) -> st.SearchStrategy[Shape]:
    """Boxes between two corners, whichever is lower."""

    def made(plane_and_corners: tuple[Any, ...]) -> Shape:
        *first, one, other = plane_and_corners
        low = tuple(map(min, one, other))
        high = tuple(map(max, one, other))
        return kind(*first, low, high)

    corner = pairs if before else kjis
    return st.tuples(*before, corner, corner).map(made)


@st.composite
def keypoint_sets(draw: st.DrawFn) -> Keypoints:
    called = draw(st.lists(names, min_size=1, max_size=4, unique_by=str.casefold))
    points = tuple(Keypoint(name, draw(kjis), draw(st.booleans())) for name in called)
    every = [(a, b) for b in range(len(points)) for a in range(b)]
    links = draw(st.lists(st.sampled_from(every), unique=True)) if every else []
    return Keypoints(points, tuple(links))


turns = st.floats(-360, 360, width=32)
turned_boxes = st.builds(OrientedBox, planes, pairs, st.tuples(lengths_mm, lengths_mm), turns)
planar = st.one_of(
    *(between(kind, planes) for kind in (EllipseRoi, RectangleRoi, Box2d)),
    turned_boxes,
    st.builds(Polygon, planes, st.lists(pairs, min_size=3, max_size=7).map(tuple)),
)
shapes: st.SearchStrategy[Shape] = st.one_of(
    st.builds(Distance, kjis, kjis),
    st.builds(Angle, kjis, kjis, kjis),
    planar,
    between(Cuboid),
    keypoint_sets(),
)
annotations = st.builds(
    Annotation.new,
    shapes,
    names,
    st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06X}"),
    st.integers(0, 65535),
)
coded = st.builds(
    Annotation,
    st.uuids().map(str),
    shapes,
    names,
    code=st.none() | st.just(Code("52988006", "SCT", "Lesion")),
)
annotation_sets = st.lists(annotations | coded, max_size=5).map(
    lambda found: AnnotationSet(tuple(found))
)
