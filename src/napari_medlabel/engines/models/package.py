"""A folder or a zip archive that is said to hold a model: files by name, none of them trusted.

Who attacks: whoever made it. Names that lead out of it, links, devices, archives that swell and
absurd numbers of files are refused before anything is read; nothing is ever unpacked beside what
a model consists of, and nothing in it is run.
"""

import os
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO, Final, Protocol, Self

from napari_medlabel.errors import InputError
from napari_medlabel.files import shown
from napari_medlabel.formats.dicom_archive import Archive, Member, is_folder

__all__ = ["Package", "Readable", "opened"]

MOST_FILES: Final = 20_000
MOST_BYTES: Final = 32 << 30  # of one file
MOST_TEXT: Final = 4 << 20  # bytes of a configuration or a licence
_HINT: Final = "it is a folder or a zip archive: see docs/models.md"


class Readable(Protocol):
    """A file that is read from its start."""

    def read(self, count: int = -1, /) -> bytes:
        """The next bytes."""


class Package:
    """Files by name, "/" between folders; names are below the one folder that holds all.

    Parameters
    ----------
    name
        What it is called, without folders and ".zip".
    sizes
        Bytes of each file.
    place
        Where its files are.
    """

    def __init__(self, name: str, sizes: dict[str, int], place: "_Folder | _Zip") -> None:
        self.name = name
        self._place = place
        self._top = _top(sizes)
        self.sizes = {name.removeprefix(self._top): size for name, size in sizes.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *ended: object) -> None:
        self._place.close()

    def __contains__(self, name: str) -> bool:
        return name in self.sizes

    @contextmanager
    def open(self, name: str) -> Iterator[Readable]:
        """A file, at its start; failing to read it is an OSError.

        Raises
        ------
        InputError
            If there is none of this name, or it is absurdly large.
        """
        if name not in self.sizes:
            raise InputError(f"the model's {shown(name)} is missing", "copy the whole model again")
        if self.sizes[name] > MOST_BYTES:
            raise InputError(f"the model's {shown(name)} is absurdly large", _HINT)
        with self._place.open(self._top + name) as file:
            yield file

    def text(self, name: str) -> str:
        """A file that is text, UTF-8.

        Raises
        ------
        InputError
            If it is none, or cannot be read.
        """
        try:
            with self.open(name) as file:
                read = file.read(MOST_TEXT + 1)
            if len(read) > MOST_TEXT:
                raise InputError(f"the model's {shown(name)} is too long for a text", _HINT)
            return read.decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"the model's {shown(name)} cannot be read", _HINT) from error


def opened(path: Path) -> Package:
    """What is at a path, to be closed again.

    Raises
    ------
    InputError
        If it is neither folder nor archive, or not to be trusted; says why.
    """
    try:
        if path.is_dir():
            folder = _Folder(path)
            return Package(path.resolve().name, folder.sizes(), folder)
        if not path.exists():
            raise InputError("there is nothing at that path", "check its spelling")
        if not zipfile.is_zipfile(path) or path.suffix.lower() in {".pt", ".pth", ".ts"}:
            raise InputError(f"{shown(path.name)} is no folder and no zip archive", _ONE_FILE)
    except (OSError, ValueError) as error:
        raise InputError("the model cannot be read from there", _HINT) from error
    archive = _Zip(path)
    try:
        return Package(path.stem, archive.sizes(), archive)
    except BaseException:
        archive.close()
        raise


_ONE_FILE: Final = "put a weights file into a folder with a medlabel-model.json: docs/models.md"


class _Folder:
    """A folder; links in it are refused, whatever they lead to."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def sizes(self) -> dict[str, int]:
        """Bytes of each file, by its name."""
        found: dict[str, int] = {}
        for root, folders, files in os.walk(self._path):
            for name in [*folders, *files]:
                at = Path(root, name)
                facts = at.lstat()
                if stat.S_ISLNK(facts.st_mode):
                    raise InputError(
                        f"{shown(name)} in the model's folder is a link", "copy the file itself"
                    )
                if stat.S_ISREG(facts.st_mode):
                    found[at.relative_to(self._path).as_posix()] = facts.st_size
            _check_count(len(found))
        return found

    def open(self, name: str) -> IO[bytes]:
        """A file of it."""
        return (self._path / name).open("rb")

    def close(self) -> None:
        """Nothing is held."""


class _Zip:
    """An archive; its members are read in bounds and never unpacked by their names."""

    def __init__(self, path: Path) -> None:
        self._archive = Archive(os.fspath(path), bounded=True)
        self._numbers: dict[str, int] = {}

    def sizes(self) -> dict[str, int]:
        """Bytes of each member that is a file, by its name."""
        _check_count(len(self._archive.members))
        found: dict[str, int] = {}
        for number, member in enumerate(self._archive.members):
            if is_folder(member):
                continue
            _check_name(member)
            if why_not := self._archive.why_not(number):
                raise InputError(f"the archive holds {why_not}", "pack it again, plainly")
            if member.filename in found:
                raise InputError(
                    f"the archive holds {shown(member.filename)} twice", "pack it again"
                )
            found[member.filename] = member.file_size
            self._numbers[member.filename] = number
        return found

    def open(self, name: str) -> Member:
        """A member of it."""
        return self._archive.open(self._numbers[name])

    def close(self) -> None:
        """Let go of the file."""
        with suppress(OSError):
            self._archive.close()


def _check_name(member: zipfile.ZipInfo) -> None:
    """Pass for a member that is a plain file below the archive."""
    name = member.filename
    path = PurePosixPath(name)
    away = path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name
    if away or not name.isprintable():
        raise InputError("a file in the archive would lead out of it", "do not use this archive")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise InputError(f"{shown(name)} in the archive is a link", "pack the file itself")


def _check_count(count: int) -> None:
    if count > MOST_FILES:
        raise InputError(f"there are more than {MOST_FILES} files: this is no model", _HINT)


def _top(sizes: dict[str, int]) -> str:
    """The one folder that all files are in, with "/", or nothing; file managers' leavings apart."""
    firsts = {name.partition("/")[0] for name in sizes if not name.startswith(("__MACOSX/", "."))}
    in_folders = all("/" in name for name in sizes if not name.startswith("."))
    return f"{firsts.pop()}/" if len(firsts) == 1 and in_folders else ""
