"""Find an action: type what you want, see its key, press Enter."""

from collections.abc import Sequence

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from napari_medlabel.ui.action_search import Entry, find
from napari_medlabel.ui.entry_rows import ENTRY, ROW, EntryRows
from napari_medlabel.ui.focus_back import FocusBack
from napari_medlabel.ui.shadow import Shadow
from napari_medlabel.ui.theme import Tokens
from napari_medlabel.ui.widgets import dress, line, text

__all__ = ["Palette"]

WIDTH, ROWS, TOP, REMEMBERED = 560, 10, 96, 5
_MOVES = {
    Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -ROWS, Qt.Key.Key_PageDown: ROWS,
}  # fmt: skip


class Palette(QFrame):
    """Floats over a window; `chosen` has the id of the entry that is to be run.

    Parameters
    ----------
    frame
        The window.
    """

    chosen = Signal(str)
    closed = Signal()

    def __init__(self, frame: QWidget) -> None:
        super().__init__(frame)
        self.setObjectName("medlabel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Find an action")
        self._entries: tuple[Entry, ...] = ()
        self._lately: tuple[str, ...] = ()
        self._focus = FocusBack(frame)
        self._closing = False
        self.field = QLineEdit()
        self.field.setPlaceholderText("Find an action, a segment or a window preset")
        self.field.setAccessibleName("Find an action")
        self.field.setProperty("keeps_focus", "true")
        self.field.textEdited.connect(self._search)
        self.field.installEventFilter(self)
        self.list = QListWidget()
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setUniformItemSizes(True)
        self.list.itemClicked.connect(self._run)
        self._rows = EntryRows(self.list)
        self.list.setItemDelegate(self._rows)
        self._none = text("Nothing is called that. Try another word.", tone="3")
        self._none.setMargin(12)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        for part in (self.field, line(), self.list, self._none):
            layout.addWidget(part)
        frame.installEventFilter(self)
        self._shadow = Shadow(self)
        self.hide()

    def set_style(self, sheet: str, tokens: Tokens) -> None:
        """Take the theme."""
        self._rows.tokens = tokens
        self.setStyleSheet(sheet + _SHEET.format(**_colors(tokens)))
        dress(self, tokens)
        self._size()

    def open(self, entries: Sequence[Entry]) -> None:
        """Show what can be found, what was run last first, and wait for words."""
        known = {entry.id: entry for entry in entries}
        first = [known[name] for name in self._lately if name in known]
        self._entries = (*first, *(entry for entry in entries if entry.id not in self._lately))
        self.field.clear()
        self._search("")
        self._place()
        if not self.isVisible():
            self._focus.remember()
        self.show()
        self.raise_()
        self.field.setFocus()

    def close_up(self) -> None:
        """Go away; nothing was chosen."""
        if self.isVisible() and not self._closing:
            self._closing = True  # giving the focus back ends here again
            self._focus.give_back()
            self.hide()
            self._closing = False
            self.closed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's
        """Move in the list from the field; stay in the middle; close when the field is left."""
        kind = event.type()
        if watched is self.field:
            if kind == QEvent.Type.KeyPress:
                return self._key(event)
            popup = Qt.FocusReason.PopupFocusReason  # the field's own menu
            if kind == QEvent.Type.FocusOut and event.reason() != popup and self.isVisible():
                self._focus.remember()  # somebody else has it already
                self.close_up()
        elif kind == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False

    # How

    def _key(self, event: QKeyEvent) -> bool:
        key = event.key()
        if key == Qt.Key.Key_Escape:
            self.close_up()
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._run(self.list.currentItem())
        elif key in _MOVES:
            last = self.list.count() - 1
            self.list.setCurrentRow(min(max(self.list.currentRow() + _MOVES[key], 0), last))
        else:
            return False
        return True

    def _search(self, query: str) -> None:
        self.list.clear()
        for entry in find(self._entries, query):
            item = QListWidgetItem()
            item.setData(ENTRY, entry)
            said = (entry.words, " or ".join(entry.keys), entry.why_not)
            heard = ", ".join(part for part in said if part)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, heard)
            item.setToolTip(entry.why_not)
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        self._size()

    def _run(self, item: QListWidgetItem | None) -> None:
        entry: Entry | None = None if item is None else item.data(ENTRY)
        if entry is None or entry.why_not:  # the row says why
            return
        kept = (entry.id, *(name for name in self._lately if name != entry.id))
        self._lately = kept[:REMEMBERED]
        self.close_up()
        self.chosen.emit(entry.id)

    def _size(self) -> None:
        found = self.list.count()
        self.list.setVisible(found > 0)
        self._none.setVisible(found == 0)
        px = self._rows.tokens.px
        self.list.setFixedHeight(px(ROW) * min(max(found, 1), ROWS) + 4)
        self.setFixedWidth(px(WIDTH))
        self.adjustSize()

    def _place(self) -> None:
        frame = self.parentWidget()
        self._size()
        self.move((frame.width() - self.width()) // 2, min(TOP, frame.height() // 8))


def _colors(tokens: Tokens) -> dict[str, str]:
    return {"bg": tokens.bg, "line2": tokens.line2}


_SHEET = """
QFrame#medlabel {{ background: {bg}; border: 1px solid {line2}; border-radius: 8px; }}
"""
