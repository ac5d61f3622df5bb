"""The versions of a case: save one, see what changed since, compare, restore."""

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from napari_medlabel.ui.number_table import Cell, NumberTable
from napari_medlabel.ui.state import ErrorCard
from napari_medlabel.ui.tool_window import ToolWindow
from napari_medlabel.ui.versions_state import VersionRow
from napari_medlabel.ui.widgets import (
    BusyView,
    ErrorView,
    QuestionView,
    button,
    column,
    row,
    text,
)

__all__ = ["VersionsWindow"]

HEADER = ("Version", "When", "By", "Note", "", "", "")
CHANGES, COMPARE, RESTORE = 4, 5, 6


class VersionsWindow(ToolWindow):
    """Lists versions.

    `save_wanted` has the note of a new one; `changes_wanted`, `compare_wanted` and
    `restore_wanted` the number of one.
    """

    save_wanted = Signal(str)
    changes_wanted = Signal(int)
    compare_wanted = Signal(int)
    restore_wanted = Signal(int)

    def __init__(self, frame: QWidget) -> None:
        super().__init__(frame, "Versions", (640, 420))
        self._rows: tuple[VersionRow, ...] = ()
        self.note = QLineEdit()
        self.note.setPlaceholderText("A note: what is done, what is left")
        self.note.setAccessibleName("Note of the version")
        self.note.setMaxLength(200)
        self.note.returnPressed.connect(self._save)
        self.save = button("Save version", self._save, kind="primary")
        self.table = NumberTable("Versions")
        self.table.followed.connect(self._follow)
        self.busy, self.error, self.question = BusyView(), ErrorView(), QuestionView()
        self.error.dismissed.connect(self.error.dismiss)
        self.said = text(tone="2", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addWidget(text("Versions", role="title"))
        saving = row(self.note, self.save)
        saving.layout().setStretch(0, 1)
        layout.addWidget(saving)
        layout.addWidget(column(self.busy, self.error, self.question, gap=0))
        layout.addWidget(self.table, 1)
        layout.addWidget(self.said)

    def set_versions(self, rows: Sequence[VersionRow], read_only: str = "") -> None:
        """Show these, the last one first; with the reason why none can be saved or restored."""
        self._rows = tuple(rows)
        self.save.setEnabled(not read_only)
        self.save.setToolTip(read_only)
        self.note.setEnabled(not read_only)
        self.table.set_rows(
            HEADER if rows else (), [_cells(one, changing=not read_only) for one in rows],
            names=len(HEADER),
        )  # fmt: skip
        self.say(
            "" if rows else "No version yet. Saving one keeps the present state to go back to."
        )

    def say(self, words: str) -> None:
        """Below the table."""
        self.said.setText(words)

    def ask_to_restore(self, number: int) -> None:
        """Ask before the present state is replaced."""
        self.error.dismiss()
        words = "The segments become those of the version, as one step. Undo brings these back."
        self.question.ask(
            f"Restore version {number}?", words, "Restore version",
            lambda: self.restore_wanted.emit(number),
        )  # fmt: skip

    def show_busy(self, done: int, total: int) -> None:
        """Something takes a while."""
        self.error.dismiss()
        self.question.hide()
        self.busy.show_progress("Reading versions", done, total)

    def end_busy(self) -> None:
        """It is over."""
        self.busy.hide()

    def show_error(self, error: ErrorCard) -> None:
        """Say what went wrong."""
        self.end_busy()
        self.error.show_error(error)

    # How

    def _save(self) -> None:
        if self.save.isEnabled():
            self.save_wanted.emit(self.note.text().strip())

    def _follow(self, at_row: int, at_column: int) -> None:
        number = self._rows[at_row].number
        if at_column == CHANGES:
            self.changes_wanted.emit(number)
        elif at_column == COMPARE:
            self.compare_wanted.emit(number)
        else:
            self.ask_to_restore(number)


def _cells(version: VersionRow, *, changing: bool) -> tuple[Cell, ...]:
    return (
        Cell(str(version.number)), Cell(version.when), Cell(version.who),
        Cell(version.message, tip=version.message),
        Cell("What changed", link=True, tip="What was drawn since, for each segment"),
        Cell("Compare", link=True, tip="Dice, distances and the difference over the image"),
        Cell("Restore", link=changing, tip="Make it the present state; undo brings this one back"),
    )  # fmt: skip
