"""The words of the view bar and the status line: positions, values, windows; no Qt."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.volume import Window

__all__ = [
    "Readout",
    "StatusState",
    "axis_words",
    "number_words",
    "position_words",
    "readout",
    "value_words",
    "voxel_words",
    "window_words",
]

MINUS: Final = "\N{MINUS SIGN}"
FIGURE_SPACE: Final = "\N{FIGURE SPACE}"  # as wide as a digit
DIGITS: Final = 5  # of "999.9": shorter numbers are filled up, so that points stand still
# Towards which x, y and z of LPS grow, and where from: PS3.3 C.7.6.2.1.1.
_LETTERS: Final = ("LR", "PA", "HF")


@dataclass(frozen=True, slots=True)
class Readout:
    """What is under the pointer, in words; empty outside the volume.

    `second` is the value of a second image that is shown over the first.
    """

    position: tuple[str, ...] = ()
    voxel: str = ""
    value: str = ""
    segment: str = ""
    color: str = ""
    second: str = ""


@dataclass(frozen=True, slots=True)
class StatusState:
    """All that the status line shows.

    Parameters
    ----------
    under
        What is under the pointer.
    saved, saved_kind
        "All changes saved", "Saving", or "Not saved: disk is full", and which of the three.
    remedy
        The button beside what is not saved.
    overlaid
        Whether a second image is shown, so that there is a place for its value.
    engine, engine_ready
        "Engine ready · GPU · 0.3 s per click", or "" for none; whether it can answer.
    """

    under: Readout = field(default_factory=Readout)
    saved: str = ""
    saved_kind: Literal["saved", "saving", "failed"] = "saved"
    remedy: str = "Save again"
    engine: str = ""
    engine_ready: bool = True
    overlaid: bool = False


def readout(  # noqa: PLR0913  # what there is to say of a place
    geometry: Geometry, kji: Sequence[float], value: float | None = None, unit: str = "",
    segment: tuple[str, str] = ("", ""), *, second: tuple[float, str] | None = None,
) -> Readout:  # fmt: skip
    """What to say of a place in a volume.

    Parameters
    ----------
    geometry
        Of the array that is shown; any direction, sheared or not.
    kji
        The place in voxels; the centres of voxels are whole numbers. Half a voxel beyond the
        last centre the volume ends.
    value, unit
        Of the voxel there, and in what it is measured ("" for none).
    segment
        Name and colour of the segment there.
    second
        Value and unit of a second image there.
    """
    index = tuple(int(np.floor(n + 0.5)) for n in kji)
    if not all(0 <= n < size for n, size in zip(index, geometry.shape, strict=True)):
        return Readout()
    lps = geometry.lps_from_kji @ np.array([*kji, 1.0], dtype=np.float64)
    position = tuple(axis_words(axis, float(lps[axis])) for axis in range(3))
    words = "" if value is None else value_words(value, unit)
    other = "" if second is None else value_words(*second)
    return Readout(position, voxel_words(index), words, *segment, other)


def axis_words(axis: int, mm: float) -> str:
    """One coordinate of LPS (axis 0 is x), 0.1 mm, with the letter of its side: "R  14.0"."""
    tenths = f"{abs(mm):.1f}"
    letter = _LETTERS[axis][mm < 0 and float(tenths) != 0.0]
    return f"{letter} {tenths.rjust(DIGITS, FIGURE_SPACE)}"


def position_words(lps_mm: Sequence[float]) -> str:
    """A position in the patient, millimetres of LPS: "R 14.0  A 64.4  H 18.0 mm"."""
    parts = (axis_words(axis, float(lps_mm[axis])) for axis in range(3))
    return "  ".join(part.replace(FIGURE_SPACE, "") for part in parts) + " mm"


def voxel_words(kji: Sequence[int]) -> str:
    """An index as it is written in Python: "[111, 255, 299]"."""
    return f"[{', '.join(str(int(n)) for n in kji)}]"


def value_words(value: float, unit: str = "") -> str:
    """A voxel's value: "97 HU", "\N{MINUS SIGN}1024 HU", "2.351 SUVbw"; a dash for no number."""
    words = number_words(value)
    return f"{words} {unit}" if unit else words


def number_words(value: float) -> str:
    """Whole numbers whole, others with four figures."""
    value = float(value)
    if not np.isfinite(value):
        return "\N{EN DASH}"
    if value.is_integer() or abs(value) >= 1000:
        words = f"{abs(value):.0f}"
    else:
        words = f"{abs(value):#.4g}" if abs(value) >= 1e-3 else f"{abs(value):.1e}"
    return f"{MINUS}{words}" if value < 0 and float(words) != 0.0 else words


def window_words(window: Window) -> str:
    """Width and level: "W 400  L 50"."""
    return f"W {_short(window.width)}  L {_short(window.level)}"


def _short(value: float) -> str:
    words = f"{abs(value):.0f}" if abs(value) >= 1000 else f"{abs(value):.3g}"
    return f"{MINUS}{words}" if value < 0 and float(words) != 0.0 else words
