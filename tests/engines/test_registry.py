"""Engines of other packages are found by their entry point, and cannot break ours."""

import sys
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.commands.segmenting import interactive
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.prompt import Point
from napari_medlabel.core.volume import Source, Volume
from napari_medlabel.engines.registry import chosen_engine, engines
from napari_medlabel.errors import InputError

CODE = """
import numpy as np
from napari_medlabel.engines.engine import Answer, EngineFacts

class Toy:
    name, title = "toy", "one voxel"
    def why_not(self):
        return ""
    def open(self, volume, *, device="auto", start=None, cancelled=lambda: False):
        return Session()

class Session:
    facts = EngineFacts("toy", model="nothing", version="1")
    def __init__(self):
        self.prompts, self.answer = (), Answer.nothing()
    def add(self, prompt, *, cancelled=lambda: False):
        self.prompts += (prompt,)
        box = tuple(slice(n, n + 1) for n in prompt.kji)
        self.answer = Answer(box, np.ones((1, 1, 1), np.float32))
        return self.answer
    def undo(self):
        self.prompts, self.answer = self.prompts[:-1], Answer.nothing()
        return self.answer
    def reset(self):
        self.prompts, self.answer = (), Answer.nothing()

class Unable(Toy):
    name = "unable"
    def why_not(self):
        return "it needs a quantum computer"

def broken():
    raise RuntimeError("secret")
"""
ENTRIES = """[napari_medlabel.engines]
toy = toy_engines:Toy
unable = toy_engines:Unable
broken = toy_engines:broken
none = toy_engines:Session
classic = toy_engines:Toy
"""


@pytest.fixture(autouse=True)
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that brings engines, as an installer lays it out."""
    info = tmp_path / "toy_engines-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-engines\nVersion: 1\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    (tmp_path / "toy_engines.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "toy_engines", raising=False)


def test_an_engine_of_another_package_answers() -> None:
    geometry = Geometry.from_spacing((4, 5, 6))
    volume = Volume((np.zeros((4, 5, 6)),), geometry, Source("generated", geometry))
    session = interactive(volume, engine="toy")
    mask = session.add(Point((1, 2, 3)))
    assert np.argwhere(mask).tolist() == [[1, 2, 3]]
    assert session.engine == "toy"


def test_all_are_listed_with_the_reason_why_some_cannot_run() -> None:
    listed = {one.name: one for one in engines()}
    assert [*listed][:2] == ["default", "classic"]
    assert listed["toy"].why_not == ""
    assert listed["toy"].source == "toy-engines"
    assert listed["unable"].why_not == "it needs a quantum computer"
    assert "cannot be loaded (RuntimeError)" in listed["broken"].why_not
    assert "is none" in listed["none"].why_not


def test_ours_cannot_be_replaced() -> None:
    assert chosen_engine("classic").title == "edges and likeness, no network"


@pytest.mark.parametrize(
    ("name", "words"),
    [("unable", "quantum"), ("broken", "cannot be loaded"), ("absent", "no engine with this name")],
)
def test_one_that_cannot_run_is_refused_with_the_reason(name: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        chosen_engine(name)
