"""Write docs/privacy-table.md from the tables in the package: python docs/generate_privacy.py."""

from collections import Counter
from pathlib import Path

from pydicom.datadict import dictionary_VR, keyword_for_tag

from napari_medlabel.privacy.table import EDITION, OPTIONS, kept_tags, rows, safe_private

PAGE = Path(__file__).parent / "privacy-table.md"

HEAD = """\
<!-- Written by docs/generate_privacy.py from the package's tables; a test holds it to them. -->

# What is done to each attribute

From {edition}. X is removed, Z emptied, D replaced by a stand-in, U a new UID, K kept, C
cleaned; a slash is a choice that the attribute's type in its object settles (type 1: D, type 2: Z,
type 3: X; where the type is not known D before Z before X). The letter is the identifier of HIPAA's
Safe Harbor that the attribute may carry: [see there](compliance.md). Private attributes, curves
(50xx) and overlays (60xx) are removed; so is whatever is in none of these tables.

## Attributes of Table E.1-1

| tag | attribute | basic | options that change it | letter |
|---|---|---|---|---|
"""

KEPT = """
## Other attributes that may stay

{count} attributes that PS3.3 defines for images and what belongs to them, by kind of value; each
value is checked as [the page on de-identification](privacy.md#how-a-value-is-checked) says.

| kind | attributes |
|---|---|
"""

SAFE = """
## Private attributes that may stay with `safe_private`

| creator | elements |
|---|---|
"""


def page() -> str:
    """The whole page."""
    parts = (HEAD.format(edition=EDITION), *_table())
    kept = (KEPT.format(count=len(kept_tags())), *_kept())
    return "".join((*parts, *kept, SAFE, *_safe()))


def _table() -> list[str]:
    return [
        f"| {row.tag >> 16:04X},{row.tag & 0xFFFF:04X} | {row.keyword} | {row.basic} "
        f"| {', '.join(f'{name} {row.options[name]}' for name in OPTIONS if name in row.options)} "
        f"| {row.letter} |\n"
        for row in rows().values()
    ]


def _kept() -> list[str]:
    by_vr: dict[str, list[str]] = {}
    for tag in sorted(kept_tags()):
        by_vr.setdefault(dictionary_VR(tag), []).append(keyword_for_tag(tag))
    return [f"| {vr} | {', '.join(sorted(names))} |\n" for vr, names in sorted(by_vr.items())]


def _safe() -> list[str]:
    usable = Counter(
        (creator, group) for (creator, group, _), vr in safe_private().items() if vr not in UNUSED
    )
    lines = []
    for creator, group in sorted(usable):
        ends = [
            f"xx{end:02X}" for (c, g, end), vr in sorted(safe_private().items())
            if (c, g) == (creator, group) and vr not in UNUSED
        ]  # fmt: skip
        lines.append(f"| {creator} | ({group:04X}) {', '.join(ends)} |\n")
    return lines


UNUSED = {"", "OB", "UI", "LT"}

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
