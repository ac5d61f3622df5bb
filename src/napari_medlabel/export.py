"""Masks with provenance and checksums into a folder, verified by reading them back.

All files are written under hidden names, read back and compared; only then do they get their own
names. Where a comparison fails, nothing appears in the folder.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydicom.dataset import Dataset

from napari_medlabel.core.edit import LabelArray
from napari_medlabel.core.fingerprint import mask_sha256
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.provenance import Provenance
from napari_medlabel.core.schema import LabelSchema
from napari_medlabel.core.volume import Source
from napari_medlabel.errors import GeometryError, InputError, IntegrityError, OutputError
from napari_medlabel.files import check_new_file, new_file, shown
from napari_medlabel.formats import read, write
from napari_medlabel.formats.dicom_seg import read_seg
from napari_medlabel.formats.dicom_seg_describe import is_described
from napari_medlabel.formats.dicom_seg_write import (
    SegContent,
    check_can_be_seg,
    numbers_of,
    write_seg,
)

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

    Only for DICOM: `subject` is the pseudonym that stands for the patient, `header` that of an
    instance of the image, whose patient and study are written instead of the pseudonym.
    """

    labels: LabelArray
    source: Source
    schema: LabelSchema
    provenance: Provenance
    subject: str = "case"
    header: Dataset | None = None

    def on_source_grid(self) -> LabelArray:
        """The labels in the source's own layout, `[k, j, i]`, C order."""
        return np.ascontiguousarray(self.source.axes.inverse().apply(self.labels))


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
    for name in masks:
        _check_request(folder, name, formats, force=force)
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
        Of `FORMATS`, one file each.
    force
        Whether existing files may be replaced.

    Raises
    ------
    InputError
        If the image is not DICOM and the mask shall be.
    OutputError
        If the folder cannot be written or holds such files already.
    IntegrityError
        If a file does not read back as what was to be written; nothing is left then.
    """
    _check_request(folder, name, formats, force=force)
    if "dicom-seg" in formats:
        check_can_be_seg(mask.source, mask.schema)
    voxels = mask.on_source_grid()
    provenance = replace(mask.provenance, mask_sha256=mask_sha256(voxels))
    documents = {
        f"{name}.labels.json": _labels_document(voxels, mask),
        f"{name}.provenance.json": provenance.document(),
    }
    checks: list[Check] = []
    files: list[ExportedFile] = []
    with ExitStack() as publishing:
        for kind in dict.fromkeys(formats):
            path = folder / f"{name}{FORMATS[kind]}"
            hidden = publishing.enter_context(new_file(path, force=force))
            if kind == "dicom-seg":
                content = SegContent(
                    voxels, mask.source, mask.schema, provenance, mask.subject, mask.header
                )
                write_seg(content, hidden)
                checks += _seg_back(hidden, path, content)
            else:
                _write(mask.source, voxels, hidden)
                checks += _read_back(hidden, path, voxels, mask.source.geometry)
            files.append(_exported(hidden, path))
        for file_name, document in documents.items():
            hidden = publishing.enter_context(new_file(folder / file_name, force=force))
            hidden.write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
            checks.append(_document_back(hidden, file_name, document))
            files.append(_exported(hidden, folder / file_name))
        sums = publishing.enter_context(new_file(folder / f"{name}.sha256", force=force))
        lines = "".join(f"{one.sha256}  {one.path.name}\n" for one in files)
        sums.write_text(lines, encoding="utf-8", newline="\n")
        _check_all(checks)
    checks.append(_checksums(files))
    _check_all(checks)
    return Exported(tuple(files), tuple(checks), provenance)


def _check_request(folder: Path, name: str, formats: Iterable[str], *, force: bool) -> None:
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
    endings = [*(FORMATS[kind] for kind in formats), ".labels.json", ".provenance.json", ".sha256"]
    for ending in endings:
        check_new_file(folder / f"{name}{ending}", force=force)


def _labels_document(voxels: LabelArray, mask: MaskToExport) -> dict[str, Any]:
    document = {"format": LABELS_FORMAT, **mask.schema.document()}
    counts = np.bincount(voxels.ravel()) if voxels.any() else np.zeros(1, np.intp)
    voxel_ml = mask.source.geometry.voxel_ml
    for entry in document["labels"]:
        count = int(counts[entry["value"]]) if entry["value"] < len(counts) else 0
        entry["voxels"] = count
        entry["volume_ml"] = round(count * voxel_ml, 6)
    return document


def _write(source: Source, voxels: LabelArray, path: Path) -> None:
    write(voxels, source.geometry, path, force=True, space_code=source.space_code, labels=True)


def _seg_back(hidden: Path, path: Path, content: SegContent) -> list[Check]:
    """Compare voxels, grid, and what is said of each segment."""
    value_of = {number: value for value, number in numbers_of(content.schema).items()}
    table = np.zeros(max(value_of) + 1, np.uint16)
    table[list(value_of)] = list(value_of.values())
    checks = _read_back(hidden, path, content.labels, content.source.geometry, table)
    wanted = content.segments
    back = {segment.number: segment for segment in read_seg(hidden).segments}
    same = sum(one.number in back and is_described(back[one.number], one) for one in wanted)
    detail = f"{same} of {len(wanted)}"
    return [*checks, Check(f"{path.name}: segments described", same == len(wanted), detail)]


def _read_back(
    hidden: Path,
    path: Path,
    voxels: LabelArray,
    geometry: Geometry,
    value_of: LabelArray | None = None,
) -> list[Check]:
    found = read(hidden)
    array = found.source.axes.inverse().apply(np.asarray(found.levels[0]))
    array = array if value_of is None else value_of[array]
    name = path.name
    same_shape = array.shape == voxels.shape
    equal = int(np.count_nonzero(array == voxels)) if same_shape else 0
    gap_mm = found.source.geometry.difference_mm(geometry)
    return [
        Check(f"{name}: voxels equal", equal == voxels.size, f"{equal} of {voxels.size}"),
        Check(f"{name}: values are whole numbers", array.dtype.kind in "iu", str(array.dtype)),
        Check(
            f"{name}: overlays its source",
            gap_mm <= TOLERANCE_MM,
            f"corners within {gap_mm:.2g} mm",
        ),
    ]


def _document_back(hidden: Path, name: str, document: Mapping[str, Any]) -> Check:
    back = json.loads(hidden.read_text(encoding="utf-8"))
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
