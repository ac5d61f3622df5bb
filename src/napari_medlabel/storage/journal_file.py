"""A journal on disk: one SQLite file of sealed rows, each bound to all rows before it.

    application_id        0x4D4C4A52 ("MLJR")
    user_version          the format: 2; in 1 there are no annotations and one group of labels
    records               number INTEGER PRIMARY KEY, tag BLOB, sealed BLOB or NULL
    checkpoint            part INTEGER PRIMARY KEY, number INTEGER, sealed BLOB

Row 0 is the beginning: JSON {"format": 2}, or 1 where the file began in that format; whoever opens
it to write makes it one of format 2, since earlier programs would pass over what is new. A row is
a sealed record (`cipher`) and `tag` its last 16 bytes; a row that was folded away keeps its tag
alone. What each opens after is told in `journal_chain`. A checkpoint is the state after row
`number`, in parts; rows up to it need not be replayed.
"""

import sqlite3
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from napari_medlabel.errors import InputError, IntegrityError, MedlabelError
from napari_medlabel.files import new_file, shown
from napari_medlabel.storage.cipher import Cipher, tag
from napari_medlabel.storage.journal_chain import NO_TAG, Chain
from napari_medlabel.storage.sqlite_connection import connect, make_durable, make_plain
from napari_medlabel.storage.sqlite_errors import RESTORE, not_saved, reading

__all__ = ["JournalFile"]

_FORMAT: Final = 2
_APPLICATION: Final = 0x4D4C4A52
_SCHEMA: Final = f"""
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_FORMAT};
CREATE TABLE records (number INTEGER PRIMARY KEY, tag BLOB NOT NULL, sealed BLOB);
CREATE TABLE checkpoint (part INTEGER PRIMARY KEY, number INTEGER NOT NULL, sealed BLOB NOT NULL);
"""


