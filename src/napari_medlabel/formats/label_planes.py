"""Segments that may overlap, plane by plane: found, told, and made label maps.

A DICOM segmentation or structure set may put one voxel into several segments, a label map cannot.
Nothing is merged silently: either each label map (layer) takes segments that do not overlap, or a
person says which segment wins.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from napari_medlabel.core.edit import LabelArray
from napari_medlabel.core.geometry import BoolArray, Index
from napari_medlabel.errors import InputError

__all__ = ["Overlaps", "Patch", "layers_of", "overlaps_of", "painted"]

Box = tuple[slice, slice, slice]
Overlaps = dict[tuple[int, int], int]  # pairs of segment numbers, ascending: voxels in both


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Voxels of one segment in a part of a grid.

    Parameters
    ----------
    number
        Of the segment.
    where
        The part: slices along k, j, i of the grid.
    mask
        bool, `[k, j, i]`, the shape of `where`.
    """

    number: int
    where: Box
    mask: BoolArray


def overlaps_of(planes: Iterable[Sequence[Patch]]) -> Overlaps:
    """How many voxels each two segments share."""
    shared: dict[tuple[int, int], int] = defaultdict(int)
    for patches in planes:
        if len({patch.number for patch in patches}) < 2 or not _touch(patches):
            continue
        for a, b in combinations(patches, 2):
            count = _shared(a, b)
            if count and a.number != b.number:
                shared[min(a.number, b.number), max(a.number, b.number)] += count
    return dict(shared)


def layers_of(numbers: Sequence[int], overlaps: Overlaps) -> tuple[tuple[int, ...], ...]:
    """Segments in layers without overlap: each in the first layer that has room for it."""
    layers: list[list[int]] = []
    for number in numbers:
        for layer in layers:
            if not any((min(number, n), max(number, n)) in overlaps for n in layer):
                layer.append(number)
                break
        else:
            layers.append([number])
    return tuple(tuple(layer) for layer in layers)


def painted(
    planes: Iterable[Sequence[Patch]],
    shape: Index,
    values: Mapping[int, int],
    *,
    start: int = 0,
    ranks: Mapping[int, int] | None = None,
) -> LabelArray:
    """A label map of the segments that `values` names; of others nothing is taken.

    Parameters
    ----------
    planes
        Patches; those of one voxel in one plane.
    shape
        Of the label map, `[k, j, i]`.
    values
        Label value by segment number.
    start
        Where along k of the patches' grid the label map begins.
    ranks
        Where segments overlap, the one with the higher rank wins.

    Raises
    ------
    InputError
        If a voxel is in two segments of one rank.
    """
    is_wide = max(values.values(), default=0) > 255
    labels = np.zeros(shape, np.dtype(np.uint16 if is_wide else np.uint8))
    highest = ranks or {}
    for patches in planes:
        wanted = [patch for patch in patches if patch.number in values]
        for patch in sorted(wanted, key=lambda patch: highest.get(patch.number, 0)):
            where = (slice(patch.where[0].start - start, patch.where[0].stop - start),
                     *patch.where[1:])  # fmt: skip
            value = values[patch.number]
            under = labels[where]
            taken = patch.mask & (under != 0) & (under != value)
            if taken.any():
                _check_ranks(under[taken], value, values, highest)
            under[patch.mask] = value
    return labels


def _check_ranks(
    under: LabelArray, value: int, values: Mapping[int, int], ranks: Mapping[int, int]
) -> None:
    """Pass where everything below has a lower rank."""
    by_value: dict[int, int] = {}
    for number, given in values.items():
        by_value[given] = max(by_value.get(given, 0), ranks.get(number, 0))
    if any(by_value[int(one)] >= by_value[value] for one in np.unique(under)):
        raise InputError(
            "two segments share voxels, and nothing says which one wins",
            "name the one on top, or take only one of them",
        )


def _touch(patches: Sequence[Patch]) -> bool:
    """Whether any voxel is in two patches; fast where none is."""
    first = patches[0]
    if any(patch.where != first.where for patch in patches):
        return True  # looked at pair by pair
    union = first.mask.copy()
    for patch in patches[1:]:
        if (union & patch.mask).any():
            return True
        union |= patch.mask
    return False


def _shared(a: Patch, b: Patch) -> int:
    low = [max(x.start, y.start) for x, y in zip(a.where, b.where, strict=True)]
    high = [min(x.stop, y.stop) for x, y in zip(a.where, b.where, strict=True)]
    if any(start >= stop for start, stop in zip(low, high, strict=True)):
        return 0
    cut_a, cut_b = (
        one.mask[tuple(
            slice(start - side.start, stop - side.start)
            for start, stop, side in zip(low, high, one.where, strict=True)
        )]
        for one in (a, b)
    )  # fmt: skip
    return int(np.count_nonzero(cut_a & cut_b))
