from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.phantom import write_ct_series
from napari_medlabel.session import Session, local_session

# Oblique, anisotropic and not at the origin: an isotropic cube hides every mix-up of axes.
TURN = np.array([[0.0, 0.1, 0.9949874], [0.0, 0.9949874, -0.1], [1.0, 0.0, 0.0]])


@pytest.fixture
def grid() -> Geometry:
    matrix = np.eye(4)
    matrix[:3, :3] = TURN * (3.0, 0.8, 0.7)
    matrix[:3, 3] = (-20.0, -35.0, 12.0)
    return Geometry((9, 40, 48), matrix)


@pytest.fixture
def hu(grid: Geometry) -> np.ndarray:
    rng = np.random.default_rng(5)
    return rng.integers(-1000, 1500, grid.shape).astype(np.int16)


@pytest.fixture
def folder(tmp_path: Path, hu: np.ndarray, grid: Geometry) -> Path:
    write_ct_series(tmp_path / "study" / "ct", hu, grid)
    return tmp_path / "study"


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("MEDLABEL_KEYRING", "off")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("MEDLABEL_WORKSPACE", str(tmp_path / "workspace"))
    opened = local_session()
    yield opened
    opened.close()
