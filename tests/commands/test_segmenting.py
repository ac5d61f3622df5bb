"""Prompts to a mask on a file, in a script and in a case: on the right voxels, or refused."""

import importlib.util
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

import napari_medlabel as medlabel
from napari_medlabel.cli import main
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.metrics import dice
from napari_medlabel.core.schema import Label

CENTER = (4, 20, 24)
LIVER, SPLEEN = Label(1, "Liver", "#FF8000"), Label(2, "Spleen", "#33A680")


@pytest.fixture
def blob(grid: Geometry) -> np.ndarray:
    k, j, i = np.indices(grid.shape)
    steps = [(a - c) * mm for a, c, mm in zip((k, j, i), CENTER, (3.0, 0.8, 0.7), strict=True)]
    return sum(step**2 for step in steps) < 10.0**2


@pytest.fixture
def hu(blob: np.ndarray) -> np.ndarray:
    """A bright ball in noise, as a CT."""
    noise = np.random.default_rng(5).normal(-50.0, 10.0, blob.shape)
    return (noise + 150.0 * blob).astype(np.int16)


@pytest.fixture
def flipped(tmp_path: Path, hu: np.ndarray) -> Path:
    """A NIfTI whose axes run against the canonical ones, in another order."""
    turned = np.transpose(hu, (2, 0, 1))[::-1]  # the file's own (k, j, i) is (i, k, j) of the image
    affine = np.array([[0, 0, 0.8, 0], [0.7, 0, 0, 0], [0, 3.0, 0, 0], [0, 0, 0, 1.0]])
    path = tmp_path / "image.nii"
    nib.save(nib.Nifti1Image(turned.T, affine[:, [2, 1, 0, 3]]), path)
    return path


def prompts_file(folder: Path, *prompts: dict) -> Path:
    path = folder / "prompts.json"
    path.write_text(json.dumps({"prompts": list(prompts)}), encoding="utf-8")
    return path


@pytest.mark.usefixtures("session")
def test_the_mask_lies_on_the_files_own_grid(
    tmp_path: Path, flipped: Path, blob: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    own = np.transpose(blob, (2, 0, 1))[::-1]
    at = [blob.shape[2] - 1 - CENTER[2], CENTER[0], CENTER[1]]
    prompts = prompts_file(tmp_path, {"kind": "point", "kji": at})
    out = tmp_path / "mask.nii.gz"
    words = ["segment", str(flipped), "--prompts", str(prompts), "--out", str(out), "--json"]
    assert main([*words, "--engine", "classic"]) == 0
    document = json.loads(capsys.readouterr().out)
    mask = nib.load(out)
    found = np.asarray(mask.dataobj).T > 0
    assert dice(found, own) > 0.8
    np.testing.assert_allclose(mask.affine, nib.load(flipped).affine)
    assert document["engine"] == "classic"
    assert document["voxels"] == int(found.sum())
    assert document["file"] == "mask.nii.gz"


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    ("prompts", "words"),
    [
        ([], "there are no prompts"),
        ([{"kind": "point", "kji": [1, 1, 1], "include": False}], "all prompts exclude"),
        ([{"kind": "point", "kji": [0, 0, 4000]}], "outside of the image"),
        ([{"kind": "point", "kji": [0, 0]}], "prompt 1 cannot be used"),
    ],
)
def test_bad_prompts_are_one_line_and_nothing_is_written(
    tmp_path: Path, flipped: Path, capsys: pytest.CaptureFixture[str],
    prompts: list[dict], words: str,
) -> None:  # fmt: skip
    file, out = prompts_file(tmp_path, *prompts), tmp_path / "mask.nii.gz"
    assert main(["segment", str(flipped), "--prompts", str(file), "--out", str(out)]) == 1
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.err.count("\n") == 1
    assert not out.exists()


@pytest.mark.usefixtures("session")
def test_a_prompt_file_that_is_none_is_refused(
    tmp_path: Path, flipped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "prompts.json"
    file.write_text("{", encoding="utf-8")
    out = tmp_path / "mask.nii.gz"
    assert main(["segment", str(flipped), "--prompts", str(file), "--out", str(out)]) == 1
    assert "cannot be read as prompts" in capsys.readouterr().err


@pytest.mark.usefixtures("session")
def test_an_unknown_engine_is_refused(
    tmp_path: Path, flipped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = prompts_file(tmp_path), tmp_path / "mask.nii.gz"
    words = ["segment", str(flipped), "--prompts", str(file), "--out", str(out)]
    assert main([*words, "--engine", "magic"]) == 1
    assert "default, classic" in capsys.readouterr().err


@pytest.mark.usefixtures("session")
def test_engines_says_what_can_run_here_and_why_others_cannot(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["engines", "--json"]) == 0
    listed = {one["name"]: one for one in json.loads(capsys.readouterr().out)["engines"]}
    assert listed["classic"]["available"] is True
    able = all(importlib.util.find_spec(name) for name in ("torch", "monai"))
    assert listed["default"]["available"] is able
    assert bool(listed["default"]["why_not"]) is not able


def test_a_script_gets_masks_of_the_volumes_shape(flipped: Path) -> None:
    volume = medlabel.read(flipped)
    at = np.unravel_index(int(np.argmax(volume.levels[0][:])), volume.shape)
    session = medlabel.interactive(volume, engine="classic")
    mask = session.add(medlabel.Point(at, include=True))
    assert mask.shape == volume.shape
    assert mask[at]
    assert session.engine == "classic"
    assert not session.undo().any()
