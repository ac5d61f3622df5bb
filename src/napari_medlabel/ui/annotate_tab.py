"""The Annotate tab: case, segments, tools, window; it shows a state and says what was pressed."""

from collections.abc import Sequence
from functools import partial

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QColorDialog,
    QDoubleSpinBox,
    QGridLayout,
    QScrollArea,
    QSizePolicy,
    QSlider,
    QToolButton,
    QWidget,
)

from napari_medlabel.core.schema import PALETTE
from napari_medlabel.core.volume import Window
from napari_medlabel.ui import brush
from napari_medlabel.ui.case_card import CaseCardView
from napari_medlabel.ui.segment_table import SegmentTable
from napari_medlabel.ui.state import NONE, AnnotateState, SegmentRow, Tool
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.views import PLANES
from napari_medlabel.ui.widgets import (
    BusyView,
    Choice,
    IconButton,
    QuestionView,
    column,
    line,
    row,
    text,
)

__all__ = ["AnnotateTab"]

TOOLS: tuple[tuple[Tool, str, str, str], ...] = (
    ("paint", "paint", "Paint. Hold Ctrl to erase", "P"),
    ("erase", "erase", "Erase", "E"),
    ("fill", "fill", "Fill what is enclosed in this slice", "F"),
    ("polygon", "polygon", "Polygon. Double click closes it", "3"),
)
PLANE_KEYS = ("Ctrl+1", "Ctrl+2", "Ctrl+3")
COLUMNS = 3


