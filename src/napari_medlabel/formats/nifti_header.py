"""What a NIfTI header says: facts first, then what is wrong with them.

A NIfTI file may place its voxels in three ways. The sform (a whole affine) is used where its code
is above 0, else the qform (rotation and spacing, which cannot hold a shear), else the spacing
alone, which leaves open how the patient lies. Lengths are converted to millimetres.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from napari_medlabel.core.geometry import FloatArray, Geometry
from napari_medlabel.core.problem import Problem
from napari_medlabel.core.volume import Window
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.formats.voxels import GZIP, MOST_INFLATED, first_bytes

__all__ = ["NiftiHeader", "is_analyze", "is_nifti", "read_header"]

_MAGIC_1: Final = (b"n+1\0", b"ni1\0")  # at byte 344; voxels in the same file, or beside
_MAGIC_2: Final = (b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n")  # at byte 4
_SIZE_1: Final = 348
_SIZE_2: Final = 540
_MM_PER_UNIT: Final = {1: 1000.0, 3: 0.001}  # metre, micron; all else is millimetres
_COLOUR: Final = (128, 2304)
_COMPLEX: Final = (32, 1792, 2048)
_CIFTI: Final = range(3000, 3100)  # intents of surfaces and connectivity matrices
_LABEL_INTENT: Final = 1002
_MOST_VOLUMES: Final = 100_000
_CONFLICT_MM: Final = 0.01  # two transforms in float32 differ by less than this


@dataclass(frozen=True, slots=True, eq=False)
class NiftiHeader:
    """The facts of one NIfTI header.

    Parameters
    ----------
    data
        The file with the voxels.
    data_bytes
        Its size; -1 where it is not there.
    compressed
        Whether it is gzip-ed.
    shape_ijk, volumes
        Voxels along the file's axes, the fastest first; how many volumes follow each other.
    kind, stored
        NIfTI's number for the type of a voxel, and that type as it is in the file, or None.
    offset
        Bytes before the first voxel.
    slope, inter
        Value is `stored * slope + inter`.
    sform, qform, spacing_only
        `ras_from_ijk` in mm by the three ways, None where the header has none.
    sform_code, qform_code
        1 scanner, 2 aligned to something, 3 Talairach, 4 MNI.
    mm_per_unit
        Of the header's lengths.
    intent
        NIfTI's number for what the values are.
    window
        The grey range that the header asks for.
    """

    data: Path
    data_bytes: int
    compressed: bool
    shape_ijk: tuple[int, int, int]
    volumes: int
    kind: int
    stored: np.dtype[Any] | None
    offset: int
    slope: float
    inter: float
    sform: FloatArray | None
    qform: FloatArray | None
    spacing_only: FloatArray
    sform_code: int
    qform_code: int
    mm_per_unit: float
    intent: int
    window: Window | None

    @property
    def transform(self) -> FloatArray:
        """`ras_from_ijk` in mm, by the way that is used."""
        if self.sform is not None:
            return self.sform
        return self.qform if self.qform is not None else self.spacing_only

    @property
    def space_code(self) -> int:
        """NIfTI's code of the world that `transform` leads to."""
        if self.sform is not None:
            return self.sform_code
        return self.qform_code if self.qform is not None else 0

    @property
    def files(self) -> tuple[Path, ...]:
        """Those with the voxels."""
        return (self.data,)

    @property
    def is_segmentation(self) -> bool:
        """True where the header says that the values are labels."""
        return self.intent == _LABEL_INTENT

    @property
    def voxels(self) -> int:
        """Voxels of one volume."""
        i, j, k = self.shape_ijk
        return i * j * k

    def geometry(self) -> Geometry | None:
        """Where the voxels of the array `[k, j, i]` are, or None where that is nowhere."""
        return _grid(self.shape_ijk, self.transform)

    def problems(self) -> tuple[Problem, ...]:
        """Everything wrong with the file, in the order of the checks."""
        return tuple(problem for check in CHECKS for problem in check(self))


def is_nifti(start: bytes) -> bool:
    """True where a file with these first 352 bytes (inflated) is NIfTI-1 or NIfTI-2."""
    return start[344:348] in _MAGIC_1 or start[4:12] in _MAGIC_2


def is_analyze(start: bytes) -> bool:
    """True where a file with these first bytes is a header of Analyze 7.5, NIfTI's ancestor."""
    orders: dict[bytes, Literal["little", "big"]] = {
        b"\x5c\x01\0\0": "little", b"\0\0\x01\x5c": "big"
    }  # fmt: skip
    order = orders.get(start[:4])  # of the 348 that each begins with
    if order is None or len(start) < _SIZE_1 or is_nifti(start):
        return False
    axes = int.from_bytes(start[40:42], order)
    return start[38:39] == b"r" or 1 <= axes <= 7


