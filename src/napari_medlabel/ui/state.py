"""What the window shows, as frozen values made by pure functions; tested without Qt."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from napari_medlabel.core.geometry_report import GeometryReport
from napari_medlabel.core.problem import Problem
from napari_medlabel.core.volume import Series
from napari_medlabel.errors import MedlabelError
from napari_medlabel.session import CaseInfo, OpenCase
from napari_medlabel.ui.geometry_facts import slices_words, spacing_words
from napari_medlabel.ui.geometry_state import (
    ReportState,
    chip_words,
    report_state,
)

__all__ = [
    "NONE",
    "CaseCard",
    "ErrorCard",
    "RecentRow",
    "SegmentRow",
    "SeriesRow",
    "VolumeRow",
    "case_report",
    "error_card",
    "recent_rows",
    "row_report",
    "series_row",
    "series_rows",
    "volume_words",
    "without_places",
]

TIMES = "\N{MULTIPLICATION SIGN}"
NONE = "\N{EN DASH}"
Tone = Literal["neutral", "accent", "ok", "warn", "error"]
Style = Literal["outline and fill", "outline", "fill"]


@dataclass(frozen=True, slots=True)
class ErrorCard:
    """What happened, what to do, and what `Copy details` copies: nothing that names anybody."""

    title: str
    text: str
    details: str


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """One segment."""

    value: int
    name: str
    color: str
    ml: str
    slices: str
    visible: bool = True
    locked: bool = False


@dataclass(frozen=True, slots=True)
class CaseCard:
    """Which case is open; `warning` is short, `problems` tells each."""

    name: str
    modality: str
    chip: str
    tone: Tone
    grid: str
    volume: str = ""
    chosen: tuple[str, str] = ("", "")
    warning: str = ""
    problems: str = ""
    resampled: bool = False


@dataclass(frozen=True, slots=True)
class RecentRow:
    """One case worked on before."""

    id: str
    name: str
    modality: str
    line: str
    segments: str
    when: str


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class VolumeRow:
    """One volume of a series: `number`, from 0, is its place among them."""

    number: int
    name: str
    line: str
    problems: tuple[Problem, ...] = ()
    usable: bool = False
    report: GeometryReport | None = None

    @property
    def warning(self) -> str:
        """What its chip says; "" for none."""
        return chip_words(self.problems, self.report)

    @property
    def why_not(self) -> str:
        """What keeps it from being opened."""
        if self.usable:
            return ""
        blocking = [p for p in self.problems if p.blocking] or list(self.problems)
        return _sentence(blocking[0].what if blocking else "it holds no image")


@dataclass(frozen=True, slots=True, eq=False)
class SeriesRow:
    """One series that a scan found, or, with `found`, what was made of one on request.

    `first` is the volume to begin with: one that can be opened, if there is any.
    """

    series: Series
    modality: str
    title: str
    volumes: tuple[VolumeRow, ...]
    first: VolumeRow
    found: "SeriesRow | None" = None

    @property
    def usable(self) -> bool:
        """True where something of it can be opened."""
        return self.first.usable

    @property
    def counts(self) -> str:
        """How many volumes there are, where there are several."""
        count, good = len(self.volumes), sum(volume.usable for volume in self.volumes)
        words = f"{count} volumes" if count > 1 else ""
        return words if good in {0, count} else f"{words}, {count - good} cannot be opened"


def volume_words(ml: float) -> str:
    """A volume in mL with three figures: "0.35", "18.2", "1 448"; a dash for none."""
    if ml <= 0.0:
        return NONE
    if ml < 9.995:
        return f"{ml:.2f}"
    if ml < 99.95:
        return f"{ml:.1f}"
    return f"{ml:,.0f}".replace(",", "\N{THIN SPACE}")


def error_card(error: Exception, doing: str = "") -> ErrorCard:
    """An error in words for the panel; of a bug only its kind, since its text may hold anything."""
    if isinstance(error, MedlabelError):
        text = f"{_sentence(error.hint)}" if error.hint else ""
        details = f"{type(error).__name__}: {error.what}"
        return ErrorCard(_sentence(error.what).removesuffix("."), text, details)
    kind = type(error).__name__
    return ErrorCard(
        f"{doing or 'This'} did not work",
        f"The program made a mistake ({kind}). Your saved work is not affected.",
        f"unexpected {kind} while: {doing}",
    )


def without_places(card: ErrorCard, path: Path) -> ErrorCard:
    """The card without the path that was opened and names of files: they may name a patient."""
    kind = "This file" if path.suffix else "This folder"

    def clean(words: str) -> str:
        for place in (str(path), path.name):
            words = words.replace(place, kind) if place else words
        return _FILE.sub("a file", _PATH.sub("a file", words))

    return ErrorCard(clean(card.title), clean(card.text), clean(card.details))


_PATH: Final = re.compile(r"[^\s,:;]*[/\\][^\s,:;]+")
_FILE: Final = re.compile(r"[^\s,:;]+\.[A-Za-z][A-Za-z0-9]{1,5}(?=[\s,:;.]|$)")


def recent_rows(cases: Iterable[CaseInfo], now: datetime) -> tuple[RecentRow, ...]:
    """Cases to go on with, as the catalogue orders them."""
    return tuple(
        RecentRow(
            case.id, case.name, case.modality or "?",
            f"{case.shape[0]} slices, {case.shape[1]} {TIMES} {case.shape[2]}",
            _count(case.segments, "segment"), when_words(case.opened, now),
        )
        for case in cases
    )  # fmt: skip


def when_words(iso: str, now: datetime) -> str:
    """A moment (ISO 8601) as people say it: "Today 14:05", "Yesterday", "17 Nov"; "" if unknown."""
    try:
        moment = datetime.fromisoformat(iso).astimezone(now.tzinfo)
    except ValueError:
        return ""
    days = (now.date() - moment.date()) // timedelta(days=1)
    if days == 0:
        return f"Today {moment:%H:%M}"
    if days == 1:
        return "Yesterday"
    year = "" if moment.year == now.year else f" {moment.year}"
    return f"{moment.day} {moment:%b}{year}"


def series_rows(found: Sequence[Series]) -> tuple[SeriesRow, ...]:
    """What can be opened, then what cannot, each with the reason."""
    rows = [series_row(series) for series in found]
    return tuple(sorted(rows, key=lambda row: (not row.usable, row.series.number)))


_KINDS: Mapping[str, str] = {
    "image": "", "segmentation": "Segmentation", "localizer": "Localizer", "other": "Other",
}  # fmt: skip


def series_row(series: Series, found: SeriesRow | None = None, first: int = 0) -> SeriesRow:
    """A series as the table shows it; never its description, which may name a patient.

    With `found` it was made of that one, and `first` is the place of what was made.
    """
    single = series.volumes[0].name if len(series.volumes) == 1 else ""
    words = [f"Series {series.number}", single, _KINDS[series.kind]]
    volumes = tuple(_volume_row(series, n) for n in range(len(series.volumes)))
    volumes = volumes or (VolumeRow(0, "", _count(series.files, "file"), series.problems),)
    title = " · ".join(word for word in words if word)
    begin = next((row for row in volumes[first:] if row.usable), volumes[first])
    return SeriesRow(series, series.modality or "?", title, volumes, begin, found)


def _volume_row(series: Series, number: int) -> VolumeRow:
    volume, several = series.volumes[number], len(series.volumes) > 1
    report = volume.geometry_report()
    line = _count(series.files, "file")
    if volume.geometry is not None:
        shown = volume.geometry.laid_out(volume.geometry.canonical)
        size = f" {TIMES} ".join(str(n) for n in shown.shape[::-1])
        line = f"{size} voxels · {spacing_words(shown.spacing_mm)} · {line}"
    elif report is not None:
        line = f"{slices_words(report.slices)} · {line}"
    return VolumeRow(
        number, volume.name or (f"volume {number + 1}" if several else ""), line,
        tuple(dict.fromkeys((*series.problems, *volume.problems))), volume.usable, report,
    )  # fmt: skip


def case_report(case: OpenCase) -> ReportState:
    """The geometry report of the open case, with jumps to its slices."""
    info, volume = case.info, case.volume
    words = " · ".join(filter(None, (info.modality, info.volume)))
    return report_state(info.name, words, volume.report, info.problems, volume)


def row_report(row: SeriesRow, volume: VolumeRow) -> ReportState:
    """The geometry report of a volume that is not open."""
    several = volume.name if len(row.volumes) > 1 else ""
    words = " · ".join(filter(None, (row.modality, several)))
    return report_state(row.title, words, volume.report, volume.problems)


def _count(n: int, noun: str) -> str:
    return f"1 {noun}" if n == 1 else f"{n} {noun}s"


def _sentence(text: str) -> str:
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?', '!')) else '.'}"
