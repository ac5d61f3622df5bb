"""What headers said, kept for files that have not changed since they were read.

In the memory of this process and nowhere else: headers identify people. A file is the same one
while its path, size, inode, and times of change are. Clocks of file systems are coarse, so what
changed moments ago is never kept: it might change again and look the same.
"""

import os
import stat
import threading
import time
from collections import OrderedDict
from collections.abc import Sized
from typing import Final, Generic, TypeVar

__all__ = ["HeaderMemory", "Stamp"]

Stamp = tuple[int, int, int, int, int]
T = TypeVar("T", bound=Sized)

_COARSE_NS: Final = 2_000_000_000  # FAT counts in two seconds


class HeaderMemory(Generic[T]):
    """Values by path and stamp, used last kept longest; from any thread.

    Parameters
    ----------
    most
        The sum of the values' lengths that is kept.
    """

    def __init__(self, most: int) -> None:
        self._most, self._held = most, 0
        self._kept: OrderedDict[str, tuple[Stamp, T]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._held

    def find(self, path: str) -> tuple[Stamp | None, T | None]:
        """The file's stamp, None where it cannot be relied on; and what is kept of it."""
        try:
            status = os.stat(path)  # noqa: PTH116  # thousands of files
        except (OSError, ValueError):
            return None, None
        if not stat.S_ISREG(status.st_mode):
            return None, None
        stamp = (
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
            status.st_ino,
            status.st_dev,
        )
        with self._lock:
            known = self._kept.get(path)
            if known is not None and known[0] == stamp:
                self._kept.move_to_end(path)
                return stamp, known[1]
        settled = max(status.st_ctime_ns, status.st_mtime_ns) < time.time_ns() - _COARSE_NS
        return (stamp if settled else None), None

    def keep(self, path: str, stamp: Stamp, value: T) -> None:
        """Keep what was read after `find` gave this stamp."""
        if len(value) > self._most:
            return
        with self._lock:
            self._drop(path)
            self._kept[path] = stamp, value
            self._held += len(value)
            while self._held > self._most:
                self._drop(next(iter(self._kept)))

    def forget(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._kept.clear()
            self._held = 0

    def _drop(self, path: str) -> None:
        known = self._kept.pop(path, None)
        if known is not None:
            self._held -= len(known[1])
