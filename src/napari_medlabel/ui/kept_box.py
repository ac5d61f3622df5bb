"""Chips that lead back to previews which were put aside, each with a cross that lets it go."""

from functools import partial

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_medlabel.ui.kept_state import KeptRow, kept_words
from napari_medlabel.ui.swatch import HatchedSwatch
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.widgets import IconButton, IconLabel, dress, row, text

__all__ = ["KeptBox"]


class KeptBox(QWidget):
    """Shows `KeptRow`s; `wanted` and `forgotten` have the number of one."""

    wanted = Signal(int)
    forgotten = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[KeptRow, ...] = ()
        self._tokens: Tokens = DARK
        self.chips: list[QPushButton] = []
        self.crosses: list[IconButton] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 6, 0, 0)
        self._layout.setSpacing(4)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.hide()

    def set_rows(self, rows: tuple[KeptRow, ...]) -> None:
        """Show these, and only make them anew where they differ."""
        if rows == self._rows:
            return
        self._rows = rows
        while (item := self._layout.takeAt(0)) is not None:
            item.widget().deleteLater()
        self.chips, self.crosses = [], []
        for n, one in enumerate(rows):
            self._layout.addWidget(self._row(n, one))
        dress(self, self._tokens)
        self.setVisible(bool(rows))

    def set_tokens(self, tokens: Tokens) -> None:
        """Remember the theme for what comes later."""
        self._tokens = tokens

    def _row(self, number: int, shown: KeptRow) -> QWidget:
        words = kept_words(shown)
        swatch = HatchedSwatch()
        swatch.set_color(shown.color)
        chip = QPushButton()
        chip.setProperty("kind", "chip-neutral")
        chip.setAutoDefault(False)
        chip.setCursor(Qt.CursorShape.PointingHandCursor)
        chip.setAccessibleName(f"{words}, show it again")
        chip.setToolTip("This preview was put aside: show it again")
        chip.clicked.connect(lambda _checked=False: self.wanted.emit(number))
        label = text(words)
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        inside = row(swatch, label, IconLabel("next", "text2", 12), margins=(8, 0, 6, 0))
        inside.layout().setStretch(1, 1)
        inside.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        around = QVBoxLayout(chip)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(inside)
        cross = IconButton("cross", "Let this preview go", partial(self.forgotten.emit, number),
                           size=14)  # fmt: skip
        self.chips.append(chip)
        self.crosses.append(cross)
        made = row(chip, cross, gap=4)
        made.layout().setStretch(0, 1)
        return made
