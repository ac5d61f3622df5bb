"""What a person does in the Deface tab, done to the open case; and the windows that it opens."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

from qtpy.QtCore import QObject, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_medlabel.ui.deface.files_work import CERTIFICATE
from napari_medlabel.ui.deface.header_window import HeaderWindow
from napari_medlabel.ui.deface.tab import DefaceTab
from napari_medlabel.ui.desk import Desk
from napari_medlabel.ui.drawing import Drawing
from napari_medlabel.ui.theme import Tokens

__all__ = ["DefaceLinks", "new_folder_in"]

Ask = Callable[[QFileDialog.FileMode, str, Callable[[Path], object]], None]


class DefaceLinks(QObject):
    """Connects the tab to whatever case is open.

    Parameters
    ----------
    frame
        The window.
    tab
        The tab.
    desk
        Has the case that is open.
    ask
        Asks for a file or folder: its mode, a title, and who is told.
    """

    def __init__(self, frame: QWidget, tab: DefaceTab, desk: Desk, ask: Ask) -> None:
        super().__init__(desk)
        self._tab, self._desk, self._ask = tab, desk, ask
        self.header = HeaderWindow(frame)
        self._on: Drawing | None = None
        self._connect()

    def set_style(self, sheet: str, tokens: Tokens) -> None:
        """Take the theme."""
        self.header.set_style(sheet, tokens)

    def remove(self) -> None:
        """The window goes."""
        self.header.forget()
        self.header.deleteLater()

    def look(self, drawing: Drawing | None) -> None:
        """Another case is open, or none: nothing of the last one stays on the screen."""
        if drawing is not self._on:
            self._on = drawing
            self.header.forget()
            self._tab.forget()
            if drawing is not None:
                drawing.deface.asked.connect(self._tab.question.ask)
        if drawing is not None and self.header.isVisible():
            self.header.set_rows(drawing.deface.files.rows)

    # How

    def _connect(self) -> None:
        tab, act = self._tab, self._desk.act_on
        face, text = tab.face, tab.text
        tab.card.close_pressed.connect(self._desk.close_case)
        act(face.option_chosen, lambda drawing, name, value: (
            drawing.deface.face.set_options(**{name: value})
        ))  # fmt: skip
        act(face.brush_taken, lambda drawing, way: drawing.deface.face.take(way))
        act(face.size_chosen, lambda drawing, mm: drawing.tools.set_size(mm))
        act(face.looked, lambda drawing, on: drawing.deface.face.set_looked_at(on=on))
        act(face.undo_wanted, lambda drawing: drawing.deface.undo())
        act(face.redo_wanted, lambda drawing: drawing.deface.redo())
        act(tab.checks.allowed, lambda drawing, _words: drawing.deface.allow_labelled())
        act(text.kept, lambda drawing, n, on: drawing.deface.files.set_kept(n, on=on))
        act(text.reason_given, lambda drawing, words: drawing.deface.files.set_reason(words))
        act(text.unread_accepted, lambda drawing, on: drawing.deface.files.accept_unread(on=on))
        act(tab.header.profile_chosen, lambda drawing, n: drawing.deface.files.set_profile(n))
        act(tab.header.compare_wanted, self._compare)
        act(tab.files_wanted, self._ask_for_files)
        act(tab.copy_wanted, self._ask_where)
        act(tab.cancelled, lambda drawing: drawing.deface.stop())
        act(tab.certificate_wanted, self._show_certificate)
        act(tab.copy_opened, self._open_copy)

    def _compare(self, drawing: Drawing) -> None:
        self.header.set_rows(drawing.deface.files.rows)
        self.header.open_up()

    def _ask_for_files(self, drawing: Drawing) -> None:
        """A folder for DICOM, else a file; asked anew for each case, and remembered nowhere."""
        if drawing.case.volume.source.format == "dicom":
            mode, title = QFileDialog.FileMode.Directory, "The folder this case came from"
        else:
            mode, title = QFileDialog.FileMode.ExistingFile, "The file this case came from"
        self._ask(mode, title, drawing.deface.files.set_source)

    def _ask_where(self, drawing: Drawing) -> None:
        name = f"{drawing.case.info.name.lower().replace(' ', '-')}-deidentified"
        self._ask(
            QFileDialog.FileMode.Directory, "Make the copy in this folder",
            lambda folder: drawing.deface.write_copy(new_folder_in(folder, name)),
        )  # fmt: skip

    @staticmethod
    def _show_certificate(drawing: Drawing) -> None:
        out = drawing.deface.files.out
        if out is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(out / CERTIFICATE)))

    def _open_copy(self, drawing: Drawing) -> None:
        if drawing.deface.files.out is not None:
            self._desk.scan(drawing.deface.files.out)


def new_folder_in(folder: Path, name: str) -> Path:
    """A folder that is not there yet: the name, with a number where it is taken."""
    names = (name if n == 1 else f"{name}-{n}" for n in count(1))
    return next(path for path in (folder / one for one in names) if not path.exists())
