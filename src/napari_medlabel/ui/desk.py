"""What lies on the desk: nothing, a search, the series found, or one open case."""

import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

from napari import Viewer
from qtpy.QtCore import QObject, Qt, QTimer, Signal

from napari_medlabel import commands
from napari_medlabel.commands import Offer
from napari_medlabel.errors import InputError, MedlabelError
from napari_medlabel.session import OpenCase, Session
from napari_medlabel.ui.advice import Advice
from napari_medlabel.ui.drawing import Drawing
from napari_medlabel.ui.pictures import Pictures
from napari_medlabel.ui.remembered import Remembered
from napari_medlabel.ui.sight import Proposal, look_from
from napari_medlabel.ui.state import (
    ErrorCard,
    RecentRow,
    SeriesRow,
    VolumeRow,
    error_card,
    recent_rows,
    series_row,
    series_rows,
    without_places,
)
from napari_medlabel.ui.surface_view import SurfaceView
from napari_medlabel.ui.work import Job, Report, share_quickly
from napari_medlabel.ui.workplace import Workplace

__all__ = ["Busy", "Desk", "Place"]

Place = Literal["start", "series", "case"]
Looked: TypeAlias = tuple[tuple[SeriesRow, ...], int]  # and how many files were left out
TITLE = "Medlabel"
_LOG = logging.getLogger(__name__)


class Busy:
    """What is being done and how far it is."""

    def __init__(self, title: str, job: Job) -> None:
        self.title, self.job = title, job
        self.done, self.total = 0, 0


