"""What the header of an NRRD or MetaImage file says: facts first, then what is wrong with them.

Both are lines of text, `name: value` and `name = value`. The facts say what common readers fill in
without a word: a spacing or an orientation that is not there, lengths in another unit.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from napari_medlabel.core.geometry import FloatArray, Geometry
from napari_medlabel.core.problem import Problem
from napari_medlabel.core.volume import FoundVolume, Series
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.formats.voxels import MOST_INFLATED, file_uid, in_one_line

__all__ = ["TextFormat", "TextHeader", "broken", "read_fields", "series_of", "voxel_file"]

TextFormat = Literal["nrrd", "metaimage"]
_LONGEST_HEADER: Final = 1 << 20
_MODALITY: Final = {"MET_MOD_CT": "CT", "MET_MOD_MR": "MR", "MET_MOD_PET": "PT"}
_MM_PER_UNIT: Final = {
    "mm": 1.0, "millimeter": 1.0, "millimetre": 1.0, "cm": 10.0, "m": 1000.0, "meter": 1000.0,
    "um": 0.001, "µm": 0.001, "micron": 0.001, "micrometer": 0.001,
}  # fmt: skip
_PATIENT_SPACE: Final = re.compile(r"(left|right)-(anterior|posterior)-(superior|inferior)")


@dataclass(frozen=True, slots=True, eq=False)
class TextHeader:
    """The facts of one NRRD or MetaImage header.

    Parameters
    ----------
    path
        The file, or the header file of a pair.
    format
        "nrrd" or "metaimage".
    fields
        The header's own lines, names in small letters without blanks.
    size_ijk
        Voxels along each axis, the fastest first; two to five axes.
    components
        Values of one voxel.
    stored
        The type of one value, None where it is not a number.
    lps_from_ijk
        In the header's own unit; None unless there are three axes in space.
    data
        The file with the voxels; None where there are several.
    data_bytes
        Its size.
    packed
        Whether the voxels are compressed.
    offset
        Bytes before the first voxel, where that is known without SimpleITK.
    """

    path: Path
    format: TextFormat
    fields: Mapping[str, str]
    size_ijk: tuple[int, ...]
    components: int
    stored: np.dtype[Any] | None
    lps_from_ijk: FloatArray | None
    data: Path | None
    data_bytes: int
    packed: bool
    offset: int = 0

    @property
    def volumes(self) -> int:
        """How many volumes follow each other."""
        return int(np.prod(self.size_ijk[3:], dtype=np.int64))

    @property
    def mm_per_unit(self) -> float:
        """Of the header's lengths; 1 where it does not say."""
        words = self.fields.get("spaceunits") or self.fields.get("distanceunits") or ""
        found = {_MM_PER_UNIT.get(word.lower(), 1.0) for word in re.findall(r"[^\s\"]+", words)}
        return found.pop() if len(found) == 1 else 1.0

    @property
    def has_spacing(self) -> bool:
        """Whether the header says how far voxels are apart."""
        names = ("spacedirections", "spacings", "elementspacing", "elementsize")
        words = " ".join(self.fields.get(name, "") for name in names).lower()
        return bool(words.strip()) and "nan" not in words

    @property
    def has_orientation(self) -> bool:
        """Whether the header says how the patient lies."""
        if self.format == "nrrd":
            space = self.fields.get("space", "").lower()
            return space in {"ras", "lps", "las"} or _PATIENT_SPACE.match(space) is not None
        return bool(self.fields.keys() & {"transformmatrix", "rotation", "orientation"})

    @property
    def is_segmentation(self) -> bool:
        """True where the header lists segments, as 3D Slicer writes them."""
        return any(name.startswith("segment0_") for name in self.fields)

    @property
    def modality(self) -> str:
        """As in DICOM, where the header says it."""
        return _MODALITY.get(self.fields.get("modality", "").upper(), "")

    def geometry(self) -> Geometry | None:
        """Where the voxels of the array `[k, j, i]` are, or None where that is nowhere."""
        if self.lps_from_ijk is None or not self.has_spacing:
            return None
        lps_from_kji = self.lps_from_ijk[:, [2, 1, 0, 3]].copy()
        lps_from_kji[:3] *= self.mm_per_unit
        i, j, k = self.size_ijk[:3]
        try:
            return Geometry((k, j, i), lps_from_kji)
        except GeometryError:
            return None

    def problems(self) -> tuple[Problem, ...]:
        """Everything wrong with the file, in the order of the checks."""
        return tuple(problem for check in CHECKS for problem in check(self))


def series_of(header: TextHeader, number: int, uid: str) -> Series:
    """The series that a header describes; files of four axes hold several volumes."""
    problems = header.problems()
    count = 1 if any(p.blocking for p in problems) else header.volumes
    names = [f"volume {n} of {count}" if count > 1 else "" for n in range(1, count + 1)]
    geometry = header.geometry()
    return Series(
        number=number,
        uid=uid or file_uid(header.path.name),
        format=header.format,
        modality=header.modality,
        kind="segmentation" if header.is_segmentation else "image",
        volumes=tuple(
            FoundVolume(name, geometry, problems, parts=(header, n)) for n, name in enumerate(names)
        ),
        files=1 if header.data == header.path else 2,
        description=header.path.name,
    )


