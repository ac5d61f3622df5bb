"""The section Header: what becomes of elements in counts and a few rows; values are elsewhere."""

from typing import Final

from qtpy.QtCore import QRectF, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPaintEvent
from qtpy.QtWidgets import QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_medlabel.ui.deface.header_rows import PROFILES
from napari_medlabel.ui.deface.state import HeaderState
from napari_medlabel.ui.option_rows import ListBox
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.widgets import button, restyle, row, text

__all__ = ["HeaderBox"]

TONES: Final = {"removed": "error", "replaced": "accent", "kept": "2"}
HIGH: Final = 6


class HeaderBox(QWidget):
    """Shows a `HeaderState`; its signals say what a person asks for."""

    files_wanted = Signal()
    profile_chosen = Signal(int)
    compare_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._state: HeaderState | None = None
        self.profile = ListBox("Profile", "What is kept of dates")
        self.profile.addItems([words for words, _dates in PROFILES])
        self.profile.setProperty("kind", "quiet")
        self.profile.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.profile.activated.connect(self.profile_chosen)
        self._words = text(tone="3", wrap=True)
        self.choose = button("Choose the files", self.files_wanted.emit, size="small")
        self.bar = _Bar()
        self.counts = [text(), text(), text()]
        for label, tone in zip(self.counts, TONES.values(), strict=True):
            label.setProperty("tone", tone)
        self.compare = button("Compare", self.compare_wanted.emit, kind="link")
        self._count_row = row(*self.counts, None, self.compare, gap=10)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(4)
        self._grid.setHorizontalSpacing(8)
        self._grid.setColumnStretch(0, 5)
        self._grid.setColumnStretch(1, 4)
        self._cells: list[tuple[QLabel, QLabel, QLabel]] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self._words)
        layout.addWidget(row(self.choose, None))
        for part in (self.bar, self._count_row):
            layout.addWidget(part)
        layout.addLayout(self._grid)

    def set_state(self, new: HeaderState) -> None:
        """Touch only what differs."""
        old, self._state = self._state, new
        if old == new:
            return
        self.profile.setCurrentIndex(new.choice)
        self._words.setText(new.words)
        self._words.setVisible(bool(new.words))
        self.choose.setVisible(new.chooses)
        there = bool(new.removed or new.replaced or new.kept)
        self.bar.setVisible(there)
        self._count_row.setVisible(there)
        numbers = (new.removed, new.replaced, new.kept)
        self.bar.set_numbers(numbers)
        for label, number, words in zip(self.counts, numbers, TONES, strict=True):
            label.setText(f"{number} {words}")
        if old is None or old.rows != new.rows:
            self._show_rows(new.rows)

    def _show_rows(self, rows: tuple[tuple[str, str, str], ...]) -> None:
        while len(self._cells) < len(rows):
            cells = (text(), text(tone="3"), text())
            for n, cell in enumerate(cells):
                self._grid.addWidget(cell, len(self._cells), n)
            cells[2].setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._cells.append(cells)
        for n, cells in enumerate(self._cells):
            for cell in cells:
                cell.setVisible(n < len(rows))
            if n < len(rows):
                for cell, words in zip(cells, rows[n], strict=True):
                    cell.setText(words)
                restyle(cells[2], tone=TONES.get(rows[n][2], "2"))


class _Bar(QWidget):
    """Removed, replaced and kept as parts of one line; the words below say the same."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = (0, 0, 0)
        self._tokens: Tokens = DARK
        self.set_tokens(DARK)

    def set_numbers(self, numbers: tuple[int, int, int]) -> None:
        """Show these."""
        if numbers != self._numbers:
            self._numbers = numbers
            self.setAccessibleName("{} removed, {} replaced, {} kept".format(*numbers))
            self.update()

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme."""
        self._tokens = tokens
        self.setFixedHeight(tokens.px(HIGH))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  # Qt's
        """Three parts with a gap between them."""
        painter, tokens = QPainter(self), self._tokens
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        total, left = sum(self._numbers), 0.0
        colors = (tokens.error, tokens.accent_text, tokens.line2)
        for number, color in zip(self._numbers, colors, strict=True):
            wide = self.width() * number / max(total, 1)
            if wide:
                painter.setBrush(QColor(color))
                painter.drawRoundedRect(
                    QRectF(left, 0.0, max(wide - 2.0, 1.0), float(self.height())), 2.0, 2.0
                )
            left += wide
        painter.end()
