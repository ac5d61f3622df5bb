"""What was done, as `deidentification.json` and one page: counts, checks, hashes; no identifier."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from pydicom.datadict import keyword_for_tag

from napari_medlabel.core.moment import utc_now
from napari_medlabel.errors import InputError
from napari_medlabel.privacy.batch import Batch, Changes
from napari_medlabel.privacy.certificate_page import page
from napari_medlabel.privacy.certificate_pixels import (
    face_check,
    faces_told,
    files_told,
    plain_texts,
    software,
    text_check,
    text_told,
)
from napari_medlabel.privacy.gate import Searched
from napari_medlabel.privacy.headers import Headers
from napari_medlabel.privacy.pixels_of_study import PixelsFound
from napari_medlabel.privacy.table import EDITION

__all__ = ["CERTIFICATE", "DOCUMENT", "certificate", "changed_files", "read_certificate", "write"]

DOCUMENT: Final = "deidentification.json"
CERTIFICATE: Final = "certificate.html"


def certificate(  # noqa: PLR0913  # all that there is to tell
    batch: Batch,
    what: Headers,
    searched: Searched,
    who: str,
    *,
    pixels: PixelsFound,
    changes: Changes,
    looked_again: int = 0,
) -> dict[str, Any]:
    """The whole story as JSON-ready values.

    Parameters
    ----------
    batch
        What became of the files.
    what
        Profile and options.
    searched
        What the release gate came to.
    who
        The person who did it: an id, no patient's.
    pixels
        What was found of text and faces.
    changes
        What was done to the pixels of each file.
    looked_again
        How many of the new files were looked at once more for text.
    """
    text, faces = text_told(batch, pixels, changes, looked_again), faces_told(pixels)
    cleaned = text is not None and text["action"] == "redact"
    faceless = faces is not None and faces["action"] == "remove" and not faces["kept"]
    return {
        "format": 1,
        "program": "napari-medlabel",
        "version": version("napari-medlabel"),
        "pydicom": version("pydicom"),
        "software": software(),
        "standard": EDITION,
        "date": utc_now(),
        "who": who,
        "profile": what.profile.document(),
        "codes": [code for code, _ in what.profile.codes(pixels=cleaned, face=faceless)],
        "patients": len(batch.patients),
        "written": len(batch.files) + sum(bool(one.file) for one in pixels.plain),
        "left_out": [{"why": why, "files": n} for why, n in sorted(batch.left_out.items())],
        "actions": _by_action(batch.tally),
        "elements": _by_element(batch.tally),
        "header_texts": plain_texts(pixels),
        "text": text,
        "faces": faces,
        "checks": [_searched(searched), text_check(text, batch.say_burned_in), face_check(faces)],
        "files": files_told(batch, pixels, changes),
    }


def write(folder: Path, document: Mapping[str, Any]) -> None:
    """Write both documents into a folder."""
    text = json.dumps(document, indent=1, sort_keys=True) + "\n"
    (folder / DOCUMENT).write_text(text, encoding="utf-8")
    (folder / CERTIFICATE).write_text(page(document), encoding="utf-8")


def read_certificate(folder: Path) -> dict[str, Any]:
    """The document of a folder.

    Raises
    ------
    InputError
        If it has none, or it makes no sense.
    """
    try:
        document: dict[str, Any] = json.loads((folder / DOCUMENT).read_text(encoding="utf-8"))
        right = document["format"] == 1 and isinstance(document["files"], list)
    except (OSError, ValueError, KeyError, TypeError):
        right = False
    if not right:
        raise InputError(
            f"there is no {DOCUMENT} that can be read in this folder",
            "name the folder that `medlabel deidentify` wrote",
        )
    return document


def changed_files(folder: Path, document: Mapping[str, Any]) -> list[str]:
    """Files that are not as the certificate says: changed, gone, or more than it names."""
    named = {one["file"]: one["sha256"] for one in document["files"]}
    there = {
        path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
    }
    for own in (DOCUMENT, CERTIFICATE):
        there.pop(own, None)
    wrong = set(named) ^ set(there)
    for name in set(named) & set(there):
        with there[name].open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != named[name]:
                wrong.add(name)
    return sorted(wrong)


def _by_action(tally: Counter[tuple[int, str]]) -> dict[str, int]:
    counts = dict.fromkeys("XZDUCK", 0)
    for (_, action), count in tally.items():
        counts[action] += count
    return counts


def _by_element(tally: Counter[tuple[int, str]]) -> list[dict[str, Any]]:
    by_tag: dict[int, dict[str, int]] = {}
    for (tag, action), count in tally.items():
        by_tag.setdefault(tag, {})[action] = count
    return [
        {"tag": f"{tag:08X}", "keyword": keyword_for_tag(tag), "actions": by_tag[tag]}
        for tag in sorted(by_tag)
    ]


def _searched(searched: Searched) -> dict[str, Any]:
    found = len(searched.findings)
    return {
        "name": "identifiers of the originals in the new files",
        "ok": not found,
        "detail": f"{found} found; {searched.strings} strings looked for in {searched.bytes} "
        f"bytes of {searched.files} files; {searched.too_short} are too short to look for",
    }
