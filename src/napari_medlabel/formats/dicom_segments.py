"""What a DICOM object says of a segment: its codes, colour, tracking and how it was made.

Segment Description, PS3.3 C.8.20.4. Everything here may be missing.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from pydicom.charset import convert_encodings, decode_bytes

from napari_medlabel.core.schema import PALETTE, Code, Label
from napari_medlabel.errors import InputError
from napari_medlabel.formats.dicom_sequence import Item

__all__ = ["SEGMENT_TAGS", "Segment", "cielab_of", "code_of", "rgb_of", "segments_of", "told"]

_VALUE, _SCHEME, _MEANING = 0x00080100, 0x00080102, 0x00080104
_LONG_VALUE, _URN_VALUE = 0x00080119, 0x00080120
_REGION = 0x00082218
_TRACKING_ID, _TRACKING_UID = 0x00620020, 0x00620021
_CATEGORY, _NUMBER, _LABEL, _DESCRIPTION = 0x00620003, 0x00620004, 0x00620005, 0x00620006
_ALGORITHM_TYPE, _ALGORITHM_NAME, _COLOR = 0x00620008, 0x00620009, 0x0062000D
_TYPE, _MODIFIERS = 0x0062000F, 0x00620011

SEGMENT_TAGS: Final = frozenset({
    _VALUE, _SCHEME, _MEANING, _LONG_VALUE, _URN_VALUE, _REGION, _TRACKING_ID, _TRACKING_UID,
    _CATEGORY, _NUMBER, _LABEL, _DESCRIPTION, _ALGORITHM_TYPE, _ALGORITHM_NAME, _COLOR, _TYPE,
    _MODIFIERS,
})  # fmt: skip
_ALGORITHM_TYPES: Final = frozenset({"MANUAL", "SEMIAUTOMATIC", "AUTOMATIC"})
BACKGROUND: Final = ("125040", "DCM")  # CID 7150 of label maps: what no segment is
_MOST_TOLD: Final = 5
_MOST_NAMED: Final = 64  # characters: VR LO

# sRGB, IEC 61966-2-1, with the white of D65. PS3.3 C.10.7.1.1 takes that of D50; dcmqi, DCMTK,
# 3D Slicer and OHIF take D65, and colours shall look as they do there.
_XYZ_FROM_RGB: Final = np.array([
    [0.4124564, 0.3575761, 0.1804375],
    [0.2126729, 0.7151522, 0.0721750],
    [0.0193339, 0.1191920, 0.9503041],
])  # fmt: skip
_WHITE: Final = np.array([0.95047, 1.0, 1.08883])


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of a DICOM segmentation, or one structure of an RT structure set.

    `label` and `description` are words of whoever wrote the file: shown, never logged.

    Parameters
    ----------
    number
        From 1 to 65535; what frames and contours refer to.
    label, description
        For people; may be empty.
    color
        "#RRGGBB", or "" where none is recommended.
    code, category, modifiers, region
        As in `Label`.
    algorithm, algorithm_name
        "MANUAL", "SEMIAUTOMATIC", "AUTOMATIC" or "", and what made it.
    tracking_id, tracking_uid
        Which finding it is, over time.
    """

    number: int
    label: str = ""
    description: str = ""
    color: str = ""
    code: Code | None = None
    category: Code | None = None
    modifiers: tuple[Code, ...] = ()
    region: Code | None = None
    algorithm: str = ""
    algorithm_name: str = ""
    tracking_id: str = ""
    tracking_uid: str = ""

    @property
    def words(self) -> str:
        """Its number and, where that is a public term, what it is: fit for an error."""
        if self.code is None or self.code.scheme not in {"SCT", "SRT", "DCM", "FMA"}:
            return str(self.number)
        return f"{self.number} ({_printable(self.code.meaning)})"

    def as_label(self, value: int | None = None) -> Label:
        """The label of a schema for it; its number is the value unless another is given."""
        name = _printable(self.label).strip()
        color = self.color or PALETTE[(self.number - 1) % len(PALETTE)]
        return Label(
            self.number if value is None else value,
            name[:_MOST_NAMED] or f"Segment {self.number}",
            color, self.code, self.category, self.modifiers, self.region,
        )  # fmt: skip


def _printable(text: str) -> str:
    return "".join(filter(str.isprintable, text))


def segments_of(
    items: Sequence[Item], character_set: bytes, colors: Mapping[int, str]
) -> tuple[tuple[Segment, ...], frozenset[int]]:
    """The segments of a Segment Sequence, and the numbers that stand for background.

    Parameters
    ----------
    items
        With the `SEGMENT_TAGS`, little endian.
    character_set
        SpecificCharacterSet, raw.
    colors
        Colours of numbers, where an item has none.

    Raises
    ------
    InputError
        If two have one number, or one has none, or 0 stands for something.
    """
    decode = _Text(character_set)
    segments = [_segment(item, decode, colors) for item in items]
    found = [one for one in segments if not _is_background(one.code)]
    numbers = [one.number for one in found]
    if len(set(numbers)) < len(numbers):
        raise InputError("two of its segments have the same number")
    if 0 in numbers:
        raise InputError("one of its segments has the number 0, which is background")
    background = {0, *(one.number for one in segments if _is_background(one.code))}
    return tuple(found), frozenset(background - set(numbers))