def broken(kind: TextFormat) -> InputError:
    """The error for a header that cannot be understood."""
    what = f"the file has a broken {'NRRD' if kind == 'nrrd' else 'MetaImage'} header"
    return InputError(what, "write the file again with the program that made it")


def read_fields(path: Path, sign: str) -> dict[str, str]:
    """The header's lines, names in small letters without blanks; NRRD's end with an empty line.

    Raises
    ------
    InputError
        If the file cannot be opened.
    """
    with in_one_line(), path.open("rb") as file:
        text = file.read(_LONGEST_HEADER)
    fields: dict[str, str] = {}
    for line in text.split(b"\n"):
        name, found, value = line.decode("utf-8", "replace").partition(sign)
        if sign == ":" and not line.strip():
            break
        if found and not name.startswith("#"):
            key = re.sub(r"\s", "", name).lower()
            fields[key] = value.strip()
            if key == "elementdatafile":
                break
    return fields


def voxel_file(path: Path, fields: Mapping[str, str]) -> Path | None:
    """The file with the voxels, or None where there are several.

    Raises
    ------
    InputError
        If the header points out of its own folder, or at nothing.
    """
    name = fields.get("datafile") or fields.get("elementdatafile") or "LOCAL"
    if name == "LOCAL":
        return path
    if name.startswith("LIST") or "%" in name:
        return None
    if Path(name).is_absolute() or ".." in Path(name).parts:
        what = "the header points at a file in another folder"
        raise InputError(what, "put both into one folder and correct the header")
    data = path.parent / name
    if not os.path.isfile(data):  # noqa: PTH113  # never raises, whatever the name
        what = "the file with the voxels, which its header names, is not there"
        raise InputError(what, "put it beside the header")
    return data


# What can be wrong


def _strange_voxels(header: TextHeader) -> Iterable[Problem]:
    if header.components > 1:
        what = f"each voxel has {header.components} values"
        yield Problem("several-values", what, "give one of them alone", blocking=True)
    elif header.stored is None:
        what = "the voxels are not plain numbers"
        yield Problem("voxel-type", what, "convert it to integers or floats", blocking=True)
    slope = header.fields.get("elementtointensityfunctionslope", "1")
    offset = header.fields.get("elementtointensityfunctionoffset", "0")
    if not (re.fullmatch(r"1\.?0*", slope) and re.fullmatch(r"-?0\.?0*", offset)):
        what = "the header rescales the values, which no common reader does"
        yield Problem("rescale", what, "write the file with rescaled values", blocking=True)


def _missing_voxels(header: TextHeader) -> Iterable[Problem]:
    if header.data is None or header.stored is None:
        return
    count = int(np.prod([float(n) for n in header.size_ijk])) * header.components
    wanted = count * header.stored.itemsize + (0 if header.packed else header.offset)
    most = header.data_bytes * (MOST_INFLATED if header.packed else 1)
    if wanted > most and header.fields.get("encoding", "raw") not in ("bzip2", "bz2"):
        what = f"the header promises {wanted} bytes and there can be at most {most}"
        yield Problem("truncated", what, "copy the file again from its origin", blocking=True)


def _no_place(header: TextHeader) -> Iterable[Problem]:
    hint = "correct the header with the program that made it"
    if header.lps_from_ijk is None:
        what = f"the file has {len(header.size_ijk)} axes, not three"
        yield Problem("flat-image", what, "give a volume", blocking=True)
    elif not header.has_spacing:
        what = "the header gives no spacing between voxels"
        yield Problem("no-spacing", what, hint, blocking=True)
    elif header.geometry() is None:
        what = "the header's transform is singular: an axis has no length or two are parallel"
        yield Problem("singular-transform", what, hint, blocking=True)


def _no_orientation(header: TextHeader) -> Iterable[Problem]:
    if header.lps_from_ijk is not None and not header.has_orientation:
        what = "the header does not say how the patient lies"
        hint = "the first axis is taken to run to the patient's left; check it with the image"
        yield Problem("no-orientation", what, hint)


def _converted_unit(header: TextHeader) -> Iterable[Problem]:
    if header.mm_per_unit != 1.0:
        what = f"the header's lengths are in units of {header.mm_per_unit:g} mm; converted to mm"
        yield Problem("converted-unit", what, "check the size of the patient")


def _single_slice(header: TextHeader) -> Iterable[Problem]:
    if header.lps_from_ijk is not None and header.size_ijk[2] == 1:
        yield Problem("single-slice", "there is one slice", "its thickness is as the header says")


Check = Callable[[TextHeader], Iterable[Problem]]
CHECKS: Final[tuple[Check, ...]] = (
    _strange_voxels,
    _missing_voxels,
    _no_place,
    _no_orientation,
    _converted_unit,
    _single_slice,
)
