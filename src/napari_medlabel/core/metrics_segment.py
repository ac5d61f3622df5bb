"""All numbers of a segment together: its size, its shape and the image's values in it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.geometry import Geometry, Index
from napari_medlabel.core.metrics import Intensities
from napari_medlabel.core.metrics_shape import SegmentShape, shape_of
from napari_medlabel.core.region import Report, Stop, check_not_stopped, never, silent
from napari_medlabel.core.volume import Grid
from napari_medlabel.errors import GeometryError

__all__ = ["SegmentStatistics", "segment_statistics"]

Box = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True)
class SegmentStatistics:
    """The numbers of one segment."""

    value: int
    voxels: int
    ml: float
    shape: SegmentShape
    intensities: Intensities | None = None

    def document(self) -> dict[str, Any]:
        """JSON-ready values."""
        size = {"value": self.value, "voxels": self.voxels, "ml": self.ml}
        values = self.intensities.document() if self.intensities else {}
        return size | values | self.shape.document()


def segment_statistics(  # noqa: PLR0913  # what is measured, and how long that is waited for
    labels: npt.NDArray[Any], geometry: Geometry, image: Grid | None = None, *,
    values: Collection[int] = (), cancelled: Stop = never, progress: Report = silent,
) -> tuple[SegmentStatistics, ...]:  # fmt: skip
    """Measure segments, in order of label values; those without a voxel are left out.

    Parameters
    ----------
    labels
        Whole numbers from 0, `[k, j, i]`, on `geometry`.
    geometry
        Where the voxels are.
    image
        Values on the same grid, or none; read in the box of each segment.
    values
        Label values of the segments; without it, all that are there.
    cancelled
        Polled on every slice.
    progress
        Called with slices done and in all, of all segments together.

    Raises
    ------
    GeometryError
        If the shapes differ.
    Cancelled
        If `cancelled` says so.
    """
    if {labels.shape, labels.shape if image is None else tuple(image.shape)} != {geometry.shape}:
        raise GeometryError("the labels, the image and the geometry are not on one grid")
    boxes = [
        (value, (box[0], box[1], box[2]))
        for value, box in enumerate(ndimage.find_objects(labels), 1)
        if box is not None and (not values or value in values)
    ]
    total = sum(box[0].stop - box[0].start for _, box in boxes)
    found, done = list[SegmentStatistics](), 0
    for value, box in boxes:
        check_not_stopped(cancelled)
        before = done

        def report(own: int, _of: int, before: int = before) -> None:
            progress(before + own, total)

        found.append(_measured(labels, geometry, image, value, box, cancelled, report))
        done += box[0].stop - box[0].start
        progress(done, total)
    return tuple(found)


def _measured(  # noqa: PLR0913, PLR0917
    labels: npt.NDArray[Any], geometry: Geometry, image: Grid | None, value: int, box: Box,
    cancelled: Stop, progress: Report,
) -> SegmentStatistics:  # fmt: skip
    mask = labels[box] == value
    low: Index = (box[0].start, box[1].start, box[2].start)
    shape = shape_of(mask, low, geometry, cancelled=cancelled, progress=progress)
    voxels = int(np.count_nonzero(mask))
    inside = None if image is None else Intensities.of(np.asarray(image[box])[mask])
    return SegmentStatistics(value, voxels, voxels * geometry.voxel_ml, shape, inside)
