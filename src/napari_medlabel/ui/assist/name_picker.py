"""A field to type what is to be found, with the names that an engine knows."""

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QCompleter, QLineEdit

from napari_medlabel.ui.widgets import restyle

__all__ = ["NamePicker"]


class NamePicker(QLineEdit):
    """Completes a name from those there are; `chosen` has it, once it is one of them."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._names: tuple[str, ...] = ()
        self.setAccessibleName("Find by name")
        self.setToolTip("What the engine finds without a click; Enter begins")
        self.setClearButtonEnabled(True)
        self.setProperty("keeps_focus", True)  # noqa: FBT003  # Qt's
        self.textEdited.connect(self._typed)

    @property
    def names(self) -> tuple[str, ...]:
        """Those that can be found."""
        return self._names

    def set_names(self, names: Sequence[str]) -> None:
        """Offer these."""
        self._names = tuple(sorted(names, key=str.casefold))
        self.setPlaceholderText(f"{self._names[0]}, \N{HORIZONTAL ELLIPSIS}" if names else "")
        known = QCompleter(list(self._names), self)
        known.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        known.setFilterMode(Qt.MatchFlag.MatchContains)
        known.activated[str].connect(self._choose)
        self.setCompleter(known)
        self.clear()

    def found(self) -> str:
        """The name that is meant: as it is written, or the only one that has these words."""
        words = " ".join(self.text().split()).casefold()
        exact = [name for name in self._names if name.casefold() == words]
        some = [name for name in self._names if words and words in name.casefold()]
        return next(iter(exact or (some if len(some) == 1 else [])), "")

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's
        """Enter takes what is written; Esc clears it."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._choose(self.found())
        elif event.key() == Qt.Key.Key_Escape:
            self.clear()
            self.clearFocus()
        else:
            super().keyPressEvent(event)

    def _choose(self, name: str) -> None:
        restyle(self, wrong=str(not name and bool(self.text())).lower())
        if name:
            self.setText(name)
            self.clearFocus()
            self.chosen.emit(name)

    def _typed(self, _words: str) -> None:
        restyle(self, wrong="false")
