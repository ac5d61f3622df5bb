"""How the pixels of an instance are stored, and the way of a compressed frame to its values."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.decoding.frame import Frame
from napari_medlabel.decoding.pool import Decode, shared_pool
from napari_medlabel.decoding.syntaxes import COMPRESSED, LOSSY, PERHAPS_LOSSY
from napari_medlabel.formats.dicom_header import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT
from napari_medlabel.formats.dicom_instance import InstanceFacts

__all__ = [
    "ALWAYS_LOSSY",
    "DECODERS",
    "NATIVE",
    "decode_frame",
    "decode_into",
    "is_lossy",
    "is_native",
]

NATIVE: Final = frozenset({IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN})
DECODERS: Final = dict.fromkeys(sorted(COMPRESSED), "imagecodecs")  # what has a decoder, and which
ALWAYS_LOSSY: Final = LOSSY


def is_native(facts: InstanceFacts) -> bool:
    """True where pixels are in the file as they are, not compressed one by one."""
    return facts.syntax in NATIVE


def is_lossy(facts: InstanceFacts) -> bool:
    """True where the pixels have been through a lossy compression.

    JPEG-LS is near-lossless in its syntax .81 only. JPEG 2000 and HTJ2K have syntaxes that may be
    either, which count as lossy where the header does not say that they never were.
    """
    if facts.lossy == "01" or facts.syntax in LOSSY:
        return True
    return facts.syntax in PERHAPS_LOSSY and facts.lossy != "00"


def decode_frame(data: bytes, facts: InstanceFacts) -> npt.NDArray[Any]:
    """Decompress one frame to its stored values, signed as the header says.

    `[row, column]`, or `[row, column, sample]` where there are several samples.

    Raises
    ------
    InputError
        If the bytes are damaged, are an image of another size, or end or stop their decoder.
    """
    frame = _frame_of(facts)
    out = np.empty(frame.shape, frame.pixel_type)
    (future,) = shared_pool().submit([lambda decode: _decode(decode, data, facts, out)])
    future.result()
    return out


def decode_into(
    decode: Decode, data: bytes, facts: InstanceFacts, out: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    """Decompress one frame on a thread of the pool.

    Parameters
    ----------
    decode
        Of the thread.
    data
        The compressed frame.
    facts
        Of its instance.
    out
        Of the frame's shape; its memory is taken where voxels are as wide as stored values.

    Returns
    -------
    ndarray
        Stored values, as `decode_frame` gives them.

    Raises
    ------
    InputError
        As `decode_frame`.
    """
    stored = np.dtype(_frame_of(facts).pixel_type)
    fits = stored.itemsize == out.itemsize and out.dtype.kind in "iu"
    values = out.view(stored) if fits else np.empty(out.shape, stored)
    _decode(decode, data, facts, values)
    return values


def _decode(decode: Decode, data: bytes, facts: InstanceFacts, out: npt.NDArray[Any]) -> None:
    decode(_frame_of(facts), data, out.reshape(-1).view(np.uint8).data)


def _frame_of(facts: InstanceFacts) -> Frame:
    rows, columns = facts.frame_shape
    bits = max(8, facts.bits_allocated)  # single bits are not packed in a codestream
    high = facts.high_bit
    samples = facts.samples
    return Frame(facts.syntax, rows, columns, bits, facts.bits_stored, high, facts.signed, samples)
