"""DICOM objects that bring labels to an image: segmentations and RT structure sets."""

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from napari_medlabel.core.edit import LabelArray
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.problem import Problem
from napari_medlabel.errors import InputError
from napari_medlabel.files import shown
from napari_medlabel.formats.contours import DrawnContours
from napari_medlabel.formats.dicom_files import Opener, Place, find_files
from napari_medlabel.formats.dicom_header import HeaderError, NotDicom
from napari_medlabel.formats.dicom_odd import read_any_header
from napari_medlabel.formats.dicom_rtstruct import STRUCTURE_SET, StructureSet, structures_of
from napari_medlabel.formats.dicom_seg import SEGMENTATIONS, DicomSeg, seg_of
from napari_medlabel.formats.dicom_seg_grid import PlacedFrames
from napari_medlabel.formats.dicom_seg_pixels import SegPixels
from napari_medlabel.formats.dicom_segments import Segment
from napari_medlabel.formats.label_planes import Patch, layers_of, overlaps_of, painted

__all__ = ["DicomLabels", "OnGrid", "layers_on", "open_dicom_labels"]

_SOP_CLASS: Final = 0x00080016
_NO_HEADER: Final = (OSError, EOFError, zipfile.BadZipFile, RuntimeError)


class OnGrid(Protocol):
    """Segments on the grid of an image, read plane by plane."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is not as it looks."""

    def planes(self) -> Iterator[Sequence[Patch]]:
        """All voxels, those of one plane together."""


@dataclass(frozen=True, slots=True, eq=False)
class DicomLabels:
    """What a file says of its segments.

    Parameters
    ----------
    kind
        "dicom-seg" or "rtstruct".
    segments
        In the order of the file.
    frames_of_reference, referenced
        UIDs of frames of reference, and of the instances that it was made on; they identify.
    problems
        What a person must know of it.
    content
        What `on` reads.
    """

    kind: str
    segments: tuple[Segment, ...]
    frames_of_reference: frozenset[str]
    referenced: frozenset[str]
    problems: tuple[Problem, ...]
    content: DicomSeg | StructureSet

    def on(self, geometry: Geometry, numbers: frozenset[int]) -> OnGrid:
        """Some of the segments on the grid of an image.

        Raises
        ------
        GeometryError
            If they do not lie on it; says how far off they are.
        InputError
            If the file contradicts itself.
        """
        if isinstance(self.content, StructureSet):
            return DrawnContours(self.content, geometry, numbers)
        return PlacedFrames(self.content, SegPixels(self.content), geometry, numbers)


def layers_on(labels: DicomLabels, geometry: Geometry) -> tuple[LabelArray, ...]:
    """All segments on the grid of an image: label maps in which no two overlap.

    A voxel's value is the number of its segment; each segment is in the first label map that has
    room for it, in the order of the file.

    Raises
    ------
    GeometryError, InputError
        As `DicomLabels.on`.
    """
    numbers = [segment.number for segment in labels.segments]
    placed = labels.on(geometry, frozenset(numbers))
    layers = layers_of(numbers, overlaps_of(placed.planes()))
    return tuple(
        painted(placed.planes(), geometry.shape, {number: number for number in layer})
        for layer in layers
    )


def open_dicom_labels(path: Path) -> DicomLabels | None:
    """The segments of a DICOM segmentation or structure set; None for any other file.

    Parameters
    ----------
    path
        A file, or a folder that holds one such object and whatever else.

    Raises
    ------
    InputError
        If it is damaged or contradicts itself, or the folder holds several.
    """
    with Opener() as opener:
        if path.is_dir():
            places = [one.place for one in find_files(path)[0]]
            places = [place for place in places if _sop_class(place, opener)]
            if len(places) > 1:
                what = f"the folder holds {len(places)} segmentations and structure sets"
                raise InputError(what, "name one of its files")
        else:
            places = [Place(str(path))] if path.is_file() else []
        for place in places:
            sop_class = _sop_class(place, opener)
            if sop_class:
                return _opened(place, sop_class, opener, path)
    return None


def _opened(place: Place, sop_class: str, opener: Opener, path: Path) -> DicomLabels:
    try:
        if sop_class == STRUCTURE_SET:
            found = structures_of(place, opener)
            return DicomLabels(
                "rtstruct", found.segments, found.frames_of_reference, found.referenced,
                found.problems, found,
            )  # fmt: skip
        seg = seg_of(place, opener)
        frames = frozenset({seg.facts.frame_of_reference_uid} - {""})
        return DicomLabels("dicom-seg", seg.segments, frames, seg.referenced, seg.problems, seg)
    except InputError as error:
        what = f"{shown(path)} cannot be used: {error.what}"
        raise type(error)(what, error.hint) from error


def _sop_class(place: Place, opener: Opener) -> str:
    """What kind of object a file holds, if it is one of these; else nothing."""
    wanted = frozenset({_SOP_CLASS})
    try:
        file, size = opener.open(place)
        with file:
            header = read_any_header(file, size, wanted)
    except (NotDicom, HeaderError, *_NO_HEADER):
        return ""
    found = header.values.get(_SOP_CLASS, b"").decode("latin-1").strip(" \0")
    return found if found in {STRUCTURE_SET, *SEGMENTATIONS} else ""
