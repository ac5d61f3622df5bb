"""The menu of windows: presets with their keys, invert, and fields to type in."""

from functools import partial

from qtpy.QtCore import QPoint, Qt, Signal
from qtpy.QtGui import QActionGroup
from qtpy.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QWidget, QWidgetAction

from napari_medlabel.ui.bar_style import bar_sheet
from napari_medlabel.ui.readout import number_words
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.view_bar_state import ViewBarState, parsed, preset_words
from napari_medlabel.ui.widgets import restyle, text

__all__ = ["WindowMenu"]


class WindowMenu(QMenu):
    """Lists what a `ViewBarState` offers; says what was chosen or typed."""

    window_chosen = Signal(object)
    invert_wanted = Signal(bool)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setToolTipsVisible(True)
        self.width_field, self.level_field = _field("Width"), _field("Level")
        self._unit = text(tone="3")
        typed = QWidget(self)
        layout = QHBoxLayout(typed)
        layout.setContentsMargins(10, 4, 10, 4)
        layout.setSpacing(6)
        for part in (text("W"), self.width_field, text("L"), self.level_field, self._unit):
            layout.addWidget(part)
        layout.addStretch(1)
        for field in (self.width_field, self.level_field):
            field.returnPressed.connect(self._typed)
        self._fields = QWidgetAction(self)
        self._fields.setDefaultWidget(typed)
        self._shown: ViewBarState | None = None
        self.set_tokens(DARK)

    def open(self, state: ViewBarState, on_screen: QPoint) -> None:
        """Open it; it closes by a choice, Enter or Esc."""
        self._list(state)
        self.popup(on_screen)

    def follow(self, state: ViewBarState) -> None:
        """Show another state while it is open; what is being typed stays."""
        if self.isVisible() and state != self._shown:
            self._list(state)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's colours and sizes."""
        self.setStyleSheet(bar_sheet(tokens))
        for field in (self.width_field, self.level_field):
            field.setFixedWidth(tokens.px(64))

    def _list(self, state: ViewBarState) -> None:
        typing = self.width_field.hasFocus() or self.level_field.hasFocus()
        self._shown = state
        self.removeAction(self._fields)  # which `clear` would delete
        self.clear()
        group = QActionGroup(self)
        for n, window in enumerate(state.windows):
            action = self.addAction(
                preset_words(window, n), partial(self.window_chosen.emit, window)
            )
            action.setCheckable(True)
            action.setChecked(n == state.preset)
            group.addAction(action)
        self.addSeparator()
        invert = self.addAction("Invert", partial(self.invert_wanted.emit, not state.inverted))
        invert.setCheckable(True)
        invert.setChecked(state.inverted)
        self.addSeparator()
        self.addAction(self._fields)
        if not typing:
            self.width_field.setText(number_words(state.window.width))
            self.level_field.setText(number_words(state.window.level))
        self._unit.setText(state.unit)

    def _typed(self) -> None:
        window = parsed(self.width_field.text(), self.level_field.text())
        for field in (self.width_field, self.level_field):
            restyle(field, wrong=window is None)
        if window is not None:
            self.close()
            self.window_chosen.emit(window)


def _field(name: str) -> QLineEdit:
    field = QLineEdit()
    field.setAccessibleName(name)
    field.setToolTip(f"{name}   Enter applies")
    field.setAlignment(Qt.AlignmentFlag.AlignRight)
    return field
