"""The same work on many things, on a few threads, in order, until one fails or it is called off."""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Generic, TypeVar

from napari_medlabel.errors import Cancelled

__all__ = ["Job", "in_parallel", "never"]

T = TypeVar("T")
Job = Callable[[], Any]  # returns more jobs, or None


def never() -> bool:
    """Not called off."""
    return False


def in_parallel(
    work: Callable[[T], Iterable[Job] | None],
    things: Iterable[T],
    *,
    threads: int = 2,
    cancelled: Callable[[], bool] = never,
) -> None:
    """Call `work` with each thing; they are begun in order.

    Parameters
    ----------
    work
        May return jobs, each of which may return more: any thread does them, before the next
        thing is begun, so that no thread is idle at the end and few things are in memory.
    things
        Asked for one by one.
    threads
        That do the work, while this one waits.
    cancelled
        Asked before each thing.

    Raises
    ------
    Cancelled
        If `cancelled()` says so.
    Exception
        The first that `work` or a job raised. Nothing is begun after it, and all threads are gone.
    """
    queue = _Queue(work, things, cancelled)
    running = [_Worker(queue, n) for n in range(max(1, threads))]
    try:
        for worker in running:
            worker.start()
        for worker in running:
            worker.wait()
    except BaseException as error:  # Ctrl-C here: nobody writes any more once this has ended
        queue.fail(error)
        for worker in running:
            worker.wait()
        raise
    if queue.failures:
        raise queue.failures[0]


class _Worker(threading.Thread):
    """Runs a queue; can be waited for again after an interrupted wait.

    `join` cannot: in Python 3.11 it takes a thread for ended when Ctrl-C comes while it waits.
    """

    def __init__(self, queue: "_Queue[Any]", number: int) -> None:
        super().__init__(name=f"medlabel-storage-{number}", daemon=True)
        self._queue, self._over = queue, threading.Event()

    def run(self) -> None:
        """What the thread does."""
        try:
            self._queue.run()
        finally:
            self._over.set()

    def wait(self) -> None:
        """Until it has ended, where it was begun at all."""
        if self.ident is not None:
            self._over.wait()
            self.join()


class _Queue(Generic[T]):
    """Jobs, then things, for several threads; over after a failure or when all is done."""

    def __init__(
        self,
        work: Callable[[T], Iterable[Job] | None],
        things: Iterable[T],
        cancelled: Callable[[], bool],
    ) -> None:
        self.failures: list[BaseException] = []
        self._work, self._things, self._cancelled = work, iter(things), cancelled
        self._jobs: deque[Job] = deque()
        self._busy = 0
        self._changed = threading.Condition()

    def run(self) -> None:
        """What each thread does."""
        try:
            while (job := self._next()) is not None:
                more = job()
                with self._changed:
                    self._busy -= 1
                    self._jobs.extend(more or ())
                    self._changed.notify_all()
        except BaseException as error:  # noqa: BLE001  # raised on the caller's thread
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        """Begin nothing any more."""
        with self._changed:
            self.failures.append(error)
            self._changed.notify_all()

    def _next(self) -> Job | None:
        with self._changed:
            while not self.failures:
                job = self._jobs.popleft() if self._jobs else self._begun()
                if job is not None:
                    self._busy += 1
                    return job
                if self._busy == 0:
                    return None
                self._changed.wait()  # a job under way may return more
        return None

    def _begun(self) -> Job | None:
        if self._cancelled():
            raise Cancelled("it was called off; nothing was left behind")
        for thing in self._things:
            return partial(self._work, thing)
        return None
