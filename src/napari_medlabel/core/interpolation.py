"""Slices between drawn slices.

A slice is drawn where it has a voxel of the segment; slices between two drawn ones that have none
are filled. How a shape is followed and changed on the way: `following` and `blending`; how the
image may pull its border: `guidance`.
"""

import heapq
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import BoolArray, Index, Spacing
from napari_medlabel.core.guidance import Guide
from napari_medlabel.core.outline import MmArray, Window
from napari_medlabel.core.segment_gaps import SegmentGaps, joined_box
from napari_medlabel.core.volume import Grid
from napari_medlabel.errors import Cancelled, GeometryError, InputError

__all__ = ["drawn_slices", "interpolate", "undrawn_gaps"]

REACH_MM: Final = 2.0
_CLOSED: Final = 0.1  # of what is between two drawn slices: a wider gap is meant
_TOUCH_MM: Final = 1e-3  # segments that touch where drawn touch in between, rounding or not


def drawn_slices(labels: LabelArray, value: int, axis: int = 0) -> npt.NDArray[np.intp]:
    """Indices along an axis of the slices that have a voxel of the label value, in order."""
    others = tuple(n for n in range(3) if n != axis)
    return np.flatnonzero((labels == value).any(axis=others))


def undrawn_gaps(labels: LabelArray, value: int, axis: int = 0) -> list[tuple[int, int]]:
    """The drawn slices before and after each gap, in order."""
    drawn = drawn_slices(labels, value, axis)
    ends = np.flatnonzero(np.diff(drawn) > 1)
    return [(int(drawn[n]), int(drawn[n + 1])) for n in ends]


