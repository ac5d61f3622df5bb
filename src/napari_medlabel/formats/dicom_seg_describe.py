"""Labels described as segments of a DICOM segmentation: codes, colour, tracking, how made."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pydicom.sr.coding import Code as DicomCode

from napari_medlabel.core.provenance import Provenance, ProvenanceStep
from napari_medlabel.core.schema import Code, Label
from napari_medlabel.formats.dicom_segments import Segment

__all__ = [
    "ANATOMY",
    "TISSUE",
    "Described",
    "described",
    "is_described",
    "lasting_uid",
    "plain_code",
]

Made = Literal["MANUAL", "SEMIAUTOMATIC", "AUTOMATIC"]

# CID 7150 of PS3.16. A label without a code is tissue of the kind tissue, as 3D Slicer has it.
TISSUE: Final = Code("85756007", "SCT", "Tissue")
ANATOMY: Final = Code("91723000", "SCT", "Anatomical Structure")
ABNORMAL: Final = Code("49755003", "SCT", "Morphologically Abnormal Structure")
# Codes that stand for something abnormal, not for a part of the body: CID 7159 and common ones.
_ABNORMALITIES: Final = frozenset({
    "52988006", "108369006", "4147007", "79654002", "6574001", "20376005", "263537003",
})  # fmt: skip
# CID 7162, what kind of algorithm it was, for what is neither drawn by hand nor known better.
ARTIFICIAL_INTELLIGENCE: Final = Code("123110", "DCM", "Artificial Intelligence")
MANUAL_PROCESSING: Final = Code("123109", "DCM", "Manual Processing")

_BY_HAND: Final = frozenset({"Paint", "Erase", "Fill", "Polygon", "Edit", "Delete segment"})
_WORDS: Final = 64  # characters of a VR LO


@dataclass(frozen=True, slots=True)
class Described:
    """All that a segment says of itself.

    Parameters
    ----------
    number
        From 1, without gaps.
    name
        For people: at most 64 characters, no backslash.
    label
        What it is of the schema.
    category, code
        What it is; never missing.
    made, algorithm, family
        How; algorithm and family where not by hand alone.
    tracking_id, tracking_uid
        The same at every export of this label.
    """

    number: int
    name: str
    label: Label
    category: Code
    code: Code
    made: Made
    algorithm: str
    family: Code
    tracking_id: str
    tracking_uid: str


def described(
    number: int, label: Label, provenance: Provenance, subject: str, series_uid: str
) -> Described:
    """A label as a segment.

    Parameters
    ----------
    number
        Of the segment.
    label
        Of the schema.
    provenance
        How the mask came to be.
    subject
        The pseudonym of the case.
    series_uid
        Of the image; makes the tracking UID the case's own.
    """
    code = label.code or TISSUE
    made, algorithm, family = _made(provenance, str(label.value))
    name = label.name.replace("\\", "/")[:_WORDS].strip() or f"Segment {number}"
    return Described(
        number=number,
        name=name,
        label=label,
        category=label.category or _category_of(code),
        code=code,
        made=made,
        algorithm=algorithm[:_WORDS],
        family=family,
        tracking_id=f"{subject} {name}",
        tracking_uid=lasting_uid("tracking", series_uid, subject, label.value, label.name),
    )


def is_described(found: Segment, wanted: Described) -> bool:
    """Whether a segment that was read back says what was to be written."""
    label = wanted.label
    words = (found.label, found.color, found.algorithm, found.tracking_uid)
    return (
        words == (wanted.name, label.color.upper(), wanted.made, wanted.tracking_uid)
        and _same(found.category, wanted.category)
        and _same(found.code, wanted.code)
        and _same(found.region, label.region)
        and len(found.modifiers) == len(label.modifiers)
        and all(_same(a, b) for a, b in zip(found.modifiers, label.modifiers, strict=True))
    )


def _same(a: Code | None, b: Code | None) -> bool:
    """Whether two codes are one, up to the lengths that DICOM allows."""
    if a is None or b is None:
        return a is b
    plain = plain_code(b)
    return (a.value, a.scheme) == (plain.value, plain.scheme_designator)


def lasting_uid(*words: object) -> str:
    """A UID that is the same for the same words: PS3.5 B.2, from a name-based UUID."""
    text = "\0".join(map(str, words))
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, text).int}"


def plain_code(code: Code) -> DicomCode:
    """The code as pydicom and highdicom take it; each part no longer than its VR allows."""
    return DicomCode(code.value[:_WORDS], code.scheme[:16], (code.meaning or code.value)[:_WORDS])


def _category_of(code: Code) -> Code:
    if code.value == TISSUE.value:
        return TISSUE
    return ABNORMAL if code.value in _ABNORMALITIES else ANATOMY


def _made(provenance: Provenance, value: str) -> tuple[Made, str, Code]:
    """How a label came to be, by the steps that changed it: of several ways, both."""
    steps = [step for step in provenance.steps if step.voxels.get(value) or step.kind == "lost"]
    ways = {way for step in steps if (way := _way(step, value)) is not None}
    others = [step.tool for step in steps if _way(step, value) not in {None, "MANUAL"}]
    words = ", ".join(dict.fromkeys(others))
    is_assisted = any(step.kind == "assisted" for step in steps)
    family = ARTIFICIAL_INTELLIGENCE if is_assisted or "AUTOMATIC" in ways else MANUAL_PROCESSING
    if not ways or ways == {"MANUAL"}:
        return "MANUAL", "", MANUAL_PROCESSING
    return ("AUTOMATIC" if ways == {"AUTOMATIC"} else "SEMIAUTOMATIC"), words, family


def _way(step: ProvenanceStep, value: str) -> Made | None:
    """How one step makes voxels; None for one that brings back what others made."""
    if step.kind in {"restored", "schema"}:
        return None
    if step.kind == "imported":
        made = step.settings.get("made")
        known = made.get(value) if isinstance(made, Mapping) else None
        return known if known in {"MANUAL", "AUTOMATIC"} else "SEMIAUTOMATIC"
    return "MANUAL" if step.kind == "drawn" and step.tool in _BY_HAND else "SEMIAUTOMATIC"
