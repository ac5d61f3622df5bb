"""The open case beside a version of it or another mask: agreement in numbers and over the image."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtGui import QColor, QPixmap
from qtpy.QtWidgets import QApplication, QComboBox, QLabel, QVBoxLayout, QWidget

from napari_medlabel.commands import CaseComparison
from napari_medlabel.ui.number_table import NumberTable
from napari_medlabel.ui.planes.colors import colored
from napari_medlabel.ui.sight import Overlay
from napari_medlabel.ui.state import ErrorCard
from napari_medlabel.ui.statistics_state import COMPARED, compared_rows
from napari_medlabel.ui.switch import Switch
from napari_medlabel.ui.tool_window import ToolWindow
from napari_medlabel.ui.widgets import (
    BusyView,
    ErrorView,
    QuestionView,
    button,
    column,
    row,
    text,
)

__all__ = ["CompareWindow", "difference_overlay"]

_COLORS: Final = "magma"
_LIMITS: Final = (0.0, 4.0)
_STEPS: Final = np.array([0, 2, 3, 4], np.uint8)  # the darkest quarter of the map is not seen
KINDS: Final = ("Only here", "Only there", "Here another segment than there")
WITH: Final = "Choose a version"


def difference_overlay(answer: CaseComparison) -> Overlay:
    """Where two masks differ, as it lies over the image; takes a while where they are large."""
    return Overlay("Difference", _STEPS[answer.difference], _LIMITS, _COLORS, 0.8)


class CompareWindow(ToolWindow):
    """Shows a `CaseComparison`.

    `compare_wanted` has the number of a version, `file_wanted` asks for a mask file, `cancelled`
    calls the work off, `difference_switched` says whether to show where both differ.
    """

    compare_wanted = Signal(int)
    file_wanted = Signal()
    cancelled = Signal()
    difference_switched = Signal(bool)

    def __init__(self, frame: QWidget) -> None:
        super().__init__(frame, "Compare", (680, 420))
        self.versions = QComboBox()
        self.versions.setAccessibleName("Compare with a version")
        self.versions.activated.connect(self._version_chosen)
        self.file = button("Mask file\N{HORIZONTAL ELLIPSIS}", self.file_wanted.emit)
        self.table = NumberTable("Agreement")
        self.busy, self.error, self.question = BusyView(), ErrorView(), QuestionView()
        self.busy.cancelled.connect(self.cancelled)
        self.error.dismissed.connect(self.error.dismiss)
        self.show_difference = Switch("Show difference")
        self.show_difference.clicked.connect(self.difference_switched)
        self._legend = [_Swatch(n + 1) for n in range(len(KINDS))]
        self.legend = row(
            *(part for swatch, words in zip(self._legend, KINDS, strict=True)
              for part in (swatch, text(words, tone="2"), 6)), None, gap=6,
        )  # fmt: skip
        self.said = text(tone="3", wrap=True)
        self.copy = button("Copy table", self._copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addWidget(row(
            text("Compare with", role="title"), self.versions, text("or", tone="3"), self.file, None
        ))  # fmt: skip
        layout.addWidget(column(self.busy, self.error, self.question, gap=0))
        layout.addWidget(self.table, 1)
        layout.addWidget(row(self.show_difference, 8, self.legend, None))
        layout.addWidget(row(self.said, self.copy))
        layout.itemAt(layout.count() - 1).widget().layout().setStretch(0, 1)
        self.forget()

    def forget(self) -> None:
        """Show nothing: another case is open."""
        self.set_versions(())
        self._show(None, "Dice is 1 and distances are 0 mm where both are the same.")

    def set_versions(self, versions: Sequence[tuple[int, str]], chosen: int = 0) -> None:
        """The versions there are, by number and in words; the one that is compared with."""
        self.versions.clear()
        if not versions:
            self.versions.addItem("No version yet", 0)
        elif not chosen:
            self.versions.addItem(WITH, 0)
        for number, words in versions:
            self.versions.addItem(words, number)
        self.versions.setCurrentIndex(max(self.versions.findData(chosen), 0))
        self.versions.setEnabled(bool(versions))

    def show_busy(self, done: int, total: int) -> None:
        """Say how far it is."""
        self.error.dismiss()
        self.question.hide()
        words = f"{done} of {total} segments" if total else ""
        self.busy.show_progress("Comparing", done, total, words)

    def end_busy(self) -> None:
        """It is over, however it ended."""
        self.busy.hide()

    def show_answer(self, answer: CaseComparison, other: str) -> None:
        """Show a comparison with something, in words."""
        more = ", brought onto the grid of the case" if answer.resampled else ""
        same = "" if answer.difference.any() else " Both are the same."
        self._show(answer, f"Here is the open case, there is {other}{more}.{same}")

    def show_error(self, error: ErrorCard) -> None:
        """Say what went wrong."""
        self.end_busy()
        self.error.show_error(error)

    def offer_resampling(self, what: str, then: Callable[[], object]) -> None:
        """Say how grids differ; `then` is called if the mask is to be resampled."""
        self.end_busy()
        words = "Each voxel of the case takes the nearest label of the mask. The file is unchanged."
        self.question.ask(what, words, "Resample and compare", then)

    # How

    def _show(self, answer: CaseComparison | None, said: str) -> None:
        self.end_busy()
        self.error.dismiss()
        self.question.hide()
        rows = () if answer is None else compared_rows(answer.segments)
        self.table.set_rows(COMPARED if rows else (), rows)
        self.said.setText(said)
        differs = answer is not None and bool(answer.difference.any())
        self.show_difference.setEnabled(differs)
        if not differs:
            self.show_difference.setChecked(False)
        self.legend.setEnabled(differs)
        self.copy.setEnabled(bool(rows))

    def _version_chosen(self, _at: int) -> None:
        number = int(self.versions.currentData() or 0)
        if number:
            self.compare_wanted.emit(number)

    def _copy(self) -> None:
        QApplication.clipboard().setText(self.table.text())


class _Swatch(QLabel):
    """The colour of one kind of difference, as it lies over the image."""

    def __init__(self, kind: int) -> None:
        super().__init__()
        pixel = int(colored(_STEPS[[[kind]]], _LIMITS, _COLORS)[0, 0])
        square = QPixmap(13, 13)
        square.fill(QColor(pixel & 0xFFFFFF))
        self.setPixmap(square)
        self.setFixedSize(13, 13)
        self.setAccessibleName("")
