"""The longest time in which the window answers nobody, on each path: reported, and bounded."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.gui.real_window import Window, wait_until
from tests.gui.watchdog import Watchdog

# Machines differ, and so does their load: benchmarks/annotate.py measures, this only guards.
LONGEST_MS = 3000.0


def test_no_path_leaves_the_window_without_an_answer(
    window: Window, study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dogs: list[Watchdog] = []

    @contextmanager
    def path(name: str) -> Iterator[None]:
        with Watchdog(name) as dog:
            yield
        dogs.append(dog)

    with path("open a study"):
        window.open_study(study)
    drawing = window.drawing
    window.press("P")
    k, j, i = (n // 2 for n in drawing.case.volume.shape)
    for number, name in enumerate(("axial", "coronal", "sagittal")):
        drawing.looking.set_plane(number)
        drawing.sight.move_to((k, j, i))
        window.rest(0.1)
        with path(f"paint in the {name} view"):
            window.stroke((k, j, i), (k, j, i))
    drawing.looking.set_plane(0)
    with path("undo and redo"):
        window.press("Ctrl+Z")
        window.press("Ctrl+Y")

    for tool in ("interpolate", "grow", "threshold", "islands"):
        with path(tool):
            drawing.tools.propose(tool, seed=(k, j, i), at_once=True)
            wait_until(lambda: not drawing.proposals.making, tool)
    with path("export"):
        window.panel.choose_tab(1)
        window.panel.export.set_folder(tmp_path / "out")
        window.click(window.panel.export.run)
        window.idle()
    with path("close the case"):
        window.desk.close_case()
        window.idle()
    with capsys.disabled():
        sys.stdout.write("\n" + "".join(f"{dog.line}\n" for dog in dogs))
    assert [dog.line for dog in dogs if dog.longest_ms > LONGEST_MS] == []
