"""What is looked at together: frames of one size and kind, of one DICOM series or one volume."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.volume import VolumeReader
from napari_medlabel.errors import InputError
from napari_medlabel.formats import open_reader, scan
from napari_medlabel.formats.dicom_files import Skipped
from napari_medlabel.formats.dicom_pictures import (
    FoundPictures,
    Picture,
    PictureReader,
)
from napari_medlabel.privacy.burned_in_cause import PLAIN, causes_to_look
from napari_medlabel.privacy.burned_in_views import luma, shown, spread

__all__ = ["Area", "FrameOf", "Stack", "stacks_of_pictures", "stacks_of_volumes"]

Array = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]
Area = tuple[float, float, float, float]  # left, top, right, bottom in pixels

_SUFFIXES: Final = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".hdr", ".hdr.gz")


@dataclass(frozen=True, slots=True)
class FrameOf:
    """A frame of a file, from 0; of a volume in one file, a slice along k of its own grid."""

    file: str
    frame: int


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Frames that projections are made of.

    Parameters
    ----------
    places
        Where each comes from.
    causes
        Why each is looked at by itself; `PLAIN` where projections are enough.
    shape
        Rows and columns as they are looked at.
    load
        Number of a frame to what is looked at, uint8 with or without colours, and the values
        that projections are made of, `[row, column]`; InputError where it cannot be read.
    in_file
        A box of a picture that is looked at as a box of the file's own frame.
    """

    places: tuple[FrameOf, ...]
    causes: tuple[str, ...]
    shape: tuple[int, int]
    load: Callable[[int], tuple[Bytes, Array]]
    in_file: Callable[[Area], Area]

    def __len__(self) -> int:
        return len(self.places)


def stacks_of_pictures(found: FoundPictures, reader: PictureReader) -> list[Stack]:
    """The pictures of DICOM files in stacks, in order of the files.

    Parameters
    ----------
    found
        By `find_pictures`.
    reader
        Open as long as the stacks are looked at.
    """
    series: dict[Hashable, list[Picture]] = defaultdict(list)
    for picture in found.pictures:
        uid = picture.facts.series_uid or str(Path(picture.facts.place.path).parent)
        series[uid, picture.facts.modality].append(picture)
    stacks = []
    for pictures in series.values():
        groups: dict[Hashable, list[tuple[Picture, str]]] = defaultdict(list)
        for picture, cause in zip(pictures, causes_to_look(pictures), strict=True):
            groups[picture.shape, picture.space].append((picture, cause))
        stacks += [_of_pictures(group, reader) for group in groups.values()]
    return stacks


def _of_pictures(group: Sequence[tuple[Picture, str]], reader: PictureReader) -> Stack:
    frames = [(one, n, cause) for one, cause in group for n in range(one.frames)]

    def load(number: int) -> tuple[Bytes, Array]:
        picture, frame, _ = frames[number]
        stored = reader.read(picture, frame)
        view = shown(picture, stored)
        if picture.space != "grey":
            return view, luma(view)
        slope, intercept = picture.facts.slope or 1.0, picture.facts.intercept or 0.0
        values = stored.astype(np.float32) * np.float32(slope) + np.float32(intercept)
        return view, -values if picture.facts.photometric == "MONOCHROME1" else values

    return Stack(
        tuple(FrameOf(one.name, n) for one, n, _ in frames),
        tuple(cause for _, _, cause in frames),
        frames[0][0].shape,
        load,
        lambda area: area,
    )


def stacks_of_volumes(
    path: Path, skipped: Sequence[Skipped]
) -> tuple[list[Stack], list[VolumeReader], list[Skipped]]:
    """NIfTI, NRRD and MetaImage among what is no DICOM, slice by slice as they were scanned.

    Parameters
    ----------
    path
        What was searched: a folder, or the file itself.
    skipped
        What the search for DICOM left.

    Returns
    -------
    stacks, readers, unread
        The readers are to be closed by the caller.
    """
    stacks: list[Stack] = []
    readers: list[VolumeReader] = []
    unread: list[Skipped] = []
    for one in skipped:
        file = path / one.file if path.is_dir() else path
        if not one.file.lower().endswith(_SUFFIXES) or not _is_file(file, one.file):
            continue
        try:
            (series,) = scan(file).series
            opened = [open_reader(series, number) for number in range(len(series.volumes))]
        except InputError as error:
            unread.append(Skipped(one.file, error.what))
        else:
            readers += opened
            stacks.append(_of_volumes(one.file, opened))
    return stacks, readers, unread


def _is_file(path: Path, name: str) -> bool:
    """Whether it is there by itself: not inside an archive."""
    return path.is_file() and path.name == Path(name).name


def _of_volumes(name: str, readers: Sequence[VolumeReader]) -> Stack:
    """All volumes of a file, of one grid: their slices are counted through."""
    depth, rows, columns = readers[0].source.geometry.shape
    turn = _Turn.of(readers[0].source.geometry.lps_from_kji, (rows, columns))
    count = depth * len(readers)

    def load(number: int) -> tuple[Bytes, Array]:
        volume, k = divmod(number, depth)
        plane = turn.shown(readers[volume].read(k, k + 1)[0])
        return spread(plane), plane

    return Stack(
        tuple(FrameOf(name, n) for n in range(count)),
        (PLAIN,) * count,
        (columns, rows) if turn.transposed else (rows, columns),
        load,
        turn.in_file,
    )


@dataclass(frozen=True, slots=True)
class _Turn:
    """How a slice of a file is turned to lie as scanners show it, so that text can be read.

    Columns run to the left or, of sagittal slices, to the back; rows to the back or to the feet.
    """

    shape: tuple[int, int]
    transposed: bool
    rows_flipped: bool
    columns_flipped: bool

    @classmethod
    def of(cls, lps_from_kji: Array, shape: tuple[int, int]) -> "_Turn":
        """For slices across k, `shape` rows and columns in the file."""
        j, i = lps_from_kji[:3, 1], lps_from_kji[:3, 2]
        along_j, along_i = int(np.argmax(np.abs(j))), int(np.argmax(np.abs(i)))
        transposed = along_j < along_i  # 0 left, 1 back, 2 head: columns take the lower one
        row, column = (i, j) if transposed else (j, i)
        down = row[max(along_j, along_i)] * (-1 if max(along_j, along_i) == 2 else 1)
        return cls(shape, transposed, bool(down < 0), bool(column[min(along_j, along_i)] < 0))

    def shown(self, plane: Array) -> Array:
        """The slice as it is looked at."""
        turned = plane.T if self.transposed else plane
        turned = turned[::-1] if self.rows_flipped else turned
        turned = turned[:, ::-1] if self.columns_flipped else turned
        return np.ascontiguousarray(turned)

    def in_file(self, area: Area) -> Area:
        """A box of the slice as it is looked at in the file's own rows and columns."""
        left, top, right, bottom = area
        rows, columns = self.shape[::-1] if self.transposed else self.shape
        if self.columns_flipped:
            left, right = columns - right, columns - left
        if self.rows_flipped:
            top, bottom = rows - bottom, rows - top
        return (top, left, bottom, right) if self.transposed else (left, top, right, bottom)
