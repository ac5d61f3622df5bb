"""Malformed headers, read with pydicom's patience, in the same form as all others."""

import logging
import struct
import warnings
from collections.abc import Iterable
from dataclasses import replace
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
    Header,
    HeaderError,
    NotDicom,
    PixelPlace,
    with_fragments,
)
from napari_medlabel.formats.dicom_sequence import Item, items_of

__all__ = ["directory_entries", "read_odd_header"]

_MAX_DEPTH = 32

# Its messages hold values of the header and paths of files, and go to stderr by default.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)


def read_odd_header(file: IO[bytes], size: int, wanted: frozenset[int]) -> Header:
    """The header as pydicom understands it.

    Raises
    ------
    NotDicom
        If nothing in it is DICOM.
    HeaderError
        If pydicom gives up, in whatever way.
    """
    file.seek(0)
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

    Raises
    ------
    HeaderError
        If it cannot be read.
    """
    file.seek(0)
    dataset = _patiently(file, None)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            records = dataset.get("DirectoryRecordSequence") or []
            named = [record.get("ReferencedFileID") for record in records]
    except Exception as error:  # a hostile sequence fails in any way it likes
        raise HeaderError("its directory cannot be read") from error
    return [(name,) if isinstance(name, str) else tuple(name) for name in named if name]


def _patiently(file: IO[bytes], wanted: list[int] | None) -> FileDataset:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it warns of is why it was asked
            return dcmread(file, force=True, stop_before_pixels=True, specific_tags=wanted)
    except InvalidDicomError as error:
        raise NotDicom("not DICOM") from error
    except Exception as error:  # RecursionError, struct.error, NotImplementedError, ...
        raise HeaderError("its header is malformed") from error


def _pixels_at(file: IO[bytes], size: int, *, implicit: bool, little: bool) -> PixelPlace | None:
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
        return with_fragments(file, size, replace(place, whole=True))
    return place
