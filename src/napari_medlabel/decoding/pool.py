"""Worker processes shared by all that decode: one thread for each, and a queue of work.

What is queued is a function that is called with `decode`: it reads and prepares on the thread,
and the process does what may crash. A process that crashes, hangs or needs too much memory costs
the frame it had; the next frame gets a new one. Threads and processes that have nothing to do end
after a while, and all of them with the interpreter.
"""

import atexit
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Final, Protocol

from napari_medlabel.decoding.frame import Frame
from napari_medlabel.decoding.messages import Lost
from napari_medlabel.decoding.process import (
    DecoderProcess,
    FrameLost,
    NoProcess,
    worker_command,
)

__all__ = ["Decode", "Pool", "Work", "shared_pool"]

_MOST: Final = 8  # workers: more do not help one person, and each takes some 50 MB
_IDLE_S: Final = 30.0
_LIMIT_S: Final = 20.0  # a frame of 512 x 512 takes 0.03 s
_S_PER_BYTE: Final = 1e-6  # more for large frames
_TICK_S: Final = 0.1
_JOIN_S: Final = 5.0


class Decode(Protocol):
    """Decodes a frame in the worker of the thread that calls it."""

    def __call__(self, frame: Frame, data: bytes, out: memoryview) -> None:
        """Fill `out` with `frame.nbytes` of stored values; FrameLost where that cannot be."""


Work = Callable[[Decode], None]


class Pool:
    """Does work on threads that each have a worker process; from any thread.

    Parameters
    ----------
    workers
        How many at most; by default one for each processor, up to eight.
    codecs
        The module with the `decode` function that workers run.
    limit_s
        What a frame may take, in seconds, and a little more for large ones.
    idle_s
        After what time without work a worker ends.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        codecs: str = "napari_medlabel.decoding.codecs",
        limit_s: float = _LIMIT_S,
        idle_s: float = _IDLE_S,
    ) -> None:
        self.workers = workers or min(_MOST, _processors())
        self.codecs, self.limit_s, self.idle_s = codecs, limit_s, idle_s
        self._urgent: deque[_Task] = deque()
        self._ahead: deque[_Task] = deque()
        self._lanes: list[_Lane] = []
        self._idle = 0
        self._changed = threading.Condition()
        self._watch: _Watch | None = None
        self.closed = False

    def submit(self, work: Sequence[Work], *, ahead: bool = False) -> list["Future[None]"]:
        """Begin with pieces of work, in their order; with `ahead`, after all that is urgent.

        Returns
        -------
        list of Future
            One for each; cancelling one that has not begun takes it out of the queue.
        """
        tasks = [_Task(one) for one in work]
        with self._changed:
            queue = self._ahead if ahead else self._urgent
            queue.extend(tasks)
            self._add_lanes(len(self._urgent) + len(self._ahead))
            self._changed.notify(len(tasks))
            if self.closed or not self._lanes:  # or not even a thread can be started
                queue.clear()
                for task in tasks:
                    task.future.set_exception(NoProcess())
        return [task.future for task in tasks]

    def hurry(self, futures: Iterable["Future[None]"]) -> None:
        """Make urgent what was begun ahead."""
        wanted = set(futures)
        with self._changed:
            self._urgent.extend(task for task in self._ahead if task.future in wanted)
            self._ahead = deque(task for task in self._ahead if task.future not in wanted)

    def warm(self, count: int) -> None:
        """Start up to `count` workers, so that they are ready when they are needed."""
        with self._changed:
            self._add_lanes(count - len(self._lanes) + self._idle)

    def pids(self) -> list[int]:
        """The numbers of the processes that run."""
        with self._changed:
            lanes = list(self._lanes)
        return [lane.process.pid for lane in lanes if lane.process is not None]

    def close(self) -> None:
        """End all workers, and wait until they are gone; work not begun is cancelled."""
        with self._changed:
            self.closed = True
            lanes = list(self._lanes)
            for task in (*self._urgent, *self._ahead):
                task.future.cancel()
                task.future.set_running_or_notify_cancel()  # for who waits for several at once
            self._urgent.clear()
            self._ahead.clear()
            self._changed.notify_all()
        for lane in lanes:
            lane.kill()
        for lane in lanes:
            if lane is not threading.current_thread():
                lane.join(_JOIN_S)  # it may be waiting for a file

    def next_task(self) -> "_Task | None":
        """For a lane: what to do next, or None when it may end."""
        with self._changed:
            self._idle += 1
            try:
                while not self.closed:
                    for queue in (self._urgent, self._ahead):
                        if queue:
                            return queue.popleft()
                    if not self._changed.wait(self.idle_s):
                        return None
            finally:
                self._idle -= 1
        return None

    def leave(self, lane: "_Lane") -> None:
        """For a lane that ends."""
        with self._changed:
            self._lanes.remove(lane)
            # Work may have come just when it gave up waiting.
            if not self.closed:
                self._add_lanes(len(self._urgent) + len(self._ahead))

    def overdue(self) -> bool:
        """For the watch: end workers that have had their time; False when there are none."""
        with self._changed:
            lanes = list(self._lanes)
            if not lanes:
                self._watch = None
                return False
        for lane in lanes:
            if lane.process is not None:
                lane.process.end_overdue()
        return True

    def _add_lanes(self, wanted: int) -> None:
        """Lanes for so many tasks more than idle ones can take; the lock is held."""
        count = min(wanted - self._idle, self.workers - len(self._lanes))
        for _ in range(0 if self.closed else count):
            lane = _Lane(self)
            self._lanes.append(lane)
            try:
                lane.start()
            except RuntimeError:  # too many threads, or the interpreter is ending
                self._lanes.remove(lane)
                break
        if self._lanes and self._watch is None:
            watch = _Watch(self)
            with suppress(RuntimeError):  # the next task tries again
                watch.start()
                self._watch = watch


class _Task:
    """A piece of work and what became of it."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.future: Future[None] = Future()

    def run(self, decode: Decode) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            self.work(decode)
        except BaseException as error:  # noqa: BLE001  # raised where the result is asked for
            self.future.set_exception(error)
        else:
            self.future.set_result(None)


