"""What the chips of previews put aside say, as values; no Qt."""

from dataclasses import dataclass
from typing import Final

from napari_medlabel.ui.state import NONE, volume_words

__all__ = ["KeptRow", "change_words", "kept_words"]

MINUS: Final = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class KeptRow:
    """A preview that waits out of sight.

    Parameters
    ----------
    segment, color
        Whose it is.
    what
        What made it: "Interpolate".
    ml
        How large it is, with its unit.
    """

    segment: str
    color: str
    what: str
    ml: str


def kept_words(row: KeptRow) -> str:
    """What a chip says: "Liver: preview, 18.2 mL", "Liver: interpolate, 3.1 mL"."""
    return f"{row.segment}: {row.what[0].lower()}{row.what[1:]}, {row.ml}"


def change_words(ml: float) -> str:
    """A change in millilitres, with its sign: "+1.30"; "" where there is none to speak of."""
    words = volume_words(abs(ml))
    if words in {NONE, "0.00"}:
        return ""
    return f"{'+' if ml > 0 else MINUS}{words}"
