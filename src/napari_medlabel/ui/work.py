"""Work beside the window: a command on another thread, its progress and end told on this one."""

import sys
import threading
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, QRunnable, QThreadPool, Signal

from napari_medlabel.errors import Cancelled, MedlabelError

__all__ = ["Job", "Report", "Task", "share_quickly"]

Report = Callable[[int, int], None]
Task = Callable[[Report, Callable[[], bool]], Any]


QUICK_S = 0.0005
_USUAL_S = sys.getswitchinterval()


def share_quickly(*, on: bool) -> None:
    """Let the window have its turn after half a millisecond while others compute, not after five.

    Each call into OpenGL gives the interpreter away and must wait to get it back; drawing a slice
    has dozens, so that with two busy threads a step took a third of a second.
    """
    sys.setswitchinterval(QUICK_S if on else _USUAL_S)


class Job(QObject):
    """One task under way.

    Its signals arrive on the thread that made it: `progressed` with what is done of how much,
    then exactly one of `done` with the answer, `failed` with the error, or `cancelled`.

    Parameters
    ----------
    task
        Called on another thread with a function to report progress (done, total) and one that
        says whether to stop.
    parent
        Whoever waits; nothing arrives any more once it is gone.
    discard
        Given an answer that nobody waits for any more.
    pool
        The threads to run on; those of the application without it.
    """

    progressed = Signal(int, int)
    done = Signal(object)
    failed = Signal(object)
    cancelled = Signal()

    def __init__(
        self, task: Task, parent: QObject, *,
        discard: Callable[[Any], None] = lambda _answer: None, pool: QThreadPool | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._stop = threading.Event()
        self._ended = False
        self._discard = discard
        self._told = _Told(self)
        run = _Run(task, self._told, self._stop, discard)
        (pool or QThreadPool.globalInstance()).start(run)

    def cancel(self) -> None:
        """Ask it to stop; `cancelled` follows, whatever it still does."""
        if not self._stop.is_set():
            self._stop.set()
            self.cancelled.emit()
            self.end()

    def arrived(self, answer: object) -> None:
        """The answer or error came back to this thread."""
        if self._stop.is_set():
            if not isinstance(answer, Exception):
                self._discard(answer)
            return
        if isinstance(answer, Cancelled):
            self.cancelled.emit()
        elif isinstance(answer, Exception):
            self.failed.emit(answer)
        else:
            self.done.emit(answer)
        self.end()

    def end(self) -> None:
        """Tell nothing any more; safe to call again."""
        self._stop.set()
        if not self._ended:
            self._ended = True
            self.deleteLater()


class _Told(QObject):
    """The bridge between the threads; lives with the job, so its slots run on the job's thread."""

    answer = Signal(object)
    progress = Signal(int, int)

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.answer.connect(job.arrived)
        self.progress.connect(job.progressed)


class _Run(QRunnable):
    def __init__(
        self, task: Task, told: _Told, stop: threading.Event, discard: Callable[[Any], None]
    ) -> None:
        super().__init__()
        self._task, self._told, self._stop, self._discard = task, told, stop, discard

    def run(self) -> None:
        """On the other thread: carry it out."""
        try:
            answer = self._task(self._told.progress.emit, self._stop.is_set)
        except MedlabelError as error:
            answer = error
        except Exception as error:  # noqa: BLE001  # a bug: shown as one, with its kind
            answer = error
        try:
            if not self._stop.is_set():
                self._told.answer.emit(answer)
                return
        except RuntimeError:  # the window and all that waited are gone
            pass
        if not isinstance(answer, Exception):
            self._discard(answer)
