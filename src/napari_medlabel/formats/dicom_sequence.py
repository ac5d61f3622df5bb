"""The items of a DICOM sequence: those elements that are wanted, at any depth.

PS3.5 section 7.5. The bytes are in memory, and nothing is taken from outside them.
"""

import struct
from typing import IO, Any, Final

from napari_medlabel.formats.dicom_header import (
    DEFLATED,
    UNDEFINED,
    Header,
    HeaderError,
    inflated,
)

__all__ = ["Item", "bytes_at", "items_at", "items_of"]

Item = dict[int, Any]  # bytes of an element, or the list of items of a sequence

MAX_BYTES: Final = 1 << 28
_MAX_DEPTH: Final = 32
_MAX_VALUE: Final = 1 << 14
_LONG: Final = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD


def items_at(
    file: IO[bytes], size: int, header: Header, tag: int, wanted: frozenset[int]
) -> list[Item]:
    """The items of a sequence of a file's data set; none where it is not there.

    Parameters
    ----------
    file, size
        As for `read_header`.
    header
        What that read; the sequence was among its wanted tags.
    tag
        Of the sequence.
    wanted
        Elements to collect, and sequences to look into.

    Raises
    ------
    HeaderError
        If it is damaged, or nested absurdly deep.
    """
    if tag in header.items:
        return header.items[tag]
    value = bytes_at(file, size, header, tag)
    if not value:
        return []
    undefined = header.places.get(tag, (0, 0))[1] == UNDEFINED
    return items_of(
        value, wanted, little=header.little, explicit=header.explicit, undefined=undefined
    )


def bytes_at(file: IO[bytes], size: int, header: Header, tag: int) -> bytes:
    """An element's bytes, however long; of a sequence of undefined length all that follows it."""
    short = header.values.get(tag)
    if short or tag not in header.places:
        return short or b""
    offset, length = header.places[tag]
    if length == UNDEFINED:
        length = (header.pixels.offset if header.pixels else size) - offset
    length = min(length, MAX_BYTES)
    if header.syntax == DEFLATED:
        return inflated(file, size)[offset : offset + length]
    file.seek(offset)
    return file.read(max(length, 0))


def items_of(
    data: bytes,
    wanted: frozenset[int] | None,
    *,
    little: bool = True,
    explicit: bool = True,
    undefined: bool = False,
) -> list[Item]:
    """The items of a sequence's value.

    Parameters
    ----------
    data
        The value; what follows it may be there too if `undefined`.
    wanted
        Elements to collect, and sequences to look into; None for all.
    little, explicit
        How elements are written.
    undefined
        Whether a delimiter ends it, not the end of the data.

    Raises
    ------
    HeaderError
        If it is damaged, or nested absurdly deep.
    """
    parser = _Parser(data, wanted, little=little, explicit=explicit)
    try:
        items, _ = parser.sequence(0, UNDEFINED if undefined else len(data), 0)
    except (struct.error, IndexError) as error:
        raise HeaderError("a sequence in its header is damaged") from error
    return items


class _Parser:
    """Reads sequences and items from bytes."""

    def __init__(
        self, data: bytes, wanted: frozenset[int] | None, *, little: bool, explicit: bool
    ) -> None:
        self._data, self._wanted = data, wanted
        self._little, self._explicit = little, explicit
        order = "<" if little else ">"
        self._head = struct.Struct(order + "HHI").unpack_from
        self._short = struct.Struct(order + "H").unpack_from
        self._int = struct.Struct(order + "I").unpack_from

    def sequence(self, pos: int, length: int, depth: int) -> tuple[list[Item], int]:
        """The items from `pos` on, and where they end."""
        if depth > _MAX_DEPTH:
            raise HeaderError("sequences in its header are nested too deep")
        end = self._end(pos, length)
        items: list[Item] = []
        while pos < end:
            group, element, size = self._head(self._data, pos)
            tag = group << 16 | element
            pos += 8
            if tag == _SEQUENCE_END:
                return items, pos
            if tag != _ITEM:
                raise HeaderError("a sequence in its header is damaged")
            item, pos = self._item(pos, size, depth)
            items.append(item)
        if length == UNDEFINED:
            raise HeaderError("a sequence in its header does not end")
        return items, end

    def _item(self, pos: int, length: int, depth: int) -> tuple[Item, int]:
        end = self._end(pos, length)
        item: Item = {}
        while pos < end:
            group, element, size = self._head(self._data, pos)
            tag = group << 16 | element
            if tag == _ITEM_END:
                return item, pos + 8
            vr = b""
            pos += 8
            if self._explicit and group != 0xFFFE:
                vr = self._data[pos - 4 : pos - 2]
                if vr in _LONG:
                    (size,) = self._int(self._data, pos)
                    pos += 4
                else:
                    (size,) = self._short(self._data, pos - 2)
            pos = self._element(item, tag, vr, pos, size, depth)
        if length == UNDEFINED:
            raise HeaderError("an item of a sequence in its header does not end")
        return item, end

    def _element(  # noqa: PLR0913, PLR0917  # an element's head, and where it goes
        self, item: Item, tag: int, vr: bytes, pos: int, size: int, depth: int
    ) -> int:
        """Collect an element or pass over it; where the next one is."""
        is_wanted = self._wanted is None or tag in self._wanted
        if size == UNDEFINED:
            # Such a value of VR UN is written in implicit VR, little endian: PS3.5 6.2.2.
            parser = self if vr != b"UN" else self._implicit()
            items, after = parser.sequence(pos, size, depth + 1)
            if is_wanted:
                item[tag] = items
            return after
        after = self._end(pos, size)
        if is_wanted and size:
            if vr == b"SQ" or (vr in {b"", b"UN"} and self._is_sequence(pos, size)):
                parser = self if vr != b"UN" else self._implicit()
                item[tag], _ = parser.sequence(pos, size, depth + 1)
            elif size <= _MAX_VALUE:
                item[tag] = self._data[pos:after]
        return after

    def _is_sequence(self, pos: int, size: int) -> bool:
        """True where a value of no known kind begins as a sequence does."""
        if size < 8:
            return False
        group, element, length = self._head(self._data, pos)
        return bool(group << 16 | element == _ITEM) and bool(
            length == UNDEFINED or length <= size - 8
        )

    def _implicit(self) -> "_Parser":
        return _Parser(self._data, self._wanted, little=True, explicit=False)

    def _end(self, pos: int, length: int) -> int:
        if length == UNDEFINED:
            return len(self._data)
        if length > len(self._data) - pos:
            raise HeaderError("a sequence in its header is cut off")
        return pos + length
