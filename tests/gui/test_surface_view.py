"""The 3D view under a real X server: what is on the screen, and what the mouse does."""

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QColor, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QPushButton, QToolButton

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.surface import Surface, surface
from napari_medlabel.ui.surface_view import SurfaceView
from napari_medlabel.ui.theme import LIGHT
from tests.gui.real_window import wait_until

pytestmark = pytest.mark.gui
RED, GREEN = (1.0, 0.1, 0.1), (0.1, 1.0, 0.1)


def box(low: tuple[int, int, int], high: tuple[int, int, int]) -> Surface:
    mask = np.zeros((40, 40, 40), bool)
    mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return surface(mask, Geometry.from_spacing(mask.shape, (1.0, 1.0, 1.0), (-20.0, -20.0, -20.0)))


RIGHT = box((15, 15, 2), (25, 25, 12))  # of the patient
LEFT = box((15, 15, 28), (25, 25, 38))


@pytest.fixture
def view(qapp: object) -> Iterator[SurfaceView]:
    assert qapp is not None
    made = SurfaceView()
    made.resize(480, 320)
    made.show()
    QTest.qWaitForWindowExposed(made)
    yield made
    made.close_canvas()
    made.close()
    made.deleteLater()


def settle(view: SurfaceView) -> None:
    """Let everything be drawn that wants to be."""
    before = -1
    while before != view.draws:
        before = view.draws
        QTest.qWait(60)


def color_at(view: SurfaceView, lps: tuple[float, float, float]) -> QColor:
    settle(view)
    x, y = view.camera.pixels(np.asarray(lps), (view.width(), view.height()))
    return view.grab().toImage().pixelColor(QPoint(round(x), round(y)))


def place(view: SurfaceView, lps: tuple[float, float, float]) -> QPoint:
    x, y = view.camera.pixels(np.asarray(lps), (view.width(), view.height()))
    return QPoint(round(x), round(y))


def show_both(view: SurfaceView) -> None:
    view.set_color(1, RED)
    view.set_color(2, GREEN)
    view.set_surfaces({1: RIGHT, 2: LEFT})


def test_what_is_on_the_patient_s_right_is_on_the_left_of_the_screen(view: SurfaceView) -> None:
    show_both(view)
    settle(view)
    image = view.grab().toImage()
    left, right = image.pixelColor(120, 160), image.pixelColor(360, 160)
    assert left.red() > left.green() + 60
    assert right.green() > right.red() + 60


def test_colours_hiding_and_taking_away_are_seen(view: SurfaceView) -> None:
    show_both(view)
    at = (-13.0, 0.0, 0.0)
    assert color_at(view, at).red() > 120
    view.set_color(1, (0.1, 0.1, 1.0))
    assert color_at(view, at).blue() > 120
    view.set_hidden(frozenset({1}))
    assert color_at(view, at).lightness() < 10
    view.set_hidden(frozenset())
    assert color_at(view, at).blue() > 120
    view.set_surfaces({2: LEFT})
    view.set_surface(1, None)
    assert color_at(view, at).lightness() < 10


def test_skin_is_glass_and_has_a_button(view: SurfaceView) -> None:
    show_both(view)
    skin = box((4, 4, 1), (36, 36, 39))
    view.set_skin(skin)
    seen = color_at(view, (-13.0, 0.0, 0.0))
    assert seen.red() > seen.green() + 40
    around = color_at(view, (0.0, 0.0, 0.0)).lightness()
    assert around > 10
    (button,) = [one for one in view.findChildren(QToolButton) if "skin" in one.toolTip()]
    told: list[bool] = []
    view.skin_wanted.connect(told.append)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert told == [False]
    assert button.toolTip() == "Show the skin"
    assert color_at(view, (0.0, 0.0, 0.0)).lightness() < 10
    view.set_skin(None)
    assert not button.isVisible()


def test_the_marker_is_seen_through_what_is_before_it(view: SurfaceView) -> None:
    show_both(view)
    view.set_marker((0.0, 0.0, 10.0))
    assert color_at(view, (0.0, 0.0, 10.0)).lightness() > 200
    before = color_at(view, (-8.0, 0.0, 0.0))
    view.set_marker((-8.0, 0.0, 0.0))
    assert color_at(view, (-8.0, 0.0, 0.0)).green() > before.green() + 40


def test_nothing_is_drawn_while_nothing_changes(view: SurfaceView) -> None:
    show_both(view)
    settle(view)
    before = view.draws
    view.set_color(1, RED)
    view.set_hidden(frozenset())
    view.set_marker(None)
    view.set_surfaces({1: RIGHT, 2: LEFT})
    QTest.qWait(300)
    assert view.draws == before


def test_a_drag_turns_and_a_click_tells_a_place(view: SurfaceView) -> None:
    show_both(view)
    settle(view)
    told: list[tuple[float, float, float]] = []
    view.point_chosen.connect(told.append)
    canvas = view._native
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=place(view, (13.0, -5.5, 0.0)))
    assert told == [pytest.approx((13.0, -5.5, 0.0), abs=1.0)]
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(5, 60))
    assert len(told) == 1  # beside all surfaces
    drag(view, QPoint(100, 100), QPoint(200, 110))
    assert view.camera.azimuth_deg == pytest.approx(-50.0, abs=1.0)
    assert len(told) == 1
    assert view.camera.elevation_deg == pytest.approx(5.0, abs=1.0)


