"""An engine's answer as an edit of labels: where it may go, and what it takes away."""

from dataclasses import dataclass

import numpy as np

from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import BoolArray, Index
from napari_medlabel.core.region import Box, box_of

__all__ = ["Where", "answer_edit", "gained_in"]


@dataclass(frozen=True, slots=True, eq=False)
class Where:
    """Which voxels an answer may take: of no segment, of all others, of one, or inside of one.

    Parameters
    ----------
    over_others
        Whether voxels of other segments may be taken.
    only_over
        The one segment whose voxels may be taken, and no voxel of none.
    inside
        The segment that it has to lie in; its voxels may be taken, and are given back.
    within
        The labels that `inside` is looked up in, where they are of another group than those that
        are changed: nothing is taken then, segments of different groups overlap.
    """

    over_others: bool = False
    only_over: int | None = None
    inside: int | None = None
    within: LabelArray | None = None

    def allows(self, before: LabelArray, box: Box, value: int) -> BoolArray:
        """Where in a box of labels the value may be, bool, the box's shape."""
        own: BoolArray = before == value
        if self.inside is not None and self.within is None:
            own |= before == self.inside
            return own
        if self.only_over is not None:
            allowed: BoolArray = own | (before == self.only_over)
        elif self.over_others:
            allowed = np.ones(before.shape, bool)
        else:
            allowed = own | (before == 0)
        if self.within is not None:
            allowed &= self.within[box] == self.inside
        return allowed

    @property
    def given_back(self) -> int:
        """What voxels become that the segment loses."""
        return 0 if self.inside is None or self.within is not None else self.inside


def answer_edit(  # noqa: PLR0913  # where it is, what it may take, how
    labels: LabelArray, value: int, box: Box, found: BoolArray, where: Where, *, replace: bool
) -> Edit:
    """The edit that gives a segment the voxels of an answer.

    Parameters
    ----------
    labels
        Of the segment's group, `[k, j, i]`.
    value
        The segment's label value.
    box, found
        Where the answer is, and which voxels of the box belong to the object.
    where
        Which voxels it may take.
    replace
        Whether the segment loses what it has outside of the answer.
    """
    whole = box
    if replace and (own := box_of(labels, value)) is not None:
        whole = _union(box, own) if found.size else own
    before = labels[whole]
    wanted = np.zeros(before.shape, bool)
    if found.size:
        wanted[_inner(box, whole)] = found
    allowed = wanted & where.allows(before, whole, value)
    after = np.where(allowed, before.dtype.type(value), before)
    if replace:
        after[(before == value) & ~wanted] = where.given_back
    return Edit.between(_low(whole), before, after)


def gained_in(edit: Edit, box: Box, value: int) -> BoolArray:
    """Which voxels of a box an edit gives to a segment, bool, the box's shape."""
    gained = np.zeros([side.stop - side.start for side in box], bool)
    sides = [
        slice(max(a.start, b.start), min(a.stop, b.stop))
        for a, b in zip(edit.box, box, strict=True)
    ]
    if edit.is_nothing or any(side.stop <= side.start for side in sides):
        return gained
    common: Box = (sides[0], sides[1], sides[2])
    given = edit.changed.copy()
    given[edit.changed] = edit.after == value
    gained[_inner(common, box)] = given[_inner(common, edit.box)]
    return gained


def _inner(part: Box, whole: Box) -> tuple[slice, ...]:
    """A box within another, counted from that one's corner."""
    return tuple(
        slice(a.start - b.start, a.stop - b.start) for a, b in zip(part, whole, strict=True)
    )


def _union(one: Box, other: Box) -> Box:
    k, j, i = (
        slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    )
    return (k, j, i)


def _low(box: Box) -> Index:
    return (box[0].start, box[1].start, box[2].start)
