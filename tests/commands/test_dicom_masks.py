"""DICOM segmentations and structure sets into a case, and out of it."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from napari_medlabel import commands, formats
from napari_medlabel.cli import main
from napari_medlabel.commands.saving import past_of
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.schema import Code, Label, LabelSchema
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.formats.dicom_seg import read_seg
from napari_medlabel.session import OpenCase, Session
from tests.formats.made_seg import Frame, code, item, save_seg, seg, segment, structures

ARTERY = Label(5, "Artery", "#112233", Code("51114001", "SCT", "Artery"))


@pytest.fixture
def case(session: Session, folder: Path) -> OpenCase:
    (series,) = commands.scan(session, folder).series
    opened = commands.open_series(session, series, found_at=folder)
    opened.loading.wait()
    return opened


@pytest.fixture
def masks(case: OpenCase) -> np.ndarray:
    """Two that overlap, on the source's own grid."""
    shape = case.volume.source.geometry.shape
    made = np.zeros((2, *shape), bool)
    made[0, 1:6, 3:12, 4:20] = True
    made[1, 4:8, 8:20, 10:30] = True
    return made


def segmentation(case: OpenCase, masks: np.ndarray, **elements: object) -> Dataset:
    grid = case.volume.source.geometry
    frames = [
        Frame(k, n, picture.astype(np.uint8))
        for n, mask in enumerate(masks, 1)
        for k, picture in enumerate(mask)
        if picture.any()
    ]
    described = [
        segment(1, SegmentLabel="artery", RecommendedDisplayCIELabValue=[40000, 40000, 40000]),
        segment(2, SegmentLabel="Vein", kind=code("29092000", "SCT", "Vein")),
    ]
    dataset = seg(grid, frames, described, **elements)
    dataset.FrameOfReferenceUID = case.volume.source.frame_of_reference_uid
    return dataset


def on_source(case: OpenCase, value: int = 0) -> np.ndarray:
    return case.volume.source.axes.inverse().apply(case.segmentation.labels_of(value))


def test_overlapping_segments_come_into_groups_and_none_loses_a_voxel(
    session: Session, case: OpenCase, masks: np.ndarray, tmp_path: Path
) -> None:
    path = save_seg(tmp_path / "a.dcm", segmentation(case, masks))
    written = commands.import_mask(session, case, path)
    assert [edit.group for edit in written] == [0, 1]
    assert [label.group for label in case.segmentation.schema] == [0, 1]
    for value, mask in enumerate(masks, 1):
        np.testing.assert_array_equal(on_source(case, value) == value, mask)
    (step,) = past_of(session, case).steps
    assert step.settings["groups"] == {"1": 0, "2": 1}
    assert step.voxels == {"1": masks[0].sum(), "2": masks[1].sum()}
    commands.undo(session, case)
    assert len(case.segmentation.schema) == 0
    assert not any(array.any() for array in case.segmentation.snapshot().arrays.values())


def test_segments_that_share_no_voxel_stay_in_one_group(
    session: Session, case: OpenCase, masks: np.ndarray, tmp_path: Path
) -> None:
    masks[1] &= ~masks[0]
    commands.import_mask(session, case, save_seg(tmp_path / "a.dcm", segmentation(case, masks)))
    assert case.segmentation.schema.groups == (0,)


def test_a_label_of_the_case_keeps_its_group_and_what_overlaps_it_gets_another(
    session: Session, case: OpenCase, masks: np.ndarray, tmp_path: Path
) -> None:
    commands.set_label(session, case, Label(1, "Bone", "#445566"))
    commands.set_label(session, case, replace(ARTERY, group=3))
    commands.import_mask(session, case, save_seg(tmp_path / "a.dcm", segmentation(case, masks)))
    assert {label.name: label.group for label in case.segmentation.schema} == {
        "Bone": 0, "Artery": 3, "Vein": 0,
    }  # fmt: skip
    assert case.segmentation.voxels(5) == masks[0].sum()


