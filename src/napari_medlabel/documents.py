"""JSON Schemas of the documents this program writes, made from the values themselves."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter
from pydantic.json_schema import DEFAULT_REF_TEMPLATE

from napari_medlabel.core.annotation import Kind
from napari_medlabel.core.annotation_measure import ImageValues, Measure
from napari_medlabel.core.case_privacy import PartState
from napari_medlabel.core.deidentification_document import (
    CertificateTold,
    CheckTold,
    ElementTold,
    FacePlanTold,
    FacesTold,
    FileTold,
    HeaderTextTold,
    HeadTold,
    KeptBoxTold,
    LeftOutTold,
    TextTold,
)
from napari_medlabel.core.geometry_report import Duplicate, GeometryReport, Missing, Step
from napari_medlabel.core.plane import View
from napari_medlabel.core.provenance import (
    FORMAT,
    Provenance,
    ProvenanceStep,
    Software,
    SourceRecord,
    VersionRecord,
)
from napari_medlabel.core.schema import Code

__all__ = [
    "annotations_schema",
    "deidentification_schema",
    "provenance_schema",
    "scan_schema",
    "write_schemas",
]

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_PARTS = (PartState, ProvenanceStep, Software, SourceRecord, VersionRecord)
_REPORT = (Duplicate, GeometryReport, Missing, Step)

_Row = Annotated[list[float], Field(min_length=4, max_length=4)]


@dataclass(frozen=True, slots=True)
class ProblemFound:
    """One thing found wrong; docs/formats.md lists the codes."""

    code: Annotated[str, Field(pattern="^[a-z]+(-[a-z]+)*$")]
    what: str
    hint: str


@dataclass(frozen=True, slots=True)
class SeriesFound:
    """One series.

    Grid, spacing and matrix are null where its volumes have no one grid. `names`, `quantities`
    and `report` have an entry for each volume: what tells it apart, what else its values can be,
    and where its slices are (null where nothing is known of that).
    """

    number: Annotated[int, Field(ge=1)]
    uid: str
    modality: str
    kind: Literal["image", "segmentation", "localizer", "other"]
    volumes: Annotated[int, Field(ge=0)]
    shape: tuple[int, int, int] | None
    spacing_mm: tuple[float, float, float] | None
    lps_from_kji: Annotated[list[_Row], Field(min_length=4, max_length=4)] | None
    regular: bool
    problems: list[ProblemFound]
    files: Annotated[int, Field(ge=0)]
    names: list[str]
    quantities: list[list[str]]
    report: list[GeometryReport | None]


@dataclass(frozen=True, slots=True)
class FileSkipped:
    """A file that belongs to no series, by its path below what was scanned."""

    file: str
    why: str


@dataclass(frozen=True, slots=True)
class ScanFound:
    """What a scan found."""

    format: Literal[1]
    series: list[SeriesFound]
    skipped: list[FileSkipped]


@dataclass(frozen=True, slots=True)
class Space:
    """The array that indices are of, as a file of the mask beside has it, and where it is.

    `world` is the patient's frame in which positions are told: x towards the left, y towards
    posterior, z towards the head, millimetres. `lps_from_kji` maps `(k, j, i, 1)` to it.
    """

    world: Literal["LPS"]
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    lps_from_kji: Annotated[list[_Row], Field(min_length=4, max_length=4)]


@dataclass(frozen=True, slots=True)
class AnnotatedSegment:
    """The segment that an annotation belongs to; `name` is empty where it was deleted since."""

    value: Annotated[int, Field(ge=1, le=65535)]
    name: str


@dataclass(frozen=True, slots=True)
class AnnotatedPlane:
    """The view that an annotation was drawn in, and the slice of the array that it lies on.

    `axis` counts the array's axes from 0; both are null where it is none of the array's slices.
    """

    view: View
    axis: Literal[0, 1, 2] | None
    index: int | None


@dataclass(frozen=True, slots=True)
class AnnotatedPoint:
    """A place: its index in the array, in fractions of voxels, and its position in millimetres."""

    name: str
    kji: tuple[float, float, float]
    lps: tuple[float, float, float]
    visible: bool


@dataclass(frozen=True, slots=True)
class AnnotationTold:
    """One measurement or geometric annotation; docs/annotations.md says what its points are."""

    id: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$")]
    kind: Kind
    name: str
    color: Annotated[str, Field(pattern="^#[0-9A-Fa-f]{6}$")]
    segment: AnnotatedSegment | None
    code: Code | None
    plane: AnnotatedPlane | None
    points: Annotated[list[AnnotatedPoint], Field(min_length=1)]
    links: list[tuple[int, int]]
    measure: Measure
    words: str


@dataclass(frozen=True, slots=True)
class AnnotationsTold:
    """The annotations of a case; `unit` is that of the image's values."""

    format: Literal[1]
    space: Space
    unit: str
    annotations: list[AnnotationTold]


