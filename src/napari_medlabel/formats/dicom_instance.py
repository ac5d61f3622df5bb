"""One DICOM instance as facts: what its header says, typed, and nothing judged yet."""

import struct
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import Final, Literal

from pydicom.charset import python_encoding

from napari_medlabel.formats.dicom_files import Place
from napari_medlabel.formats.dicom_header import Header, PixelPlace

__all__ = ["WANTED", "InstanceFacts", "Tag", "Tile", "facts_of"]


class Tag:
    """The elements that are read; PS3.6, and for diffusion the makers' own."""

    SOP_CLASS_OF_FILE: Final = 0x00020002
    CHARACTER_SET: Final = 0x00080005
    IMAGE_TYPE: Final = 0x00080008
    SOP_CLASS: Final = 0x00080016
    SOP_INSTANCE: Final = 0x00080018
    MODALITY: Final = 0x00080060
    SERIES_DESCRIPTION: Final = 0x0008103E
    SLICE_THICKNESS: Final = 0x00180050
    REPETITION_TIME: Final = 0x00180080
    ECHO_TIME: Final = 0x00180081
    INVERSION_TIME: Final = 0x00180082
    SPACING_BETWEEN_SLICES: Final = 0x00180088
    TRIGGER_TIME: Final = 0x00181060
    KERNEL: Final = 0x00181210
    FLIP_ANGLE: Final = 0x00181314
    GRADIENT: Final = 0x00189089
    B_VALUE: Final = 0x00189087
    MOSAIC_TILES: Final = 0x0019100A
    B_VALUE_SIEMENS: Final = 0x0019100C
    GRADIENT_SIEMENS: Final = 0x0019100E
    GRADIENT_X_GE: Final = 0x001910BB
    GRADIENT_Y_GE: Final = 0x001910BC
    GRADIENT_Z_GE: Final = 0x001910BD
    STUDY: Final = 0x0020000D
    SERIES: Final = 0x0020000E
    SERIES_NUMBER: Final = 0x00200011
    ACQUISITION: Final = 0x00200012
    INSTANCE_NUMBER: Final = 0x00200013
    POSITION: Final = 0x00200032
    ORIENTATION: Final = 0x00200037
    FRAME_OF_REFERENCE: Final = 0x00200052
    TEMPORAL_POSITION: Final = 0x00200100
    B_VALUE_PHILIPS: Final = 0x20011003
    SAMPLES: Final = 0x00280002
    PHOTOMETRIC: Final = 0x00280004
    FRAMES: Final = 0x00280008
    ROWS: Final = 0x00280010
    COLUMNS: Final = 0x00280011
    PIXEL_SPACING: Final = 0x00280030
    BITS_ALLOCATED: Final = 0x00280100
    BITS_STORED: Final = 0x00280101
    HIGH_BIT: Final = 0x00280102
    PIXEL_REPRESENTATION: Final = 0x00280103
    PADDING: Final = 0x00280120
    PADDING_LIMIT: Final = 0x00280121
    WINDOW_CENTER: Final = 0x00281050
    WINDOW_WIDTH: Final = 0x00281051
    INTERCEPT: Final = 0x00281052
    SLOPE: Final = 0x00281053
    RESCALE_TYPE: Final = 0x00281054
    LOSSY: Final = 0x00282110
    LOOKUP_TABLE: Final = 0x00283000
    B_VALUE_GE: Final = 0x00431039
    UNITS: Final = 0x00541001
    FRAME_REFERENCE_TIME: Final = 0x00541300
    SHARED_GROUPS: Final = 0x52009229


WANTED: Final = frozenset(tag for tag in vars(Tag).values() if isinstance(tag, int))


# Nothing in or around a body is outside: such numbers are no lengths.
_FAR_MM: Final = 1e5
_TINY_MM: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Tile:
    """A slice that is one tile of a larger picture: where it begins, and how large that is."""

    top: int
    left: int
    picture_rows: int
    picture_columns: int


