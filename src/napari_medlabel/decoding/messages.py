"""What goes through a worker's pipes; numbers are little-endian.

A worker says HELLO once. Then, for each frame, it gets a question and gives an answer:

    question   0   8  bytes of compressed data, uint64     8  Frame.PACKED  the frame
               then the compressed data
    answer     0   1  Outcome
               then, where that is DONE, `frame.nbytes` of stored values, native byte order

Nothing has a length of the worker's choosing, so that one gone wrong can give wrong values of the
frames it is asked for, and nothing else. A worker ends when there are no more questions.
"""

import struct
from collections.abc import Callable
from typing import Final, Protocol

from napari_medlabel.decoding.frame import Frame, Outcome

__all__ = [
    "HELLO",
    "Lost",
    "Pipe",
    "fill",
    "read_outcome",
    "read_question",
    "write_all",
    "write_question",
]

HELLO: Final = b"medlabel decoder 1\n"
_LENGTH: Final = struct.Struct("<Q")


class Lost(Exception):
    """The other end of the pipe is gone, or does not speak as it should."""


class Pipe(Protocol):
    """One end of a pipe, unbuffered."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Read some bytes; 0 at the end."""

    def write(self, data: memoryview, /) -> int | None:
        """Write some bytes."""


def write_question(pipe: Pipe, frame: Frame, data: bytes) -> None:
    """Ask for a frame."""
    # At once, so that the worker is woken up once.
    write_all(pipe, b"".join((_LENGTH.pack(len(data)), frame.packed(), data)))


def read_question(pipe: Pipe) -> tuple[Frame, bytes] | None:
    """The next frame and its compressed data, or None where there is none any more."""
    head = memoryview(bytearray(_LENGTH.size + Frame.PACKED))
    if _some(pipe.readinto, head[:1]) == 0:
        return None
    fill(pipe, head[1:])
    (length,) = _LENGTH.unpack_from(head)
    data = bytearray(length)
    fill(pipe, memoryview(data))
    return Frame.unpacked(bytes(head[_LENGTH.size :])), bytes(data)


def read_outcome(pipe: Pipe) -> Outcome:
    """The first byte of an answer.

    Raises
    ------
    Lost
        If there is none, or it means nothing.
    """
    one = memoryview(bytearray(1))
    fill(pipe, one)
    try:
        return Outcome(one[0])
    except ValueError as error:
        raise Lost from error


def fill(pipe: Pipe, buffer: memoryview) -> None:
    """Read as many bytes as there is room for; `Lost` where the pipe ends before."""
    while buffer:
        count = _some(pipe.readinto, buffer)
        if count == 0:
            raise Lost
        buffer = buffer[count:]


def write_all(pipe: Pipe, data: bytes | memoryview) -> None:
    """Write all bytes; `Lost` where nobody reads them."""
    left = memoryview(data)
    while left:
        left = left[_some(pipe.write, left) :]


def _some(move: Callable[[memoryview], int | None], part: memoryview) -> int:
    """Read or write once."""
    try:
        return move(part) or 0
    except (OSError, ValueError) as error:  # ValueError: closed by another thread
        raise Lost from error
