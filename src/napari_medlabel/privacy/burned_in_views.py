"""Stored values as pictures of 8 bits, for the reader of text.

Text is often the brightest or darkest there is, so that the whole range is shown. Where that is
far wider than tissue, text on tissue is faint: a second picture shows each value beside its
surroundings.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter

from napari_medlabel.formats.dicom_pictures import Picture

__all__ = ["looks", "luma", "shown", "spread"]

Array = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]

_NEAR: Final = 25  # pixels across: more than a letter's stroke, less than an organ
_FAR: Final = 61
_LEAST_NOISE: Final = 0.02  # of the range: where all is even, nothing is blown up
_SHOWN_SIGMAS: Final = (-2.0, 4.0)
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


def spread(values: Array) -> Bytes:
    """Any values as bytes, from the least to the greatest."""
    plain = _finite(values)
    low, high = float(plain.min(initial=np.inf)), float(plain.max(initial=-np.inf))
    if not high > low:
        return np.zeros(plain.shape, np.uint8)
    grey: Bytes = ((plain - low) * (255.0 / (high - low))).astype(np.uint8)
    return grey


def _locally(values: Array) -> Bytes:
    """Each value against those around it: text stands out where tissue is bright, and in air.

    A range that is wide elsewhere, of padding or metal, does not count here.
    """
    plain = _finite(values)
    reach = float(np.ptp(plain)) if plain.size else 0.0
    if not reach > 0.0:
        return np.zeros(plain.shape, np.uint8)
    differs = plain - uniform_filter(plain, _NEAR)
    noise = np.sqrt(np.maximum(uniform_filter(np.square(differs), _FAR), 0.0))
    scaled = differs / (noise + _LEAST_NOISE * reach)
    low, high = _SHOWN_SIGMAS
    grey: Bytes = (np.clip((scaled - low) / (high - low), 0.0, 1.0) * 255.0).astype(np.uint8)
    return grey


def _finite(values: Array) -> Array:
    return np.nan_to_num(np.asarray(values, np.float32), posinf=0.0, neginf=0.0)


def looks(view: Bytes, values: Array) -> tuple[Bytes, Bytes]:
    """The two pictures that the reader is given of one: as it is seen, and each value locally.

    Parameters
    ----------
    view
        What `shown` gives.
    values
        Of any type, `[row, column]`.
    """
    return view, _locally(values)


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
