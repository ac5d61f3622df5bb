"""How the task is to be done, in the words of those who set it; read, never written here."""

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QPlainTextEdit, QVBoxLayout, QWidget

from napari_medlabel.ui.section import Section
from napari_medlabel.ui.theme import Tokens

__all__ = ["ProtocolView"]

LINES = 8
LINE = 16


class ProtocolView(QWidget):
    """Text that folds under its title; not there without text.

    Parameters
    ----------
    remember, folded
        As of `Section`.
    """

    def __init__(
        self, remember: Callable[[str, bool], object] = lambda _name, _folded: None, *,
        folded: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.words = QPlainTextEdit()
        self.words.setReadOnly(True)
        self.words.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.words.setAccessibleName("Protocol")
        self.words.setFrameShape(QFrame.Shape.NoFrame)
        self.words.setProperty("role", "reading")
        self.words.setTabChangesFocus(True)
        self.section = Section(
            "protocol", "Protocol", self.words, remember=remember, folded=folded
        )  # fmt: skip
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.section)
        self._scale = 1.0
        self.hide()

    def set_text(self, words: str) -> None:
        """Show these; nothing of it without any."""
        if words != self.words.toPlainText():
            self.words.setPlainText(words)
            self._fit()
        self.setVisible(bool(words.strip()))

    def unfold(self) -> None:
        """Show it, since it was asked for."""
        self.section.set_folded(folded=False)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's sizes."""
        self._scale = tokens.scale
        self._fit()

    def _fit(self) -> None:
        lines = min(max(self.words.document().lineCount(), 3), LINES)
        self.words.setFixedHeight(round((lines + 1) * LINE * self._scale))
