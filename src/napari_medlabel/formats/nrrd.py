"""NRRD (`.nrrd`, `.nhdr`) and MetaImage (`.mha`, `.mhd`).

Both count axes from the fastest and place voxels in LPS, millimetres; SimpleITK reads them. They
are written here, since ITK says nothing of a disk that is full: as one file, slab by slab, with
every number of the affine to its last bit, shear included.
"""

import gzip
import threading
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.volume import FoundVolume, Grid, Instance, Series, Source, Window
from napari_medlabel.errors import GeometryError, OutputError
from napari_medlabel.files import new_file, shown
from napari_medlabel.formats.nrrd_header import ItkFormat, ItkHeader, itk_reader, read_header, sitk
from napari_medlabel.formats.voxels import check_fits, damaged, file_dtype, slabs

__all__ = ["ItkReader", "open_itk", "scan_itk", "write_metaimage", "write_nrrd"]

_LEVEL: Final = 4  # of deflate, as for NIfTI
_DIGITS: Final = 20  # room for a size that is known last
_NRRD_TYPES: Final = {
    "u1": "uint8", "i1": "int8", "u2": "uint16", "i2": "int16", "u4": "uint32", "i4": "int32",
    "u8": "uint64", "i8": "int64", "f4": "float", "f8": "double",
}  # fmt: skip
_META_TYPES: Final = {
    "u1": "MET_UCHAR", "i1": "MET_CHAR", "u2": "MET_USHORT", "i2": "MET_SHORT", "u4": "MET_UINT",
    "i4": "MET_INT", "u8": "MET_ULONG_LONG", "i8": "MET_LONG_LONG", "f4": "MET_FLOAT",
    "f8": "MET_DOUBLE",
}  # fmt: skip


def scan_itk(path: Path, kind: ItkFormat, *, number: int = 1, uid: str = "") -> Series:
    """The series in an NRRD or MetaImage file, from its header alone.

    Parameters
    ----------
    path
        The file, or the header file of a pair.
    kind
        "nrrd" or "metaimage".
    number, uid
        What the series is called by.

    Raises
    ------
    InputError
        If the file cannot be opened, or its header is broken.
    """
    header = read_header(path, kind)
    problems = header.problems()
    count = 1 if any(p.blocking for p in problems) else header.volumes
    names = [f"volume {n} of {count}" if count > 1 else "" for n in range(1, count + 1)]
    geometry = header.geometry()
    return Series(
        number=number,
        uid=uid or path.name,
        format=kind,
        modality=header.modality,
        kind="segmentation" if header.is_segmentation else "image",
        volumes=tuple(
            FoundVolume(name, geometry, problems, parts=(header, n)) for n, name in enumerate(names)
        ),
        files=1 if header.data == path else 2,
        description=path.name,
    )


def open_itk(found: FoundVolume) -> "ItkReader":
    """A volume that `scan_itk` found, ready to be read.

    Raises
    ------
    GeometryError
        If it cannot be read as one regular grid.
    """
    header, number = found.parts
    if found.geometry is None or header.stored is None:
        raise GeometryError("the file holds no volume of numbers", "see the problems of its scan")
    return ItkReader(header, number, found.geometry, found)


class ItkReader:
    """One volume of an NRRD or MetaImage file as a `VolumeReader`.

    SimpleITK reads the whole file on the first `read`; it stays in memory until `close`.
    """

    _one_at_a_time = threading.Lock()  # the NRRD library keeps its errors in a global list

    unit = "stored"

    def __init__(
        self, header: ItkHeader, number: int, geometry: Geometry, found: FoundVolume
    ) -> None:
        space_code = 1 if header.has_orientation else 0
        self.source = Source(header.format, geometry, geometry.canonical, space_code=space_code)
        self.dtype: np.dtype[Any] = np.dtype(header.stored)
        self.modality = header.modality
        self.name = found.name
        self.problems = found.problems
        self.window: Window | None = None
        self._header = header
        self._number = number
        self._image: Any = None

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Slices `start` to `stop` along the file's slowest axis, `[k, j, i]`.

        Raises
        ------
        InputError
            If the file is truncated, damaged or gone.
        """
        everything: npt.NDArray[Any] = sitk.GetArrayViewFromImage(self._loaded())
        volumes = everything.reshape(-1, *self.source.geometry.shape)
        # a copy, since the view dies with its image
        return np.array(volumes[self._number, max(0, start) : stop])

    def hashes(self) -> tuple[Instance, ...]:
        """No instances: these formats have none."""
        return ()

    def close(self) -> None:
        """Let go of the voxels."""
        self._image = None

    def _loaded(self) -> Any:  # noqa: ANN401  # SimpleITK's Image
        with self._one_at_a_time:
            if self._image is None:
                try:
                    self._image = itk_reader(self._header.path, self._header.format).Execute()
                except RuntimeError as error:
                    raise damaged(self._header.path) from error
            return self._image


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
    _check_name(path, ".nrrd")
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


def write_metaimage(
    array: Grid, geometry: Geometry, path: str | Path, *, force: bool = False
) -> None:
    """Write voxels as MetaImage; parameters and errors are those of `write_nrrd`."""
    check_fits(array, geometry)
    _check_name(path, ".mha")
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


def _check_name(path: str | Path, ending: str) -> None:
    if not Path(path).name.lower().endswith(ending):
        raise OutputError(f"{shown(path)} does not end in {ending}", f"end it in {ending}")


def _words(numbers: Iterable[float]) -> str:
    return " ".join(f"{number:.17g}" for number in numbers)  # 17 digits hold a float64


def _vector(numbers: Iterable[float]) -> str:
    return f"({','.join(f'{number:.17g}' for number in numbers)})"
