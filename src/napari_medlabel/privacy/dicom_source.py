"""A DICOM file as it is to be de-identified: raw elements, and where its pixel data is.

Read with pydicom's patience, value by value untouched: what the elements hold is decided elsewhere.
Pixel data is not read here.
"""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import IO, Any, Final

from pydicom.charset import convert_encodings
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import _read_file_meta_info, read_dataset, read_partial
from pydicom.values import convert_SQ

from napari_medlabel.errors import InputError, MedlabelError
from napari_medlabel.formats.dicom_header import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    UNDEFINED,
    fragments,
    inflated,
)
from napari_medlabel.formats.dicom_odd import Bounded

__all__ = ["Element", "Encoding", "Item", "Pixels", "Source", "read_source", "uid_text"]

_PIXELS: Final = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_MOST_DEPTH: Final = 64
_LONG: Final = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SV", b"UN", b"UV"})


@dataclass(frozen=True, slots=True)
class Encoding:
    """How elements are written."""

    explicit: bool = True
    little: bool = True

    @property
    def order(self) -> str:
        """As `struct` has it."""
        return "<" if self.little else ">"


@dataclass(frozen=True, slots=True)
class Element:
    """One element as it is in the file: bytes, or the items of a sequence.

    `vr` is what the file says, or "" where it says none. `items` is None where it is no sequence,
    or one that cannot be read.
    """

    tag: int
    vr: str
    value: bytes
    items: "tuple[Item, ...] | None" = None


@dataclass(frozen=True, slots=True)
class Item:
    """Elements of a data set or of a sequence's item, and the character sets of their text."""

    elements: tuple[Element, ...]
    encodings: tuple[str, ...]

    def get(self, tag: int) -> bytes:
        """The value of an element, empty where there is none."""
        return next((one.value for one in self.elements if one.tag == tag), b"")


@dataclass(frozen=True, slots=True)
class Pixels:
    """Where pixel data is, counted from the start of `Source.file`; bytes without its header."""

    tag: int
    vr: str
    start: int
    length: int
    encapsulated: bool


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A DICOM file, opened; `file` holds the pixel data, the inflated data set where deflated."""

    file: IO[bytes]
    size: int
    meta: Item
    dataset: Item
    syntax: str
    encoding: Encoding
    pixels: Pixels | None


def read_source(file: IO[bytes], size: int) -> Source:
    """The elements of an opened file.

    Raises
    ------
    InputError
        If it is no DICOM, or so broken that it cannot be read.
    """
    try:
        with _patience():
            return _read(file, size)
    except MedlabelError:
        raise
    except Exception as error:  # pydicom fails in any way it likes
        raise InputError("it is not DICOM, or it is damaged") from error


def uid_text(value: bytes) -> str:
    """The text of a UI value."""
    return value.rstrip(b"\0 ").decode("latin-1").strip()


@contextmanager
def _patience() -> Iterator[None]:
    """Without pydicom's warnings, which hold values of the header."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _read(file: IO[bytes], size: int) -> Source:
    bounded: Any = file if isinstance(file, BytesIO) else Bounded(file, size)
    head = file.read(132)
    file.seek(132 if head[128:] == b"DICM" else 0)
    meta = _item(_read_file_meta_info(bounded), Encoding(), ("iso8859",), 0)
    syntax = uid_text(meta.get(0x00020010))
    file.seek(0)
    if syntax == DEFLATED:  # not left to pydicom, which would inflate it however large it gets
        data = inflated(file, size)
        file, size = BytesIO(data), len(data)
        dataset = read_dataset(file, False, True, stop_when=_at_pixels)  # noqa: FBT003
        encoding, syntax = Encoding(), EXPLICIT
    else:
        dataset = read_partial(bounded, stop_when=_at_pixels, force=True)
        implicit, little = dataset.original_encoding
        encoding = Encoding(not implicit, little is not False)
    if not syntax or (syntax == IMPLICIT) == encoding.explicit:
        plain = EXPLICIT if encoding.explicit else IMPLICIT
        syntax = plain if encoding.little else BIG_ENDIAN
    found = _item(dataset, encoding, ("iso8859",), 0)
    if len(found.elements) < 2 or (head[128:] != b"DICM" and not _looks_right(found)):
        raise ValueError("no data set")
    return Source(file, size, meta, found, syntax, encoding, _pixels_at(file, size, encoding))


def _at_pixels(tag: Any, _vr: str | None, _length: int) -> bool:  # noqa: ANN401  # pydicom's
    return int(tag) in _PIXELS


