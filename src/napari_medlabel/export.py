"""Masks with provenance and checksums into a folder, verified by reading them back.

All files are written under hidden names, read back and compared; only then do they get their own
names. Where a comparison fails, nothing appears in the folder.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydicom.dataset import Dataset

from napari_medlabel.core.annotation_export import AnnotationsToExport
from napari_medlabel.core.edit import LabelArray
from napari_medlabel.core.fingerprint import mask_sha256
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.provenance import Provenance
from napari_medlabel.core.schema import LabelSchema
from napari_medlabel.core.volume import Source
from napari_medlabel.errors import GeometryError, InputError, IntegrityError, OutputError
from napari_medlabel.files import check_new_file, new_file, shown
from napari_medlabel.formats import read, write
from napari_medlabel.formats.dicom_labels import open_dicom_labels
from napari_medlabel.formats.dicom_seg import DicomSeg
from napari_medlabel.formats.dicom_seg_describe import is_described
from napari_medlabel.formats.dicom_seg_grid import own_grid
from napari_medlabel.formats.dicom_seg_write import (
    SegContent,
    check_can_be_seg,
    numbers_of,
    write_seg,
)
from napari_medlabel.formats.label_planes import painted

__all__ = [
    "FORMATS", "Check", "Exported", "ExportedFile", "MaskToExport", "export_mask", "export_masks",
]  # fmt: skip

FORMATS: Final[Mapping[str, str]] = {
    "nifti": ".nii.gz", "nrrd": ".nrrd", "dicom-seg": ".seg.dcm",
}  # fmt: skip
LABELS_FORMAT: Final = 1
TOLERANCE_MM: Final = 1e-3  # NIfTI keeps its affine in 32-bit floats


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file that was written and read back."""

    path: Path
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison, with its numbers."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote and how it was verified."""

    files: tuple[ExportedFile, ...]
    checks: tuple[Check, ...]
    provenance: Provenance

    def document(self) -> dict[str, Any]:
        """The answer as JSON-ready values."""
        return {
            "format": 1,
            "files": [
                {"file": one.path.name, "bytes": one.bytes, "sha256": one.sha256}
                for one in self.files
            ],
            "checks": [
                {"name": one.name, "ok": one.ok, "detail": one.detail} for one in self.checks
            ],
        }


@dataclass(frozen=True, slots=True, eq=False)
class MaskToExport:
    """Labels on a canonical grid, and where their voxels are in the source's own grid.

    `labels` are those of group 0, `others` those of every other group of the schema.

    Only for DICOM: `subject` is the pseudonym that stands for the patient, `header` that of an
    instance of the image, whose patient and study are written instead of the pseudonym.
    """

    labels: LabelArray
    source: Source
    schema: LabelSchema
    provenance: Provenance
    subject: str = "case"
    header: Dataset | None = None
    others: Mapping[int, LabelArray] = field(default_factory=dict)
    annotations: AnnotationsToExport | None = None

    def on_source_grid(self) -> dict[int, LabelArray]:
        """The labels of each group in the source's own layout, `[k, j, i]`, C order."""
        axes, groups = self.source.axes.inverse(), {0: self.labels, **self.others}
        return {group: np.ascontiguousarray(axes.apply(one)) for group, one in groups.items()}


def export_masks(
    masks: Mapping[str, MaskToExport],
    folder: Path,
    *,
    formats: Sequence[str] = ("nifti",),
    force: bool = False,
) -> Exported:
    """Several masks by their names, each as `export_mask` writes it; one answer for all.

    Whether all of them can be written is looked at before the first is.
    """
    for name, mask in masks.items():
        _check_request(folder, name, formats, mask.others, force=force)
    done = [
        export_mask(mask, folder, name, formats=formats, force=force)
        for name, mask in masks.items()
    ]
    return Exported(
        tuple(file for one in done for file in one.files),
        tuple(check for one in done for check in one.checks),
        done[0].provenance,
    )


