"""The gaps between the drawn slices of one segment, and what fills them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from napari_medlabel.core.blending import Blend, Distances, blends
from napari_medlabel.core.edit import LabelArray
from napari_medlabel.core.following import Link, links_between
from napari_medlabel.core.geometry import BoolArray, Spacing
from napari_medlabel.core.outline import Outline, Window, margin

__all__ = ["Gap", "SegmentGaps", "joined_box"]

Box = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True, eq=False)
class Gap:
    """What fills the slices between `old` and `new` with one label value.

    A value of 0 stands for several segments together, as one shape.
    """

    value: int
    old: int
    new: int
    blends: Sequence[Blend]
    distances: Distances


class SegmentGaps:
    """All gaps of one segment, or of several that are taken for one.

    Parameters
    ----------
    turned
        uint8 or uint16, `[place, row, column]`: the axis along which slices lie comes first.
    values
        The label value, or several.
    box
        Where their voxels are.
    steps_mm
        Spacing of places, rows and columns.
    """

    def __init__(
        self, turned: LabelArray, values: Sequence[int], box: Box, steps_mm: Spacing
    ) -> None:
        self._turned, self._values, self._box, self._steps_mm = turned, values, box, steps_mm
        self._drawn = [
            place for place in range(box[0].start, box[0].stop) if self._mask(place).any()
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
            value = self._values[0] if len(self._values) == 1 else 0
            yield Gap(value, self._drawn[gap], self._drawn[gap + 1], found, distances)

    def _mask(self, place: int) -> BoolArray:
        part = self._turned[place, self._box[1], self._box[2]]
        if len(self._values) == 1:
            one: BoolArray = np.equal(part, self._values[0])
            return one
        return np.isin(part, self._values)

    def _outline(self, number: int) -> Outline:
        place = self._drawn[number]
        return Outline.of(place, self._mask(place), (self._box[1].start, self._box[2].start))

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
