"""The examples of docs/annotations.md are what the program reads and writes."""

import json
import re
from pathlib import Path

import jsonschema

from napari_medlabel.core.annotation import KIND_WORDS
from napari_medlabel.core.annotation_export import AnnotationsToExport, annotations_from_export
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.schema import Label, LabelSchema
from napari_medlabel.documents import annotations_schema

PAGE = Path(__file__).parents[1] / "docs" / "annotations.md"
SCHEMA = LabelSchema("Organs", (Label(1, "Liver", "#FF8000"),))


def test_the_examples_of_the_page_are_what_the_program_writes() -> None:
    text = PAGE.read_text(encoding="utf-8")
    *entries, document = map(json.loads, re.findall(r"```json\n(.*?)```", text, re.DOTALL))
    assert [entry["kind"] for entry in entries] == list(KIND_WORDS)
    document["annotations"] = entries
    jsonschema.Draft202012Validator(annotations_schema()).validate(document)
    geometry = Geometry.from_document(document["space"])
    found = annotations_from_export(document, geometry)
    written = AnnotationsToExport(found, geometry, None, "HU").document(geometry, SCHEMA)
    assert rounded(written) == rounded(document)


def rounded(document: dict[str, object]) -> object:
    """To 0.1 micrometres: a turn and back leaves the last digit open."""
    return json.loads(json.dumps(document), parse_float=lambda text: round(float(text), 4))


def test_every_key_is_explained_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    schema = annotations_schema()
    parts = [schema, *schema["$defs"].values()]
    keys = {key for part in parts for key in part["properties"]}
    known = {"voxels", "mean", "sd", "minimum", "maximum", "value", "scheme", "meaning"}  # in words
    assert {key for key in keys - known if f"`{key}`" not in text} == set()
