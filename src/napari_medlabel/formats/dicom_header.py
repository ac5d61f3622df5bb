"""A DICOM file's header: the few elements that matter, and where its pixel data is.

Reads as PS3.5 section 7 and PS3.10 section 7 lay it out: explicit or implicit VR, little or big
endian, deflated. Elements are skipped by their length, and every length is held against the
file's size before a byte is taken. What is malformed goes to pydicom, which forgives more.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import IO, Any, Final, NamedTuple

from napari_medlabel.errors import InputError
from napari_medlabel.formats.dicom_private import settle

__all__ = [
    "BIG_ENDIAN",
    "DEFLATED",
    "EXPLICIT",
    "IMPLICIT",
    "PIXEL_DATA",
    "UNDEFINED",
    "FoundArchive",
    "Header",
    "HeaderError",
    "NotDicom",
    "Oddity",
    "PixelPlace",
    "fragments",
    "inflated",
    "read_header",
    "with_fragments",
]

IMPLICIT: Final = "1.2.840.10008.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
DEFLATED: Final = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"

PIXEL_DATA: Final = 0x7FE00010
UNDEFINED: Final = 0xFFFFFFFF
MAX_INFLATED: Final = 1 << 28
_CHUNK: Final = 1 << 14  # most headers of CT and MR fit
_MAX_VALUE: Final = 1 << 14  # longer values are never wanted
_MAX_ELEMENTS: Final = 200_000
_MAX_DEPTH: Final = 100
_ITEM, _ITEM_END, _SEQUENCE_END = 0xE000, 0xE00D, 0xE0DD

# Whether the length takes four bytes after two unused ones: PS3.5 table 7.1-1.
_LONG: Final = {
    **dict.fromkeys(
        (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"),
        True,
    ),
    **dict.fromkeys(
        (b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN",
         b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US"),
        False,
    ),
}  # fmt: skip


class NotDicom(InputError):
    """The file is something else."""


class FoundArchive(NotDicom):
    """The file is a zip archive."""


class HeaderError(InputError):
    """The file is DICOM, but cannot be read; the text says why."""


class Oddity(HeaderError):
    """A header that needs pydicom's patience."""


class CutOff(Oddity):
    """A header whose last element reaches beyond the end of the file."""


@dataclass(frozen=True, slots=True)
class PixelPlace:
    """Where pixel data is; `length` is `UNDEFINED` for encapsulated frames.

    `offset` counts from the start of the file, or of the inflated data set where deflated.
    """

    offset: int
    length: int
    words: bool = True  # VR OW, not OB: matters for bytes in big-endian files
    whole: bool = True  # False where the file ends before the pixel data does
    stored: int = 0  # bytes in all fragments, where encapsulated


@dataclass(frozen=True, slots=True)
class Header:
    """Raw values of the wanted elements, by tag; a sequence that is there is `b""`.

    `places` are offset and length of the wanted elements that were not collected, as
    `PixelPlace` counts them; `items` are sequences that are read already. `is_cut` where the file
    ends inside.
    """

    syntax: str
    values: dict[int, bytes]
    little: bool
    pixels: PixelPlace | None
    explicit: bool = True
    places: dict[int, tuple[int, int]] = field(default_factory=dict)
    items: dict[int, list[dict[int, Any]]] = field(default_factory=dict)
    is_cut: bool = False


def read_header(file: IO[bytes], size: int, wanted: frozenset[int]) -> Header:
    """The header of an opened file.

    Parameters
    ----------
    file
        Seekable, at its start.
    size
        Of the file, in bytes.
    wanted
        Tags as `0xGGGGEEEE`; group 2 is read anyway.

    Raises
    ------
    NotDicom
        If neither the prefix nor the first element look like DICOM.
    HeaderError
        If deflated data is damaged or absurdly large.
    Oddity
        If the header is malformed, or in a form that is not read here.
    """
    source = _Bytes(file, size)
    start = _start(source)
    meta: dict[int, bytes] = {}
    pos = _walk_meta(source, start, meta)
    syntax = meta.get(0x00020010, b"").rstrip(b"\0 ").decode("latin-1")
    if syntax == DEFLATED:
        data = _inflate(file, pos, size)
        source, pos = _Bytes(BytesIO(data), len(data)), 0
    explicit = _is_explicit(source, pos, syntax)
    values = dict(meta)
    places: dict[int, tuple[int, int]] = {}
    little = syntax != BIG_ENDIAN
    encoding = _Encoding("<" if little else ">", explicit)
    pixels = _walk(source, pos, encoding, wanted, values, places)
    settle(values, places)
    if pixels is not None and pixels.length == UNDEFINED:
        pixels = with_fragments(source.file, source.size, pixels)
    syntax = syntax or (EXPLICIT if explicit else IMPLICIT)
    return Header(syntax, values, little, pixels, explicit, places)


