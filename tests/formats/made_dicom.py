"""DICOM files made in code, with every element that matters in plain sight."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
    generate_uid,
)

Array = npt.NDArray[Any]

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
NATIVE = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
)
ROOT = "2.25."


def uid(*words: object) -> str:
    """A UID that is the same for the same words."""
    return generate_uid(prefix=ROOT, entropy_srcs=[str(word) for word in words])


def oblique(degrees: float = 20.0) -> tuple[float, ...]:
    """Row and column directions turned about two axes, as six header numbers."""
    a, b = np.radians(degrees), np.radians(degrees / 2)
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    turned = about_z @ about_x
    return tuple(float(v) for v in (*turned[:, 0], *turned[:, 1]))


def normal(orientation: Sequence[float]) -> npt.NDArray[np.float64]:
    """The direction in which slices are counted."""
    return np.cross(orientation[:3], orientation[3:])


def one_slice(
    stored: npt.NDArray[Any],
    position: Sequence[float],
    number: int = 1,
    orientation: Sequence[float] = AXIAL,
    pixel_mm: Sequence[float] | None = (2.0, 3.0),
    **elements: object,
) -> Dataset:
    """A CT image; `stored` is `[row, column]`; `elements` add, change or (None) remove."""
    dataset = Dataset()
    dataset.SOPClassUID = CTImageStorage
    dataset.Modality = "CT"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.PatientName, dataset.PatientID = "Secret^Name", "SECRET-ID"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = uid("study"), uid("series")
    dataset.FrameOfReferenceUID = uid("frame")
    dataset.SeriesNumber, dataset.InstanceNumber = 3, number
    dataset.ImagePositionPatient = [float(f"{value:.6f}") for value in position]
    dataset.ImageOrientationPatient = [float(f"{value:.8f}") for value in orientation]
    if pixel_mm is not None:
        dataset.PixelSpacing = list(pixel_mm)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = stored.shape
    bits = stored.itemsize * 8
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
    for keyword, value in elements.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset.SOPInstanceUID = elements.get("SOPInstanceUID") or uid(
        dataset.SeriesInstanceUID, number, *position, *map(str, elements.values())
    )
    dataset.PixelData = stored.tobytes()
    return dataset


def stack(
    stored: npt.NDArray[Any],
    heights_mm: Sequence[float] | None = None,
    orientation: Sequence[float] = AXIAL,
    origin: Sequence[float] = (-20.0, 30.0, 5.0),
    **elements: object,
) -> list[Dataset]:
    """CT images of `[k, j, i]` stored values, at heights along their normal."""
    heights = 4.0 * np.arange(len(stored)) if heights_mm is None else np.asarray(heights_mm)
    start = np.asarray(origin, dtype=np.float64)
    return [
        one_slice(plane, start + height * normal(orientation), n, orientation, **elements)
        for n, (plane, height) in enumerate(zip(stored, heights, strict=True), 1)
    ]


def ramp(shape: tuple[int, int, int], dtype: npt.DTypeLike = np.int16, top: int = 4000) -> Array:
    """Values that differ from voxel to voxel."""
    count = int(np.prod(shape))
    return (np.arange(count) * 37 % top).astype(dtype).reshape(shape)


def save(path: Path, dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> Path:
    """Write a dataset as a file of the given transfer syntax."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", CTImageStorage)
    meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", uid("none"))
    dataset.file_meta = meta
    if syntax == ExplicitVRBigEndian and "PixelData" in dataset and dataset.BitsAllocated > 8:
        plain = np.frombuffer(dataset.PixelData, f"<u{dataset.BitsAllocated // 8}")
        dataset.PixelData = plain.byteswap().tobytes()
    if "PixelData" in dataset:
        dataset["PixelData"].VR = "OW"
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def save_all(folder: Path, datasets: Sequence[Dataset], names: str = "IM{:04d}") -> Path:
    """Write datasets as files of a folder, in their order."""
    for n, dataset in enumerate(datasets):
        save(folder / names.format(n), dataset)
    return folder


def save_compressed(path: Path, dataset: Dataset, data: bytes, syntax: str) -> Path:
    """Write a dataset with one compressed frame."""
    dataset.PixelData = encapsulate([data])
    dataset["PixelData"].is_undefined_length = True
    return save(path, dataset, syntax)


__all__ = [
    "AXIAL", "NATIVE", "SAGITTAL", "RLELossless", "normal", "oblique", "one_slice", "ramp",
    "save", "save_all", "save_compressed", "stack", "uid",
]  # fmt: skip
