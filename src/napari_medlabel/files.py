"""New files and folders that are there whole or not at all.

What is written goes to a hidden name beside its destination, is made durable (fsync) and gets its
own name last. Whatever goes wrong before that removes it again and leaves an older file as it was.
"""

import errno
import os
import secrets
import shutil
from collections.abc import Container, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from napari_medlabel.errors import OutputError

__all__ = ["check_new_file", "check_new_folder", "new_file", "new_folder", "shown"]

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DENIED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})
_FLUSHING: Final = 4  # threads, which take no time of the processor
_LONGEST_TAIL: Final = 200  # bytes of the destination's name kept in the hidden one


@contextmanager
def new_file(path: str | os.PathLike[str], *, force: bool = False) -> Iterator[Path]:
    """A hidden, empty file beside `path` to write to; it becomes `path` when the block ends.

    Its name ends as the destination's does, for writers that go by the suffix. Close it inside
    the block. An exception in the block removes it.

    Parameters
    ----------
    path
        The destination; its folder must be there.
    force
        Whether an existing file may be replaced.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    OutputError
        If the destination is there already or cannot be written, or the disk is full.
    """
    target = _destination(path)
    _check_free_file(target, force=force)
    hidden = _hidden(target)
    try:  # from before it is there: it goes away even if Ctrl-C comes the moment it is
        with _one_line(target):
            os.close(os.open(hidden, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        with _disk_full_is_ours(target):
            yield hidden
        with _one_line(target):
            _flush(hidden)
            _publish_file(hidden, target, force=force)
            _flush(target.parent)
    finally:
        with suppress(OSError):
            hidden.unlink()


@contextmanager
def new_folder(
    path: str | os.PathLike[str], *, force: bool = False, marker: str = "",
    durable: Container[Path] = (),
) -> Iterator[Path]:  # fmt: skip
    """A hidden, empty folder beside `path` to fill; it becomes `path` when the block ends.

    Parameters
    ----------
    path
        The destination; the folder it lies in must be there.
    force
        Whether an existing folder may be replaced: an empty one, or one with the `marker`.
    marker
        A name that a folder of this kind always holds ("zarr.json"), so that a slip of the hand
        never removes somebody's other folder.
    durable
        Files that whoever filled the folder has flushed; asked when the block has ended.

    Yields
    ------
    Path
        The folder to fill.

    Raises
    ------
    OutputError
        If the destination is there already or cannot be written, or the disk is full.
    """
    target = _destination(path)
    _check_free_folder(target, force=force, marker=marker)
    hidden = _hidden(target)
    try:
        with _one_line(target):
            hidden.mkdir()
        with _disk_full_is_ours(target):
            yield hidden
        with _one_line(target):
            _flush_tree(hidden, durable)
            _publish_folder(hidden, target, force=force)
            _flush(target.parent)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def check_new_file(path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Pass where `new_file` would begin: asked before the work whose result is to be written.

    Raises
    ------
    OutputError
        As `new_file` does before it writes.
    """
    _check_free_file(_destination(path), force=force)


def check_new_folder(
    path: str | os.PathLike[str], *, force: bool = False, marker: str = ""
) -> None:
    """Pass where `new_folder` would begin: asked before the work whose result is to be written.

    Raises
    ------
    OutputError
        As `new_folder` does before it writes.
    """
    _check_free_folder(_destination(path), force=force, marker=marker)


def shown(path: str | os.PathLike[str]) -> str:
    """The path for one line of text: what cannot be printed is escaped."""
    text = os.fspath(path)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _destination(path: str | os.PathLike[str]) -> Path:
    target = Path(path).absolute()
    if not target.name or target.name == "..":
        raise OutputError(f"{shown(path)} is not a name to write to", "name a new file")
    with _one_line(target):
        if target.parent.is_dir():
            return target
        why = "is not a folder" if target.parent.exists() else "does not exist"
    raise OutputError(f"the folder {shown(target.parent)} {why}", "make the folder first")


def _check_free_file(target: Path, *, force: bool) -> None:
    if not _is_there(target):
        return
    with _one_line(target):
        if target.is_dir():
            raise OutputError(f"{shown(target)} is a folder", "name a file")
    if not force:
        raise _exists(target)


def _check_free_folder(target: Path, *, force: bool, marker: str) -> None:
    if not _is_there(target):
        return
    if not force:
        raise _exists(target)
    if target.is_symlink() or not target.is_dir():
        raise OutputError(f"{shown(target)} is not a folder", "name a new folder")
    with _one_line(target):
        names = os.listdir(target)  # noqa: PTH208  # names only
    if names and (not marker or marker not in names):
        raise OutputError(
            f"{shown(target)} holds other things and is not replaced",
            "name a new folder, or empty this one",
        )


def _is_there(target: Path) -> bool:
    """Whether anything has this name, be it a broken link; refused where nothing can have it."""
    with _one_line(target):
        try:
            target.lstat()
        except FileNotFoundError:
            return False
    return True


def _exists(target: Path) -> OutputError:
    return OutputError(f"{shown(target)} exists already", "name another file, or use force")


def _hidden(target: Path) -> Path:
    tail = os.fsdecode(os.fsencode(target.name)[-_LONGEST_TAIL:])
    return target.parent / f".{secrets.token_hex(4)}-{tail}"


def _publish_file(hidden: Path, target: Path, *, force: bool) -> None:
    if force:
        hidden.replace(target)
        return
    try:
        target.hardlink_to(hidden)  # unlike a rename, this never replaces
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(target):
            raise _exists(target) from error
        hidden.rename(target)


def _publish_folder(hidden: Path, target: Path, *, force: bool) -> None:
    if not force or not target.exists():
        hidden.rename(target)  # fails where somebody else made and filled it meanwhile
        return
    old = _hidden(target)
    target.rename(old)
    try:
        hidden.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _flush(path: Path) -> None:
    """Make what the path names durable; for a folder, its list of names."""
    if os.name == "nt" and path.is_dir():
        return  # Windows keeps no handle for folders
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems cannot flush a folder
            raise
    finally:
        os.close(handle)


def _flush_tree(folder: Path, durable: Container[Path]) -> None:
    wanted = []
    for root, _, names in os.walk(folder):
        files = (Path(root, name) for name in names)
        wanted += [file for file in files if file not in durable]
        wanted.append(Path(root))
    # Each waits for the disk alone; several wait together.
    with ThreadPoolExecutor(_FLUSHING) as threads:
        for _done in threads.map(_flush, wanted):
            pass


@contextmanager
def _one_line(target: Path) -> Iterator[None]:
    """Every failure of the file system as one line for a person."""
    try:
        yield
    except OSError as error:
        raise _in_words(target, error) from error


@contextmanager
def _disk_full_is_ours(target: Path) -> Iterator[None]:
    """A failure of the block that is about the disk; others may be about what it reads."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL | {errno.EROFS}:
            raise _in_words(target, error) from error
        raise


def _in_words(target: Path, error: OSError) -> OutputError:
    if error.errno in _FULL:
        return OutputError(f"the disk is full: {shown(target)} was not written", "make room")
    if isinstance(error, FileExistsError) or error.errno == errno.ENOTEMPTY:
        return _exists(target)
    if error.errno in _DENIED:
        what = f"{shown(target.parent)} cannot be written to"
        return OutputError(what, "choose a folder in which you may write")
    reason = (error.strerror or type(error).__name__).lower()
    return OutputError(f"{shown(target)} cannot be written: {reason}", "choose another place")
