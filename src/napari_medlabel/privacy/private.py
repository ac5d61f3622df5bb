"""Private elements that the standard lists as safe, PS3.15 E.3.10, as far as can be checked."""

from typing import Final

from napari_medlabel.privacy.dicom_source import Item
from napari_medlabel.privacy.table import safe_private

__all__ = ["safe_elements"]

# Bytes that may hold anything, text that a person wrote, and UIDs are not kept, listed or not.
_CHECKABLE: Final = frozenset(
    {"CS", "DS", "FD", "FL", "IS", "LO", "SH", "SL", "SQ", "SS", "UL", "US"}
)


def safe_elements(item: Item) -> dict[int, str]:
    """The VR of each private element of an item that may be kept, and of the creators they need."""
    creators = {
        one.tag: one.value.decode("latin-1").strip("\0 ")
        for one in item.elements
        if one.tag >> 16 & 1 and 0x10 <= one.tag & 0xFFFF <= 0xFF
    }
    found: dict[int, str] = {}
    for one in item.elements:
        group, element = divmod(one.tag, 1 << 16)
        if not group & 1 or element < 0x1000:
            continue
        creator_tag = group << 16 | element >> 8
        creator = creators.get(creator_tag, "")
        listed = safe_private().get((creator, group, element & 0xFF), "")
        if listed in _CHECKABLE and one.vr in {listed, "UN", ""}:
            found[one.tag] = listed
            found[creator_tag] = "creator"
    return found
