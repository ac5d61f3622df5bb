"""Directions in the body as letters: L left, R right, P posterior, A anterior, H head, F feet.

As DICOM writes them in PatientOrientation (PS3.3 C.7.6.1.1.1): the nearest direction first, then
others that share in it.
"""

from collections.abc import Sequence
from typing import Final

from napari_medlabel.core.geometry import FloatArray

__all__ = ["WORDS", "contradicts", "letters", "position_words", "vector"]

WORDS: Final = {
    "L": "left", "R": "right", "P": "back", "A": "front", "H": "head", "F": "feet",
}  # fmt: skip
_AXES: Final = ("LR", "PA", "HF")  # towards which x, y and z of LPS grow, and where from
_LEAST: Final = 0.087  # the sine of 5 degrees: less than that is not told
_TOO_FAR: Final = 0.5  # the cosine of 60 degrees; the nearest of three axes is within 54.7
_FIRST: Final = {
    "HF": "head first", "FF": "feet first", "LF": "left first", "RF": "right first",
    "AF": "front first", "PF": "back first",
}  # fmt: skip
_LYING: Final = {
    "S": "supine", "P": "prone",
    "DR": "lying on the right side", "DL": "lying on the left side",
}  # fmt: skip


def letters(direction: Sequence[float] | FloatArray) -> str:
    """Where a direction (a unit vector in LPS) leads: "L", or "LP" where it is oblique."""
    cosines = [round(float(cosine), 6) for cosine in direction]
    order = sorted((0, 1, 2), key=lambda axis: -abs(cosines[axis]))
    told = [axis for axis in order if abs(cosines[axis]) > _LEAST]
    return "".join(_AXES[axis][cosines[axis] < 0] for axis in told)


def vector(letter: str) -> tuple[float, float, float]:
    """The unit vector, in LPS, of one letter."""
    axis = next(n for n, pair in enumerate(_AXES) if letter in pair)
    sign = 1.0 if _AXES[axis][0] == letter else -1.0
    return (sign * (axis == 0), sign * (axis == 1), sign * (axis == 2))


def contradicts(told: str, direction: Sequence[float] | FloatArray) -> bool:
    """True where the first of these letters is none that the direction can have."""
    if not told or not set(told) <= set(WORDS):
        return False  # of an animal, or no letters at all
    named = vector(told[0])
    return sum(named[axis] * float(direction[axis]) for axis in (0, 1, 2)) < _TOO_FAR


def position_words(code: str) -> str:
    """What a patient position (PS3.3 C.7.3.1.1.2) means: "head first, supine"; else ""."""
    first, lying = _FIRST.get(code[:2], ""), _LYING.get(code[2:], "")
    return f"{first}, {lying}" if first and lying else ""
