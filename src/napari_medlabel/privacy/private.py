"""Private elements that the standard lists as safe, PS3.15 E.3.10, as far as can be checked."""

import struct
import warnings
from typing import Any, Final

from napari_medlabel.privacy.dicom_source import Item
from napari_medlabel.privacy.table import safe_private

__all__ = ["mosaic_header", "safe_elements"]

# Siemens writes how the tiles of a mosaic lie nowhere else: without it there is no volume.
_MOSAIC: Final = ("SIEMENS CSA HEADER", 0x0029, 0x10)
_TILES, _NORMAL = "NumberOfImagesInMosaic", "SliceNormalVector"

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
        if (creator, group, element & 0xFF) == _MOSAIC and one.vr in {"OB", "UN", ""}:
            found[one.tag] = "mosaic"
            found[creator_tag] = "creator"
        listed = safe_private().get((creator, group, element & 0xFF), "")
        if listed in _CHECKABLE and one.vr in {listed, "UN", ""}:
            found[one.tag] = listed
            found[creator_tag] = "creator"
    return found


def mosaic_header(value: bytes) -> bytes:
    """Siemens's header made anew with two facts: how many tiles, and which way they run.

    All else of it, which is text of the whole protocol, is left behind; empty where it is damaged
    or of no mosaic. The layout is that of "CSA2": for each element a name of 64 bytes and items.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from nibabel.nicom import csareader  # noqa: PLC0415  # few files need it

            tags: Any = csareader.read(value)["tags"]  # type: ignore[no-untyped-call]
        tiles = int(tags[_TILES]["items"][0])
        normal = [float(one) for one in tags[_NORMAL]["items"][:3]]
    except Exception:  # noqa: BLE001  # a damaged one fails in any way it likes
        return b""
    if not 0 < tiles < 10_000 or len(normal) != 3 or not all(abs(one) <= 1 for one in normal):
        return b""
    elements = _csa_element(_TILES, b"US", [str(tiles)])
    elements += _csa_element(_NORMAL, b"FD", [f"{one:.8f}" for one in normal])
    return b"SV10\4\3\2\1" + struct.pack("<II", 2, 77) + elements


def _csa_element(name: str, vr: bytes, items: list[str]) -> bytes:
    made = struct.pack("<64si4siii", name.encode(), len(items), vr, 6, len(items), 77)
    for item in items:
        data = item.encode("ascii") + b"\0"
        made += struct.pack("<iiii", len(data), len(data), 77, len(data))
        made += data + bytes(-len(data) % 4)
    return made
