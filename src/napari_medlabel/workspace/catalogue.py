"""Which cases, segmentations and versions there are. Rows in, frozen values out."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, func, select

from napari_medlabel.core.moment import utc_now
from napari_medlabel.core.problem import Problem
from napari_medlabel.errors import InputError, NotSaved
from napari_medlabel.storage.cipher import Cipher, new_key, unwrap_key, wrap_key
from napari_medlabel.workspace.database import (
    cases,
    open_database,
    place_of,
    privacy_events,
    privacy_heads,
    reading,
    segmentations,
    versions,
    writing,
)
from napari_medlabel.workspace.privacy_records import PrivacyRecords

__all__ = ["CaseInfo", "Catalogue", "VersionInfo"]


@dataclass(frozen=True, slots=True)
class CaseInfo:
    """What may be shown of a case: no word of it names anybody."""

    id: str
    number: int
    modality: str
    state: str
    created: str
    opened: str
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    problems: tuple[Problem, ...] = ()
    volume: str = ""
    segments: int = 0

    @property
    def name(self) -> str:
        """The pseudonym: "Case 0012"."""
        return f"Case {self.number:04d}"


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """A saved state of a segmentation."""

    number: int
    when: str
    who: str
    message: str
    sha256: str
    voxels: Mapping[str, int]
    schema_sha256: str = ""
    annotations_sha256: str = ""


class Catalogue:
    """The workspace's list of cases, under the workspace key.

    Parameters
    ----------
    where
        A path (SQLite) or a URL.
    key
        The workspace key.
    make
        Whether a new one may be made where there is none.
    keep_key
        Told the id and the sealed key of each new case, before the case is entered.
    """

    def __init__(
        self,
        where: Path | str,
        key: bytes,
        *,
        make: bool = True,
        keep_key: Callable[[str, bytes], None] | None = None,
    ) -> None:
        self._engine = open_database(where, make=make)
        self._cipher = Cipher(key)
        self._lookup_key = hmac.new(key, b"medlabel lookup", hashlib.sha256).digest()
        self._keep_key = keep_key
        self.privacy = PrivacyRecords(self._engine, self._cipher)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def lookup(self, *what: object) -> str:
        """A keyed hash by which the same import is found again, without saying what it is."""
        text = json.dumps([str(part) for part in what])
        return hmac.new(self._lookup_key, text.encode(), hashlib.sha256).hexdigest()

    # Cases

    def add_case(self, lookup: str, modality: str, facts: Mapping[str, Any]) -> CaseInfo:
        """A new case in the state "importing", with one segmentation and its own key.

        Where another import of the same was entered meanwhile, that case.
        """
        case_id, now = uuid4().hex, utc_now()
        with writing(self._engine) as connection:
            known = connection.execute(select(cases).where(cases.c.lookup == lookup)).first()
            if known is not None:
                return self._info(known)
            number = (connection.execute(select(func.max(cases.c.number))).scalar() or 0) + 1
            wrapped = wrap_key(new_key(), self._cipher, place_of(case_id, "key"))
            connection.execute(
                cases.insert().values(
                    id=case_id, number=number, lookup=lookup, state="importing",
                    modality=modality, created=now, opened=now, wrapped_key=wrapped,
                    sealed=self._seal(facts, place_of(case_id, "facts")),
                )
            )  # fmt: skip
            connection.execute(
                segmentations.insert().values(
                    id=uuid4().hex, case_id=case_id, number=1, created=now
                )
            )
            if self._keep_key is not None:
                self._keep_key(case_id, wrapped)
        return self.case(case_id)

    def remove_case(self, case_id: str) -> None:
        """Forget a case and its key; without the key its files are noise."""
        with writing(self._engine) as connection:
            mine = select(segmentations.c.id).where(segmentations.c.case_id == case_id)
            connection.execute(versions.delete().where(versions.c.segmentation_id.in_(mine)))
            connection.execute(privacy_events.delete().where(privacy_events.c.case_id == case_id))
            connection.execute(privacy_heads.delete().where(privacy_heads.c.id == case_id))
            connection.execute(segmentations.delete().where(segmentations.c.case_id == case_id))
            connection.execute(cases.delete().where(cases.c.id == case_id))

    def set_ready(self, case_id: str, facts: Mapping[str, Any]) -> None:
        """The case's image is whole and at rest."""
        self._update(case_id, state="ready", sealed=self._seal(facts, place_of(case_id, "facts")))

    def set_facts(self, case_id: str, facts: Mapping[str, Any]) -> None:
        """What is known of the case, its state as it was."""
        self._update(case_id, sealed=self._seal(facts, place_of(case_id, "facts")))

    def set_opened(self, case_id: str) -> None:
        """Somebody opened the case just now: for the order of the list, as far as it can."""
        with suppress(NotSaved):
            self._update(case_id, opened=utc_now())

    def set_segments(self, case_id: str, segments: int) -> None:
        """How many segments the case has, for the list."""
        place = place_of(case_id, "facts")
        with writing(self._engine) as connection:
            facts = self._open(_row(connection, case_id).sealed, place) | {"segments": segments}
            mine = cases.update().where(cases.c.id == case_id)
            connection.execute(mine.values(sealed=self._seal(facts, place)))

    def all_cases(self) -> tuple[CaseInfo, ...]:
        """Every case, the one opened last first."""
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(cases).order_by(cases.c.opened.desc(), cases.c.number.desc())
            ).all()
        return tuple(self._info(row) for row in rows)

    def case(self, case_id: str) -> CaseInfo:
        """One case.

        Raises
        ------
        InputError
            If there is none with this id.
        """
        with reading(self._engine) as connection:
            return self._info(_row(connection, case_id))

    def find(self, lookup: str) -> CaseInfo | None:
        """The case of an earlier import of the same, or None."""
        with reading(self._engine) as connection:
            row = connection.execute(select(cases).where(cases.c.lookup == lookup)).first()
        return self._info(row) if row else None

    def facts(self, case_id: str) -> dict[str, Any]:
        """What the sealed columns hold: these identify."""
        with reading(self._engine) as connection:
            row = _row(connection, case_id)
        return self._open(row.sealed, place_of(case_id, "facts"))

    def case_cipher(self, case_id: str) -> Cipher:
        """What opens the case's own files."""
        with reading(self._engine) as connection:
            row = _row(connection, case_id)
        return Cipher(unwrap_key(row.wrapped_key, self._cipher, place_of(case_id, "key")))

    # Segmentations and versions

    def segmentation_ids(self, case_id: str) -> tuple[str, ...]:
        """The case's segmentations, oldest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(segmentations.c.id)
                .where(segmentations.c.case_id == case_id)
                .order_by(segmentations.c.number)
            ).all()
        return tuple(row.id for row in rows)

    def case_of(self, segmentation_id: str) -> CaseInfo:
        """The case that a segmentation belongs to."""
        with reading(self._engine) as connection:
            row = connection.execute(
                select(segmentations.c.case_id).where(segmentations.c.id == segmentation_id)
            ).first()
        if row is None:
            raise InputError("there is no such segmentation", "see: medlabel list")
        return self.case(row.case_id)

    def begun(self, segmentation_id: str) -> bool:
        """Whether the segmentation has had a journal: one that is missing now is lost."""
        query = select(segmentations.c.begun).where(segmentations.c.id == segmentation_id)
        with reading(self._engine) as connection:
            return bool(connection.execute(query).scalar())

    def set_begun(self, segmentation_id: str) -> None:
        """The segmentation's first journal was made."""
        mine = segmentations.c.id == segmentation_id
        with writing(self._engine) as connection:
            connection.execute(segmentations.update().where(mine).values(begun=1))

    def next_version(self, segmentation_id: str) -> int:
        """The number the next version gets."""
        return max((one.number for one in self.versions(segmentation_id)), default=0) + 1

    def add_version(self, segmentation_id: str, version: VersionInfo) -> None:
        """Enter a version whose files are whole and at rest."""
        facts = {
            "who": version.who, "message": version.message, "sha256": version.sha256,
            "voxels": dict(version.voxels), "schema_sha256": version.schema_sha256,
            "annotations_sha256": version.annotations_sha256,
        }  # fmt: skip
        place = place_of(segmentation_id, f"version {version.number}")
        with writing(self._engine) as connection:
            connection.execute(
                versions.insert().values(
                    segmentation_id=segmentation_id, number=version.number, created=version.when,
                    sealed=self._seal(facts, place),
                )
            )  # fmt: skip

    def versions(self, segmentation_id: str) -> tuple[VersionInfo, ...]:
        """Every saved version, oldest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(versions)
                .where(versions.c.segmentation_id == segmentation_id)
                .order_by(versions.c.number)
            ).all()
        return tuple(self._version(row) for row in rows)

    # How

    def _version(self, row: Row[Any]) -> VersionInfo:
        facts = self._open(row.sealed, place_of(row.segmentation_id, f"version {row.number}"))
        return VersionInfo(
            row.number,
            row.created,
            facts["who"],
            facts["message"],
            facts["sha256"],
            facts["voxels"],
            facts.get("schema_sha256", ""),
            facts.get("annotations_sha256", ""),
        )

    def _info(self, row: Row[Any]) -> CaseInfo:
        facts = self._open(row.sealed, place_of(row.id, "facts"))
        k, j, i = facts["shape"]
        sk, sj, si = facts["spacing_mm"]
        return CaseInfo(
            row.id, row.number, row.modality, row.state, row.created, row.opened,
            (k, j, i), (sk, sj, si), tuple(Problem(**p) for p in facts["problems"]),
            facts["volume"], facts.get("segments", 0),
        )  # fmt: skip

    def _update(self, case_id: str, **values: object) -> None:
        with writing(self._engine) as connection:
            connection.execute(cases.update().where(cases.c.id == case_id).values(**values))

    def _seal(self, facts: Mapping[str, Any], place: bytes) -> bytes:
        return self._cipher.seal(json.dumps(facts).encode(), place)

    def _open(self, sealed: bytes, place: bytes) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self._cipher.open(sealed, place))
        return facts


def _row(connection: Connection, case_id: str) -> Row[Any]:
    row = connection.execute(select(cases).where(cases.c.id == case_id)).first()
    if row is None:
        raise InputError("there is no such case in this workspace", "see: medlabel list")
    return row
