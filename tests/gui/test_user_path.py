"""One afternoon: open, paint in each view, interpolate, undo, lose the process, go on, export.

The window that is lost is one of its own, in another process, and is killed without a word.
Pictures of each step are kept in the folder that MEDLABEL_SHOTS names, to be looked at.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.phantom import write_ct_series
from napari_medlabel.ui.panel import EXPORT
from napari_medlabel.ui.sight import Proposal
from tests.gui.real_window import Window, wait_until

ROOT = Path(__file__).parents[2]
SHAPE = (40, 96, 88)
DRAWN = "drawn.npy"
SPACING_MM = (3.0, 1.5, 1.5)


def shoot(name: str) -> None:
    """Keep a picture of the screen, where somebody asked for pictures."""
    folder = os.environ.get("MEDLABEL_SHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        QApplication.primaryScreen().grabWindow(0).save(str(Path(folder) / f"{name}.png"))


@pytest.fixture
def large_study(tmp_path: Path) -> Path:
    """A CT with room for strokes in every view."""
    k, j, i = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    body = ((j - 48) / 44) ** 2 + ((i - 44) / 40) ** 2 < 1.0
    hu = np.where(body, 30 + 2 * k, -1000).astype(np.int16)
    grid = Geometry.from_spacing(SHAPE, SPACING_MM, (-66.0, -72.0, -500.0))
    write_ct_series(tmp_path / "study", hu, grid)
    return tmp_path / "study"


def paint_in_each_view(window: Window) -> None:
    """A stroke in the axial, the coronal and the sagittal view, each with another segment."""
    drawing = window.drawing
    for number, (start, end) in enumerate((
        ((20, 30, 30), (20, 40, 50)), ((8, 48, 30), (14, 48, 40)), ((30, 60, 44), (34, 70, 44)),
    )):  # fmt: skip
        drawing.add_segment()
        drawing.sight.move_to(start)
        drawing.looking.set_plane(number)
        window.rest(0.1)
        before = drawing.case.segmentation.voxels(drawing.choices.active)
        window.stroke(start, tuple((a + b) // 2 for a, b in zip(start, end, strict=True)), end)
        assert before == 0
        assert drawing.case.segmentation.voxels(drawing.choices.active) > 20
        shoot(f"{number + 1}-painted-in-{drawing.looking.view.plane.name.lower()}")


def interpolate(window: Window) -> None:
    """Two slices of the first segment, and those between them."""
    drawing = window.drawing
    drawing.looking.set_plane(0)
    drawing.pick(1)
    drawing.sight.move_to((28, 35, 40))
    window.rest(0.1)
    window.stroke((28, 32, 32), (28, 40, 48))
    before = drawing.case.segmentation.voxels(1)
    window.press("G")
    drawing.tools.propose("interpolate")
    wait_until(lambda: isinstance(drawing.proposals.open, Proposal), "a preview")
    shoot("4-interpolation-offered")
    assert drawing.case.segmentation.voxels(1) == before
    window.press("Return")
    assert drawing.case.segmentation.voxels(1) > before
    assert set(drawing.case.segmentation.slices(1)) == set(range(20, 29))
    shoot("5-interpolated")


def work_until_killed(workspace: str, study: str) -> None:
    """What the other process does; its last words are that it waits to be killed."""
    _application = QApplication.instance() or QApplication([])
    window = Window(Path(workspace))
    window.frame.resize(1500, 950)
    window.open_study(Path(study))
    window.drawing.tools.set_tool("paint")
    window.drawing.delete(1)  # the one that the brush made, so that numbers are ours
    paint_in_each_view(window)
    interpolate(window)
    if window.drawing.choices.tool != "paint":
        window.press("P")
    segmentation = window.drawing.case.segmentation
    before = segmentation.voxels(1)
    window.stroke((28, 70, 20), (28, 75, 30))
    assert segmentation.voxels(1) > before
    window.press("Ctrl+Z")
    assert segmentation.voxels(1) == before
    shoot("6-undone")
    window.stroke((28, 20, 60), (28, 26, 66))  # the last stroke: nobody waits for it to be saved
    assert segmentation.voxels(1) > before
    np.save(Path(workspace).parent / DRAWN, window.drawing.case.segmentation.labels)
    sys.stdout.write("drawn\n")
    sys.stdout.flush()
    window.rest(120.0)


def test_a_killed_window_loses_no_stroke_and_the_case_goes_on_to_its_export(
    open_windows: Callable[..., Window], large_study: Path, tmp_path: Path
) -> None:
    workspace = tmp_path / "workspace"
    call = f"import {__name__} as t; t.work_until_killed({str(workspace)!r}, {str(large_study)!r})"
    log = tmp_path / "log.txt"
    with log.open("w") as errors, subprocess.Popen(
        [sys.executable, "-c", call], cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True,
    ) as other:  # fmt: skip
        assert other.stdout is not None
        said = next((line for line in other.stdout if line == "drawn\n"), "")
        other.send_signal(signal.SIGKILL)
        assert other.wait(30) == -signal.SIGKILL, log.read_text()
    assert said, log.read_text()
    drawn = np.load(tmp_path / DRAWN)

    window = open_windows(workspace)
    (recent,) = window.desk.recent()
    window.desk.open_case(recent.id)
    window.idle()
    drawing = window.drawing
    shoot("7-opened-again")
    np.testing.assert_array_equal(drawing.case.segmentation.labels, drawn)
    assert not drawing.read_only  # whoever held it is gone
    assert set(np.unique(drawn)) == {0, 1, 2, 3}
    assert set(drawing.case.segmentation.slices(1)) == set(range(20, 29))

    # Its history goes on too: the last stroke, and the interpolation before it.
    window.press("Ctrl+Z")
    window.press("Ctrl+Z")
    assert set(drawing.case.segmentation.slices(1)) == {20, 28}
    window.press("Ctrl+Y")
    window.press("Ctrl+Y")
    np.testing.assert_array_equal(drawing.case.segmentation.labels, drawn)

    window.panel.choose_tab(EXPORT)
    window.panel.export.set_folder(tmp_path / "out")
    window.click(window.panel.export.run)
    window.idle()
    assert window.desk.error is None
    shoot("8-exported")
    (file,) = (tmp_path / "out").glob("*.nii.gz")
    written = nibabel.load(file)
    values = np.asarray(written.dataobj)
    # By the file's own matrix: every voxel is where it was drawn, LPS as the study's headers say.
    ras = nibabel.affines.apply_affine(written.affine, np.argwhere(values == 2))
    kji = np.argwhere(drawn == 2)
    lps = kji[:, ::-1] * np.array(SPACING_MM[::-1]) + (-66.0, -72.0, -500.0)
    found = np.unique(np.round(ras * (-1, -1, 1), 2), axis=0)
    np.testing.assert_allclose(found, np.unique(np.round(lps, 2), axis=0), atol=0.02)
