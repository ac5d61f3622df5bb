"""The bar above the views: layout, what is seen, window, undo, actions, who works."""

from collections.abc import Callable
from functools import partial
from typing import Final

from qtpy.QtCore import QPoint, QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.ui import theme
from napari_medlabel.ui.bar_style import bar_sheet
from napari_medlabel.ui.fitting_row import FittingRow, RowButton, upright
from napari_medlabel.ui.fixed_text import FixedText
from napari_medlabel.ui.readout import window_words
from napari_medlabel.ui.state import Style
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.view_bar_state import Layout, ViewBarState
from napari_medlabel.ui.widgets import IconButton, IconLabel, text
from napari_medlabel.ui.window_menu import WindowMenu

__all__ = ["ViewBar"]

HEIGHT: Final = 36
LAYOUTS: Final[tuple[tuple[Layout, str, str], ...]] = (
    ("1+3", "layout-1-3", "One large view and three small ones"),
    ("2x2", "layout-2x2", "Four views of one size"),
    ("single", "layout-single", "One view"),
    ("napari", "layers", "napari's own canvas, with all layers and sliders"),
)
STYLES: Final[dict[Style, tuple[str, str]]] = {
    "outline and fill": ("disc", "Segments as outline and fill"),
    "outline": ("outline", "Segments as outline"),
    "fill": ("filled", "Segments as fill"),
}


class _Toggle(IconButton):
    """Lit while something is on; a press asks, and the state says whether it is."""

    def __init__(self, name: str, tip: str, ask: Callable[[bool], object], key: str = "") -> None:
        super().__init__(name, tip, self._pressed, kind="toggle", key=key, checkable=True)
        self._ask, self._on = ask, False
        self._tokens: Tokens = DARK
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def show_on(self, *, on: bool) -> None:
        """Light it, or not."""
        self._on = on
        self.setChecked(on)

    def show_icon(self, name: str) -> None:
        """Show another icon."""
        self._name = name
        self.set_tokens(self._tokens)

    def set_tokens(self, tokens: Tokens) -> None:
        """Draw the icon in the theme's colours."""
        self._tokens = tokens
        lit = tokens.accent_on_bg
        self.setIcon(theme.icon(self._name, tokens.text2, selected=lit, size=self._size))

    def _pressed(self) -> None:
        self.setChecked(self._on)
        self._ask(not self._on)


