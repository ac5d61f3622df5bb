from pathlib import Path

import numpy as np
import pydicom
import pytest

from napari_medlabel import commands, formats
from napari_medlabel.commands.door import command
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.schema import Label
from napari_medlabel.errors import InputError, IntegrityError, PermissionDenied, ReadOnly
from napari_medlabel.phantom import write_ct_series
from napari_medlabel.session import OpenCase, Permission, Session

LIVER = Label(1, "Liver", "#FF8000")


def opened(session: Session, folder: Path) -> OpenCase:
    (series,) = commands.scan(session, folder).series
    return commands.open_series(session, series, found_at=folder)


def block(case: OpenCase, low: tuple[int, int, int], value: int = 1) -> Edit:
    return Edit.fill(case.segmentation.labels, low, np.ones((2, 3, 4), bool), value)


def test_every_public_command_asks_for_a_permission() -> None:
    functions = [getattr(commands, name) for name in commands.__all__ if name[0].islower()]
    assert len(functions) > 20
    assert all(isinstance(function.permission, Permission) for function in functions)


def test_a_denied_command_does_nothing_and_is_recorded(session: Session) -> None:
    ran = []

    @command(needs=Permission.EXPORT)
    def leave(session: Session) -> None:
        ran.append(session)

    session._permissions = frozenset({Permission.VIEW})
    with pytest.raises(PermissionDenied) as caught:
        leave(session)
    assert caught.value.exit_code == 3
    assert not ran
    assert session.events[-1].outcome == "denied"


def test_a_failed_command_is_recorded_by_the_kind_of_error_only(session: Session) -> None:
    with pytest.raises(InputError):
        commands.scan(session, Path("/nowhere/DOE^JANE"))
    event = session.events[-1]
    assert (event.action, event.outcome) == ("scan", "failed")
    assert dict(event.facts) == {"error": "InputError"}


def test_a_series_opens_with_its_values_on_its_grid(
    session: Session, folder: Path, hu: np.ndarray, grid: Geometry
) -> None:
    case = opened(session, folder)
    case.loading.wait()
    np.testing.assert_array_equal(case.volume.levels[0][:], hu)
    assert case.volume.geometry.difference_mm(grid) < 1e-3
    assert (case.volume.unit, case.info.modality) == ("HU", "CT")
    commands.close_case(session, case)


def test_opening_the_same_series_again_leads_to_the_same_case(
    session: Session, folder: Path
) -> None:
    first = opened(session, folder)
    commands.set_label(session, first, LIVER)
    commands.paint(session, first, block(first, (1, 2, 3)))
    first.loading.wait()
    commands.close_case(session, first)
    again = opened(session, folder)
    assert again.info.id == first.info.id
    assert again.segmentation.voxels(1) == 24
    commands.close_case(session, again)


def test_undo_and_redo_survive_closing(session: Session, folder: Path) -> None:
    case = opened(session, folder)
    commands.set_label(session, case, LIVER)
    commands.paint(session, case, block(case, (1, 2, 3)))
    commands.paint(session, case, block(case, (4, 9, 9)))
    commands.undo(session, case)
    case.loading.wait()
    commands.close_case(session, case)
    case = commands.open_case(session, case.info.id)
    assert case.segmentation.voxels(1) == 24
    commands.redo(session, case)
    assert case.segmentation.voxels(1) == 48
    for _ in range(3):
        commands.undo(session, case)
    assert case.segmentation.voxels(1) == 0
    assert len(case.segmentation.schema) == 0
    commands.close_case(session, case)


def test_the_second_window_reads_and_says_who_holds_the_case(
    session: Session, folder: Path
) -> None:
    first = opened(session, folder)
    first.loading.wait()
    commands.set_label(session, first, LIVER)
    first.segmentation.settle()
    second = commands.open_case(session, first.info.id)
    assert second.segmentation.read_only.startswith("Open in another window by ")
    assert [label.name for label in second.segmentation.schema] == ["Liver"]
    with pytest.raises(ReadOnly):
        commands.set_label(session, second, Label(2, "Spleen", "#33FFCC"))
    commands.close_case(session, second)
    commands.close_case(session, first)
    third = commands.open_case(session, first.info.id)
    assert not third.segmentation.read_only
    commands.close_case(session, third)


def test_an_import_called_off_before_anything_was_drawn_leaves_no_case(
    session: Session, folder: Path
) -> None:
    case = opened(session, folder)
    case.loading.end()
    was_whole = case.loading.error is None
    commands.close_case(session, case)
    cases = commands.recent_cases(session)
    assert len(cases) == (1 if was_whole else 0)
    left = list((session.folder / "series").glob("*/image.zarr"))
    assert len(left) == len(cases)


def test_an_import_cut_short_goes_on_from_its_source(
    session: Session, folder: Path, hu: np.ndarray
) -> None:
    case = opened(session, folder)
    commands.set_label(session, case, LIVER)
    commands.paint(session, case, block(case, (1, 2, 3)))
    case.loading.wait()
    commands.close_case(session, case)
    catalogue = session.workspace.catalogue
    catalogue._update(case.info.id, state="importing")  # as a power cut leaves it
    image = session.workspace.image_path(case.info.id)
    image.rename(image.with_name(".left-over"))
    case = commands.open_case(session, case.info.id)
    case.loading.wait()
    np.testing.assert_array_equal(case.volume.levels[0][:], hu)
    assert case.segmentation.voxels(1) == 24
    commands.close_case(session, case)
    assert catalogue.case(case.info.id).state == "ready"


