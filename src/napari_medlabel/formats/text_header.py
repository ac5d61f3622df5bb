"""What the header of an NRRD or MetaImage file says: facts first, then what is wrong with them.

Both are lines of text, `name: value` and `name = value`. The facts say what common readers fill in
without a word: a spacing or an orientation that is not there, lengths in another unit.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from napari_medlabel.core.geometry import FloatArray, Geometry
from napari_medlabel.core.problem import Problem
from napari_medlabel.core.volume import FoundVolume, Series
from napari_medlabel.errors import GeometryError
from napari_medlabel.formats.packed import Encoding, Stretch
from napari_medlabel.formats.voxels import MOST_INFLATED, file_uid

__all__ = ["TextFormat", "TextHeader", "series_of"]

TextFormat = Literal["nrrd", "metaimage"]
_MOST_VOLUMES: Final = 100_000
_MODALITY: Final = {"MET_MOD_CT": "CT", "MET_MOD_MR": "MR", "MET_MOD_PET": "PT"}
_MM_PER_UNIT: Final = {
    "mm": 1.0, "millimeter": 1.0, "millimetre": 1.0, "cm": 10.0, "m": 1000.0, "meter": 1000.0,
    "um": 0.001, "µm": 0.001, "micron": 0.001, "micrometer": 0.001,
}  # fmt: skip
_PATIENT_SPACE: Final = re.compile(r"(left|right)-(anterior|posterior)-(superior|inferior)")
_PATIENT_SPACES: Final = frozenset({"ras", "lps", "las", "rast", "lpst", "last"})
# Of a bare header's letters ITK writes RAI where rows run to the left, columns to the back.
_FROM: Final = {"R": 0, "L": 0, "A": 1, "P": 1, "I": 2, "S": 2}
_POSITIVE: Final = frozenset("RAI")


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
    axes
        How many there are.
    size_ijk
        Voxels along the three axes in space, the fastest first; 1 where there is none.
    inner, outer
        How many volumes alternate from value to value, and how many follow each other.
    components
        Values of one voxel that belong together.
    several
        The code of the problem with them: "several-values", "colour", "complex-values".
    stored
        The type of one value, None where it is not a number.
    lps_from_ijk
        In the header's own unit; None unless there are three axes in space.
    files
        Those with the voxels, in order.
    data_bytes
        Their size, all together.
    encoding
        How the voxels are stored.
    offset, skipped
        Bytes of each file before the voxels, and bytes after unpacking.
    """

    path: Path
    format: TextFormat
    fields: Mapping[str, str]
    axes: int
    size_ijk: tuple[int, int, int]
    inner: int
    outer: int
    components: int
    several: str
    stored: np.dtype[Any] | None
    lps_from_ijk: FloatArray | None
    files: tuple[Path, ...]
    data_bytes: int
    encoding: Encoding
    offset: int = 0
    skipped: int = 0

    @property
    def volumes(self) -> int:
        """How many volumes there are."""
        return self.inner * self.outer

    @property
    def bytes(self) -> int:
        """How many bytes the voxels of all volumes have when unpacked."""
        size = 0 if self.stored is None else self.stored.itemsize
        return math.prod(self.size_ijk) * self.volumes * self.components * size

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
        said = any(self.fields.get(name, "").strip() for name in names)
        finite = self.lps_from_ijk is None or bool(np.isfinite(self.lps_from_ijk[:, :3]).all())
        return said and finite

    @property
    def has_orientation(self) -> bool:
        """Whether the header says how the patient lies."""
        if self.format == "nrrd":
            space = self.fields.get("space", "").lower()
            return space in _PATIENT_SPACES or _PATIENT_SPACE.match(space) is not None
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
        i, j, k = self.size_ijk
        try:
            with np.errstate(all="ignore"):  # what is not finite is no place
                lps_from_kji[:3] *= self.mm_per_unit
                return Geometry((k, j, i), lps_from_kji)
        except GeometryError:
            return None

    def problems(self) -> tuple[Problem, ...]:
        """Everything wrong with the file, in the order of the checks."""
        return tuple(problem for check in CHECKS for problem in check(self))


def series_of(header: TextHeader, voxels: Stretch | None, number: int, uid: str) -> Series:
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
            FoundVolume(name, geometry, problems, parts=(header, n, voxels))
            for n, name in enumerate(names)
        ),
        files=len({header.path, *header.files}),
        description=header.path.name,
    )


# What can be wrong


def _strange_voxels(header: TextHeader) -> Iterable[Problem]:
    if header.components > 1:
        what = f"each voxel has {header.components} values"
        yield Problem(header.several, what, "give one of them alone", blocking=True)
    elif header.stored is None:
        what = "the voxels are not plain numbers"
        yield Problem("voxel-type", what, "convert it to integers or floats", blocking=True)
    slope = header.fields.get("elementtointensityfunctionslope", "1")
    offset = header.fields.get("elementtointensityfunctionoffset", "0")
    if not (re.fullmatch(r"1\.?0*", slope) and re.fullmatch(r"-?0\.?0*", offset)):
        what = "the header rescales the values, which no common reader does"
        yield Problem("rescale", what, "write the file with rescaled values", blocking=True)


def _missing_voxels(header: TextHeader) -> Iterable[Problem]:
    if header.stored is None:
        return
    hint = "copy the file again from its origin"
    if header.volumes > _MOST_VOLUMES:
        what = f"the header gives {header.volumes} volumes"
        yield Problem("no-pixel-data", what, hint, blocking=True)
        return
    wanted, most = header.bytes, float(header.data_bytes)
    if header.encoding in {"gzip", "zlib"}:
        most *= MOST_INFLATED
    elif header.encoding == "hex":
        most /= 2
    elif header.encoding == "text":  # a digit and a blank
        most = (most + 1) / 2 * header.stored.itemsize
    elif header.encoding == "raw":
        wanted += header.offset * len(header.files)
    if wanted > most and header.encoding != "bzip2":  # which makes a megabyte of a byte
        what = f"the header promises {wanted} bytes and there can be at most {most:.0f}"
        yield Problem("truncated", what, hint, blocking=True)


def _no_place(header: TextHeader) -> Iterable[Problem]:
    hint = "correct the header with the program that made it"
    if header.lps_from_ijk is None:
        what = f"the file has {header.axes} axes, and not three in space"
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


def _conflicting_letters(header: TextHeader) -> Iterable[Problem]:
    """MetaImage says the orientation twice; as ITK does, the matrix is believed."""
    letters = header.fields.get("anatomicalorientation", "").upper()
    axes = [_FROM.get(letter) for letter in letters]
    if header.lps_from_ijk is None or sorted(a for a in axes if a is not None) != [0, 1, 2]:
        return
    for letter, column in zip(letters, header.lps_from_ijk[:3, :3].T, strict=True):
        along = int(np.abs(column).argmax())
        if along != _FROM[letter] or (column[along] > 0) != (letter in _POSITIVE):
            what = f"AnatomicalOrientation {letters} is not what the matrix says, which is used"
            yield Problem("conflicting-transforms", what, "check which side is left")
            return


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
    _conflicting_letters,
    _converted_unit,
    _single_slice,
)
