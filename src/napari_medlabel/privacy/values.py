"""Values of single elements: decoded, checked, cleaned, and written as bytes again."""

import functools
import re
import warnings
from collections.abc import Iterable
from typing import Final

from pydicom.charset import decode_bytes
from pydicom.datadict import dictionary_has_tag, dictionary_VM, dictionary_VR

__all__ = [
    "BINARY", "TEXTS", "decoded", "dummy", "encoded", "fits", "known_tags", "numbers", "split",
    "vr_of",
]  # fmt: skip

TEXTS: Final = frozenset({"AE", "CS", "LO", "LT", "SH", "ST", "UC", "UR", "UT", "PN", "AS"})
SINGLE: Final = frozenset({"LT", "ST", "UT", "UR"})  # a backslash is a letter there
_CHARSET: Final = frozenset({"LO", "LT", "SH", "ST", "UC", "UT", "PN"})
_STRINGS: Final = TEXTS | {"DA", "DS", "DT", "IS", "TM", "UI"}
BINARY: Final = {
    "AT": 4, "FD": 8, "FL": 4, "OB": 1, "OD": 8, "OF": 4, "OL": 4, "OV": 8, "OW": 2, "SL": 4,
    "SS": 2, "SV": 8, "UL": 4, "US": 2, "UV": 8,
}  # fmt: skip
# Bytes that are tables of numbers; no other OB and OW stay. PS3.3 C.7.6.3, C.7.9, C.11, C.27.
_TABLES: Final = frozenset({
    0x00281201, 0x00281202, 0x00281203, 0x00281204, 0x00281221, 0x00281222, 0x00281223, 0x00281408,
    0x00283006,
})  # fmt: skip
_PRIVATE_NUMBERS: Final = 16  # of the safe ones none has more than six
_DECIMAL: Final = re.compile(r" *[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})? *")
_INTEGER: Final = re.compile(r" *[+-]?\d{1,11} *")
_DUMMIES: Final = {
    "AE": "REMOVED", "AS": "000Y", "CS": "REMOVED", "DA": "19000101", "DS": "0",
    "DT": "19000101000000", "IS": "0", "LO": "REMOVED", "LT": "REMOVED", "PN": "REMOVED",
    "SH": "REMOVED", "ST": "REMOVED", "TM": "000000", "UC": "REMOVED", "UR": "REMOVED",
    "UT": "REMOVED",
}  # fmt: skip


def vr_of(tag: int, stated: str) -> str:
    """The VR that counts: the dictionary's; empty where the file's cannot be the same thing.

    Where the dictionary leaves a choice, the file's, if it is one of it.
    """
    choices = _choices(tag)
    if stated in choices:
        return stated
    first = choices[0]
    if stated in {"", "UN"} or (stated in _STRINGS and first in _STRINGS):
        return first
    return ""


@functools.cache
def _choices(tag: int) -> tuple[str, ...]:
    return tuple(dictionary_VR(tag).split(" or ")) if dictionary_has_tag(tag) else ("",)


def split(value: bytes, vr: str, encodings: tuple[str, ...]) -> list[str]:
    """The values of a text element, decoded, without their padding."""
    text = decoded(value, vr, encodings)
    parts = [text] if vr in SINGLE else text.split("\\")
    return [part.strip(" \0\r\n\t\f") for part in parts]


def decoded(value: bytes, vr: str, encodings: tuple[str, ...]) -> str:
    """The text of an element in the character sets that its data set names, or as Latin-1."""
    if vr not in _CHARSET or (value.isascii() and b"\x1b" not in value):
        return value.decode("latin-1")
    delimiters = {0x5C, 0x5E, 0x3D, 0x0A, 0x0D, 0x0C, 0x09}  # PS3.5 section 6.1.2.5.3
    try:
        with warnings.catch_warnings():  # they hold the value
            warnings.simplefilter("ignore")
            text: str = decode_bytes(value, list(encodings), delimiters)
    except (LookupError, ValueError, TypeError, IndexError):
        return value.decode("latin-1")
    return text


def encoded(values: Iterable[str], vr: str) -> bytes:
    """Values as bytes, padded to an even length: UTF-8, which ASCII is part of."""
    data = "\\".join(values).encode("utf-8", "replace")
    return data + (b"\0" if vr == "UI" else b" ") * (len(data) % 2)


def dummy(vr: str) -> bytes:
    """A value that says nothing and is valid; empty where there is none."""
    return encoded([_DUMMIES[vr]], vr) if vr in _DUMMIES else bytes(BINARY.get(vr, 0))


def numbers(value: bytes, vr: str) -> list[str] | None:
    """The numbers of a DS or IS; None where it holds anything else."""
    form = _DECIMAL if vr == "DS" else _INTEGER
    parts = value.decode("latin-1").rstrip("\0 ").split("\\")
    if not all(part.strip() == "" or form.fullmatch(part) for part in parts):
        return None
    return parts if all(len(part.strip()) <= 16 for part in parts) else None


def fits(tag: int, value: bytes, vr: str) -> bool:
    """Whether binary numbers are as long and as many as the dictionary says."""
    if vr not in BINARY or len(value) % BINARY[vr]:
        return False
    if vr in {"OB", "OW", "UN"}:
        return tag in _TABLES
    count, most = len(value) // BINARY[vr], _most(tag)
    return most is None or count <= most


@functools.cache
def _most(tag: int) -> int | None:
    if not dictionary_has_tag(tag):
        return _PRIVATE_NUMBERS
    end = dictionary_VM(tag).rpartition("-")[2]
    return int(end) if end.isdigit() else None


def known_tags(value: bytes, *, little: bool) -> bool:
    """Whether an AT names attributes of the dictionary only."""
    order = "little" if little else "big"
    shorts = [int.from_bytes(value[at : at + 2], order) for at in range(0, len(value), 2)]  # type: ignore[arg-type]
    pairs = zip(shorts[::2], shorts[1::2], strict=True)
    return all(dictionary_has_tag(group << 16 | element) for group, element in pairs)
