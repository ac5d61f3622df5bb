"""A NIfTI file with some of its voxels replaced, and every other byte as it was.

Header, extensions, scaling, type and byte order stay: a reader of the copy sees what a reader of
the source sees. A pair of `.hdr` and `.img` becomes one file.
"""

import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.volume import FoundVolume
from napari_medlabel.errors import InputError
from napari_medlabel.formats.nifti_header import NiftiHeader
from napari_medlabel.formats.packed import opened_stretch

__all__ = ["can_patch", "first_of", "write_patched"]

_PIECE: Final = 1 << 22
_THREADS: Final = 2
_LEVEL: Final = 4
_PAIR: Final = {b"ni1\0": b"n+1\0", b"ni2\0": b"n+2\0"}
_SIZES: Final = (348, 540)


def can_patch(found: FoundVolume, path: Path) -> bool:
    """Whether `write_patched` writes this volume by this name: a whole NIfTI file as another."""
    name = path.name.casefold()
    return (
        len(found.parts) == 3
        and isinstance(found.parts[0], NiftiHeader)
        and found.parts[0].volumes == 1
        and found.parts[0].stored is not None
        and name.endswith((".nii", ".nii.gz"))
    )


def first_of(found: FoundVolume) -> bytes:
    """What lies before the first voxel of a NIfTI file: header, extensions; of a pair, as one file.

    Raises
    ------
    InputError
        If it cannot be read again.
    """
    return _start(found.parts[0])


def write_patched(
    found: FoundVolume, hidden: Path, values: npt.NDArray[Any], where: BoolArray | None,
    start: bytes | None = None,
) -> None:  # fmt: skip
    """Write the file of a volume with other voxels at some places.

    Parameters
    ----------
    found
        A volume for which `can_patch` said yes.
    hidden
        An empty file; its name says whether it is compressed.
    values
        `[k, j, i]`, in the volume's unit; only those at `where` are looked at.
    where
        bool, the same shape; None replaces nothing.
    start
        What comes before the first voxel; as it was (`first_of`), where it is not given.

    Raises
    ------
    InputError
        If the source cannot be read to its end.
    """
    header: NiftiHeader = found.parts[0]
    assert header.stored is not None  # noqa: S101  # can_patch has looked
    start = _start(header) if start is None else start
    stored = _stored(header)
    if where is not None:
        part = values[where].astype(np.float64)
        part = (part - header.inter) / header.slope
        stored.reshape(where.shape)[where] = _as(header.stored, part)
    pieces = (start, stored.reshape(-1).view(np.uint8).data)
    with hidden.open("wb") as file:
        if hidden.name.casefold().endswith(".gz"):
            _write_gzip(file, pieces)
        else:
            for piece in pieces:
                file.write(piece)


def _start(header: NiftiHeader) -> bytes:
    """What lies before the first voxel; of a pair, its header as that of one file."""
    inflated = 31 if header.compressed else 0
    if header.offset >= _SIZES[0] and header.data.suffix.casefold() != ".img":
        return _first(header.data, header.offset, inflated)
    path = next(
        (
            one for suffix in (".hdr", ".HDR", ".hdr.gz")
            if (one := header.data.with_name(header.data.name.split(".img")[0] + suffix)).is_file()
        ),
        None,
    )  # fmt: skip
    if path is None:
        raise InputError("the header of the pair is not there", "look for its .hdr")
    whole = bytearray(_first(path, _SIZES[1], 31 if path.suffix == ".gz" else 0))
    order = "<" if struct.unpack("<i", whole[:4])[0] in _SIZES else ">"
    (size,) = struct.unpack(order + "i", whole[:4])
    head = whole[:size]
    if size == _SIZES[0]:
        head[344:348] = _PAIR.get(bytes(head[344:348]), bytes(head[344:348]))
        head[108:112] = struct.pack(order + "f", size + 4)
    else:
        head[4:8] = _PAIR.get(bytes(head[4:8]), bytes(head[4:8]))
        head[168:176] = struct.pack(order + "q", size + 4)
    return bytes(head) + bytes(4)


def _first(path: Path, count: int, inflated: int) -> bytes:
    try:
        with path.open("rb") as file:
            if not inflated:
                return file.read(count)
            decoder = zlib.decompressobj(inflated)
            found = b""
            while len(found) < count and (piece := file.read(1 << 16)):
                found += decoder.decompress(piece)
            return found[:count]
    except (OSError, zlib.error) as error:
        raise InputError("the header cannot be read again", "look whether the file is there") from (
            error
        )


def _stored(header: NiftiHeader) -> npt.NDArray[Any]:
    assert header.stored is not None  # noqa: S101
    count = header.voxels * header.stored.itemsize
    offset = header.offset
    if header.compressed:
        stretch = opened_stretch(header.data, "gzip", 0, offset + count, header.stored)
        data = stretch.read(offset, count)
    else:
        stretch = opened_stretch(header.data, "raw", offset, count, header.stored)
        data = stretch.read(0, count)
    return np.frombuffer(data, header.stored).copy() if not _writeable(data) else (
        np.frombuffer(data, header.stored)
    )  # fmt: skip


def _writeable(data: object) -> bool:
    return isinstance(data, bytearray)


def _as(stored: np.dtype[Any], values: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
    if stored.kind in "iu":
        limits = np.iinfo(stored)
        values = np.clip(np.rint(values), limits.min, limits.max)
    return values.astype(stored)


def _write_gzip(file: IO[bytes], pieces: tuple[Any, ...]) -> None:
    """One gzip member, deflated piece by piece on two threads; the same bytes each time.

    RFC 1952; pieces end on a byte (Z_FULL_FLUSH), so that they join to one stream.
    """
    file.write(b"\x1f\x8b\x08\0\0\0\0\0\0\xff")  # no name, no time
    check, size = 0, 0
    with ThreadPoolExecutor(_THREADS) as threads:
        waiting = []
        for piece in _cut(pieces):
            check, size = zlib.crc32(piece, check), size + len(piece)
            waiting.append(threads.submit(_deflated, piece))
            if len(waiting) > 2 * _THREADS:
                file.write(waiting.pop(0).result())
        for one in waiting:
            file.write(one.result())
    file.write(zlib.compressobj(_LEVEL, wbits=-15).flush(zlib.Z_FINISH))
    file.write(struct.pack("<II", check, size & 0xFFFFFFFF))


def _cut(pieces: tuple[Any, ...]) -> Iterator[memoryview]:
    for piece in pieces:
        view = memoryview(piece).cast("B")
        for start in range(0, len(view), _PIECE):
            yield view[start : start + _PIECE]


def _deflated(piece: memoryview) -> bytes:
    deflate = zlib.compressobj(_LEVEL, wbits=-15)
    return deflate.compress(piece) + deflate.flush(zlib.Z_FULL_FLUSH)
