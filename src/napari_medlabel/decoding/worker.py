"""The worker process: decodes the frames that come through its standard input.

Run by `process` with the name of the module that has the `decode` function. It holds itself to a
limit of memory before each frame (where the kernel knows one: Linux), dumps no core, since that
would put pixels on the disk, and ends with its standard input, so that it does not outlive whoever
started it; should it hang just then, an alarm ends it (not on Windows). What a library prints goes
nowhere: answers have a pipe of their own.
"""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.decoding.beginning import forbid_core_dumps, take_pipes
from napari_medlabel.decoding.frame import Frame, Outcome, Undecodable
from napari_medlabel.decoding.messages import HELLO, Pipe, read_question, write_all

__all__ = ["main", "memory_bound"]

Decode = Callable[[bytes, Frame], npt.NDArray[Any]]

# JPEG 2000 needs most: four bytes a pixel for the image, again for its tile, and for wavelets.
_BYTES_PER_PIXEL: Final = 32
_LONGEST_S: Final = 900  # far more than the process that waits for the answer gives it
_ROOM: Final = 1 << 26  # libraries that are loaded on first use, tables, the allocator's own


def main(codecs: str) -> None:
    """Answer questions until there are none; `codecs` is a module's name."""
    questions, answers = take_pipes()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started it
    forbid_core_dumps()
    decode: Decode = import_module(codecs).decode
    memory = _MemoryLimit()
    write_all(answers, HELLO)
    while (question := read_question(questions)) is not None:
        data, frame = question[1], question[0]
        memory.allow(memory_bound(frame, len(data)))
        _set_alarm(_LONGEST_S)
        _answer(answers, decode, data, frame)
        _set_alarm(0)


def memory_bound(frame: Frame, compressed: int) -> int:
    """Bytes that decoding the frame may take, above what the worker has."""
    return _ROOM + _BYTES_PER_PIXEL * frame.rows * frame.columns * frame.samples + 4 * compressed


def _answer(answers: Pipe, decode: Decode, data: bytes, frame: Frame) -> None:
    try:
        stored = np.ascontiguousarray(decode(data, frame), frame.pixel_type)
        outcome = Outcome.DONE if stored.nbytes == frame.nbytes else Outcome.OTHER_SIZE
    except MemoryError:
        outcome = Outcome.MEMORY
    except Undecodable as error:
        outcome = error.outcome
    except Exception:  # noqa: BLE001  # whatever it is, the next frame may be sound
        outcome = Outcome.DAMAGED
    write_all(answers, bytes([outcome]))
    if outcome is Outcome.DONE:
        write_all(answers, stored.reshape(-1).view(np.uint8).data)


def _set_alarm(seconds: int) -> None:
    """End this process after so many seconds, even inside a library; 0 for never."""
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)


class _MemoryLimit:
    """Of the address space; none where the kernel knows none, since the size was looked at before.

    What the process has is read from one descriptor, since opening it takes longer than the rest.
    """

    def __init__(self) -> None:
        try:
            import resource  # noqa: PLC0415  # not on Windows

            self._pages = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        except (ImportError, OSError):
            self._set: Callable[[int], object] | None = None
            return
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        most = hard if hard != resource.RLIM_INFINITY else sys.maxsize
        self._page_bytes = resource.getpagesize()
        self._set = lambda soft: resource.setrlimit(resource.RLIMIT_AS, (min(soft, most), hard))

    def allow(self, more: int) -> None:
        """Let the process have so many bytes more than it has."""
        if self._set is None:
            return
        with suppress(OSError, ValueError):
            pages = int(os.pread(self._pages, 128, 0).split()[0])
            self._set(pages * self._page_bytes + more)


if __name__ == "__main__":
    main(sys.argv[1])
