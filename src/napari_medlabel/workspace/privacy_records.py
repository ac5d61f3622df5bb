"""What was ever said of the privacy of cases, and the rules about it, sealed in the catalogue.

Entries are numbered from 1 and bound to their number; the head, sealed too, says how many there
are and what they come to. An entry that is missing, moved or altered is therefore found. Somebody
who puts the whole catalogue back as it was at an earlier time is not: that is for the audit.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, inspect, select

from napari_medlabel.core.case_privacy import CasePrivacy, PartState
from napari_medlabel.errors import InputError, IntegrityError
from napari_medlabel.storage.cipher import Cipher
from napari_medlabel.workspace.database import (
    cases,
    place_of,
    privacy_events,
    privacy_heads,
    privacy_rules,
    reading,
    writing,
)

__all__ = ["PrivacyRecords"]

_RULES: Final = "rules"


class PrivacyRecords:
    """The privacy of every case and the rules that were set, in the tables of the catalogue.

    Parameters
    ----------
    engine
        The catalogue's database; one of an earlier format that cannot be written has none.
    cipher
        Under the workspace key.
    """

    def __init__(self, engine: Engine, cipher: Cipher) -> None:
        self._engine = engine
        self._cipher = cipher

    def of(self, case_id: str) -> CasePrivacy:
        """What was said of a case, nothing where nothing was.

        Raises
        ------
        IntegrityError
            If entries are missing or altered.
        """
        with reading(self._engine) as connection:
            return self._of(connection, case_id)

    def add(self, case_id: str, make: Callable[[CasePrivacy], PartState | None]) -> CasePrivacy:
        """Enter one more event; nobody else enters one meanwhile.

        Parameters
        ----------
        case_id
            Which case.
        make
            Given what was said so far: the event, or None where there is nothing to say.

        Raises
        ------
        InputError
            If there is no such case, or the event does not follow from what was said.
        IntegrityError
            If entries are missing or altered.
        NotSaved
            If it cannot be written.
        """
        with writing(self._engine) as connection:
            if connection.execute(select(cases.c.id).where(cases.c.id == case_id)).first() is None:
                raise InputError("there is no such case in this workspace", "see: medlabel list")
            before = self._of(connection, case_id)
            event = make(before)
            if event is None:
                return before
            after = before.then(event)
            number = len(after.history)
            sealed = self._seal(event.document(), case_id, f"privacy {number}")
            connection.execute(
                privacy_events.insert().values(
                    case_id=case_id, number=number, created=event.when, sealed=sealed
                )
            )
            self._set_head(connection, case_id, _head_of(after))
        return after

    def rules(self) -> tuple[dict[str, Any], ...]:
        """Every setting of the rules, the oldest first: what, who, when.

        Raises
        ------
        IntegrityError
            If entries are missing or altered.
        """
        with reading(self._engine) as connection:
            return self._rules(connection)

    def add_rules(self, entry: Mapping[str, Any], when: str, make: Callable[[], None]) -> None:
        """Enter a setting of the rules; `make` writes what it is about, before it counts.

        Raises
        ------
        NotSaved
            If it cannot be written.
        """
        with writing(self._engine) as connection:
            number = len(self._rules(connection)) + 1
            sealed = self._seal(entry, _RULES, f"privacy {number}")
            connection.execute(
                privacy_rules.insert().values(number=number, created=when, sealed=sealed)
            )
            self._set_head(connection, _RULES, {"entries": number})
            make()

    # How

    def _of(self, connection: Connection, case_id: str) -> CasePrivacy:
        if not inspect(connection).has_table(privacy_events.name):
            return CasePrivacy()
        rows = connection.execute(
            select(privacy_events)
            .where(privacy_events.c.case_id == case_id)
            .order_by(privacy_events.c.number)
        ).all()
        entries = self._entries(rows, case_id)
        privacy = CasePrivacy(tuple(PartState.from_document(one) for one in entries))
        self._check_head(connection, case_id, _head_of(privacy))
        return privacy

    def _rules(self, connection: Connection) -> tuple[dict[str, Any], ...]:
        if not inspect(connection).has_table(privacy_rules.name):
            return ()
        rows = connection.execute(select(privacy_rules).order_by(privacy_rules.c.number)).all()
        entries = self._entries(rows, _RULES)
        self._check_head(connection, _RULES, {"entries": len(entries)})
        return entries

    def _entries(self, rows: Sequence[Row[Any]], row_id: str) -> tuple[dict[str, Any], ...]:
        if [row.number for row in rows] != list(range(1, len(rows) + 1)):
            raise _damaged()
        return tuple(self._open(row.sealed, row_id, f"privacy {row.number}") for row in rows)

    def _check_head(self, connection: Connection, row_id: str, wanted: Mapping[str, Any]) -> None:
        mine = select(privacy_heads.c.sealed).where(privacy_heads.c.id == row_id)
        sealed = connection.execute(mine).scalar()
        head = {} if sealed is None else self._open(sealed, row_id, "privacy head")
        if head != (wanted if wanted["entries"] else {}):
            raise _damaged()

    def _set_head(self, connection: Connection, row_id: str, head: Mapping[str, Any]) -> None:
        connection.execute(privacy_heads.delete().where(privacy_heads.c.id == row_id))
        sealed = self._seal(head, row_id, "privacy head")
        connection.execute(privacy_heads.insert().values(id=row_id, sealed=sealed))

    def _seal(self, entry: Mapping[str, Any], row_id: str, what: str) -> bytes:
        return self._cipher.seal(json.dumps(entry).encode(), place_of(row_id, what))

    def _open(self, sealed: bytes, row_id: str, what: str) -> dict[str, Any]:
        try:
            entry: dict[str, Any] = json.loads(self._cipher.open(sealed, place_of(row_id, what)))
        except IntegrityError as error:
            raise _damaged() from error
        return entry


def _head_of(privacy: CasePrivacy) -> dict[str, Any]:
    return {
        "entries": len(privacy.history),
        "present": {state.part: state.state for state in privacy.parts},
    }


def _damaged() -> IntegrityError:
    return IntegrityError(
        "what was said of privacy in this workspace was altered: entries are missing or changed",
        "restore catalogue.sqlite from a backup",
    )
