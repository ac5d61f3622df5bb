"""The Export tab: what, where to, and the result with its checks."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QFrame, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from napari_medlabel.ui.gate_state import GateState
from napari_medlabel.ui.state import NONE, CaseCard, SegmentRow
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.widgets import (
    BusyView,
    Choice,
    IconLabel,
    button,
    card,
    chip,
    column,
    dress,
    line,
    restyle,
    row,
    text,
)

__all__ = ["ExportTab", "ExportWish", "destination_words"]

FORMATS = (
    ("nifti", "NIfTI", ".nii.gz"),
    ("nrrd", "NRRD", ".nrrd"),
    ("dicom-seg", "DICOM SEG", ".seg.dcm"),
)
ORIGINALS = (
    "A DICOM SEG names the patient and study as they do. Without them it has the case's pseudonym."
)
GATE_ICONS = {
    "ok": ("check", "ok"),
    "missing": ("cross", "error"),
    "open": ("note", "text3"),
    "through": ("warning", "warn"),
}
GRIDS: tuple[Literal["grid", "source"], ...] = ("grid", "source")


@dataclass(frozen=True, slots=True)
class ExportWish:
    """What is to be written where; `originals` is where a DICOM SEG finds patient and study."""

    folder: Path
    name: str
    formats: tuple[str, ...]
    force: bool
    onto: Literal["grid", "source"] = "grid"
    originals: Path | None = None


def destination_words(folder: Path) -> tuple[bool, str]:
    """Whether a folder can take an export, and why (not); nothing is made to find out."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        return False, "This is a file. Choose a folder."
    if not _writable(place):
        return False, "Nothing can be written there. Choose another folder."
    free = shutil.disk_usage(place).free / 1e9
    made = "" if folder.exists() else "It will be made. "
    return True, f"{made}Writable, {free:.0f} GB free"


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


