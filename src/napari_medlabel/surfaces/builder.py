"""Surfaces built one after the other beside the program: a thread with a worker process.

A request replaces an older one for the same thing that has not begun. A process that dies or
hangs is started once more for what it was building; what ends it twice is given up, in words.
Without work for a while the process ends; with the program it always does.
"""

import atexit
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Final

from napari_medlabel.core.surface import Surface
from napari_medlabel.decoding.messages import Lost
from napari_medlabel.surfaces.messages import Part
from napari_medlabel.surfaces.process import NotBuilt, SurfaceProcess

__all__ = ["Builder", "Cut", "Told"]

Cut = Callable[[], Part | None]
Told = Callable[[int, Surface | None, NotBuilt | None], None]

_IDLE_S: Final = 60.0
_JOIN_S: Final = 5.0
_TRIES: Final = 2


class Builder:
    """Builds surfaces of what it is asked for; from any thread.

    Parameters
    ----------
    told
        Called on the builder's own thread with the key, and the surface or the error; with
        neither, where there is nothing to build one of.
    command
        The worker's command line; our own without it.
    limit_s
        After what time a surface is given up.
    idle_s
        After what time without work the process ends.
    """

    def __init__(
        self, told: Told, *, command: Sequence[str] | None = None, limit_s: float = 60.0,
        idle_s: float = _IDLE_S,
    ) -> None:  # fmt: skip
        self._told, self._command = told, command
        self._limit_s, self._idle_s = limit_s, idle_s
        self._wanted: dict[int, Cut] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._process: SurfaceProcess | None = None
        self._closed = False
        _OPEN.add(self)

    @property
    def pid(self) -> int | None:
        """The number of the worker process, None where none runs."""
        process = self._process
        return None if process is None else process.pid

    @property
    def waiting(self) -> int:
        """How many requests have not begun."""
        with self._changed:
            return len(self._wanted)

    def ask(self, key: int, cut: Cut) -> None:
        """Build a surface; an older request for the same key is dropped if it has not begun.

        Parameters
        ----------
        key
            Given back with the surface.
        cut
            Called on the builder's thread for the mask; None where there is nothing.
        """
        with self._changed:
            if self._closed:
                return
            self._wanted.pop(key, None)
            self._wanted[key] = cut
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="medlabel-surfaces", daemon=True
                )
                self._thread.start()
            self._changed.notify()

    def drop(self, key: int) -> None:
        """Do not begin what was asked for."""
        with self._changed:
            self._wanted.pop(key, None)

    def close(self) -> None:
        """End the process and the thread; nothing is told any more."""
        with self._changed:
            self._closed = True
            self._wanted.clear()
            self._changed.notify_all()
            thread, process = self._thread, self._process
        if process is not None:
            process.kill()
        if thread is not None and thread is not threading.current_thread():
            thread.join(_JOIN_S)

    # On the thread

    def _run(self) -> None:
        try:
            while (request := self._next()) is not None:
                key, cut = request
                answer, error = self._answer(cut)
                if not self._closed:
                    self._told(key, answer, error)
                del request, cut, answer
        finally:
            self._end_process()

    def _next(self) -> tuple[int, Cut] | None:
        """What to build now; the thread goes on waiting when the process has been let go."""
        with self._changed:
            while not self._closed:
                if self._wanted:
                    key = next(iter(self._wanted))
                    return key, self._wanted.pop(key)
                if not self._changed.wait(self._idle_s if self._process else None):
                    self._end_process()
        return None

    def _answer(self, cut: Cut) -> tuple[Surface | None, NotBuilt | None]:
        try:
            part = cut()
            return (None if part is None else self._build(part)), None
        except NotBuilt as error:
            return None, error
        except Exception as error:  # noqa: BLE001  # a mask that cannot be cut out: said as one
            kind = type(error).__name__  # no more: a text may hold a value
            return None, NotBuilt(f"The surface was not built: {kind}")

    def _build(self, part: Part) -> Surface | None:
        for _ in range(_TRIES):
            if self._closed:
                return None
            try:
                return self._running().build(part)
            except Lost:
                self._end_process()
        raise NotBuilt(
            "The surface was not built: the process that builds it ended twice",
            "change the segment or choose Rebuild to try again",
        )

    def _running(self) -> SurfaceProcess:
        if self._process is not None and not self._process.is_alive():
            self._end_process()  # ended from outside between two surfaces
        if self._process is None:
            self._process = SurfaceProcess(self._command, self._limit_s)
            if self._closed:  # meanwhile
                self._process.kill()
        return self._process

    def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()


_OPEN: Final["weakref.WeakSet[Builder]"] = weakref.WeakSet()


def _close_all() -> None:
    for builder in list(_OPEN):
        builder.close()


atexit.register(_close_all)
