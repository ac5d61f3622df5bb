"""Raw element values as text and numbers."""

import struct
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import Final, Literal

from napari_medlabel.formats.dicom_tags import Tag

__all__ = ["Values"]

# Nothing in or around a body is outside: such numbers are no lengths.
_FAR_MM: Final = 1e5
_TINY_MM: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Values:
    """Raw element values, as text and numbers; what cannot be understood is not there."""

    values: dict[int, bytes]
    order: Literal["little", "big"]

    def raw(self, tag: int) -> bytes:
        """The bytes as they are; none where the element is not there."""
        return self.values.get(tag, b"")

    def text(self, tag: int) -> str:
        """Text without padding."""
        raw = self.values.get(tag)
        return raw.decode("latin-1").strip(" \0") if raw else ""

    def number(self, tag: int) -> float | None:
        """The first of one or more decimal strings (VR DS, IS)."""
        raw = self.values.get(tag)
        parsed = _decimals(raw) if raw else ()
        return parsed[0] if parsed else None

    def numbers(self, tag: int, count: int) -> tuple[float, ...] | None:
        """Exactly so many decimal strings."""
        raw = self.values.get(tag)
        parsed = _decimals(raw) if raw else ()
        return parsed if len(parsed) == count else None

    def whole(self, tag: int) -> int:
        """An unsigned number of two or four bytes (VR US, UL); 0 where there is none."""
        raw = self.values.get(tag)
        return int.from_bytes(raw, self.order) if raw and len(raw) in {2, 4} else 0

    def double(self, tag: int) -> float | None:
        """The first of one or more IEEE doubles (VR FD)."""
        raw = self.values.get(tag, b"")
        packed = self.binary(tag, "d", len(raw) // 8) if raw else None
        return packed[0] if packed and isfinite(packed[0]) else None

    def pieces(self, tag: int) -> tuple[str, ...]:
        """The values of a text element."""
        return _pieces(self.raw(tag))

    def position(self) -> tuple[float, ...] | None:
        """ImagePositionPatient, mm."""
        return _sensible(self.numbers(Tag.POSITION, 3), -_FAR_MM, _FAR_MM)

    def orientation(self) -> tuple[float, ...] | None:
        """ImageOrientationPatient."""
        return _sensible(self.numbers(Tag.ORIENTATION, 6), -2.0, 2.0)

    def pixel_spacing(self) -> tuple[float, ...] | None:
        """PixelSpacing: from row to row and from column to column, mm."""
        return _sensible(self.numbers(Tag.PIXEL_SPACING, 2), _TINY_MM, _FAR_MM)

    def window(self) -> tuple[float, float] | None:
        """Width and centre of the first grey range."""
        return _window(self.number(Tag.WINDOW_WIDTH), self.number(Tag.WINDOW_CENTER))

    def private_scale(self) -> tuple[float, float] | None:
        """Philips's own slope and intercept, beside the standard's."""
        slope = self.binary(Tag.SCALE_SLOPE_PHILIPS, "f", 1)
        intercept = self.binary(Tag.SCALE_INTERCEPT_PHILIPS, "f", 1)
        if slope is None or not isfinite(slope[0]) or slope[0] == 0:
            return None
        return slope[0], intercept[0] if intercept and isfinite(intercept[0]) else 0.0

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


def _window(width: float | None, center: float | None) -> tuple[float, float] | None:
    return None if width is None or center is None or width <= 0 else (width, center)
