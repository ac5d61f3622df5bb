"""The Annotate tab: case, segments, tools, window; it shows a state and says what was pressed."""

from collections.abc import Callable, Sequence

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QColorDialog,
    QDoubleSpinBox,
    QScrollArea,
    QWidget,
)

from napari_medlabel.core.schema import PALETTE
from napari_medlabel.core.volume import Window
from napari_medlabel.ui.annotate_state import AnnotateState
from napari_medlabel.ui.annotation_list import AnnotationList
from napari_medlabel.ui.assist.box import AssistBox
from napari_medlabel.ui.case_card import CaseCardView
from napari_medlabel.ui.chip_row import ChipRow
from napari_medlabel.ui.intensity_box import IntensityBox
from napari_medlabel.ui.kept_box import KeptBox
from napari_medlabel.ui.overlay_box import OverlayBox
from napari_medlabel.ui.readout import MINUS
from napari_medlabel.ui.section import Section
from napari_medlabel.ui.segments_box import SegmentsBox, SegmentsState
from napari_medlabel.ui.start_button import StartButton
from napari_medlabel.ui.state import NONE, SegmentRow
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.tools_box import ToolsBox
from napari_medlabel.ui.widgets import (
    BusyView,
    QuestionView,
    column,
    line,
    row,
    text,
)

__all__ = ["AnnotateTab"]

Remember = Callable[[str, bool], object]


