"""The Tools section: eight tools in a row, the others behind More, the options of one below."""

from functools import partial

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from napari_medlabel.ui import theme
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.tool_options import ToolOptions
from napari_medlabel.ui.tool_specs import MAIN, MORE, ONE_BUTTON, SPECS, ToolSpec, spec_of
from napari_medlabel.ui.tools_state import ToolsState
from napari_medlabel.ui.widgets import IconButton, row, text

__all__ = ["ToolsBox", "ToolsState"]

ICON = 20
MORE_TIP = "More tools"


class ToolsBox(QWidget):
    """Shows a `ToolsState`.

    `tool_chosen` has a tool's id, "" where the tool in hand is put down; `option_changed` tool,
    option and value; `action_wanted` a button's action. `head` is the tool's name and More, for
    the right of the section's title.
    """

    tool_chosen = Signal(str)
    option_changed = Signal(str, str, object)
    action_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._state = ToolsState()
        self._tokens: Tokens = DARK
        self._kept = {"polygon": "polygon"}  # which of two tools a shared button gives
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.buttons = {tool: self._button(SPECS[tool]) for tool in MAIN}
        self.options = ToolOptions()
        self.options.option_changed.connect(self._option_chosen)
        self.options.action_wanted.connect(self.action_wanted)
        self.name = text(tone="3")
        self.name.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.more = IconButton("more", MORE_TIP, self._unfold)
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.head = row(None, self.name, self.more, gap=4)
        tools = QWidget()
        line = QHBoxLayout(tools)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(0)
        for n, made in enumerate(self.buttons.values()):
            if n:
                line.addStretch(1)
            line.addWidget(made)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(tools)
        layout.addWidget(self.options)

    @property
    def state(self) -> ToolsState:
        """What is shown."""
        return self._state

    def set_state(self, new: ToolsState) -> None:
        """Touch only what differs."""
        old, self._state = self._state, new
        spec = spec_of(new.tool)
        shared = ONE_BUTTON.get(new.tool, new.tool)
        if shared in self._kept and self._kept[shared] != new.tool:
            self._kept[shared] = new.tool
            self.buttons[shared].set_face(SPECS[new.tool])
        for tool, made in self.buttons.items():
            made.setChecked(tool == shared)
        if (old.enabled, old.reason) != (new.enabled, new.reason):
            reason = "" if new.enabled else new.reason
            for made in self.buttons.values():
                made.setEnabled(new.enabled)
                made.set_reason(reason)
            self.more.setEnabled(new.enabled)
            self.more.setToolTip(reason or MORE_TIP)
        self.name.setText(spec.words if spec else "")
        self.options.set_state(new)

    def set_tokens(self, tokens: Tokens) -> None:
        """Remember the theme for the menu."""
        self._tokens = tokens

    def menu(self) -> QMenu:
        """All tools that are not in the row, in their groups."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        for n, (group, tools) in enumerate(MORE):
            if n:
                menu.addSeparator()
            title = menu.addAction(group)
            title.setEnabled(False)
            for tool in tools:
                spec = SPECS[tool]
                words = f"{spec.words}\t{spec.key}" if spec.key else spec.words
                action = menu.addAction(words, partial(self.tool_chosen.emit, tool))
                action.setIcon(theme.icon(spec.icon, self._tokens.text1, size=18))
                action.setToolTip(spec.tip)
                action.setCheckable(True)
                action.setChecked(tool == self._state.tool)
        return menu

    def _unfold(self) -> None:
        self.menu().popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))

    def _button(self, spec: ToolSpec) -> "_ToolButton":
        return _ToolButton(spec, partial(self._pressed, spec.id))

    def _pressed(self, tool: str) -> None:
        """A press on the tool in hand puts it down."""
        pressed = self._kept.get(tool, tool)
        self.buttons[tool].setChecked(ONE_BUTTON.get(self._state.tool, self._state.tool) == tool)
        self.tool_chosen.emit("" if pressed == self._state.tool else pressed)

    def _option_chosen(self, tool: str, option: str, value: object) -> None:
        if option == "tool":
            self.tool_chosen.emit(str(value))
        else:
            self.option_changed.emit(tool, option, value)


class _ToolButton(IconButton):
    """A tool's button; disabled, it says why."""

    def __init__(self, spec: ToolSpec, on_click: partial[None]) -> None:
        super().__init__(
            spec.icon, spec.tip, on_click, kind="tool", key=spec.key, checkable=True, size=ICON
        )
        self._tokens: Tokens | None = None
        self._tip = self.toolTip()
        self.setAccessibleName(spec.words)

    def set_face(self, spec: ToolSpec) -> None:
        """Be the button of another tool."""
        self._name = spec.icon
        self._tip = f"{spec.tip}   {spec.key}" if spec.key else spec.tip
        self.setToolTip(self._tip)
        self.setAccessibleName(spec.words)
        if self._tokens is not None:
            self.set_tokens(self._tokens)

    def set_tokens(self, tokens: Tokens) -> None:
        """Draw the icon in the theme's colours."""
        self._tokens = tokens
        super().set_tokens(tokens)

    def set_reason(self, reason: str) -> None:
        """Why it cannot be pressed; "" where it can."""
        self.setToolTip(reason or self._tip)
