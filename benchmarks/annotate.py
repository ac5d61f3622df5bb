"""How the annotation window feels on a CT of 512 x 512 x 300, beside napari by itself.

    xvfb-run -a -s "-screen 0 1920x1200x24" python -m benchmarks.annotate [--slices 300]

Every time is from a real event to the drawn pixels, in one run on one machine. Beside it stands
napari doing the same where it can: a labels layer under its own brush, and three viewers that are
stepped together. Last, the longest gap between two turns of the event loop on each path.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import napari
import numpy as np
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from benchmarks.window import p95, write_phantom
from napari_medlabel import commands
from napari_medlabel.core.edit import Edit
from napari_medlabel.ui._napari_compat import canvas_widget
from napari_medlabel.ui.drawing import Drawing
from napari_medlabel.ui.panel import ANNOTATE, EXPORT
from napari_medlabel.ui.sight import Proposal
from tests.gui.real_window import Window, wait_until
from tests.gui.watchdog import Watchdog

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
MOVES, STEPS = 120, 60
ROW_MM = 0.7
LONGEST_S = 30.0  # what takes longer is not waited for
Times = list[float]


def milliseconds(
    act: Callable[[], object], done: Callable[[], bool], *, beside: bool = False
) -> float:
    """From the act until it is done, events being handled meanwhile; `beside` in a thread."""
    start = time.perf_counter()
    act()
    while not done():
        QApplication.processEvents()
        if beside:
            time.sleep(0.0005)  # as an event loop does; else this thread starves the other
        if time.perf_counter() - start > LONGEST_S:
            return float("nan")
    return (time.perf_counter() - start) * 1000.0


def row(name: str, limit_ms: float, ours: Times, peer: Times | None = None) -> None:
    """One line: ours, napari's, the ratio of medians, and whether 95 of 100 keep the limit."""
    words = f"{statistics.median(ours):8.1f} {p95(ours):8.1f}"
    beside = " " * 26
    if peer:
        ratio = statistics.median(ours) / statistics.median(peer)
        beside = f"{statistics.median(peer):8.1f} {p95(peer):8.1f} {ratio:8.2f}"
    kept = "holds" if p95(ours) <= limit_ms else "MISSED"
    print(f"{name:44} {words} {beside}  <= {limit_ms:5.0f} ms  {kept}", flush=True)


class Ours:
    """The window under test and its views."""

    def __init__(self, window: Window) -> None:
        self.window = window

    @property
    def drawing(self) -> Drawing:
        return self.window.drawing

    def painted(self, count: int = 3) -> Callable[[], bool]:
        """True once so many of the views have been painted from now on."""
        views = self.drawing.looking.room.planes[:count]
        before = [view.painted_times for view in views]
        return lambda: all(v.painted_times > n for v, n in zip(views, before, strict=True))

    def time(self, act: Callable[[], object], count: int = 3) -> float:
        return milliseconds(act, self.painted(count))

    def stroke(self, size_mm: float, shape: str) -> Times:
        """Each move of the pointer in the axial view."""
        tools, view = self.drawing.tools, self.drawing.looking.room.planes[0]
        tools.set_option("paint", "size_mm", size_mm)
        tools.set_option("paint", "shape", shape)
        self.window.rest(0.5)
        middle = view.rect().center()
        QTest.mousePress(view, LEFT, NONE, middle)
        times = [
            self.time(lambda p=place: QTest.mouseMove(view, middle + p), 1) for place in circle()
        ]  # fmt: skip
        QTest.mouseRelease(view, LEFT, NONE, middle + list(circle())[-1])
        self.window.rest(0.5)
        return times

    def steps(self) -> Times:
        """All three views at once."""
        sight = self.drawing.sight
        return [
            self.time(lambda n=n: sight.move_to((100 + n, 200 + n, 200 + n))) for n in range(STEPS)
        ]

    def crosshair(self) -> Times:
        """Shift and a drag in the axial view; the other two follow."""
        view = self.drawing.looking.room.planes[0]
        middle = view.rect().center()
        QTest.mousePress(view, LEFT, SHIFT, middle)
        times = [
            self.time(lambda p=place: QTest.mouseMove(view, middle + p)) for place in circle()
        ]  # fmt: skip
        QTest.mouseRelease(view, LEFT, SHIFT, middle)
        return times

    def proposed(self, ask: Callable[[], object]) -> float:
        """Until the preview is there and painted."""
        proposals = self.drawing.proposals
        proposals.reject()
        self.window.rest(0.2)
        taken = milliseconds(ask, lambda: isinstance(proposals.open, Proposal), beside=True)
        drawn = self.painted()
        self.drawing.sight.changed.emit()
        return taken + milliseconds(lambda: None, drawn)


