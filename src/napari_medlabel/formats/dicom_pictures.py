"""Every picture in DICOM files, grey or in colour, as it is stored.

A volume is made of grey sections only; this reads whatever has pixels: secondary captures,
ultrasound, palettes, single bits. Frames are read one at a time, compressed ones by the decoders'
own processes.
"""

import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Final, Literal, Self

import numpy as np
import numpy.typing as npt

from napari_medlabel.decoding.stored_bits import unpack_bits
from napari_medlabel.decoding.syntaxes import COMPRESSED, JPEG
from napari_medlabel.errors import Cancelled, InputError
from napari_medlabel.formats.dicom_elements import Values
from napari_medlabel.formats.dicom_files import Candidate, Opener, Place, Skipped, find_inside
from napari_medlabel.formats.dicom_gather import candidates
from napari_medlabel.formats.dicom_header import (
    PIXEL_DATA,
    FoundArchive,
    Header,
    HeaderError,
    NotDicom,
)
from napari_medlabel.formats.dicom_instance import InstanceFacts, facts_of
from napari_medlabel.formats.dicom_odd import read_any_header
from napari_medlabel.formats.dicom_pixels import NATIVE, decode_frame, is_native
from napari_medlabel.formats.dicom_stored import UNREADABLE, StoredFrames
from napari_medlabel.formats.dicom_tags import WANTED

__all__ = [
    "ColorSpace",
    "FoundPictures",
    "Picture",
    "PictureReader",
    "find_pictures",
    "picture_at",
]

Array = npt.NDArray[Any]
ColorSpace = Literal["grey", "palette", "rgb", "ybr"]
Progress = Callable[[int, int], None]

