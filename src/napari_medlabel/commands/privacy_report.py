"""What a report says that somebody gives as proof: its hash, and numbers of one that is ours."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import InputError
from napari_medlabel.files import shown
from napari_medlabel.privacy.certified import facts_of

__all__ = ["proof_of_report"]

_LONGEST: Final = 1 << 20  # bytes that are looked into; larger ones are only hashed
_WORDS: Final = ("verdict", "mode")
_NUMBERS: Final = (
    "written", "cost", "voxels_removed", "brain_voxels_removed", "nearest_brain_mm",
    "face_points_matched_before", "face_points_matched_after", "face_in_view",
    "face_surface_moved", "relief_correlation", "face_likeness", "margin_mm", "depth_mm", "ears",
    "teeth", "brow",
)  # fmt: skip


def proof_of_report(path: Path) -> dict[str, Any]:
    """SHA-256 of a file; of a report of `deface` or `burned-in` also its verdict and numbers.

    Of a `deidentification.json` the profile, date and person: it is named, not held against files.
    Of no other file is anything kept: a number in it could be somebody's.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            start = file.read(_LONGEST + 1)
    except OSError as error:
        raise InputError(f"{shown(path)} cannot be read", "name a report") from error
    return {"report_sha256": digest, **(_numbers(start) if len(start) <= _LONGEST else {})}


def _numbers(content: bytes) -> dict[str, Any]:
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(told, Mapping) or told.get("format") != 1:
        return {}
    if isinstance(told.get("boxes"), list) and isinstance(told.get("checked"), bool):
        return {"tool": "burned-in", "checked": told["checked"], "boxes": len(told["boxes"])}
    if isinstance(told.get("profile"), Mapping) and isinstance(told.get("checks"), list):
        with suppress(KeyError, TypeError):
            return {"tool": "deidentify", "certificate": facts_of(told)}
    if not isinstance(told.get("verdict"), str):
        return {}
    words = {key: told[key] for key in _WORDS if _is_word(told.get(key))}
    numbers = {key: told[key] for key in _NUMBERS if isinstance(told.get(key), int | float)}
    return {"tool": "deface", **words, **numbers}


def _is_word(value: object) -> bool:
    return isinstance(value, str) and value in {
        "face-removed", "already-defaced", "not-a-head", "face-not-in-view", "uncertain",
        "wrong-orientation", "blank", "blur", "noise",
    }  # fmt: skip
