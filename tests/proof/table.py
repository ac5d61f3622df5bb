"""The table of proof in docs/formats.md: `python -m tests.proof.table DATA` writes it anew."""

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.proof.measure import Measured, measure
from tests.proof.others import FOLDERS, Others, look_at
from tests.proof.plan import PLAN

__all__ = ["agrees", "in_page", "main", "others_agree", "rows", "written"]

PAGE: Final = Path(__file__).parents[2] / "docs" / "formats.md"
_START, _END = "<!-- proof: generated, see tests/proof -->", "<!-- end of proof -->"
CORNERS_MM: Final = 1e-3  # NIfTI's and DICOM's own rounding
VALUES: Final = 1e-4
_HEAD: Final = (
    "| what is opened | it gives | problems named | corners off, mm | values off | points agree |",
    "|---|---|---|---|---|---|",
)
_HEAD_OTHERS: Final = (
    "| folder | opened | refused, and why | agree with another reader |",
    "|---|---|---|---|",
)


def agrees(one: Measured) -> bool:
    """True where a case is as its references say, or refused where nothing can be right."""
    corners = one.corners_mm is None or one.corners_mm <= CORNERS_MM
    values = one.values_off is None or one.values_off <= one.case.off + _tolerance(one)
    opened = one.volumes > 0
    points = one.points_found == (one.points if opened else 0) and one.points_off <= 1e-3
    return corners and values and points and one.points_off_mm <= 2e-3 and not one.faults


def _tolerance(one: Measured) -> float:
    # Those of dcm2niix go through 32 bits several times.
    return 1e-2 if "Philips" in one.case.path or "philips" in one.case.path else VALUES


def others_agree(one: Others) -> bool:
    """True where another reader finds the same voxels at the same places."""
    return one.corners_mm <= CORNERS_MM and one.values_off <= VALUES


def rows(data: Path) -> tuple[list[Measured], list[Others]]:
    """Everything measured."""
    return [measure(data, case) for case in PLAN], [look_at(data, name) for name in FOLDERS]


def written(cases: Iterable[Measured], others: Iterable[Others]) -> str:
    """The two tables."""
    lines = [*_HEAD, *map(_row, cases), "", *_HEAD_OTHERS, *map(_other_row, others)]
    return "\n".join(lines)


def in_page(page: str) -> str:
    """The tables as the page has them now."""
    found = re.search(f"{re.escape(_START)}\n(.*?)\n{re.escape(_END)}", page, re.DOTALL)
    return found.group(1).strip() if found else ""


def _row(one: Measured) -> str:
    case = one.case
    name = re.sub(r"CTImage\.dcm_(\w+)_[\d.]+\.dcm", r"\1", case.path)
    points = f"{one.points_found} of {one.points}" if one.points else ""
    notes = []
    if case.quantity:
        notes.append(f"as {case.quantity} values")
    if case.off:
        notes.append("lossy")
    if case.empty:
        notes.append(f"{case.empty} volumes of the reference are empty")
    if case.padding is not None:
        notes.append(f"the reference's {case.padding} stands for no segment")
    off = "" if one.values_off is None else _number(one.values_off)
    values = f"{off} ({'; '.join(notes)})" if notes else off
    codes = ", ".join(f"`{code}`" for code in one.codes)
    return f"| `{name}` | {one.outcome} | {codes} | {_corners(one)} | {values} | {points} |"


def _corners(one: Measured) -> str:
    known = [mm for mm in (one.corners_mm, one.points_off_mm if one.points_found else None)
             if mm is not None]  # fmt: skip
    return _below(max(known)) if known else ""


def _below(mm: float) -> str:
    """The power of ten that it is below: the same on every machine."""
    for limit in ("0.00001", "0.0001", "0.001", "0.01"):
        if mm <= float(limit):
            return f"≤ {limit}"
    return f"{mm:.2f}"


def _number(off: float) -> str:
    return "0" if off == 0 else (f"{off:.0f}" if off >= 1 else _below(off))


def _other_row(one: Others) -> str:
    total = one.opened + sum(one.refused.values())
    why = "; ".join(f"{count} x {reason}" for reason, count in sorted(one.refused.items()))
    same = (
        f"{one.compared}: corners {_below(one.corners_mm)}, values {_number(one.values_off)}"
        if one.compared
        else ""
    )
    return f"| `{one.folder}` | {one.opened} of {total} | {why} | {same} |"


def main() -> None:
    """Write the tables into the page."""
    tables = written(*rows(Path(sys.argv[1])))
    page = PAGE.read_text(encoding="utf-8")
    start, end = page.index(_START) + len(_START), page.index(_END)
    PAGE.write_text(f"{page[:start]}\n{tables}\n{page[end:]}", encoding="utf-8")


if __name__ == "__main__":
    main()
