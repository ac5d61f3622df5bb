"""MetaImage: `.mha`, and pairs of `.mhd` and a file with the voxels.

Axes are counted from the fastest and placed in LPS, millimetres. It is read here and not with
ITK, whose reader takes the process down with it on a broken header: one more digit in `NDims` is
enough. Written as one file, slab by slab, with every number of the affine to its last bit, shear
included.
"""

import math
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import FloatArray, Geometry
from napari_medlabel.core.volume import Grid, Series
from napari_medlabel.files import new_file
from napari_medlabel.formats.packed import Encoding
from napari_medlabel.formats.text_fields import (
    MOST_ALONG,
    TextFields,
    broken,
    read_fields,
    voxel_files,
)
from napari_medlabel.formats.text_header import TextHeader, series_of
from napari_medlabel.formats.text_reader import voxels_of
from napari_medlabel.formats.voxels import check_fits, check_name, file_dtype, slabs

__all__ = ["is_metaimage", "scan_metaimage", "write_metaimage"]

_LEVEL: Final = 4  # of deflate, as for NIfTI
_DIGITS: Final = 20  # room for a size that is known last
_META_TYPES: Final = {
    "u1": "MET_UCHAR", "i1": "MET_CHAR", "u2": "MET_USHORT", "i2": "MET_SHORT", "u4": "MET_UINT",
    "i4": "MET_INT", "u8": "MET_ULONG_LONG", "i8": "MET_LONG_LONG", "f4": "MET_FLOAT",
    "f8": "MET_DOUBLE",
}  # fmt: skip
_DTYPES: Final = {name: np.dtype(code) for code, name in _META_TYPES.items()} | {
    "MET_LONG": np.dtype("i4"), "MET_ULONG": np.dtype("u4"),  # four bytes on every machine
}  # fmt: skip


def is_metaimage(start: bytes) -> bool:
    """True where a file begins as MetaImage does: `NDims = 3` among its first lines."""
    lines = start[:1024].split(b"ElementDataFile")[0]
    return re.search(rb"(?m)^\s*NDims\s*=\s*\d", lines) is not None and b"\0" not in lines


def scan_metaimage(path: Path, *, number: int = 1, uid: str = "") -> Series:
    """The series in a MetaImage file, from its header alone.

    Parameters
    ----------
    path
        The file, or the header file of a pair.
    number, uid
        What the series is called by.

    Raises
    ------
    InputError
        If the file cannot be opened, or its header is broken.
    """
    fields = read_fields(path, "=")
    files = voxel_files(path, fields)
    try:
        header = _header(path, fields, files)
    except (ValueError, OverflowError) as error:
        raise broken("MetaImage") from error
    return series_of(header, voxels_of(header), number, uid)


def write_metaimage(
    array: Grid, geometry: Geometry, path: str | Path, *, force: bool = False
) -> None:
    """Write voxels as MetaImage, whole or not at all; the same voxels give the same bytes.

    Parameters
    ----------
    array
        `[k, j, i]` on `geometry`; bool, integers or floats. Read slab by slab.
    geometry
        Where the voxels are; kept to the last bit.
    path
        A new `.mha`.
    force
        Whether an existing file may be replaced.

    Raises
    ------
    OutputError
        If the file is there already or cannot be written.
    InputError
        If the voxels are of a type that cannot be written exactly.
    GeometryError
        If the array does not have the shape of the geometry.
    """
    check_fits(array, geometry)
    check_name(path, ".mha")
    dtype = file_dtype(array.dtype)
    columns = geometry.direction[:, ::-1].T
    lines = [
        "ObjectType = Image",
        "NDims = 3",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        "CompressedData = True",
        f"CompressedDataSize = {0:0{_DIGITS}d}",
        f"TransformMatrix = {_words(columns.ravel())}",
        f"Offset = {_words(geometry.origin_lps)}",
        "CenterOfRotation = 0 0 0",
        f"ElementSpacing = {_words(geometry.spacing_mm[::-1])}",
        f"DimSize = {_words(geometry.shape[::-1])}",
        f"ElementType = {_META_TYPES[dtype.str[1:]]}",
        "ElementDataFile = LOCAL",
    ]
    header = "\n".join([*lines, ""])
    with new_file(path, force=force) as hidden, hidden.open("wb") as file:
        file.write(header.encode("ascii"))
        size = _deflate(file, slabs(array, dtype))
        file.seek(header.index("CompressedDataSize = ") + len("CompressedDataSize = "))
        file.write(f"{size:{_DIGITS}d}".encode("ascii"))