def interpolate(  # noqa: PLR0913  # each is a choice the person makes
    labels: LabelArray,
    spacing_mm: Spacing,
    *,
    axis: int = 0,
    values: Iterable[int] | None = None,
    image: Grid | None = None,
    reach_mm: float = REACH_MM,
    over_others: bool = False,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Edit:
    """Fill the slices between drawn ones, by the shapes on them and, if asked, by the image.

    Drawn slices are never changed, nor anything before the first and after the last of a segment.
    Where two segments claim a voxel, the one that has it deeper inside gets it, so that none
    overlap. Where none claims it, but it is inside of all segments taken for one shape, the one
    that misses it least gets it, if by no more than a tenth of the gap: so segments that touch
    where drawn touch in between. Voxels that others have already are left to them.

    Parameters
    ----------
    labels
        uint8 or uint16, `[k, j, i]`; not changed.
    spacing_mm
        Along k, j, i.
    axis
        Along which slices lie: 0, 1 or 2.
    values
        Label values of the segments; without it, all that are there.
    image
        Numbers, `[k, j, i]`, on the same grid, to pull borders to its edges; without it, only
        the shapes count.
    reach_mm
        How far the image may pull a border, halfway between two drawn slices; never farther than
        a tenth of the distance between them.
    over_others
        Whether voxels of other segments may be taken, on slices where they are drawn.
    progress
        Called with slices done and slices in all.
    cancelled
        Polled on every slice.

    Returns
    -------
    Edit
        Nothing where there is no gap.

    Raises
    ------
    GeometryError
        If the image has another shape.
    InputError
        If the axis or a number cannot be.
    Cancelled
        If `cancelled` says so; nothing is changed.

    Notes
    -----
    Works on one slice at a time in the box of each segment: beside a copy of the labels' box it
    needs memory for the slices of one gap.
    """
    _check(labels, spacing_mm, axis, image, reach_mm)
    turned = np.moveaxis(labels, axis, 0)
    steps = (spacing_mm[axis], *(step for n, step in enumerate(spacing_mm) if n != axis))
    steps_mm = (steps[0], steps[1], steps[2])
    boxes = _boxes(turned, values)
    gaps = [SegmentGaps(turned, [value], box, steps_mm) for value, box in boxes]
    if not any(segment.missing() for segment in gaps):
        return Edit.nothing(labels.dtype)
    if len(gaps) > 1:  # as one shape, to see where there is no gap between them
        every = joined_box([box for _, box in boxes])
        gaps.append(SegmentGaps(turned, [value for value, _ in boxes], every, steps_mm))
    box = joined_box([segment.reached() for segment in gaps])
    after = turned[box].copy()
    guide = None
    if image is not None:
        guide = Guide(image, axis, steps_mm, reach_mm)
    low = (box[0].start, box[1].start, box[2].start)
    report = progress or (lambda _done, _total: None)
    canvas = _Canvas(after, low, over_others=over_others)
    _fill(canvas, gaps, guide, steps[0], report, cancelled=cancelled)
    corner = [low[1], low[2]]
    corner.insert(axis, low[0])
    before = np.moveaxis(turned[box], 0, axis)
    return Edit.between((corner[0], corner[1], corner[2]), before, np.moveaxis(after, 0, axis))


def _fill(  # noqa: PLR0913
    canvas: "_Canvas", gaps: Sequence[SegmentGaps], guide: Guide | None, step_mm: float,
    report: Callable[[int, int], None], *, cancelled: Callable[[], bool],
) -> None:  # fmt: skip
    """Fill slice after slice, and each by segment after segment."""
    total = len(set[int]().union(*(segment.missing() for segment in gaps)))
    for gap in heapq.merge(*(segment.each() for segment in gaps), key=lambda gap: gap.old):
        canvas.finish(gap.old)
        for place in range(gap.old + 1, gap.new):
            if cancelled():
                raise Cancelled("interpolation was called off")
            report(canvas.finished, total)
            for blend in gap.blends:
                found = blend.at(place, gap.distances)
                if found is not None:
                    window, signed = found
                    if guide is not None:
                        signed = guide.pull(window, signed, place, blend)
                    if gap.value:
                        canvas.claim(place, gap.value, window, signed)
                    else:
                        canvas.close(place, window, signed, _CLOSED * (gap.new - gap.old) * step_mm)
    canvas.finish()
    report(total, total)


class _Canvas:
    """Slices that are being filled: who claims each pixel, and how deep inside it is."""

    def __init__(self, after: LabelArray, corner: Index, *, over_others: bool) -> None:
        self._after, self._first, self._over_others = after, corner[0], over_others
        low, shape = (corner[1], corner[2]), after.shape
        self._window = Window(low, (low[0] + shape[1], low[1] + shape[2]))
        self._claims: dict[int, tuple[MmArray, LabelArray, BoolArray]] = {}
        self._most_mm: dict[int, float] = {}
        self.finished = 0

    def claim(self, place: int, value: int, window: Window, signed: MmArray) -> None:
        """Offer pixels to a segment, by how deep inside of it they are; the deepest wins."""
        depth, winner, _, own = self._at(place, window, signed)
        deeper = own > depth
        np.copyto(depth, own, where=deeper)
        winner[deeper] = value

    def close(self, place: int, window: Window, signed: MmArray, most_mm: float) -> None:
        """Leave no gap between segments where this, all of them as one shape, is inside.

        A pixel that every segment misses by more than `most_mm` stays free.
        """
        _, _, closed, own = self._at(place, window, signed)
        closed |= own > 0
        self._most_mm[place] = most_mm

    def _at(
        self, place: int, window: Window, signed: MmArray
    ) -> tuple[MmArray, LabelArray, BoolArray, MmArray]:
        """What is known of the slice in the window, and the part of `signed` that lies in it."""
        if place not in self._claims:
            shape = self._window.shape
            depth = np.full(shape, -np.inf, np.float32)
            winner = np.zeros(shape, self._after.dtype)
            self._claims[place] = (depth, winner, np.zeros(shape, bool))
        both = self._window.within(window)
        low = self._window.low
        depth, winner, closed = self._claims[place]
        own = both.of(signed, window.low)
        return both.of(depth, low), both.of(winner, low), both.of(closed, low), own

    def finish(self, place: int | None = None) -> None:
        """Write the slices before this one, or all."""
        for done in [n for n in self._claims if place is None or n < place]:
            depth, winner, closed = self._claims.pop(done)
            target = self._after[done - self._first]
            missed = closed & (depth > -self._most_mm.get(done, 0.0))
            free = (winner > 0) & ((depth > -_TOUCH_MM) | missed)
            if not self._over_others:
                free &= target == 0
            np.copyto(target, winner, where=free)
            self.finished += 1


def _boxes(
    turned: LabelArray, values: Iterable[int] | None
) -> list[tuple[int, tuple[slice, slice, slice]]]:
    """The box of each wanted label value that is there, in order of values."""
    wanted = None if values is None else set(values)
    return [
        (value, (box[0], box[1], box[2]))
        for value, box in enumerate(ndimage.find_objects(turned), 1)
        if box is not None and (wanted is None or value in wanted)
    ]


def _check(
    labels: LabelArray, spacing_mm: Spacing, axis: int, image: Grid | None,
    reach_mm: float,
) -> None:  # fmt: skip
    if axis not in (0, 1, 2):
        raise InputError(f"there is no axis {axis}", "slices lie along axis 0, 1 or 2")
    if not all(np.isfinite(step) and step > 0 for step in spacing_mm):
        raise InputError("a spacing must be more than 0 mm")
    if not (np.isfinite(reach_mm) and reach_mm >= 0):
        raise InputError("the reach of the image must be 0 mm or more")
    if image is not None and tuple(image.shape) != labels.shape:
        raise GeometryError("the image does not have the shape of the labels")
