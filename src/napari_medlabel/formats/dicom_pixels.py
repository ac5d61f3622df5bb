"""Pixel data of one frame: from bytes in a file to stored values, and what speaks against it."""

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any, Final

import imagecodecs
import numpy as np
import numpy.typing as npt
from pydicom.uid import UID

from napari_medlabel.core.problem import Problem
from napari_medlabel.formats.dicom_header import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    UNDEFINED,
    HeaderError,
    fragments,
    inflated,
)
from napari_medlabel.formats.dicom_instance import InstanceFacts

__all__ = [
    "PIXEL_CHECKS",
    "decode_frame",
    "encapsulated_frame",
    "is_lossy",
    "is_native",
    "native_frame",
    "unpack_bits",
    "value_range",
    "which",
]

Raw = npt.NDArray[np.unsignedinteger[Any]]
Decoder = Callable[[bytes, InstanceFacts], npt.NDArray[Any]]

NATIVE: Final = frozenset({IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN})
RLE: Final = "1.2.840.10008.1.2.5"
_JPEG: Final = "1.2.840.10008.1.2.4."
ALWAYS_LOSSY: Final = frozenset(_JPEG + end for end in ("50", "51", "53", "55", "81"))
PERHAPS_LOSSY: Final = frozenset(_JPEG + end for end in ("91", "93", "203"))
_MAX_PIXELS: Final = 1 << 28
# A small file that claims a huge image: more than this, and compressed further than any real one.
_LARGE_BYTES: Final = 1 << 26
_MAX_RATIO: Final = 2000


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
    pixels = facts.rows * facts.columns
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
    return planes.view(f"<u{size}").reshape(facts.rows, facts.columns)


