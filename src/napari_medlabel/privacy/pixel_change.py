"""What changes in the pixels of one file, and its pixel data with that done.

Frames that are stored as they are stay in their bytes and their order; those that are compressed
are decoded, and the file becomes an uncompressed one.
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.errors import InputError
from napari_medlabel.formats.dicom_header import EXPLICIT
from napari_medlabel.formats.dicom_instance import InstanceFacts
from napari_medlabel.formats.dicom_pictures import Picture
from napari_medlabel.formats.dicom_pixels import is_lossy
from napari_medlabel.privacy.burned_in_fill import Box, changed_native, decoded
from napari_medlabel.privacy.dicom_source import Element, Item, Pixels, Source
from napari_medlabel.privacy.pixel_copy import expected_length, overlay_mask

__all__ = ["Patch", "PixelChange", "decoded_source", "new_pixels", "patch_of"]

Array = npt.NDArray[Any]
TextState = Literal["", "none", "kept"]
_PHOTOMETRIC, _PLANAR, _STORED, _HIGH = 0x00280004, 0x00280006, 0x00280101, 0x00280102
_LOSSY, _PIXELS = 0x00282110, 0x7FE00010
_TABLES: Final = frozenset({0x7FE00001, 0x7FE00002, 0x7FE00003})  # of compressed frames
_SPACES: Final = {"rgb": "RGB", "ybr": "YBR_FULL"}


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Stored values that come in the place of some pixels of a grey frame.

    Parameters
    ----------
    top, left, shape
        The box that they are in.
    where
        bool `[row, column]` of the box, eight to a byte.
    values
        One for each of them, row by row, as `InstanceFacts.bits_stored` and `signed` have them.
    """

    top: int
    left: int
    shape: tuple[int, int]
    where: bytes
    values: npt.NDArray[np.int32]

    def put(self, frame: Array, facts: InstanceFacts, *, native: bool) -> None:
        """Replace them in a frame, in place; `native` where its bits lie as the header says."""
        count = self.shape[0] * self.shape[1]
        bits = np.unpackbits(np.frombuffer(self.where, np.uint8), count=count)
        rows = slice(self.top, self.top + self.shape[0])
        columns = slice(self.left, self.left + self.shape[1])
        wide = self.values.astype(np.int64)
        shift = max(facts.high_bit + 1 - facts.bits_stored, 0) if native else 0
        if shift:
            wide = (wide & ((1 << facts.bits_stored) - 1)) << shift
        unsigned = (wide & ((1 << facts.bits_allocated) - 1)).astype(np.uint64)
        stored = unsigned.astype(f"u{frame.dtype.itemsize}").astype(frame.dtype)
        frame[rows, columns][bits.reshape(self.shape).astype(bool)] = stored


