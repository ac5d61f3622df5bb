"""What was done, as `deidentification.json` and as one page: counts, checks, hashes; no identifier.

The page is whole in itself: no script, and a content policy that lets it load nothing.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from pydicom.datadict import keyword_for_tag

from napari_medlabel.core.moment import utc_now
from napari_medlabel.errors import InputError
from napari_medlabel.privacy.batch import Batch
from napari_medlabel.privacy.gate import Searched
from napari_medlabel.privacy.headers import Headers
from napari_medlabel.privacy.table import EDITION

__all__ = ["CERTIFICATE", "DOCUMENT", "certificate", "changed_files", "read_certificate", "write"]

DOCUMENT: Final = "deidentification.json"
CERTIFICATE: Final = "certificate.html"
ACTIONS: Final = {
    "X": "removed",
    "Z": "emptied",
    "D": "replaced by a stand-in",
    "U": "UID replaced",
    "C": "cleaned or changed",
    "K": "kept as it was",
}


def certificate(batch: Batch, what: Headers, searched: Searched, who: str) -> dict[str, Any]:
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
    """
    return {
        "format": 1,
        "program": "napari-medlabel",
        "version": version("napari-medlabel"),
        "pydicom": version("pydicom"),
        "standard": EDITION,
        "date": utc_now(),
        "who": who,
        "profile": what.profile.document(),
        "codes": [code for code, _ in what.profile.codes(pixels=what.pixels, face=what.face)],
        "patients": len(batch.patients),
        "written": len(batch.files),
        "left_out": [{"why": why, "files": n} for why, n in sorted(batch.left_out.items())],
        "actions": _by_action(batch.tally),
        "elements": _by_element(batch.tally),
        "checks": _checks(batch, what, searched),
        "files": [
            {"file": name, "sha256": new, "source_sha256": old} for name, new, old in batch.files
        ],
    }


def write(folder: Path, document: Mapping[str, Any]) -> None:
    """Write both documents into a folder."""
    text = json.dumps(document, indent=1, sort_keys=True) + "\n"
    (folder / DOCUMENT).write_text(text, encoding="utf-8")
    (folder / CERTIFICATE).write_text(_page(document), encoding="utf-8")


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
    counts = dict.fromkeys(ACTIONS, 0)
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


def _checks(batch: Batch, what: Headers, searched: Searched) -> list[dict[str, Any]]:
    found = len(searched.findings)
    return [
        {
            "name": "identifiers of the originals in the new files",
            "ok": not found,
            "detail": f"{found} found; {searched.strings} strings looked for in {searched.bytes} "
            f"bytes of {searched.files} files; {searched.too_short} are too short to look for",
        },
        _unchecked("text in the pixels", checked=what.pixels, more=batch.say_burned_in),
        _unchecked("faces", checked=what.face, more=0),
    ]


def _unchecked(name: str, *, checked: bool, more: int) -> dict[str, Any]:
    detail = "removed, and checked" if checked else "not checked here"
    if more and not checked:
        detail += f"; {more} files say that they have some"
    return {"name": name, "ok": True if checked else None, "detail": detail}


def _page(document: Mapping[str, Any]) -> str:
    profile = document["profile"]
    on = [name for name, value in profile.items() if value is True and name != "times"]
    facts = [
        ("Date", document["date"]), ("By", document["who"]),
        ("Program", f"{document['program']} {document['version']}, pydicom {document['pydicom']}"),
        ("Standard", document["standard"]), ("Profile", profile["name"]),
        ("Dates", profile["dates"]), ("Options", ", ".join(on) or "none"),
        ("Codes", ", ".join(document["codes"])), ("Patients", document["patients"]),
        ("Files written", document["written"]),
        ("Files left out", sum(one["files"] for one in document["left_out"])),
    ]  # fmt: skip
    left = [(one["why"], one["files"]) for one in document["left_out"]]
    actions = [(ACTIONS[action], count) for action, count in document["actions"].items()]
    marks = {True: "passed", False: "FAILED", None: "not done"}
    checks = [(one["name"], marks[one["ok"]], one["detail"]) for one in document["checks"]]
    elements = [
        (f"({one['tag'][:4]},{one['tag'][4:]})", one["keyword"] or "private or unknown",
         ", ".join(f"{ACTIONS[a]} {n}" for a, n in sorted(one["actions"].items())))
        for one in document["elements"]
    ]  # fmt: skip
    digest = hashlib.sha256(json.dumps(document["files"], sort_keys=True).encode()).hexdigest()
    return _PAGE.format(
        facts=_rows(facts), checks=_rows(checks), actions=_rows(actions), left=_rows(left),
        elements=_rows(elements), digest=digest,
    )  # fmt: skip


def _rows(rows: list[tuple[Any, ...]]) -> str:
    return "\n".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )


_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>De-identification certificate</title>
<style>
body {{ font: 14px/1.45 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #1b1f24; background: #fff }}
h1 {{ font-size: 1.5rem }} h2 {{ font-size: 1.05rem; margin: 1.6rem 0 .4rem }}
table {{ border-collapse: collapse; width: 100% }}
td {{ border-bottom: 1px solid #dde1e6; padding: .2rem .6rem .2rem 0; vertical-align: top }}
td:first-child {{ white-space: nowrap }} p {{ color: #4a5159 }} code {{ overflow-wrap: anywhere }}
</style></head><body>
<h1>De-identification certificate</h1>
<table>{facts}</table>
<h2>Checks</h2><table>{checks}</table>
<h2>What was done</h2><table>{actions}</table>
<h2>Files left out</h2><table>{left}</table>
<h2>Elements</h2><table>{elements}</table>
<h2>Files</h2>
<p>deidentification.json lists every file with its SHA-256, and that of the file it was made from.
The SHA-256 of that list is <code>{digest}</code>.</p>
<p>This page says what a program did and checked. Whether the result may be released is for a person
to say: what Safe Harbor asks beyond it is in the documentation.</p>
</body></html>
"""
