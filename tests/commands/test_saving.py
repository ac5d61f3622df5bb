import json
from pathlib import Path

import jsonschema
import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813  # its usual name

from napari_medlabel import commands, export, formats
from napari_medlabel.commands.saving import fold_if_large, past_of
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.provenance import Provenance
from napari_medlabel.core.schema import Label
from napari_medlabel.documents import provenance_schema
from napari_medlabel.errors import InputError, IntegrityError, Locked, OutputError
from napari_medlabel.session import OpenCase, Session

LIVER = Label(1, "Liver", "#FF8000")
SPLEEN = Label(2, "Spleen", "#33FFCC")


@pytest.fixture
def case(session: Session, folder: Path) -> OpenCase:
    (series,) = commands.scan(session, folder).series
    opened = commands.open_series(session, series, found_at=folder)
    opened.loading.wait()
    commands.set_label(session, opened, LIVER)
    commands.set_label(session, opened, SPLEEN)
    return opened


def paint(session: Session, case: OpenCase, low: tuple[int, int, int], value: int) -> None:
    where = np.ones((2, 3, 4), bool)
    edit = Edit.fill(case.segmentation.labels, low, where, value)
    commands.paint(session, case, edit, settings={"brush_mm": 5.0})


def test_a_version_comes_back_and_restoring_it_can_be_undone(
    session: Session, case: OpenCase
) -> None:
    paint(session, case, (1, 2, 3), 1)
    first = commands.save_version(session, case, "liver done")
    paint(session, case, (1, 2, 3), 2)
    commands.save_version(session, case)
    now = case.segmentation.labels.copy()
    commands.restore(session, case, first.number)
    assert (case.segmentation.voxels(1), case.segmentation.voxels(2)) == (24, 0)
    commands.undo(session, case)
    np.testing.assert_array_equal(case.segmentation.labels, now)
    listed = commands.versions(session, case)["versions"]
    assert [(one["number"], one["message"]) for one in listed] == [(1, "liver done"), (2, "")]
    commands.close_case(session, case)


def test_an_unchanged_state_is_not_saved_twice(session: Session, case: OpenCase) -> None:
    paint(session, case, (1, 2, 3), 1)
    assert commands.save_version(session, case).number == 1
    assert commands.save_version(session, case).number == 1
    commands.close_case(session, case)


def test_restoring_over_a_locked_segment_is_refused_whole(session: Session, case: OpenCase) -> None:
    commands.save_version(session, case)
    paint(session, case, (1, 2, 3), 1)
    commands.lock_label(session, case, 1)
    with pytest.raises(Locked):
        commands.restore(session, case, 1)
    assert case.segmentation.voxels(1) == 24
    commands.close_case(session, case)


def test_a_difference_counts_what_was_gained_and_lost(session: Session, case: OpenCase) -> None:
    paint(session, case, (1, 2, 3), 1)
    commands.save_version(session, case)
    paint(session, case, (2, 2, 3), 2)
    rows = {row["name"]: row for row in commands.diff(session, case, 1)["labels"]}
    assert (rows["Liver"]["voxels_gained"], rows["Liver"]["voxels_lost"]) == (0, 12)
    assert (rows["Spleen"]["voxels_gained"], rows["Spleen"]["voxels_lost"]) == (24, 0)
    with pytest.raises(InputError, match="no version 9"):
        commands.diff(session, case, 9)
    commands.close_case(session, case)


