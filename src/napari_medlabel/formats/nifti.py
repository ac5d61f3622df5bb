"""NIfTI-1 and NIfTI-2: `.nii`, `.nii.gz`, and pairs of `.hdr` and `.img`.

A NIfTI array is `[i, j, k]` with i fastest, so its bytes are a `[k, j, i]` array in C order.
Headers are nibabel's; voxels are read and written here, slab by slab.

Written affines are float32, as the format has it: the sform read back is the affine rounded to
float32, which moves a voxel by less than 1e-3 mm within two metres of the origin. The qform, which
cannot hold a shear, is set where it agrees to 1e-3 mm and marked unset where it does not.
"""

import gzip
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header

from napari_medlabel.core.geometry import FloatArray, Geometry
from napari_medlabel.core.volume import FoundVolume, Grid, Instance, Series, Source, Window
from napari_medlabel.errors import GeometryError
from napari_medlabel.files import new_file
from napari_medlabel.formats.nifti_header import NiftiHeader, read_header
from napari_medlabel.formats.packed import Stretch, opened_stretch
from napari_medlabel.formats.voxels import (
    check_fits,
    check_name,
    file_dtype,
    file_uid,
    slabs,
)

__all__ = ["NiftiReader", "open_nifti", "scan_nifti", "write_nifti"]

_LARGEST_NIFTI_1: Final = 32767  # voxels along an axis
_GZIP_LEVEL: Final = 4  # on CT 2.4 times as fast as 6, and 1 % larger
_QFORM_MM: Final = 1e-3


def scan_nifti(path: Path, *, number: int = 1, uid: str = "") -> Series:
    """The series in a NIfTI file, from its header alone; 4-D files hold several volumes.

    Parameters
    ----------
    path
        A `.nii`, a `.nii.gz`, or the `.hdr` of a pair.
    number, uid
        What the series is called by.

    Raises
    ------
    InputError
        If the file cannot be opened or is no NIfTI file.
    """
    header = read_header(path)
    problems = header.problems()
    geometry = header.geometry() if min(header.shape_ijk) > 0 else None
    count = 1 if any(p.blocking for p in problems) else header.volumes
    names = [f"volume {n} of {count}" if count > 1 else "" for n in range(1, count + 1)]
    voxels = _voxels(header)  # of all volumes: one goes on where another ended
    return Series(
        number=number,
        uid=uid or file_uid(path.name),
        format="nifti",
        modality="",
        kind="segmentation" if header.is_segmentation else "image",
        volumes=tuple(
            FoundVolume(name, geometry, problems, parts=(header, n, voxels))
            for n, name in enumerate(names)
        ),
        files=1 if header.data == path or header.data_bytes < 0 else 2,
        description=path.name,
    )


def open_nifti(found: FoundVolume) -> "NiftiReader":
    """A volume that `scan_nifti` found, ready to be read.

    Raises
    ------
    GeometryError
        If it cannot be read as one regular grid.
    """
    header, number, voxels = found.parts
    if found.geometry is None or voxels is None:
        raise GeometryError("the file holds no volume of numbers", "see the problems of its scan")
    return NiftiReader(header, number, voxels, found)


