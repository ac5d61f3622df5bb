"""Folders of objects as stores for zarr-python: the way in for its arrays and its tools."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from napari_medlabel.storage.sealed_store import ObjectFolder, PlainFolder

if TYPE_CHECKING:
    from zarr.abc.store import ByteRequest, Store
    from zarr.core.buffer import Buffer, BufferPrototype

__all__ = ["zarr_store"]


def zarr_store(folder: ObjectFolder) -> "Store":
    """The folder as a store to read from; a sealed one opens what it is asked for.

    What is damaged, missing or added raises IntegrityError there too.
    """
    from zarr.storage import LocalStore, WrapperStore

    local = LocalStore(folder.path, read_only=True)
    if isinstance(folder, PlainFolder):
        return local

    class SealedStore(WrapperStore[LocalStore]):
        """Lists names as the local store does, and opens what it gives."""

        async def get(
            self,
            key: str,
            prototype: "BufferPrototype",
            byte_range: "ByteRequest | None" = None,
        ) -> "Buffer | None":
            content = folder.read(key)
            if content is None:
                return None
            return prototype.buffer.from_bytes(_part(content, byte_range))

        async def get_partial_values(
            self,
            prototype: "BufferPrototype",
            key_ranges: "Iterable[tuple[str, ByteRequest | None]]",
        ) -> "list[Buffer | None]":
            return [await self.get(key, prototype, part) for key, part in key_ranges]

        async def exists(self, key: str) -> bool:
            return key in folder.names()

    return SealedStore(local)


def _part(content: bytes, wanted: "ByteRequest | None") -> bytes:
    from zarr.abc.store import OffsetByteRequest, RangeByteRequest, SuffixByteRequest

    match wanted:
        case RangeByteRequest(start, end):
            return content[start:end]
        case OffsetByteRequest(offset):
            return content[offset:]
        case SuffixByteRequest(suffix):
            return content[-suffix:] if suffix else b""
    return content
