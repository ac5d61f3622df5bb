"""How a worker process begins: pipes of its own, and no picture of its memory when it ends."""

import os
from io import FileIO

__all__ = ["forbid_core_dumps", "take_pipes"]


def take_pipes() -> tuple[FileIO, FileIO]:
    """Standard input and output for ourselves; libraries print into nothing."""
    questions, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(nothing, number)
    os.close(nothing)
    return FileIO(questions, "rb"), FileIO(answers, "wb")


def forbid_core_dumps() -> None:
    """Leave no patient's pixels in a file of the system's."""
    try:
        import resource  # noqa: PLC0415  # not on Windows
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
