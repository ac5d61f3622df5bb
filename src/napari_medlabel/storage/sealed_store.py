"""A folder of named objects at rest, in the clear or sealed; what lies under an OME-Zarr.

A sealed folder has the same names as a plain one, each object sealed (`cipher`), and one more:

    manifest    sealed JSON: {"format": 1, "objects": {"<name>": "<tag, hex>", ...}}

Places: of the manifest "zarr manifest " place, of an object "zarr object " place NUL name. `tag`
is the object's last 16 bytes and differs each time an object is sealed. So an altered, swapped,
missing, added or older object is found when it is read, and a missing or added one when the
folder is opened. A whole folder put back with its manifest is not: who keeps `seal` finds that.

The names tell how many chunks there are, and their sizes how well they compress.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from napari_medlabel.errors import InputError, IntegrityError
from napari_medlabel.files import shown
from napari_medlabel.storage.cipher import TAG_BYTES, Cipher, tag

__all__ = ["MANIFEST", "ObjectFolder", "PlainFolder", "SealedFolder", "open_folder"]

MANIFEST: Final = "manifest"
_FORMAT: Final = 1
_NOT_OURS: Final = frozenset({"Thumbs.db", "desktop.ini"})  # what file managers leave behind


def _nobody(path: Path) -> None:
    """Told of a file; does nothing."""


class ObjectFolder(Protocol):
    """Objects by name ("0/c/1/2/3") in a folder.

    - `read` and `write` may be called by several threads at once.
    - An object is written once.
    """

    @property
    def path(self) -> Path:
        """The folder."""

    def read(self, name: str) -> bytes | None:
        """The object's content, None where there is none."""

    def write(self, name: str, content: bytes) -> None:
        """A new object."""

    def names(self) -> tuple[str, ...]:
        """All objects, sorted."""

    def finish(self) -> None:
        """All objects are written."""


def open_folder(path: Path, cipher: Cipher | None, place: str) -> ObjectFolder:
    """The objects in a folder: sealed ones with their cipher, others without.

    Raises
    ------
    InputError
        If there is no such folder, or it is sealed and there is no cipher.
    IntegrityError
        If an object is missing or added, or the manifest does not open here.
    """
    if not path.is_dir():
        raise InputError(f"{shown(path)} is not a folder")
    sealed = (path / MANIFEST).is_file()
    if cipher is not None:
        return SealedFolder.opened(path, cipher, place)
    if sealed:
        raise InputError(
            f"{shown(path)} is sealed", "open it through the workspace that it belongs to"
        )
    return PlainFolder(path)


class PlainFolder:
    """Objects in the clear: what other programs read and write.

    Parameters
    ----------
    path
        The folder.
    written
        Told of each new file.
    """

    def __init__(self, path: Path, written: Callable[[Path], object] = _nobody) -> None:
        self.path = path
        self._written = written

    def read(self, name: str) -> bytes | None:
        """The object's content, None where there is none."""
        return _read_file(self.path, name)

    def write(self, name: str, content: bytes) -> None:
        """A new object."""
        _write_file(self.path / name, content)
        self._written(self.path / name)

    def names(self) -> tuple[str, ...]:
        """All objects, sorted."""
        return tuple(sorted(_listed(self.path)))

    def finish(self) -> None:
        """Nothing to do."""


