"""A geometry report as lines for people, with the slices of the open volume that they speak of."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from napari_medlabel.core.directions import WORDS, position_words
from napari_medlabel.core.geometry_report import GeometryReport, Missing
from napari_medlabel.core.volume import Volume

__all__ = [
    "DEGREE", "Bar", "Fact", "Place", "SlicePlace", "bars_of", "facts_of", "gap_places", "slice_at",
    "slices_words", "spacing_words",
]  # fmt: skip

TIMES: Final = "\N{MULTIPLICATION SIGN}"
DEGREE: Final = "\N{DEGREE SIGN}"
_ODD: Final = 0.02  # mm: how far steps that are one may differ
_ON: Final = 0.6  # of a step: how far a place may be outside the volume


@dataclass(frozen=True, slots=True)
class SlicePlace:
    """A slice of the volume as it is shown: along which axis, and its index from 0, of `count`."""

    axis: int
    index: int
    count: int

    @property
    def words(self) -> str:
        """As a link to it says."""
        return f"Slice {self.index + 1} of {self.count}"


@dataclass(frozen=True, slots=True)
class Place:
    """One place that the report names; `to` is the slice there, None where none is open."""

    words: str
    to: SlicePlace | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """One step between slices, for the picture of all of them."""

    mm: float
    odd: bool
    words: str
    to: SlicePlace | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the report, and the places that belong to it."""

    name: str
    words: str
    wrong: bool = False
    places: tuple[Place, ...] = ()


def spacing_words(spacing_mm: Sequence[float]) -> str:
    """As it is said everywhere: along columns, rows, slices."""
    k, j, i = spacing_mm
    return f"{i:.2f} {TIMES} {j:.2f} {TIMES} {k:.2f} mm"


def slice_at(volume: Volume, at_mm: float) -> SlicePlace | None:
    """The slice of an open volume at a place along its source's normal; None if outside."""
    source = volume.source
    matrix, direction = source.geometry.lps_from_kji, source.geometry.direction
    normal = np.cross(direction[:, 2], direction[:, 1])
    normal /= np.linalg.norm(normal)
    rise = float(normal @ matrix[:3, 0])
    count = source.geometry.shape[0]
    index = (at_mm - float(normal @ matrix[:3, 3]) * np.sign(rise)) / abs(rise)
    if not -_ON <= index <= count - 1 + _ON:
        return None
    own = int(np.clip(round(index), 0, count - 1))
    axis = source.axes.order.index(0)
    shown = count - 1 - own if source.axes.flipped[axis] else own
    return SlicePlace(axis, shown, count)


def facts_of(report: GeometryReport, volume: Volume | None) -> Iterable[Fact]:
    """The report, line by line; with the slices of an open volume where it names places."""
    yield Fact("Grid", *_grid(report))
    if report.spacing_mm is not None:
        yield Fact("Spacing", spacing_words(report.spacing_mm))
    elif report.pixel_mm is not None:
        yield Fact("Pixels", f"{report.pixel_mm[1]:.2f} {TIMES} {report.pixel_mm[0]:.2f} mm")
    yield Fact("From slice to slice", *_steps(report), places=_odd_places(report, volume))
    if report.missing:
        lost = sum(gap.slices for gap in report.missing)
        yield Fact(
            "Missing", slices_words(lost), wrong=True, places=gap_places(report.missing, volume)
        )
    if report.duplicates or report.beside_mm:
        yield Fact(
            "At one place", _doubled(report), wrong=True, places=_doubled_places(report, volume)
        )
    if report.thickness_mm is not None:
        yield Fact("Thickness", *_thickness(report), places=tuple(
            _place(f"{step.mm:.2f} mm shared at {step.at_mm:.2f} mm", step.at_mm, volume)
            for step in report.overlaps
        ))  # fmt: skip
    yield Fact("Tilt", *_tilt(report))
    yield Fact("Orientation", _orientation(report))
    if len(report.runs_to) == 3:
        rows, columns, slices = (_towards(told) for told in report.runs_to)
        yield Fact("Directions", f"Rows run to the {rows}, columns to the {columns}, "
                                 f"slices to the {slices}")  # fmt: skip
    yield Fact("Deviation", *_deviation(report))
    yield from _rare(report)


def _rare(report: GeometryReport) -> Iterable[Fact]:
    if not report.is_square and report.pixel_mm is not None:
        down, across = report.pixel_mm
        words = f"Not square: {across:.4g} mm between columns, {down:.4g} mm between rows"
        yield Fact("Pixel shape", words)
    if report.rescales > 1:
        yield Fact("Rescale", f"{report.rescales} pairs of slope and intercept", wrong=True)
    position = position_words(report.patient_position)
    if position:
        yield Fact("Patient", f"{position.capitalize()} ({report.patient_position})")
    side = {"L": "Left", "R": "Right"}.get(report.laterality)
    if side:
        yield Fact("Side of the body", side)


