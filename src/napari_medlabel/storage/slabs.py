"""A volume worked on slab by slab: which slab comes when, memory filled, voxels hashed."""

import threading
from collections.abc import Callable, Iterable, Iterator

from napari_medlabel.core.geometry import Index
from napari_medlabel.core.volume import Grid, Volume, slice_sha256
from napari_medlabel.storage.parallel import in_parallel, never
from napari_medlabel.storage.stored_grid import Array, Box, StoredGrid
from napari_medlabel.storage.zarr_layout import CHUNK

__all__ = ["First", "Loaded", "fill", "slab_box", "slab_starts", "source_digests"]

First = int | Callable[[], int | None] | None  # an index, or who is asked for one before each slab
Loaded = Callable[[int, int], None]


def slab_starts(depth: int, thickness: int, first: First = None) -> Iterator[int]:
    """Where slabs begin: next is that which holds `first`, or else the lowest that is left."""
    left = dict.fromkeys(range(0, depth, thickness))
    while left:
        wanted = first() if callable(first) else first
        start = next(iter(left)) if wanted is None else wanted // thickness * thickness
        if start not in left:
            start = next(iter(left))
        del left[start]
        yield start


def slab_box(axis: int, start: int, stop: int) -> Box:
    """The voxels from `start` to `stop` along the axis, all of them along the others."""
    k, j, i = (slice(start, stop) if n == axis else slice(None) for n in range(3))
    return (k, j, i)


def fill(  # noqa: PLR0913  # as `ome_zarr.read_into`
    grid: Grid,
    into: Array,
    *,
    first: First = None,
    loaded: Loaded | None = None,
    cancelled: Callable[[], bool] = never,
    threads: int = 2,
) -> None:
    """Fill memory with a level; all threads work on one slab, the one with `first` first."""
    if not isinstance(grid, StoredGrid):
        _fill_by_slabs(grid, into, slab_starts(len(into), CHUNK[0], first), loaded, cancelled)
        return
    thickness = grid.layout.chunks[0]
    slabs: dict[int, list[Index]] = {}
    for index in grid.layout.indices():
        slabs.setdefault(index[0], []).append(index)
    remaining = {number: len(chunks) for number, chunks in slabs.items()}
    scratches = grid.layout.scratches()
    lock = threading.Lock()

    def place(index: Index) -> None:
        box = grid.layout.box(index)
        into[box] = grid.decode(index, scratches.mine)
        with lock:
            remaining[index[0]] -= 1
            complete = remaining[index[0]] == 0
        if complete and loaded is not None:
            loaded(box[0].start, box[0].stop)

    starts = slab_starts(grid.shape[0], thickness, first)
    chunks = (index for start in starts for index in slabs[start // thickness])
    in_parallel(place, chunks, threads=threads, cancelled=cancelled)


def source_digests(volume: Volume, threads: int = 2) -> list[bytes]:
    """`slice_sha256` of the slices of the source's own layout."""
    source = volume.source
    axis, depth = source.axes.order.index(0), source.geometry.shape[0]
    digests = [b""] * depth

    def digest(start: int) -> None:
        stop = min(start + CHUNK[axis], depth)
        own = source.axes.inverse().apply(volume.levels[0][slab_box(axis, start, stop)])
        low = depth - stop if source.axes.flipped[axis] else start
        for k, plane in enumerate(own, low):
            digests[k] = slice_sha256(plane)

    in_parallel(digest, slab_starts(depth, CHUNK[axis]), threads=threads)
    return digests


def _fill_by_slabs(
    grid: Grid,
    into: Array,
    starts: Iterable[int],
    loaded: Loaded | None,
    cancelled: Callable[[], bool],
) -> None:
    def place(start: int) -> None:
        stop = min(start + CHUNK[0], len(into))
        into[start:stop] = grid[start:stop]
        if loaded is not None:
            loaded(start, stop)

    in_parallel(place, starts, threads=1, cancelled=cancelled)
