"""The files that the open case came from: their text, their headers, and the copy without both."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from qtpy.QtCore import QObject, QThreadPool, Signal

from napari_medlabel import commands
from napari_medlabel.commands import BurnedIn, FaceWish, TextTile, TextWish
from napari_medlabel.errors import ExtraMissing, MedlabelError
from napari_medlabel.ui.deface.header_rows import PROFILES, HeaderRow, header_rows
from napari_medlabel.ui.state import error_card, without_places
from napari_medlabel.ui.work import Job

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["FilesWork"]

CERTIFICATE: Final = "certificate.html"
Task = Callable[[Any, Any], Any]


class FilesWork(QObject):
    """What is known of the files; the place of these is forgotten with the case.

    Its signals: `changed` when what it tells may differ; `failed` with an error; `written` with
    the folder of a copy.
    """

    changed = Signal()
    failed = Signal(object)
    written = Signal(object)

    def __init__(self, drawing: "Drawing") -> None:
        super().__init__(drawing)
        self._drawing = drawing
        self.source: Path | None = None
        self._named: Path | None = None  # by a person, whether or not it is the source
        self.rows: tuple[HeaderRow, ...] = ()
        self.header_words = ""
        self.profile = 0
        self.text: BurnedIn | None = None
        self.text_words = ""  # why nobody looked
        self.tiles: tuple[TextTile, ...] = ()
        self.keep: frozenset[int] = frozenset()
        self.reason = ""
        self.unread_accepted = False
        self.out: Path | None = None  # of the last copy
        self.progress: tuple[int, int] = (0, 0)  # of the copy
        self.text_progress: tuple[int, int] = (0, 0)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._jobs: dict[str, Job] = {}

    def close(self) -> None:
        """The case goes."""
        for job in tuple(self._jobs.values()):
            job.cancel()
        self._jobs.clear()

    # What there is

    def does(self, what: str) -> bool:
        """Whether "source", "header", "text" or "copy" is under way."""
        return what in self._jobs

    @property
    def busy(self) -> bool:
        """Whether anything is."""
        return bool(self._jobs)

    @property
    def dates(self) -> Any:  # noqa: ANN401  # one of commands.Dates
        """What is done with dates."""
        return PROFILES[self.profile][1]

    @property
    def text_wish(self) -> TextWish | None:
        """What is to be done about text; None to leave it alone, as the extra is missing.

        Raises
        ------
        InputError
            If something stays without a reason.
        """
        if self.text is None or self.text.why_not:
            return None
        unread = bool(self.text.unread) and self.unread_accepted
        return TextWish("redact", self.keep, unread, self.reason if self.keep or unread else "")

    # What a person does

    def set_source(self, path: Path) -> None:
        """The case came from there: look at headers and text, once that is seen to be true."""
        session, case = self._drawing.session, self._drawing.case
        self._named = path

        def task(_progress: Any, cancelled: Any) -> Path:  # noqa: ANN401
            commands.check_case_files(session, case, path, cancelled=cancelled)
            return path

        self._run("source", task, self._checked)

    def set_profile(self, number: int) -> None:
        """Do something else with dates."""
        if number != self.profile:
            self.profile = number
            self._look_at_header()
            self.changed.emit()

    def set_kept(self, finding: int, *, on: bool) -> None:
        """Keep a text, or redact it."""
        self.keep = self.keep | {finding} if on else self.keep - {finding}
        self.changed.emit()

    def set_reason(self, words: str) -> None:
        """Why a text stays."""
        if words.strip() != self.reason:
            self.reason = words.strip()
            self.changed.emit()

    def accept_unread(self, *, on: bool) -> None:
        """Go on although nobody could look, or could not look at all of it."""
        self.unread_accepted = on
        self.changed.emit()

    def look_at_text(self) -> None:
        """Look for text in the pixels of the files."""
        session, source = self._drawing.session, self.source
        if source is None:
            return

        def task(progress: Any, cancelled: Any) -> Any:  # noqa: ANN401
            wish = TextWish("find")
            found = commands.preview_deidentification(
                session, source, burned_in=wish, progress=progress, cancelled=cancelled
            ).pixels.text
            if found is None:
                return None, ()
            return found.found, commands.text_tiles(
                session, source, found.found, cancelled=cancelled
            )

        self.text_progress = (0, 0)
        self._run("text", task, self._looked, self._not_looked).progressed.connect(
            self._text_progressed
        )

    def write_copy(self, out: Path, face: FaceWish | None) -> None:
        """Write the copy, everything in one, into a new folder."""
        session, source = self._drawing.session, self.source
        if source is None:
            return
        wish, dates = self.text_wish, self.dates
        self.out, self.progress = None, (0, 0)

        def task(progress: Any, cancelled: Any) -> Path:  # noqa: ANN401
            told = commands.deidentify_folder(
                session, source, out, dates=dates, burned_in=wish, face=face, progress=progress,
                cancelled=cancelled,
            )  # fmt: skip
            return told.folder

        job = self._run("copy", task, self._wrote)
        job.progressed.connect(self._progressed)

    def stop_copy(self) -> None:
        """Call the copy off: nothing of it stays."""
        job = self._jobs.pop("copy", None)
        if job is not None:
            job.cancel()
        self.changed.emit()

    # How

    def _checked(self, path: Path) -> None:
        self.source = path
        self.text, self.tiles, self.keep = None, (), frozenset()
        self.text_words = ""
        self._look_at_header()
        self.look_at_text()

    def _look_at_header(self) -> None:
        session, source, dates = self._drawing.session, self.source, self.dates
        if source is None:
            return

        def task(_progress: Any, _cancelled: Any) -> tuple[HeaderRow, ...]:  # noqa: ANN401
            return header_rows(commands.preview_deidentification(session, source, dates=dates))

        self._run("header", task, self._has_header, self._has_no_header)

    def _has_header(self, rows: tuple[HeaderRow, ...]) -> None:
        self.rows = rows
        self.header_words = "" if rows else "These files have no header that names anybody."

    def _has_no_header(self, error: object) -> None:
        self.rows = ()
        self.header_words = "The header cannot be shown."
        self.failed.emit(error)

    def _looked(self, answer: Any) -> None:  # noqa: ANN401
        self.text, self.tiles = answer
        self.text_words = "" if self.text is None else self.text.why_not

    def _not_looked(self, error: object) -> None:
        if isinstance(error, ExtraMissing):
            self.text_words = "not checked: install the extra ocr"
        else:
            self.text_words = "not checked"
            self.failed.emit(error)

    def _wrote(self, folder: Path) -> None:
        self.out = folder
        self.written.emit(folder)

    def _progressed(self, done: int, total: int) -> None:
        self.progress = (done, total)
        self.changed.emit()

    def _text_progressed(self, done: int, total: int) -> None:
        self.text_progress = (done, total)
        self.changed.emit()

    def _run(
        self, what: str, task: Task, done: Callable[[Any], None],
        broke: Callable[[object], None] | None = None,
    ) -> Job:  # fmt: skip
        old = self._jobs.pop(what, None)
        if old is not None:
            old.cancel()
        job = self._jobs[what] = Job(task, self, pool=self._pool)

        def over() -> None:
            if self._jobs.get(what) is job:
                del self._jobs[what]

        def arrived(answer: object) -> None:
            over()
            try:
                done(answer)
            except MedlabelError as error:
                self.failed.emit(error)
            self.changed.emit()

        def failed(error: object) -> None:
            over()
            (broke or self.failed.emit)(_unnamed(error, self._named))
            self.changed.emit()

        job.done.connect(arrived)
        job.failed.connect(failed)
        job.cancelled.connect(self.changed)
        self.changed.emit()
        return job


def _unnamed(error: object, path: Path | None) -> object:
    """The error without the place that a person named: its name may be a patient's."""
    if path is None or not isinstance(error, MedlabelError):
        return error
    card = without_places(error_card(error), path)
    return type(error)(card.title, hint=card.text)
