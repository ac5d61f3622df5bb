"""What an annotation measures, in millimetres by the exact affine, and in words.

Lengths, angles, areas and volumes are of the drawn shape, not of voxels; image values are those of
the voxels whose centres are inside. No spacing is used: a grid may be sheared.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.annotation import (
    Angle,
    Cuboid,
    Distance,
    EllipseRoi,
    Keypoints,
    OrientedBox,
    Polygon,
    Shape,
    UprightShape,
)
from napari_medlabel.core.annotation_inside import values_inside
from napari_medlabel.core.enclosed_area import enclosed_area
from napari_medlabel.core.geometry import FloatArray, Geometry
from napari_medlabel.core.plane import mm_from_row_column
from napari_medlabel.core.volume import Grid

__all__ = ["ImageValues", "Measure", "measure", "measure_words"]

_SHOWS_VALUES: Final = frozenset({"ellipse", "rectangle", "polygon"})
_TIMES: Final = " \N{MULTIPLICATION SIGN} "


@dataclass(frozen=True, slots=True)
class ImageValues:
    """The image's values inside, in its unit; those that are not finite left out.

    `sd` is that of all of them (divided by their number).
    """

    voxels: int
    mean: float
    sd: float
    minimum: float
    maximum: float

    @classmethod
    def of(cls, parts: Iterable[npt.NDArray[Any]]) -> "ImageValues | None":
        """Of flat arrays, all together; None where no value is finite.

        Means and squares of parts are joined as in Chan, Golub and LeVeque (1979), which loses no
        digits where the mean is large.
        """
        count, mean, squares, low, high = 0, 0.0, 0.0, math.inf, -math.inf
        for part in parts:
            finite = part[np.isfinite(part)].astype(np.float64)
            if finite.size == 0:
                continue
            its, both = float(finite.mean()), count + finite.size
            far = its - mean
            squares += float(((finite - its) ** 2).sum()) + far**2 * count * finite.size / both
            mean += far * finite.size / both
            count, low, high = both, min(low, float(finite.min())), max(high, float(finite.max()))
        return cls(count, mean, math.sqrt(squares / count), low, high) if count else None


@dataclass(frozen=True, slots=True)
class Measure:
    """What an annotation measures; None for what its kind does not have.

    Parameters
    ----------
    length_mm
        Of a distance.
    angle_deg
        Of an angle, 0 to 180; None where a side of it has no length.
    size_mm
        Lengths of the edges of boxes: along columns and rows, or a turned box's length and width,
        or along k, j, i; of an ellipse its longest and shortest diameter.
    area_mm2
        Inside of what lies in a plane.
    volume_ml
        Of a cuboid.
    values
        The image's inside; None without an image or a voxel centre inside.
    """

    length_mm: float | None = None
    angle_deg: float | None = None
    size_mm: tuple[float, ...] | None = None
    area_mm2: float | None = None
    volume_ml: float | None = None
    values: ImageValues | None = None


def measure(shape: Shape, geometry: Geometry, image: Grid | None = None) -> Measure:
    """Measure a shape.

    Parameters
    ----------
    shape
        On the grid of `geometry`.
    geometry
        Of the canonical grid.
    image
        Its voxels, for mean and sd of what is inside.
    """
    match shape:
        case Distance(start, end):
            return Measure(length_mm=float(np.linalg.norm(_step_mm(geometry, start, end))))
        case Angle(start, vertex, end):
            sides = (_step_mm(geometry, vertex, start), _step_mm(geometry, vertex, end))
            return Measure(angle_deg=_angle_deg(*sides))
        case Keypoints():
            return Measure()
        case _:
            return Measure(
                size_mm=_size_mm(shape, geometry),
                area_mm2=_area_mm2(shape, geometry),
                volume_ml=_volume_ml(shape, geometry),
                values=None if image is None else _values(shape, geometry, image),
            )


def measure_words(shape: Shape, measured: Measure, unit: str = "") -> str:
    """A measure for the screen: "42.3 mm", "63.5°", or two lines, "97 ± 12 HU" and "3.4 cm²"."""
    if isinstance(shape, Keypoints):
        count = len(shape.points)
        return f"{count} point{'s' if count > 1 else ''}"
    if measured.length_mm is not None:
        return f"{measured.length_mm:.1f} mm"
    if isinstance(shape, Angle):
        return "" if measured.angle_deg is None else f"{measured.angle_deg:.1f}°"
    lines = []
    if measured.values is not None and shape.kind in _SHOWS_VALUES:
        lines.append(_values_words(measured.values, unit))
    elif measured.size_mm is not None and shape.kind not in _SHOWS_VALUES:
        lines.append(_TIMES.join(f"{length:.1f}" for length in measured.size_mm) + " mm")
    if measured.area_mm2 is not None:
        lines.append(_area_words(measured.area_mm2))
    if measured.volume_ml is not None:
        digits = 1 if round(measured.volume_ml, 2) >= 1 else 2
        lines.append(f"{measured.volume_ml:.{digits}f} mL")
    return "\n".join(lines)


def _step_mm(geometry: Geometry, start: Sequence[float], end: Sequence[float]) -> FloatArray:
    step: FloatArray = geometry.lps_from_kji[:3, :3] @ np.subtract(end, start)
    return step


def _angle_deg(one: FloatArray, other: FloatArray) -> float | None:
    # atan2, unlike arccos, keeps its precision near 0 and 180 degrees.
    across, along = float(np.linalg.norm(np.cross(one, other))), float(one @ other)
    flat = not (np.linalg.norm(one) > 0 and np.linalg.norm(other) > 0)
    return None if flat else math.degrees(math.atan2(across, along))


def _values(shape: Shape, geometry: Geometry, image: Grid) -> ImageValues | None:
    return ImageValues.of(values_inside(shape, geometry, image))


def _volume_ml(shape: Shape, geometry: Geometry) -> float | None:
    if not isinstance(shape, Cuboid):
        return None
    return float(np.prod(np.subtract(shape.high, shape.low))) * geometry.voxel_ml


def _size_mm(shape: Shape, geometry: Geometry) -> tuple[float, ...] | None:
    if isinstance(shape, Cuboid):
        edges = geometry.lps_from_kji[:3, :3] * np.subtract(shape.high, shape.low)
        return tuple(float(length) for length in np.linalg.norm(edges, axis=0))
    if isinstance(shape, OrientedBox):
        return shape.size_mm
    if not isinstance(shape, UprightShape):
        return None
    matrix = mm_from_row_column(geometry, shape.plane.axis)
    edges = matrix * np.subtract(shape.high, shape.low)  # one column each
    if isinstance(shape, EllipseRoi):
        longest, shortest = np.linalg.svd(edges, compute_uv=False)
        return (float(longest), float(shortest))
    return (float(np.linalg.norm(edges[:, 1])), float(np.linalg.norm(edges[:, 0])))


def _area_mm2(shape: Shape, geometry: Geometry) -> float | None:
    match shape:
        case OrientedBox(size_mm=size_mm):
            return size_mm[0] * size_mm[1]
        case EllipseRoi():
            pixels = math.pi / 4.0 * float(np.prod(np.subtract(shape.high, shape.low)))
        case UprightShape():
            pixels = float(np.prod(np.subtract(shape.high, shape.low)))
        case Polygon(points=points):
            pixels = enclosed_area(points)
        case _:
            return None
    pixel_mm2 = abs(float(np.linalg.det(mm_from_row_column(geometry, shape.plane.axis))))
    return pixels * pixel_mm2


def _values_words(values: ImageValues, unit: str) -> str:
    size = max(abs(values.mean), values.sd)
    digits = 0 if unit == "HU" or size >= 100 else 1 if size >= 10 else 2
    words = f"{values.mean:.{digits}f} ± {values.sd:.{digits}f}"
    return words if unit in {"", "stored"} else f"{words} {unit}"


def _area_words(area_mm2: float) -> str:
    return f"{area_mm2 / 100.0:.1f} cm²" if area_mm2 >= 100 else f"{area_mm2:.1f} mm²"
