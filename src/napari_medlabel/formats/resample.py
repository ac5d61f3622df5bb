"""Tilted or unevenly spaced slices as a right-angled grid.

Each slice is shifted in its plane onto the grid's rows and columns, and a plane between two slices
is a mean of both, by its distance from each: linear in all three directions. For labels the
nearest voxel is taken. A voxel reaches half way to its neighbours, also at the edge of a slice:
what is farther outside has the fill value. A plane that is a slice, unshifted, has its values.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.derivation import Derivation, Method, SlicePlanes
from napari_medlabel.core.geometry import BoolArray, FloatArray
from napari_medlabel.core.geometry_report import Missing, rounded
from napari_medlabel.core.volume import (
    FoundVolume,
    Instance,
    Source,
    VolumeReader,
    Window,
    slice_sha256,
    volume_sha256,
)
from napari_medlabel.formats.resample_plan import Plan

__all__ = ["ResampledReader", "derivation_of", "fill_value", "made_up", "nearest"]

Array = npt.NDArray[Any]

_AIR_HU: Final = -1024.0
_LONG: Final = (
    1.5  # steps of the source longer than so many new ones are filled with made-up slices
)
_AT_ONCE: Final = 8  # slices read in one go
_EDGE: Final = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """A slice on the grid's rows and columns, and which of these it covers."""

    values: Array
    inside: BoolArray


_Place = Callable[[int, Array], _Placed]


class ResampledReader:
    """A volume resampled while it is read: `napari_medlabel.core.volume.VolumeReader`.

    Parameters
    ----------
    inner
        The source's slices, in the order of the plan's; closed with this reader.
    plan
        The new grid.
    recipe
        What is said of it; its fill value is what voxels outside every slice get.
    found
        The derived volume: its name, its problems and the report of its source's slices.
    """

    def __init__(
        self, inner: VolumeReader, plan: Plan, recipe: Derivation, found: FoundVolume
    ) -> None:
        self._inner, self._plan, self._recipe = inner, plan, recipe
        self._report = found.report
        self._digests: dict[int, bytes] = {}
        self._lock = threading.Lock()
        self.problems = found.problems
        self.name = found.name

    @property
    def source(self) -> Source:
        """Of the new grid; its derivation knows the source's hash once all slices were read."""
        grid = self._plan.geometry
        with self._lock:
            whole = len(self._digests) == len(self._plan.first_row)
            digest = volume_sha256(self._digests[n] for n in sorted(self._digests))
        recipe = replace(self._recipe, source_sha256=digest if whole else "")
        return replace(
            self._inner.source,
            geometry=grid,
            axes=grid.canonical,
            report=self._report,
            derivation=recipe,
        )

    @property
    def dtype(self) -> np.dtype[Any]:
        """As the source's: whole numbers are rounded."""
        return self._inner.dtype

    @property
    def modality(self) -> str:
        """As in DICOM."""
        return self._inner.modality

    @property
    def unit(self) -> str:
        """What the numbers mean."""
        return self._inner.unit

    @property
    def window(self) -> Window | None:
        """The header's own grey range."""
        return self._inner.window

    def read(self, start: int, stop: int) -> Array:
        """Planes `start` to `stop` along k of the new grid, `[k, j, i]`.

        Raises
        ------
        InputError
            If a slice of the source cannot be read.
        """
        depth, rows, columns = self._plan.geometry.shape
        if not 0 <= start <= stop <= depth:
            raise ValueError(f"planes {start} to {stop} of {depth}")
        slab = np.empty((stop - start, rows, columns), self.dtype)
        if start < stop:
            slices = _Slices(self._slices(*self._plan.slices_for(start, stop)), self._placed)
            for k in range(start, stop):
                self._fill_plane(k, slices, slab[k - start])
            slices.finish()
        return slab

    def hashes(self) -> tuple[Instance, ...]:
        """The source's instances, with the hashes of those slices that were read."""
        return self._inner.hashes()

    def close(self) -> None:
        """Let go of files."""
        self._inner.close()

    def _slices(self, low: int, high: int) -> Iterator[tuple[int, Array]]:
        """The source's slices one by one, each hashed as it comes."""
        for first in range(low, high, _AT_ONCE):
            block = self._inner.read(first, min(first + _AT_ONCE, high))
            for n, voxels in enumerate(block, first):
                digest = slice_sha256(voxels)
                with self._lock:
                    self._digests[n] = digest
                yield n, voxels

    def _placed(self, n: int, voxels: Array) -> _Placed:
        if self._recipe.method == "nearest":
            return placed_nearest(voxels, self._plan, n)
        return placed_linear(voxels, self._plan, n)

    def _fill_plane(self, k: int, slices: "_Slices", out: Array) -> None:
        below, share = int(self._plan.below[k]), float(self._plan.share[k])
        if self._recipe.method == "nearest" or share == 0.0:
            one = slices.take(below + int(share > 0.5))
            values, inside = one.values, one.inside
        else:
            lower, upper = slices.take(below), slices.take(below + 1)
            values = lower.values * (1.0 - share) + upper.values * share
            inside = lower.inside & upper.inside
        if out.dtype.kind in "iu" and values.dtype.kind == "f":
            values = np.rint(values)
        np.copyto(out, values, casting="unsafe", where=inside)
        out[~inside] = self._recipe.fill


