"""The open document: in the world exact, on the mask's grid, and read back on any."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.core.annotation import (
    Annotation,
    Distance,
    EllipseRoi,
    Keypoint,
    Keypoints,
    RectangleRoi,
)
from napari_medlabel.core.annotation_export import AnnotationsToExport, annotations_from_export
from napari_medlabel.core.annotation_places import corners
from napari_medlabel.core.annotation_set import AnnotationSet
from napari_medlabel.core.geometry import Axes, Geometry
from napari_medlabel.core.plane import Plane
from napari_medlabel.core.schema import Code, Label, LabelSchema
from napari_medlabel.errors import InputError
from napari_medlabel.testing import axes, geometries
from tests.core.drawn_shapes import SIDE, annotation_sets

SCHEMA = LabelSchema("Organs", (Label(1, "Liver", "#FF8000"),))
grids = geometries(shape=st.just((SIDE, SIDE, SIDE)))
GRID = Geometry.from_spacing((4, 30, 30), (5.0, 0.5, 1.0), (10.0, -20.0, 100.0))


def assert_same(one: AnnotationSet, other: AnnotationSet, geometry: Geometry) -> None:
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        facts = [(x.id, x.kind, x.name, x.color, x.segment, x.code, x.plane) for x in (a, b)]
        assert facts[0] == facts[1]
        places = [geometry.lps(corners(x.shape, geometry)) for x in (a, b)]
        np.testing.assert_allclose(places[0], places[1], atol=1e-4)
        if isinstance(a.shape, Keypoints):
            assert [(p.name, p.visible) for p in a.shape.points] == [
                (p.name, p.visible) for p in b.shape.points
            ]
            assert a.shape.links == b.shape.links


@given(annotation_sets, grids, axes())
def test_a_document_read_back_is_what_was_exported(
    found: AnnotationSet, geometry: Geometry, laid_out: Axes
) -> None:
    grid = geometry.laid_out(laid_out)  # the file's own layout
    document = AnnotationsToExport(found, geometry).document(grid, SCHEMA)
    again = json.loads(json.dumps(document, allow_nan=False))
    assert again == document
    assert_same(annotations_from_export(again, geometry), found, geometry)


@given(annotation_sets, grids, axes())
def test_every_place_is_told_in_the_files_voxels_and_in_the_world(
    found: AnnotationSet, geometry: Geometry, laid_out: Axes
) -> None:
    grid = geometry.laid_out(laid_out)
    document = AnnotationsToExport(found, geometry).document(grid, SCHEMA)
    assert Geometry.from_document(document["space"]).same_grid(grid)
    for entry, one in zip(document["annotations"], found, strict=True):
        kji = [point["kji"] for point in entry["points"]]
        lps = [point["lps"] for point in entry["points"]]
        np.testing.assert_allclose(grid.lps(kji), lps, atol=1e-4)
        np.testing.assert_allclose(lps, geometry.lps(corners(one.shape, geometry)), atol=1e-6)
        if one.plane is not None:
            plane = entry["plane"]
            assert plane["view"] == one.plane.view
            np.testing.assert_allclose(np.array(kji)[:, plane["axis"]], plane["index"], atol=1e-5)
        else:
            assert entry["plane"] is None


def test_a_document_says_what_was_measured_and_where_it_belongs() -> None:
    image = np.full(GRID.shape, 40, np.int16)
    roi = RectangleRoi(Plane(0, 2), (0.5, 0.5), (10.5, 20.5))
    found = AnnotationSet(
        (
            Annotation("r", roi, "Liver, right", "#FF8000", 1, Code("10200004", "SCT", "Liver")),
            Annotation("d", Distance((0.0, 0.0, 0.0), (0.0, 6.0, 4.0)), "Gone", segment=9),
        )
    )
    document = AnnotationsToExport(found, GRID, image, "HU").document(GRID, SCHEMA)
    assert (document["format"], document["unit"], document["space"]["world"]) == (1, "HU", "LPS")
    rectangle, distance = document["annotations"]
    assert rectangle["segment"] == {"value": 1, "name": "Liver"}
    assert rectangle["code"] == {"value": "10200004", "scheme": "SCT", "meaning": "Liver"}
    assert rectangle["plane"] == {"view": "axial", "axis": 0, "index": 2}
    assert rectangle["points"][0]["lps"] == [10.5, -19.75, 110.0]
    assert rectangle["measure"] == {
        "length_mm": None, "angle_deg": None, "size_mm": [20.0, 5.0], "area_mm2": 100.0,
        "volume_ml": None,
        "values": {"voxels": 200, "mean": 40.0, "sd": 0.0, "minimum": 40.0, "maximum": 40.0},
    }  # fmt: skip
    assert distance["segment"] == {"value": 9, "name": ""}
    assert [point["name"] for point in distance["points"]] == ["start", "end"]
    assert distance["measure"]["length_mm"] == 5.0
    assert (rectangle["words"], distance["words"]) == ("40 ± 0 HU, 1.0 cm²", "5.0 mm")


def test_a_plane_that_is_none_of_the_files_slices_says_so() -> None:
    turned = np.eye(4)
    turned[:3, :3] = np.array([[0, 0, 1.0], [0.6, 0.8, 0], [0.8, -0.6, 0]])
    oblique = Geometry((9, 9, 9), turned)
    ellipse = EllipseRoi(Plane(0, 1), (1.0, 1.0), (5.0, 6.0))
    found = AnnotationSet((Annotation("e", ellipse, "E"),))
    (entry,) = AnnotationsToExport(found, GRID).document(oblique, SCHEMA)["annotations"]
    assert entry["plane"] == {"view": "axial", "axis": None, "index": None}
    assert_same(annotations_from_export({"format": 1, "annotations": [entry]}, GRID), found, GRID)


POINTS = Keypoints((Keypoint("a", (0.0, 1.0, 1.0)), Keypoint("b", (1.0, 2.0, 3.0), visible=False)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "another format"),
        ({"annotations": [{}]}, "not a document"),
        ({"annotations": None}, "not a document"),
        ({"annotations": [{"kind": "star"}]}, "not a document"),
    ],
)
def test_what_is_no_document_is_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        annotations_from_export({"format": 1, "annotations": []} | change, GRID)


def test_an_unknown_kind_or_a_plane_of_another_image_is_refused() -> None:
    ellipse = EllipseRoi(Plane(0, 1), (1.0, 1.0), (5.0, 6.0))
    found = AnnotationSet((Annotation("e", ellipse, "E"), Annotation("k", POINTS, "K")))
    document = AnnotationsToExport(found, GRID).document(GRID, SCHEMA)
    star = {**document["annotations"][0], "kind": "star"}
    with pytest.raises(InputError, match="kind that this program does not know"):
        annotations_from_export({"format": 1, "annotations": [star]}, GRID)
    tilted = np.eye(4)
    tilted[:3, :3] = np.array([[0, 0, 1.0], [0.6, 0.8, 0], [0.8, -0.6, 0]])
    with pytest.raises(InputError, match="no plane of this image"):
        annotations_from_export(document, Geometry((9, 9, 9), tilted))
