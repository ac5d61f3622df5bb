"""Decoders that misbehave as the compressed bytes tell them, for workers in tests."""

import ctypes
import os
import time

import numpy as np
import numpy.typing as npt

from napari_medlabel.decoding.frame import Frame, Outcome, Undecodable

STALL_S = 60.0


def decode(data: bytes, frame: Frame) -> npt.NDArray[np.generic]:
    """Values that are all the first byte, or what the first word asks for."""
    word = data.split(b" ")[0]
    if word == b"crash":
        ctypes.string_at(0)
    if word == b"exit":
        os._exit(0)
    if word == b"hang":
        time.sleep(STALL_S)
    if word == b"eat":
        np.ones(1 << 34, np.uint8)
    if word == b"damaged":
        raise Undecodable(Outcome.DAMAGED)
    if word == b"odd":
        raise OSError("Secret^Name")
    if word == b"print":
        os.write(1, b"from C\n" * 1000)
        print("from Python" * 1000)  # noqa: T201  # as a library would
    if word == b"large":
        return np.zeros((frame.rows, frame.columns + 1), frame.pixel_type)
    if word == b"slow":
        time.sleep(0.2)
    return np.full((frame.rows, frame.columns), data[-1], frame.pixel_type)
