"""Elements, file meta information and the data set as bytes: explicit or implicit, either order."""

import struct
from collections.abc import Iterable
from typing import Final

from napari_medlabel.privacy.dicom_source import Encoding, Pixels
from napari_medlabel.privacy.uids import IMPLEMENTATION
from napari_medlabel.privacy.values import encoded

__all__ = ["element_bytes", "meta_bytes", "pixel_header", "sequence_bytes"]

UNDEFINED: Final = 0xFFFFFFFF
_LONG: Final = frozenset(
    {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}
)  # PS3.5 table 7.1-1
_META: Final = Encoding()
_VERSION_NAME: Final = "MEDLABEL"


def element_bytes(tag: int, vr: str, value: bytes, encoding: Encoding) -> bytes:
    """One element; empty where its value is longer than its VR can say."""
    value += b"\0" * (len(value) % 2)
    head = _head(tag, vr, len(value), encoding)
    return head + value if head else b""


def sequence_bytes(tag: int, items: Iterable[bytes], encoding: Encoding) -> bytes:
    """A sequence and its items, all of stated length."""
    pack = struct.Struct(encoding.order + "HHI").pack
    body = b"".join(pack(0xFFFE, 0xE000, len(item)) + item for item in items)
    return _head(tag, "SQ", len(body), encoding) + body


def pixel_header(pixels: Pixels, length: int, encoding: Encoding) -> bytes:
    """What stands in front of pixel data of so many bytes."""
    stated = UNDEFINED if pixels.encapsulated else length
    return _head(pixels.tag, pixels.vr, stated, encoding)


def meta_bytes(sop_class: str, sop_instance: str, syntax: str) -> bytes:
    """A preamble of zeros, the prefix, and file meta information made anew: PS3.10 section 7.1."""
    values = (
        (0x00020001, "OB", b"\0\1"),
        (0x00020002, "UI", encoded([sop_class], "UI")),
        (0x00020003, "UI", encoded([sop_instance], "UI")),
        (0x00020010, "UI", encoded([syntax], "UI")),
        (0x00020012, "UI", encoded([IMPLEMENTATION], "UI")),
        (0x00020013, "SH", encoded([_VERSION_NAME], "SH")),
    )
    group = b"".join(element_bytes(tag, vr, value, _META) for tag, vr, value in values)
    length = element_bytes(0x00020000, "UL", struct.pack("<I", len(group)), _META)
    return bytes(128) + b"DICM" + length + group


def _head(tag: int, vr: str, length: int, encoding: Encoding) -> bytes:
    order = encoding.order
    place = struct.pack(order + "HH", tag >> 16, tag & 0xFFFF)
    if not encoding.explicit:
        return place + struct.pack(order + "I", length)
    name = vr.encode("ascii")
    if vr in _LONG:
        return place + name + struct.pack(order + "HI", 0, length)
    return place + name + struct.pack(order + "H", length) if length < 1 << 16 else b""