def inflated(file: IO[bytes], size: int) -> bytes:
    """The data set of a deflated file, as it was before.

    Raises
    ------
    HeaderError
        If it is damaged or absurdly large.
    """
    source = _Bytes(file, size)
    return _inflate(file, _walk_meta(source, _start(source), {}), size)


def with_fragments(file: IO[bytes], size: int, pixels: PixelPlace) -> PixelPlace:
    """The place of encapsulated pixel data, its fragments counted and checked."""
    try:
        stored = sum(length for _, length in fragments(file, size, pixels.offset))
    except HeaderError:
        return replace(pixels, whole=False)
    return replace(pixels, stored=stored)


def _inflate(file: IO[bytes], start: int, size: int) -> bytes:
    file.seek(start)
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = unpacker.decompress(file.read(min(size, MAX_INFLATED)), MAX_INFLATED)
    except zlib.error as error:
        raise HeaderError("its deflated part is damaged") from error
    if unpacker.unconsumed_tail:
        raise HeaderError("its deflated part is too large")
    return data


class _Bytes:
    """A window that moves over a file: `buffer` holds what is at `base`."""

    __slots__ = ("base", "buffer", "file", "size")

    def __init__(self, file: IO[bytes], size: int) -> None:
        self.file, self.size, self.base = file, size, 0
        self.buffer = file.read(_CHUNK)

    def move(self, pos: int) -> bytes:
        """Bring `pos` to the start of the window."""
        self.file.seek(pos)
        self.base, self.buffer = pos, self.file.read(4 * _CHUNK)
        return self.buffer

    def at(self, pos: int, count: int) -> bytes:
        """`count` bytes at `pos`; fewer where the file ends."""
        begin = pos - self.base
        if begin < 0 or begin + count > len(self.buffer):
            self.move(pos)
            begin = 0
        return self.buffer[begin : begin + count]


def _start(source: _Bytes) -> int:
    """Where the first element is: after the preamble, or at once where there is none."""
    if source.at(128, 4) == b"DICM":
        return 132
    head = source.at(0, 8)
    if len(head) == 8:
        group, element = struct.unpack_from("<HH", head)
        # Old files begin with the meta or with the identifying group (PS3.6), nothing else.
        if group in (2, 8) and element <= 0x18 and source.size > 64:
            return 0
    if head.startswith(b"PK\3\4"):
        raise FoundArchive("a zip archive")
    raise NotDicom("not DICOM")


def _walk_meta(source: _Bytes, pos: int, values: dict[int, bytes]) -> int:
    """Read group 2, always explicit and little endian; where the data set begins."""
    while True:
        head = source.at(pos, 12)
        if len(head) < 8 or head[:2] != b"\2\0":
            return pos
        (element,) = struct.unpack_from("<H", head, 2)
        is_long = _LONG.get(head[4:6])
        if is_long is None or (is_long and len(head) < 12):
            raise Oddity("its header is malformed")
        length = struct.unpack_from("<I", head, 8)[0] if is_long else head[6] + (head[7] << 8)
        pos += 12 if is_long else 8
        if pos + length > source.size:
            raise CutOff("the file ends inside its header")
        if length <= _MAX_VALUE:
            values[0x00020000 | element] = source.at(pos, length)
        pos += length


def _is_explicit(source: _Bytes, pos: int, syntax: str) -> bool:
    """Whether elements name their VR; the bytes must agree with the transfer syntax."""
    head = source.at(pos, 8)
    seen = head[4:6] in _LONG
    if syntax and len(head) == 8 and seen == (syntax == IMPLICIT):
        raise Oddity("its header is malformed")  # it says one thing and is another
    return seen if not syntax else syntax != IMPLICIT