def read_header(path: Path) -> NiftiHeader:
    """The facts of a NIfTI file, or of the header file of a pair; no voxels are read.

    Raises
    ------
    InputError
        If the file cannot be opened or is no NIfTI header.
    """
    start = first_bytes(path, _SIZE_2)
    if not is_nifti(start):
        if is_analyze(start):
            what = "the file is Analyze 7.5, which does not say which side is left"
            raise InputError(what, "convert it to NIfTI with the program that made it")
        raise InputError("the file is not NIfTI", "give a .nii or .nii.gz file")
    try:
        if start[344:348] in _MAGIC_1:
            header: Any = Nifti1Header(start[:_SIZE_1], check=False)  # type: ignore[no-untyped-call]
            beside = start[344:348] == _MAGIC_1[1]
        else:
            header = Nifti2Header(start[:_SIZE_2], check=False)  # type: ignore[no-untyped-call]
            beside = start[4:12] == _MAGIC_2[1]
        with np.errstate(all="ignore"):  # what is no number is looked for later
            return _facts(header, _voxel_file(path) if beside else path, beside=beside)
    except (HeaderDataError, WrapStructError, ValueError, OverflowError) as error:
        raise InputError("the file has a broken NIfTI header") from error


def _voxel_file(path: Path) -> Path:
    """The file with the voxels of a pair; its most likely name where there is none."""
    stem = re.sub(r"\.hdr(\.gz)?$", "", path.name, flags=re.IGNORECASE)
    likely = [path.with_name(stem + suffix) for suffix in (".img", ".img.gz", ".IMG")]
    return next((candidate for candidate in likely if candidate.is_file()), likely[0])


def _facts(header: Any, data: Path, *, beside: bool) -> NiftiHeader:  # noqa: ANN401  # untyped
    dimensions = [int(n) for n in header["dim"]]
    if not 1 <= dimensions[0] <= 7:
        raise ValueError(f"{dimensions[0]} dimensions")
    shape = [*dimensions[1 : dimensions[0] + 1], 1, 1, 1]
    volumes = 1
    for n in shape[3:]:
        volumes *= n
    offset = max(int(header["vox_offset"]), 0 if beside else header.sizeof_hdr + 4)
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or not np.isfinite(slope):  # nifti1.h: there is no scaling then
        slope, inter = 1.0, 0.0
    mm = _MM_PER_UNIT.get(int(header["xyzt_units"]) & 7, 1.0)
    return NiftiHeader(
        data=data,
        data_bytes=data.stat().st_size if data.is_file() else -1,
        compressed=data.is_file() and _starts_with_gzip(data),
        shape_ijk=(shape[0], shape[1], shape[2]),
        volumes=volumes,
        kind=int(header["datatype"]),
        stored=_stored_dtype(header),
        offset=offset,
        slope=slope,
        inter=inter,
        sform=_in_mm(header.get_sform(), mm) if header["sform_code"] > 0 else None,
        qform=_in_mm(_qform(header), mm) if header["qform_code"] > 0 else None,
        spacing_only=_in_mm(_spacing_only(header, shape), mm),
        sform_code=int(header["sform_code"]),
        qform_code=int(header["qform_code"]),
        mm_per_unit=mm,
        intent=int(header["intent_code"]),
        window=_window(float(header["cal_min"]), float(header["cal_max"])),
    )


def _starts_with_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == GZIP


def _stored_dtype(header: Any) -> np.dtype[Any] | None:  # noqa: ANN401  # untyped
    try:
        dtype: np.dtype[Any] = header.get_data_dtype()
    except (HeaderDataError, KeyError):
        return None
    # a float of 16 bytes is another one on another machine
    return dtype if dtype.kind in "iuf" and dtype.itemsize <= 8 else None


def _qform(header: Any) -> FloatArray:  # noqa: ANN401  # untyped
    fixed = header.copy()
    # nifti1.h: a qfac of 0 counts as 1, and spacings are positive
    fixed["pixdim"][0] = -1.0 if header["pixdim"][0] < 0 else 1.0
    fixed["pixdim"][1:4] = np.abs(header["pixdim"][1:4])
    try:
        affine: FloatArray = np.asarray(fixed.get_qform(), dtype=np.float64)
    except (HeaderDataError, ValueError):  # not a rotation, or lengths that are no numbers
        return np.full((4, 4), np.nan)
    return affine


def _spacing_only(header: Any, shape: list[int]) -> FloatArray:  # noqa: ANN401  # untyped
    """As nibabel, SPM and FSL read it: i runs to the patient's right, the middle is the origin."""
    spacing = np.abs(np.asarray(header["pixdim"][1:4], dtype=np.float64)) * [-1.0, 1.0, 1.0]
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -spacing * (np.asarray(shape[:3]) - 1) / 2.0
    return affine


