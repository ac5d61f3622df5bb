"""Statistics of the segments: a table to read, copy, write to a file, and follow to an axis."""

from collections.abc import Mapping
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QApplication, QVBoxLayout, QWidget

from napari_medlabel.ui.number_table import NumberTable
from napari_medlabel.ui.state import ErrorCard
from napari_medlabel.ui.statistics_state import axis_at, statistics_header, statistics_rows
from napari_medlabel.ui.tool_window import ToolWindow
from napari_medlabel.ui.widgets import BusyView, ErrorView, button, column, row, text

__all__ = ["StatisticsWindow"]

NOTE = "Axes run between the outer faces of voxels; long and short axis lie in one slice."


class StatisticsWindow(ToolWindow):
    """Shows what `case_statistics` answered.

    `measure_wanted` asks for it, `cancelled` calls it off; `followed` has the `AxisLine` of a
    number that was pressed, `save_wanted` asks for a file of it.
    """

    measure_wanted = Signal()
    cancelled = Signal()
    followed = Signal(object)
    save_wanted = Signal()

    def __init__(self, frame: QWidget) -> None:
        super().__init__(frame, "Statistics", (980, 280), below=True)
        self._document: Mapping[str, Any] | None = None
        self.table = NumberTable("Statistics")
        self.table.followed.connect(self._follow)
        self.busy, self.error = BusyView(), ErrorView()
        self.busy.cancelled.connect(self.cancelled)
        self.error.dismissed.connect(self.error.dismiss)
        self.stale = text("Drawn on since these numbers were measured", tone="3")
        self.again = button("Measure again", self.measure_wanted.emit)
        self.note = text(tone="3")
        self.copy = button("Copy table", self._copy)
        self.save = button("Save\N{HORIZONTAL ELLIPSIS}", self.save_wanted.emit,
                           tip="Write all numbers to a .csv or .json file")  # fmt: skip
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addWidget(row(text("Statistics", role="title"), None, self.stale, self.again))
        layout.addWidget(column(self.busy, self.error, gap=0))
        layout.addWidget(self.table, 1)
        layout.addWidget(
            row(text(NOTE, tone="3", wrap=True), self.note, self.copy, self.save, gap=8)
        )
        layout.itemAt(layout.count() - 1).widget().layout().setStretch(0, 1)
        self.forget()

    @property
    def document(self) -> Mapping[str, Any] | None:
        """The numbers that are shown."""
        return self._document

    def forget(self) -> None:
        """Show nothing: another case is open."""
        self._document = None
        self.table.set_rows((), ())
        self.busy.hide()
        self.error.dismiss()
        self.set_stale(on=False)
        self._allow()

    def show_busy(self, done: int, total: int) -> None:
        """Say how far it is."""
        self.error.dismiss()
        words = f"{round(100 * done / total)} %" if total else ""
        self.busy.show_progress("Measuring segments", done, total, words)

    def end_busy(self) -> None:
        """It is over, however it ended."""
        self.busy.hide()

    def show_document(self, document: Mapping[str, Any]) -> None:
        """Show these numbers."""
        self.end_busy()
        self._document = document
        self.table.set_rows(statistics_header(document["unit"]), statistics_rows(document))
        self.set_stale(on=False)
        self._allow()

    def show_error(self, error: ErrorCard) -> None:
        """Say what went wrong."""
        self.end_busy()
        self.error.show_error(error)

    def set_stale(self, *, on: bool) -> None:
        """Whether the case has changed since."""
        shown = on and self._document is not None
        self.stale.setVisible(shown)
        self.again.setVisible(shown)

    @property
    def is_stale(self) -> bool:
        """Whether the numbers are those of before."""
        return not self.again.isHidden()

    def say(self, words: str) -> None:
        """A quiet word below the table."""
        self.note.setText(words)

    # How

    def _allow(self) -> None:
        there = bool(self._document and self._document["segments"])
        for one in (self.copy, self.save):
            one.setEnabled(there)
        self.say("" if there or self._document is None else "There is no segment yet")

    def _copy(self) -> None:
        QApplication.clipboard().setText(self.table.text())
        self.say("Copied")

    def _follow(self, at_row: int, at_column: int) -> None:
        line = None if self._document is None else axis_at(self._document, at_row, at_column)
        if line is not None:
            self.say(line.words)
            self.followed.emit(line)
