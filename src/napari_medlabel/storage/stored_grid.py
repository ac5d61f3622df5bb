"""Voxels at rest that can be cut like an array: chunks are read when they are needed."""

import itertools
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import Axes, Index
from napari_medlabel.errors import IntegrityError
from napari_medlabel.storage.cache import Cache
from napari_medlabel.storage.parallel import in_parallel
from napari_medlabel.storage.sealed_store import ObjectFolder
from napari_medlabel.storage.zarr_layout import ArrayLayout

__all__ = ["Array", "Box", "StoredGrid", "ZarrGrid", "cut"]

Array = npt.NDArray[Any]
Box = tuple[slice, slice, slice]
_ALONE: Final = 8  # fewer chunks than this are read without other threads


@dataclass(frozen=True, slots=True, eq=False)
class StoredGrid:
    """One level of a volume that we wrote; `napari_medlabel.core.volume.Grid`.

    Parameters
    ----------
    folder, name
        Where its chunks are.
    layout
        How it is cut into chunks.
    cache
        Decoded chunks, by folder, name and number.
    """

    folder: ObjectFolder
    name: str
    layout: ArrayLayout
    cache: Cache[Array]

    @property
    def shape(self) -> Index:
        """Voxels along k, j, i."""
        return self.layout.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of one voxel."""
        return np.dtype(self.layout.dtype)

    @property
    def ndim(self) -> int:
        """Number of axes: 3."""
        return 3

    def __getitem__(self, key: Any) -> Array:  # noqa: ANN401  # as numpy indexes
        """A new array, by whole numbers and slices.

        Raises
        ------
        IntegrityError
            If a chunk is not what was written.
        """
        return cut(key, self.shape, self._read)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:  # noqa: ANN401, FBT001  # numpy's protocol
        """All voxels."""
        if copy is False:
            raise ValueError("voxels at rest cannot be an array without a copy")
        return self[:].astype(dtype or self.dtype, copy=False)

    def decode(self, index: Index, scratch: Array) -> Array:
        """The voxels of one chunk that are in the array, in `scratch` (see `ArrayLayout`).

        Raises
        ------
        IntegrityError
            If the chunk is not what was written; it says which.
        """
        name = f"{self.name}/{self.layout.key(index)}"
        data = self.folder.read(name)
        if data is None:
            scratch[...] = 0
        else:
            try:
                self.layout.decode(data, scratch)
            except IntegrityError as error:
                what = f"{self.folder.path.name} is not what was written: {name} is damaged"
                raise IntegrityError(what, "restore it from a backup") from error
        inside: Array = scratch[tuple(slice(s.stop - s.start) for s in self.layout.box(index))]
        return inside

    def _read(self, box: Box) -> Array:
        out = np.empty(tuple(s.stop - s.start for s in box), self.dtype)
        indices = list(self._touched(box))

        def place(index: Index) -> None:
            source, target = _overlap(self.layout.box(index), box)
            out[target] = self._chunk(index)[source]

        if len(indices) < _ALONE:
            for index in indices:
                place(index)
        else:
            in_parallel(place, indices)
        return out

    def _touched(self, box: Box) -> list[Index]:
        ranges = (
            range(s.start // c, -(-s.stop // c)) if s.stop > s.start else range(0)
            for s, c in zip(box, self.layout.chunks, strict=True)
        )
        return [(k, j, i) for k, j, i in itertools.product(*ranges)]

    def _chunk(self, index: Index) -> Array:
        key = (self.folder, self.name, index)
        chunk = self.cache.get(key)
        if chunk is None:
            chunk = self.decode(index, self.layout.scratch())
            chunk.flags.writeable = False
            self.cache.put(key, chunk, chunk.nbytes)
        return chunk


@dataclass(frozen=True, slots=True, eq=False)
class ZarrGrid:
    """One level that zarr-python reads: another program's, or one in shards.

    Parameters
    ----------
    array
        zarr's.
    spatial
        Which of its axes are those in space, growing; the others have one element.
    axes
        From these to canonical order.
    """

    array: Any
    spatial: Index
    axes: Axes

    @property
    def shape(self) -> Index:
        """Voxels along k, j, i."""
        return self.axes.shape([self.array.shape[axis] for axis in self.spatial])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of one voxel."""
        native: np.dtype[Any] = np.dtype(self.array.dtype).newbyteorder("=")
        return native

    @property
    def ndim(self) -> int:
        """Number of axes: 3."""
        return 3

    def __getitem__(self, key: Any) -> Array:  # noqa: ANN401  # as numpy indexes
        """A new array, by whole numbers and slices.

        Raises
        ------
        IntegrityError
            If zarr-python cannot read a chunk.
        """
        return cut(key, self.shape, self._read)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:  # noqa: ANN401, FBT001  # numpy's protocol
        """All voxels."""
        if copy is False:
            raise ValueError("voxels at rest cannot be an array without a copy")
        return self[:].astype(dtype or self.dtype, copy=False)

    def _read(self, box: Box) -> Array:
        own: list[Any] = [0] * self.array.ndim
        for new, (old, flip) in enumerate(zip(self.axes.order, self.axes.flipped, strict=True)):
            size = self.shape[new]
            low, high = box[new].start, box[new].stop
            own[self.spatial[old]] = slice(size - high, size - low) if flip else slice(low, high)
        try:
            voxels = np.asarray(self.array[tuple(own)])
        except (ValueError, RuntimeError, OSError, KeyError) as error:
            raise IntegrityError("a chunk of the OME-Zarr cannot be read") from error
        turned = self.axes.apply(voxels)
        return np.ascontiguousarray(turned, turned.dtype.newbyteorder("="))


