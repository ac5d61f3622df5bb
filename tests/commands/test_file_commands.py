"""Files in and out, through the command line and the Python API."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

import napari_medlabel as medlabel
from napari_medlabel import formats
from napari_medlabel.cli import main
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.errors import InputError, OutputError
from napari_medlabel.export import MaskToExport, export_mask
from napari_medlabel.phantom import Study, write_ct_series
from tests.formats.made_dicom import ramp, save
from tests.formats.made_frames import pet

pytestmark = pytest.mark.usefixtures("session")
LONG = "x" * 300


def answer(capsys: pytest.CaptureFixture[str], *argv: object) -> dict:
    capsys.readouterr()
    assert main([str(word) for word in argv]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def complaint(capsys: pytest.CaptureFixture[str], *argv: object) -> str:
    """The one line on stderr of a run that ends with 1; stdout stays empty."""
    capsys.readouterr()
    assert main([str(word) for word in argv]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("medlabel: ")
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.fixture
def labels(grid: Geometry) -> np.ndarray:
    voxels = np.zeros(grid.shape, np.uint8)
    voxels[2:5, 10:20, 8:30] = 1
    voxels[5:7, 12:15, 8:10] = 4
    return voxels


@pytest.fixture
def mask(labels: np.ndarray, grid: Geometry, tmp_path: Path) -> Path:
    formats.write(labels, grid, tmp_path / "mask.nii.gz")
    return tmp_path / "mask.nii.gz"


# Names that no file can have


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".ome.zarr"])
def test_a_destination_with_a_name_that_is_too_long_is_refused_before_anything_is_read(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, ending: str
) -> None:
    said = complaint(capsys, "convert", folder, tmp_path / f"{LONG}{ending}")
    assert "name too long" in said


def test_no_name_is_too_long_for_a_clear_answer(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    complaint(capsys, "scan", tmp_path / LONG)
    complaint(capsys, "import", tmp_path / LONG)
    complaint(capsys, "convert", folder, tmp_path / LONG / "x.nii.gz")
    complaint(capsys, "convert", folder, tmp_path / LONG, "--all")
    complaint(capsys, "stats", tmp_path / LONG)
    complaint(capsys, "list", "--workspace", tmp_path / LONG)
    complaint(capsys, "open", tmp_path / LONG)
    complaint(capsys, "import", folder, "--schema", tmp_path / LONG)


def test_the_doctor_says_which_workspace_cannot_be_used(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    checks = answer(capsys, "doctor", "--json", "--workspace", tmp_path / LONG)["checks"]
    (workspace,) = [one for one in checks if one["name"] == "workspace"]
    assert not workspace["ok"]
    assert "too long" in workspace["found"]


@pytest.mark.parametrize("name", [LONG, "a\nb", os.fsdecode(b"a\xff"), "a/b", ".a", "a\x1b"])
def test_an_export_needs_a_name_that_files_and_checksums_can_hold(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, name: str
) -> None:
    answer(capsys, "import", folder, "--json")
    complaint(capsys, "export", "1", tmp_path / "out", "--name", name)
    assert list((tmp_path / "out").glob("**/*")) == []


def test_an_export_without_a_name_is_refused(mask: Path, tmp_path: Path) -> None:
    volume = medlabel.read(mask)
    request = MaskToExport(np.asarray(volume.levels[0]), volume.source, None, None)  # type: ignore[arg-type]
    with pytest.raises(OutputError, match="not a name"):
        export_mask(request, tmp_path, "")


def test_a_list_of_checksums_holds_any_letter(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    answer(capsys, "import", folder, "--json")
    answer(capsys, "export", "1", tmp_path, "--name", "Schädel", "--json")
    lines = (tmp_path / "Schädel.sha256").read_bytes().decode("utf-8").splitlines()
    assert all("  Schädel." in line for line in lines)


@pytest.mark.parametrize("text", ["[" * 200_000, '{"labels": [' + "[" * 200_000, "{", "[1]"])
def test_a_schema_file_that_is_none_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, text: str
) -> None:
    (tmp_path / "a.labels.json").write_text(text)
    said = complaint(capsys, "import", folder, "--schema", tmp_path / "a.labels.json")
    assert "schema" in said
    assert answer(capsys, "list", "--json")["cases"] == []


@pytest.mark.parametrize("words", [["scan"], ["convert"], ["convert", "--all"], ["import"]])
def test_the_name_of_a_file_that_was_found_is_not_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: list[str]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "Doe^John.pdf").write_text("a letter")
    verb, *rest = words
    out = [tmp_path / "x.nii.gz"] if verb == "convert" else []
    said = complaint(capsys, verb, tmp_path / "in", *out, *rest)
    assert "Doe" not in said
    assert str(tmp_path / "in") in said


# Values that are no labels


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.5, -1.0, 65536.0, 1e30])
def test_values_that_are_no_labels_are_one_clear_line(
    capsys: pytest.CaptureFixture[str], grid: Geometry, tmp_path: Path, mask: Path, value: float
) -> None:
    voxels = np.zeros(grid.shape, np.float32)
    voxels[1, 2, 3] = value
    path = tmp_path / "bad.nii"
    formats.write(voxels, grid, path)
    assert "not labels" in complaint(capsys, "stats", path)
    assert "not labels" in complaint(capsys, "compare", mask, path)


@pytest.mark.parametrize("value", [np.nan, np.inf, 2.5, 70000.0])
def test_a_mask_that_is_none_is_not_imported(
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    grid: Geometry,
    tmp_path: Path,
    value: float,
) -> None:
    voxels = np.zeros(grid.shape, np.float64)
    voxels[1, 2, 3] = value
    formats.write(voxels, grid, tmp_path / "bad.nii")
    said = complaint(capsys, "import", folder, "--mask", tmp_path / "bad.nii")
    assert "not labels" in said


def test_whole_numbers_in_floats_are_labels(
    capsys: pytest.CaptureFixture[str], labels: np.ndarray, grid: Geometry, tmp_path: Path
) -> None:
    formats.write(labels.astype(np.float32), grid, tmp_path / "floats.nii")
    rows = answer(capsys, "stats", tmp_path / "floats.nii", "--json")["labels"]
    assert {row["value"]: row["voxels"] for row in rows} == {1: 660, 4: 12}


def test_which_of_two_masks_is_damaged_is_said(
    capsys: pytest.CaptureFixture[str], mask: Path, tmp_path: Path
) -> None:
    (tmp_path / "cut.nii.gz").write_bytes(mask.read_bytes()[:-30])
    assert "cut.nii.gz" in complaint(capsys, "compare", mask, tmp_path / "cut.nii.gz")


# Everything at once


@pytest.fixture
def five(tmp_path: Path, hu: np.ndarray, grid: Geometry) -> Path:
    """Three whole series and two with a gap."""
    for number in range(1, 6):
        paths = write_ct_series(
            tmp_path / "in" / str(number), hu, grid, Study(seed=number), number=number
        )
        if number > 3:
            paths[4].unlink()
    return tmp_path / "in"


def test_all_targets_must_be_free_before_the_first_is_written(
    capsys: pytest.CaptureFixture[str], five: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "3-1.nii.gz").write_text("mine")
    assert "exists already" in complaint(capsys, "convert", five, out, "--all")
    assert [path.name for path in out.iterdir()] == ["3-1.nii.gz"]


def test_a_folder_in_the_way_is_found_before_the_first_is_written(
    capsys: pytest.CaptureFixture[str], five: Path, tmp_path: Path
) -> None:
    (tmp_path / "out" / "3-1.nii.gz").mkdir(parents=True)
    said = complaint(capsys, "convert", five, tmp_path / "out", "--all", "--force")
    assert "is a folder" in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["3-1.nii.gz"]


def test_refused_volumes_are_counted_in_one_line(
    capsys: pytest.CaptureFixture[str], five: Path, tmp_path: Path
) -> None:
    assert main(["convert", str(five), str(tmp_path / "out"), "--all", "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.err == "medlabel: 2 of 5 volumes were refused. See index.json\n"
    index = json.loads((tmp_path / "out" / "index.json").read_text())
    assert json.loads(captured.out) == index
    assert (len(index["volumes"]), len(index["refused"])) == (3, 2)


# OME-Zarr like any other file


def test_masks_in_ome_zarr_are_measured_compared_and_imported(
    capsys: pytest.CaptureFixture[str], folder: Path, mask: Path, tmp_path: Path
) -> None:
    zarr, image = tmp_path / "mask.ome.zarr", tmp_path / "image.ome.zarr"
    answer(capsys, "convert", mask, zarr, "--json")
    answer(capsys, "convert", folder, image, "--json")
    plain = answer(capsys, "stats", mask, "--image", image, "--json")
    assert answer(capsys, "stats", zarr, "--image", image, "--json") == plain
    rows = answer(capsys, "compare", mask, zarr, "--json")["labels"]
    assert [(row["value"], row["dice"]) for row in rows] == [(1, 1.0), (4, 1.0)]
    case = answer(capsys, "import", folder, "--mask", zarr, "--json")["case"]
    assert case["segments"] == 2


def test_an_ome_zarr_is_read_into_memory_like_any_other_file(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    answer(capsys, "convert", folder, tmp_path / "ct.ome.zarr", "--json")
    volume, again = medlabel.read(folder), medlabel.read(tmp_path / "ct.ome.zarr", series=1)
    assert isinstance(again.levels[0], np.ndarray)
    np.testing.assert_array_equal(again.levels[0], np.asarray(volume.levels[0]))
    assert again.geometry.same_grid(volume.geometry)
    assert (again.modality, again.unit, again.sha256) == ("CT", "HU", volume.sha256)
    with pytest.raises(InputError, match="one volume"):
        medlabel.read(tmp_path / "ct.ome.zarr", volume=2)


def test_pet_is_converted_to_suv_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "pet", pet())
    written = tmp_path / "suv.nii.gz"
    found = answer(capsys, "scan", tmp_path / "pet", "--json")
    assert found["series"][0]["quantities"] == [["SUVbw"]]
    answer(capsys, "convert", tmp_path / "pet", written, "--quantity", "SUVbw", "--json")
    factor = 70_000 / (1e8 / 2)
    expected = ramp((5, 4, 6))[0] * 2.0 * factor
    np.testing.assert_allclose(medlabel.read(written).levels[0][0], expected, rtol=1e-6)
    line = complaint(capsys, "convert", tmp_path / "pet", tmp_path / "x.nii", "--quantity", "ADC")
    assert "SUVbw" in line
