"""DICOM segmentations opened: as volumes of labels on their own grid, or for an image's grid."""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.edit import LabelArray
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.problem import Problem
from napari_medlabel.core.volume import FoundVolume, Instance, Source, Window
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.formats.dicom_files import Opener, Place
from napari_medlabel.formats.dicom_seg import DicomSeg, seg_of
from napari_medlabel.formats.dicom_seg_grid import PlacedFrames, own_grid
from napari_medlabel.formats.dicom_seg_pixels import SegPixels
from napari_medlabel.formats.dicom_segments import told
from napari_medlabel.formats.label_planes import layers_of, overlaps_of, painted

__all__ = ["SegLayer", "SegReader", "open_segmentation", "segmentation_volumes"]


@dataclass(frozen=True, slots=True, eq=False)
class SegLayer:
    """Segments of one file that do not overlap: a label map, not read yet."""

    seg: DicomSeg
    numbers: tuple[int, ...]


def segmentation_volumes(places: Sequence[Place]) -> tuple[FoundVolume, ...]:
    """The label maps of the segmentations in some files: several of a file if segments overlap.

    Pixels are only read of frames that might overlap.
    """
    found: list[FoundVolume] = []
    with Opener() as opener:
        for n, place in enumerate(places, 1):
            name = f"file {n}" if len(places) > 1 else ""
            found += _volumes(name, place, opener)
    return tuple(found)


def open_segmentation(found: FoundVolume) -> "SegReader":
    """Open one label map that `segmentation_volumes` found; it is usable."""
    (layer,) = found.parts
    assert isinstance(layer, SegLayer) and found.geometry is not None  # noqa: S101, PT018
    return SegReader(layer, found.geometry, name=found.name, problems=found.problems)


class SegReader:
    """One label map of a segmentation: `napari_medlabel.core.volume.VolumeReader`.

    A voxel's value is the number of its segment, 0 is background; uint8 where that is enough,
    else uint16. Slices without a frame are background. An instance's hash is that of its slice's
    labels, little-endian.
    """

    def __init__(
        self,
        layer: SegLayer,
        geometry: Geometry,
        *,
        name: str = "",
        problems: tuple[Problem, ...] = (),
    ) -> None:
        facts = layer.seg.facts
        self.dtype = np.dtype(np.uint16 if max(layer.numbers) > 255 else np.uint8)
        self.modality, self.unit, self.name = "SEG", "label", name
        self.window: Window | None = None
        self.problems = problems
        self.segments = tuple(one for one in layer.seg.segments if one.number in layer.numbers)
        self.source = Source(
            format="dicom-seg",
            geometry=geometry,
            axes=geometry.canonical,
            study_uid=facts.study_uid,
            series_uid=facts.series_uid,
            frame_of_reference_uid=facts.frame_of_reference_uid,
            instances=tuple(Instance(facts.sop_uid, k) for k in range(geometry.shape[0])),
            sop_class=facts.sop_class,
        )
        self._values = {number: number for number in layer.numbers}
        self._pixels = SegPixels(layer.seg)
        self._frames = PlacedFrames(layer.seg, self._pixels, geometry, frozenset(layer.numbers))
        self._hashes: dict[int, str] = {}
        self._lock = threading.Lock()

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Slices `start` to `stop` along k of its own grid, `[k, j, i]`.

        Raises
        ------
        InputError
            If a frame cannot be read.
        """
        depth, rows, columns = self.source.geometry.shape
        if not 0 <= start <= stop <= depth:
            raise ValueError(f"slices {start} to {stop} of {depth}")
        planes, shape = self._frames.slices(start, stop), (stop - start, rows, columns)
        labels: LabelArray = painted(planes, shape, self._values, start=start)
        for k in range(start, stop):
            self._note_hash(k, labels[k - start])
        return labels

    def hashes(self) -> tuple[Instance, ...]:
        """The instances, each with the hash of its slice where that was read."""
        with self._lock:
            return tuple(
                Instance(one.uid, one.slice, self._hashes.get(one.slice, ""))
                for one in self.source.instances
            )

    def close(self) -> None:
        """Let go of files."""
        self._pixels.close()

    def _note_hash(self, k: int, labels: npt.NDArray[Any]) -> None:
        little = labels.astype(labels.dtype.newbyteorder("<"), copy=False)
        digest = hashlib.sha256(np.ascontiguousarray(little).data).hexdigest()
        with self._lock:
            self._hashes[k] = digest


def _volumes(name: str, place: Place, opener: Opener) -> list[FoundVolume]:
    """The label maps of one file, or one that says why it cannot be read."""
    try:
        seg = seg_of(place, opener)
    except InputError as error:
        problem = Problem("damaged-segmentation", error.what, error.hint, blocking=True)
        return [FoundVolume(name, None, (problem,))]
    try:
        geometry = own_grid(seg)
        layers, problems = _layers(seg, geometry)
    except InputError as error:  # GeometryError, too
        code = "scattered-frames" if isinstance(error, GeometryError) else "damaged-segmentation"
        problem = Problem(code, error.what, error.hint, blocking=True)
        return [FoundVolume(name, None, (*seg.problems, problem), (SegLayer(seg, seg.numbers),))]
    names = [f"layer {n}" if len(layers) > 1 else "" for n in range(1, len(layers) + 1)]
    return [
        FoundVolume(
            ", ".join(filter(None, (name, own))), geometry, problems, (SegLayer(seg, numbers),)
        )
        for own, numbers in zip(names, layers, strict=True)
    ]


def _layers(
    seg: DicomSeg, geometry: Geometry
) -> tuple[tuple[tuple[int, ...], ...], tuple[Problem, ...]]:
    """Segments that do not overlap, together; and what is to be said of those that do."""
    pixels = SegPixels(seg)
    try:
        # Whatever SegmentsOverlap says: it may be wrong, and the pixels never are.
        overlaps = overlaps_of(PlacedFrames(seg, pixels, geometry).shared())
    finally:
        pixels.close()
    layers = layers_of(seg.numbers, overlaps)
    if len(layers) == 1:
        return layers, seg.problems
    what = f"segments share voxels: {told(seg.segments, overlaps)}"
    hint = f"they are in {len(layers)} label maps; imported into a case they come into groups"
    return layers, (*seg.problems, Problem("overlapping-segments", what, hint))
