"""The Segments section by itself: finding, grouping, folding, and the menu of a row."""

import time
from collections.abc import Sequence
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QAction, QHelpEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMenu, QSlider, QToolTip

from napari_medlabel.core.schema import PALETTE
from napari_medlabel.ui.segment_model import COLOR, EYE, LOCK, NAME
from napari_medlabel.ui.segment_rows import (
    MANY,
    GroupRow,
    SegmentDetail,
    listed_rows,
    repeats,
    row_tip,
)
from napari_medlabel.ui.segment_table import SegmentTable
from napari_medlabel.ui.segments_box import SegmentsBox, SegmentsState
from napari_medlabel.ui.state import SegmentRow
from tests.gui.alone import press, settle, shown

NAMES = ("Liver", "Spleen", "Kidney, right", "Kidney, left", "Pancreas", "Aorta", "Gallbladder",
         "Liver lesion")  # fmt: skip


def rows(count: int) -> tuple[SegmentRow, ...]:
    return tuple(
        SegmentRow(
            n, NAMES[n - 1] if n <= len(NAMES) else f"Segment {n}", PALETTE[(n - 1) % 8],
            "18.2", "26", n != 3, n == 6,
        )
        for n in range(1, count + 1)
    )  # fmt: skip


def in_groups(count: int, groups: int) -> dict[int, SegmentDetail]:
    return {n: SegmentDetail((n - 1) % groups) for n in range(1, count + 1)}


# What is listed


@given(st.integers(0, 60), st.integers(1, 5), st.text("Liverlson 123", max_size=6))
def test_each_found_segment_is_listed_once_and_in_the_schema_s_order(
    count: int, groups: int, search: str
) -> None:
    all_rows = rows(count)
    listed = listed_rows(all_rows, in_groups(count, groups), search)
    found = [row for row in listed if isinstance(row, SegmentRow)]
    assert len(set(found)) == len(found)
    assert set(found) <= set(all_rows)
    headings = [row for row in listed if isinstance(row, GroupRow)]
    assert sum(one.count for one in headings) in {0, len(found)}
    if not search.strip():
        assert set(found) == set(all_rows)
        assert bool(headings) == (count > MANY and groups > 1)


def test_a_segment_is_found_by_words_code_or_number() -> None:
    details = {2: SegmentDetail(code="Spleen, SCT 78961009")}

    def found(search: str) -> list[int]:
        return [one.value for one in listed_rows(rows(14), details, search)]  # type: ignore[union-attr]

    assert found("LIVER") == [1, 8]
    assert found("les liv") == [8]
    assert found("78961009") == [2]
    assert found("4") == [4, 14]  # number 4, and "Segment 14"
    assert found("nothing") == []


def test_a_folded_group_keeps_its_heading_and_a_search_unfolds_it() -> None:
    details = in_groups(20, 2)
    folded = listed_rows(rows(20), details, folded={0})
    assert folded[0] == GroupRow(0, 10, folded=True)
    assert isinstance(folded[1], GroupRow)
    assert SegmentRow not in {type(one) for one in listed_rows(rows(20), details, folded={0, 1})}
    found = listed_rows(rows(20), details, "liver", {0, 1})
    assert [one.value for one in found if isinstance(one, SegmentRow)] == [1, 8]


def test_colours_that_come_again_are_dashed() -> None:
    assert repeats(rows(8)) == frozenset()
    assert repeats(rows(18)) == frozenset(range(9, 19))


def test_a_tooltip_says_what_the_row_does_not() -> None:
    tip = row_tip(rows(1)[0], SegmentDetail(0, "97 HU", "Liver, SCT 10200004"))
    assert tip.splitlines() == [
        "Liver", "18.2 mL on 26 slices", "Mean 97 HU", "Liver, SCT 10200004",
        "Double click renames",
    ]  # fmt: skip
    empty = SegmentRow(1, "Liver", "#FF8000", "\N{EN DASH}", "\N{EN DASH}")
    assert "mL" not in row_tip(empty, None)


# The hand


@pytest.fixture
def box(qapp: QApplication) -> SegmentsBox:
    assert qapp is not None
    made = SegmentsBox()
    made.set_state(SegmentsState(rows(8), 1))
    return made


def heard(table: SegmentTable) -> list[tuple[object, ...]]:
    got: list[tuple[object, ...]] = []
    for name in (
        "picked", "renamed", "color_wanted", "code_wanted", "eye_clicked", "lock_clicked",
        "merge_wanted", "group_wanted", "opacity_changed", "delete_wanted",
    ):  # fmt: skip
        getattr(table, name).connect(lambda *what, name=name: got.append((name, *what)))
    return got


