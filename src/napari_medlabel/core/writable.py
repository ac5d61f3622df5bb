"""What of an edit may be written: locks, the intensity mask, and the schema decide."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.edit import Edit, label_values
from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.history import Step
from napari_medlabel.core.schema import LabelSchema
from napari_medlabel.core.volume import Grid
from napari_medlabel.errors import InputError, Locked

__all__ = ["Checked", "IntensityMask", "check_labels", "check_unlocked", "permitted"]


@dataclass(frozen=True, slots=True, eq=False)
class IntensityMask:
    """Only voxels whose image value lies within the limits (both included) may change.

    With `outside`, only those whose value does not.
    """

    image: Grid
    lower: float
    upper: float
    outside: bool = False

    def allows(self, box: tuple[slice, slice, slice]) -> BoolArray:
        """bool, the box's shape."""
        return self.passes(self.image[box])

    def passes(self, values: npt.NDArray[Any]) -> BoolArray:
        """Which of some image values may change, bool, their shape."""
        inside: BoolArray = (values >= self.lower) & (values <= self.upper)
        return ~inside if self.outside else inside


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """Edits that a segmentation has looked at already, and when: `Segmentation.check` makes them.

    Parameters
    ----------
    wanted
        What was looked at; it fitted the labels.
    edits
        What locks and the intensity mask left of it.
    at
        The state of the segmentation then; where it is another now, this is worth nothing.
    """

    wanted: Sequence[Edit]
    edits: tuple[Edit, ...]
    at: tuple[object, ...]


def permitted(edit: Edit, locked: Collection[int], mask: IntensityMask | None) -> Edit:
    """The part of the edit that locks and the intensity mask leave.

    A voxel of an edit has labels of one group alone, so that the lock of a label in another
    group, over or under it, is no hindrance.
    """
    if locked and not edit.touched().isdisjoint(locked):
        protected = np.array(sorted(locked))
        free = edit.changed.copy()
        free[edit.changed] = ~(np.isin(edit.before, protected) | np.isin(edit.after, protected))
        edit = edit.only(free)
    if mask is not None and not edit.is_nothing:
        edit = edit.only(mask.allows(edit.box))
    return edit


def check_unlocked(
    step: Step, locked: frozenset[int], schema: LabelSchema, *, voxels: bool = True
) -> None:
    """Pass where a step keeps every locked label and, with `voxels`, leaves its voxels alone.

    Raises
    ------
    Locked
        With the names of those in the way.
    """
    hurt = frozenset[int]()
    if voxels and locked:
        hurt = hurt.union(*(locked & edit.touched() for edit in step.edits))
    if step.schema_after is not None:
        hurt |= locked - {label.value for label in step.schema_after}
    if hurt:
        names = [label.name for label in schema if label.value in hurt]
        raise Locked(f"this would change a locked segment: {', '.join(names)}", "unlock it first")


def check_labels(
    edits: Sequence[Edit],
    now: LabelSchema,
    then: LabelSchema,
    voxels: Callable[[int], int],
) -> None:
    """Pass where every voxel has a label of its own group, before and after.

    Parameters
    ----------
    edits
        That are to be written, one for each group.
    now, then
        The schema before and after.
    voxels
        How many a label value has before.

    Raises
    ------
    InputError
        If one is given a value that is not in the schema, or of another group; or if voxels
        would be left without a label.
    """
    for edit in edits:
        _check_values(edit, then)
    for label in now:
        new = then.get(label.value)
        if new is not None and new.group == label.group:
            continue
        gained = (edit.gained() for edit in edits if edit.group == label.group)
        if voxels(label.value) + sum(one.get(label.value, 0) for one in gained) == 0:
            continue
        if new is None:
            raise InputError(f"'{label.name}' still has voxels and cannot leave the schema")
        raise InputError(
            f"'{label.name}' still has voxels in group {label.group}", "move it with its voxels"
        )


def _check_values(edit: Edit, schema: LabelSchema) -> None:
    for value in sorted(label_values(edit.after)):
        label = schema.get(value)
        if label is None:
            raise InputError(f"the schema has no label with value {value}")
        if label.group != edit.group:
            raise InputError(
                f"'{label.name}' is of group {label.group}, not of group {edit.group}",
                "draw it into the labels of its own group",
            )
