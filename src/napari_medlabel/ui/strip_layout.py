"""Where slices, segments and numbers stand in the slice strip; pure, in columns and rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.ui.strip_state import Lane, MarkKind, StripState, as_flags, gaps

__all__ = [
    "EMPTY",
    "GAP",
    "LABELLED",
    "PREVIEW",
    "Columns",
    "Frame",
    "Picture",
    "Row",
    "changed_columns",
    "picture",
    "ticks",
]

# A column of several slices shows what is highest here: a gap wins over a label.
EMPTY, LABELLED, PREVIEW, GAP = range(4)
MOST_COLUMNS: Final = 600
NARROWEST: Final = 1.0  # px of a column
URGENT: Final[tuple[MarkKind, ...]] = ("settled", "comment", "finding")  # the last wins


@dataclass(frozen=True, slots=True)
class Columns:
    """Slices side by side in `width` px, `each` of them in one column."""

    count: int
    width: int
    each: int

    @classmethod
    def fitting(cls, count: int, width: int) -> "Columns":
        """As many columns as there are slices, fewer where they would be too many or too narrow."""
        most = max(1, min(MOST_COLUMNS, int(width / NARROWEST)))
        return cls(count, width, max(1, -(-count // most)))

    def __len__(self) -> int:
        """How many columns there are."""
        return (self.count + self.each - 1) // self.each

    def left(self, column: int) -> int:
        """The first px of a column, or where the last one ends."""
        return round(min(column * self.each, self.count) * self.width / max(self.count, 1))

    def middle(self, n: int) -> int:
        """The px in the middle of a slice."""
        return int((n + 0.5) * self.width / max(self.count, 1))

    def slice_at(self, x: float) -> int:
        """The slice at a px; the first or the last where it lies beyond."""
        n = int(x * self.count // max(self.width, 1))
        return min(max(n, 0), max(self.count - 1, 0))

    def between(self, left: float, right: float) -> range:
        """The columns that have a px in a span."""
        first, last = self.slice_at(left) // self.each, self.slice_at(right) // self.each
        # Edges are rounded: the neighbours may reach in by one px.
        return range(max(first - 1, 0), min(last + 2, len(self)))


@dataclass(frozen=True, slots=True)
class Row:
    """What one lane shows: a state for each column; without a colour it stands for several."""

    values: tuple[int, ...]
    color: str
    cells: bytes
    active: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """A run of columns of the active lane, from `start` up to `stop`: a gap, or a preview."""

    kind: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is painted but where one is: rows from the top, frames, marks by column."""

    columns: Columns
    rows: tuple[Row, ...] = ()
    frames: tuple[Frame, ...] = ()
    marks: tuple[tuple[int, MarkKind], ...] = ()


def picture(state: StripState, width: int, thin: int) -> Picture:
    """What to paint.

    Parameters
    ----------
    state
        What the strip shows.
    width
        Room for the columns, px.
    thin
        For how many lanes there is room beside the active one, at least 1. Where there are more
        segments, the empty ones give way first, and what is left over shares the last lane.
    """
    columns = Columns.fitting(state.count, width)
    if not state.count:
        return Picture(columns)
    shown, shared = _sorted_out(state, max(thin, 1))
    rows = [_row(lane, state, columns) for lane in shown]
    if shared:
        flags = np.stack([_flags(lane.labelled, columns) for lane in shared]).max(axis=0)
        rows.append(Row(tuple(lane.value for lane in shared), "", flags.tobytes()))
    frames = tuple(
        Frame(kind, run.start, run.stop)
        for row in rows
        if row.active
        for kind in (GAP, PREVIEW)
        for run in _runs(row.cells, kind)
    )
    return Picture(columns, tuple(rows), frames, _marks(state, columns))


