"""RT structure sets: closed contours in planes, and the voxels of an image inside them.

RT Structure Set, PS3.3 A.19 with C.8.8.5 and C.8.8.6. A structure set has no grid of its own.
"""

import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset

from napari_medlabel.core.geometry import FloatArray
from napari_medlabel.core.problem import Problem
from napari_medlabel.core.schema import Code
from napari_medlabel.errors import InputError
from napari_medlabel.files import shown
from napari_medlabel.formats.dicom_files import Opener, Place
from napari_medlabel.formats.dicom_header import DEFLATED, inflated, read_header
from napari_medlabel.formats.dicom_odd import Bounded
from napari_medlabel.formats.dicom_segments import Segment

__all__ = ["STRUCTURE_SET", "Structure", "StructureSet", "read_structures"]

STRUCTURE_SET: Final = "1.2.840.10008.5.1.4.1.1.481.3"
_SYNTAX, _CONTOUR_DATA = 0x00020010, 0x30060050
_CLOSED: Final = frozenset({"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"})
_KINDS: Final = {"POINT": "points", "OPEN_PLANAR": "open lines", "OPEN_NONPLANAR": "open lines"}


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """A region of interest: its contours, each `[n, 3]` positions, LPS mm, n of 3 or more."""

    segment: Segment
    contours: tuple[FloatArray, ...]


@dataclass(frozen=True, slots=True, eq=False)
class StructureSet:
    """The structures of a file.

    Parameters
    ----------
    structures
        Those with closed contours, in the order of the file.
    frames_of_reference
        UIDs; they identify.
    referenced
        UIDs of the instances that it was drawn on; they identify.
    problems
        What was left out.
    """

    structures: tuple[Structure, ...]
    frames_of_reference: frozenset[str] = frozenset()
    referenced: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()

    @property
    def segments(self) -> tuple[Segment, ...]:
        """What each structure is."""
        return tuple(one.segment for one in self.structures)


def read_structures(path: str | Path) -> StructureSet:
    """The structures of an RT structure set.

    Points and open lines enclose nothing: they are left out, and a problem says so.

    Raises
    ------
    InputError
        If the file is none, is damaged, or has no closed contour.
    """
    place = Path(path)
    try:
        with Opener() as opener:
            return structures_of(Place(str(place)), opener)
    except InputError as error:
        raise InputError(f"{shown(place)} cannot be used: {error.what}", error.hint) from error


def structures_of(place: Place, opener: Opener) -> StructureSet:
    """As `read_structures`, of a file or a member of an archive.

    Raises
    ------
    InputError
        As there; without the file's name.
    """
    try:
        file, size = opener.open(place)
        with file:
            dataset = _dataset(file, size)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError("it cannot be read", "look whether the file is still there") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _structures(dataset)
    except InputError:
        raise
    except Exception as error:  # a hostile header fails in any way it likes
        raise InputError("its structures cannot be read: the header is damaged") from error


def _dataset(file: IO[bytes], size: int) -> Dataset:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            syntax = read_header(file, size, frozenset({_SYNTAX})).syntax
            if syntax == DEFLATED:
                file.seek(0)
                inflated(file, size)  # raises where it would fill the memory
            file.seek(0)
            bounded: Any = Bounded(file, size)
            return dcmread(bounded, force=True, stop_before_pixels=True)
    except InputError:
        raise
    except Exception as error:  # RecursionError, struct.error, NotImplementedError, ...
        raise InputError("its header is damaged") from error


