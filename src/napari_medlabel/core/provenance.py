"""How a mask came to be: what was read, what was done to it, by whom, when and with what.

Written beside every exported mask. Identifiers of the source are pseudonyms (see `pseudonym`);
nothing here names a patient. The JSON Schema is docs/provenance.schema.json.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any, Final, Literal

from napari_medlabel.core.case_privacy import PartState
from napari_medlabel.core.history import Step
from napari_medlabel.core.volume import Source
from napari_medlabel.errors import InputError

__all__ = [
    "FORMAT",
    "Kind",
    "Onto",
    "Provenance",
    "ProvenanceStep",
    "Software",
    "SourceRecord",
    "VersionRecord",
    "active_seconds",
    "joined",
    "pseudonym",
    "source_record",
    "steps_of",
]

Onto = Literal["grid", "source"]
Kind = Literal["drawn", "imported", "restored", "schema", "annotation", "assisted", "lost"]

FORMAT: Final = 1
PAUSE_SECONDS: Final = 60.0  # a longer gap between two steps is not counted as work


@dataclass(frozen=True, slots=True)
class Software:
    """A program or library and its version."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """Where the voxels came from. UIDs are pseudonyms; hashes are of what was read.

    `instances` are `(pseudonym, SHA-256 of its pixel data)` in order of the source's k axis.
    `report` says where its slices are, `derivation` how the voxels were made from them where they
    are not the source's own (`core.derivation`); both are null where there is nothing to say.
    """

    format: str
    modality: str
    unit: str
    study: str
    series: str
    frame_of_reference: str
    instances: tuple[tuple[str, str], ...]
    sha256: str
    geometry: Mapping[str, Any]
    problems: tuple[Mapping[str, str], ...] = ()
    lossy: bool = False
    report: Mapping[str, Any] | None = None
    derivation: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ProvenanceStep:
    """Steps of one kind in a row.

    Parameters
    ----------
    kind
        "drawn", "imported", "restored", "schema", "annotation", "assisted", or "lost" where the
        history is damaged and the steps are not known.
    tool, settings
        As in the history.
    who
        The person's id.
    started, ended
        UTC, ISO 8601, of the first and the last of them.
    steps
        How many.
    voxels
        Voxels gained (or, negative, lost) per label value.
    """

    kind: Kind
    tool: str
    settings: Mapping[str, Any]
    who: str
    started: str
    ended: str
    steps: int
    voxels: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """A saved state of the segmentation.

    `sha256` is of its voxels, of all groups of labels: see `core.fingerprint.groups_sha256`.
    """

    number: int
    who: str
    when: str
    message: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """All that is known of how a mask came to be.

    Parameters
    ----------
    software
        This program first, then the libraries that touched the voxels.
    source
        Where the image came from.
    deidentification
        All that was said of header, burned-in text and face of the image, in order: what was done
        or not needed and the proof of it, and what was let through and why. The last entry of
        each part counts; a part that has none is unknown.
    schema
        The labels, as `LabelSchema.document` writes them.
    protocol_sha256
        Of the protocol text the annotator was given, or "".
    steps
        In order.
    steps_undone
        Steps taken back that are therefore not in `steps`.
    versions
        Saved states, in order.
    version
        Which of them was exported; 0 for a state that was not saved. `steps` lead to the
        present state, which may be a later one.
    reviews
        Sign-offs, in order.
    active_seconds
        Time between steps, pauses of over a minute left out.
    mask_sha256
        Of the exported mask's voxels (C order, little-endian, source grid), or "".
    group_sha256
        The same of the labels of every group but 0 that was exported, by its number: groups
        overlap, and each has a mask of its own.
    exported
        UTC, ISO 8601, or "".
    onto
        On what the mask lies: "grid" is that of `source`, "source" the slices that a derived
        volume was made from, where each voxel has the label of the nearest one of the grid.
    """

    software: tuple[Software, ...]
    source: SourceRecord
    schema: Mapping[str, Any]
    steps: tuple[ProvenanceStep, ...] = ()
    steps_undone: int = 0
    versions: tuple[VersionRecord, ...] = ()
    version: int = 0
    reviews: tuple[Mapping[str, Any], ...] = ()
    deidentification: tuple[PartState, ...] = ()
    protocol_sha256: str = ""
    active_seconds: float = 0.0
    mask_sha256: str = ""
    exported: str = ""
    onto: Onto = "grid"
    group_sha256: Mapping[str, str] = field(default_factory=dict)
    format: int = field(default=FORMAT)

    def document(self) -> dict[str, Any]:
        """The provenance as JSON-ready values."""
        document: dict[str, Any] = {"format": self.format}
        document.update(_plain(asdict(self)))
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Provenance":
        """The provenance that `document` wrote.

        Raises
        ------
        InputError
            If it is not one, or of a newer format.
        """
        if document.get("format") != FORMAT:
            raise InputError(
                f"this provenance has format {document.get('format')!r}, not {FORMAT}",
                "a newer version of this program wrote it",
            )
        try:
            facts = dict(document)
            source = dict(facts.pop("source"))
            source["instances"] = tuple((uid, sha) for uid, sha in source["instances"])
            source["problems"] = tuple(source["problems"])
            return cls(
                software=tuple(Software(**entry) for entry in facts.pop("software")),
                source=SourceRecord(**source),
                steps=tuple(ProvenanceStep(**entry) for entry in facts.pop("steps")),
                versions=tuple(VersionRecord(**entry) for entry in facts.pop("versions")),
                reviews=tuple(facts.pop("reviews")),
                deidentification=tuple(
                    PartState.from_document(one) for one in facts.pop("deidentification")
                ),
                **facts,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("this is not a provenance document") from error


def pseudonym(uid: str, secret: bytes) -> str:
    """A stand-in for an identifier: the same for the same secret, not reversible without it.

    HMAC-SHA256, 128 bits, hex; "" for "".
    """
    return hmac.new(secret, uid.encode(), hashlib.sha256).hexdigest()[:32] if uid else ""


def source_record(  # noqa: PLR0913  # facts from four places
    source: Source,
    secret: bytes,
    *,
    modality: str,
    unit: str,
    sha256: str,
    problems: Iterable[Mapping[str, str]] = (),
) -> SourceRecord:
    """What provenance says of a volume's source."""
    return SourceRecord(
        format=source.format,
        modality=modality,
        unit=unit,
        study=pseudonym(source.study_uid, secret),
        series=pseudonym(source.series_uid, secret),
        frame_of_reference=pseudonym(source.frame_of_reference_uid, secret),
        instances=tuple((pseudonym(one.uid, secret), one.sha256) for one in source.instances),
        sha256=sha256,
        geometry=source.geometry.document(),
        problems=tuple(problems),
        lossy=source.lossy,
        report=source.report.document() if source.report else None,
        derivation=source.derivation.document() if source.derivation else None,
    )


