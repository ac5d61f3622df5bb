"""Models through the command line: from a folder to a mask with its licence in provenance."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

import napari_medlabel as medlabel
from napari_medlabel import commands
from napari_medlabel.cli import main
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.prompt import Point
from napari_medlabel.core.provenance import steps_of
from napari_medlabel.core.schema import Label
from napari_medlabel.core.segmentation import Change
from napari_medlabel.errors import InputError, PermissionDenied
from napari_medlabel.session import Permission, Session

pytest.importorskip("onnxruntime", reason="the extra 'onnx' is not installed")
pytest.importorskip("onnx", reason="the extra 'test' is not installed")
pytest.importorskip("torch", reason="the extra 'ai' is not installed")

from tests.engines import made_models as made  # needs torch


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEDLABEL_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """A model that finds what is bright, as an institution would describe it."""
    about = made.declared(
        title="Bright things", version="7", weights="model.onnx", network={},
        labels={"1": "bright"}, spacing_mm=None,
        intensity={"scale": "range", "low": -200, "high": 400, "to_low": -1, "to_high": 1},
    )  # fmt: skip
    return made.written(
        tmp_path / "stick" / "bright",
        {"medlabel-model.json": about, "model.onnx": made.onnx_bright(), "LICENSE": made.LICENSE},
    )


@pytest.fixture
def hu(grid: Geometry) -> np.ndarray:
    """Two bright boxes in dark noise."""
    image = np.random.default_rng(5).normal(-100.0, 10.0, grid.shape)
    image[2:6, 10:20, 12:20] = 300.0
    image[6:8, 28:34, 30:40] = 300.0
    return image.astype(np.int16)


@pytest.fixture
def flipped(tmp_path: Path, hu: np.ndarray) -> Path:
    """A NIfTI whose axes run against the canonical ones, in another order."""
    turned = np.transpose(hu, (2, 0, 1))[::-1]
    affine = np.array([[0, 0, 0.8, 0], [0.7, 0, 0, 0], [0, 3.0, 0, 0], [0, 0, 0, 1.0]])
    path = tmp_path / "image.nii"
    nib.save(nib.Nifti1Image(turned.T, affine[:, [2, 1, 0, 3]]), path)
    return path


def told(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("session")
def test_from_a_stick_to_a_mask_by_name_on_the_files_own_grid(
    tmp_path: Path, stick: Path, flipped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    added = told(capsys, "model", "add", str(stick))["model"]
    assert added["license"] == "An Example Licence 2.0"
    assert added["finds"] == ["bright"]
    assert told(capsys, "model", "list")["models"] == [added]
    listed = {one["name"]: one for one in told(capsys, "engines")["engines"]}
    assert listed["bright"]["finds"] == ["bright"]
    assert listed["bright"]["source"] == "installed model"
    out = tmp_path / "mask.nii.gz"
    words = ("segment", str(flipped), "--engine", "bright", "--automatic", "BRIGHT", "--out")
    done = told(capsys, *words, str(out))
    mask = np.asarray(nib.load(out).dataobj)
    np.testing.assert_array_equal(mask > 0, np.asarray(nib.load(flipped).dataobj) > 100)
    assert done["labels"] == {"1": "bright"}
    assert done["voxels"] == int((mask > 0).sum())
    assert told(capsys, "model", "verify")["ok"] is True
    assert main(["model", "remove", "bright"]) == 0
    capsys.readouterr()
    assert told(capsys, "model", "list")["models"] == []


@pytest.mark.usefixtures("session")
def test_words_for_people(stick: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "list"]) == 0
    assert "nothing to list" in capsys.readouterr().out
    assert main(["model", "add", str(stick), "--name", "shiny"]) == 0
    assert "shiny: Bright things 7" in (said := capsys.readouterr().out)
    assert "licence: An Example Licence 2.0" in said
    assert main(["model", "list"]) == 0
    assert "An Example Licence 2.0" in capsys.readouterr().out
    assert main(["engines"]) == 0
    assert "shiny" in capsys.readouterr().out
    assert main(["model", "verify", "shiny"]) == 0
    assert "as it was installed" in capsys.readouterr().out


@pytest.mark.usefixtures("session")
def test_a_damaged_model_is_told_and_ends_with_one(
    stick: Path, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(capsys, "model", "add", str(stick))
    (models / "bright" / "LICENSE").write_text("other terms")
    assert main(["model", "verify"]) == 1
    captured = capsys.readouterr()
    assert "LICENSE is not the file that was installed" in captured.out
    assert "a model is damaged" in captured.err


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["model", "add", "nowhere"], 1, "nothing at that path"),
        (["model", "remove", "nothing"], 1, "no model with this name"),
        (["model", "verify", "nothing"], 1, "no model with this name"),
        (["model", "add"], 2, "FOLDER|ZIP"),
    ],
)
def test_what_cannot_be_done_is_one_line_with_its_exit_code(
    capsys: pytest.CaptureFixture[str], words: list[str], code: int, said: str
) -> None:
    assert main(words) == code
    assert said in capsys.readouterr().err


@pytest.mark.usefixtures("session")
def test_a_program_is_refused_with_three(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = made.written(tmp_path / "two", {
        "medlabel-model.json": made.declared(weights="model.ts"), "model.ts": b"x",
    })  # fmt: skip
    assert main(["model", "add", str(folder)]) == 3
    assert "is a program" in capsys.readouterr().err


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing says what to segment"),
        (["--automatic", "liver"], "finds nothing of that name"),
        (["--automatic", "liver", "--engine", "classic"], "finds nothing by its name"),
    ],
)
def test_a_name_that_is_not_found_is_one_line_and_nothing_is_written(
    stick: Path, flipped: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    told(capsys, "model", "add", str(stick))
    out = flipped.with_name("mask.nii.gz")
    start = ["segment", str(flipped), "--out", str(out), "--engine", "bright"]
    assert main([*start, *words]) == 1
    assert said in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.usefixtures("session")
def test_a_name_corrected_by_a_prompt(
    tmp_path: Path, stick: Path, flipped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(capsys, "model", "add", str(stick))
    (tmp_path / "p.json").write_text(
        json.dumps({"prompts": [{"kind": "point", "kji": [12, 7, 30], "include": False}]})
    )
    out = tmp_path / "mask.nii.gz"
    words = ("segment", str(flipped), "--engine", "bright", "--automatic", "bright", "--out")
    image = np.asarray(nib.load(flipped).dataobj).T
    assert image[12, 7, 30] > 100
    done = told(capsys, *words, str(out), "--prompts", str(tmp_path / "p.json"))
    mask = np.asarray(nib.load(out).dataobj).T
    assert not mask[12, 7, 30]
    assert done["prompts"] == 1
    assert 0 < done["voxels"] < int((image > 100).sum())


def test_a_script_finds_by_name_and_corrects(session: Session, stick: Path, flipped: Path) -> None:
    commands.add_model(session, stick)
    volume = medlabel.read(flipped)
    asked = medlabel.interactive(volume, engine="bright")
    assert asked.names == ("bright",)
    found = asked.find("bright")
    np.testing.assert_array_equal(found, volume.levels[0][:] > 100)
    assert asked.found == "bright"
    asked.reset()
    assert asked.found == ""
    assert not asked.mask().any()


def test_an_accepted_answer_says_whose_weights_and_under_which_licence(
    session: Session, stick: Path, folder: Path
) -> None:
    added = commands.add_model(session, stick)
    (series,) = commands.scan(session, folder).series
    case = commands.open_series(session, series, found_at=folder)
    commands.set_label(session, case, Label(1, "Bright", "#FF8000"))
    case.loading.wait()
    asked = commands.assist(session, case, engine="bright")
    with pytest.raises(InputError, match="no answer yet"):
        commands.accept_answer(session, case, 1, asked)
    asked.find("bright")
    changes: list[Change] = []
    case.segmentation.watch(changes.append)
    commands.accept_answer(session, case, 1, asked)
    (step,) = steps_of(change.step for change in changes)
    settings = step.settings
    told_of = {key: settings[key] for key in ("engine", "sha256", "license", "version")}
    assert told_of == {
        "engine": "bright", "sha256": added["sha256"], "license": "An Example Licence 2.0",
        "version": "7",
    }  # fmt: skip
    assert settings["found_as"] == "bright"
    assert (case.segmentation.labels == 1).sum() > 100
    asked.ask(Point((4, 15, 15), include=False))
    commands.close_case(session, case)


def test_who_may_not_bring_things_in_adds_no_model(session: Session, stick: Path) -> None:
    session._permissions = frozenset({Permission.INSPECT})
    with pytest.raises(PermissionDenied):
        commands.add_model(session, stick)
    assert commands.models(session)["models"] == []


# A package of somebody else

ENGINE = '''
"""An engine that takes a ball round each click."""

import numpy as np
from napari_medlabel.core.prompt import check_inside, voxels_of
from napari_medlabel.engines.engine import Answer, EngineFacts
from napari_medlabel.errors import Cancelled, GeometryError, InputError


class Balls:
    name, title = "balls", "a ball round each click"

    def why_not(self):
        return ""

    def open(self, volume, *, device="auto", start=None, cancelled=lambda: False):
        if cancelled():
            raise Cancelled("called off")
        if device not in ("auto", "cpu"):
            raise InputError("no such device", "choose cpu")
        if len(volume.levels[0].shape) != 3:
            raise InputError("an image of three axes is needed")
        if start is not None and start.shape != volume.shape:
            raise GeometryError("the start is of another shape")
        return Session(volume.shape, volume.geometry.spacing_mm, start)


class Session:
    facts = EngineFacts("balls", version="1")

    def __init__(self, shape, spacing_mm, start):
        self.shape, self.spacing_mm = shape, spacing_mm
        self.first = np.zeros(shape, bool) if start is None else start
        self.prompts = ()

    @property
    def answer(self):
        mask = self.first.copy()
        grid = np.stack(np.indices(self.shape), -1) * self.spacing_mm
        for prompt in self.prompts:
            at = voxels_of(prompt, self.shape).mean(axis=0) * self.spacing_mm
            mask[((grid - at) ** 2).sum(-1) < 36.0] = prompt.include
        box = tuple(slice(0, n) for n in self.shape)
        return Answer(box, mask.astype(np.float32))

    def add(self, prompt, *, cancelled=lambda: False):
        check_inside(prompt, self.shape)
        if cancelled():
            raise Cancelled("called off")
        self.prompts += (prompt,)
        return self.answer

    def undo(self):
        self.prompts = self.prompts[:-1]
        return self.answer

    def reset(self):
        self.prompts = ()
'''
PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "medlabel-balls"
version = "1.0"
[project.entry-points."napari_medlabel.engines"]
balls = "medlabel_balls:Balls"
[tool.hatch.build.targets.wheel]
include = ["medlabel_balls.py"]
"""


@pytest.fixture(scope="module")
def somebodys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package with an engine, built and installed by pip into a folder of its own."""
    source, target = tmp_path_factory.mktemp("balls"), tmp_path_factory.mktemp("site")
    (source / "medlabel_balls.py").write_text(ENGINE, encoding="utf-8")
    (source / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
           "--no-build-isolation", "--disable-pip-version-check", "--target"]  # fmt: skip
    done = subprocess.run([*pip, target, source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def test_an_installed_package_adds_an_engine_that_keeps_its_promises(
    somebodys: Path, tmp_path: Path
) -> None:
    code = """
import json
from napari_medlabel.engines.registry import chosen_engine, engines
from napari_medlabel.testing import check_engine
check_engine(chosen_engine("balls"))
(found,) = [one.document() for one in engines() if one.name == "balls"]
print(json.dumps(found))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(somebodys), "MEDLABEL_MODELS": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "name": "balls", "title": "a ball round each click", "available": True, "why_not": "",
        "source": "medlabel-balls", "finds": [],
    }  # fmt: skip
