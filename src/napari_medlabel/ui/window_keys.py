"""The keys of a window while a case is open, wherever the focus is, except in a text field.

Key presses are seen where they enter the window, before the widget that has the focus and before
menus: napari's layer list cannot swallow a letter and nothing is bound twice. Other windows of the
application, dialogs and open menus are not touched, and with the case everything is given back.
"""

from typing import Any, Final

from qtpy.QtCore import QEvent, QObject, Qt, QTimer, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTabBar,
    QTextEdit,
    QWidget,
)

from napari_medlabel.ui.action import Action
from napari_medlabel.ui.action_search import SEGMENT
from napari_medlabel.ui.actions import BY_ID
from napari_medlabel.ui.key_events import key_texts
from napari_medlabel.ui.key_sets import KeyChoice, Keymap, keymap
from napari_medlabel.ui.key_text import caps
from napari_medlabel.ui.napari_keys import BLOCKED

__all__ = ["WindowKeys"]

_LINES = (QLineEdit, QAbstractSpinBox)
_TEXTS = (QTextEdit, QPlainTextEdit)
_MOVED_IN = (QAbstractItemView, QAbstractSlider, QComboBox, QTabBar)
_MOVING: Final = {"Up", "Down", "Left", "Right", "PgUp", "PgDown", "Home", "End", "Return", "Esc"}
_TABS: Final = {"Tab", "Backtab", "Shift+Tab", "Shift+Backtab"}


class WindowKeys(QObject):
    """Runs the actions of a window by their keys.

    Its signals: `asked` with the id of an action that the window does itself
    (`actions.WINDOW_ACTIONS`); `refused` with words when an action cannot be done now; `panning`
    with True while Space is held; `changed` when keys have changed, for tooltips.

    Parameters
    ----------
    frame
        The window.
    parent
        Whoever owns it.
    """

    asked = Signal(str)
    refused = Signal(str)
    panning = Signal(bool)
    changed = Signal()

    def __init__(self, frame: QWidget, parent: QObject) -> None:
        super().__init__(parent)
        self._frame = frame
        self._handle: QObject | None = None
        self._drawing: Any = None
        self._by_tab = False  # the focus was moved by keyboard, and shows it
        self._space_held = False
        self.choice = KeyChoice()
        self.keys: Keymap = {}
        self._by_key: dict[str, Action] = {}
        self.set_choice(self.choice)

    def set_choice(self, choice: KeyChoice) -> None:
        """Use these keys from now on."""
        self.choice, self.keys = choice, keymap(choice)
        self._by_key = {key: BY_ID[name] for name, keys in self.keys.items() for key in keys}
        self.changed.emit()

    def key_of(self, action_id: str) -> str:
        """The first key of an action as tooltips show it; "" where it has none."""
        keys = self.keys[action_id]
        return caps(keys[0]) if keys else ""

    # While a case is open

    def take(self, drawing: object) -> None:
        """Act on this case from now on."""
        self._drawing = drawing
        self._frame.installEventFilter(self)
        self._watch()

    def let_go(self) -> None:
        """Give all keys back."""
        self._drawing = None
        self._frame.removeEventFilter(self)
        if self._handle is not None:
            self._handle.removeEventFilter(self)
            self._handle = None

    def run(self, action_id: str) -> bool:
        """Do an action, or say why not; True where it was done. "segment:3" picks that segment."""
        if self._drawing is None:
            return False
        if action_id.startswith(SEGMENT):
            self._drawing.pick(int(action_id.removeprefix(SEGMENT)))
            return True
        action = BY_ID[action_id]
        why_not = action.why_not(self._drawing)
        if why_not:
            self.refused.emit(why_not)
            return False
        if action.method:
            action.run(self._drawing)
        else:
            self.asked.emit(action.id)
        return True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's
        """Look at each key before anybody else does."""
        kind = event.type()
        if watched is self._frame:
            if kind in {QEvent.Type.WinIdChange, QEvent.Type.Show}:
                self._watch()
        elif kind == QEvent.Type.MouseButtonPress:
            self._by_tab = False
        elif kind == QEvent.Type.FocusOut and self._space_held:
            self._space_held = False
            self.panning.emit(False)  # noqa: FBT003  # Qt's
        elif kind in {QEvent.Type.KeyPress, QEvent.Type.KeyRelease} and _is_space(event):
            return self._space(event, down=kind == QEvent.Type.KeyPress)
        elif kind in {QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress}:
            return self._key(event, pressed=kind == QEvent.Type.KeyPress)
        return False

    # How

    def _watch(self) -> None:
        """Look at what enters the window; Qt makes it anew now and then."""
        handle = self._frame.windowHandle()
        if handle is not None and handle is not self._handle:
            handle.installEventFilter(self)
            self._handle = handle

    def _key(self, event: QKeyEvent, *, pressed: bool) -> bool:
        """Whether the key was ours; `pressed` after Qt has asked who wants it."""
        texts = key_texts(event)
        if not texts or self._drawing is None:
            return False
        if _elsewhere():
            return False
        self._by_tab |= pressed and not _TABS.isdisjoint(texts)
        focus = self._frame.focusWidget()
        if _is_written_in(focus):
            if pressed and texts[0] in {"Return", "Esc"} and isinstance(focus, _LINES):
                self._leave_soon(focus)
            return False
        if self._belongs_to(focus, texts[0]):
            return False
        action = next((self._by_key[text] for text in texts if text in self._by_key), None)
        if action is None:
            ours = texts[0] in BLOCKED
        else:
            ours = not (action.passes_on and action.why_not(self._drawing))
        if ours:
            event.accept()
            if pressed and action is not None and (action.repeats or not event.isAutoRepeat()):
                self.run(action.id)
        return ours

    def _belongs_to(self, focus: QWidget | None, key: str) -> bool:
        """Whether the widget with the focus moves by this key.

        A widget says so of itself by a property, `own_keys`: "Up Down Home". Lists and sliders
        have their keys while the focus is moved by keyboard.
        """
        if focus is None:
            return False
        if key in str(focus.property("own_keys") or "").split():
            return True
        return self._by_tab and key in _MOVING and isinstance(focus, _MOVED_IN)

    def _space(self, event: QKeyEvent, *, down: bool) -> bool:
        """Space held pans; a button that was clicked is not pressed again by it."""
        focus = self._frame.focusWidget()
        pressable = isinstance(focus, (QAbstractButton, *_MOVED_IN))
        if event.isAutoRepeat():
            return pressable and self._space_held
        if down and (_is_written_in(focus) or (self._by_tab and pressable) or _elsewhere()):
            return False
        if down != self._space_held:
            self._space_held = down
            self.panning.emit(down)
            return pressable
        return False

    def _leave_soon(self, field: QWidget) -> None:
        """A number was typed: the next key is for the image again."""
        if not field.property("keeps_focus"):
            QTimer.singleShot(0, lambda: self._leave(field))

    def _leave(self, field: QWidget) -> None:
        if self._frame.focusWidget() is field:  # an editor of a table is gone by now
            field.clearFocus()


def _is_space(event: QKeyEvent) -> bool:
    return bool(event.key() == Qt.Key.Key_Space) and not event.modifiers()


def _elsewhere() -> bool:
    """Whether a menu or a dialog has the keys."""
    return bool(QApplication.activePopupWidget() or QApplication.activeModalWidget())


def _is_written_in(focus: QWidget | None) -> bool:
    if isinstance(focus, (*_LINES, *_TEXTS)):
        return not focus.isReadOnly()
    return isinstance(focus, QComboBox) and focus.isEditable()
