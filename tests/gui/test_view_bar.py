"""The view bar under a real pointer and real keys."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from napari_medlabel.core.volume import Window
from napari_medlabel.ui import theme
from napari_medlabel.ui.presets import CT
from napari_medlabel.ui.theme import DARK, LIGHT, Tokens
from napari_medlabel.ui.view_bar import ViewBar
from napari_medlabel.ui.view_bar_state import ViewBarState
from napari_medlabel.ui.widgets import dress
from tests.gui.real_window import wait_until

STATE = ViewBarState(
    windows=CT, window=CT[0], unit="HU", undo="Undo paint", initials="MK", person="MK, annotator",
    protected=True,
)  # fmt: skip


def shown(state: ViewBarState, tokens: Tokens = DARK, width: int = 1300) -> ViewBar:
    made = ViewBar()
    made.setStyleSheet(theme.style_sheet(tokens))
    dress(made, tokens)
    made.resize(width, made.height())
    made.set_state(state)
    made.show()
    QTest.qWaitForWindowExposed(made)
    return made


@pytest.fixture
def bar(qapp: QApplication) -> Iterator[ViewBar]:
    assert qapp is not None
    made = shown(STATE)
    yield made
    made.menu.close()
    made.close()


def said(signal: Any) -> list[Any]:  # noqa: ANN401  # Qt's
    found: list[Any] = []
    signal.connect(lambda *args: found.append(args[0] if args else None))
    return found


def click(widget: QWidget) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def test_a_layout_is_a_wish_until_the_state_says_so(bar: ViewBar) -> None:
    chosen = said(bar.layout_chosen)
    click(bar.layouts[1])
    assert chosen == ["2x2"]
    assert [made.isChecked() for made in bar.layouts] == [True, False, False, False]
    bar.set_state(replace(STATE, layout="2x2"))
    assert [made.isChecked() for made in bar.layouts] == [False, True, False, False]


def test_toggles_ask_for_the_other_state(bar: ViewBar) -> None:
    for name, signal, made in (
        ("crosshair", bar.crosshair_wanted, bar.crosshair),
        ("linked", bar.link_wanted, bar.link),
        ("shown", bar.labels_wanted, bar.labels),
    ):
        wishes = said(signal)
        click(made)
        assert made.isChecked()
        bar.set_state(replace(STATE, **{name: False}))
        assert not made.isChecked()
        click(made)
        assert wishes == [False, True]


def test_the_style_button_steps_and_says_what_is_seen(bar: ViewBar) -> None:
    steps = said(bar.style_stepped)
    click(bar.style_button)
    assert len(steps) == 1
    assert bar.style_button.isChecked()
    bar.set_state(replace(STATE, style="outline"))
    assert bar.style_button.toolTip() == "Segments as outline   O"


def test_the_fill_is_chosen_by_keys_and_a_new_state_does_not_echo(bar: ViewBar) -> None:
    chosen = said(bar.fill_chosen)
    bar.set_state(replace(STATE, fill_percent=60))
    assert chosen == []
    assert bar.fill.value() == 60
    bar.fill.setFocus()
    QTest.keyClick(bar.fill, Qt.Key.Key_Right)
    QTest.keyClick(bar.fill, Qt.Key.Key_PageUp)
    assert chosen == [61, 71]


def test_the_menu_lists_presets_with_their_keys(bar: ViewBar) -> None:
    chosen = said(bar.window_chosen)
    click(bar.preset)
    lines = [action.text() for action in bar.menu.actions() if action.text()]
    assert lines[0] == "Soft tissue   W 400  L 40\tAlt+1"
    assert lines[-1] == "Invert"
    assert [action.isChecked() for action in bar.menu.actions()[:2]] == [True, False]
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return):
        QTest.keyClick(bar.menu, key)
    assert chosen == [CT[1]]
    assert not bar.menu.isVisible()


def test_inverting_asks_for_the_other_way(bar: ViewBar) -> None:
    wishes = said(bar.invert_wanted)
    for inverted in (False, True):
        bar.set_state(replace(STATE, inverted=inverted))
        bar.open_presets()
        (invert,) = [action for action in bar.menu.actions() if action.text() == "Invert"]
        assert invert.isChecked() is inverted
        box = bar.menu.actionGeometry(invert)
        QTest.mouseClick(bar.menu, Qt.MouseButton.LeftButton, pos=box.center())
    assert wishes == [True, False]


def test_a_typed_window_is_applied_by_enter(bar: ViewBar) -> None:
    chosen = said(bar.window_chosen)
    bar.open_presets(bar.mapToGlobal(QPoint(10, 40)))
    assert (bar.menu.width_field.text(), bar.menu.level_field.text()) == ("400", "40")
    for field, words in ((bar.menu.width_field, "350"), (bar.menu.level_field, "-40")):
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, words)
    QTest.keyClick(bar.menu.level_field, Qt.Key.Key_Return)
    assert chosen == [Window(350.0, -40.0)]
    assert not bar.menu.isVisible()


def test_a_typed_window_that_is_none_stays_open_and_says_so(bar: ViewBar) -> None:
    chosen = said(bar.window_chosen)
    bar.open_presets()
    bar.menu.width_field.setFocus()
    bar.menu.width_field.selectAll()
    QTest.keyClicks(bar.menu.width_field, "0")
    QTest.keyClick(bar.menu.width_field, Qt.Key.Key_Return)
    assert chosen == []
    assert bar.menu.isVisible()
    assert bar.menu.width_field.property("wrong")


def test_the_menu_can_be_opened_again_and_again(bar: ViewBar) -> None:
    for n in range(3):
        bar.set_state(replace(STATE, window=CT[n]))
        bar.open_presets()
        assert bar.menu.width_field.isVisible()
        assert [action.isChecked() for action in bar.menu.actions()[:3]].index(True) == n
        bar.menu.close()


def test_buttons_say_that_they_were_pressed(bar: ViewBar) -> None:
    bar.set_state(replace(STATE, redo="Redo paint"))
    for signal, made in (
        (bar.undo_pressed, bar.undo), (bar.redo_pressed, bar.redo), (bar.find_pressed, bar.find),
        (bar.keys_pressed, bar.keys), (bar.person_pressed, bar.person),
        (bar.lock_pressed, bar.lock),
    ):  # fmt: skip
        pressed = said(signal)
        click(made)
        assert len(pressed) == 1


def test_undo_names_what_it_undoes_and_is_off_where_there_is_nothing(bar: ViewBar) -> None:
    assert bar.undo.isEnabled()
    assert bar.undo.toolTip() == "Undo paint   Ctrl+Z"
    assert not bar.redo.isEnabled()
    assert bar.redo.toolTip() == "Nothing to redo"


def test_a_personal_workspace_has_nobody_to_show_and_nothing_to_lock(bar: ViewBar) -> None:
    assert bar.person.isVisible()
    assert bar.lock.isVisible()
    bar.set_state(replace(STATE, initials="", person="", protected=False))
    assert not bar.person.isVisible()
    assert not bar.lock.isVisible()


def check_places(made: ViewBar) -> None:
    """Nothing overlaps, is squeezed or leaves the bar."""
    parts = (*made.layouts, made.labels, made.style_button, made.preset, made.undo, made.redo,
             made.find, made.keys, made.person, made.lock)  # fmt: skip
    spans = []
    for part in parts:
        assert part.isVisible()
        left = part.mapTo(made, QPoint(0, 0)).x()
        spans.append((left, left + part.width()))
        assert part.width() >= min(part.minimumSizeHint().width(), part.maximumWidth())
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    assert spans[-1][1] <= made.width()


def test_a_larger_font_while_it_is_shown_leaves_out_more(bar: ViewBar) -> None:
    large = theme.tokens_for("dark", 14.0)
    bar.setStyleSheet(theme.style_sheet(large))
    dress(bar, large)
    wait_until(lambda: bar.preset.width() >= bar.preset.minimumSizeHint().width(), "the layout")
    assert not bar.find.findChildren(QWidget)[1].isVisible()
    check_places(bar)


@pytest.mark.parametrize("tokens", [DARK, LIGHT, theme.tokens_for("dark", 13.0)],
                         ids=["dark", "light", "large font"])  # fmt: skip
@pytest.mark.parametrize("width", [1400, 1000, 850, 750])
def test_at_no_width_does_anything_overlap_or_leave_the_bar(
    qapp: QApplication, tokens: Tokens, width: int
) -> None:
    assert qapp is not None
    made = shown(STATE, tokens, width)
    check_places(made)
    made.close()


def test_words_go_before_controls_where_it_is_narrow(qapp: QApplication) -> None:
    assert qapp is not None
    made = shown(STATE, width=850)
    words = [made.find.findChildren(QWidget)[n].isVisible() for n in (1, 2)]
    assert words == [False, False]
    assert made.fill.isVisible()
    made.resize(1300, made.height())
    QApplication.processEvents()
    assert all(child.isVisible() for child in made.find.findChildren(QWidget))
    made.close()


def test_every_control_can_be_reached_by_keys_and_has_a_name(bar: ViewBar) -> None:
    controls = [
        *bar.layouts, bar.crosshair, bar.link, bar.labels, bar.style_button, bar.fill, bar.preset,
        bar.undo, bar.find, bar.keys, bar.person, bar.lock,
    ]  # fmt: skip
    assert all(made.accessibleName() and made.toolTip() for made in controls)
    reached, here = [], controls[0]
    for _ in range(100):
        reached.append(here)
        here = here.nextInFocusChain()
    assert [made for made in reached if made in controls][: len(controls)] == controls
    assert all(made.focusPolicy() & Qt.FocusPolicy.TabFocus for made in controls)
