"""What a compressed frame is said to be, and how decoding it went."""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Self

__all__ = ["Frame", "Outcome", "Undecodable"]


@dataclass(frozen=True, slots=True)
class Frame:
    """A compressed picture, as its header describes it.

    Parameters
    ----------
    syntax
        The UID of the transfer syntax.
    rows, columns
        Of the picture.
    bits_allocated
        8, 16 or 32.
    bits_stored, high_bit, signed
        Where in a pixel its value is: PS3.5 8.1.1.
    samples
        Of each pixel: 1 of a grey picture, 3 of one in colour.
    """

    syntax: str
    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    samples: int = 1

    _LAYOUT: ClassVar[struct.Struct] = struct.Struct("<II3B?BB")
    PACKED: ClassVar[int] = _LAYOUT.size + 64  # a UID has at most 64 bytes

    @property
    def pixel_type(self) -> str:
        """The numpy type of a stored value, native byte order: "i2", "u1"."""
        return f"{'i' if self.signed else 'u'}{self.bits_allocated // 8}"

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the array of stored values: rows and columns, then samples where there are several."""
        grey = (self.rows, self.columns)
        return grey if self.samples == 1 else (*grey, self.samples)

    @property
    def nbytes(self) -> int:
        """Of all stored values."""
        return self.rows * self.columns * self.samples * (self.bits_allocated // 8)

    def packed(self) -> bytes:
        """`PACKED` bytes: rows, columns, bits, sign, samples, then the syntax and zeros."""
        syntax = self.syntax.encode("ascii", "replace")[:64]
        numbers = self._LAYOUT.pack(
            self.rows,
            self.columns,
            self.bits_allocated,
            self.bits_stored,
            self.high_bit,
            self.signed,
            self.samples,
            len(syntax),
        )
        return numbers + syntax.ljust(64, b"\0")

    @classmethod
    def unpacked(cls, packed: bytes) -> Self:
        """The frame again."""
        *numbers, length = cls._LAYOUT.unpack_from(packed)
        start = cls._LAYOUT.size
        return cls(packed[start : start + length].decode("ascii"), *numbers)


class Outcome(IntEnum):
    """How decoding went: one byte, since nothing that a decoder says is repeated to a person."""

    DONE = 0
    DAMAGED = 1
    OTHER_SIZE = 2
    CUT = 3
    OTHER_RUNS = 4
    SHORT_RUNS = 5
    MEMORY = 6
    UNKNOWN_SYNTAX = 7

    @property
    def words(self) -> str:
        """What is said of a frame for which it went this way."""
        return _WORDS[self]


_WORDS = {
    Outcome.DONE: "it was decoded",
    Outcome.DAMAGED: "its compressed image is damaged",
    Outcome.OTHER_SIZE: "its compressed image is damaged or has another size",
    Outcome.CUT: "its compressed image ends too early",
    Outcome.OTHER_RUNS: "its run lengths do not fit its header",
    Outcome.SHORT_RUNS: "its run lengths end too early",
    Outcome.MEMORY: "its decoder needed too much memory",
    Outcome.UNKNOWN_SYNTAX: "it is compressed in a way that is not known",
}


class Undecodable(Exception):
    """A frame cannot be decoded; inside a worker, where `outcome` is all that leaves it."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome
