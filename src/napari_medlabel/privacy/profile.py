"""What is to be done to headers: the basic profile of PS3.15, its options, a person's own rules.

A profile is a small TOML file; `docs/privacy.md` describes it. All that it does not name is as in
`basic`, which removes most: a profile can only be written to keep more, or by name to remove more.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal, get_args

from pydicom.datadict import keyword_for_tag

from napari_medlabel.errors import InputError
from napari_medlabel.files import shown
from napari_medlabel.privacy.table import tag_of

__all__ = ["MEANINGS", "Dates", "Objects", "Profile", "load_profile"]

Dates = Literal["removed", "shifted", "kept", "month", "year"]
Objects = Literal[
    "structured-report", "document", "secondary-capture", "presentation-state", "key-object",
    "dose-report", "raw-data", "waveform", "plan", "unknown",
]  # fmt: skip
ACTIONS: Final = ("X", "Z", "D", "K", "C", "U")

# PS3.16 CID 7050.
_CODES: Final = {
    "basic": ("113100", "Basic Application Confidentiality Profile"),
    "graphics": ("113103", "Clean Graphics Option"),
    "structured": ("113104", "Clean Structured Content Option"),
    "descriptors": ("113105", "Clean Descriptors Option"),
    "full_dates": ("113106", "Retain Longitudinal Temporal Information Full Dates Option"),
    "modified_dates": ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    "patient": ("113108", "Retain Patient Characteristics Option"),
    "device": ("113109", "Retain Device Identity Option"),
    "uids": ("113110", "Retain UIDs Option"),
    "safe_private": ("113111", "Retain Safe Private Option"),
    "institution": ("113112", "Retain Institution Identity Option"),
    "pixels": ("113101", "Clean Pixel Data Option"),
    "face": ("113102", "Clean Recognizable Visual Features Option"),
}
MEANINGS: Final = tuple(meaning for _, meaning in _CODES.values())
_SWITCHES: Final = (
    "uids", "device", "institution", "patient", "descriptors", "structured", "graphics",
    "safe_private",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Profile:
    """What to keep beyond the basic profile.

    Parameters
    ----------
    name
        For reports.
    dates
        Removed; shifted by one secret number of days for each patient; kept; or made the first
        day of their month or year.
    times
        Whether times of day stay where dates are shifted or kept.
    uids, device, institution, patient, descriptors, structured, graphics, safe_private
        The options of PS3.15 by these names.
    age_band
        Years: ages become the first of their band (40 to 44 is 40); 0 keeps them as they are.
        Above 89 all are 90.
    keep_last
        Characters at the end that stay of an attribute's value, by tag; the others are masked.
    elements
        An action for an attribute by itself, by tag: X, Z, D, K, C or U.
    also
        Kinds of objects that are refused otherwise.
    own_words
        Words that text may hold, besides those of the list.
    """

    name: str = "basic"
    dates: Dates = "removed"
    times: bool = True
    uids: bool = False
    device: bool = False
    institution: bool = False
    patient: bool = False
    descriptors: bool = False
    structured: bool = False
    graphics: bool = False
    safe_private: bool = False
    age_band: int = 0
    keep_last: Mapping[int, int] = field(default_factory=dict)
    elements: Mapping[int, str] = field(default_factory=dict)
    also: frozenset[str] = frozenset()
    own_words: frozenset[str] = frozenset()

    @property
    def options(self) -> tuple[str, ...]:
        """The columns of the table that apply, in the standard's order."""
        dates = {"removed": (), "kept": ("full_dates",)}.get(self.dates, ("modified_dates",))
        return (*(name for name in _SWITCHES if getattr(self, name)), *dates)

    def codes(self, *, pixels: bool = False, face: bool = False) -> list[tuple[str, str]]:
        """Code value and meaning of what is done, as DICOM's context group 7050 has them.

        Parameters
        ----------
        pixels, face
            Whether burned-in text and the face were removed, and that was checked.
        """
        names = ["basic", *self.options]
        names += ["pixels"] * pixels + ["face"] * face
        return sorted(_CODES[name] for name in names)

    def document(self) -> dict[str, Any]:
        """The profile as JSON-ready values; `from_document` is the inverse."""
        return {
            "name": self.name,
            "dates": self.dates,
            "times": self.times,
            **{name: getattr(self, name) for name in _SWITCHES},
            "age_band": self.age_band,
            "keep_last": {_word(tag): count for tag, count in sorted(self.keep_last.items())},
            "elements": {_word(tag): action for tag, action in sorted(self.elements.items())},
            "also": sorted(self.also),
            "own_words": sorted(self.own_words),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Profile":
        """The profile that a TOML file or a report describes.

        Raises
        ------
        InputError
            If it names something that there is not, or gives a value that makes no sense.
        """
        known = {"format", *cls.__dataclass_fields__}
        if unknown := sorted(set(document) - known):
            raise InputError(f"a profile has no '{shown(unknown[0])}'", "see docs/privacy.md")
        _check(document.get("format", 1) == 1, "format", "1")
        values = {key: document[key] for key in document if key != "format"}
        for name in (*_SWITCHES, "times"):
            _check(isinstance(values.get(name, False), bool), name, "true or false")
        _check(values.get("dates", "removed") in get_args(Dates), "dates", _either(Dates))
        band = values.get("age_band", 0)
        _check(type(band) is int and 0 <= band <= 50, "age_band", "a number of years up to 50")
        _check(isinstance(values.get("name", ""), str), "name", "text")
        for name in ("keep_last", "elements"):
            _check(isinstance(values.get(name, {}), dict), name, "a table")
        for name in ("also", "own_words"):
            _check(_is_texts(values.get(name, [])), name, "a list of words")
        last = {_tag(key): count for key, count in values.get("keep_last", {}).items()}
        _check(all(type(n) is int and 0 < n <= 8 for n in last.values()), "keep_last", "1 to 8")
        elements = {_tag(key): action for key, action in values.get("elements", {}).items()}
        _check(all(a in ACTIONS for a in elements.values()), "elements", ", ".join(ACTIONS))
        also = frozenset(values.get("also", ()))
        _check(also <= set(get_args(Objects)), "also", _either(Objects))
        own = frozenset(word.casefold() for word in values.get("own_words", ()))
        plain = {key: values[key] for key in values if key not in _TABLES}
        return cls(**plain, keep_last=last, elements=elements, also=also, own_words=own)


_TABLES: Final = ("keep_last", "elements", "also", "own_words")


def load_profile(named: str | Path, *, dates: Dates | None = None) -> Profile:
    """The profile `basic`, or that of a TOML file; with other dates where they are given.

    Raises
    ------
    InputError
        If the file cannot be read or makes no sense.
    """
    built_in = str(named) == "basic"
    try:
        source = files(__package__) / "tables" / "basic.toml" if built_in else Path(named)
        document = tomllib.loads(source.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError("the profile cannot be read", "it is a TOML file, or 'basic'") from error
    profile = Profile.from_document(document)
    return profile if dates is None else replace(profile, dates=dates)


def _tag(word: str) -> int:
    if re.fullmatch("[0-9A-Fa-f]{8}", word):
        return int(word, 16)
    try:
        return tag_of(word)
    except KeyError:
        what = f"'{shown(word)}' is no attribute of DICOM"
        raise InputError(what, "write its keyword, or eight hexadecimal digits") from None


def _word(tag: int) -> str:
    return keyword_for_tag(tag) or f"{tag:08X}"


def _is_texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)


def _either(choices: Any) -> str:  # noqa: ANN401  # a Literal
    return " or ".join(get_args(choices))


def _check(holds: bool, name: str, expected: str) -> None:  # noqa: FBT001
    if not holds:
        raise InputError(f"'{name}' of the profile is not {expected}", "see docs/privacy.md")
