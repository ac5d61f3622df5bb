"""The card of the open case: its name, its grid, what is wrong with it, whether all is saved."""

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFrame, QVBoxLayout

from napari_medlabel.ui.annotate_state import AnnotateState
from napari_medlabel.ui.chip_button import ChipButton
from napari_medlabel.ui.state import CaseCard
from napari_medlabel.ui.widgets import IconButton, IconLabel, chip, restyle, row, text

__all__ = ["CaseCardView"]

SAVED = {"saved": ("check", "ok"), "saving": ("clock", "text3"), "failed": ("error", "error")}


class CaseCardView(QFrame):
    """Shows the card of an `AnnotateState`.

    `report_wanted` asks for the geometry report, `problem_wanted` for the first slice that it
    names, too.
    """

    close_pressed = Signal()
    report_wanted = Signal()
    problem_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("card", "plain")
        self._name = text(role="title")
        self._modality = chip("")
        self._chip = chip("", "accent")
        close = IconButton("cross", "Close the case; it is saved", self.close_pressed.emit, size=14)
        self._volume = text(tone="2", wrap=True)
        self.grid = ChipButton("quiet", self.report_wanted.emit)
        self.chosen = ChipButton("neutral", self.report_wanted.emit)
        self._mind = text(tone="3", wrap=True)
        self.warning = ChipButton("warn", self.problem_wanted.emit)
        self._read_only = text(tone="3", wrap=True)
        self._read_only.hide()
        self._saved_icon = IconLabel("check", "ok", 14)
        self._saved = text(tone="3")
        self._not_saved = row(self._saved_icon, self._saved, None, gap=6)
        self._not_saved.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 9, 10, 10)
        layout.setSpacing(5)
        for part in (
            row(self._name, self._modality, None, self._chip, close, gap=6), self._volume,
            self.grid, self.chosen, self._mind, self.warning, self._read_only,
            self._not_saved,
        ):  # fmt: skip
            layout.addWidget(part)

    def set_card(self, shown: CaseCard) -> None:
        """Show the case."""
        self._name.setText(shown.name)
        self._modality.setText(shown.modality)
        self._modality.setVisible(bool(shown.modality))
        self._chip.setText(shown.chip)
        restyle(self._chip, chip=shown.tone)
        self._volume.setText(shown.volume)
        self._volume.setVisible(bool(shown.volume))
        self.grid.show_words(shown.grid, "Geometry report")
        made, mind = shown.chosen
        self.chosen.show_words(made, mind)
        self._mind.setText(mind)
        self._mind.setVisible(bool(mind))
        self.warning.show_words(shown.warning, shown.problems)

    def set_notes(self, new: AnnotateState) -> None:
        """Show what is not saved, and why nothing can be changed."""
        self._read_only.setText(new.read_only)
        self._read_only.setVisible(bool(new.read_only))
        self._saved_icon.show_icon(*SAVED[new.saved_kind])
        self._saved.setText(new.saved)
        restyle(self._saved, tone="error" if new.saved_kind == "failed" else "3")
        self._not_saved.setVisible(new.saved_kind == "failed")  # else the status line says it