class NiftiReader:
    """One volume of a NIfTI file as a `VolumeReader`.

    Only what is asked for is held; of a compressed file it is reached by inflating what is before.
    """

    modality = ""
    unit = "stored"

    def __init__(
        self, header: NiftiHeader, number: int, voxels: Stretch, found: FoundVolume
    ) -> None:
        assert found.geometry is not None  # noqa: S101  # open_nifti has looked
        grid = found.geometry
        self.name = found.name
        self.problems = found.problems
        self.source = Source("nifti", grid, grid.canonical, space_code=header.space_code)
        self.window: Window | None = header.window
        self._header = header
        self._stored: np.dtype[Any] = np.dtype(header.stored)
        self.dtype = _value_dtype(self._stored, header.slope, header.inter)
        self._first = number * header.voxels * self._stored.itemsize
        self._first += header.offset if header.compressed else 0
        self._bytes = voxels

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Slices `start` to `stop` along the file's slowest axis, `[k, j, i]`, not to be changed.

        Raises
        ------
        InputError
            If the file is truncated, damaged or gone.
        """
        depth, rows, columns = self.source.geometry.shape
        start, stop = max(0, start), min(stop, depth)
        size = rows * columns * self._stored.itemsize
        count = max(0, stop - start)
        data = self._bytes.read(self._first + start * size, count * size)
        return self._values(np.frombuffer(data, self._stored).reshape(count, rows, columns))

    def hashes(self) -> tuple[Instance, ...]:
        """No instances: NIfTI has none."""
        return ()

    def close(self) -> None:
        """Nothing to let go of: the file is only open while it is read."""

    def _values(self, stored: npt.NDArray[Any]) -> npt.NDArray[Any]:
        slope, inter = self._header.slope, self._header.inter
        if (slope, inter) == (1.0, 0.0):
            return stored.astype(self.dtype, copy=False)
        if self.dtype.kind in "iu":
            return (stored.astype(np.int64) * int(slope) + int(inter)).astype(self.dtype)
        with np.errstate(over="ignore", invalid="ignore"):  # slopes of 1e38 give infinity
            return (stored.astype(np.float64) * slope + inter).astype(self.dtype)


def _voxels(header: NiftiHeader) -> Stretch | None:
    """The bytes of the file from its first voxel on; of a compressed one from its start."""
    if header.stored is None:
        return None
    size = header.voxels * header.volumes * header.stored.itemsize
    if header.compressed:
        return opened_stretch(header.data, "gzip", 0, header.offset + size, header.stored)
    return opened_stretch(header.data, "raw", header.offset, size, header.stored)


def write_nifti(  # noqa: PLR0913  # what a file holds, and how
    array: Grid,
    geometry: Geometry,
    path: str | Path,
    *,
    force: bool = False,
    space_code: int = 1,
    labels: bool = False,
) -> None:
    """Write voxels as NIfTI, whole or not at all; the same voxels give the same bytes.

    Parameters
    ----------
    array
        `[k, j, i]` on `geometry`; bool, integers or floats. Read slab by slab.
    geometry
        Where the voxels are. Shear is kept, in the sform.
    path
        A new `.nii` or `.nii.gz`; NIfTI-2 where an axis is longer than 32767 voxels.
    force
        Whether an existing file may be replaced.
    space_code
        NIfTI's code of the world, best that of the source: 1 scanner, 2 aligned, 4 MNI. With 0
        the transforms are left unset where the spacing alone says the same, so that each reader
        places the file as it places its source.
    labels
        Whether the header says that the values are labels.

    Raises
    ------
    OutputError
        If the file is there already or cannot be written.
    InputError
        If the voxels are of a type that NIfTI does not have.
    GeometryError
        If the array does not have the shape of the geometry.
    """
    check_fits(array, geometry)
    name = Path(path).name.lower()
    check_name(path, ".nii", ".nii.gz")
    dtype = file_dtype(array.dtype)
    header = _new_header(geometry, dtype, space_code, labels=labels)
    with new_file(path, force=force) as hidden, hidden.open("wb") as raw:
        start = header.binaryblock + bytes(4)  # the four say that there are no extensions
        if not name.endswith(".gz"):
            _write_all(raw, start, array, dtype)
            return
        # no name and no time in the stream: the same voxels give the same bytes
        with gzip.GzipFile("", "wb", _GZIP_LEVEL, raw, mtime=0) as packed:
            _write_all(packed, start, array, dtype)


def _new_header(geometry: Geometry, dtype: np.dtype[Any], space_code: int, *, labels: bool) -> Any:  # noqa: ANN401  # untyped
    big = max(geometry.shape) > _LARGEST_NIFTI_1
    header: Any = Nifti2Header() if big else Nifti1Header()  # type: ignore[no-untyped-call]
    affine = geometry.to_nifti()
    header.set_data_dtype(dtype)
    header.set_data_shape(geometry.shape[::-1])
    header.set_xyzt_units("mm")
    header["magic"] = b"n+2" if big else b"n+1"
    header["vox_offset"] = header.sizeof_hdr + 4
    if labels:
        header.set_intent("label")
    header.set_qform(affine, code=1, strip_shears=True)  # sets the spacing too
    if not space_code and _same_place(geometry, header.get_base_affine()):
        header["qform_code"] = 0
        return header
    code = space_code or 1
    header.set_sform(affine, code=code)
    header["qform_code"] = code if _same_place(geometry, header.get_qform()) else 0
    return header


def _same_place(geometry: Geometry, ras_from_ijk: FloatArray) -> bool:
    try:
        other = Geometry.from_nifti(geometry.shape[::-1], ras_from_ijk)
    except GeometryError:
        return False
    return geometry.same_grid(other, _QFORM_MM)


def _write_all(
    file: IO[bytes] | gzip.GzipFile, header: bytes, array: Grid, dtype: np.dtype[Any]
) -> None:
    file.write(header)
    for slab in slabs(array, dtype):
        file.write(slab.data.cast("B"))


def _value_dtype(stored: np.dtype[Any], slope: float, inter: float) -> np.dtype[Any]:
    """The smallest type that holds every value exactly; else floats, good to 1 part in 10^7."""
    native = stored.newbyteorder("=")
    if (slope, inter) == (1.0, 0.0):
        return native
    if native.kind in "iu" and slope.is_integer() and inter.is_integer():
        limits = np.iinfo(native)
        ends = sorted(int(end) * int(slope) + int(inter) for end in (limits.min, limits.max))
        for fitting in (native, *(np.dtype(t) for t in (np.int16, np.uint16, np.int32, np.int64))):
            if np.iinfo(fitting).min <= ends[0] and ends[1] <= np.iinfo(fitting).max:
                return fitting
    return np.dtype(np.float32 if native.itemsize <= 2 or native == np.float32 else np.float64)