DECODERS: Final[dict[str, Decoder]] = {
    RLE: _rle,
    **{_JPEG + end: _jpeg for end in ("50", "51", "53", "55")},
    **{_JPEG + end: _jpeg_lossless for end in ("57", "70")},
    **{_JPEG + end: _jpeg_ls for end in ("80", "81")},
    **{_JPEG + end: _jpeg_2000 for end in ("90", "91")},
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


def native_frame(file: IO[bytes], size: int, facts: InstanceFacts, out: memoryview) -> None:
    """Read the one uncompressed frame of an instance into `out`, as it is in the file.

    Raises
    ------
    HeaderError
        If the file is too short.
    """
    assert facts.pixels is not None  # noqa: S101  # checked by the scan
    if facts.syntax == DEFLATED:
        data = inflated(file, size)
        part = data[facts.pixels.offset : facts.pixels.offset + len(out)]
        if len(part) < len(out):
            raise HeaderError("the file ends inside its pixel data")
        out[:] = part
        return
    file.seek(facts.pixels.offset)
    done = 0
    while done < len(out):
        count = file.readinto(out[done:])  # type: ignore[attr-defined]  # typeshed's IO lacks it
        if not count:
            raise HeaderError("the file ends inside its pixel data")
        done += count


def encapsulated_frame(file: IO[bytes], size: int, facts: InstanceFacts) -> bytes:
    """The one compressed frame of an instance, its fragments joined."""
    assert facts.pixels is not None  # noqa: S101  # checked by the scan
    parts = []
    for offset, length in fragments(file, size, facts.pixels.offset):
        file.seek(offset)
        parts.append(file.read(length))
    return parts[0] if len(parts) == 1 else b"".join(parts)


def decode_frame(data: bytes, facts: InstanceFacts) -> npt.NDArray[Any]:
    """Decompress a frame to its stored values, `[row, column]`, signed as the header says.

    Raises
    ------
    HeaderError
        If the bytes are damaged or are an image of another size.
    """
    claimed = _claimed_size(data)
    if facts.syntax != RLE and claimed != (facts.rows, facts.columns):
        raise HeaderError("its compressed image is damaged or has another size")
    try:
        array = DECODERS[facts.syntax](data, facts)
    except HeaderError:
        raise
    except Exception as error:  # each codec has its own errors
        raise HeaderError("its compressed image is damaged") from error
    if array.shape != (facts.rows, facts.columns) or array.dtype.kind not in "ui":
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


def which(instances: Sequence[InstanceFacts], bad: Callable[[InstanceFacts], bool]) -> str:
    """The slices that are concerned, for a person: "all slices", "slice 3", "slices 3, 4 …"."""
    hit = [n + 1 for n, facts in enumerate(instances) if bad(facts)]
    if not hit:
        return ""
    if len(hit) == len(instances):
        return "the slices" if len(hit) > 1 else "the slice"
    shown = ", ".join(str(n) for n in hit[:5])
    more = f" and {len(hit) - 5} more" if len(hit) > 5 else ""
    return f"slice {shown}" if len(hit) == 1 else f"slices {shown}{more}"


def no_pixel_data(instances: Sequence[InstanceFacts]) -> Iterator[Problem]:
    """Instances of an image kind without an image."""
    if who := which(instances, lambda facts: facts.pixels is None):
        yield Problem("no-pixel-data", f"there is no pixel data in {who}", blocking=True)


def colour(instances: Sequence[InstanceFacts]) -> Iterator[Problem]:
    """Colours are no measured values."""
    if any(_is_colour(facts) for facts in instances):
        what = "the pixels are colours, not measured values"
        yield Problem("colour", what, "open the series it was made from", blocking=True)


def undecodable(instances: Sequence[InstanceFacts]) -> Iterator[Problem]:
    """A transfer syntax without a decoder, or a pixel layout that makes no sense."""
    known = NATIVE | DECODERS.keys()
    for syntax in sorted({facts.syntax for facts in instances} - known):
        named = UID(syntax).name
        name = named if named != syntax else "a transfer syntax that is not known"
        what = f"the pixels are stored as {name}, which cannot be decoded"
        yield Problem("undecodable", what, "export the series uncompressed", blocking=True)
    if who := which(instances, lambda facts: not _is_sensible(facts)):
        what = f"the header's description of the pixels makes no sense for {who}"
        yield Problem("undecodable", what, blocking=True)


def truncated(instances: Sequence[InstanceFacts]) -> Iterator[Problem]:
    """Fewer bytes than rows and columns need."""
    if who := which(instances, _is_cut):
        what = f"the pixel data of {who} is shorter than the header says"
        yield Problem("truncated", what, "copy the files again from their source", blocking=True)


def lossy_pixels(instances: Sequence[InstanceFacts]) -> Iterator[Problem]:
    """Values that a lossy compression has changed."""
    if who := which(instances, is_lossy):
        yield Problem("lossy-pixels", f"lossy compression has changed the values of {who}")


def varying_rescale(instances: Sequence[InstanceFacts]) -> Iterator[Problem]:
    """Stored values that mean another thing in each slice."""
    pairs = {(facts.slope, facts.intercept) for facts in instances}
    if any(facts.slope == 0 for facts in instances):
        yield Problem("no-rescale", "the rescale slope is 0: values mean nothing", blocking=True)
    elif len(pairs) > 1:
        what = f"slices have {len(pairs)} different rescale slopes or intercepts"
        yield Problem("varying-rescale", what, "each slice is rescaled with its own")


def lookup_table(instances: Sequence[InstanceFacts]) -> Iterator[Problem]:
    """A modality lookup table in place of slope and intercept."""
    if any(facts.has_lookup_table and facts.slope is None for facts in instances):
        what = "values go through a lookup table, which is not applied"
        yield Problem("lookup-table", what, "values are as stored")


PixelCheck = Callable[[Sequence[InstanceFacts]], Iterator[Problem]]

PIXEL_CHECKS: Final[tuple[PixelCheck, ...]] = (
    no_pixel_data,
    colour,
    undecodable,
    truncated,
    lossy_pixels,
    varying_rescale,
    lookup_table,
)


def _is_colour(facts: InstanceFacts) -> bool:
    return facts.samples != 1 or facts.photometric not in {"MONOCHROME1", "MONOCHROME2", ""}


def _is_sensible(facts: InstanceFacts) -> bool:
    pixels = facts.rows * facts.columns
    if facts.pixels is None or _is_colour(facts):
        return True  # said elsewhere
    if not 0 < pixels <= _MAX_PIXELS or facts.bits_allocated not in {8, 16, 32}:
        return False
    return 1 <= facts.bits_stored <= facts.high_bit + 1 <= facts.bits_allocated


def _is_cut(facts: InstanceFacts) -> bool:
    place = facts.pixels
    if place is None or _is_colour(facts):
        return False  # said elsewhere
    if place.length == UNDEFINED:
        absurd = facts.frame_bytes > max(_LARGE_BYTES, _MAX_RATIO * place.stored)
        return not place.whole or is_native(facts) or absurd
    return not place.whole or not is_native(facts) or place.length < facts.frame_bytes