def test_labels_of_one_group_that_would_overlap_are_told(
    session: Session, case: OpenCase, masks: np.ndarray, tmp_path: Path
) -> None:
    path = save_seg(tmp_path / "a.dcm", segmentation(case, masks))
    commands.set_label(session, case, ARTERY)
    commands.set_label(session, case, Label(6, "Vein", "#445566"))
    both = int((masks[0] & masks[1]).sum())
    with pytest.raises(InputError) as caught:
        commands.import_mask(session, case, path)
    assert f"1 (Artery) and 2 (Vein) in {both} voxels" in str(caught.value)
    assert "another group" in caught.value.hint
    assert not case.segmentation.labels.any()
    commands.set_group(session, case, 6, 1)
    commands.import_mask(session, case, path)
    assert case.segmentation.voxels(6) == masks[1].sum()


def test_segments_are_laid_flat_where_one_is_named_on_top(
    session: Session, case: OpenCase, masks: np.ndarray, tmp_path: Path
) -> None:
    path = save_seg(tmp_path / "a.dcm", segmentation(case, masks))
    commands.import_mask(session, case, path, on_top=["vein"])
    expected = np.where(masks[1], 2, np.where(masks[0], 1, 0))
    np.testing.assert_array_equal(on_source(case), expected)
    commands.undo(session, case)
    commands.import_mask(session, case, path, on_top=["1"])
    expected = np.where(masks[0], 1, np.where(masks[1], 2, 0))
    np.testing.assert_array_equal(on_source(case), expected)


def test_only_the_segments_that_are_named_come_in(
    session: Session, case: OpenCase, masks: np.ndarray, tmp_path: Path
) -> None:
    path = save_seg(tmp_path / "a.dcm", segmentation(case, masks))
    commands.import_mask(session, case, path, segments=["Vein"])
    np.testing.assert_array_equal(on_source(case), np.where(masks[1], 2, 0))
    (label,) = case.segmentation.schema
    assert (label.value, label.name) == (2, "Vein")
    assert label.code == Code("29092000", "SCT", "Vein")
    assert label.category == Code("85756007", "SCT", "Tissue")
    with pytest.raises(InputError, match="no segment 'Nerve'") as caught:
        commands.import_mask(session, case, path, segments=["Nerve"])
    assert "1 (Artery), 2 (Vein)" in caught.value.hint


def test_a_segment_becomes_the_label_of_its_name(
    session: Session, case: OpenCase, masks: np.ndarray, tmp_path: Path
) -> None:
    path = save_seg(tmp_path / "a.dcm", segmentation(case, masks))
    commands.set_label(session, case, ARTERY)
    commands.set_label(session, case, Label(2, "Nerve", "#445566"))
    commands.import_mask(session, case, path, on_top=["1"])
    names = {label.value: label.name for label in case.segmentation.schema}
    assert names == {5: "Artery", 2: "Nerve", 1: "Vein"}
    assert case.segmentation.voxels(5) == masks[0].sum()
    assert case.segmentation.voxels(1) == (masks[1] & ~masks[0]).sum()


def test_a_segment_with_a_known_name_and_another_code_is_refused(
    session: Session, case: OpenCase, masks: np.ndarray, tmp_path: Path
) -> None:
    path = save_seg(tmp_path / "a.dcm", segmentation(case, masks))
    commands.set_label(session, case, replace(ARTERY, code=Code("1", "SCT", "Bone")))
    with pytest.raises(InputError, match="another code in the mask"):
        commands.import_mask(session, case, path, segments=["1"])


def test_another_frame_of_reference_needs_the_cases_own_instances(
    session: Session, case: OpenCase, masks: np.ndarray, tmp_path: Path
) -> None:
    dataset = segmentation(case, masks)
    dataset.FrameOfReferenceUID = "2.25.999"
    with pytest.raises(GeometryError, match="another frame of reference"):
        commands.import_mask(session, case, save_seg(tmp_path / "a.dcm", dataset), segments=["1"])
    mine = [item(ReferencedSOPInstanceUID=one.uid) for one in case.volume.source.instances]
    series = item(ReferencedInstanceSequence=[*mine, item(ReferencedSOPInstanceUID="2.25.5")])
    dataset.ReferencedSeriesSequence = [series]
    with pytest.raises(GeometryError, match="another frame of reference"):
        commands.import_mask(session, case, save_seg(tmp_path / "b.dcm", dataset), segments=["1"])
    series.ReferencedInstanceSequence = mine[2:]
    commands.import_mask(session, case, save_seg(tmp_path / "c.dcm", dataset), segments=["1"])
    assert case.segmentation.voxels(1) == masks[0].sum()


