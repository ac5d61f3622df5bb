"""Frames as they are stored: their bytes, from files, archives and deflated data sets."""

import zipfile
import zlib
from io import BytesIO
from typing import IO, Final

from napari_medlabel.errors import InputError
from napari_medlabel.formats.dicom_files import Opener, Place
from napari_medlabel.formats.dicom_fragments import Frames, frame_table
from napari_medlabel.formats.dicom_header import DEFLATED, HeaderError, PixelPlace, inflated
from napari_medlabel.formats.dicom_instance import InstanceFacts
from napari_medlabel.formats.recent import Recent

__all__ = ["UNREADABLE", "StoredFrames"]

# What files that are gone, cut or damaged raise, and members of damaged archives.
UNREADABLE: Final = (
    OSError, ValueError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error, RuntimeError,
)  # fmt: skip
_TRAILING: Final = 1 << 24  # bytes after the pixels of a member: private elements, padding
_OVERHEAD: Final = 1 << 16  # tables and comments
_MAX_MEMBER: Final = 1 << 31
_KEPT: Final = 1 << 26  # bytes of unpacked files with several frames; the newest in any case
_TABLES: Final = 1 << 18  # frames whose places are remembered


class StoredFrames:
    """Reads the frames of instances, from any thread.

    Of files with several frames, what is dear to find is found once: where each compressed frame
    is, and what a deflated file or a member of an archive holds.
    """

    def __init__(self) -> None:
        self._opener = Opener()
        self._whole: Recent[Place, bytes] = Recent(_KEPT, len)
        self._tables: Recent[Place, Frames] = Recent(_TABLES, len)

    def read_native(self, facts: InstanceFacts, out: memoryview) -> None:
        """Read an uncompressed frame into `out`, as it is in the file.

        Raises
        ------
        HeaderError
            If the file is too short.
        """
        file, _ = self._open(facts)
        with file:
            file.seek(_pixels(facts).offset + facts.frame * facts.frame_bytes)
            done = 0
            while done < len(out):
                count = file.readinto(out[done:])  # type: ignore[attr-defined]  # not in typeshed
                if not count:
                    raise HeaderError("the file ends inside its pixel data")
                done += count

    def read_compressed(self, facts: InstanceFacts) -> bytes:
        """A compressed frame, its fragments joined.

        Raises
        ------
        HeaderError
            If its fragments cannot be found, or hold more than any such frame.
        """
        file, size = self._open(facts)
        with file:
            table = self._table(file, size, facts)
            if not 0 <= facts.frame < len(table):
                raise HeaderError("it is a frame that its file does not have")
            found = table[facts.frame]
            if sum(one.length for one in found) > 2 * facts.frame_bytes + _OVERHEAD:
                raise HeaderError("its compressed image is larger than it would be uncompressed")
            parts = []
            for offset, length in found:
                file.seek(offset)
                parts.append(file.read(length))
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:
        """Let go of files; they are opened again when asked for."""
        self._opener.close()
        self._whole.clear()

    def _table(self, file: IO[bytes], size: int, facts: InstanceFacts) -> Frames:
        pixels, count = _pixels(facts), max(1, facts.frames)
        if count == 1:
            return frame_table(file, size, pixels, count)
        return self._tables.get(facts.place, lambda: frame_table(file, size, pixels, count))

    def _open(self, facts: InstanceFacts) -> tuple[IO[bytes], int]:
        """A file in which frames can be looked for: on disk, or in memory."""
        is_member = facts.place.member >= 0
        if not is_member and facts.syntax != DEFLATED:
            return self._opener.open(facts.place)
        if facts.frames <= 1:
            data = self._unpacked(facts)
        else:
            data = self._whole.get(facts.place, lambda: self._unpacked(facts))
        return BytesIO(data), len(data)

    def _unpacked(self, facts: InstanceFacts) -> bytes:
        """All of an archive's member, so that its checksum is compared; inflated if deflated."""
        file, size = self._opener.open(facts.place)
        with file:
            if facts.place.member < 0:
                return inflated(file, size)
            expected = 2 * facts.frame_bytes * max(1, facts.frames)
            if size > _pixels(facts).offset + expected + _TRAILING:
                raise InputError("there is far more in its file than its pixels")
            if size > _MAX_MEMBER:
                raise InputError("its file is too large to be read in an archive", "unpack it")
            data = file.read()
        return inflated(BytesIO(data), len(data)) if facts.syntax == DEFLATED else data


def _pixels(facts: InstanceFacts) -> PixelPlace:
    assert facts.pixels is not None  # noqa: S101  # checked by the scan
    return facts.pixels
