"""The sheet of keys, the dialog that changes them, the list of steps."""

from collections.abc import Iterator

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QAction
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMainWindow, QPushButton

from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.schema import Label
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.ui import theme
from napari_medlabel.ui.cheat_sheet import CheatSheet
from napari_medlabel.ui.history_list import SHOWN, HistoryList, HistoryReader
from napari_medlabel.ui.key_sets import KeyChoice, keymap
from napari_medlabel.ui.key_sheet import SheetRow, matching, sheet
from napari_medlabel.ui.keys_dialog import KeysDialog
from napari_medlabel.ui.theme import DARK, LIGHT, Tokens

MINUS = "\N{MINUS SIGN}"


@pytest.fixture
def frame(qapp: QApplication) -> Iterator[QMainWindow]:
    made = QMainWindow()
    made.resize(1200, 900)
    made.setCentralWidget(QPushButton("image"))
    made.show()
    made.activateWindow()
    QTest.qWaitForWindowActive(made)
    yield made
    made.close()
    made.deleteLater()
    qapp.processEvents()


def press(frame: QMainWindow, *keys: Qt.Key) -> None:
    for key in keys:
        QTest.keyClick(frame.windowHandle(), key)
    QApplication.processEvents()


def rows(choice: KeyChoice, query: str = "") -> dict[str, SheetRow]:
    found = matching(sheet(keymap(choice)), query)
    return {row.words: row for column in found for section in column for row in section.rows}


def said(row: SheetRow) -> str:
    return " ".join(f"[{part.text}]" if part.cap else part.text for part in row.parts)


@pytest.mark.parametrize(
    ("words", "keys"),
    [("Next or previous slice", "[Wheel] or [Up] [Down]"), ("Paint", "[P] or [2]"),
     ("Undo, redo", "[Ctrl Z] [Ctrl Y]"), ("Pick by number", "[Shift 1] to [Shift 9]"),
     ("Full-size view", "[Double click] or [X]"), ("Accept on this slice", "[Shift Enter]"),
     ("Zoom at the pointer", "[Ctrl] wheel"), ("This list", "[?]")],
)  # fmt: skip
def test_the_sheet_says_keys_and_gestures(words: str, keys: str) -> None:
    assert said(rows(KeyChoice())[words]) == keys


def test_the_sheet_follows_the_set_and_leaves_out_what_has_no_key() -> None:
    assert said(rows(KeyChoice("slicer"))["Undo, redo"]) == "[Z] [Y]"
    assert "Less, more opaque" not in rows(KeyChoice())
    assert said(rows(KeyChoice("itk-snap"))["Less, more opaque"]) == "[A] [D]"
    bare = KeyChoice().with_keys("ball", ()).with_keys("preset-9", ())
    assert "Disc or ball" not in rows(bare)
    assert said(rows(bare)["Window presets"]) == "[Alt 1]"


@pytest.mark.parametrize(
    ("query", "words"),
    [("k", "Lock or unlock"), ("ctrl k", "Find an action"), ("rubber", "Erase"),
     ("contrast", "Window presets"), ("?", "This list"), ("sphere", "Disc or ball")],
)  # fmt: skip
def test_the_sheet_is_searched_by_words_keys_and_synonyms(query: str, words: str) -> None:
    found = rows(KeyChoice(), query)
    assert words in found
    assert len(found) < 8


def test_the_sheet_is_opened_searched_and_closed_by_esc(frame: QMainWindow) -> None:
    made = CheatSheet(frame)
    made.set_style(theme.style_sheet(DARK), DARK)
    made.open()
    QApplication.processEvents()
    assert made.geometry() == frame.rect()
    assert made.rect().contains(made.card.geometry())
    before = made.rows.height()
    press(frame, Qt.Key.Key_R, Qt.Key.Key_U, Qt.Key.Key_L, Qt.Key.Key_E, Qt.Key.Key_R)
    assert [section.title for column in made.shown for section in column] == ["Other tools"]
    assert made.rows.height() < before
    assert "Erase" not in made.rows.accessibleDescription()
    closed: list[bool] = []
    made.closed.connect(lambda: closed.append(True))
    press(frame, Qt.Key.Key_Escape)
    assert (made.isVisible(), closed) == (False, [True])


