"""Volumes and label versions as OME-Zarr: written as they stream by, read as they are needed.

What it looks like at rest is told in `zarr_group`.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from napari_medlabel.core.edit import LabelArray
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.schema import LabelSchema
from napari_medlabel.core.volume import (
    Volume,
    VolumeReader,
    slice_sha256,
    volume_sha256,
)
from napari_medlabel.errors import InputError, IntegrityError
from napari_medlabel.files import shown
from napari_medlabel.storage.cache import Cache
from napari_medlabel.storage.cipher import Cipher
from napari_medlabel.storage.foreign_zarr import foreign_volume
from napari_medlabel.storage.level_writer import pyramid_writer
from napari_medlabel.storage.ome_metadata import (
    factors_of,
    image_attributes,
    labels_attributes,
    labels_from,
    ome_attributes,
    volume_from,
)
from napari_medlabel.storage.parallel import Job, in_parallel, never
from napari_medlabel.storage.pyramid import join_mean, join_mode, level_factors
from napari_medlabel.storage.sealed_store import open_folder
from napari_medlabel.storage.slabs import (
    First,
    Loaded,
    fill,
    slab_box,
    slab_starts,
    source_digests,
)
from napari_medlabel.storage.stored_grid import Array, StoredGrid
from napari_medlabel.storage.zarr_group import (
    check_shape,
    finish_group,
    layouts_of,
    level_grids,
    new_group,
    our_attributes,
)

__all__ = ["open_volume", "read_into", "read_labels", "verify", "write_labels", "write_volume"]

_DIGESTED: Final = 4  # slices at once: some 1 ms, as long as a chunk takes


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
        by any thread, and the slab with its answer comes next, if it is not begun yet. Slabs
        far apart leave halves of coarser ones in memory until their neighbours come.
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
    layouts = layouts_of(geometry.shape, factors, reader.dtype, cipher, axis if sharded else None)
    depth = source.geometry.shape[0]
    digests = [b""] * depth
    with new_group(path, cipher, place, force=force) as folder:
        writer = pyramid_writer(folder, layouts, factors, axis, join_mean)

        def convert(start: int) -> list[Job]:
            stop = min(start + writer.thickness, depth)
            low, high = (
                (depth - stop, depth - start) if source.axes.flipped[axis] else (start, stop)
            )
            slab = reader.read(low, high)
            block = source.axes.apply(slab)
            if into is not None:
                into[slab_box(axis, start, stop)] = block
            if loaded is not None:
                loaded(start, stop)
            jobs = writer.take(start, np.ascontiguousarray(block))
            return [*_digest_jobs(digests, low, slab), *jobs]

        starts = slab_starts(depth, writer.thickness, first)
        in_parallel(convert, starts, threads=threads, cancelled=cancelled)
        known = replace(reader.source, instances=reader.hashes())  # now that all of it was read
        volume = Volume(
            (), geometry, known, reader.modality, reader.unit,
            reader.name, reader.window, tuple(reader.problems), volume_sha256(digests),
        )  # fmt: skip
        named = cipher is not None if identifiers is None else identifiers
        attributes = image_attributes(volume, factors, identifiers=named)
        finish_group(folder, layouts, ome_attributes(geometry, factors, "mean"), attributes)
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
    found = our_attributes(folder)
    if found is None:
        return foreign_volume(path)
    levels = level_grids(folder, len(factors_of(found, path.name)), cache)
    volume = volume_from(found, levels, path.name)
    check_shape(path, volume.shape, levels[0])
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
    layouts = layouts_of(geometry.shape, factors, labels.dtype, cipher, None)
    digests = [b""] * len(labels)
    with new_group(path, cipher, place, force=force) as folder:
        writer = pyramid_writer(folder, layouts, factors, 0, join_mode, leave_out_zeros=True)

        def convert(start: int) -> list[Job]:
            slab = labels[start : start + writer.thickness]
            jobs = writer.take(start, np.ascontiguousarray(slab))
            return [*_digest_jobs(digests, start, slab), *jobs]

        in_parallel(convert, slab_starts(len(labels), writer.thickness), threads=threads)
        attributes = labels_attributes(geometry, factors, schema, volume_sha256(digests))
        finish_group(folder, layouts, ome_attributes(geometry, factors, "mode", schema), attributes)


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
    found = our_attributes(folder)
    if found is None or found.get("kind") != "labels":
        raise InputError(f"{shown(path)} holds no labels of ours", "choose a saved version")
    geometry, schema = labels_from(found, path.name)
    grid = level_grids(folder, 1, Cache(0))[0]
    if not isinstance(grid, StoredGrid) or grid.dtype not in (np.uint8, np.uint16):
        raise IntegrityError(f"{path.name} does not hold labels", "restore it from a backup")
    check_shape(path, geometry.shape, grid)
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


def _digest_jobs(digests: list[bytes], start: int, slab: Array) -> list[Job]:
    """What enters the digests of a slab's slices, a few slices each, for several threads."""

    def enter(low: int) -> None:
        for k, plane in enumerate(slab[low : low + _DIGESTED], start + low):
            digests[k] = slice_sha256(plane)

    return [partial(enter, low) for low in range(0, len(slab), _DIGESTED)]
