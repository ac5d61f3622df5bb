import json
from pathlib import Path

import jsonschema
import pytest

from napari_medlabel import formats
from napari_medlabel.core.geometry_report import GeometryReport
from napari_medlabel.documents import (
    annotations_schema,
    deidentification_schema,
    provenance_schema,
    scan_schema,
)

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("annotations", annotations_schema()),
        ("deidentification", deidentification_schema()),
        ("provenance", provenance_schema()),
        ("scan", scan_schema()),
    ],
)
def test_the_published_schema_is_the_programs(name: str, schema: dict[str, object]) -> None:
    published = json.loads((DOCS / f"{name}.schema.json").read_text(encoding="utf-8"))
    assert published == schema, (
        f"docs/{name}.schema.json is old; python -m napari_medlabel.documents writes it anew"
    )
    jsonschema.Draft202012Validator.check_schema(schema)


def test_the_scan_of_every_real_item_follows_the_schema(shared_data: Path) -> None:
    validator = jsonschema.Draft202012Validator(scan_schema())
    items = [path for path in sorted(shared_data.iterdir()) if path.is_dir()]
    found = [formats.scan(item) for item in items if item.name != "ome-zarr-brain"]
    assert len(found) > 20
    for one in found:
        document = json.loads(json.dumps(one.document(), allow_nan=False))
        validator.validate(document)
        for entry in document["series"]:
            for report in filter(None, entry["report"]):
                assert GeometryReport.from_document(report).document() == report
