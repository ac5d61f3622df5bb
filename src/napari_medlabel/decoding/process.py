"""A worker process as its owner sees it: started, asked, ended; one question at a time."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from typing import Final, cast

from napari_medlabel.decoding.frame import Frame, Outcome
from napari_medlabel.decoding.messages import (
    HELLO,
    Lost,
    fill,
    read_outcome,
    write_question,
)
from napari_medlabel.errors import InputError

__all__ = ["DecoderProcess", "FrameLost", "NoProcess", "worker_command"]

_SET_PIPE_SIZE: Final = 1031  # F_SETPIPE_SZ of Linux, which Python 3.11 does not name
_PIPE_BYTES: Final = 1 << 20  # as much as an ordinary person may ask for: few changes of process
_START_S: Final = 60.0
_CODE: Final = (
    "import sys; module, *sys.path[:] = sys.argv[1:]; "
    "from napari_medlabel.decoding.worker import main; main(module)"
)
# One thread each, since there are as many workers as processors; and memory that is kept from
# frame to frame (glibc), since getting it anew takes a tenth of the time of a fast decoder.
_ENVIRONMENT: Final = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "MALLOC_MMAP_THRESHOLD_": str(1 << 25),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 26),
}


class FrameLost(InputError):
    """A frame could not be decoded; the text says why, for a sentence about its slice."""


class NoProcess(FrameLost):
    """No worker process can be started on this computer."""

    def __init__(self) -> None:
        super().__init__(
            "its decoder cannot be started, since this computer lets no process be started",
            "compressed images need that; export the series uncompressed, or use another computer",
        )


def worker_command(codecs: str = "napari_medlabel.decoding.codecs") -> list[str]:
    """The command line of a worker, with the places of modules that this process has.

    Raises
    ------
    NoProcess
        If there is no Python to run: this one is frozen into an application.
    """
    if getattr(sys, "frozen", False) or not sys.executable:
        raise NoProcess
    places = [path for path in sys.path if Path(path).is_absolute()]
    # Isolated: neither the working folder nor variables of the environment add modules.
    return [sys.executable, "-I", "-c", _CODE, codecs, *places]


class DecoderProcess:
    """One worker, running; for one thread at a time, but for `end_overdue` and `kill`.

    Raises
    ------
    NoProcess
        If it cannot be started.
    """

    def __init__(self, command: Sequence[str]) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603  # our own module by its name
                command,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **_ENVIRONMENT},
                start_new_session=True,  # Ctrl-C in a terminal is for us
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise NoProcess from error
        self._questions = cast("FileIO", self._process.stdin)
        self._answers = cast("FileIO", self._process.stdout)
        self._lock = threading.Lock()
        self._deadline: float | None = time.monotonic() + _START_S
        self._is_greeted = self._is_overdue = False
        for pipe in (self._questions, self._answers):
            _widen(pipe)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def greet(self) -> None:
        """Wait until it is ready for questions.

        Raises
        ------
        NoProcess
            If it ends, or says something else.
        """
        if self._is_greeted:
            return
        hello = bytearray(len(HELLO))
        try:
            fill(self._answers, memoryview(hello))
        except Lost as error:
            raise NoProcess from error
        if hello != HELLO:
            raise NoProcess
        self._set_deadline(None)
        self._is_greeted = True

    def decode(self, frame: Frame, data: bytes, out: memoryview, limit_s: float) -> None:
        """Fill `out` with the frame's stored values, bytes in native order.

        Raises
        ------
        FrameLost
            If the frame cannot be decoded, which is all that is wrong.
        Lost
            If the process is gone or no use any more; `why_lost` says why.
        """
        self.greet()
        self._set_deadline(limit_s)
        write_question(self._questions, frame, data)
        outcome = read_outcome(self._answers)
        if outcome is Outcome.DONE:
            fill(self._answers, out)
        self._set_deadline(None)
        if outcome is not Outcome.DONE:
            raise FrameLost(outcome.words)

    def end_overdue(self) -> None:
        """Kill the process if it has had its time; for a thread that watches."""
        with self._lock:
            if self._deadline is not None and time.monotonic() > self._deadline:
                self._is_overdue = True
                self._process.kill()

    def why_lost(self, limit_s: float) -> str:
        """What is said of the frame that it was decoding when it ended."""
        if self._is_overdue:
            return f"its decoder took longer than {limit_s:.0f} s"
        return "its decoder crashed"

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def end(self) -> None:
        """End it, wait until it is gone, and let go of its pipes."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._questions, self._answers):
            pipe.close()

    def _set_deadline(self, limit_s: float | None) -> None:
        """Lost, where the time was over just before."""
        with self._lock:
            if self._is_overdue:
                raise Lost
            self._deadline = None if limit_s is None else time.monotonic() + limit_s


def _widen(pipe: FileIO) -> None:
    """Let the pipe hold a frame, where the system can."""
    try:
        from fcntl import fcntl  # noqa: PLC0415  # not on Windows

        if sys.platform == "linux":
            fcntl(pipe.fileno(), _SET_PIPE_SIZE, _PIPE_BYTES)
    except (ImportError, OSError):
        return
