"""Versions of the open case: saved and compared beside the window, restored as one step."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QWidget

from napari_medlabel import commands
from napari_medlabel.commands import Rehearsed
from napari_medlabel.errors import MedlabelError
from napari_medlabel.ui.desk import Desk
from napari_medlabel.ui.drawing import Drawing
from napari_medlabel.ui.state import error_card
from napari_medlabel.ui.theme import Tokens
from napari_medlabel.ui.versions_state import changes_words, version_rows
from napari_medlabel.ui.versions_window import VersionsWindow
from napari_medlabel.ui.window_part import OneJob
from napari_medlabel.ui.work import Report

__all__ = ["Versions"]


class Versions(QObject):
    """The window "Versions"; a `WindowPart`.

    Parameters
    ----------
    frame
        The large window.
    desk
        Has the case that is open.
    compare
        Opens the comparison with a version.
    """

    def __init__(self, frame: QWidget, desk: Desk, compare: Callable[[int], object]) -> None:
        super().__init__(desk)
        self._desk = desk
        self._on: Drawing | None = None
        self.window = VersionsWindow(frame)
        window = self.window
        self._work = OneJob(
            self, busy=window.show_busy, over=window.end_busy, failed=window.show_error
        )
        window.save_wanted.connect(self._save)
        window.changes_wanted.connect(self._tell_changes)
        window.compare_wanted.connect(compare)
        window.restore_wanted.connect(self._restore)
        window.gone.connect(self._work.cancel)
        self.opens: Mapping[str, Callable[[], None]] = {
            "versions": self._open, "save-version": self._open_to_save,
        }  # fmt: skip

    def look(self, drawing: Drawing | None) -> None:
        """Another case is open, or none."""
        self.window.close()
        self._on = drawing

    def changed(self) -> None:
        """What changed since a version is asked for anew."""
        self.window.say("")

    def set_style(self, sheet: str, tokens: Tokens) -> None:
        """Take the theme."""
        self.window.set_style(sheet, tokens)

    def remove(self) -> None:
        """The window goes."""
        self.look(None)
        self.window.deleteLater()

    # How

    def _open(self) -> None:
        if self._on is None:
            return
        self.window.open_up()
        self._list()

    def _open_to_save(self) -> None:
        self._open()
        self.window.note.setFocus()

    def _list(self) -> None:
        drawing = self._on
        if drawing is None:
            return
        try:
            found = commands.versions(self._desk.session, drawing.case)["versions"]
        except MedlabelError as error:
            self.window.show_error(error_card(error))
            return
        now = datetime.now().astimezone()
        self.window.set_versions(version_rows(found, now), drawing.case.segmentation.read_only)

    def _save(self, note: str) -> None:
        """Beside the window: what is drawn meanwhile is not in the version."""
        drawing = self._on
        if drawing is None or not self._desk.settle():
            return

        def saved(version: Any) -> None:  # noqa: ANN401  # a VersionInfo
            self.window.note.clear()
            self._list()
            self.window.say(f"Version {version.number} is saved")

        self._work.run(
            "Saving a version",
            lambda _progress, _cancelled: commands.save_version(
                drawing.session, drawing.case, note
            ),
            saved,
        )

    def _tell_changes(self, number: int) -> None:
        drawing = self._on
        if drawing is None:
            return

        def told(document: Mapping[str, Any]) -> None:
            lines = changes_words(document)
            words = "Nothing has changed since." if not lines else "\n".join(lines)
            self.window.say(f"Since version {number}: {words}" if not lines else words)

        self._work.run(
            "Comparing",
            lambda _progress, _cancelled: commands.diff(drawing.session, drawing.case, number),
            told,
        )

    def _restore(self, number: int) -> None:
        drawing = self._on
        if drawing is None or drawing.paused:
            return

        def task(_progress: Report, _cancelled: Callable[[], bool]) -> Rehearsed:
            return commands.rehearse(drawing.session, drawing.case, commands.restore, number)

        self._work.run("Restoring a version", task, partial(self._write, number))

    def _write(self, number: int, ready: Rehearsed) -> None:
        drawing = self._on
        if drawing is None:
            return
        if ready.is_nothing:
            self.window.say(f"Version {number} is what is there now.")
            return
        try:
            commands.accept(drawing.session, drawing.case, ready)
        except MedlabelError as error:
            self.window.show_error(error_card(error))
        else:
            self.window.say(f"Version {number} is restored. Undo brings back what was there.")