def test_a_damaged_version_is_named_and_so_are_the_whole_ones(
    session: Session, case: OpenCase
) -> None:
    for low in ((1, 2, 3), (4, 2, 3), (6, 2, 3)):
        paint(session, case, low, 1)
        commands.save_version(session, case)
    path = session.workspace.version_path(case.segmentation_id, 2)
    chunk = max((p for p in path.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    chunk.unlink()
    with pytest.raises(IntegrityError, match="version 2 is damaged") as caught:
        commands.restore(session, case, 2)
    assert caught.value.hint.startswith("whole are: 1, 3")
    assert case.segmentation.voxels(1) == 72
    commands.close_case(session, case)


def test_folding_keeps_the_mask_the_last_steps_and_who_did_what(
    session: Session, case: OpenCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_medlabel.commands.saving.STEPS_KEPT", 3)
    for k in range(6):
        paint(session, case, (k, 2, 3), 1)
    before = case.segmentation.labels.copy()
    whole = past_of(session, case)
    fold_if_large(session, case, limit=0)
    assert len(case.segmentation.history) == 3
    commands.close_case(session, case)
    case = commands.open_case(session, case.info.id)
    np.testing.assert_array_equal(case.segmentation.labels, before)
    assert len(case.segmentation.history) == 3
    again = past_of(session, case)
    assert [(s.tool, s.steps, s.voxels) for s in again.steps] == [
        (s.tool, s.steps, s.voxels) for s in whole.steps
    ]
    assert len(commands.versions(session, case)["versions"]) == 1
    commands.close_case(session, case)


def test_an_exported_mask_is_bit_exact_on_the_source_grid_for_other_readers(
    session: Session, case: OpenCase, tmp_path: Path, grid: Geometry
) -> None:
    paint(session, case, (1, 2, 3), 1)
    paint(session, case, (5, 20, 30), 2)
    answer = commands.export_case(session, case, tmp_path / "out", formats=("nifti", "nrrd"))
    assert all(check.ok for check in answer.checks)
    truth = case.segmentation.labels
    image = nib.load(tmp_path / "out" / "case-0001.nii.gz")
    np.testing.assert_array_equal(np.asarray(image.dataobj).T, truth)
    np.testing.assert_allclose(image.affine, grid.to_nifti(), atol=1e-5)
    for name in ("case-0001.nii.gz", "case-0001.nrrd"):
        found = sitk.ReadImage(str(tmp_path / "out" / name))
        np.testing.assert_array_equal(sitk.GetArrayFromImage(found), truth)
        np.testing.assert_allclose(found.GetOrigin(), grid.origin_lps, atol=1e-4)
        np.testing.assert_allclose(found.GetSpacing(), grid.spacing_mm[::-1], atol=1e-5)
    commands.close_case(session, case)


def test_the_exported_story_says_who_what_and_when_and_names_nobody(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    paint(session, case, (1, 2, 3), 1)
    paint(session, case, (4, 2, 3), 1)
    paint(session, case, (6, 2, 3), 2)
    commands.undo(session, case)
    commands.export_case(session, case, tmp_path, name="mask")
    text = (tmp_path / "mask.provenance.json").read_text()
    jsonschema.validate(json.loads(text), provenance_schema())
    found = Provenance.from_document(json.loads(text))
    drawn = [step for step in found.steps if step.kind == "drawn"]
    assert [(s.tool, s.steps, s.voxels, s.who) for s in drawn] == [
        ("Paint", 2, {"1": 48}, session.person.id)
    ]
    assert found.steps_undone == 1
    assert found.version == found.versions[-1].number == 1
    assert len(found.source.instances) == 9
    assert all(len(sha256) == 64 for _, sha256 in found.source.instances)
    assert "DEMO" not in text
    assert "2.25." not in text
    labels = json.loads((tmp_path / "mask.labels.json").read_text())["labels"]
    assert [(one["name"], one["voxels"]) for one in labels] == [("Liver", 48), ("Spleen", 0)]
    commands.close_case(session, case)


def test_an_export_replaces_nothing_without_force(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    (tmp_path / "mask.labels.json").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        commands.export_case(session, case, tmp_path, name="mask")
    assert [p.name for p in tmp_path.glob("mask*")] == ["mask.labels.json"]
    commands.export_case(session, case, tmp_path, name="mask", force=True)
    assert (tmp_path / "mask.labels.json").read_text() != "mine"
    commands.close_case(session, case)


def test_a_mask_that_does_not_read_back_leaves_nothing(
    session: Session, case: OpenCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(array: np.ndarray, *rest: object, **options: object) -> None:
        write(array + 1, *rest, **options)

    write = export.write
    monkeypatch.setattr(export, "write", wrong)
    with pytest.raises(IntegrityError, match="voxels equal"):
        commands.export_case(session, case, tmp_path / "out", name="mask")
    assert list((tmp_path / "out").iterdir()) == []
    commands.close_case(session, case)


def test_a_mask_on_another_grid_is_refused_with_numbers(
    session: Session, case: OpenCase, tmp_path: Path, grid: Geometry
) -> None:
    moved = grid.lps_from_kji.copy()
    moved[2, 3] += 1.5
    labels = np.zeros(grid.shape, np.uint8)
    labels[2, 3, 4] = 7
    formats.write(labels, Geometry(grid.shape, moved), tmp_path / "moved.nii.gz")
    with pytest.raises(InputError, match=r"1\.500 mm"):
        commands.import_mask(session, case, tmp_path / "moved.nii.gz")
    formats.write(labels, grid, tmp_path / "right.nii.gz")
    commands.import_mask(session, case, tmp_path / "right.nii.gz")
    assert case.segmentation.voxels(7) == 1
    commands.close_case(session, case)
