"""NRRD: `.nrrd`, and pairs of `.nhdr` and a file with the voxels.

Axes are counted from the fastest. SimpleITK reads it, and turns the file's space into LPS. It is
written here, as one file and slab by slab, so that a full disk is noticed: in LPS, with every
number of the affine to its last bit, shear included.
"""

import gzip
import re
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import SimpleITK

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
from napari_medlabel.formats.voxels import check_fits, check_name, damaged, file_dtype, slabs

__all__ = ["NrrdReader", "is_nrrd", "open_nrrd", "scan_nrrd", "write_nrrd"]

sitk: Any = SimpleITK  # most of its functions are untyped
sitk.ProcessObject.GlobalWarningDisplayOff()  # they would be printed to the terminal

_LEVEL: Final = 4  # of deflate, as for NIfTI
_PACKED: Final = ("gzip", "gz", "bzip2", "bz2")
_NRRD_TYPES: Final = {
    "u1": "uint8", "i1": "int8", "u2": "uint16", "i2": "int16", "u4": "uint32", "i4": "int32",
    "u8": "uint64", "i8": "int64", "f4": "float", "f8": "double",
}  # fmt: skip
_DTYPES: Final[Mapping[int, np.dtype[Any]]] = {
    sitk.sitkUInt8: np.dtype(np.uint8), sitk.sitkInt8: np.dtype(np.int8),
    sitk.sitkUInt16: np.dtype(np.uint16), sitk.sitkInt16: np.dtype(np.int16),
    sitk.sitkUInt32: np.dtype(np.uint32), sitk.sitkInt32: np.dtype(np.int32),
    sitk.sitkUInt64: np.dtype(np.uint64), sitk.sitkInt64: np.dtype(np.int64),
    sitk.sitkFloat32: np.dtype(np.float32), sitk.sitkFloat64: np.dtype(np.float64),
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
    fields = read_fields(path, ":")
    data = voxel_file(path, fields)
    itk = _itk_reader(path)
    header = TextHeader(
        path=path,
        format="nrrd",
        fields=fields,
        size_ijk=tuple(int(n) for n in itk.GetSize()),
        components=itk.GetNumberOfComponents(),
        stored=_DTYPES.get(itk.GetPixelIDValue()),
        lps_from_ijk=_matrix(itk) if itk.GetDimension() >= 3 else None,
        data=data,
        data_bytes=0 if data is None else data.stat().st_size,
        packed=fields.get("encoding", "").lower() in _PACKED,
    )
    return series_of(header, number, uid)


def open_nrrd(found: FoundVolume) -> "NrrdReader":
    """A volume that `scan_nrrd` found, ready to be read.

    Raises
    ------
    GeometryError
        If it cannot be read as one regular grid.
    """
    header, number = found.parts
    if found.geometry is None or header.stored is None:
        raise GeometryError("the file holds no volume of numbers", "see the problems of its scan")
    return NrrdReader(header, number, found.geometry, found)


class NrrdReader:
    """One volume of an NRRD file as a `VolumeReader`.

    SimpleITK reads the whole file on the first `read`; it stays in memory until `close`.
    """

    _one_at_a_time = threading.Lock()  # the NRRD library keeps its errors in a global list

    unit = "stored"

    def __init__(
        self, header: TextHeader, number: int, geometry: Geometry, found: FoundVolume
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
                    self._image = _itk_reader(self._header.path).Execute()
                except RuntimeError as error:
                    raise damaged() from error
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


def _itk_reader(path: Path) -> Any:  # noqa: ANN401  # untyped
    itk = sitk.ImageFileReader()
    itk.SetFileName(str(path))
    itk.SetImageIO("NrrdImageIO")  # goes by content, whatever the name ends in
    try:
        itk.ReadImageInformation()
    except RuntimeError as error:
        raise broken("nrrd") from error
    return itk


def _matrix(itk: Any) -> FloatArray:  # noqa: ANN401  # untyped
    axes = itk.GetDimension()
    direction = np.reshape(itk.GetDirection(), (axes, axes))[:3, :3]
    matrix = np.eye(4)
    matrix[:3, :3] = direction * np.asarray(itk.GetSpacing()[:3])
    matrix[:3, 3] = itk.GetOrigin()[:3]
    return matrix


def _words(numbers: Iterable[float]) -> str:
    return " ".join(f"{number:.17g}" for number in numbers)  # 17 digits hold a float64


def _vector(numbers: Iterable[float]) -> str:
    return f"({','.join(f'{number:.17g}' for number in numbers)})"
