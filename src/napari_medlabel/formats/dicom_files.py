"""Where DICOM files are: a folder and all below it, one file, a DICOMDIR, or a zip archive.

Nothing is ever unpacked to disk: a member of an archive is read where it is, and no more of it
than its header asks for, so neither its name nor its compression ratio can do harm.
"""

import os
import stat
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self

from napari_medlabel.errors import InputError

__all__ = ["Candidate", "Opener", "Place", "Skipped", "find_files", "find_members", "open_regular"]

# Opening a pipe for reading would wait for a writer; on a regular file the flag does nothing.
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
MAX_MEMBERS = 200_000
_ENCRYPTED = 0x1  # general purpose bit flag of a zip member, APPNOTE 4.4.4


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that a scan left out: its path below the scanned folder, and why."""

    file: str
    why: str


@dataclass(frozen=True, slots=True)
class Place:
    """A file, or the member of a zip archive with this number."""

    path: str
    member: int = -1


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may be DICOM; `name` is relative to what was scanned."""

    place: Place
    name: str


class Opener:
    """Opens places for reading, from any thread; archives stay open until it is closed."""

    def __init__(self) -> None:
        self._archives: dict[str, zipfile.ZipFile] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def open(self, place: Place) -> tuple[IO[bytes], int]:
        """The opened file and its size in bytes; OSError where it cannot be read."""
        if place.member < 0:
            return open_regular(place.path)
        archive = self.archive(place.path)
        member = archive.infolist()[place.member]
        return archive.open(member), member.file_size

    def archive(self, path: str) -> zipfile.ZipFile:
        """The zip archive, opened once."""
        opened = self._archives.get(path)
        if opened is None:
            opened = self._archives.setdefault(path, zipfile.ZipFile(path))
        return opened

    def close(self) -> None:
        """Close the archives; they open again when asked for."""
        archives, self._archives = self._archives, {}
        for archive in archives.values():
            archive.close()


def open_regular(path: str) -> tuple[IO[bytes], int]:
    """The opened file, unbuffered, and its size; never a pipe or a device."""
    file = open(path, "rb", buffering=0, opener=_no_wait)  # noqa: SIM115  # the caller closes; hot
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        file.close()
        raise OSError("not a regular file")
    return file, status.st_size


def _no_wait(path: str, flags: int) -> int:
    return os.open(path, flags | _NO_WAIT)


def find_files(folder: Path) -> tuple[list[Candidate], list[Skipped]]:
    """All regular files at any depth; links are followed once, so that a loop ends.

    Raises
    ------
    InputError
        If the folder itself cannot be read.
    """
    found: list[Candidate] = []
    skipped: list[Skipped] = []
    seen: set[tuple[int, int]] = set()
    waiting = [(str(folder), "")]
    while waiting:
        path, name = waiting.pop()
        try:
            status = os.stat(path)  # noqa: PTH116  # strings all the way: thousands of entries
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            entries = sorted(os.scandir(path), key=lambda entry: entry.name)
        except OSError as error:
            if not name:
                raise InputError("this folder cannot be read", "check its permissions") from error
            skipped.append(Skipped(name, "a folder that cannot be read"))
            continue
        for entry in entries:
            below = f"{name}/{entry.name}" if name else entry.name
            kind = _kind_of(entry)
            if kind == "folder":
                waiting.append((entry.path, below))
            elif kind == "file":
                found.append(Candidate(Place(entry.path), below))
            else:
                skipped.append(Skipped(below, "not a regular file"))
    return found, skipped


def _kind_of(entry: os.DirEntry[str]) -> Literal["folder", "file", "other"]:
    """What it is, or what it links to."""
    try:
        if entry.is_dir():
            return "folder"
        return "file" if entry.is_file() else "other"
    except OSError:  # a link to itself
        return "other"


def find_members(opener: Opener, archive: Path) -> tuple[list[Candidate], list[Skipped]]:
    """The members of a zip archive.

    Raises
    ------
    InputError
        If the archive is damaged or has an absurd number of members.
    """
    try:
        members = opener.archive(str(archive)).infolist()
    except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
        raise InputError("this zip archive cannot be read", "unpack it and try again") from error
    if len(members) > MAX_MEMBERS:
        raise InputError(f"this zip archive has more than {MAX_MEMBERS} members")
    found: list[Candidate] = []
    skipped: list[Skipped] = []
    for number, member in enumerate(members):
        if member.flag_bits & _ENCRYPTED:
            skipped.append(Skipped(member.filename, "a member locked with a password"))
        elif not member.is_dir():
            found.append(Candidate(Place(str(archive), number), member.filename))
    return found, skipped


def find_named(
    folder: Path, names: Iterable[tuple[str, ...]]
) -> tuple[list[Candidate], list[Skipped]]:
    """The files that a DICOMDIR names, as path components below its folder."""
    found: list[Candidate] = []
    skipped: list[Skipped] = []
    for parts in dict.fromkeys(names):
        shown = "/".join(parts)
        if not parts or any(part in {"", ".", ".."} or "/" in part for part in parts):
            skipped.append(Skipped(shown, "a name that leads out of the DICOMDIR's folder"))
            continue
        path = _on_disk(folder, parts)
        if path is None:
            skipped.append(Skipped(shown, "named by the DICOMDIR, but not there"))
        else:
            found.append(Candidate(Place(str(path)), shown))
    return found, skipped


def _on_disk(folder: Path, parts: tuple[str, ...]) -> Path | None:
    """The file, whatever its case: copies of a disc often have their names in small letters."""
    path = folder
    for part in parts:
        exact = path / part
        if not exact.exists():
            try:
                same = [entry for entry in path.iterdir() if entry.name.lower() == part.lower()]
            except OSError:
                return None
            if len(same) != 1:
                return None
            exact = same[0]
        path = exact
    return path
