"""Measurements and annotations made, moved, listed and found again, by a hand in a real window."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLineEdit

from napari_medlabel.core.annotation import (
    Angle,
    Annotation,
    Box2d,
    Cuboid,
    Distance,
    EllipseRoi,
    Keypoints,
    OrientedBox,
    Polygon,
    RectangleRoi,
    Shape,
)
from napari_medlabel.core.annotation_measure import measure
from napari_medlabel.core.annotation_places import corners
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.plane import Plane
from napari_medlabel.phantom import write_ct_series
from napari_medlabel.ui.annotations.mark import Mark
from napari_medlabel.ui.planes.plane_view import PlaneView
from tests.gui.real_window import Window, wait_until

Kji = tuple[float, float, float]
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
GREEN = (0x33, 0xFF, 0xCC)
SPACING = np.array((4.0, 1.0, 1.5))


class Hand:
    """A hand in the window, which gives places as voxels."""

    def __init__(self, window: Window) -> None:
        self.window = window

    @property
    def view(self) -> PlaneView:
        return self.window.view

    def look(self, plane: int, kji: tuple[int, int, int]) -> None:
        self.window.drawing.looking.set_plane(plane)
        self.window.drawing.sight.move_to(kji)
        self.window.rest(0.05)

    def take(self, kind: str) -> None:
        wanted = f"annotate:{kind}" if kind else ""
        if self.window.drawing.choices.tool != wanted:
            self.window.drawing.tools.set_tool(wanted)
        self.window.rest(0.02)

    def exact(self, kji: Kji) -> Kji:
        """The place under the pixel that a click on the voxel hits."""
        return self.view.kji(QPointF(self.window.pixel(kji)))

    def hover(self, kji: Kji) -> None:
        QTest.mouseMove(self.view, self.window.pixel(kji))
        self.window.rest(0.02)

    def click(self, *places: Kji) -> None:
        for kji in places:
            self.hover(kji)
            QTest.mouseClick(self.view, LEFT, NONE, self.window.pixel(kji))
            self.window.rest(0.02)

    def double_click(self, kji: Kji) -> None:
        self.click(kji)
        QTest.mouseDClick(self.view, LEFT, NONE, self.window.pixel(kji))
        self.window.rest(0.02)

    def drag(self, start: Kji, *others: Kji) -> None:
        self.hover(start)
        self.window.stroke(start, *others)

    def wheel(self, steps: int) -> None:
        where = QPointF(self.view.rect().center())
        for _step in range(abs(steps)):
            turned = QPoint(0, 120 if steps > 0 else -120)
            event = QWheelEvent(
                where, self.view.mapToGlobal(where), QPoint(), turned,
                Qt.MouseButton.NoButton, NONE, Qt.ScrollPhase.NoScrollPhase, False,  # noqa: FBT003
            )  # fmt: skip
            QApplication.sendEvent(self.view, event)
        self.window.rest(0.02)

    @property
    def made(self) -> tuple[Annotation, ...]:
        return self.window.drawing.case.segmentation.annotations.annotations

    @property
    def shape(self) -> Shape:
        """Of the one that was made last."""
        return self.made[-1].shape

    @property
    def words(self) -> str:
        return self.window.drawing.annotations.words_of(self.made[-1])

    def marks(self, plane: int) -> tuple[Mark, ...]:
        """What a view shows."""
        annotations = self.window.drawing.annotations
        return annotations._views[plane].marks(annotations._shown())


@pytest.fixture(scope="module")
def opened(qapp: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """One window with one small CT for all tests of this module."""
    assert qapp is not None
    folder = tmp_path_factory.mktemp("annotate")
    grid = Geometry.from_spacing((14, 60, 50), tuple(SPACING), (-37.0, -30.0, 411.5))
    hu = np.full((14, 60, 50), 40, np.int16) + np.arange(14, dtype=np.int16)[:, None, None]
    write_ct_series(folder / "study", hu, grid)
    window = Window(folder / "workspace")
    window.open_study(folder / "study")
    yield window
    window.close()


@pytest.fixture
def hand(opened: Window) -> Iterator[Hand]:
    """A hand in the axial view of slice 8 of 14, nothing measured yet."""
    drawing = opened.drawing
    drawing.looking.set_layout("1+3")
    made = Hand(opened)
    made.look(0, (7, 30, 25))
    made.take("")
    yield made
    opened.drawing.hand.let_go()
    made.take("")
    for one in made.made:
        opened.drawing.annotations.remove(one.id)


def close(a: Kji, b: Kji) -> bool:
    return bool(np.allclose(a, b, atol=1e-9))


def test_two_clicks_measure_a_distance_and_a_step_takes_it_back(hand: Hand) -> None:
    hand.take("distance")
    a, b = (7.0, 20.0, 10.0), (7.0, 44.0, 30.0)
    hand.click(a)
    assert hand.made == ()
    hand.hover(b)
    draft = hand.window.drawing.annotations.draft
    assert draft is not None  # it follows the pointer
    hand.click(b)
    (made,) = hand.made
    assert made.name == "Distance 1"
    assert isinstance(made.shape, Distance)
    a, b = hand.exact(a), hand.exact(b)
    assert (made.shape.start, made.shape.end) == (a, b)
    length = float(np.linalg.norm(np.subtract(b, a) * SPACING))
    assert hand.words == f"{length:.1f} mm"
    middle = tuple(np.add(a, b) / 2.0)
    assert sum(abs(p - q) for p, q in zip(hand.window.color_at(middle), GREEN, strict=True)) < 90
    hand.window.press("Ctrl+Z")
    assert hand.made == ()
    hand.window.press("Ctrl+Y")
    assert hand.made == (made,)


def test_a_distance_may_be_dragged_and_reach_over_slices_and_views(hand: Hand) -> None:
    hand.take("distance")
    hand.drag((7.0, 10.0, 10.0), (7.0, 15.0, 20.0), (7.0, 20.0, 30.0))
    assert len(hand.made) == 1
    assert close(hand.shape.end, hand.exact((7.0, 20.0, 30.0)))
    hand.click((7.0, 40.0, 10.0))
    hand.wheel(3)
    hand.click((10.0, 40.0, 10.0))
    assert len(hand.made) == 2
    assert isinstance(hand.shape, Distance)
    assert [hand.shape.start[0], hand.shape.end[0]] == [7.0, 10.0]
    assert hand.words == "12.0 mm"  # three slices of 4 mm, though its ends lie over each other


def test_three_clicks_measure_an_angle_at_the_second(hand: Hand) -> None:
    hand.look(2, (7, 30, 25))
    hand.take("angle")
    places = [(2.0, 30.0, 25.0), (7.0, 30.0, 25.0), (7.0, 50.0, 25.0)]
    hand.click(*places)
    assert isinstance(hand.shape, Angle)
    assert close(hand.shape.vertex, hand.exact(places[1]))
    told = measure(hand.shape, hand.window.drawing.annotations.geometry).angle_deg
    assert told == pytest.approx(90.0, abs=1.5)
    assert hand.words == f"{told:.1f}°"


@pytest.mark.parametrize(
    ("kind", "shape"), [("ellipse", EllipseRoi), ("rectangle", RectangleRoi), ("box", Box2d)]
)
@pytest.mark.parametrize("plane", [0, 1, 2])
def test_dragging_from_corner_to_corner_makes_a_box(
    hand: Hand, kind: str, shape: type[EllipseRoi], plane: int
) -> None:
    hand.look(plane, (7, 30, 25))
    hand.take(kind)
    ends = [(7.0, 30.0, 25.0), (7.0, 30.0, 25.0)]
    others = [n for n in range(3) if n != plane]
    for n, place in ((0, 0.2), (1, 0.7)):
        size = hand.window.drawing.sight.shape
        ends[n] = tuple(
            place * size[axis] if axis in others else ends[n][axis] for axis in range(3)
        )
    hand.drag(ends[1], tuple(np.add(*ends) / 2.0), ends[0])  # towards the low corner, too
    made = hand.shape
    assert isinstance(made, shape)
    assert made.plane == Plane(plane, (7, 30, 25)[plane])
    low, high = (hand.exact(one) for one in ends)
    assert close((0.0, *made.low), (0.0, *made.plane.row_column(low)))
    assert close((0.0, *made.high), (0.0, *made.plane.row_column(high)))
    if plane == 0 and kind != "box":
        assert hand.words.startswith("47 ± 0 HU\n")  # what the eighth slice is made of
    elif kind == "box":
        assert " mm\n" in hand.words
    hand.window.press("Ctrl+Z")
    assert hand.made == ()


def test_an_oriented_box_is_dragged_along_a_side_then_clicked_how_wide(hand: Hand) -> None:
    hand.take("oriented-box")
    hand.drag((7.0, 20.0, 10.0), (7.0, 25.0, 20.0), (7.0, 30.0, 30.0))
    assert hand.made == ()
    hand.click((7.0, 45.0, 25.0))
    box = hand.shape
    assert isinstance(box, OrientedBox)
    geometry = hand.window.drawing.annotations.geometry
    found = corners(box, geometry) * SPACING
    edges = np.roll(found, -1, axis=0) - found
    assert abs(float(edges[0] @ edges[1])) < 1e-6  # a right angle in millimetres
    side = np.subtract(hand.exact((7.0, 30.0, 30.0)), hand.exact((7.0, 20.0, 10.0))) * SPACING
    assert max(box.size_mm) == pytest.approx(float(np.linalg.norm(side)))


def test_a_polygon_closes_with_a_double_click_or_on_its_first_corner(hand: Hand) -> None:
    hand.take("polygon")
    places = [(7.0, 10.0, 10.0), (7.0, 10.0, 35.0), (7.0, 40.0, 30.0)]
    hand.click(*places)
    assert hand.made == ()
    hand.double_click((7.0, 40.0, 12.0))
    assert isinstance(hand.shape, Polygon)
    assert len(hand.shape.points) == 4
    assert hand.words.startswith("47 ± 0 HU")
    first = (7.0, 46.0, 20.0)
    hand.click(first, (7.0, 46.0, 40.0), (7.0, 56.0, 40.0), first)
    assert len(hand.made) == 2
    assert len(hand.shape.points) == 3


def test_what_is_under_way_is_left_taken_back_or_ended_by_key(hand: Hand) -> None:
    hand.take("polygon")
    corners_of = [(7.0, 10.0, 10.0), (7.0, 10.0, 35.0), (7.0, 40.0, 30.0), (7.0, 40.0, 12.0)]
    hand.click(*corners_of)
    hand.window.press("Backspace")
    hand.window.press("Return")
    assert len(hand.shape.points) == 3
    hand.click((7.0, 45.0, 10.0), (7.0, 45.0, 35.0))
    hand.window.press("Esc")
    assert hand.window.drawing.annotations.draft is None
    assert len(hand.made) == 1
    hand.window.press("Esc")
    assert hand.window.drawing.choices.tool == "annotate:polygon"  # only the outline is left


def test_a_measurement_that_is_dragged_goes_back_where_it_was(hand: Hand) -> None:
    hand.take("distance")
    hand.drag((7.0, 20.0, 10.0), (7.0, 30.0, 20.0), (7.0, 40.0, 30.0))
    before = hand.shape
    hand.take("")
    end = hand.window.pixel((7.0, 40.0, 30.0))
    QTest.mouseMove(hand.view, end)
    QTest.mousePress(hand.view, LEFT, NONE, end)
    QTest.mouseMove(hand.view, hand.window.pixel((7.0, 50.0, 20.0)))
    hand.window.rest(0.05)
    assert hand.window.drawing.annotations.draft is not None
    hand.window.press("Esc")
    assert hand.window.drawing.annotations.draft is None
    QTest.mouseRelease(hand.view, LEFT, NONE, hand.window.pixel((7.0, 50.0, 20.0)))
    assert hand.shape == before


def test_a_polygon_takes_and_loses_corners_by_double_clicks(hand: Hand) -> None:
    hand.take("polygon")
    hand.click((7.0, 10.0, 10.0), (7.0, 10.0, 34.0), (7.0, 40.0, 34.0))
    hand.double_click((7.0, 40.0, 10.0))
    before = hand.shape
    hand.take("")
    hand.take("distance")  # any tool for annotations takes hold of lines
    hand.double_click((7.0, 10.0, 22.0))
    assert isinstance(hand.shape, Polygon)
    assert len(hand.shape.points) == 5
    assert hand.shape.points[1][0] == pytest.approx(10.0, abs=0.2)
    hand.double_click((7.0, 10.0, 22.0))
    assert hand.shape == before


def test_a_cuboid_gets_its_depth_in_another_view(hand: Hand) -> None:
    hand.take("cuboid")
    hand.drag((7.0, 20.0, 10.0), (7.0, 30.0, 20.0), (7.0, 40.0, 30.0))
    made = hand.shape
    assert isinstance(made, Cuboid)
    assert (made.low[0], made.high[0]) == (6.5, 7.5)
    hand.look(1, (7, 30, 20))
    middle = (made.low[2] + made.high[2]) / 2.0
    hand.drag((7.5, 30.0, middle), (9.0, 30.0, middle), (10.5, 30.0, middle))
    changed = hand.shape
    assert isinstance(changed, Cuboid)
    assert changed.high[0] == pytest.approx(hand.exact((10.5, 30.0, middle))[0])
    assert (changed.low, changed.high[1:]) == (made.low, made.high[1:])
    assert all(len(hand.marks(plane)) == 1 for plane in range(3))
    hand.window.press("Ctrl+Z")
    assert hand.shape == made


def test_keypoints_are_clicked_named_linked_and_each_is_a_step(hand: Hand) -> None:
    hand.take("keypoints")
    hand.click((7.0, 10.0, 10.0), (7.0, 20.0, 30.0))
    hand.wheel(-2)
    hand.click((5.0, 40.0, 20.0))
    (made,) = hand.made
    assert isinstance(made.shape, Keypoints)
    assert [point.name for point in made.shape.points] == ["1", "2", "3"]
    assert [point.at[0] for point in made.shape.points] == [7.0, 7.0, 5.0]
    tab = hand.window.panel.annotate.annotations
    wait_until(lambda: len(tab.points.points.rows) == 3, "the points to be listed")
    tab.points.points.renamed.emit("0", "Hip")
    tab.points.renamed.emit(2, "Knee")
    hand.window.rest(0.05)
    assert [one.name for one in tab.points.points.rows] == ["Hip", "2", "Knee"]
    hand.window.click(tab.points.add)  # the last two are offered
    tab.linked.emit(made.id, 0, 1)
    hand.window.rest(0.05)
    assert isinstance(hand.shape, Keypoints)
    assert hand.shape.links == ((1, 2), (0, 1))
    assert [one.name for one in tab.points.links.rows] == ["2 → Knee", "Hip → 2"]
    tab.linked.emit(made.id, 0, 1)
    hand.window.rest(0.05)
    assert hand.window.desk.error is not None  # they are linked already: said, not done
    hand.window.desk.dismiss()
    tab.point_deleted.emit(made.id, 1)
    assert hand.shape.links == ()
    hand.window.press("Ctrl+Z")
    assert hand.shape.links == ((1, 2), (0, 1))
    hand.window.press("Esc")  # these are done: the next click begins others
    hand.click((5.0, 50.0, 40.0))
    assert [len(one.shape.points) for one in hand.made] == [3, 1]


def test_a_handle_is_dragged_in_one_step_and_the_words_follow(hand: Hand) -> None:
    hand.take("distance")
    hand.click((7.0, 20.0, 10.0), (7.0, 20.0, 30.0))
    before, drawing = hand.shape, hand.window.drawing
    hand.take("")  # no tool: a handle is enough
    steps = len(drawing.case.segmentation.history)
    position = drawing.sight.position
    end, to = hand.window.pixel((7.0, 20.0, 30.0)), hand.window.pixel((7.0, 50.0, 30.0))
    hand.hover((7.0, 40.0, 40.0))
    assert hand.view.cursor().shape() == Qt.CursorShape.CrossCursor
    hand.hover((7.0, 20.0, 30.0))
    assert hand.view.cursor().shape() == Qt.CursorShape.PointingHandCursor
    QTest.mousePress(hand.view, LEFT, NONE, end)
    told = []
    for part in (0.3, 0.6, 1.0):
        QTest.mouseMove(hand.view, QPoint(end.x(), round(end.y() + part * (to.y() - end.y()))))
        draft = drawing.annotations.draft
        assert draft is not None
        told.append(float(drawing.annotations.words_of(draft).removesuffix(" mm")))
        assert hand.shape == before  # nothing is written while the hand is down
    QTest.mouseRelease(hand.view, LEFT, NONE, to)
    hand.window.rest(0.05)
    assert told == sorted(told)
    assert told[0] < told[-1]
    assert hand.words == f"{told[-1]:.1f} mm"
    assert len(drawing.case.segmentation.history) == steps + 1
    assert drawing.sight.position == position  # the crosshair was not meant
    hand.window.press("Ctrl+Z")
    assert hand.shape == before


def test_its_words_move_the_whole_and_delete_takes_it_away(hand: Hand) -> None:
    hand.take("rectangle")
    hand.drag((7.0, 15.0, 10.0), (7.0, 20.0, 20.0), (7.0, 25.0, 25.0))
    before = hand.shape
    assert isinstance(before, RectangleRoi)
    hand.take("")
    (mark,) = hand.marks(0)
    start = mark.plate.center().toPoint()
    by = QPoint(0, 60)
    QTest.mouseMove(hand.view, start)
    QTest.mousePress(hand.view, LEFT, NONE, start)
    QTest.mouseMove(hand.view, start + by / 2)
    QTest.mouseRelease(hand.view, LEFT, NONE, start + by)
    hand.window.rest(0.05)
    after = hand.shape
    assert isinstance(after, RectangleRoi)
    assert np.subtract(after.high, after.low) == pytest.approx(np.subtract(before.high, before.low))
    assert after.low[0] - before.low[0] == pytest.approx(60.0 / hand.view.frame.row_px, abs=1e-6)
    assert after.low[1] == pytest.approx(before.low[1])
    hand.window.press("Del")
    assert hand.made == ()
    hand.window.press("Ctrl+Z")
    assert hand.shape == after


def test_the_next_slice_and_other_views_show_it_faintly(hand: Hand) -> None:
    hand.take("rectangle")
    hand.drag((7.0, 15.0, 10.0), (7.0, 25.0, 20.0), (7.0, 40.0, 35.0))
    hand.take("")
    assert [mark.faint for mark in hand.marks(0)] == [False]
    assert [mark.faint for mark in hand.marks(1)] == [True]  # coronal: the line where it is cut
    assert hand.marks(1)[0].path.boundingRect().height() == 0.0
    for slices, seen in ((1, [True]), (2, []), (-1, [True])):
        hand.look(0, (7 + slices, 30, 25))
        assert [mark.faint for mark in hand.marks(0)] == seen
    hand.look(0, (8, 30, 25))
    here = hand.exact((8.0, 15.0, 10.0))
    hand.drag(here, (8.0, 20.0, 20.0))  # what is faint cannot be taken hold of
    assert isinstance(hand.shape, RectangleRoi)
    assert hand.shape.plane.index == 7
    hand.look(0, (8, 2, 25))
    assert hand.marks(1) == ()


def test_undoing_leads_to_where_it_was(hand: Hand) -> None:
    hand.take("box")
    hand.drag((7.0, 15.0, 10.0), (7.0, 25.0, 20.0), (7.0, 40.0, 35.0))
    hand.look(0, (2, 30, 25))
    hand.window.press("Ctrl+Z")
    assert hand.window.drawing.sight.position[0] == 7
    hand.look(0, (2, 30, 25))
    hand.window.press("Ctrl+Y")
    assert hand.window.drawing.sight.position[0] == 7


def test_the_list_names_colours_and_leads_there(hand: Hand) -> None:
    tab = hand.window.panel.annotate.annotations
    hand.window.press("M")  # the tool that was used last
    assert hand.window.drawing.choices.tool.startswith("annotate:")
    hand.take("distance")
    hand.click((7.0, 20.0, 10.0), (7.0, 20.0, 30.0))
    hand.take("")
    wait_until(lambda: len(tab.list.rows) == 1, "the row")
    (row,) = tab.list.rows
    made = hand.made[0]
    assert (row.id, row.name, row.icon) == (made.id, "Distance 1", "distance")
    hand.look(0, (2, 5, 5))
    hand.window.drawing.annotations.choose("")
    hand.window.click(tab.list.viewport(), tab.list.row_rect(row.id).center() - QPoint(60, 0))
    assert hand.window.drawing.sight.position[0] == 7
    assert hand.window.drawing.annotations.chosen == made.id
    place = tab.list.row_rect(row.id).center() - QPoint(60, 0)
    hand.window.click(tab.list.viewport(), place, double=True)
    editor = tab.list.findChild(QLineEdit)
    QTest.keyClicks(editor, "Longest axis")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    hand.window.rest(0.1)
    assert hand.made[0].name == "Longest axis"
    assert hand.marks(0)[0].words[0] == "Longest axis"
    tab.recolored.emit(made.id, "#ff8000")
    assert hand.made[0].color == "#FF8000"
    assert hand.shape == made.shape
    hand.window.click(tab.list.viewport(), tab.list.sign_rect(row.id, 0).center())
    assert hand.made == ()
    hand.window.press("Ctrl+Z")
    assert hand.made[0].name == "Longest axis"


def test_a_case_that_is_only_read_shows_them_and_changes_nothing(hand: Hand) -> None:
    hand.take("distance")
    hand.click((7.0, 20.0, 10.0), (7.0, 20.0, 30.0))
    before, segmentation = hand.made, hand.window.drawing.case.segmentation
    segmentation.read_only = "Somebody else works on it"
    try:
        hand.click((7.0, 40.0, 10.0), (7.0, 40.0, 30.0))
        hand.window.drawing.tools.set_tool("")
        hand.drag((7.0, 20.0, 30.0), (7.0, 30.0, 30.0), (7.0, 50.0, 30.0))
        hand.window.press("Del")
        assert hand.made == before
        assert hand.window.drawing.annotations.draft is None
        assert len(hand.marks(0)) == 1
    finally:
        segmentation.read_only = ""


def test_the_picture_of_them_is_kept_until_something_differs(hand: Hand) -> None:
    annotations = hand.window.drawing.annotations
    for n in range(50):
        annotations.add(Distance((7.0, 5.0 + n, 5.0), (7.0, 5.0 + n, 45.0)))
    hand.window.rest(0.1)
    view = annotations._views[0]
    first = view._picture
    assert first is not None
    for _time in range(3):
        hand.view.repaint()
    assert view._picture is first
    hand.hover((7.0, 20.0, 5.0))
    hand.view.repaint()
    assert view._picture is not first


def test_napari_s_own_canvas_has_them_as_layers_of_the_case(hand: Hand) -> None:
    hand.take("ellipse")
    hand.drag((7.0, 15.0, 10.0), (7.0, 25.0, 20.0), (7.0, 40.0, 35.0))
    hand.take("keypoints")
    hand.click((7.0, 50.0, 10.0), (7.0, 50.0, 40.0))
    hand.take("")
    layers, drawing = hand.window.viewer.layers, hand.window.drawing
    assert "Measurements" not in layers  # nothing is made that nobody looks at
    drawing.looking.set_layout("napari")
    hand.window.rest(0.2)
    shapes, points = layers["Measurements"], layers["Keypoints"]
    assert (list(shapes.shape_type), shapes.editable, points.editable) == (
        ["ellipse"], False, False,
    )  # fmt: skip
    ellipse = hand.made[0]
    np.testing.assert_allclose(shapes.data[0], corners(ellipse.shape, drawing.annotations.geometry))
    assert list(points.features["name"]) == ["1", "2"]
    schema = shapes.metadata["medlabel"]
    assert schema["format"] == 1
    assert [one["shape"]["kind"] for one in schema["annotations"]] == ["ellipse"]
    assert drawing.layers.canvas.owns(shapes)
    assert layers.selection.active is drawing.layers.canvas.labels
    drawing.undo()
    hand.window.rest(0.1)
    assert len(points.data) == 1
    layers.remove(points)  # by somebody, in napari's own list
    hand.window.rest(0.1)
    assert hand.window.desk.drawing is drawing
    drawing.looking.set_layout("1+3")
    assert not shapes.visible
    drawing.looking.set_layout("napari")
    hand.window.rest(0.2)
    assert shapes.visible
    assert "Keypoints" in layers


def test_they_are_exported_and_found_again_when_the_case_is_opened(
    hand: Hand, tmp_path: Path
) -> None:
    hand.take("distance")
    hand.click((7.0, 20.0, 10.0), (7.0, 20.0, 30.0))
    hand.take("ellipse")
    hand.drag((7.0, 30.0, 10.0), (7.0, 35.0, 20.0), (7.0, 45.0, 35.0))
    window, made = hand.window, hand.made
    tab = window.panel.annotate.annotations
    written = tmp_path / "case.annotations.json"
    tab.exported.emit(written)
    document = json.loads(written.read_text(encoding="utf-8"))
    assert [one["kind"] for one in document["annotations"]] == ["distance", "ellipse"]
    assert document["annotations"][1]["words"].startswith("47 ± 0 HU")
    case_id = window.drawing.case.info.id
    window.desk.close_case()
    window.idle()
    window.desk.open_case(case_id)
    window.idle()
    wait_until(lambda: window.drawing.case.loading.finished, "all slices")
    window.rest(0.1)
    assert hand.made == made
    assert hand.words.startswith("47 ± 0 HU")
    hand.look(0, (7, 30, 25))
    assert len(hand.marks(0)) == 2
    for one in made:
        window.drawing.annotations.remove(one.id)
    tab.imported.emit(written)
    window.rest(0.1)
    assert [one.id for one in hand.made] == [one.id for one in made]
    window.press("Ctrl+Z")
    assert hand.made == ()
