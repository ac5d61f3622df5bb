"""The files that no case names: what became of each, and whether other readers agree."""

import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import nibabel
import numpy as np
import SimpleITK as sitk  # noqa: N813

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.volume import Series
from napari_medlabel.errors import MedlabelError
from napari_medlabel.formats import scan
from tests.proof.measure import Opened, open_all

__all__ = ["FOLDERS", "Others", "look_at"]

# Folders whose files are opened one by one; what is in them is odd, broken or no image at all.
FOLDERS: Final = (
    "burned-in-text/dicom", "dicom-seg/highdicom", "enhanced-ct-mr/dicom",
    "fragmented-and-colour", "headers-deid", "nrrd-mha", "odd-dicom/dicomdirtests",
    "odd-dicom/fo-dicom", "odd-dicom/pydicom", "odd-dicom/pydicom-data", "odd-nifti/nibabel",
    "odd-nifti/niivue", "odd-nifti/orientations", "odd-nifti/rnifti", "spinal-cord-mr",
    "t1-brain-mask", "t1-head-face",
)  # fmt: skip
_NIFTI: Final = (".nii", ".nii.gz", ".hdr")
_ITK: Final = (".mha", ".mhd")


@dataclass
class Others:
    """A folder's files: how many were opened, why the others were not, what another reader says."""

    folder: str
    opened: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    compared: int = 0
    corners_mm: float = 0.0
    values_off: float = 0.0


def look_at(data: Path, folder: str) -> Others:
    """Open each file of a folder and all below it, by itself."""
    result = Others(folder)
    for path in sorted((data / folder).rglob("*")):
        if path.is_file() and path.suffix not in {".json", ".md", ".img"}:
            _look_at_file(path, result)
    return result


def _look_at_file(path: Path, result: Others) -> None:
    try:
        found = scan(path).series
        opened = [one for series in found for one in open_all(series)]
    except MedlabelError as error:
        result.refused[_reason(error)] += 1
        return
    if not opened:
        result.refused[_blocking(found)] += 1
        return
    result.opened += 1
    if path.name.endswith(_NIFTI):
        _against_nibabel(path, opened, result)
    elif path.name.endswith(_ITK):
        _against_itk(path, opened[0], result)


def _reason(error: MedlabelError) -> str:
    """Its words after the file's name, in short."""
    words = error.what.split(": ", maxsplit=1)[-1]
    return " ".join(words.split()[:7])


def _blocking(found: tuple[Series, ...]) -> str:
    codes = sorted({p.code for one in found for p in one.all_problems() if p.blocking})
    if codes:
        return ", ".join(codes)
    return found[0].kind


def _against_nibabel(path: Path, opened: list[Opened], result: Others) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = nibabel.load(path)
        array = np.asarray(image.dataobj)
    frames = array.reshape(*array.shape[:3], -1)
    geometry = Geometry.from_nifti(frames.shape[:3], image.affine)
    for n, one in enumerate(opened):
        result.corners_mm = max(result.corners_mm, one.geometry.difference_mm(geometry))
        off = np.abs(one.array.astype(np.float64) - frames[..., n].T)
        scale = max(float(np.nanmax(np.abs(frames[..., n]))), 1.0)
        result.values_off = max(result.values_off, float(np.nanmax(off)) / scale)
    result.compared += 1


def _against_itk(path: Path, one: Opened, result: Others) -> None:
    image = sitk.ReadImage(str(path))
    matrix = np.eye(4)
    direction = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    matrix[:3, :3], matrix[:3, 3] = direction[:, ::-1], image.GetOrigin()
    array = sitk.GetArrayFromImage(image)
    geometry = Geometry(array.shape, matrix)
    result.corners_mm = max(result.corners_mm, one.geometry.difference_mm(geometry))
    off = float(np.abs(one.array.astype(np.float64) - array).max())
    result.values_off = max(result.values_off, off)
    result.compared += 1
