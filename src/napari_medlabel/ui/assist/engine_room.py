"""The engine of an open case: which one is chosen, opened in time, and how fast it answers here."""

import time
from statistics import median
from typing import Any, Final

from qtpy.QtCore import QObject, QTimer, Signal

from napari_medlabel import commands
from napari_medlabel.session import OpenCase, Session
from napari_medlabel.ui.assist.asking import Asking, Wanted, engine_threads
from napari_medlabel.ui.assist.state import AUTO, DEVICES, Choice, Ran, engine_choices, engine_words
from napari_medlabel.ui.work import Job

__all__ = ["EngineRoom"]

SLOW_S: Final = 0.3  # what takes less is not spoken of
MEASURED: Final = 9  # clicks that seconds are told of


class EngineRoom(QObject):
    """Chooses, opens and measures.

    Signals: `changed` when something of it may differ; `failed` with the error where an engine
    cannot be opened.
    """

    changed = Signal()
    failed = Signal(object)

    def __init__(self, session: Session, case: OpenCase, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self.asking = Asking(session, case)
        self.engine, self.device = AUTO, "auto"
        self.engines: tuple[Choice, ...] = (Choice(AUTO, "Auto"),)
        self._good = (self.engine, self.device)  # as it was opened last
        self._seconds: tuple[float, ...] = ()
        self._job: Job | None = None  # that opens
        self._listing: Job | None = None
        self._began = 0.0
        self._told = ""  # the note that was told last
        self._slow = QTimer(self)
        self._slow.setSingleShot(True)
        self._slow.setInterval(round(1000 * SLOW_S) + 10)
        self._slow.timeout.connect(self.changed)

    def close(self) -> None:
        """The case goes."""
        self._slow.stop()
        self.asking.close()
        for job in (self._job, self._listing):
            if job is not None:
                job.cancel()

    @property
    def devices(self) -> tuple[Choice, ...]:
        """Where it may run."""
        return tuple(Choice(name, words) for name, words in DEVICES.items())

    @property
    def ran(self) -> Ran:
        """What answers here; empty before it was opened."""
        facts = self.asking.facts
        return Ran(
            engine_words(facts), "model" in facts, facts.get("device", ""), facts.get("note", "")
        )

    @property
    def seconds(self) -> float | None:
        """For a click, measured here; None before the first."""
        return median(self._seconds) if self._seconds else None

    @property
    def busy(self) -> str:
        """What takes long; "" for nothing."""
        slow = self._job is not None and time.monotonic() - self._began > SLOW_S
        return "Preparing the image" if slow else ""

    def news(self) -> str:
        """What the engine had to do otherwise than asked for, once; "" for nothing new."""
        note = self.asking.facts.get("note", "")
        if note == self._told:
            return ""
        self._told = note
        return f"{note[:1].upper()}{note[1:]}"

    def fall_back(self) -> bool:
        """What was chosen cannot be opened: choose what could be; False where that is it."""
        opened = bool(self.asking.facts)
        return not opened and self.choose(engine=self._good[0], device=self._good[1])

    def note_seconds(self) -> None:
        """A prompt was answered."""
        self._good = (self.engine, self.device)
        self._seconds = (*self._seconds, self.asking.seconds)[-MEASURED:]

    def choose(self, *, engine: str | None = None, device: str | None = None) -> bool:
        """Ask another one from now on, or let it run elsewhere; False where nothing is other."""
        wanted = (engine or self.engine, device or self.device)
        if wanted == (self.engine, self.device):
            return False
        self.engine, self.device = wanted
        self._seconds = ()
        if self._job is not None:
            self._job.cancel()
        self.changed.emit()
        return True

    def prepare(self, wanted: Wanted) -> None:
        """Open the engine beside the window, before it is asked; list those there are."""
        if self._listing is None:
            self._list_engines()
        if self._job is not None:
            return
        job = self._run(lambda _report, stopped: self.asking.prepare(wanted, stopped))
        self._job, self._began = job, time.monotonic()
        self._slow.start()

        def over(*_told: object) -> None:
            if self._job is job:
                self._job = None
            self.changed.emit()

        def opened(_answer: object) -> None:
            self._good = (wanted.engine, wanted.device)
            over()

        def broke(error: object) -> None:
            over()
            self.fall_back()
            self.failed.emit(error)

        job.done.connect(opened)
        job.cancelled.connect(over)
        job.failed.connect(broke)

    # How

    def _list_engines(self) -> None:
        self._listing = self._run(lambda _report, _stopped: commands.engines(self._session))

        def listed(document: Any) -> None:  # noqa: ANN401  # JSON
            self._listing = None  # with the tool in hand again they are listed anew
            self.engines = engine_choices(document)
            self.changed.emit()

        self._listing.done.connect(listed)

    def _run(self, task: Any) -> Job:  # noqa: ANN401  # a Task
        return Job(task, self, pool=engine_threads())
