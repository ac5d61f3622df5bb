"""Change keys: choose a set, then give or take single keys; a key in use is refused with words."""

from functools import partial

from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.errors import InputError
from napari_medlabel.ui.action_search import Entry, find
from napari_medlabel.ui.actions import ACTIONS, BY_ID
from napari_medlabel.ui.entry_rows import ENTRY, EntryRows
from napari_medlabel.ui.key_events import bindable
from napari_medlabel.ui.key_sets import SETS, KeyChoice, keymap
from napari_medlabel.ui.key_text import caps
from napari_medlabel.ui.theme import Tokens
from napari_medlabel.ui.widgets import Choice, button, column, dress, line, row, text

__all__ = ["KeyField", "KeysDialog"]

WIDTH, HEIGHT = 560, 620


class KeyField(QLineEdit):
    """Takes the next key that is pressed; `pressed` has it as it is bound."""

    pressed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setPlaceholderText("Click here and press a key")
        self.setAccessibleName("Press the new key")

    def event(self, event: QEvent) -> bool:
        """Every key is for this field, Tab to leave it excepted, menus' keys included."""
        if event.type() in {QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress}:
            if event.key() in {Qt.Key.Key_Tab, Qt.Key.Key_Backtab}:
                return bool(super().event(event))
            event.accept()
            if event.type() == QEvent.Type.KeyPress:
                self._take(event)
            return True
        return bool(super().event(event))

    def _take(self, event: QKeyEvent) -> None:
        key = bindable(event)
        if key:
            self.pressed.emit(key)


class KeysDialog(QDialog):
    """Shows a `KeyChoice`; `choice_changed` has the one that a person made of it.

    Parameters
    ----------
    parent
        The window.
    """

    choice_changed = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Tool)
        self.setObjectName("medlabel")
        self.setWindowTitle("Change keys")
        self.setModal(False)
        self._choice = KeyChoice()
        self.sets = Choice([one.name for one in SETS], [one.words for one in SETS])
        self.sets.chosen.connect(self._set_chosen)
        self.digits = QCheckBox("Plain digits pick segments, not tools")
        self.digits.clicked.connect(self._digits_chosen)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find an action")
        self.search.setAccessibleName("Find an action")
        self.search.textEdited.connect(self._fill)
        self.list = QListWidget()
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentItemChanged.connect(lambda _now, _before: self._show_action())
        self._rows = EntryRows(self.list)
        self.list.setItemDelegate(self._rows)
        self._name = text(role="strong")
        self._caps = QHBoxLayout()
        self._caps.setContentsMargins(0, 0, 0, 0)
        self._caps.setSpacing(6)
        self.field = KeyField()
        self.field.pressed.connect(self._add)
        self.wrong = text(tone="error", wrap=True)
        self.given = button("As given out", self._take_back, kind="link")
        self._lay_out()
        self.set_choice(self._choice)

    def set_style(self, sheet: str, tokens: Tokens) -> None:
        """Take the theme."""
        self._rows.tokens = tokens
        self.setStyleSheet(sheet)
        self.resize(tokens.px(WIDTH), tokens.px(HEIGHT))
        dress(self, tokens)

    def set_choice(self, choice: KeyChoice) -> None:
        """Show this choice."""
        self._choice = choice
        self.sets.set_chosen([one.id for one in SETS].index(choice.base))
        self.digits.setChecked(choice.digits_pick)
        self.given.setEnabled(bool(choice.changed.get(choice.base)))
        self._fill(self.search.text())

    @property
    def choice(self) -> KeyChoice:
        """What is shown."""
        return self._choice

    @property
    def action_id(self) -> str:
        """The action whose keys are changed; "" where none is picked."""
        item = self.list.currentItem()
        return "" if item is None else str(item.data(ENTRY).id)

    def pick(self, action_id: str) -> None:
        """Pick the action to change."""
        for n in range(self.list.count()):
            if self.list.item(n).data(ENTRY).id == action_id:
                self.list.setCurrentRow(n)

    # How

    def _lay_out(self) -> None:
        caps_row = QWidget()
        caps_row.setLayout(self._caps)
        head = row(self.sets, None, self.digits)
        foot = row(self.field, None, self.given)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(10)
        for part in (head, self.search):
            layout.addWidget(part)
        layout.addWidget(self.list, 1)
        layout.addWidget(line())
        layout.addWidget(column(row(self._name, None, caps_row), foot, self.wrong, gap=8))
        self.field.setMinimumWidth(220)

    def _fill(self, query: str) -> None:
        picked = self.action_id
        keys = keymap(self._choice)
        all_of_them = [
            Entry(one.id, one.words, one.group, one.also, tuple(caps(key) for key in keys[one.id]))
            for one in ACTIONS
        ]
        self.list.blockSignals(True)  # noqa: FBT003  # Qt's
        self.list.clear()
        for entry in find(all_of_them, query):
            item = QListWidgetItem(self.list)
            item.setData(ENTRY, entry)
            heard = f"{entry.words}, {' or '.join(entry.keys)}"
            item.setData(Qt.ItemDataRole.AccessibleTextRole, heard)
        self.list.setCurrentRow(0)
        self.pick(picked)
        self.list.blockSignals(False)  # noqa: FBT003
        self._show_action()

    def _show_action(self) -> None:
        action = self.action_id
        self.wrong.setText("")
        self.field.setEnabled(bool(action))
        self._name.setText(BY_ID[action].words if action else "")
        while (gone := self._caps.takeAt(0)) is not None:
            gone.widget().hide()
            gone.widget().deleteLater()
        for key in keymap(self._choice)[action] if action else ():
            words = caps(key)
            made = button(f"{words}  \N{MULTIPLICATION SIGN}", partial(self._remove, key),
                          tip=f"Take {words} away")  # fmt: skip
            made.setAccessibleName(f"Take {words} away")
            self._caps.addWidget(made)

    def _set_chosen(self, number: int) -> None:
        base = SETS[number].id
        self._use(KeyChoice(base, self._choice.digits_pick, self._choice.changed))

    def _digits_chosen(self, on: bool) -> None:  # noqa: FBT001  # Qt's
        self._use(KeyChoice(self._choice.base, on, self._choice.changed))

    def _take_back(self) -> None:
        self._use(self._choice.as_given())

    def _add(self, key: str) -> None:
        self._change((*keymap(self._choice)[self.action_id], key))

    def _remove(self, key: str) -> None:
        self._change(tuple(one for one in keymap(self._choice)[self.action_id] if one != key))

    def _change(self, keys: tuple[str, ...]) -> None:
        try:
            choice = self._choice.with_keys(self.action_id, keys)
        except InputError as error:
            self.wrong.setText(f"{error.what}: {error.hint}.")
        else:
            self._use(choice)

    def _use(self, choice: KeyChoice) -> None:
        self.set_choice(choice)
        self.choice_changed.emit(choice)
