"""Which parts of one drawn slice are which of the next, and how they moved in between.

Parts that overlap belong together, however many they are: so they split and merge. Those left
over are paired by the distance of their centres, cheapest pairs first as a whole (the Hungarian
method), unless they are too far apart; then one ends and the other begins.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from napari_medlabel.core.geometry import FloatArray
from napari_medlabel.core.outline import Outline, Pixel, Shape, Window, holes_of

__all__ = ["Link", "links_between"]

Counts = npt.NDArray[np.intp]

_NONE: Final = frozenset[int]()
_SLOPE: Final = 2.0  # a centre moves at most so many mm for each mm between the slices,
_REACH: Final = 0.75  # and so many of both radii
_GAIN: Final = 0.2  # so much more of the smaller shape must be shared for it to have moved
_LIKE: Final = 6.0  # a part's area changes at most so many times


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """A shape on one drawn slice, and what it is on the next; one of them may be missing.

    Parameters
    ----------
    old, new
        The shape on either slice.
    shift
        Pixels that the shape moves by from the old to the new slice.
    holes
        What is cut out: holes that lie apart on the two slices and are followed by themselves.
    old_parts, new_parts
        Numbers of their parts in the outlines.
    """

    old: Shape | None
    new: Shape | None
    old_parts: frozenset[int]
    new_parts: frozenset[int]
    shift: Pixel = (0, 0)
    holes: tuple["Link", ...] = ()

    @property
    def window(self) -> Window:
        """What old and new cover, as placed in the old slice."""
        if self.old is None or self.new is None:
            one = self.old or self.new
            assert one is not None  # noqa: S101  # a link has an end
            return one.window
        return self.old.window.with_(self.new.window.moved((-self.shift[0], -self.shift[1])))


def links_between(
    old: Outline, new: Outline, gap_mm: float, spacing_mm: tuple[float, float]
) -> list[Link]:
    """All links from one drawn slice to the next one; each part is in exactly one.

    Parameters
    ----------
    old, new
        Of one segment.
    gap_mm
        Between the slices.
    spacing_mm
        Of rows and columns.
    """
    found: list[Link] = []
    for one, other in _groups(old, new, gap_mm, spacing_mm):
        a = old.joined(one) if one else None
        b = new.joined(other) if other else None
        link = Link(a, b, one, other)
        if a is not None and b is not None:
            moved = replace(link, shift=_best_shift(a, b))
            link = _holes_apart(moved, a, b, gap_mm, spacing_mm)
        found.append(link)
    return found


def _groups(
    old: Outline, new: Outline, gap_mm: float, spacing_mm: tuple[float, float]
) -> list[tuple[frozenset[int], frozenset[int]]]:
    count = len(old.areas)
    pairs = _overlapping(old, new)
    lone_old = sorted(set(range(count)) - {a for a, _ in pairs})
    lone_new = sorted(set(range(len(new.areas))) - {b for _, b in pairs})
    found = _nearest(
        (old.centers[lone_old], old.areas[lone_old]),
        (new.centers[lone_new], new.areas[lone_new]),
        gap_mm,
        spacing_mm,
    )
    pairs |= {(lone_old[a], lone_new[b]) for a, b in found}
    total = count + len(new.areas)
    rows = [a for a, _ in pairs]
    columns = [count + b for _, b in pairs]
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(total, total))
    groups, group = connected_components(graph, directed=False)
    return [
        (
            frozenset(np.flatnonzero(group[:count] == n).tolist()),
            frozenset(np.flatnonzero(group[count:] == n).tolist()),
        )
        for n in range(groups)
    ]


def _overlapping(old: Outline, new: Outline) -> set[tuple[int, int]]:
    both = old.shape.window.within(new.shape.window)
    a = both.of(old.parts[0], old.shape.low)
    b = both.of(new.parts[0], new.shape.low)
    shared = (a > 0) & (b > 0)
    width = len(new.areas) + 1
    codes = np.unique(a[shared].astype(np.int64) * width + b[shared])
    return {(int(code // width) - 1, int(code % width) - 1) for code in codes}


def _nearest(
    old: tuple[FloatArray, Counts],
    new: tuple[FloatArray, Counts],
    gap_mm: float,
    spacing_mm: tuple[float, float],
) -> list[tuple[int, int]]:
    """Pairs of numbers of regions, given by centres and areas in pixels."""
    (centers_a, areas_a), (centers_b, areas_b) = old, new
    if not len(areas_a) or not len(areas_b):
        return []
    apart = (centers_a[:, None] - centers_b[None]) * spacing_mm
    apart_mm = np.hypot(apart[..., 0], apart[..., 1])
    pixel_mm2 = spacing_mm[0] * spacing_mm[1]
    radii = [np.sqrt(areas * pixel_mm2 / np.pi) for areas in (areas_a, areas_b)]
    reach = _SLOPE * gap_mm + _REACH * (radii[0][:, None] + radii[1][None])
    change = np.abs(np.log(areas_a[:, None] / areas_b[None]))
    refused = (apart_mm > reach) | (change > np.log(_LIKE))
    cost = np.where(refused, 1e6, apart_mm / reach + 0.25 * change)
    rows, columns = linear_sum_assignment(cost)
    return [(int(a), int(b)) for a, b in zip(rows, columns, strict=True) if not refused[a, b]]


def _best_shift(a: Shape, b: Shape) -> Pixel:
    """From centre to centre, unless the shapes share nearly as much where they lie."""
    shift = _apart(a, b)
    gained = _shared(a, b, shift) - _shared(a, b, (0, 0))
    return shift if gained > _GAIN * min(a.area, b.area) else (0, 0)


def _shared(a: Shape, b: Shape, shift: Pixel) -> int:
    back = (-shift[0], -shift[1])
    moved = Shape(b.where, b.window.moved(back).low)
    both = a.window.within(moved.window)
    return int(np.count_nonzero(both.of(a.where, a.low) & both.of(moved.where, moved.low)))


def _holes_apart(
    link: Link, a: Shape, b: Shape, gap_mm: float, spacing_mm: tuple[float, float]
) -> Link:
    """The link with its holes followed by themselves where they overlap nothing like them."""
    back = (-link.shift[0], -link.shift[1])
    lone_a = [hole for hole in holes_of(a) if _inside(hole, b, link.shift)]
    lone_b = [hole for hole in holes_of(b) if _inside(hole, a, back)]
    facts = _centers(lone_a), _centers(lone_b)
    facts[0][0][...] += link.shift
    pairs = [(lone_a[n], lone_b[m]) for n, m in _nearest(*facts, gap_mm, spacing_mm)]
    if not pairs:
        return link
    return replace(
        link,
        old=a.without_holes(hole for hole, _ in pairs),
        new=b.without_holes(hole for _, hole in pairs),
        holes=tuple(Link(one, other, _NONE, _NONE, _apart(one, other)) for one, other in pairs),
    )


def _centers(holes: Sequence[Shape]) -> tuple[FloatArray, Counts]:
    centers = np.array([hole.center for hole in holes], np.float64).reshape(-1, 2)
    return centers, np.array([hole.area for hole in holes], np.intp)


def _apart(a: Shape, b: Shape) -> Pixel:
    """From centre to centre, in whole pixels."""
    moved = np.rint(b.center - a.center).astype(int)
    return (int(moved[0]), int(moved[1]))


def _inside(hole: Shape, other: Shape, shift: Pixel) -> bool:
    """Whether the hole, moved, lies in the other shape with every pixel."""
    moved = Shape(hole.where, hole.window.moved(shift).low)
    both = moved.window.within(other.window)
    if both != moved.window:
        return False
    return bool(both.of(other.where, other.low)[hole.where].all())
