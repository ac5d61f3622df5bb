"""A mask file into the open case: read and fitted beside the window, written as one step."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QWidget

from napari_medlabel import commands
from napari_medlabel.commands import MaskContent, Rehearsed
from napari_medlabel.errors import MedlabelError
from napari_medlabel.ui.desk import Desk
from napari_medlabel.ui.drawing import Drawing
from napari_medlabel.ui.file_window import ask_for_file
from napari_medlabel.ui.import_window import ImportWindow
from napari_medlabel.ui.state import error_card
from napari_medlabel.ui.theme import Tokens
from napari_medlabel.ui.window_part import OneJob
from napari_medlabel.ui.work import Report

__all__ = ["Importing"]

Stop = Callable[[], bool]
MASKS = "Masks (*.nii *.nii.gz *.nrrd *.mha *.mhd *.dcm *.zip)"


class Importing(QObject):
    """The window "Import mask"; a `WindowPart`."""

    def __init__(self, frame: QWidget, desk: Desk) -> None:
        super().__init__(desk)
        self._frame, self._desk = frame, desk
        self._on: Drawing | None = None
        self._content: MaskContent | None = None
        self.window = ImportWindow(frame)
        window = self.window
        self._work = OneJob(
            self, busy=window.show_busy, over=window.end_busy, failed=window.show_error
        )
        window.wanted.connect(self._import)
        window.cancelled.connect(self._work.cancel)
        window.gone.connect(self._gone)
        self.opens: Mapping[str, Callable[[], None]] = {
            "import-mask": self._ask_which, "import-mask-folder": partial(self._ask_which, "folder")
        }  # fmt: skip

    def look(self, drawing: Drawing | None) -> None:
        """Another case is open, or none."""
        self.window.close()
        self._on = drawing

    def changed(self) -> None:
        """Where segments may go is asked for when the window opens."""

    def set_style(self, sheet: str, tokens: Tokens) -> None:
        """Take the theme."""
        self.window.set_style(sheet, tokens)

    def remove(self) -> None:
        """The window goes."""
        self.look(None)
        self.window.deleteLater()

    def show_file(self, path: Path) -> None:
        """Read a mask and show what is in it."""
        drawing = self._on
        if drawing is None:
            return
        self.window.forget()
        self.window.open_up()

        def done(content: MaskContent) -> None:
            self._content = content
            schema = drawing.case.segmentation.schema
            self.window.show_content(
                content, [(one.value, one.name, one.color) for one in schema]
            )  # fmt: skip

        self._work.run(
            "Reading the mask",
            lambda _progress, _cancelled: commands.mask_content(
                drawing.session, drawing.case, path
            ),
            done,
            place=path,
        )

    # How

    def _ask_which(self, what: str = "file") -> None:
        drawing = self._on
        if drawing is None:
            return
        if drawing.read_only:
            self._desk.blocked.emit(drawing.case.segmentation.read_only or "Wait until it is done")
            return
        files = MASKS if what == "file" else ""
        ask_for_file(
            self._frame, "Import a mask", self.show_file, files=files, folder=what == "folder"
        )  # fmt: skip

    def _import(self, into: Mapping[int, int], resample: bool) -> None:  # noqa: FBT001  # Qt's
        """Fit it beside the window; what is drawn meanwhile stays."""
        drawing, content = self._on, self._content
        if drawing is None or content is None:
            return

        def task(progress: Report, cancelled: Stop) -> Rehearsed:
            return commands.rehearse(
                drawing.session, drawing.case, commands.import_segments, content, into,
                resample=resample, cancelled=cancelled, progress=progress,
            )  # fmt: skip

        self._work.run("Importing the mask", task, self._write)

    def _write(self, ready: Rehearsed) -> None:
        drawing = self._on
        if drawing is None:
            return
        try:
            commands.accept(drawing.session, drawing.case, ready)
        except MedlabelError as error:
            self.window.show_error(error_card(error))
            return
        self.window.close()
        for edit in ready.edits:
            if not edit.is_nothing:
                drawing.looking.go_to_edit(edit)
                break

    def _gone(self) -> None:
        self._work.cancel()
        self._content = None