def export_mask(
    mask: MaskToExport,
    folder: Path,
    name: str,
    *,
    formats: Sequence[str] = ("nifti",),
    force: bool = False,
) -> Exported:
    """Write a mask into a folder and verify every file by reading it back.

    Parameters
    ----------
    mask
        What to write; its provenance gets the mask's hash.
    folder
        Made where it is missing.
    name
        What the files are called before their suffix.
    formats
        Of `FORMATS`, one file each; of NIfTI and NRRD one for each group of labels, since a file
        of theirs holds one value for a voxel: `NAME.group-2.nii.gz` of group 2.
    force
        Whether existing files may be replaced. Masks of groups that an earlier export of this
        name has in its checksums, and this one has no more, are removed: they would be taken for
        a part of it.

    Raises
    ------
    InputError
        If the image is not DICOM and the mask shall be.
    OutputError
        If the folder cannot be written or holds such files already.
    IntegrityError
        If a file does not read back as what was to be written; nothing is left then.
    """
    _check_request(folder, name, formats, mask.others, force=force)
    if "dicom-seg" in formats:
        check_can_be_seg(mask.source, mask.schema)
    voxels = mask.on_source_grid()
    named = _mask_files(name, formats, voxels)
    provenance = _with_hashes(mask.provenance, voxels)
    documents = {
        f"{name}.labels.json": _labels_document(mask, voxels, named),
        f"{name}.provenance.json": provenance.document(),
        **_annotations_document(mask, folder / f"{name}.annotations.json"),
    }
    checks: list[Check] = []
    files: list[ExportedFile] = []
    with ExitStack() as publishing:
        for file_name, (kind, group) in named.items():
            path = folder / file_name
            hidden = publishing.enter_context(new_file(path, force=force))
            if kind == "dicom-seg":
                content = SegContent(
                    voxels[0], mask.source, mask.schema, provenance, mask.subject, mask.header,
                    {number: array for number, array in voxels.items() if number},
                )  # fmt: skip
                write_seg(content, hidden)
                checks += _seg_back(hidden, path, content)
            else:
                _write(mask.source, voxels[group], hidden)
                checks += _read_back(hidden, path, voxels[group], mask.source.geometry)
            files.append(_exported(hidden, path))
        for file_name, document in documents.items():
            hidden = publishing.enter_context(new_file(folder / file_name, force=force))
            hidden.write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
            checks.append(_document_back(hidden, file_name, document, mask))
            files.append(_exported(hidden, folder / file_name))
        stale = _earlier_groups(folder, name, formats) - {folder / one for one in named}
        sums = publishing.enter_context(new_file(folder / f"{name}.sha256", force=force))
        lines = "".join(f"{one.sha256}  {one.path.name}\n" for one in files)
        sums.write_text(lines, encoding="utf-8", newline="\n")
        _check_all(checks)
    for path in stale if force else ():
        path.unlink(missing_ok=True)
    checks.append(_checksums(files))
    _check_all(checks)
    return Exported(tuple(files), tuple(checks), provenance)


def _mask_files(
    name: str, formats: Iterable[str], groups: Iterable[int]
) -> dict[str, tuple[str, int]]:
    """The mask files by their names: the format and the group of each. One DICOM file has all."""
    return {
        f"{name}{f'.group-{group}' if group else ''}{FORMATS[kind]}": (kind, group)
        for kind in formats
        for group in groups
        if not group or kind != "dicom-seg"
    }


def _earlier_groups(folder: Path, name: str, formats: Iterable[str]) -> set[Path]:
    """Masks of groups, of these formats, that an earlier export lists in its checksums."""
    suffixes = "|".join(re.escape(FORMATS[kind]) for kind in formats)
    ours = re.compile(rf"[0-9a-f]{{64}}  ({re.escape(name)}\.group-[0-9]+(?:{suffixes}))")
    try:
        lines = (folder / f"{name}.sha256").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return set()
    return {folder / found[1] for line in lines if (found := ours.fullmatch(line))}


def _with_hashes(provenance: Provenance, voxels: Mapping[int, LabelArray]) -> Provenance:
    hashes = {group: mask_sha256(array) for group, array in voxels.items()}
    others = {str(group): one for group, one in hashes.items() if group}
    return replace(provenance, mask_sha256=hashes[0], group_sha256=others)


def _check_request(
    folder: Path, name: str, formats: Sequence[str], others: Iterable[int], *, force: bool
) -> None:
    unknown = [kind for kind in formats if kind not in FORMATS]
    if unknown:
        raise InputError(f"there is no export format '{unknown[0]}'", f"one of {list(FORMATS)}")
    # A line break, or what is no text at all, would make the list of checksums unreadable.
    if not (name and name.isprintable()) or Path(name).name != name or name.startswith("."):
        raise OutputError(f"'{shown(name)}' is not a name for files", "letters, digits, - and _")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{shown(folder)} cannot be made: {error.strerror}", "choose another folder"
        ) from error
    endings = (".labels.json", ".provenance.json", ".annotations.json", ".sha256")
    documents = [f"{name}{end}" for end in endings]
    for file_name in (*_mask_files(name, formats, (0, *others)), *documents):
        check_new_file(folder / file_name, force=force)


def _labels_document(
    mask: MaskToExport, voxels: Mapping[int, LabelArray], files: Mapping[str, tuple[str, int]]
) -> dict[str, Any]:
    document = {"format": LABELS_FORMAT, **mask.schema.document()}
    counts = {group: np.bincount(array.ravel()) for group, array in voxels.items()}
    voxel_ml = mask.source.geometry.voxel_ml
    for entry in document["labels"]:
        found = counts[entry.get("group", 0)]
        count = int(found[entry["value"]]) if entry["value"] < len(found) else 0
        entry["voxels"] = count
        entry["volume_ml"] = round(count * voxel_ml, 6)
    if len(voxels) > 1:
        document["groups"] = [
            {
                "group": group,
                "files": [
                    one for one, (kind, its) in files.items() if its == group or kind == "dicom-seg"
                ],
            }
            for group in voxels
        ]
    return document


