"""DICOM segmentations: their segments and frames, from the header alone.

Segmentation and Label Map Segmentation Storage, PS3.3 A.51 and A.101 with C.8.20. A frame holds
one segment in one plane (BINARY, FRACTIONAL), or all of a plane's (LABELMAP). Frames without any
voxel of a segment may be left out, so that only positions say where a frame belongs.
"""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Final, Literal

import numpy as np

from napari_medlabel.core.problem import Problem
from napari_medlabel.errors import InputError
from napari_medlabel.files import shown
from napari_medlabel.formats.dicom_elements import Values
from napari_medlabel.formats.dicom_files import Opener, Place
from napari_medlabel.formats.dicom_geometry import normal_of
from napari_medlabel.formats.dicom_header import (
    BIG_ENDIAN,
    UNDEFINED,
    Header,
)
from napari_medlabel.formats.dicom_instance import InstanceFacts, facts_of
from napari_medlabel.formats.dicom_odd import read_any_header
from napari_medlabel.formats.dicom_pixels import ALWAYS_LOSSY, DECODERS, is_native
from napari_medlabel.formats.dicom_segments import SEGMENT_TAGS, Segment, segments_of
from napari_medlabel.formats.dicom_sequence import Item, bytes_at, items_at
from napari_medlabel.formats.dicom_tags import WANTED, Tag

__all__ = ["SEGMENTATIONS", "DicomSeg", "SegFrame", "read_seg", "seg_of"]

SEGMENTATIONS: Final = frozenset({"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"})
Encoding = Literal["BINARY", "FRACTIONAL", "LABELMAP"]

_SEGMENTS, _ENCODING, _FRACTIONAL, _MOST = 0x00620002, 0x00620001, 0x00620010, 0x0062000E
_SEGMENT_OF_FRAME, _SEGMENT = 0x0062000A, 0x0062000B
_POSITIONS, _ORIENTATIONS, _MEASURES = 0x00209113, 0x00209116, 0x00289110
_DERIVATION, _SOURCES, _UID, _FRAMES = 0x00089124, 0x00082112, 0x00081155, 0x00081160
_SERIES, _INSTANCES = 0x00081115, 0x0008114A
_PALETTES: Final = ((0x00281101, 0x00281201), (0x00281102, 0x00281202), (0x00281103, 0x00281203))
_TOP: Final = frozenset(
    {
        _SEGMENTS,
        _ENCODING,
        _FRACTIONAL,
        _MOST,
        _SERIES,
        *(tag for pair in _PALETTES for tag in pair),
    }
)
_GROUPS: Final = frozenset({
    _SEGMENT_OF_FRAME, _SEGMENT, _POSITIONS, _ORIENTATIONS, _MEASURES, _DERIVATION, _SOURCES, _UID,
    _FRAMES, Tag.POSITION, Tag.ORIENTATION, Tag.PIXEL_SPACING, Tag.SLICE_THICKNESS,
    Tag.SPACING_BETWEEN_SLICES,
})  # fmt: skip
_BITS: Final = {"BINARY": (1,), "FRACTIONAL": (8,), "LABELMAP": (8, 16)}
_MAX_FRAMES: Final = 1 << 20
_MOST_COMPRESSED: Final = 1 << 26  # voxels of a frame, since a few bytes may claim any number


@dataclass(frozen=True, slots=True)
class SegFrame:
    """One frame of a segmentation: which segment it holds (0 for all), and where it lies.

    `position` is the centre of its first voxel, `orientation` the directions from column to
    column and from row to row, both LPS; `pixel_mm` from row to row and from column to column.
    """

    number: int
    segment: int
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    pixel_mm: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class DicomSeg:
    """A DICOM segmentation, its pixels not read yet.

    Parameters
    ----------
    facts
        Of its file.
    encoding
        "BINARY", "FRACTIONAL" or "LABELMAP".
    segments
        In the order of the file.
    frames
        In the order of the file.
    background
        Values of a label map that are no segment.
    threshold
        A fractional value from here on is in the segment: half of the largest, rounded up.
    between_mm, thickness_mm
        What it says of the distance between slices and of their thickness.
    referenced
        UIDs of the instances that it was made on; they identify.
    problems
        What a person must know of it.
    """

    facts: InstanceFacts
    encoding: Encoding
    segments: tuple[Segment, ...]
    frames: tuple[SegFrame, ...]
    background: frozenset[int]
    threshold: int = 1
    between_mm: float | None = None
    thickness_mm: float | None = None
    referenced: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()

    @property
    def numbers(self) -> tuple[int, ...]:
        """The segments' numbers, in the order of the file."""
        return tuple(segment.number for segment in self.segments)


