"""The window's times on a generated CT, beside SimpleITK reading it and napari showing it bare.

    xvfb-run -a python benchmarks/window.py [--slices 600] [--rounds 3]

Scan, first slice and re-opening are ratios to a full read with SimpleITK's ImageSeriesReader,
taken in turn, files warm; scrolling is in milliseconds and as a ratio to a bare numpy layer.
Each step is a real one: the position moves and all three views are painted; napari paints one.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813  # as everybody calls it
from napari import Viewer
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication

from napari_medlabel import commands
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.phantom import write_ct_series
from napari_medlabel.session import local_session
from napari_medlabel.ui._napari_compat import canvas_widget
from napari_medlabel.ui.panel import MedlabelPanel
from napari_medlabel.ui.state import series_rows
from napari_medlabel.ui.views import PLANES, show_plane
from napari_medlabel.ui.window import open_window, panel_of

STEPS = 60


def write_phantom(folder: Path, slices: int) -> None:
    """A trunk-like CT of 512 x 512: fat, muscle, bone, lungs and noise."""
    rng = np.random.default_rng(7)
    grid = Geometry.from_spacing((slices, 512, 512), (1.0, 0.7, 0.7))
    j, i = np.ogrid[-1:1:512j, -1:1:512j]
    hu = np.empty(grid.shape, np.int16)
    for k in range(slices):
        wide = 0.8 + 0.05 * np.sin(k / 40.0)
        r = (j / 0.62) ** 2 + (i / wide) ** 2
        plane = np.select([r > 1.0, r > 0.86], [-1000.0, -90.0], 45.0)
        plane[((j / 0.4) ** 2 + ((np.abs(i) - 0.35) / 0.25) ** 2) < 1.0] = -820.0
        plane[((j - 0.45) ** 2 + i**2) < 0.01] = 900.0
        hu[k] = np.rint(plane + rng.normal(0.0, 18.0, plane.shape)).clip(-1000, 3000)
    write_ct_series(folder, hu, grid)


def read_with_simpleitk(folder: Path) -> np.ndarray:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return sitk.GetArrayViewFromImage(reader.Execute())


def seconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def until(true: Callable[[], object]) -> None:
    while not true():
        QApplication.processEvents()
        time.sleep(0.0005)  # an event loop sleeps too; without it this thread starves the others


def seen(panel: MedlabelPanel) -> bool:
    """True once the first slice has been painted, on the canvas or before it is ready."""
    return panel.page.first.painted_at > 0.0 or drawn(panel)


def drawn(panel: MedlabelPanel) -> bool:
    """True once the large view has been painted with a slice of the case in it."""
    if panel.desk.drawing is None:
        assert panel.desk.error is None, panel.desk.error
        return False
    view = panel.desk.drawing.looking.view
    if not view.painted_times:
        return False
    picture = view.grab().toImage()
    middle = picture.copy(picture.width() // 2 - 32, picture.height() // 2 - 32, 64, 64)
    return any(middle.pixelColor(n, n).red() > 10 for n in range(64))


def put_away(panel: MedlabelPanel) -> None:
    panel.desk.close_case()
    until(lambda: panel.desk.busy is None)
    QApplication.processEvents()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    panel.page.first.painted_at = 0.0


def step_times_ms(panel: MedlabelPanel, axis: int, steps: int = STEPS) -> list[float]:
    """How long each of some steps takes until every view has been painted."""
    drawing = panel.desk.drawing
    assert drawing is not None
    views, sight, times = drawing.looking.room.planes, drawing.sight, []
    last = sight.shape[axis] - 1
    here = last // 3
    for n in range(steps):
        before = [view.painted_times for view in views]
        start = time.perf_counter()
        sight.move_along(axis, here + n % max(last - here, 1) + 1)
        while any(view.painted_times == old for view, old in zip(views, before, strict=True)):
            QApplication.processEvents()
        times.append((time.perf_counter() - start) * 1000.0)
    return times


def napari_step_times_ms(viewer: Viewer, steps: int = STEPS) -> list[float]:
    """The same of napari's own canvas, which shows one plane."""
    canvas = canvas_widget(viewer)
    axis = viewer.dims.order[0]
    here, last = viewer.dims.current_step[axis], viewer.dims.nsteps[axis] - 1
    times, frames = [], []

    def note() -> None:
        frames.append(None)

    canvas.frameSwapped.connect(note)
    for n in range(steps):
        start, before = time.perf_counter(), len(frames)
        viewer.dims.set_current_step(axis, here + n % max(last - here, 1))
        while len(frames) == before:
            QApplication.processEvents()
        times.append((time.perf_counter() - start) * 1000.0)
    canvas.frameSwapped.disconnect(note)
    return times


