"""A window under test, and a hand that draws in it with real events."""

import gc
import time
from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from napari_medlabel.session import local_session
from napari_medlabel.ui._napari_compat import canvas_widget, is_gone
from napari_medlabel.ui.desk import Desk
from napari_medlabel.ui.drawing import Drawing
from napari_medlabel.ui.planes.plane_view import PlaneView
from napari_medlabel.ui.window import open_window, panel_of

__all__ = ["Window", "wait_until"]

WAIT_S = 45.0  # a busy machine is no fault
Kji = tuple[float, float, float]


def wait_until(true: Callable[[], object], what: str, seconds: float = WAIT_S) -> None:
    """Let the window live until something holds."""

    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"waited in vain: {what}"
        QApplication.processEvents()
        time.sleep(0.002)
    QApplication.processEvents()
    # Which no event loop does for us here: none is running.
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


class Window:
    """A window under test: its panel, and real events into it."""

    def __init__(self, workspace: Path) -> None:

        self.session = local_session(workspace)
        self.viewer = open_window(None, self.session)
        self.panel = panel_of(self.viewer, self.session)
        self.frame = self.viewer.window._qt_window
        self.frame.resize(1200, 900)
        self.rest(0.2)

    @property
    def desk(self) -> Desk:
        return self.panel.desk

    @property
    def drawing(self) -> Drawing:
        assert self.desk.drawing is not None, self.desk.error
        return self.desk.drawing

    @property
    def view(self) -> PlaneView:
        """The view that keys act on."""
        return self.drawing.looking.view

    @property
    def canvas(self) -> QWidget:
        """What takes the mouse: that view, or napari's own canvas where that is shown."""
        drawing = self.desk.drawing
        if drawing is None or drawing.looking.on_canvas:
            return canvas_widget(self.viewer)
        return drawing.looking.view

    def rest(self, seconds: float = 0.1) -> None:
        end = time.monotonic() + seconds
        wait_until(lambda: time.monotonic() > end, "time")

    def idle(self) -> None:
        """Until nothing runs beside the window."""
        wait_until(lambda: self.desk.busy is None, "the work to end")
        self.rest(0.05)

    def open_demo(self, kind: str = "ct") -> None:
        self.desk.open_demo(kind)
        self.idle()
        wait_until(lambda: self.drawing.case.loading.finished, "all slices")
        self.rest()

    def open_study(self, folder: Path) -> None:
        """A folder with one series."""
        self.desk.scan(folder)
        self.idle()
        if self.desk.drawing is None:
            self.idle()
        wait_until(lambda: self.drawing.case.loading.finished, "all slices")
        self.rest()

    def pixel(self, kji: Kji) -> QPoint:
        """Where a voxel of the slice that is shown is on the canvas (2-D, any plane)."""
        if not self.drawing.looking.on_canvas:
            return self.view.point(kji).toPoint()
        layer, camera = self.drawing.layers.canvas.labels, self.viewer.scene.camera
        world = [n * s + t for n, s, t in zip(kji, layer.scale, layer.translate, strict=True)]
        down, right = self.viewer.dims.displayed
        signs = [-1 if way in {"up", "left"} else 1 for way in camera.orientation2d]
        y = (world[down] - camera.center[-2]) * camera.zoom * signs[0]
        x = (world[right] - camera.center[-1]) * camera.zoom * signs[1]
        return QPoint(round(self.canvas.width() / 2 + x), round(self.canvas.height() / 2 + y))

    def stroke(self, *kji: Kji, keys: Qt.KeyboardModifier | None = None) -> None:
        """Press at the first voxel, move through the others, let go."""

        held = Qt.KeyboardModifier.NoModifier if keys is None else keys
        places = [self.pixel(one) for one in kji]
        left = Qt.MouseButton.LeftButton
        QTest.mousePress(self.canvas, left, held, places[0])
        for place in places[1:]:
            QTest.mouseMove(self.canvas, place)
            QApplication.processEvents()
        QTest.mouseRelease(self.canvas, left, held, places[-1])
        self.rest(0.05)

    def press(self, key: str, *, to: QWidget | None = None) -> None:
        """A key, with its modifiers: "Ctrl+Z"."""

        combined = QKeySequence(key)[0]
        place = self.frame if to is None else to.window()
        if to is not None:
            to.setFocus()
        # Where keys enter a window, as a keyboard's do: a window may act before the focus does.
        QTest.keyClick(place.windowHandle(), combined.key(), combined.keyboardModifiers())
        self.rest(0.05)

    def click(self, widget: QWidget, place: QPoint | None = None, *, double: bool = False) -> None:

        spot = widget.rect().center() if place is None else place
        for how in (QTest.mouseClick, QTest.mouseDClick)[: 2 if double else 1]:
            how(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot)
        self.rest(0.05)

    def color_at(self, kji: Kji) -> tuple[int, int, int]:
        """What the screen shows at a voxel: red, green, blue."""
        self.rest(0.15)
        if self.drawing.looking.on_canvas:
            image = self.canvas.grabFramebuffer()
        else:
            image = self.canvas.grab().toImage()
        ratio = image.devicePixelRatio()
        place = self.pixel(kji)
        color = image.pixelColor(round(place.x() * ratio), round(place.y() * ratio))
        return color.red(), color.green(), color.blue()

    def close(self) -> None:
        """As a person does; nothing of the window lives on into the next test."""
        self.panel.shut()
        self.rest(0.02)
        if not is_gone(self.viewer):
            self.viewer.close()
        self.rest(0.02)
        self.viewer = self.panel = self.frame = None  # type: ignore[assignment]
        gc.collect()
        self.rest(0.02)