_CONVERSION, _PLANAR, _FLAG = 0x00080064, 0x00280006, 0x00280301
_PALETTE: Final = ((0x00281101, 0x00281201), (0x00281102, 0x00281202), (0x00281103, 0x00281203))
_SEGMENTED: Final = frozenset({0x00281221, 0x00281222, 0x00281223})
_FLOATS: Final = frozenset({0x7FE00008, 0x7FE00009})
_MORE: Final = frozenset({_CONVERSION, _PLANAR, _FLAG, *_FLOATS, *_SEGMENTED}).union(*_PALETTE)
_DIRECTORY: Final = "1.2.840.10008.1.3.10"
_MAX_PIXELS: Final = 1 << 26  # of one frame: three times the largest radiograph
_MAX_FRAMES: Final = 1 << 20
_DEPTHS: Final = frozenset({1, 8, 16, 32})
_CLOSED: Final = (
    OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError,
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """The pictures of one file: all its frames are of one kind and size.

    Parameters
    ----------
    name
        The file's path below what was searched, with "/" between; it may name a person.
    facts
        Of its header.
    planar
        Whether uncompressed samples lie plane by plane: PlanarConfiguration.
    conversion
        ConversionType: a picture that was made from something else says from what.
    flag
        BurnedInAnnotation as the header has it: no evidence of anything.
    palette
        uint8 `[index, sample]` and the index of its first row, where there is one.
    """

    name: str
    facts: InstanceFacts
    planar: bool = False
    conversion: str = ""
    flag: str = ""
    palette: tuple[Array, int] | None = None

    @property
    def frames(self) -> int:
        """How many."""
        return self.facts.frames

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of each."""
        return self.facts.rows, self.facts.columns

    @property
    def is_halved(self) -> bool:
        """Whether each two pixels of a row share their uncompressed colour: YBR_FULL_422."""
        return is_native(self.facts) and self.facts.photometric == "YBR_FULL_422"

    @property
    def space(self) -> ColorSpace:
        """What the samples of a frame mean when it has been read."""
        facts = self.facts
        if facts.samples == 1:
            return "palette" if facts.photometric == "PALETTE COLOR" else "grey"
        # Decoders of JPEG, and the transforms of JPEG 2000, give red, green and blue.
        in_luma = facts.photometric in {"YBR_FULL", "YBR_FULL_422"} and facts.syntax not in JPEG
        return "ybr" if in_luma else "rgb"


@dataclass(frozen=True, slots=True)
class FoundPictures:
    """What has pictures, what has none, and what may have some but cannot be read."""

    pictures: tuple[Picture, ...]
    skipped: tuple[Skipped, ...] = ()
    unread: tuple[Skipped, ...] = ()


def find_pictures(
    path: Path,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> FoundPictures:
    """The pictures in all DICOM files below a folder, or in one file, DICOMDIR or zip archive.

    Exact copies of a file are pictures, too. Only headers are read.

    Parameters
    ----------
    path
        As for `gather`.
    progress
        Called with the number of files done and the number of all that are known.
    cancelled
        Asked before each file.

    Raises
    ------
    InputError
        If there is nothing at `path`, or it cannot be read.
    Cancelled
        If `cancelled` said so.
    """
    pictures: list[Picture] = []
    unread: list[Skipped] = []
    with Opener(bounded=True) as opener:
        waiting, skipped = candidates(path, opener)
        for done, candidate in enumerate(waiting):  # which grows by what archives hold
            if cancelled():
                raise Cancelled("the search for pictures was called off")
            if progress is not None:
                progress(done, len(waiting))
            try:
                found = _read(candidate, opener)
            except FoundArchive:
                members, closed = find_inside(opener, candidate)
                waiting += members
                unread += closed
            except NotDicom as error:
                skipped.append(Skipped(candidate.name, error.what))
            except InputError as error:
                unread.append(Skipped(candidate.name, error.what))
            else:
                if found is None:
                    skipped.append(Skipped(candidate.name, "it holds no picture"))
                else:
                    pictures.append(found)
    return FoundPictures(tuple(pictures), tuple(skipped), tuple(unread))


def picture_at(place: Place) -> Picture | None:
    """The pictures of one file; None where it has none.

    Raises
    ------
    InputError
        If it is no DICOM, or its pictures are of a kind that is not read.
    """
    with Opener(bounded=True) as opener:
        return _read(Candidate(place, ""), opener)


class PictureReader:
    """Reads frames of pictures; close it, or use it in a `with`."""

    def __init__(self) -> None:
        self._stored = StoredFrames()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of files."""
        self._stored.close()

    def read(self, picture: Picture, frame: int) -> Array:
        """The stored values of a frame, `[row, column]` or `[row, column, sample]`.

        Colours that two pixels share are given to both. `Picture.space` says what samples mean.

        Raises
        ------
        InputError
            If it cannot be read or decoded; the text is one line about this frame.
        """
        facts = replace(picture.facts, frame=frame)
        try:
            if facts.bits_allocated == 1 and is_native(facts):
                return self._bits(facts)
            if is_native(facts):
                return self._native(picture, facts)
            return decode_frame(self._stored.read_compressed(facts), facts)
        except InputError:
            raise
        except UNREADABLE as error:
            raise InputError("its pixels cannot be read") from error

    def _native(self, picture: Picture, facts: InstanceFacts) -> Array:
        samples = 2 if picture.is_halved else facts.samples
        size = facts.bits_allocated // 8
        raw = np.empty(facts.rows * facts.columns * samples, f"u{size}")
        self._stored.read_native(replace(facts, samples=samples), raw.data.cast("B"))
        if not facts.little and size > 1:
            raw.byteswap(inplace=True)
        elif not facts.little and facts.pixels is not None and facts.pixels.words:
            even = raw[: raw.size // 2 * 2]
            even.view(np.uint16).byteswap(inplace=True)
        return _arranged(unpack_bits(raw, facts), picture)

    def _bits(self, facts: InstanceFacts) -> Array:
        """Single bits, lowest first; frames follow each other without a gap: PS3.5 8.1.1."""
        count = facts.rows * facts.columns
        skipped, n = (0, facts.frame) if count % 8 == 0 else (count * facts.frame, 0)
        raw = np.empty((skipped + count + 7) // 8, np.uint8)
        self._stored.read_native(replace(facts, frame=n), raw.data.cast("B"))
        bits = np.unpackbits(raw, bitorder="little")[skipped : skipped + count]
        plain: Array = bits.reshape(facts.rows, facts.columns)
        return plain


def _arranged(flat: Array, picture: Picture) -> Array:
    """Uncompressed samples in the order of the file as an array."""
    facts = picture.facts
    rows, columns, samples = facts.rows, facts.columns, facts.samples
    if picture.is_halved:  # two brightnesses, then both colours of the two: PS3.3 C.7.6.3.1.2
        pairs = flat.reshape(rows, columns // 2, 4)
        full = np.empty((rows, columns // 2, 2, 3), flat.dtype)
        full[..., 0] = pairs[..., :2]
        full[..., 1:] = pairs[:, :, None, 2:]
        return full.reshape(rows, columns, 3)
    if samples == 1:
        return flat.reshape(rows, columns)
    if picture.planar:
        return np.ascontiguousarray(np.moveaxis(flat.reshape(samples, rows, columns), 0, -1))
    return flat.reshape(rows, columns, samples)


def _read(candidate: Candidate, opener: Opener) -> Picture | None:
    """What the header says; None where there is no picture."""
    try:
        file, size = opener.open(candidate.place)
        with file:
            header = read_any_header(file, size, WANTED | _MORE)
            return _picture(header, file, candidate)
    except InputError:
        raise
    except _CLOSED as error:
        raise HeaderError("it cannot be read") from error


def _picture(header: Header, file: IO[bytes], candidate: Candidate) -> Picture | None:
    facts = facts_of(header, candidate.place)
    if facts.sop_class == _DIRECTORY:
        return None
    if _FLOATS & header.values.keys():
        raise HeaderError("its pixels are fractions, which are not looked at")
    if facts.pixels is None:
        if header.is_cut or PIXEL_DATA in header.values:
            raise HeaderError("the file ends inside its header")
        return None
    _check(facts)
    its = Values(header.values, "little" if header.little else "big")
    picture = Picture(
        candidate.name, facts, its.whole(_PLANAR) == 1, its.text(_CONVERSION), its.text(_FLAG)
    )
    if picture.is_halved and facts.columns % 2:
        raise HeaderError("its colours are halved, its width is odd")
    if picture.space == "palette":
        return replace(picture, palette=_palette(header, file, its))
    return picture


def _check(facts: InstanceFacts) -> None:
    """Pass where frames of this kind can be read at all."""
    if not 1 <= facts.frames <= _MAX_FRAMES:
        raise HeaderError("its number of frames makes no sense")
    if not 0 < facts.rows * facts.columns <= _MAX_PIXELS:
        raise HeaderError("its size makes no sense, or is too large to be looked at")
    if facts.bits_allocated not in _DEPTHS or facts.samples not in {1, 3}:
        raise HeaderError("its pixels are stored in a way that is not known")
    if not 1 <= facts.bits_stored <= facts.high_bit + 1 <= facts.bits_allocated:
        raise HeaderError("its bits contradict each other")
    if facts.bits_allocated == 1 and (facts.samples != 1 or facts.syntax not in NATIVE):
        raise HeaderError("its single bits are stored in a way that is not known")
    if facts.syntax not in NATIVE | COMPRESSED:
        raise HeaderError("it is compressed in a way that is not known")


def _palette(header: Header, file: IO[bytes], its: Values) -> tuple[Array, int] | None:
    """The colours of a palette as bytes; None where it is not in plain tables."""
    columns = []
    first = 0
    for descriptor, table in _PALETTE:
        raw = its.raw(descriptor)
        if len(raw) != 6:
            return None
        count, first, bits = (int.from_bytes(raw[n : n + 2], its.order) for n in (0, 2, 4))
        column = _table(_value(header, file, table), count or 1 << 16, bits, its.order)
        if column is None:
            return None
        columns.append(column)
    shortest = min(map(len, columns))
    return np.stack([column[:shortest] for column in columns], axis=-1), first


def _value(header: Header, file: IO[bytes], tag: int) -> bytes:
    raw = header.values.get(tag, b"")
    place = header.places.get(tag)
    if raw or place is None or not 0 < place[1] <= 1 << 18:
        return raw
    file.seek(place[0])
    return file.read(place[1])


def _table(raw: bytes, count: int, bits: int, order: str) -> Array | None:
    """One sample of a palette, its high byte."""
    if len(raw) >= 2 * count:
        words = np.frombuffer(raw, "<u2" if order == "little" else ">u2", count)
        # Tables of 16 bits that hold bytes are common.
        shift = 8 if bits > 8 and words.max(initial=0) > 255 else 0
        return (words >> shift).astype(np.uint8)
    return np.frombuffer(raw, np.uint8, count) if len(raw) >= count else None
