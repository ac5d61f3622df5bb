"""What series there are in a file or folder, whatever their format.

What a file is goes by its content, not by its name. DICOM is looked for first; what is none of it
may be NIfTI, NRRD or MetaImage.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from napari_medlabel.core.volume import Series
from napari_medlabel.errors import InputError
from napari_medlabel.files import shown
from napari_medlabel.formats.dicom_files import Skipped, open_regular
from napari_medlabel.formats.dicom_scan import scan_dicom
from napari_medlabel.formats.metaimage import is_metaimage, scan_metaimage
from napari_medlabel.formats.nifti import scan_nifti
from napari_medlabel.formats.nifti_header import is_analyze, is_nifti
from napari_medlabel.formats.nrrd import is_nrrd, scan_nrrd
from napari_medlabel.formats.voxels import file_uid, first_bytes, in_one_line

__all__ = ["Found", "is_ome_zarr", "scan"]

FileFormat = Literal["nifti", "nrrd", "metaimage"]
_SNIFFED: Final = 1024  # bytes of a file that tell what it is
_LONGEST_DOCUMENT: Final = 1 << 24
_PACKED_DICOM: Final = "DICOM that is gzip-ed: unpack it and try again"


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a scan found: series, numbered from 1, and the files that belong to none."""

    series: tuple[Series, ...]
    skipped: tuple[Skipped, ...] = ()

    def document(self) -> dict[str, Any]:
        """The answer of `scan --json`."""
        return {
            "format": 1,
            "series": [series.document() for series in self.series],
            "skipped": [{"file": shown(one.file), "why": one.why} for one in self.skipped],
        }


def scan(
    path: str | Path,
    *,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Found:
    """Find the series in a file, or in a folder and all below it, without reading voxels.

    Parameters
    ----------
    path
        DICOM (file, folder, zip archive, DICOMDIR), NIfTI, NRRD or MetaImage.
    progress
        Told how many files are done, of how many.
    cancelled
        Asked often; True ends the scan.

    Raises
    ------
    InputError
        If there is no series, the path is not there or cannot be read.
    Cancelled
        If it was called off.
    """
    place = Path(path)
    _check_there(place)
    if place.is_file():
        kind = _format_of(place)
        if kind is not None:
            return Found((_scan_named(place, kind),))
    series, skipped = scan_dicom(place, progress=progress, cancelled=cancelled)
    if place.is_dir():
        others, skipped = _scan_others(place, skipped)
        series = [*series, *others]
    if not series:
        raise _nothing_found(place, skipped)
    numbered = (replace(one, number=n) for n, one in enumerate(series, 1))
    return Found(tuple(numbered), tuple(skipped))


def is_ome_zarr(path: str | Path) -> bool:
    """True for a folder whose metadata describe a multiscale image, OME-Zarr 0.4 or 0.5."""
    for name in ("zarr.json", ".zattrs"):
        try:
            file, size = open_regular(os.fspath(Path(path) / name))
            with file:
                document = json.loads(file.read() if size <= _LONGEST_DOCUMENT else b"")
        except (OSError, ValueError, RecursionError):
            continue
        attributes = _mapping(_mapping(document).get("attributes", document))
        if "multiscales" in attributes or "multiscales" in _mapping(attributes.get("ome")):
            return True
    return False


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


# What is there


def _check_there(path: Path) -> None:
    with in_one_line(shown(path)):
        path.stat()
        if path.is_dir() and next(path.iterdir(), None) is None:
            raise InputError(f"{shown(path)} is an empty folder", "name a folder with images")
    if is_ome_zarr(path):
        raise InputError(f"{shown(path)} is OME-Zarr, not a series of files")


def _format_of(path: Path) -> FileFormat | None:
    """What the file is by its content; None where it is none of these, or cannot be opened."""
    try:
        start = first_bytes(_header_of(path), _SNIFFED)
    except InputError:
        return None
    if is_nifti(start) or is_analyze(start):
        return "nifti"
    if is_nrrd(start):
        return "nrrd"
    return "metaimage" if is_metaimage(start) else None


def _is_packed_dicom(path: Path) -> bool:
    """True for what would be DICOM if it were inflated."""
    if path.suffix.lower() != ".gz" or not _is_file(path):
        return False
    try:
        return first_bytes(path, 132)[128:] == b"DICM"
    except InputError:
        return False


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113  # never raises, however long the path


def _header_of(path: Path) -> Path:
    """The `.hdr` beside an `.img`; else the file itself."""
    if path.suffix.lower() == ".img":
        beside = (path.with_suffix(suffix) for suffix in (".hdr", ".HDR", ".hdr.gz"))
        return next((header for header in beside if header.is_file()), path)
    return path


def _scan_named(path: Path, kind: FileFormat) -> Series:
    """The series in a file that a person named, whose name may be said therefore."""
    try:
        return _scan_file(path, kind, path.name)
    except InputError as error:
        raise InputError(f"{shown(path)} cannot be used: {error.what}", error.hint) from error


def _scan_file(path: Path, kind: FileFormat, name: str) -> Series:
    header = _header_of(path)
    scanners = {"nifti": scan_nifti, "nrrd": scan_nrrd, "metaimage": scan_metaimage}
    return scanners[kind](header, uid=file_uid(name))


def _scan_others(folder: Path, skipped: Sequence[Skipped]) -> tuple[list[Series], list[Skipped]]:
    """The series in the files that are not DICOM, and what is left of these."""
    series: list[Series] = []
    left: dict[Path, Skipped] = {}
    belongs: set[Path] = set()  # voxels of a header that was found
    is_zarr = cache(is_ome_zarr)
    for one in sorted(skipped, key=lambda one: one.file):
        path = folder / one.file
        above = [parent for parent in path.parents if folder in parent.parents]
        zarr = next((parent for parent in reversed(above) if is_zarr(parent)), None)
        if zarr is not None:
            why = "OME-Zarr, which is opened by its own name"
            left[zarr] = Skipped(zarr.relative_to(folder).as_posix(), why)
            continue
        kind = _format_of(path) if _is_file(path) and _header_of(path) == path else None
        if kind is None:
            left[path] = replace(one, why=_PACKED_DICOM) if _is_packed_dicom(path) else one
            continue
        try:
            found = _scan_file(path, kind, one.file)
        except InputError as error:
            left[path] = Skipped(one.file, error.what)
        else:
            series.append(found)
            belongs.update(found.volumes[0].parts[0].files)
    return series, [one for path, one in left.items() if path not in belongs]


def _nothing_found(path: Path, skipped: Sequence[Skipped]) -> InputError:
    if path.is_file():
        why = skipped[0].why if skipped else "it is not an image"
        why = _PACKED_DICOM if _is_packed_dicom(path) else why
        return InputError(f"{shown(path)} cannot be used: {why}", "give DICOM, NIfTI, NRRD or MHA")
    # Names of files that were found may be names of patients: only --json has them.
    count = len(skipped)
    what = f"{shown(path)} holds no image: {count} files, none of which can be used"
    first = f"file 1 of {count} in the folder: {skipped[0].why}" if skipped else ""
    return InputError(what, first)
