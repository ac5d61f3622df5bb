"""Power cuts, full disks, damaged files and other people's masks: nothing drawn is lost."""

from pathlib import Path

import numpy as np
import pytest

from napari_medlabel import commands, formats
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.schema import Label, LabelSchema
from napari_medlabel.errors import (
    DamagedHistory,
    GeometryError,
    InputError,
    IntegrityError,
    NotSaved,
)
from napari_medlabel.session import OpenCase, Session

LIVER = Label(1, "Liver", "#FF8000")


@pytest.fixture
def case(session: Session, folder: Path) -> OpenCase:
    (series,) = commands.scan(session, folder).series
    opened = commands.open_series(session, series, found_at=folder)
    opened.loading.wait()
    commands.set_label(session, opened, LIVER)
    draw(session, opened, (1, 2, 3))
    return opened


def draw(session: Session, case: OpenCase, low: tuple[int, int, int]) -> None:
    where = np.ones((2, 3, 4), bool)
    commands.paint(session, case, Edit.fill(case.segmentation.labels, low, where, 1))


def journal_of(session: Session, case: OpenCase) -> Path:
    return session.workspace.segmentation_folder(case.segmentation_id) / "journal.sqlite"


def test_a_missing_journal_is_not_taken_for_an_empty_mask(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    commands.save_version(session, case)
    commands.close_case(session, case)
    journal_of(session, case).unlink()
    with pytest.raises(DamagedHistory, match="missing") as caught:
        commands.open_case(session, "1")
    assert "saved versions: 1" in caught.value.hint
    with pytest.raises(DamagedHistory):
        commands.export_case(session, "1", tmp_path / "out")
    assert not list(tmp_path.glob("out/*"))


def test_saved_versions_outlive_a_damaged_journal(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    version = commands.save_version(session, case)
    draw(session, case, (5, 2, 3))
    commands.close_case(session, case)
    journal = journal_of(session, case)
    journal.write_bytes(b"no journal" * 1000)
    assert len(commands.versions(session, "1")["versions"]) == 1
    answer = commands.export_case(session, "1", tmp_path, name="mask", version=version.number)
    assert [step.kind for step in answer.provenance.steps] == ["lost"]
    assert np.count_nonzero(formats.read(tmp_path / "mask.nii.gz").levels[0][:]) == 24
    commands.restore(session, "1", version.number)
    again = commands.open_case(session, "1")
    assert again.segmentation.voxels(1) == 24
    assert [p.read_bytes()[:10] for p in journal.parent.glob("damaged-*")] == [b"no journal"]
    commands.close_case(session, again)


def test_an_import_cut_short_after_its_last_byte_is_ready(session: Session, case: OpenCase) -> None:
    commands.close_case(session, case)
    session.workspace.catalogue._update(case.info.id, state="importing")
    again = commands.open_case(session, "1")
    assert again.info.state == "ready"
    assert again.segmentation.voxels(1) == 24
    commands.close_case(session, again)


def test_a_case_closes_on_a_full_disk_when_all_is_saved(
    session: Session, case: OpenCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_options: object) -> None:
        raise NotSaved("not saved: the disk is full")

    case.segmentation.settle()
    monkeypatch.setattr(type(case.journal), "checkpoint", full)
    commands.close_case(session, case)
    monkeypatch.undo()
    again = commands.open_case(session, "1")
    assert again.segmentation.voxels(1) == 24
    commands.close_case(session, again)


def test_a_damaged_last_version_does_not_hold_back_the_present(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    commands.save_version(session, case)
    path = session.workspace.version_path(case.segmentation_id, 1)
    path.rename(path.with_name("gone"))
    with pytest.raises(IntegrityError, match="version 1 is damaged"):
        commands.restore(session, case, 1)
    answer = commands.export_case(session, case, tmp_path, name="mask")
    assert answer.provenance.version == 2
    commands.close_case(session, case)


def test_what_was_drawn_and_erased_during_an_import_is_still_a_history(
    session: Session, folder: Path
) -> None:
    (series,) = commands.scan(session, folder).series
    case = commands.open_series(session, series, found_at=folder)
    commands.set_label(session, case, LIVER)
    draw(session, case, (1, 2, 3))
    commands.delete_label(session, case, 1)
    case.loading.wait()
    session.workspace.catalogue._update(case.info.id, state="importing")
    commands.close_case(session, case)
    assert [one.id for one in commands.recent_cases(session)] == [case.info.id]


def test_a_mask_brought_in_over_drawing_leaves_a_version_of_it(
    session: Session, case: OpenCase, tmp_path: Path, grid: Geometry
) -> None:
    labels = np.zeros(grid.shape, np.uint8)
    labels[0:4] = 1
    formats.write(labels, grid, tmp_path / "all.nii.gz")
    commands.import_mask(session, case, tmp_path / "all.nii.gz")
    (version,) = commands.versions(session, case)["versions"]
    assert (version["voxels"], version["message"]) == (24, "Before a mask was imported")
    commands.close_case(session, case)


def test_a_mask_whose_labels_mean_something_else_is_refused_by_name(
    session: Session, case: OpenCase, tmp_path: Path, grid: Geometry
) -> None:
    labels = np.ones(grid.shape, np.uint8)
    formats.write(labels, grid, tmp_path / "mask.nii.gz")
    other = LabelSchema("Organs", (Label(1, "Spleen", "#33FFCC"), Label(7, "Lesion", "#EB59FF")))
    with pytest.raises(InputError, match="'Spleen' in the mask and 'Liver' in the case"):
        commands.import_mask(session, case, tmp_path / "mask.nii.gz", other)
    assert case.segmentation.voxels(1) == 24
    same = LabelSchema("Organs", (Label(1, "liver", "#33FFCC"), Label(7, "Lesion", "#EB59FF")))
    commands.import_mask(session, case, tmp_path / "mask.nii.gz", same)
    assert [label.name for label in case.segmentation.schema] == ["Liver", "Lesion"]
    commands.close_case(session, case)


def test_a_mask_with_values_above_255_comes_in_whole_and_goes_out_whole(
    session: Session, case: OpenCase, tmp_path: Path, grid: Geometry
) -> None:
    labels = np.zeros(grid.shape, np.uint16)
    labels[6, 5:9, 5:9] = 300
    formats.write(labels, grid, tmp_path / "mask.nii.gz")
    commands.import_mask(session, case, tmp_path / "mask.nii.gz")
    commands.close_case(session, case)
    commands.export_case(session, "1", tmp_path, name="out")
    back = formats.read(tmp_path / "out.nii.gz").levels[0][:]
    assert (np.count_nonzero(back == 300), np.count_nonzero(back == 1)) == (16, 24)


def test_a_file_of_the_same_name_with_other_voxels_is_another_case(
    session: Session, tmp_path: Path, grid: Geometry, hu: np.ndarray
) -> None:
    for name, voxels in (("a", hu), ("b", np.roll(hu, 1, axis=2))):
        (tmp_path / name).mkdir()
        formats.write(voxels, grid, tmp_path / name / "image.nii.gz")
        commands.import_series(session, tmp_path / name / "image.nii.gz")
    commands.import_series(session, tmp_path / "a" / "image.nii.gz")
    assert len(commands.recent_cases(session)) == 2


def test_a_mask_on_a_grid_with_other_numbers_of_voxels_says_both(
    session: Session, case: OpenCase, tmp_path: Path, grid: Geometry
) -> None:
    small = Geometry((3, 4, 5), grid.lps_from_kji)
    formats.write(np.ones((3, 4, 5), np.uint8), small, tmp_path / "small.nii.gz")
    with pytest.raises(GeometryError, match=r"\(3, 4, 5\)"):
        commands.import_mask(session, case, tmp_path / "small.nii.gz")
    commands.close_case(session, case)
