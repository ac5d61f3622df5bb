"""A person's paths through the window: open, draw, undo, lock, close, open again, export."""

import gc
import weakref
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLineEdit

from napari_medlabel.errors import NotSaved
from napari_medlabel.ui.panel import EXPORT
from tests.gui.real_window import Window, wait_until


def middle(window: Window) -> tuple[int, int, int]:
    k, j, i = window.drawing.case.volume.shape
    return k // 2, j // 2, i // 2


def segments(window: Window) -> list[str]:
    return [label.name for label in window.drawing.case.segmentation.schema]


def test_a_case_is_drawn_taken_back_kept_and_exported(  # noqa: PLR0915  # one whole path
    window: Window, tmp_path: Path
) -> None:
    window.open_demo()
    segmentation = window.drawing.case.segmentation
    k, j, i = middle(window)
    before = window.color_at((k, j, i))

    # A segment, a brush, a stroke: on the labels, on the screen, in the table.
    window.click(window.panel.annotate.add)
    window.press("P")
    window.stroke((k, j, i - 20), (k, j, i), (k, j, i + 20))
    drawn = segmentation.voxels(1)
    assert drawn > 100
    assert set(np.unique(segmentation.labels)) == {0, 1}
    painted = window.color_at((k, j, i))
    assert painted[0] > painted[2] + 40
    assert painted != pytest.approx(before, abs=10)
    (row,) = window.drawing.state.rows
    assert (row.ml, row.slices) != ("\N{EN DASH}", "\N{EN DASH}")

    # Undo and redo, on the screen too.
    window.press("Ctrl+Z")
    assert segmentation.voxels(1) == 0
    assert window.color_at((k, j, i)) == pytest.approx(before, abs=3)
    window.press("Ctrl+Y")
    assert segmentation.voxels(1) == drawn
    assert window.color_at((k, j, i)) == pytest.approx(painted, abs=3)

    # A locked segment survives a stroke of another, and the pointer says why.
    said: list[str] = []
    window.desk.blocked.connect(said.append)
    window.drawing.toggle_lock(1)
    window.click(window.panel.annotate.add)
    window.stroke((k, j - 20, i), (k, j, i), (k, j + 20, i))
    assert segmentation.voxels(1) == drawn
    assert segmentation.voxels(2) > 100
    assert said == ["Segment 1 is locked"]
    np.testing.assert_array_equal(window.drawing.layers.drawn_of(0), segmentation.labels)
    kept = segmentation.labels.copy()

    # Closed and opened again, all is there, history too.
    window.desk.close_case()
    window.idle()
    assert not window.viewer.layers
    (recent,) = window.desk.recent()
    window.desk.open_case(recent.id)
    window.idle()
    again = window.drawing.case.segmentation
    np.testing.assert_array_equal(again.labels, kept)
    assert again.locked == {1}
    assert segments(window) == ["Segment 1", "Segment 2"]
    window.press("Ctrl+Z")
    assert again.voxels(2) == 0
    window.press("Ctrl+Y")

    # Exported, and said to be verified.
    window.panel.choose_tab(EXPORT)
    window.panel.export.set_folder(tmp_path / "out")
    window.click(window.panel.export.run)
    window.idle()
    assert window.desk.error is None
    assert window.panel.export.result.count() == 2
    (file,) = (tmp_path / "out").glob("*.nii.gz")
    written = np.asarray(nib.load(file).dataobj)
    assert int((written == 2).sum()) == again.voxels(2)


def test_a_second_window_shows_who_holds_the_case_and_changes_nothing(
    open_windows: Callable[[], Window], study: Path
) -> None:
    first, second = open_windows(), open_windows()
    first.open_study(study)
    first.drawing.tools.set_tool("paint")
    k, j, i = middle(first)
    first.stroke((k, j, i))
    drawn = first.drawing.case.segmentation.voxels(1)
    first.drawing.case.segmentation.settle()

    second.desk.open_case(first.drawing.case.info.id)
    second.idle()
    state = second.drawing.state
    assert "another window" in state.read_only
    assert state.card.chip == "Read only"
    second.press("P")
    second.stroke((k, j - 8, i), (k, j + 8, i))
    assert second.drawing.case.segmentation.voxels(1) == drawn
    assert not second.panel.annotate.add.isEnabled()


def test_cases_opened_one_after_another_leave_nothing_behind(window: Window, study: Path) -> None:
    gone: list[weakref.ref[object]] = []
    for _round in range(3):
        window.open_study(study)
        window.drawing.tools.set_tool("paint")
        k, j, i = middle(window)
        window.stroke((k, j, i), (k, j + 3, i))
        drawing = window.drawing
        layers = drawing.layers
        gone += [weakref.ref(part) for part in (
            drawing, drawing.case.segmentation, drawing.case.volume.levels[0],
            layers, layers.canvas.image, layers.canvas.labels, layers.drawn_of(0),
        )]  # fmt: skip
        del drawing, layers
        window.desk.close_case()
        window.idle()
        assert not window.viewer.layers
    gc.collect()
    window.rest(0.2)
    gc.collect()
    assert [ref() for ref in gone if ref() is not None] == []