def _in_mm(affine: Any, mm: float) -> FloatArray:  # noqa: ANN401  # untyped
    scaled = np.array(affine, dtype=np.float64)
    scaled[:3] *= mm
    return scaled


def _grid(shape_ijk: tuple[int, int, int], ras_from_ijk: FloatArray) -> Geometry | None:
    try:
        with np.errstate(all="ignore"):  # what is not finite is no place
            return Geometry.from_nifti(shape_ijk, ras_from_ijk)
    except GeometryError:
        return None


def _window(low: float, high: float) -> Window | None:
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        return None
    return Window(width=high - low, level=(low + high) / 2.0)


# What can be wrong


def _not_an_image(header: NiftiHeader) -> Iterable[Problem]:
    if header.intent in _CIFTI:
        what = "this is CIFTI: values on a surface or between regions, not a volume"
        yield Problem("not-an-image", what, "give the volume it was made from", blocking=True)


def _strange_voxels(header: NiftiHeader) -> Iterable[Problem]:
    if header.kind in _COLOUR:
        what = "the voxels are colours, not measurements"
        yield Problem("colour", what, "give the series it was made from", blocking=True)
    elif header.kind in _COMPLEX:
        what = "the voxels are complex numbers"
        yield Problem("complex-values", what, "give magnitude or phase alone", blocking=True)
    elif header.stored is None:
        what = f"voxels of NIfTI type {header.kind} cannot be read"
        yield Problem("voxel-type", what, "convert it to integers or floats", blocking=True)
    elif not np.isfinite(header.inter):
        yield Problem("rescale", "the rescale intercept is not a number", blocking=True)


def _missing_voxels(header: NiftiHeader) -> Iterable[Problem]:
    hint = "copy the file again from its origin"
    if header.data_bytes < 0:
        what = "the file with the voxels, .img, is not there"
        yield Problem("no-pixel-data", what, "put it beside the header", blocking=True)
        return
    if header.voxels < 1 or min(header.shape_ijk) < 1 or not 1 <= header.volumes <= _MOST_VOLUMES:
        what = f"the header gives {header.shape_ijk} voxels in {header.volumes} volumes"
        yield Problem("no-pixel-data", what, hint, blocking=True)
        return
    size = header.stored.itemsize if header.stored is not None else 0
    wanted = header.offset + header.voxels * header.volumes * size
    most = header.data_bytes * (MOST_INFLATED if header.compressed else 1)
    if wanted > most:
        what = f"the header promises {wanted} bytes and there can be at most {most}"
        code = "no-pixel-data" if most <= header.offset else "truncated"
        yield Problem(code, what, hint, blocking=True)


def _no_place(header: NiftiHeader) -> Iterable[Problem]:
    if min(header.shape_ijk) < 1 or header.geometry() is not None:
        return
    hint = "correct the header with the program that made it"
    if header.space_code:
        what = "the header's transform is singular: an axis has no length or two are parallel"
        yield Problem("singular-transform", what, hint, blocking=True)
    else:
        what = "the header gives no spacing between voxels"
        yield Problem("no-spacing", what, hint, blocking=True)


def _no_orientation(header: NiftiHeader) -> Iterable[Problem]:
    if not header.space_code and header.intent not in _CIFTI:
        what = "neither transform is set, so the header does not say which side is left"
        hint = "the first axis is taken to run to the patient's right; check it with the image"
        yield Problem("no-orientation", what, hint)


def _conflicting_transforms(header: NiftiHeader) -> Iterable[Problem]:
    if header.sform is None or header.qform is None:
        return
    by_sform = _grid(header.shape_ijk, header.sform)
    by_qform = _grid(header.shape_ijk, header.qform)
    if by_sform is None or by_qform is None:
        return  # the transform that is used has its own check
    gap = by_sform.difference_mm(by_qform)
    if gap > _CONFLICT_MM:
        what = (
            f"sform (code {header.sform_code}) and qform (code {header.qform_code}) place voxels "
            f"up to {gap:.3f} mm apart; the sform is used, since its code is above 0"
        )
        yield Problem("conflicting-transforms", what, "check that it overlays its source")


def _converted_unit(header: NiftiHeader) -> Iterable[Problem]:
    if header.mm_per_unit != 1.0:
        what = f"the header's lengths are in units of {header.mm_per_unit:g} mm; converted to mm"
        yield Problem("converted-unit", what, "check the size of the patient")


def _single_slice(header: NiftiHeader) -> Iterable[Problem]:
    if header.shape_ijk[2] == 1:
        yield Problem("single-slice", "there is one slice", "its thickness is as the header says")


Check = Callable[[NiftiHeader], Iterable[Problem]]
CHECKS: Final[tuple[Check, ...]] = (
    _not_an_image,
    _strange_voxels,
    _missing_voxels,
    _no_place,
    _no_orientation,
    _conflicting_transforms,
    _converted_unit,
    _single_slice,
)