def told(segments: Sequence[Segment], overlaps: Mapping[tuple[int, int], int]) -> str:
    """Which segments overlap, in words fit for an error; of many the worst."""
    words = {segment.number: segment.words for segment in segments}
    worst = sorted(overlaps.items(), key=lambda item: (-item[1], item[0]))
    parts = [f"{words[a]} and {words[b]} in {count} voxels" for (a, b), count in worst[:_MOST_TOLD]]
    more = len(overlaps) - len(parts)
    return ", ".join(parts) + (f" and {more} more" if more else "")


def rgb_of(cielab: Sequence[int]) -> str:
    """#RRGGBB of a RecommendedDisplayCIELabValue: three whole numbers from 0 to 65535."""
    lightness, a, b = (np.asarray(cielab) / 65535.0 * [100.0, 255.0, 255.0]) - [0.0, 128.0, 128.0]
    fy = (lightness + 16.0) / 116.0
    cubed = np.array([fy + a / 500.0, fy, fy - b / 200.0])
    edge = 6.0 / 29.0
    xyz = _WHITE * np.where(cubed > edge, cubed**3, 3 * edge**2 * (cubed - 4.0 / 29.0))
    linear = np.clip(np.linalg.solve(_XYZ_FROM_RGB, xyz), 0.0, 1.0)
    companded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1.0 / 2.4) - 0.055)
    red, green, blue = np.rint(companded * 255.0).astype(int)
    return f"#{red:02X}{green:02X}{blue:02X}"


def cielab_of(color: str) -> tuple[int, int, int]:
    """The RecommendedDisplayCIELabValue of #RRGGBB."""
    companded = np.array([int(color[n : n + 2], 16) for n in (1, 3, 5)]) / 255.0
    linear = np.where(companded <= 0.04045, companded / 12.92, ((companded + 0.055) / 1.055) ** 2.4)
    ratio = _XYZ_FROM_RGB @ linear / _WHITE
    edge = 6.0 / 29.0
    f = np.where(ratio > edge**3, np.cbrt(ratio), ratio / (3 * edge**2) + 4.0 / 29.0)
    lab = np.array([116.0 * f[1] - 16.0, 500.0 * (f[0] - f[1]), 200.0 * (f[1] - f[2])])
    scaled = (lab + np.array([0.0, 128.0, 128.0])) / [100.0, 255.0, 255.0] * 65535.0
    lightness, a, b = np.clip(np.rint(scaled), 0, 65535).astype(int)
    return int(lightness), int(a), int(b)


def code_of(item: Item, decode: "_Text | None" = None) -> Code | None:
    """The coded term of an item; None without a value. PS3.3 table 8.8-1."""
    text = decode or _Text(b"")
    value = next(
        (text(item[tag]) for tag in (_VALUE, _LONG_VALUE, _URN_VALUE) if text(item.get(tag))), ""
    )
    return Code(value, text(item.get(_SCHEME)), text(item.get(_MEANING))) if value else None


class _Text:
    """Decodes text of a header's own character set; unknown bytes are shown as such."""

    def __init__(self, character_set: bytes) -> None:
        names = character_set.decode("latin-1").strip(" \0").split("\\")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a name that is not known
            try:
                self._encodings = convert_encodings([name.strip() for name in names])
            except (LookupError, ValueError):
                self._encodings = ["latin-1"]

    def __call__(self, raw: Any) -> str:  # noqa: ANN401  # an element's bytes; else nothing
        if not isinstance(raw, bytes):
            return ""
        if raw.isascii():
            return raw.decode("ascii").strip(" \0")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return decode_bytes(raw, self._encodings, set()).strip(" \0")
        except (LookupError, ValueError):
            return raw.decode("latin-1").strip(" \0")


def _segment(item: Item, text: _Text, colors: Mapping[int, str]) -> Segment:
    raw = item.get(_NUMBER)
    if not isinstance(raw, bytes) or len(raw) != 2:
        raise InputError("one of its segments has no number")
    number = int.from_bytes(raw, "little")
    kinds = _items(item, _TYPE)
    modifiers = [code_of(one, text) for kind in kinds[:1] for one in _items(kind, _MODIFIERS)]
    algorithm = text(item.get(_ALGORITHM_TYPE))
    return Segment(
        number=number,
        label=text(item.get(_LABEL)),
        description=text(item.get(_DESCRIPTION)),
        color=_color(item.get(_COLOR)) or colors.get(number, ""),
        code=_first_code(kinds, text),
        category=_first_code(_items(item, _CATEGORY), text),
        modifiers=tuple(code for code in modifiers if code is not None),
        region=_first_code(_items(item, _REGION), text),
        algorithm=algorithm if algorithm in _ALGORITHM_TYPES else "",
        algorithm_name=text(item.get(_ALGORITHM_NAME)),
        tracking_id=text(item.get(_TRACKING_ID)),
        tracking_uid=text(item.get(_TRACKING_UID)),
    )


def _is_background(code: Code | None) -> bool:
    return code is not None and (code.value, code.scheme) == BACKGROUND


def _items(item: Item, tag: int) -> Sequence[Item]:
    value = item.get(tag)
    return value if isinstance(value, list) else ()


def _first_code(items: Sequence[Item], text: _Text) -> Code | None:
    return code_of(items[0], text) if items else None


def _color(raw: Any) -> str:  # noqa: ANN401  # an element's bytes; else nothing
    if not isinstance(raw, bytes) or len(raw) != 6:
        return ""
    return rgb_of([int(n) for n in np.frombuffer(raw, "<u2")])
