"""The tables of PS3.15 Annex E and what stands beside them, as data: `tables/*.csv` and `*.txt`.

Each file says in its first lines what it holds and where that is from. Nothing of it is decided in
code, so that a new edition of the standard is a new file.
"""

import csv
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from pydicom.datadict import tag_for_keyword

__all__ = ["EDITION", "OPTIONS", "Row", "kept_tags", "rows", "safe_private", "types", "words"]

EDITION: Final = "DICOM PS3.15 Annex E, 2026c (options: 2024)"
OPTIONS: Final = (
    "uids", "device", "institution", "patient", "full_dates", "modified_dates", "descriptors",
    "structured", "graphics",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One attribute of Table E.1-1: the basic profile's action, and what options change.

    `letter` is the identifier of HIPAA's Safe Harbor that the attribute may carry.
    """

    tag: int
    keyword: str
    basic: str
    options: Mapping[str, str]
    letter: str


@functools.cache
def rows() -> Mapping[int, Row]:
    """Every attribute of Table E.1-1 that has a tag of its own."""
    found = {}
    for line in _lines("attributes.csv"):
        if "X" in line["tag"] or line["tag"] == "PRIVATE":
            continue  # repeating groups and private attributes are removed as such
        tag = int(line["tag"], 16)
        options = {name: line[name] for name in OPTIONS if line[name]}
        found[tag] = Row(tag, line["keyword"], line["basic"], options, line["letter"])
    return MappingProxyType(found)


@functools.cache
def kept_tags() -> frozenset[int]:
    """Attributes outside of the table whose values may stay, as far as their kind allows."""
    return frozenset(int(line["tag"], 16) for line in _lines("kept.csv"))


@functools.cache
def types() -> Mapping[str, Mapping[int, int]]:
    """For each SOP class that is known, attributes of type 1 or 2 at its top level."""
    found: dict[str, Mapping[int, int]] = {}
    for line in _lines("types.csv"):
        of_class = {tag_of(word): 2 for word in line["type2"].split()}
        of_class |= {tag_of(word): 1 for word in line["type1"].split()}
        found[line["sop_class"]] = MappingProxyType(of_class)
    return MappingProxyType(found)


@functools.cache
def safe_private() -> Mapping[tuple[str, int, int], str]:
    """The VR of each private attribute of Table E.3.10-1, by creator, group and element's end."""
    found = {}
    for line in _lines("safe_private.csv"):
        group, _, end = line["tag"].partition("xx")
        found[line["creator"], int(group, 16), int(end, 16)] = line["vr"]
    return MappingProxyType(found)


@functools.cache
def words() -> frozenset[str]:
    """Every word that cleaned text may hold, in small letters."""
    text = _text("words.txt") + _text("terms.txt")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return frozenset(word.casefold() for line in lines for word in line.split())


def tag_of(keyword: str) -> int:
    """The tag that the dictionary has for a keyword; KeyError where it has none."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return tag


def _lines(name: str) -> Iterator[dict[str, str]]:
    lines = (line for line in _text(name).splitlines() if not line.startswith("#"))
    yield from csv.DictReader(lines)


def _text(name: str) -> str:
    return (files(__package__) / "tables" / name).read_text(encoding="utf-8")
