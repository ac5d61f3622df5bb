"""OME-Zarr of other programs, 0.4 and 0.5, and ours in shards: read through zarr-python.

Positions are taken as LPS: an axis named z, y or x grows towards the head, posterior or left,
unless its `orientation` (RFC-4) says otherwise. A spacing without a unit is taken as millimetres
and said to be so.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from napari_medlabel.core.geometry import Axes, FloatArray, Geometry, Index
from napari_medlabel.core.problem import Problem
from napari_medlabel.core.volume import Source, Volume
from napari_medlabel.errors import InputError, IntegrityError, MedlabelError
from napari_medlabel.files import shown
from napari_medlabel.storage.sealed_store import ObjectFolder
from napari_medlabel.storage.stored_grid import ZarrGrid
from napari_medlabel.storage.zarr_store import zarr_store

__all__ = ["foreign_volume", "zarr_arrays"]

# UDUNITS-2 names that OME-NGFF allows, as millimetres.
_MM: Final = {
    "angstrom": 1e-7, "nanometer": 1e-6, "micrometer": 1e-3, "millimeter": 1.0,
    "centimeter": 10.0, "decimeter": 100.0, "meter": 1000.0, "inch": 25.4,
}  # fmt: skip
_LPS: Final = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}
_ORIENTED: Final = {  # NGFF RFC-4: from where to where the axis grows
    "right-to-left": (1.0, 0.0, 0.0), "left-to-right": (-1.0, 0.0, 0.0),
    "anterior-to-posterior": (0.0, 1.0, 0.0), "posterior-to-anterior": (0.0, -1.0, 0.0),
    "inferior-to-superior": (0.0, 0.0, 1.0), "superior-to-inferior": (0.0, 0.0, -1.0),
}  # fmt: skip


def foreign_volume(path: Path) -> Volume:
    """A volume that another program wrote.

    Raises
    ------
    InputError
        If it is not an OME-Zarr image with three axes in space and one of everything else.
    """
    import zarr
    from zarr.errors import BaseZarrError

    try:
        group = zarr.open_group(path, mode="r")
        attributes: dict[str, Any] = dict(group.attrs)
    except (BaseZarrError, OSError, ValueError, KeyError, TypeError) as error:
        raise _not_one(path) from error
    ome = attributes.get("ome", attributes)
    try:
        scales: Mapping[str, Any] = ome["multiscales"][0]
        axes = [_axis(axis) for axis in scales["axes"]]
        datasets = scales["datasets"]
        arrays: list[Any] = [group[one["path"]] for one in datasets]
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise _not_one(path) from error
    spatial = _spatial(axes, arrays[0].shape, path)
    try:
        size = [arrays[0].shape[axis] for axis in spatial]
        matrix = _lps_from_own([axes[n] for n in spatial], spatial, (datasets[0], scales))
        own = Geometry((size[0], size[1], size[2]), matrix)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise _not_one(path) from error
    canonical = own.canonical
    levels = tuple(ZarrGrid(array, spatial, canonical) for array in arrays)
    if levels[0].dtype.kind not in "iufb":
        raise InputError(f"{shown(path)} holds voxels of type {levels[0].dtype}, not numbers")
    source = Source("ome-zarr", own, canonical)
    return Volume(levels, own.laid_out(canonical), source, problems=_problems(axes, spatial))


def zarr_arrays(folder: ObjectFolder, names: Sequence[str]) -> list[ZarrGrid]:
    """Levels of ours that are in shards.

    Raises
    ------
    IntegrityError
        If zarr-python cannot open them.
    """
    import zarr
    from zarr.errors import BaseZarrError

    store = zarr_store(folder)
    try:
        arrays: list[Any] = [zarr.open_array(store, path=name, mode="r") for name in names]
    except (BaseZarrError, OSError, ValueError, KeyError, TypeError) as error:
        what = f"the levels of {shown(folder.path.name)} cannot be opened"
        raise IntegrityError(what, "restore it from a backup") from error
    return [ZarrGrid(array, (0, 1, 2), Axes()) for array in arrays]


def _axis(axis: Mapping[str, Any] | str) -> Mapping[str, Any]:
    return {"name": axis} if isinstance(axis, str) else axis


def _spatial(axes: Sequence[Mapping[str, Any]], shape: Sequence[int], path: Path) -> Index:
    spatial = [n for n, axis in enumerate(axes) if str(axis["name"]).lower() in _LPS]
    if len(axes) != len(shape) or len(spatial) != 3:
        raise _not_one(path)
    for n, axis in enumerate(axes):
        if n not in spatial and shape[n] != 1:
            raise InputError(
                f"{shown(path)} has {shape[n]} along its axis {axis['name']!r}; one is wanted",
                "write one channel and one time point as an OME-Zarr of its own",
            )
    return (spatial[0], spatial[1], spatial[2])


def _lps_from_own(
    axes: Sequence[Mapping[str, Any]], spatial: Index, holders: Sequence[Mapping[str, Any]]
) -> FloatArray:
    """The affine from the array's own index in space to LPS, mm."""
    scale, origin = np.ones(3), np.zeros(3)
    for holder in holders:  # the level's own transformations, then those of all levels
        for one in holder.get("coordinateTransformations", ()):
            if one["type"] == "scale":
                step = np.array([float(one["scale"][n]) for n in spatial])
                scale, origin = scale * step, origin * step
            elif one["type"] == "translation":
                origin = origin + np.array([float(one["translation"][n]) for n in spatial])
    matrix = np.eye(4)
    matrix[:3, 3] = 0.0
    for n, axis in enumerate(axes):
        mm = _MM.get(str(axis.get("unit", "millimeter")), 1.0)
        direction = np.array(_direction(axis))
        matrix[:3, n] = direction * scale[n] * mm
        matrix[:3, 3] += direction * origin[n] * mm
    return matrix


def _direction(axis: Mapping[str, Any]) -> tuple[float, float, float]:
    orientation = axis.get("orientation")
    if isinstance(orientation, Mapping) and orientation.get("type") == "anatomical":
        return _ORIENTED[str(orientation["value"])]
    return _LPS[str(axis["name"]).lower()]


def _problems(axes: Sequence[Mapping[str, Any]], spatial: Index) -> tuple[Problem, ...]:
    units = {str(axes[n].get("unit", "")) for n in spatial}
    strange = sorted(units - _MM.keys())
    if not strange:
        return ()
    named = ", ".join(repr(unit) for unit in strange if unit) or "none"
    what = f"the axes have no unit of length that is known (found: {named}); millimetres are taken"
    return (Problem("no-unit", what, "compare a known distance"),)


def _not_one(path: Path) -> MedlabelError:
    return InputError(
        f"{shown(path)} is not an OME-Zarr image with three axes in space",
        "choose the folder that holds its levels",
    )