class _Encoding(NamedTuple):
    """How elements are written: byte order as in `struct`, and whether they name their VR."""

    order: str
    explicit: bool


def _walk(  # noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917  # the hot loop: one pass, no calls
    source: _Bytes,
    pos: int,
    encoding: _Encoding,
    wanted: frozenset[int],
    values: dict[int, bytes],
    places: dict[int, tuple[int, int]],
) -> PixelPlace | None:
    """Collect the wanted elements up to the pixel data; return where that is.

    Sequences of known length are jumped over. In those of undefined length `depth` counts what
    is open, and nothing is collected until all of it is closed again.
    """
    order, explicit = encoding
    two_shorts, one_int, one_short = (
        struct.Struct(order + f).unpack_from for f in ("HH", "I", "H")
    )
    size, base, buffer = source.size, source.base, source.buffer
    held, depth = len(buffer), 0
    for _ in range(_MAX_ELEMENTS):
        at = pos - base
        if at + 12 > held and base + held < size:
            buffer = source.move(pos)
            base, at, held = pos, 0, len(buffer)
        if at + 8 > held:
            if at == held and depth == 0:
                return None  # the end, and no pixel data
            raise CutOff("the file ends inside its header")
        group, element = two_shorts(buffer, at)
        vr = b""
        if group == 0xFFFE:
            if depth == 0:
                raise Oddity("its header is malformed")
            (length,) = one_int(buffer, at + 4)
            pos += 8
            if element == _ITEM:
                if length == UNDEFINED:
                    depth += 1
                else:
                    pos += length
            else:
                depth -= 1
            if pos > size or depth > _MAX_DEPTH:
                raise Oddity("its header is malformed")
            continue
        if explicit:
            vr = buffer[at + 4 : at + 6]
            is_long = _LONG.get(vr)
            if is_long:
                if at + 12 > held:
                    raise Oddity("its header is malformed")
                (length,) = one_int(buffer, at + 8)
                pos += 12
            elif is_long is None:
                raise Oddity("its header is malformed")
            else:
                (length,) = one_short(buffer, at + 6)
                pos += 8
        else:
            (length,) = one_int(buffer, at + 4)
            pos += 8
        tag = group << 16 | element
        if depth == 0 and tag == PIXEL_DATA:
            whole = length == UNDEFINED or pos + length <= size
            return PixelPlace(pos, length, vr != b"OB", whole)
        if length == UNDEFINED:
            if vr == b"UN":
                raise Oddity("its header is malformed")  # implicit VR inside: PS3.5 6.2.2
            if depth == 0 and tag in wanted:
                values[tag] = b""
                places[tag] = (pos, length)
            depth += 1
            continue
        if pos + length > size:
            raise CutOff("the file ends inside its header")
        if depth == 0 and tag in wanted:
            if vr == b"SQ" or length > _MAX_VALUE:
                values[tag] = b""
                places[tag] = (pos, length)
            else:
                begin = pos - base
                if begin + length > held:
                    buffer = source.move(pos)
                    base, begin, held = pos, 0, len(buffer)
                values[tag] = buffer[begin : begin + length]
        pos += length
    raise Oddity("its header is malformed")


def fragments(file: IO[bytes], size: int, offset: int) -> Iterator[tuple[int, int]]:
    """Offset and length of each fragment of encapsulated pixel data at `offset`.

    The first item, the offset table, is left out. Fragments are found by their lengths alone:
    compressed bytes may look like a delimiter.

    Raises
    ------
    HeaderError
        If the file ends inside, or something else than an item is found.
    """
    pos, first = offset, True
    while True:
        file.seek(pos)
        head = file.read(8)
        if len(head) < 8:
            raise HeaderError("the file ends inside its pixel data")
        group, element, length = struct.unpack("<HHI", head)
        pos += 8
        if (group, element) == (0xFFFE, _SEQUENCE_END):
            return
        if (group, element) != (0xFFFE, _ITEM):
            raise HeaderError("its pixel data is not in proper fragments")
        if length > size - pos:
            raise HeaderError("the file ends inside its pixel data")
        if not first:
            yield pos, length
        first = False
        pos += length
