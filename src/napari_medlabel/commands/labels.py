"""Drawing: every change of voxels or segments that a person can make."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_medlabel.commands.dicom_masks import brought_in
from napari_medlabel.commands.door import command
from napari_medlabel.commands.masks import labels_in
from napari_medlabel.commands.saving import save
from napari_medlabel.commands.sources import read
from napari_medlabel.core.edit import Edit, LabelArray, label_values
from napari_medlabel.core.grouping import free_group, move_label
from napari_medlabel.core.schema import PALETTE, Label, LabelSchema
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.errors import InputError
from napari_medlabel.export import same_grid_or_refuse
from napari_medlabel.files import shown
from napari_medlabel.formats.dicom_labels import open_dicom_labels
from napari_medlabel.session import OpenCase, Permission, Session

__all__ = [
    "delete_label",
    "import_mask",
    "lock_label",
    "paint",
    "redo",
    "segments_of_mask",
    "set_group",
    "set_label",
    "undo",
]


@command(needs=Permission.SEGMENT)
def paint(
    session: Session,  # noqa: ARG001  # the door's
    case: OpenCase,
    edit: Edit,
    *,
    tool: str = "Paint",
    settings: Mapping[str, Any] | None = None,
) -> Edit:
    """Write an edit; return what was written (see `Segmentation.apply`)."""
    case.check_open()
    return case.segmentation.apply(edit, tool=tool, settings=settings)


@command(needs=Permission.SEGMENT)
def undo(session: Session, case: OpenCase) -> Edit | None:  # noqa: ARG001  # the door's
    """Take the last step back; None where there is none."""
    case.check_open()
    return case.segmentation.undo()


@command(needs=Permission.SEGMENT)
def redo(session: Session, case: OpenCase) -> Edit | None:  # noqa: ARG001  # the door's
    """Make the step that was taken back last again; None where there is none."""
    case.check_open()
    return case.segmentation.redo()


@command(needs=Permission.SEGMENT)
def set_label(session: Session, case: OpenCase, label: Label) -> None:  # noqa: ARG001  # the door's
    """Add a segment, or change the one with the label's value."""
    case.check_open()
    case.segmentation.set_label(label)


@command(needs=Permission.SEGMENT)
def set_group(
    session: Session,  # noqa: ARG001  # the door's
    case: OpenCase,
    value: int,
    group: int | None = None,
    *,
    over_others: bool = False,
) -> tuple[Edit, ...]:
    """Move a segment to another group with its voxels: see `core.grouping.move_label`.

    Without a group it is the lowest one in which the segment overlaps no other.
    """
    case.check_open()
    seg = case.segmentation
    target = free_group(seg, value) if group is None else group
    return move_label(seg, value, target, over_others=over_others)


@command(needs=Permission.SEGMENT)
def delete_label(session: Session, case: OpenCase, value: int) -> Edit:  # noqa: ARG001  # the door's
    """Delete a segment with all its voxels: one step that can be undone."""
    case.check_open()
    return case.segmentation.delete_label(value)


@command(needs=Permission.SEGMENT)
def lock_label(
    session: Session,  # noqa: ARG001  # the door's
    case: OpenCase,
    value: int,
    *,
    on: bool = True,
) -> None:
    """Protect a segment, or stop protecting it."""
    case.check_open()
    case.segmentation.lock(value, on=on)


