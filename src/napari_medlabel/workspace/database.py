"""The catalogue's tables, and the door to the database that holds them.

SQLite by default; any database that SQLAlchemy speaks to by its URL. Columns named `sealed` hold
JSON under the workspace key: everything that may identify somebody. Format 2; format 1 had no
tables for privacy: they are added where the file can be written, and count as empty elsewhere.

Writers take SQLite's write lock when they begin, so that what they read first still holds when
they write. What is deleted is overwritten with zeros: a destroyed key is not left in a free page.
"""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    create_engine,
    event,
    inspect,
    select,
)
from sqlalchemy.exc import DatabaseError
from sqlalchemy.exc import IntegrityError as Clash

from napari_medlabel.errors import InputError, IntegrityError, MedlabelError, NotSaved

__all__ = [
    "FORMAT",
    "cases",
    "open_database",
    "place_of",
    "privacy_events",
    "privacy_heads",
    "privacy_rules",
    "reading",
    "segmentations",
    "versions",
    "writing",
]

FORMAT: Final = 2
PATIENCE_MS = 10_000  # how long another writer is waited for
_RESTORE: Final = "restore catalogue.sqlite from a backup; series and segmentations are not touched"
# SQLITE_ERROR: a table or column is not there, since our statements are right.
_DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
_DENIED: Final = ("its folder cannot be written to", "make it writable")
_REASONS: Final = {
    sqlite3.SQLITE_FULL: ("the disk is full", "make room on the disk and try again"),
    sqlite3.SQLITE_READONLY: _DENIED,
    sqlite3.SQLITE_PERM: _DENIED,
    sqlite3.SQLITE_CANTOPEN: ("its file cannot be opened", "see that the folder is there"),
    sqlite3.SQLITE_BUSY: ("another program holds it", "close the other program and try again"),
    sqlite3.SQLITE_LOCKED: ("another program holds it", "close the other program and try again"),
}

_logger = logging.getLogger(__name__)
_metadata = MetaData()

meta = Table(
    "meta",
    _metadata,
    Column("key", String(32), primary_key=True),
    Column("value", String(255), nullable=False),
)

