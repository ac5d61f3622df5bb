import json
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.core.annotation import (
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
from napari_medlabel.core.annotation_document import annotation_document, annotation_from_document
from napari_medlabel.core.annotation_places import check_near, middle
from napari_medlabel.core.annotation_set import AnnotationEdit, AnnotationSet
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.plane import Plane
from napari_medlabel.errors import InputError
from tests.core.drawn_shapes import SIDE, annotation_sets, annotations, coded, planes

PLANE = Plane(0, 2)
LINE = Distance((0.0, 0.0, 0.0), (0.0, 3.0, 4.0))


# Values


@pytest.mark.parametrize(
    "make",
    [
        lambda: Distance((0.0, 0.0, math.nan), (0.0, 0.0, 0.0)),
        lambda: Distance((0.0, 0.0, 1e9), (0.0, 0.0, 0.0)),
        lambda: Box2d(PLANE, (3.0, 0.0), (2.0, 1.0)),
        lambda: Cuboid((0.0, 0.0, 2.0), (1.0, 1.0, 1.0)),
        lambda: OrientedBox(PLANE, (0.0, 0.0), (1.0, -1.0)),
        lambda: OrientedBox(PLANE, (0.0, 0.0), (1.0, 1.0), math.inf),
        lambda: Polygon(PLANE, ((0.0, 0.0), (1.0, 1.0))),
        lambda: Plane(3, 0),
        lambda: Plane(0, -1),
        lambda: Keypoints(()),
        lambda: Keypoint("", (0.0, 0.0, 0.0)),
        lambda: Keypoints((Keypoint("a", (0.0,) * 3), Keypoint("A", (1.0,) * 3))),
        lambda: Keypoints((Keypoint("a", (0.0,) * 3),), ((0, 0),)),
        lambda: Keypoints((Keypoint("a", (0.0,) * 3), Keypoint("b", (0.0,) * 3)), ((0, 2),)),
        lambda: Keypoints((Keypoint("a", (0.0,) * 3), Keypoint("b", (0.0,) * 3)), ((0, 1), (1, 0))),
        lambda: Annotation("a b", LINE, "Line"),
        lambda: Annotation("a", LINE, " "),
        lambda: Annotation("a", LINE, "a\nb"),
        lambda: Annotation("a", LINE, "x" * 201),
        lambda: Annotation("a", LINE, "Line", "red"),
        lambda: Annotation("a", LINE, "Line", segment=65536),
        lambda: Annotation("a", LINE, "Line").with_shape(Cuboid((0.0,) * 3, (1.0,) * 3)),
    ],
)
def test_what_cannot_be_an_annotation_is_refused_at_birth(make: Callable[[], object]) -> None:
    with pytest.raises(InputError):
        make()


def test_numbers_that_cannot_be_stored_are_a_mistake_at_once() -> None:
    with pytest.raises(TypeError, match="float32"):
        Distance((np.float32(1), 0.0, 0.0), (0.0, 0.0, 0.0))
    line = Distance((np.float64(1), 0, 0), (0.0, 0.0, 0.5))  # these are floats
    json.dumps(annotation_document(Annotation("a", line, "A")))


@given(planes, st.tuples(st.floats(-9, 9), st.floats(-9, 9)))
def test_a_place_in_a_plane_and_its_index_are_one(plane: Plane, at: tuple[float, float]) -> None:
    kji = plane.kji(at)
    assert kji[plane.axis] == plane.index
    assert plane.row_column(kji) == at
    assert tuple(plane.kji_of([at])[0]) == kji


@given(annotations | coded)
def test_a_document_read_back_is_the_annotation(annotation: Annotation) -> None:
    text = json.dumps(annotation_document(annotation), allow_nan=False)
    assert annotation_from_document(json.loads(text)) == annotation


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"id": "a", "name": "A", "color": "#000000", "shape": {"kind": "star"}},
        {"id": "a", "name": "A", "color": "#000000", "shape": {"kind": "distance", "start": [1]}},
        {"id": "a", "name": "A", "color": "#000000", "shape": None},
        {
            "id": "a", "name": "A", "color": "#000000",
            "shape": {"kind": "distance", "start": [0, 0, 0], "end": [0, 0, "far"]},
        },
    ],
)  # fmt: skip
def test_what_is_no_document_of_an_annotation_is_said(document: dict[str, object]) -> None:
    with pytest.raises(InputError, match="this is not an annotation"):
        annotation_from_document(document)


