"""What is known of where a volume's slices are, with the numbers: told, and never corrected."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

import numpy as np

from napari_medlabel.core.directions import WORDS, letters, position_words
from napari_medlabel.core.geometry import Geometry, Index, Spacing

__all__ = ["Duplicate", "GeometryReport", "Missing", "Step", "plain"]

_STRAIGHT: Final = 1e-4  # a shear that the rounding of headers may make
_LEAST_DEG: Final = 0.006


@dataclass(frozen=True, slots=True)
class Step:
    """Millimetres from one slice to the next, or of a pair's overlap.

    `at_mm` is where the lower one is along the normal.
    """

    at_mm: float
    mm: float


@dataclass(frozen=True, slots=True)
class Missing:
    """Slices that are missing between two, which are so many mm along the normal."""

    after_mm: float
    before_mm: float
    slices: int


@dataclass(frozen=True, slots=True)
class Duplicate:
    """More than one slice at one place; `slices` counts all of them."""

    at_mm: float
    slices: int


@dataclass(frozen=True, slots=True)
class GeometryReport:
    """Where a volume's slices are. Places are millimetres along the slices' normal.

    Parameters
    ----------
    slices
        How many there are, copies of a place included.
    shape, spacing_mm
        Of the grid, along k, j, i; None where there is none. Where the stack is tilted the
        spacing along k is longer than `step_mm`, since k leads from slice to slice.
    why_none
        What keeps the slices from being one grid.
    step_mm
        From slice to slice along the normal, where all are equal to 0.02 mm.
    steps
        Every step, where they are not.
    tilt_deg, shear
        The angle between the direction of the stack and the slices' normal, and its tangent.
    skew_deg
        How far rows and columns are from being at right angles.
    plane, obliquity_deg
        The body's plane nearest to the slices, and the largest angle between an axis of the
        slices and the body's axis nearest to it.
    deviation_deg
        The largest angle between any slice's rows or columns and the first slice's.
    missing, duplicates, beside_mm
        Where slices are missing, are several at one place, or lie side by side at one height.
    thickness_mm
        The thinnest and the thickest slice, as the header says.
    window_gap_mm
        The smallest and the largest gap between neighbouring slices of that thickness; negative
        where they overlap.
    overlaps
        Which pairs overlap, and by how much, where not all do alike.
    pixel_mm
        From row to row and from column to column; None where not known.
    rescales
        How many pairs of slope and intercept the slices have.
    patient_position
        The header's code, "HFS"; "" where it says nothing.
    runs_to
        Letters of where rows (from column to column), columns (from row to row) and slices lead.
    told_orientation
        The letters that the header gives rows and columns by itself (PatientOrientation).
    laterality
        The header's "R" or "L"; "" where it says nothing.
    """

    slices: int
    shape: Index | None = None
    spacing_mm: Spacing | None = None
    why_none: str = ""
    step_mm: float | None = None
    steps: tuple[Step, ...] = ()
    tilt_deg: float = 0.0
    shear: float = 0.0
    skew_deg: float = 0.0
    plane: str = ""
    obliquity_deg: float | None = None
    deviation_deg: float = 0.0
    missing: tuple[Missing, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    beside_mm: tuple[float, ...] = ()
    thickness_mm: tuple[float, float] | None = None
    window_gap_mm: tuple[float, float] | None = None
    overlaps: tuple[Step, ...] = ()
    pixel_mm: tuple[float, float] | None = None
    rescales: int = 0
    patient_position: str = ""
    runs_to: tuple[str, ...] = ()
    told_orientation: tuple[str, ...] = ()
    laterality: str = ""

    @classmethod
    def of_grid(cls, geometry: Geometry) -> "GeometryReport":
        """What a grid alone says: that of a file which holds no slices of their own."""
        through, down, across = (geometry.direction[:, n] for n in (0, 1, 2))
        normal = np.cross(across, down)
        normal *= np.sign(normal @ through) / np.linalg.norm(normal)
        rise = float(normal @ geometry.lps_from_kji[:3, 0])
        lean = through - (through @ normal) * normal  # what of k lies in the slices' plane
        shear = float(np.linalg.norm(lean) / (through @ normal))
        skew = float(np.degrees(np.arcsin(np.clip(across @ down, -1.0, 1.0))))
        return cls(
            slices=geometry.shape[0],
            shape=geometry.shape,
            spacing_mm=geometry.spacing_mm,
            step_mm=rounded(rise),
            tilt_deg=_angle(np.degrees(np.arctan(shear))),
            shear=0.0 if shear < _STRAIGHT else round(shear, 6),
            skew_deg=_angle(abs(skew)),
            plane=("sagittal", "coronal", "axial")[int(np.abs(normal).argmax())],
            obliquity_deg=_angle(geometry.obliquity_deg),
            pixel_mm=geometry.spacing_mm[1:],
            runs_to=(letters(across), letters(down), letters(through)),
        )

    @property
    def is_even(self) -> bool:
        """True where all slices are one step apart."""
        return self.step_mm is not None

    @property
    def is_square(self) -> bool:
        """True where rows are as far apart as columns, to 1 in 10,000."""
        if self.pixel_mm is None:
            return True
        down, across = self.pixel_mm
        return abs(down - across) <= 1e-4 * max(down, across)

    def document(self) -> dict[str, Any]:
        """The report as JSON-ready values."""
        document: dict[str, Any] = plain(asdict(self))
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "GeometryReport":
        """The report that `document` wrote; what a newer program added is left out.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is none.
        """
        known = {field.name for field in fields(cls)}
        facts: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in document.items()
            if key in known
        }
        for key, part in (
            ("steps", Step),
            ("missing", Missing),
            ("duplicates", Duplicate),
            ("overlaps", Step),
        ):
            facts[key] = tuple(part(**entry) for entry in facts.get(key, ()))
        return cls(**facts)

    def lines(self) -> list[str]:
        """The report for people, one fact a line; what is as it should be is told, too."""
        return [
            f"grid: {self._grid_words()}",
            f"spacing between slices: {self._step_words()}",
            f"tilt: {self._tilt_words()}",
            f"orientation: {self._orientation_words()}",
            *(f"missing: {words}" for words in self._missing_words()),
            *(f"at one place: {d.slices} slices at {d.at_mm:.2f} mm" for d in self.duplicates),
            *(f"side by side: slices at {height:.2f} mm" for height in self.beside_mm),
            *([f"slice thickness: {words}"] if (words := self._thickness_words()) else []),
            *([f"pixels: {words}"] if (words := self._pixel_words()) else []),
            *([f"rescale: {self.rescales} pairs of slope and intercept"] * (self.rescales > 1)),
            *([f"patient: {words}"] if (words := self._patient_words()) else []),
        ]

    def _grid_words(self) -> str:
        if self.shape is None or self.spacing_mm is None:
            return f"none, {self.why_none or 'the slices are not one regular grid'}"
        return f"{_by(self.shape)} voxels of {_by(self.spacing_mm)} mm (slices, rows, columns)"

    def _step_words(self) -> str:
        if self.step_mm is not None:
            return f"{self.step_mm:.4g} mm"
        if not self.steps:
            return "not known"
        counts = Counter(f"{step.mm:.2f}" for step in self.steps)
        if len(counts) <= 5:
            parts = [f"{count} of {mm} mm" for mm, count in counts.most_common()]
            return f"uneven, {', '.join(parts)}"
        sizes = [step.mm for step in self.steps]
        return f"uneven, {min(sizes):.3f} to {max(sizes):.3f} mm"

    def _tilt_words(self) -> str:
        skew = f"rows and columns are {self.skew_deg:.1f} degrees off a right angle"
        parts = [f"{self.tilt_deg:.1f} degrees (shear {self.shear:.3f})"] * (self.tilt_deg > 0.0)
        return ", ".join(parts + [skew] * (self.skew_deg > 0.0)) or "none"

    def _orientation_words(self) -> str:
        words = [self.plane or "not known"]
        if self.obliquity_deg:
            words.append(f"{self.obliquity_deg:.1f} degrees oblique")
        if self.deviation_deg:
            words.append(f"slices differ by {self.deviation_deg:.3f} degrees")
        named = zip(("rows", "columns", "slices"), self.runs_to, strict=False)
        words += [f"{name} run to {_towards(told)}" for name, told in named]
        return ", ".join(words)

    def _missing_words(self) -> list[str]:
        return [
            f"{gap.slices} between {gap.after_mm:.2f} and {gap.before_mm:.2f} mm"
            for gap in self.missing
        ]

    def _thickness_words(self) -> str:
        if self.thickness_mm is None:
            return ""
        words = f"{_span(self.thickness_mm)} mm"
        if self.window_gap_mm is None:
            return words
        low, high = self.window_gap_mm
        parts = [f"gaps of up to {high:.2f} mm"] * (high > 0.005)
        parts += [f"overlaps of up to {-low:.2f} mm"] * (low < -0.005)
        return f"{words}, {' and '.join(parts) or 'slices touch'}"

    def _pixel_words(self) -> str:
        if self.pixel_mm is None or self.is_square:
            return ""
        down, across = self.pixel_mm
        return f"not square, {down:.4g} mm from row to row, {across:.4g} mm from column to column"

    def _patient_words(self) -> str:
        position = position_words(self.patient_position)
        sides = {"L": "left side of the body", "R": "right side of the body"}
        parts = [f"{position} ({self.patient_position})"] * bool(position)
        return ", ".join([*parts, *filter(None, [sides.get(self.laterality)])])


def _angle(degrees: float) -> float:
    """To 0.001 degree, and 0 where headers' rounding may have made it."""
    return 0.0 if degrees < _LEAST_DEG else round(float(degrees), 3)


def rounded(mm: float) -> float:
    """A length to 0.1 micrometre: headers hold no more."""
    return round(float(mm), 4) + 0.0


def plain(value: Any) -> Any:  # noqa: ANN401  # any tree of values
    """The same tree with lists in place of tuples: as it comes back from JSON."""
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    return [plain(entry) for entry in value] if isinstance(value, list | tuple) else value


def _by(numbers: tuple[float, ...]) -> str:
    return " x ".join(f"{number:.4g}" for number in numbers)


def _span(pair: tuple[float, float]) -> str:
    low, high = pair
    return f"{low:.2f}" if high - low < 0.005 else f"{low:.2f} to {high:.2f}"


def _towards(told: str) -> str:
    return " and ".join(WORDS[letter] for letter in told) or "an unknown direction"
