"""MetaImage: `.mha`, and pairs of `.mhd` and a file with the voxels.

Axes are counted from the fastest and placed in LPS, millimetres. It is read here and not with
ITK, whose reader takes the process down with it on a broken header: one more digit in `NDims` is
enough. Written as one file, slab by slab, with every number of the affine to its last bit, shear
included.
"""

import re
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import FloatArray, Geometry
from napari_medlabel.core.volume import FoundVolume, Grid, Instance, Series, Source, Window
from napari_medlabel.errors import GeometryError
from napari_medlabel.files import new_file
from napari_medlabel.formats.text_header import (
    TextHeader,
    broken,
    read_fields,
    series_of,
    voxel_file,
)
from napari_medlabel.formats.voxels import (
    SLAB_BYTES,
    check_fits,
    check_name,
    cut,
    file_dtype,
    in_one_line,
    slabs,
)

__all__ = ["MetaImageReader", "is_metaimage", "open_metaimage", "scan_metaimage", "write_metaimage"]

_LEVEL: Final = 4  # of deflate, as for NIfTI
_DIGITS: Final = 20  # room for a size that is known last
_HEADER_END: Final = re.compile(rb"(?m)^\s*ElementDataFile\s*=[^\n]*\n")
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
    data = voxel_file(path, fields)
    try:
        header = _header(path, fields, data)
    except (ValueError, OverflowError) as error:
        raise broken("metaimage") from error
    return series_of(header, number, uid)


def open_metaimage(found: FoundVolume) -> "MetaImageReader":
    """A volume that `scan_metaimage` found, ready to be read.

    Raises
    ------
    GeometryError
        If it cannot be read as one regular grid.
    """
    header, number = found.parts
    if found.geometry is None or header.stored is None:
        raise GeometryError("the file holds no volume of numbers", "see the problems of its scan")
    return MetaImageReader(header, number, found.geometry, found)


