"""The certificate as one page for people: no script, and a policy that lets it load nothing.

Printed it is one page of A4 or letter: what is long stands behind a heading that opens on a screen
and is left out on paper; the JSON beside it has all of it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
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
_MARKS: Final = {
    True: ("passed", "ok"),
    False: ("FAILED", "bad"),
    None: ("see there", "open"),
}
_MOST: Final = 8  # rows of a table on paper
Rows = Iterable[Iterable[object]]


def page(document: Mapping[str, Any]) -> str:
    """The page, whole in itself.

    Parameters
    ----------
    document
        Of `certificate`.
    """
    digest = hashlib.sha256(json.dumps(document["files"], sort_keys=True).encode()).hexdigest()
    software = ", ".join(f"{one['name']} {one['version']}" for one in document["software"])
    return _PAGE.format(
        facts=_rows(_facts(document)), checks=_checks(document["checks"]),
        actions=_rows((word, document["actions"][one]) for one, word in ACTIONS.items()),
        text=_text(document), faces=_faces(document),
        left=_listed("Files left out", document["left_out"], "why", "files"),
        fields=_listed("Words in headers", document["header_texts"], "field", "removed"),
        elements=_elements(document["elements"]), digest=digest,
        software=escape(software),
    )  # fmt: skip


def _facts(document: Mapping[str, Any]) -> list[tuple[str, object]]:
    profile = document["profile"]
    on = [name for name, value in profile.items() if value is True and name != "times"]
    out = sum(one["files"] for one in document["left_out"])
    options = f"dates {profile['dates']}; {', '.join(on) or 'no options'}"
    people = document["patients"]
    patients = "1 patient" if people == 1 else f"{people} patients"
    files = f"{document['written']} written, {out} left out; {patients}"
    return [
        ("Date", document["date"]), ("By", document["who"]),
        ("Program", f"{document['program']} {document['version']}"),
        ("Standard", document["standard"]),
        ("Profile", f"{profile['name']}; {options}"),
        ("Codes (CID 7050)", ", ".join(document["codes"])),
        ("Files", files),
    ]  # fmt: skip


def _checks(checks: list[dict[str, Any]]) -> str:
    rows = []
    for one in checks:
        mark, kind = _MARKS[one["ok"]]
        if one["ok"] is None and one["detail"].startswith("not checked"):
            mark = "not done"
        cells = f"<td><span class={kind}>{mark}</span></td><td>{escape(one['name'])}</td>"
        rows.append(f"<tr>{cells}<td>{escape(one['detail'])}</td></tr>")
    return "\n".join(rows)


def _text(document: Mapping[str, Any]) -> str:
    text = document["text"]
    if text is None:
        return ""
    singly = f"{text['frames_one_by_one']} one by one, {text['projections']} projections"
    again = f"{text['files_looked_at_again']} looked at again"
    rows = [
        ("Looked at", f"{text['frames']} frames: {singly}"),
        ("Found", f"{text['findings']} texts in {text['boxes']} places"),
        ("Filled", f"{text['files_filled']} files; {again}"),
    ]
    if text["kept"]:
        numbers = ", ".join(map(str, text["kept"]))
        rows.append(("Kept", f"finding {numbers}: {text['reason']}"))
    if text["unread"]:
        rows.append(("Not looked at", f"{text['unread']} pictures: {text['reason']}"))
    return f"<section><h2>Text in the pixels</h2><table>{_rows(rows)}</table></section>"


def _faces(document: Mapping[str, Any]) -> str:
    faces = document["faces"]
    if faces is None:
        return ""
    head = "<tr><th>Volume<th>Face<th>Voxels<th>To the brain<th>Face left<th>Moved</tr>"
    rows = [_face(one) for one in faces["volumes"]]
    more = len(rows) - _MOST
    note = f"<p class=paper>and {more} more: see deidentification.json</p>" if more > 0 else ""
    plan = faces["plan"]
    words = f"{plan['mode']}, {plan['margin_mm']:g} mm from the brain, {plan['depth_mm']:g} mm deep"
    also = [name for name in ("ears", "teeth", "brow") if plan[name]]
    words += f"; also {', '.join(also)}" if also else ""
    if faces["action"] == "remove" and not faces["kept"]:
        done = f"Taken out where there is one: {words}."
    else:
        done = f"Left where they are: {faces['reason'] or 'only looked for'}."
    return (
        f"<section class=wide><h2>Faces</h2><p>{escape(done)}</p>"
        f"<table class=numbers>{head}{''.join(rows)}</table>{note}</section>"
    )


def _face(one: Mapping[str, Any]) -> str:
    name = f"{one['series']}" + (f".{one['volume']}" if one["volume"] else "")
    near, left = one.get("nearest_brain_mm"), one.get("face_points_matched_after")
    moved = one.get("face_surface_moved")
    cells = [
        f"{name} {one['modality']}", one["state"].replace("-", " "),
        one.get("voxels_removed") or "",
        "" if near is None else f"{near:.1f} mm", "" if left is None else f"{left:.0%}",
        "" if moved is None else f"{moved:.0%}",
    ]  # fmt: skip
    return "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + "</tr>"


def _listed(title: str, rows: list[dict[str, Any]], word: str, count: str) -> str:
    if not rows:
        return ""
    table = _rows((one[word], one[count]) for one in rows)
    return f"<section><h2>{title}</h2><table class=counts>{table}</table></section>"


def _elements(elements: list[dict[str, Any]]) -> str:
    if not elements:
        return ""
    rows = (
        (f"({one['tag'][:4]},{one['tag'][4:]})", one["keyword"] or "private or unknown",
         ", ".join(f"{ACTIONS[a]} {n}" for a, n in sorted(one["actions"].items())))
        for one in elements
    )  # fmt: skip
    summary = f"<summary>{len(elements)} elements</summary>"
    return f"<details>{summary}<table>{_rows(rows)}</table></details>"


def _rows(rows: Rows) -> str:
    return "\n".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )


_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>De-identification certificate</title>
<style>
:root {{ --ink: #1b1f24; --soft: #57606a; --line: #d8dee4 }}
body {{ font: 14px/1.45 system-ui, "Segoe UI", "Noto Sans", sans-serif; max-width: 58rem;
  margin: 2rem auto; padding: 0 1.2rem; color: var(--ink); background: #fff }}
h1 {{ font-size: 1.5rem; margin: 0 0 .2rem }}
h1 + p {{ margin: 0 0 1rem }}
h2 {{ font-size: 1rem; margin: 1.3rem 0 .3rem }}
p, summary {{ color: var(--soft); margin: .3rem 0 }}
table {{ border-collapse: collapse; width: 100% }}
td, th {{ border-bottom: 1px solid var(--line); padding: .22rem .9rem .22rem 0; text-align: left;
  vertical-align: top; overflow-wrap: anywhere }}
th {{ font-weight: 600; color: var(--soft) }}
td:first-child {{ white-space: nowrap; overflow-wrap: normal }}
table.pairs td:first-child {{ color: var(--soft); width: 11rem }}
table.counts td:last-child {{ text-align: right; padding-right: 0; white-space: nowrap }}
table.numbers td:nth-child(n+3), table.numbers th:nth-child(n+3) {{ text-align: right;
  font-variant-numeric: tabular-nums }}
table.numbers th:last-child, table.numbers td:last-child {{ padding-right: 0 }}
.ok, .bad, .open {{ display: inline-block; min-width: 4.6rem; padding: 0 .5rem;
  border-radius: .6rem; text-align: center; font-size: .86em; font-weight: 600 }}
.ok {{ background: #dafbe1; color: #116329 }} .bad {{ background: #ffebe9; color: #a40e26 }}
.open {{ background: #fff8c5; color: #7d4e00 }}
.two {{ display: grid; grid-template-columns: 1fr 1fr; gap: 0 2.2rem }}
.wide {{ grid-column: 1 / -1 }}
summary {{ cursor: pointer }} details {{ margin: .4rem 0 }} .paper {{ display: none }}
code {{ overflow-wrap: anywhere; font-size: .92em }}
footer {{ border-top: 1px solid var(--line); margin-top: 1.3rem; padding-top: .5rem }}
@media (max-width: 44rem) {{ .two {{ display: block }} }}
@media print {{
  @page {{ margin: 13mm }}
  body {{ font-size: 9pt; line-height: 1.32; margin: 0; max-width: none; padding: 0 }}
  h1 {{ font-size: 14pt }} h2 {{ font-size: 10pt; margin: .8rem 0 .15rem }}
  td, th {{ padding-top: .1rem; padding-bottom: .1rem }}
  details {{ display: none }} .paper {{ display: block }}
  table.numbers tr:nth-child(n+10) {{ display: none }}
  .ok, .bad, .open {{ border: 1px solid currentColor; background: none }}
}}
</style></head><body>
<h1>De-identification certificate</h1>
<p>What a program did to a set of images and checked on what it wrote. It names no patient.</p>
<table class=pairs>{facts}</table>
<h2>Checks</h2><table>{checks}</table>
<div class=two>
<section><h2>Header elements</h2><table class=counts>{actions}</table></section>
{text}{left}{fields}{faces}
</div>
{elements}
<footer>
<p>deidentification.json lists every file with its SHA-256 and that of the file it was made from.
The SHA-256 of that list is <code>{digest}</code>. {software}.</p>
<p>Whether the result may be released is for a person to say: what Safe Harbor asks beyond this is
in the documentation.</p>
</footer>
</body></html>
"""
