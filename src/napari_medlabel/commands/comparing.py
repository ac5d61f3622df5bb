"""An open case beside another mask of it: a file, or one of its versions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.commands.dicom_masks import brought_in
from napari_medlabel.commands.door import command
from napari_medlabel.commands.masks import labels_in
from napari_medlabel.commands.saving import arrays_of
from napari_medlabel.core.edit import LabelArray
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.metrics import compare_labels
from napari_medlabel.core.region import Report, Stop, check_not_stopped, never, silent
from napari_medlabel.core.resampled_labels import labels_onto
from napari_medlabel.core.schema import LabelSchema
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.errors import GeometryError
from napari_medlabel.export import same_grid_or_refuse
from napari_medlabel.formats import read
from napari_medlabel.formats.dicom_labels import open_dicom_labels
from napari_medlabel.session import OpenCase, Permission, Session

__all__ = ["ONLY_CASE", "ONLY_OTHER", "OTHER_LABEL", "CaseComparison", "compare_case"]

ONLY_CASE: Final = 1
ONLY_OTHER: Final = 2
OTHER_LABEL: Final = 3
_Arrays = Mapping[int, LabelArray]


@dataclass(frozen=True, slots=True, eq=False)
class CaseComparison:
    """How far a case and another mask agree.

    Parameters
    ----------
    segments
        One JSON-ready row for each label that either has: `value`, `name`, `color`, and the
        numbers of `core.metrics.LabelComparison`, where a is the case and b the other.
    difference
        uint8, the case's grid: 0 where both agree, `ONLY_CASE`, `ONLY_OTHER`, or `OTHER_LABEL`
        where both have a label, but not the same.
    resampled
        Whether the other mask was on another grid.
    """

    segments: tuple[Mapping[str, Any], ...]
    difference: npt.NDArray[np.uint8]
    resampled: bool = False

    def document(self) -> dict[str, Any]:
        """The numbers as JSON-ready values."""
        return {"format": 1, "resampled": self.resampled, "segments": list(self.segments)}


@command(needs=Permission.VIEW)
def compare_case(  # noqa: PLR0913
    session: Session, case: OpenCase, other: Path | int, *, resample: bool = False,
    cancelled: Stop = never, progress: Report = silent,
) -> CaseComparison:  # fmt: skip
    """Compare the labels of an open case with a mask file, or with a version of the case.

    Parameters
    ----------
    case
        An open case.
    other
        A mask in any format that is opened, a DICOM segmentation or an RT structure set; or the
        number of a version.
    resample
        Whether a mask on another grid is brought onto the case's, each voxel to the nearest.
    cancelled
        Polled for each label.
    progress
        Called with labels done and in all.

    Raises
    ------
    GeometryError
        If the mask lies on another grid; says how it differs.
    InputError
        If the file holds no labels, or there is no such version.
    Cancelled
        If `cancelled` says so.
    """
    case.check_open()
    seg = case.segmentation
    theirs, schema, resampled = _other(session, case, other, resample=resample)
    rows, difference = list[Mapping[str, Any]](), np.zeros(seg.geometry.shape, np.uint8)
    for a, b in _pairs(seg, theirs, schema):
        check_not_stopped(cancelled)
        found = compare_labels(a, b, seg.geometry, cancelled=cancelled, progress=progress)
        rows += [_named(one.document(), seg.schema, schema) for one in found]
        _mark(difference, a, b)
    return CaseComparison(
        tuple(sorted(rows, key=lambda row: int(row["value"]))), difference, resampled
    )


def _pairs(
    seg: Segmentation, theirs: _Arrays, schema: LabelSchema
) -> Iterator[tuple[LabelArray, LabelArray]]:
    """The arrays of each group; of a label that was moved to another group, it alone."""
    empty = np.broadcast_to(np.uint8(0), seg.geometry.shape)
    others = {label.value: label.group for label in schema}
    moved = [one.value for one in seg.schema if others.get(one.value, one.group) != one.group]
    for group in sorted({*seg.arrays, *theirs}):
        a, b = seg.arrays.get(group, empty), theirs.get(group, empty)
        if moved:
            a, b = (np.where(np.isin(array, moved), 0, array) for array in (a, b))
        yield a, b
    for value in moved:
        a, b = seg.labels_of(value), theirs.get(others[value], empty)
        yield np.where(a == value, a, 0), np.where(b == value, b, 0)


def _mark(difference: npt.NDArray[np.uint8], a: LabelArray, b: LabelArray) -> None:
    """Note where two arrays differ, slice by slice; what an earlier group noted stays."""
    for plane, mine, other in zip(difference, a, b, strict=True):
        kind = np.where(other == 0, ONLY_CASE, np.where(mine == 0, ONLY_OTHER, OTHER_LABEL))
        np.copyto(plane, kind.astype(np.uint8), where=(mine != other) & (plane == 0))


def _named(
    row: dict[str, Any], schema: LabelSchema, other: LabelSchema
) -> Mapping[str, Any]:  # fmt: skip
    label = schema.get(row["value"]) or other.get(row["value"])
    words = {"name": label.name, "color": label.color} if label else {"name": "", "color": ""}
    return {"value": row["value"]} | words | row


def _other(
    session: Session, case: OpenCase, other: Path | int, *, resample: bool
) -> tuple[_Arrays, LabelSchema, bool]:
    """The other labels by groups as the case has them, what they mean, and if resampled."""
    seg = case.segmentation
    if isinstance(other, int):
        arrays, schema = arrays_of(session, case, other)
        return arrays, schema, False
    dicom = open_dicom_labels(other)
    if dicom is not None:
        found = brought_in(dicom, case.volume.source, seg.schema)
        return found.arrays, found.schema, False
    mask = read(other)
    values, differs = labels_in(mask), not mask.geometry.same_grid(seg.geometry)
    if differs and resample:
        values = labels_onto(values, mask.geometry, seg.geometry)
    else:
        _same_grid_or_offer(mask.geometry, seg.geometry)
    return _by_group(values, seg.schema), seg.schema, differs


def _by_group(values: LabelArray, schema: LabelSchema) -> _Arrays:
    """One array of labels as one for each group of the schema; what it does not have is of 0."""
    others = {label.value: label.group for label in schema if label.group}
    if not others:
        return {0: values}
    arrays = {
        group: np.where(
            np.isin(values, [v for v, own in others.items() if own == group]), values, 0
        )
        for group in set(others.values())
    }
    arrays[0] = np.where(np.isin(values, list(others)), 0, values)
    return arrays


def _same_grid_or_offer(mask: Geometry, image: Geometry) -> None:
    try:
        same_grid_or_refuse(mask, image)
    except GeometryError as error:
        raise GeometryError(
            error.what, "choose the mask that was made on this image, or resample it"
        ) from error