class MetaImageReader:
    """One volume of a MetaImage file as a `VolumeReader`.

    A compressed file is inflated on the first read and stays in memory until `close`; of any other
    only the slices asked for are read.
    """

    unit = "stored"

    def __init__(
        self, header: TextHeader, number: int, geometry: Geometry, found: FoundVolume
    ) -> None:
        space_code = 1 if header.has_orientation else 0
        self.source = Source("metaimage", geometry, geometry.canonical, space_code=space_code)
        self.modality = header.modality
        self.name = found.name
        self.problems = found.problems
        self.window: Window | None = None
        self._header = header
        self._data = header.data or header.path
        self._stored: np.dtype[Any] = np.dtype(header.stored)
        self.dtype: np.dtype[Any] = self._stored.newbyteorder("=")
        self._skipped = number * int(np.prod(geometry.shape)) * self._stored.itemsize
        self._inflated: npt.NDArray[Any] | None = None
        self._inflating = threading.Lock()

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Slices `start` to `stop` along the file's slowest axis, `[k, j, i]`, not to be changed.

        Raises
        ------
        InputError
            If the file is truncated, damaged or gone.
        """
        depth, rows, columns = self.source.geometry.shape
        start, stop = max(0, start), min(stop, depth)
        if self._header.packed:
            return self._whole()[start:stop].astype(self.dtype, copy=False)
        size = rows * columns
        offset = self._header.offset + self._skipped + start * size * self._stored.itemsize
        flat = cut(self._data, self._stored, max(0, stop - start) * size, offset)
        return flat.reshape(-1, rows, columns).astype(self.dtype, copy=False)

    def hashes(self) -> tuple[Instance, ...]:
        """No instances: MetaImage has none."""
        return ()

    def close(self) -> None:
        """Let go of inflated voxels."""
        self._inflated = None

    def _whole(self) -> npt.NDArray[Any]:
        with self._inflating:
            if self._inflated is None:
                array = np.empty(self.source.geometry.shape, self._stored)
                with in_one_line(), self._data.open("rb") as file:
                    file.seek(self._header.offset)
                    _fill(array.reshape(-1).view(np.uint8), _inflate(file), self._skipped)
                array.flags.writeable = False
                self._inflated = array
            return self._inflated


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


def _header(path: Path, fields: Mapping[str, str], data: Path | None) -> TextHeader:
    """The facts; ValueError where the header does not hold together."""
    axes = int(fields.get("ndims", ""))
    size = tuple(int(n) for n in fields.get("dimsize", "").split())
    if not 2 <= axes <= 5 or len(size) != axes or min(size) < 1:
        raise ValueError("axes and sizes do not fit together")
    stored = _DTYPES.get(fields.get("elementtype", "").upper())
    if _is_true(fields, "binarydatabyteordermsb") or _is_true(fields, "elementbyteordermsb"):
        stored = stored and stored.newbyteorder(">")
    if data is None or not _is_true(fields, "binarydata", default=True):
        stored = None  # several files, or numbers as text
    return TextHeader(
        path=path,
        format="metaimage",
        fields=fields,
        size_ijk=size,
        components=int(fields.get("elementnumberofchannels", "1")),
        stored=stored,
        lps_from_ijk=_matrix(fields, axes) if axes >= 3 else None,
        data=data,
        data_bytes=0 if data is None else data.stat().st_size,
        packed=_is_true(fields, "compresseddata"),
        offset=_first_voxel(path) if data == path else _skipped_bytes(fields),
    )


def _skipped_bytes(fields: Mapping[str, str]) -> int:
    size = int(fields.get("headersize", "0"))
    if size < 0:
        raise ValueError("where the voxels begin is left to be guessed")
    return size


def _is_true(fields: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    return fields.get(name, str(default))[:1].upper() in {"T", "1"}


def _first_voxel(path: Path) -> int:
    with in_one_line(), path.open("rb") as file:
        found = _HEADER_END.search(file.read(1 << 20))
    if found is None:
        raise ValueError("the header has no end")
    return found.end()


def _matrix(fields: Mapping[str, str], axes: int) -> FloatArray:
    identity = " ".join(str(number) for number in np.eye(axes).ravel())
    vectors = _floats(fields, axes * axes, identity, "transformmatrix", "rotation", "orientation")
    spacing = _floats(fields, axes, "1 " * axes, "elementspacing", "elementsize")
    matrix = np.eye(4)
    matrix[:3, :3] = vectors.reshape(axes, axes)[:3, :3].T * spacing[:3]
    matrix[:3, 3] = _floats(fields, axes, "0 " * axes, "offset", "position", "origin")[:3]
    return matrix


def _floats(fields: Mapping[str, str], count: int, default: str, *names: str) -> FloatArray:
    words = next((fields[name] for name in names if name in fields), default)
    numbers = np.array([float(word) for word in words.split()])
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        raise ValueError(f"{names[0]} is not {count} numbers")
    return numbers


def _inflate(file: IO[bytes]) -> Iterator[bytes]:
    """What a zlib stream holds, never more than a slab at a time."""
    packed = zlib.decompressobj()
    while not packed.eof:
        given = packed.unconsumed_tail or file.read(SLAB_BYTES)
        part = packed.decompress(given, SLAB_BYTES)
        if not part and not given:
            raise EOFError
        yield part


def _fill(target: npt.NDArray[np.uint8], parts: Iterator[bytes], skipped: int) -> None:
    """Fill with what comes after so many bytes, and go on to the checksum if that is near."""
    position = -skipped
    for part in parts:
        low, high = max(0, -position), min(len(part), target.size - position)
        if low < high:
            piece = np.frombuffer(part, np.uint8, high - low, low)
            target[position + low : position + high] = piece
        position += len(part)
        if position >= target.size:
            break
    else:
        raise EOFError
    next(parts, b"")


def _words(numbers: Iterable[float]) -> str:
    return " ".join(f"{number:.17g}" for number in numbers)  # 17 digits hold a float64
