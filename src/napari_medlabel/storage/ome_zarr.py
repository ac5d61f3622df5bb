"""Volumes and label versions as OME-Zarr: written as they stream by, read as they are needed.

The layout of the chunks is told in `zarr_layout`, the attributes in `ome_metadata`, the seal in
`sealed_store`. What is written is there whole or not at all.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from napari_medlabel.core.edit import LabelArray
from napari_medlabel.core.geometry import Geometry, Index
from napari_medlabel.core.schema import LabelSchema
from napari_medlabel.core.volume import (
    Grid,
    Volume,
    VolumeReader,
    slice_sha256,
    volume_sha256,
)
from napari_medlabel.errors import InputError, IntegrityError
from napari_medlabel.files import new_folder, shown
from napari_medlabel.storage.cache import Cache
from napari_medlabel.storage.cipher import Cipher
from napari_medlabel.storage.flusher import Flusher
from napari_medlabel.storage.foreign_zarr import foreign_volume, zarr_arrays
from napari_medlabel.storage.level_writer import pyramid_writer
from napari_medlabel.storage.ome_metadata import (
    factors_of,
    group_document,
    image_attributes,
    labels_attributes,
    labels_from,
    medlabel_attributes,
    ome_attributes,
    volume_from,
)
from napari_medlabel.storage.parallel import Job, in_parallel, never
from napari_medlabel.storage.pyramid import join_mean, join_mode, level_factors
from napari_medlabel.storage.sealed_store import (
    ObjectFolder,
    PlainFolder,
    SealedFolder,
    open_folder,
)
from napari_medlabel.storage.slabs import (
    First,
    Loaded,
    fill,
    slab_box,
    slab_starts,
    source_digests,
)
from napari_medlabel.storage.stored_grid import Array, StoredGrid
from napari_medlabel.storage.zarr_layout import ArrayLayout

__all__ = ["open_volume", "read_into", "read_labels", "verify", "write_labels", "write_volume"]

_CACHE_BYTES: Final = 256 << 20


def write_volume(  # noqa: PLR0913  # each is a choice of the caller
    reader: VolumeReader,
    path: Path,
    *,
    cipher: Cipher | None = None,
    place: str = "",
    into: Array | None = None,
    loaded: Loaded | None = None,
    first: First = None,
    cancelled: Callable[[], bool] = never,
    threads: int = 2,
    identifiers: bool | None = None,
    sharded: bool = False,
    force: bool = False,
) -> Volume:
    """Stream a volume into an OME-Zarr with its pyramid; memory does not grow with its slices.

    Parameters
    ----------
    reader
        Read in slabs, by several threads; not closed.
    path
        The new folder.
    cipher, place
        What seals it, and what it belongs to; without a cipher it is in the clear.
    into
        An array of the canonical shape, filled at the same time.
    loaded
        Told, by any thread, that `start` to `stop` are in `into`, along the canonical axis on
        which the source's slices lie.
    first
        The slab with this index on that axis comes first; a callable is asked before each slab,
        by any thread, and the slab with its answer comes next, if it is not begun yet.
    cancelled
        Asked before each slab.
    threads
        That read and write.
    identifiers
        Whether UIDs are among its attributes; as a rule only where it is sealed.
    sharded
        Fewer, larger files, through zstd: for object stores.
    force
        Whether an OME-Zarr that is there may be replaced.

    Returns
    -------
    Volume
        As it is at rest, with the hashes of its instances.

    Raises
    ------
    Cancelled
        If it was called off.
    InputError
        If it cannot be read; OutputError if it cannot be written. Nothing is left behind.
    """
    source = reader.source
    geometry = source.geometry.laid_out(source.axes)
    axis = source.axes.order.index(0)
    factors = level_factors(geometry.shape, geometry.spacing_mm)
    layouts = _layouts(geometry.shape, factors, reader.dtype, cipher, axis if sharded else None)
    depth = source.geometry.shape[0]
    digests = [b""] * depth
    with _new_objects(path, cipher, place, force=force) as folder:
        writer = pyramid_writer(folder, layouts, factors, axis, join_mean)

        def convert(start: int) -> list[Job]:
            stop = min(start + writer.thickness, depth)
            low, high = (
                (depth - stop, depth - start) if source.axes.flipped[axis] else (start, stop)
            )
            slab = reader.read(low, high)
            for k in range(low, high):
                digests[k] = slice_sha256(slab[k - low])
            block = source.axes.apply(slab)
            if into is not None:
                into[slab_box(axis, start, stop)] = block
            if loaded is not None:
                loaded(start, stop)
            return writer.take(start, np.ascontiguousarray(block))

        starts = slab_starts(depth, writer.thickness, first)
        in_parallel(convert, starts, threads=threads, cancelled=cancelled)
        volume = Volume(
            (), geometry, replace(source, instances=reader.hashes()), reader.modality, reader.unit,
            reader.name, reader.window, tuple(reader.problems), volume_sha256(digests),
        )  # fmt: skip
        named = cipher is not None if identifiers is None else identifiers
        attributes = image_attributes(volume, factors, identifiers=named)
        _finish(folder, layouts, ome_attributes(geometry, factors, "mean"), attributes)
    return replace(volume, levels=open_volume(path, cipher=cipher, place=place).levels)


def open_volume(
    path: Path,
    *,
    cipher: Cipher | None = None,
    place: str = "",
    cache: Cache[Array] | None = None,
) -> Volume:
    """A volume at rest: its levels are read when they are cut, through a bounded cache.

    Parameters
    ----------
    path
        An OME-Zarr: ours, or another program's (0.4 or 0.5).
    cipher, place
        As it was written.
    cache
        Where decoded chunks are kept; one of its own, of 256 MiB, if not given.

    Raises
    ------
    IntegrityError
        If it is not what was written.
    InputError
        If it is not an OME-Zarr of three axes in space, or of a newer format.
    """
    folder = open_folder(path, cipher, place)
    found = _attributes(folder)
    if found is None:
        return foreign_volume(path)
    levels = _grids(folder, len(factors_of(found, path.name)), cache)
    volume = volume_from(found, levels, path.name)
    _check_shape(path, volume.shape, levels[0])
    return volume


def read_into(  # noqa: PLR0913  # each is a choice of the caller
    path: Path,
    into: Array,
    *,
    cipher: Cipher | None = None,
    place: str = "",
    first: First = None,
    loaded: Loaded | None = None,
    cancelled: Callable[[], bool] = never,
    threads: int = 2,
) -> None:
    """Fill memory with the finest level of a volume at rest, slab by slab along k.

    Parameters
    ----------
    path, cipher, place
        As for `open_volume`.
    into
        An array of the volume's shape.
    first
        The slab with this k comes first; or a callable, as for `write_volume`.
    loaded
        Told, by any thread, that slices `start` to `stop` are there.
    cancelled
        Asked before each chunk.
    threads
        That read.

    Raises
    ------
    Cancelled
        If it was called off.
    IntegrityError
        If a chunk is not what was written.
    """
    volume = open_volume(path, cipher=cipher, place=place, cache=Cache(0))
    if into.shape != volume.shape:
        raise ValueError(f"an array of shape {into.shape} does not take {volume.shape}")
    fill(volume.levels[0], into, first=first, loaded=loaded, cancelled=cancelled, threads=threads)


def write_labels(  # noqa: PLR0913  # each is a choice of the caller
    labels: LabelArray,
    geometry: Geometry,
    schema: LabelSchema,
    path: Path,
    *,
    cipher: Cipher | None = None,
    place: str = "",
    threads: int = 2,
    force: bool = False,
) -> None:
    """Write labels as OME-Zarr labels with their pyramid.

    Parameters
    ----------
    labels
        `[k, j, i]`, canonical, not changed meanwhile.
    geometry, schema
        Where they are, and what they mean.
    path, cipher, place, threads, force
        As for `write_volume`.

    Raises
    ------
    OutputError
        If it cannot be written; nothing is left behind.
    """
    if labels.shape != geometry.shape:
        raise ValueError("the labels do not have the shape of the geometry")
    factors = level_factors(geometry.shape, geometry.spacing_mm)
    layouts = _layouts(geometry.shape, factors, labels.dtype, cipher, None)
    digests = [b""] * len(labels)
    with _new_objects(path, cipher, place, force=force) as folder:
        writer = pyramid_writer(folder, layouts, factors, 0, join_mode, leave_out_zeros=True)

        def convert(start: int) -> list[Job]:
            slab = labels[start : start + writer.thickness]
            for k, plane in enumerate(slab, start):
                digests[k] = slice_sha256(plane)
            return writer.take(start, np.ascontiguousarray(slab))

        in_parallel(convert, slab_starts(len(labels), writer.thickness), threads=threads)
        attributes = labels_attributes(geometry, factors, schema, volume_sha256(digests))
        _finish(folder, layouts, ome_attributes(geometry, factors, "mode", schema), attributes)


def read_labels(
    path: Path, *, cipher: Cipher | None = None, place: str = "", threads: int = 2
) -> tuple[LabelArray, Geometry, LabelSchema]:
    """The labels that `write_labels` wrote, with their geometry and schema.

    Raises
    ------
    IntegrityError
        If they are not what was written.
    InputError
        If these are not labels of ours.
    """
    folder = open_folder(path, cipher, place)
    found = _attributes(folder)
    if found is None or found.get("kind") != "labels":
        raise InputError(f"{shown(path)} holds no labels of ours", "choose a saved version")
    geometry, schema = labels_from(found, path.name)
    grid = _grids(folder, 1, Cache(0))[0]
    if not isinstance(grid, StoredGrid) or grid.dtype not in (np.uint8, np.uint16):
        raise IntegrityError(f"{path.name} does not hold labels", "restore it from a backup")
    _check_shape(path, geometry.shape, grid)
    labels: LabelArray = np.zeros(geometry.shape, grid.dtype)
    fill(grid, labels, threads=threads)
    return labels, geometry, schema


def verify(path: Path, cipher: Cipher | None = None, place: str = "", *, threads: int = 2) -> None:
    """Read every object of a volume or version, and hold its voxels against their SHA-256.

    Raises
    ------
    IntegrityError
        If anything is not what was written; it says what.
    InputError
        If it is not an OME-Zarr, or of a newer format.
    """
    folder = open_folder(path, cipher, place)

    def read(name: str) -> None:
        folder.read(name)

    in_parallel(read, folder.names(), threads=threads)
    volume = open_volume(path, cipher=cipher, place=place, cache=Cache(0))
    if volume.sha256 and volume_sha256(source_digests(volume, threads)) != volume.sha256:
        raise IntegrityError(
            f"{shown(path.name)} is not what was written: its voxels have another SHA-256",
            "restore it from a backup",
        )


# How


def _layouts(
    shape: Index,
    factors: list[Index],
    dtype: np.dtype[Any],
    cipher: Cipher | None,
    shard_along: int | None,
) -> list[ArrayLayout]:
    separator = "/" if cipher is None else "."
    sizes = [[-(-n // f) for n, f in zip(shape, factor, strict=True)] for factor in factors]
    return [
        ArrayLayout.of((k, j, i), dtype, separator=separator, shard_along=shard_along)
        for k, j, i in sizes
    ]


@contextmanager
def _new_objects(
    path: Path, cipher: Cipher | None, place: str, *, force: bool
) -> Iterator[ObjectFolder]:
    """A folder to fill, there whole or not at all; files become durable meanwhile."""
    with new_folder(path, force=force, marker="zarr.json") as hidden, Flusher() as flusher:
        if cipher is None:
            yield PlainFolder(hidden, flusher.add)
        else:
            yield SealedFolder(hidden, cipher, place, flusher.add)


def _finish(
    folder: ObjectFolder,
    layouts: list[ArrayLayout],
    ome: Mapping[str, Any],
    medlabel: Mapping[str, Any],
) -> None:
    for level, layout in enumerate(layouts):
        folder.write(f"{level}/zarr.json", _json(layout.document()))
    folder.write("zarr.json", _json(group_document(ome, medlabel)))
    folder.finish()


def _attributes(folder: ObjectFolder) -> Mapping[str, Any] | None:
    """Our attributes of a group, None where it is another program's."""
    document = _document(folder, "zarr.json")
    return None if document is None else medlabel_attributes(document, folder.path.name)


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


def _grids(folder: ObjectFolder, count: int, cache: Cache[Array] | None) -> list[Any]:
    """The levels; what is not cut as we cut is left to zarr-python."""
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


def _check_shape(path: Path, shape: Index, finest: Grid) -> None:
    if tuple(finest.shape) != shape:
        what = f"{shown(path.name)} is not what was written: level 0 has another shape"
        raise IntegrityError(what, "restore it from a backup")


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
