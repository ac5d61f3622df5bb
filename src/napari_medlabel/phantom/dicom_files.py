"""Voxels as a real series of single-frame DICOM files: CT and MR Image Storage.

All identifiers are made from the study's seed, under the root 2.25 (PS3.5 B.2), so that the
same head is the same series each time it is written. File names say nothing about the order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid5

import numpy as np
import numpy.typing as npt
from pydicom import FileDataset
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage
from pydicom.valuerep import DSfloat

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.errors import GeometryError, InputError, OutputError

__all__ = ["Study", "write_ct_series", "write_mr_series"]

_NAMESPACE: Final = UUID("6f1cf0a2-54a0-5d0c-9c0f-3a7d1a5be0d4")
_INTERCEPT_HU: Final = -1024
_MOST_STORED: Final = 4095  # 12 bits, as scanners store


@dataclass(frozen=True, slots=True)
class Study:
    """What the series of one examination share.

    Series of one study lie in one frame of reference: CT and MR of it overlay each other.
    """

    seed: int = 0
    patient_name: str = "DEMO^HEAD"
    patient_id: str = "DEMO-0001"
    description: str = "Generated head"
    body_part: str = "HEAD"
    date: str = "20260105"
    time: str = "093000"

    def uid(self, *what: object) -> str:
        """The identifier of something in this study; the same words give the same."""
        words = "/".join(str(word) for word in (self.patient_id, self.seed, *what))
        return f"2.25.{uuid5(_NAMESPACE, words).int}"

    @property
    def study_uid(self) -> str:
        """The Study Instance UID."""
        return self.uid("study")

    @property
    def frame_of_reference_uid(self) -> str:
        """The Frame of Reference UID of every series."""
        return self.uid("frame of reference")

    def series_uid(self, number: int) -> str:
        """The Series Instance UID of a series number."""
        return self.uid("series", number)


def write_ct_series(  # noqa: PLR0913  # the rest has good defaults
    folder: Path,
    hu: npt.NDArray[Any],
    geometry: Geometry,
    study: Study | None = None,
    *,
    number: int = 1,
    description: str = "Head 1.4 mm",
) -> tuple[Path, ...]:
    """Write a volume as CT images, one file per slice along k.

    Parameters
    ----------
    folder
        Made where it is not there.
    hu
        Whole numbers from -1024 to 3071, `[k, j, i]`.
    geometry
        Of `hu`; right-angled.
    study
        What it belongs to; the demo study where not given.
    number, description
        Of the series.

    Returns
    -------
    tuple of Path
        The files in order of k; sorted by name they are in another order.

    Raises
    ------
    InputError
        If a value does not fit.
    GeometryError
        If shapes differ or the grid is sheared.
    OutputError
        If one of the files is there already.
    """
    if hu.min() < _INTERCEPT_HU or hu.max() > _INTERCEPT_HU + _MOST_STORED:
        raise InputError("CT values must be from -1024 to 3071 HU")
    stored = (hu.astype(np.int32) - _INTERCEPT_HU).astype("<u2")
    common = _common(study or Study(), number, description, geometry)
    common.SOPClassUID = CTImageStorage
    common.Modality = "CT"
    common.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    common.KVP = 120
    common.XRayTubeCurrent = 250
    common.ExposureTime = 1000
    common.ConvolutionKernel = "SOFT"
    common.GantryDetectorTilt = 0
    common.RescaleIntercept = _INTERCEPT_HU
    common.RescaleSlope = 1
    common.RescaleType = "HU"
    common.WindowCenter = 40
    common.WindowWidth = 350 if common.BodyPartExamined != "HEAD" else 90
    return _write(folder, stored, geometry, common)


def write_mr_series(  # noqa: PLR0913  # the rest has good defaults
    folder: Path,
    signal: npt.NDArray[Any],
    geometry: Geometry,
    study: Study | None = None,
    *,
    number: int = 2,
    description: str = "T1 3D sagittal",
) -> tuple[Path, ...]:
    """Write a volume as MR images, one file per slice along k.

    As `write_ct_series`, but with values from 0 to 4095 in no unit.
    """
    if signal.min() < 0 or signal.max() > _MOST_STORED:
        raise InputError("MR values must be from 0 to 4095")
    common = _common(study or Study(), number, description, geometry)
    common.SOPClassUID = MRImageStorage
    common.Modality = "MR"
    common.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    common.ScanningSequence = ["GR", "IR"]
    common.SequenceVariant = ["SP", "MP"]
    common.ScanOptions = ""
    common.MRAcquisitionType = "3D"
    common.RepetitionTime = 2300
    common.EchoTime = 2.98
    common.InversionTime = 900
    common.FlipAngle = 9
    common.EchoTrainLength = 1
    common.MagneticFieldStrength = 3
    common.SpacingBetweenSlices = _decimal(geometry.spacing_mm[0])
    common.WindowCenter = 450
    common.WindowWidth = 900
    return _write(folder, np.rint(signal).astype("<u2"), geometry, common)


def _common(study: Study, number: int, description: str, geometry: Geometry) -> Dataset:
    if not geometry.is_right_angled:
        raise GeometryError("DICOM images cannot be sheared")
    common = Dataset()
    common.SpecificCharacterSet = "ISO_IR 192"
    _describe_examination(common, study)
    common.SeriesInstanceUID = study.series_uid(number)
    common.SeriesNumber = number
    common.SeriesDescription = description
    common.SeriesDate, common.SeriesTime = study.date, study.time
    common.ProtocolName = description
    common.FrameOfReferenceUID = study.frame_of_reference_uid
    common.PositionReferenceIndicator = ""
    common.Manufacturer = "napari-medlabel"
    common.ManufacturerModelName = "Generated data"
    common.SoftwareVersions = "1"
    common.AcquisitionNumber = 1
    common.AcquisitionDate, common.AcquisitionTime = study.date, study.time
    common.ContentDate, common.ContentTime = study.date, study.time
    common.BurnedInAnnotation = "NO"
    common.LossyImageCompression = "00"
    _describe_pixels(common, geometry)
    return common


def _describe_examination(common: Dataset, study: Study) -> None:
    common.PatientName = study.patient_name
    common.PatientID = study.patient_id
    common.PatientBirthDate = ""
    common.PatientSex = "O"
    common.StudyInstanceUID = study.study_uid
    common.StudyID = "1"
    common.StudyDate, common.StudyTime = study.date, study.time
    common.StudyDescription = study.description
    common.AccessionNumber = ""
    common.ReferringPhysicianName = ""
    common.BodyPartExamined = study.body_part
    common.PatientPosition = "HFS"


def _describe_pixels(common: Dataset, geometry: Geometry) -> None:
    thick, row, column = geometry.spacing_mm
    along = geometry.direction
    common.SliceThickness = _decimal(thick)
    common.PixelSpacing = [_decimal(row), _decimal(column)]
    common.ImageOrientationPatient = [_decimal(c) for c in (*along[:, 2], *along[:, 1])]
    common.Rows, common.Columns = geometry.shape[1], geometry.shape[2]
    common.SamplesPerPixel = 1
    common.PhotometricInterpretation = "MONOCHROME2"
    common.BitsAllocated, common.BitsStored, common.HighBit = 16, 12, 11
    common.PixelRepresentation = 0


def _write(
    folder: Path, stored: npt.NDArray[np.uint16], geometry: Geometry, common: Dataset
) -> tuple[Path, ...]:
    if stored.shape != geometry.shape:
        raise GeometryError(f"the voxels' shape {stored.shape} is not the grid's {geometry.shape}")
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name, instance in zip(
        _names(common, len(stored)), _instances(stored, geometry, common), strict=True
    ):
        path = folder / name
        try:
            instance.save_as(path, enforce_file_format=True, overwrite=False)
        except FileExistsError as error:
            raise OutputError(f"{name} is there already", "choose an empty folder") from error
        written.append(path)
    return tuple(written)


def _names(common: Dataset, count: int) -> Iterator[str]:
    """A name for each slice, in an order that has nothing to do with position."""
    number = int(common.SeriesNumber)
    order = np.random.default_rng((number, count)).permutation(count)
    return (f"{common.Modality}{number:02d}-{int(n):04d}.dcm" for n in order)


def _instances(
    stored: npt.NDArray[np.uint16], geometry: Geometry, common: Dataset
) -> Iterator[FileDataset]:
    for k, pixels in enumerate(stored):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        instance = FileDataset("", common, file_meta=meta, preamble=b"\0" * 128)
        instance.SOPInstanceUID = f"2.25.{uuid5(_NAMESPACE, f'{common.SeriesInstanceUID}/{k}').int}"
        instance.InstanceNumber = k + 1
        instance.ImagePositionPatient = [_decimal(c) for c in geometry.lps((k, 0, 0))]
        instance.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
        yield instance


def _decimal(value: float) -> DSfloat:
    """A number in at most 16 characters, as a decimal string holds it."""
    return DSfloat(float(value) + 0.0, auto_format=True)
