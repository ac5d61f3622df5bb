"""A real window under a real X server."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.phantom import write_ct_series
from tests.gui.real_window import Window


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A folder with one small CT, anisotropic and not at the origin."""
    grid = Geometry.from_spacing((14, 60, 50), (4.0, 1.0, 1.5), (-37.0, -30.0, 411.5))
    k, j, i = np.ogrid[:14, :60, :50]
    body = ((j - 30) / 26) ** 2 + ((i - 25) / 22) ** 2 < 1.0
    hu = np.where(body, 40 + k, -1000).astype(np.int16)
    write_ct_series(tmp_path / "study", hu, grid)
    return tmp_path / "study"


@pytest.fixture
def open_windows(qapp: object, tmp_path: Path) -> Iterator[Callable[..., Window]]:
    """Makes windows on one workspace; closes them."""
    assert qapp is not None
    made: list[Window] = []

    def make(workspace: Path = tmp_path / "workspace") -> Window:
        made.append(Window(workspace))
        return made[-1]

    yield make
    for window in made:
        window.close()


@pytest.fixture
def window(open_windows: Callable[..., Window]) -> Window:
    """One window on an empty workspace."""
    return open_windows()
