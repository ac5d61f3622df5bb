"""The decoders: from one compressed frame to its stored values. Runs in worker processes only."""

import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import imagecodecs
import numpy as np
import numpy.typing as npt

from napari_medlabel.decoding.codestream import Claim, claim_of
from napari_medlabel.decoding.frame import Frame, Outcome, Undecodable
from napari_medlabel.decoding.stored_bits import unpack_bits, value_range
from napari_medlabel.decoding.syntaxes import (
    HTJ2K,
    JPEG,
    JPEG_2000,
    JPEG_LOSSLESS,
    JPEG_LS,
    LOSSLESS,
    RLE,
)

__all__ = ["decode"]

Array = npt.NDArray[Any]


def decode(data: bytes, frame: Frame) -> Array:
    """Decompress a frame.

    Parameters
    ----------
    data
        All its bytes, fragments joined.
    frame
        What its header says of it.

    Returns
    -------
    Array
        Stored values of `frame.pixel_type`: `[row, column]`, or `[row, column, sample]` in colour,
        where JPEG and the colour transforms of JPEG 2000 give red, green and blue.

    Raises
    ------
    Undecodable
        If the bytes are damaged, cut, or an image of another size.
    """
    decoder = _DECODERS.get(frame.syntax)
    if decoder is None:
        raise Undecodable(Outcome.UNKNOWN_SYNTAX)
    bits = frame.bits_allocated if frame.syntax == RLE else _checked(claim_of(data), frame).bits
    try:
        array = decoder(data, frame)
    except (Undecodable, MemoryError):
        raise
    except Exception as error:  # each codec has its own errors
        raise Undecodable(Outcome.DAMAGED) from error
    if array.shape != frame.shape or array.dtype.kind not in "ui":
        raise Undecodable(Outcome.OTHER_SIZE)
    return _stored(array, frame, bits).astype(frame.pixel_type, copy=False)


def _checked(claim: Claim | None, frame: Frame) -> Claim:
    """What the bytes claim, where it is what the header says."""
    if claim is None or (claim.rows, claim.columns) != (frame.rows, frame.columns):
        raise Undecodable(Outcome.OTHER_SIZE)
    if not claim.ends:
        raise Undecodable(Outcome.CUT)
    return claim


def _stored(array: Array, frame: Frame, bits: int) -> Array:
    """The values that the header means: of `bits` in the codestream, those that are stored."""
    if array.dtype.kind == "u" and (frame.signed or frame.syntax in LOSSLESS):
        size = max(array.itemsize, frame.bits_allocated // 8)
        wide = array.astype(f"u{size}", copy=not array.flags.writeable)
        if bits <= frame.bits_stored:  # what is below was left out: PS3.5 8.2
            frame = replace(frame, high_bit=frame.bits_stored - 1)
        return unpack_bits(wide, frame)
    # The codestream knows its sign. Lossy ones may overshoot; wrapping round would be worse.
    if array.dtype.kind == "i" and not frame.signed:
        array = array.astype(np.int32)
    return np.clip(array, *value_range(frame))


def _jpeg(data: bytes, _: Frame) -> Array:
    array: Array = imagecodecs.jpeg8_decode(data)
    return array


def _jpeg_lossless(data: bytes, _: Frame) -> Array:
    """By libjpeg-turbo, which is faster; by liblj92 what that does not take."""
    try:
        array: Array = imagecodecs.jpeg8_decode(data)
    except imagecodecs.Jpeg8Error:
        array = imagecodecs.ljpeg_decode(data)
    return array


def _jpeg_ls(data: bytes, _: Frame) -> Array:
    array: Array = imagecodecs.jpegls_decode(data)
    return array


def _jpeg_2000(data: bytes, _: Frame) -> Array:
    """By OpenJPEG, high throughput too: OpenJPH is faster, but gives damaged images silently."""
    array: Array = imagecodecs.jpeg2k_decode(data, numthreads=1)
    return array


def _rle(data: bytes, frame: Frame) -> Array:
    """Runs of bytes, one segment for each byte of a pixel: PS3.5 annex G.

    All bytes of the first sample come first, the high byte before the low one.
    """
    size = frame.bits_allocated // 8
    pixels = frame.rows * frame.columns
    count, *starts = struct.unpack_from("<16I", data)
    if count != size * frame.samples or any(start > len(data) for start in starts[:count]):
        raise Undecodable(Outcome.OTHER_RUNS)
    planes = np.empty((pixels, frame.samples, size), np.uint8)
    stops = [*starts[1:count], len(data)]
    for n, (start, stop) in enumerate(zip(starts[:count], stops, strict=True)):
        segment = imagecodecs.packbits_decode(data[start:stop])
        if len(segment) < pixels:
            raise Undecodable(Outcome.SHORT_RUNS)
        sample, byte = divmod(n, size)
        planes[:, sample, size - 1 - byte] = np.frombuffer(segment, np.uint8, pixels)
    little: Array = planes.view(f"<u{size}")
    return little.astype(f"u{size}", copy=False).reshape(frame.shape)


_DECODERS: Final[dict[str, Callable[[bytes, Frame], Array]]] = {
    RLE: _rle,
    **dict.fromkeys(JPEG, _jpeg),
    **dict.fromkeys(JPEG_LOSSLESS, _jpeg_lossless),
    **dict.fromkeys(JPEG_LS, _jpeg_ls),
    **dict.fromkeys(JPEG_2000 | HTJ2K, _jpeg_2000),
}
