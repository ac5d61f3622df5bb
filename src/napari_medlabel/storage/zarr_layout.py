"""One array as zarr v3 keeps it: its metadata, the names of its chunks, and a chunk's bytes.

What is written here is plain zarr v3, so that any zarr program reads it:

    <level>/zarr.json           the array's metadata
    <level>/c/<k>/<j>/<i>       a chunk, `c.<k>.<j>.<i>` where sealed (fewer folders)

A chunk is `chunks` voxels, filled up with 0 at the array's end, little-endian, C order, through
blosc: lz4 with byte shuffle. A shard (exports only) holds 1 x 4 x 4 of them, each through blosc
zstd with byte shuffle, in C order, then one pair of uint64 for each (offset, bytes; both 2^64-1
where all are beyond the array), then the CRC-32C of these pairs as uint32.
"""

import itertools
import struct
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numcodecs import blosc

from napari_medlabel.core.geometry import Index
from napari_medlabel.errors import IntegrityError

__all__ = ["CHUNK", "ArrayLayout", "Scratches"]

CHUNK: Final[Index] = (32, 128, 128)
_SHARD: Final = 4  # chunks, across the direction of streaming
_FAST: Final = ("lz4", 5)
_SMALL: Final = ("zstd", 5)
_EMPTY: Final = (1 << 64) - 1

Box = tuple[slice, slice, slice]

# Chunks are worked on by threads of ours; blosc's own would only be used on the main thread.
blosc.use_threads = False


