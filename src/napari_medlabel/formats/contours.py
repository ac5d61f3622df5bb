"""Voxels inside closed contours, slice by slice.

A voxel is inside where its centre is, by the even-odd rule over all contours of a structure in
its slice: a contour inside another is a hole, and a keyhole's seam cancels out. A centre exactly
on a contour is inside where the structure lies towards larger column and row indices: what two
structures share a border of is never in both. Curves are straight from point to point.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from math import floor
from typing import Final

import numpy as np

from napari_medlabel.core.geometry import BoolArray, FloatArray, Geometry
from napari_medlabel.core.problem import Problem
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.formats.dicom_rtstruct import Structure, StructureSet
from napari_medlabel.formats.label_planes import Patch

__all__ = ["DrawnContours", "inside", "rasterised"]

_FLAT_MM: Final = 0.1  # contours are written with few decimals
_FLAT: Final = 0.1  # of the distance between slices
_OFF_MM: Final = 0.1  # how far from its slice a contour may be without a word
_CROSSINGS: Final = 1 << 20  # of rows and edges at a time


class DrawnContours:
    """The contours of some structures on a grid.

    Each contour belongs to the slice that it is nearest to.

    Parameters
    ----------
    structures
        The structure set.
    geometry
        The grid; contours lie along its slices.
    numbers
        Structures to draw; all without it.

    Raises
    ------
    GeometryError
        If a contour is not parallel to the slices, or contours of several planes fall on one.
    InputError
        If all of a structure lies outside of the grid.
    """

    def __init__(
        self,
        structures: StructureSet,
        geometry: Geometry,
        numbers: frozenset[int] | None = None,
    ) -> None:
        self._shape = geometry.shape
        self._slices: dict[int, dict[int, list[FloatArray]]] = defaultdict(dict)
        self._outside = 0
        self._apart: list[int] = []
        self._off_mm = 0.0
        self._crossing: set[int] = set()
        for one in structures.structures:
            if numbers is None or one.segment.number in numbers:
                self._place(one, geometry)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is not as it looks."""
        found = []
        if self._outside:
            what = f"{self._outside} contours lie outside of the image, wholly or in part"
            found.append(Problem("outside-image", what, "voxels outside are left out"))
        if self._off_mm > _OFF_MM:
            what = f"contours lie up to {self._off_mm:.2f} mm off the slices that they are drawn on"
            hint = "look whether they belong to another reconstruction"
            found.append(Problem("contours-off-slices", what, hint))
        if self._crossing:
            listed = ", ".join(map(str, sorted(self._crossing)))
            what = f"structures {listed} have contours that cross each other; both are filled"
            found.append(Problem("crossing-contours", what))
        if self._apart:
            listed = ", ".join(map(str, self._apart))
            what = f"structures {listed} have contours on some slices only, evenly apart"
            found.append(Problem("skipped-slices", what, "slices between are left empty"))
        return tuple(found)

    def planes(self) -> Iterator[Sequence[Patch]]:
        """The voxels inside, all structures of a slice together, slice by slice."""
        for k in sorted(self._slices):
            patches = [self._patch(k, number, rings) for number, rings in self._slices[k].items()]
            yield [patch for patch in patches if patch is not None]

    def _place(self, structure: Structure, geometry: Geometry) -> None:
        """Find the slice of each contour."""
        number = structure.segment.number
        normal_mm = 1.0 / float(np.linalg.norm(np.linalg.inv(geometry.lps_from_kji[:3, :3])[0]))
        flat = max(_FLAT, _FLAT_MM / normal_mm)
        depth, rows, columns = geometry.shape
        planes: dict[int, list[float]] = defaultdict(list)
        inside_any = False
        for n, contour in enumerate(structure.contours, 1):
            kji = geometry.kji(contour)
            low, high = float(kji[:, 0].min()), float(kji[:, 0].max())
            if high - low > flat:
                raise GeometryError(
                    f"contour {n} of structure {number} is not parallel to the slices: it spans "
                    f"{(high - low) * normal_mm:.2f} mm across them",
                    "choose the images that it was drawn on",
                )
            height = (low + high) / 2.0
            k = floor(height + 0.5)
            edges = kji[:, 1:]
            is_in = 0 <= k < depth
            self._outside += not is_in or bool(
                (edges.min(axis=0) < -0.5).any()
                or (edges.max(axis=0) > np.array([rows, columns]) - 0.5).any()
            )
            if is_in:
                inside_any = True
                planes[k].append(height)
                self._off_mm = max(self._off_mm, abs(height - k) * normal_mm)
                self._slices[k].setdefault(number, []).append(edges)
        if not inside_any:
            raise InputError(
                f"structure {number} lies outside of the image",
                "choose the images that it was drawn on",
            )
        _check_one_plane(number, planes, flat)
        steps = np.diff(sorted(planes))
        if steps.size and steps.min() > 1:
            self._apart.append(number)

    def _patch(self, k: int, number: int, rings: Sequence[FloatArray]) -> Patch | None:
        _, rows, columns = self._shape
        joined = np.concatenate(rings)
        low = np.clip(np.floor(joined.min(axis=0)), 0, (rows, columns)).astype(int)
        high = np.clip(np.ceil(joined.max(axis=0)) + 1, 0, (rows, columns)).astype(int)
        if (low >= high).any():
            return None
        size = (int(high[0] - low[0]), int(high[1] - low[1]))
        moved = [ring - low for ring in rings]
        mask = inside(moved, size)
        if crossed := _crossed(moved, size):
            self._crossing.add(number)
            for one in crossed:
                mask |= one
        where = (
            slice(k, k + 1),
            slice(int(low[0]), int(high[0])),
            slice(int(low[1]), int(high[1])),
        )
        return Patch(number, where, mask[np.newaxis]) if mask.any() else None


