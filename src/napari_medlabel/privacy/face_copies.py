"""DICOM copies of a series with voxels replaced: everything else of the header stays.

Uncompressed little-endian pixel data is changed in place, with all bits that nobody asked for. What
was compressed, deflated or big-endian is written as it is decoded: explicit VR, little endian.
Files are named by number, since the names of the sources may name the patient.
"""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydicom import dcmread
from pydicom.dataset import Dataset

from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.volume import Grid
from napari_medlabel.errors import InputError
from napari_medlabel.formats.dicom_files import Opener, Place
from napari_medlabel.formats.dicom_header import EXPLICIT, IMPLICIT
from napari_medlabel.formats.dicom_instance import InstanceFacts
from napari_medlabel.formats.dicom_odd import Bounded
from napari_medlabel.formats.dicom_pixels import decode_frame, is_lossy, is_native
from napari_medlabel.formats.dicom_stored import UNREADABLE, StoredFrames
from napari_medlabel.privacy.dicom_copy import save_copy

__all__ = ["check_copyable", "write_copies"]

Array = npt.NDArray[Any]
_TABLES: Final = (0x7FE00001, 0x7FE00002, 0x7FE00003)  # of compressed frames


def check_copyable(parts: Iterable[InstanceFacts]) -> None:
    """Pass where `write_copies` can write these slices.

    Raises
    ------
    InputError
        If slices are tiles of a picture, of single bits, or have several samples.
    """
    for facts in parts:
        if facts.tile is not None or facts.is_mosaic:
            raise InputError("its slices are tiles of one picture", "name a .nii.gz to write")
        if facts.samples != 1 or facts.bits_allocated not in {8, 16, 32}:
            raise InputError("its pixels are not plain numbers", "name a .nii.gz to write")
        if facts.pixels is None:
            raise InputError("a slice has no pixels", "medlabel scan shows what there is")


def write_copies(  # noqa: PLR0913  # what is written, and where
    parts: tuple[InstanceFacts, ...], folder: Path, values: Grid, where: BoolArray | None, *,
    faceless: bool = False, check: Callable[[], None] = lambda: None,
) -> int:  # fmt: skip
    """Write a copy of each file of a volume.

    Parameters
    ----------
    parts
        Its slices, in order of k.
    folder
        A new, empty one.
    values
        `[k, j, i]`, stored x slope + intercept; only those at `where` are looked at.
    where
        bool, the same shape: which pixels to replace; None for none.
    faceless
        Whether RecognizableVisualFeatures is to say that there are none.
    check
        Called before each file; may raise.

    Returns
    -------
    int
        How many files were written.
    """
    files: dict[Place, list[int]] = {}
    for k, facts in enumerate(parts):
        files.setdefault(facts.place, []).append(k)
    digits = max(4, len(str(len(files))))
    with Opener() as opener:
        for number, (place, slices) in enumerate(files.items(), 1):
            check()
            own = {
                k: (values[k], where[k])
                for k in slices
                if where is not None and bool(where[k].any())
            }
            target = folder / f"{number:0{digits}}.dcm"
            _copy(opener, place, {parts[k]: one for k, one in own.items()}, parts[slices[0]],
                  target, faceless=faceless)  # fmt: skip
    return len(files)


def _copy(  # noqa: PLR0913  # what is written, and where
    opener: Opener, place: Place, changes: dict[InstanceFacts, tuple[Array, Array]],
    first: InstanceFacts, target: Path, *, faceless: bool,
) -> None:  # fmt: skip
    try:
        file, size = opener.open(place)
        with file:
            data = file.read()
    except UNREADABLE as error:
        raise InputError("a file of the series cannot be read to its end") from error
    if not changes and not faceless:
        target.write_bytes(data)
        return
    dataset = _dataset(data, size)
    if changes:
        _replace(dataset, changes, first)
    if faceless:
        dataset.RecognizableVisualFeatures = "NO"
    save_copy(dataset, target, implicit=first.syntax == IMPLICIT)


def _dataset(data: bytes, size: int) -> Dataset:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            bounded: Any = Bounded(BytesIO(data), size)
            return dcmread(bounded, force=True)
    except Exception as error:  # pydicom fails in many ways on a damaged file
        raise InputError("a header of the series cannot be read as a whole") from error


def _replace(
    dataset: Dataset, changes: dict[InstanceFacts, tuple[Array, Array]], first: InstanceFacts
) -> None:
    unsigned = np.dtype(f"<u{first.bits_allocated // 8}")
    shape = (max(first.frames, 1), first.rows, first.columns)
    if first.syntax in {IMPLICIT, EXPLICIT}:
        pixels = bytearray(dataset.PixelData)
        frames = np.frombuffer(pixels, unsigned, int(np.prod(shape))).reshape(shape)
    else:
        frames = _decoded(first, shape, unsigned)
        pixels = bytearray()
        for tag in _TABLES:
            if tag in dataset:
                del dataset[tag]
        if is_lossy(first):
            dataset.LossyImageCompression = "01"
    for facts, (values, where) in changes.items():
        frames[facts.frame][where] = _stored(values[where], facts, unsigned)
    data = bytes(pixels) or frames.tobytes()
    dataset.PixelData = data + bytes(len(data) % 2)


def _decoded(first: InstanceFacts, shape: tuple[int, int, int], unsigned: np.dtype[Any]) -> Array:
    """All frames of a file as stored values."""
    frames = np.empty(shape, unsigned)
    source = StoredFrames()
    try:
        for n in range(shape[0]):
            facts = replace(first, frame=n)
            if is_native(facts):
                raw = np.empty(shape[1:], unsigned.newbyteorder("=" if facts.little else ">"))
                source.read_native(facts, raw.data.cast("B"))
                frames[n] = raw
            else:
                stored = decode_frame(source.read_compressed(facts), facts)
                frames[n] = stored.astype(unsigned, casting="unsafe")
    except UNREADABLE as error:
        raise InputError("a file of the series cannot be read to its end") from error
    finally:
        source.close()
    return frames


def _stored(values: Array, facts: InstanceFacts, unsigned: np.dtype[Any]) -> Array:
    """Stored bits of rescaled values; those outside the range become its end."""
    slope = facts.slope or 1.0
    exact = np.rint((values.astype(np.float64) - (facts.intercept or 0.0)) / slope)
    bits = facts.bits_stored or facts.bits_allocated
    low, high = (
        (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if facts.signed else (0, (1 << bits) - 1)
    )
    whole = np.clip(exact, low, high).astype(np.int64)
    shift = max(facts.high_bit + 1 - bits, 0) if facts.high_bit else 0
    if shift:
        whole = (whole & ((1 << bits) - 1)) << shift
    return (whole & ((1 << facts.bits_allocated) - 1)).astype(unsigned)
