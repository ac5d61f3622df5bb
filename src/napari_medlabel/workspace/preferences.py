"""What a person prefers: keys, layout; kept in the workspace, and nothing about patients.

preferences/<person>.json    {"format": 1, "<part>": {...}, ...}; the person as a hash of the id
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import OutputError
from napari_medlabel.files import new_file

__all__ = ["keep_preferences", "read_preferences"]

FORMAT: Final = 1
LARGEST: Final = 1 << 20  # bytes: somebody else's file


def read_preferences(folder: Path, person_id: str, part: str) -> dict[str, Any]:
    """One part of what a person prefers; empty where nothing is kept or it cannot be read."""
    kept = _document(_path(folder, person_id)).get(part)
    return kept if isinstance(kept, dict) else {}


def keep_preferences(folder: Path, person_id: str, part: str, values: Mapping[str, Any]) -> None:
    """Keep one part, JSON-ready; the other parts stay as they are.

    Raises
    ------
    OutputError
        If it cannot be written, or is of a newer format.
    """
    path = _path(folder, person_id)
    document = _document(path)
    if document.get("format", FORMAT) != FORMAT:
        raise OutputError(
            "the preferences were written by a newer version", "use that version to change them"
        )
    document |= {"format": FORMAT, part: dict(values)}
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"the preferences cannot be kept: {error.strerror or 'the folder is gone'}",
            "check the workspace folder",
        ) from error
    with new_file(path, force=True) as hidden:
        hidden.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _path(folder: Path, person_id: str) -> Path:
    name = hashlib.sha256(person_id.encode()).hexdigest()[:16]
    return folder / "preferences" / f"{name}.json"


def _document(path: Path) -> dict[str, Any]:
    """The whole document; empty where there is none: preferences keep nobody from working."""
    try:
        if path.stat().st_size > LARGEST:
            return {}
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
