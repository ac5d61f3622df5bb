"""Which key was pressed, on whatever keyboard: the texts that it may be bound by, best first.

A key is first what is written on it, with its modifiers ("Shift+X"); then the character it makes
("?" is Shift+/ here and Shift+ß there); last, where neither is known, its place on a keyboard of
the United States, so that digits of a French keyboard and letters of a Russian one work.
"""

import sys
from typing import Final

from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication, QKeyEvent, QKeySequence

__all__ = ["bindable", "key_texts"]

_KEYPAD: Final = 0x20000000  # a key of the number block is the key
_GROUP: Final = 0x40000000  # AltGr, on X11
_MODIFIERS: Final = 0xFE000000
_CHARACTER_MODIFIERS: Final = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier,  # AltGr, on Windows
)
_HELD: Final = frozenset(
    {Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_AltGr,
     Qt.Key.Key_CapsLock, Qt.Key.Key_NumLock, Qt.Key.Key_ScrollLock, Qt.Key.Key_Super_L,
     Qt.Key.Key_Super_R, Qt.Key.Key_Mode_switch, Qt.Key.Key_unknown}
)  # fmt: skip
# Scan codes, set 1: the rows of digits and letters, and the signs that are bound.
_PLACES: Final = {
    first + n: sign
    for first, signs in ((2, "1234567890"), (16, "QWERTYUIOP[]"), (30, "ASDFGHJKL"),
                         (41, "`"), (44, "ZXCVBNM,."))
    for n, sign in enumerate(signs)
}  # fmt: skip


def key_texts(event: QKeyEvent) -> tuple[str, ...]:
    """The texts of a key press, best first; none for a modifier alone."""
    if event.key() in _HELD or event.key() == 0:
        return ()
    combined = event.keyCombination().toCombined() & ~(_KEYPAD | _GROUP)
    if event.key() == Qt.Key.Key_Enter:
        combined += int(Qt.Key.Key_Return) - int(Qt.Key.Key_Enter)
    texts = [_portable(combined)]
    made, held = event.text(), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    character = held in _CHARACTER_MODIFIERS or bool(held & Qt.KeyboardModifier.GroupSwitchModifier)
    if len(made) == 1 and made.isprintable() and not made.isalnum() and character:
        texts.append(made)
    sign = _PLACES.get(_scan_code(event), "")
    if sign and not _is_latin(int(event.key())):
        texts.append(_portable((combined & _MODIFIERS) | ord(sign)))
    return tuple(dict.fromkeys(text for text in texts if text))


def bindable(event: QKeyEvent) -> str:
    """The text by which a pressed key is bound; "" for a modifier alone."""
    texts = key_texts(event)
    if len(texts) > 1 and texts[0].startswith("Shift+") and len(texts[1]) == 1:
        return texts[1]  # "?" rather than "Shift+?": the same on other keyboards
    return texts[0] if texts else ""


def _portable(combined: int) -> str:
    return str(QKeySequence(combined).toString(QKeySequence.SequenceFormat.PortableText))


def _is_latin(key: int) -> bool:
    return key < 0x80 and chr(key).isalnum()


def _scan_code(event: QKeyEvent) -> int:
    code = int(event.nativeScanCode())
    if QGuiApplication.platformName() in {"xcb", "wayland"}:
        return code - 8  # X11's key codes are the kernel's and 8
    return code if sys.platform == "win32" else 0
