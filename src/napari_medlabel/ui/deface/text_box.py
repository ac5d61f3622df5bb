"""The section Burned-in text: each text as pixels, with what becomes of it; never as words."""

from typing import Final

import numpy as np
from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from napari_medlabel.commands import TextTile
from napari_medlabel.ui.deface.state import TextRow, TextState
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.widgets import Choice, button, column, dress, row, text

__all__ = ["TextBox"]

TILE: Final = (52, 24)
MOST_ROWS: Final = 12  # that are shown; the rest is counted


class TextBox(QWidget):
    """Shows a `TextState`; its signals say what a person decided."""

    files_wanted = Signal()
    kept = Signal(int, bool)
    reason_given = Signal(str)
    unread_accepted = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._state: TextState | None = None
        self._tokens: Tokens = DARK
        self.note = text(tone="3")
        self._words = text(tone="3", wrap=True)
        self.choose = button("Choose the files", self.files_wanted.emit, size="small")
        self.unread = text(tone="2", wrap=True)
        self.accept = QCheckBox("Go on without")
        self.accept.clicked.connect(lambda on: self.unread_accepted.emit(bool(on)))
        self.reason = QLineEdit()
        self.reason.setPlaceholderText("Why it stays, for the certificate")
        self.reason.setAccessibleName("Why text stays")
        self.reason.setMaxLength(200)
        self.reason.textEdited.connect(self.reason_given)
        self.rows: list[_Row] = []
        self._list = QVBoxLayout()
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(8)
        self._more = text(role="caption")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._words)
        layout.addWidget(row(self.choose, None))
        layout.addLayout(self._list)
        for part in (self._more, self.unread, self.accept, self.reason):
            layout.addWidget(part)

    def set_state(self, new: TextState) -> None:
        """Touch only what differs."""
        old, self._state = self._state, new
        if old == new:
            return
        self.note.setText(new.note)
        for label, words in ((self._words, new.words), (self.unread, new.unread)):
            label.setText(words)
            label.setVisible(bool(words))
        self.choose.setVisible(new.chooses)
        self.accept.setVisible(bool(new.unread))
        self.accept.setChecked(new.accepted)
        self.reason.setVisible(new.asks_reason)
        if self.reason.text().strip() != new.reason:
            with QSignalBlocker(self.reason):
                self.reason.setText(new.reason)
        if old is None or old.rows != new.rows:
            self._show_rows(new.rows)

    def set_tokens(self, tokens: Tokens) -> None:
        """Remember the theme for rows that come later."""
        self._tokens = tokens

    def _show_rows(self, rows: tuple[TextRow, ...]) -> None:
        shown = rows[:MOST_ROWS]
        while len(self.rows) < len(shown):
            made = _Row(self)
            self.rows.append(made)
            self._list.addWidget(made)
            dress(made, self._tokens)
        for n, made in enumerate(self.rows):
            made.setVisible(n < len(shown))
            if n < len(shown):
                made.show_row(shown[n])
        more = len(rows) - len(shown)
        self._more.setText(f"and {more} more, which are redacted")
        self._more.setVisible(more > 0)


class _Row(QWidget):
    """A tile, where it is, and Redact or Keep."""

    def __init__(self, box: TextBox) -> None:
        super().__init__()
        self._row: TextRow | None = None
        self._box = box
        self._tokens: Tokens = DARK
        self.tile = QLabel()
        self.tile.setProperty("role", "tile")
        self.tile.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.title, self.size_ = text(wrap=True), text(role="caption", wrap=True)
        self.choice = Choice(
            ["Redact", "Keep"], ["Fill it in every slice it is in", "Leave it, with a reason"]
        )
        self.choice.chosen.connect(self._chosen)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.tile)
        layout.addWidget(column(self.title, self.size_, gap=0), 1)
        layout.addWidget(self.choice, 0, Qt.AlignmentFlag.AlignVCenter)

    def show_row(self, shown: TextRow) -> None:
        """Show it."""
        old, self._row = self._row, shown
        if old is None or old.tile is not shown.tile:
            self._draw()
        self.title.setText(shown.title)
        self.size_.setText(shown.size)
        self.tile.setAccessibleName(f"{shown.title}, {shown.size}")
        self.choice.set_chosen(int(shown.keep))

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's sizes."""
        self._tokens = tokens
        self.tile.setFixedSize(tokens.px(TILE[0]), tokens.px(TILE[1]))
        self._draw()

    def _draw(self) -> None:
        if self._row is not None:
            inside = self.tile.size().shrunkBy(self.tile.contentsMargins())
            kept = Qt.AspectRatioMode.KeepAspectRatio
            smooth = Qt.TransformationMode.SmoothTransformation
            whole = _pixmap(self._row.tile)
            self.tile.setPixmap(whole.scaled(inside.width() - 6, inside.height() - 6, kept, smooth))

    def _chosen(self, number: int) -> None:
        if self._row is not None:
            self._box.kept.emit(self._row.tile.finding, bool(number))


def _pixmap(tile: TextTile) -> QPixmap:
    pixels = np.ascontiguousarray(tile.pixels)
    rows, columns = pixels.shape[:2]
    colored = pixels.ndim == 3
    kind = QImage.Format.Format_RGB888 if colored else QImage.Format.Format_Grayscale8
    image = QImage(pixels.data, columns, rows, columns * (3 if colored else 1), kind)
    return QPixmap.fromImage(image.copy())  # QImage looks at memory that is not its own
