"""The generated head, and the DICOM series written from it."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes

from napari_medlabel.core.geometry import FloatArray, Geometry
from napari_medlabel.errors import GeometryError, InputError, OutputError
from napari_medlabel.phantom import (
    BODY_SCHEMA,
    HEAD_SCHEMA,
    MR_GRID,
    Body,
    Head,
    Study,
    write_ct_series,
    write_mr_series,
)

COARSE = Geometry.from_spacing((64, 72, 76), (3.5, 3.3, 3.1), (-119.0, -127.0, -118.0))
TERMS = {
    "Brain": "Brain",
    "Ventricles": "BrainVentricle",
    "Lesion": "Lesion",
    "Eyes": "Eye",
    "Skull": "Skull",
    "Liver": "Liver",
    "Spleen": "Spleen",
    "Kidneys": "Kidney",
    "Lungs": "Lung",
    "Spine": "Spine",
}
BRAIN, VENTRICLES, LESION, EYES, SKULL = 1, 2, 3, 4, 5


@pytest.fixture(scope="module")
def head() -> Head:
    return Head(7)


def turned(shape: tuple[int, int, int], spacing_mm: float, degrees: float) -> Geometry:
    """An oblique grid around the origin."""
    a = np.radians(degrees)
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    matrix = np.eye(4)
    matrix[:3, :3] = turn @ np.array([[0, 0, 1.0], [0, 1, 0], [1, 0, 0]]) * spacing_mm
    matrix[:3, 3] = -matrix[:3, :3] @ ((np.array(shape) - 1) / 2.0) + (0.0, -8.0, -7.0)
    return Geometry(shape, matrix)


def centroid(mask: np.ndarray, geometry: Geometry) -> FloatArray:
    """Mean LPS position of a mask, mm."""
    return geometry.lps(np.argwhere(mask)).mean(axis=0)


def test_the_same_seed_gives_the_same_head_and_another_seed_another() -> None:
    first, again, other = (Head(seed).ct(COARSE) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.2


def test_tissues_have_their_hounsfield_units(head: Head) -> None:
    ct, (labels, schema) = head.ct(COARSE), head.labels(COARSE)
    assert ct.dtype == np.int16
    assert labels.dtype == np.uint8
    assert schema is HEAD_SCHEMA
    assert np.median(ct[0, 0]) == pytest.approx(-1000, abs=10)
    assert 25 < np.median(ct[labels == BRAIN]) < 45
    assert 0 < np.median(ct[labels == VENTRICLES]) < 25
    assert np.median(ct[labels == SKULL]) > 500


def test_volumes_of_organs_are_a_persons(head: Head) -> None:
    geometry = turned((120, 120, 120), 1.8, 0.0)
    labels, _ = head.labels(geometry)
    ml = {v: np.count_nonzero(labels == v) * geometry.voxel_ml for v in range(1, 6)}
    assert 950 < ml[BRAIN] < 1600
    assert 8 < ml[VENTRICLES] < 60
    assert 0.9 < ml[LESION] < 2.2
    assert 8 < ml[EYES] < 20
    assert 400 < ml[SKULL] < 1200


def test_a_voxel_is_what_it_is_on_every_grid(head: Head) -> None:
    straight, oblique = turned((80, 80, 80), 3.0, 0.0), turned((80, 80, 80), 3.0, 30.0)
    for value in (BRAIN, EYES, SKULL):
        a = centroid(head.labels(straight)[0] == value, straight)
        b = centroid(head.labels(oblique)[0] == value, oblique)
        np.testing.assert_allclose(a, b, atol=1.0)


def test_the_lesion_is_on_the_left_and_where_it_is_said_to_be(head: Head) -> None:
    around = Geometry.from_spacing((30, 30, 30), (1.0, 1.1, 0.9), (20.0, -38.0, 31.0))
    labels, _ = head.labels(around)
    place = centroid(labels == LESION, around)
    assert place[0] > 20.0  # LPS: to the patient's left
    np.testing.assert_allclose(place, head.landmarks["lesion"], atol=0.3)


def test_landmarks_are_on_the_head(head: Head) -> None:
    marks = head.landmarks
    assert marks["left eye"][0] > 25.0 > -25.0 > marks["right eye"][0]
    assert marks["nose tip"][1] < marks["left eye"][1] - 20.0
    points = head.face_points
    assert len(points) > 800
    assert points[:, 1].max() < 10.0
    assert np.ptp(points[:, 2]) > 90.0


def test_mr_shows_white_matter_brighter_than_gray_and_no_table(head: Head) -> None:
    mr = head.mr(COARSE)
    brain = mr[head.brain(COARSE)]
    assert np.percentile(brain, 85) > 1.3 * np.percentile(brain, 25)
    behind = COARSE.kji((0.0, 105.0, 20.0)).round().astype(int)
    assert mr[tuple(behind)] < 80


def test_weightings_differ_in_fluid_and_fat(head: Head) -> None:
    labels, _ = head.labels(COARSE)
    fluid, brain = labels == VENTRICLES, labels == BRAIN
    ratio = {
        way: float(np.median(image[fluid]) / np.median(image[brain]))
        for way, image in (("T2", head.mr(COARSE, "T2")), ("FLAIR", head.mr(COARSE, "FLAIR")))
    }
    assert ratio["T2"] > 1.5
    assert ratio["FLAIR"] < 0.5


def test_no_brain_lies_between_or_behind_the_eyes(head: Head) -> None:
    orbits = Geometry.from_spacing((12, 18, 40), (2.0, 2.0, 2.0), (-39.0, -82.0, -26.0))
    assert not head.brain(orbits).any()


def test_the_skin_has_no_steps(head: Head) -> None:
    geometry = Geometry.from_spacing((110, 116, 100), (2.0, 2.0, 2.0), (-99.0, -123.0, -118.0))
    skin = head.skin(geometry)
    near = np.abs(skin[:-1, :-1, :-1]) < 2.0
    slopes = np.stack([np.diff(skin, axis=n)[:109, :115, :99] / 2.0 for n in range(3)])
    steep = np.sqrt(np.square(slopes).sum(axis=0))[near]
    assert np.percentile(steep, 99.5) < 1.5
    assert np.percentile(steep, 2) > 0.4


def test_the_liver_of_the_body_is_on_the_right_and_holds_the_lesion() -> None:
    geometry = Geometry.from_spacing((50, 60, 66), (8.0, 6.6, 6.2), (-202.0, -188.0, -150.0))
    body = Body(5)
    labels, schema = body.labels(geometry)
    assert schema is BODY_SCHEMA
    assert centroid(labels == 1, geometry)[0] < -30.0  # LPS: to the patient's right
    assert centroid(labels == 2, geometry)[0] > 60.0  # the spleen to the left
    np.testing.assert_allclose(centroid(labels == 6, geometry), body.landmarks["lesion"], atol=3.0)
    ct = body.ct(geometry)
    assert np.median(ct[labels == 1]) == pytest.approx(108, abs=6)
    assert np.median(ct[labels == 4]) < -700


def test_codes_are_those_of_the_dicom_dictionary() -> None:
    for label in (*HEAD_SCHEMA, *BODY_SCHEMA):
        assert label.code is not None
        theirs = getattr(codes.SCT, TERMS[label.name])
        assert (label.code.value, label.code.meaning) == (theirs.value, theirs.meaning)
        assert label.code.scheme == theirs.scheme_designator


def test_ct_files_hold_the_voxels_and_their_places(tmp_path: Path, head: Head) -> None:
    geometry = turned((20, 24, 28), 8.0, 12.0)
    ct = head.ct(geometry)
    files = write_ct_series(tmp_path / "ct", ct, geometry)
    assert len(files) == 20
    for k, path in enumerate(files):
        image = pydicom.dcmread(path)
        np.testing.assert_array_equal(
            image.pixel_array * float(image.RescaleSlope) + image.RescaleIntercept, ct[k]
        )
        np.testing.assert_allclose(position(image, 5, 9), geometry.lps((k, 5, 9)), atol=1e-6)


def test_names_and_positions_are_in_different_orders(tmp_path: Path) -> None:
    files = write_ct_series(
        tmp_path, np.zeros((30, 4, 4), np.int16), Geometry.from_spacing((30, 4, 4))
    )
    assert sorted(files) != list(files)
    assert sorted(files, reverse=True) != list(files)


def test_the_lesion_is_found_from_the_headers_of_a_sagittal_mr(tmp_path: Path, head: Head) -> None:
    matrix = MR_GRID.lps_from_kji @ np.diag([2.0, 2.0, 2.0, 1.0])
    geometry = Geometry((88, 112, 112), matrix)
    files = write_mr_series(tmp_path, head.mr(geometry), geometry)
    mark = np.array(head.landmarks["lesion"])
    images = [pydicom.dcmread(path) for path in files]
    nearest = min(images, key=lambda image: abs(image.ImagePositionPatient[0] - mark[0]))
    found = [
        (np.linalg.norm(position(nearest, row, column) - mark), nearest.pixel_array[row, column])
        for row in range(112)
        for column in range(112)
    ]
    rim = [value for away, value in found if 5.5 < away < 7.0]
    core = [value for away, value in found if away < 3.0]
    assert np.median(rim) > 1.8 * np.median(core)


def test_ct_and_mr_share_study_and_frame_of_reference(tmp_path: Path) -> None:
    geometry = Geometry.from_spacing((2, 4, 4))
    voxels = np.ones(geometry.shape, np.int16)
    ct = pydicom.dcmread(write_ct_series(tmp_path / "ct", voxels, geometry)[0])
    mr = pydicom.dcmread(write_mr_series(tmp_path / "mr", voxels, geometry)[0])
    assert ct.StudyInstanceUID == mr.StudyInstanceUID
    assert ct.FrameOfReferenceUID == mr.FrameOfReferenceUID
    assert ct.SeriesInstanceUID != mr.SeriesInstanceUID
    assert ct.SOPInstanceUID.startswith("2.25.")
    assert Study(1).study_uid != Study(2).study_uid


def test_values_that_do_not_fit_and_grids_that_differ_are_refused(tmp_path: Path) -> None:
    geometry = Geometry.from_spacing((2, 4, 4))
    with pytest.raises(InputError, match="3071"):
        write_ct_series(tmp_path, np.full(geometry.shape, 4000, np.int16), geometry)
    with pytest.raises(GeometryError, match="shape"):
        write_ct_series(tmp_path, np.zeros((3, 4, 4), np.int16), geometry)
    assert not list(tmp_path.iterdir())


def test_files_that_are_there_are_not_overwritten(tmp_path: Path) -> None:
    geometry = Geometry.from_spacing((2, 4, 4))
    voxels = np.zeros(geometry.shape, np.int16)
    write_ct_series(tmp_path, voxels, geometry)
    with pytest.raises(OutputError, match="already"):
        write_ct_series(tmp_path, voxels, geometry)


def position(image: pydicom.Dataset, row: int, column: int) -> FloatArray:
    """LPS of a pixel, by the formula of PS3.3 C.7.6.2.1.1."""
    along = np.array(image.ImageOrientationPatient, dtype=np.float64).reshape(2, 3)
    first = np.array(image.ImagePositionPatient, dtype=np.float64)
    return (
        first + along[1] * image.PixelSpacing[0] * row + along[0] * image.PixelSpacing[1] * column
    )


def test_a_head_is_the_same_whatever_was_asked_of_it_before() -> None:
    coarse = Geometry.from_spacing((30, 36, 36), (7.0, 7.0, 7.0), (-120.0, -125.0, -115.0))
    fresh = Head().labels(coarse)[0]
    used = Head()
    used.ct(coarse)
    used.labels(coarse)
    np.testing.assert_array_equal(used.labels(coarse)[0], fresh)