def patch_of(where: BoolArray, values: Array, facts: InstanceFacts) -> Patch | None:
    """The patch for a slice; None where nothing of it changes.

    Parameters
    ----------
    where
        bool `[row, column]` of the slice.
    values
        The same shape, stored x slope + intercept; those beyond what can be stored become its end.
    facts
        Of the slice, which may be a tile of its frame.
    """
    rows, columns = (np.flatnonzero(where.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None
    top, left = int(rows[0]), int(columns[0])
    box = (slice(top, int(rows[-1]) + 1), slice(left, int(columns[-1]) + 1))
    part = np.ascontiguousarray(where[box])
    exact = (values[box][part].astype(np.float64) - (facts.intercept or 0.0)) / (facts.slope or 1.0)
    bits = facts.bits_stored or facts.bits_allocated
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if facts.signed else (0, (1 << bits) - 1)
    kept = np.clip(np.rint(np.nan_to_num(exact)), max(low, -(1 << 31)), min(high, (1 << 31) - 1))
    if facts.tile is not None:
        top, left = top + facts.tile.top, left + facts.tile.left
    packed = np.packbits(part.reshape(-1)).tobytes()
    return Patch(top, left, (part.shape[0], part.shape[1]), packed, kept.astype(np.int32))


@dataclass(frozen=True, slots=True, eq=False)
class PixelChange:
    """What is done to the pixels of one file, and what its header may say of them.

    Parameters
    ----------
    boxes
        By frame, filled with the frame's background.
    patches
        By frame.
    text
        "none": looked for, and none is left; "kept": some was left on purpose; "": not known.
    faceless
        Whether a face was in it, was taken out, and that was proved.
    """

    boxes: Mapping[int, tuple[Box, ...]] = field(default_factory=dict)
    patches: Mapping[int, tuple[Patch, ...]] = field(default_factory=dict)
    text: TextState = ""
    faceless: bool = False

    @property
    def touches_pixels(self) -> bool:
        """Whether any pixel changes."""
        return bool(self.boxes or self.patches)

    def with_boxes(self, more: Mapping[int, Iterable[Box]]) -> "PixelChange":
        """The same with further boxes."""
        frames = {*self.boxes, *more}
        boxes = {n: (*self.boxes.get(n, ()), *more.get(n, ())) for n in frames}
        return replace(self, boxes=boxes)


def decoded_source(source: Source, picture: Picture) -> Source:
    """A compressed file's source as that of the uncompressed file it becomes."""
    if source.pixels is None or not source.pixels.encapsulated:
        return source
    facts = picture.facts
    new: dict[int, tuple[str, bytes]] = {}
    if facts.samples > 1:
        new[_PHOTOMETRIC] = ("CS", _SPACES[picture.space].encode("ascii"))
        new[_PLANAR] = ("US", struct.pack("<H", 0))
    if facts.bits_allocated > 1:
        new[_HIGH] = ("US", struct.pack("<H", facts.bits_stored - 1))
    if is_lossy(facts):
        new[_LOSSY] = ("CS", b"01")
    kept = [one for one in source.dataset.elements if one.tag not in _TABLES and one.tag not in new]
    made = [Element(tag, vr, value) for tag, (vr, value) in new.items()]
    elements = tuple(sorted((*kept, *made), key=lambda one: one.tag))
    return replace(
        source, dataset=Item(elements, source.dataset.encodings), syntax=EXPLICIT,
    )  # fmt: skip


def new_pixels(source: Source, picture: Picture, change: PixelChange) -> tuple[Pixels, bytes]:
    """The pixel data of a file with the change done, and what stands in front of it.

    Parameters
    ----------
    source
        As it was read, before `decoded_source`.
    picture
        Of the same file.
    change
        What to do.

    Raises
    ------
    InputError
        If it cannot be read, or pixels of its kind cannot be changed.
    """
    pixels = source.pixels
    if pixels is None:
        raise InputError("it has no pixels that could be changed")
    vr = "OW" if picture.facts.bits_allocated > 8 else "OB"
    if pixels.encapsulated:
        data = decoded(picture, change.boxes, change.patches)
    elif picture.facts.bits_allocated == 1:
        data = decoded(picture, change.boxes, change.patches)
        vr = pixels.vr
    else:
        if not source.encoding.little and picture.facts.bits_allocated == 8:
            raise InputError("bytes of a big-endian file, which cannot be changed")
        data, vr = _native(source, pixels, picture, change), pixels.vr
    data += bytes(len(data) % 2)
    return Pixels(_PIXELS, vr, 0, len(data), encapsulated=False), data


def _native(source: Source, pixels: Pixels, picture: Picture, change: PixelChange) -> bytes:
    length = min(pixels.length, expected_length(source.dataset, source, pixels))
    source.file.seek(pixels.start)
    data = bytearray(source.file.read(length))
    if len(data) < length:
        raise InputError("the file ends inside its pixel data", "copy it again")
    changed_native(picture, change.boxes, data, change.patches, source.encoding.order)
    mask = overlay_mask(source)
    if mask is not None:
        shorts = np.frombuffer(data, source.encoding.order + "u2", len(data) // 2)
        shorts &= np.array(mask, shorts.dtype)
    return bytes(data)