class _Slices:
    """Slices as they come, the last few of them held on the grid's rows and columns."""

    def __init__(self, coming: Iterator[tuple[int, Array]], place: _Place) -> None:
        self._coming, self._place = coming, place
        self._held: dict[int, Array] = {}
        self._placed: dict[int, _Placed] = {}

    def take(self, n: int) -> _Placed:
        """Slice `n`, which is none before the last but one that was asked for."""
        while n not in self._held:
            number, voxels = next(self._coming)
            self._held[number] = voxels
            self._held.pop(number - 2, None)
            self._placed.pop(number - 2, None)
        if n not in self._placed:
            self._placed[n] = self._place(n, self._held[n])
        return self._placed[n]

    def finish(self) -> None:
        """Read what no plane needed: it counts for the source's hash."""
        for _ in self._coming:
            pass


def derivation_of(planes: SlicePlanes, plan: Plan, *, method: Method, fill: float) -> Derivation:
    """What is recorded of resampling these slices by this plan."""
    return Derivation(
        kind="resampled",
        method=method,
        step_mm=plan.step_mm,
        fill=fill,
        tilt_deg=planes.tilt_deg,
        source_steps_mm=tuple(rounded(mm) for mm in np.diff(planes.heights_mm)),
        interpolated=made_up(planes, plan),
        slices=planes,
    )


def made_up(planes: SlicePlanes, plan: Plan) -> tuple[Missing, ...]:
    """The source's steps that are longer than one and a half new ones: planes in them are made."""
    heights = planes.heights_mm
    steps = np.diff(heights)
    return tuple(
        Missing(rounded(heights[n]), rounded(heights[n + 1]), round(steps[n] / plan.step_mm) - 1)
        for n in np.flatnonzero(steps > _LONG * plan.step_mm)
    )


def fill_value(unit: str, dtype: np.dtype[Any]) -> float:
    """What voxels outside every slice get: air in HU, where the type holds it, and else 0."""
    if unit != "HU":
        return 0.0
    return _AIR_HU if dtype.kind == "f" else float(max(_AIR_HU, np.iinfo(dtype).min))


def placed_linear(voxels: Array, plan: Plan, n: int) -> _Placed:
    """Slice `n` on the grid's rows and columns, linearly interpolated."""
    _, rows, columns = plan.geometry.shape
    at_row = np.arange(rows) - plan.first_row[n]
    at_column = np.arange(columns) - plan.first_column[n]
    inside_row = _is_inside(at_row, voxels.shape[0])[:, None]
    lower, share = _neighbours(at_row, voxels.shape[0])
    values = _mixed(voxels, lower, share[:, None], 0)
    if plan.lean == 0.0:
        lower, share = _neighbours(at_column, voxels.shape[1])
        inside = inside_row & _is_inside(at_column, voxels.shape[1])
        return _Placed(_mixed(values, lower, share, 1), inside)
    leaning = at_column - plan.lean * at_row[:, None]
    lower, share = _neighbours(leaning, voxels.shape[1])
    upper = np.minimum(lower + 1, voxels.shape[1] - 1)
    values = np.take_along_axis(values, lower, 1) * (1.0 - share) + (
        np.take_along_axis(values, upper, 1) * share
    )
    return _Placed(values, inside_row & _is_inside(leaning, voxels.shape[1]))


def placed_nearest(voxels: Array, plan: Plan, n: int) -> _Placed:
    """Slice `n` on the grid's rows and columns, each voxel as its nearest neighbour."""
    _, rows, columns = plan.geometry.shape
    at_row = (np.arange(rows) - plan.first_row[n])[:, None]
    at_column = np.arange(columns) - plan.first_column[n] - plan.lean * at_row
    inside = _is_inside(at_row, voxels.shape[0]) & _is_inside(at_column, voxels.shape[1])
    row = np.clip(nearest(at_row), 0, voxels.shape[0] - 1)
    column = np.clip(nearest(at_column), 0, voxels.shape[1] - 1)
    return _Placed(voxels[row, column], inside)


def nearest(places: FloatArray) -> npt.NDArray[np.intp]:
    """Whole numbers; halfway always upwards, whatever rounding did to the last digits."""
    return np.floor(np.round(places, 6) + 0.5).astype(np.intp)


def _is_inside(places: FloatArray, count: int) -> BoolArray:
    """True within half a voxel of `count` voxels."""
    inside: BoolArray = (places >= -0.5 - _EDGE) & (places <= count - 0.5 + _EDGE)
    return inside


def _neighbours(places: FloatArray, count: int) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """The voxel at or before each place, and the share of the next; at an edge all of it."""
    lower = np.clip(np.floor(places), 0, count - 1).astype(np.intp)
    return lower, np.where(lower < count - 1, np.clip(places - lower, 0.0, 1.0), 0.0)


def _mixed(voxels: Array, lower: npt.NDArray[np.intp], share: FloatArray, axis: int) -> Array:
    """Neighbours along an axis, each with its share; as they are where nothing is shifted."""
    if not share.any() and lower[-1] - lower[0] == len(lower) - 1:
        ahead = (slice(None),) * axis
        return voxels[(*ahead, slice(lower[0], lower[-1] + 1))]  # moved by whole voxels: a view
    first = np.take(voxels, lower, axis)
    exact = voxels.dtype.kind in "iu" and voxels.dtype.itemsize <= 2
    weight = share.astype(np.float32 if exact else np.float64)
    upper = np.take(voxels, np.minimum(lower + 1, voxels.shape[axis] - 1), axis)
    mixed: Array = first * (1 - weight) + upper * weight
    return mixed
