"""What SQLite reports, in our words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from napari_medlabel.errors import InputError, IntegrityError, MedlabelError, NotSaved
from napari_medlabel.files import shown

__all__ = ["RESTORE", "not_saved", "reading"]

RESTORE: Final = "restore the last saved version of this segmentation"
# SQLITE_ERROR: a table or column is not there, since our statements are right.
_DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)


@contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """A block that reads; `what` is what it reads, for a person.

    Raises
    ------
    IntegrityError
        If SQLite finds the file damaged, or what is in it is of another type.
    InputError
        If it cannot be read for another reason.
    """
    damaged = IntegrityError(f"{what} cannot be read: {shown(path)} is damaged", RESTORE)
    try:
        yield
    except (TypeError, ValueError) as error:  # a number where bytes were, or words of no language
        raise damaged from error
    except sqlite3.Error as error:
        if _code(error) in _DAMAGE:
            raise damaged from error
        words = f"{what} cannot be read: {_reason(error)}"
        raise InputError(words, f"look at {shown(path.parent)}") from error
    except OSError as error:
        words = f"{what} cannot be read: {(error.strerror or 'no reason given').lower()}"
        raise InputError(words, f"look at {shown(path.parent)}") from error


def _code(error: Exception) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF  # without SQLite's finer distinction


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return "the folder is gone"
    reasons = {
        sqlite3.SQLITE_FULL: "disk is full",
        sqlite3.SQLITE_CANTOPEN: "the folder is gone",
        sqlite3.SQLITE_READONLY: "the folder cannot be written to",
        sqlite3.SQLITE_PERM: "the folder cannot be written to",
        sqlite3.SQLITE_BUSY: "another program holds the journal",
    }
    return reasons.get(_code(error), "the disk does not answer as it should")


def not_saved(error: Exception, path: Path) -> NotSaved:
    """The error for a transaction that failed."""
    if isinstance(error, MedlabelError):
        return NotSaved(f"not saved: {error}", error.hint)
    reason = _reason(error)
    folder = shown(Path(*path.parent.parts[-2:]))  # not where the workspace is: that tells names
    hints = {
        "disk is full": "make room on the disk; then it is tried again",
        "the folder is gone": f"bring {folder} of the workspace back; then it is tried again",
    }
    return NotSaved(f"not saved: {reason}", hints.get(reason, "it is tried again"))
