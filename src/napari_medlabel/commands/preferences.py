"""What the person who works here prefers."""

from collections.abc import Mapping
from typing import Any

from napari_medlabel.commands.door import command
from napari_medlabel.session import Permission, Session
from napari_medlabel.workspace.preferences import keep_preferences, read_preferences

__all__ = ["keep_preference", "preference"]


@command(needs=Permission.INSPECT)
def preference(session: Session, part: str) -> dict[str, Any]:
    """One part of what is kept ("keys", "layout"); empty where nothing is."""
    return read_preferences(session.folder, session.person.id, part)


@command(needs=Permission.INSPECT)
def keep_preference(session: Session, part: str, values: Mapping[str, Any]) -> None:
    """Keep one part, JSON-ready, for this person in this workspace.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    keep_preferences(session.workspace.folder, session.person.id, part, values)
