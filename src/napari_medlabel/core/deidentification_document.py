"""What `deidentification.json` holds, value by value: the certificate of a de-identification.

Its JSON Schema is docs/deidentification.schema.json.
"""

from dataclasses import dataclass
from typing import Any, Literal

from napari_medlabel.core.provenance import Software

__all__ = [
    "CertificateTold",
    "CheckTold",
    "ElementTold",
    "FacePlanTold",
    "FacesTold",
    "FileTold",
    "HeadTold",
    "HeaderTextTold",
    "KeptBoxTold",
    "LeftOutTold",
    "TextTold",
]


@dataclass(frozen=True, slots=True)
class LeftOutTold:
    """Why files were not written, and how many."""

    why: str
    files: int


@dataclass(frozen=True, slots=True)
class ElementTold:
    """What was done to an attribute of DICOM, and how often; its tag is eight hex digits."""

    tag: str
    keyword: str
    actions: dict[Literal["X", "Z", "D", "U", "C", "K"], int]


@dataclass(frozen=True, slots=True)
class HeaderTextTold:
    """A field with words in headers that are no DICOM, and from how many files it was removed."""

    field: str
    removed: int


@dataclass(frozen=True, slots=True)
class KeptBoxTold:
    """Text that stays: pixels of a frame of a new file, counted from 0."""

    file: str
    frame: int
    left: int
    top: int
    width: int
    height: int
    finding: int


@dataclass(frozen=True, slots=True)
class TextTold:
    """What was looked at for text, what was found, and what was filled; never what it said.

    `kept` are numbers of findings that stay, for the `reason`; `unread` pictures could not be
    looked at. `models` are the SHA-256 of those that read.
    """

    action: Literal["find", "redact"]
    reason: str
    allow_marks: bool
    every_frame: bool
    frames: int
    frames_one_by_one: int
    projections: int
    findings: int
    boxes: int
    kept: list[int]
    unread: int
    models: dict[str, str]
    files_filled: int
    frames_filled: int
    boxes_kept: list[KeptBoxTold]
    files_looked_at_again: int


@dataclass(frozen=True, slots=True)
class FacePlanTold:
    """What a person chose about faces."""

    mode: Literal["blank", "blur", "noise"]
    margin_mm: float
    depth_mm: float
    ears: bool
    teeth: bool
    brow: bool
    seed: int


@dataclass(frozen=True, slots=True)
class HeadTold:
    """What became of one volume; `volume` is 0 where it is the only one of its series.

    The numbers are as in docs/defacing.md, as far as they were measured.
    """

    series: int
    volume: int
    modality: str
    state: Literal[
        "face-removed", "carried-over", "face-kept", "face", "already-defaced", "not-a-head",
        "face-not-in-view", "uncertain", "wrong-orientation", "unread", "not-looked-at",
    ]  # fmt: skip
    why: str
    accepted: bool
    files: int
    cost: float | None = None
    face_in_view: float | None = None
    face_points_matched_before: float | None = None
    face_points_matched_after: float | None = None
    voxels_removed: int | None = None
    brain_voxels_removed: int | None = None
    nearest_brain_mm: float | None = None
    face_surface_moved: float | None = None
    relief_correlation: float | None = None
    face_likeness: float | None = None
    carried_from: int | None = None


@dataclass(frozen=True, slots=True)
class FacesTold:
    """What was done about faces; `placeless` pictures are no part of any volume.

    `by_hand` counts voxels that a person added to the region of one image, and spared of it.
    """

    action: Literal["find", "remove"]
    plan: FacePlanTold
    kept: bool
    accepted_uncertain: bool
    reason: str
    by_hand: dict[Literal["added", "spared"], int] | None
    volumes: list[HeadTold]
    placeless: int


@dataclass(frozen=True, slots=True)
class CheckTold:
    """A check; `ok` is null where it was not done, or where a person has let something stay."""

    name: str
    ok: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class FileTold:
    """A new file and the one it was made from, by their hashes; null where nobody looked."""

    file: str
    sha256: str
    source_sha256: str
    text: Literal["none", "redacted", "kept", "unread", "no-pixels"] | None
    face: str | None


@dataclass(frozen=True, slots=True)
class CertificateTold:
    """What was done to a set of files, and checked; `text` and `faces` are null if not wanted.

    `actions` count elements: X removed, Z emptied, D stand-in, U new UID, C cleaned, K kept.
    """

    format: Literal[1]
    program: str
    version: str
    pydicom: str
    software: list[Software]
    standard: str
    date: str
    who: str
    profile: dict[str, Any]
    codes: list[str]
    patients: int
    written: int
    left_out: list[LeftOutTold]
    actions: dict[Literal["X", "Z", "D", "U", "C", "K"], int]
    elements: list[ElementTold]
    header_texts: list[HeaderTextTold]
    text: TextTold | None
    faces: FacesTold | None
    checks: list[CheckTold]
    files: list[FileTold]
