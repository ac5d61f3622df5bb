"""A signed-in person in an open workspace: what they may do, and where it is recorded.

Every command asks `Session.permit` before and tells `Session.record` after. Today there is one
local person who may do everything; people, roles and the audit chain come in behind these two.
"""

import getpass
import os
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Literal

from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.core.volume import Volume
from napari_medlabel.errors import PermissionDenied, ReadOnly
from napari_medlabel.storage.journal import SaveState, SqliteJournal
from napari_medlabel.workspace.catalogue import CaseInfo
from napari_medlabel.workspace.folder import Workspace, personal_folder
from napari_medlabel.workspace.holding import Hold
from napari_medlabel.workspace.loading import Loading

__all__ = [
    "CaseInfo",
    "Event",
    "OpenCase",
    "Permission",
    "Person",
    "SaveState",
    "Session",
    "local_session",
]

EVENTS_KEPT = 1000


class Permission(Enum):
    """What a command may need."""

    VIEW = "look at images and masks"
    IMPORT = "bring series into the workspace"
    SEGMENT = "draw and change segments"
    EXPORT = "write files that leave the workspace"
    CLEAR = "say that a case is cleared, or let it through"
    RULE = "set what has to be cleared before what"
    REIDENTIFY = "learn who is behind a pseudonym"
    INSPECT = "read about this program and computer"


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in: an id for provenance and a name for the screen."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Event:
    """That a command ran: never with a value from a header."""

    when: str
    who: str
    action: str
    outcome: Literal["done", "denied", "failed"]
    facts: Mapping[str, Any] = field(default_factory=dict)


class Session:
    """One person at work. The workspace is opened, or made, when it is first needed."""

    def __init__(self, person: Person, folder: Path) -> None:
        self.person = person
        self.folder = folder
        self.events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self._permissions = frozenset(Permission)
        self._workspace: Workspace | None = None

    @property
    def workspace(self) -> Workspace:
        """The open workspace."""
        if self._workspace is None:
            self._workspace = Workspace.open_or_make(self.folder)
        return self._workspace

    def permit(self, permission: Permission) -> None:
        """Pass, or refuse.

        Raises
        ------
        PermissionDenied
            If the person may not do this.
        """
        if permission not in self._permissions:
            raise PermissionDenied(
                f"{self.person.name} may not {permission.value}", "ask whoever runs the workspace"
            )

    def record(
        self, action: str, outcome: Literal["done", "denied", "failed"], **facts: object
    ) -> None:
        """Keep what happened."""
        moment = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.events.append(Event(moment, self.person.id, action, outcome, facts))

    def close(self) -> None:
        """Let go of the workspace."""
        if self._workspace is not None:
            self._workspace.close()
            self._workspace = None


@dataclass(slots=True, eq=False)
class OpenCase:
    """A case somebody works on: its image, its segmentation and what keeps them."""

    info: CaseInfo
    volume: Volume
    segmentation: Segmentation
    segmentation_id: str
    loading: Loading
    journal: SqliteJournal | None
    hold: Hold
    closed: bool = False

    def saved(self) -> SaveState:
        """Whether all changes are durable, in words."""
        if self.journal is None:
            return SaveState("saved", "Read only")
        return self.journal.saved

    def check_open(self) -> None:
        """Pass while the case is open.

        Raises
        ------
        ReadOnly
            If it was closed.
        """
        if self.closed:
            raise ReadOnly("this case has been closed", "open it again")


def local_session(workspace: Path | None = None) -> Session:
    """The session of whoever sits here, in their personal workspace or in the one given."""
    try:
        login = getpass.getuser()
    except (OSError, KeyError):
        login = str(os.getuid()) if hasattr(os, "getuid") else "local"
    # A mask says who drew it: the login name, until people have accounts of their own.
    return Session(Person(login, login), workspace or personal_folder())
