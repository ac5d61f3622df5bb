"""Coded entries: a code value, its scheme and its meaning, kept whole or not at all."""

import re
from collections.abc import Mapping
from typing import Final

from napari_medlabel.privacy.dicom_source import Item
from napari_medlabel.privacy.values import split
from napari_medlabel.privacy.wording import Wording

__all__ = ["CODE_TAGS", "coded_entry"]

VALUE, SCHEME, VERSION, MEANING = 0x00080100, 0x00080102, 0x00080103, 0x00080104
CODE_TAGS: Final = frozenset({VALUE, SCHEME, VERSION, MEANING, 0x00080119, 0x00080120})

# How codes look in each scheme: PS3.16 section 8 names the schemes.
_FORMS: Final[Mapping[str, str]] = {
    "DCM": r"\d{6}|[A-Z]{2,10}",
    "SCT": r"\d{6,18}",
    "SRT": r"[A-Z]{1,3}\d?-[0-9A-F]{4,5}",
    "SNM3": r"[A-Z]{1,3}\d?-[0-9A-F]{4,5}",
    "99SDM": r"[A-Z]{1,3}\d?-[0-9A-F]{4,5}",
    "UCUM": r"[a-zA-Z0-9%/{}\[\]().*^:'_-]{1,16}",
    "LN": r"\d{1,6}-\d",
    "FMA": r"\d{3,6}",
    "NCIT": r"C\d{3,7}",
    "NCIt": r"C\d{3,7}",
    "UMLS": r"C\d{7}",
    "RADLEX": r"RID\d{1,6}",
    "IBSI": r"[A-Z0-9]{4}",
}
_VERSION: Final = re.compile(r"\d{1,2}(?:\.\d{1,2}){0,2}|(?:19|20)\d{6}|20\d\d[a-f]?")
_UNIT_WORDS: Final = re.compile(r"[a-z]{1,4}|10\*\d|[a-zA-Z]{1,3}\d?")


def coded_entry(item: Item, wording: Wording) -> dict[int, str] | None:
    """The code value, scheme, version and meaning that may stay; None where the entry may not.

    A code of a scheme that is not known, or that does not look like one of its scheme, is free
    text in a disguise. The meaning keeps the words that are known, or becomes the code.
    """
    value, scheme, version, meaning = (
        split(item.get(tag), "SH", item.encodings)[0] for tag in (VALUE, SCHEME, VERSION, MEANING)
    )
    form = _FORMS.get(scheme)
    if form is None or not re.fullmatch(form, value) or wording.is_own(value.casefold()):
        return None
    if scheme == "UCUM" and not _is_unit(value, wording):
        return None
    if scheme == "DCM" and value.isalpha() and not wording.is_known(value):
        return None
    entry = {VALUE: value, SCHEME: scheme}
    if _VERSION.fullmatch(version):
        entry[VERSION] = version
    entry[MEANING] = (value if meaning == value else wording.cleaned(meaning, code=True)) or value
    return entry


def _is_unit(value: str, wording: Wording) -> bool:
    """Whether it is made of units: what is in braces is a remark, and must be known words."""
    remarks = re.findall(r"\{([^}]*)\}", value)
    rest = re.split(r"[^A-Za-z]+", re.sub(r"\{[^}]*\}", "", value))
    if not all(wording.cleaned(remark, code=True) == remark for remark in remarks):
        return False
    return all(len(word) <= 4 or wording.knows(word) for word in rest)