def test_contours_come_in_by_position(session: Session, case: OpenCase, tmp_path: Path) -> None:
    grid = case.volume.source.geometry
    square = [(4, 2.5, 2.5), (4, 2.5, 9.5), (4, 7.5, 9.5), (4, 7.5, 2.5)]
    dataset = structures({3: [grid.lps(square)]})
    frame = case.volume.source.frame_of_reference_uid
    dataset.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID = frame
    dataset.StructureSetROISequence[0].ReferencedFrameOfReferenceUID = frame
    (tmp_path / "rt").mkdir()
    save_seg(tmp_path / "rt" / "a.dcm", dataset)
    (tmp_path / "rt" / "notes.txt").write_text("beside it", encoding="utf-8")
    commands.import_mask(session, case, tmp_path / "rt")
    expected = np.zeros(grid.shape, np.uint8)
    expected[4, 3:8, 3:10] = 3
    np.testing.assert_array_equal(on_source(case), expected)
    (label,) = case.segmentation.schema
    assert (label.value, label.name, label.color) == (3, "Region 3", "#FF0300")
    (step,) = past_of(session, case).steps
    assert (step.kind, step.settings["from"]) == ("imported", "rtstruct")


def test_segments_are_named_only_where_a_mask_has_some(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    path = tmp_path / "mask.nii.gz"
    source = case.volume.source
    formats.write(np.zeros(source.geometry.shape, np.uint8), source.geometry, path, labels=True)
    with pytest.raises(InputError, match="only DICOM segmentations"):
        commands.import_mask(session, case, path, segments=["1"])


def test_the_segments_of_a_file_are_listed_to_choose_from(
    case: OpenCase, masks: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save_seg(tmp_path / "a.dcm", segmentation(case, masks))
    assert main(["segments", str(path), "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(one["number"], one["name"], one["meaning"]) for one in listed["segments"]] == [
        (1, "artery", "Artery"),
        (2, "Vein", "Vein"),
    ]
    assert (listed["kind"], listed["problems"]) == ("dicom-seg", [])
    (tmp_path / "b.txt").write_text("no mask", encoding="utf-8")
    assert main(["segments", str(tmp_path / "b.txt")]) == 1
    assert "is no DICOM segmentation" in capsys.readouterr().err


def paint(session: Session, case: OpenCase) -> None:
    commands.set_label(session, case, ARTERY)
    commands.set_label(session, case, Label(9, "Nerve", "#445566"))
    for value, low in ((5, (1, 2, 3)), (9, (4, 8, 10))):
        edit = Edit.fill(case.segmentation.labels, low, np.ones((2, 3, 4), bool), value)
        commands.paint(session, case, edit)


def test_a_case_is_exported_and_comes_back_the_same(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    paint(session, case)
    drawn = case.segmentation.labels.copy()
    answer = commands.export_case(session, case, tmp_path / "out", formats=["dicom-seg", "nifti"])
    assert all(check.ok for check in answer.checks)
    names = {file.path.name for file in answer.files}
    assert {"case-0001.seg.dcm", "case-0001.nii.gz"} <= names
    dataset = pydicom.dcmread(tmp_path / "out" / "case-0001.seg.dcm")
    assert (dataset.PatientID, dataset.PatientName) == ("case-0001", "case-0001")
    assert dataset.StudyInstanceUID == case.volume.source.study_uid
    assert [one.SegmentAlgorithmType for one in dataset.SegmentSequence] == ["MANUAL", "MANUAL"]
    text = (tmp_path / "out" / "case-0001.provenance.json").read_text(encoding="utf-8")
    assert "highdicom" in {one["name"] for one in json.loads(text)["software"]}
    commands.delete_label(session, case, 5)
    commands.delete_label(session, case, 9)
    schema = LabelSchema("", (ARTERY, Label(9, "Nerve", "#445566")))
    commands.import_mask(session, case, tmp_path / "out" / "case-0001.seg.dcm", schema)
    np.testing.assert_array_equal(case.segmentation.labels, drawn)


def test_with_its_files_at_hand_the_patient_is_named_and_else_refused(
    session: Session, case: OpenCase, folder: Path, tmp_path: Path
) -> None:
    paint(session, case)
    original = pydicom.dcmread(next((folder / "ct").iterdir()))
    commands.export_case(session, case, tmp_path / "out", formats=["dicom-seg"], originals=folder)
    dataset = pydicom.dcmread(tmp_path / "out" / "case-0001.seg.dcm")
    assert (dataset.PatientID, dataset.PatientName) == (original.PatientID, original.PatientName)
    shutil.copytree(folder / "ct", tmp_path / "part")
    next((tmp_path / "part").iterdir()).unlink()
    with pytest.raises(InputError, match="1 of the image's 9 instances are not in"):
        commands.export_case(
            session, case, tmp_path / "out2", formats=["dicom-seg"], originals=tmp_path / "part"
        )
    assert not list((tmp_path / "out2").glob("*"))


def test_an_image_that_is_not_dicom_is_refused_before_anything_is_written(
    session: Session, tmp_path: Path, hu: np.ndarray, grid: Geometry
) -> None:
    formats.write(hu, grid, tmp_path / "ct.nii.gz")
    (series,) = commands.scan(session, tmp_path / "ct.nii.gz").series
    opened = commands.open_series(session, series, found_at=tmp_path / "ct.nii.gz")
    opened.loading.wait()
    paint(session, opened)
    with pytest.raises(InputError, match="refers to DICOM images") as caught:
        commands.export_case(session, opened, tmp_path / "out", formats=["nifti", "dicom-seg"])
    assert "NIfTI" in caught.value.hint
    assert not list((tmp_path / "out").glob("*"))


def test_the_command_line_imports_and_exports_segmentations(
    session: Session, case: OpenCase, masks: np.ndarray, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = save_seg(tmp_path / "a.dcm", segmentation(case, masks))
    commands.close_case(session, case)
    session.close()
    words = ["import", str(tmp_path / "study"), "--mask", str(path)]
    assert main([*words, "--segment", "2", "--segment", "artery"]) == 0
    assert main(["export", "1", str(tmp_path / "out"), "--format", "dicom-seg"]) == 0
    said = capsys.readouterr().out
    assert "segments described: 2 of 2" in said
    assert "group 1: voxels equal" in said
    back = read_seg(tmp_path / "out" / "case-0001.seg.dcm").segments
    assert [one.label for one in back] == ["artery", "Vein"]


@pytest.mark.parametrize("on_top", [["3", "2"], []], ids=["flat", "in groups"])
def test_a_real_segmentation_goes_in_and_out(
    session: Session, shared_data: Path, tmp_path: Path, on_top: list[str]
) -> None:
    folder = shared_data / "dicom-seg"
    info = commands.import_series(
        session, folder / "ct", mask=folder / "seg/partial_overlaps.dcm", on_top=on_top
    )
    answer = commands.export_case(session, info.name, tmp_path, formats=["dicom-seg"])
    assert all(check.ok for check in answer.checks)
    mine, theirs = (
        read_seg(path) for path in (answer.files[0].path, folder / "seg/partial_overlaps.dcm")
    )
    told = [(one.label, one.color, one.code, one.category) for one in mine.segments]
    assert told == [(one.label, one.color, one.code, one.category) for one in theirs.segments]
    assert mine.referenced == theirs.referenced
    if shutil.which("dciodvfy") is not None:
        done = subprocess.run(
            ["dciodvfy", answer.files[0].path], capture_output=True, text=True, check=False
        )
        assert "Error" not in done.stdout + done.stderr
