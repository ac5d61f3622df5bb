"""What the windows show of a case's versions; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from napari_medlabel.ui.state import when_words
from napari_medlabel.ui.statistics_state import signed_words

__all__ = ["VersionRow", "changes_words", "version_choices", "version_rows"]


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version: its number, when, by whom, and what was said of it."""

    number: int
    when: str
    who: str
    message: str


def version_rows(versions: Sequence[Mapping[str, Any]], now: datetime) -> tuple[VersionRow, ...]:
    """The last one first."""
    return tuple(
        VersionRow(one["number"], when_words(one["when"], now), one["who"], one["message"])
        for one in reversed(versions)
    )


def version_choices(
    versions: Sequence[Mapping[str, Any]], now: datetime
) -> tuple[tuple[int, str], ...]:
    """Number and words of each, the last one first."""
    return tuple(
        (one.number, " · ".join(filter(None, (f"Version {one.number}", one.when, one.message))))
        for one in version_rows(versions, now)
    )


def changes_words(document: Mapping[str, Any]) -> tuple[str, ...]:
    """What `diff` found, a line for each segment that changed."""
    return tuple(
        f"{one['name']}  {signed_words(one['change_ml'])} mL, Dice {one['dice']:.3f}"
        for one in document["labels"]
        if one["voxels_gained"] or one["voxels_lost"]
    )
