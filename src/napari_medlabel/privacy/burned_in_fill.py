"""Boxes filled with the background, in DICOM files: nothing else of their pixels changes.

Uncompressed little-endian pixel data is changed in place, with all bits that nobody asked for. All
else is written as it was decoded: uncompressed, explicit VR, little endian.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from napari_medlabel.errors import InputError
from napari_medlabel.formats.dicom_files import Opener
from napari_medlabel.formats.dicom_header import EXPLICIT, IMPLICIT
from napari_medlabel.formats.dicom_instance import InstanceFacts
from napari_medlabel.formats.dicom_odd import Bounded
from napari_medlabel.formats.dicom_pictures import Picture, PictureReader
from napari_medlabel.formats.dicom_pixels import is_lossy
from napari_medlabel.privacy.dicom_copy import save_copy

__all__ = ["Box", "background", "changed_native", "decoded", "fill", "write_filled"]

Array = npt.NDArray[Any]

_RIM: Final = 8  # pixels at the edge, where the background is looked for
_CLEAN_PIXELS: Final = ("113101", "DCM", "Clean Pixel Data Option")  # PS3.16 CID 7050
_TABLES: Final = (0x7FE00001, 0x7FE00002, 0x7FE00003)  # of compressed frames
_PHOTOMETRIC: Final = {"rgb": "RGB", "ybr": "YBR_FULL"}


class Box(NamedTuple):
    """Rows `top` to `bottom` and columns `left` to `right` of a frame, the ends left out."""

    left: int
    top: int
    right: int
    bottom: int

    def cut_to(self, shape: Sequence[int]) -> "Box":
        """The part inside a frame of these rows and columns."""
        rows, columns = shape[0], shape[1]
        across = (min(max(0, x), columns) for x in (self.left, self.right))
        down = (min(max(0, y), rows) for y in (self.top, self.bottom))
        (left, right), (top, bottom) = across, down
        return Box(left, top, right, bottom)


class Replacing(Protocol):
    """Something that replaces pixels of a grey frame: `pixel_change.Patch`."""

    def put(self, frame: Array, facts: InstanceFacts, *, native: bool) -> None:
        """Replace them in place."""


Patches = Mapping[int, Sequence[Replacing]]
_NO_PATCHES: Final[Patches] = {}


def background(stored: Array, boxes: Iterable[Box]) -> Array:
    """The most frequent value at the edge of a frame outside the boxes: one for each sample."""
    rows, columns = stored.shape[:2]
    rim = np.zeros((rows, columns), bool)
    rim[:_RIM], rim[-_RIM:], rim[:, :_RIM], rim[:, -_RIM:] = True, True, True, True
    for box in boxes:
        rim[box.top : box.bottom, box.left : box.right] = False
    if not rim.any():
        rim[:] = True
    values = stored[rim].reshape(int(rim.sum()), -1)
    found, times = np.unique(values, axis=0, return_counts=True)
    most: Array = found[int(times.argmax())]
    return most


def fill(stored: Array, boxes: Sequence[Box]) -> None:
    """Fill boxes of a frame with its background, in place.

    Parameters
    ----------
    stored
        `[row, column]` or `[row, column, sample]`.
    boxes
        Cut to the frame where they reach out of it.
    """
    inside = [box.cut_to(stored.shape) for box in boxes]
    _set(stored, inside, background(stored, inside))


def _set(stored: Array, boxes: Iterable[Box], value: Array) -> None:
    for box in boxes:
        part = stored[box.top : box.bottom, box.left : box.right]
        part[...] = value if stored.ndim == 3 else value[0]


def write_filled(
    picture: Picture,
    boxes: Mapping[int, Sequence[Box]],
    target: Path,
    opener: Opener,
    *,
    is_clean: bool,
) -> None:
    """Write a copy of a DICOM file with boxes of its frames filled.

    Parameters
    ----------
    picture
        Of the file.
    boxes
        By frame.
    target
        A new file.
    opener
        Opens the file.
    is_clean
        Whether no text is left by intent: the header says so then, once that has been proved.

    Raises
    ------
    InputError
        If its pixels or its header cannot be read, or written again; never with a value of it.
    """
    dataset = _whole(picture, opener)
    in_place = picture.facts.syntax in {IMPLICIT, EXPLICIT}
    if in_place and picture.facts.bits_allocated > 1:
        changed = bytearray(dataset.PixelData)
        changed_native(picture, boxes, changed)
        data = bytes(changed)
    else:
        data = decoded(picture, boxes)
        _describe_decoded(dataset, picture)
    dataset.PixelData = data + bytes(len(data) % 2)
    if is_clean:
        _say_clean(dataset)
    save_copy(dataset, target, implicit=picture.facts.syntax == IMPLICIT)


def _whole(picture: Picture, opener: Opener) -> Dataset:
    try:
        file, size = opener.open(picture.facts.place)
        with file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            bounded: Any = Bounded(BytesIO(file.read()), size)
            return dcmread(bounded, force=True)
    except Exception as error:  # pydicom fails in many ways on a damaged file
        raise InputError("its header cannot be read as a whole") from error


def changed_native(
    picture: Picture,
    boxes: Mapping[int, Sequence[Box]],
    data: bytearray,
    patches: Patches = _NO_PATCHES,
    order: str = "<",
) -> None:
    """Fill boxes and replace pixels in uncompressed pixel data, in place.

    Parameters
    ----------
    picture
        Of the file.
    boxes, patches
        By frame; boxes are filled after patches are put.
    data
        All frames, as they are in the file.
    order
        Of its bytes, as `struct` has it.
    """
    facts = picture.facts
    rows, columns = picture.shape
    samples = 2 if picture.is_halved else facts.samples
    size = rows * columns * samples
    values = np.frombuffer(data, f"{order}u{facts.bits_allocated // 8}", size * facts.frames)
    for number, wanted in patches.items():
        frame = values[number * size : (number + 1) * size].reshape(rows, columns)
        for one in wanted:
            one.put(frame, facts, native=True)
    for number, filled in boxes.items():
        _fill_native(picture, values[number * size : (number + 1) * size], filled)


def _fill_native(picture: Picture, frame: Array, wanted: Sequence[Box]) -> None:
    rows, columns = picture.shape
    samples = picture.facts.samples
    if picture.is_halved:
        # Two pixels share their colours, so that they are filled together.
        pairs = frame.reshape(rows, columns // 2, 4)
        half = [Box(b.left // 2, b.top, -(-b.right // 2), b.bottom) for b in wanted]
        inside = [box.cut_to(pairs.shape) for box in half]
        value = background(pairs, inside)
        value[1] = value[0]
        _set(pairs, inside, value)
    elif picture.planar and samples > 1:
        fill(np.moveaxis(frame.reshape(samples, rows, columns), 0, -1), wanted)
    elif samples > 1:
        fill(frame.reshape(rows, columns, samples), wanted)
    else:
        fill(frame.reshape(rows, columns), wanted)


def decoded(
    picture: Picture, boxes: Mapping[int, Sequence[Box]], patches: Patches = _NO_PATCHES
) -> bytes:
    """All frames as they are decoded, with pixels replaced and boxes filled, little-endian.

    Raises
    ------
    InputError
        If a frame cannot be decoded.
    """
    frames = []
    with PictureReader() as reader:
        for number in range(picture.frames):
            stored = reader.read(picture, number)
            if number in boxes or number in patches:
                stored = np.array(stored, order="C")
                for one in patches.get(number, ()):
                    one.put(stored, picture.facts, native=False)
                if wanted := boxes.get(number):
                    fill(stored, wanted)
            frames.append(stored)
    if picture.facts.bits_allocated == 1:
        bits = np.concatenate([frame.reshape(-1) for frame in frames])
        return np.packbits(bits, bitorder="little").tobytes()
    return b"".join(frame.astype(frame.dtype.newbyteorder("<")).tobytes() for frame in frames)


def _describe_decoded(dataset: Dataset, picture: Picture) -> None:
    """Pixel data that was compressed, deflated or big-endian is plain now."""
    for tag in _TABLES:
        if tag in dataset:
            del dataset[tag]
    if picture.facts.samples > 1:
        dataset.PhotometricInterpretation = _PHOTOMETRIC[picture.space]
        dataset.PlanarConfiguration = 0
    if picture.facts.bits_allocated > 1:
        dataset.HighBit = dataset.BitsStored - 1
    if is_lossy(picture.facts):
        dataset.LossyImageCompression = "01"


def _say_clean(dataset: Dataset) -> None:
    """PS3.15 E.3.1: what was done, beside what other tools have said."""
    dataset.BurnedInAnnotation = "NO"
    codes = list(dataset.get("DeidentificationMethodCodeSequence") or ())
    if all(code.get("CodeValue") != _CLEAN_PIXELS[0] for code in codes):
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = _CLEAN_PIXELS
        codes.append(code)
    dataset.DeidentificationMethodCodeSequence = Items(codes)