def test_an_import_cut_short_without_its_source_says_so(session: Session, folder: Path) -> None:
    case = opened(session, folder)
    commands.set_label(session, case, LIVER)
    case.loading.wait()
    commands.close_case(session, case)
    session.workspace.catalogue._update(case.info.id, state="importing")
    image = session.workspace.image_path(case.info.id)
    image.rename(image.with_name(".left-over"))
    folder.rename(folder.with_name("moved"))
    with pytest.raises(InputError, match="its source is not there"):
        commands.open_case(session, case.info.id)


def test_a_discarded_case_is_gone_with_its_files(session: Session, folder: Path) -> None:
    case = opened(session, folder)
    case.loading.wait()
    with pytest.raises(ReadOnly):
        commands.discard_case(session, case.info.id)
    commands.close_case(session, case)
    commands.discard_case(session, case.info.name)
    assert commands.recent_cases(session) == ()
    assert not list((session.folder / "series").iterdir())


def test_a_flipped_byte_of_the_image_is_an_error_not_a_picture(
    session: Session, folder: Path
) -> None:
    case = opened(session, folder)
    case.loading.wait()
    commands.close_case(session, case)
    image = session.workspace.image_path(case.info.id)
    chunk = max((p for p in image.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 1
    chunk.write_bytes(content)
    with pytest.raises(IntegrityError):
        commands.open_case(session, case.info.id).loading.wait()


def test_nothing_of_the_patient_lies_in_the_workspace_in_the_clear(
    session: Session, folder: Path
) -> None:
    case = opened(session, folder)
    commands.set_label(session, case, LIVER)
    case.loading.wait()
    commands.save_version(session, case)
    commands.close_case(session, case)
    session.close()
    words = (b"DEMO", b"Generated head", b"2.25.", b"Liver", b"study")
    for path in session.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [word for word in words if word in content], path.name
    assert not [p for p in session.folder.rglob("*") if "DEMO" in p.name]


def test_a_case_is_found_by_number_name_and_id(session: Session, folder: Path) -> None:
    case = opened(session, folder)
    case.loading.wait()
    commands.close_case(session, case)
    for name in ("1", "Case 0001", "case-0001", case.info.id, case.segmentation_id):
        found = commands.open_case(session, name)
        assert found.info.id == case.info.id
        commands.close_case(session, found)
    with pytest.raises(InputError, match="Case 0001"):
        commands.open_case(session, "7")


def test_a_copy_with_the_same_headers_and_other_voxels_is_another_case(
    session: Session, folder: Path, tmp_path: Path, hu: np.ndarray, grid: Geometry
) -> None:
    first = opened(session, folder)
    first.loading.wait()
    commands.close_case(session, first)
    other = hu.copy()
    other[4, 10:20, 10:20] = -1000
    write_ct_series(tmp_path / "copy", other, grid)
    second = opened(session, tmp_path / "copy")
    second.loading.wait()
    assert second.info.id != first.info.id
    np.testing.assert_array_equal(second.volume.levels[0][:], other)
    commands.close_case(session, second)


def test_an_ome_zarr_is_found_opened_and_exported_on_its_own_grid(
    session: Session, folder: Path, tmp_path: Path, hu: np.ndarray, grid: Geometry
) -> None:
    commands.convert(session, folder, tmp_path / "ct.ome.zarr")
    case = opened(session, tmp_path / "ct.ome.zarr")
    case.loading.wait()
    np.testing.assert_array_equal(case.volume.levels[0][:], hu)
    assert case.volume.source.geometry.difference_mm(grid) < 1e-3
    commands.close_case(session, case)


def test_a_ct_whose_values_need_more_bits_than_its_headers_suggest_opens_exactly(
    session: Session, tmp_path: Path, grid: Geometry, hu: np.ndarray
) -> None:
    voxels = hu.astype(np.int32)
    paths = write_ct_series(tmp_path / "wide", hu, grid)
    for k, path in enumerate(paths):
        dataset = pydicom.dcmread(path)
        dataset.BitsStored, dataset.HighBit = 16, 15
        if k == 1:  # no slice that opening looks at
            stored = dataset.pixel_array.copy()
            stored[3, 4] = 65000
            dataset.PixelData = stored.tobytes()
            voxels[k, 3, 4] = 65000 - 1024
        dataset.save_as(path)
    info = commands.import_series(session, tmp_path / "wide")
    case = commands.open_case(session, info.id)
    case.loading.wait()
    np.testing.assert_array_equal(case.volume.levels[0][:], voxels)
    commands.close_case(session, case)
    commands.convert(session, tmp_path / "wide", tmp_path / "wide.nii.gz")
    np.testing.assert_array_equal(formats.read(tmp_path / "wide.nii.gz").levels[0][:], voxels)
