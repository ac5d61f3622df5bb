"""Files made durable while the next ones are still being made, so that the end need not wait."""

import os
import queue
import threading
from pathlib import Path
from types import TracebackType
from typing import Final, Self

__all__ = ["Flusher"]

_THREADS: Final = 2  # they wait for the disk and take no time of the processor


class Flusher:
    """Calls fsync on files, on threads of its own, until its block ends.

    `durable` has the files that are; each is to be given again whenever it was written again.
    """

    def __init__(self) -> None:
        self._paths: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._failures: list[OSError] = []
        self.durable: set[Path] = set()
        self._threads = [
            threading.Thread(target=self._run, name=f"medlabel-flush-{n}", daemon=True)
            for n in range(_THREADS)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for _ in self._threads:
            self._paths.put(None)
        for thread in self._threads:
            thread.join()
        if self._failures and error is None:
            raise self._failures[0]  # the system tells a failed write to one fsync only

    def add(self, path: Path) -> None:
        """A file that is written and closed."""
        self._paths.put(path)

    def _run(self) -> None:
        while (path := self._paths.get()) is not None:
            try:
                handle = os.open(path, os.O_RDWR)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)
                self.durable.add(path)
            except OSError as failure:
                self._failures.append(failure)