class ExportTab(QScrollArea):
    """Says what is wanted; shows what came of it.

    `folder_wanted` asks for a destination, `originals_wanted` for the folder of the images that
    the case was made from, `clearing_wanted` for where a case that is held back can be cleared,
    `through_wanted` to let it through as it is, for a reason.
    """

    wanted = Signal(object)
    folder_wanted = Signal()
    originals_wanted = Signal()
    clearing_wanted = Signal()
    through_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._tokens: Tokens = DARK
        self._card: CaseCard | None = None
        self._segments = 0
        self._busy_now = False
        self._dicom = False
        self._gate = GateState()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._case = text(role="strong")
        self._case_line = text(tone="2", wrap=True)
        self._formats: dict[str, QCheckBox] = {}
        rows = [self._format_row(*one) for one in FORMATS]
        self.onto = Choice(
            ["Resampled grid", "Scanner's slices"],
            ["On the grid that was drawn on", "On the slices it was made from: the nearest voxel"],
        )
        self.onto.chosen.connect(self._choose_grid)
        self._onto = 0
        self._grid = text(tone="3", wrap=True)
        self._originals = self._originals_part()
        self.name = QLineEdit()
        self.name.setAccessibleName("Name of the files")
        self.folder = QLineEdit()
        self.folder.setAccessibleName("Destination folder")
        self.folder.setPlaceholderText("Choose a folder")
        self.folder.textEdited.connect(lambda _words: self._look())
        choose = button("Choose", self.folder_wanted.emit)
        self._place_icon = IconLabel("check", "ok", 15)
        self._place = text(tone="3", wrap=True)
        self.force = QCheckBox("Replace files of that name")
        self.force.setToolTip("Without it, an export that is there already is left alone")
        self.run = button("Export and verify", self._pressed, kind="primary", size="main")
        self._why = text(tone="3", wrap=True)
        self.busy = BusyView()
        self.result = QVBoxLayout()
        self.result.setSpacing(8)
        content = column(
            row(text("Case", role="section"), None), self._case, self._case_line, 8, line(), 8,
            row(text("Format", role="section"), None), *rows, self._originals,
            2, self.onto, self._grid, text("With labels, provenance and checksums", tone="3"), 8,
            line(), 8,
            row(text("Destination", role="section"), None), row(self.folder, choose),
            row(self._place_icon, self._place, gap=6), 2,
            row(text("Name", tone="2"), self.name), self.force, 8, line(), 8,
            self._gate_part(), self.run, self._why, self.busy, _holding(self.result), None,
            gap=5, margins=(12, 12, 12, 12),
        )  # fmt: skip
        self.setWidget(content)
        self._look()

    def set_case(self, shown: CaseCard | None, rows: Sequence[SegmentRow]) -> None:
        """Show which case would be exported."""
        drawn = sum(row.slices != NONE for row in rows)
        if (shown, drawn) == (self._card, self._segments):
            return
        if shown is None or self._card is None or shown.name != self._card.name:
            self.clear()
            self.name.setText(shown.name.lower().replace(" ", "-") if shown else "")
            self._choose_grid(0)
            self.originals.clear()
        self._card, self._segments = shown, drawn
        self.onto.setVisible(shown is not None and shown.resampled)
        self._say_grid()
        self._case.setText(
            ", ".join(filter(None, (shown.name, shown.modality))) if shown else "No case is open"
        )
        words = "1 segment drawn" if drawn == 1 else f"{drawn} segments drawn"
        self._case_line.setText(words if shown else "Open a case to export its segments.")
        self._look()

    def set_dicom(self, *, on: bool) -> None:
        """Say whether the case was made from DICOM images, which a DICOM SEG can refer to."""
        if on != self._dicom:
            self._dicom = on
            self._look()

    def set_gate(self, new: GateState) -> None:
        """Show what is cleared, and what holds the case back."""
        if new == self._gate:
            return
        self._gate = new
        self.gate.setVisible(bool(new.chip))
        self._gate_chip.setText(new.chip)
        restyle(self._gate_chip, chip=new.tone)
        self._gate_words.setText(new.words)
        while (item := self._gate_lines.takeAt(0)) is not None:
            item.widget().deleteLater()
        for one in new.lines:
            made = row(IconLabel(*GATE_ICONS[one.kind], 15), text(one.words, wrap=True), gap=8)
            made.setToolTip(one.why)
            self._gate_lines.addWidget(made)
            dress(made, self._tokens)
        self.clear_it.setVisible(new.held_back and bool(new.lines))
        self._through.setVisible(new.held_back and new.may_override)
        self.reason.clear()
        self.let_through.setEnabled(False)
        self._look()

    def set_folder(self, folder: Path) -> None:
        """A folder was chosen."""
        self.folder.setText(str(folder))
        self._look()

    def set_originals(self, folder: Path) -> None:
        """The folder of the images that the case was made from was chosen."""
        self.originals.setText(str(folder))
        self._look()

    def set_busy(self, title: str) -> None:
        """Show that it runs, or ("") that it does not."""
        self._busy_now = bool(title)
        if title:
            self.clear()
            self.busy.show_progress(title, 0, 0, "Compared voxel by voxel before it counts")
        else:
            self.busy.hide()
        self._look()

    def show_result(self, exported: Any) -> None:  # noqa: ANN401  # commands' Exported
        """Show the files and each check with its number."""
        self.clear()
        verified = all(check.ok for check in exported.checks)
        head = row(
            text("Verified" if verified else "Not verified", role="section"), None,
            chip("Read back" if verified else "Held back", "ok" if verified else "error"),
        )  # fmt: skip
        made = card(head, 4, *(self._file(one) for one in exported.files), gap=6)
        self.result.addWidget(made)
        checks = card(*(self._check(one) for one in exported.checks), gap=6)
        self.result.addWidget(checks)
        dress(made, self._tokens)
        dress(checks, self._tokens)

    def clear(self) -> None:
        """Take the last result away."""
        while (item := self.result.takeAt(0)) is not None:
            item.widget().deleteLater()

    def set_tokens(self, tokens: Tokens) -> None:
        """Remember the theme for results that come later."""
        self._tokens = tokens

    # How

    def _format_row(self, kind: str, name: str, words: str) -> QWidget:
        box = QCheckBox(name)
        box.setChecked(kind == "nifti")
        box.setMinimumWidth(104)
        box.clicked.connect(lambda _on: self._look())
        self._formats[kind] = box
        return row(box, text(words, tone="3"), None)

    def _originals_part(self) -> QWidget:
        self.originals = QLineEdit()
        self.originals.setAccessibleName("Folder of the original images")
        self.originals.setPlaceholderText("Original images")
        self.originals.textEdited.connect(lambda _words: self._look())
        choose = button("Choose", self.originals_wanted.emit)
        choose.setAccessibleName("Choose the folder of the original images")
        self._originals_words = text(ORIGINALS, tone="3", wrap=True)
        return column(row(self.originals, choose), self._originals_words, margins=(22, 0, 0, 4))

    def _gate_part(self) -> QWidget:
        self._gate_chip = chip("")
        self._gate_words = text(tone="2", wrap=True)
        self._gate_lines = QVBoxLayout()
        self._gate_lines.setSpacing(4)
        self.clear_it = button("Clear this case", self.clearing_wanted.emit)
        self.clear_it.setToolTip("Shows what can be done about it: the Deface tab")
        self.gate = column(
            row(text("Privacy gate", role="section"), None, self._gate_chip), self._gate_words,
            _holding(self._gate_lines), row(self.clear_it, None), self._through_part(),
            8, line(), 8, gap=5,
        )  # fmt: skip
        self.gate.hide()
        return self.gate

    def _through_part(self) -> QWidget:
        """A reason, and the button that lets the case through for it."""
        self.reason = QLineEdit()
        self.reason.setAccessibleName("Why it may leave as it is")
        self.reason.setPlaceholderText("Why it may leave as it is")
        self.reason.setToolTip("Goes into the provenance of exports: name nobody")
        self.reason.setMaxLength(500)
        self.let_through = button(
            "Let through", lambda: self.through_wanted.emit(self.reason.text().strip()),
            tip="Kept with your name and the reason",
        )  # fmt: skip
        self.let_through.setEnabled(False)
        self.reason.textEdited.connect(
            lambda words: self.let_through.setEnabled(bool(words.strip()))
        )
        self._through = row(self.reason, self.let_through)
        self._through.hide()
        return self._through

    def _choose_grid(self, number: int) -> None:
        self._onto = number
        self.onto.set_chosen(number)
        self._say_grid()

    def _say_grid(self) -> None:
        resampled = self._card is not None and self._card.resampled
        self._grid.setText(
            ("Not the scanner's own slices", "Evenly spaced runs become files of their own")[
                self._onto
            ] if resampled else "On the source's own grid"
        )  # fmt: skip

    def _chosen(self) -> tuple[str, ...]:
        return tuple(kind for kind, box in self._formats.items() if box.isChecked())

    def _look(self) -> None:
        folder = self.folder.text().strip()
        fits, words = destination_words(Path(folder).expanduser()) if folder else (False, "")
        self._place_icon.setVisible(bool(folder))
        self._place_icon.show_icon("check" if fits else "warning", "ok" if fits else "warn")
        self._place.setText(words)
        restyle(self.folder, wrong="true" if folder and not fits else "false")
        self._originals.setVisible(self._dicom and "dicom-seg" in self._chosen())
        why = self._missing(folder, fits=fits)
        self._why.setText(why)
        self._why.setVisible(bool(why) and not self._busy_now and not self._gate.held_back)
        self.run.setEnabled(not why and not self._busy_now)

    def _missing(self, folder: str, *, fits: bool) -> str:
        if self._card is None:
            return "Open a case first."
        if self._gate.held_back:
            return "This case is not cleared to leave the workspace."
        if not self._chosen():
            return "Choose a format."
        if not folder:
            return "Choose where to."
        originals = self._wanted_originals()
        if originals is not None and not originals.is_dir():
            return "The folder of the original images is not there."
        return "" if fits else "The destination cannot be written."

    def _wanted_originals(self) -> Path | None:
        words = self.originals.text().strip()
        shown = self._dicom and "dicom-seg" in self._chosen()
        return Path(words).expanduser() if shown and words else None

    def _pressed(self) -> None:
        folder = Path(self.folder.text().strip()).expanduser()
        name = self.name.text().strip()
        onto = GRIDS[self._onto]
        wish = ExportWish(
            folder, name, self._chosen(), self.force.isChecked(), onto, self._wanted_originals()
        )
        self.wanted.emit(wish)

    def _file(self, one: Any) -> QWidget:  # noqa: ANN401  # commands' ExportedFile
        name = text(one.path.name)
        name.setToolTip(f"SHA-256 {one.sha256}")
        short = text(f"{one.sha256[:4]}…{one.sha256[-4:]}", role="mono")
        return row(IconLabel("file", "text2", 15), column(
            name, row(text(_size(one.bytes), tone="3"), short, None, gap=10), gap=1), None,
        )  # fmt: skip

    def _check(self, one: Any) -> QWidget:  # noqa: ANN401  # commands' Check
        icon = IconLabel("check" if one.ok else "cross", "ok" if one.ok else "error", 15)
        file, _colon, what = one.name.rpartition(": ")
        words = what[:1].upper() + what[1:]
        detail = " · ".join(part for part in (file, one.detail) if part)
        return row(
            icon,
            column(text(words, wrap=True), text(detail, role="caption", wrap=True), gap=1),
            gap=8,
        )


def _size(count: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


def _holding(layout: QVBoxLayout) -> QFrame:
    frame = QFrame()
    layout.setContentsMargins(0, 0, 0, 0)
    frame.setLayout(layout)
    return frame
