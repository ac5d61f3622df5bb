"""What floats over the window around actions: finding one, all keys, changing them, the history."""

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QWidget

from napari_medlabel.ui.action_search import entries
from napari_medlabel.ui.cheat_sheet import CheatSheet
from napari_medlabel.ui.desk import Desk
from napari_medlabel.ui.drawing import Drawing
from napari_medlabel.ui.history_list import HistoryList, HistoryReader
from napari_medlabel.ui.key_sets import KeyChoice
from napari_medlabel.ui.keys import Keys
from napari_medlabel.ui.keys_dialog import KeysDialog
from napari_medlabel.ui.palette import Palette
from napari_medlabel.ui.planes.own_window import float_over, give_own_window
from napari_medlabel.ui.theme import Tokens

__all__ = ["ActionWindows"]


class ActionWindows(QObject):
    """Shows what the keys ask for, and acts on what is chosen there.

    `asked` passes on the id of an action that is somebody else's: "measure", "lock-workspace".

    Parameters
    ----------
    frame
        The window.
    keys
        Run actions, and keep which keys they have.
    desk
        Has the case that is open.
    """

    asked = Signal(str)

    def __init__(self, frame: QWidget, keys: Keys, desk: Desk) -> None:
        super().__init__(desk)
        self._keys, self._desk = keys, desk
        self.palette, self.sheet = Palette(frame), CheatSheet(frame)
        self.history, self.dialog = HistoryList(frame), KeysDialog(frame)
        for part in (self.palette, self.history):
            float_over(part, 12.0)
        give_own_window(self.sheet)
        self._on: Drawing | None = None
        self._reader: HistoryReader | None = None
        self._opens = {
            "find-action": self._find, "keys": self._show_keys, "change-keys": self._change_keys,
            "history": self._show_history,
        }  # fmt: skip
        keys.window.asked.connect(self.ask)
        keys.window.changed.connect(self._choice_changed)
        self.palette.chosen.connect(keys.window.run)
        self.sheet.set_wanted.connect(self._set_wanted)
        self.sheet.change_wanted.connect(self._change_keys)
        self.dialog.choice_changed.connect(keys.keep_choice)
        self.history.moved.connect(self._go)
        desk.changed.connect(self._look)
        self._choice_changed()

    def set_style(self, sheet: str, tokens: Tokens) -> None:
        """Take the theme."""
        for part in (self.palette, self.history):
            part.setProperty("ground", tokens.bg)  # nothing is to be seen through them
        for part in (self.palette, self.sheet, self.history, self.dialog):
            part.set_style(sheet, tokens)

    def ask(self, action_id: str) -> None:
        """Open what an action asks for; what is not here is passed on."""
        if self._desk.drawing is None:
            return
        opens = self._opens.get(action_id)
        if opens is None:
            self.asked.emit(action_id)
        else:
            opens()

    def remove(self) -> None:
        """The window goes."""
        for part in (self.palette, self.sheet, self.history, self.dialog):
            part.close()
            part.deleteLater()

    # How

    def _find(self) -> None:
        self.palette.open(entries(self._desk.drawing, self._keys.window.keys))

    def _show_keys(self) -> None:
        self.sheet.open()

    def _change_keys(self) -> None:
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def _show_history(self) -> None:
        self._look()
        if self._reader is not None:
            self.history.set_rows(self._reader.rows())
            self.history.open()

    def _look(self) -> None:
        """Follow the case that is open."""
        drawing = self._desk.drawing
        if drawing is not self._on:
            self._on = drawing
            self._reader = None if drawing is None else HistoryReader(drawing.case.segmentation)
            for part in (self.palette, self.sheet, self.history):
                part.close_up()
        elif self._reader is not None and self.history.isVisible():
            self.history.set_rows(self._reader.rows())

    def _go(self, steps: int) -> None:
        """Undo or redo that often; a step that is refused says why and ends it."""
        drawing = self._desk.drawing
        if drawing is None:
            return
        segmentation = drawing.case.segmentation
        for _time in range(abs(steps)):
            before = len(segmentation.history)
            (drawing.undo if steps < 0 else drawing.redo)()
            if len(segmentation.history) == before:
                break

    def _set_wanted(self, base: str) -> None:
        choice = self._keys.window.choice
        self._keys.keep_choice(KeyChoice(base, choice.digits_pick, choice.changed))

    def _choice_changed(self) -> None:
        choice = self._keys.window.choice
        self.sheet.set_choice(choice)
        if self.dialog.choice is not choice:
            self.dialog.set_choice(choice)