def _deflate(file: IO[bytes], parts: Iterable[npt.NDArray[Any]]) -> int:
    packer = zlib.compressobj(_LEVEL)
    size = sum(file.write(packer.compress(part.data.cast("B"))) for part in parts)
    return size + file.write(packer.flush())


def _header(path: Path, fields: TextFields, files: tuple[Path, ...]) -> TextHeader:
    """The facts; ValueError where the header does not hold together."""
    values = fields.values
    axes = int(values.get("ndims", ""))
    size = [int(n) for n in values.get("dimsize", "").split()]
    channels = int(values.get("elementnumberofchannels", "1"))
    if not 2 <= axes <= 10 or len(size) != axes or min(size) < 1 or channels < 1:
        raise ValueError("axes and sizes do not fit together")
    if max(*size, channels) > MOST_ALONG:
        raise ValueError("an axis is longer than any file can hold")
    stored = _DTYPES.get(values.get("elementtype", "").upper())
    if _is_true(values, "binarydatabyteordermsb") or _is_true(values, "elementbyteordermsb"):
        stored = stored and stored.newbyteorder(">")
    encoding: Encoding = "zlib" if _is_true(values, "compresseddata") else "raw"
    if not _is_true(values, "binarydata", default=True):
        encoding, stored = "text", stored and stored.newbyteorder("=")
    i, j, k, *rest = (*size, 1)
    header = TextHeader(
        path=path,
        format="metaimage",
        fields=values,
        axes=axes,
        size_ijk=(i, j, k),
        inner=1,
        outer=math.prod(rest),
        components=channels,
        several="several-values",
        stored=stored,
        lps_from_ijk=_matrix(values, axes) if axes >= 3 else None,
        files=files,
        data_bytes=sum(file.stat().st_size for file in files),
        encoding=encoding,
    )
    return replace(header, offset=_offset(header, fields))


def _offset(header: TextHeader, fields: TextFields) -> int:
    """Bytes of each file before the voxels."""
    if header.files == (header.path,):
        if fields.end < 0:
            raise ValueError("the header has no end")
        return fields.end
    size = int(fields.values.get("headersize", "0"))
    if size == -1 and header.encoding == "raw":  # the voxels are the end of the file
        return max(0, header.data_bytes - header.bytes) // len(header.files)
    if size < 0:
        raise ValueError("where the voxels begin is left to be guessed")
    return size


def _is_true(values: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    return values.get(name, str(default))[:1].upper() in {"T", "1"}


def _matrix(values: Mapping[str, str], axes: int) -> FloatArray:
    identity = " ".join(str(number) for number in np.eye(axes).ravel())
    vectors = _floats(values, axes * axes, identity, "transformmatrix", "rotation", "orientation")
    spacing = _floats(values, axes, "1 " * axes, "elementspacing", "elementsize")
    matrix = np.eye(4)
    with np.errstate(over="ignore"):  # what is not finite then is no place
        matrix[:3, :3] = vectors.reshape(axes, axes)[:3, :3].T * spacing[:3]
    matrix[:3, 3] = _floats(values, axes, "0 " * axes, "offset", "position", "origin")[:3]
    return matrix


def _floats(values: Mapping[str, str], count: int, default: str, *names: str) -> FloatArray:
    words = next((values[name] for name in names if name in values), default)
    numbers = np.array([float(word) for word in words.split()])
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        raise ValueError(f"{names[0]} is not {count} numbers")
    return numbers


def _words(numbers: Iterable[float]) -> str:
    return " ".join(f"{number:.17g}" for number in numbers)  # 17 digits hold a float64
