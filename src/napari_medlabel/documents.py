"""JSON Schemas of the documents this program writes, made from the values themselves."""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from napari_medlabel.core.provenance import (
    FORMAT,
    Provenance,
    ProvenanceStep,
    Software,
    SourceRecord,
    VersionRecord,
)

__all__ = ["provenance_schema", "write_schemas"]

_PARTS = (ProvenanceStep, Software, SourceRecord, VersionRecord)


def provenance_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `<name>.provenance.json`."""
    schema = _untitled(TypeAdapter(Provenance).json_schema(mode="serialization"))
    for part in _PARTS:
        _describe(schema["$defs"][part.__name__], part)
    _describe(schema, Provenance)
    schema["properties"]["format"] = {"const": FORMAT}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Provenance of an exported mask",
        **schema,
    }


def write_schemas(folder: Path) -> None:
    """Write every schema into the documentation's folder."""
    text = json.dumps(provenance_schema(), indent=1) + "\n"
    (folder / "provenance.schema.json").write_text(text, encoding="utf-8")


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
