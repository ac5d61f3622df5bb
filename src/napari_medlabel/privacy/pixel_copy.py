"""Pixel data copied as it is, less what is no pixel: trailing bytes, comments, old overlays.

Frames are not decoded. What a codestream carries beside them (comments, EXIF and other application
segments of JPEG and JPEG 2000) is overwritten with zeros of the same length, so that no offset
changes; in native pixels, bits above those stored are cleared where the file has an overlay there,
which may be a name drawn over the image.
"""

import hashlib
import struct
from collections.abc import Callable
from typing import IO, Final

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.privacy.dicom_source import Item, Pixels, Source
from napari_medlabel.privacy.writing import pixel_header

__all__ = ["copy_pixels", "expected_length", "overlay_mask"]

_PIECE: Final = 1 << 20
_END: Final = 0xE0DD
_HEAD: Final = 1 << 16  # of a codestream, in which its segments are looked for
# PS3.5 A.4.1 wants none of these: APP0 (JFIF), APP8 (SPIFF, colour of JPEG-LS) and APP14 say how to
# decode, the others are of cameras and people.
_HARMLESS: Final = frozenset({0xE0, 0xE8, 0xEE})
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})


def copy_pixels(source: Source, target: IO[bytes], digest: "hashlib._Hash") -> None:
    """Write the element with the pixel data; nothing where there is none.

    Raises
    ------
    InputError
        If the file ends inside it.
    """
    pixels = source.pixels
    if pixels is None:
        return

    def put(data: bytes) -> None:
        digest.update(data)
        target.write(data)

    if pixels.encapsulated:
        put(pixel_header(pixels, 0, source.encoding))
        _copy_fragments(source, pixels, put)
        return
    length = min(pixels.length, expected_length(source.dataset, source, pixels))
    put(pixel_header(pixels, length + length % 2, source.encoding))
    mask = overlay_mask(source)
    source.file.seek(pixels.start)
    left = length
    while left:
        piece = source.file.read(min(_PIECE, left))
        if not piece:
            raise InputError("the file ends inside its pixel data", "copy it again")
        left -= len(piece)
        put(piece if mask is None else _masked(piece, mask, source))
    put(b"\0" * (length % 2))


def expected_length(item: Item, source: Source, pixels: Pixels) -> int:
    """How many bytes the frames have; what there is where that is not known."""
    order = source.encoding.order

    def short(tag: int, default: int) -> int:
        value = item.get(tag)
        return int(struct.unpack(order + "H", value)[0]) if len(value) == 2 else default

    try:
        frames = int(item.get(0x00280008).decode("ascii").strip("\0 ") or 1)
    except ValueError:
        return pixels.length
    rows, columns, bits = short(0x00280010, 0), short(0x00280011, 0), short(0x00280100, 0)
    samples = short(0x00280002, 1)
    half = b"422" in item.get(0x00280004)
    count = rows * columns * samples * frames * bits
    if not count or frames < 1 or half:
        return pixels.length
    return -(-count // 8)


def overlay_mask(source: Source) -> int | None:
    """The bits that are stored, where the file says that an overlay is in the others."""
    item, order = source.dataset, source.encoding.order
    values = [item.get(tag) for tag in (0x00280100, 0x00280101, 0x00280102)]
    if any(len(value) != 2 for value in values):
        return None
    allocated, stored, high = (int(struct.unpack(order + "H", value)[0]) for value in values)
    overlays = {one.tag & 0xFFFF for one in item.elements if one.tag >> 24 == 0x60}
    if 0x0102 not in overlays or 0x3000 in overlays or allocated != 16 or not 0 < stored < 16:
        return None
    return ((1 << stored) - 1) << max(0, high + 1 - stored) & 0xFFFF


def _masked(piece: bytes, mask: int, source: Source) -> bytes:
    whole = len(piece) // 2 * 2
    shorts = np.frombuffer(piece[:whole], source.encoding.order + "u2")
    stored: bytes = (shorts & np.array(mask, shorts.dtype)).astype(shorts.dtype).tobytes()
    return stored + piece[whole:]


def _copy_fragments(source: Source, pixels: Pixels, put: Callable[[bytes], None]) -> None:
    """All items, with their lengths, and the delimiter; a frame's segments only where it begins."""
    file, at, end = source.file, pixels.start, pixels.start + pixels.length
    first = True
    while at < end:
        file.seek(at)
        head = file.read(8)
        (length,) = struct.unpack_from("<I", head, 4)
        put(head)
        data = file.read(min(length, _HEAD))
        put(data if first else _blanked(data))
        left = length - len(data)
        while left:
            piece = file.read(min(_PIECE, left))
            if not piece:
                raise InputError("the file ends inside its pixel data", "copy it again")
            left -= len(piece)
            put(piece)
        at += 8 + length
        first = False
    put(struct.pack("<HHI", 0xFFFE, _END, 0))


def _blanked(data: bytes) -> bytes:
    """A codestream whose comments and foreign application segments hold zeros."""
    if not data.startswith((b"\xff\xd8", b"\xff\x4f\xff\x51")):
        return data
    is_2000, made, at = data[1] == 0x4F, bytearray(data), 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _ALONE and not is_2000:
            at += 2
            continue
        if marker in {0xDA, 0x90, 0x93}:  # scan, tile, data
            break
        (length,) = struct.unpack_from(">H", data, at + 2)
        if is_2000:
            personal, skip = marker == 0x64, 6  # its registration, binary or text, stays
        else:
            app = 0xE0 <= marker <= 0xEF and marker not in _HARMLESS
            personal, skip = marker == 0xFE or app, 4
        if personal:
            stop = min(at + 2 + length, len(data))
            made[at + skip : stop] = bytes(max(0, stop - at - skip))
        at += 2 + length
    return bytes(made)
