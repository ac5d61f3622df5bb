"""What was drawn of one segment on one slice, in parts, and how far the parts lie apart.

A part is a connected region of the slice, corners touching. Distances are signed: positive
inside, millimetres from the border, which runs halfway between the centres of two pixels.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.geometry import BoolArray, FloatArray

__all__ = ["MmArray", "Outline", "Pixel", "Shape", "Window", "holes_of", "margin", "signed_mm"]

Pixel = tuple[int, int]
MmArray = npt.NDArray[np.float32]

_CORNERS: Final = np.ones((3, 3), bool)


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of pixels, which may reach outside the slice: `low` is in it, `high` is not."""

    low: Pixel
    high: Pixel

    @property
    def shape(self) -> Pixel:
        """Rows and columns."""
        return (self.high[0] - self.low[0], self.high[1] - self.low[1])

    def moved(self, shift: Pixel) -> "Window":
        """As large, elsewhere."""
        return Window(
            (self.low[0] + shift[0], self.low[1] + shift[1]),
            (self.high[0] + shift[0], self.high[1] + shift[1]),
        )

    def wider(self, margin: int) -> "Window":
        """With so many more pixels on every side."""
        return Window(
            (self.low[0] - margin, self.low[1] - margin),
            (self.high[0] + margin, self.high[1] + margin),
        )

    def with_(self, other: "Window") -> "Window":
        """The smallest that holds both."""
        return Window(
            (min(self.low[0], other.low[0]), min(self.low[1], other.low[1])),
            (max(self.high[0], other.high[0]), max(self.high[1], other.high[1])),
        )

    def within(self, other: "Window") -> "Window":
        """What both share; without rows or columns where they share none."""
        low = (max(self.low[0], other.low[0]), max(self.low[1], other.low[1]))
        high = (min(self.high[0], other.high[0]), min(self.high[1], other.high[1]))
        return Window(low, (max(low[0], high[0]), max(low[1], high[1])))

    def of(self, array: npt.NDArray[Any], low: Pixel = (0, 0)) -> npt.NDArray[Any]:
        """The view of an array, whose first pixel is `low`, that lies in the window."""
        rows, columns = self.low[0] - low[0], self.low[1] - low[1]
        return array[rows : rows + self.shape[0], columns : columns + self.shape[1]]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """Parts of one drawn slice that are followed together.

    Parameters
    ----------
    where
        bool, `[row, column]`, without empty rows and columns at its borders.
    low
        Where its first pixel is in the slice.
    """

    where: BoolArray
    low: Pixel

    @property
    def window(self) -> Window:
        """What it covers."""
        rows, columns = self.where.shape
        return Window(self.low, (self.low[0] + rows, self.low[1] + columns))

    @property
    def center(self) -> FloatArray:
        """The mean of its pixels, `(row, column)`, fractions."""
        rows, columns = np.nonzero(self.where)
        mean: FloatArray = np.array([rows.mean(), columns.mean()]) + self.low
        return mean

    @property
    def area(self) -> int:
        """How many pixels."""
        return int(np.count_nonzero(self.where))

    def on(self, window: Window) -> BoolArray:
        """bool, the window's shape; nothing lies outside it."""
        canvas = np.zeros(window.shape, bool)
        both = self.window.within(window)
        both.of(canvas, window.low)[...] = both.of(self.where, self.low)
        return canvas

    def without_holes(self, holes: Iterable["Shape"]) -> "Shape":
        """The shape with these holes filled."""
        filled = self.where.copy()
        for hole in holes:
            hole.window.of(filled, self.low)[...] |= hole.where
        return Shape(filled, self.low)


@dataclass(frozen=True, eq=False)
class Outline:
    """All that was drawn of one segment on one slice, at least one pixel.

    Parameters
    ----------
    place
        Index of the slice along the axis.
    shape
        All of it.
    """

    place: int
    shape: Shape

    @classmethod
    def of(cls, place: int, drawn: BoolArray, low: Pixel = (0, 0)) -> "Outline":
        """Of a part of a slice, bool, at least one pixel True, whose first pixel is `low`."""
        return cls(place, _cropped(drawn, low))

    @cached_property
    def parts(self) -> tuple[npt.NDArray[np.int32], int]:
        """Numbers from 1 for each part, the shape's array, and how many there are."""
        numbers, count = ndimage.label(self.shape.where, _CORNERS)
        return numbers, int(count)

    @cached_property
    def centers(self) -> FloatArray:
        """Of each part, `[part, 2]`, in pixels of the slice."""
        numbers, count = self.parts
        flat = numbers.ravel()
        rows, columns = np.indices(numbers.shape).reshape(2, -1)
        sums = [np.bincount(flat, weights, count + 1)[1:] for weights in (rows, columns)]
        found: FloatArray = np.stack(sums, axis=1) / self.areas[:, None] + self.shape.low
        return found

    @cached_property
    def areas(self) -> npt.NDArray[np.intp]:
        """Pixels of each part."""
        numbers, count = self.parts
        return np.bincount(numbers.ravel(), minlength=count + 1)[1:]

    def joined(self, chosen: frozenset[int]) -> Shape:
        """The parts with these numbers (from 0) as one shape; the same one whenever asked."""
        if chosen not in self._joined:
            numbers, _ = self.parts
            wanted = np.isin(numbers, [part + 1 for part in chosen])
            self._joined[chosen] = _cropped(wanted, self.shape.low)
        return self._joined[chosen]

    @cached_property
    def _joined(self) -> dict[frozenset[int], Shape]:
        return {frozenset(range(self.parts[1])): self.shape}


def _cropped(drawn: BoolArray, low: Pixel) -> Shape:
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    first, left = int(rows[0]), int(columns[0])
    where = drawn[first : int(rows[-1]) + 1, left : int(columns[-1]) + 1]
    return Shape(where, (first + low[0], left + low[1]))


def holes_of(shape: Shape) -> list[Shape]:
    """Regions that the shape encloses; they are joined by faces, since parts are by corners."""
    numbers, count = ndimage.label(np.pad(~shape.where, 1, constant_values=True))
    low = (shape.low[0] - 1, shape.low[1] - 1)
    found = ndimage.find_objects(numbers)
    return [
        Shape(numbers[box] == hole, (low[0] + box[0].start, low[1] + box[1].start))
        for hole, box in enumerate(found[:count], 1)
        if hole != numbers[0, 0]
    ]


def signed_mm(shape: Shape, window: Window, spacing_mm: tuple[float, float]) -> MmArray:
    """Distance to the shape's border, positive inside, float32, millimetres, the window's shape.

    The window must hold a pixel of the shape. What is outside the slice is outside the shape.
    """
    whole = window.with_(shape.window.wider(1))  # one pixel around it is enough to end it
    mask = shape.on(whole)
    outside = ndimage.distance_transform_edt(~mask, spacing_mm).astype(np.float32)
    own = shape.window.wider(1)
    inside = ndimage.distance_transform_edt(own.of(mask, whole.low), spacing_mm)
    half = np.float32(min(spacing_mm) / 2.0)
    own.of(outside, whole.low)[...] -= inside.astype(np.float32)
    outside -= np.where(mask, -half, half)
    return -window.of(outside, whole.low)


def margin(window: Window) -> int:
    """Room around a shape that may be larger between drawn slices than on them, in pixels."""
    return 3 + max(window.shape) // 8
