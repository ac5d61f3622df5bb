"""What is to be done to an attribute, and why: by the table, the profile and the kind of object."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from napari_medlabel.privacy.profile import Profile
from napari_medlabel.privacy.table import Row, kept_tags, rows, tag_of, types
from napari_medlabel.privacy.values import vr_of

__all__ = ["Decision", "decider"]

_TIMES: Final = frozenset({"DA", "DT", "TM"})
# What objects must have, PS3.3 type 1 or 2, where nothing of the value may stay.
_NEEDED: Final = {
    tag_of("ContentLabel"): "D",
    tag_of("Manufacturer"): "D",
    tag_of("ManufacturerModelName"): "D",
    tag_of("PulseSequenceName"): "D",
    tag_of("SegmentLabel"): "D",
    tag_of("SoftwareVersions"): "D",
    tag_of("SeriesNumber"): "Z",
    tag_of("InstanceNumber"): "Z",
}
_DATE_COLUMNS: Final = frozenset({"full_dates", "modified_dates"})


@dataclass(frozen=True, slots=True)
class Decision:
    """An action, what asked for it, and the Safe Harbor letter of the attribute.

    `action` is X, Z, D, U, K or C as in PS3.15; V for what stays as far as its value is checked; S
    for a sequence whose items are gone through. `otherwise` is what is done where cleaning leaves
    nothing.
    """

    action: str
    why: str
    letter: str = ""
    otherwise: str = "X"


def decider(profile: Profile, sop_class: str, *, nested: bool) -> Callable[[int], Decision]:
    """A function that decides, for one kind of object; its answers are remembered."""
    of_class = None if nested else types().get(sop_class)
    options = profile.options

    @functools.cache
    def decide(tag: int) -> Decision:
        row = rows().get(tag)
        letter = row.letter if row else ""
        basic = _resolved(row.basic, tag, of_class) if row else "X"
        if tag in profile.elements:
            return Decision(profile.elements[tag], "profile", letter, basic)
        if tag in profile.keep_last:
            return Decision("C", "profile, last characters", letter, basic)
        if row is None:
            if tag in kept_tags():
                return Decision("V", "kept attribute", otherwise=_NEEDED.get(tag, "X"))
            return Decision("X", "in no table")
        if (found := _optional(row, options)) is not None:
            option, action = found
            return Decision(action, f"Table E.1-1, option {option}", letter, basic)
        return Decision(basic, f"Table E.1-1, {row.basic}", letter)

    return decide


def _optional(row: Row, options: tuple[str, ...]) -> tuple[str, str] | None:
    """The option that changes the row's action; of several, the one that keeps most.

    Dates and times are for the options of dates alone: a device's calibration date tells more
    than that the device is the same.
    """
    of_dates = vr_of(row.tag, "") in _TIMES
    found = [
        (option, row.options[option])
        for option in options
        if option in row.options and (not of_dates or option in _DATE_COLUMNS)
    ]
    return min(found, key=lambda pair: "KC".find(pair[1]), default=None)


def _resolved(code: str, tag: int, of_class: Mapping[int, int] | None) -> str:
    """One action where the table leaves a choice: by the attribute's type, where it is known."""
    if code.endswith("U*"):
        return "S"
    choices = code.split("/")
    kind = 1 if of_class is None else of_class.get(tag, 3)
    order = {1: "DZX", 2: "ZDX", 3: "XZD"}[kind]
    return next((action for action in order if action in choices), choices[0])
