"""Multi-frame objects and mosaics made in code."""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import EnhancedCTImageStorage, EnhancedMRImageStorage

from tests.formats.made_dicom import AXIAL, one_slice, ramp

Array = npt.NDArray[Any]

__all__ = ["enhanced", "group", "mosaic", "pet", "with_macros"]


def group(**macros: Mapping[str, object]) -> Dataset:
    """A functional group: one sequence of one item for each macro."""
    item = Dataset()
    for keyword, elements in macros.items():
        inner = Dataset()
        for name, value in elements.items():
            setattr(inner, name, value)
        setattr(item, keyword, Items([inner]))
    return item


def with_macros(item: Dataset, **macros: Mapping[str, object]) -> Dataset:
    """The group with more macros."""
    item.update(group(**macros))
    return item


def enhanced(
    stored: Array,
    positions: Sequence[Sequence[float]],
    orientation: Sequence[float] = AXIAL,
    pixel_mm: Sequence[float] = (2.0, 3.0),
    modality: str = "CT",
    **elements: object,
) -> Dataset:
    """An enhanced multi-frame object of `[frame, row, column]` stored values.

    Orientation and pixel spacing are shared; position, stack and slope are each frame's own.
    """
    dataset = one_slice(stored[0], (0.0, 0.0, 0.0), **elements)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing",
                    "RescaleSlope", "RescaleIntercept"):  # fmt: skip
        del dataset[keyword]
    dataset.SOPClassUID = EnhancedCTImageStorage if modality == "CT" else EnhancedMRImageStorage
    dataset.Modality = modality
    dataset.NumberOfFrames = len(stored)
    dataset.PixelData = stored.tobytes()
    dataset.SharedFunctionalGroupsSequence = Items(
        [
            group(
                PlaneOrientationSequence={
                    "ImageOrientationPatient": [float(v) for v in orientation]
                },
                PixelMeasuresSequence={"PixelSpacing": list(pixel_mm), "SliceThickness": 1.5},
            )
        ]
    )
    dataset.PerFrameFunctionalGroupsSequence = Items(
        [
            group(
                FrameContentSequence={"StackID": "1", "InStackPositionNumber": n},
                PlanePositionSequence={
                    "ImagePositionPatient": [round(float(v), 6) for v in position]
                },
                PixelValueTransformationSequence={
                    "RescaleSlope": 1,
                    "RescaleIntercept": -1024,
                    "RescaleType": "HU",
                },
            )
            for n, position in enumerate(positions, 1)
        ]
    )
    return dataset


def mosaic(volume: Array, normal: Sequence[float] | None, **elements: object) -> Dataset:
    """A Siemens mosaic of `[slice, row, column]`, with a CSA header unless `normal` is None."""
    count, rows, columns = volume.shape
    across = int(np.ceil(np.sqrt(count)))
    picture = np.zeros((across * rows, across * columns), volume.dtype)
    for n, plane in enumerate(volume):
        top, left = n // across * rows, n % across * columns
        picture[top : top + rows, left : left + columns] = plane
    given = {"ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"], "Modality": "MR",
             "SpacingBetweenSlices": 4.0, **elements}  # fmt: skip
    dataset = one_slice(picture, (-50.0, -40.0, 10.0), **given)
    if normal is not None:
        block = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
        block.add_new(0x10, "OB", csa(count, normal))
    return dataset


def csa(count: int, normal: Sequence[float]) -> bytes:
    """A CSA header (second version) that says how many tiles there are and their normal."""
    elements = [
        _csa_element("NumberOfImagesInMosaic", b"US", [str(count)]),
        _csa_element("SliceNormalVector", b"FD", [f"{value:.8f}" for value in normal]),
    ]
    return b"SV10\4\3\2\1" + struct.pack("<2I", len(elements), 77) + b"".join(elements)


def _csa_element(name: str, vr: bytes, values: Sequence[str]) -> bytes:
    head = struct.pack("<64si4s3i", name.encode(), len(values), vr + b"\0\0", 6, len(values), 77)
    items = b""
    for value in values:
        text = value.encode() + b"\0"
        items += struct.pack("<4i", len(text), len(text), 77, len(text))
        items += text + bytes(-len(text) % 4)
    return head + items


def pet(**elements: object) -> Dataset:
    """One slice of PET in Bq/mL: 70 kg, 100 MBq given one half-life before the scan."""
    given = {
        "Modality": "PT",
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.128",
        "Units": "BQML",
        "RescaleSlope": 2,
        "RescaleIntercept": 0,
        "CorrectedImage": ["ATTN", "DECY"],
        "DecayCorrection": "START",
        "PatientWeight": 70,
        "SeriesDate": "20200102",
        "SeriesTime": "001000",
        "AcquisitionDate": "20200102",
        "AcquisitionTime": "001000",
    }
    dataset = one_slice(ramp((5, 4, 6))[0], (0.0, 0.0, 0.0), **{**given, **elements})
    drug = Dataset()
    drug.RadiopharmaceuticalStartTime = "225500"
    drug.RadionuclideTotalDose, drug.RadionuclideHalfLife = 1e8, 4500.0
    dataset.RadiopharmaceuticalInformationSequence = Items([drug])
    return dataset  # fmt: skip
