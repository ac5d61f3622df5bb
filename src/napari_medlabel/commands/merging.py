"""Two segments made one."""

from napari_medlabel.commands.door import command
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.grouping import overlaps_in
from napari_medlabel.core.region_logic import relabel
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.errors import InputError
from napari_medlabel.session import OpenCase, Permission, Session

__all__ = ["merge_segments"]


@command(needs=Permission.SEGMENT)
def merge_segments(
    session: Session,  # noqa: ARG001  # the door's
    case: OpenCase,
    value: int,
    into: int,
) -> tuple[Edit, ...]:
    """Give a segment's voxels to another and delete it: one step that can be undone.

    Annotations that belong to it belong to the other then.

    Parameters
    ----------
    case
        An open case.
    value
        Label value of the segment that goes.
    into
        That of the one that takes its voxels; it may be of another group.

    Returns
    -------
    tuple of Edit
        What was written, one for each group that changed.

    Raises
    ------
    InputError
        If both are one, there is no such segment, or the voxels would take the place of a third
        segment in the other's group.
    Locked
        If one of the two is locked.
    """
    case.check_open()
    seg = case.segmentation
    if value == into:
        raise InputError("a segment cannot be merged into itself", "choose another one")
    source, target = seg.schema[value], seg.schema[into]
    if source.group == target.group:
        edits = [relabel(seg.labels_of(value), {value: into}).in_group(source.group)]
    else:
        _check_room(case, value, into)
        edits = _across(seg, value, into)
    return seg.apply_all(
        edits, tool="Merge segments", settings={"label": value, "into": into},
        schema=seg.schema.without(value), annotations=seg.annotations.with_segments({value: into}),
        whole=True,
    )  # fmt: skip


def _check_room(case: OpenCase, value: int, into: int) -> None:
    """Pass where no third segment of the other's group has voxels of this one."""
    schema = case.segmentation.schema
    others = overlaps_in(case.segmentation, value, schema[into].group)
    taken = [schema[other].name for other in others if other != into]
    if taken:
        raise InputError(
            f"'{schema[value].name}' overlaps '{taken[0]}', which is in the group of "
            f"'{schema[into].name}'",
            "move that one to another group first",
        )


def _across(seg: Segmentation, value: int, into: int) -> list[Edit]:
    """Out of the one's group and into the other's."""
    slices = seg.slices(value)
    own, other = seg.labels_of(value), seg.labels_of(into)
    if slices.size == 0:
        return [Edit.nothing(own.dtype, seg.group_of(value))]
    first, last = int(slices[0]), int(slices[-1])
    where = own[first : last + 1] == value
    corner = (first, 0, 0)
    return [
        Edit.fill(own, corner, where, 0, group=seg.group_of(value)),
        Edit.fill(other, corner, where, into, group=seg.group_of(into)),
    ]