def drag(
    view: SurfaceView, start: QPoint, end: QPoint, key: Qt.MouseButton = Qt.MouseButton.LeftButton
) -> None:
    canvas = view._native
    QTest.mousePress(canvas, key, pos=start)
    middle = (start + end) / 2
    for at in (middle, end):
        QTest.mouseMove(canvas, at)
        QTest.qWait(20)
    QTest.mouseRelease(canvas, key, pos=end)


def wheel(view: SurfaceView, turns: int) -> None:
    event = QWheelEvent(
        QPointF(100, 100), view.mapToGlobal(QPointF(100, 100)), QPoint(), QPoint(0, 120 * turns),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase,
        False,  # noqa: FBT003  # by place only
    )  # fmt: skip
    QApplication.sendEvent(view._native, event)


def test_the_wheel_zooms_and_the_button_leads_back(view: SurfaceView) -> None:
    show_both(view)
    first = view.camera
    wheel(view, 2)
    assert view.camera.radius_mm < first.radius_mm
    drag(view, QPoint(100, 100), QPoint(140, 90), Qt.MouseButton.MiddleButton)
    assert view.camera.center_lps != first.center_lps
    zoomed = view.camera
    view.set_surface(1, box((15, 15, 2), (25, 30, 12)))  # a stroke does not move the eye
    assert view.camera == zoomed
    (button,) = [one for one in view.findChildren(QToolButton) if "front" in one.toolTip()]
    view.set_surface(1, RIGHT)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert view.camera == first


def test_keys_turn_and_zoom_where_the_view_has_the_focus(view: SurfaceView) -> None:
    show_both(view)
    first = view.camera
    QTest.keyClick(view, Qt.Key.Key_Right)
    QTest.keyClick(view, Qt.Key.Key_Down)
    QTest.keyClick(view, Qt.Key.Key_Plus)
    assert (view.camera.azimuth_deg, view.camera.elevation_deg) == (-10.0, 10.0)
    assert view.camera.radius_mm < first.radius_mm
    QTest.keyClick(view, Qt.Key.Key_Home)
    assert view.camera == first


def test_double_click_and_button_ask_for_the_whole_window(view: SurfaceView) -> None:
    asked: list[None] = []
    view.maximise_asked.connect(lambda: asked.append(None))
    QTest.mouseDClick(view._native, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    (button,) = [one for one in view.findChildren(QToolButton) if one.toolTip() == "Maximise"]
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert len(asked) == 2
    view.set_maximised(on=True)
    assert button.toolTip() == "Back to all views"
    assert button.accessibleName() == button.toolTip()


def test_trouble_is_said_with_a_way_out(view: SurfaceView) -> None:
    asked: list[None] = []
    view.rebuild_asked.connect(lambda: asked.append(None))
    view.set_trouble("The surface was not built: there is not enough memory for it")
    said = view._trouble
    assert said.isVisible()
    assert view.rect().contains(said.geometry())
    (again,) = said.findChildren(QPushButton)
    QTest.mouseClick(again, Qt.MouseButton.LeftButton)
    assert asked == [None]
    view.set_trouble("")
    assert not said.isVisible()


def test_a_light_theme_leaves_the_canvas_black_and_the_icons_bright(view: SurfaceView) -> None:
    view.set_tokens(LIGHT)
    settle(view)
    image = view.grab().toImage()
    assert image.pixelColor(240, 60).lightness() == 0
    bar = [image.pixelColor(x, y).lightness() for x in range(420, 474) for y in range(6, 34)]
    assert max(bar) > 200


def test_visibility_is_told(view: SurfaceView) -> None:
    told: list[bool] = []
    view.visibility_changed.connect(told.append)
    view.hide()
    view.show()
    wait_until(lambda: told == [False, True], "told")


def test_twenty_views_open_and_close_in_one_window(qapp: object) -> None:
    assert qapp is not None
    for number in range(20):
        view = SurfaceView()
        view.resize(200, 150)
        view.show()
        view.set_surfaces({1: RIGHT, 2: LEFT})
        QTest.qWait(20)
        if number % 2:
            view.close_canvas()
            view.close_canvas()
        view.close()
        view.close_canvas()
        view.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert view.draws > 0


PROGRAM = """
import sys
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
app = QApplication([])
from tests.gui.test_surface_view import RIGHT, LEFT, SurfaceView
views = [SurfaceView() for _ in range(4)]
for view in views:
    view.show()
    view.set_surfaces({1: RIGHT, 2: LEFT})
QTest.qWait(200)
assert all(view.draws for view in views)
if sys.argv[1] == "closed":
    for view in views:
        view.close_canvas()
print("alive", flush=True)
"""


@pytest.mark.parametrize("how", ["closed", "left open"])
def test_a_program_with_several_canvases_ends_well(how: str) -> None:
    command = [sys.executable, "-c", PROGRAM, how]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.stdout.strip(), done.returncode) == ("alive", 0), done.stderr