def test_a_set_is_chosen_on_the_sheet_and_shown_by_whoever_keeps_it(frame: QMainWindow) -> None:
    made = CheatSheet(frame)
    made.set_style(theme.style_sheet(LIGHT), LIGHT)
    made.open()
    wanted: list[str] = []
    made.set_wanted.connect(wanted.append)
    made.sets.chosen.emit(1)
    assert wanted == ["slicer"]
    made.set_choice(KeyChoice("slicer"))
    shown = {row.words: row for column in made.shown for section in column for row in section.rows}
    assert said(shown["Undo, redo"]) == "[Z] [Y]"


@pytest.mark.parametrize("size", [(1920, 1100), (700, 500)])
@pytest.mark.parametrize("tokens", [DARK, theme.tokens_for("dark", 16.0)], ids=["9pt", "16pt"])
def test_the_sheet_fits_into_any_window(
    frame: QMainWindow, size: tuple[int, int], tokens: Tokens
) -> None:
    frame.resize(*size)
    made = CheatSheet(frame)
    made.set_style(theme.style_sheet(tokens), tokens)
    made.open()
    QApplication.processEvents()
    assert made.rect().contains(made.card.geometry())


# The dialog


@pytest.fixture
def dialog(frame: QMainWindow) -> KeysDialog:
    made = KeysDialog(frame)
    made.set_style(theme.style_sheet(DARK), DARK)
    made.show()
    made.activateWindow()
    QTest.qWaitForWindowActive(made)
    return made


def give(dialog: KeysDialog, key: Qt.Key, held: Qt.KeyboardModifier) -> None:
    dialog.field.setFocus()
    QTest.keyClick(dialog.windowHandle(), key, held)
    QApplication.processEvents()


NONE, CTRL, SHIFT = (
    Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)  # fmt: skip


def test_a_key_is_given_by_pressing_it(dialog: KeysDialog) -> None:
    made: list[KeyChoice] = []
    dialog.choice_changed.connect(made.append)
    dialog.pick("fill")
    give(dialog, Qt.Key.Key_U, NONE)
    give(dialog, Qt.Key.Key_J, CTRL)
    assert keymap(dialog.choice)["fill"] == ("F", "4", "U", "Ctrl+J")
    assert made[-1] is dialog.choice
    assert dialog.action_id == "fill"
    give(dialog, Qt.Key.Key_Exclam, SHIFT)
    assert keymap(dialog.choice)["fill"][-1] == "!"


def test_even_the_key_of_a_menu_or_esc_is_for_the_field(dialog: KeysDialog) -> None:
    menu = QAction("x", dialog)
    chosen: list[bool] = []
    menu.triggered.connect(lambda: chosen.append(True))
    menu.setShortcut("Ctrl+B")
    dialog.addAction(menu)
    dialog.pick("fill")
    give(dialog, Qt.Key.Key_B, CTRL)
    assert (keymap(dialog.choice)["fill"][-1], chosen) == ("Ctrl+B", [])
    give(dialog, Qt.Key.Key_Escape, NONE)
    assert dialog.isVisible()
    assert "Reject the preview" in dialog.wrong.text()


def test_a_key_in_use_is_refused_with_words_and_nothing_changes(dialog: KeysDialog) -> None:
    made: list[KeyChoice] = []
    dialog.choice_changed.connect(made.append)
    dialog.pick("fill")
    give(dialog, Qt.Key.Key_P, NONE)
    assert dialog.wrong.text().startswith("P is the key of \N{LEFT DOUBLE QUOTATION MARK}Paint")
    assert made == []
    give(dialog, Qt.Key.Key_W, CTRL)
    assert dialog.wrong.text().startswith("Ctrl W is napari's: close the window")
    dialog.pick("paint")
    assert dialog.wrong.text() == ""


