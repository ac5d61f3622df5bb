"""Segments of several groups through everything that a person does with a case."""

import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest

from napari_medlabel import commands, export, formats
from napari_medlabel.cli import main
from napari_medlabel.commands import saving
from napari_medlabel.commands.saving import arrays_of, fold_if_large, past_of
from napari_medlabel.core.derivation import Choice
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.fingerprint import mask_sha256
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.provenance import Provenance
from napari_medlabel.core.schema import Label, LabelSchema
from napari_medlabel.errors import InputError, IntegrityError, Locked, OutputError
from napari_medlabel.phantom import write_ct_series
from napari_medlabel.session import OpenCase, Session
from tests.formats.made_seg import save_seg, structures

LIVER = Label(1, "Liver", "#FF8000")
LESION = Label(2, "Lesion", "#33FFCC", group=1)
VESSEL = Label(300, "Vessel", "#A633A6", group=4)


@pytest.fixture
def case(session: Session, folder: Path) -> OpenCase:
    (series,) = commands.scan(session, folder).series
    opened = commands.open_series(session, series, found_at=folder)
    opened.loading.wait()
    for label in (LIVER, LESION, VESSEL):
        commands.set_label(session, opened, label)
    return opened


def paint(session: Session, case: OpenCase, value: int, low: tuple[int, int, int]) -> None:
    where = np.ones((3, 4, 5), bool)
    labels, group = case.segmentation.labels_of(value), case.segmentation.group_of(value)
    commands.paint(session, case, Edit.fill(labels, low, where, value, group=group))


@pytest.fixture
def drawn(session: Session, case: OpenCase) -> OpenCase:
    paint(session, case, 1, (1, 2, 3))
    paint(session, case, 2, (2, 3, 4))
    paint(session, case, 300, (2, 2, 3))
    return case


def masks(case: OpenCase) -> dict[int, np.ndarray]:
    seg = case.segmentation
    return {label.value: seg.labels_of(label.value) == label.value for label in seg.schema}


def assert_same(case: OpenCase, before: dict[int, np.ndarray]) -> None:
    after = masks(case)
    assert after.keys() == before.keys()
    for value, mask in before.items():
        np.testing.assert_array_equal(after[value], mask)


def test_a_case_comes_back_with_all_its_groups(session: Session, drawn: OpenCase) -> None:
    before, name = masks(drawn), drawn.info.name
    commands.close_case(session, drawn)
    again = commands.open_case(session, name)
    assert_same(again, before)
    assert again.segmentation.schema[300].group == 4
    commands.undo(session, again)
    assert again.segmentation.voxels(300) == 0
    commands.close_case(session, again)


def test_a_version_brings_every_group_back_and_that_can_be_undone(
    session: Session, drawn: OpenCase
) -> None:
    first, before = commands.save_version(session, drawn, "all"), masks(drawn)
    commands.set_group(session, drawn, 2, 7)
    commands.delete_label(session, drawn, 300)
    paint(session, drawn, 2, (5, 5, 5))
    now, schema = masks(drawn), drawn.segmentation.schema
    second = commands.save_version(session, drawn)
    assert first.sha256 != second.sha256
    assert first.voxels == {"1": 60, "2": 60, "300": 60}
    answer = commands.restore(session, drawn, first.number)
    assert answer["voxels"] == 60 + 120 + 60
    assert_same(drawn, before)
    assert drawn.segmentation.group_of(2) == 1
    commands.undo(session, drawn)
    assert_same(drawn, now)
    assert drawn.segmentation.schema == schema


def test_a_difference_of_versions_looks_at_each_label_in_its_own_group(
    session: Session, drawn: OpenCase
) -> None:
    commands.save_version(session, drawn)
    commands.set_group(session, drawn, 2, 7)
    paint(session, drawn, 300, (5, 5, 5))
    rows = {row["name"]: row for row in commands.diff(session, drawn, 1)["labels"]}
    assert (rows["Lesion"]["voxels_gained"], rows["Lesion"]["voxels_lost"]) == (0, 0)
    assert (rows["Lesion"]["dice"], rows["Lesion"]["group"]) == (1.0, 7)
    assert rows["Vessel"]["voxels_gained"] == 60
    assert rows["Liver"]["voxels_lost"] == 0