def test_segments_are_added_named_coloured_hidden_and_deleted_with_undo(
    window: Window, study: Path
) -> None:
    window.open_study(study)
    table, drawing = window.panel.annotate.table, window.drawing
    for _n in range(2):
        window.click(window.panel.annotate.add)
    window.press("P")
    k, j, i = middle(window)
    window.stroke((k, j, i), (k, j, i + 4))

    window.click(table.viewport(), table.cell_rect(2, 2).center(), double=True)
    editor = table.findChild(QLineEdit)
    editor.selectAll()
    editor.insert("Lesion")
    window.press("Return", to=editor)
    assert segments(window) == ["Segment 1", "Lesion"]

    drawing.recolor(2, "#00ff00")
    red, green, _blue = window.color_at((k, j, i))
    assert green > red + 40

    window.click(table.viewport(), table.cell_rect(2, 5).center())
    red, green, blue = window.color_at((k, j, i))
    assert max(red, green, blue) - min(red, green, blue) < 10
    window.click(table.viewport(), table.cell_rect(2, 5).center())

    drawn = drawing.case.segmentation.voxels(2)
    table.delete_wanted.emit(2)
    assert segments(window) == ["Segment 1", "Lesion"]  # asked first
    window.click(window.panel.annotate.question.yes)
    assert segments(window) == ["Segment 1"]
    assert not drawing.layers.drawn_of(0).any()

    for _step in range(3):  # the deletion, the colour, the name
        window.press("Ctrl+Z")
    assert segments(window) == ["Segment 1", "Segment 2"]
    assert drawing.case.segmentation.voxels(2) == drawn


def test_the_brush_is_round_in_every_plane_and_undo_goes_to_the_slice_it_changed(
    window: Window, study: Path
) -> None:
    window.open_study(study)
    drawing = window.drawing
    drawing.tools.set_tool("paint")
    drawing.tools.set_size(16.0)
    k, j, i = middle(window)
    window.press("Ctrl+2")
    window.stroke((k, j, i))
    painted = np.argwhere(drawing.case.segmentation.labels)
    spacing = drawing.case.volume.geometry.spacing_mm
    assert set(painted[:, 1]) == {j}
    assert np.ptp(painted[:, 0]) == int(8.0 / spacing[0]) * 2
    assert np.ptp(painted[:, 2]) == int(8.0 / spacing[2]) * 2

    window.drawing.sight.move_along(1, 2)
    window.press("Ctrl+Z")
    assert window.drawing.sight.position[1] == j
    assert not drawing.layers.drawn_of(0).any()


def test_the_keys_of_the_hand(window: Window, study: Path) -> None:
    window.open_study(study)
    drawing = window.drawing
    drawing.add_segment()
    drawing.add_segment()
    window.press("P")
    assert drawing.choices.tool == "paint"
    start = drawing.tools.size_mm
    window.press("]")
    larger = drawing.tools.size_mm
    window.press("E")
    assert drawing.choices.tool == "erase"
    assert (drawing.tools.size_mm, larger > start) == (start, True)  # erase keeps its own size
    window.press("[")
    assert drawing.choices.erase_mm < start
    assert drawing.choices.brush_mm == larger
    assert drawing.layers.canvas.labels.brush_mm == drawing.choices.erase_mm

    window.press("Q", to=window.panel.annotate.table)  # wherever the focus is
    assert drawing.choices.active == 1
    window.press("W")
    assert drawing.choices.active == 2
    window.press("K")
    assert drawing.case.segmentation.locked == {2}
    window.press("V")
    assert not drawing.layers.canvas.labels.visible
    window.press("Alt+3")
    assert drawing.state.preset == 2
    here = window.drawing.sight.position[0]
    window.press("Up")
    assert window.drawing.sight.position[0] == here + 1
    assert window.viewer.layers.selection.active is drawing.layers.canvas.labels


def test_holding_ctrl_erases_and_the_right_button_sets_the_window(
    window: Window, study: Path
) -> None:
    window.open_study(study)
    drawing = window.drawing
    drawing.tools.set_tool("paint")
    k, j, i = middle(window)
    window.stroke((k, j, i - 6), (k, j, i + 6))
    drawn = drawing.case.segmentation.voxels(1)
    window.stroke((k, j, i - 1), (k, j, i + 1), keys=Qt.KeyboardModifier.ControlModifier)
    erased = drawing.case.segmentation.voxels(1)
    assert 0 < erased < drawn

    width = drawing.layers.window.width
    right, place = Qt.MouseButton.RightButton, window.pixel((k, j, i))
    QTest.mousePress(window.canvas, right, pos=place)
    for n in range(1, 4):
        move = QPoint(place.x() + 20 * n, place.y())
        QTest.mouseMove(window.canvas, move)
        QApplication.processEvents()
    QTest.mouseRelease(window.canvas, right, pos=move)
    window.rest()
    assert drawing.case.segmentation.voxels(1) == erased
    assert drawing.layers.window.width > width


def test_a_stroke_that_cannot_be_kept_is_taken_back_and_said(
    window: Window, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.open_study(study)
    drawing = window.drawing
    drawing.tools.set_tool("paint")
    drawing.case.segmentation.settle()

    def full() -> None:
        raise NotSaved("the disk is full", "free some space and draw it again")

    monkeypatch.setattr(drawing.case.segmentation._journal, "settle", full)
    k, j, i = middle(window)
    window.stroke((k, j, i), (k, j, i + 5))
    assert window.desk.error is not None
    assert "disk is full" in window.desk.error.title
    assert window.panel.error.isVisible()
    assert not drawing.layers.drawn_of(0).any()
    monkeypatch.undo()
    window.stroke((k, j, i), (k, j, i + 5))
    assert drawing.case.segmentation.voxels(1) > 0


def test_saved_is_said_within_a_second(window: Window, study: Path) -> None:
    window.open_study(study)
    window.drawing.tools.set_tool("paint")
    k, j, i = middle(window)
    window.stroke((k, j, i))
    wait_until(lambda: window.drawing.case.saved().kind == "saved", "the stroke on disk", 1.0)
    wait_until(lambda: window.drawing.state.saved_kind == "saved", "the words", 1.0)
