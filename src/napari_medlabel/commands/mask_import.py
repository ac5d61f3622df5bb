"""A mask brought into an open case segment by segment: what it holds, and where each part goes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from napari_medlabel.commands.dicom_masks import brought_in, check_same_patient_space
from napari_medlabel.commands.door import command
from napari_medlabel.commands.masks import LabelMaps, label_maps
from napari_medlabel.commands.saving import save
from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.region import Report, Stop, never, silent
from napari_medlabel.core.resampled_labels import labels_onto
from napari_medlabel.core.schema import PALETTE, Label, LabelSchema
from napari_medlabel.core.schema_document import SchemaDocument
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.formats.dicom_labels import DicomLabels, open_dicom_labels
from napari_medlabel.session import OpenCase, Permission, Session

__all__ = ["MaskContent", "MaskSegment", "import_segments", "mask_content"]

NEW: Final = 0
_ENDINGS: Final = (".gz", ".nii", ".seg.nrrd", ".nrrd", ".nhdr", ".mha", ".mhd", ".zarr", ".ome")


@dataclass(frozen=True, slots=True)
class MaskSegment:
    """One segment of a mask file.

    Parameters
    ----------
    number
        Its label value or segment number in the file.
    name, color, code
        As the file says, or made up; `code` in words.
    ml
        Its volume on its own grid.
    into
        Where it may go: the label value of the case's segment of that name, or 0 for a new one.
    """

    number: int
    name: str
    color: str
    code: str
    ml: float
    into: int = NEW


@dataclass(frozen=True, slots=True, eq=False)
class MaskContent:
    """What a mask file holds.

    Parameters
    ----------
    kind
        "mask", "dicom-seg" or "rtstruct".
    segments
        In order of their numbers.
    differs
        How its grid differs from the case's, with numbers; "" where it does not.
    notes
        What a person must know of it.
    maps
        Its labels, on their own grid where `differs`.
    labels
        By number, as the file says what they are; their group is their place in `maps`.
    """

    kind: str
    segments: tuple[MaskSegment, ...]
    differs: str
    notes: tuple[str, ...]
    maps: LabelMaps
    labels: Mapping[int, Label]


@command(needs=Permission.VIEW)
def mask_content(session: Session, case: OpenCase, path: Path) -> MaskContent:  # noqa: ARG001
    """What a mask file would bring into a case.

    Names and colours of a file without any are taken from a NAME.labels.json beside it.

    Parameters
    ----------
    case
        An open case.
    path
        A mask in any format that is opened, a DICOM segmentation or an RT structure set.

    Raises
    ------
    GeometryError
        If it was made on images of another patient space.
    InputError
        If it holds no labels.
    """
    case.check_open()
    dicom = open_dicom_labels(path)
    if dicom is None:
        maps = label_maps(path)
        named = {label.value: label for label in _schema_beside(path)}
        kind, notes = "mask", tuple[str, ...]()
        differs = _difference(maps.geometry, case.segmentation.geometry)
    else:
        maps, named, differs = _of_dicom(case, dicom, path)
        kind, notes = dicom.kind, tuple(problem.what for problem in dicom.problems)
    voxels = _voxels(maps)
    if not voxels:
        raise InputError("the mask is empty", "choose one that has segments")
    labels = {
        number: replace(named.get(number) or _made_up(number), group=voxels[number][0])
        for number in sorted(voxels)
    }
    segments = tuple(
        MaskSegment(
            number, label.name, label.color, label.code.meaning if label.code else "",
            voxels[number][1] * maps.geometry.voxel_ml,
            _known(case.segmentation.schema, label, by_name=number in named),
        )
        for number, label in labels.items()
    )  # fmt: skip
    return MaskContent(kind, segments, differs, notes, maps, labels)


@command(needs=Permission.SEGMENT)
def import_segments(  # noqa: PLR0913
    session: Session, case: OpenCase, content: MaskContent, into: Mapping[int, int], *,
    resample: bool = False, cancelled: Stop = never, progress: Report = silent,
) -> tuple[Edit, ...]:  # fmt: skip
    """Bring segments of a mask into a case: one step that can be undone.

    What was drawn before is saved as a version first. Voxels that the segments leave empty stay
    as they are; those that they have are taken from other segments of the same group.

    Parameters
    ----------
    case
        An open case.
    content
        What `mask_content` answered for this case.
    into
        By the number of each segment to take: the label value of a segment of the case, or 0 for
        a new one.
    resample
        Whether labels on another grid are brought onto the case's, each voxel to the nearest.
    cancelled, progress
        Of resampling.

    Returns
    -------
    tuple of Edit
        What was written, one for each group.

    Raises
    ------
    GeometryError
        If the mask lies on another grid and is not to be resampled.
    InputError
        If no segment is taken, two of them overlap and would come into one group, or none of
        them lies within the image.
    Locked
        If a locked segment would change.
    Cancelled
        If `cancelled` says so.
    """
    case.check_open()
    seg = case.segmentation
    if not into:
        raise InputError("no segment is chosen", "choose one or more")
    if content.differs and not resample:
        raise GeometryError(content.differs, "resample it, or choose the mask made on this image")
    schema, targets = _targets(seg.schema, content, into)
    arrays = [
        labels_onto(array, content.maps.geometry, seg.geometry, cancelled=cancelled,
                    progress=progress) if content.differs else array
        for array in content.maps.arrays
    ]  # fmt: skip
    laid = _laid(arrays, targets, schema, seg.geometry.shape)
    if not any(labels.any() for labels in laid.values()):
        raise InputError("nothing of the mask lies within the image", "choose another mask")
    if any(array.any() for array in seg.arrays.values()):
        save(session, case, "Before a mask was imported")
    edits = [_over(seg, group, values) for group, values in laid.items()]
    settings: dict[str, Any] = {
        "from": content.kind, "resampled": bool(content.differs),
        "into": {str(number): value for number, value in targets.items()},
    }  # fmt: skip
    return seg.apply_all(edits, tool="Import mask", settings=settings, schema=schema, whole=True)


def _of_dicom(
    case: OpenCase, dicom: DicomLabels, path: Path
) -> tuple[LabelMaps, dict[int, Label], str]:
    """Its labels on the case's grid, or on their own; what they are; how the grids differ."""
    source = case.volume.source
    check_same_patient_space(dicom, source)
    try:
        found = brought_in(dicom, source, LabelSchema())
    except GeometryError as error:
        named = {one.number: replace(one.as_label(), value=one.number) for one in dicom.segments}
        try:
            return label_maps(path), named, error.what
        except InputError:
            raise error from None
    groups = sorted(found.arrays)
    maps = LabelMaps(case.segmentation.geometry, tuple(found.arrays[group] for group in groups))
    return maps, {label.value: label for label in found.schema}, ""


