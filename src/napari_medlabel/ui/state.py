"""What the window shows, as frozen values made by pure functions; tested without Qt."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from napari_medlabel.core.problem import Problem
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.core.volume import FoundVolume, Series, Window
from napari_medlabel.errors import MedlabelError
from napari_medlabel.session import CaseInfo, OpenCase

__all__ = [
    "NONE",
    "AnnotateState",
    "CaseCard",
    "ErrorCard",
    "RecentRow",
    "SegmentRow",
    "SeriesRow",
    "annotate_state",
    "error_card",
    "recent_rows",
    "series_rows",
    "volume_words",
    "without_places",
]

TIMES = "\N{MULTIPLICATION SIGN}"
NONE = "\N{EN DASH}"
Tone = Literal["neutral", "accent", "ok", "warn", "error"]
Style = Literal["outline and fill", "outline", "fill"]
Tool = Literal["", "paint", "erase", "fill", "polygon"]


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
    """Which case is open."""

    name: str
    modality: str
    chip: str
    tone: Tone
    lines: tuple[str, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person has chosen for the open case; nothing of it is stored."""

    active: int = 0
    hidden: frozenset[int] = frozenset()
    tool: Tool = ""
    brush_mm: float = 10.0
    erase_mm: float = 10.0
    windows: tuple[Window, ...] = ()
    plane: int = 0
    shown: bool = True
    style: Style = "outline and fill"


@dataclass(frozen=True, slots=True)
class AnnotateState:
    """All that the Annotate tab shows."""

    card: CaseCard
    rows: tuple[SegmentRow, ...] = ()
    choices: Choices = field(default_factory=Choices)
    window: Window = field(default_factory=lambda: Window(1.0, 0.5))
    unit: str = ""
    undo: str = ""
    redo: str = ""
    saved: str = ""
    saved_kind: str = "saved"
    loading: tuple[int, int] | None = None
    read_only: str = ""

    @property
    def active_row(self) -> SegmentRow | None:
        """The segment that is drawn."""
        return next((row for row in self.rows if row.value == self.choices.active), None)

    @property
    def preset(self) -> int:
        """Which of the presets is on, or -1."""
        limits = self.window.limits
        for n, window in enumerate(self.choices.windows):
            if all(abs(a - b) < 1e-3 for a, b in zip(window.limits, limits, strict=True)):
                return n
        return -1


@dataclass(frozen=True, slots=True)
class RecentRow:
    """One case worked on before."""

    id: str
    name: str
    modality: str
    line: str
    segments: str
    when: str


@dataclass(frozen=True, slots=True, eq=False)
class SeriesRow:
    """One volume that a scan found."""

    series: Series
    volume: int
    modality: str
    title: str
    line: str
    problems: tuple[Problem, ...]
    usable: bool


def annotate_state(case: OpenCase, choices: Choices, window: Window) -> AnnotateState:
    """What the Annotate tab shows of an open case."""
    segmentation, loading = case.segmentation, case.loading
    saved = case.saved()
    undo, redo = segmentation.next_undo(), segmentation.next_redo()
    return AnnotateState(
        card=_case_card(case),
        rows=_segment_rows(segmentation, choices.hidden),
        choices=choices,
        window=window,
        unit=case.volume.unit if case.volume.unit != "stored" else "",
        undo=f"Undo {undo.tool.lower()}" if undo else "",
        redo=f"Redo {redo.tool.lower()}" if redo else "",
        saved=saved.words,
        saved_kind=saved.kind,
        loading=None if loading.finished else (loading.done, loading.total),
        read_only=segmentation.read_only,
    )


def _case_card(case: OpenCase) -> CaseCard:
    info = case.info
    k, j, i = info.spacing_mm
    chip: tuple[str, Tone] = ("In progress", "accent")
    if case.segmentation.read_only:
        chip = ("Read only", "warn")
    grid = f"{info.shape[0]} slices · {i:.2f} {TIMES} {j:.2f} {TIMES} {k:.2f} mm"
    words = [part for part in (getattr(info, "volume", ""), grid) if part]
    return CaseCard(info.name, info.modality, *chip, tuple(words), info.problems)


def _segment_rows(segmentation: Segmentation, hidden: frozenset[int]) -> tuple[SegmentRow, ...]:
    return tuple(
        SegmentRow(
            label.value, label.name, label.color,
            volume_words(segmentation.volume_ml(label.value)),
            str(len(segmentation.slices(label.value)) or NONE),
            label.value not in hidden, label.value in segmentation.locked,
        )
        for label in segmentation.schema
    )  # fmt: skip


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
        return ErrorCard(_sentence(error.what), text, details)
    kind = type(error).__name__
    return ErrorCard(
        f"{doing or 'This'} did not work.",
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
    rows = [
        _series_row(series, n, volume)
        for series in found
        for n, volume in enumerate(series.volumes or (None,))
    ]
    return tuple(sorted(rows, key=lambda row: (not row.usable, row.series.number)))


_KINDS: Mapping[str, str] = {
    "image": "", "segmentation": "Segmentation", "localizer": "Localizer", "other": "Other",
}  # fmt: skip


def _series_row(series: Series, number: int, volume: FoundVolume | None) -> SeriesRow:
    named = volume.name if volume is not None else ""
    part = named or (f"volume {number + 1}" if len(series.volumes) > 1 else "")
    words = [f"Series {series.number}", part, _KINDS[series.kind]]
    grid = volume.geometry if volume is not None else None
    line = _count(series.files, "file")
    if grid is not None:
        shown = grid.laid_out(grid.canonical)
        k, j, i = shown.spacing_mm
        size = f" {TIMES} ".join(str(n) for n in shown.shape[::-1])
        line = f"{size} voxels · {i:.2f} {TIMES} {j:.2f} {TIMES} {k:.2f} mm · {line}"
    problems = (*series.problems, *(volume.problems if volume is not None else ()))
    return SeriesRow(
        series, number, series.modality or "?", " · ".join(word for word in words if word), line,
        tuple(dict.fromkeys(problems)), volume is not None and volume.usable,
    )  # fmt: skip


def _count(n: int, noun: str) -> str:
    return f"1 {noun}" if n == 1 else f"{n} {noun}s"


def _sentence(text: str) -> str:
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?', '!')) else '.'}"