def rasterised(structures: StructureSet, geometry: Geometry, number: int) -> BoolArray:
    """The voxels of one structure, `[k, j, i]` on a grid.

    Raises
    ------
    GeometryError, InputError
        As `DrawnContours`.
    """
    mask = np.zeros(geometry.shape, np.bool_)
    for patches in DrawnContours(structures, geometry, frozenset({number})).planes():
        for patch in patches:
            mask[patch.where] |= patch.mask
    return mask


def inside(rings: Sequence[FloatArray], shape: tuple[int, int]) -> BoolArray:
    """Which pixel centres are inside closed polygons, by the even-odd rule over all of them.

    Parameters
    ----------
    rings
        Each `[n, 2]`: row and column, in pixels; the last point is joined to the first.
    shape
        Rows and columns.

    Returns
    -------
    BoolArray
        `[row, column]`.
    """
    rows, columns = shape
    flips = np.zeros((rows, columns + 1), np.uint8)
    for ring in rings:
        begin, end = ring, np.roll(ring, -1, axis=0)
        # A row is crossed by an edge that begins on or above it and ends below, or the reverse.
        first = np.clip(np.ceil(np.minimum(begin[:, 0], end[:, 0])), 0, rows).astype(np.intp)
        stop = np.clip(np.ceil(np.maximum(begin[:, 0], end[:, 0])), 0, rows).astype(np.intp)
        crossed = np.flatnonzero(stop > first)
        counts = (stop - first)[crossed]
        for part in _batches(counts):
            edges, count = crossed[part], counts[part]
            edge = np.repeat(edges, count)
            row = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[edge]
            (y0, x0), (y1, x1) = begin[edge].T, end[edge].T
            at = x0 + (row - y0) * (x1 - x0) / (y1 - y0)
            column = np.clip(np.ceil(at), 0, columns).astype(np.intp)
            np.bitwise_xor.at(flips, (row, column), np.uint8(1))
    mask: BoolArray = np.bitwise_xor.accumulate(flips[:, :columns], axis=1).astype(np.bool_)
    return mask


def _crossed(rings: Sequence[FloatArray], size: tuple[int, int]) -> list[BoolArray]:
    """What is inside two contours of which neither lies in the other: no hole, but drawn twice."""
    boxes = [(ring.min(axis=0), ring.max(axis=0)) for ring in rings]
    found = []
    for a, b in combinations(range(len(rings)), 2):
        if (boxes[a][0] > boxes[b][1]).any() or (boxes[b][0] > boxes[a][1]).any():
            continue
        one, other = inside([rings[a]], size), inside([rings[b]], size)
        both = one & other
        shared = int(both.sum())
        # Contours that touch may share the voxels of a seam: a keyhole's edge, say.
        if shared and shared < 0.98 * min(int(one.sum()), int(other.sum())):
            found.append(both)
    return found


def _batches(counts: "np.ndarray[tuple[int], np.dtype[np.intp]]") -> Iterator[slice]:
    """Edges in runs that cross not too many rows together."""
    start = 0
    total = np.cumsum(counts)
    while start < len(counts):
        done = total[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(total, done + _CROSSINGS, side="right")))
        yield slice(start, stop)
        start = stop


def _check_one_plane(number: int, planes: dict[int, list[float]], flat: float) -> None:
    for k, heights in planes.items():
        if max(heights) - min(heights) > flat:
            raise GeometryError(
                f"contours of structure {number} from several planes fall on slice {k + 1}",
                "choose the images that it was drawn on",
            )
