"""What is said of a case whose last window ended without closing it; pure but for the journal."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.edit import Edit
from napari_medlabel.core.history import Step
from napari_medlabel.core.region import check_not_stopped
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.session import OpenCase
from napari_medlabel.ui.state import volume_words

__all__ = ["Changed", "changed_since", "restored_words"]

MOST: Final = 1000  # steps that are looked through


@dataclass(frozen=True, slots=True, eq=False)
class Changed:
    """What steps changed.

    Parameters
    ----------
    where
        uint8, `[k, j, i]`: 1 where anything did.
    words
        How many steps, of which segments, how much.
    last
        The last edit that changed a voxel.
    """

    where: npt.NDArray[np.uint8]
    words: str
    last: Edit


def restored_words(case: OpenCase) -> str:
    """What to say when the case opens; "" where there is nothing to say.

    It is said where the last window ended without closing the case and after something had been
    drawn there.
    """
    seg, since = case.segmentation, case.hold.left_open_since
    if not since or not seg.history:
        return ""
    when = _moment(seg.step(seg.history[-1]))
    if when is None or when < datetime.fromisoformat(since):
        return ""
    return f"Restored to {when.astimezone():%H:%M:%S}. Every step that was saved is here."


def changed_since(seg: Segmentation, since: str, cancelled: Callable[[], bool]) -> Changed | None:
    """What was drawn since a moment, in steps that were not undone; None for nothing.

    Raises
    ------
    Cancelled
        If `cancelled` says so.
    """
    begin = datetime.fromisoformat(since)
    where = np.zeros(seg.geometry.shape, np.uint8)
    steps: list[Step] = []
    for number in reversed(seg.history[-MOST:]):
        check_not_stopped(cancelled)
        step = seg.step(number)
        when = _moment(step)
        if when is None or when < begin:
            break
        steps.append(step)
        for edit in step.edits:
            where[edit.box][edit.changed] = 1
    if not steps:
        return None
    edits = [edit for step in steps for edit in step.edits]
    last = next((edit for edit in edits if not edit.is_nothing), edits[0])
    return Changed(where, _words(seg, steps, where), last)


def _words(seg: Segmentation, steps: list[Step], where: npt.NDArray[np.uint8]) -> str:
    touched = {value for step in steps for edit in step.edits for value in edit.touched()}
    named = [seg.schema[value].name for value in sorted(touched) if seg.schema.get(value)]
    told = ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")
    count = f"{len(steps)} step{'s' * (len(steps) > 1)}"
    if not where.any():
        return f"{count}, no voxel"
    ml = volume_words(int(np.count_nonzero(where)) * seg.geometry.voxel_ml)
    slices = int(where.any(axis=(1, 2)).sum())
    size = f"{ml} mL on {slices} slice{'s' * (slices > 1)}"
    return f"{count}: {', '.join(filter(None, (told, size)))}"


def _moment(step: Step) -> datetime | None:
    try:
        return datetime.fromisoformat(step.when)
    except ValueError:
        return None
