"""How a SQLite file of ours is opened, kept durable, and left behind as one plain file.

Durable is: synchronous=FULL, in WAL mode, or with a rollback journal where the file system has no
shared memory for WAL. A file in WAL mode cannot be opened where nothing can be written, so whoever
closes it takes it out of that mode.
"""

import sqlite3
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from napari_medlabel.errors import InputError
from napari_medlabel.files import shown

__all__ = ["connect", "make_durable", "make_plain"]

_BESIDE: Final = ("-wal", "-journal")  # what a program that did not close the file leaves


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection to a file that is there; never makes one.

    Parameters
    ----------
    path
        The file.
    read_only
        Nothing is written; where nothing can be, the file must not change meanwhile.

    Raises
    ------
    sqlite3.Error
        If it cannot be opened.
    InputError
        If it was not closed, and nothing can be written to go on from there.
    """
    if not read_only:
        return _connect(path, "mode=rw")
    connection = _connect(path, "mode=ro")
    try:
        connection.execute("PRAGMA schema_version").fetchone()  # the first to look at the file
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise
    except BaseException:
        connection.close()
        raise
    else:
        return connection
    if any(_size(path.with_name(path.name + ending)) for ending in _BESIDE):
        raise InputError(
            f"{shown(path.name)} was not closed, and its folder cannot be written to",
            "copy the folder to where it can be written to, and open it there",
        )
    return _connect(path, "mode=ro&immutable=1")


def make_durable(connection: sqlite3.Connection) -> None:
    """From here on what is committed is durable."""
    try:
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    except sqlite3.OperationalError:
        mode = ""
    if mode != "wal":
        connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    connection.execute("PRAGMA synchronous = FULL")
    if sys.platform == "darwin":
        connection.execute("PRAGMA fullfsync = ON")


def make_plain(connection: sqlite3.Connection) -> None:
    """Leave WAL mode, or what is in the WAL behind, where somebody else looks at the file."""
    with suppress(sqlite3.Error):  # all is durable as it is
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        except sqlite3.OperationalError:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def _connect(path: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{how}", uri=True,
        isolation_level=None, check_same_thread=False, timeout=10.0,
    )  # fmt: skip


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