@dataclass(frozen=True, slots=True)
class ArrayLayout:
    """How an array is cut into chunks and where they are.

    Parameters
    ----------
    shape, chunks
        Voxels along k, j, i.
    dtype
        Of one voxel, as numpy names it: "int16".
    separator
        Between the numbers of a chunk's name.
    shards
        Voxels of one shard, whole chunks along each axis; None where each chunk is a file.
    """

    shape: Index
    chunks: Index
    dtype: str
    separator: str = "/"
    shards: Index | None = None

    @classmethod
    def of(
        cls,
        shape: Index,
        dtype: np.dtype[Any],
        *,
        separator: str = "/",
        shard_along: int | None = None,
    ) -> "ArrayLayout":
        """The layout for an array; `shard_along` is the axis it is streamed along, if sharded."""
        k, j, i = (min(n, c) for n, c in zip(shape, CHUNK, strict=True))
        chunks = (k, j, i)
        shards = None
        if shard_along is not None:
            counts = [-(-n // c) for n, c in zip(shape, chunks, strict=True)]
            a, b, c = (
                size if axis == shard_along else size * min(_SHARD, count)
                for axis, (size, count) in enumerate(zip(chunks, counts, strict=True))
            )
            shards = (a, b, c)
        return cls(shape, chunks, dtype.name, separator, shards)

    @property
    def files(self) -> Index:
        """Voxels of one file: a shard, or a chunk."""
        return self.shards or self.chunks

    def key(self, index: Index) -> str:
        """The name of the file with this number along k, j, i."""
        return self.separator.join(("c", *map(str, index)))

    def indices(self) -> Iterator[Index]:
        """The number of every file, k slowest."""
        counts = [-(-n // c) for n, c in zip(self.shape, self.files, strict=True)]
        yield from itertools.product(range(counts[0]), range(counts[1]), range(counts[2]))

    def box(self, index: Index) -> Box:
        """The voxels of a file that are in the array."""
        k, j, i = (
            slice(n * c, min((n + 1) * c, size))
            for n, c, size in zip(index, self.files, self.shape, strict=True)
        )
        return (k, j, i)

    # One file's bytes

    def encode(self, voxels: npt.NDArray[Any], scratch: npt.NDArray[Any]) -> bytes:
        """The bytes of one file.

        Parameters
        ----------
        voxels
            Those of `box`.
        scratch
            An array of `chunks`, from `scratch`, that nobody else uses meanwhile.
        """
        if self.shards is None:
            return _compressed(_filled(voxels, scratch), _FAST)
        return self._encode_shard(voxels, scratch)

    def decode(self, data: bytes | memoryview, out: npt.NDArray[Any]) -> None:
        """Fill an array of `chunks`, from `scratch`, with the voxels of a chunk's bytes.

        Raises
        ------
        IntegrityError
            If the bytes are not a chunk of this array.
        """
        try:
            blosc.decompress(data, out)
        except (ValueError, RuntimeError) as error:
            raise IntegrityError("a chunk is damaged") from error

    def scratch(self) -> npt.NDArray[Any]:
        """An array that takes the voxels of one chunk, as they are at rest."""
        return np.zeros(self.chunks, np.dtype(self.dtype).newbyteorder("<"))

    def scratches(self) -> "Scratches":
        """A scratch for each thread."""
        return Scratches(self)

    def _encode_shard(self, voxels: npt.NDArray[Any], scratch: npt.NDArray[Any]) -> bytes:
        counts = [n // c for n, c in zip(self.files, self.chunks, strict=True)]
        pairs: list[tuple[int, int]] = []
        parts: list[bytes] = []
        offset = 0
        for index in itertools.product(*map(range, counts)):
            box = tuple(slice(n * c, (n + 1) * c) for n, c in zip(index, self.chunks, strict=True))
            inside = voxels[box]
            if inside.size == 0:
                pairs.append((_EMPTY, _EMPTY))
                continue
            parts.append(_compressed(_filled(inside, scratch), _SMALL))
            pairs.append((offset, len(parts[-1])))
            offset += len(parts[-1])
        table = b"".join(struct.pack("<QQ", *pair) for pair in pairs)
        return b"".join((*parts, table, struct.pack("<I", _crc32c(table))))

    # The array's metadata

    def document(self) -> dict[str, Any]:
        """`zarr.json` of the array."""
        wide = np.dtype(self.dtype).itemsize
        codecs = [
            {"name": "bytes", "configuration": {"endian": "little"}}
            if wide > 1
            else {"name": "bytes"},
            _blosc(_FAST if self.shards is None else _SMALL, wide),
        ]
        if self.shards is not None:
            inner = {
                "chunk_shape": list(self.chunks),
                "codecs": codecs,
                "index_codecs": [
                    {"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"},
                ],
                "index_location": "end",
            }  # fmt: skip
            codecs = [{"name": "sharding_indexed", "configuration": inner}]
        return {
            "zarr_format": 3,
            "node_type": "array",
            "shape": list(self.shape),
            "data_type": self.dtype,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(self.files)}},
            "chunk_key_encoding": {
                "name": "default",
                "configuration": {"separator": self.separator},
            },
            "fill_value": False if self.dtype == "bool" else 0,
            "codecs": codecs,
            "dimension_names": ["z", "y", "x"],
            "attributes": {},
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "ArrayLayout | None":
        """The layout that `document` wrote; None for another program's, or one with shards."""
        try:
            k, j, i = document["shape"]
            a, b, c = document["chunk_grid"]["configuration"]["chunk_shape"]
            separator = document["chunk_key_encoding"]["configuration"]["separator"]
            layout = cls((k, j, i), (a, b, c), str(document["data_type"]), separator)
            return layout if layout.document() == document else None
        except (KeyError, TypeError, ValueError):
            return None


class Scratches(threading.local):
    """Each thread's own `mine`, used again for one chunk after the other."""

    def __init__(self, layout: ArrayLayout) -> None:
        self.mine = layout.scratch()


def _filled(voxels: npt.NDArray[Any], scratch: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The chunk with these voxels at its beginning."""
    if voxels.shape == scratch.shape:
        scratch[...] = voxels
        return scratch
    scratch[...] = 0
    scratch[tuple(slice(n) for n in voxels.shape)] = voxels
    return scratch


def _compressed(chunk: npt.NDArray[Any], how: tuple[str, int]) -> bytes:
    data: bytes = blosc.compress(chunk, how[0].encode(), how[1], blosc.SHUFFLE)
    return data


def _blosc(how: tuple[str, int], width: int) -> dict[str, Any]:
    return {
        "name": "blosc",
        "configuration": {
            "typesize": width, "cname": how[0], "clevel": how[1], "shuffle": "shuffle",
            "blocksize": 0,
        },
    }  # fmt: skip


def _crc32c(data: bytes) -> int:
    """RFC 3720, appendix B.4."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
