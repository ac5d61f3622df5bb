"""Labels brought onto another grid: each voxel takes the label at its centre."""

import numpy as np
from scipy import ndimage

from napari_medlabel.core.edit import LabelArray
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.region import (
    Report,
    Stop,
    check_not_stopped,
    never,
    silent,
    slabs,
    whole_box,
)
from napari_medlabel.errors import GeometryError

__all__ = ["labels_onto"]


def labels_onto(
    labels: LabelArray, source: Geometry, target: Geometry, *, cancelled: Stop = never,
    progress: Report = silent,
) -> LabelArray:  # fmt: skip
    """The labels on another grid, each voxel's from the voxel that its centre lies in.

    Parameters
    ----------
    labels
        uint8 or uint16, `[k, j, i]`, on `source`.
    source, target
        Where the voxels are, and where they are to be, in one space.
    cancelled
        Polled for each slab.
    progress
        Called with slices done and in all.

    Returns
    -------
    LabelArray
        Of `target`'s shape; 0 where a centre lies outside of `source`.

    Raises
    ------
    GeometryError
        If the labels are not on `source`.
    Cancelled
        If `cancelled` says so.
    """
    if labels.shape != source.shape:
        raise GeometryError("the labels do not have the shape of their grid")
    source_from_target = np.linalg.solve(source.lps_from_kji, target.lps_from_kji)
    # A hair to one side, so that rounding decides nothing where grids share voxel borders.
    matrix, offset = source_from_target[:3, :3], source_from_target[:3, 3] + 1e-6
    walled = np.pad(labels, 1)  # SciPy would give half of a voxel at the border to nobody
    found: LabelArray = np.zeros(target.shape, labels.dtype)
    for part in slabs(whole_box(target.shape)):
        check_not_stopped(cancelled)
        start = offset + matrix[:, 0] * part.start + 1.0
        ndimage.affine_transform(
            walled, matrix, start, output=found[part], output_shape=found[part].shape, order=0
        )
        progress(part.stop, target.shape[0])
    return found
