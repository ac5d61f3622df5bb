"""In the real window: find an action, look at the keys, change one, go back in the history."""

from collections.abc import Iterator

import pytest
from qtpy.QtWidgets import QAbstractSpinBox, QApplication

from napari_medlabel.ui import theme
from napari_medlabel.ui._napari_compat import main_window
from napari_medlabel.ui.action_windows import ActionWindows
from napari_medlabel.ui.theme import DARK
from tests.gui.real_window import Window


@pytest.fixture
def windows(window: Window) -> Iterator[ActionWindows]:
    ready = getattr(window.panel, "action_windows", None)
    made = ready or ActionWindows(main_window(window.viewer), window.panel._keys, window.desk)
    made.set_style(theme.style_sheet(DARK), DARK)
    yield made
    if ready is None:
        made.remove()


def letters(window: Window, text: str) -> None:
    for letter in text:
        window.press(letter)


def test_an_action_is_found_and_another_set_of_keys_chosen(
    window: Window, windows: ActionWindows
) -> None:
    window.open_demo()
    drawing, segmentation = window.drawing, window.drawing.case.segmentation
    field = next(one for one in window.panel.findChildren(QAbstractSpinBox) if one.isVisible())

    # Ctrl+K, words, Enter; the keys are the window's again at once.
    window.press("Ctrl+K")
    assert windows.palette.isVisible()
    letters(window, "addseg")
    assert segmentation.schema.labels == ()  # the letters were the field's
    for _letter in "seg":
        window.press("Backspace")
    window.press("Return")
    assert not windows.palette.isVisible()
    assert [label.name for label in segmentation.schema] == ["Segment 1"]
    window.press("E")
    assert drawing.choices.tool == "erase"
    window.press("Ctrl+K")
    letters(window, "pick")
    window.press("Return")
    assert drawing.choices.active == 1

    # The sheet, and another set on it.
    window.press("?")
    assert windows.sheet.isVisible()
    windows.sheet.sets.chosen.emit(1)
    window.press("Esc")
    assert not windows.sheet.isVisible()
    window.press("2")
    assert drawing.choices.tool == "paint"
    window.press("Z")  # Undo, as in 3D Slicer
    assert segmentation.schema.labels == ()
    window.press("Y")
    assert len(segmentation.schema) == 1
    windows.sheet.set_wanted.emit("medlabel")

    # A key given in the dialog acts.
    windows.dialog.pick("erase")
    windows.dialog._add("U")
    window.press("U")
    assert drawing.choices.tool == "erase"

    # A number that was typed does not keep the keys.
    field.setFocus()
    window.press("Return", to=field)
    window.press("Ctrl+K")
    window.press("Esc")
    window.press("P")
    assert drawing.choices.tool == "paint"


def test_the_history_leads_anywhere_in_it(window: Window, windows: ActionWindows) -> None:
    window.open_demo()
    drawing, segmentation = window.drawing, window.drawing.case.segmentation
    drawing.add_segment()
    for _time in range(3):
        drawing.add_segment()
    window.press("Ctrl+Alt+Z")
    history = windows.history
    assert history.isVisible()
    assert history.list.count() == 5
    history.list.itemClicked.emit(history.list.item(1))
    window.rest(0.05)
    assert len(segmentation.schema) == 1
    assert history.list.currentRow() == 1
    history.list.itemClicked.emit(history.list.item(3))
    window.rest(0.05)
    assert len(segmentation.schema) == 3
    window.press("Esc")
    assert not history.isVisible()
    window.press("Up")  # the list is gone, and the arrows are the image's
    assert drawing.sight.position[0] == drawing.case.volume.shape[0] // 2 + 1

    # With the case all of it goes.
    window.press("?")
    window.desk.close_case()
    window.idle()
    assert not windows.sheet.isVisible()
    window.press("Ctrl+K")
    QApplication.processEvents()
    assert not windows.palette.isVisible()
