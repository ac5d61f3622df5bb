"""The value in a pixel: some of its bits, perhaps with a sign. PS3.5 8.1.1."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Raw", "StoredBits", "unpack_bits", "value_range"]

Raw = npt.NDArray[np.unsignedinteger[Any]]


class StoredBits(Protocol):
    """Where in a pixel its value is."""

    @property
    def bits_stored(self) -> int:
        """How many."""

    @property
    def high_bit(self) -> int:
        """The highest of them, counted from 0."""

    @property
    def signed(self) -> bool:
        """Whether they are two's complement."""


def value_range(bits: StoredBits) -> tuple[int, int]:
    """The smallest and the largest stored value that the header allows."""
    if bits.signed:
        return -(1 << (bits.bits_stored - 1)), (1 << (bits.bits_stored - 1)) - 1
    return 0, (1 << bits.bits_stored) - 1


def unpack_bits(raw: Raw, bits: StoredBits) -> npt.NDArray[Any]:
    """Keep the stored bits and extend the sign, in place; a view with the right sign.

    Bits outside BitsStored may hold anything: old overlays, other people's flags.
    """
    width = raw.itemsize * 8
    unused = width - bits.bits_stored
    signed = raw.view(f"i{raw.itemsize}")
    if unused == 0:
        return signed if bits.signed else raw
    if not bits.signed and bits.high_bit == bits.bits_stored - 1:
        np.bitwise_and(raw, raw.dtype.type((1 << bits.bits_stored) - 1), out=raw)
        return raw
    if width - 1 > bits.high_bit:
        np.left_shift(raw, raw.dtype.type(width - 1 - bits.high_bit), out=raw)
    if bits.signed:
        np.right_shift(signed, signed.dtype.type(unused), out=signed)
        return signed
    np.right_shift(raw, raw.dtype.type(unused), out=raw)
    return raw
