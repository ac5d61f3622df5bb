"""A group of an OME-Zarr as objects in a folder: made whole or not at all, and opened again.

The layout of the chunks is told in `zarr_layout`, the attributes in `ome_metadata`, the seal in
`sealed_store`.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from napari_medlabel.core.geometry import Index
from napari_medlabel.core.volume import Grid
from napari_medlabel.errors import IntegrityError
from napari_medlabel.files import new_folder, shown
from napari_medlabel.storage.cache import Cache
from napari_medlabel.storage.cipher import Cipher
from napari_medlabel.storage.flusher import Flusher
from napari_medlabel.storage.foreign_zarr import zarr_arrays
from napari_medlabel.storage.ome_metadata import group_document, medlabel_attributes
from napari_medlabel.storage.sealed_store import MANIFEST, ObjectFolder, PlainFolder, SealedFolder
from napari_medlabel.storage.stored_grid import Array, StoredGrid
from napari_medlabel.storage.zarr_layout import ArrayLayout

__all__ = [
    "check_shape",
    "finish_group",
    "layouts_of",
    "level_grids",
    "new_group",
    "our_attributes",
]

_CACHE_BYTES: Final = 256 << 20


def layouts_of(
    shape: Index,
    factors: list[Index],
    dtype: np.dtype[Any],
    cipher: Cipher | None,
    shard_along: int | None,
) -> list[ArrayLayout]:
    """How each level is cut; fewer folders where sealed, shards along an axis where asked for."""
    separator = "/" if cipher is None else "."
    sizes = [[-(-n // f) for n, f in zip(shape, factor, strict=True)] for factor in factors]
    return [
        ArrayLayout.of((k, j, i), dtype, separator=separator, shard_along=shard_along)
        for k, j, i in sizes
    ]


@contextmanager
def new_group(
    path: Path, cipher: Cipher | None, place: str, *, force: bool
) -> Iterator[ObjectFolder]:
    """A folder to fill, there whole or not at all; files become durable meanwhile."""
    sealed = cipher is not None and (path / MANIFEST).is_file()  # even if it is hurt
    marker = MANIFEST if sealed else "zarr.json"
    flusher = Flusher()
    made = new_folder(path, force=force, marker=marker, durable=flusher.durable)
    with made as hidden, flusher:
        if cipher is None:
            yield PlainFolder(hidden, flusher.add)
        else:
            yield SealedFolder(hidden, cipher, place, flusher.add)


def finish_group(
    folder: ObjectFolder,
    layouts: list[ArrayLayout],
    ome: Mapping[str, Any],
    medlabel: Mapping[str, Any],
) -> None:
    """Write the documents: all chunks are there."""
    for level, layout in enumerate(layouts):
        folder.write(f"{level}/zarr.json", _json(layout.document()))
    folder.write("zarr.json", _json(group_document(ome, medlabel)))
    folder.finish()


def our_attributes(folder: ObjectFolder) -> Mapping[str, Any] | None:
    """Our attributes of a group, None where it is another program's.

    Raises
    ------
    IntegrityError
        If its document is damaged.
    InputError
        If it is of a newer format.
    """
    document = _document(folder, "zarr.json")
    return None if document is None else medlabel_attributes(document, folder.path.name)


def level_grids(folder: ObjectFolder, count: int, cache: Cache[Array] | None) -> list[Any]:
    """The levels; what is not cut as we cut is left to zarr-python.

    Raises
    ------
    IntegrityError
        If one is missing, or its document is damaged.
    """
    layouts: list[ArrayLayout] = []
    for level in range(count):
        document = _document(folder, f"{level}/zarr.json")
        if document is None:
            what = f"{shown(folder.path.name)} is not what was written: level {level} is missing"
            raise IntegrityError(what, "restore it from a backup")
        layout = ArrayLayout.from_document(document)
        if layout is None:
            return zarr_arrays(folder, [str(n) for n in range(count)])
        layouts.append(layout)
    shared: Cache[Array] = Cache(_CACHE_BYTES) if cache is None else cache
    return [StoredGrid(folder, str(n), layout, shared) for n, layout in enumerate(layouts)]


def check_shape(path: Path, shape: Index, finest: Grid) -> None:
    """Pass where the finest level has the shape that the attributes tell.

    Raises
    ------
    IntegrityError
        If it has not.
    """
    if tuple(finest.shape) != shape:
        what = f"{shown(path.name)} is not what was written: level 0 has another shape"
        raise IntegrityError(what, "restore it from a backup")


def _document(folder: ObjectFolder, name: str) -> Mapping[str, Any] | None:
    content = folder.read(name)
    if content is None:
        return None
    try:
        document = json.loads(content)
    except ValueError:
        document = None
    if not isinstance(document, Mapping):
        where = f"{folder.path.name}/{name}"
        raise IntegrityError(f"{shown(where)} is damaged", "restore it from a backup")
    return document


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