def _sorted_out(state: StripState, thin: int) -> tuple[list[Lane], list[Lane]]:
    """The segments with a lane of their own, and those that share one, in the schema's order."""
    others = [lane for lane in state.lanes if lane.value != state.active]
    if len(others) <= thin:
        return list(state.lanes), []
    drawn_first = sorted(others, key=lambda lane: not any(lane.labelled))
    own = {lane.value for lane in drawn_first[: thin - 1]} | {state.active}
    shown = [lane for lane in state.lanes if lane.value in own]
    return shown, [lane for lane in state.lanes if lane.value not in own]


def _row(lane: Lane, state: StripState, columns: Columns) -> Row:
    cells = _flags(lane.labelled, columns)
    if lane.value != state.active:
        return Row((lane.value,), lane.color, cells.tobytes())
    waiting = as_flags(state.preview, state.count)
    missing = bytearray(state.count)
    for gap in gaps(lane.labelled):
        missing[gap.start : gap.stop] = bytes(0 if waiting[n] else 1 for n in gap)
    cells = np.maximum(cells, PREVIEW * _flags(waiting, columns))
    cells = np.maximum(cells, GAP * _flags(bytes(missing), columns))
    return Row((lane.value,), lane.color, cells.astype(np.uint8).tobytes(), active=True)


@lru_cache(maxsize=1024)  # a slice step or a stroke leaves nearly all lanes as they were
def _flags(labelled: bytes, columns: Columns) -> npt.NDArray[np.uint8]:
    """1 for each column in which a slice has the flag."""
    flags = np.zeros(len(columns) * columns.each, np.uint8)
    given = np.frombuffer(labelled, np.uint8)[: columns.count]
    flags[: len(given)] = given != 0
    merged: npt.NDArray[np.uint8] = flags.reshape(-1, columns.each).max(axis=1)
    merged.flags.writeable = False
    return merged


def _runs(cells: bytes, kind: int) -> Iterator[range]:
    edges = np.flatnonzero(np.diff(np.frombuffer(b"\xff" + cells + b"\xff", np.uint8) == kind))
    return (range(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True))


def _marks(state: StripState, columns: Columns) -> tuple[tuple[int, MarkKind], ...]:
    found: dict[int, MarkKind] = {}
    for mark in state.marks:
        column = mark.slice // columns.each
        if not 0 <= mark.slice < state.count:
            continue
        if URGENT.index(mark.kind) >= URGENT.index(found.get(column, "settled")):
            found[column] = mark.kind
    return tuple(sorted(found.items()))


def changed_columns(old: Picture, new: Picture) -> list[range] | None:
    """The runs of columns to paint again; None for all of it.

    A frame is dashed from its first column on, so one that changed is painted whole.
    """
    if old.columns != new.columns or [(row.values, row.color, row.active) for row in old.rows] != [
        (row.values, row.color, row.active) for row in new.rows
    ]:
        return None
    differs = np.zeros(len(new.columns), np.uint8)
    for before, now in zip(old.rows, new.rows, strict=True):
        if before.cells != now.cells:
            differs |= np.frombuffer(before.cells, np.uint8) != np.frombuffer(now.cells, np.uint8)
    for frame in set(old.frames) ^ set(new.frames):
        differs[frame.start : frame.stop] = 1
    for column, _kind in set(old.marks) ^ set(new.marks):
        differs[column] = 1
    return list(_runs(differs.tobytes(), 1))


def ticks(count: int, width: int, apart: int) -> tuple[int, ...]:
    """The slices that have a number below, from 0: the first, the last, round numbers between.

    Parameters
    ----------
    count, width
        Slices, and the px they take.
    apart
        The least distance of two numbers, px.
    """
    if count <= 1:
        return (0,) if count else ()
    per_px = count / max(width, 1)
    step = next(
        (
            round_ * 10**power
            for power in range(7)
            for round_ in (1, 2, 5)
            if round_ * 10**power >= apart * per_px
        ),
        count,
    )
    room = apart * per_px
    between = [n - 1 for n in range(step, count, step) if min(n - 1, count - n) > 0.75 * room]
    return (0, *between, count - 1)
