"""The steps of a case, to go back to any of them: oldest above, what was undone below, greyed.

It says how far to go; whoever owns the case undoes or redoes that many times.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QFrame, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from napari_medlabel.core.history import Step
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.ui.action_search import Entry
from napari_medlabel.ui.entry_rows import ENTRY, ROW, EntryRows
from napari_medlabel.ui.focus_back import FocusBack
from napari_medlabel.ui.theme import Tokens
from napari_medlabel.ui.widgets import IconButton, dress, line, row, text

__all__ = ["HistoryList", "HistoryReader", "HistoryRow"]

SHOWN: Final = 200  # steps back; reading thousands from the journal would be felt
WIDTH, HEIGHT = 360, 440
_STEPS = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One step in words; `steps` leads there: below 0 to undo, above 0 to redo, 0 is now."""

    words: str
    detail: str
    when: str
    steps: int


class HistoryReader:
    """Reads the history of one segmentation; a step is put into words once.

    Parameters
    ----------
    segmentation
        Whose history.
    """

    def __init__(self, segmentation: Segmentation) -> None:
        self._segmentation = segmentation
        self._told: dict[int, tuple[str, str, str]] = {}

    def rows(self) -> tuple[HistoryRow, ...]:
        """The last steps that can be undone, oldest first, then those that can be made again."""
        done, undone = self._segmentation.history, self._segmentation.undone[::-1]
        first = max(len(done) - SHOWN, 0)
        start = () if first else (HistoryRow("Opened", "", "", -len(done)),)
        back = (
            HistoryRow(*self._words(number), n + 1 - len(done))
            for n, number in enumerate(done[first:], start=first)
        )
        forth = (
            HistoryRow(*self._words(number), n)
            for n, number in enumerate(undone[:SHOWN], start=1)
        )  # fmt: skip
        return (*start, *back, *forth)

    def _words(self, number: int) -> tuple[str, str, str]:
        if number not in self._told:
            step = self._segmentation.step(number)
            voxel_ml = self._segmentation.geometry.voxel_ml
            self._told[number] = (step.tool, self._detail(step, voxel_ml), _clock(step.when))
        return self._told[number]

    def _detail(self, step: Step, voxel_ml: float) -> str:
        """What changed most: "Liver +2.3 mL"."""
        gained = step.edit.gained()
        names = self._names(step)
        if not gained:
            label = step.settings.get("label")
            return names.get(label, "") if isinstance(label, int) else ""
        value = max(gained, key=lambda one: (abs(gained[one]), -one))
        ml = gained[value] * voxel_ml
        return f"{names.get(value, f'segment {value}')}  {_signed(ml)} mL"

    def _names(self, step: Step) -> Mapping[int, str]:
        schemas = (step.schema_before, self._segmentation.schema, step.schema_after)
        return {label.value: label.name for one in schemas if one is not None for label in one}


def _signed(ml: float) -> str:
    """With three figures and a sign: "+2.31", "\N{MINUS SIGN}18.2"."""
    digits = 2 if abs(ml) < 9.995 else (1 if abs(ml) < 99.95 else 0)
    return f"{ml:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _clock(when: str) -> str:
    try:
        return f"{datetime.fromisoformat(when).astimezone():%H:%M:%S}"
    except ValueError:
        return ""


class HistoryList(QFrame):
    """Floats at the top right of a window; `moved` has the steps to go, as in `HistoryRow`.

    Parameters
    ----------
    frame
        The window.
    """

    moved = Signal(int)
    closed = Signal()

    def __init__(self, frame: QWidget) -> None:
        super().__init__(frame)
        self.setObjectName("medlabel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("History")
        self._rows: tuple[HistoryRow, ...] = ()
        self._focus = FocusBack(frame)
        close = IconButton("cross", "Close", self.close_up, key="Esc", size=14)
        self.list = QListWidget()
        self._entries = EntryRows(self.list)
        self.list.setItemDelegate(self._entries)
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setProperty("own_keys", "Up Down PgUp PgDown Home End Return Esc")
        self.list.itemClicked.connect(self._go)
        self.list.installEventFilter(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 8)
        layout.setSpacing(6)
        layout.addWidget(row(text("History", role="section"), None, close, margins=(6, 0, 0, 0)))
        layout.addWidget(line())
        layout.addWidget(self.list, 1)
        frame.installEventFilter(self)
        self.hide()

    def set_style(self, sheet: str, tokens: Tokens) -> None:
        """Take the theme."""
        self._entries.tokens = tokens
        floating = (
            f"QFrame#medlabel {{ background: {tokens.bg}; border: 1px solid {tokens.line2};"
            " border-radius: 8px; }"
        )
        self.setStyleSheet(sheet + floating)
        dress(self, tokens)

    def set_rows(self, rows: tuple[HistoryRow, ...]) -> None:
        """Show these steps; touches only what differs."""
        if rows == self._rows:
            return
        self._rows = rows
        self.list.clear()
        for one in rows:
            self._add(one)
        now = next((n for n, one in enumerate(rows) if one.steps == 0), -1)
        self.list.setCurrentRow(now)
        self._place()
        if now >= 0:
            self.list.scrollToItem(self.list.item(now), QListWidget.ScrollHint.PositionAtCenter)

    def open(self) -> None:
        """Show it; the arrows move in it and Enter goes there."""
        self._place()
        if not self.isVisible():
            self._focus.remember()
        self.show()
        self.raise_()
        self.list.setFocus(Qt.FocusReason.TabFocusReason)

    def close_up(self) -> None:
        """Go away."""
        if self.isVisible():
            self._focus.give_back()
            self.hide()
            self.closed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's
        """Enter goes to a step, Esc closes; it stays at its corner."""
        if watched is self.list and event.type() == QEvent.Type.KeyPress:
            return self._key(event)
        if watched is not self.list and event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False

    # How

    def _key(self, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_Escape:
            self.close_up()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._go(self.list.currentItem())
        else:
            return False
        return True

    def _go(self, item: QListWidgetItem | None) -> None:
        steps = 0 if item is None else item.data(_STEPS)
        if steps:
            self.moved.emit(steps)

    def _add(self, one: HistoryRow) -> None:
        item = QListWidgetItem(self.list)
        undone = one.steps > 0
        note = "Undone" if undone else one.when
        detail = one.detail or " "  # a reason, even an empty one, greys the words
        entry = Entry("", one.words, one.detail, why_not=detail if undone else "", note=note)
        item.setData(ENTRY, entry)
        item.setData(_STEPS, one.steps)
        said = (one.words, one.detail, one.when, "now" if one.steps == 0 else "undone" * undone)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, ", ".join(filter(None, said)))

    def _place(self) -> None:
        frame = self.parentWidget()
        px = self._entries.tokens.px
        high = self.layout().minimumSize().height() + px(ROW) * self.list.count() + 8
        self.resize(px(WIDTH), max(min(high, px(HEIGHT), frame.height() - 120), px(160)))
        self.move(frame.width() - self.width() - 16, 76)