def circle() -> Iterator[QPoint]:
    """Where the pointer goes, off its start."""
    for n in range(MOVES):
        yield QPoint(round(150 * np.cos(n / 10.0)), round(150 * np.sin(n / 10.0)))


def ball(shape: Sequence[int], voxels: float) -> np.ndarray:
    """A ball in the middle of so many voxels, as far as the volume has them."""
    k, j, i = np.ogrid[: shape[0], : shape[1], : shape[2]]
    radius = (voxels * 3.0 / (4.0 * np.pi)) ** (1.0 / 3.0)
    far = (k - shape[0] / 2) ** 2 + (j - shape[1] / 2) ** 2 + (i - shape[2] / 2) ** 2
    return far < radius**2


def fill(ours: Ours, mask: np.ndarray, value: int = 1) -> int:
    drawing = ours.drawing
    edit = Edit.fill(drawing.case.segmentation.labels, (0, 0, 0), mask, value)
    commands.paint(drawing.session, drawing.case, edit)
    ours.window.rest(0.8)
    return int(np.count_nonzero(mask))


def emptied(ours: Ours) -> None:
    """No voxel of the first segment."""
    labels = ours.drawing.case.segmentation.labels
    if labels.any():
        fill(ours, labels == 1, 0)


# Plain napari


class Plain:
    """Napari with the same image and an empty labels layer, in one viewer or three."""

    def __init__(self, voxels: np.ndarray) -> None:
        self.viewers = [napari.Viewer(show=True) for _n in range(3)]
        self.labels = np.zeros(voxels.shape, np.uint8)
        scale = (1.0, ROW_MM, ROW_MM)
        for viewer, order in zip(self.viewers, ((0, 1, 2), (1, 0, 2), (2, 0, 1)), strict=True):
            viewer.add_image(voxels, contrast_limits=(-160, 240), scale=scale)
            viewer.add_labels(self.labels, scale=scale)
            viewer.dims.order = order
            viewer.window._qt_window.resize(900, 900)
        self.frames = [0, 0, 0]
        for n, viewer in enumerate(self.viewers):
            canvas_widget(viewer).frameSwapped.connect(lambda n=n: self._drawn(n))
        settle(1.0)

    def _drawn(self, number: int) -> None:
        self.frames[number] += 1

    def drawn(self, numbers: Sequence[int]) -> Callable[[], bool]:
        before = list(self.frames)
        return lambda: all(self.frames[n] > before[n] for n in numbers)

    def stroke(self, pixels: int, dimensions: int) -> Times:
        viewer = self.viewers[0]
        layer, canvas = viewer.layers[1], canvas_widget(viewer)
        layer.mode, layer.brush_size, layer.n_edit_dimensions = "paint", pixels, dimensions
        settle(0.5)
        middle = canvas.rect().center()
        QTest.mousePress(canvas, LEFT, NONE, middle)
        times = [
            milliseconds(lambda p=place: QTest.mouseMove(canvas, middle + p), self.drawn([0]))
            for place in circle()
        ]  # fmt: skip
        QTest.mouseRelease(canvas, LEFT, NONE, middle)
        settle(0.5)
        return times

    def steps(self) -> Times:
        def step(n: int) -> None:
            for viewer in self.viewers:
                viewer.dims.current_step = (100 + n, 200 + n, 200 + n)

        return [milliseconds(lambda n=n: step(n), self.drawn([0, 1, 2])) for n in range(STEPS)]

    def undo(self) -> float:
        layer = self.viewers[0].layers[1]
        return milliseconds(layer.undo, self.drawn([0]))

    def redo(self) -> float:
        layer = self.viewers[0].layers[1]
        return milliseconds(layer.redo, self.drawn([0]))

    def fill(self, mask: np.ndarray) -> None:
        """As one step of its own history."""
        layer = self.viewers[0].layers[1]
        layer.data_setitem(np.nonzero(mask), 1)
        settle(1.0)

    def close(self) -> None:
        for viewer in self.viewers:
            viewer.close()
        settle(0.3)


