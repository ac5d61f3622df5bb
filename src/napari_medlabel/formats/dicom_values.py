"""What stored values mean: the type of a voxel, its unit, and how it is rescaled."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.volume import Window
from napari_medlabel.decoding.stored_bits import value_range
from napari_medlabel.errors import InputError
from napari_medlabel.formats.dicom_instance import InstanceFacts

__all__ = [
    "TooNarrow",
    "check_fits",
    "has_wide_padding",
    "rescale",
    "unit_of",
    "voxel_type",
    "window_of",
]

_SMALL_SHIFT: Final = 8192  # HU are stored with an intercept of -1024, sometimes -8192
_UNITS: Final = frozenset(
    {"HU", "OD", "MGML", "BQML", "CNTS", "GML", "PROPCPS", "PCNT"}
)  # PS3.3 C.8.9.1


class TooNarrow(InputError):
    """A value does not fit the voxel type that the headers suggested: open with `wide=True`."""


def check_fits(k: int, stored: npt.NDArray[Any], facts: InstanceFacts) -> None:
    """Hold the slice's values against int16, where the header alone does not do so."""
    shift = int(facts.intercept or 0)
    low, high = _rescaled_range(facts)
    if low < -32768 and int(stored.min()) + shift < -32768:
        raise TooNarrow(f"slice {k + 1} has values below 16 bits")
    if high > 32767 and int(stored.max()) + shift > 32767:
        raise TooNarrow(f"slice {k + 1} has values beyond 16 bits")


def rescale(stored: npt.NDArray[Any], facts: InstanceFacts, out: npt.NDArray[Any]) -> None:
    """Write stored x slope + intercept; `stored` may be the memory of `out`."""
    slope = 1.0 if facts.slope is None else facts.slope
    intercept = facts.intercept or 0.0
    if not np.may_share_memory(stored, out):
        np.copyto(out, stored, casting="unsafe")
    kind = out.dtype.type
    if slope != 1.0:
        np.multiply(out, kind(slope), out=out)
    if intercept != 0.0:
        np.add(out, kind(intercept), out=out)


def voxel_type(parts: tuple[InstanceFacts, ...], *, wide: bool) -> np.dtype[Any]:
    """The smallest type that holds every value to expect; if `wide`, every possible one."""
    distinct = {_meaning(facts): facts for facts in parts}.values()
    if not all(_is_integral(facts) for facts in distinct):
        return np.dtype(np.float32)
    if not wide and all(_is_ct_of_16_bits(facts) for facts in distinct):
        return np.dtype(np.int16)
    ranges = [_rescaled_range(facts) for facts in distinct]
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    # Slope and intercept are of the voxels' type, too, when they are applied.
    is_upward = all((f.slope or 1.0) > 0 and (f.intercept or 0.0) >= 0 for f in distinct)
    for dtype in (np.int16, np.uint16, np.int32) if is_upward else (np.int16, np.int32):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return np.dtype(dtype)
    return np.dtype(np.float64)


def _is_integral(facts: InstanceFacts) -> bool:
    return all(float(v).is_integer() for v in (facts.slope or 1.0, facts.intercept or 0.0))


def _is_ct_of_16_bits(facts: InstanceFacts) -> bool:
    """True for HU that use all bits of a stored value, shifted a little."""
    is_shifted = facts.slope in {None, 1.0} and abs(facts.intercept or 0.0) <= _SMALL_SHIFT
    return facts.modality == "CT" and facts.bits_stored <= 16 and is_shifted


def has_wide_padding(facts: InstanceFacts) -> bool:
    """True where pixel padding, rescaled, does not fit int16."""
    return any(not -32768 <= v + (facts.intercept or 0.0) <= 32767 for v in facts.padding)


def _rescaled_range(facts: InstanceFacts) -> tuple[int, int]:
    slope = 1 if facts.slope is None else int(facts.slope)
    ends = [value * slope + int(facts.intercept or 0) for value in value_range(facts)]
    return min(ends), max(ends)


def _meaning(facts: InstanceFacts) -> tuple[object, ...]:
    return facts.slope, facts.intercept, facts.signed, facts.bits_stored


def unit_of(facts: InstanceFacts) -> str:
    """What the numbers mean; a header's own word only where it is a known one."""
    if facts.unit:
        return facts.unit
    is_rescaled = facts.slope is not None or facts.intercept is not None
    if facts.modality == "CT" and facts.rescale_type in {"", "HU"} and is_rescaled:
        return "HU"
    for word in (facts.rescale_type, facts.units):
        if word in _UNITS:
            return word
    return "rescaled" if is_rescaled else "stored"


def window_of(parts: tuple[InstanceFacts, ...]) -> Window | None:
    """The grey range that the header of the middle slice asks for."""
    window = parts[len(parts) // 2].window
    return None if window is None else Window(*window)
