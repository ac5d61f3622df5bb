"""What compressed bytes say of themselves, looked at before a decoder sees them."""

import struct
from typing import NamedTuple

__all__ = ["Claim", "claim_of"]


class Claim(NamedTuple):
    """The size that a codestream claims, and the bits of a sample.

    `ends` is False for a JPEG whose end marker is missing: its decoders would fill up with grey.
    """

    rows: int
    columns: int
    bits: int
    ends: bool = True


def claim_of(data: bytes) -> Claim | None:
    """What a JPEG, JPEG-LS or JPEG 2000 codestream claims, or None where it is none."""
    if data[:2] == b"\xff\xd8":
        return _jpeg(data)
    start = data.find(b"\xff\x4f\xff\x51", 0, 4096)  # in a JP2 box or bare: SOC, SIZ
    if start < 0 or len(data) < start + 43:
        return None
    width, height, left, top = struct.unpack_from(">4I", data, start + 8)
    return Claim(height - top, width - left, (data[start + 42] & 0x7F) + 1)


def _jpeg(data: bytes) -> Claim | None:
    """By the frame header; the end marker is looked for behind it."""
    pos = 2
    while pos + 9 <= len(data):
        if data[pos] != 0xFF:
            return None
        marker = data[pos + 1]
        if marker == 0xFF:  # fill
            pos += 1
            continue
        # Start of frame: C0-CF but not tables (C4, C8, CC), and F7 of JPEG-LS.
        if (0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}) or marker == 0xF7:
            bits, rows, columns = struct.unpack_from(">B2H", data, pos + 4)
            # In entropy-coded data no byte above 8F follows FF: what looks like an end is one.
            return Claim(rows, columns, bits, data.rfind(b"\xff\xd9", pos) >= 0)
        pos += 2 + struct.unpack_from(">H", data, pos + 2)[0]
    return None
