"""Keys reach their action wherever the focus is, and text fields keep theirs."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtGui import QAction, QFocusEvent, QKeySequence
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QApplication,
    QLineEdit,
    QListWidget,
    QMainWindow,
    QMenu,
    QPushButton,
    QSlider,
    QSpinBox,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.ui.actions import ACTIONS, WINDOW_ACTIONS
from napari_medlabel.ui.key_sets import SETS, KeyChoice
from napari_medlabel.ui.window_keys import WindowKeys

FIRST_PRESET, SECOND_PRESET = object(), object()


class Part:
    """Stands for a Drawing or a part of it: notes what is asked of it."""

    def __init__(self, did: list[tuple[object, ...]], name: str = "") -> None:
        self.did, self._name = did, name

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **options: self.did.append(
            (f"{self._name}{name}", *args, *options.items())
        )


class Hand(Part):
    """Stands for a Drawing with its parts."""

    def __init__(self) -> None:
        super().__init__([])
        self.looking, self.tools = Part(self.did, "looking."), Part(self.did, "tools.")
        self.tools.under_way = True
        self.sight = Part(self.did, "sight.")
        self.annotations = Part(self.did, "annotations.")
        self.annotations.chosen = "a"
        self.assist = Part(self.did, "assist.")
        self.assist.can_step_back = self.assist.can_step_on = False
        self.deface = SimpleNamespace(facts=(False, 0, False))
        self.sight.look = SimpleNamespace(crosshair=True, overlays=True, linked=False)
        self.proposals = Part(self.did, "proposals.")
        self.proposals.open, self.proposals.making = object(), ""
        self.choices = SimpleNamespace(
            active=3, windows=(FIRST_PRESET, SECOND_PRESET), tool="paint"
        )
        self.case = SimpleNamespace(
            segmentation=SimpleNamespace(
                read_only="", schema=range(9), can_undo=True, can_redo=True
            )
        )


class Frame(QMainWindow):
    """A window with what a window has."""

    def __init__(self) -> None:
        super().__init__()
        self.image, self.line, self.note = QWidget(), QLineEdit(), QTextEdit()
        self.list, self.size, self.slider = QListWidget(), QSpinBox(), QSlider()
        self.button, self.solid = QPushButton("Add"), QWidget()
        self.button.clicked.connect(lambda: self.chosen.append("add"))
        self.solid.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.solid.setProperty("own_keys", "Up Down Home")
        self.list.addItems(["Paint", "Erase", "Vessel"])
        self.image.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        inside = QWidget()
        layout = QVBoxLayout(inside)
        for part in (
            self.image, self.line, self.note, self.list, self.size, self.slider, self.button,
            self.solid,
        ):  # fmt: skip
            layout.addWidget(part)
        self.setCentralWidget(inside)
        self.chosen: list[str] = []
        self.menu = QMenu("Layers", self)
        self.menuBar().addMenu(self.menu)
        flip = QAction("Flip", self)
        flip.setShortcut("Ctrl+Y")
        flip.triggered.connect(lambda: self.chosen.append("flip"))
        self.menu.addAction(flip)

    def press(self, key: str, to: QWidget | None = None) -> None:
        (to or self.image).setFocus()
        one = QKeySequence(key)[0]
        QTest.keyClick(self.windowHandle(), one.key(), one.keyboardModifiers())
        QApplication.processEvents()


@pytest.fixture
def frame(qapp: QApplication) -> Iterator[Frame]:
    made = Frame()
    made.show()
    made.activateWindow()
    QTest.qWaitForWindowActive(made)
    yield made
    made.close()
    made.deleteLater()
    qapp.processEvents()


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def keys(frame: Frame, hand: Hand) -> WindowKeys:
    made = WindowKeys(frame, frame)
    made.take(hand)
    return made


@pytest.mark.parametrize("base", [one.id for one in SETS])
@pytest.mark.parametrize("digits_pick", [False, True])
def test_every_key_of_every_set_does_what_the_list_says(
    frame: Frame, hand: Hand, keys: WindowKeys, base: str, *, digits_pick: bool
) -> None:
    asked: list[str] = []
    keys.asked.connect(asked.append)
    keys.set_choice(KeyChoice(base, digits_pick))
    # Presets beyond the second are there in the list, not in this case.
    there = [
        one for one in ACTIONS
        if not (one.id.startswith("preset-") and one.id[-1] > "2") and one.is_there(hand)
    ]  # fmt: skip
    pressed = 0
    for action in there:
        for key in keys.keys[action.id]:
            hand.did.clear()
            asked.clear()
            frame.press(key)
            pressed += 1
            if action.id in WINDOW_ACTIONS:
                assert asked == [action.id], key
            else:
                args = action.args if action.given is None else action.given(hand)
                options = {} if action.options is None else action.options(hand)
                assert hand.did == [(action.method, *args, *options.items())], key
    assert pressed > 70


@pytest.mark.parametrize("part", ["image", "list", "slider"])
def test_the_focus_makes_no_difference(
    frame: Frame, hand: Hand, keys: WindowKeys, part: str
) -> None:
    assert keys.choice.base == "medlabel"
    frame.press("E", to=getattr(frame, part))
    frame.press("Up", to=getattr(frame, part))
    assert hand.did == [("tools.set_tool", "erase"), ("looking.step_slice", 1)]
    assert frame.list.currentRow() < 1  # the list did not look for a name with E


@pytest.mark.parametrize("part", ["line", "note", "size"])
def test_a_text_field_keeps_its_keys(frame: Frame, hand: Hand, keys: WindowKeys, part: str) -> None:
    field = getattr(frame, part)
    for key in ("Home", "E", "1", "Left"):
        frame.press(key, to=field)
    assert hand.did == []
    assert keys.keys["erase"] == ("E", "1")
    text = {"line": frame.line.text, "note": frame.note.toPlainText, "size": frame.size.text}[part]
    assert text().lower() == ("10" if part == "size" else "e1")
    frame.press("Ctrl+Z", to=field)
    assert (hand.did, text()) == ([], "0" if part == "size" else "")


@pytest.mark.usefixtures("keys")
def test_a_text_that_can_only_be_read_does_not_keep_them(frame: Frame, hand: Hand) -> None:
    frame.note.setReadOnly(True)
    frame.press("E", to=frame.note)
    assert hand.did == [("tools.set_tool", "erase")]


@pytest.mark.usefixtures("keys")
def test_enter_in_a_field_gives_the_keys_back_to_the_image(frame: Frame, hand: Hand) -> None:
    frame.size.selectAll()
    frame.press("7", to=frame.size)
    frame.press("Return", to=frame.size)
    assert hand.did == []
    assert frame.size.value() == 7
    assert not frame.size.hasFocus()
    QTest.keyClick(frame.windowHandle(), Qt.Key.Key_E)
    assert hand.did == [("tools.set_tool", "erase")]


@pytest.mark.usefixtures("keys")
def test_a_list_that_tab_led_to_is_moved_in_by_arrows(frame: Frame, hand: Hand) -> None:
    frame.note.setTabChangesFocus(True)
    frame.press("Tab", to=frame.note)
    assert frame.list is frame.focusWidget()
    QTest.keyClick(frame.windowHandle(), Qt.Key.Key_Down)
    QTest.keyClick(frame.windowHandle(), Qt.Key.Key_Down)
    assert (frame.list.currentRow(), hand.did) == (2, [])
    QTest.keyClick(frame.windowHandle(), Qt.Key.Key_E)
    assert hand.did == [("tools.set_tool", "erase")]
    spot = frame.list.mapTo(frame, QPoint(5, 5))
    QTest.mouseClick(frame.windowHandle(), Qt.MouseButton.LeftButton, pos=spot)
    QTest.keyClick(frame.windowHandle(), Qt.Key.Key_Down)
    assert hand.did[1:] == [("looking.step_slice", -1)]


def test_a_key_of_a_menu_is_ours_while_a_case_is_open_and_the_menu_s_again_after(
    frame: Frame, hand: Hand, keys: WindowKeys
) -> None:
    frame.press("Ctrl+Y")
    assert (hand.did, frame.chosen) == ([("redo",)], [])
    keys.let_go()
    frame.press("Ctrl+Y")
    frame.press("E")
    assert (hand.did, frame.chosen) == ([("redo",)], ["flip"])


@pytest.mark.usefixtures("keys")
def test_another_window_of_the_application_is_not_touched(frame: Frame, hand: Hand) -> None:
    other = QLineEdit()
    other.show()
    QTest.keyClick(other.windowHandle(), Qt.Key.Key_Down)
    frame.press("Down")
    assert hand.did == [("looking.step_slice", -1)]
    other.close()


@pytest.mark.usefixtures("keys")
def test_an_open_menu_keeps_its_keys(frame: Frame, hand: Hand) -> None:
    frame.menu.popup(frame.mapToGlobal(QPoint(10, 10)))
    QApplication.processEvents()
    frame.press("E")
    assert hand.did == []
    frame.menu.close()


def test_what_cannot_be_done_says_why_and_nobody_else_gets_the_key(
    frame: Frame, hand: Hand, keys: WindowKeys
) -> None:
    said: list[str] = []
    keys.refused.connect(said.append)
    hand.case.segmentation.can_redo = False
    frame.press("Ctrl+Y")
    assert (hand.did, frame.chosen) == ([], [])
    assert said == ["There is nothing to redo"]


def test_enter_without_a_preview_is_for_others(frame: Frame, hand: Hand, keys: WindowKeys) -> None:
    said: list[str] = []
    keys.refused.connect(said.append)
    hand.proposals.open, hand.tools.under_way = None, False
    for key in ("Return", "Shift+Return", "Esc"):
        frame.press(key)
    assert (hand.did, said) == ([], [])


@pytest.mark.usefixtures("keys")
def test_a_key_of_napari_s_that_would_hurt_does_nothing(frame: Frame, hand: Hand) -> None:
    hurt = QAction("Grid", frame)
    hurt.setShortcut("Ctrl+G")
    hurt.triggered.connect(lambda: frame.chosen.append("grid"))
    frame.addAction(hurt)
    frame.press("Ctrl+G")
    assert (hand.did, frame.chosen) == ([], [])


def test_an_action_that_is_not_there_yet_is_refused(frame: Frame, keys: WindowKeys) -> None:
    class Bare:
        choices, case, proposals = Hand().choices, Hand().case, Hand().proposals
        assist = Hand().assist

    said: list[str] = []
    keys.refused.connect(said.append)
    keys.let_go()
    keys.take(Bare())
    frame.press("J")
    assert said == ["Not part of this version"]


@pytest.mark.usefixtures("keys")
def test_a_view_keeps_the_keys_it_says_are_its_own(frame: Frame, hand: Hand) -> None:
    for key in ("Up", "Home", "PgUp", "E"):
        frame.press(key, to=frame.solid)
    assert hand.did == [("looking.step_slice", 10), ("tools.set_tool", "erase")]


def test_space_held_pans_and_presses_no_button_that_was_clicked(
    frame: Frame, keys: WindowKeys
) -> None:
    told: list[bool] = []
    keys.panning.connect(told.append)
    frame.button.setFocus()
    for part, chosen in ((frame.image, []), (frame.button, []), (frame.line, [])):
        part.setFocus()
        QTest.keyClick(frame.windowHandle(), Qt.Key.Key_Space)
        assert frame.chosen == chosen
    assert told == [True, False] * 2  # a text field keeps it
    assert frame.line.text() == " "
    frame.press("Tab", to=frame.slider)
    assert frame.focusWidget() is frame.button
    QTest.keyClick(frame.windowHandle(), Qt.Key.Key_Space)
    assert frame.chosen == ["add"]
    assert told == [True, False] * 2


def test_space_is_let_go_with_the_window(frame: Frame, keys: WindowKeys) -> None:
    told: list[bool] = []
    keys.panning.connect(told.append)
    frame.image.setFocus()
    QTest.keyPress(frame.windowHandle(), Qt.Key.Key_Space)
    QApplication.sendEvent(frame.windowHandle(), QFocusEvent(QEvent.Type.FocusOut))
    assert told == [True, False]
