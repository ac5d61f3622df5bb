"""The options of the tool in hand: they change in place, and nothing around them moves."""

from typing import TypeAlias

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from napari_medlabel.ui import tool_specs
from napari_medlabel.ui.intensity_box import IntensityBox
from napari_medlabel.ui.option_rows import (
    ButtonsRow,
    ChoiceRow,
    NumberRow,
    SegmentRow,
    SwitchRow,
)
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.tool_specs import Option, ToolSpec, defaults, spec_of, visible_options
from napari_medlabel.ui.tools_state import ToolsState
from napari_medlabel.ui.widgets import dress, text

__all__ = ["OTSU", "RESET", "ToolOptions", "ToolsState"]

ROWS, ROW, GAP = 3, 26, 8
LABEL = 64
OTSU, RESET = "otsu", "reset"  # actions of a threshold

Editor: TypeAlias = NumberRow | ChoiceRow | SwitchRow | SegmentRow | ButtonsRow | IntensityBox


class _Form(QWidget):
    """The options of one tool."""

    def __init__(self, spec: ToolSpec) -> None:
        super().__init__()
        self.spec = spec
        self.editors: dict[int, Editor] = {}
        self._rows: list[tuple[QWidget, list[int]]] = []
        self._labels: list[QLabel] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GAP)
        for n, option in enumerate(spec.options):
            self.editors[n] = _editor(option)
            if option.beside and self._rows:
                self._rows[-1][0].layout().addWidget(self.editors[n])
                self._rows[-1][1].append(n)
            else:
                self._add_row(n, option)
        self._hint = text(spec.hint, tone="3", wrap=True)
        self._hint.setVisible(bool(spec.hint))
        self._column.addWidget(self._hint)
        self._column.addStretch(1)

    def show_settings(self, state: ToolsState) -> None:
        """Show the state's settings; rows that do not count with them are hidden."""
        chosen = {**defaults(self.spec.id), **state.settings}
        visible = {id(option) for option in visible_options(self.spec, chosen)}
        for n, option in enumerate(self.spec.options):
            _show(self.editors[n], option, chosen.get(option.name), state)
            self.editors[n].setVisible(id(option) in visible)
        for place, numbers in self._rows:
            place.setVisible(any(id(self.spec.options[n]) in visible for n in numbers))

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's sizes."""
        self._column.setSpacing(tokens.px(GAP))
        for label in self._labels:
            label.setFixedWidth(tokens.px(LABEL))
        for place, _numbers in self._rows:
            if not place.findChild(IntensityBox):
                place.setFixedHeight(tokens.px(ROW))

    def _add_row(self, n: int, option: Option) -> None:
        place = QWidget()
        layout = QHBoxLayout(place)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        if not isinstance(option, tool_specs.Range):
            # Words of a switch stand beside it; a button's are in it.
            label = text("" if isinstance(option, tool_specs.Switch) else option.words, tone="2")
            label.setFixedWidth(LABEL)
            self._labels.append(label)
            layout.addWidget(label)
        layout.addWidget(self.editors[n], 1)
        self._column.addWidget(place)
        self._rows.append((place, [n]))


class ToolOptions(QWidget):
    """Shows the options of a `ToolsState` on three rows; its height never changes.

    `option_changed` has tool, option and value; `action_wanted` a button's action, such as
    "preview", "apply", "otsu" or "reset".
    """

    option_changed = Signal(str, str, object)
    action_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._forms: dict[str, _Form] = {}
        self._tokens: Tokens = DARK
        self._state: ToolsState | None = None
        self._stack = QStackedLayout(self)
        self._none = text("Drag moves the crosshair. Pick a tool to draw.", tone="3", wrap=True)
        self._none.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._stack.addWidget(self._none)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.set_tokens(DARK)

    def set_state(self, new: ToolsState) -> None:
        """Touch only what differs."""
        if new == self._state:
            return
        self._state = new
        spec = spec_of(new.tool)
        if spec is None:
            self._stack.setCurrentWidget(self._none)
            return
        form = self._form(spec)
        form.show_settings(new)
        form.setEnabled(new.enabled)
        form.setToolTip("" if new.enabled else new.reason)
        self._stack.setCurrentWidget(form)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's sizes: three rows, whatever they hold."""
        self._tokens = tokens
        self.setFixedHeight(ROWS * tokens.px(ROW) + (ROWS - 1) * tokens.px(GAP))

    def editor(self, option: str) -> Editor:
        """The editor of an option of the tool in hand; "" for its buttons."""
        form: _Form = self._stack.currentWidget()
        number = next(n for n, one in enumerate(form.spec.options) if one.name == option)
        return form.editors[number]

    def _form(self, spec: ToolSpec) -> _Form:
        if spec.id not in self._forms:
            form = self._forms[spec.id] = _Form(spec)
            for n, option in enumerate(spec.options):
                self._listen(spec.id, option, form.editors[n])
            self._stack.addWidget(form)
            dress(form, self._tokens)
        return self._forms[spec.id]

    def _listen(self, tool: str, option: Option, editor: Editor) -> None:
        def say(value: object) -> None:
            self.option_changed.emit(tool, option.name, value)

        if isinstance(editor, ButtonsRow):
            editor.pressed.connect(self.action_wanted)
        elif isinstance(editor, IntensityBox):
            editor.range_changed.connect(lambda low, high: say((low, high)))
            editor.otsu_wanted.connect(lambda: self.action_wanted.emit(OTSU))
            editor.reset_wanted.connect(lambda: self.action_wanted.emit(RESET))
        else:
            editor.changed.connect(say)


def _editor(option: Option) -> Editor:
    match option:
        case tool_specs.Number():
            return NumberRow(option)
        case tool_specs.Choice():
            return ChoiceRow(option)
        case tool_specs.Switch():
            return SwitchRow(option)
        case tool_specs.SegmentPick():
            return SegmentRow(option)
        case tool_specs.Buttons():
            return ButtonsRow(option)
        case tool_specs.Range():
            return IntensityBox("threshold")


def _show(editor: Editor, option: Option, value: object, state: ToolsState) -> None:
    if isinstance(editor, IntensityBox):
        editor.set_state(state.threshold)
    elif isinstance(editor, ButtonsRow):
        for n, made in enumerate(editor.buttons.values()):
            made.setEnabled(not state.blocked)
            made.setToolTip(state.blocked or option.buttons[n][2])  # type: ignore[union-attr]
    else:
        if isinstance(editor, NumberRow):
            editor.set_unit(state.unit, state.span)
        elif isinstance(editor, SegmentRow):
            editor.set_segments(state.segments)
        editor.set_value(value)