cases = Table(
    "cases",
    _metadata,
    Column("id", String(32), primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("lookup", String(64), nullable=False, unique=True),  # keyed hash of what was imported
    Column("state", String(16), nullable=False),  # importing | ready
    Column("modality", String(16), nullable=False),
    Column("created", String(32), nullable=False),
    Column("opened", String(32), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),  # destroying it disposes of the case
    Column("sealed", LargeBinary, nullable=False),
)

segmentations = Table(
    "segmentations",
    _metadata,
    Column("id", String(32), primary_key=True),
    Column("case_id", ForeignKey("cases.id"), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("created", String(32), nullable=False),
    Column("begun", Integer, nullable=False, default=0),  # 1 from its first journal on
    UniqueConstraint("case_id", "number"),
)

versions = Table(
    "versions",
    _metadata,
    Column("segmentation_id", ForeignKey("segmentations.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("created", String(32), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

# These two only ever grow: an entry is never changed, and goes only with its case.
privacy_events = Table(
    "privacy_events",
    _metadata,
    Column("case_id", ForeignKey("cases.id"), primary_key=True),
    Column("number", Integer, primary_key=True),  # from 1, of the case
    Column("created", String(32), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

privacy_rules = Table(
    "privacy_rules",
    _metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # from 1
    Column("created", String(32), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

# How many entries there are, of a case (by its id) or of the rules, and what they come to.
privacy_heads = Table(
    "privacy_heads",
    _metadata,
    Column("id", String(32), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)


def place_of(row_id: str, column: str) -> bytes:
    """Associated data: a sealed column opens in its own row only."""
    return f"medlabel catalogue 1|{row_id}|{column}".encode()


def open_database(where: Path | str, *, make: bool = True) -> Engine:
    """The database at a path (SQLite) or URL; a file that cannot be written opens for reading.

    Parameters
    ----------
    where
        A path or a URL.
    make
        Whether its tables may be made where there are none.

    Raises
    ------
    IntegrityError
        If it is not a catalogue, or there is none and none may be made.
    InputError
        If a newer version of this program wrote it, or it cannot be read.
    NotSaved
        If its tables cannot be made.
    """
    if isinstance(where, Path) and not make and _is_empty(where):
        raise _missing()
    engine = create_engine(_url(where) if isinstance(where, Path) else where)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _careful)
        event.listen(engine, "begin", _begin)
    try:
        _prepare(engine, make=make)
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads.

    Raises
    ------
    IntegrityError
        If the database is damaged.
    InputError
        If it does not answer.
    """
    try:
        with engine.connect() as connection:
            yield connection
    except DatabaseError as error:
        raise _in_words(error, InputError, "the workspace's catalogue cannot be read") from error


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes; nobody else does until it ends.

    Raises
    ------
    IntegrityError
        If the database is damaged.
    NotSaved
        If it cannot be written; all is as it was.
    """
    try:
        with engine.execution_options(immediate=True).begin() as connection:
            yield connection
    except DatabaseError as error:
        raise _in_words(error, NotSaved, "not saved in the workspace's catalogue") from error


def _is_empty(file: Path) -> bool:
    return not file.exists() or not file.stat().st_size


def _url(file: Path) -> URL:
    """The file's URL, for reading only where neither it nor its folder can be written."""
    if not file.exists() or (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)):
        return URL.create("sqlite", database=str(file))
    return URL.create(
        "sqlite", database=file.absolute().as_uri(), query={"mode": "ro", "uri": "true"}
    )


def _careful(connection: Any, _record: object) -> None:  # noqa: ANN401  # sqlite3's own
    connection.isolation_level = None  # transactions begin where `_begin` says so
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={PATIENCE_MS}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _prepare(engine: Engine, *, make: bool) -> None:
    if _has_tables(engine):
        if _check_format(engine) < FORMAT:
            _bring_up(engine)
    elif make:
        _make_tables(engine)
    else:
        raise _missing()


def _has_tables(engine: Engine) -> bool:
    with reading(engine) as connection:
        return bool(inspect(connection).has_table("meta"))


def _make_tables(engine: Engine) -> None:
    """All tables or none; another process may have made them meanwhile."""
    with writing(engine) as connection:
        if inspect(connection).has_table("meta"):
            return
        _metadata.create_all(connection)
        connection.execute(meta.insert().values(key="format", value=str(FORMAT)))


def _bring_up(engine: Engine) -> None:
    """Add what an earlier format did not have; nothing that is there is touched."""
    try:
        with writing(engine) as connection:
            _metadata.create_all(connection)
            mine = meta.update().where(meta.c.key == "format")
            connection.execute(mine.values(value=str(FORMAT)))
    except NotSaved:  # it can only be read: what it has not counts as empty
        _logger.info("the catalogue stays as an earlier version made it: it cannot be written")


def _check_format(engine: Engine) -> int:
    with reading(engine) as connection:
        found = connection.execute(select(meta.c.value).where(meta.c.key == "format")).scalar()
    if not str(found).isdigit():
        raise IntegrityError("the workspace's catalogue is damaged", _RESTORE)
    if int(str(found)) > FORMAT:
        raise InputError(
            f"the workspace's catalogue has format {found}; this program knows {FORMAT}",
            "update napari-medlabel",
        )
    return int(str(found))


def _missing() -> IntegrityError:
    return IntegrityError(
        "the workspace's catalogue, with the keys of all its cases, is missing or empty", _RESTORE
    )


def _in_words(error: DatabaseError, kind: type[MedlabelError], what: str) -> MedlabelError:
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF  # without the finer distinction
    if code in _DAMAGE:
        return IntegrityError("the workspace's catalogue cannot be read: it is damaged", _RESTORE)
    if isinstance(error, Clash):
        return kind(f"{what}: somebody else wrote the same just now", "try again")
    why, hint = _REASONS.get(code, ("the database does not answer as it should", "try again"))
    return kind(f"{what}: {why}", hint)
