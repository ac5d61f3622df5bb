"""What becomes of header elements, as counts and rows; values are only for the window that asks."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from napari_medlabel.commands import Preview

__all__ = ["DONE", "PROFILES", "HeaderRow", "counts", "header_rows", "known_rows"]

# The words of the list, and what is done with dates.
PROFILES: Final = (
    ("Basic profile, dates removed", "removed"),
    ("Basic profile, dates shifted", "shifted"),
    ("Basic profile, years kept", "year"),
    ("Basic profile, dates kept", "kept"),
)
REMOVED, REPLACED, KEPT = "removed", "replaced", "kept"
DONE: Final = {
    "X": REMOVED, "Z": REMOVED, "D": REPLACED, "U": REPLACED, "C": REPLACED, "K": KEPT
}  # fmt: skip
_DOTS: Final = "\N{BULLET}" * 6
_KNOWN: Final = {
    0x00100010: "Patient name", 0x00080020: "Study date", 0x0020000D: "Study UID",
    0x00080080: "Institution", 0x00180050: "Slice thickness",
}  # fmt: skip
_DATE, _UID = 0x00080020, 0x0020000D


@dataclass(frozen=True, slots=True)
class HeaderRow:
    """One element: what it is, what is done to it, before and after, and why."""

    tag: int
    name: str
    done: str
    before: str
    after: str
    why: str


def header_rows(preview: Preview) -> tuple[HeaderRow, ...]:
    """All elements of all series, each once; where series differ, as the first one has it."""
    document = preview.document(values=True)
    found: dict[tuple[str, str], HeaderRow] = {}
    for series in document["series"]:
        for step in series:
            letter = step["safe_harbor"]
            why = f"{step['why']} ({letter})" if letter else str(step["why"])
            name = step["keyword"] or f"({step['tag'][:4]},{step['tag'][4:]})"
            inside = f"{step['path']} > " if step["path"] else ""
            row = HeaderRow(
                int(step["tag"], 16), f"{inside}{name}", DONE.get(step["action"], step["action"]),
                str(step["before"]), str(step["after"]), why,
            )  # fmt: skip
            found.setdefault((step["path"], step["tag"]), row)
    return tuple(found.values())


def counts(rows: Iterable[HeaderRow]) -> tuple[int, int, int]:
    """How many are removed, replaced, kept."""
    done = [row.done for row in rows]
    return done.count(REMOVED), done.count(REPLACED), done.count(KEPT)


def known_rows(rows: Iterable[HeaderRow], dates: str) -> tuple[tuple[str, str, str], ...]:
    """What everybody looks for: name, what is there afterwards without any value, what is done."""
    top = {row.tag: row for row in rows if " > " not in row.name}
    told = []
    for tag, name in _KNOWN.items():
        if tag in top:
            done = top[tag].done
            now = _DOTS if done == REMOVED else "as it is" if done == KEPT else "a stand-in"
            if done == REPLACED and tag == _DATE:
                now = "shifted" if dates == "shifted" else "made coarse"
            elif done == REPLACED and tag == _UID:
                now = "new, linked"
            told.append((name, now, done))
    return tuple(told)