class AnnotateTab(QScrollArea):
    """Shows an `AnnotateState`; its signals say what a person did.

    Parameters
    ----------
    remember, folded
        Called when a person folds a section; the names of those that were folded last time.
    """

    segment_added = Signal()
    window_chosen = Signal(object)
    close_pressed = Signal()
    loading_cancelled = Signal()
    recolored = Signal(int, str)
    deleted = Signal(int)

    def __init__(
        self, remember: Remember = lambda _name, _folded: None,
        folded: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        super().__init__()
        self._state: AnnotateState | None = None
        self._tokens: Tokens = DARK
        self._remember, self._folded = remember, folded
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.segments = SegmentsBox()
        self.table, self.add = self.segments.table, self.segments.add
        self.segments.segment_added.connect(self.segment_added)
        self._protocol = ""
        self.tools = ToolsBox()
        self.mask = IntensityBox("mask")
        self.question = QuestionView()
        self.table.delete_wanted.connect(self._ask_to_delete)
        self.table.color_wanted.connect(self._choose_color)
        content = column(
            self._case_part(), self._segment_part(), self._tool_part(), 10, self.mask, 10, line(),
            10, self._assist_part(), 10, line(), self._annotations_part(),
            10, self._window_part(), 10, line(), 10, self._overlay_part(), None, gap=0,
            margins=(12, 10, 12, 12),
        )  # fmt: skip
        self.setWidget(content)

    def set_state(self, new: AnnotateState) -> None:
        """Touch only what differs."""
        old, self._state = self._state, new
        if old is None or old.card != new.card:
            self.card.set_card(new.card)
        self.segments.set_state(self._segments_state(new))
        if old is None or old.choices.windows != new.choices.windows:
            self._show_presets(new.choices.windows)
        if old is None or (old.window, old.choices) != (new.window, new.choices):
            self._show_window(new)
        if old is None or old.tools != new.tools:
            self.tools.set_state(new.tools)
        if old is None or old.mask != new.mask:
            self.mask.set_state(new.mask)
        if old is None or (old.saved, old.saved_kind, old.read_only) != (
            new.saved, new.saved_kind, new.read_only,
        ):  # fmt: skip
            self.card.set_notes(new)
        if old is None or old.loading != new.loading:
            self._show_loading(new)

    def set_protocol(self, words: str) -> None:
        """Show how the task is to be done; nothing without words."""
        self._protocol = words
        if self._state is not None:
            self.segments.set_state(self._segments_state(self._state))

    def set_tokens(self, tokens: Tokens) -> None:
        """Remember the theme for what comes later."""
        self._tokens = tokens

    # Parts

    def _case_part(self) -> QWidget:
        self.card = CaseCardView()
        self.card.close_pressed.connect(self.close_pressed)
        self.busy = BusyView()
        self.busy.cancelled.connect(self.loading_cancelled)
        return column(self.card, self.busy, 8, gap=8)

    def _section(self, name: str, words: str, content: QWidget, beside: QWidget | None) -> QWidget:
        return Section(
            name, words, content, beside=beside, remember=self._remember,
            folded=name in self._folded,
        )  # fmt: skip

    def _segment_part(self) -> QWidget:
        self.kept = KeptBox()
        content = column(self.segments, self.kept, self.question, gap=2)
        made = self._section("segments", "Segments", content, self.segments.head)
        return column(made, 10, line(), 10, gap=0)

    def _segments_state(self, new: AnnotateState) -> SegmentsState:
        return SegmentsState(
            new.rows, new.choices.active, new.details, new.schema, self._protocol, new.read_only
        )

    def _tool_part(self) -> QWidget:
        return self._section("tools", "Tools", self.tools, self.tools.head)

    def _assist_part(self) -> QWidget:
        self.assist = AssistBox()
        self.assist.unfolded.connect(lambda: self.ensureWidgetVisible(self.assist, 0, 24))
        self.start = StartButton()
        beside = row(8, self.start, self.assist.head, gap=4)
        beside.layout().setStretch(2, 1)
        return self._section("assist", "Assist", self.assist, beside)

    def _overlay_part(self) -> QWidget:
        self.overlay = OverlayBox()
        return self._section("overlay", "Second image", self.overlay, self.overlay.head)

    def _annotations_part(self) -> QWidget:
        self.annotations = AnnotationList()
        made = self._section("annotations", "Measurements", self.annotations, self.annotations.head)
        part = column(10, made, 10, line(), gap=0)
        part.hide()
        self.annotations.worth_showing.connect(part.setVisible)
        return part

    def _window_part(self) -> QWidget:
        self._window = text(tone="3")
        self.presets = ChipRow("Window", rows=2)
        self.presets.chosen.connect(self._preset_pressed)
        self._width, self._level = self._limit("Width"), self._limit("Level")
        typed = row(
            text("Width", tone="2"), self._width, 6, text("Level", tone="2"), self._level, gap=6
        )
        content = column(self.presets, 4, typed, gap=6)
        return self._section("window", "Window", content, row(None, self._window))

    def _limit(self, name: str) -> QDoubleSpinBox:
        field = QDoubleSpinBox()
        field.setRange(-1e7, 1e7)
        field.setDecimals(0)
        field.setKeyboardTracking(False)
        field.setAccessibleName(f"Window {name.lower()}")
        field.setAlignment(Qt.AlignmentFlag.AlignRight)
        field.valueChanged.connect(lambda _value: self._window_typed())
        return field

    # What changes

    def _show_presets(self, windows: Sequence[Window]) -> None:
        keys = [f"   Alt+{n + 1}" if n < 9 else "" for n in range(len(windows))]
        self.presets.set_chips([
            (window.name, f"W {window.width:.0f}  L {window.level:.0f}{key}")
            for window, key in zip(windows, keys, strict=True)
        ])  # fmt: skip

    def _show_window(self, new: AnnotateState) -> None:
        self.presets.set_chosen(new.preset)
        decimals = 0 if new.window.width >= 20 else 3
        width, level = (f"{n:.{decimals}f}" for n in (new.window.width, new.window.level))
        self._window.setText(f"W {width}  L {level}".replace("-", MINUS))
        for field, value in ((self._width, new.window.width), (self._level, new.window.level)):
            with QSignalBlocker(field):
                field.setDecimals(decimals)
                field.setValue(value)

    def _show_loading(self, new: AnnotateState) -> None:
        if new.loading is None:
            self.busy.hide()
        else:
            done, total = new.loading
            self.busy.show_progress(f"Reading {total} slices", done, total)

    # What a person did

    def _preset_pressed(self, number: int) -> None:
        if self._state is not None:
            self.window_chosen.emit(self._state.choices.windows[number])

    def _window_typed(self) -> None:
        width = max(self._width.value(), 1e-3)
        self.window_chosen.emit(Window(width, self._level.value()))

    def _row_of(self, value: int) -> SegmentRow | None:
        rows = self._state.rows if self._state else ()
        return next((shown for shown in rows if shown.value == value), None)

    def _ask_to_delete(self, value: int) -> None:
        shown = self._row_of(value)
        if shown is not None:
            what = f"{shown.ml} mL on {shown.slices} slices are erased. "
            empty = shown.slices == NONE
            self.question.ask(
                f"Delete {shown.name}?", ("It is empty. " if empty else what) + "Undo restores it.",
                "Delete segment", lambda: self.deleted.emit(value),
            )  # fmt: skip

    def _choose_color(self, value: int) -> None:
        shown = self._row_of(value)
        if shown is None or self._state is None or self._state.read_only:
            return
        dialog = QColorDialog(QColor(shown.color), self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setOption(QColorDialog.ColorDialogOption.DontUseNativeDialog)
        dialog.setWindowTitle(f"Colour of {shown.name}")
        for n, color in enumerate(PALETTE):
            QColorDialog.setCustomColor(n, QColor(color))
        dialog.colorSelected.connect(lambda color: self.recolored.emit(value, color.name()))
        dialog.open()
