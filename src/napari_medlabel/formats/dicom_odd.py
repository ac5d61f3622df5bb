"""Malformed headers, read with pydicom's patience, in the same form as all others."""

import logging
import struct
import warnings
from collections.abc import Iterable
from dataclasses import replace
from io import SEEK_END
from typing import IO, Any

from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.errors import InvalidDicomError

from napari_medlabel.formats.dicom_header import (
    EXPLICIT,
    IMPLICIT,
    PIXEL_DATA,
    UNDEFINED,
    CutOff,
    Header,
    HeaderError,
    NotDicom,
    Oddity,
    PixelPlace,
    read_header,
    with_fragments,
)
from napari_medlabel.formats.dicom_private import settle
from napari_medlabel.formats.dicom_sequence import Item, items_of

__all__ = ["Bounded", "directory_entries", "read_any_header", "read_odd_header"]

_MAX_DEPTH = 32

# Its messages hold values of the header and paths of files, and go to stderr by default.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)


def read_any_header(file: IO[bytes], size: int, wanted: frozenset[int]) -> Header:
    """The header of an opened file: quickly, or where it is malformed as pydicom understands it.

    Raises
    ------
    NotDicom, HeaderError
        As `read_header` and `read_odd_header`.
    """
    try:
        return read_header(file, size, wanted)
    except Oddity as odd:
        header = read_odd_header(file, size, wanted)
        return replace(header, is_cut=isinstance(odd, CutOff))


def read_odd_header(file: IO[bytes], size: int, wanted: frozenset[int]) -> Header:
    """The header as pydicom understands it.

    Raises
    ------
    NotDicom
        If nothing in it is DICOM.
    HeaderError
        If pydicom gives up, in whatever way.
    """
    bounded = Bounded(file, size)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it warns of is why it was asked
            return _understood(bounded, size, wanted)
    except (NotDicom, HeaderError):
        raise
    except InvalidDicomError as error:
        raise NotDicom("not DICOM") from error
    except Exception as error:  # RecursionError, struct.error, NotImplementedError, ...
        raise HeaderError("its header is malformed") from error


def _understood(file: "Bounded", size: int, wanted: frozenset[int]) -> Header:
    dataset = _patiently(file, list(wanted))
    values: dict[int, bytes] = {}
    sequences: dict[int, list[Item]] = {}
    implicit, little = dataset.original_encoding
    for elements in (dataset.file_meta, dataset):
        for tag, element in _raw(elements):
            if isinstance(element, RawDataElement):
                values[tag] = element.value or b""
            elif element.VR == "SQ":
                values[tag] = b""
                sequences[tag] = _items(element.value, implicit=bool(implicit))
    if len(values) < 2:
        raise NotDicom("not DICOM")
    settle(values, sequences)
    syntax = str(dataset.file_meta.get("TransferSyntaxUID", "") or "")
    if not syntax:
        syntax = IMPLICIT if implicit else EXPLICIT
    pixels = _pixels_at(file, size, implicit=bool(implicit), little=little is not False)
    return Header(
        syntax, values, little is not False, pixels, explicit=not implicit, items=sequences
    )


def _raw(dataset: Dataset) -> Iterable[tuple[int, Any]]:
    """The elements as they were read; a Dataset itself iterates over converted ones."""
    return [(int(tag), dataset.get_item(tag)) for tag in dataset.keys()]  # noqa: SIM118


def _items(sequence: Iterable[Dataset], *, implicit: bool, depth: int = 0) -> list[Item]:
    """A sequence that pydicom has read, as `items_of` would have."""
    items: list[Item] = []
    for dataset in sequence if depth < _MAX_DEPTH else ():
        item: Item = {}
        little = dataset.is_little_endian is not False
        for tag, element in _raw(dataset):
            if not isinstance(element, RawDataElement):
                if element.VR == "SQ":
                    item[tag] = _items(element.value, implicit=implicit, depth=depth + 1)
            elif element.VR == "SQ" and element.value:
                item[tag] = items_of(element.value, None, little=little, explicit=not implicit)
            else:
                item[tag] = element.value or b""
        items.append(item)
    return items


def directory_entries(file: IO[bytes]) -> list[tuple[str, ...]]:
    """The files that a DICOMDIR names, each as its path's components.

    All of its records are looked at in the order of the file; the offsets by which they point at
    each other, in a circle perhaps, are not followed.

    Raises
    ------
    HeaderError
        If it cannot be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = _patiently(Bounded(file, file.seek(0, SEEK_END)), None)
            records = dataset.get("DirectoryRecordSequence") or []
            named = [record.get("ReferencedFileID") for record in records]
            return [
                (name,) if isinstance(name, str) else tuple(map(str, name))
                for name in named
                if name
            ]
    except Exception as error:  # a hostile sequence fails in any way it likes
        raise HeaderError("its directory cannot be read") from error


class Bounded:
    """A file of which no more is asked for than there is.

    What is read is allocated first, and pydicom asks for whatever length an element claims.
    """

    def __init__(self, file: IO[bytes], size: int) -> None:
        file.seek(0)
        self.file, self._size = file, size

    def read(self, count: int = -1) -> bytes:
        """The next bytes."""
        left = max(0, self._size - self.file.tell())
        return self.file.read(left if count < 0 else min(count, left))

    def tell(self) -> int:
        """The place in the file."""
        return self.file.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place."""
        return self.file.seek(offset, whence)


def _patiently(file: Bounded, wanted: list[int] | None) -> FileDataset:
    # it asks for a BinaryIO and calls what Bounded has
    return dcmread(file, force=True, stop_before_pixels=True, specific_tags=wanted)


def _pixels_at(file: Bounded, size: int, *, implicit: bool, little: bool) -> PixelPlace | None:
    """Where pixel data is; pydicom stops in front of it."""
    order = "<" if little else ">"
    start = file.tell()
    head = file.read(12)
    if len(head) < 8 or struct.unpack_from(order + "HH", head) != divmod(PIXEL_DATA, 1 << 16):
        return None
    if implicit or head[4:6] not in {b"OB", b"OW"}:
        (length,) = struct.unpack_from(order + "I", head, 4)
        offset = start + 8
    else:
        (length,) = struct.unpack_from(order + "I", head, 8)
        offset = start + 12
    place = PixelPlace(offset, length, head[4:6] != b"OB", offset + length <= size)
    if length == UNDEFINED:
        return with_fragments(file.file, size, replace(place, whole=True))
    return place
