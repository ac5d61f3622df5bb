"""Keys of other keyboards, as X11 tells them: noted from a server with these layouts."""

import pytest
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QGuiApplication, QKeyEvent
from qtpy.QtWidgets import QApplication

from napari_medlabel.ui.key_events import bindable, key_texts
from napari_medlabel.ui.key_sets import KeyChoice, keymap

NONE, SHIFT, CTRL, ALT, PAD, ALTGR = (
    Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.KeypadModifier, Qt.KeyboardModifier.GroupSwitchModifier,
)  # fmt: skip
KEYS = keymap(KeyChoice())


@pytest.fixture(autouse=True)
def x11(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    assert qapp is not None
    monkeypatch.setattr(QGuiApplication, "platformName", lambda: "xcb")


def pressed(key: int, held: Qt.KeyboardModifier, text: str, code: int = 0) -> QKeyEvent:
    return QKeyEvent(QEvent.Type.KeyPress, key, held, code, 0, 0, text)


@pytest.mark.parametrize(
    ("event", "action"),
    [
        # United States
        ((0x21, SHIFT, "!", 10), "pick-1"), ((0x3F, SHIFT, "?", 61), "keys"),
        ((0x5A, CTRL, "\x1a", 52), "undo"), ((0x58, SHIFT, "X", 53), "next-layout"),
        # German: Y and Z change places, ? is Shift+ß, [ has AltGr, and ü has its place
        ((0x5A, CTRL, "\x1a", 29), "undo"), ((0x3F, SHIFT, "?", 20), "keys"),
        ((0x5B, ALTGR, "[", 17), "smaller-brush"), ((0xDC, NONE, "ü", 34), "smaller-brush"),
        ((0x01001252, NONE, "", 49), "overlays"),
        # French: digits with Shift, signs without
        ((0x26, NONE, "&", 10), "erase"), ((0x31, SHIFT, "1", 10), "pick-1"),
        ((0x26, ALT, "&", 10), "preset-1"), ((0x2E, SHIFT, ".", 59), "next-gap"),
        # Russian
        ((0x0417, NONE, "з", 33), "paint"), ((0x042F, CTRL, "я", 52), "undo"),
        # The number block
        ((Qt.Key.Key_Enter.value, PAD, "\r", 104), "accept"),
        ((Qt.Key.Key_Up.value, PAD, "", 80), "next-slice"),
        ((0x31, PAD, "1", 87), "erase"),
    ],
)  # fmt: skip
def test_a_key_does_the_same_on_other_keyboards(
    event: tuple[int, Qt.KeyboardModifier, str, int], action: str
) -> None:
    texts = key_texts(pressed(*event))
    bound = [name for text in texts for name, keys in KEYS.items() if text in keys]
    assert bound[0] == action


@pytest.mark.parametrize(
    "event",
    [(0x59, NONE, "y", 52), (0x5A, SHIFT, "Z", 29), (0x23, NONE, "#", 51)],
    ids=["German Y", "German Shift+Z", "German #"],
)  # fmt: skip
def test_what_is_written_on_a_key_is_not_taken_for_its_place(
    event: tuple[int, Qt.KeyboardModifier, str, int],
) -> None:
    texts = key_texts(pressed(*event))
    assert [name for text in texts for name, keys in KEYS.items() if text in keys] == []


@pytest.mark.parametrize("key", [Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_AltGr])
def test_a_modifier_alone_is_no_key(key: Qt.Key) -> None:
    assert key_texts(pressed(key.value, NONE, "")) == ()
    assert bindable(pressed(key.value, NONE, "")) == ""


@pytest.mark.parametrize(
    ("event", "text"),
    [((0x3F, SHIFT, "?", 61), "?"), ((0x58, SHIFT, "X", 53), "Shift+X"),
     ((0x5A, CTRL | SHIFT, "\x1a", 52), "Ctrl+Shift+Z"), ((0x5B, NONE, "[", 34), "[")],
)  # fmt: skip
def test_a_key_is_bound_by_what_stays_the_same_on_other_keyboards(
    event: tuple[int, Qt.KeyboardModifier, str, int], text: str
) -> None:
    assert bindable(pressed(*event)) == text