class JournalFile:
    """Rows at rest; may be used by several threads at once.

    Parameters
    ----------
    path
        The file; made where it is missing, unless `read_only`.
    cipher, place
        What seals the rows, and what they belong to.
    read_only
        Nothing is written; another process may be writing: see `one_moment`.

    Raises
    ------
    IntegrityError
        If it is not a journal of this place and key, or is damaged.
    InputError, OutputError
        If it cannot be opened or made, or is of a newer format.
    """

    def __init__(self, path: Path, cipher: Cipher, place: str, *, read_only: bool = False) -> None:
        self.path = path
        self._chain = Chain(cipher, place)
        self._read_only = read_only
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._last, self._head = 0, NO_TAG
        self._tried = 0, NO_TAG
        if not path.exists() and not read_only:
            self._make()
        with self._lock, reading(self.path, "the journal"):
            self._connection, (self._last, self._head) = self._connect()
        try:
            self.row(0)  # the key and the place are right, or nothing goes on
            self._make_durable(self._connection)
        except BaseException:
            self._disconnect()
            raise

    @property
    def last(self) -> int:
        """The number of the last row that is durable; 0 where there is none."""
        return self._last

    @property
    def head(self) -> tuple[int, str]:
        """The last row's number and tag (hex): it names the whole history up to there."""
        return self._last, self._head.hex()

    @property
    def size_bytes(self) -> int:
        """What the rows and the checkpoint take on disk, free pages not counted."""
        with self._lock, reading(self.path, "the journal"):
            pages, free, size = (
                self._open().execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
        return int((pages - free) * size)

    @contextmanager
    def one_moment(self) -> Iterator[None]:
        """A block that sees rows and checkpoint as they are when it begins, whoever writes on.

        Whoever only looks learns there of the rows that came meanwhile.

        Raises
        ------
        IntegrityError, InputError
            If the file cannot be read.
        """
        with self._lock:
            with reading(self.path, "the journal"):
                connection = self._open()
                connection.execute("BEGIN")
            try:
                if self._read_only:
                    with reading(self.path, "the journal"):
                        self._last, self._head = _head(connection)
                yield
            finally:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")  # nothing was written

    def add(self, contents: Mapping[int, bytes]) -> None:
        """Make rows durable, all or none.

        Parameters
        ----------
        contents
            By number, growing by one, the first right after the last row; rows that are durable
            already are passed over, so that an attempt whose end was not seen can be repeated.

        Raises
        ------
        NotSaved
            If that cannot be; it can be tried again.
        """
        with self._lock, self._writing() as connection:
            tried = self._last, self._head
            for number, content in contents.items():
                if number > self._last:
                    sealed = self._chain.seal_row(number, content, tried[1])
                    tried = number, tag(sealed)
                    connection.execute("INSERT INTO records VALUES (?, ?, ?)", (*tried, sealed))
            self._tried = tried
        self._last, self._head = self._tried

    def row(self, number: int) -> bytes:
        """What was written at this number.

        Raises
        ------
        IntegrityError
            If it is not there or not what was written.
        """
        with self._lock, reading(self.path, f"record {number}"):
            found = self._open().execute(
                "SELECT this.sealed, before.tag FROM records AS this LEFT JOIN records AS before"
                " ON before.number = this.number - 1 WHERE this.number = ?", (number,)
            ).fetchone()  # fmt: skip
        if found is None:
            raise _missing(number)
        return self._chain.open_row(number, found[0], found[1] or NO_TAG)

    def rows(self, after: int = 0, *, folded: bool = False) -> Iterator[tuple[int, bytes]]:
        """Every row after this number, in order; `folded` passes over rows folded away.

        Raises
        ------
        IntegrityError
            At the first one that is not there or not what was written.
        """
        before = self._tag(after)
        for number in range(after + 1, self._last + 1):
            with self._lock, reading(self.path, f"record {number}"):
                found = self._open().execute(
                    "SELECT tag, sealed FROM records WHERE number = ?", (number,)
                ).fetchone()  # fmt: skip
            if found is None:
                raise _missing(number)
            if found[1] is not None or not folded:
                yield number, self._chain.open_row(number, found[1], before)
            before = found[0]

    def checkpoint(self) -> tuple[int, list[bytes]] | None:
        """The number of the row it comes after, and its parts; None where there is none.

        Raises
        ------
        IntegrityError
            If it is not what was written.
        """
        with self._lock, reading(self.path, "the checkpoint"):
            found = self._open().execute(
                "SELECT number, sealed FROM checkpoint ORDER BY part"
            ).fetchall()  # fmt: skip
            number = int(found[0][0]) if found else 0
        if not found:
            return None
        if number > self._last:
            raise _missing(self._last + 1)
        return number, self._chain.open_parts(number, self._tag(number), [one[1] for one in found])

    def set_checkpoint(
        self, number: int, parts: Sequence[bytes], *, kept: Collection[int] | None = None
    ) -> None:
        """Put a checkpoint in the place of the one before; durable, all or nothing.

        Parameters
        ----------
        number
            The row it comes after.
        parts
            What is in it.
        kept
            The rows up to there that still are needed; the others are folded away. None: all.

        Raises
        ------
        NotSaved
            If that cannot be; all is as before.
        """
        sealed = self._chain.seal_parts(number, self._tag(number), parts)
        with self._lock, self._writing() as connection:
            connection.execute("DELETE FROM checkpoint")
            connection.executemany(
                "INSERT INTO checkpoint VALUES (?, ?, ?)",
                [(part, number, content) for part, content in enumerate(sealed)],
            )
            if kept is not None:
                self._fold(connection, number, kept)
        if kept is not None:
            with self._lock, suppress(sqlite3.Error):  # only gives room back
                self._open().executescript("PRAGMA incremental_vacuum")  # execute: one page

    def close(self) -> None:
        """Let go of the file; it is one plain file then, unless somebody looks at it."""
        with self._lock:
            if self._connection is not None and not self._read_only and self._is_ours():
                make_plain(self._connection)
            self._disconnect()

    # SQLite

    def _tag(self, number: int) -> bytes:
        with self._lock, reading(self.path, f"record {number}"):
            found = self._open().execute(
                "SELECT tag FROM records WHERE number = ?", (number,)
            ).fetchone()  # fmt: skip
            if found is not None:
                return bytes(found[0])
        raise _missing(number)

    def _make(self) -> None:
        """A new journal: whole before it has its name, so that an empty file is damage."""
        first = self._chain.seal_row(0, b'{"format":%d}' % _FORMAT, NO_TAG)
        with new_file(self.path) as partial, reading(self.path, "the new journal"):
            connection = sqlite3.connect(partial)
            try:
                connection.executescript(_SCHEMA)
                connection.execute("INSERT INTO records VALUES (0, ?, ?)", (tag(first), first))
                connection.commit()
            finally:
                connection.close()

    def _connect(self) -> tuple[sqlite3.Connection, tuple[int, bytes]]:
        """A connection that has changed nothing yet, and number and tag of the last row."""
        connection = connect(self.path, read_only=self._read_only)
        try:
            self._check(connection)
            self._inode = self.path.stat().st_ino
            head = _head(connection)
        except BaseException:
            connection.close()
            raise
        return connection, head

    def _make_durable(self, connection: sqlite3.Connection) -> None:
        if not self._read_only:
            with reading(self.path, "the journal"):
                make_durable(connection)
            with suppress(sqlite3.Error):  # as on a full disk: its records speak for themselves
                if connection.execute("PRAGMA user_version").fetchone()[0] < _FORMAT:
                    connection.execute(f"PRAGMA user_version = {_FORMAT}")

    def _is_ours(self) -> bool:
        """Whether the file that is open is the one that has its name: SQLite would write on."""
        try:
            return self.path.stat().st_ino == self._inode
        except OSError:
            return False

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        """The connection; after a failure a new one, to the journal as we know it."""
        if self._connection is None:
            connection, head = self._connect()
            if head == self._tried:  # the attempt that seemed to fail did not
                self._last, self._head = head
            if head != (self._last, self._head):
                connection.close()
                raise IntegrityError("the journal was changed by another program", RESTORE)
            self._connection = connection
            self._make_durable(connection)
        return self._connection

    def _check(self, connection: sqlite3.Connection) -> None:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        number = connection.execute("PRAGMA user_version").fetchone()[0]
        if application != _APPLICATION:
            raise IntegrityError(f"{shown(self.path)} is not a journal, or is damaged", RESTORE)
        if number > _FORMAT:
            raise InputError(
                f"the journal has format {number}; this program knows {_FORMAT}",
                "update napari-medlabel",
            )
        # Rows open one by one; only this finds that a hurt page hides the last of them.
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise IntegrityError(f"{shown(self.path)} is damaged", RESTORE)

    def _fold(self, connection: sqlite3.Connection, number: int, kept: Collection[int]) -> None:
        """Leave the tags alone; rows put in anew lie close together, changed ones would not."""
        connection.execute("CREATE TEMP TABLE kept (number INTEGER PRIMARY KEY)")
        connection.executemany("INSERT INTO kept VALUES (?)", [(n,) for n in {0, *kept}])
        connection.execute(
            "CREATE TEMP TABLE folded AS SELECT number, tag FROM records"
            " WHERE number <= ? AND number NOT IN (SELECT number FROM kept)", (number,)
        )  # fmt: skip
        connection.execute("DELETE FROM records WHERE number IN (SELECT number FROM folded)")
        connection.execute("INSERT INTO records SELECT number, tag, NULL FROM folded")
        connection.execute("DROP TABLE folded")
        connection.execute("DROP TABLE kept")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction. After a failure the next one starts with a new connection."""
        try:
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            if not self._is_ours():
                raise FileNotFoundError
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError, MedlabelError) as error:
            self._disconnect()  # rolls back
            raise not_saved(error, self.path) from error


def _head(connection: sqlite3.Connection) -> tuple[int, bytes]:
    """Number and tag of the last row."""
    found = connection.execute(
        "SELECT number, tag, substr(sealed, -16) FROM records ORDER BY number DESC LIMIT 1"
    ).fetchone()  # fmt: skip
    if not found:
        raise IntegrityError("the journal has lost its beginning", RESTORE)
    if found[2] is not None and found[1] != found[2]:
        raise IntegrityError(f"record {found[0]} of the history is damaged", RESTORE)
    return int(found[0]), bytes(found[1])


def _missing(number: int) -> IntegrityError:
    return IntegrityError(f"record {number} of the history is missing", RESTORE)
