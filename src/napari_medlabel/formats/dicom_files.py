"""Where DICOM files are: a folder and all below it, one file, a DICOMDIR, or a zip archive.

Nothing is ever unpacked to disk: a member of an archive is read where it is.
"""

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self

from napari_medlabel.errors import InputError
from napari_medlabel.formats.dicom_archive import Archive, is_folder, safe_name

__all__ = [
    "Candidate",
    "Opener",
    "Place",
    "Skipped",
    "find_files",
    "find_inside",
    "find_members",
    "find_named",
    "open_regular",
]

# Opening a pipe for reading would wait for a writer; on a regular file the flag does nothing.
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)


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
    """Opens places for reading, from any thread; archives stay open until it is closed.

    Parameters
    ----------
    bounded
        Whether only headers are read: what a member of an archive may inflate to is bounded then.
    """

    def __init__(self, *, bounded: bool = False) -> None:
        self._archives: dict[str, Archive] = {}
        self._bounded = bounded

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
        try:
            archive = self.archive(place.path)
        except InputError as error:
            raise OSError("a damaged archive") from error
        file: Any = archive.open(place.member)  # a Member has what is called of an IO
        return file, archive.members[place.member].file_size

    def archive(self, path: str) -> Archive:
        """The zip archive, opened once.

        Raises
        ------
        InputError
            If it is damaged, or has an absurd number of members.
        """
        opened = self._archives.get(path)
        if opened is None:
            opened = self._archives.setdefault(path, Archive(path, bounded=self._bounded))
        return opened

    def fingerprint(self, place: Place) -> tuple[int, int] | None:
        """Size and checksum of a member as its archive has them, None for a file."""
        if place.member < 0:
            return None
        info = self.archive(place.path).members[place.member]
        return info.file_size, info.CRC

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
    opened = opener.archive(str(archive))
    found: list[Candidate] = []
    skipped: list[Skipped] = []
    for number, member in enumerate(opened.members):
        if is_folder(member):
            continue
        name, why = safe_name(member.filename, number), opened.why_not(number)
        if why:
            skipped.append(Skipped(name, why))
        else:
            found.append(Candidate(Place(str(archive), number), name))
    return found, skipped


def find_inside(opener: Opener, found: Candidate) -> tuple[list[Candidate], list[Skipped]]:
    """The members of a zip archive that was found on the way; one inside another stays closed."""
    if found.place.member >= 0:
        why = "a zip archive inside another, which is not opened: unpack the outer one"
        return [], [Skipped(found.name, why)]
    try:
        members, skipped = find_members(opener, Path(found.place.path))
    except InputError as error:
        return [], [Skipped(found.name, error.what)]
    return (
        [Candidate(one.place, f"{found.name}/{one.name}") for one in members],
        [Skipped(f"{found.name}/{one.file}", one.why) for one in skipped],
    )


def find_named(
    folder: Path, names: Iterable[tuple[str, ...]]
) -> tuple[list[Candidate], list[Skipped]]:
    """The files that a DICOMDIR names, as path components below its folder."""
    found: list[Candidate] = []
    skipped: list[Skipped] = []
    disc = _Disc()
    for parts in dict.fromkeys(names):
        shown = "/".join(parts)
        if not parts or any(part in {"", ".", ".."} or "/" in part for part in parts):
            skipped.append(Skipped(shown, "a name that leads out of the DICOMDIR's folder"))
            continue
        path = disc.find(str(folder), parts)
        if path is None:
            skipped.append(Skipped(shown, "named by the DICOMDIR, but not there"))
        else:
            found.append(Candidate(Place(path), shown))
    return found, skipped


class _Disc:
    """Files by the names that a DICOMDIR has for them.

    Copies of a disc often have them in small letters, or with what ISO 9660 puts behind a name.
    """

    def __init__(self) -> None:
        self._listed: dict[str, dict[str, list[str]]] = {}

    def find(self, folder: str, parts: tuple[str, ...]) -> str | None:
        """The path, or None where there is no such file or several are called so."""
        path = folder
        for part in parts:
            same = self._entries(path).get(_plain(part), [])
            exact = [name for name in same if name == part] or same
            if len(exact) != 1:
                return None
            path = os.path.join(path, exact[0])  # noqa: PTH118  # strings: thousands of names
        return path

    def _entries(self, folder: str) -> dict[str, list[str]]:
        listed = self._listed.get(folder)
        if listed is None:
            listed = self._listed.setdefault(folder, {})
            try:
                for name in os.listdir(folder):  # noqa: PTH208
                    listed.setdefault(_plain(name), []).append(name)
            except OSError:
                return listed
        return listed


def _plain(name: str) -> str:
    return re.sub(r"\.?(;\d+)?$", "", name).lower()
