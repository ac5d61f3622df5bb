"""Keys as text: "Ctrl+Shift+Z", "PgUp", "?"; how they are written, compared and said.

The form is Qt's portable one, so that `QKeySequence(key).toString()` is the key itself.
"""

from typing import Final

__all__ = ["UnknownKey", "caps", "normal"]

_MODIFIERS: Final = ("Meta", "Ctrl", "Alt", "Shift")
_NAMED: Final = {
    name.casefold(): name
    for name in (
        "Up", "Down", "Left", "Right", "PgUp", "PgDown", "Home", "End", "Return", "Esc", "Space",
        "Tab", "Backtab", "Backspace", "Ins", "Del", *(f"F{n}" for n in range(1, 25)),
    )
}  # fmt: skip
_OTHER: Final = {
    "enter": "Return", "escape": "Esc", "pageup": "PgUp", "pagedown": "PgDown", "insert": "Ins",
    "delete": "Del", "control": "Ctrl", "cmd": "Ctrl", "plus": "+",
}  # fmt: skip
_SAID: Final = {
    "Return": "Enter", "PgUp": "Page Up", "PgDown": "Page Down", "Ins": "Insert", "Del": "Delete",
}  # fmt: skip


class UnknownKey(ValueError):
    """This text is not one key with its modifiers."""


def normal(key: str) -> str:
    """A key in the one way that it is written: "control+z" is "Ctrl+Z".

    Raises
    ------
    UnknownKey
        If it is not one key with its modifiers.
    """
    *held, name = _parts(key)
    modifiers = {_OTHER.get(part.casefold(), part.title()) for part in held}
    if not modifiers <= set(_MODIFIERS) or len(modifiers) < len(held):
        raise UnknownKey(key)
    return "+".join([*(one for one in _MODIFIERS if one in modifiers), _name(name, key)])


def caps(key: str) -> str:
    """What is written on the key for people: "Ctrl K", "Page Up"."""
    return " ".join(_SAID.get(part, part) for part in _parts(key))


def _parts(key: str) -> list[str]:
    """The modifiers and the key; "+" may be the key itself."""
    if key == "+":
        return [key]
    return [*key[:-2].split("+"), "+"] if key.endswith("++") else key.split("+")


def _name(name: str, key: str) -> str:
    if len(name) == 1 and name.isprintable() and not name.isspace():
        return name.upper() if len(name.upper()) == 1 else name  # "ß" has no capital of its own
    known = _OTHER.get(name.casefold(), name)
    if known == "+":
        return known
    if known.casefold() not in _NAMED:
        raise UnknownKey(key)
    return _NAMED[known.casefold()]