_CERTIFICATE_PARTS = (
    CheckTold, ElementTold, FacePlanTold, FacesTold, FileTold, HeaderTextTold, KeptBoxTold,
    LeftOutTold, Software, TextTold,
)  # fmt: skip
_ANNOTATION_PARTS = (
    AnnotatedPlane, AnnotatedPoint, AnnotatedSegment, AnnotationTold, Code, ImageValues, Measure,
    Space,
)  # fmt: skip


def annotations_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `<name>.annotations.json`."""
    schema = _untitled(TypeAdapter(AnnotationsTold).json_schema(mode="serialization"))
    for part in _ANNOTATION_PARTS:
        _describe(schema["$defs"][part.__name__], part)
    _describe(schema, AnnotationsTold)
    return {"$schema": _DRAFT, "title": "Annotations of a case", **schema}


def deidentification_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `deidentification.json`."""
    schema = _untitled(TypeAdapter(CertificateTold).json_schema(mode="serialization"))
    for part in _CERTIFICATE_PARTS:
        _describe(schema["$defs"][part.__name__], part)
    head = schema["$defs"]["HeadTold"]  # of its numbers, those are there that were measured
    head["description"] = " ".join((HeadTold.__doc__ or "").split())
    head["additionalProperties"] = False
    _describe(schema, CertificateTold)
    return {"$schema": _DRAFT, "title": "Certificate of a de-identification", **schema}


def scan_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `medlabel scan --json`."""
    schema = _untitled(TypeAdapter(ScanFound).json_schema(mode="serialization"))
    for part in (ProblemFound, SeriesFound, FileSkipped, *_REPORT):
        _describe(schema["$defs"][part.__name__], part)
    _describe(schema, ScanFound)
    return {"$schema": _DRAFT, "title": "What medlabel scan --json prints", **schema}


def provenance_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `<name>.provenance.json`."""
    schema = _untitled(TypeAdapter(Provenance).json_schema(mode="serialization"))
    for part in _PARTS:
        _describe(schema["$defs"][part.__name__], part)
    _describe(schema, Provenance)
    schema["properties"]["format"] = {"const": FORMAT}
    source = schema["$defs"]["SourceRecord"]["properties"]
    source["report"] = {"anyOf": [_reference(GeometryReport), {"type": "null"}]}
    schema["$defs"].update(_report_schemas())
    return {
        "$schema": _DRAFT,
        "title": "Provenance of an exported mask",
        **schema,
    }


def write_schemas(folder: Path) -> None:
    """Write every schema into the documentation's folder."""
    schemas = {
        "annotations": annotations_schema(),
        "deidentification": deidentification_schema(),
        "provenance": provenance_schema(),
        "scan": scan_schema(),
    }
    for name, schema in schemas.items():
        text = json.dumps(schema, indent=1) + "\n"
        (folder / f"{name}.schema.json").write_text(text, encoding="utf-8")


def _report_schemas() -> dict[str, Any]:
    """What a geometry report is made of, by name."""
    whole = _untitled(TypeAdapter(GeometryReport).json_schema(mode="serialization"))
    parts: dict[str, Any] = {**whole.pop("$defs"), GeometryReport.__name__: whole}
    for part in _REPORT:
        _describe(parts[part.__name__], part)
    return parts


def _reference(part: type) -> dict[str, str]:
    return {"$ref": DEFAULT_REF_TEMPLATE.format(model=part.__name__)}


def _describe(schema: dict[str, Any], part: type) -> None:
    """Every key is written and no other; the docstring says what they mean."""
    schema["description"] = " ".join((part.__doc__ or "").split())
    schema["required"] = sorted(schema["properties"])
    schema["additionalProperties"] = False


def _untitled(node: Any) -> Any:  # noqa: ANN401  # any JSON tree
    """Without the titles and defaults that only repeat the keys."""
    if isinstance(node, dict):
        noise = {"default"} if isinstance(node.get("title"), str) else set()
        noise |= {"title"} if isinstance(node.get("title"), str) else set()
        return {key: _untitled(value) for key, value in node.items() if key not in noise}
    return [_untitled(value) for value in node] if isinstance(node, list) else node


if __name__ == "__main__":
    write_schemas(Path("docs"))
