"""Frames of a DICOM segmentation as masks: bits, shares or label values."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.errors import InputError
from napari_medlabel.formats.dicom_header import PixelPlace
from napari_medlabel.formats.dicom_instance import InstanceFacts
from napari_medlabel.formats.dicom_pixels import decode_frame, is_native
from napari_medlabel.formats.dicom_seg import DicomSeg, SegFrame
from napari_medlabel.formats.dicom_stored import UNREADABLE, StoredFrames

__all__ = ["SegPixels"]

Picture = npt.NDArray[np.unsignedinteger[Any]]


class SegPixels:
    """Reads the frames of a segmentation, from any thread; one is in memory at a time."""

    def __init__(self, seg: DicomSeg) -> None:
        self._seg, self._stored = seg, StoredFrames()
        self._known = frozenset(seg.numbers)

    def masks(self, frame: SegFrame) -> Iterator[tuple[int, BoolArray]]:
        """The segments that a frame holds, each with its voxels, `[row, column]`.

        Raises
        ------
        InputError
            If the frame cannot be read, or holds a value that stands for no segment.
        """
        try:
            picture = self._picture(frame.number)
        except InputError as error:
            what = f"frame {frame.number + 1} of the segmentation cannot be read: {error.what}"
            raise InputError(what, error.hint) from error
        except UNREADABLE as error:
            what = f"frame {frame.number + 1} of the segmentation cannot be read"
            raise InputError(what, "look whether the file is still there") from error
        if self._seg.encoding != "LABELMAP":
            yield frame.segment, picture >= self._seg.threshold
            return
        for value in np.unique(picture).tolist():
            if value in self._known:
                yield value, picture == value
            elif value not in self._seg.background:
                raise InputError(
                    f"frame {frame.number + 1} holds the value {value}, "
                    "which none of the described segments has"
                )

    def close(self) -> None:
        """Let go of files."""
        self._stored.close()

    def _picture(self, number: int) -> Picture:
        facts = self._seg.facts
        if not is_native(facts):
            stored = replace(facts, frame=number)
            picture = decode_frame(self._stored.read_compressed(stored), stored)
            return picture.view(f"u{picture.itemsize}")
        if facts.bits_allocated == 1:
            return self._bits(number)
        out = np.empty((facts.rows, facts.columns), f"<u{facts.bits_allocated // 8}")
        self._read(number * facts.frame_bytes, out)
        return out

    def _bits(self, number: int) -> npt.NDArray[np.uint8]:
        """One frame of a bit for each voxel: frames follow each other without padding, PS3.5 8.2.

        The first voxel is the lowest bit of the first byte, and a frame may begin inside one.
        """
        facts = self._seg.facts
        count = facts.rows * facts.columns
        first = number * count
        packed = np.empty((first + count + 7) // 8 - first // 8, np.uint8)
        self._read(first // 8, packed)
        bits = np.unpackbits(packed, bitorder="little")
        return bits[first % 8 : first % 8 + count].reshape(facts.rows, facts.columns)

    def _read(self, start: int, out: npt.NDArray[Any]) -> None:
        """Bytes of the pixel data from `start` on."""
        self._stored.read_native(_at(self._seg.facts, start), out.reshape(-1).view(np.uint8).data)


def _at(facts: InstanceFacts, start: int) -> InstanceFacts:
    """The facts of a file whose pixel data begins later."""
    assert isinstance(facts.pixels, PixelPlace)  # noqa: S101  # checked with the header
    return replace(facts, frame=0, pixels=replace(facts.pixels, offset=facts.pixels.offset + start))
