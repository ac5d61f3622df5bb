"""The right-angled grid for slices that are tilted or unevenly spaced, and their places in it.

The grid's rows and columns run as the slices' do, its third axis along their normal. It holds all
voxels of all slices: rows and columns are as far apart as theirs, and planes begin at the first.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.derivation import SlicePlanes
from napari_medlabel.core.geometry import FloatArray, Geometry
from napari_medlabel.errors import GeometryError, InputError

__all__ = ["Plan", "plan_of", "usual_step_mm"]

_SAME_MM: Final = 0.01  # as in dicom_geometry: positions that are nearer to each other are one
_ON_MM: Final = _SAME_MM  # a plane that is nearer to a slice than this is that slice
_ON_PIXEL: Final = 1e-3  # likewise in the slice's plane, in pixels
_LEAST_STEP_MM: Final = 0.01
_SMALL: Final = 1 << 24  # voxels that any slices may become
_MOST_GROWN: Final = 64  # voxels for each of the source's: more is a scattered stack, or a mistake


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A right-angled grid, and where a source's slices are in it.

    Parameters
    ----------
    geometry
        The grid; k along the slices' normal.
    step_mm
        Between its planes.
    below
        For each plane the last slice at or below it, int64.
    share
        How much of the next slice is in each plane, float64: 0 on a slice, 0.5 halfway.
    first_row, first_column
        Row and column of the grid in which each slice's first voxel lies, float64 `[n]`.
    lean
        Columns that one row leads aside; 0.0 where rows and columns are at right angles.
    """

    geometry: Geometry
    step_mm: float
    below: npt.NDArray[np.int64]
    share: FloatArray
    first_row: FloatArray
    first_column: FloatArray
    lean: float

    def slices_for(self, start: int, stop: int) -> tuple[int, int]:
        """The source's slices that planes `start` to `stop` need, from the first to past the last.

        Slabs in a row leave no slice out, though a plane may need none between its neighbours':
        what is made of a source knows the hash of all of it.
        """
        low = 0 if start == 0 else int(self.below[start - 1]) + 1
        if stop == len(self.below):
            return min(low, int(self.below[start])), len(self.first_row)
        high = int(self.below[stop - 1]) + 1 + int(self.share[stop - 1] > 0)
        return min(low, int(self.below[start])), max(high, int(self.below[stop - 1]) + 1)


def plan_of(planes: SlicePlanes, step_mm: float | None = None) -> Plan:
    """The grid for slices, and their places in it.

    Parameters
    ----------
    planes
        The slices.
    step_mm
        Between the new planes; the slices' most frequent step without it.

    Raises
    ------
    GeometryError
        If there is one slice only, two are at one height, or they are scattered so far that the
        grid would be many times as large as they are.
    InputError
        If the step is no length that a grid can have.
    """
    heights = planes.heights_mm
    if len(heights) < 2:
        raise GeometryError("one slice has no step to the next: it cannot be resampled")
    if np.diff(heights).min() <= _SAME_MM:
        raise GeometryError(
            "several slices lie at one height: they cannot be resampled",
            "keep one slice for each position",
        )
    step = usual_step_mm(heights) if step_mm is None else float(step_mm)
    if not _LEAST_STEP_MM <= step <= max(1000.0, float(np.ptp(heights))):
        raise InputError(f"{step:g} mm is no step between slices", "give it in millimetres")
    below, share = _between(heights, step)
    across, down, normal = _axes(planes)
    row_mm = planes.pixel_mm[0] * float(planes.down @ down)
    column_mm = planes.pixel_mm[1]
    moves = planes.positions_lps - planes.positions_lps[0]
    rows, columns = _snapped(moves @ down / row_mm), _snapped(moves @ across / column_mm)
    lean = float(planes.down @ across) * planes.pixel_mm[0] / column_mm
    lean = 0.0 if abs(lean) * planes.rows < _ON_PIXEL else lean
    row, row_count = _span(rows, 0.0, planes.rows - 1)
    column, column_count = _span(
        columns, min(0.0, lean * (planes.rows - 1)),
        planes.columns - 1 + max(0.0, lean * (planes.rows - 1)),
    )  # fmt: skip
    shape = (len(below), row_count, column_count)
    _check_size(shape, planes)
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1], matrix[:3, 2] = normal * step, down * row_mm, across * column_mm
    matrix[:3, 3] = planes.positions_lps[0] + matrix[:3, 1] * row + matrix[:3, 2] * column
    geometry = Geometry(shape, matrix)
    return Plan(geometry, step, below, share, rows - row, columns - column, lean)


def usual_step_mm(heights_mm: FloatArray) -> float:
    """The most frequent step, to 0.02 mm; the smaller one of several.

    It is the mean of those steps that count as one, so that rounded headers add up to the whole.
    """
    steps = np.sort(np.diff(heights_mm))
    # Steps in a row that are no further apart than rounding makes them are one.
    groups = np.split(steps, np.flatnonzero(np.diff(steps) > 2 * _SAME_MM) + 1)
    usual = max(groups, key=len)  # the first of several: they ascend
    return round(float(usual.mean()), 6)


def _between(heights: FloatArray, step: float) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """For each new plane the slice at or below it, and the share of the one above.

    The last plane may be up to half a step above the last slice, which reaches as far.
    """
    count = int(np.floor((heights[-1] - heights[0]) / step + 0.5 + 1e-6)) + 1
    wanted = heights[0] + step * np.arange(count)
    below = np.clip(np.searchsorted(heights, wanted + _ON_MM, "right") - 1, 0, len(heights) - 1)
    above = np.minimum(below + 1, len(heights) - 1)
    apart = np.where(above > below, heights[above] - heights[below], 1.0)
    share = np.where(above > below, (wanted - heights[below]) / apart, 0.0)
    share[np.abs(wanted - heights[below]) <= _ON_MM] = 0.0
    return below.astype(np.int64), share


def _axes(planes: SlicePlanes) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Unit vectors at right angles: across, down (as near as can be) and along the normal."""
    across = planes.across / np.linalg.norm(planes.across)
    down: FloatArray = planes.down - (planes.down @ across) * across
    return across, down / np.linalg.norm(down), planes.normal


def _snapped(places: FloatArray) -> FloatArray:
    """Whole numbers where they are nearly so: such slices are taken as they are."""
    whole = np.rint(places)
    return np.where(np.abs(places - whole) <= _ON_PIXEL, whole, places)


def _span(firsts: FloatArray, low: float, high: float) -> tuple[int, int]:
    """Where a grid begins and how many voxels it has, that holds all slices.

    A voxel centre of the source is never more than half a voxel outside.
    """
    start = int(np.ceil(firsts.min() + low - 0.5))
    end = int(np.floor(firsts.max() + high + 0.5))
    return start, end - start + 1


def _check_size(shape: tuple[int, int, int], planes: SlicePlanes) -> None:
    own = len(planes.positions_lps) * planes.rows * planes.columns
    if np.prod(np.array(shape, dtype=np.float64)) > max(_MOST_GROWN * own, _SMALL):
        raise GeometryError(
            f"a grid over all slices would have {shape[0]} x {shape[1]} x {shape[2]} voxels, over "
            f"{_MOST_GROWN} times as many as they have",
            "split the series instead, or choose a larger step",
        )
