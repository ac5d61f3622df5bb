"""Which rows the segment table lists: found by words, in groups that fold. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from napari_medlabel.ui.state import SegmentRow

__all__ = ["MANY", "GroupRow", "Listed", "SegmentDetail", "listed_rows", "repeats", "row_tip"]

MANY: Final = 12  # more segments than this get a search box, and groups


@dataclass(frozen=True, slots=True)
class SegmentDetail:
    """What a row does not show at once.

    Parameters
    ----------
    group
        From 0 (`Label.group`): segments of different groups may overlap.
    mean
        Of the image inside of it, in words: "97 HU"; "" where it is not known.
    code
        In words: "Liver, SCT 10200004"; "" without one.
    opacity
        Of its fill, from 0 to 1; None follows the slider for all.
    """

    group: int = 0
    mean: str = ""
    code: str = ""
    opacity: float | None = None


@dataclass(frozen=True, slots=True)
class GroupRow:
    """The heading of a group, with how many of its segments are listed."""

    group: int
    count: int
    folded: bool = False

    @property
    def name(self) -> str:
        """What people call it; they count from one."""
        return f"Group {self.group + 1}"


Listed: TypeAlias = SegmentRow | GroupRow


def listed_rows(
    rows: Sequence[SegmentRow],
    details: Mapping[int, SegmentDetail],
    search: str = "",
    folded: Collection[int] = (),
) -> tuple[Listed, ...]:
    """The rows to list, in the order of the schema.

    Parameters
    ----------
    rows
        All segments.
    details
        By label value; their groups count where there are several and many segments.
    search
        Words that must all be in a name or code, or the number; upper and lower case are one.
    folded
        Groups of which only the heading is listed; a search unfolds them.
    """
    words = search.casefold().split()
    found = [row for row in rows if _fits(row, details.get(row.value), words)]
    groups = {row.value: details[row.value].group if row.value in details else 0 for row in rows}
    if len(rows) <= MANY or len(set(groups.values())) < 2:
        return tuple(found)
    listed: list[Listed] = []
    for group in sorted(set(groups.values())):
        members = [row for row in found if groups[row.value] == group]
        if members:
            shut = group in folded and not words
            listed += [GroupRow(group, len(members), shut), *(() if shut else members)]
    return tuple(listed)


def repeats(rows: Sequence[SegmentRow]) -> frozenset[int]:
    """Label values whose colour an earlier segment has: they are told apart by dashes."""
    seen: set[str] = set()
    again: set[int] = set()
    for row in rows:
        if row.color.upper() in seen:
            again.add(row.value)
        seen.add(row.color.upper())
    return frozenset(again)


def row_tip(row: SegmentRow, detail: SegmentDetail | None) -> str:
    """All that is known of a segment, for a tooltip: a line for each."""
    lines = [row.name, f"{row.ml} mL on {row.slices} slices" if row.ml.strip("\N{EN DASH}") else ""]
    if detail is not None:
        lines += [f"Mean {detail.mean}" if detail.mean else "", detail.code]
    lines += ["Locked   K unlocks" if row.locked else "", "Double click renames"]
    return "\n".join(filter(None, lines))


def _fits(row: SegmentRow, detail: SegmentDetail | None, words: Sequence[str]) -> bool:
    text = f"{row.name} {detail.code if detail else ''}".casefold()
    return all(word in text or word == str(row.value) for word in words)