def _looks_right(found: Item) -> bool:
    """Whether a file without the prefix is DICOM all the same."""
    tags = [one.tag for one in found.elements]
    known = sum(dictionary_has_tag(tag) for tag in tags)
    return tags == sorted(tags) and known * 2 > len(tags) and tags[0] >> 16 in {2, 8}


def _item(dataset: Dataset, encoding: Encoding, inherited: tuple[str, ...], depth: int) -> Item:
    """The elements of a data set, sequences included, in the order of their tags."""
    raw = [(int(tag), dataset.get_item(tag)) for tag in dataset.keys()]  # noqa: SIM118
    own = next((one.value for tag, one in raw if tag == 0x00080005), None)
    encodings = _encodings(own) if own else inherited
    elements = [
        _element(tag, one, encoding, encodings, depth) for tag, one in sorted(raw, key=_first)
    ]
    return Item(tuple(elements), encodings)


def _first(pair: tuple[int, Any]) -> int:
    return pair[0]


def _encodings(value: Any) -> tuple[str, ...]:  # noqa: ANN401  # bytes, or what pydicom made
    text = value.decode("latin-1") if isinstance(value, bytes) else "\\".join(_listed(value))
    names = [name.strip("\0 ") for name in text.split("\\")]
    try:
        return tuple(convert_encodings(names))
    except (LookupError, ValueError, TypeError):
        return ("iso8859",)


def _listed(value: Any) -> list[str]:  # noqa: ANN401
    return [value] if isinstance(value, str) else [str(one) for one in value]


def _element(
    tag: int, one: Any, encoding: Encoding, encodings: tuple[str, ...], depth: int  # noqa: ANN401
) -> Element:  # fmt: skip
    if not isinstance(one, RawDataElement):  # a sequence of undefined length, or a group's length
        if one.VR != "SQ":
            return Element(tag, str(one.VR), b"")
        return Element(tag, "SQ", b"", _items(one.value, encoding, encodings, depth))
    vr, value = one.VR or "", one.value if isinstance(one.value, bytes) else b""
    if vr == "SQ" or (vr in {"", "UN"} and _is_sequence(tag)):
        return Element(tag, "SQ", value, _parsed(value, vr, encoding, encodings, depth))
    return Element(tag, vr, value)


def _is_sequence(tag: int) -> bool:
    return not tag >> 16 & 1 and dictionary_has_tag(tag) and dictionary_VR(tag) == "SQ"


def _parsed(
    value: bytes, vr: str, encoding: Encoding, encodings: tuple[str, ...], depth: int
) -> tuple[Item, ...] | None:
    """The items of a sequence whose bytes these are; None where they are none."""
    implicit, little = not encoding.explicit, encoding.little
    if vr == "UN":  # PS3.5 section 6.2.2: implicit and little endian inside, whatever is outside
        implicit, little = True, True
    try:
        sequence = convert_SQ(value, implicit, little, list(encodings))
    except Exception:  # noqa: BLE001  # as above
        return None
    return _items(sequence, Encoding(not implicit, little), encodings, depth)


def _items(
    sequence: Any, encoding: Encoding, encodings: tuple[str, ...], depth: int  # noqa: ANN401
) -> tuple[Item, ...] | None:  # fmt: skip
    if depth >= _MOST_DEPTH:
        return None
    return tuple(_item(one, encoding, encodings, depth + 1) for one in sequence)


def _pixels_at(file: IO[bytes], size: int, encoding: Encoding) -> Pixels | None:
    """Where the pixel data is that reading stopped in front of."""
    start = file.tell()
    head = file.read(12)
    if len(head) < 8:
        return None
    group, element = struct.unpack_from(encoding.order + "HH", head)
    tag = group << 16 | element
    if tag not in _PIXELS:
        return None
    vr = head[4:6] if encoding.explicit else b""
    if vr in _LONG and len(head) == 12:
        (length,) = struct.unpack_from(encoding.order + "I", head, 8)
        start += 12
    else:
        (length,) = struct.unpack_from(encoding.order + "I", head, 4)
        start, vr = start + 8, b""
    name = vr.decode("ascii") or {0x7FE00008: "OF", 0x7FE00009: "OD"}.get(tag, "OW")
    if length != UNDEFINED:
        return Pixels(tag, name, start, min(length, size - start), encapsulated=False)
    end = start
    for at, count in fragments(file, size, start):
        end = at + count
    file.seek(start)
    if end == start:  # only the offset table
        (_, table) = struct.unpack("<II", file.read(8))
        end = start + 8 + table
    return Pixels(tag, name, start, end - start, encapsulated=True)