@dataclass(frozen=True, slots=True)
class InstanceFacts:
    """What the header says of one slice; 0, `""` or `None` where it says nothing.

    A slice is a frame of an instance, counted from 0, or a tile of one; an instance of one frame
    is one slice. `rows` and `columns` are the slice's own. UIDs and the description may identify
    a person: they are never logged or shown.
    """

    place: Place
    syntax: str
    little: bool
    pixels: PixelPlace | None
    study_uid: str
    series_uid: str
    sop_uid: str
    sop_class: str
    frame_of_reference_uid: str
    modality: str
    description: str
    image_type: tuple[str, ...]
    series_number: int
    acquisition: float | None
    instance_number: float | None
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    pixel_spacing: tuple[float, ...] | None
    slice_thickness: float | None
    spacing_between_slices: float | None
    rows: int
    columns: int
    frames: int
    samples: int
    photometric: str
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    padding: tuple[int, ...]
    slope: float | None
    intercept: float | None
    rescale_type: str
    has_lookup_table: bool
    units: str
    window: tuple[float, float] | None
    lossy: str
    is_mosaic: bool
    is_enhanced: bool
    echo_time: float | None
    inversion_time: float | None
    repetition_time: float | None
    flip_angle: float | None
    trigger_time: float | None
    temporal_position: float | None
    frame_time: float | None
    b_value: float | None
    gradient: tuple[float, ...] | None
    kernel: str
    frame: int = 0
    tile: Tile | None = None

    @property
    def frame_shape(self) -> tuple[int, int]:
        """Rows and columns of the picture that is stored: larger than the slice if it is a tile."""
        if self.tile is None:
            return self.rows, self.columns
        return self.tile.picture_rows, self.tile.picture_columns

    @property
    def frame_bytes(self) -> int:
        """Size of one uncompressed frame."""
        rows, columns = self.frame_shape
        return (rows * columns * self.samples * self.bits_allocated + 7) // 8


def facts_of(header: Header, place: Place) -> InstanceFacts:
    """The typed facts of a header."""
    its = _Values(header.values, "little" if header.little else "big")
    bits_allocated = its.whole(Tag.BITS_ALLOCATED)
    bits_stored = its.whole(Tag.BITS_STORED) or bits_allocated
    signed = its.whole(Tag.PIXEL_REPRESENTATION) == 1
    image_type = _pieces(its.raw(Tag.IMAGE_TYPE))
    return InstanceFacts(
        place=place,
        syntax=header.syntax,
        little=header.little,
        pixels=header.pixels,
        study_uid=its.text(Tag.STUDY),
        series_uid=its.text(Tag.SERIES),
        sop_uid=its.text(Tag.SOP_INSTANCE),
        sop_class=its.text(Tag.SOP_CLASS) or its.text(Tag.SOP_CLASS_OF_FILE),
        frame_of_reference_uid=its.text(Tag.FRAME_OF_REFERENCE),
        modality=its.text(Tag.MODALITY),
        description=_decoded(its.raw(Tag.SERIES_DESCRIPTION), its.text(Tag.CHARACTER_SET)),
        image_type=image_type,
        series_number=int(its.number(Tag.SERIES_NUMBER) or 0),
        acquisition=its.number(Tag.ACQUISITION),
        instance_number=its.number(Tag.INSTANCE_NUMBER),
        position=_sensible(its.numbers(Tag.POSITION, 3), -_FAR_MM, _FAR_MM),
        orientation=_sensible(its.numbers(Tag.ORIENTATION, 6), -2.0, 2.0),
        pixel_spacing=_sensible(its.numbers(Tag.PIXEL_SPACING, 2), _TINY_MM, _FAR_MM),
        slice_thickness=its.number(Tag.SLICE_THICKNESS),
        spacing_between_slices=its.number(Tag.SPACING_BETWEEN_SLICES),
        rows=its.whole(Tag.ROWS),
        columns=its.whole(Tag.COLUMNS),
        frames=_frames(its.text(Tag.FRAMES)),
        samples=its.whole(Tag.SAMPLES) or 1,
        photometric=its.text(Tag.PHOTOMETRIC),
        bits_allocated=bits_allocated,
        bits_stored=bits_stored,
        high_bit=its.whole(Tag.HIGH_BIT) if Tag.HIGH_BIT in header.values else bits_stored - 1,
        signed=signed,
        padding=its.padding(signed=signed),
        slope=its.number(Tag.SLOPE),
        intercept=its.number(Tag.INTERCEPT),
        rescale_type=its.text(Tag.RESCALE_TYPE),
        has_lookup_table=Tag.LOOKUP_TABLE in header.values,
        units=its.text(Tag.UNITS),
        window=_window(its.number(Tag.WINDOW_WIDTH), its.number(Tag.WINDOW_CENTER)),
        lossy=its.text(Tag.LOSSY),
        is_mosaic="MOSAIC" in image_type or bool(its.raw(Tag.MOSAIC_TILES)),
        is_enhanced=Tag.SHARED_GROUPS in header.values,
        echo_time=its.number(Tag.ECHO_TIME),
        inversion_time=its.number(Tag.INVERSION_TIME),
        repetition_time=its.number(Tag.REPETITION_TIME),
        flip_angle=its.number(Tag.FLIP_ANGLE),
        trigger_time=its.number(Tag.TRIGGER_TIME),
        temporal_position=its.number(Tag.TEMPORAL_POSITION),
        frame_time=its.number(Tag.FRAME_REFERENCE_TIME),
        b_value=_b_value(its),
        gradient=_gradient(its),
        kernel=its.text(Tag.KERNEL),
    )


