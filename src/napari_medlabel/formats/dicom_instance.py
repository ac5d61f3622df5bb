"""One DICOM instance as facts: what its header says, typed, and nothing judged yet."""

import hashlib
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from pydicom.charset import python_encoding

from napari_medlabel.formats.dicom_elements import Values
from napari_medlabel.formats.dicom_files import Place
from napari_medlabel.formats.dicom_header import Header, PixelPlace
from napari_medlabel.formats.dicom_tags import Tag

__all__ = ["InstanceFacts", "Suv", "Tile", "ValueMap", "facts_of"]


@dataclass(frozen=True, slots=True)
class Tile:
    """A slice that is one tile of a larger picture: where it begins, and how large that is."""

    top: int
    left: int
    picture_rows: int
    picture_columns: int


@dataclass(frozen=True, slots=True)
class ValueMap:
    """Values in another quantity: stored x slope + intercept."""

    unit: str
    slope: float
    intercept: float


@dataclass(frozen=True, slots=True)
class Suv:
    """What turns activity into SUVbw: the factor, or the reason why there is none."""

    factor: float | None
    why: str = ""


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
    patient_key: bytes = b""
    patient_position: str = ""
    patient_orientation: tuple[str, ...] = ()
    laterality: str = ""
    frame: int = 0
    tile: Tile | None = None
    is_place_assumed: bool = False
    stack: str = ""
    dimensions: tuple[int, ...] = ()
    acquired_s: float | None = None
    content_s: float | None = None
    private_scale: tuple[float, float] | None = None
    real_world: tuple[ValueMap, ...] = ()
    suv: Suv | None = None
    unit: str = ""

    @property
    def key(self) -> tuple[Place, int, Tile | None]:
        """What no other slice has."""
        return self.place, self.frame, self.tile

    @property
    def tile_number(self) -> int:
        """Tiles of one picture in order, from 0."""
        return (
            0 if self.tile is None else self.tile.top * self.tile.picture_columns + self.tile.left
        )

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
    its = Values(header.values, "little" if header.little else "big")
    bits_allocated = its.whole(Tag.BITS_ALLOCATED)
    bits_stored = its.whole(Tag.BITS_STORED) or bits_allocated
    signed = its.whole(Tag.PIXEL_REPRESENTATION) == 1
    image_type = its.pieces(Tag.IMAGE_TYPE)
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
        position=its.position(),
        orientation=its.orientation(),
        pixel_spacing=its.pixel_spacing(),
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
        window=its.window(),
        lossy=its.text(Tag.LOSSY),
        is_mosaic=(
            "MOSAIC" in image_type
            or bool(its.raw(Tag.MOSAIC_TILES))
            or Tag.TILE_PLACES_UIH in header.values
        ),
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
        patient_key=_patient_key(its.raw(Tag.PATIENT_ID), its.raw(Tag.PATIENT_NAME)),
        patient_position=its.text(Tag.PATIENT_POSITION),
        patient_orientation=its.pieces(Tag.PATIENT_ORIENTATION),
        laterality=its.text(Tag.IMAGE_LATERALITY) or its.text(Tag.LATERALITY),
        acquired_s=_acquired_s(its),
        content_s=_seconds(its.text(Tag.CONTENT_TIME)),
        private_scale=its.private_scale(),
    )


@lru_cache(maxsize=1024)
def _patient_key(identifier: bytes, name: bytes) -> bytes:
    """What is the same for one patient and tells nobody's name; it is kept in memory only."""
    if not identifier and not name:
        return b""
    words = identifier.strip(b" \0") or name.strip(b" \0")
    return hashlib.blake2b(words, digest_size=8).digest()


def _acquired_s(its: Values) -> float | None:
    """When the slice was acquired, in seconds from any fixed moment on."""
    whole = its.text(Tag.ACQUISITION_DATETIME)
    day = whole[:8] if whole else its.text(Tag.ACQUISITION_DATE)
    time = whole[8:].split("+")[0].split("-")[0] if whole else its.text(Tag.ACQUISITION_TIME)
    seconds = _seconds(time)
    return None if seconds is None else _days(day) * 86400.0 + seconds


@lru_cache(maxsize=256)
def _days(text: str) -> int:
    """Days of a date (VR DA); 0 where it is none."""
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])).toordinal()
    except ValueError:
        return 0


@lru_cache(maxsize=1024)
def _seconds(text: str) -> float | None:
    """Seconds since midnight of a time (VR TM); None where it is none."""
    whole, _, fraction = text.partition(".")
    if len(whole) not in {2, 4, 6} or not whole.isdecimal() or not (fraction or "0").isdecimal():
        return None
    hours, minutes, seconds = (int(whole[n : n + 2] or 0) for n in (0, 2, 4))
    return hours * 3600 + minutes * 60 + seconds + float(f"0.{fraction or 0}")


def _frames(text: str) -> int:
    """The number of frames; 0 where the header says something that is no number."""
    if not text:
        return 1
    return int(text) if text.isdecimal() else 0


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


def _b_value(its: Values) -> float | None:
    """Diffusion weighting in s/mm²: the standard's element, else the maker's."""
    binary = (
        its.binary(Tag.B_VALUE, "d", 1)
        or its.binary(Tag.B_VALUE_PHILIPS, "f", 1)
        or its.binary(Tag.B_VALUE_UIH, "d", 1)
    )
    if binary:
        return binary[0]
    siemens = its.number(Tag.B_VALUE_SIEMENS)
    if siemens is not None:
        return siemens
    ge = its.number(Tag.B_VALUE_GE)
    return None if ge is None else ge % 1e6  # GE adds 10^9 to mark newer versions


def _gradient(its: Values) -> tuple[float, ...] | None:
    """Diffusion gradient direction, only used to tell volumes apart."""
    packed = (
        its.binary(Tag.GRADIENT, "d", 3)
        or its.binary(Tag.GRADIENT_SIEMENS, "d", 3)
        or its.binary(Tag.GRADIENT_UIH, "d", 3)
    )
    if packed:
        return packed
    ge = [its.number(t) for t in (Tag.GRADIENT_X_GE, Tag.GRADIENT_Y_GE, Tag.GRADIENT_Z_GE)]
    return None if None in ge else tuple(value for value in ge if value is not None)
