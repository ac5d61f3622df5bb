"""The quiet bar over the views after a window ended without closing its case."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QWidget

from napari_medlabel.ui.theme import Tokens
from napari_medlabel.ui.widgets import IconButton, IconLabel, button, dress, text

__all__ = ["RecoveredBar"]

SHOW, HIDE = "Show what changed", "Hide what changed"


class RecoveredBar(QWidget):
    """Says what was restored; `show_wanted` asks to see it or not, `dismissed` to go."""

    show_wanted = Signal(bool)
    dismissed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("medlabel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.words = text()
        self.more = text(tone="3")
        self.show_changes = button(SHOW, self._pressed, kind="link")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 2, 6, 2)
        layout.setSpacing(8)
        close = IconButton("cross", "Dismiss", self.dismissed.emit, size=14)
        for part in (IconLabel("check", "ok", 15), self.words, self.show_changes, self.more):
            layout.addWidget(part)
        layout.addStretch(1)
        layout.addWidget(close)

    def set_style(self, sheet: str, tokens: Tokens) -> None:
        """Take the theme."""
        self.setStyleSheet(sheet)
        dress(self, tokens)

    def show_words(self, words: str) -> None:
        """Say what was restored."""
        self.words.setText(words)
        self.setAccessibleName(words)

    def show_changes_on(self, *, on: bool, words: str = "") -> None:
        """Whether the changes are to be seen, and what they are."""
        self.show_changes.setText(HIDE if on else SHOW)
        self.more.setText(words)

    def _pressed(self) -> None:
        self.show_wanted.emit(self.show_changes.text() == SHOW)
