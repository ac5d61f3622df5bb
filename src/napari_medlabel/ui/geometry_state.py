"""What the geometry report says in the window, as frozen values made by pure functions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from napari_medlabel.core.derivation import Derivation
from napari_medlabel.core.geometry_report import GeometryReport
from napari_medlabel.core.problem import Problem
from napari_medlabel.core.volume import Volume
from napari_medlabel.ui.geometry_facts import (
    DEGREE,
    Bar,
    Fact,
    SlicePlace,
    bars_of,
    facts_of,
    gap_places,
    slices_words,
)

__all__ = [
    "CHOSEN", "GEOMETRY", "Finding", "ReportState", "chip_words", "chosen_words", "report_state",
]  # fmt: skip

# Problems with where voxels are; all others are with what is in them.
GEOMETRY: Final = frozenset({
    "conflicting-transforms", "converted-unit", "duplicate-position", "few-slices", "gantry-tilt",
    "missing-slice", "mixed-orientation", "no-orientation", "no-position", "no-spacing", "no-unit",
    "not-resampled", "orientation-conflict", "overlapping-slices", "single-slice",
    "singular-transform", "uneven-shift", "uneven-spacing",
})  # fmt: skip
# What a person asked for, told as a problem wherever the volume goes.
CHOSEN: Final = frozenset({"copies-by-number", "left-out-slices", "resampled"})

_TOLD_BY: Final = {
    "duplicate-position": "At one place",
    "missing-slice": "Missing",
    "overlapping-slices": "Thickness",
    "uneven-spacing": "From slice to slice",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem, and what can be done about it."""

    what: str
    hint: str
    blocking: bool = False


@dataclass(frozen=True, slots=True)
class ReportState:
    """All that the report shows."""

    title: str
    subtitle: str
    chosen: tuple[Fact, ...] = ()
    geometry: tuple[Finding, ...] = ()
    values: tuple[Finding, ...] = ()
    facts: tuple[Fact, ...] = ()
    bars: tuple[Bar, ...] = ()
    first: SlicePlace | None = None

    def text(self) -> str:
        """For the clipboard: what is shown, without what names anybody."""
        lines = [self.title, self.subtitle]
        lines += [f"{fact.name}: {fact.words}" for fact in self.chosen]
        lines += [f"! {one.what} {one.hint}".rstrip() for one in (*self.geometry, *self.values)]
        for fact in self.facts:
            lines.append(f"{fact.name}: {fact.words}")
            lines += [f"  {place.words}" for place in fact.places]
        return "\n".join(filter(None, lines))


def report_state(
    title: str,
    subtitle: str,
    report: GeometryReport | None,
    problems: Sequence[Problem],
    volume: Volume | None = None,
) -> ReportState:
    """What the report shows of a volume; with jumps to its slices where it is open."""
    facts = () if report is None else tuple(facts_of(report, volume))
    chosen = _chosen_facts(problems, volume)
    named = {_TOLD_BY[p.code] for p in problems if p.code in _TOLD_BY}
    # What the chip speaks of comes first.
    order = sorted((*facts, *chosen), key=lambda fact: fact.name not in named)
    places = [place for fact in order for place in fact.places]
    return ReportState(
        title, subtitle, chosen,
        tuple(_finding(p) for p in problems if p.code in GEOMETRY),
        tuple(_finding(p) for p in problems if p.code not in GEOMETRY | CHOSEN),
        facts, () if report is None else bars_of(report, volume),
        next((place.to for place in places if place.to is not None), None),
    )  # fmt: skip


def chip_words(problems: Iterable[Problem], report: GeometryReport | None) -> str:
    """What the amber chip says: the problem with its number, or how many there are; "" for none."""
    told = [problem for problem in problems if problem.code not in CHOSEN]
    if not told:
        return ""
    if len(told) == 1:
        return _short(told[0].code, report)
    kind = "geometry problems" if all(p.code in GEOMETRY for p in told) else "problems"
    return f"{len(told)} {kind}"


def chosen_words(problems: Iterable[Problem], derivation: Derivation | None) -> tuple[str, str]:
    """What was made of a volume on request, and what to mind; two "" where it is as found."""
    if derivation is not None:
        return f"Resampled to {derivation.step_mm:.2f} mm", "Not the scanner's own slices"
    for problem in problems:
        if problem.code == "left-out-slices":
            return "Longest run", _sentence(problem.what.split(":")[0])[:-1]
        if problem.code == "copies-by-number":
            return "One of several copies", "Told apart by nothing but the slices' numbers"
    return "", ""


# Problems


def _short(code: str, report: GeometryReport | None) -> str:
    words = code.replace("-", " ").capitalize()
    if report is None:
        return words
    if code == "gantry-tilt" and report.tilt_deg:
        return f"Tilted by {report.tilt_deg:.1f}{DEGREE}"
    if code == "missing-slice" and report.missing:
        return f"{slices_words(sum(gap.slices for gap in report.missing))} missing"
    if code == "uneven-spacing" and report.steps:
        sizes = [step.mm for step in report.steps]
        return f"Uneven spacing, {min(sizes):.2f} to {max(sizes):.2f} mm"
    if code == "duplicate-position" and report.duplicates:
        places = len(report.duplicates)
        where = "1 place" if places == 1 else f"{places} places"
        return f"Several slices at {where}"
    return words


def _finding(problem: Problem) -> Finding:
    return Finding(_sentence(problem.what), _sentence(problem.hint), problem.blocking)


def _chosen_facts(problems: Sequence[Problem], volume: Volume | None) -> tuple[Fact, ...]:
    if volume is not None and volume.source.derivation is not None:
        return tuple(_derivation_facts(volume.source.derivation, volume))
    return tuple(
        Fact("Chosen", f"{_sentence(p.what)} {_sentence(p.hint)}".strip())
        for p in problems if p.code in CHOSEN
    )  # fmt: skip


def _derivation_facts(made: Derivation, volume: Volume) -> Iterable[Fact]:
    count = len(made.slices.positions_lps)
    how = "linear" if made.method == "linear" else "nearest value"
    onto = f"{slices_words(volume.source.geometry.shape[0])}, {made.step_mm:.2f} mm apart"
    yield Fact("Resampled", f"from {slices_words(count)} to {onto} ({how})")
    if made.tilt_deg:
        yield Fact("Tilt", f"{made.tilt_deg:.1f}{DEGREE} corrected")
    if made.interpolated:
        lost = sum(gap.slices for gap in made.interpolated)
        words = f"{slices_words(lost)} where steps are longer: no slice was there"
        yield Fact("Made up", words, wrong=True, places=gap_places(made.interpolated, volume))
    yield Fact("Mind", "Values between slices are estimates; the scanner's own are in its slices")


def _sentence(text: str) -> str:
    text = text.strip()
    if not text:
        return ""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?', '!')) else '.'}"