def read_seg(path: str | Path) -> DicomSeg:
    """The segments and frames of a DICOM segmentation in a file of its own.

    Raises
    ------
    InputError
        If it is none, is damaged, or contradicts itself.
    """
    place = Place(str(path))
    with Opener() as opener:
        try:
            return seg_of(place, opener)
        except InputError as error:
            what = f"{shown(Path(path))} cannot be used: {error.what}"
            raise InputError(what, error.hint) from error


def seg_of(place: Place, opener: Opener) -> DicomSeg:
    """As `read_seg`, of a file or a member of an archive.

    Raises
    ------
    InputError
        As there; without the file's name.
    """
    try:
        file, size = opener.open(place)
        with file:
            header = read_any_header(file, size, WANTED | _TOP)
            facts = facts_of(header, place)
            if facts.sop_class not in SEGMENTATIONS:
                raise InputError("it is no DICOM segmentation")
            return _Reader(file, size, header, facts).seg()
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        raise InputError("it cannot be read", "look whether the file is still there") from error


class _Reader:
    """Reads one opened segmentation."""

    def __init__(self, file: IO[bytes], size: int, header: Header, facts: InstanceFacts) -> None:
        self._file, self._size, self._header, self._facts = file, size, header, facts
        self._its = Values(header.values, "little")

    def seg(self) -> DicomSeg:
        """The segmentation."""
        facts, encoding = self._facts, self._encoding()
        if facts.syntax == BIG_ENDIAN:
            raise InputError("it is in a big-endian transfer syntax", "convert it to little endian")
        facts = replace(facts, signed=False)
        _check_pixels(facts, encoding)
        segments, background = segments_of(
            self._items(_SEGMENTS, SEGMENT_TAGS), self._header.values.get(Tag.CHARACTER_SET, b""),
            self._palette() if encoding == "LABELMAP" else {},
        )  # fmt: skip
        if not segments:
            raise InputError("it describes no segment")
        shared = _flat(self._items(Tag.SHARED_GROUPS, _GROUPS)[:1])
        groups = self._items(Tag.FRAME_GROUPS, _GROUPS)
        if len(groups) != facts.frames:
            raise InputError(
                f"it has {facts.frames} frames and describes {len(groups)}",
                "tiles of slides are not opened" if not groups else "",
            )
        known = frozenset(segment.number for segment in segments)
        frames = tuple(_frames(groups, shared, encoding, known))
        measures = Values(_raws(shared), "little")
        threshold, problems = self._threshold(encoding)
        return DicomSeg(
            facts, encoding, segments, frames, background | set(facts.padding[:1]), threshold,
            measures.number(Tag.SPACING_BETWEEN_SLICES), measures.number(Tag.SLICE_THICKNESS),
            self._referenced(groups), problems,
        )  # fmt: skip

    def _items(self, tag: int, wanted: frozenset[int]) -> list[Item]:
        return items_at(self._file, self._size, self._header, tag, wanted)

    def _encoding(self) -> Encoding:
        word = self._its.text(_ENCODING)
        for known in _BITS:
            if word == known:
                return known  # type: ignore[return-value]  # a key of _BITS
        raise InputError("it does not say how its segments are stored")

    def _threshold(self, encoding: Encoding) -> tuple[int, tuple[Problem, ...]]:
        if encoding != "FRACTIONAL":
            return 1, ()
        most = self._its.whole(_MOST)
        if not 1 <= most <= 255:
            raise InputError("its largest fractional value makes no sense")
        kind = self._its.text(_FRACTIONAL)
        word = {"PROBABILITY": "probabilities", "OCCUPANCY": "shares of voxels"}.get(kind, "shares")
        what = f"it holds {word}; voxels of at least half the largest value are in the segment"
        return -(-most // 2), (Problem("fractional-values", what),)

    def _referenced(self, groups: Sequence[Item]) -> frozenset[str]:
        """Instances named for the series as a whole, and for each frame."""
        found = {
            _uid(instance)
            for series in self._items(_SERIES, frozenset({_INSTANCES, _UID}))
            for instance in _list(series, _INSTANCES)
        }
        for group in groups:
            for derivation in _list(group, _DERIVATION):
                found.update(_uid(source) for source in _list(derivation, _SOURCES))
        return frozenset(found - {""})

    def _palette(self) -> dict[int, str]:
        """Colours of label values, where the label map is a palette colour image."""
        if self._facts.photometric != "PALETTE COLOR":
            return {}
        channels = [self._channel(*tags) for tags in _PALETTES]
        firsts = {first for first, _ in channels}
        count = min(len(values) for _, values in channels)
        if len(firsts) != 1:
            return {}
        rgb = np.stack([values[:count] for _, values in channels], axis=1)
        first = firsts.pop()
        return {first + n: "#{:02X}{:02X}{:02X}".format(*row) for n, row in enumerate(rgb.tolist())}

    def _channel(self, descriptor: int, data: int) -> tuple[int, Any]:
        """The first value that is mapped, and what it and those after it become, from 0 to 255."""
        described = self._header.values.get(descriptor, b"")
        if len(described) != 6:
            return 0, np.zeros(0, np.uint8)
        words = np.frombuffer(described, "<u2")
        raw = bytes_at(self._file, self._size, self._header, data)
        count = int(words[0]) or 1 << 16  # PS3.3 C.7.6.3.1.5
        if words[2] == 16 or len(raw) >= 2 * count:
            values = np.frombuffer(raw[: len(raw) // 2 * 2], "<u2")[:count]
            return int(words[1]), (values >> 8) if words[2] == 16 else values & 0xFF
        return int(words[1]), np.frombuffer(raw, np.uint8)[:count]


def _check_pixels(facts: InstanceFacts, encoding: Encoding) -> None:
    """Pass where the pixel data can be what the header says it is, by the bytes that are there."""
    if facts.pixels is None:
        raise InputError("it holds no pixels")
    if not facts.pixels.whole:
        raise InputError("the file ends inside its pixel data")
    if facts.rows < 1 or facts.columns < 1 or not 1 <= facts.frames <= _MAX_FRAMES:
        raise InputError("its number of rows, columns or frames makes no sense")
    if facts.bits_allocated not in _BITS[encoding] or facts.samples != 1:
        raise InputError(f"a {encoding} segmentation of {facts.bits_allocated} bits is not known")
    if is_native(facts):
        bits = facts.frames * facts.rows * facts.columns * facts.bits_allocated
        if facts.pixels.length == UNDEFINED or facts.pixels.length * 8 < bits:
            raise InputError(
                f"it claims {facts.frames} frames of {facts.rows} x {facts.columns} voxels, "
                f"and its pixel data is too short for that"
            )
    elif facts.syntax not in DECODERS:
        raise InputError("its pixels are compressed in a way that is not read")
    elif facts.rows * facts.columns > _MOST_COMPRESSED:
        raise InputError("its frames are absurdly large")
    elif facts.syntax in ALWAYS_LOSSY and encoding != "FRACTIONAL":
        # LossyImageCompression is no help: it tells of the source's pixels as well.
        raise InputError("its segments have been through a lossy compression")


def _frames(
    groups: Sequence[Item], shared: Item, encoding: Encoding, known: frozenset[int]
) -> Iterator[SegFrame]:
    for number, group in enumerate(groups):
        its = Values(_raws({**shared, **_flat([group])}), "little")
        segment = 0
        if encoding != "LABELMAP":
            segment = its.whole(_SEGMENT)
            if segment not in known:
                raise InputError(f"frame {number + 1} holds a segment that is not described")
        position, orientation, pixel_mm = its.position(), its.orientation(), its.pixel_spacing()
        if position is None or orientation is None or not _is_right_angled(orientation):
            raise InputError(
                f"frame {number + 1} does not say where in the body it is",
                "segmentations of slides and of pictures without a position are not opened",
            )
        if pixel_mm is None:
            raise InputError(f"frame {number + 1} has no pixel spacing")
        yield SegFrame(number, segment, position, orientation, pixel_mm)


@lru_cache(maxsize=16)
def _is_right_angled(orientation: tuple[float, ...]) -> bool:
    return normal_of(orientation) is not None


def _flat(items: Sequence[Item]) -> Item:
    """The elements of all functional groups of one frame; not what it was derived from."""
    flat: Item = {}
    for item in items:
        for tag, value in item.items():
            if not isinstance(value, list):
                flat[tag] = value
            elif tag != _DERIVATION:
                flat.update(_flat(value[:1]))
    return flat


def _raws(item: Item) -> dict[int, bytes]:
    return {tag: value for tag, value in item.items() if isinstance(value, bytes)}


def _list(item: Item, tag: int) -> Sequence[Item]:
    value = item.get(tag)
    return value if isinstance(value, list) else ()


def _uid(item: Item) -> str:
    raw = item.get(_UID)
    return raw.decode("latin-1").strip(" \0") if isinstance(raw, bytes) else ""
