"""Statistics, comparison and versions in the window, by real events."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_medlabel import formats
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.ui.number_table import Cell, NumberTable, as_text
from napari_medlabel.ui.segment_windows import SegmentWindows
from napari_medlabel.ui.statistics_state import (
    axis_at,
    compared_rows,
    number_words,
    signed_words,
    statistics_header,
    statistics_rows,
)
from napari_medlabel.ui.versions_state import changes_words, version_choices
from tests.gui.real_window import Window, wait_until

DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
AXIS = {"mm": 12.34, "begin_kji": [2.0, 1.0, 5.0], "end_kji": [2.0, 9.0, 5.0]}
LIVER = {
    "value": 1, "name": "Liver", "color": "#FF8000", "voxels": 12345, "ml": 18.2, "mean": 97.25,
    "sd": 12.0, "min": -1024.0, "max": 300.0, "p5": 60.0, "p25": 80.0, "p50": 97.0, "p75": 110.0,
    "p95": 130.0, "slices": 26, "long_axis": AXIS, "short_axis": AXIS, "longest_axis": AXIS,
    "surface_cm2": 41.8,
}  # fmt: skip
DOCUMENT = {
    "format": 1, "unit": "HU",
    "segments": [LIVER, {"value": 2, "name": "Cyst", "color": "#33FFCC", "voxels": 0, "ml": 0.0}],
}  # fmt: skip


# In words


def test_each_segment_is_a_row_with_units_in_the_header_and_dashes_for_nothing() -> None:
    header = statistics_header("HU")
    liver, cyst = statistics_rows(DOCUMENT)
    assert len(header) == len(liver) == len(cyst)
    told = dict(zip(header, (cell.words for cell in liver), strict=True))
    assert told["mL"] == "18.2"
    assert told["Voxels"] == "12\N{THIN SPACE}345"
    assert told["Mean, HU"] == "97.2"
    assert told["Lowest"] == f"{MINUS}1024"
    assert told["Long axis, mm"] == "12.3"
    assert {cell.words for cell in cyst[1:]} == {DASH}


def test_only_an_axis_that_is_there_can_be_followed() -> None:
    line = axis_at(DOCUMENT, 0, 4)
    assert line is not None
    assert (line.words, line.middle) == ("Long axis 12.3 mm", (2.0, 5.0, 5.0))
    assert axis_at(DOCUMENT, 0, 3) is None
    assert axis_at(DOCUMENT, 1, 4) is None


def test_what_is_copied_has_all_digits() -> None:
    text = as_text(statistics_header("HU"), statistics_rows(DOCUMENT))
    lines = [line.split("\t") for line in text.splitlines()]
    assert [len(line) for line in lines] == [len(lines[0])] * 3
    assert lines[1][:5] == ["Liver", "18.2", "12345", "26", "12.34"]


@given(st.floats(-5000.0, 5000.0))
def test_a_number_in_words_is_near_the_number(value: float) -> None:
    told = float(number_words(value).replace(MINUS, "-"))
    assert told == pytest.approx(value, rel=0.01, abs=0.05)


@given(st.floats(-2000.0, 2000.0))
def test_a_difference_has_its_sign(ml: float) -> None:
    words = signed_words(ml)
    assert words == "0" if ml == 0.0 else words[0] == ("+" if ml > 0.0 else MINUS)


def test_a_comparison_without_the_other_segment_has_no_distance() -> None:
    (row,) = compared_rows([{
        "value": 9, "name": "", "color": "", "voxels_a": 0, "voxels_b": 27, "ml_a": 0.0,
        "ml_b": 0.3, "ml_difference": 0.3, "dice": 0.0, "hd95_mm": None, "assd_mm": None,
    }])  # fmt: skip
    assert [cell.words for cell in row] == [
        "Label 9", DASH, "0.30", "+0.30", "0.000", DASH, DASH,
    ]  # fmt: skip


def test_versions_and_changes_are_told_in_a_line_each() -> None:
    now = datetime(2026, 3, 5, 15, 0, tzinfo=UTC)
    found = [
        {"number": n, "when": f"2026-03-05T1{n}:00:00+00:00", "who": "ana", "message": words}
        for n, words in ((1, "liver done"), (2, ""))
    ]
    assert version_choices(found, now) == (
        (2, "Version 2 · Today 12:00"), (1, "Version 1 · Today 11:00 · liver done"),
    )  # fmt: skip
    same = {"name": "Spleen", "voxels_gained": 0, "voxels_lost": 0, "change_ml": 0.0, "dice": 1.0}
    grown = {"name": "Liver", "voxels_gained": 9, "voxels_lost": 1, "change_ml": 0.8, "dice": 0.97}
    assert changes_words({"labels": [same, grown]}) == ("Liver  +0.80 mL, Dice 0.970",)


def test_a_table_of_numbers_copies_and_follows_links(qapp: QApplication) -> None:
    table, followed = NumberTable("Numbers"), []
    table.followed.connect(lambda *at: followed.append(at))
    table.set_rows(("Name", "mL"), [(Cell("Liver"), Cell("18.2", "18.2034", link=True))])
    table.show()
    qapp.processEvents()
    for column in (0, 1):
        place = table.visualItemRect(table.item(0, column)).center()
        QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert followed == [(0, 1)]
    QTest.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == "Name\tmL\nLiver\t18.2034\n"
    table.close()
    table.deleteLater()


# In the window


@pytest.fixture
def drawn(window: Window, study: Path) -> Window:
    """A small CT with two segments on one slice."""
    window.open_study(study)
    k, j, i = (n // 2 for n in window.drawing.case.volume.shape)
    for row in (j - 12, j + 12):
        window.click(window.panel.annotate.add)
        if not window.drawing.choices.tool:
            window.press("P")
        window.stroke((k, row, i - 8), (k, row, i + 8))
    return window


def windows_of(drawn: Window) -> SegmentWindows:
    return drawn.panel.segment_windows


def choose_file(path: Path) -> None:
    """As a person does in the file window that is open."""
    dialog = next(
        one for one in QApplication.topLevelWidgets()
        if isinstance(one, QFileDialog) and one.isVisible()
    )  # fmt: skip
    dialog.fileSelected.emit(str(path))
    dialog.reject()
    QApplication.processEvents()


def press_menu(drawn: Window, words: str) -> None:
    entries = drawn.panel.annotate.segments.case_menu().actions()
    next(one for one in entries if one.text().startswith(words)).trigger()
    drawn.rest()


def click_cell(drawn: Window, table: NumberTable, row: int, column: int) -> None:
    table.scrollToItem(table.item(row, column))
    place = table.visualItemRect(table.item(row, column)).center()
    drawn.click(table.viewport(), place)


def test_statistics_are_measured_followed_saved_and_marked_as_old(
    drawn: Window, tmp_path: Path
) -> None:
    part = windows_of(drawn).statistics
    press_menu(drawn, "Statistics")
    wait_until(lambda: part.window.document is not None, "the numbers")
    first = part.window.document["segments"][0]
    seg = drawn.drawing.case.segmentation
    image = np.asarray(drawn.drawing.case.volume.levels[0])
    assert first["voxels"] == seg.voxels(1)
    assert first["mean"] == pytest.approx(float(image[seg.labels == 1].mean()))

    # A click on an axis goes there and shows it, until the window is closed.
    drawn.drawing.sight.move_to((0, 0, 0))
    click_cell(drawn, part.window.table, 0, 4)
    assert drawn.drawing.sight.position[0] == round(first["long_axis"]["begin_kji"][0])
    (span,) = drawn.drawing.sight.spans
    assert span.words == f"Long axis {first['long_axis']['mm']:.1f} mm"
    place = np.asarray(span.begin) + 0.4 * (np.asarray(span.end) - span.begin)
    spot, shown = drawn.pixel(tuple(place)), drawn.view.grab().toImage()
    near = [shown.pixelColor(spot + QPoint(0, down)) for down in range(-2, 3)]
    assert max(min(color.red(), color.green(), color.blue()) for color in near) > 190  # a line

    # Written to a file.
    drawn.click(part.window.save)
    choose_file(tmp_path / "numbers.json")
    assert json.loads((tmp_path / "numbers.json").read_text()) == part.window.document

    # A stroke makes them old.
    assert not part.window.is_stale
    k, j, i = (n // 2 for n in drawn.drawing.case.volume.shape)
    drawn.stroke((k, j, i - 8), (k, j, i + 8))
    assert part.window.is_stale
    drawn.click(part.window.again)
    wait_until(lambda: not part.window.is_stale, "new numbers")
    assert part.window.document["segments"][1]["voxels"] == seg.voxels(2)
    part.window.close()
    assert drawn.drawing.sight.spans == ()


def test_a_version_is_saved_compared_and_restored(drawn: Window) -> None:
    windows, seg = windows_of(drawn), drawn.drawing.case.segmentation
    kept = seg.labels.copy()
    press_menu(drawn, "Save version")
    versions = windows.versions.window
    assert versions.note.hasFocus()
    QTest.keyClicks(versions.note, "two bars")
    QTest.keyClick(versions.note, Qt.Key.Key_Return)
    wait_until(lambda: versions.table.rowCount() == 1, "the version")
    assert versions.table.item(0, 3).text() == "two bars"

    k, j, i = (n // 2 for n in drawn.drawing.case.volume.shape)
    drawn.stroke((k, j, i - 8), (k, j, i + 8))
    click_cell(drawn, versions.table, 0, 4)
    wait_until(lambda: "Segment 2" in versions.said.text(), "what changed")
    assert "+" in versions.said.text()
    assert "Segment 1" not in versions.said.text()

    click_cell(drawn, versions.table, 0, 5)
    compare = windows.comparing.window
    wait_until(lambda: compare.table.rowCount() == 2, "the comparison")
    assert compare.table.item(0, 4).text() == "1.000"
    assert compare.table.item(1, 4).text() < "1.000"
    before = drawn.color_at((k, j + 4, i + 4))
    drawn.click(compare.show_difference, QPoint(12, compare.show_difference.height() // 2))
    assert drawn.drawing.sight.overlay is not None
    assert np.abs(np.subtract(drawn.color_at((k, j + 3, i + 4)), before)).max() > 40
    compare.close()
    assert drawn.drawing.sight.overlay is None
    assert not compare.show_difference.isChecked()

    click_cell(drawn, versions.table, 0, 6)
    drawn.click(versions.question.yes)
    wait_until(lambda: "is restored" in versions.said.text(), "the version")
    np.testing.assert_array_equal(seg.labels, kept)
    drawn.press("Ctrl+Z")
    assert seg.voxels(2) > np.count_nonzero(kept == 2)


def test_a_mask_on_another_grid_is_compared_once_it_is_resampled(
    drawn: Window, tmp_path: Path
) -> None:
    seg, part = drawn.drawing.case.segmentation, windows_of(drawn).comparing
    lps_from_kji = seg.geometry.lps_from_kji.copy()
    lps_from_kji[:3, 0] /= 2.0
    lps_from_kji[:3, 3] -= lps_from_kji[:3, 0] / 2.0
    fine = np.repeat(seg.labels, 2, axis=0)
    path = tmp_path / "Doe_John.nii.gz"
    formats.write(fine, Geometry(fine.shape, lps_from_kji), path)
    press_menu(drawn, "Compare")
    drawn.click(part.window.file)
    choose_file(path)
    wait_until(part.window.question.isVisible, "the offer")
    assert "28" in part.window.question._title.text()  # slices
    drawn.click(part.window.question.yes)
    wait_until(lambda: part.window.table.rowCount() == 2, "the comparison")
    assert [part.window.table.item(n, 4).text() for n in (0, 1)] == ["1.000", "1.000"]
    assert not part.window.show_difference.isEnabled()
    said = f"{part.window.said.text()} {part.window.windowTitle()}"
    assert "Doe" not in said