def _grid(report: GeometryReport) -> tuple[str, bool]:
    if report.shape is None:
        return f"None: {slices_words(report.slices)} that are not one regular grid", True
    k, j, i = report.shape
    return f"{slices_words(k)} of {i} {TIMES} {j} voxels", False


def _steps(report: GeometryReport) -> tuple[str, bool]:
    if report.step_mm is not None:
        return f"{report.step_mm:.4g} mm, all alike", False
    if not report.steps:
        return "One slice only" if report.slices == 1 else "Not known", False
    counts = Counter(f"{step.mm:.2f}" for step in report.steps)
    if len(counts) <= 4:
        parts = [f"{count} of {mm} mm" for mm, count in counts.most_common()]
        return f"Uneven: {', '.join(parts)}", True
    sizes = [step.mm for step in report.steps]
    return f"Uneven: {min(sizes):.2f} to {max(sizes):.2f} mm", True


def _usual(report: GeometryReport) -> float:
    sizes = Counter(round(step.mm / _ODD) for step in report.steps)
    return sizes.most_common(1)[0][0] * _ODD if sizes else 0.0


def _odd_places(report: GeometryReport, volume: Volume | None) -> tuple[Place, ...]:
    """The steps unlike the most frequent one; those that miss slices are told of on their own."""
    usual, gaps = _usual(report), {gap.after_mm for gap in report.missing}
    return tuple(
        _place(f"{step.mm:.2f} mm after {step.at_mm:.2f} mm", step.at_mm, volume)
        for step in report.steps
        if abs(step.mm - usual) > _ODD and step.at_mm not in gaps
    )


def bars_of(report: GeometryReport, volume: Volume | None) -> tuple[Bar, ...]:
    """Every step between slices that are not evenly spaced."""
    usual = _usual(report)
    return tuple(
        Bar(
            step.mm, abs(step.mm - usual) > _ODD, f"{step.mm:.2f} mm after {step.at_mm:.2f} mm",
            None if volume is None else slice_at(volume, step.at_mm),
        )
        for step in report.steps
    )  # fmt: skip


def gap_places(gaps: Iterable[Missing], volume: Volume | None) -> tuple[Place, ...]:
    """Where slices are missing, or made up; a jump leads to the middle."""
    return tuple(
        _place(
            f"{gap.slices} between {gap.after_mm:.2f} and {gap.before_mm:.2f} mm",
            (gap.after_mm + gap.before_mm) / 2.0, volume,
        )
        for gap in gaps
    )  # fmt: skip


def _doubled(report: GeometryReport) -> str:
    parts = []
    if report.duplicates:
        extra = sum(one.slices - 1 for one in report.duplicates)
        parts.append(f"{slices_words(extra)} more than places")
    if report.beside_mm:
        parts.append("slices side by side at one height")
    return ", ".join(parts).capitalize()


def _doubled_places(report: GeometryReport, volume: Volume | None) -> tuple[Place, ...]:
    doubled = [
        _place(f"{slices_words(one.slices)} at {one.at_mm:.2f} mm", one.at_mm, volume)
        for one in report.duplicates
    ]
    beside = [_place(f"Side by side at {at:.2f} mm", at, volume) for at in report.beside_mm]
    return (*doubled, *beside)


def _thickness(report: GeometryReport) -> tuple[str, bool]:
    low, high = report.thickness_mm or (0.0, 0.0)
    words = f"{low:.2f} mm" if high - low < 0.005 else f"{low:.2f} to {high:.2f} mm"
    if report.window_gap_mm is None:
        return words, False
    least, most = report.window_gap_mm
    parts = [f"gaps of up to {most:.2f} mm"] * (most > 0.005)
    parts += [f"overlaps of up to {-least:.2f} mm"] * (least < -0.005)
    return f"{words}, {' and '.join(parts) or 'slices touch'}", least < -0.005


def _tilt(report: GeometryReport) -> tuple[str, bool]:
    if not report.tilt_deg:
        return "None", False
    words = f"{report.tilt_deg:.1f}{DEGREE} between stack and slices (shear {report.shear:.3f})"
    return words, True


def _orientation(report: GeometryReport) -> str:
    words = (report.plane or "not known").capitalize()
    oblique = report.obliquity_deg
    return f"{words}, {oblique:.1f}{DEGREE} oblique" if oblique else words


def _deviation(report: GeometryReport) -> tuple[str, bool]:
    if not report.deviation_deg:
        return "None: all slices are parallel", False
    return f"Slices differ by up to {report.deviation_deg:.3f}{DEGREE}", True


def _place(words: str, at_mm: float, volume: Volume | None) -> Place:
    return Place(words, None if volume is None else slice_at(volume, at_mm))


def _towards(told: str) -> str:
    return " and ".join(WORDS[letter] for letter in told) or "side"


def slices_words(count: int) -> str:
    """So many slices."""
    return "1 slice" if count == 1 else f"{count} slices"
