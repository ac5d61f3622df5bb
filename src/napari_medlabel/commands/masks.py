"""Files of labels: what their voxels must be."""

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.edit import LabelArray
from napari_medlabel.core.volume import Volume
from napari_medlabel.errors import InputError

__all__ = ["labels_in"]


def labels_in(mask: Volume, dtype: npt.DTypeLike = np.uint16) -> LabelArray:
    """The voxels of a mask file as labels of this type, `[k, j, i]`.

    Raises
    ------
    InputError
        If a value is no whole number from 0 to the type's largest.
    """
    voxels: npt.NDArray[Any] = np.asarray(mask.levels[0])
    most = np.iinfo(np.dtype(dtype)).max
    if not (_all_finite(voxels) and _all_within(voxels, most) and _all_whole(voxels)):
        raise InputError(
            "the file holds values that are not labels",
            f"choose a mask: labels are whole numbers from 0 to {most}",
        )
    return voxels.astype(dtype, copy=False)


def _all_finite(voxels: npt.NDArray[Any]) -> bool:
    return voxels.dtype.kind != "f" or bool(np.isfinite(voxels).all())


def _all_within(voxels: npt.NDArray[Any], most: int) -> bool:
    return voxels.size == 0 or bool(voxels.min() >= 0 and voxels.max() <= most)


def _all_whole(voxels: npt.NDArray[Any]) -> bool:
    return voxels.dtype.kind != "f" or bool((voxels == np.floor(voxels)).all())
