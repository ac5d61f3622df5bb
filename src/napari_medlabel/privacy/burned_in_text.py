"""What counts as text that may identify: sure enough, long enough, and no mark of the picture."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from napari_medlabel.privacy.burned_in_engine import Reading

__all__ = ["LEAST_SCORE", "LEAST_SCORE_LOCALLY", "Spot", "counts", "fits", "kind_of", "merged"]

LEAST_SCORE: Final = 0.7
LEAST_SCORE_LOCALLY: Final = 0.8  # where each value is shown beside its surroundings: noise too
_LEAST_LETTERS: Final = 2  # different ones
_MONOTONOUS: Final = 0.75  # of the letters are the same
_SURE: Final = 0.9
_THICK: Final = 0.12  # of the picture's shorter side: larger than letters usually are
_THICKEST: Final = 0.5  # of the picture's shorter side, and of its area: no line of text
_LARGEST: Final = 0.3
_OVERLAP: Final = 0.4  # of the smaller box, for two readings of one text

# Where the patient's sides are, which way is up, and scales: nobody is known by them.
_MARK: Final = re.compile(
    r"""
    [RLAPHFSI]{1,3} | LEFT | RIGHT | LT | RT | ANT | POST | SUP | INF | HEAD | FEET | HFS | FFS
    | (SEMI-?\s?)? UPRIGHT | SUPINE | PRONE | ERECT | PORTABLE | AP | PA | LAT
    | \d{0,4} ([.,]\d{1,2})? \s? (CM|MM|UM|µM) | [\d\s|.]{1,3}
    """,
    re.VERBOSE | re.IGNORECASE,
)


_DATE: Final = re.compile(
    r"(\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./-]\d{1,2}[./-]\d{1,2}|(19|20)\d{6})"
)
_TIME: Final = re.compile(r"\b\d{1,2}:\d{2}(:\d{2})?\b")
_KINDS: Final = ("a date", "a time", "a number", "a name")  # the most telling first


def kind_of(text: str) -> str:
    """What a text looks like, for a person who decides about it; not what it says.

    One of "a date", "a time", "a number", "a name"; of words nobody knows more than that.
    """
    if _DATE.search(text):
        return "a date"
    if _TIME.search(text):
        return "a time"
    letters = [one for one in text if one.isalnum()]
    digits = sum(one.isdigit() for one in letters)
    return "a number" if 2 * digits > len(letters) else "a name"


def counts(
    reading: Reading, *, least_score: float = LEAST_SCORE, allow_marks: bool = False
) -> bool:
    """Whether a reading is reported.

    Parameters
    ----------
    reading
        Of a picture.
    least_score
        It must be surer than this.
    allow_marks
        Whether letters of the sides and scale bars may stay.
    """
    letters = Counter(filter(str.isalnum, reading.text.casefold()))
    if reading.score <= least_score or len(letters) < _LEAST_LETTERS:
        return False
    # Rows of round things are read as "00000" and "999998"; numbers with many zeros, surely.
    is_monotonous = max(letters.values()) > _MONOTONOUS * letters.total()
    if is_monotonous and reading.score < _SURE:
        return False
    words = re.split(r"[\s:;,\[\]()/]+", reading.text.strip())
    is_mark = all(_MARK.fullmatch(word) for word in words if word)
    return not (allow_marks and is_mark)


def fits(reading: Reading, shape: tuple[int, int]) -> bool:
    """Whether a reading has the size of a line of text in a picture of these rows and columns.

    A whole head is now and then read as one round letter, and a row of heads as a number; but
    letters as large as that, where they are letters, are read surely.
    """
    width, height = reading.right - reading.left, reading.bottom - reading.top
    if min(width, height) > _THICK * min(shape) and reading.score < _SURE:
        return False
    is_thickest = min(width, height) > _THICKEST * min(shape)
    return not (is_thickest and width * height > _LARGEST * shape[0] * shape[1])


@dataclass(slots=True)
class Spot:
    """One place of a stack at which text was read, with where it was: frames, projections."""

    left: float
    top: float
    right: float
    bottom: float
    score: float
    frames: set[int]
    projections: set[str]
    kinds: set[str] = field(default_factory=set)

    @property
    def kind(self) -> str:
        """What it looks like; the most telling of what was read there."""
        return next((one for one in _KINDS if one in self.kinds), "")

    def overlaps(self, other: Reading) -> bool:
        """Whether a reading is of the same place."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        if width <= 0 or height <= 0:
            return False
        areas, heights, middles = (
            (of(self), of(other)) for of in (_area, lambda o: o.bottom - o.top, _middle)
        )
        is_one_line = abs(middles[0] - middles[1]) < 0.5 * min(heights)
        return is_one_line and width * height > _OVERLAP * min(areas)

    def take(self, other: Reading) -> None:
        """Grow over a reading of the same place."""
        self.left, self.top = min(self.left, other.left), min(self.top, other.top)
        self.right, self.bottom = max(self.right, other.right), max(self.bottom, other.bottom)
        self.score = max(self.score, other.score)
        self.kinds.add(kind_of(other.text))


def _area(one: "Spot | Reading") -> float:
    return (one.right - one.left) * (one.bottom - one.top)


def _middle(one: "Spot | Reading") -> float:
    return (one.top + one.bottom) / 2.0


def merged(found: list[tuple[int | str, Reading]]) -> list[Spot]:
    """Readings of frames (by number) and projections (by name) as places, in reading order."""
    spots: list[Spot] = []
    for where, reading in sorted(found, key=lambda one: (one[1].top, one[1].left)):
        spot = next((one for one in spots if one.overlaps(reading)), None)
        if spot is None:
            place = (reading.left, reading.top, reading.right, reading.bottom)
            spot = Spot(*place, reading.score, set(), set())
            spots.append(spot)
        spot.take(reading)
        if isinstance(where, int):
            spot.frames.add(where)
        else:
            spot.projections.add(where)
    return spots
