"""The series that were found: a table to choose from, before anything is opened."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from napari_medlabel.ui.advice import Advice
from napari_medlabel.ui.series_card import SeriesCard
from napari_medlabel.ui.state import SeriesRow, VolumeRow
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.widgets import button, column, dress, row, text

__all__ = ["SeriesPage"]

WIDTH = 820


class SeriesPage(QScrollArea):
    """The table of what a scan found; its signals are those of `SeriesCard`."""

    wanted = Signal(object, object)
    chosen = Signal(object, object)
    report_wanted = Signal(object, object)
    offer_taken = Signal(object, object)
    undone = Signal(object)
    back_wanted = Signal()

    def __init__(self, advice: Advice) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._advice = advice
        self._tokens: Tokens = DARK
        self._shown: tuple[SeriesRow, ...] = ()
        self.rows: list[SeriesCard] = []
        self._title = text("Series", role="huge")
        self._note = text(tone="3")
        self._list = QVBoxLayout()
        self._list.setSpacing(2)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._holder = QWidget()
        self._holder.setLayout(self._list)
        back = button("Back", self.back_wanted.emit)
        head = row(column(self._title, self._note, gap=2), None, back, margins=(10, 0, 10, 0))
        sheet = column(head, 12, self._holder, None, gap=4)
        sheet.setMaximumWidth(WIDTH)
        holder = QWidget()
        outer = QHBoxLayout(holder)
        outer.setContentsMargins(24, 40, 24, 16)
        outer.addStretch(1)
        outer.addWidget(sheet, 20)
        outer.addStretch(1)
        self.setWidget(holder)

    def set_rows(self, rows: Sequence[SeriesRow], skipped: int) -> None:
        """Show what was found; rows that are shown already stay as they are."""
        if tuple(rows) == self._shown:
            return
        kept = {made.shown: made for made in self.rows}
        self._shown = tuple(rows)
        while self._list.takeAt(0) is not None:
            pass
        fresh = [shown for shown in self._shown if shown not in kept]
        self.rows = [
            kept.pop(shown) if shown in kept else self._made(shown) for shown in self._shown
        ]
        for gone in kept.values():
            gone.hide()
            gone.deleteLater()
        for made in self.rows:
            self._list.addWidget(made)
            made.show()
        self._note.setText(self._count_words(skipped))
        dress(self._holder, self._tokens)
        if fresh:
            next(made for made in self.rows if made.shown is fresh[0]).setFocus()

    def set_pictures(self, pictures: Mapping[VolumeRow, npt.NDArray[np.uint8]]) -> None:
        """Show the pictures that have come."""
        for made in self.rows:
            if made.volume in pictures:
                made.show_picture(made.volume, pictures[made.volume])

    def set_tokens(self, tokens: Tokens) -> None:
        """Remember the theme for rows that come later."""
        self._tokens = tokens

    def _made(self, shown: SeriesRow) -> SeriesCard:
        made = SeriesCard(shown, self._advice)
        for name in ("wanted", "chosen", "report_wanted", "offer_taken", "undone"):
            getattr(made, name).connect(getattr(self, name))
        return made

    def _count_words(self, skipped: int) -> str:
        count, usable = len(self._shown), sum(shown.usable for shown in self._shown)
        words = f"{count} found" if usable == count else (
            f"{count} found, {usable or 'none'} can be opened"
        )  # fmt: skip
        others = "1 other file" if skipped == 1 else f"{skipped} other files"
        return f"{words} · {others} left out" if skipped else words