def _schema_beside(path: Path) -> LabelSchema:
    """What an export wrote beside its mask; no labels where there is nothing of it."""
    stem = path.name
    for ending in _ENDINGS:
        stem = stem.removesuffix(ending)
    beside = path.with_name(f"{stem}.labels.json")
    try:
        return SchemaDocument.from_document(json.loads(beside.read_text("utf-8"))).schema
    except (OSError, ValueError, InputError):  # it is a courtesy: names can be given later
        return LabelSchema()


def _difference(mask: Geometry, image: Geometry) -> str:
    """How two grids differ, in words with numbers; "" where they do not."""
    if mask.same_grid(image):
        return ""
    words = []
    if mask.shape != image.shape:
        words.append(f"{_size(mask)} voxels, not {_size(image)}")
    if not np.allclose(mask.spacing_mm, image.spacing_mm, atol=1e-4):
        words.append(f"{_spacing(mask)} mm apart, not {_spacing(image)} mm")
    if not words or mask.shape == image.shape:
        words.append(f"its corners are up to {mask.difference_mm(image):.1f} mm from the image's")
    return f"the mask lies on another grid: {', '.join(words)}"


def _size(grid: Geometry) -> str:
    return " \N{MULTIPLICATION SIGN} ".join(str(n) for n in grid.shape[::-1])


def _spacing(grid: Geometry) -> str:
    return " \N{MULTIPLICATION SIGN} ".join(f"{n:.3g}" for n in grid.spacing_mm[::-1])


def _voxels(maps: LabelMaps) -> dict[int, tuple[int, int]]:
    """Which array each label is in, and how many voxels it has."""
    found: dict[int, tuple[int, int]] = {}
    for at, array in enumerate(maps.arrays):
        counts = np.zeros(int(array.max(initial=0)) + 1, np.int64)
        for plane in array:
            counts += np.bincount(plane.ravel(), minlength=len(counts))
        found |= {int(n): (at, int(counts[n])) for n in np.flatnonzero(counts) if n}
    return found


def _made_up(number: int) -> Label:
    return Label(number, f"Segment {number}", PALETTE[(number - 1) % len(PALETTE)])


def _known(schema: LabelSchema, label: Label, *, by_name: bool) -> int:
    """The label value of the case's segment that this may go into; 0 for none."""
    if not by_name:  # a file without names: values are all that it says
        return label.value if schema.get(label.value) else NEW
    name = label.name.casefold()
    return next((one.value for one in schema if one.name.casefold() == name), NEW)


def _targets(
    schema: LabelSchema, content: MaskContent, into: Mapping[int, int]
) -> tuple[LabelSchema, dict[int, int]]:
    """The case's schema with new labels, and the label value of each number that is taken."""
    targets: dict[int, int] = {}
    for number, value in into.items():
        if value != NEW:
            targets[number] = schema[value].value
            continue
        offered = content.labels[number]
        free = schema.next_label(offered.name)
        if schema.get(number) is None:
            free = replace(free, value=number)
        label = replace(offered, value=free.value, name=free.name)
        schema = schema.with_label(label)
        targets[number] = label.value
    return schema, targets


def _laid(
    arrays: list[LabelArray], targets: Mapping[int, int], schema: LabelSchema,
    shape: tuple[int, int, int],
) -> dict[int, LabelArray]:  # fmt: skip
    """New labels by their group, 0 where nothing changes."""
    laid: dict[int, LabelArray] = {}
    for array in arrays:
        highest = int(array.max(initial=0))
        for group in sorted({schema[value].group for value in targets.values()}):
            table = np.zeros(max(highest, *targets) + 1, np.uint16)
            for number, value in targets.items():
                table[number] = value if schema[value].group == group else 0
            values = table[array]
            if not values.any():
                continue
            into = laid.setdefault(group, np.zeros(shape, np.uint16))
            both = int(np.count_nonzero((into > 0) & (values > 0) & (into != values)))
            if both:
                raise InputError(
                    f"segments overlap in {both:,} voxels and would come into one group",
                    "bring one of them in as a new segment, and the other after it",
                )
            np.copyto(into, values, where=values > 0)
    return laid


def _over(segmentation: Segmentation, group: int, values: LabelArray) -> Edit:
    """What lays labels over those of a group."""
    nothing = np.broadcast_to(np.uint8(0), segmentation.geometry.shape)
    before: LabelArray = segmentation.arrays.get(group, nothing)
    if int(values.max(initial=0)) > np.iinfo(before.dtype).max:
        before = before.astype(np.uint16)
    after = np.where(values > 0, values.astype(before.dtype), before)
    return Edit.between((0, 0, 0), before, after, group=group)
