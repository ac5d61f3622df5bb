"""What can be opened and how: files through `formats`, OME-Zarr through `storage`."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from napari_medlabel import formats
from napari_medlabel.core.derivation import Choice, Irregular
from napari_medlabel.core.volume import (
    FoundVolume,
    Series,
    Volume,
    VolumeReader,
    VolumeSequence,
    slice_sha256,
)
from napari_medlabel.errors import InputError
from napari_medlabel.files import shown
from napari_medlabel.formats import (
    Found,
    is_ome_zarr,
    open_reader,
    read_all,
    recipe_of,
    scan,
    with_choice,
)
from napari_medlabel.formats.memory_reader import MemoryReader
from napari_medlabel.formats.voxels import file_uid
from napari_medlabel.storage.ome_zarr import open_volume

__all__ = ["find", "fingerprint", "open_source", "read", "read_sequence", "read_source"]

Progress = Callable[[int, int], None]
_OME_ZARR: Final = "ome-zarr"
_SLICES_LOOKED_AT: Final = 9


def find(
    path: Path,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Found:
    """The series at a path; an OME-Zarr is one of one volume.

    Raises
    ------
    InputError
        If there is none, or the path cannot be read.
    Cancelled
        If it was called off.
    """
    if not is_ome_zarr(path):
        return scan(path, progress=progress, cancelled=cancelled)
    volume = open_volume(path)
    found = FoundVolume(
        volume.name, volume.source.geometry, volume.problems, (path,), volume.source.report
    )
    uid = file_uid(path.name)
    return Found((Series(1, uid, _OME_ZARR, volume.modality, "image", (found,), 1),))


def open_source(series: Series, volume: int = 0, *, wide: bool = False) -> VolumeReader:
    """One volume of a series that `find` found, to be read slab by slab."""
    if series.format != _OME_ZARR:
        return open_reader(series, volume, wide=wide)
    found = series.volumes[volume]
    if recipe := recipe_of(found):
        inner = _reader(open_volume(recipe.found.parts[0]))
        return recipe.reader(inner, found)
    return _reader(open_volume(found.parts[0]))


def read(  # noqa: PLR0913  # each is a choice the person makes
    path: str | Path,
    *,
    series: int | str | None = None,
    volume: int | None = None,
    quantity: str = "",
    irregular: Irregular = "refuse",
    step_mm: float | None = None,
    nearest: bool = False,
) -> Volume:
    """Read one volume into memory, in canonical axis order.

    Parameters
    ----------
    path
        DICOM (file, folder, zip archive, DICOMDIR), NIfTI, NRRD, MetaImage or OME-Zarr.
    series
        Its number, from 1, or its UID; needed where there are several.
    volume
        Its number, from 1; needed where the series has several.
    quantity
        What else its values are to be: "SUVbw" of PET, "Philips" for that maker's own scale,
        "real world"; `scan` says which there are.
    irregular
        What to do where the slices are not one right-angled grid. "split" makes a volume of each
        evenly spaced run, from the first slice to the last, and `volume` counts these.
        "largest-run" keeps the longest. "resample" makes a right-angled grid, and keeps a volume
        that is one. `Volume.problems` says what was done.
    step_mm
        Between slices that are resampled; the most frequent step without it.
    nearest
        Resample labels: no values in between.

    Raises
    ------
    InputError
        If there is nothing to read, or there are several and none was named; says which.
    GeometryError
        If the voxels cannot be one regular grid, or what was chosen does not make them one.
    IntegrityError
        If an OME-Zarr is damaged.
    """
    place, choice = Path(path), Choice(irregular, step_mm, nearest)
    try:
        if is_ome_zarr(place):
            return _read_ome_zarr(place, series, volume, choice)
        return formats.read(place, series=series, volume=volume, quantity=quantity, choice=choice)
    except InputError as error:
        raise _named(error, place) from error


def read_sequence(path: str | Path, *, series: int | str | None = None) -> VolumeSequence:
    """Read all volumes of a series as one array, `[t, k, j, i]`: times, echoes, b-values.

    Parameters
    ----------
    path
        DICOM, NIfTI, NRRD or MetaImage.
    series
        Its number, from 1, or its UID; needed where there are several.

    Raises
    ------
    InputError
        If there is nothing to read, or there are several series and none was named.
    GeometryError
        If the volumes do not lie on one grid.
    """
    try:
        return formats.read_sequence(path, series=series)
    except InputError as error:
        raise _named(error, Path(path)) from error


def _named(error: InputError, place: Path) -> InputError:
    """The error with the name of the file or folder that a person gave."""
    if shown(place) in error.what:
        return error
    return type(error)(f"{shown(place)}: {error.what}", error.hint)


read_source = read  # beside other things that read, among the commands


def fingerprint(reader: VolumeReader) -> str:
    """What tells two sources with the same headers apart: a copy without its face, say.

    SHA-256 (hex) of all slices, and for DICOM of some, evenly spaced: reading all of it would
    take as long as an import, and a changed instance has another UID (PS3.3 C.12.1.1.2).
    """
    depth = reader.source.geometry.shape[0]
    count = depth if reader.source.format != "dicom" else _SLICES_LOOKED_AT
    digest = hashlib.sha256()
    for k in sorted(set(np.linspace(0, depth - 1, min(count, depth)).round().astype(int))):
        digest.update(slice_sha256(reader.read(int(k), int(k) + 1)[0]))
    return digest.hexdigest()


def _read_ome_zarr(
    path: Path, series: int | str | None, volume: int | None, choice: Choice
) -> Volume:
    if series not in {None, 1, "1"} or volume not in {None, 1}:
        raise InputError("an OME-Zarr holds one series of one volume", "name neither")
    (found,) = find(path).series
    made = with_choice(found, choice)
    if recipe_of(made.volumes[0]):
        return read_all(open_source(made))
    stored = open_volume(path)
    return replace(stored, levels=(np.ascontiguousarray(stored.levels[0][:]),))


def _reader(volume: Volume) -> VolumeReader:
    """A volume as a reader, on its source's own grid."""
    array = np.ascontiguousarray(volume.source.axes.inverse().apply(volume.levels[0][:]))
    return MemoryReader(
        array,
        volume.source,
        volume.modality,
        volume.unit,
        volume.name,
        volume.window,
        volume.problems,
    )