def click(
    table: SegmentTable, value: int, column: int, held: Qt.KeyboardModifier | None = None
) -> None:
    modifiers = Qt.KeyboardModifier.NoModifier if held is None else held
    place = table.cell_rect(value, column).center()
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, modifiers, place)
    settle()


def actions_of(menu: QMenu) -> dict[str, QAction]:
    return {one.text().split("\t")[0].rstrip("\N{HORIZONTAL ELLIPSIS}"): one
            for one in menu.actions() if one.text()}  # fmt: skip


def test_clicks_on_a_row_say_what_was_meant(box: SegmentsBox) -> None:
    got = heard(box.table)
    with shown(box):
        click(box.table, 2, NAME)
        click(box.table, 2, COLOR)
        click(box.table, 2, EYE)
        click(box.table, 2, EYE, Qt.KeyboardModifier.AltModifier)
        click(box.table, 6, LOCK)
    assert got == [
        ("picked", 2), ("color_wanted", 2), ("eye_clicked", 2, False), ("eye_clicked", 2, True),
        ("lock_clicked", 6),
    ]  # fmt: skip


def test_keys_walk_rename_and_ask_to_delete(box: SegmentsBox) -> None:
    got = heard(box.table)
    with shown(box):
        box.table.setFocus()
        press(box.table, "Down")
        press(box.table, "Del")
        press(box.table, "F2")
        editor = QApplication.focusWidget()
        QTest.keyClicks(editor, "Hepar")
        press(editor, "Return")
    assert got == [("picked", 2), ("delete_wanted", 1), ("renamed", 1, "Hepar")]


def test_the_menu_of_a_row_does_what_it_says(box: SegmentsBox) -> None:
    got = heard(box.table)
    with shown(box):
        menu = box.table.menu_of(2)
        assert menu is not None
        actions = actions_of(menu)
        for words in ("Colour", "Code", "Show only this", "Delete segment"):
            actions[words].trigger()
        merge = actions["Merge into"].menu()
        merge.aboutToShow.emit()
        assert "Spleen" not in actions_of(merge)
        assert not actions_of(merge)["Aorta"].isEnabled()  # it is locked
        actions_of(merge)["Liver"].trigger()
        groups = actions_of(actions["Move to group"].menu())
        assert groups["Group 1"].isChecked()
        groups["New group: may overlap others"].trigger()
        (slider,) = menu.findChildren(QSlider)
        slider.setValue(60)
        menu.close()
    assert got == [
        ("color_wanted", 2), ("code_wanted", 2), ("eye_clicked", 2, True), ("delete_wanted", 2),
        ("merge_wanted", 2, 1), ("group_wanted", 2, 1), ("opacity_changed", 2, 0.6),
    ]  # fmt: skip


def test_read_only_nothing_can_be_changed_but_what_is_shown(box: SegmentsBox) -> None:
    box.set_state(SegmentsState(rows(8), 1, read_only="Somebody else has the case open"))
    got = heard(box.table)
    with shown(box):
        box.table.setFocus()
        press(box.table, "F2")
        press(box.table, "Del")
        menu = box.table.menu_of(2)
        assert menu is not None
        on = {words for words, action in actions_of(menu).items() if action.isEnabled()}
        menu.close()
        assert not box.add.isEnabled()
        schema = {one.text() for one in box.schema_menu().actions() if one.isEnabled()}
    assert on == {"Show only this"}
    assert got == []
    assert schema == {"Save schema\N{HORIZONTAL ELLIPSIS}"}