# Sets and their changes


@given(annotation_sets, annotations)
def test_adding_and_removing_leaves_the_set_as_it_was(
    found: AnnotationSet, more: Annotation
) -> None:
    larger = found.with_(more)
    assert larger[more.id] == more
    assert larger.annotations[:-1] == found.annotations
    assert larger.without(more.id) == found


@given(annotation_sets.filter(len), st.data())
def test_a_changed_annotation_keeps_its_place(found: AnnotationSet, data: st.DataObject) -> None:
    n = data.draw(st.integers(0, len(found) - 1))
    old = found.annotations[n]
    new = Annotation(old.id, LINE, "Other")
    changed = found.with_(new)
    assert changed.annotations[n] == new
    assert len(changed) == len(found)


@given(annotation_sets, st.data())
def test_a_change_leads_there_and_back(old: AnnotationSet, data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.sampled_from(old.annotations), unique=True)) if len(old) else []
    new = AnnotationSet((*kept, *data.draw(annotation_sets)))
    change = AnnotationEdit.between(old, new)
    assert change.fits(old)
    assert change.applied(old) == new
    assert change.inverse().fits(new)
    assert change.inverse().applied(new) == old
    assert change.is_nothing == (old == new)
    again = AnnotationEdit.from_document(json.loads(json.dumps(change.document())))
    assert again == change


@given(annotation_sets.filter(len), annotations)
def test_a_change_does_not_fit_another_set(found: AnnotationSet, more: Annotation) -> None:
    assert not AnnotationEdit(len(found), (more,), ()).fits(found)
    assert not AnnotationEdit(0, (), (found.annotations[-1],)).fits(found)
    assert not AnnotationEdit(len(found) + 1, (), (more,)).fits(found)
    assert not AnnotationEdit(0, (), (more, more)).fits(found)


def test_one_of_many_that_is_changed_is_stored_alone() -> None:
    many = AnnotationSet(tuple(Annotation(f"a{n}", LINE, f"A {n}") for n in range(1000)))
    change = AnnotationEdit.between(many, many.with_(Annotation("a500", LINE, "Other")))
    assert (change.at, len(change.before), len(change.after)) == (500, 1, 1)


def test_an_id_is_used_once() -> None:
    one = Annotation("a", LINE, "A")
    with pytest.raises(InputError, match="same id"):
        AnnotationSet((one, one))


def test_a_new_name_is_free() -> None:
    found = AnnotationSet()
    assert found.next_name("distance") == "Distance 1"
    found = found.with_(Annotation("a", LINE, "distance 2"))
    assert found.next_name("distance") == "Distance 3"
    assert found.next_name("oriented-box") == "Oriented box 1"


# Where they are

GRID = Geometry.from_spacing((SIDE, SIDE, SIDE), (3.0, 0.7, 0.7))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (LINE, (0.0, 1.5, 2.0)),
        (RectangleRoi(Plane(1, 4), (0.0, 1.0), (2.0, 5.0)), (1.0, 4.0, 3.0)),
        (OrientedBox(PLANE, (3.0, 4.0), (9.0, 5.0), 77.0), (2.0, 3.0, 4.0)),
        (Cuboid((0.0, 1.0, 2.0), (2.0, 3.0, 5.0)), (1.0, 2.0, 3.5)),
    ],
)
def test_the_middle_is_where_to_look(shape: Shape, expected: tuple[float, ...]) -> None:
    assert middle(shape, GRID) == pytest.approx(expected)


@given(annotations)
def test_what_is_drawn_on_the_image_is_near_it(annotation: Annotation) -> None:
    if annotation.kind != "oriented-box":  # up to 40 mm long
        check_near(annotation, GRID)


@pytest.mark.parametrize(
    "shape",
    [
        Distance((0.0, 0.0, 0.0), (0.0, 0.0, 500.0)),
        Distance((-50.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
        RectangleRoi(Plane(0, SIDE), (0.0, 0.0), (1.0, 1.0)),
        OrientedBox(PLANE, (0.0, 0.0), (500.0, 1.0)),
    ],
)
def test_what_is_far_from_the_image_is_refused(shape: Shape) -> None:
    with pytest.raises(InputError, match="far outside the image"):
        check_near(Annotation("a", shape, "A"), GRID)