def _structures(dataset: Dataset) -> StructureSet:
    if str(dataset.get("SOPClassUID", "")) != STRUCTURE_SET:
        raise InputError("it is no RT structure set")
    words = {
        int(item.ROINumber): str(item.get("ROIName", "") or "")
        for item in dataset.get("StructureSetROISequence") or ()
    }
    codes = _codes(dataset)
    found: list[Structure] = []
    skipped: Counter[str] = Counter()
    for item in dataset.get("ROIContourSequence") or ():
        number = int(item.ReferencedROINumber)
        if number not in words:
            raise InputError(f"it has contours of structure {number}, which is not described")
        contours = tuple(_closed_contours(item.get("ContourSequence") or (), skipped))
        if contours:
            color = _color(item.get("ROIDisplayColor"))
            segment = Segment(number, words[number], color=color, code=codes.get(number))
            found.append(Structure(segment, contours))
    if not found:
        raise InputError("it has no closed contour")
    numbers = Counter(one.segment.number for one in found)
    if max(numbers.values()) > 1:
        raise InputError("two of its structures have the same number")
    frames, referenced = _references(dataset)
    return StructureSet(tuple(found), frames, referenced, tuple(_left_out(skipped)))


def _closed_contours(items: Sequence[Dataset], skipped: Counter[str]) -> Iterator[FloatArray]:
    seen: set[bytes] = set()
    for item in items:
        kind = str(item.get("ContourGeometricType", ""))
        if kind not in _CLOSED:
            skipped[_KINDS.get(kind, "contours of an unknown kind")] += 1
            continue
        points = _points(item)
        if len(points) < 3:
            skipped["contours of less than three points"] += 1
        elif points.tobytes() in seen:
            skipped["contours that are there twice"] += 1  # even-odd would make them holes
        else:
            seen.add(points.tobytes())
            yield points


def _points(item: Dataset) -> FloatArray:
    """ContourData, `[n, 3]`: from its raw text, since there may be millions of numbers."""
    raw: Any = item.get_item(_CONTOUR_DATA)
    value = raw.value if raw is not None else b""
    if isinstance(value, bytes):
        text = value.rstrip(b" \0")
        numbers = np.array(text.split(b"\\") if text else [], dtype=np.float64)
    else:
        numbers = np.array(value if value is not None else [], dtype=np.float64)
    if numbers.size % 3 or not np.isfinite(numbers).all():
        raise InputError("the points of a contour are not numbers in threes")
    points: FloatArray = numbers.reshape(-1, 3)
    return points


def _codes(dataset: Dataset) -> dict[int, Code]:
    """What each structure is, where an observation says so."""
    codes = {}
    for item in dataset.get("RTROIObservationsSequence") or ():
        for code in (item.get("RTROIIdentificationCodeSequence") or ())[:1]:
            codes[int(item.ReferencedROINumber)] = Code(
                str(code.get("CodeValue", "")), str(code.get("CodingSchemeDesignator", "")),
                str(code.get("CodeMeaning", "")),
            )  # fmt: skip
    return {number: code for number, code in codes.items() if code.value}


def _references(dataset: Dataset) -> tuple[frozenset[str], frozenset[str]]:
    """The frames of reference, and the instances that it was drawn on."""
    frames = {
        str(item.get("ReferencedFrameOfReferenceUID", "") or "")
        for item in dataset.get("StructureSetROISequence") or ()
    }
    instances = set()
    for frame in dataset.get("ReferencedFrameOfReferenceSequence") or ():
        frames.add(str(frame.get("FrameOfReferenceUID", "") or ""))
        for study in frame.get("RTReferencedStudySequence") or ():
            for series in study.get("RTReferencedSeriesSequence") or ():
                for image in series.get("ContourImageSequence") or ():
                    instances.add(str(image.get("ReferencedSOPInstanceUID", "") or ""))
    return frozenset(frames - {""}), frozenset(instances - {""})


def _color(value: Any) -> str:  # noqa: ANN401  # whatever the header holds
    try:
        red, green, blue = (int(part) for part in value)
    except (TypeError, ValueError):
        return ""
    if not all(0 <= part <= 255 for part in (red, green, blue)):
        return ""
    return f"#{red:02X}{green:02X}{blue:02X}"


def _left_out(skipped: Mapping[str, int]) -> Iterator[Problem]:
    if skipped:
        parts = ", ".join(f"{count} {what}" for what, count in sorted(skipped.items()))
        yield Problem("open-contours", f"left out: {parts}", "only closed contours enclose voxels")