class Desk(QObject):
    """Opens and closes; holds the one `drawing` there may be.

    `changed` says that one of its properties may differ; `slice_read` gives a volume whose
    middle slice is in memory, and which slices are, before the case is open. Long commands run
    beside the window.

    Parameters
    ----------
    viewer
        Where cases are shown.
    session
        Who works.
    parent
        The panel.
    """

    changed = Signal()
    blocked = Signal(str)
    slice_read = Signal(object, object)
    asked = Signal(str)

    def __init__(self, viewer: Viewer, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self.viewer, self.session = viewer, session
        self.drawing: Drawing | None = None
        self.workplace: Workplace | None = None
        self._solid: SurfaceView | None = None  # for the next case
        self.remembered = Remembered(session.folder)
        self.busy: Busy | None = None
        self.error: ErrorCard | None = None
        self.found: tuple[SeriesRow, ...] = ()
        self.skipped = 0
        self._found_at: Path | None = None
        self._waiting: dict[str, tuple[Proposal, ...]] = {}  # previews, by the id of their case
        self._scanned = False
        self.advice = Advice(session)
        self.pictures = Pictures(session, self)
        self.pictures.came.connect(self.changed)

    @property
    def place(self) -> Place:
        """What is to be seen."""
        if self.drawing is not None:
            return "case"
        return "series" if self._scanned else "start"

    def recent(self) -> tuple[RecentRow, ...]:
        """Cases to go on with; none where the workspace cannot be read, which `error` then says."""
        try:
            return recent_rows(commands.recent_cases(self.session), datetime.now().astimezone())
        except MedlabelError as error:
            self.error = error_card(error)
            return ()

    # Opening

    def scan(self, path: Path) -> None:
        """Look for series; one that can be opened, alone, is opened at once."""

        def look(progress: Report, cancelled: Callable[[], bool]) -> Looked:
            found = commands.scan(self.session, path, progress=progress, cancelled=cancelled)
            rows = series_rows(found.series)
            for row in rows:  # here, since it takes long where slices are many
                self.advice.offers(row, row.first)
            return rows, len(found.skipped)

        self._run(
            "Looking for series", look, lambda looked: self._scan_done(path, *looked),
            failed=lambda _error: self._forget_place(path),
        )  # fmt: skip

    def open_row(self, row: SeriesRow, volume: VolumeRow | None = None) -> None:
        """Open one of the volumes found: the first that can be, unless another is named."""
        wanted = volume or row.first
        self._open(
            f"Opening {row.title}",
            lambda: commands.open_series(
                self.session,
                row.series,
                wanted.number,
                found_at=self._found_at,
                seen=self.slice_read.emit,
            ),
        )

    def take(self, row: SeriesRow, offer: Offer) -> None:
        """Open what an offer makes; where it makes several, show them to choose from."""
        series, first = offer.made()
        made = series_row(series, found=row, first=first)
        if len(offer.pieces) == 1:
            self.open_row(made)
        else:
            self._replace(row, made)

    def take_back(self, row: SeriesRow) -> None:
        """Show a series as it was found again."""
        if row.found is not None:
            self._replace(row, row.found)

    def _replace(self, row: SeriesRow, other: SeriesRow) -> None:
        self.found = tuple(other if one is row else one for one in self.found)
        self.pictures.draw(other, other.first)
        self.changed.emit()

    def open_case(self, case_id: str) -> None:
        """Go on with a case."""
        self._open("Opening the case", lambda: commands.open_case(
            self.session, case_id, seen=self.slice_read.emit
        ))  # fmt: skip

    def open_demo(self, kind: Literal["ct", "mr"] = "ct") -> None:
        """Open the generated head."""
        self._open("Making the demo head", lambda: commands.open_demo(
            self.session, kind, seen=self.slice_read.emit
        ))  # fmt: skip

    def close_case(self) -> None:
        """Put the case away; it is saved, or stays where it is."""
        if not self.settle():
            return
        case = self._take_down()
        if case is not None:
            self._run("Saving", lambda _progress, _cancelled: self._put_away(case), self._put)

    def settle(self) -> bool:
        """Whether every stroke is durable now; says so where one is not."""
        if self.drawing is None:
            return True
        try:
            self.drawing.case.segmentation.settle()
        except MedlabelError as error:
            self.fail(error, "Saving")
            return False
        return True

    def forget_found(self) -> None:
        """Go back from the table of series to the start."""
        self.pictures.end()
        self.found, self._scanned, self._found_at = (), False, None
        self.dismiss()

    def cancel(self) -> None:
        """Call off what is being done."""
        if self.busy is not None:
            self.busy.job.cancel()

    def dismiss(self) -> None:
        """The error was read."""
        self.error = None
        self.changed.emit()

    def fail(self, error: Exception, doing: str = "") -> None:
        """Show an error until it is dismissed or the next thing is done."""
        self.error = error_card(error, doing)
        self.changed.emit()

    def shut(self) -> None:
        """The window goes: close the case here and now."""
        self.pictures.end()
        if self.busy is not None:
            self.busy.job.cancel()
            self.busy = None
        case = self._take_down()
        self._drop_solid()
        if case is None:
            return
        try:
            commands.close_case(self.session, case)
        except MedlabelError:  # told before; the person closed the window all the same
            commands.abandon_case(self.session, case)

    # With the open case

    def act_on(self, signal: Any, action: Callable[..., object]) -> None:  # noqa: ANN401  # Qt's
        """When a panel says something, do it to the drawing there is; nothing without one."""

        def act(*told: object) -> None:
            if self.drawing is not None:
                action(self.drawing, *told)

        signal.connect(act)

    def export(
        self, task: Callable[[OpenCase], Any], done: Callable[[Any], None],
        over: Callable[[], None],
    ) -> None:  # fmt: skip
        """Write the open case's mask somewhere, nobody drawing meanwhile; `over` comes first."""
        drawing = self.drawing
        if drawing is None:
            return
        drawing.pause(on=True)

        def resume() -> None:
            drawing.pause(on=False)
            over()

        def finished(answer: object) -> None:
            resume()
            done(answer)

        self._run(
            "Writing and reading back", lambda _progress, _cancelled: task(drawing.case), finished,
            failed=lambda _error: resume(),
        )  # fmt: skip

    # How

    def _forget_place(self, path: Path) -> None:
        if self.error is not None:
            self.error = without_places(self.error, path)

    def _scan_done(self, path: Path, rows: tuple[SeriesRow, ...], skipped: int) -> None:
        if not rows:
            self.fail(InputError(
                "No series was found there",
                "choose a folder or file with DICOM, NIfTI, NRRD, MetaImage or OME-Zarr",
            ))  # fmt: skip
            return
        if not self.settle():
            return
        self.pictures.end()
        self.found, self.skipped, self._found_at = rows, skipped, path
        self._scanned = True
        case = self._take_down()
        if case is not None:
            self._run("Saving", lambda _p, _c: self._put_away(case), lambda _: self._start_table())
            return
        self._start_table()

    def _start_table(self) -> None:
        usable = [row for row in self.found if row.usable]
        alone = len(self.found) == 1 and len(self.found[0].volumes) == 1
        plain = alone and not any(one.quantities for one in self.found[0].series.volumes)
        if plain and usable and not usable[0].first.problems:
            self.open_row(usable[0])
        else:
            for row in self.found:
                self.pictures.draw(row, row.first)
        self.changed.emit()

    def _open(self, title: str, opener: Callable[[], OpenCase]) -> None:
        if not self.settle():
            return
        self.pictures.end()
        old = self._take_down()
        QTimer.singleShot(0, self, self._make_solid)  # while slices are read

        def task(_progress: object, _cancelled: object) -> OpenCase:
            if old is not None:
                commands.close_case(self.session, old)
            return opener()

        def failed(_error: Exception) -> None:
            if old is not None and not old.closed:  # it could not be saved: it stays on the desk
                self._opened(old)

        self._run(title, task, self._opened, failed=failed, discard=self._put_away)

    def _opened(self, case: OpenCase) -> None:
        around = [row.series for row in self.found]
        self.found, self._scanned = (), False
        self._make_solid()
        look = look_from(self.remembered.get("look", {}))
        self.drawing = Drawing(self.viewer, self.session, case, self, look, self._solid)
        self.drawing.sight.look_changed.connect(self._remember_look)
        # With the next turn of the loop: the views are painted before it.
        QTimer.singleShot(0, self.drawing, self._stand_around)
        self.drawing.proposals.bring(self._waiting.pop(case.info.id, ()))
        self.drawing.second.offer(around)
        self.drawing.changed.connect(self.changed)
        self.drawing.failed.connect(self.fail)
        self.drawing.blocked.connect(self.blocked)
        self.drawing.lost.connect(self.close_case, Qt.ConnectionType.QueuedConnection)
        self.drawing.deface.reopen_wanted.connect(self._reopen, Qt.ConnectionType.QueuedConnection)
        self.viewer.title = f"{case.info.name} · {TITLE}"
        self.changed.emit()

    def _make_solid(self) -> None:
        if self._solid is None:
            self._solid = SurfaceView()

    def _stand_around(self) -> None:
        """All around the views of the case that was opened."""
        drawing, solid = self.drawing, self._solid
        if drawing is None or solid is None or self.workplace is not None:
            return
        self._solid = None
        self.workplace = Workplace(self.viewer, drawing, solid, self)
        self.workplace.asked.connect(self.asked)
        self.changed.emit()

    def _reopen(self) -> None:
        """The image of the open case is another one."""
        if self.drawing is not None:
            self.open_case(self.drawing.case.info.id)

    def _drop_solid(self) -> None:
        """One that no case has yet."""
        solid, self._solid = self._solid, None
        if solid is not None:
            solid.close_canvas()
            solid.deleteLater()

    def _take_down(self) -> OpenCase | None:
        """Take the layers away; the case is still open."""
        drawing, self.drawing = self.drawing, None
        if drawing is None:
            return None
        case, workplace = drawing.case, self.workplace
        self._waiting[case.info.id] = drawing.proposals.waiting
        self.workplace = None
        if workplace is not None:
            workplace.close()
        else:
            self._drop_solid()
        drawing.close()
        self.viewer.title = TITLE
        return case

    def _remember_look(self) -> None:
        if self.drawing is not None:
            self.remembered.set("look", asdict(self.drawing.sight.look))

    def _put_away(self, case: OpenCase) -> None:
        commands.close_case(self.session, case)

    def _put(self, _answer: object) -> None:
        self.changed.emit()

    def _run(
        self, title: str, task: Callable[..., Any], done: Callable[[Any], None], *,
        failed: Callable[[Exception], None] = lambda _error: None,
        discard: Callable[[Any], None] = lambda _answer: None,
    ) -> None:  # fmt: skip
        if self.busy is not None:
            self.busy.job.cancel()
        self.error = None
        share_quickly(on=True)
        job = Job(task, self, discard=discard)
        busy = self.busy = Busy(title, job)

        def moved(count: int, total: int) -> None:
            busy.done, busy.total = count, total
            self.changed.emit()

        def over() -> None:
            if self.busy is busy:
                self.busy = None

        def arrived(answer: object) -> None:
            over()
            try:
                done(answer)
            except Exception as error:  # noqa: BLE001  # a bug: said in the panel, nothing held
                discard(answer)
                self.fail(error, title)
            self.changed.emit()

        def broke(error: Exception) -> None:
            over()
            self.error = error_card(error, title)
            if not isinstance(error, MedlabelError):  # a bug: for who looks for it, told nowhere
                _LOG.debug("%s did not work", title, exc_info=error)
            failed(error)
            self.changed.emit()

        def stopped() -> None:
            over()
            self.changed.emit()

        job.progressed.connect(moved)
        job.done.connect(arrived)
        job.failed.connect(broke)
        job.cancelled.connect(stopped)
        self.changed.emit()
