"""The gaps between the drawn slices of one segment, and what fills them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from napari_medlabel.core.blending import Blend, Distances, blends
from napari_medlabel.core.edit import LabelArray
from napari_medlabel.core.following import Link, links_between
from napari_medlabel.core.geometry import Spacing
from napari_medlabel.core.outline import Outline, Window, margin

__all__ = ["Gap", "SegmentGaps", "joined_box"]

Box = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True, eq=False)
class Gap:
    """What fills the slices between `old` and `new` with one label value."""

    value: int
    old: int
    new: int
    blends: Sequence[Blend]
    distances: Distances


class SegmentGaps:
    """All gaps of one segment.

    Parameters
    ----------
    turned
        uint8 or uint16, `[place, row, column]`: the axis along which slices lie comes first.
    value
        The segment's label value.
    box
        Where its voxels are.
    steps_mm
        Spacing of places, rows and columns.
    """

    def __init__(self, turned: LabelArray, value: int, box: Box, steps_mm: Spacing) -> None:
        self._turned, self._value, self._box, self._steps_mm = turned, value, box, steps_mm
        rows, columns = box[1:]
        self._drawn = [
            place
            for place in range(box[0].start, box[0].stop)
            if (turned[place, rows, columns] == value).any()
        ]
        self._gaps = [n for n, step in enumerate(np.diff(self._drawn)) if step > 1]

    def missing(self) -> frozenset[int]:
        """The slices that will be filled."""
        first, last = self._box[0].start, self._box[0].stop
        return frozenset(range(first, last)) - frozenset(self._drawn)

    def reached(self) -> Box:
        """The box that all fillings lie in."""
        own = Window(
            (self._box[1].start, self._box[2].start), (self._box[1].stop, self._box[2].stop)
        )
        rows, columns = self._turned.shape[1:]
        window = own.wider(margin(own)).within(Window((0, 0), (rows, columns)))
        return (
            self._box[0],
            slice(window.low[0], window.high[0]),
            slice(window.low[1], window.high[1]),
        )

    def each(self) -> Iterator[Gap]:
        """Gap after gap; what one needs is let go of when the next is asked for."""
        outlines: dict[int, Outline] = {}
        links: dict[int, list[Link]] = {}
        distances = Distances((self._steps_mm[1], self._steps_mm[2]))
        for gap in self._gaps:
            near = range(max(gap - 1, 0), min(gap + 2, len(self._drawn) - 1) + 1)
            outlines = {n: outlines.get(n) or self._outline(n) for n in near}
            links = {n: links.get(n) or self._links(outlines, n) for n in near[:-1]}
            found = blends(list(outlines.values()), list(links.values()), gap - near[0])
            distances.keep_only({key for blend in found for key in blend.shapes()})
            yield Gap(self._value, self._drawn[gap], self._drawn[gap + 1], found, distances)

    def _outline(self, number: int) -> Outline:
        place = self._drawn[number]
        rows, columns = self._box[1:]
        drawn = self._turned[place, rows, columns] == self._value
        return Outline.of(place, drawn, (rows.start, columns.start))

    def _links(self, outlines: dict[int, Outline], number: int) -> list[Link]:
        old, new = outlines[number], outlines[number + 1]
        gap_mm = (new.place - old.place) * self._steps_mm[0]
        return links_between(old, new, gap_mm, (self._steps_mm[1], self._steps_mm[2]))


def joined_box(boxes: Sequence[Box]) -> Box:
    """The smallest box that holds all."""
    k, j, i = (
        slice(min(box[n].start for box in boxes), max(box[n].stop for box in boxes))
        for n in range(3)
    )
    return (k, j, i)
