"""The Deface tab, in the order of the work: case, face, checks, text, header, and the copy."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from napari_medlabel.ui.annotate_state import AnnotateState
from napari_medlabel.ui.case_card import CaseCardView
from napari_medlabel.ui.deface.checks_box import ChecksBox
from napari_medlabel.ui.deface.face_box import FaceBox
from napari_medlabel.ui.deface.header_box import HeaderBox
from napari_medlabel.ui.deface.state import CopyState, DefaceState
from napari_medlabel.ui.deface.text_box import TextBox
from napari_medlabel.ui.widgets import (
    BusyView,
    IconButton,
    QuestionView,
    button,
    column,
    line,
    row,
    text,
)

__all__ = ["DefaceTab"]

STAYS = "The source stays as it is."


class DefaceTab(QWidget):
    """Shows a `DefaceState`; its parts say what a person did.

    `files_wanted` asks for the files that the case came from, `copy_wanted` for the copy,
    `cancelled` calls it off, `certificate_wanted` and `copy_opened` are for one that was written.
    """

    files_wanted = Signal()
    copy_wanted = Signal()
    cancelled = Signal()
    certificate_wanted = Signal()
    copy_opened = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._copy: CopyState | None = None
        self.card = CaseCardView()
        self.face, self.checks = FaceBox(), ChecksBox()
        self.text, self.header = TextBox(), HeaderBox()
        for part in (self.text, self.header):
            part.files_wanted.connect(self.files_wanted)
        self.question = QuestionView()
        steps = row(self.face.undo, self.face.redo, gap=2)
        content = column(
            self.card, 12, self.question,
            row(text("Face", role="section"), steps, None, self.face.note), 6, self.face, 10,
            line(), 10, row(text("Checks", role="section"), None, self.checks.count), 2,
            self.checks, 8, line(), 10,
            row(text("Burned-in text", role="section"), None, self.text.note), 6, self.text, 10,
            line(), 10, self._header_head(), 4, self.header, None,
            gap=0, margins=(12, 10, 12, 12),
        )  # fmt: skip
        self.scroll = QScrollArea()
        self.scroll.setWidgetResizable(True)
        self.scroll.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll.setWidget(content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.scroll, 1)
        layout.addWidget(line())
        layout.addWidget(self._made_foot())

    def set_state(self, new: DefaceState) -> None:
        """Touch only what differs: each part does."""
        if new.card is not None:
            self.card.set_card(new.card)
        self.face.set_state(new.face)
        self.checks.set_state(new)
        self.text.set_state(new.text)
        self.header.set_state(new.header)
        self._show_copy(new.copy)

    def set_notes(self, new: AnnotateState) -> None:
        """Whether all is saved, and why nothing can be changed."""
        self.card.set_notes(new)

    def forget(self) -> None:
        """Another case: no question is open."""
        self.question.hide()

    # Parts

    def _header_head(self) -> QWidget:
        made = row(text("Header", role="section"), self.header.profile, gap=16)
        made.layout().setStretch(1, 1)
        return made

    def _made_foot(self) -> QWidget:
        self.missing = text(tone="3", wrap=True)
        self.create = IconButton(
            "shield-check", "Create de-identified copy", self.copy_wanted.emit, kind="primary",
            words="Create de-identified copy", size=16,
        )  # fmt: skip
        self.create.setProperty("fit", "main")
        self.create.setSizePolicy(self.missing.sizePolicy())
        self.busy = BusyView()
        self.busy.cancelled.connect(self.cancelled)
        self.certificate = button("Certificate", self.certificate_wanted.emit, kind="link")
        self.open = button("Open the copy", self.copy_opened.emit, kind="link")
        foot = column(
            text(STAYS, role="caption"), row(self.certificate, self.open, None, gap=2), gap=2
        )
        return column(
            self.missing, self.busy, self.create, foot, gap=6, margins=(12, 10, 12, 8)
        )  # fmt: skip

    def _show_copy(self, new: CopyState) -> None:
        old, self._copy = self._copy, new
        if old == new:
            return
        writing = new.busy is not None
        self.missing.setText(new.missing)
        self.missing.setVisible(bool(new.missing) and not writing)
        self.create.setVisible(not writing)
        self.create.setEnabled(not new.missing)
        self.create.setToolTip(new.missing or "Headers, text and face in one, into a new folder")
        if new.busy is None:
            self.busy.hide()
        else:
            self.busy.show_progress(new.title, *new.busy)
        self.certificate.setVisible(new.certificate)
        self.open.setVisible(new.written)
