"""What a file says about people, places and devices: to be removed, then to be looked for."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Literal

from napari_medlabel.privacy.dates import day_of
from napari_medlabel.privacy.dicom_source import Element, Item, Source
from napari_medlabel.privacy.profile import Profile
from napari_medlabel.privacy.table import rows
from napari_medlabel.privacy.uids import is_part_of_well_known, is_uid, is_well_known
from napari_medlabel.privacy.values import TEXTS, numbers, split, vr_of
from napari_medlabel.privacy.wording import Wording, parts_of

__all__ = ["Identifier", "Kind", "Left", "Said", "identifiers", "own_words", "said"]

Kind = Literal["name", "number", "date", "uid", "place or contact", "text"]

_KINDS: Final[dict[str, Kind]] = {
    "A": "name", "B": "place or contact", "D": "place or contact", "E": "place or contact",
    "F": "place or contact", "G": "number", "H": "number", "I": "number", "J": "number",
    "K": "number", "L": "number", "M": "number", "N": "place or contact", "O": "number",
}  # fmt: skip
_TEXT_LIKE: Final = TEXTS | {"DA", "DS", "DT", "IS", "UI"}
_LONGEST: Final = 1 << 16  # bytes of an element that is still looked at as text
_OWN: Final = frozenset("AHJ")
_DOTS: Final = 3  # of a UID that is looked for: fewer are in a decimal number, or a version
_LONG_UID: Final = 16
_NUMBER: Final = re.compile(r"[-+]?\d*\.\d+(?:[eE][-+]?\d*)?")
_VARIED: Final = 3  # different letters: fewer are a pattern of bits


@dataclass(frozen=True, slots=True)
class Said:
    """The values of one text-like element, and as which bytes they stood in the file."""

    tag: int
    vr: str
    letter: str
    values: tuple[str, ...]
    raw: bytes


@dataclass(frozen=True, slots=True)
class Identifier:
    """A string that must not be found any more; `raw` is how the file wrote it, if not in ASCII.

    `patient` is the pseudonym of whom it is about. Short strings and words that others' files may
    hold are looked for in this patient's files only.
    """

    kind: Kind
    text: str
    raw: bytes = b""
    patient: str = ""


@dataclass(frozen=True, slots=True)
class Left:
    """What is left in a patient's files on purpose.

    Parameters
    ----------
    profile
        What was asked for.
    wording
        Words that are nobody's.
    kept
        Texts that stayed because somebody asked for them.
    shift_days
        By how much dates were moved.
    patient
        The pseudonym.
    """

    profile: Profile
    wording: Wording
    kept: frozenset[str]
    shift_days: int
    patient: str


def said(source: Source) -> list[Said]:
    """Every text-like element of a file: at any depth, public or private, of known VR or none."""
    return [*_said(source.meta), *_said(source.dataset)]


def own_words(found: Iterable[Said]) -> frozenset[str]:
    """The words of names and numbers of the people in a file, casefolded."""
    return parts_of(
        value
        for one in found
        if one.vr == "PN" or (one.letter in _OWN and one.vr in TEXTS)
        for value in one.values
    )


def identifiers(found: list[Said], left: Left) -> set[Identifier]:
    """What must not be found in the new files.

    Parameters
    ----------
    found
        All that the old file said.
    left
        What of it was left there on purpose.
    """
    measured = {
        digits
        for one in found
        if one.vr in {"DS", "IS"}
        for value in one.values
        for digits in re.findall(r"\d+", value)
    }
    wanted = _dates(found, left)
    for one in found:
        if one.vr in {"DA", "DT", "TM", "AS"}:
            continue
        uids = {value for value in one.values if is_uid(value)}
        if not left.profile.uids:
            wanted |= {Identifier("uid", value) for value in uids if _is_uid(value)}
        rest = replace(one, values=tuple(value for value in one.values if value not in uids))
        wanted |= set(_strings(rest, left.wording, measured))
    everything = "\n".join(left.kept).casefold()
    return {
        replace(one, patient=left.patient)
        for one in wanted
        if not one.text or one.text.casefold() not in everything
    }


def _said(item: Item) -> Iterator[Said]:
    for element in item.elements:
        if element.items is not None:
            for inside in element.items:
                yield from _said(inside)
        elif (one := _read(element, item.encodings)) is not None:
            yield one


def _read(element: Element, encodings: tuple[str, ...]) -> Said | None:
    value = element.value
    if not value or len(value) > _LONGEST:
        return None
    public = not element.tag >> 16 & 1
    vr = (vr_of(element.tag, element.vr) or element.vr) if public else element.vr
    if vr in {"", "UN", "OB", "SQ"}:
        if not _is_printable(value):
            return None
        vr = "UN"
    elif vr not in _TEXT_LIKE:
        return None
    if element.tag & 0xFFFF <= 0xFF and not public:  # a private creator
        return None
    row = rows().get(element.tag)
    values = tuple(one for one in split(value, "LO" if vr == "UN" else vr, encodings) if one)
    return Said(element.tag, vr, row.letter if row else "", values, value)


def _is_printable(value: bytes) -> bool:
    return re.fullmatch(rb"[\x1b\t\r\n -~\x80-\xff]+\x00?", value) is not None


def _dates(found: list[Said], left: Left) -> set[Identifier]:
    if left.profile.dates not in {"removed", "shifted"}:
        return set()
    values = (value for one in found if one.vr in {"DA", "DT"} for value in one.values)
    days = {day for day in map(day_of, values) if day and day.year > 1900}
    if left.profile.dates == "shifted":  # a new date is not taken for an old one
        days -= {day + timedelta(days=left.shift_days) for day in days}
    return {Identifier("date", day.isoformat()) for day in days}


def _is_uid(value: str) -> bool:
    """Whether a value is somebody's UID, no number and none of the standard's."""
    dots = _DOTS - (len(value) >= _LONG_UID)  # 2.25. and a UUID has but two
    return is_uid(value) and value.count(".") >= dots and not is_well_known(value)


def _strings(one: Said, wording: Wording, measured: set[str]) -> Iterator[Identifier]:
    kind = "name" if one.vr == "PN" else _KINDS.get(one.letter, "text")
    if one.vr in {"DS", "IS"} and numbers(one.raw, one.vr) is not None:
        return
    raw = one.raw if not one.raw.isascii() or b"\x1b" in one.raw else b""
    printable = (part for value in one.values for part in re.split(r"[\x00-\x1f\x7f]+", value))
    for value in printable:
        if _NUMBER.fullmatch(value) or is_part_of_well_known(value):
            continue
        harmless = one.letter not in _OWN and wording.cleaned(value, code=True) == value
        if kind in {"name", "number"} and len(value) >= 3 and not harmless:
            yield Identifier(kind, value)
        parts = parts_of([value]) if kind == "name" else wording.unknown(value)
        for part in parts:
            if is_part_of_well_known(part):
                continue
            if len(set(part)) >= _VARIED and (part not in measured or one.letter in _OWN):
                yield Identifier(kind, part)
    for piece in re.split(rb"[\\^=\x00-\x1a\x1c-\x20]+", raw):
        if len(piece) >= 6 and not piece.isascii() and len(set(piece)) >= _VARIED:
            yield Identifier(kind, "", piece)