@command(needs=Permission.SEGMENT)
def import_mask(  # noqa: PLR0913  # each is a choice the person makes
    session: Session,
    case: OpenCase,
    path: Path,
    schema: LabelSchema | None = None,
    *,
    segments: Sequence[str] = (),
    on_top: Sequence[str] = (),
) -> tuple[Edit, ...]:
    """Bring in the labels of a mask file on the case's grid: one step that can be undone.

    Voxels that the mask leaves empty are left as they are. What was drawn before is saved as a
    version first. Labels that are new get a segment. Segments of a DICOM segmentation or
    structure set that overlap come into different groups.

    Parameters
    ----------
    case
        An open case.
    path
        A mask in any format that is opened, a DICOM segmentation or an RT structure set. These
        two are placed by position: a frame or contour lies on the slice that it was drawn on.
    schema
        What the values mean.
    segments
        Of a segmentation or structure set, the numbers or names of those to take; else all.
    on_top
        Of those, which win where segments overlap, the topmost first: all are laid flat then.

    Returns
    -------
    tuple of Edit
        What was written, one for each group.

    Raises
    ------
    GeometryError
        If the mask lies on another grid; says how it differs.
    InputError
        If it does not hold labels, or its labels mean something else than the case's; or if
        segments overlap that are of one group already, or nothing says which one is on top.
    """
    case.check_open()
    old = case.segmentation.schema
    dicom = open_dicom_labels(path)
    if dicom is not None:
        found = brought_in(
            dicom, case.volume.source, _merged(old, schema, frozenset()),
            segments=segments, on_top=on_top,
        )  # fmt: skip
        arrays, merged, settings = found.arrays, found.schema, found.settings
    else:
        if segments or on_top:
            raise InputError("only DICOM segmentations and structure sets name their segments")
        mask = read(path)
        same_grid_or_refuse(mask.geometry, case.segmentation.geometry)
        values, settings = labels_in(mask), {}
        merged = _merged(old, schema, label_values(values.ravel()))
        arrays = _by_group(values, merged)
    if any(array.any() for array in case.segmentation.arrays.values()):
        save(session, case, "Before a mask was imported")
    edits = [_over(case.segmentation, group, array) for group, array in arrays.items()]
    return case.segmentation.apply_all(
        edits, tool="Import mask", settings=settings, schema=merged, whole=True
    )


@command(needs=Permission.VIEW)
def segments_of_mask(session: Session, path: Path) -> dict[str, Any]:  # noqa: ARG001  # the door's
    """What a DICOM segmentation or an RT structure set holds, as a JSON-ready document.

    Raises
    ------
    InputError
        If it is neither, or is damaged.
    """
    found = open_dicom_labels(path)
    if found is None:
        raise InputError(
            f"{shown(path)} is no DICOM segmentation or structure set",
            "other masks have values, which `stats` lists",
        )
    rows = [
        {
            "number": one.number,
            "name": one.as_label().name,
            "color": one.color,
            "code": f"{one.code.value} {one.code.scheme}" if one.code else "",
            "meaning": one.code.meaning if one.code else "",
            "made": one.algorithm,
        }
        for one in found.segments
    ]
    problems = [problem.document() for problem in found.problems]
    return {"format": 1, "kind": found.kind, "segments": rows, "problems": problems}


def _by_group(values: LabelArray, schema: LabelSchema) -> dict[int, LabelArray]:
    """The labels of each group that a flat mask has any of; of group 0 in any case."""
    found = {schema[value].group for value in label_values(values.ravel())}
    if found <= {0}:
        return {0: values}
    table = np.zeros(int(values.max()) + 1, np.uint16)
    for label in schema:
        table[label.value : label.value + 1] = label.group
    groups = table[values]
    return {group: np.where(groups == group, values, 0) for group in sorted({0, *found})}


def _over(segmentation: Segmentation, group: int, values: LabelArray) -> Edit:
    """What lays labels over those of a group."""
    nothing = np.broadcast_to(np.uint8(0), segmentation.geometry.shape)
    before: LabelArray = segmentation.arrays.get(group, nothing)
    if int(values.max(initial=0)) > np.iinfo(before.dtype).max:
        before = before.astype(np.uint16)
    after = np.where(values > 0, values.astype(before.dtype), before)
    return Edit.between((0, 0, 0), before, after, group=group)


def _merged(old: LabelSchema, offered: LabelSchema | None, values: frozenset[int]) -> LabelSchema:
    """The schema with all offered labels, and one for each other value."""
    merged = old
    for label in offered or ():
        known = merged.get(label.value)
        if known is not None and known.name.casefold() != label.name.casefold():
            raise InputError(
                f"value {label.value} is '{label.name}' in the mask and '{known.name}' in the case",
                "change the values in the mask or the names in the case",
            )
        merged = merged if known else merged.with_label(label)
    for value in sorted(values):
        if merged.get(value) is None:
            name = merged.next_label(f"Segment {value}").name
            merged = merged.with_label(Label(value, name, PALETTE[(value - 1) % len(PALETTE)]))
    return merged
