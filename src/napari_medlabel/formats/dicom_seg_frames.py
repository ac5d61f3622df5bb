"""Frames of a segmentation to write: one slice of one segment each, of groups that may overlap.

highdicom takes a label map, in which no two segments overlap, or an array with an axis for the
segments, which needs as much memory as all of them together. So each group of labels becomes a
segmentation of its own, of the same segments, and their frames are put into one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from napari_medlabel.core.derivation import SlicePlanes
from napari_medlabel.core.edit import LabelArray

__all__ = ["Part", "held_open", "joined", "slices_of_frames"]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A segmentation of one group.

    Parameters
    ----------
    dataset
        As highdicom made it, of all slices.
    slices
        The slice along k of each frame.
    held
        Slices without any voxel, each with one frame that `held_open` brought about.
    """

    dataset: Dataset
    slices: tuple[int, ...]
    held: frozenset[int]


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """One frame of a part: where its bits are, what is said of it, and how it is sorted."""

    part: Part
    number: int

    @property
    def group(self) -> Dataset:
        found: Dataset = self.part.dataset.PerFrameFunctionalGroupsSequence[self.number]
        return found

    @property
    def rank(self) -> tuple[int, ...]:
        return tuple(self.group.FrameContentSequence[0].DimensionIndexValues)

    @property
    def slice(self) -> int:
        return self.part.slices[self.number]

    @property
    def is_held(self) -> bool:
        return self.slice in self.part.held

    def bits(self) -> npt.NDArray[np.uint8]:
        """0 or 1 for each pixel; all 0 where the frame only holds its slice open."""
        size = int(self.part.dataset.Rows) * int(self.part.dataset.Columns)
        if self.is_held:
            return np.zeros(size, np.uint8)
        first, shift = divmod(self.number * size, 8)
        part = memoryview(self.part.dataset.PixelData)[first : first + (shift + size + 7) // 8]
        bits = np.unpackbits(np.frombuffer(part, np.uint8), bitorder="little")
        return bits[shift : shift + size]


def held_open(numbers: LabelArray) -> tuple[LabelArray, frozenset[int]]:
    """One voxel of segment 1 in each slice without any, for highdicom leaves such slices out.

    The array is changed; one without any voxel is left as it is, for then it leaves none out.
    """
    empty = np.flatnonzero(~numbers.any(axis=(1, 2)))
    if len(empty) == len(numbers):
        return numbers, frozenset()
    numbers[empty, 0, 0] = 1
    return numbers, frozenset(int(k) for k in empty)


def slices_of_frames(dataset: Dataset, planes: SlicePlanes) -> tuple[int, ...]:
    """The slice along k of each frame, by its position."""
    groups = dataset.PerFrameFunctionalGroupsSequence
    at = np.array([group.PlanePositionSequence[0].ImagePositionPatient for group in groups], float)
    order = np.argsort(planes.heights_mm)
    heights = planes.heights_mm[order]
    found = at @ planes.normal
    right = np.clip(np.searchsorted(heights, found), 1, max(len(heights) - 1, 1))
    left = right - 1
    if len(heights) == 1:
        return (0,) * len(groups)
    nearest = np.where(found - heights[left] < heights[right] - found, left, right)
    return tuple(int(k) for k in order[nearest])


def joined(parts: Sequence[Part]) -> tuple[Dataset, tuple[int, ...]]:
    """All frames in the dataset of the first part, and the slice of each.

    Frames are in the order of segments and slices. A slice that no part has a voxel in keeps one
    frame, with none.
    """
    first = parts[0]
    if len(parts) == 1 and not first.held:
        return first.dataset, first.slices
    frames = sorted(_kept(parts), key=lambda frame: frame.rank)
    groups = [frame.group for frame in frames]
    pixels = b"".join(_packed(frame.bits() for frame in frames))
    dataset = first.dataset
    dataset.PixelData = pixels + b"\0" * (len(pixels) % 2)
    dataset.NumberOfFrames = len(frames)
    dataset.PerFrameFunctionalGroupsSequence = groups
    return dataset, tuple(frame.slice for frame in frames)


def _kept(parts: Sequence[Part]) -> Iterator[_Frame]:
    """The frames with voxels; and one of each slice that has none."""
    filled: set[int] = set()
    held: dict[int, _Frame] = {}
    for part in parts:
        for number in range(len(part.slices)):
            frame = _Frame(part, number)
            if frame.is_held:
                held.setdefault(frame.slice, frame)
            else:
                filled.add(frame.slice)
                yield frame
    yield from (frame for k, frame in held.items() if k not in filled)


def _packed(frames: Iterable[npt.NDArray[np.uint8]]) -> Iterator[bytes]:
    """Bits as bytes, the first in the lowest; eight frames at a time fill whole bytes."""
    batch: list[npt.NDArray[np.uint8]] = []
    for frame in frames:
        batch.append(frame)
        if len(batch) == 8:
            yield np.packbits(np.concatenate(batch), bitorder="little").tobytes()
            batch.clear()
    if batch:
        yield np.packbits(np.concatenate(batch), bitorder="little").tobytes()