def steps_of(history: Iterable[Step]) -> tuple[ProvenanceStep, ...]:
    """The history in short: steps in a row with one tool, settings and person become one."""
    return joined(_one(step) for step in history)


def joined(steps: Iterable[ProvenanceStep]) -> tuple[ProvenanceStep, ...]:
    """Entries in a row with one kind, tool, settings and person as one."""
    runs: list[ProvenanceStep] = []
    for one in steps:
        last = runs[-1] if runs else None
        if last is not None and _alike(last, one):
            runs[-1] = _joined(last, one)
        else:
            runs.append(one)
    return tuple(runs)


def active_seconds(moments: Iterable[str]) -> float:
    """Seconds between moments (ISO 8601, in order), gaps of over a minute left out."""
    times = [datetime.fromisoformat(moment) for moment in moments if moment]
    gaps = ((b - a).total_seconds() for a, b in pairwise(times))
    return round(sum(gap for gap in gaps if 0 <= gap <= PAUSE_SECONDS), 3)


_KINDS: Final[Mapping[str, Literal["assisted", "imported", "restored"]]] = {
    "Accept answer": "assisted",
    "Import mask": "imported",
    "Restore version": "restored",
}


def _one(step: Step) -> ProvenanceStep:
    kind: Kind
    kind = _KINDS.get(step.tool, "drawn")
    if all(edit.is_nothing for edit in step.edits):
        kind = "schema" if step.annotations is None else "annotation"
    return ProvenanceStep(
        kind, step.tool, dict(step.settings), step.who, step.when, step.when, 1, _gained(step)
    )


def _gained(step: Step) -> dict[str, int]:
    """Voxels gained per label value; a label that only moved to another group has neither."""
    gained: dict[int, int] = {}
    for edit in step.edits:
        for value, count in edit.gained().items():
            gained[value] = gained.get(value, 0) + count
    return {str(value): count for value, count in sorted(gained.items()) if count}


def _alike(a: ProvenanceStep, b: ProvenanceStep) -> bool:
    return (a.kind, a.tool, a.settings, a.who) == (b.kind, b.tool, b.settings, b.who)


def _joined(a: ProvenanceStep, b: ProvenanceStep) -> ProvenanceStep:
    values = sorted({*a.voxels, *b.voxels}, key=int)
    voxels = {value: a.voxels.get(value, 0) + b.voxels.get(value, 0) for value in values}
    return ProvenanceStep(
        a.kind, a.tool, a.settings, a.who, a.started, b.ended, a.steps + b.steps, voxels
    )


def _plain(value: Any) -> Any:  # noqa: ANN401  # any JSON-ready tree
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value