class SealedFolder:
    """Sealed objects.

    Parameters
    ----------
    path
        The folder.
    cipher, place
        What seals them, and what they belong to: the case's or the version's id.
    written
        Told of each new file.
    """

    def __init__(
        self,
        path: Path,
        cipher: Cipher,
        place: str,
        written: Callable[[Path], object] = _nobody,
    ) -> None:
        self.path = path
        self._written = written
        self._cipher = cipher
        self._place = place.encode()
        self._tags: dict[str, bytes] = {}

    @classmethod
    def opened(cls, path: Path, cipher: Cipher, place: str) -> "SealedFolder":
        """A folder whose objects are there, all of them and no others.

        Raises
        ------
        IntegrityError
            If that is not so; it says which.
        """
        folder = cls(path, cipher, place)
        folder._tags = folder._manifest()
        there = _listed(path) - {MANIFEST}
        for name in sorted(folder._tags.keys() - there):
            raise _hurt(path, f"{name} is missing")
        for name in sorted(there - folder._tags.keys()):
            raise _hurt(path, f"{shown(name)} does not belong to it")
        return folder

    @property
    def seal(self) -> str:
        """SHA-256 of the manifest as it is at rest (hex): names this very content."""
        return hashlib.sha256((self.path / MANIFEST).read_bytes()).hexdigest()

    def read(self, name: str) -> bytes | None:
        """The object's content, None where there is none.

        Raises
        ------
        IntegrityError
            If it is not what was written; it says which.
        """
        expected = self._tags.get(name)
        if expected is None:
            return None
        sealed = _read_file(self.path, name)
        if sealed is None:
            raise _hurt(self.path, f"{name} is missing")
        if tag(sealed) != expected:
            raise _hurt(self.path, f"{name} is damaged, or of another time")
        try:
            return self._cipher.open(sealed, self._object_place(name))
        except IntegrityError as error:
            raise _hurt(self.path, f"{name} is damaged, or was moved") from error

    def write(self, name: str, content: bytes) -> None:
        """A new object."""
        sealed = self._cipher.seal(content, self._object_place(name))
        _write_file(self.path / name, sealed)
        self._written(self.path / name)
        self._tags[name] = tag(sealed)

    def names(self) -> tuple[str, ...]:
        """All objects, sorted; the manifest is none."""
        return tuple(sorted(self._tags))

    def finish(self) -> None:
        """Write the manifest."""
        objects = {name: self._tags[name].hex() for name in self.names()}
        document = json.dumps({"format": _FORMAT, "objects": objects}).encode()
        _write_file(self.path / MANIFEST, self._cipher.seal(document, self._manifest_place()))

    def _manifest(self) -> dict[str, bytes]:
        sealed = _read_file(self.path, MANIFEST)
        if sealed is None:
            raise _hurt(self.path, "its manifest is missing")
        try:
            document: Mapping[str, Any] = json.loads(
                self._cipher.open(sealed, self._manifest_place())
            )
            number = int(document["format"])
            if number > _FORMAT:
                raise InputError(
                    f"{self.path.name} has format {number}; this program knows {_FORMAT}",
                    "update napari-medlabel",
                )
            tags = {name: bytes.fromhex(text) for name, text in document["objects"].items()}
        except (IntegrityError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise _hurt(self.path, "its manifest is damaged, or of another place") from error
        if any(len(its_tag) != TAG_BYTES for its_tag in tags.values()):
            raise _hurt(self.path, "its manifest is damaged")
        return tags

    def _object_place(self, name: str) -> bytes:
        return b"".join((b"zarr object ", self._place, b"\0", name.encode()))

    def _manifest_place(self) -> bytes:
        return b"zarr manifest " + self._place


def _read_file(folder: Path, name: str) -> bytes | None:
    try:
        with open(folder / name, "rb", buffering=0) as file:  # noqa: PTH123  # faster for chunks
            return file.readall()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    except OSError as error:
        raise _hurt(folder, f"{name} cannot be read") from error


def _write_file(path: Path, content: bytes) -> None:
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0))
    with open(handle, "wb", buffering=0) as file:  # noqa: PTH123  # a handle
        view = memoryview(content)
        while view:
            view = view[file.write(view) :]


def _listed(folder: Path, under: str = "") -> set[str]:
    """All files, by name; what file managers leave behind is passed over."""
    found: set[str] = set()
    for entry in _entries(folder / under):
        name = f"{under}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            found |= _listed(folder, f"{name}/")
        elif not entry.name.startswith(".") and entry.name not in _NOT_OURS:
            found.add(name)
    return found


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from entries


def _hurt(path: Path, what: str) -> IntegrityError:
    return IntegrityError(
        f"{shown(path.name)} is not what was written: {what}", "restore it from a backup"
    )