def test_keys_are_taken_away_and_given_back(dialog: KeysDialog) -> None:
    dialog.pick("paint")
    caps = [one for one in dialog.findChildren(QPushButton) if one.text().startswith("P ")]
    caps[0].click()
    assert keymap(dialog.choice)["paint"] == ("2",)
    dialog.pick("fill")
    give(dialog, Qt.Key.Key_P, NONE)
    assert keymap(dialog.choice)["fill"] == ("F", "4", "P")
    assert dialog.given.isEnabled()
    dialog.given.click()
    assert keymap(dialog.choice) == keymap(KeyChoice())
    assert not dialog.given.isEnabled()


def test_set_digits_and_search(dialog: KeysDialog) -> None:
    dialog.sets.chosen.emit(2)
    dialog.digits.click()
    assert (dialog.choice.base, dialog.choice.digits_pick) == ("itk-snap", True)
    dialog.search.setText("undo")
    dialog.search.textEdited.emit("undo")
    assert dialog.action_id == "undo"
    dialog.search.textEdited.emit("zzzz")
    assert dialog.action_id == ""
    assert not dialog.field.isEnabled()


# The history


@pytest.fixture
def segmentation() -> Segmentation:
    made = Segmentation(Geometry.from_spacing((4, 20, 20), (5.0, 2.0, 1.0)))  # 0.01 mL a voxel
    made.set_label(Label(3, "Liver", "#FF8000"))
    return made


def paint(segmentation: Segmentation, rows: int, value: int = 3) -> None:
    mask = np.zeros((4, 20, 20), bool)
    mask[1, :rows] = True
    edit = Edit.fill(segmentation.labels, (0, 0, 0), mask, value)
    segmentation.apply(edit, tool="Paint" if value else "Erase")


def test_steps_are_said_in_words_with_what_they_changed(segmentation: Segmentation) -> None:
    paint(segmentation, 5)
    paint(segmentation, 2, value=0)
    segmentation.undo()
    told = [(row.words, row.detail, row.steps) for row in HistoryReader(segmentation).rows()]
    assert told == [
        ("Opened", "", -2), ("Add segment", "Liver", -1), ("Paint", "Liver  +1.00 mL", 0),
        ("Erase", f"Liver  {MINUS}0.40 mL", 1),
    ]  # fmt: skip


def test_a_row_leads_to_its_state(segmentation: Segmentation) -> None:
    counts = [0]
    for n in range(1, 8):
        paint(segmentation, n)
        counts.append(segmentation.voxels(3))
    reader = HistoryReader(segmentation)
    for target in (3, 7, 1, 5):
        row = reader.rows()[target + 1]  # after Opened, Add segment
        for _time in range(abs(row.steps)):
            (segmentation.undo if row.steps < 0 else segmentation.redo)()
        assert segmentation.voxels(3) == counts[target]
        assert reader.rows()[target + 1].steps == 0


def test_a_long_history_shows_its_end_and_reads_each_step_once(
    segmentation: Segmentation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(SHOWN + 30):
        paint(segmentation, 1 + n % 19, value=3 * (n % 2))
    reads: list[int] = []
    step = segmentation.step
    monkeypatch.setattr(segmentation, "step", lambda n: reads.append(n) or step(n))
    reader = HistoryReader(segmentation)
    assert len(reader.rows()) == SHOWN
    assert reader.rows()[-1].steps == 0
    assert len(reads) == SHOWN


def test_a_click_or_enter_says_how_far_to_go(
    frame: QMainWindow, segmentation: Segmentation
) -> None:
    paint(segmentation, 5)
    paint(segmentation, 8)
    segmentation.undo()
    made = HistoryList(frame)
    made.set_style(theme.style_sheet(DARK), DARK)
    made.set_rows(HistoryReader(segmentation).rows())
    made.open()
    moved: list[int] = []
    made.moved.connect(moved.append)
    assert made.list.currentRow() == 2
    spot = made.list.visualItemRect(made.list.item(0)).center()
    QTest.mouseClick(made.list.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    made.list.setCurrentRow(2)
    press(frame, Qt.Key.Key_Return, Qt.Key.Key_Down, Qt.Key.Key_Return)
    assert moved == [-2, 1]  # Enter on where one is goes nowhere
    press(frame, Qt.Key.Key_Escape)
    assert not made.isVisible()