def settle(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.002)


# The run


def feel(ours: Ours) -> None:
    """Strokes, steps, undo: beside napari."""
    drawing = ours.drawing
    plain = Plain(np.asarray(drawing.case.volume.levels[0]))
    drawing.add_segment()
    drawing.tools.set_tool("paint")
    print(f"{'':44} {'ours':>8} {'p95':>8} {'napari':>8} {'p95':>8} {'ratio':>8}")
    pixels = round(20.0 / ROW_MM)
    row(
        "stroke, disc of 20 mm, to the pixel",
        33,
        ours.stroke(20.0, "disc"),
        plain.stroke(pixels, 2),
    )
    again = [(ours.time(drawing.undo, 1), ours.time(drawing.redo, 1)) for _n in range(8)]
    beside = [(plain.undo(), plain.redo()) for _n in range(8)]
    row("  undo of it", 33, [a for a, _b in again], [a for a, _b in beside])
    row("  redo of it", 33, [b for _a, b in again], [b for _a, b in beside])
    pixels = round(15.0 / ROW_MM)
    row(
        "stroke, ball of 15 mm, to the pixel",
        33,
        ours.stroke(15.0, "ball"),
        plain.stroke(pixels, 3),
    )
    row("slice step, three views", 16, ours.steps(), plain.steps())
    mask = ball(drawing.case.volume.shape, 10_000_000)
    voxels = fill(ours, mask)
    plain.fill(mask)
    row(f"slice step with {voxels / 1e6:.1f} million labelled", 16, ours.steps(), plain.steps())
    again = [(ours.time(drawing.undo), ours.time(drawing.redo)) for _n in range(5)]
    beside = [(plain.undo(), plain.redo()) for _n in range(5)]
    row(
        f"undo of {voxels / 1e6:.1f} million voxels",
        300,
        [a for a, _b in again],
        [a for a, _b in beside],
    )
    row(
        f"redo of {voxels / 1e6:.1f} million voxels",
        300,
        [b for _a, b in again],
        [b for _a, b in beside],
    )
    plain.close()
    drag = ours.crosshair()
    row("crosshair drag, three views", 1000.0 / 30.0, drag)
    print(f"{'':44} {1000.0 / statistics.mean(drag):8.0f} redraws a second")


