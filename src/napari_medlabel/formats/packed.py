"""Voxels as bytes, wherever and however they are stored: read from any place, in bounded memory.

A file holds them as they are, deflated (gzip, zlib), as bzip2, or written out as numbers or
hexadecimal digits. What is packed is unpacked piece by piece and never held as a whole: reading on
goes on where the last reading ended. The state of a deflated stream is kept every few megabytes,
so that an earlier place is soon reached again; any other stream is begun anew. So neither what a
header claims nor what a small file swells to takes memory before somebody asks for it.
"""

import bisect
import bz2
import threading
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Literal, Protocol, Self

import numpy as np

from napari_medlabel.formats.voxels import damaged, in_one_line

__all__ = ["Encoding", "Joined", "Packed", "Plain", "Stretch", "opened_stretch"]

Encoding = Literal["raw", "gzip", "zlib", "bzip2", "text", "hex"]

_PIECE: Final = 1 << 18  # bytes that are taken from a file at once
_GIVEN: Final = 1 << 20  # bytes that are unpacked at once
_APART: Final = 1 << 23  # unpacked bytes between two states that are kept
_MOST_STATES: Final = 64  # of some 40 kB each
_GZIP_START: Final = b"\x1f\x8b"


class Stretch(Protocol):
    """Bytes one after the other."""

    def read(self, position: int, count: int) -> bytearray:
        """`count` bytes from `position` on; from any thread.

        Raises
        ------
        InputError
            If the file ends before, is damaged or cannot be read.
        """


def opened_stretch(
    path: Path, encoding: Encoding, offset: int, size: int, dtype: np.dtype[Any]
) -> Stretch:
    """The bytes that a file holds from `offset` on.

    Parameters
    ----------
    path
        The file.
    encoding
        How the bytes are stored.
    offset
        Bytes of the file before them.
    size
        How many bytes are wanted at most; behind them the stream's checksum is looked at.
    dtype
        What numbers written as text become.
    """
    if encoding == "raw":
        return Plain(path, offset)
    starts: dict[Encoding, Callable[[], _Unpacker]] = {
        "gzip": lambda: _Deflated(offset, zlib.decompressobj(31)),
        "zlib": lambda: _Deflated(offset, zlib.decompressobj()),
        "bzip2": lambda: _Bzipped(offset),
        "text": lambda: _Written(offset, dtype),
        "hex": lambda: _Hexadecimal(offset),
    }
    return Packed(path, starts[encoding], size)


@dataclass(frozen=True, slots=True)
class Plain:
    """Bytes of a file as they are, from `offset` on."""

    path: Path
    offset: int

    def read(self, position: int, count: int) -> bytearray:
        """As `Stretch` has it."""
        with in_one_line(), self.path.open("rb", buffering=0) as file:
            file.seek(self.offset + position)
            data = bytearray(count)
            view, done = memoryview(data), 0
            while done < count:
                got = file.readinto(view[done:])
                if not got:
                    raise damaged()
                done += got
        return data


class Packed:
    """Bytes of a file that have to be unpacked.

    Parameters
    ----------
    path
        The file.
    start
        Makes an unpacker that is at the first byte.
    size
        How many bytes there are to be; once they were read, the end of the stream is, too.
    """

    def __init__(self, path: Path, start: "Callable[[], _Unpacker]", size: int) -> None:
        self._path, self._start, self._size = path, start, size
        self._lock = threading.Lock()
        self._unpacker, self._position, self._rest = start(), 0, memoryview(b"")
        self._kept: list[tuple[int, _Unpacker]] = []
        self._apart = _APART

    def read(self, position: int, count: int) -> bytearray:
        """As `Stretch` has it."""
        with self._lock, in_one_line(), self._path.open("rb", buffering=0) as file:
            try:
                self._go_to(file, position)
                data = bytearray()  # grows with what is there, not with what is claimed
                while len(data) < count:
                    data += self._next(file, count - len(data))
                if self._position >= self._size:
                    self._look_behind(file)
            except BaseException:
                self._restart(self._start(), 0)
                raise
        return data

    def _go_to(self, file: IO[bytes], position: int) -> None:
        n = bisect.bisect_right(self._kept, position, key=lambda one: one[0]) - 1
        at, state = self._kept[n] if n >= 0 else (0, None)
        if position < self._position or at > self._position:
            again = state.copy() if state is not None else self._start()
            self._restart(again or self._start(), at)
        while self._position < position:
            self._next(file, position - self._position)

    def _next(self, file: IO[bytes], most: int) -> memoryview:
        """The next bytes, at least one and at most so many."""
        if not self._rest:
            self._keep()
            self._rest = memoryview(self._unpacker.next(file))
            if not self._rest:
                raise EOFError
        part, self._rest = self._rest[:most], self._rest[most:]
        self._position += len(part)
        return part

    def _look_behind(self, file: IO[bytes]) -> None:
        """Read on, once: the end of a stream is where its checksum is compared."""
        if not self._rest:
            self._rest = memoryview(self._unpacker.next(file))

    def _keep(self) -> None:
        last = self._kept[-1][0] if self._kept else 0
        if self._position < last + self._apart:
            return
        state = self._unpacker.copy()
        if state is None:
            return
        self._kept.append((self._position, state))
        if len(self._kept) > _MOST_STATES:
            del self._kept[::2]
            self._apart *= 2

    def _restart(self, unpacker: "_Unpacker", position: int) -> None:
        self._unpacker, self._position, self._rest = unpacker, position, memoryview(b"")