def test_a_version_that_lacks_a_group_is_damaged(session: Session, drawn: OpenCase) -> None:
    commands.save_version(session, drawn)
    path = session.workspace.version_path(drawn.segmentation_id, 1, 4)
    path.rename(path.with_name("away"))
    with pytest.raises(IntegrityError, match="version 1 is damaged"):
        commands.restore(session, drawn, 1)
    assert commands.save_version(session, drawn).number == 2  # not taken for saved already


def test_an_unchanged_state_of_several_groups_is_not_saved_twice(
    session: Session, drawn: OpenCase
) -> None:
    assert commands.save_version(session, drawn).number == 1
    assert commands.save_version(session, drawn).number == 1
    commands.set_group(session, drawn, 2, 7)
    assert commands.save_version(session, drawn).number == 2
    arrays, schema = arrays_of(session, drawn, 1)
    assert (schema.groups, list(arrays)) == ((0, 1, 4), [0, 1, 4])


def test_folding_a_large_history_keeps_the_groups(
    session: Session, drawn: OpenCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    for k in range(6):
        for value in (1, 2):
            paint(session, drawn, value, (k, 10, 10))
    before = masks(drawn)
    monkeypatch.setattr(saving, "STEPS_KEPT", 3)
    fold_if_large(session, drawn, limit=0)
    gained: dict[str, int] = {}
    for step in past_of(session, drawn).steps:
        for value, count in step.voxels.items():
            gained[value] = gained.get(value, 0) + count
    assert gained == {str(value): int(mask.sum()) for value, mask in before.items()}
    name = drawn.info.name
    commands.close_case(session, drawn)
    again = commands.open_case(session, name)
    assert len(again.segmentation.history) == 3
    assert_same(again, before)
    commands.close_case(session, again)


@pytest.mark.parametrize(("kind", "ending"), [("nifti", ".nii.gz"), ("nrrd", ".nrrd")])
def test_each_group_is_a_file_and_all_come_back(
    session: Session, drawn: OpenCase, tmp_path: Path, kind: str, ending: str
) -> None:
    answer = commands.export_case(session, drawn, tmp_path / "out", name="m", formats=[kind])
    names = [f"m{group}{ending}" for group in ("", ".group-1", ".group-4")]
    out = {file.path.name for file in answer.files}
    assert out == {*names, "m.labels.json", "m.provenance.json"}
    assert all(check.ok for check in answer.checks)
    assert {f"{name}: voxels equal" for name in names} <= {one.name for one in answer.checks}
    document = json.loads((tmp_path / "out/m.labels.json").read_text())
    assert [(one["voxels"], one.get("group", 0)) for one in document["labels"]] == [
        (60, 0), (60, 1), (60, 4),
    ]  # fmt: skip
    assert [(one["group"], one["files"]) for one in document["groups"]] == [
        (group, [name]) for group, name in zip((0, 1, 4), names, strict=True)
    ]
    sums = (tmp_path / "out/m.sha256").read_text()
    assert all(f"  {name}\n" in sums for name in names)
    before = masks(drawn)
    for value in (1, 2, 300):
        commands.delete_label(session, drawn, value)
    schema = LabelSchema.from_document(document)
    for name in names:
        commands.import_mask(session, drawn, tmp_path / "out" / name, schema)
    assert_same(drawn, before)


def test_the_hash_of_each_mask_is_in_the_provenance(
    session: Session, drawn: OpenCase, tmp_path: Path
) -> None:
    commands.export_case(session, drawn, tmp_path, name="m")
    text = (tmp_path / "m.provenance.json").read_text()
    found = Provenance.from_document(json.loads(text))
    assert list(found.group_sha256) == ["1", "4"]
    for group, sha256 in {"": found.mask_sha256, ".group-4": found.group_sha256["4"]}.items():
        image = nib.load(tmp_path / f"m{group}.nii.gz")
        voxels = np.ascontiguousarray(np.asarray(image.dataobj).T)
        assert mask_sha256(voxels) == sha256


def test_a_case_of_one_group_is_exported_as_it_was(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    for value in (2, 300):
        commands.delete_label(session, case, value)
    answer = commands.export_case(session, case, tmp_path, name="m")
    assert {file.path.name for file in answer.files} == {
        "m.nii.gz", "m.labels.json", "m.provenance.json",
    }  # fmt: skip
    assert "groups" not in json.loads((tmp_path / "m.labels.json").read_text())


def test_a_group_that_is_gone_leaves_no_mask_of_an_earlier_export(
    session: Session, drawn: OpenCase, tmp_path: Path
) -> None:
    commands.export_case(session, drawn, tmp_path, name="m", formats=["nifti", "nrrd"])
    (tmp_path / "m.group-9.nii.gz").write_text("mine")  # no export of ours lists it
    commands.delete_label(session, drawn, 300)
    commands.export_case(session, drawn, tmp_path, name="m", force=True)
    assert {path.name for path in tmp_path.glob("m.group-*")} == {
        "m.group-1.nii.gz", "m.group-1.nrrd", "m.group-4.nrrd", "m.group-9.nii.gz",
    }  # fmt: skip


def test_a_file_of_a_group_that_is_there_is_not_replaced(
    session: Session, drawn: OpenCase, tmp_path: Path
) -> None:
    (tmp_path / "m.group-4.nii.gz").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        commands.export_case(session, drawn, tmp_path, name="m")
    assert [p.name for p in tmp_path.glob("m*")] == ["m.group-4.nii.gz"]


def test_a_mask_of_a_group_that_does_not_read_back_leaves_nothing(
    session: Session, drawn: OpenCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(array: np.ndarray, *rest: object, **options: object) -> None:
        write(np.where(array == 300, 0, array), *rest, **options)

    write = export.write
    monkeypatch.setattr(export, "write", wrong)
    with pytest.raises(IntegrityError, match=r"m\.group-4\.nii\.gz: voxels equal"):
        commands.export_case(session, drawn, tmp_path / "out", name="m")
    assert list((tmp_path / "out").iterdir()) == []


def test_overlapping_segments_are_one_dicom_segmentation_and_come_back(
    session: Session, drawn: OpenCase, tmp_path: Path
) -> None:
    answer = commands.export_case(session, drawn, tmp_path, name="m", formats=["dicom-seg"])
    assert all(check.ok for check in answer.checks)
    assert answer.files[0].path.name == "m.seg.dcm"
    dataset = pydicom.dcmread(tmp_path / "m.seg.dcm")
    assert dataset.SegmentsOverlap == "YES"
    before = masks(drawn)
    for value in (1, 2, 300):
        commands.delete_label(session, drawn, value)
    commands.import_mask(session, drawn, tmp_path / "m.seg.dcm")
    assert drawn.segmentation.schema.groups == (0, 1, 2)
    by_name = {label.name: label.value for label in drawn.segmentation.schema}
    for label in (LIVER, LESION, VESSEL):
        value = by_name[label.name]
        mask = drawn.segmentation.labels_of(value) == value
        np.testing.assert_array_equal(mask, before[label.value])


def test_a_flat_mask_goes_into_the_groups_of_its_labels(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    values = np.zeros(case.volume.source.geometry.shape, np.uint16)
    values[1, 2, 3:9] = [1, 1, 2, 2, 300, 9]
    formats.write(values, case.volume.source.geometry, tmp_path / "flat.nii.gz", labels=True)
    written = commands.import_mask(session, case, tmp_path / "flat.nii.gz")
    assert {edit.group: edit.voxels for edit in written} == {0: 3, 1: 2, 4: 1}
    assert [case.segmentation.voxels(value) for value in (1, 2, 300, 9)] == [2, 2, 1, 1]


def test_what_was_drawn_in_any_group_is_saved_before_an_import(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    paint(session, case, 300, (2, 2, 3))
    values = np.zeros(case.volume.source.geometry.shape, np.uint8)
    formats.write(values, case.volume.source.geometry, tmp_path / "a.nii.gz", labels=True)
    commands.import_mask(session, case, tmp_path / "a.nii.gz")
    listed = commands.versions(session, case)["versions"]
    assert [one["message"] for one in listed] == ["Before a mask was imported"]


def test_a_segment_is_moved_by_a_command_to_where_it_has_room(
    session: Session, drawn: OpenCase
) -> None:
    before = masks(drawn)
    with pytest.raises(InputError, match="'Lesion' overlaps 'Liver' in 24 voxels in group 0"):
        commands.set_group(session, drawn, 2, 0)
    commands.set_group(session, drawn, 300)
    assert drawn.segmentation.group_of(300) == 2
    commands.lock_label(session, drawn, 300)
    with pytest.raises(Locked):
        commands.set_group(session, drawn, 300, 4)
    assert_same(drawn, before)
    commands.lock_label(session, drawn, 300, on=False)
    commands.undo(session, drawn)
    assert drawn.segmentation.group_of(300) == 4
    assert_same(drawn, before)


def test_the_command_line_tells_of_groups(
    session: Session, drawn: OpenCase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands.save_version(session, drawn)
    commands.set_label(session, drawn, replace(LIVER, name="Whole liver"))
    commands.close_case(session, drawn)
    session.close()
    assert main(["diff", "1", "1"]) == 0
    said = capsys.readouterr().out
    assert [line.split()[2:4] for line in said.splitlines()[:1]] == [["group", "voxels_gained"]]
    assert ["2", "Lesion", "1"] in [line.split()[:3] for line in said.splitlines()]
    assert main(["export", "1", str(tmp_path / "out"), "--name", "m"]) == 0
    assert "m.group-1.nii.gz" in capsys.readouterr().out


def test_each_label_of_a_file_with_overlaps_is_counted_and_compared_in_whole(
    session: Session, drawn: OpenCase, tmp_path: Path
) -> None:
    commands.export_case(session, drawn, tmp_path, name="a", formats=["dicom-seg"])
    paint(session, drawn, 2, (3, 3, 4))
    commands.export_case(session, drawn, tmp_path, name="b", formats=["dicom-seg"])
    a, b = tmp_path / "a.seg.dcm", tmp_path / "b.seg.dcm"
    counted = commands.stats(session, a)["labels"]
    assert [(one["value"], one["voxels"]) for one in counted] == [(1, 60), (2, 60), (3, 60)]
    found = commands.compare(session, a, b)["labels"]
    assert [one["value"] for one in found] == [1, 2, 3]
    assert [one["dice"] for one in found] == [1.0, 2 * 60 / (60 + 80), 1.0]


def test_a_label_that_one_file_lacks_is_compared_with_nothing(
    session: Session, drawn: OpenCase, tmp_path: Path
) -> None:
    commands.export_case(session, drawn, tmp_path, name="a", formats=["dicom-seg", "nifti"])
    found = commands.compare(session, tmp_path / "a.seg.dcm", tmp_path / "a.nii.gz")["labels"]
    assert [(one["value"], one["voxels_a"], one["voxels_b"]) for one in found] == [
        (1, 60, 60), (2, 60, 0), (3, 60, 0),
    ]  # fmt: skip


def test_overlapping_segments_of_a_resampled_case_lie_on_its_slices(
    session: Session, tmp_path: Path, hu: np.ndarray, grid: Geometry
) -> None:
    uneven = np.delete(np.arange(9), [4])  # a slice is missing
    write_ct_series(tmp_path / "gap", hu, grid)
    files = sorted((tmp_path / "gap").rglob("*.dcm"))
    ordered = sorted(files, key=lambda path: pydicom.dcmread(path).InstanceNumber)
    ordered[4].unlink()
    info = commands.import_series(session, tmp_path / "gap", choice=Choice("resample"))
    case = commands.open_case(session, info.name)
    for label in (LIVER, LESION):
        commands.set_label(session, case, label)
        where = np.ones(case.volume.shape, bool)
        labels = case.segmentation.labels_of(label.value)
        edit = Edit.fill(labels, (0, 0, 0), where, label.value, group=label.group)
        commands.paint(session, case, edit)
    answer = commands.export_case(session, case, tmp_path / "out", name="m", onto="source")
    names = {file.path.name for file in answer.files}
    assert {"m-1.nii.gz", "m-1.group-1.nii.gz", "m-2.nii.gz", "m-2.group-1.nii.gz"} <= names
    depths = [nib.load(tmp_path / f"out/m-{n}.group-1.nii.gz").shape[2] for n in (1, 2)]
    assert sum(depths) == len(uneven)
    whole = nib.load(tmp_path / "out/m-2.group-1.nii.gz")
    assert (np.asarray(whole.dataobj) == 2).all()


def test_overlapping_structures_come_into_groups(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    grid = case.volume.source.geometry
    large = [(4, 2.5, 2.5), (4, 2.5, 9.5), (4, 7.5, 9.5), (4, 7.5, 2.5)]
    small = [(4, 3.5, 3.5), (4, 3.5, 5.5), (4, 6.5, 5.5), (4, 6.5, 3.5)]
    dataset = structures({7: [grid.lps(large)], 8: [grid.lps(small)]})
    frame = case.volume.source.frame_of_reference_uid
    dataset.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID = frame
    for item in dataset.StructureSetROISequence:
        item.ReferencedFrameOfReferenceUID = frame
    commands.import_mask(session, case, save_seg(tmp_path / "a.dcm", dataset))
    seg = case.segmentation
    assert [seg.group_of(value) for value in (7, 8)] == [0, 1]
    assert [seg.voxels(value) for value in (7, 8)] == [5 * 7, 3 * 2]


def test_a_real_segmentation_is_what_dcmqi_makes_of_it_segment_by_segment(
    session: Session, shared_data: Path, tmp_path: Path
) -> None:
    folder = shared_data / "dicom-seg"
    info = commands.import_series(session, folder / "ct", mask=folder / "seg/partial_overlaps.dcm")
    truth = [formats.read(folder / f"seg/partial_overlaps-{n}.nrrd") for n in (1, 2, 3)]
    case = commands.open_case(session, info.name)
    assert case.segmentation.schema.groups == (0, 1, 2)
    for volume in truth:
        theirs = np.asarray(volume.levels[0])
        assert volume.geometry.same_grid(case.volume.geometry)
        for value in np.unique(theirs[theirs > 0]).tolist():
            mine = case.segmentation.labels_of(value) == value
            np.testing.assert_array_equal(mine, theirs == value)
    before = masks(case)
    answer = commands.export_case(session, case, tmp_path, name="m", formats=["dicom-seg", "nrrd"])
    assert all(check.ok for check in answer.checks)
    for label in case.segmentation.schema:
        commands.delete_label(session, case, label.value)
    commands.import_mask(session, case, tmp_path / "m.seg.dcm")
    assert_same(case, before)
    commands.close_case(session, case)


def test_a_segment_that_was_moved_is_compared_with_itself(
    session: Session, drawn: OpenCase
) -> None:
    commands.save_version(session, drawn)
    commands.set_group(session, drawn, 2, 7)
    found = commands.compare_case(session, drawn, 1)
    assert [(row["value"], row["dice"]) for row in found.segments] == [
        (1, 1.0), (2, 1.0), (300, 1.0),
    ]  # fmt: skip
    assert not found.difference.any()


def test_shapes_are_measured_of_each_label_of_a_file_with_overlaps(
    session: Session, drawn: OpenCase, tmp_path: Path
) -> None:
    commands.export_case(session, drawn, tmp_path, name="a", formats=["dicom-seg"])
    rows = commands.mask_statistics(session, tmp_path / "a.seg.dcm")["segments"]
    assert [(row["value"], row["voxels"]) for row in rows] == [(1, 60), (2, 60), (3, 60)]