class ViewBar(QWidget):
    """Shows a `ViewBarState`; its signals say what a person wants.

    Nothing changes by itself: a press is a wish, and the next state shows what came of it.
    """

    layout_chosen = Signal(str)
    crosshair_wanted = Signal(bool)
    link_wanted = Signal(bool)
    labels_wanted = Signal(bool)
    style_stepped = Signal()
    fill_chosen = Signal(int)
    window_chosen = Signal(object)
    invert_wanted = Signal(bool)
    undo_pressed = Signal()
    redo_pressed = Signal()
    find_pressed = Signal()
    keys_pressed = Signal()
    person_pressed = Signal()
    lock_pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("medlabel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._state: ViewBarState | None = None
        self.menu = WindowMenu(self)
        self.menu.window_chosen.connect(self.window_chosen)
        self.menu.invert_wanted.connect(self.invert_wanted)
        self._row = self._made_row()
        self._row.setProperty("role", "bar")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._row)
        self.set_state(ViewBarState())
        self.set_tokens(DARK)

    def set_state(self, new: ViewBarState) -> None:
        """Touch only what differs."""
        old, self._state = self._state, new
        for (name, _icon, _tip), made in zip(LAYOUTS, self.layouts, strict=True):
            made.setChecked(name == new.layout)
        self.crosshair.show_on(on=new.crosshair)
        self.link.show_on(on=new.linked)
        self.labels.show_on(on=new.shown)
        if old is None or old.shown != new.shown:
            self.labels.show_icon("show" if new.shown else "hidden")
        if old is None or old.style != new.style:
            icon, words = STYLES[new.style]
            self.style_button.show_icon(icon)
            self.style_button.setToolTip(f"{words}   O")
            self.style_button.setAccessibleName(words)
        if old is None or old.fill_percent != new.fill_percent:
            with QSignalBlocker(self.fill):
                self.fill.setValue(new.fill_percent)
            self._percent.set_words(f"{new.fill_percent} %")
        self._show_window(new)
        self._show_rest(new)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's colours and sizes."""
        self.setFixedHeight(tokens.px(HEIGHT))
        self._row.setStyleSheet(bar_sheet(tokens))
        self.fill.setFixedWidth(tokens.px(64))

    def open_presets(self, on_screen: QPoint | None = None) -> None:
        """List the presets: below the button, or at a place on the screen."""
        below = self.preset.mapToGlobal(QPoint(0, self.preset.height() + 2))
        if self._state is not None:
            self.menu.open(self._state, below if on_screen is None else on_screen)

    # Parts

    def _made_row(self) -> FittingRow:
        views, seen, fill = self._view_part(), self._seen_part(), self._fill_part()
        self.undo = self._button("undo", "Undo", self.undo_pressed.emit, "Ctrl+Z")
        self.redo = self._button("redo", "Redo", self.redo_pressed.emit, "Ctrl+Y")
        self._preset_part()
        self._find_part()
        self.keys = self._button("keyboard", "All keys", self.keys_pressed.emit, "?")
        self.person = QToolButton()
        self.person.setProperty("kind", "person")
        self.person.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.person.clicked.connect(lambda _checked=False: self.person_pressed.emit())
        self.lock = self._button("lock", "Lock the workspace", self.lock_pressed.emit, "Ctrl+L")
        self._last_line = upright()
        return FittingRow(
            (*views, upright(), *seen, *fill, upright(), self.preset, upright(), self.undo,
             self.redo, None, self.find, self.keys, self._last_line, self.person, self.lock),
            ((self._fill_word,), (self._find_key,), (self._find_words,), (self._numbers,),
             (self._percent,), (self.fill,), (self._name,),
             (self._second_line, self.crosshair, self.link)),
        )  # fmt: skip

    def _view_part(self) -> tuple[QWidget, ...]:
        group = QFrame()
        group.setProperty("role", "choice")
        group.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        layout = QHBoxLayout(group)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.setSpacing(1)
        self.layouts = []
        for name, icon, tip in LAYOUTS:
            choose = partial(self._choose_layout, name)
            made = IconButton(icon, tip, choose, kind="choice", checkable=True)
            made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            layout.addWidget(made)
            self.layouts.append(made)
        self.crosshair = _Toggle(
            "crosshair", "Crosshair", self.crosshair_wanted.emit, "Shift+move places it"
        )
        self.link = _Toggle("link", "Views move together", self.link_wanted.emit)
        self._second_line = upright()
        return (group, self._second_line, self.crosshair, self.link)

    def _seen_part(self) -> tuple[QWidget, ...]:
        self.labels = _Toggle("show", "Show or hide segments", self.labels_wanted.emit, "V")
        self.style_button = _Toggle("disc", "", lambda _on: self.style_stepped.emit(), "O")
        self.style_button.show_on(on=True)
        return (self.labels, self.style_button)

    def _fill_part(self) -> tuple[QWidget, ...]:
        self._fill_word = text("Fill", tone="2")
        self.fill = QSlider(Qt.Orientation.Horizontal)
        self.fill.setRange(0, 100)
        self.fill.setPageStep(10)
        self.fill.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.fill.setAccessibleName("Fill of segments, percent")
        self.fill.setToolTip("How much of the image the fill covers")
        self.fill.valueChanged.connect(self._fill_moved)
        self._percent = FixedText("100 %", tone="text2")
        return (self._fill_word, self.fill, self._percent)

    def _preset_part(self) -> None:
        self._name = FixedText("Mediastinum")
        self._numbers = FixedText("W 1500  L \N{MINUS SIGN}600", tone="text2", right=True)
        self._preset_icon = IconLabel("window", "text2", 18)
        self.preset = RowButton(
            "pick", "Window and level   Alt+1 to Alt+9, right drag", self.open_presets,
            self._preset_icon, self._name, self._numbers, IconLabel("down", "text2", 12),
        )  # fmt: skip

    def _find_part(self) -> None:
        self._find_words = FixedText("Find an action     ", tone="text2")
        self._find_words.set_words("Find an action")
        self._find_key = text("Ctrl K", role="key")
        self.find = RowButton(
            "find", "Find an action   Ctrl+K", self.find_pressed.emit,
            IconLabel("search", "text2", 16), self._find_words, self._find_key,
        )  # fmt: skip

    def _button(self, icon: str, tip: str, on_click: Callable[[], object], key: str) -> IconButton:
        made = IconButton(icon, tip, on_click, key=key)
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return made

    # What changes

    def _show_window(self, new: ViewBarState) -> None:
        self._name.set_words(new.preset_name)
        self._numbers.set_words(window_words(new.window))
        self._preset_icon.show_icon("invert" if new.inverted else "window", "text2")
        words = f"Window: {new.preset_name}, {window_words(new.window)} {new.unit}".rstrip()
        self.preset.setAccessibleName(words)
        self.menu.follow(new)

    def _show_rest(self, new: ViewBarState) -> None:
        for made, words, plain, key in (
            (self.undo, new.undo, "Nothing to undo", "Ctrl+Z"),
            (self.redo, new.redo, "Nothing to redo", "Ctrl+Y"),
        ):
            made.setEnabled(bool(words))
            made.setToolTip(f"{words}   {key}" if words else plain)
        self.person.setText(new.initials)
        self.person.setToolTip(new.person)
        self.person.setAccessibleName(new.person)
        self._row.want(self.person, wanted=bool(new.initials))
        self._row.want(self.lock, wanted=new.protected)
        self._row.want(self._last_line, wanted=bool(new.initials) or new.protected)

    def _choose_layout(self, name: Layout) -> None:
        shown = self._state.layout if self._state else ""
        for (own, _icon, _tip), made in zip(LAYOUTS, self.layouts, strict=True):
            made.setChecked(own == shown)
        self.layout_chosen.emit(name)

    def _fill_moved(self, percent: int) -> None:
        self._percent.set_words(f"{percent} %")
        self.fill_chosen.emit(percent)
