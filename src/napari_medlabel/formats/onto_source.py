"""Labels on a resampled grid, back onto the slices that it was made from."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.derivation import SlicePlanes
from napari_medlabel.core.geometry import Axes, Geometry
from napari_medlabel.core.volume import Source
from napari_medlabel.errors import GeometryError
from napari_medlabel.formats.dicom_geometry import OFF_MM, Stack, geometry_of, regular_runs
from napari_medlabel.formats.resample import nearest

__all__ = ["onto_source", "parts_of_source"]

Array = npt.NDArray[Any]


def onto_source(labels: Array, source: Source) -> list[tuple[Geometry, Array]]:
    """Labels on a resampled grid, as they lie on the slices it was made from.

    Each voxel of the source takes the label of the nearest one of the grid.

    Parameters
    ----------
    labels
        `[k, j, i]` on `source.geometry`.
    source
        Of the resampled volume.

    Returns
    -------
    list of (Geometry, array)
        One grid, sheared where the slices are tilted, if they are evenly spaced; else one for
        each evenly spaced run of slices, in order. For a volume that is not derived: as it is.

    Raises
    ------
    GeometryError
        If the labels do not have the shape of the grid.
    """
    if tuple(labels.shape) != source.geometry.shape:
        raise GeometryError(
            f"labels of {tuple(labels.shape)} voxels do not fit a grid of {source.geometry.shape}"
        )
    if source.derivation is None:
        return [(source.geometry, labels)]
    planes = source.derivation.slices
    found = np.empty((len(planes.positions_lps), planes.rows, planes.columns), labels.dtype)
    for n, slice_ in enumerate(found):
        slice_[:] = labels[_grid_index(planes, n, source.geometry)]
    return [
        (geometry, found[start:stop])
        for geometry, start, stop in _grids(planes, source.derivation.step_mm)
    ]


def parts_of_source(labels: Array, source: Source) -> list[tuple[Source, Array]]:
    """As `onto_source`, with all that is known of each of these grids.

    Returns
    -------
    list of (Source, array)
        The slices themselves, as if nothing had been derived from them: each part has its own
        instances, and its array is on its own grid.
    """
    if source.derivation is None:
        return [(source, labels)]
    parts, start = [], 0
    for geometry, found in onto_source(labels, source):
        stop = start + len(found)
        own = tuple(
            replace(one, slice=one.slice - start)
            for one in source.instances
            if start <= one.slice < stop
        )
        # Left as the slices lie: what is written is in the source's own layout, not a canonical.
        part = replace(source, geometry=geometry, axes=Axes(), instances=own, derivation=None)
        parts.append((part, found))
        start = stop
    return parts


def _grid_index(planes: SlicePlanes, n: int, grid: Geometry) -> tuple[Array, Array, Array]:
    """The grid's voxel nearest to each voxel of a slice; `[row, column]` for k, j and i."""
    start = planes.positions_lps[n]
    down, across = planes.down * planes.pixel_mm[0], planes.across * planes.pixel_mm[1]
    first, next_row, next_column = grid.kji(np.stack([start, start + down, start + across]))
    row, column = np.arange(planes.rows)[:, None], np.arange(planes.columns)
    at = [
        first[a] + row * (next_row - first)[a] + column * (next_column - first)[a]
        for a in (0, 1, 2)
    ]
    # Halfway goes to the side from which `placed_nearest` has taken it.
    k, j, i = nearest(at[0]), -nearest(-at[1]), -nearest(-at[2])
    depth, rows, columns = grid.shape
    return np.clip(k, 0, depth - 1), np.clip(j, 0, rows - 1), np.clip(i, 0, columns - 1)


def _grids(planes: SlicePlanes, step_mm: float) -> list[tuple[Geometry, int, int]]:
    """The regular grids that slices are, each with its first slice and the one past its last."""
    positions, count = planes.positions_lps, len(planes.positions_lps)
    even = np.linspace(positions[0], positions[-1], count)
    if count > 1 and np.linalg.norm(positions - even, axis=1).max() <= OFF_MM:
        matrix = np.eye(4)
        matrix[:3, 0] = (positions[-1] - positions[0]) / (count - 1)
        matrix[:3, 1] = planes.down * planes.pixel_mm[0]
        matrix[:3, 2] = planes.across * planes.pixel_mm[1]
        matrix[:3, 3] = positions[0]
        return [(Geometry((count, planes.rows, planes.columns), matrix), 0, count)]
    stack = Stack(
        positions, planes.across, planes.down, planes.pixel_mm, planes.rows, planes.columns,
        between_mm=step_mm,
    )  # fmt: skip
    grids = []
    for start, stop in regular_runs(stack):
        geometry = geometry_of(stack.part(positions[start:stop]))
        assert geometry is not None  # noqa: S101  # a run is even
        grids.append((geometry, start, stop))
    return grids
