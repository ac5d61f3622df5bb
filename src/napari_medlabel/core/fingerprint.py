"""What tells two masks apart: hashes of their voxels."""

import hashlib
from collections.abc import Mapping

import numpy as np

from napari_medlabel.core.edit import LabelArray

__all__ = ["groups_sha256", "mask_sha256"]


def mask_sha256(voxels: LabelArray) -> str:
    """SHA-256 (hex) of the voxels, little-endian, C order of `[k, j, i]`."""
    little = voxels.astype(voxels.dtype.newbyteorder("<"), copy=False)
    return hashlib.sha256(np.ascontiguousarray(little).data).hexdigest()


def groups_sha256(arrays: Mapping[int, LabelArray]) -> str:
    """SHA-256 (hex) of the labels of all groups, by their numbers.

    Where no group but 0 has a voxel, that of group 0 alone: `mask_sha256`. Else of a line for
    group 0 and every group with voxels, growing: the number, a space, its `mask_sha256`.
    """
    others = sorted(group for group, array in arrays.items() if group and array.any())
    if not others:
        return mask_sha256(arrays[0])
    lines = "".join(f"{group} {mask_sha256(arrays[group])}\n" for group in (0, *others))
    return hashlib.sha256(lines.encode()).hexdigest()
