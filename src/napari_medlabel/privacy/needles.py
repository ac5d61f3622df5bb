"""Identifiers as the bytes that a file might hold them in, and how far each can be trusted.

Three searches, so that a name of five letters is found in a header and not in noise:

- *far*: at least eight bytes; looked for in every byte, pixels too.
- *near*: at least five letters, or six digits that stand alone; in all but the pixels.
- *words*: three letters or four digits; only as a whole word of text, in the patient's own files.
"""

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from napari_medlabel.privacy.identifiers import Identifier
from napari_medlabel.privacy.profile import MEANINGS
from napari_medlabel.privacy.search import Needle, Search
from napari_medlabel.privacy.table import words

__all__ = ["Searches", "searches"]

_FAR, _NEAR, _NEAR_DIGITS, _WORD = 8, 5, 6, 3
_WIDE_DIGITS: Final = 16  # bytes: a table of 16-bit numbers counts upwards, as digits may
_DATE_FORMS: Final = ("%Y%m%d", "%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d")


@dataclass(frozen=True, slots=True, eq=False)
class Searches:
    """What is looked for where; `too_short` identifiers cannot be looked for at all."""

    far: Search
    near: Search
    words: Mapping[str, Mapping[str, str]]  # by patient, the kind of each word, casefolded
    strings: int
    too_short: int


def searches(wanted: Iterable[Identifier]) -> Searches:
    """The searches for all identifiers of all files."""
    far: set[Needle] = set()
    near: set[Needle] = set()
    short: dict[str, dict[str, str]] = defaultdict(dict)
    too_short = strings = 0
    for one in set(wanted):
        strings += 1
        needles = list(_needles(one))
        long = {needle for needle in needles if len(needle.data) >= _FAR}
        far |= long
        near |= set(needles) - long
        if needles:
            continue
        if len(one.text) >= _WORD and one.kind != "text":
            short[one.patient][one.text.casefold()] = one.kind
        else:
            too_short += 1
    near |= far
    return Searches(Search(far), Search(near), short, strings, too_short)


def _needles(one: Identifier) -> Iterator[Needle]:
    """All byte forms that may be looked for anywhere; none where the identifier is too short."""
    if one.raw:
        if len(one.raw) >= _NEAR_DIGITS:
            yield Needle(one.raw.lower(), one.kind)
        return
    if one.kind == "date":
        day = date.fromisoformat(one.text)
        for form in _DATE_FORMS:
            yield from _encoded(day.strftime(form), one.kind, "digits")
        return
    text = one.text
    small = text.casefold()
    if small in words() or small in _own_texts():  # a word that may stay, and a name: as a word
        return
    digits = text.isdigit()
    if len(text) < (_NEAR_DIGITS if digits else _NEAR) and text.isascii():
        return
    yield from _encoded(text, one.kind, "digits" if digits or one.kind == "uid" else "")


@functools.cache
def _own_texts() -> str:
    """What this program writes into every file."""
    return "\n".join(("napari-medlabel", "profile", *MEANINGS)).casefold()


def _encoded(text: str, kind: str, alone: str) -> Iterator[Needle]:
    forms = {text} if text.isascii() else {text, text.lower(), text.upper(), text.title()}
    for form in forms:
        for encoding in ("utf-8", "latin-1", "utf-16-le", "utf-16-be"):
            data = form.encode(encoding, "ignore").lower()
            wide = encoding.startswith("utf-16")
            if len(data) >= (_WIDE_DIGITS if wide and form.isdigit() else _NEAR):
                yield Needle(data, kind, alone if encoding in {"utf-8", "latin-1"} else "")
