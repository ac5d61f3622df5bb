"""Who works on a segmentation: one writer at a time, the others read.

A lock of the operating system on `lock`, which ends with the process that holds it, whatever
ends that; `holder.json` beside it says who, for the others to read.
"""

import getpass
import json
import os
import platform
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

__all__ = ["Hold"]


class Hold:
    """An attempt to be the one who writes; `reason` says why it is not to be.

    `left_open_since` is when the last one who held it began (ISO 8601, local), where that one
    ended without letting go: it crashed, was killed, or the power failed. Else it is "".
    """

    def __init__(self, folder: Path) -> None:
        self.reason = ""
        self.left_open_since = ""
        self._note = folder / "holder.json"
        # Two windows of one process are two holders: a lock is never shared within the process.
        self._lock: FileLock | None = FileLock(folder / "lock", thread_local=False)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            self._lock = None
            self.reason = self._who_holds()
        except OSError:
            self._lock = None
            self.reason = "The workspace cannot be written: this case is open for reading"
        else:
            self.left_open_since = self._note_left()
            self._leave_note()

    @property
    def writable(self) -> bool:
        """True where this is the one who writes."""
        return self._lock is not None

    def release(self) -> None:
        """Let the next one write."""
        if self._lock is not None:
            with suppress(OSError):  # it is a courtesy, the lock is what counts
                self._note.unlink(missing_ok=True)
            self._lock.release()
            self._lock = None

    def _note_left(self) -> str:
        """When the one began whose note is still there, though nobody holds the lock."""
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            return datetime.fromisoformat(note["since"]).astimezone().isoformat()
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def _leave_note(self) -> None:
        note = {
            "format": 1,
            "who": _login(),
            "computer": platform.node(),
            "process": os.getpid(),
            "since": datetime.now().astimezone().isoformat(timespec="seconds"),
        }
        with suppress(OSError):  # a full disk: others hear that somebody holds it, not who
            self._note.write_text(json.dumps(note), encoding="utf-8")

    def _who_holds(self) -> str:
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            since = datetime.fromisoformat(note["since"]).astimezone().strftime("%H:%M")
            where = "" if note["computer"] == platform.node() else f" on {note['computer']}"
            return f"Open in another window by {note['who']}{where} since {since}: read only here"
        except (OSError, ValueError, KeyError, TypeError):
            return "Open in another window: read only here"


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"
