import json
from pathlib import Path

from napari_medlabel.documents import provenance_schema

DOCS = Path(__file__).parents[1] / "docs"


def test_the_published_schema_is_the_programs() -> None:
    published = json.loads((DOCS / "provenance.schema.json").read_text(encoding="utf-8"))
    assert published == provenance_schema(), (
        "docs/provenance.schema.json is old; python -m napari_medlabel.documents writes it anew"
    )
