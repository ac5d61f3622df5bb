"""What can be opened and how: files through `formats`, OME-Zarr through `storage`."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from napari_medlabel.core.volume import (
    FoundVolume,
    Series,
    Volume,
    VolumeReader,
    slice_sha256,
)
from napari_medlabel.formats import Found, is_ome_zarr, open_reader, scan
from napari_medlabel.formats.memory_reader import MemoryReader
from napari_medlabel.storage.ome_zarr import open_volume

__all__ = ["find", "fingerprint", "open_source"]

Progress = Callable[[int, int], None]
_OME_ZARR: Final = "ome-zarr"
_SLICES_LOOKED_AT: Final = 5


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
    found = FoundVolume(volume.name, volume.source.geometry, volume.problems, (path,))
    uid = f"{_OME_ZARR}:{path.name}"
    return Found((Series(1, uid, _OME_ZARR, volume.modality, "image", (found,), 1),))


def open_source(series: Series, volume: int = 0, *, wide: bool = False) -> VolumeReader:
    """One volume of a series that `find` found, to be read slab by slab."""
    if series.format != _OME_ZARR:
        return open_reader(series, volume, wide=wide)
    return _reader(open_volume(series.volumes[volume].parts[0]))


def fingerprint(reader: VolumeReader) -> str:
    """What tells two sources with the same headers apart: a copy without its face, say.

    SHA-256 (hex) of some slices, evenly spaced: reading all would take as long as an import.
    """
    depth = reader.source.geometry.shape[0]
    chosen = sorted(set(np.linspace(0, depth - 1, _SLICES_LOOKED_AT + 2).round().astype(int)))
    digest = hashlib.sha256()
    for k in chosen[1:-1] or chosen:
        digest.update(slice_sha256(reader.read(int(k), int(k) + 1)[0]))
    return digest.hexdigest()


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
