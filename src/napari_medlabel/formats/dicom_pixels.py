"""Pixel data of one frame: from bytes in a file to stored values."""

import struct
from collections.abc import Callable
from typing import Any, Final

import imagecodecs
import numpy as np
import numpy.typing as npt

from napari_medlabel.formats.dicom_header import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    HeaderError,
)
from napari_medlabel.formats.dicom_instance import InstanceFacts

__all__ = [
    "ALWAYS_LOSSY",
    "DECODERS",
    "NATIVE",
    "decode_frame",
    "is_lossy",
    "is_native",
    "unpack_bits",
    "value_range",
]

Raw = npt.NDArray[np.unsignedinteger[Any]]
Decoder = Callable[[bytes, InstanceFacts], npt.NDArray[Any]]

NATIVE: Final = frozenset({IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN})
RLE: Final = "1.2.840.10008.1.2.5"
_JPEG: Final = "1.2.840.10008.1.2.4."
ALWAYS_LOSSY: Final = frozenset(_JPEG + end for end in ("50", "51", "53", "55", "81"))
PERHAPS_LOSSY: Final = frozenset(_JPEG + end for end in ("91", "93", "203"))


def _jpeg(data: bytes, _: InstanceFacts) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = imagecodecs.jpeg8_decode(data)
    return array


def _jpeg_lossless(data: bytes, _: InstanceFacts) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = imagecodecs.ljpeg_decode(data)
    return array


def _jpeg_ls(data: bytes, _: InstanceFacts) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = imagecodecs.jpegls_decode(data)
    return array


def _jpeg_2000(data: bytes, _: InstanceFacts) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = imagecodecs.jpeg2k_decode(data, numthreads=1)
    return array


def _rle(data: bytes, facts: InstanceFacts) -> npt.NDArray[Any]:
    """Runs of bytes, one segment for each byte of a pixel, high byte first: PS3.5 annex G."""
    size = facts.bits_allocated // 8
    rows, columns = facts.frame_shape
    pixels = rows * columns
    count, *starts = struct.unpack_from("<16I", data)
    if count != size or any(start > len(data) for start in starts[:count]):
        raise HeaderError("its run lengths do not fit its header")
    planes = np.empty((pixels, size), np.uint8)
    for n, (start, stop) in enumerate(zip(starts, [*starts[1:count], len(data)], strict=False)):
        if n == count:
            break
        segment = imagecodecs.packbits_decode(data[start:stop])
        if len(segment) < pixels:
            raise HeaderError("its run lengths end too early")
        planes[:, size - 1 - n] = np.frombuffer(segment, np.uint8, pixels)
    return planes.view(f"<u{size}").reshape(rows, columns)


DECODERS: Final[dict[str, Decoder]] = {
    RLE: _rle,
    **{_JPEG + end: _jpeg for end in ("50", "51", "53", "55")},
    **{_JPEG + end: _jpeg_lossless for end in ("57", "70")},
    **{_JPEG + end: _jpeg_ls for end in ("80", "81")},
    **{_JPEG + end: _jpeg_2000 for end in ("90", "91", "201", "202", "203")},
}


def is_native(facts: InstanceFacts) -> bool:
    """True where pixels are in the file as they are, not compressed one by one."""
    return facts.syntax in NATIVE


def is_lossy(facts: InstanceFacts) -> bool:
    """True where the pixels have been through a lossy compression."""
    if facts.lossy == "01" or facts.syntax in ALWAYS_LOSSY:
        return True
    return facts.syntax in PERHAPS_LOSSY and facts.lossy != "00"


def value_range(facts: InstanceFacts) -> tuple[int, int]:
    """The smallest and the largest stored value that the header allows."""
    if facts.signed:
        return -(1 << (facts.bits_stored - 1)), (1 << (facts.bits_stored - 1)) - 1
    return 0, (1 << facts.bits_stored) - 1


def decode_frame(data: bytes, facts: InstanceFacts) -> npt.NDArray[Any]:
    """Decompress a frame to its stored values, `[row, column]`, signed as the header says.

    Raises
    ------
    HeaderError
        If the bytes are damaged or are an image of another size.
    """
    claimed = _claimed_size(data)
    if facts.syntax != RLE and claimed != facts.frame_shape:
        raise HeaderError("its compressed image is damaged or has another size")
    try:
        array = DECODERS[facts.syntax](data, facts)
    except HeaderError:
        raise
    except Exception as error:  # each codec has its own errors
        raise HeaderError("its compressed image is damaged") from error
    if array.shape != facts.frame_shape or array.dtype.kind not in "ui":
        raise HeaderError("its compressed image has another size")
    low, high = value_range(facts)
    if facts.syntax == RLE or (facts.signed and array.dtype.kind == "u"):
        wide = array.astype(f"u{max(array.itemsize, facts.bits_allocated // 8)}")
        return unpack_bits(wide, facts)
    # The codestream knows its sign. Lossy ones may overshoot; wrapping round would be worse.
    if array.dtype.kind == "i" and not facts.signed:
        array = array.astype(np.int32)
    return np.clip(array, low, high)


def unpack_bits(raw: Raw, facts: InstanceFacts) -> npt.NDArray[Any]:
    """Keep the stored bits and extend the sign, in place; a view with the right sign.

    Bits outside BitsStored may hold anything: old overlays, other people's flags.
    """
    bits = raw.itemsize * 8
    unused = bits - facts.bits_stored
    signed = raw.view(f"i{raw.itemsize}")
    if unused == 0:
        return signed if facts.signed else raw
    if not facts.signed and facts.high_bit == facts.bits_stored - 1:
        np.bitwise_and(raw, raw.dtype.type((1 << facts.bits_stored) - 1), out=raw)
        return raw
    if bits - 1 > facts.high_bit:
        np.left_shift(raw, raw.dtype.type(bits - 1 - facts.high_bit), out=raw)
    if facts.signed:
        np.right_shift(signed, signed.dtype.type(unused), out=signed)
        return signed
    np.right_shift(raw, raw.dtype.type(unused), out=raw)
    return raw


def _claimed_size(data: bytes) -> tuple[int, int] | None:
    """Rows and columns that a JPEG, JPEG-LS or JPEG 2000 codestream says it has."""
    if data[:2] == b"\xff\xd8":
        return _jpeg_size(data)
    start = data.find(b"\xff\x4f\xff\x51", 0, 4096)  # in a JP2 box or bare: SOC, SIZ
    if start < 0 or len(data) < start + 24:
        return None
    width, height, left, top = struct.unpack_from(">4I", data, start + 8)
    return height - top, width - left


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
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
            rows, columns = struct.unpack_from(">2H", data, pos + 5)
            return rows, columns
        pos += 2 + struct.unpack_from(">H", data, pos + 2)[0]
    return None
