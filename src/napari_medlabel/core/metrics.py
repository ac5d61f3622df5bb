"""How large labels are, what image values they hold, and how far two masks agree.

Distances are between surfaces, in millimetres. A surface is the voxels with a face outside the
mask, the array's border being outside: Taha and Hanbury, BMC Medical Imaging 15:29 (2015),
doi:10.1186/s12880-015-0068-x. They are measured between voxel centres with a k-d tree, which is
exact on sheared grids too and needs memory for the surfaces alone.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import KDTree

from napari_medlabel.core.geometry import BoolArray, FloatArray, Geometry, Spacing
from napari_medlabel.core.region import Report, Stop, never, silent, watched
from napari_medlabel.errors import GeometryError

__all__ = [
    "PERCENTILES",
    "Intensities",
    "LabelComparison",
    "LabelStatistics",
    "assd_mm",
    "compare_labels",
    "dice",
    "hd95_mm",
    "label_statistics",
]

PERCENTILES: Final = (5, 25, 50, 75, 95)
Box = tuple[slice, ...]


@dataclass(frozen=True, slots=True)
class Intensities:
    """The image's values in one label, in the image's unit; those that are not finite left out.

    `sd` is that of all voxels (divided by their number). All are NaN where there are none.
    """

    mean: float
    sd: float
    minimum: float
    maximum: float
    percentiles: Mapping[int, float] = field(default_factory=dict)

    @classmethod
    def of(cls, values: npt.NDArray[Any]) -> "Intensities":
        """Of the values of a flat array."""
        finite = values[np.isfinite(values)].astype(np.float64)
        if finite.size == 0:
            return cls(math.nan, math.nan, math.nan, math.nan)
        marks = np.percentile(finite, PERCENTILES)
        return cls(
            mean=float(finite.mean()),
            sd=float(finite.std()),
            minimum=float(finite.min()),
            maximum=float(finite.max()),
            percentiles={p: float(mark) for p, mark in zip(PERCENTILES, marks, strict=True)},
        )

    def document(self) -> dict[str, Any]:
        """JSON-ready values; null for NaN."""
        return {
            "mean": _or_null(self.mean),
            "sd": _or_null(self.sd),
            "min": _or_null(self.minimum),
            "max": _or_null(self.maximum),
            **{f"p{p}": mark for p, mark in self.percentiles.items()},
        }


@dataclass(frozen=True, slots=True)
class LabelStatistics:
    """How large one label is, and what image values it holds, if an image was given."""

    value: int
    voxels: int
    ml: float
    intensities: Intensities | None = None

    def document(self) -> dict[str, Any]:
        """JSON-ready values."""
        size = {"value": self.value, "voxels": self.voxels, "ml": self.ml}
        return size | (self.intensities.document() if self.intensities else {})


@dataclass(frozen=True, slots=True)
class LabelComparison:
    """How far two masks agree on one label.

    Parameters
    ----------
    value
        The label's.
    voxels_a, voxels_b, ml_a, ml_b
        Its size in the first and in the second mask.
    dice
        1 where both are the same, 0 where they share no voxel.
    hd95_mm, assd_mm
        Between the surfaces; inf where only one mask has the label.
    """

    value: int
    voxels_a: int
    voxels_b: int
    ml_a: float
    ml_b: float
    dice: float
    hd95_mm: float
    assd_mm: float

    @property
    def ml_difference(self) -> float:
        """How much larger the second is, millilitres."""
        return self.ml_b - self.ml_a

    def document(self) -> dict[str, Any]:
        """JSON-ready values; null for distances to a label that is not there."""
        return {
            "value": self.value,
            "voxels_a": self.voxels_a,
            "voxels_b": self.voxels_b,
            "ml_a": self.ml_a,
            "ml_b": self.ml_b,
            "ml_difference": self.ml_difference,
            "dice": self.dice,
            "hd95_mm": _or_null(self.hd95_mm),
            "assd_mm": _or_null(self.assd_mm),
        }


def label_statistics(
    labels: npt.NDArray[Any], geometry: Geometry, image: npt.NDArray[Any] | None = None
) -> tuple[LabelStatistics, ...]:
    """Size and image values of each label, in order of label values; background left out.

    Parameters
    ----------
    labels
        Whole numbers from 0, `[k, j, i]`, on `geometry`.
    geometry
        Where the voxels are.
    image
        Values on the same grid, or none.

    Raises
    ------
    GeometryError
        If the shapes differ.
    """
    _check_shapes(labels.shape, geometry.shape, labels.shape if image is None else image.shape)
    found: list[LabelStatistics] = []
    for value, box in _boxes(labels).items():
        mask = labels[box] == value
        voxels = int(np.count_nonzero(mask))
        values = None if image is None else Intensities.of(image[box][mask])
        found.append(LabelStatistics(value, voxels, voxels * geometry.voxel_ml, values))
    return tuple(found)


def compare_labels(
    a: npt.NDArray[Any], b: npt.NDArray[Any], geometry: Geometry, *, cancelled: Stop = never,
    progress: Report = silent,
) -> tuple[LabelComparison, ...]:  # fmt: skip
    """How far two masks agree, for each label that one of them has, in order of label values.

    Parameters
    ----------
    a, b
        Whole numbers from 0, `[k, j, i]`, both on `geometry`.
    geometry
        Where the voxels are; shear is taken into account.
    cancelled
        Polled for each label.
    progress
        Called with labels done and in all.

    Raises
    ------
    GeometryError
        If the shapes differ.
    Cancelled
        If `cancelled` says so.
    """
    _check_shapes(a.shape, b.shape, geometry.shape)
    boxes_a, boxes_b = _boxes(a), _boxes(b)
    lps_from_kji = geometry.lps_from_kji[:3, :3]
    found: list[LabelComparison] = []
    values = sorted(boxes_a.keys() | boxes_b.keys())
    for value in watched(values, len(values), cancelled, progress):
        box = _union(boxes_a.get(value), boxes_b.get(value))
        in_a, in_b = a[box] == value, b[box] == value
        voxels_a, voxels_b = int(np.count_nonzero(in_a)), int(np.count_nonzero(in_b))
        there, back = _surface_distances(in_a, in_b, lps_from_kji)
        found.append(
            LabelComparison(
                value,
                voxels_a,
                voxels_b,
                voxels_a * geometry.voxel_ml,
                voxels_b * geometry.voxel_ml,
                dice(in_a, in_b),
                _hd95(there, back),
                _assd(there, back),
            )
        )
    return tuple(found)


def dice(a: BoolArray, b: BoolArray) -> float:
    """Twice the common voxels by all voxels of two masks: 1 for equal ones, 0 for apart.

    Parameters
    ----------
    a, b
        bool, of one shape.

    Returns
    -------
    float
        1.0 where both are empty.

    Raises
    ------
    GeometryError
        If the shapes differ.
    """
    _check_shapes(a.shape, b.shape)
    both = int(np.count_nonzero(a)) + int(np.count_nonzero(b))
    return 2.0 * int(np.count_nonzero(a & b)) / both if both else 1.0


def hd95_mm(a: BoolArray, b: BoolArray, spacing_mm: Spacing) -> float:
    """Distance within which 95 % of each surface finds the other, in millimetres.

    Parameters
    ----------
    a, b
        bool, `[k, j, i]`, on one right-angled grid.
    spacing_mm
        Along k, j, i.

    Returns
    -------
    float
        The larger of the two directions; 0.0 where both are empty, inf where one is.

    Raises
    ------
    GeometryError
        If the shapes differ.
    """
    _check_shapes(a.shape, b.shape)
    return _hd95(*_surface_distances(a, b, np.diag(spacing_mm)))


def assd_mm(a: BoolArray, b: BoolArray, spacing_mm: Spacing) -> float:
    """Average distance from each voxel of either surface to the other surface, in millimetres.

    Parameters
    ----------
    a, b
        bool, `[k, j, i]`, on one right-angled grid.
    spacing_mm
        Along k, j, i.

    Returns
    -------
    float
        Over the voxels of both surfaces; 0.0 where both are empty, inf where one is.

    Raises
    ------
    GeometryError
        If the shapes differ.
    """
    _check_shapes(a.shape, b.shape)
    return _assd(*_surface_distances(a, b, np.diag(spacing_mm)))


def _surface_distances(
    a: BoolArray, b: BoolArray, mm_from_kji: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """From each surface voxel of `a` to the nearest of `b`, and back; inf where there is none."""
    points = [np.argwhere(_surface(mask)) @ mm_from_kji.T for mask in (a, b)]
    if min(len(points[0]), len(points[1])) == 0:
        there, back = (np.full(len(own), np.inf) for own in points)
        return there, back
    there, _ = KDTree(points[1]).query(points[0], workers=-1)
    back, _ = KDTree(points[0]).query(points[1], workers=-1)
    return there, back


def _surface(mask: BoolArray) -> BoolArray:
    """The voxels of the mask with a face outside it."""
    inside = mask.copy()
    for axis in range(mask.ndim):
        own, beside = np.moveaxis(inside, axis, 0), np.moveaxis(mask, axis, 0)
        own[1:] &= beside[:-1]
        own[:-1] &= beside[1:]
        own[[0, -1]] = False  # the array's border is outside
    surface: BoolArray = mask & ~inside
    return surface


def _hd95(there: FloatArray, back: FloatArray) -> float:
    if there.size == 0 or back.size == 0:
        return math.inf if there.size or back.size else 0.0
    return float(max(np.percentile(there, 95), np.percentile(back, 95)))


def _assd(there: FloatArray, back: FloatArray) -> float:
    if there.size == 0 or back.size == 0:
        return math.inf if there.size or back.size else 0.0
    return float((there.sum() + back.sum()) / (there.size + back.size))


def _boxes(labels: npt.NDArray[Any]) -> dict[int, Box]:
    """The box of each label that is there, background left out."""
    found = ndimage.find_objects(labels.astype(np.int32, copy=False))
    return {value: box for value, box in enumerate(found, 1) if box is not None}


def _union(one: Box | None, other: Box | None) -> Box:
    if one is None or other is None:
        return one or other or ()
    return tuple(
        slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    )


def _check_shapes(*shapes: tuple[int, ...]) -> None:
    if len(set(shapes)) > 1:
        listed = " and ".join(str(shape) for shape in dict.fromkeys(shapes))
        raise GeometryError(f"arrays of {listed} voxels are not on one grid")


def _or_null(number: float) -> float | None:
    return number if math.isfinite(number) else None
