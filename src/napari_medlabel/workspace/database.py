"""The catalogue's tables, and the door to the database that holds them.

SQLite by default; any database that SQLAlchemy speaks to by its URL. Columns named `sealed` hold
JSON under the workspace key: everything that may identify somebody. Format 1.
"""

from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    Column,
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
    select,
)
from sqlalchemy.exc import DatabaseError

from napari_medlabel.errors import InputError, IntegrityError

__all__ = ["FORMAT", "cases", "open_database", "segmentations", "versions"]

FORMAT: Final = 1

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
    Column("lookup", String(64), nullable=False, index=True),  # keyed hash of what was imported
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


def open_database(where: Path | str) -> Engine:
    """The database at a path (SQLite) or URL, with its tables made where they are missing.

    Raises
    ------
    IntegrityError
        If it is not a catalogue.
    InputError
        If a newer version of this program wrote it.
    """
    url = f"sqlite:///{where}" if isinstance(where, Path) else where
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _careful)
    try:
        _metadata.create_all(engine)
        _check_format(engine)
    except DatabaseError as error:
        engine.dispose()
        raise IntegrityError(
            "the workspace's catalogue cannot be read",
            "restore catalogue.sqlite from a backup; series and segmentations are not touched",
        ) from error
    return engine


def _careful(connection: Any, _record: object) -> None:  # noqa: ANN401  # sqlite3's own
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()


def _check_format(engine: Engine) -> None:
    with engine.begin() as connection:
        found = connection.execute(select(meta.c.value).where(meta.c.key == "format")).scalar()
        if found is None:
            connection.execute(meta.insert().values(key="format", value=str(FORMAT)))
        elif int(found) > FORMAT:
            raise InputError(
                f"the workspace's catalogue has format {found}; this program knows {FORMAT}",
                "update napari-medlabel",
            )
