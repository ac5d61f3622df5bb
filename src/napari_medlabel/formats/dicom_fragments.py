"""Which fragments of encapsulated pixel data make up which frame: PS3.5 A.4.

Two tables may say so: the Basic Offset Table, which is the first item, and the Extended Offset
Table (PS3.3 C.7.6.3.1.8), two elements just before the pixel data. Either may be missing, empty or
wrong, so that a table only counts where each of its offsets is the start of an item. Without one,
there is one fragment for each frame, or a frame begins where a codestream does.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise
from typing import IO, Final, NamedTuple

from napari_medlabel.formats.dicom_header import HeaderError, PixelPlace, fragments

__all__ = ["Fragment", "Frames", "frame_table"]

_OFFSETS: Final = 0x7FE00001
_LENGTHS: Final = 0x7FE00002
_TOTAL_LENGTH: Final = 0x7FE00003  # may come between those and the pixel data
_MAX_FRAGMENTS: Final = 1 << 18  # of a file: far more than frames of any scanner
_HEAD: Final = 8  # bytes of an item before its value
_JP2: Final = b"\0\0\0\x0cjP  \r\n\x87\n"
_STARTS: Final = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", _JP2)


class Fragment(NamedTuple):
    """A piece of compressed pixel data: where it is in the file, and its bytes."""

    offset: int
    length: int


Frames = tuple[tuple[Fragment, ...], ...]


def frame_table(file: IO[bytes], size: int, pixels: PixelPlace, count: int) -> Frames:
    """The fragments of each frame of a file.

    Parameters
    ----------
    file, size
        Opened and seekable, and its size in bytes.
    pixels
        Its encapsulated pixel data.
    count
        The number of frames that its header claims.

    Raises
    ------
    HeaderError
        If the fragments are damaged, or nothing tells which frame they belong to.
    """
    found = [Fragment(*one) for one in islice(fragments(file, size, pixels.offset), _MAX_FRAGMENTS)]
    if len(found) == _MAX_FRAGMENTS:
        raise HeaderError("its pixel data is in far too many fragments")
    if count == 1 and found:
        return (tuple(found),)
    if len(found) < count or count < 1:
        raise HeaderError(f"its pixel data has {len(found)} fragments for {count} frames")
    begins = [_begins_codestream(file, fragment) for fragment in found]
    possible = list(_possible(file, pixels, found, begins, count))
    for firsts in possible:
        if all(begins[n] for n in firsts):
            return _joined(found, firsts)
    if possible:  # a frame is damaged, or begins in a way not known here
        return _joined(found, possible[0])
    what = f"nothing tells which of its {len(found)} fragments belong to which of {count} frames"
    raise HeaderError(what, "export the series again, with an offset table or uncompressed")


def _possible(
    file: IO[bytes],
    pixels: PixelPlace,
    found: Sequence[Fragment],
    begins: Sequence[bool],
    count: int,
) -> Iterator[list[int]]:
    """The numbers of the fragments that begin a frame, by all that may tell, best first."""
    numbers = {fragment.offset - _HEAD: n for n, fragment in enumerate(found)}
    start = found[0].offset - _HEAD
    extended = _extended_table(file, pixels.offset, count)
    if extended is not None:
        firsts = _checked([offset + start for offset, _ in extended], numbers)
        lengths = [length for _, length in extended]
        if firsts is not None and _agree(_joined(found, firsts), lengths):
            yield firsts
    basic = _basic_table(file, pixels.offset, count)
    if basic is not None:
        firsts = _checked([offset + start for offset in basic], numbers)
        if firsts is not None:
            yield firsts
    if len(found) == count:
        yield list(range(count))
    firsts = [n for n, is_begin in enumerate(begins) if is_begin]
    if len(firsts) == count and firsts[0] == 0:
        yield firsts


def _checked(starts: Sequence[int], numbers: dict[int, int]) -> list[int] | None:
    """The fragments at these places, or None where one is no item or they are out of order."""
    firsts = [numbers.get(start, -1) for start in starts]
    is_right = firsts[0] == 0 and all(a < b for a, b in pairwise(firsts))
    return firsts if is_right else None


def _agree(frames: Frames, lengths: Iterable[int]) -> bool:
    """Whether each frame is as long as its table says, but for a byte that makes it even."""
    stored = (sum(fragment.length for fragment in frame) for frame in frames)
    return all(0 <= s - length <= 1 for s, length in zip(stored, lengths, strict=True))


def _joined(found: Sequence[Fragment], firsts: Sequence[int]) -> Frames:
    ends = [*firsts[1:], len(found)]
    return tuple(tuple(found[a:b]) for a, b in zip(firsts, ends, strict=True))


def _basic_table(file: IO[bytes], offset: int, count: int) -> tuple[int, ...] | None:
    """The offsets in the first item, or None where it has another number of them."""
    file.seek(offset + 4)
    (length,) = struct.unpack("<I", file.read(4))  # an item: its fragments have been found
    if length != 4 * count:
        return None
    return struct.unpack(f"<{count}I", file.read(length))


def _extended_table(file: IO[bytes], offset: int, count: int) -> list[tuple[int, int]] | None:
    """Offset and length of each frame, from the elements just before the pixel data."""
    size = 8 * count
    begin = max(0, offset - (2 * (12 + size) + 20 + 12))
    file.seek(begin)
    before = file.read(offset - begin)[:-12]  # without the head of the pixel data
    if before[-20:-8] == _element(_TOTAL_LENGTH, b"UV", 8):
        before = before[:-20]
    table = before[-2 * (12 + size) :]
    heads = _element(_OFFSETS, b"OV", size), _element(_LENGTHS, b"OV", size)
    if (table[:12], table[12 + size : 24 + size]) != heads:
        return None
    offsets, lengths = (struct.unpack_from(f"<{count}Q", table, n) for n in (12, 24 + size))
    return list(zip(offsets, lengths, strict=True))


def _element(tag: int, vr: bytes, length: int) -> bytes:
    """The head of an element: explicit VR little endian, as all encapsulated syntaxes are."""
    return struct.pack("<HH2s2xI", tag >> 16, tag & 0xFFFF, vr, length)


def _begins_codestream(file: IO[bytes], fragment: Fragment) -> bool:
    """Whether the fragment begins as a JPEG, a JPEG 2000 or a run-length encoded frame does."""
    file.seek(fragment.offset)
    head = file.read(min(fragment.length, 64))
    return head.startswith(_STARTS) or _is_run_length_header(head)


def _is_run_length_header(head: bytes) -> bool:
    """One to fifteen segments, the first after the header, none before: PS3.5 G.3."""
    if len(head) < 64:
        return False
    count, *starts = struct.unpack("<16I", head)
    if not 1 <= count <= 15 or starts[0] != 64 or any(starts[count:]):
        return False
    return all(a < b for a, b in pairwise(starts[:count]))
