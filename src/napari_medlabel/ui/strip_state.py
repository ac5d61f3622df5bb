"""What the slice strip shows: which slices carry which segments, and where gaps are; no Qt."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.edit import LabelArray

__all__ = [
    "Lane",
    "Mark",
    "StripState",
    "as_flags",
    "gaps",
    "next_gap",
    "slice_words",
    "slices_with",
]

MarkKind = Literal["finding", "comment", "settled"]
MOST_NAMES: Final = 6  # that a tooltip lists
MINUS: Final = "\N{MINUS SIGN}"
_GATHERED: Final = 1 << 24  # voxels copied in one go


@dataclass(frozen=True, slots=True)
class Lane:
    """One segment: `labelled` has one byte for each slice, 1 where the segment is."""

    value: int
    name: str
    color: str
    labelled: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    """Something a person should see on a slice; `words` are for the tooltip."""

    slice: int
    kind: MarkKind
    words: str = ""


@dataclass(frozen=True, slots=True)
class StripState:
    """All that the strip shows.

    Parameters
    ----------
    count, here
        Slices along the axis, and the one that is shown, from 0.
    axis_name, ends
        What the columns are, and the letters of the directions of the first and the last.
    lanes
        Segments in the schema's order.
    active
        The label value that is drawn, 0 for none: only its gaps are shown.
    preview
        Slices in which a preview of the active segment waits for an answer.
    marks
        Findings and comments.
    positions_mm
        Where each slice is along the axis, or nothing.
    """

    count: int = 0
    here: int = 0
    axis_name: str = "Slices"
    ends: tuple[str, str] = ("F", "H")
    lanes: tuple[Lane, ...] = ()
    active: int = 0
    preview: frozenset[int] = frozenset()
    marks: tuple[Mark, ...] = ()
    positions_mm: tuple[float, ...] = ()

    @property
    def active_lane(self) -> Lane | None:
        """The segment that is drawn."""
        return next((lane for lane in self.lanes if lane.value == self.active), None)

    @property
    def caption(self) -> str:
        """What the columns are: "Slices, F to H"."""
        first, last = self.ends
        return f"{self.axis_name}, {first} to {last}" if first and last else self.axis_name


def as_flags(slices: Iterable[int], count: int) -> bytes:
    """One byte for each of `count` slices, 1 for those given; others are left out."""
    flags = bytearray(count)
    for n in slices:
        if 0 <= n < count:
            flags[n] = 1
    return bytes(flags)


def gaps(labelled: bytes) -> tuple[range, ...]:
    """The runs of slices without the segment between slices that have it, in order."""
    drawn = np.flatnonzero(np.frombuffer(labelled, np.uint8))
    before = np.flatnonzero(np.diff(drawn) > 1)
    return tuple(range(int(drawn[n]) + 1, int(drawn[n + 1])) for n in before)


def next_gap(labelled: bytes, here: int, step: int) -> int | None:
    """The first slice of the next gap above `here` (`step` 1) or below it (-1); None if none."""
    starts = [gap.start for gap in gaps(labelled)]
    if step > 0:
        return next((start for start in starts if start > here), None)
    return next((start for start in reversed(starts) if start < here), None)


def slice_words(state: StripState, n: int) -> str:
    """What is on a slice: "Slice 112 · 14.0 mm · Liver, Aorta", then a line for each mark."""
    words = [f"Slice {n + 1}"]
    if n < len(state.positions_mm):
        words.append(_millimetres(state.positions_mm[n]))
    names = [lane.name for lane in state.lanes if n < len(lane.labelled) and lane.labelled[n]]
    if names:
        more = len(names) - MOST_NAMES
        words.append(", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else ""))
    active = state.active_lane
    if active is not None and n in state.preview:
        words.append(f"Preview of {active.name}")
    elif active is not None and any(n in gap for gap in gaps(active.labelled)):
        words.append(f"Gap in {active.name}")
    notes = [mark.words for mark in state.marks if mark.slice == n and mark.words]
    return "\n".join([" · ".join(words), *notes])


def slices_with(
    labels: LabelArray, axis: int, span: range | None = None
) -> Mapping[int, npt.NDArray[np.intp]]:
    """In which slices along an axis each label value is; fit for a thread beside the window.

    Parameters
    ----------
    labels
        uint8 or uint16, `[k, j, i]`.
    axis
        The axis along which slices lie.
    span
        Which slices to look at; all, if not said.

    Returns
    -------
    Mapping
        For each label value but 0 the indices of its slices, rising. After a stroke one looks
        only at the slices it touched.
    """
    turned = np.moveaxis(labels, axis, 0)
    wanted = range(len(turned)) if span is None else span
    found: dict[int, list[int]] = {}
    at_once = max(1, _GATHERED // max(turned[0].size, 1)) if len(turned) else 1
    for start in range(wanted.start, wanted.stop, at_once):
        # A copy first: a sagittal slice has one voxel in each line of the memory.
        part = np.ascontiguousarray(turned[start : min(start + at_once, wanted.stop)])
        for n, plane in enumerate(part, start):
            for value in np.flatnonzero(np.bincount(plane.ravel())):
                found.setdefault(int(value), []).append(n)
    return {value: np.array(ns, np.intp) for value, ns in sorted(found.items()) if value}


def _millimetres(mm: float) -> str:
    words = f"{abs(mm):.1f}"
    return f"{MINUS}{words} mm" if mm < 0 and words != "0.0" else f"{words} mm"
