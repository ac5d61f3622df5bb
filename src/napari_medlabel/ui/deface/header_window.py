"""Every header element: what is done to it, before and after, and why; on this screen only."""

from collections.abc import Sequence
from typing import Final

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from napari_medlabel.ui.deface.header_rows import HeaderRow, counts
from napari_medlabel.ui.number_table import Cell, NumberTable
from napari_medlabel.ui.tool_window import ToolWindow
from napari_medlabel.ui.widgets import Choice, row, text

__all__ = ["HeaderWindow"]

COLUMNS: Final = ("Element", "What is done", "Before", "After", "Why")
SHOWN: Final = ("", "removed", "replaced", "kept")
LONGEST: Final = 42  # characters of a value; all of it is in the tooltip
HIDDEN: Final = "\N{BULLET}" * 3  # what is copied of a value
STAYS: Final = "Values are only shown here. They are not copied, kept or written anywhere."


class HeaderWindow(ToolWindow):
    """Shows `HeaderRow`s; a word and a choice make them fewer."""

    def __init__(self, frame: QWidget) -> None:
        super().__init__(frame, "Header, before and after", (860, 560))
        self._rows: tuple[HeaderRow, ...] = ()
        self._wanted = 0
        self.find = QLineEdit()
        self.find.setPlaceholderText("Find an element")
        self.find.setAccessibleName("Find an element")
        self.find.textEdited.connect(lambda _words: self._show())
        self.choice = Choice(["All", "Removed", "Replaced", "Kept"])
        self.choice.set_chosen(0)
        self.choice.chosen.connect(self._choose)
        self.count = text(tone="3")
        self.table = NumberTable("Header elements")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.setSpacing(8)
        layout.addWidget(row(self.find, self.choice, None, self.count))
        layout.addWidget(self.table, 1)
        layout.addWidget(text(STAYS, role="caption"))

    def set_rows(self, rows: Sequence[HeaderRow]) -> None:
        """Show these."""
        self._rows = tuple(rows)
        self._show()

    def forget(self) -> None:
        """Let all values go."""
        self.set_rows(())
        self.find.clear()
        self.hide()

    def keyPressEvent(self, event: object) -> None:  # noqa: N802  # Qt's
        """Return in the field closes nothing."""
        if event.key() not in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:  # type: ignore[attr-defined]
            super().keyPressEvent(event)

    def _choose(self, number: int) -> None:
        self._wanted = number
        self._show()

    def _show(self) -> None:
        word, done = self.find.text().strip().casefold(), SHOWN[self._wanted]
        rows = [
            one for one in self._rows
            if (not done or one.done == done) and word in one.name.casefold()
        ]  # fmt: skip
        removed, replaced, kept = counts(rows)
        self.count.setText(f"{removed} removed · {replaced} replaced · {kept} kept")
        self.table.set_rows(COLUMNS, [_cells(one) for one in rows], names=len(COLUMNS))


def _cells(one: HeaderRow) -> list[Cell]:
    return [
        Cell(one.name), Cell(one.done), _value(one.before), _value(one.after), Cell(one.why),
    ]  # fmt: skip


def _value(words: str) -> Cell:
    plain = " ".join("".join(one if one.isprintable() else " " for one in words).split())
    short = plain if len(plain) <= LONGEST else f"{plain[:LONGEST]}\N{HORIZONTAL ELLIPSIS}"
    return Cell(short, HIDDEN, tip=plain if short != plain else "")
