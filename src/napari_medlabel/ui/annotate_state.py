"""What the Annotate tab shows of an open case, as frozen values made by pure functions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from napari_medlabel.core.schema import Label
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.core.volume import Window
from napari_medlabel.session import OpenCase
from napari_medlabel.ui.geometry_facts import slices_words, spacing_words
from napari_medlabel.ui.geometry_state import CHOSEN, chip_words, chosen_words
from napari_medlabel.ui.histogram_state import EMPTY, Histogram, IntensityState, Preset
from napari_medlabel.ui.segment_rows import SegmentDetail
from napari_medlabel.ui.state import NONE, CaseCard, SegmentRow, Style, Tone, volume_words
from napari_medlabel.ui.tool_options import ToolsState
from napari_medlabel.ui.tool_settings import ToolSettings

__all__ = ["AnnotateState", "Choices", "annotate_state"]


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person has chosen for the open case; nothing of it is stored."""

    active: int = 0
    hidden: frozenset[int] = frozenset()
    fills: Mapping[int, float] = field(default_factory=dict)
    tool: str = ""
    settings: ToolSettings = field(default_factory=ToolSettings)
    windows: tuple[Window, ...] = ()
    plane: int = 0
    shown: bool = True
    style: Style = "outline and fill"
    masked: bool = False
    mask_limits: tuple[float, float] | None = None
    mask_outside: bool = False
    mask_around: float | None = None

    @property
    def brush_mm(self) -> float:
        """Diameter of the brush."""
        return float(self.settings.of("paint")["size_mm"])

    @property
    def erase_mm(self) -> float:
        """Diameter of the eraser."""
        return float(self.settings.of("erase")["size_mm"])

    @property
    def ball(self) -> bool:
        """A ball across slices instead of a disc in one."""
        return bool(self.settings.of("paint")["shape"] == "ball")


@dataclass(frozen=True, slots=True)
class AnnotateState:
    """All that the Annotate tab shows."""

    card: CaseCard
    rows: tuple[SegmentRow, ...] = ()
    details: Mapping[int, SegmentDetail] = field(default_factory=dict)
    schema: str = ""
    choices: Choices = field(default_factory=Choices)
    window: Window = field(default_factory=lambda: Window(1.0, 0.5))
    unit: str = ""
    undo: str = ""
    redo: str = ""
    saved: str = ""
    saved_kind: str = "saved"
    loading: tuple[int, int] | None = None
    read_only: str = ""
    tools: ToolsState = field(default_factory=ToolsState)
    mask: IntensityState = field(default_factory=IntensityState)

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


def annotate_state(
    case: OpenCase, choices: Choices, window: Window, histogram: Histogram = EMPTY,
    blocked: str = "",
) -> AnnotateState:  # fmt: skip
    """What the Annotate tab shows of an open case; the histogram is of the slice in sight."""
    segmentation, loading = case.segmentation, case.loading
    saved = case.saved()
    undo, redo = segmentation.next_undo(), segmentation.next_redo()
    return AnnotateState(
        card=_case_card(case),
        rows=_segment_rows(segmentation, choices.hidden),
        details={
            label.value: SegmentDetail(
                label.group, "", _code_words(label), choices.fills.get(label.value)
            )
            for label in segmentation.schema
        },
        schema=segmentation.schema.name,
        choices=choices,
        window=window,
        unit=case.volume.unit if case.volume.unit != "stored" else "",
        undo=f"Undo {undo.tool.lower()}" if undo else "",
        redo=f"Redo {redo.tool.lower()}" if redo else "",
        saved=saved.words,
        saved_kind=saved.kind,
        loading=None if loading.finished else (loading.done, loading.total),
        read_only=segmentation.read_only,
        tools=_tools_state(case, choices, histogram, window, blocked),
        mask=_mask_state(case, choices, histogram, window),
    )


def _unit(case: OpenCase) -> str:
    return case.volume.unit if case.volume.unit != "stored" else ""


def _mask_state(
    case: OpenCase, choices: Choices, histogram: Histogram, window: Window
) -> IntensityState:
    low, high = choices.mask_limits or window.limits
    return IntensityState(
        "mask", choices.masked, low, high, choices.mask_outside, choices.mask_around, None,
        _unit(case), histogram, (), case.segmentation.read_only,
    )  # fmt: skip


def _tools_state(
    case: OpenCase, choices: Choices, histogram: Histogram, window: Window, blocked: str
) -> ToolsState:
    settings = choices.settings.of(choices.tool)
    low, high = settings.get("limits") or window.limits
    read_only = case.segmentation.read_only
    presets = tuple(Preset(one.name, *one.limits) for one in choices.windows)
    return ToolsState(
        choices.tool, settings, not read_only, read_only,
        tuple((one.value, one.name, one.color) for one in case.segmentation.schema), _unit(case),
        max(histogram.high - histogram.low, 1.0),
        IntensityState(
            "threshold", on=True, low=low, high=high, unit=_unit(case), histogram=histogram,
            presets=presets, reason=read_only,
        ),
        blocked,
    )  # fmt: skip


def _case_card(case: OpenCase) -> CaseCard:
    info, volume = case.info, case.volume
    chosen = chosen_words(info.problems, volume.source.derivation)
    chip: tuple[str, Tone] = ("In progress", "accent")
    if case.segmentation.read_only:
        # What nobody else holds and is read only all the same, the privacy gate holds back.
        held = case.journal is not None and not case.hold.reason
        chip = ("Not cleared" if held else "Read only", "warn")
    return CaseCard(
        info.name, info.modality, *chip,
        f"{slices_words(info.shape[0])} · {spacing_words(info.spacing_mm)}",
        info.volume.removesuffix(chosen[0].split(" to ")[0].lower()).rstrip(", "), chosen,
        chip_words(info.problems, volume.report),
        "\n".join(p.what for p in info.problems if p.code not in CHOSEN),
        volume.source.derivation is not None,
    )  # fmt: skip


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


def _code_words(label: Label) -> str:
    """What it is, for machines, in words: "Liver, SCT 10200004"; "" without a code."""
    code = label.code
    if code is None:
        return ""
    sides = ", ".join(one.meaning for one in label.modifiers)
    return f"{', '.join(filter(None, (code.meaning, sides)))}, {code.scheme} {code.value}"