def p95(times: list[float]) -> float:
    return float(np.percentile(times, 95))


def line(name: str, value: str, limit: str, *, ok: bool) -> None:
    print(f"{name:44} {value:>34}   {limit:>10}  {'holds' if ok else 'MISSED'}")


def ratios(name: str, ours: list[float], peer: list[float], limit: float) -> None:
    found = [a / b for a, b in zip(ours, peer, strict=True)]
    middle = statistics.median(found)
    words = f"{middle:.3f} ({min(found):.3f}-{max(found):.3f}), {statistics.median(ours):.2f} s"
    line(name, words, f"<= {limit}", ok=middle <= limit)


def opening(panel: MedlabelPanel, folder: Path, rounds: int) -> None:
    """First slice, scan and first slice, re-opening: each beside a full read, in turn."""
    desk, session = panel.desk, panel.desk.session
    first, usable, both, again, full = [], [], [], [], []
    for _round in range(rounds):
        full.append(seconds(lambda: read_with_simpleitk(folder)))
        start = time.perf_counter()
        (row,) = series_rows(commands.scan(session, folder).series)
        scanned = time.perf_counter()
        desk.open_row(row)
        until(lambda: seen(panel))
        shown = panel.page.first.painted_at or time.perf_counter()
        until(lambda: drawn(panel))
        usable.append(time.perf_counter() - scanned)
        first.append(shown - scanned)
        both.append(shown - start)
        case = desk.drawing.case if desk.drawing else None
        assert case is not None
        until(lambda case=case: case.loading.finished)
        case_id = case.info.id
        put_away(panel)
        start = time.perf_counter()
        desk.open_case(case_id)
        until(lambda: seen(panel))
        again.append((panel.page.first.painted_at or time.perf_counter()) - start)
        until(lambda: drawn(panel))
        put_away(panel)
        commands.discard_case(session, case_id)
    ratios("choosing a series to its first slice", first, full, 0.10)
    ratios("scan and first slice", both, full, 0.50)
    words = f"{statistics.median(usable):.2f} s, {max(usable):.2f} at most"
    line("choosing a series to a canvas one can draw on", words, "", ok=True)
    slow = max(again)
    line("re-opening to the first slice", f"{slow:.2f} s at most", "<= 0.5 s", ok=slow <= 0.5)


def scrolling(panel: MedlabelPanel, folder: Path) -> None:
    """Steps while slices arrive, then in each plane, beside a bare numpy layer."""
    desk, viewer = panel.desk, panel.viewer
    (row,) = series_rows(commands.scan(desk.session, folder).series)
    desk.open_row(row)
    until(lambda: drawn(panel))
    assert desk.drawing is not None
    loading, slow = desk.drawing.case.loading, [0.0]
    while not loading.finished:
        slow += step_times_ms(panel, 0, 5)
    words = f"{max(slow):.1f} ms of {len(slow)} steps, p95 {p95(slow):.1f}"
    line("longest step while loading", words, "<= 50 ms", ok=max(slow) <= 50.0)
    until(lambda: desk.drawing and desk.drawing.state.loading is None)
    ours = {}
    for plane in PLANES:
        step_times_ms(panel, plane.axis, 5)
        ours[plane.name] = step_times_ms(panel, plane.axis)
    voxels = np.asarray(desk.drawing.case.volume.levels[0])
    put_away(panel)
    viewer.add_image(voxels, contrast_limits=(-150, 250), rgb=False)
    for plane in PLANES:
        show_plane(viewer, plane)
        QApplication.processEvents()
        napari_step_times_ms(viewer, 5)
        peer = napari_step_times_ms(viewer)
        mine = ours[plane.name]
        beside = statistics.median(mine) / statistics.median(peer)
        words = f"p95 {p95(mine):.1f} ms, {beside:.2f} of a bare layer's one view"
        line(f"{plane.name.lower()} step, three views", words, "<= 16 ms", ok=p95(mine) <= 16.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="medlabel-window-") as name:
        folder, os.environ["MEDLABEL_KEYRING"] = Path(name), "off"
        write_phantom(folder / "ct", chosen.slices)
        viewer = open_window(None, local_session(folder / "workspace"))
        panel = panel_of(viewer, local_session(folder / "workspace"))
        viewer.window._qt_window.resize(1600, 1000)
        until(panel.page.isVisible)
        read_with_simpleitk(folder / "ct")  # warm
        opening(panel, folder / "ct", chosen.rounds)
        scrolling(panel, folder / "ct")
        panel.shut()
        viewer.close()


if __name__ == "__main__":
    main()
