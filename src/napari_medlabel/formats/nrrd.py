"""NRRD: `.nrrd`, and pairs of `.nhdr` and one or more files with the voxels.

Written as one file and slab by slab, so that a full disk is noticed: in LPS, with every number of
the affine to its last bit, shear included.
"""

import gzip
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.volume import Grid, Series
from napari_medlabel.files import new_file
from napari_medlabel.formats.nrrd_header import read_nrrd_header
from napari_medlabel.formats.text_header import series_of
from napari_medlabel.formats.text_reader import voxels_of
from napari_medlabel.formats.voxels import check_fits, check_name, file_dtype, slabs

__all__ = ["is_nrrd", "scan_nrrd", "write_nrrd"]

_LEVEL: Final = 4  # of deflate, as for NIfTI
_NRRD_TYPES: Final = {
    "u1": "uint8", "i1": "int8", "u2": "uint16", "i2": "int16", "u4": "uint32", "i4": "int32",
    "u8": "uint64", "i8": "int64", "f4": "float", "f8": "double",
}  # fmt: skip


def is_nrrd(start: bytes) -> bool:
    """True where a file begins as NRRD does."""
    return re.match(rb"NRRD000\d", start) is not None


def scan_nrrd(path: Path, *, number: int = 1, uid: str = "") -> Series:
    """The series in an NRRD file, from its header alone.

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
    header = read_nrrd_header(path)
    return series_of(header, voxels_of(header), number, uid)


def write_nrrd(array: Grid, geometry: Geometry, path: str | Path, *, force: bool = False) -> None:
    """Write voxels as NRRD, whole or not at all; the same voxels give the same bytes.

    Parameters
    ----------
    array
        `[k, j, i]` on `geometry`; bool, integers or floats. Read slab by slab.
    geometry
        Where the voxels are; kept to the last bit.
    path
        A new `.nrrd`.
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
    check_name(path, ".nrrd")
    dtype = file_dtype(array.dtype)
    columns = geometry.lps_from_kji[:3, [2, 1, 0]].T
    lines = [
        "NRRD0004",
        f"type: {_NRRD_TYPES[dtype.str[1:]]}",
        "dimension: 3",
        "space: left-posterior-superior",
        f"sizes: {_words(geometry.shape[::-1])}",
        f"space directions: {' '.join(_vector(column) for column in columns)}",
        "kinds: domain domain domain",
        "endian: little",
        "encoding: gzip",
        'space units: "mm" "mm" "mm"',
        f"space origin: {_vector(geometry.origin_lps)}",
    ]
    with new_file(path, force=force) as hidden, hidden.open("wb") as raw:
        raw.write("\n".join([*lines, "", ""]).encode("ascii"))
        with gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as packed:
            for slab in slabs(array, dtype):
                packed.write(slab.data.cast("B"))


def _words(numbers: Iterable[float]) -> str:
    return " ".join(f"{number:.17g}" for number in numbers)  # 17 digits hold a float64


def _vector(numbers: Iterable[float]) -> str:
    return f"({','.join(f'{number:.17g}' for number in numbers)})"
