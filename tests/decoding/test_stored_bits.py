"""The value in a pixel, against plain arithmetic."""

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_medlabel.decoding.frame import Frame
from napari_medlabel.decoding.stored_bits import unpack_bits, value_range


@given(
    raw=arrays(np.uint16, (3, 4)),
    bits=st.integers(1, 16).flatmap(lambda b: st.tuples(st.just(b), st.integers(b - 1, 15))),
    signed=st.booleans(),
)
def test_stored_bits_are_what_arithmetic_says(
    raw: npt.NDArray[np.uint16], bits: tuple[int, int], *, signed: bool
) -> None:
    count, high_bit = bits
    frame = Frame("", 3, 4, 16, count, high_bit, signed)
    expected = (raw.astype(int) >> (high_bit + 1 - count)) % (1 << count)
    if signed:
        expected -= (expected >= 1 << (count - 1)) * (1 << count)
    unpacked = unpack_bits(raw.copy(), frame)
    np.testing.assert_array_equal(unpacked, expected)
    low, high = value_range(frame)
    assert low <= int(unpacked.min()) <= int(unpacked.max()) <= high
