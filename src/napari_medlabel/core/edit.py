"""A change of labels as a value: it can be inverted, joined, stored, counted and shown.

An edit changes the array of one group of labels; that it fits there is for `Segmentation` to see.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import BoolArray, Index
from napari_medlabel.errors import GeometryError, InputError, StaleEdit

__all__ = ["Edit", "LabelArray", "label_values"]

LabelArray = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
_AT_ONCE: Final = 1 << 16  # numbers that are counted in one go
_LABEL_TYPES: Final = frozenset({np.dtype(np.uint8), np.dtype(np.uint16)})


@dataclass(frozen=True, slots=True, eq=False)
class Edit:
    """Label values of some voxels of one box, before and after.

    The arrays are taken over and locked, not copied.

    Parameters
    ----------
    low
        First voxel of the box, `(k, j, i)`, none negative.
    changed
        bool, the box's shape `[k, j, i]`.
    before, after
        uint8 or uint16, one value for each True of `changed`, in C order.
    group
        Of the labels whose array it changes: see `Label.group`.

    Raises
    ------
    GeometryError
        If the counts do not fit together.
    TypeError
        If an array is of another type.
    """

    low: Index
    changed: BoolArray
    before: LabelArray
    after: LabelArray
    group: int = 0

    def __post_init__(self) -> None:
        if self.changed.dtype != bool or not {self.before.dtype, self.after.dtype} <= _LABEL_TYPES:
            raise TypeError("an edit needs bool, and uint8 or uint16 before and after")
        count = int(np.count_nonzero(self.changed))
        if self.changed.ndim != 3 or min(self.low) < 0:
            raise GeometryError("an edit needs a box with three axes inside the array")
        if self.before.shape != (count,) or self.after.shape != (count,):
            raise GeometryError("an edit needs one value before and after for each changed voxel")
        for array in (self.changed, self.before, self.after):
            array.flags.writeable = False

    @classmethod
    def nothing(cls, dtype: npt.DTypeLike = np.uint8, group: int = 0) -> "Edit":
        """The edit that changes no voxel."""
        none: LabelArray = np.zeros(0, dtype)
        return cls((0, 0, 0), np.zeros((0, 0, 0), bool), none, none.copy(), group)

    @classmethod
    def between(
        cls, low: Index, before: LabelArray, after: LabelArray, *, group: int = 0
    ) -> "Edit":
        """The edit from one content of a box to another; trimmed to what differs.

        Raises
        ------
        GeometryError
            If the two are not of one shape.
        InputError
            If a value after is larger than the type before can hold.
        """
        if before.shape != after.shape:
            raise GeometryError("an edit needs the same box before and after")
        if after.dtype != before.dtype and after.max(initial=0) > np.iinfo(before.dtype).max:
            raise _too_large()
        box = _bounds(before != after)
        if box is None:
            return cls.nothing(before.dtype, group)
        old, new = before[box], after[box]
        changed = old != new
        start = (low[0] + box[0].start, low[1] + box[1].start, low[2] + box[2].start)
        kept = new[changed].astype(old.dtype, copy=False)
        return cls(start, changed, old[changed], kept, group)

    @classmethod
    def fill(
        cls, labels: LabelArray, low: Index, where: BoolArray, value: int, *, group: int = 0
    ) -> "Edit":
        """The edit that gives `value` to the voxels `where` of the box at `low` of `labels`.

        Raises
        ------
        GeometryError
            If the box is not inside the array.
        InputError
            If the value is larger than any array can hold.
        """
        box = tuple(slice(max(a, 0), a + n) for a, n in zip(low, where.shape, strict=True))
        before = labels[box]
        if before.shape != where.shape:
            raise GeometryError("an edit needs a box with three axes inside the array")
        if not 0 <= value <= np.iinfo(np.uint16).max:
            raise _too_large()
        if value > np.iinfo(before.dtype).max:
            before = before.astype(np.uint16)  # the segmentation will widen its labels too
        after = np.where(where, before.dtype.type(value), before)
        return cls.between(low, before, after, group=group)

    def in_group(self, group: int) -> "Edit":
        """The same change of another group's array."""
        return self if group == self.group else replace(self, group=group)

    def with_values(self, new_values: Mapping[int, int]) -> "Edit":
        """The same change with other label values for some of those that it gives."""
        highest = max(int(self.after.max(initial=0)), *new_values, *new_values.values())
        kind = np.promote_types(self.after.dtype, np.min_scalar_type(highest))
        table = np.arange(highest + 1, dtype=kind)
        for old, new in new_values.items():
            table[old] = new
        return replace(self, after=table[self.after])

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """Where it is, for indexing `[k, j, i]`."""
        k, j, i = (slice(a, a + n) for a, n in zip(self.low, self.changed.shape, strict=True))
        return (k, j, i)

    @property
    def voxels(self) -> int:
        """How many voxels it changes."""
        return int(self.before.size)

    @property
    def is_nothing(self) -> bool:
        """True where no voxel is changed."""
        return self.before.size == 0

    def gained(self) -> Mapping[int, int]:
        """Voxels gained (or, negative, lost) per label value, background left out."""
        length = int(max(self.before.max(initial=0), self.after.max(initial=0))) + 1
        change = _counted(self.after, length) - _counted(self.before, length)
        return {int(value): int(change[value]) for value in np.flatnonzero(change) if value}

    def touched(self) -> frozenset[int]:
        """Every label value that loses or gains a voxel, background left out."""
        return label_values(self.before) | label_values(self.after)

    def inverse(self) -> "Edit":
        """The edit that takes this one back."""
        return replace(self, before=self.after, after=self.before)

    def only(self, allowed: BoolArray) -> "Edit":
        """The part of the edit where `allowed` (bool, the box's shape) is True."""
        if self.is_nothing:
            return self
        kept = allowed[self.changed]
        if kept.all():
            return self
        changed = self.changed & allowed
        box = _bounds(changed)
        if box is None:
            return Edit.nothing(self.before.dtype, self.group)
        low = (
            self.low[0] + box[0].start, self.low[1] + box[1].start, self.low[2] + box[2].start,
        )  # fmt: skip
        return Edit(low, changed[box].copy(), self.before[kept], self.after[kept], self.group)

    def then(self, later: "Edit") -> "Edit":
        """Both edits as one; `later` must have been made right after this one.

        Raises
        ------
        StaleEdit
            If `later` expects other values than this edit leaves, or changes another group.
        """
        if self.is_nothing or later.is_nothing:
            return later if self.is_nothing else self
        if later.group != self.group:
            raise StaleEdit("the second edit changes another group of segments")
        low = tuple(min(a, b) for a, b in zip(self.low, later.low, strict=True))
        high = [
            max(a + n, b + m)
            for a, n, b, m in zip(
                self.low, self.changed.shape, later.low, later.changed.shape, strict=True
            )
        ]
        corner: Index = (low[0], low[1], low[2])
        shape = tuple(h - a for h, a in zip(high, low, strict=True))
        dtype = np.promote_types(self.before.dtype, later.before.dtype)
        known, before, now = np.zeros(shape, bool), np.zeros(shape, dtype), np.zeros(shape, dtype)
        _place(self, corner, known, before, now)
        inside = tuple(
            slice(b - a, b - a + m)
            for a, b, m in zip(low, later.low, later.changed.shape, strict=True)
        )
        both = known[inside] & later.changed
        expected = np.zeros(later.changed.shape, dtype)
        expected[later.changed] = later.before
        if (now[inside][both] != expected[both]).any():
            raise StaleEdit("the second edit was not made right after the first")
        fresh = later.changed & ~both
        before[inside][fresh] = expected[fresh]
        known[inside] |= later.changed
        now[inside][later.changed] = later.after
        return Edit.between(corner, before, np.where(known, now, before), group=self.group)

    def fits(self, labels: npt.NDArray[Any]) -> bool:
        """True where the box is inside, `before` is what is there, and `after` can be."""
        inside = all(
            a + n <= size
            for a, n, size in zip(self.low, self.changed.shape, labels.shape, strict=True)
        )
        can_be = int(self.after.max(initial=0)) <= np.iinfo(labels.dtype).max
        if not (inside and can_be):
            return False
        there, only = labels[self.box], _only_value(self.before)
        if only is None:
            return bool(np.array_equal(there[self.changed], self.before))
        return not bool((self.changed & (there != only)).any())

    def write(self, labels: npt.NDArray[Any]) -> None:
        """Change the array. Only `Segmentation.apply` and replay call this."""
        there, only = labels[self.box], _only_value(self.after)
        if only is None:
            there[self.changed] = self.after
            return
        value = labels.dtype.type(only)
        for plane, where in zip(there, self.changed, strict=True):
            # All bits of what changes: looking voxels up one by one may take 30 times as long.
            chosen = -where.astype(labels.dtype)
            plane[...] = (plane & ~chosen) | (chosen & value)