def test_more_than_a_dozen_get_a_search_and_groups_that_fold(box: SegmentsBox) -> None:
    got = heard(box.table)
    with shown(box):
        assert not box.search.isVisible()
        box.set_state(SegmentsState(rows(20), 1, in_groups(20, 2)))
        settle()
        assert box.search.isVisible()
        assert len(box.table.listed()) == 20
        place = box.table.heading_rect(0).center()
        QTest.mouseClick(box.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
        settle()
        assert box.table.listed() == list(range(2, 21, 2))
        box.search.setFocus()
        QTest.keyClicks(box.search, "liver")
        assert box.table.listed() == [1, 8]
        press(box.search, "Return")
        press(box.search, "Esc")
        assert box.search.text() == ""
        assert box.table.listed() == list(range(2, 21, 2))
    assert got == [("picked", 1)]


def test_a_search_that_finds_nothing_says_so(box: SegmentsBox) -> None:
    with shown(box) as root:
        QTest.mouseClick(box.find, Qt.MouseButton.LeftButton)
        assert QApplication.focusWidget() is box.search
        high = box.table.height()
        QTest.keyClicks(box.search, "xyz")
        settle()
        assert box.table.listed() == []
        assert box.search.property("wrong") == "true"
        assert box.table.height() == high  # the panel stays still
        press(box.search, "Esc")
        assert not box.search.isVisible()
        assert len(box.table.listed()) == 8
        assert root.isVisible()


def test_the_schema_menu_asks_and_the_protocol_unfolds(box: SegmentsBox) -> None:
    got: list[str] = []
    box.schema_wanted.connect(got.append)
    box.set_state(SegmentsState(rows(8), 1, schema="Abdomen 3", protocol="Every third slice."))
    with shown(box):
        assert box.schema.toolTip().startswith("Abdomen 3:")
        assert not box.protocol.words.isVisible()
        for action in box.schema_menu().actions():
            action.trigger()
        QTest.qWait(200)
        assert box.protocol.words.isVisible()
        assert box.protocol.words.isReadOnly()
        assert box.protocol.words.toPlainText() == "Every third slice."
        box.set_state(SegmentsState(rows(8), 1))
        assert not box.protocol.isVisible()
    assert got == ["load", "save", "protocol"]


def test_templates_and_work_on_all_segments_are_in_menus(box: SegmentsBox) -> None:
    got: list[str] = []
    box.template_wanted.connect(got.append)
    box.asked.connect(got.append)
    box.set_templates((("lesions", "Lesions"), ("brain", "Brain structures")))
    with shown(box):
        actions_of(actions_of(box.schema_menu())["Load template"].menu())["Lesions"].trigger()
        for action in box.case_menu().actions():
            action.trigger()
        box.set_state(SegmentsState(rows(8), 1, read_only="Open in another window"))
        entries = [one for one in box.case_menu().actions() if one.isEnabled() and one.text()]
        on = {one.text().rstrip("\N{HORIZONTAL ELLIPSIS}") for one in entries}
    assert got == [
        "lesions", "statistics", "compare", "import-mask", "import-mask-folder", "save-version",
        "versions",
    ]  # fmt: skip
    assert on == {"Statistics", "Compare", "Versions"}


def test_a_tooltip_asks_for_the_mean_and_then_has_it(box: SegmentsBox) -> None:
    asked: list[int] = []
    box.table.mean_wanted.connect(asked.append)
    with shown(box):
        place = box.table.cell_rect(2, NAME).center()
        tip = QHelpEvent(QEvent.Type.ToolTip, place, box.table.viewport().mapToGlobal(place))
        QApplication.sendEvent(box.table.viewport(), tip)
        assert asked == [2]
        assert "Mean" not in QToolTip.text()
        box.table.set_mean(2, "97 HU")
        settle()
        assert "Mean 97 HU" in QToolTip.text()
        QApplication.sendEvent(box.table.viewport(), tip)
        assert asked == [2]  # it is known now
        QToolTip.hideText()


def test_what_is_typed_stays_while_numbers_change(box: SegmentsBox) -> None:
    with shown(box):
        box.table.rename(1)
        editor = QApplication.focusWidget()
        QTest.keyClicks(editor, "Hep")
        first, *others = rows(8)
        changed = SegmentRow(1, first.name, first.color, "19.0", "27")
        box.set_state(SegmentsState((changed, *others), 1))
        settle()
        assert QApplication.focusWidget() is editor
        QTest.keyClicks(editor, "ar")
        got = heard(box.table)
        press(editor, "Return")
    assert got == [("renamed", 1, "Hepar")]


def _changed(all_rows: Sequence[SegmentRow], n: int) -> tuple[SegmentRow, ...]:
    one = all_rows[5]
    now = SegmentRow(one.value, one.name, one.color, str(n), "3")
    return (*all_rows[:5], now, *all_rows[6:])


def test_three_hundred_segments_scroll_and_follow_as_well_as_eight(box: SegmentsBox) -> None:
    all_rows = rows(300)
    with shown(box):
        box.set_state(SegmentsState(all_rows, 1, in_groups(300, 3)))
        settle()
        table = box.table
        assert table.height() < 14 * 26
        bar, scrolled = table.verticalScrollBar(), []
        for place in range(0, bar.maximum(), max(1, bar.maximum() // 40)):
            begin = time.process_time()
            bar.setValue(place)
            table.viewport().repaint()
            scrolled.append(time.process_time() - begin)
        followed = []
        for n in range(20):
            begin = time.process_time()
            table.set_rows(_changed(all_rows, n), 1)
            followed.append(time.process_time() - begin)
        table.set_rows(all_rows, 299)
        settle()
        assert table.viewport().rect().contains(table.cell_rect(299, NAME).center())
    assert median(scrolled) < 0.016, scrolled
    assert median(followed) < 0.016, followed
