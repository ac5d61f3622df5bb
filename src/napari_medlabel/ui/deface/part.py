"""The Deface tab's part of an open case: its face, the files it came from, and what is shown."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_medlabel import commands
from napari_medlabel.commands import FaceWish, HandStrokes
from napari_medlabel.errors import MedlabelError
from napari_medlabel.ui.deface.accepting import Accepting
from napari_medlabel.ui.deface.face_work import FaceWork
from napari_medlabel.ui.deface.files_work import CERTIFICATE, FilesWork
from napari_medlabel.ui.deface.page import DefacePage
from napari_medlabel.ui.deface.state import (
    Check,
    CopyState,
    DefaceState,
    FaceState,
    checks,
    first_missing,
    verdict_of,
)
from napari_medlabel.ui.deface.told import header_state, text_check, text_state
from napari_medlabel.ui.state import CaseCard
from napari_medlabel.ui.theme import Tokens

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["Deface"]

_DONE = frozenset({"not-a-head", "already-defaced"})


class Deface(QObject):
    """What the tab shows and does. Nothing is looked for before somebody opens it.

    Its signals: `changed` when `state` may differ; `failed` with an error; `said` with words;
    `asked` with title, words, verb and what to do when the question is answered with yes;
    `reopen_wanted` when the case's image is another one; `opened` with a folder to be opened.
    """

    changed = Signal()
    failed = Signal(object)
    said = Signal(str)
    asked = Signal(str, str, str, object)
    reopen_wanted = Signal()

    def __init__(self, drawing: "Drawing") -> None:
        super().__init__(drawing)
        self._drawing = drawing
        self.face = FaceWork(drawing)
        self.files = FilesWork(drawing)
        self.accepting = Accepting(drawing)
        self.page: DefacePage | None = None
        self.shown = False
        self.labelled_allowed = 0  # voxels that a person said may go
        self._style: tuple[str, Tokens] | None = None
        self._cleared = False
        for part in (self.face, self.files, self.accepting):
            part.changed.connect(self.changed)
            part.failed.connect(self.failed)
        self.face.said.connect(self.said)
        self.changed.connect(self._show_bar)
        self.accepting.done.connect(self.reopen_wanted)

    def close(self) -> None:
        """The case goes."""
        self.face.close()
        self.files.close()
        self.accepting.cancel()
        if self.page is not None:
            self.page.close_canvases()

    # Showing

    def show(self, *, on: bool) -> None:
        """Put the tab's views in the place of the usual ones, or these back."""
        if on == self.shown:
            return
        self.shown = on
        looking = self._drawing.looking
        if on:
            self._drawing.hand.let_go()
            if looking.on_canvas:
                looking.set_layout("1+3")
            if self.page is None:
                self._make_page()
            self.face.look_for_it()
            self._look_whether_cleared()
        looking.room.set_page(self.page if on else None)
        self._drawing.sight.repaint()
        self.changed.emit()

    def set_style(self, sheet: str, tokens: Tokens) -> None:
        """Take the theme."""
        self._style = (sheet, tokens)
        if self.page is not None:
            self.page.set_style(sheet, tokens)

    def slices_read(self) -> None:
        """All slices are in memory now."""
        if self.shown:
            self.face.look_for_it()

    def _make_page(self) -> None:
        self.page = DefacePage(self._drawing, self.face)
        if self._style is not None:
            self.page.set_style(*self._style)
        self.page.bar.accept_wanted.connect(self.accept)
        self._show_bar()

    def _show_bar(self) -> None:
        if self.page is not None:
            self.page.bar.set_plan(
                self.face.plan, usable=self.face.plannable, why_no_accept=self.why_no_accept
            )

    # What there is

    @property
    def busy(self) -> bool:
        """Whether something is being worked out beside the window."""
        return bool(self.face.busy) or self.files.busy or self.accepting.running

    @property
    def facts(self) -> tuple[bool, int, bool]:
        """Whether the tab is open, how many strokes there are, whether one can come again."""
        return self.shown, self.face.by_hand.strokes, self.face.by_hand.can_redo

    @property
    def not_needed(self) -> bool:
        """Whether there is no face to take out: found so, or said so by a person who looked."""
        study = self.face.study
        if study is None:
            return False
        if study.verdict in _DONE:
            return True
        return study.verdict != "face" and bool(study.why_not) and self.face.looked_at

    @property
    def is_current(self) -> bool:
        """Whether what is seen is of the plan as it is now."""
        foreseen = self.face.foreseen
        return foreseen is not None and not self.face.busy and foreseen.planned.plan == (
            self.face.plan
        )  # fmt: skip

    @property
    def state(self) -> DefaceState:
        """What the tab shows."""
        files = self.files
        header = header_state(files, dicom=self._dicom, generated=self._generated)
        text = text_state(files, generated=self._generated)
        return DefaceState(
            self._card(), self._face_state(), self.checks, text, header, self._copy_state()
        )

    @property
    def checks(self) -> tuple[Check, ...]:
        """The five checks."""
        face = self.face
        lost = sum(face.planned.labelled.values()) if face.planned is not None else 0
        return checks(
            face.planned, face.foreseen, not_needed=self.not_needed, current=self.is_current,
            labelled_allowed=0 < lost <= self.labelled_allowed, text=text_check(self.files),
        )  # fmt: skip

    @property
    def why_no_accept(self) -> str:
        """Why the face cannot be taken out of this case now; "" where it can."""
        study = self.face.study
        if self.accepting.running or study is None:
            return "The preview is being worked out"
        if not self.face.plannable:
            return "There is no face that could be taken out"
        unclear = study.verdict != "face" and not self.face.looked_at
        return first_missing(self.checks[:-1], "Say first that you have looked" if unclear else "")

    # What a person does

    def allow_labelled(self) -> None:
        """The labelled voxels that would go may go."""
        planned = self.face.planned
        if planned is not None:
            self.labelled_allowed = sum(planned.labelled.values())
            self.changed.emit()

    def accept(self) -> None:
        """Take the face out of the case's own image: asked once, recorded."""
        planned, why_not = self.face.planned, self.why_no_accept
        if why_not or planned is None:
            self.said.emit(why_not)
            return
        lost = sum(planned.labelled.values())
        more = f" {lost} labelled voxels lie in it; the labels stay." if lost else ""
        self.asked.emit(
            "Remove the face from this case?",
            f"{planned.volume_ml:.0f} mL of its image are replaced in this workspace, which cannot "
            f"be undone.{more} The source stays as it is.",
            "Remove the face", lambda: self.accepting.start(self.face),
        )  # fmt: skip

    def stop(self) -> None:
        """Call off what is being written."""
        self.accepting.cancel()
        self.files.stop_copy()

    def write_copy(self, out: Path) -> None:
        """Write the de-identified copy into a new folder."""
        try:
            self.files.write_copy(out, self._face_wish())
        except MedlabelError as error:
            self.failed.emit(error)

    def undo(self) -> None:
        """Take the last stroke back."""
        if not self.face.undo():
            self.said.emit("No stroke to take back")

    def redo(self) -> None:
        """Make it again."""
        if not self.face.redo():
            self.said.emit("No stroke to make again")

    def take(self, tool: str) -> None:
        """Take the brush by the key of a tool: painting adds, erasing spares."""
        way = {"paint": "add", "erase": "spare"}.get(tool)
        if way or not tool:
            self.face.take(way)  # type: ignore[arg-type]  # one of the two
        else:
            self.said.emit("Go back to Annotate for this")

    # How

    @property
    def _dicom(self) -> bool:
        return self._drawing.case.volume.source.format == "dicom"

    @property
    def _generated(self) -> bool:
        return self._drawing.case.volume.source.format == "generated"

    def _look_whether_cleared(self) -> None:
        try:
            found = commands.case_privacy(self._drawing.session, self._drawing.case)
        except MedlabelError as error:
            self.failed.emit(error)
        else:
            self._cleared = found.cleared

    def _card(self) -> CaseCard:
        plain = replace(self._drawing.state.card, warning="", problems="", chosen=("", ""))
        if self._cleared:
            return replace(plain, chip="Cleared", tone="ok")
        return replace(plain, chip="Not cleared", tone="warn")

    def _face_state(self) -> FaceState:
        face, study = self.face, self.face.study
        note = face.busy or ("preview is current" if self.is_current else "")
        verdict = None if study is None else verdict_of(study.verdict, study.why, study.why_not)
        withheld = 0 if face.planned is None else face.planned.region.withheld_voxels
        return FaceState(
            face.plan, note, face.plannable, verdict, face.looked_at, face.way or "",
            face.size_mm, face.by_hand.strokes, face.by_hand.can_redo, withheld, face.progress,
        )  # fmt: skip

    def _copy_state(self) -> CopyState:
        files, study = self.files, self.face.study
        busy, title = None, ""
        if files.does("copy"):
            busy, title = files.progress, "Writing the copy and looking at it again"
        elif self.accepting.running:
            busy, title = self.accepting.progress, "Taking the face out of this case"
        unclear = study is not None and study.verdict != "face" and not (
            self.not_needed or self.face.looked_at
        )  # fmt: skip
        missing = first_missing(
            self.checks,
            "A generated head has no files to copy" if self._generated else "",
            "" if files.source is not None else "Choose the files that this case came from",
            "Say first that you have looked at the face" if unclear else "",
            self._reason_missing(),
            self._strokes_left_out(),
        )
        return CopyState(
            missing, busy, title,
            files.out is not None, files.out is not None and (files.out / CERTIFICATE).is_file(),
        )  # fmt: skip

    def _strokes_left_out(self) -> str:
        """Strokes are on the case's own grid: resampled slices are others than the files'."""
        resampled = self._drawing.case.volume.source.derivation is not None
        if not resampled or self.face.by_hand.is_empty:
            return ""
        return "Strokes on resampled slices cannot go into a copy of the files: take them back"

    def _reason_missing(self) -> str:
        wants = self.files.keep or self.files.unread_accepted
        return "Say why text stays" if wants and not self.files.reason else ""

    def _face_wish(self) -> FaceWish | None:
        study = self.face.study
        unclear = study is not None and study.verdict != "face" and self.face.looked_at
        added, spared = self.face.by_hand.masks()
        drawn = None
        if added is not None and spared is not None:
            drawn = HandStrokes(added, spared, self._drawing.case.volume.geometry)
        return FaceWish("remove", self.face.plan, accept_uncertain=unclear, by_hand=drawn)
