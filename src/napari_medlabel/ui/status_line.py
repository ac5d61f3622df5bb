"""The status line: what is under the pointer, whether all is saved, the engine, Offline."""

from dataclasses import replace
from typing import Final

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_medlabel.ui.bar_style import bar_sheet
from napari_medlabel.ui.fitting_row import FittingRow, upright
from napari_medlabel.ui.fixed_text import FixedText
from napari_medlabel.ui.readout import MINUS, Readout, StatusState
from napari_medlabel.ui.swatch import Swatch
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.widgets import IconLabel, button

__all__ = ["StatusLine"]

HEIGHT: Final = 26
SAVED: Final = {
    "saved": ("check", "ok", "text2"),
    "saving": ("clock", "text3", "text2"),
    "failed": ("error", "error", "error"),
}


class StatusLine(QWidget):
    """Shows a `StatusState`; every part has a fixed width, so that numbers move nothing.

    `remedy_pressed`: something is not saved, and a person pressed the button beside it.
    """

    remedy_pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("medlabel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._state: StatusState | None = None
        self._tokens: Tokens = DARK
        self._row = self._made_row()
        self._row.setProperty("role", "status")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._row)
        self.set_state(StatusState())
        self.set_tokens(DARK)

    def set_state(self, new: StatusState) -> None:
        """Touch only what differs."""
        old, self._state = self._state, new
        if old is None or old.under != new.under:
            self._show_under(new.under)
        if old is None or (old.saved, old.saved_kind) != (new.saved, new.saved_kind):
            icon, tone, words = SAVED[new.saved_kind]
            self._saved_icon.show_icon(icon, tone)
            self._saved_icon.setVisible(bool(new.saved))
            self.saved.set_tone(words)
            self.saved.set_words(new.saved)
            self.saved.setToolTip(new.saved)
        if old is None or (old.remedy, old.saved_kind) != (new.remedy, new.saved_kind):
            self.remedy.setText(new.remedy)
            self.remedy.setAccessibleName(new.remedy)
            self._row.want(self.remedy, wanted=new.saved_kind == "failed" and bool(new.remedy))
        if old is None or old.overlaid != new.overlaid:
            self._row.want(self.second, wanted=new.overlaid)
        if old is None or (old.engine, old.engine_ready) != (new.engine, new.engine_ready):
            self._engine_dot.set_color(self._dot_color(new))
            self.engine.set_words(new.engine)
            for part in (self._engine_line, self._engine_dot, self.engine):
                self._row.want(part, wanted=bool(new.engine))

    def set_readout(self, under: Readout) -> None:
        """Show another place under the pointer; nothing is laid out, so it may come at 60 Hz."""
        if self._state is not None and under != self._state.under:
            self._state = replace(self._state, under=under)
            self._show_under(under)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's colours and sizes."""
        self._tokens = tokens
        self.setFixedHeight(tokens.px(HEIGHT))
        self._row.setStyleSheet(bar_sheet(tokens))
        if self._state is not None:
            self._engine_dot.set_color(self._dot_color(self._state))

    # How

    def _made_row(self) -> FittingRow:
        self.position = [FixedText("R 9999.9") for _axis in range(3)]
        self._mm = FixedText("mm", tone="text2")
        self.voxel = FixedText("[999, 999, 999]", tone="text2")
        self.voxel.setToolTip("Index of the voxel [k, j, i]: slice, row and column, from 0")
        self.value = FixedText(f"{MINUS}1024.5 HU")
        self.second = FixedText("1024.5 SUVbw", tone="accent_text")
        self.second.setToolTip("Value of the second image")
        self._swatch = Swatch()
        self.segment = FixedText("Kidney, right, upper")
        self._saved_icon = IconLabel("check", "ok", 14)
        self.saved = FixedText("Not saved: disk is full.")
        self.remedy = button("Save again", self.remedy_pressed.emit, kind="status")
        self.remedy.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._engine_dot = Swatch(size=8, radius=4)
        self.engine = FixedText("Engine ready · GPU · 0.3 s per click", tone="text2")
        offline = FixedText("Offline", tone="text2")
        offline.set_words("Offline")
        offline.setToolTip("Nothing leaves this computer")
        first, second, third, last = (upright() for _n in range(4))
        self._engine_line = third
        return FittingRow(
            (*self.position, self._mm, first, self.voxel, second, self.value, self.second,
             self._swatch, self.segment, None, self._saved_icon, self.saved, self.remedy, third,
             self._engine_dot, self.engine, last, IconLabel("offline", "text2", 14), offline),
            ((first, self.voxel), (third, self._engine_dot, self.engine), (offline,),
             (self._swatch, self.segment), (self.second,), (second, self.value),
             (*self.position, self._mm)),
            gap=8,
        )  # fmt: skip

    def _show_under(self, under: Readout) -> None:
        for n, part in enumerate(self.position):
            part.set_words(under.position[n] if under.position else "")
        self._mm.set_words("mm" if under.position else "")
        self.voxel.set_words(under.voxel)
        self.value.set_words(under.value)
        self.second.set_words(under.second)
        self._swatch.set_color(under.color)
        self.segment.set_words(under.segment)

    def _dot_color(self, state: StatusState) -> str:
        return self._tokens.ok if state.engine_ready else self._tokens.text3
