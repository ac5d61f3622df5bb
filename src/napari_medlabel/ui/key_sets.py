"""Which keys do what: three sets to choose from, and what a person has changed in them.

The sets of other programs hold what their people's hands know, after 3D Slicer's Segment editor
(user guide, "Keyboard shortcuts") and ITK-SNAP's main window (`MainImageWindow`); everything else
keeps its key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from napari_medlabel.errors import InputError
from napari_medlabel.ui.actions import ACTIONS, BY_ID
from napari_medlabel.ui.key_text import UnknownKey, caps, normal
from napari_medlabel.ui.napari_keys import RESERVED

__all__ = ["SETS", "KeyChoice", "KeySet", "Keymap", "keymap"]

Keymap = dict[str, tuple[str, ...]]  # the keys of each action, by its id; all actions are in it
DIGITS: Final = tuple("123456789")


@dataclass(frozen=True, slots=True)
class KeySet:
    """A set: its id in settings, its name, whose habits it serves, what differs from ours."""

    id: str
    name: str
    words: str
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


_SLICER: Final = {
    "undo": ("Z", "Ctrl+Z"),
    "redo": ("Y", "Ctrl+Y", "Ctrl+Shift+Z"),
    "threshold": ("1", "T"),
    "paint": ("2", "P"),
    "lasso": ("3", "L"),
    "polygon": ("Shift+L",),
    "erase": ("4", "E"),
    "scissors": ("5", "S"),
    "grow": ("6",),
    "interpolate": ("7",),
    "fill": ("F",),
    "smooth": ("0",),
    "smaller-brush": ("-", "["),
    "larger-brush": ("+", "=", "]"),
    "show-segments": ("G", "V"),
    "fit-view": ("R", "Ctrl+0"),
    "no-tool": ("8",),
    "pick-under": ("9",),
}
_ITK_SNAP: Final = {
    "no-tool": ("1", "2", "Z"),
    "paint": ("4", "P"),
    "measure": ("6", "M"),
    "erase": ("E",),
    "fill": ("F",),
    "show-segments": ("S", "V"),
    "less-opaque": ("A",),
    "more-opaque": ("D",),
    "scissors": ("Shift+S",),
    "prompt": ("Shift+A",),
    "ball": ("Shift+D",),
    "crosshair": ("Shift+X",),
    "overlays": ("X", "`"),
    "make-large": ("\\",),
    "next-layout": ("Ctrl+\\",),
    "previous-segment": (",", "<", "Q"),
    "next-segment": (".", ">", "W"),
    "previous-gap": ("Alt+,",),
    "next-gap": ("Alt+.",),
}
SETS: Final = (
    KeySet("medlabel", "Medlabel", "as the program is given out"),
    KeySet("slicer", "3D Slicer", "for hands that know 3D Slicer's Segment editor", _SLICER),
    KeySet("itk-snap", "ITK-SNAP", "for hands that know ITK-SNAP", _ITK_SNAP),
)
_BY_ID: Final = {one.id: one for one in SETS}


@dataclass(frozen=True, slots=True)
class KeyChoice:
    """What a person has chosen.

    Parameters
    ----------
    base
        The id of a set.
    digits_pick
        Plain digits pick segments instead of tools.
    changed
        Keys of single actions, by the id of the set they were changed in and the action's id.
    """

    base: str = "medlabel"
    digits_pick: bool = False
    changed: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    @property
    def set_name(self) -> str:
        """The set's name for people."""
        return _BY_ID[self.base].name

    def with_keys(self, action_id: str, keys: tuple[str, ...]) -> "KeyChoice":
        """The choice with other keys for an action.

        Raises
        ------
        InputError
            If something is not a key, another action or napari has it, or it writes text.
        """
        wanted = tuple(dict.fromkeys(_checked(key) for key in keys))
        for key in wanted:
            owner = next((one for one in keymap(self).items() if key in one[1]), ("", ()))[0]
            if owner not in {"", action_id}:
                raise InputError(
                    f"{caps(key)} is the key of \N{LEFT DOUBLE QUOTATION MARK}"
                    f"{BY_ID[owner].words}\N{RIGHT DOUBLE QUOTATION MARK}",
                    "take it away there first, or choose another key",
                )
        given = keymap(replace(self, changed={}))[action_id]
        if self.digits_pick:  # which digits pick is no change of a single action
            wanted, given = _without_digits(wanted), _without_digits(given)
        here = {**self.changed.get(self.base, {}), action_id: wanted}
        if wanted == given:
            del here[action_id]
        return replace(self, changed={**self.changed, self.base: here})

    def as_given(self) -> "KeyChoice":
        """The choice with the keys of its set as they were given out."""
        return replace(self, changed={**self.changed, self.base: {}})

    def document(self) -> dict[str, Any]:
        """For the settings: JSON-ready."""
        changed = {
            base: {action: list(keys) for action, keys in actions.items()}
            for base, actions in self.changed.items() if actions
        }  # fmt: skip
        return {"set": self.base, "digits_pick": self.digits_pick, "changed": changed}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "KeyChoice":
        """From settings; what is not known or can no longer be is left out, never an error."""
        base = document.get("set", "medlabel")
        pick = document.get("digits_pick") is True
        choice = cls(base if base in _BY_ID else "medlabel", pick)
        changed = document.get("changed")
        for name, actions in changed.items() if isinstance(changed, Mapping) else ():
            if name in _BY_ID and isinstance(actions, Mapping):
                choice = _with_all(choice, name, actions)
        return choice


def keymap(choice: KeyChoice) -> Keymap:
    """The keys of every action under a choice; no key is in it twice."""
    base = _BY_ID[choice.base].keys
    changed = choice.changed.get(choice.base, {})
    keys = {one.id: changed.get(one.id, base.get(one.id, one.keys)) for one in ACTIONS}
    if choice.digits_pick:
        keys = {name: _without_digits(of) for name, of in keys.items()}
        keys |= {f"pick-{n}": (n, *keys[f"pick-{n}"]) for n in DIGITS}
    return keys


def _without_digits(keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(key for key in keys if key not in DIGITS)


def _checked(key: str) -> str:
    try:
        wanted = normal(key)
    except UnknownKey as error:
        raise InputError("this is not one key", "press a key, with Ctrl, Alt or Shift") from error
    if wanted in RESERVED:
        raise InputError(f"{caps(wanted)} {RESERVED[wanted]}", "choose another key")
    return wanted


def _with_all(choice: KeyChoice, base: str, actions: Mapping[str, Any]) -> KeyChoice:
    """The choice with what was changed in a set: first what is taken away, then what is given."""
    then = replace(choice, base=base, digits_pick=False)
    known = {
        action: tuple(str(key) for key in keys)
        for action, keys in actions.items() if action in BY_ID and isinstance(keys, list)
    }  # fmt: skip
    free: dict[str, tuple[str, ...]] = dict.fromkeys(known, ())
    then = replace(then, changed={**then.changed, base: free})
    for action, keys in known.items():
        try:
            then = then.with_keys(action, keys)
        except InputError:  # by an older version: it has the key it was given out with, if free
            then = _as_far_as_free(then, action)
    return replace(choice, changed=then.changed)


def _as_far_as_free(choice: KeyChoice, action: str) -> KeyChoice:
    given = keymap(replace(choice, changed={}))[action]
    taken = {key for name, keys in keymap(choice).items() if name != action for key in keys}
    return choice.with_keys(action, tuple(key for key in given if key not in taken))
