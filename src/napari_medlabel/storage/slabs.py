"""A volume worked on slab by slab: which slab comes when, memory filled, voxels hashed."""

import threading
from collections.abc import Callable

from napari_medlabel.core.geometry import Index
from napari_medlabel.core.volume import Grid, Volume, slice_sha256
from napari_medlabel.storage.parallel import in_parallel, never
from napari_medlabel.storage.stored_grid import Array, Box, StoredGrid
from napari_medlabel.storage.zarr_layout import CHUNK

__all__ = ["Loaded", "fill", "slab_box", "slab_starts", "source_digests"]

Loaded = Callable[[int, int], None]


def slab_starts(depth: int, thickness: int, first: int | None = None) -> list[int]:
    """Where slabs begin: that which holds `first`, then the others in order."""
    starts = list(range(0, depth, thickness))
    if first is not None and 0 <= first // thickness < len(starts):
        starts.insert(0, starts.pop(first // thickness))
    return starts


def slab_box(axis: int, start: int, stop: int) -> Box:
    """The voxels from `start` to `stop` along the axis, all of them along the others."""
    k, j, i = (slice(start, stop) if n == axis else slice(None) for n in range(3))
    return (k, j, i)


def fill(  # noqa: PLR0913  # as `ome_zarr.read_into`
    grid: Grid,
    into: Array,
    *,
    first: int | None = None,
    loaded: Loaded | None = None,
    cancelled: Callable[[], bool] = never,
    threads: int = 2,
) -> None:
    """Fill memory with a level; all threads work on one slab, the one with `first` first."""
    if not isinstance(grid, StoredGrid):
        _fill_by_slabs(grid, into, slab_starts(len(into), CHUNK[0], first), loaded, cancelled)
        return
    thickness = grid.layout.chunks[0]
    slabs = slab_starts(grid.shape[0], thickness, first)
    order = {start // thickness: n for n, start in enumerate(slabs)}
    indices = sorted(grid.layout.indices(), key=lambda index: order[index[0]])
    remaining = dict.fromkeys(order, len(indices) // len(order))
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

    in_parallel(place, indices, threads=threads, cancelled=cancelled)


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
    starts: list[int],
    loaded: Loaded | None,
    cancelled: Callable[[], bool],
) -> None:
    def place(start: int) -> None:
        stop = min(start + CHUNK[0], len(into))
        into[start:stop] = grid[start:stop]
        if loaded is not None:
            loaded(start, stop)

    in_parallel(place, starts, threads=1, cancelled=cancelled)
