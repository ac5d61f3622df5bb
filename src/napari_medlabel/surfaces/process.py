"""A surface worker as its owner sees it: started, asked, ended; one question at a time."""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from typing import Final, cast

from napari_medlabel.core.surface import Surface
from napari_medlabel.decoding.messages import Lost, fill
from napari_medlabel.errors import MedlabelError
from napari_medlabel.surfaces.messages import HELLO, Outcome, Part, read_answer, write_question

__all__ = ["NotBuilt", "SurfaceProcess", "worker_command"]

_LIMIT_S: Final = 60.0  # a liver takes 0.1 s
_CODE: Final = (
    "import sys; sys.path[:] = sys.argv[1:]; "
    "from napari_medlabel.surfaces.worker import main; main()"
)
_ENVIRONMENT: Final = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)
_WHY: Final = {
    Outcome.MEMORY: "there is not enough memory for it",
    Outcome.BROKEN: "this segment is not one that a surface can be built of",
}


class NotBuilt(MedlabelError):
    """A surface could not be built; the text says why."""


def worker_command() -> list[str]:
    """The command line of a worker, with the places of modules that this process has.

    Raises
    ------
    NotBuilt
        If there is no Python to run: this one is frozen into an application.
    """
    if getattr(sys, "frozen", False) or not sys.executable:
        raise _cannot_start()
    places = [path for path in sys.path if Path(path).is_absolute()]
    # Isolated: neither the working folder nor variables of the environment add modules.
    return [sys.executable, "-I", "-c", _CODE, *places]


class SurfaceProcess:
    """One worker, running; for one thread at a time, but for `kill`.

    Raises
    ------
    NotBuilt
        If it cannot be started.
    """

    def __init__(self, command: Sequence[str] | None = None, limit_s: float = _LIMIT_S) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603  # our own module by its name
                worker_command() if command is None else command,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **_ENVIRONMENT},
                start_new_session=True,  # Ctrl-C in a terminal is for us
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise _cannot_start() from error
        self._questions = cast("FileIO", self._process.stdin)
        self._answers = cast("FileIO", self._process.stdout)
        self._limit_s = limit_s
        self._is_greeted = False

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def build(self, part: Part) -> Surface | None:
        """The surface; None where a skin was asked for and there is no head.

        Raises
        ------
        NotBuilt
            If it cannot be built; the process is fit for the next question.
        Lost
            If the process is gone, or was ended because it took too long.
        """
        watch = threading.Timer(self._limit_s, self.kill)
        watch.daemon = True
        watch.start()
        try:
            self._greet()
            write_question(self._questions, part)
            outcome, built = read_answer(self._answers, part.most_faces)
        finally:
            watch.cancel()
        if outcome in _WHY:
            raise NotBuilt(f"The surface was not built: {_WHY[outcome]}")
        return built

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def end(self) -> None:
        """End it, wait until it is gone, and let go of its pipes."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._questions, self._answers):
            pipe.close()

    def _greet(self) -> None:
        """Wait until it is ready; `Lost` where it is something else."""
        if self._is_greeted:
            return
        hello = bytearray(len(HELLO))
        fill(self._answers, memoryview(hello))
        if hello != HELLO:
            raise Lost
        self._is_greeted = True


def _cannot_start() -> NotBuilt:
    return NotBuilt(
        "The surface was not built: this computer lets no process be started",
        "all else works without; ask whoever looks after the computer",
    )
