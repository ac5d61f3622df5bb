"""Polygon, lasso, scissors and smart paint by mouse and keys in a real window."""

from collections.abc import Iterator

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_medlabel import commands
from napari_medlabel.core.geometry import BoolArray, Geometry
from napari_medlabel.core.history import Step
from napari_medlabel.core.lasso import inside_outline
from napari_medlabel.core.metrics import dice
from napari_medlabel.core.provenance import steps_of
from napari_medlabel.core.segmentation import IntensityMask
from napari_medlabel.phantom import write_ct_series
from tests.gui.pointing import CTRL, Mouse
from tests.gui.real_window import Window, wait_until

SHAPE = (20, 96, 80)
SPACING = (3.0, 1.0, 1.5)
MIDDLE = (10, 48, 40)


def organ() -> BoolArray:
    """An ellipsoid in the middle, 44 mm long, 54 mm deep, 60 mm wide."""
    k, j, i = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    away = (((k - 10) * 3.0) / 22) ** 2 + ((j - 48) / 27) ** 2 + (((i - 40) * 1.5) / 30) ** 2
    return np.asarray(away < 1.0)


@pytest.fixture(scope="module")
def opened(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """One window with a bright organ in a dark body."""
    assert qapp is not None
    folder = tmp_path_factory.mktemp("outlines")
    rng = np.random.default_rng(5)
    hu = np.where(organ(), 160, 20) + rng.normal(0.0, 6.0, SHAPE)
    grid = Geometry.from_spacing(SHAPE, SPACING, (-60.0, -48.0, 0.0))
    write_ct_series(folder / "study", hu.astype(np.int16), grid)
    made = Window(folder / "workspace")
    made.frame.resize(1500, 950)
    made.open_study(folder / "study")
    yield made
    made.close()


@pytest.fixture
def window(opened: Window) -> Iterator[Window]:
    """The window with two empty segments, the first in hand, and nothing under way."""
    drawing = opened.drawing
    segmentation = drawing.case.segmentation
    while len(segmentation.schema) < 2:
        drawing.add_segment()
    drawing.pick(1)
    drawing.sight.move_to(MIDDLE)
    yield opened
    drawing.tools.set_tool("")
    segmentation.intensity_mask = None
    for value in segmentation.locked:
        drawing.toggle_lock(value)
    drawing.tools.set_option("paint", "paint_over", "unlocked")
    drawing.tools.set_option("polygon", "mode", "add")
    while segmentation.can_undo and segmentation.labels.any():
        drawing.undo()
    assert not segmentation.labels.any()


def last_step(window: Window) -> Step:
    step = window.drawing.case.segmentation.next_undo()
    assert step is not None
    return step


def labels(window: Window) -> np.ndarray:
    np.testing.assert_array_equal(
        window.drawing.layers.drawn_of(0), window.drawing.case.segmentation.labels
    )
    return window.drawing.case.segmentation.labels


def paint_second(window: Window) -> int:
    """Some of the second segment in the middle, locked; how many voxels."""
    drawing = window.drawing
    drawing.pick(2)
    drawing.tools.set_tool("paint")
    drawing.tools.set_size(8.0)
    Mouse(window).click(MIDDLE)
    drawing.toggle_lock(2)
    drawing.pick(1)
    drawing.tools.set_tool("")
    painted = drawing.case.segmentation.voxels(2)
    assert painted > 10
    return painted


def test_a_polygon_is_what_its_corners_enclose_but_for_what_is_locked(window: Window) -> None:
    locked = paint_second(window)
    segmentation, mouse = window.drawing.case.segmentation, Mouse(window)
    window.press("3")
    mouse.click((10, 28, 20), (10, 28, 60), (10, 60, 70), (10, 90, 5))
    window.press("Backspace")
    mouse.click((10, 66, 20))
    mouse.move((10, 40, 40))
    assert window.drawing.tools.under_way
    assert segmentation.voxels(1) == 0  # nothing is written before it is closed
    mouse.click((10, 28, 20))
    assert not window.drawing.tools.under_way

    step = last_step(window)
    assert (step.tool, step.settings["mode"]) == ("Polygon", "add")
    assert (step.settings["axis"], step.settings["slice"]) == (0, 10)
    outline = step.settings["outline"]
    assert np.abs(np.array(outline) - [(28, 20), (28, 60), (60, 70), (66, 20)]).max() < 0.5
    inside = inside_outline(outline, SHAPE[1:])
    found = labels(window)
    np.testing.assert_array_equal(found[10] == 1, inside & (found[10] != 2))
    assert not (found[np.arange(SHAPE[0]) != 10] == 1).any()
    assert segmentation.voxels(2) == locked

    window.press("Ctrl+Z")  # one step
    assert (segmentation.voxels(1), segmentation.voxels(2)) == (0, locked)
    window.press("Ctrl+Y")
    assert segmentation.voxels(1) == int((inside & (found[10] != 2)).sum())
    (told,) = steps_of([step])  # as provenance has it
    assert (told.tool, told.settings["outline"]) == ("Polygon", outline)


def test_enter_closes_and_ctrl_at_the_start_takes_away(window: Window) -> None:
    segmentation, mouse = window.drawing.case.segmentation, Mouse(window)
    window.press("3")
    mouse.click((10, 20, 20), (10, 20, 60), (10, 70, 60), (10, 70, 20))
    window.press("Return")
    square = segmentation.voxels(1)
    assert square == pytest.approx(50 * 40, abs=100)  # corners lie on centres: a pixel decides
    mouse.click((10, 30, 10), keys=CTRL)
    mouse.click((10, 30, 70), (10, 50, 70))
    mouse.double_click((10, 50, 10))
    step = last_step(window)
    assert (step.tool, step.settings["mode"]) == ("Polygon", "subtract")
    taken = inside_outline(step.settings["outline"], SHAPE[1:])
    assert not (labels(window)[10][taken] == 1).any()
    assert segmentation.voxels(1) == pytest.approx(30 * 40, abs=110)
    window.press("Ctrl+Z")
    assert segmentation.voxels(1) == square


def test_a_new_outline_replaces_the_segment_on_its_slice_alone(window: Window) -> None:
    segmentation, mouse = window.drawing.case.segmentation, Mouse(window)
    window.drawing.tools.set_tool("lasso")
    for k in (9, 10):
        window.drawing.sight.move_to((k, 48, 40))
        mouse.drag((k, 20, 20), (k, 20, 40), (k, 40, 40), (k, 40, 20))
    other = labels(window)[9].copy()
    window.drawing.tools.set_option("lasso", "mode", "new")
    mouse.drag((10, 30, 30), (10, 30, 60), (10, 60, 60), (10, 60, 30))
    step = last_step(window)
    assert (step.tool, step.settings["mode"]) == ("Lasso", "new")
    inside = inside_outline(step.settings["outline"], SHAPE[1:])
    np.testing.assert_array_equal(labels(window)[10] == 1, inside)
    np.testing.assert_array_equal(labels(window)[9], other)
    window.press("Ctrl+Z")
    assert segmentation.labels[10][20:40, 20:40].mean() > 0.8


def test_an_outline_waits_on_its_slice_and_escape_leaves_it(window: Window) -> None:
    drawing, mouse, said = window.drawing, Mouse(window), list[str]()
    drawing.blocked.connect(said.append)
    window.press("3")
    mouse.click((10, 28, 20), (10, 28, 60))
    window.press("Return")
    assert said == ["An outline needs 3 points"]
    mouse.click((10, 60, 60))
    mouse.wheel((10, 40, 40), 1)
    assert drawing.sight.position[0] == 11
    mouse.click((11, 50, 30))
    Mouse(window, 1).click((4, 48, 20))
    assert said[1:] == ["The outline is on axial slice 11. Esc leaves it"] * 2
    window.press("Return")
    assert drawing.sight.position[0] == 10  # where something was drawn
    assert set(np.flatnonzero(labels(window).any(axis=(1, 2)))) == {10}
    drawn = drawing.case.segmentation.voxels(1)

    mouse.click((10, 70, 20), (10, 70, 60), (10, 90, 60))
    window.press("Esc")
    assert not drawing.tools.under_way
    assert drawing.case.segmentation.voxels(1) == drawn
    assert drawing.choices.tool == "polygon"
    mouse.click((10, 70, 20))
    window.press("Backspace")  # the last one there is
    assert not drawing.tools.under_way
    drawing.blocked.disconnect(said.append)


@pytest.mark.parametrize("plane", [1, 2])
def test_a_lasso_draws_in_every_plane_where_it_may(window: Window, plane: int) -> None:
    drawing = window.drawing
    mouse = Mouse(window, plane)
    axis = mouse.view.axis
    drawing.tools.set_tool("lasso")
    drawing.case.segmentation.intensity_mask = IntensityMask(drawing.sight.image, 90, 400)
    around = [(3, 10), (17, 10), (17, 74), (3, 74)]
    places = [(k, 48, n) if plane == 1 else (k, n, 40) for k, n in around]
    mouse.drag(*((float(k), float(j), float(i)) for k, j, i in places))
    found = labels(window) == 1
    assert set(np.argwhere(found)[:, axis]) == {MIDDLE[axis]}
    bright = np.asarray(drawing.sight.image) >= 90
    assert not (found & ~bright).any()
    here = tuple(MIDDLE[n] if n == axis else slice(None) for n in range(3))
    assert dice(found[here], organ()[here]) > 0.95
    assert last_step(window).settings["axis"] == axis


def test_a_click_of_the_right_button_closes_and_a_drag_sets_the_window(window: Window) -> None:
    drawing, mouse = window.drawing, Mouse(window)
    window.press("3")
    mouse.click((10, 20, 20), (10, 20, 60), (10, 70, 60))
    right, width = Qt.MouseButton.RightButton, drawing.layers.window.width
    QTest.mousePress(mouse.view, right, pos=mouse.at((10, 40, 40)))
    mouse.move((10, 40, 60))
    QTest.mouseRelease(mouse.view, right, pos=mouse.at((10, 40, 60)))
    assert drawing.layers.window.width > width
    assert drawing.tools.under_way
    QTest.mouseClick(mouse.view, right, pos=mouse.at((10, 40, 40)))
    window.rest(0.05)
    assert drawing.case.segmentation.voxels(1) == pytest.approx(50 * 40 / 2, abs=60)
    assert last_step(window).tool == "Polygon"


def test_escape_takes_the_stroke_under_the_hand_back(window: Window) -> None:
    drawing, mouse = window.drawing, Mouse(window)
    for tool in ("paint", "lasso"):
        drawing.tools.set_tool(tool)
        QTest.mousePress(mouse.view, Qt.MouseButton.LeftButton, pos=mouse.at((10, 40, 20)))
        mouse.move((10, 40, 40), (10, 60, 50), (10, 70, 30))
        window.press("Esc")
        QTest.mouseRelease(mouse.view, Qt.MouseButton.LeftButton, pos=mouse.at((10, 60, 20)))
        window.rest(0.05)
        assert not labels(window).any()
        assert drawing.choices.tool == tool


def test_an_outline_draws_only_over_what_was_chosen(window: Window) -> None:
    drawing, mouse = window.drawing, Mouse(window)
    paint_second(window)
    drawing.toggle_lock(2)
    drawing.tools.set_option("paint", "paint_over", "empty")
    second = drawing.case.segmentation.voxels(2)
    drawing.tools.set_tool("lasso")
    mouse.drag((10, 20, 20), (10, 20, 60), (10, 80, 60), (10, 80, 20))
    assert drawing.case.segmentation.voxels(2) == second
    assert last_step(window).settings["paint_over"] == "empty"
    assert drawing.case.segmentation.voxels(1) > 1000


@pytest.mark.parametrize("plane", [0, 1])
def test_scissors_cut_an_organ_out_with_a_few_clicks(window: Window, plane: int) -> None:
    drawing, mouse = window.drawing, Mouse(window, plane)
    window.press("S")
    tool = drawing.tools.pointer
    around = (
        [(10, 22, 40), (10, 48, 59), (10, 74, 40), (10, 48, 21)] if plane == 0
        else [(17, 48, 40), (10, 48, 59), (3, 48, 40), (10, 48, 21)]
    )  # fmt: skip
    for place in around:
        mouse.click(place)
        wait_until(lambda: tool.ready, "ways from the click")
    mouse.click((2, 48, 70) if plane else (10, 90, 70))  # a slip, taken back
    window.press("Backspace")
    wait_until(lambda: tool.ready, "ways from the click before")
    mouse.move(around[0])
    window.press("Return")
    assert not drawing.tools.under_way
    here = (10,) if plane == 0 else (slice(None), 48)
    assert dice(labels(window)[here] == 1, organ()[here]) > (0.95 if plane else 0.97)
    step = last_step(window)
    assert (step.tool, step.settings["scale_mm"]) == ("Scissors", 1.0)
    assert len(step.settings["outline"]) == 4
    assert step.settings["limits"] == list(drawing.layers.window.limits)
    window.press("Ctrl+Z")
    assert drawing.case.segmentation.voxels(1) == 0


def test_scissors_need_no_pause_between_clicks(window: Window) -> None:
    mouse = Mouse(window)
    window.press("S")
    mouse.click((10, 22, 40), (10, 48, 59), (10, 74, 40), (10, 48, 21), (10, 22, 40))
    assert not window.drawing.tools.under_way
    assert dice(labels(window)[10] == 1, organ()[10]) > 0.97


def test_smart_paint_stops_at_the_edge_and_is_one_step(window: Window) -> None:
    drawing, mouse = window.drawing, Mouse(window)
    locked = paint_second(window)
    drawing.tools.set_tool("smart_paint")
    drawing.tools.set_size(16.0)
    steps = len(drawing.case.segmentation.history)
    mouse.drag(*((10, j, 56) for j in range(36, 61, 2)))  # the disc reaches over the border
    found = labels(window)[10] == 1
    assert found.sum() > 150
    assert (found & ~organ()[10]).sum() < 0.02 * found.sum()
    assert drawing.case.segmentation.voxels(2) == locked
    assert len(drawing.case.segmentation.history) == steps + 1
    step = last_step(window)
    assert (step.tool, step.settings["brush_mm"]) == ("Smart paint", 16.0)
    window.press("Ctrl+Z")
    assert drawing.case.segmentation.voxels(1) == 0


def test_a_segment_of_another_group_is_drawn_over_the_first(window: Window) -> None:
    drawing, mouse = window.drawing, Mouse(window)
    window.drawing.tools.set_tool("lasso")
    square = [(10, 20, 20), (10, 20, 60), (10, 70, 60), (10, 70, 20)]
    mouse.drag(*square)
    first = drawing.case.segmentation.voxels(1)
    commands.set_group(drawing.session, drawing.case, 2, 1)
    drawing.pick(2)
    mouse.drag(*square)
    segmentation = drawing.case.segmentation
    assert segmentation.voxels(1) == first == segmentation.voxels(2)
    assert (segmentation.arrays[1] == 2).sum() == first
    window.press("Ctrl+Z")
    window.press("Ctrl+Z")
    assert segmentation.group_of(2) == 0
