"""A zip archive as a place of files: read where it is, in bounds, never unpacked to disk.

Who attacks: whoever made the archive. Its directory is refused where it is absurdly large, before
it is read. Members are told by their number; their names are shown and never used as paths. What a
member inflates to is counted, for itself and for all of them, so that one of ten gigabytes of
zeros costs no more than any other.
"""

import re
import struct
import zipfile
from types import TracebackType
from typing import IO, Final, Self

from napari_medlabel.errors import InputError

__all__ = ["Archive", "Member", "is_folder", "safe_name"]

MAX_MEMBERS: Final = 200_000
MAX_DIRECTORY: Final = 1 << 25  # bytes that list the members: 160 for each of them
_SPARE: Final = 1 << 26  # what a header may inflate to, however small it is packed
_SWELL: Final = 20  # and how many times its packed size
_SPARE_OF_ALL: Final = 1 << 30
_METHODS: Final = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # the others inflate without bounds
_ENCRYPTED: Final = 0x1  # general purpose bit flag of a member, APPNOTE 4.4.4
_END: Final = b"PK\5\6"
_END_64: Final = b"PK\6\6"


class Archive:
    """A zip archive, opened; any failure to read it is an OSError.

    Parameters
    ----------
    path
        The archive.
    bounded
        Whether only headers are read of its members: beyond that they cannot be read then.

    Raises
    ------
    InputError
        If it is damaged, or has an absurd number of members.
    """

    def __init__(self, path: str, *, bounded: bool) -> None:
        hint = "unpack it and try again"
        try:
            absurd = _directory_bytes(path) > MAX_DIRECTORY
            self._zip = zipfile.ZipFile(path) if not absurd else None
        except Exception as error:  # zipfile fails in many ways on a hostile directory
            raise InputError("this zip archive cannot be read", hint) from error
        self.members = self._zip.infolist() if self._zip is not None else []
        if absurd or len(self.members) > MAX_MEMBERS:
            self.close()
            raise InputError(f"this zip archive has more than {MAX_MEMBERS} members", hint)
        self._bounded = bounded
        packed = sum(member.compress_size for member in self.members)
        self.left = _SPARE_OF_ALL + _SWELL * packed

    def open(self, number: int) -> "Member":
        """The member with this number, at its start."""
        try:
            info = self.members[number]
            file = self._zip.open(info)  # type: ignore[union-attr]  # there are members
        except Exception as error:
            raise OSError("a damaged archive") from error
        most = _SPARE + _SWELL * info.compress_size
        return Member(self, file, info.file_size, most if self._bounded else info.file_size)

    def why_not(self, number: int) -> str:
        """Why a member is not even looked at, or nothing."""
        info = self.members[number]
        if info.flag_bits & _ENCRYPTED:
            return "a member locked with a password"
        return "" if info.compress_type in _METHODS else "a member packed in a way that is not read"

    def close(self) -> None:
        """Let go of the file."""
        if self._zip is not None:
            self._zip.close()


class Member:
    """A member that is read: a file of which only so much may be inflated.

    `read`, `seek` and `tell` are those of a file; every failure is an OSError.
    """

    def __init__(self, archive: Archive, file: IO[bytes], size: int, most: int) -> None:
        self._archive, self._file, self._size, self._left = archive, file, size, most

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def read(self, count: int = -1) -> bytes:
        """The next bytes."""
        left = max(0, self._size - self.tell())
        count = left if count < 0 else min(count, left)
        self._pay(count)
        try:
            return self._file.read(count)
        except Exception as error:  # BadZipFile, zlib.error, EOFError, struct.error, ...
            raise OSError("a damaged member of an archive") from error

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place; what is before it is inflated."""
        position = self.tell()
        target = offset + {0: 0, 1: position, 2: self._size}[whence]
        self._pay(target - position if target >= position else target)
        try:
            return self._file.seek(offset, whence)
        except Exception as error:
            raise OSError("a damaged member of an archive") from error

    def tell(self) -> int:
        """The place in the member."""
        return self._file.tell()

    def close(self) -> None:
        """Let go of it."""
        self._file.close()

    def _pay(self, count: int) -> None:
        self._left -= count
        self._archive.left -= count
        if self._left < 0 or self._archive.left < 0:
            raise OSError("a member that swells beyond measure")


def is_folder(member: zipfile.ZipInfo) -> bool:
    """Whether a member is a folder; one that has no name at all is none."""
    return member.filename.endswith("/")


def safe_name(name: str, number: int) -> str:
    """A member's name as it is shown: below the archive, whatever it says."""
    parts = [part for part in re.split(r"[\\/]+", name) if part not in {"", ".", ".."}]
    return "/".join(parts) or f"member {number + 1}"


def _directory_bytes(path: str) -> int:
    """How long the archive says that its directory is: APPNOTE 4.3.14 and 4.3.16."""
    with open(path, "rb") as file:  # noqa: PTH123  # a string all the way
        size = file.seek(0, 2)
        file.seek(max(0, size - (1 << 16) - 22))
        tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or at + 22 > len(tail):
        raise OSError("no directory")
    (length,) = struct.unpack_from("<I", tail, at + 12)
    if length != 0xFFFFFFFF:
        return int(length)
    at = tail.rfind(_END_64, 0, at)
    return int(struct.unpack_from("<Q", tail, at + 40)[0]) if at >= 0 else 0