@dataclass(frozen=True, slots=True)
class _Values:
    """Raw element values, as text and numbers; what cannot be understood is not there."""

    values: dict[int, bytes]
    order: Literal["little", "big"]

    def raw(self, tag: int) -> bytes:
        return self.values.get(tag, b"")

    def text(self, tag: int) -> str:
        raw = self.values.get(tag)
        return raw.decode("latin-1").strip(" \0") if raw else ""

    def number(self, tag: int) -> float | None:
        raw = self.values.get(tag)
        parsed = _decimals(raw) if raw else ()
        return parsed[0] if parsed else None

    def numbers(self, tag: int, count: int) -> tuple[float, ...] | None:
        raw = self.values.get(tag)
        parsed = _decimals(raw) if raw else ()
        return parsed if len(parsed) == count else None

    def whole(self, tag: int) -> int:
        raw = self.values.get(tag)
        return int.from_bytes(raw, self.order) if raw and len(raw) in {2, 4} else 0

    def padding(self, *, signed: bool) -> tuple[int, ...]:
        """The values that stand for no measurement at all."""
        raws = (self.values.get(Tag.PADDING), self.values.get(Tag.PADDING_LIMIT))
        return tuple(int.from_bytes(raw, self.order, signed=signed) for raw in raws if raw)

    def binary(self, tag: int, code: str, count: int) -> tuple[float, ...] | None:
        """Numbers stored as IEEE floats: `code` is "f" or "d"."""
        packed = struct.Struct(("<" if self.order == "little" else ">") + code * count)
        raw = self.values.get(tag, b"")
        return packed.unpack(raw) if len(raw) == packed.size else None


@lru_cache(maxsize=1024)  # slices of a series share most of them
def _decimals(raw: bytes) -> tuple[float, ...]:
    """Decimal strings (VR DS, IS), or nothing where one is no finite number."""
    try:
        parsed = tuple(float(part) for part in raw.rstrip(b" \0").split(b"\\"))
    except ValueError:
        return ()
    return parsed if all(isfinite(number) for number in parsed) else ()


@lru_cache(maxsize=256)
def _pieces(raw: bytes) -> tuple[str, ...]:
    text = raw.decode("latin-1").strip(" \0")
    return tuple(part.strip() for part in text.split("\\")) if text else ()


def _sensible(
    numbers: tuple[float, ...] | None, low: float, high: float
) -> tuple[float, ...] | None:
    """The numbers, if all are between the limits."""
    within = numbers is not None and all(low <= number <= high for number in numbers)
    return numbers if within else None


def _frames(text: str) -> int:
    """The number of frames; 0 where the header says something that is no number."""
    if not text:
        return 1
    return int(text) if text.isdecimal() else 0


def _window(width: float | None, center: float | None) -> tuple[float, float] | None:
    return None if width is None or center is None or width <= 0 else (width, center)


def _decoded(raw: bytes, character_set: str) -> str:
    """Text in the header's own character set; unknown bytes are shown as such."""
    if not raw:
        return ""
    if raw.isascii():
        return raw.decode("ascii").strip(" \0")
    encoding = python_encoding.get(character_set.rsplit("\\", maxsplit=1)[-1].strip(), "latin-1")
    try:
        return raw.decode(encoding, "replace").strip(" \0")
    except LookupError:
        return raw.decode("latin-1").strip(" \0")


def _b_value(its: _Values) -> float | None:
    """Diffusion weighting in s/mm²: the standard's element, else the maker's."""
    standard = its.binary(Tag.B_VALUE, "d", 1) or its.binary(Tag.B_VALUE_PHILIPS, "f", 1)
    if standard:
        return standard[0]
    siemens = its.number(Tag.B_VALUE_SIEMENS)
    if siemens is not None:
        return siemens
    ge = its.number(Tag.B_VALUE_GE)
    return None if ge is None else ge % 1e6  # GE adds 10^9 to mark newer versions


def _gradient(its: _Values) -> tuple[float, ...] | None:
    """Diffusion gradient direction, only used to tell volumes apart."""
    packed = its.binary(Tag.GRADIENT, "d", 3) or its.binary(Tag.GRADIENT_SIEMENS, "d", 3)
    if packed:
        return packed
    ge = [its.number(t) for t in (Tag.GRADIENT_X_GE, Tag.GRADIENT_Y_GE, Tag.GRADIENT_Z_GE)]
    return None if None in ge else tuple(value for value in ge if value is not None)