def cut(key: Any, shape: Index, read: Callable[[Box], Array]) -> Array:  # noqa: ANN401  # as numpy indexes
    """What numpy gives for an index of whole numbers and slices; `read` gives boxes.

    Raises
    ------
    IndexError
        If the index is something else, or outside.
    """
    wanted = list(key) if isinstance(key, tuple) else [key]
    dots = [n for n, one in enumerate(wanted) if one is Ellipsis]
    if dots:
        wanted[dots[0] : dots[0] + 1] = [slice(None)] * (4 - len(wanted))
    wanted += [slice(None)] * (3 - len(wanted))
    if len(wanted) != 3:
        raise IndexError("there are three axes")
    box: list[slice] = []
    then: list[int | slice] = []
    for one, size in zip(wanted, shape, strict=True):
        part, rest = _along(one, size)
        box.append(part)
        then.append(rest)
    return read((box[0], box[1], box[2]))[tuple(then)]


def _along(one: Any, size: int) -> tuple[slice, int | slice]:  # noqa: ANN401  # as numpy indexes
    """The part of an axis to read, and what of that is wanted."""
    if not isinstance(one, slice):
        try:
            at = operator.index(one)
        except TypeError:
            raise IndexError("voxels at rest are cut by whole numbers and slices") from None
        if not -size <= at < size:
            raise IndexError(f"index {at} is outside of {size} voxels")
        at %= size
        return slice(at, at + 1), 0
    hits = range(*one.indices(size))
    if not hits:
        return slice(0, 0), slice(0, 0)
    low, high = min(hits[0], hits[-1]), max(hits[0], hits[-1]) + 1
    return slice(low, high), slice(None, None, hits.step)


def _overlap(chunk: Box, box: Box) -> tuple[Box, Box]:
    """What two boxes share, from the beginning of each."""
    lows = [max(a.start, b.start) for a, b in zip(chunk, box, strict=True)]
    highs = [min(a.stop, b.stop) for a, b in zip(chunk, box, strict=True)]

    def seen_from(origin: Box) -> Box:
        k, j, i = (
            slice(low - s.start, high - s.start)
            for low, high, s in zip(lows, highs, origin, strict=True)
        )
        return (k, j, i)

    return seen_from(chunk), seen_from(box)
