"""Files of labels: what their voxels must be, and how many label maps they hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.commands.sources import find, read
from napari_medlabel.core.edit import LabelArray
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.volume import Volume
from napari_medlabel.errors import InputError

__all__ = ["LabelMaps", "label_maps", "labels_in", "pairs_of"]


@dataclass(frozen=True, slots=True, eq=False)
class LabelMaps:
    """The labels of a file, `[k, j, i]`: one array, or several where segments overlap.

    A label value is in one of them alone.
    """

    geometry: Geometry
    arrays: tuple[LabelArray, ...]


def label_maps(path: Path) -> LabelMaps:
    """All labels of a mask file; of a DICOM segmentation whose segments overlap all label maps.

    Raises
    ------
    InputError
        If it holds no labels, or several things of which one must be named.
    """
    try:
        volumes = [read(path)]
    except InputError:
        layers = _layers(path)
        if layers < 2:
            raise
        volumes = [read(path, volume=number) for number in range(1, layers + 1)]
    return LabelMaps(volumes[0].geometry, tuple(labels_in(volume) for volume in volumes))


def _layers(path: Path) -> int:
    """How many label maps a file of one segmentation holds; 0 for anything else."""
    try:
        found = find(path).series
    except InputError:
        return 0
    whole = len(found) == 1 and found[0].kind == "segmentation"
    usable = whole and all(one.geometry is not None for one in found[0].volumes)
    return len(found[0].volumes) if usable else 0


def pairs_of(a: LabelMaps, b: LabelMaps) -> Iterator[tuple[LabelArray, LabelArray]]:
    """Arrays of both with the same labels, so that each label is in one pair."""
    if len(a.arrays) == len(b.arrays) == 1:
        yield a.arrays[0], b.arrays[0]
        return
    in_a, in_b = _places(a), _places(b)
    values = sorted(in_a.keys() | in_b.keys())
    for pair in dict.fromkeys((in_a.get(value), in_b.get(value)) for value in values):
        its = [value for value in values if (in_a.get(value), in_b.get(value)) == pair]
        yield _only(a, pair[0], its), _only(b, pair[1], its)


def _places(maps: LabelMaps) -> dict[int, int]:
    """Which of the arrays has each label value."""
    return {
        int(value): n
        for n, array in enumerate(maps.arrays)
        for value in np.flatnonzero(np.bincount(array.ravel()))
        if value
    }


def _only(maps: LabelMaps, index: int | None, values: Sequence[int]) -> LabelArray:
    """The array with these labels alone; with none, where there is no such array."""
    if index is None:
        return np.zeros(maps.geometry.shape, np.uint8)
    array = maps.arrays[index]
    only: LabelArray = np.where(np.isin(array, values), array, 0)
    return only


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
