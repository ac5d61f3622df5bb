"""Stored values as pictures of 8 bits, for the reader of text: the same things stand out in them.

Text is often the brightest or darkest there is, and a few hot voxels must not make all else black:
the range is that of all but some values at either end.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.formats.dicom_pictures import Picture

__all__ = ["luma", "shown", "spread"]

Array = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]

_CUT: Final = 0.5  # percent at either end
_CHROMA: Final = ((0.0, 1.402), (-0.344136, -0.714136), (1.772, 0.0))  # PS3.3 C.7.6.3.1.2
_LUMA: Final = np.array((0.299, 0.587, 0.114), np.float32)


def shown(picture: Picture, stored: Array) -> Bytes:
    """A frame as it is looked at: uint8, `[row, column]`, or in red, green and blue.

    Parameters
    ----------
    picture
        Whose frame it is.
    stored
        What `PictureReader.read` gives.
    """
    if picture.space == "palette" and picture.palette is not None:
        colors, first = picture.palette
        index = np.clip(stored.astype(np.int64) - first, 0, len(colors) - 1)
        view: Bytes = colors[index]
        return view
    if picture.space in {"rgb", "ybr"}:
        eight = _eight_bits(stored, picture.facts.bits_stored)
        return eight if picture.space == "rgb" else _red_green_blue(eight)
    grey = spread(stored)
    return 255 - grey if picture.facts.photometric == "MONOCHROME1" else grey


def spread(values: Array, *, cut: float = _CUT) -> Bytes:
    """Any values as bytes, from the darkest to the brightest but for `cut` percent at each end.

    A picture of few different values keeps them all.
    """
    plain = np.nan_to_num(np.asarray(values, np.float32), posinf=0.0, neginf=0.0)
    low, high = (float(x) for x in np.percentile(plain, (cut, 100.0 - cut)))
    least, most = float(plain.min()), float(plain.max())
    if high - low < 0.02 * (most - least):  # nearly all of one value: what differs is what matters
        low, high = least, most
    if high <= low:
        return np.zeros(plain.shape, np.uint8)
    grey: Bytes = (np.clip((plain - low) / (high - low), 0.0, 1.0) * 255.0).astype(np.uint8)
    return grey


def luma(view: Bytes) -> Bytes:
    """The brightness of a picture in colour; a grey one as it is."""
    return view if view.ndim == 2 else (view.astype(np.float32) @ _LUMA).astype(np.uint8)


def _eight_bits(stored: Array, bits: int) -> Bytes:
    if bits <= 8:
        return (stored << (8 - bits)).astype(np.uint8)
    return (stored >> (bits - 8)).astype(np.uint8)


def _red_green_blue(ybr: Bytes) -> Bytes:
    wide = ybr.astype(np.float32)
    blue, red = wide[..., 1] - 128.0, wide[..., 2] - 128.0
    planes = [wide[..., 0] + b * blue + r * red for b, r in _CHROMA]
    colored: Bytes = np.clip(np.stack(planes, axis=-1), 0.0, 255.0).astype(np.uint8)
    return colored