def _annotations_document(mask: MaskToExport, path: Path) -> dict[str, dict[str, Any]]:
    """The annotations by the name of their file, where there are any.

    Also where there are none and the file of an earlier export would be left beside the mask.
    """
    wanted = mask.annotations
    if wanted is None or not (len(wanted.annotations) or path.exists()):
        return {}
    return {path.name: wanted.document(mask.source.geometry, mask.schema)}


def _write(source: Source, voxels: LabelArray, path: Path) -> None:
    write(voxels, source.geometry, path, force=True, space_code=source.space_code, labels=True)


def _seg_back(hidden: Path, path: Path, content: SegContent) -> list[Check]:
    """Compare voxels of each group, grid, and what is said of each segment."""
    found, geometry = open_dicom_labels(hidden), content.source.geometry
    assert found is not None and isinstance(found.content, DicomSeg)  # noqa: S101, PT018  # it was written as one
    numbers, checks = numbers_of(content.schema), list[Check]()
    gap_mm = own_grid(found.content).difference_mm(geometry)
    for group, voxels in content.groups.items():
        its = content.schema.in_group(group)
        values = {numbers[label.value]: label.value for label in its}
        placed = found.on(geometry, frozenset(values))
        array = painted(placed.planes(), geometry.shape, values)
        name = f"{path.name}, group {group}" if content.others else path.name
        checks += _compared(name, array, voxels, gap_mm)
    wanted = content.segments
    back = {segment.number: segment for segment in found.segments}
    same = sum(one.number in back and is_described(back[one.number], one) for one in wanted)
    detail = f"{same} of {len(wanted)}"
    return [*checks, Check(f"{path.name}: segments described", same == len(wanted), detail)]


def _read_back(hidden: Path, path: Path, voxels: LabelArray, geometry: Geometry) -> list[Check]:
    found = read(hidden)
    array = found.source.axes.inverse().apply(np.asarray(found.levels[0]))
    return _compared(path.name, array, voxels, found.source.geometry.difference_mm(geometry))


def _compared(name: str, array: LabelArray, voxels: LabelArray, gap_mm: float) -> list[Check]:
    same_shape = array.shape == voxels.shape
    equal = int(np.count_nonzero(array == voxels)) if same_shape else 0
    return [
        Check(f"{name}: voxels equal", equal == voxels.size, f"{equal} of {voxels.size}"),
        Check(f"{name}: values are whole numbers", array.dtype.kind in "iu", str(array.dtype)),
        Check(
            f"{name}: overlays its source",
            gap_mm <= TOLERANCE_MM,
            f"corners within {gap_mm:.2g} mm",
        ),
    ]


def _document_back(
    hidden: Path, name: str, document: Mapping[str, Any], mask: MaskToExport
) -> Check:
    back = json.loads(hidden.read_text(encoding="utf-8"))
    if name.endswith(".annotations.json") and mask.annotations is not None:
        in_place, count = mask.annotations.is_told_by(back), len(mask.annotations.annotations)
        ok = in_place and back == document
        return Check(f"{name}: reads back in its places", ok, f"{count} annotations")
    if name.endswith(".provenance.json"):
        back = Provenance.from_document(back).document()
    return Check(f"{name}: reads back", back == document, f"{hidden.stat().st_size} bytes")


def _checksums(files: Sequence[ExportedFile]) -> Check:
    right = sum(_sha256(one.path) == one.sha256 for one in files)
    return Check("checksums", right == len(files), f"{right} of {len(files)}")


def _check_all(checks: Sequence[Check]) -> None:
    failed = [one for one in checks if not one.ok]
    if failed:
        raise IntegrityError(
            f"the export was not verified: {failed[0].name} ({failed[0].detail})",
            "nothing was written; try another folder or disk",
        )


def _exported(hidden: Path, path: Path) -> ExportedFile:
    return ExportedFile(path, hidden.stat().st_size, _sha256(hidden))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def same_grid_or_refuse(mask: Geometry, image: Geometry) -> None:
    """Pass where a mask lies on the image's grid.

    Raises
    ------
    GeometryError
        With what differs, in numbers.
    """
    if mask.same_grid(image):
        return
    if mask.shape != image.shape:
        raise GeometryError(
            f"the mask has {mask.shape} voxels along k, j, i and the image {image.shape}",
            "choose the mask that was made on this image",
        )
    raise GeometryError(
        f"the mask's corners are up to {mask.difference_mm(image):.3f} mm from the image's",
        "choose the mask that was made on this image",
    )
