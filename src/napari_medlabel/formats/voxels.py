"""Voxels to and from plain files: what the formats share.

What is wrong with a file is said without its name: many are called after a patient. Whoever was
given the name by a person may add it.
"""

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.volume import Grid
from napari_medlabel.errors import GeometryError, InputError, OutputError
from napari_medlabel.files import shown

__all__ = [
    "GZIP",
    "MOST_INFLATED",
    "SLAB_BYTES",
    "check_fits",
    "check_name",
    "damaged",
    "file_dtype",
    "file_uid",
    "first_bytes",
    "in_one_line",
    "slabs",
]

GZIP: Final = b"\x1f\x8b"
MOST_INFLATED: Final = 1040  # deflate makes at most 1032 bytes of one
SLAB_BYTES: Final = 16 << 20
_GZIP_STARTS: Final = 1 << 16


def first_bytes(path: Path, count: int) -> bytes:
    """The first bytes of a file, inflated where it is gzip-ed; fewer where it is short.

    Raises
    ------
    InputError
        If the file cannot be opened, or what is gzip-ed is damaged.
    """
    with in_one_line(), path.open("rb") as file:
        start = file.read(count)
        if not start.startswith(GZIP):
            return start
        # not with gzip, which reads the name in a stream's header byte by byte, however long
        return zlib.decompressobj(31).decompress(start + file.read(_GZIP_STARTS), count)


@contextmanager
def in_one_line(who: str = "the file") -> Iterator[None]:
    """Every failure to read the file as one line for a person."""
    try:
        yield
    except (EOFError, ValueError, OverflowError, zlib.error, gzip.BadGzipFile) as error:
        raise damaged(who) from error
    except MemoryError as error:
        what = f"{who} needs more memory than there is"
        raise InputError(what, "close other programs, or cut the volume") from error
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        what = f"{who} cannot be read: {reason}"
        raise InputError(what, "check its name and permissions") from error


def damaged(who: str = "the file") -> InputError:
    """The error for a file that ends early or does not inflate."""
    return InputError(f"{who} is truncated or damaged", "copy it again from its origin")


def file_uid(name: str) -> str:
    """What a series that is a file is known by: the same for the same name, and does not tell it.

    Parameters
    ----------
    name
        Its path below what was scanned, with "/".
    """
    return f"file:{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}"


def check_fits(array: Grid, geometry: Geometry) -> None:
    """Pass where the array has the shape of the geometry.

    Raises
    ------
    GeometryError
        If it has not.
    """
    if tuple(array.shape) != geometry.shape:
        raise GeometryError(
            f"an array of {tuple(array.shape)} voxels does not fit a grid of {geometry.shape}"
        )


def check_name(path: str | Path, *endings: str) -> None:
    """Pass where the name ends in one of these.

    Raises
    ------
    OutputError
        If it does not.
    """
    if not Path(path).name.lower().endswith(endings):
        words = " or ".join(endings)
        raise OutputError(f"{shown(path)} does not end in {words}", f"end it in {words}")


def file_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type in which a file holds voxels of this type: exact, little-endian.

    Raises
    ------
    InputError
        If voxels of this type cannot be written exactly.
    """
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    if dtype.kind == "f" and dtype.itemsize == 2:
        return np.dtype("<f4")
    if dtype.kind in "iu" or (dtype.kind == "f" and dtype.itemsize <= 8):
        return dtype.newbyteorder("<")
    raise InputError(f"voxels of type {dtype} cannot be written", "convert them first")


def slabs(array: Grid, dtype: np.dtype[Any]) -> Iterator[npt.NDArray[Any]]:
    """The array a few slices at a time, in C order and of this type."""
    depth, rows, columns = array.shape
    step = max(1, SLAB_BYTES // (rows * columns * dtype.itemsize))
    for start in range(0, depth, step):
        yield np.ascontiguousarray(array[start : min(start + step, depth)], dtype)