class _Lane(threading.Thread):
    """A thread with its worker process."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(name="medlabel-decoder", daemon=True)
        self._pool = pool
        self.process: DecoderProcess | None = None

    def run(self) -> None:
        """Work until there is none for a while."""
        try:
            self._warm()
            while (task := self._pool.next_task()) is not None:
                task.run(self._decode)
                del task  # and with it the slab that it fills
        finally:
            self._end_process()
            self._pool.leave(self)

    def kill(self) -> None:
        """End the process, whatever it does; from another thread."""
        process = self.process
        if process is not None:
            process.kill()

    def _warm(self) -> None:
        try:
            self._running().greet()
        except (NoProcess, Lost):
            self._end_process()  # said when a frame needs it

    def _decode(self, frame: Frame, data: bytes, out: memoryview) -> None:
        limit_s = self._pool.limit_s + _S_PER_BYTE * frame.nbytes
        try:
            process = self._running()
            process.decode(frame, data, out, limit_s)
        except Lost as error:
            why = process.why_lost(limit_s)
            self._end_process()
            raise FrameLost(why) from error
        except NoProcess:
            self._end_process()
            raise

    def _running(self) -> DecoderProcess:
        if self.process is not None and not self.process.is_alive():
            self._end_process()  # ended from outside between two frames
        if self.process is None:
            self.process = DecoderProcess(worker_command(self._pool.codecs))
            if self._pool.closed:  # meanwhile
                self.process.kill()
        return self.process

    def _end_process(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            process.end()


class _Watch(threading.Thread):
    """Looks after the time of all workers, while there are any."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(name="medlabel-decoder-watch", daemon=True)
        self._pool = pool
        self._tick = threading.Event()

    def run(self) -> None:
        """Until no worker is left."""
        while self._pool.overdue():
            self._tick.wait(_TICK_S)


class _Shared:
    """The one pool of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: Pool | None = None

    def get(self) -> Pool:
        with self._lock:
            if self._pool is None:
                self._pool = Pool()
            return self._pool

    def forget(self) -> None:
        """In a copy of this process, which has the pool's memory but not its threads."""
        self._lock = threading.Lock()
        self._pool = None

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()


_SHARED: Final = _Shared()
atexit.register(_SHARED.close)
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_SHARED.forget)


def shared_pool() -> Pool:
    """The pool of this process, made when it is first asked for; it ends with the interpreter."""
    return _SHARED.get()


def _processors() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
