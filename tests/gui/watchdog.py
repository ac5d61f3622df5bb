"""How long the window did nothing for anybody: the longest gap between turns of its event loop.

A gap is told twice: by the clock, as a person feels it, and as the time that the window's thread
itself computed in it. Other work on the machine makes the first longer, hardly the second.
"""

import sys
import threading
import time
import traceback
from types import FrameType, TracebackType
from typing import Self

from qtpy.QtCore import QTimer

__all__ = ["FREEZE_MS", "Watchdog"]

FREEZE_MS = 100.0  # longer than this is felt
TICK_MS = 2
OURS = "napari_medlabel"


class Watchdog:
    """Watches the event loop while something is done.

        with Watchdog("undo") as dog:
            window.press("Ctrl+Z")
        assert dog.longest_ms < 1000.0

    A gap ends at the next turn of the loop, so that what runs in the loop counts as much as what
    is called beside it. Of gaps that are felt it tells what of ours ran meanwhile.

    Parameters
    ----------
    path
        What is done, for the report.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.longest_ms = 0.0
        self.longest_cpu_ms = 0.0  # of the window's own thread, in any gap
        self.where: tuple[str, ...] = ()  # innermost of ours first, in the longest gap
        self._last = 0.0
        self._last_cpu = 0.0
        self._seen: tuple[str, ...] = ()
        self._over = threading.Event()
        self._main = threading.get_ident()
        self._timer = QTimer()
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._looker = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._last, self._last_cpu = time.perf_counter(), time.thread_time()
        self._timer.start()
        self._looker.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._tick()
        self._timer.stop()
        self._over.set()
        self._looker.join()

    @property
    def line(self) -> str:
        """The report: what was done, the longest gap, and what ran where it is felt."""
        longest = f"longest gap {self.longest_ms:6.0f} ms, computing {self.longest_cpu_ms:6.0f} ms"
        found = f"{self.path:44} {longest}"
        return f"{found}  in {' < '.join(self.where[:3])}" if self.where else found

    def _tick(self) -> None:
        now, cpu = time.perf_counter(), time.thread_time()
        gap_ms, cpu_ms = (now - self._last) * 1000.0, (cpu - self._last_cpu) * 1000.0
        self._last, self._last_cpu = now, cpu
        self.longest_cpu_ms = max(self.longest_cpu_ms, cpu_ms)
        if gap_ms > self.longest_ms:
            self.longest_ms = gap_ms
            self.where = self._seen if gap_ms > FREEZE_MS else ()
        self._seen = ()

    def _look(self) -> None:
        """Beside the window: whenever a gap grows, where the window's thread is."""
        while not self._over.wait(FREEZE_MS / 2000.0):
            if time.perf_counter() - self._last < FREEZE_MS / 2000.0:
                continue
            frame = sys._current_frames().get(self._main)
            if frame is not None and not self._seen:
                self._seen = _ours(frame)


def _ours(frame: FrameType) -> tuple[str, ...]:
    """Functions of ours that are being run, innermost first."""
    calls = traceback.extract_stack(frame)[::-1]
    return tuple(
        f"{call.filename.rpartition(OURS)[2].lstrip('/')}:{call.lineno} {call.name}"
        for call in calls if f"/{OURS}/" in call.filename
    )  # fmt: skip
