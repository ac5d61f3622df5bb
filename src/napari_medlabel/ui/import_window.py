"""A mask file before it comes in: its segments, where each goes, how its grid differs."""

from collections.abc import Sequence
from dataclasses import dataclass

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.commands import MaskContent, MaskSegment
from napari_medlabel.ui.state import ErrorCard, volume_words
from napari_medlabel.ui.swatch import Swatch
from napari_medlabel.ui.tool_window import ToolWindow
from napari_medlabel.ui.widgets import (
    BusyView,
    ErrorView,
    IconLabel,
    button,
    column,
    dress,
    line,
    row,
    text,
)

__all__ = ["ImportWindow", "kind_words"]

NEW = "New segment"


def kind_words(content: MaskContent) -> str:
    """What the file is, and how many segments it has."""
    kind = {"dicom-seg": "DICOM segmentation", "rtstruct": "RT structure set"}
    count = len(content.segments)
    return f"{kind.get(content.kind, 'Mask')} · {count} segment{'s' * (count > 1)}"


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    take: QCheckBox
    into: QComboBox


class ImportWindow(ToolWindow):
    """Shows a `MaskContent`.

    `wanted` has where each chosen segment goes (by its number: a label value, or 0 for a new
    segment), and whether to resample; `cancelled` calls the work off.
    """

    wanted = Signal(object, bool)
    cancelled = Signal()

    def __init__(self, frame: QWidget) -> None:
        super().__init__(frame, "Import mask", (560, 460))
        self._rows: list[_Row] = []
        self._differs = ""
        self._subtitle = text(tone="2")
        self.all = QCheckBox("All")
        self.all.setChecked(True)
        self.all.clicked.connect(self._take_all)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.grid_words = text(wrap=True)
        self.resample = QCheckBox("Resample: each voxel takes the nearest label of the mask")
        self.resample.clicked.connect(lambda _on: self._allow())
        self.differs = _warning(self.grid_words, self.resample)
        self.notes = text(tone="3", wrap=True)
        self.busy, self.error = BusyView(), ErrorView()
        self.busy.cancelled.connect(self.cancelled)
        self.error.dismissed.connect(self.error.dismiss)
        self.take = button("Import", self._import, kind="primary")
        self.why = text(tone="3")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        head = row(column(text("Import mask", role="title"), self._subtitle, gap=2), None, self.all)
        for part in (head, self.differs, column(self.busy, self.error, gap=0), line()):
            layout.addWidget(part)
        layout.addWidget(self.area, 1)
        layout.addWidget(self.notes)
        layout.addWidget(row(self.take, button("Cancel", self.close), self.why, None))
        self.forget()

    def forget(self) -> None:
        """Show nothing."""
        self._rows, self._differs = [], ""
        self._subtitle.setText("")
        self.area.setWidget(QWidget())
        self.differs.hide()
        self.notes.hide()
        self.error.dismiss()
        self.busy.hide()
        self._allow()

    def show_content(self, content: MaskContent, segments: Sequence[tuple[int, str, str]]) -> None:
        """Show a file's segments; `segments` are the case's: value, name, colour."""
        self.forget()
        self._subtitle.setText(kind_words(content))
        self._differs = content.differs
        self.grid_words.setText(_sentence(content.differs))
        self.resample.setChecked(False)
        self.differs.setVisible(bool(content.differs))
        self.notes.setText("\n".join(_sentence(note) for note in content.notes))
        self.notes.setVisible(bool(content.notes))
        self.all.setChecked(True)
        self._fill(content.segments, segments)
        self._allow()
        self.open_up()

    def show_busy(self, done: int, total: int) -> None:
        """Say how far it is."""
        self.error.dismiss()
        self.busy.show_progress("Reading the mask", done, total)
        self._allow()

    def end_busy(self) -> None:
        """It is over."""
        self.busy.hide()
        self._allow()

    def show_error(self, error: ErrorCard) -> None:
        """Say what went wrong."""
        self.end_busy()
        self.error.show_error(error)

    def chosen(self) -> dict[int, int]:
        """Where each segment goes that is to be taken."""
        return {
            one.number: int(one.into.currentData()) for one in self._rows if one.take.isChecked()
        }

    def choose(self, number: int, *, take: bool = True, into: int | None = None) -> None:
        """Set what a person would for one segment."""
        one = next(one for one in self._rows if one.number == number)
        one.take.setChecked(take)
        if into is not None:
            one.into.setCurrentIndex(one.into.findData(into))
        self._allow()

    # How

    def _fill(self, found: Sequence[MaskSegment], segments: Sequence[tuple[int, str, str]]) -> None:
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 8, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        for n, one in enumerate(found):
            take = QCheckBox(one.name)
            take.setChecked(True)
            take.setToolTip(", ".join(filter(None, (one.name, one.code))))
            take.clicked.connect(lambda _on: self._allow())
            into = QComboBox()
            into.setAccessibleName(f"Where {one.name} goes")
            into.addItem(NEW, 0)
            for value, name, _color in segments:
                into.addItem(name, value)
            into.setCurrentIndex(max(into.findData(one.into), 0))
            into.activated.connect(lambda _at: self._allow())
            self._rows.append(_Row(one.number, take, into))
            ml = text(f"{volume_words(one.ml)} mL", tone="2")
            swatch = Swatch(size=13.0)
            swatch.set_color(one.color)
            for at, part in enumerate((swatch, take, ml, text("to", tone="3"), into)):
                grid.addWidget(part, n, at)
        grid.setColumnStretch(1, 1)
        grid.setRowStretch(len(found), 1)
        self.area.setWidget(holder)
        dress(holder, self.tokens)

    def _take_all(self, on: bool) -> None:  # noqa: FBT001  # Qt's
        for one in self._rows:
            one.take.setChecked(on)
        self._allow()

    def _allow(self) -> None:
        chosen, fits = self.chosen(), not self._differs or self.resample.isChecked()
        count = len(chosen)
        self.take.setText(f"Import {count} segment{'s' * (count != 1)}" if count else "Import")
        self.take.setEnabled(bool(chosen) and fits and self.busy.isHidden())
        why = "Choose a segment" if self._rows and not chosen else ""
        self.why.setText("Resample it first" if chosen and not fits else why)
        self.all.setChecked(bool(self._rows) and count == len(self._rows))

    def _import(self) -> None:
        self.wanted.emit(self.chosen(), self.resample.isChecked())


def _warning(words: QLabel, choice: QCheckBox) -> QFrame:
    """Words on amber, with what can be done about it."""
    frame = QFrame()
    frame.setProperty("card", "warn")
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(8, 6, 8, 6)
    layout.setSpacing(6)
    told = row(IconLabel("warning", "warn", 15), words, gap=8)
    told.layout().setStretch(1, 1)
    layout.addWidget(told)
    layout.addWidget(choice)
    return frame


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}." if words and not words.endswith(".") else words