class AnnotateTab(QScrollArea):
    """Shows an `AnnotateState`; its signals say what a person did."""

    segment_added = Signal()
    tool_chosen = Signal(str)
    brush_sized = Signal(float)
    window_chosen = Signal(object)
    plane_chosen = Signal(int)
    undo_pressed = Signal()
    redo_pressed = Signal()
    close_pressed = Signal()
    loading_cancelled = Signal()
    recolored = Signal(int, str)
    deleted = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._state: AnnotateState | None = None
        self._tokens: Tokens = DARK
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table = SegmentTable()
        self.question = QuestionView()
        self.table.delete_wanted.connect(self._ask_to_delete)
        self.table.color_wanted.connect(self._choose_color)
        content = column(
            self._case_part(), self._segment_part(), self._tool_part(), self._view_part(),
            None, gap=0, margins=(12, 10, 12, 12),
        )  # fmt: skip
        self.setWidget(content)

    def set_state(self, new: AnnotateState) -> None:
        """Touch only what differs."""
        old, self._state = self._state, new
        if old is None or old.card != new.card:
            self.card.set_card(new.card)
        if old is None or (old.rows, old.choices.active) != (new.rows, new.choices.active):
            self.table.set_rows(new.rows, new.choices.active)
            self._count.setText(str(len(new.rows)) if new.rows else "")
            self._hint.setVisible(not new.rows)
        if old is None or old.choices.windows != new.choices.windows:
            self._show_presets(new.choices.windows)
        if old is None or (old.window, old.choices) != (new.window, new.choices):
            self._show_window(new)
            self._show_tools(new)
        if old is None or (old.undo, old.redo, old.read_only) != (
            new.undo, new.redo, new.read_only,
        ):  # fmt: skip
            self._show_history(new)
        if old is None or (old.saved, old.saved_kind, old.read_only) != (
            new.saved, new.saved_kind, new.read_only,
        ):  # fmt: skip
            self.card.set_notes(new)
        if old is None or old.loading != new.loading:
            self._show_loading(new)

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

    def _segment_part(self) -> QWidget:
        self._count = text(tone="3")
        self.add = IconButton("plus", "Add a segment", self.segment_added.emit, key="Ctrl+Shift+N")
        head = row(text("Segments", role="section"), self._count, None, self.add, gap=6)
        self._hint = text("No segment yet. Add one, or just paint.", tone="3", wrap=True)
        return column(head, self.table, self._hint, self.question, 10, line(), 10, gap=2)

    def _tool_part(self) -> QWidget:
        self._tool_name = text(tone="3")
        self._tools: dict[Tool, IconButton] = {}
        for tool, icon, tip, key in TOOLS:
            made = IconButton(
                icon, tip, partial(self.tool_chosen.emit, tool), kind="tool", key=key,
                checkable=True, size=20,
            )  # fmt: skip
            self._tools[tool] = made
        self.undo = IconButton("undo", "Undo", self.undo_pressed.emit, key="Ctrl+Z")
        self.redo = IconButton("redo", "Redo", self.redo_pressed.emit, key="Ctrl+Y")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(round(brush.SMALLEST_MM * 2), round(brush.LARGEST_MM))
        self.slider.setAccessibleName("Brush size")
        self.slider.valueChanged.connect(lambda half: self.brush_sized.emit(half / 2.0))
        self.size = QDoubleSpinBox()
        self.size.setRange(brush.SMALLEST_MM, brush.LARGEST_MM)
        self.size.setDecimals(1)
        self.size.setSingleStep(0.5)
        self.size.setSuffix(" mm")
        self.size.setKeyboardTracking(False)
        self.size.setAccessibleName("Brush size in millimetres")
        self.size.setToolTip("Brush size   [  and  ]")
        self.size.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.size.setFixedWidth(78)
        self.size.valueChanged.connect(self.brush_sized)
        self._size_name = text("Brush", tone="2")
        self._size_name.setMinimumWidth(46)
        head = row(text("Tools", role="section"), None, self._tool_name)
        tools = row(*self._tools.values(), None, self.undo, self.redo, gap=2)
        return column(
            head, tools, 4, row(self._size_name, self.slider, self.size), 10, line(), 10, gap=4
        )

    def _view_part(self) -> QWidget:
        self._planes = Choice(
            [plane.name for plane in PLANES],
            [f"{p.name}   {key}" for p, key in zip(PLANES, PLANE_KEYS, strict=True)],
        )
        self._planes.chosen.connect(self.plane_chosen)
        self._window = text(tone="3")
        self._presets = QGridLayout()
        self._presets.setSpacing(6)
        self._presets.setContentsMargins(0, 0, 0, 0)
        presets = QWidget()
        presets.setLayout(self._presets)
        self._chips: list[QToolButton] = []
        self._width, self._level = self._limit("Width"), self._limit("Level")
        typed = row(
            text("Width", tone="2"), self._width, 6, text("Level", tone="2"), self._level, gap=6
        )
        return column(
            row(text("View", role="section"), None), self._planes, 10, line(), 10,
            row(text("Window", role="section"), None, self._window), presets, 4, typed, gap=6,
        )  # fmt: skip

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
        for made in self._chips:
            self._presets.removeWidget(made)
            made.deleteLater()
        self._chips = []
        for n, window in enumerate(windows):
            made = QToolButton()
            made.setText(window.name)
            made.setProperty("kind", "chip")
            made.setCheckable(True)
            key = f"   Alt+{n + 1}" if n < 9 else ""
            made.setToolTip(f"W {window.width:.0f}  L {window.level:.0f}{key}")
            made.setAccessibleName(f"Window {window.name}")
            made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            made.clicked.connect(partial(self._preset_pressed, window))
            self._presets.addWidget(made, n // COLUMNS, n % COLUMNS)
            self._chips.append(made)

    def _show_window(self, new: AnnotateState) -> None:
        on = new.preset
        for n, made in enumerate(self._chips):
            made.setChecked(n == on)
        self._planes.set_chosen(new.choices.plane)
        self._window.setText(new.unit)
        decimals = 0 if new.window.width >= 20 else 3
        for field, value in ((self._width, new.window.width), (self._level, new.window.level)):
            with QSignalBlocker(field):
                field.setDecimals(decimals)
                field.setValue(value)

    def _show_tools(self, new: AnnotateState) -> None:
        choices = new.choices
        for tool, made in self._tools.items():
            made.setChecked(tool == choices.tool)
            made.setEnabled(not new.read_only)
        self._tool_name.setText(choices.tool.capitalize() or "Drag moves the image")
        size = choices.erase_mm if choices.tool == "erase" else choices.brush_mm
        self._size_name.setText("Eraser" if choices.tool == "erase" else "Brush")
        with QSignalBlocker(self.size), QSignalBlocker(self.slider):
            self.size.setValue(size)
            self.slider.setValue(round(size * 2))
        for part in (self.size, self.slider):
            part.setEnabled(choices.tool in {"", "paint", "erase"} and not new.read_only)

    def _show_history(self, new: AnnotateState) -> None:
        for made, words, key in (
            (self.undo, new.undo or "Nothing to undo", "Ctrl+Z"),
            (self.redo, new.redo or "Nothing to redo", "Ctrl+Y"),
        ):
            made.setToolTip(f"{words}   {key}")
            made.setAccessibleName(words)
        self.undo.setEnabled(bool(new.undo) and not new.read_only)
        self.redo.setEnabled(bool(new.redo) and not new.read_only)
        self.add.setEnabled(not new.read_only)

    def _show_loading(self, new: AnnotateState) -> None:
        if new.loading is None:
            self.busy.hide()
        else:
            done, total = new.loading
            self.busy.show_progress(f"Reading {total} slices", done, total)

    # What a person did

    def _preset_pressed(self, window: Window, _on: object = None) -> None:
        self.window_chosen.emit(window)

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
