"""Labels moved from one group to another, with their voxels."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.schema import LabelSchema
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.errors import InputError

__all__ = ["chosen_in_groups", "free_group", "in_its_group", "move_label", "overlaps_in"]


def in_its_group(segmentation: Segmentation, edit: Edit) -> Edit:
    """An edit that a tool made of one group's labels, as one of that group.

    Label values say which it is, for each is of one group.
    """
    touched = (segmentation.schema.get(value) for value in sorted(edit.touched()))
    return edit.in_group(next((label.group for label in touched if label is not None), edit.group))


def chosen_in_groups(
    segmentation: Segmentation, values: Sequence[int]
) -> dict[int, tuple[int, ...]]:
    """The groups that label values are of, with the values of each.

    Without values it is every group that has voxels, or group 0 where none has, each with no
    values: whatever there is.

    Raises
    ------
    InputError
        If there is no label with one of the values.
    """
    if values:
        groups = sorted({segmentation.group_of(value) for value in values})
        return {
            group: tuple(one for one in values if segmentation.group_of(one) == group)
            for group in groups
        }
    drawn = {label.group for label in segmentation.schema if segmentation.voxels(label.value)}
    return dict.fromkeys(sorted(drawn) or (0,), ())


def move_label(
    segmentation: Segmentation, value: int, group: int, *, over_others: bool = False
) -> tuple[Edit, ...]:
    """Move a label with all its voxels to another group: one step of the history.

    Parameters
    ----------
    segmentation
        That holds it.
    value
        Of the label.
    group
        Where to; it may be one that no label is of yet.
    over_others
        Whether its voxels are taken from labels of that group that have them. Else it is not
        moved where it overlaps them.

    Returns
    -------
    tuple of Edit
        What was written: nothing where it is of that group already.

    Raises
    ------
    InputError
        If there is no such label, or it overlaps labels of that group; says which, and by how
        many voxels.
    Locked
        If the label, or one whose voxels it would take, is locked.
    ReadOnly, NotSaved
        Nothing is changed then.
    """
    label = segmentation.schema[value]
    if label.group == group:
        return ()
    schema = segmentation.schema.with_label(replace(label, group=group))
    overlaps = overlaps_in(segmentation, value, group)
    if overlaps and not over_others:
        raise InputError(
            f"'{label.name}' overlaps {_told(segmentation.schema, overlaps)} in group {group}",
            "choose another group, or one that is new",
        )
    edits = _edits(segmentation, value, group)
    settings = {"label": value, "from": label.group, "to": group, "over_others": over_others}
    return segmentation.apply_all(
        edits, tool="Move to group", settings=settings, schema=schema, whole=True
    )


def overlaps_in(segmentation: Segmentation, value: int, group: int) -> dict[int, int]:
    """How many voxels of a label each other label of a group has too, by its value."""
    low, where = _where(segmentation, value)
    others = _array(segmentation, group)[low : low + len(where)][where]
    counts = np.bincount(others.ravel())
    found = {int(other): int(counts[other]) for other in np.flatnonzero(counts)}
    return {other: count for other, count in found.items() if other not in {0, value}}


def free_group(segmentation: Segmentation, value: int) -> int:
    """The lowest group in which a label overlaps no other; its own, if that is it."""
    groups = segmentation.schema.groups
    new = next(n for n in range(len(groups) + 1) if n not in groups)
    return next(
        group for group in sorted((*groups, new)) if not overlaps_in(segmentation, value, group)
    )


def _edits(segmentation: Segmentation, value: int, group: int) -> tuple[Edit, Edit]:
    """Out of the label's own array, and into that of the group."""
    low, where = _where(segmentation, value)
    own, corner = segmentation.group_of(value), (low, 0, 0)
    target = _array(segmentation, group)
    return (
        Edit.fill(segmentation.labels_of(value), corner, where, 0, group=own),
        Edit.fill(target, corner, where, value, group=group),
    )


def _where(segmentation: Segmentation, value: int) -> tuple[int, BoolArray]:
    """The slices from the first to the last that have the label, as a mask, and the first."""
    slices: npt.NDArray[np.intp] = segmentation.slices(value)
    if slices.size == 0:
        return 0, np.zeros((0, *segmentation.geometry.shape[1:]), bool)
    first, last = int(slices[0]), int(slices[-1])
    return first, segmentation.labels_of(value)[first : last + 1] == value


def _array(segmentation: Segmentation, group: int) -> LabelArray:
    """The labels of a group, or none at all where it is a new one."""
    known = segmentation.arrays.get(group)
    return np.broadcast_to(np.uint8(0), segmentation.geometry.shape) if known is None else known


def _told(schema: LabelSchema, overlaps: dict[int, int]) -> str:
    """The labels in the way, the largest overlap first; of many the first three."""
    worst: Sequence[int] = sorted(overlaps, key=lambda value: (-overlaps[value], value))
    words = [f"'{schema[value].name}' in {overlaps[value]:,} voxels" for value in worst[:3]]
    more = len(worst) - len(words)
    return ", ".join(words) + (f" and {more} more" if more else "")
