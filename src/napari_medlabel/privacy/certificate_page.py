"""The certificate as one page for people: no script, and a policy that lets it load nothing."""

import hashlib
import json
from collections.abc import Mapping
from html import escape
from typing import Any, Final

__all__ = ["page"]

ACTIONS: Final = {
    "X": "removed",
    "Z": "emptied",
    "D": "replaced by a stand-in",
    "U": "UID replaced",
    "C": "cleaned or changed",
    "K": "kept as it was",
}


def page(document: Mapping[str, Any]) -> str:
    """The page, whole in itself."""
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
