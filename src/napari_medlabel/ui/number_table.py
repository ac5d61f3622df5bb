"""A table of numbers to read, sort, copy, and follow: cells that lead somewhere look like links."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QIcon, QKeyEvent, QKeySequence, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
)

from napari_medlabel.ui.theme import DARK, Tokens

__all__ = ["Cell", "NumberTable", "as_text"]

ROW: Final = 26
SWATCH: Final = 12


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Parameters
    ----------
    words
        As it is read.
    copied
        As it is copied, with all its digits; the words where it is empty.
    link
        Whether a click leads somewhere.
    color
        "#RRGGBB" of a square before the words.
    tip
        More about it.
    """

    words: str
    copied: str = ""
    link: bool = False
    color: str = ""
    tip: str = ""


def as_text(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """The table as a spreadsheet takes it: tabs between cells, a line for each row."""
    lines = ["\t".join(header)]
    lines += ["\t".join(cell.copied or cell.words for cell in row) for row in rows]
    return "\n".join(lines) + "\n"


class NumberTable(QTableWidget):
    """Shows rows of cells; `followed` has row and column of a link that was pressed.

    Parameters
    ----------
    name
        What it is called when it is read out.
    """

    followed = Signal(int, int)

    def __init__(self, name: str) -> None:
        super().__init__()
        self._header: tuple[str, ...] = ()
        self._rows: tuple[tuple[Cell, ...], ...] = ()
        self._names = 1
        self._tokens: Tokens = DARK
        self.setAccessibleName(name)
        self.setShowGrid(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setHighlightSections(False)
        self.cellClicked.connect(self._clicked)
        self.cellActivated.connect(self._clicked)
        self.cellEntered.connect(self._entered)
        self.set_tokens(DARK)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme."""
        self._tokens = tokens
        self.verticalHeader().setDefaultSectionSize(tokens.px(ROW))
        self._paint()

    def set_rows(
        self, header: Sequence[str], rows: Sequence[Sequence[Cell]], *, names: int = 1
    ) -> None:
        """Show these; the first columns are of names, the others of numbers, which stand right."""
        self._names = names
        new = tuple(tuple(row) for row in rows)
        if (tuple(header), new) == (self._header, self._rows):
            return
        self._header, self._rows = tuple(header), new
        self.setColumnCount(len(self._header))
        self.setRowCount(len(new))
        for column, words in enumerate(self._header):
            item = QTableWidgetItem(words)
            item.setTextAlignment(self._side(column))
            self.setHorizontalHeaderItem(column, item)
        self._paint()
        for column in range(len(self._header)):
            self.resizeColumnToContents(column)
            self.setColumnWidth(column, self.columnWidth(column) + self._tokens.px(12))

    def text(self) -> str:
        """All of it, as a spreadsheet takes it."""
        return as_text(self._header, self._rows)

    def cell(self, row: int, column: int) -> Cell:
        """What a cell shows."""
        return self._rows[row][column]

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's
        """Ctrl+C copies all of it."""
        if event.matches(QKeySequence.StandardKey.Copy):
            QApplication.clipboard().setText(self.text())
        else:
            super().keyPressEvent(event)

    # How

    def _paint(self) -> None:
        for r, row in enumerate(self._rows):
            for c, cell in enumerate(row):
                self.setItem(r, c, self._item(cell, c))

    def _item(self, cell: Cell, column: int) -> QTableWidgetItem:
        item = QTableWidgetItem(cell.words)
        item.setTextAlignment(self._side(column))
        if cell.color:
            square = QPixmap(self._tokens.px(SWATCH), self._tokens.px(SWATCH))
            square.fill(QColor(cell.color))
            item.setIcon(QIcon(square))
        item.setForeground(QColor(self._tokens.accent_text if cell.link else self._tokens.text1))
        item.setToolTip(cell.tip)
        heading = self._header[column]
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{heading}: {cell.words}")
        return item

    def _clicked(self, row: int, column: int) -> None:
        if self._rows[row][column].link:
            self.followed.emit(row, column)

    def _entered(self, row: int, column: int) -> None:
        link = self._rows[row][column].link
        shape = Qt.CursorShape.PointingHandCursor if link else Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(shape)

    def _side(self, column: int) -> Qt.AlignmentFlag:
        number = column >= self._names
        side = Qt.AlignmentFlag.AlignRight if number else Qt.AlignmentFlag.AlignLeft
        return side | Qt.AlignmentFlag.AlignVCenter
