"""Segments in the window: code, merge, groups, fill, schemas, protocol, mean, by real events."""

import json
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QAction, QHelpEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMenu, QToolTip

from napari_medlabel import commands
from napari_medlabel.core.schema import Code
from napari_medlabel.ui.segment_means import mean_words
from napari_medlabel.ui.segment_model import NAME
from tests.gui.real_window import Window, wait_until


@pytest.fixture
def drawn(window: Window, study: Path) -> Window:
    """A small CT with two segments, one above the other."""
    window.open_study(study)
    k, j, i = (n // 2 for n in window.drawing.case.volume.shape)
    for row in (j - 15, j + 15):
        window.click(window.panel.annotate.add)
        if not window.drawing.choices.tool:
            window.press("P")
        window.stroke((k, row, i - 6), (k, row, i + 6))
    return window


def menu_of(window: Window, value: int) -> dict[str, QAction]:
    menu = window.panel.annotate.table.menu_of(value)
    assert menu is not None
    return actions_of(menu)


def actions_of(menu: QMenu) -> dict[str, QAction]:
    """The entries by their words."""
    menu.aboutToShow.emit()
    found = {one.text().split("\t")[0].rstrip("\N{HORIZONTAL ELLIPSIS}"): one
             for one in menu.actions()}  # fmt: skip
    found["menu"] = menu.menuAction()  # keeps the menu alive
    return found


def names(window: Window) -> list[str]:
    return [label.name for label in window.drawing.case.segmentation.schema]


def test_segments_are_merged_and_one_undo_parts_them(drawn: Window) -> None:
    seg = drawn.drawing.case.segmentation
    before, voxels = seg.labels.copy(), seg.voxels(1) + seg.voxels(2)
    actions_of(menu_of(drawn, 2)["Merge into"].menu())["Segment 1"].trigger()
    drawn.rest()
    assert (names(drawn), seg.voxels(1)) == (["Segment 1"], voxels)
    assert drawn.drawing.choices.active == 1
    drawn.press("Ctrl+Z")
    np.testing.assert_array_equal(seg.labels, before)
    assert names(drawn) == ["Segment 1", "Segment 2"]


def test_a_segment_moves_to_a_group_and_is_drawn_over_others_there(drawn: Window) -> None:
    seg = drawn.drawing.case.segmentation
    k, j, i = (n // 2 for n in drawn.drawing.case.volume.shape)
    drawn.drawing.pick(2)
    actions_of(menu_of(drawn, 2)["Move to group"].menu())["New group: may overlap others"].trigger()
    drawn.rest()
    assert seg.group_of(2) == 1
    first = seg.voxels(1)
    drawn.stroke((k, j - 15, i - 6), (k, j - 15, i + 6))  # where the other one is
    assert seg.voxels(1) == first
    assert np.count_nonzero((seg.labels_of(1) == 1) & (seg.labels_of(2) == 2)) > 100


def test_a_code_is_found_among_the_templates_or_typed(drawn: Window) -> None:
    schema = drawn.drawing.case.segmentation
    dialog = drawn.panel.segment_windows.code
    menu_of(drawn, 1)["Code"].trigger()
    wait_until(dialog.isVisible, "the dialog")
    QTest.keyClicks(dialog.search, "10200004")
    assert dialog.list.count() == 1
    QTest.mouseClick(
        dialog.list.viewport(), Qt.MouseButton.LeftButton,
        pos=dialog.list.visualItemRect(dialog.list.item(0)).center(),
    )  # fmt: skip
    assert dialog.meaning.text() == "Liver"
    drawn.click(dialog.keep)
    assert not dialog.isVisible()
    assert schema.schema[1].code == Code("10200004", "SCT", "Liver")
    drawn.rest()
    assert "Liver, SCT 10200004" in drawn.drawing.state.details[1].code

    menu_of(drawn, 1)["Code"].trigger()
    dialog.value.setText("")
    assert not dialog.keep.isEnabled()  # half a code is none
    drawn.click(dialog.remove)
    assert schema.schema[1].code is None
    drawn.press("Ctrl+Z")
    assert schema.schema[1].code is not None


def test_one_segment_is_filled_more_than_the_others(drawn: Window) -> None:
    k, j, i = (n // 2 for n in drawn.drawing.case.volume.shape)
    drawn.drawing.pick(1)
    places = [(k, j + side, i + 3) for side in (-15, 15)]
    before = [drawn.color_at(place) for place in places]
    drawn.panel.annotate.table.opacity_changed.emit(1, 0.9)
    after = [drawn.color_at(place) for place in places]
    assert np.abs(np.subtract(after[0], before[0])).max() > 40
    assert after[1] == pytest.approx(before[1], abs=3)


def test_a_template_brings_its_protocol_and_numbered_segments(window: Window, study: Path) -> None:
    window.open_study(study)
    box = window.panel.annotate.segments
    templates = actions_of(actions_of(box.schema_menu())["Load template"].menu())
    next(one for words, one in templates.items() if words.startswith("Lesions")).trigger()
    assert names(window) == ["Lesion 1"]
    wait_until(lambda: "Lesion" in box.protocol.words.toPlainText(), "the protocol")
    wait_until(lambda: box.schema.toolTip().startswith("Lesions:"), "the name of the schema")
    menu_of(window, 1)["Add another of this kind"].trigger()
    assert names(window) == ["Lesion 1", "Lesion 2"]
    assert window.drawing.choices.active == 2
    window.press("Ctrl+Z")
    window.press("Ctrl+Z")
    wait_until(lambda: not box.protocol.words.toPlainText(), "the protocol to go")
    assert names(window) == []


def test_a_template_over_drawn_segments_asks_and_renumbers_them_in_one_step(drawn: Window) -> None:
    tab, seg = drawn.panel.annotate, drawn.drawing.case.segmentation
    before, old = seg.labels.copy(), names(drawn)
    templates = actions_of(actions_of(tab.segments.schema_menu())["Load template"].menu())
    organs = next(one for words, one in templates.items() if words.startswith("Abdom"))
    organs.trigger()
    wait_until(tab.question.isVisible, "the question")
    assert names(drawn) == old
    drawn.click(tab.question.no)
    organs.trigger()
    drawn.click(tab.question.yes)
    wait_until(lambda: len(seg.schema) > len(old), "the template")
    new = {one.name: one.value for one in seg.schema}
    for value, name in enumerate(old, 1):
        assert new[name] > 2
        np.testing.assert_array_equal(seg.labels == new[name], before == value)
    assert seg.schema[drawn.drawing.choices.active].name in old
    drawn.press("Ctrl+Z")
    np.testing.assert_array_equal(seg.labels, before)
    assert names(drawn) == old


def test_a_schema_is_written_and_read_through_file_windows(drawn: Window, tmp_path: Path) -> None:
    box = drawn.panel.annotate.segments
    drawn.drawing.rename(1, "Tumour")
    for wish in ("save", "load"):
        box.schema_wanted.emit(wish)
        dialog = next(
            one for one in QApplication.topLevelWidgets()
            if one.objectName() == "medlabel_files" and one.isVisible()
        )  # fmt: skip
        dialog.fileSelected.emit(str(tmp_path / "task.labels.json"))
        dialog.reject()
        drawn.rest()
        if wish == "save":
            kept = json.loads((tmp_path / "task.labels.json").read_text())
            drawn.drawing.recolor(1, "#EB59FF")
    assert [one["name"] for one in kept["labels"]] == ["Tumour", "Segment 2"]
    assert drawn.drawing.case.segmentation.schema[1].color == kept["labels"][0]["color"]


def test_a_tooltip_has_the_mean_of_the_image_and_forgets_it_with_a_stroke(drawn: Window) -> None:
    table, case = drawn.panel.annotate.table, drawn.drawing.case
    place = table.cell_rect(1, NAME).center()
    tip = QHelpEvent(QEvent.Type.ToolTip, place, table.viewport().mapToGlobal(place))
    QApplication.sendEvent(table.viewport(), tip)
    wait_until(lambda: "Mean" in QToolTip.text(), "the mean")
    values = np.asarray(case.volume.levels[0])[case.segmentation.labels == 1]
    assert mean_words(values.mean(), "HU") in QToolTip.text()
    k, j, i = (n // 2 for n in case.volume.shape)
    drawn.drawing.pick(1)
    drawn.stroke((k, j - 13, i - 6), (k, j - 13, i + 6))
    index = table.model().index(0, NAME)
    assert "Mean" not in index.data(Qt.ItemDataRole.ToolTipRole)
    QToolTip.hideText()


def test_deleting_asks_with_numbers_and_undo_restores(drawn: Window) -> None:
    tab, seg = drawn.panel.annotate, drawn.drawing.case.segmentation
    voxels = seg.voxels(2)
    drawn.rest(0.3)
    menu_of(drawn, 2)["Delete segment"].trigger()
    wait_until(tab.question.isVisible, "the question")
    words = f"{drawn.drawing.state.rows[1].ml} mL on {drawn.drawing.state.rows[1].slices} slices"
    assert words in tab.question._text.text()
    drawn.click(tab.question.yes)
    assert names(drawn) == ["Segment 1"]
    drawn.press("Ctrl+Z")
    assert seg.voxels(2) == voxels


def test_what_is_refused_is_said_and_nothing_changes(drawn: Window) -> None:
    seg, before = drawn.drawing.case.segmentation, drawn.drawing.case.segmentation.labels.copy()
    commands.lock_label(drawn.session, drawn.drawing.case, 1)
    drawn.panel.annotate.table.merge_wanted.emit(2, 1)
    assert drawn.desk.error is not None
    assert "locked" in f"{drawn.desk.error.title} {drawn.desk.error.text}".lower()
    np.testing.assert_array_equal(seg.labels, before)