def tools(ours: Ours) -> None:
    """Previews: until they are painted."""
    drawing = ours.drawing
    if not drawing.case.segmentation.schema:
        drawing.add_segment()
    emptied(ours)
    limits = [(-200.0 + 5 * n, 200.0 + 5 * n) for n in range(STEPS)]
    drawing.tools.set_tool("threshold")
    ours.window.rest(0.3)
    row("threshold preview, a step", 100, [
        ours.time(lambda at=at: drawing.tools.set_option("threshold", "limits", at))
        for at in limits
    ])  # fmt: skip
    drawing.tools.set_tool("threshold")
    shape = drawing.case.volume.shape
    count = min(200, shape[0] - 20)
    first = (shape[0] - count) // 2
    tall = np.zeros(shape, bool)
    j, i = np.ogrid[: shape[1], : shape[2]]
    for k in range(first, first + count + 1, 5):
        wide = 60.0 + 30.0 * np.sin(k / 20.0)
        tall[k] = ((j - 250) / wide) ** 2 + ((i - 250 - k / 8.0) / 80.0) ** 2 < 1.0
    fill(ours, tall)
    row(f"interpolation of {count} slices", 2000, [
        ours.proposed(lambda: drawing.tools.propose("interpolate")) for _n in range(3)
    ])  # fmt: skip
    drawing.proposals.reject()
    seed = (shape[0] // 2, round(shape[1] * 0.32), shape[2] // 2)
    row("grow from a click", 1000, [
        ours.proposed(lambda: drawing.tools.propose("grow", seed=seed)) for _n in range(3)
    ])  # fmt: skip
    drawing.proposals.reject()


@contextmanager
def watched(path: str) -> Iterator[None]:
    with Watchdog(path) as dog:
        yield
    print(dog.line, flush=True)


def gaps(ours: Ours, folder: Path, out: Path) -> None:
    """The longest gap of the event loop on each path, and the most computed in one."""
    window = ours.window
    with watched("close the case"):
        window.desk.close_case()
        window.idle()
    with watched("open the study"):
        window.open_study(folder)
        window.rest(4.0)  # napari's layers are made while the hand rests
    drawing = ours.drawing
    with watched("layouts"):
        for layout in ("2x2", "single", "1+3"):
            drawing.looking.set_layout(layout)
            window.rest(0.3)
    with watched("to napari's own canvas and back"):
        for layout in ("napari", "1+3"):
            drawing.looking.set_layout(layout)
            window.rest(0.6)
    drawing.add_segment()
    drawing.tools.set_tool("paint")
    for number, name in enumerate(("axial", "coronal", "sagittal")):
        drawing.looking.set_active(number)
        with watched(f"paint in the {name} view"):
            k, j, i = drawing.sight.position
            window.stroke((k, j, i), (k, j + 20, i), (k + 9, j, i + 20))
    with watched("undo, redo"):
        for _n in range(3):
            window.press("Ctrl+Z")
            window.press("Ctrl+Y")
    half = ball(drawing.case.volume.shape, 10_000_000)
    with watched("write 10 million voxels"):
        fill(ours, half)
    with watched("undo and redo of 10 million voxels"):
        window.press("Ctrl+Z")
        window.press("Ctrl+Y")
    for tool in ("islands", "fill_holes", "smooth", "margin", "interpolate", "threshold", "grow"):
        with watched(f"{tool}, preview and accept"):
            drawing.tools.propose(tool, at_once=True)
            deadline = time.monotonic() + 60.0
            settle(0.3)
            while drawing.proposals.making and time.monotonic() < deadline:
                QApplication.processEvents()
                time.sleep(0.002)
            settle(0.5)
    gaps_of_windows(ours, out)
    with watched("close the case with 10 million voxels"):
        window.desk.close_case()
        window.idle()


def gaps_of_windows(ours: Ours, out: Path) -> None:
    """The same of what has a window or tab of its own."""
    window, drawing = ours.window, ours.drawing
    statistics = window.panel.segment_windows.statistics
    with watched("statistics"):
        window.panel.segment_windows.ask("statistics")
        wait_until(lambda: statistics.window.document is not None, "the numbers")
    statistics.window.close()
    with watched("tabs"):
        for tab in (EXPORT, ANNOTATE, EXPORT):
            window.panel.choose_tab(tab)
            window.rest(0.3)
    with watched("export"):
        window.panel.export.set_folder(out)
        window.click(window.panel.export.run)
        window.idle()
    (mask,) = out.glob("*.nii.gz")
    fill(ours, drawing.case.segmentation.labels == 1, 0)
    importing = window.panel.segment_windows.importing
    with watched("import of a mask"):
        importing.show_file(mask)
        wait_until(importing.window.chosen, "its segments")
        importing.window.take.click()
        wait_until(lambda: not importing.window.isVisible(), "the import")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--only", choices=("feel", "tools", "gaps"), action="append")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="medlabel-annotate-") as name:
        folder, os.environ["MEDLABEL_KEYRING"] = Path(name), "off"
        write_phantom(folder / "ct", chosen.slices)
        window = Window(folder / "workspace")
        window.frame.resize(1600, 1000)
        window.open_study(folder / "ct")
        window.rest(1.0)
        ours = Ours(window)
        parts = chosen.only or ("feel", "tools", "gaps")
        if "feel" in parts:
            feel(ours)
        if "tools" in parts:
            tools(ours)
        if "gaps" in parts:
            gaps(ours, folder / "ct", folder / "out")
        window.close()


if __name__ == "__main__":
    main()