def _only_value(values: npt.NDArray[Any]) -> int | None:
    """The value that all have, so that no voxel need be looked up; None where they differ."""
    if values.size == 0 or values[0] != values[-1] or not (values == values[0]).all():
        return None
    return int(values[0])


def label_values(values: npt.NDArray[Any]) -> frozenset[int]:
    """Every label value of a flat array, background left out."""
    if values.size == 0:
        return frozenset()
    lowest, highest = int(values.min()), int(values.max())
    if lowest == highest:  # as of a fill: a hundred times as fast as counting
        return frozenset({lowest} - {0})
    return frozenset(int(value) for value in np.flatnonzero(_counted(values, highest + 1)) if value)


def _counted(values: npt.NDArray[Any], length: int) -> npt.NDArray[np.int64]:
    """How often each of the numbers below `length` is there; in parts, which stay in the cache."""
    found = np.zeros(length, np.int64)
    for start in range(0, values.size, _AT_ONCE):
        found += np.bincount(values[start : start + _AT_ONCE], minlength=length)
    return found


def _too_large() -> InputError:
    return InputError("the label's value is larger than this segmentation can hold")


def _bounds(mask: BoolArray) -> tuple[slice, slice, slice] | None:
    """The smallest box around the True voxels, or None where there are none."""
    found: list[slice] = []
    for axis in range(3):
        others = tuple(n for n in range(3) if n != axis)
        hits = np.flatnonzero(mask.any(axis=others))
        if hits.size == 0:
            return None
        found.append(slice(int(hits[0]), int(hits[-1]) + 1))
    return (found[0], found[1], found[2])


def _place(
    edit: Edit, corner: Index, known: BoolArray, before: npt.NDArray[Any], now: npt.NDArray[Any]
) -> None:
    box = tuple(
        slice(a - c, a - c + n)
        for a, c, n in zip(edit.low, corner, edit.changed.shape, strict=True)
    )
    known[box] |= edit.changed
    before[box][edit.changed] = edit.before
    now[box][edit.changed] = edit.after
