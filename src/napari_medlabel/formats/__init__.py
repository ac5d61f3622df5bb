"""Files to volumes and back: one module per format, and here the one door to all of them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from napari_medlabel.core.derivation import Choice
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.problem import Problem
from napari_medlabel.core.volume import (
    FoundVolume,
    Grid,
    Series,
    Volume,
    VolumeReader,
    VolumeSequence,
    slice_sha256,
    volume_sha256,
)
from napari_medlabel.errors import GeometryError, InputError, OutputError
from napari_medlabel.files import shown
from napari_medlabel.formats.dicom_files import Skipped
from napari_medlabel.formats.dicom_load import TooNarrow, open_dicom
from napari_medlabel.formats.dicom_quantities import in_quantity
from napari_medlabel.formats.dicom_seg_load import open_segmentation
from napari_medlabel.formats.irregular import choices_for, pieces_of, recipe_of, with_choice
from napari_medlabel.formats.metaimage import write_metaimage
from napari_medlabel.formats.nifti import open_nifti, write_nifti
from napari_medlabel.formats.nrrd import write_nrrd
from napari_medlabel.formats.onto_source import onto_source, parts_of_source
from napari_medlabel.formats.scanning import Found, is_ome_zarr, scan
from napari_medlabel.formats.text_reader import open_text

__all__ = [
    "Found",
    "Skipped",
    "TooNarrow",
    "choices_for",
    "in_quantity",
    "is_ome_zarr",
    "onto_source",
    "open_reader",
    "parts_of_source",
    "pieces_of",
    "read",
    "read_all",
    "read_sequence",
    "recipe_of",
    "scan",
    "with_choice",
    "write",
]

_AS_FOUND: Final = Choice()
_WRITTEN: Final = (".nii", ".nii.gz", ".nrrd", ".mha")


def open_reader(series: Series, volume: int = 0, *, wide: bool = False) -> VolumeReader:
    """Open one volume of a series that `scan` found, to be read slab by slab.

    Parameters
    ----------
    series
        What was found.
    volume
        Its place among `series.volumes`.
    wide
        Voxels that hold every value the headers allow: after `read` has raised `TooNarrow`.

    Raises
    ------
    GeometryError
        If it cannot be read as one regular grid; the words are those of its problem.
    InputError
        If there is no such volume, or its file cannot be read.
    """
    if not 0 <= volume < len(series.volumes):
        raise InputError(
            f"series {series.number} has no volume {volume + 1}",
            f"it has {len(series.volumes)}",
        )
    found = series.volumes[volume]
    if not found.usable:
        raise _unusable(found)
    if recipe := recipe_of(found):
        inner = open_reader(replace(series, volumes=(recipe.found,)), wide=wide)
        return recipe.reader(inner, found)
    if series.format == "dicom":
        reader = open_dicom(series, volume, wide=wide)
        reader.source = replace(reader.source, report=found.report)
        return reader
    if series.format == "dicom-seg":
        return open_segmentation(found)
    if series.format == "nifti":
        return open_nifti(found)
    return open_text(found)


def read(
    path: str | Path,
    *,
    series: int | str | None = None,
    volume: int | None = None,
    quantity: str = "",
    choice: Choice = _AS_FOUND,
) -> Volume:
    """Read one volume into memory, in canonical axis order.

    Parameters
    ----------
    path
        As for `scan`.
    series
        Its number, from 1, or its UID; needed where there are several.
    volume
        Its number, from 1; needed where the series has several.
    quantity
        What else its values are to be, of `FoundVolume.quantities`: "SUVbw", "Philips", ...
    choice
        What to do about slices that are no one right-angled grid; `volume` counts what it makes.

    Raises
    ------
    InputError
        If there is nothing to read, or there are several and none was named; says which.
    GeometryError
        If the voxels cannot be one regular grid.
    """
    chosen = _choose_series(scan(path).series, series)
    if choice != _AS_FOUND:
        chosen = with_choice(_turned(chosen, quantity), choice)
        return _read_either(chosen, _choose_volume(chosen, volume))
    index = _choose_volume(chosen, volume)
    if quantity:
        chosen = in_quantity(chosen, index, quantity)
    return _read_either(chosen, index)


def read_sequence(path: str | Path, *, series: int | str | None = None) -> VolumeSequence:
    """Read all volumes of a series as one array, `[t, k, j, i]`, in canonical axis order.

    Parameters
    ----------
    path
        As for `scan`.
    series
        Its number, from 1, or its UID; needed where there are several.

    Raises
    ------
    InputError
        If there is nothing to read, or there are several series and none was named.
    GeometryError
        If the volumes do not lie on one grid.
    """
    chosen = _choose_series(scan(path).series, series)
    grid = chosen.geometry
    if grid is None:
        for found in chosen.volumes:
            if not found.usable:
                raise _unusable(found)
        raise GeometryError(
            f"the volumes of series {chosen.number} do not lie on one grid", "read them one by one"
        )
    first = _read_either(chosen, 0)
    array = np.empty((len(chosen.volumes), *first.shape), first.levels[0].dtype)
    for index in range(len(chosen.volumes)):
        one = first if index == 0 else _read_either(chosen, index)
        voxels = one.levels[0][:]
        if voxels.dtype != array.dtype:  # wider, or rescaled by another slope
            array = array.astype(np.promote_types(array.dtype, voxels.dtype))
        array[index] = voxels
    names = tuple(found.name for found in chosen.volumes)
    return VolumeSequence(array, first.geometry, names, first.modality, first.unit)


def _read_either(chosen: Series, index: int) -> Volume:
    try:
        return _read(chosen, index, wide=False)
    except TooNarrow:
        return _read(chosen, index, wide=True)


def _read(chosen: Series, index: int, *, wide: bool) -> Volume:
    return read_all(open_reader(chosen, index, wide=wide), chosen.problems)


def read_all(reader: VolumeReader, problems: Sequence[Problem] = ()) -> Volume:
    """Read a volume that is open into memory, in canonical axis order, and close its reader.

    Parameters
    ----------
    reader
        Any.
    problems
        Those of its series, told beside its own.

    Raises
    ------
    InputError
        If a slice cannot be read.
    TooNarrow
        If its voxels do not hold what the headers make of them.
    """
    try:
        source = reader.source
        array = reader.read(0, source.geometry.shape[0])
        digest = volume_sha256(slice_sha256(plane) for plane in array)
        return Volume(
            levels=(np.ascontiguousarray(source.axes.apply(array)),),
            geometry=source.geometry.laid_out(source.axes),
            source=replace(reader.source, instances=reader.hashes()),
            modality=reader.modality,
            unit=reader.unit,
            name=reader.name,
            window=reader.window,
            problems=tuple(dict.fromkeys((*reader.problems, *problems))),
            sha256=digest,
        )
    finally:
        reader.close()


def write(  # noqa: PLR0913  # what a file holds, and how
    array: Grid,
    geometry: Geometry,
    path: str | Path,
    *,
    force: bool = False,
    space_code: int = 1,
    labels: bool = False,
) -> None:
    """Write voxels in the format that the name ends in, whole or not at all.

    Parameters
    ----------
    array
        `[k, j, i]` on `geometry`; bool, integers or floats. Read slab by slab.
    geometry
        Where the voxels are: for a mask, the grid of its source.
    path
        A new `.nii`, `.nii.gz`, `.nrrd` or `.mha`.
    force
        Whether an existing file may be replaced.
    space_code
        `Source.space_code` of where the grid comes from; only NIfTI has it.
    labels
        Whether the values are labels; only NIfTI says so.

    Raises
    ------
    OutputError
        If the file is there already or cannot be written, or no format is written by this name.
    InputError
        If the voxels are of a type that cannot be written exactly.
    GeometryError
        If the array does not have the shape of the geometry.
    """
    name = Path(path).name.lower()
    if name.endswith((".nii", ".nii.gz")):
        write_nifti(array, geometry, path, force=force, space_code=space_code, labels=labels)
    elif name.endswith(".nrrd"):
        write_nrrd(array, geometry, path, force=force)
    elif name.endswith(".mha"):
        write_metaimage(array, geometry, path, force=force)
    else:
        what = f"no format is written by the name {shown(Path(path).name)}"
        raise OutputError(what, f"end it in one of {', '.join(_WRITTEN)}")


# Which one is meant


def _choose_series(found: Sequence[Series], wanted: int | str | None) -> Series:
    if wanted is None:
        images = [one for one in found if one.kind in {"image", "segmentation"}]
        if len(images or found) == 1:
            return (images or found)[0]
        raise InputError(f"there are {len(found)} series: {_listed(found)}", "name one by number")
    for one in found:
        if wanted in (one.number, str(one.number), one.uid):
            return one
    raise InputError("there is no series with this number or UID", f"there are: {_listed(found)}")


def _turned(series: Series, quantity: str) -> Series:
    """All of its volumes in a quantity: what a choice makes of them is not counted yet."""
    for index in range(len(series.volumes)) if quantity else ():
        series = in_quantity(series, index, quantity)
    return series


def _listed(found: Sequence[Series]) -> str:
    return "; ".join(
        f"{one.number} {one.modality or one.format} {_shape(one.geometry)}" for one in found
    )


def _shape(geometry: Geometry | None) -> str:
    return "x".join(str(n) for n in geometry.shape) if geometry else "no one grid"


def _choose_volume(series: Series, wanted: int | None) -> int:
    count = len(series.volumes)
    if wanted is None and count > 1:
        names = ", ".join(f"{n} {one.name}".strip() for n, one in enumerate(series.volumes, 1))
        what = f"series {series.number} has {count} volumes: {names}"
        raise InputError(what, "name one by number")
    return 0 if wanted is None else wanted - 1


def _unusable(found: FoundVolume) -> GeometryError:
    for problem in found.problems:
        if problem.blocking:
            return GeometryError(problem.what, problem.hint)
    return GeometryError("the slices are not one regular grid", "see the problems of its scan")