@dataclass(frozen=True, slots=True)
class Joined:
    """Several stretches one after the other, each with so many bytes."""

    parts: Sequence[Stretch]
    each: int

    def read(self, position: int, count: int) -> bytearray:
        """As `Stretch` has it."""
        data = bytearray()
        while len(data) < count:
            number, inside = divmod(position + len(data), self.each)
            if number >= len(self.parts):
                raise damaged()
            more = min(count - len(data), self.each - inside)
            data += self.parts[number].read(inside, more)
        return data


# How each encoding is unpacked


class _Unpacker(Protocol):
    """A stream that is unpacked piece by piece."""

    def next(self, file: IO[bytes]) -> bytes:
        """The next bytes; none at the end."""

    def copy(self) -> Self | None:
        """One that goes on from here, or None where that cannot be."""


class _Deflated:
    """A deflated stream in one of its two wrappings; gzip's may follow each other."""

    def __init__(self, position: int, packed: Any) -> None:  # noqa: ANN401  # of no public type
        self._position, self._packed, self._ahead = position, packed, b""

    def next(self, file: IO[bytes]) -> bytes:
        while True:
            if self._packed.eof and not self._following(file):
                return b""
            given = self._ahead or self._read(file)
            part: bytes = self._packed.decompress(given, _GIVEN)
            self._ahead = self._packed.unconsumed_tail
            if part:
                return part
            if not given and not self._packed.eof:
                raise EOFError

    def copy(self) -> "_Deflated":
        return _Deflated(self._position - len(self._ahead), self._packed.copy())

    def _following(self, file: IO[bytes]) -> bool:
        """Begin the next member of a gzip file, where there is one."""
        position = self._position - len(self._packed.unused_data)
        file.seek(position)
        start = file.read(2)
        if start != _GZIP_START:
            return False
        self._position, self._packed, self._ahead = position, zlib.decompressobj(31), b""
        return True

    def _read(self, file: IO[bytes]) -> bytes:
        file.seek(self._position)
        given = file.read(_PIECE)
        self._position += len(given)
        return given


class _Bzipped:
    """A bzip2 stream."""

    def __init__(self, position: int) -> None:
        self._position, self._packed = position, bz2.BZ2Decompressor()

    def next(self, file: IO[bytes]) -> bytes:
        while not self._packed.eof:
            given = b""
            if self._packed.needs_input:
                file.seek(self._position)
                given = file.read(_PIECE)
                self._position += len(given)
                if not given:
                    raise EOFError
            part = self._packed.decompress(given, _GIVEN)
            if part:
                return part
        return b""

    def copy(self) -> None:
        return None


class _Written:
    """Numbers as text, with blanks or commas between them."""

    def __init__(self, position: int, dtype: np.dtype[Any]) -> None:
        self._position, self._dtype, self._cut = position, dtype, b""

    def next(self, file: IO[bytes]) -> bytes:
        while True:
            file.seek(self._position)
            given = file.read(_PIECE)
            self._position += len(given)
            words = (self._cut + given).replace(b",", b" ")
            end = len(words) if not given else max(words.rfind(c) for c in (b" ", b"\n", b"\t")) + 1
            self._cut = words[end:]
            numbers = words[:end].split()
            if numbers:
                kind = float if self._dtype.kind == "f" else int
                # numpy refuses whole numbers that do not fit
                return np.array([kind(word) for word in numbers], self._dtype).tobytes()
            if not given:
                return b""
            if len(self._cut) > _PIECE:
                raise ValueError("a number of that many digits")

    def copy(self) -> None:
        return None


class _Hexadecimal:
    """Bytes as two digits each; blanks may be between them."""

    def __init__(self, position: int) -> None:
        self._position, self._cut = position, b""

    def next(self, file: IO[bytes]) -> bytes:
        while True:
            file.seek(self._position)
            given = file.read(_PIECE)
            self._position += len(given)
            digits = self._cut + b"".join(given.split())
            even = len(digits) // 2 * 2
            self._cut = digits[even:]
            if even or not given:
                return bytes.fromhex(digits[:even].decode("ascii"))

    def copy(self) -> None:
        return None
