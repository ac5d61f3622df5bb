import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_medlabel import formats
from napari_medlabel.cli import main
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.phantom import Study, write_ct_series
from napari_medlabel.session import Session

pytestmark = pytest.mark.usefixtures("session")


def answer(capsys: pytest.CaptureFixture[str], *argv: object) -> dict:
    capsys.readouterr()
    assert main([str(word) for word in argv]) == 0
    out = capsys.readouterr().out
    return json.loads(out)


def complaint(capsys: pytest.CaptureFixture[str], *argv: object) -> str:
    """What one line stderr says of a bad input; stdout stays empty."""
    capsys.readouterr()
    assert main([str(word) for word in argv]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("medlabel: ")
    assert captured.err.count("\n") == 1
    return captured.err


def test_scan_answers_one_document_without_the_patient(
    capsys: pytest.CaptureFixture[str], folder: Path, grid: Geometry
) -> None:
    (folder / "note.txt").write_text("not an image")
    found = answer(capsys, "scan", folder, "--json")
    (series,) = found["series"]
    assert series["shape"] == list(grid.shape)
    assert series["regular"] is True
    assert series["modality"] == "CT"
    assert series["files"] == grid.shape[0]
    np.testing.assert_allclose(series["lps_from_kji"], grid.lps_from_kji, atol=1e-3)
    assert [one["file"] for one in found["skipped"]] == ["note.txt"]
    assert "DEMO" not in json.dumps(found)


def test_scan_prints_a_table_for_people(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert main(["scan", str(folder)]) == 0
    assert "CT" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["ct.nii.gz", "ct.nii", "ct.nrrd", "ct.mha", "ct.ome.zarr"])
def test_a_series_converts_to_every_format_and_back(  # noqa: PLR0913, PLR0917  # fixtures
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    tmp_path: Path,
    grid: Geometry,
    hu: np.ndarray,
    name: str,
) -> None:
    answer(capsys, "convert", folder, tmp_path / name, "--json")
    answer(capsys, "convert", tmp_path / name, tmp_path / "back.nii.gz", "--json")
    image = nib.load(tmp_path / "back.nii.gz")
    np.testing.assert_array_equal(np.asarray(image.dataobj).T, hu)
    np.testing.assert_allclose(image.affine, grid.to_nifti(), atol=2e-4)


def test_an_exported_pyramid_holds_no_identifier(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    answer(capsys, "convert", folder, tmp_path / "ct.ome.zarr", "--json")
    text = b"".join(p.read_bytes() for p in (tmp_path / "ct.ome.zarr").rglob("*.json"))
    assert b"2.25." not in text
    assert b"DEMO" not in text


def test_several_series_ask_for_a_choice_and_all_of_them_convert_at_once(
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    tmp_path: Path,
    grid: Geometry,
    hu: np.ndarray,
) -> None:
    write_ct_series(folder / "second", hu[:5], Geometry((5, *grid.shape[1:]), grid.lps_from_kji),
                    Study(seed=4), number=7)  # fmt: skip
    said = complaint(capsys, "convert", folder, tmp_path / "x.nii.gz")
    assert "there are 2 image series" in said
    assert "--series" in said
    assert not (tmp_path / "x.nii.gz").exists()
    index = answer(capsys, "convert", folder, tmp_path / "all", "--all", "--json")
    assert json.loads((tmp_path / "all" / "index.json").read_text()) == index
    shapes = {nib.load(tmp_path / "all" / one["file"]).shape[2] for one in index["volumes"]}
    assert shapes == {5, 9}
    assert index["refused"] == []


def test_a_series_with_a_gap_is_refused_with_numbers_and_the_others_convert(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, grid: Geometry, hu: np.ndarray
) -> None:
    write_ct_series(tmp_path / "in" / "whole", hu, grid, Study(seed=4), number=7)
    paths = write_ct_series(tmp_path / "in" / "gap", hu, grid)
    paths[4].unlink()
    series = answer(capsys, "scan", tmp_path / "in", "--json")["series"]
    (hurt,) = [one for one in series if not one["regular"]]
    assert [problem["code"] for problem in hurt["problems"]] == ["missing-slice"]
    said = complaint(
        capsys, "convert", tmp_path / "in", tmp_path / "x.nii.gz", "--series", hurt["number"]
    )
    assert "6.0" in said
    assert "3.0" in said
    assert main(["convert", str(tmp_path / "in"), str(tmp_path / "all"), "--all"]) == 1
    index = json.loads((tmp_path / "all" / "index.json").read_text())
    assert len(index["volumes"]) == 1
    assert [one["code"] for one in index["refused"]] == ["missing-slice"]


def test_import_label_export_and_compare(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, grid: Geometry
) -> None:
    labels = np.zeros(grid.shape, np.uint8)
    labels[2:5, 10:20, 8:30] = 1
    labels[5:7, 12:15, 8:10] = 4
    formats.write(labels, grid, tmp_path / "labels.nii.gz")
    case = answer(capsys, "import", folder, "--mask", tmp_path / "labels.nii.gz", "--json")["case"]
    assert (case["name"], case["state"], case["segments"]) == ("Case 0001", "ready", 2)
    listed = answer(capsys, "list", "--json")["cases"]
    assert [one["id"] for one in listed] == [case["id"]]
    exported = answer(capsys, "export", "1", tmp_path / "out", "--name", "mask", "--json")
    assert {one["file"] for one in exported["files"]} == {
        "mask.nii.gz", "mask.labels.json", "mask.provenance.json"
    }  # fmt: skip
    both = (tmp_path / "labels.nii.gz", tmp_path / "out" / "mask.nii.gz")
    rows = answer(capsys, "compare", *both, "--json")["labels"]
    assert [(row["value"], row["dice"]) for row in rows] == [(1, 1.0), (4, 1.0)]
    rows = answer(capsys, "stats", both[1], "--json")["labels"]
    assert {row["value"]: row["voxels"] for row in rows} == {1: 660, 4: 12}
    assert answer(capsys, "versions", "1", "--json")["versions"][0]["number"] == 1
    assert answer(capsys, "restore", "1", "1", "--json")["voxels"] == 0
    assert answer(capsys, "diff", "1", "1", "--json")["labels"][0]["voxels_gained"] == 0


def test_the_doctor_finds_no_network_module(capsys: pytest.CaptureFixture[str]) -> None:
    checks = answer(capsys, "doctor", "--network", "--json")["checks"]
    assert {check["name"]: check["ok"] for check in checks}["network"] is True


def test_the_doctor_says_which_engine_answers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    checks = {one["name"]: one for one in answer(capsys, "doctor", "--json")["checks"]}
    assert checks["engine"]["ok"] is False
    assert "classic answers" in checks["engine"]["found"]
    assert "[ai]" in checks["engine"]["found"]


@pytest.mark.parametrize("words", [[], ["--help"], ["scan", "--help"]])
def test_help_is_there(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(words) in (0, 2)
    captured = capsys.readouterr()
    assert "medlabel" in captured.out + captured.err


def test_a_wrong_word_is_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scam"]) == 2
    assert main(["scan"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_an_empty_folder_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    complaint(capsys, "scan", tmp_path / "empty")
    complaint(capsys, "convert", tmp_path / "empty", tmp_path / "x.nii.gz")


@pytest.mark.parametrize("name", ["nothing here", "nöthing\nhere", "x" * 80])
def test_a_path_that_is_not_there_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    complaint(capsys, "scan", tmp_path / name)
    complaint(capsys, "stats", tmp_path / f"{name}.nii.gz")


def test_a_text_file_is_one_clear_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "notes.nii.gz"
    path.write_text("these are notes")
    complaint(capsys, "scan", path)
    complaint(capsys, "convert", path, tmp_path / "x.nii.gz")


def test_a_truncated_file_is_named_and_nothing_is_written(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    path = min((folder / "ct").iterdir())
    path.write_bytes(path.read_bytes()[:-500])
    complaint(capsys, "convert", folder, tmp_path / "x.nii.gz")
    assert not (tmp_path / "x.nii.gz").exists()
    assert not list(tmp_path.glob(".*"))


def test_paths_with_spaces_umlauts_and_newlines_work(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    strange = folder.rename(tmp_path / "eine schöne\nStudie")
    answer(capsys, "scan", strange, "--json")
    answer(capsys, "convert", strange, tmp_path / "schön\n1.nii.gz", "--json")
    assert (tmp_path / "schön\n1.nii.gz").exists()


def test_an_existing_output_is_kept_without_force(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "x.nii.gz"
    out.write_text("mine")
    assert "exists already" in complaint(capsys, "convert", folder, out)
    assert out.read_text() == "mine"
    answer(capsys, "convert", folder, out, "--force", "--json")
    assert out.read_bytes()[:2] == b"\x1f\x8b"


def in_another_process(*words: object, before: str = "") -> subprocess.CompletedProcess[str]:
    """The command line with no right to pass over file permissions, after a line of Python."""
    code = f"import sys, resource\n{before}\nfrom napari_medlabel.cli import main\nsys.exit(main())"
    argv = [sys.executable, "-c", code, *map(str, words)]
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("the superuser may write everywhere, and setpriv is not here")
        argv = [setpriv, "--bounding-set=-all", "--inh-caps=-all", *argv]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def test_a_read_only_destination_is_one_clear_line(folder: Path, tmp_path: Path) -> None:
    shut = tmp_path / "shut"
    shut.mkdir()
    shut.chmod(0o500)
    ended = in_another_process("convert", folder, shut / "x.nii.gz")
    assert ended.returncode == 1
    assert "cannot be written" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert list(shut.iterdir()) == []


def test_files_without_permission_are_one_clear_line(folder: Path, tmp_path: Path) -> None:
    for path in (folder / "ct").iterdir():
        path.chmod(0)
    ended = in_another_process("convert", folder, tmp_path / "x.nii.gz")
    assert ended.returncode == 1
    assert ended.stderr.startswith("medlabel: ")
    assert ended.stderr.count("\n") == 1
    assert "Traceback" not in ended.stderr
    (folder / "ct").chmod(0)
    ended = in_another_process("scan", folder / "ct")
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    (folder / "ct").chmod(0o700)


@pytest.mark.parametrize("name", ["x.nii.gz", "x.nii", "x.nrrd", "x.mha", "x.ome.zarr"])
def test_a_full_disk_is_one_clear_line_and_leaves_nothing(
    folder: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    full = "resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))"
    ended = in_another_process("convert", folder, out / name, before=full)
    assert ended.returncode == 1, ended.stderr
    assert "disk is full" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert list(out.iterdir()) == []


def test_a_bug_exits_70_and_shows_no_value(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    def broken(*_args: object, **_options: object) -> None:
        raise KeyError("DOE^JANE")

    monkeypatch.setattr("napari_medlabel.commands.scan", broken)
    assert main(["scan", str(folder)]) == 70
    said = capsys.readouterr().err
    assert "this is a bug: KeyError" in said
    assert "DOE" not in said


def test_a_locked_workspace_of_a_newer_format_is_refused(
    capsys: pytest.CaptureFixture[str], session: Session
) -> None:
    session.folder.mkdir(parents=True)
    (session.folder / "workspace.json").write_text('{"format": 99, "id": "a"}')
    assert "format 99" in complaint(capsys, "list")


def test_the_window_without_qt_names_the_extra_that_is_missing() -> None:
    names = "('PySide6', 'PyQt6', 'PySide2', 'PyQt5')"
    ended = in_another_process("open", before=f"for n in {names}: sys.modules[n] = None")
    assert ended.returncode == 1
    assert 'pip install "napari-medlabel[pyside]"' in ended.stderr.replace("\n", " ")
    assert ended.stderr.count("\n") == 1


def test_the_window_without_a_screen_says_so() -> None:
    names = "('DISPLAY', 'WAYLAND_DISPLAY', 'QT_QPA_PLATFORM')"
    before = f"import os\nfor n in {names}: os.environ.pop(n, 0)"
    ended = in_another_process("open", before=before)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "no screen" in ended.stderr
