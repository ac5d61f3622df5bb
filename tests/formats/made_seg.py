"""DICOM segmentations and structure sets made in code: bits packed by hand, nothing of ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
    SegmentationStorage,
)

from napari_medlabel.core.geometry import Geometry
from tests.formats.made_dicom import uid

Array = npt.NDArray[Any]
LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"
STRUCTURES = "1.2.840.10008.5.1.4.1.1.481.3"
SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)


@dataclass(frozen=True)
class Frame:
    """A picture in a slice of a grid: `[row, column]`, of one segment or (0) of all."""

    k: int
    segment: int
    picture: Array


def item(**elements: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def code(value: str, scheme: str, meaning: str) -> Dataset:
    return item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def segment(number: int, **elements: object) -> Dataset:
    return item(
        SegmentNumber=number,
        SegmentLabel=elements.pop("SegmentLabel", f"Segment {number}"),
        SegmentAlgorithmType=elements.pop("SegmentAlgorithmType", "MANUAL"),
        SegmentedPropertyCategoryCodeSequence=[code("85756007", "SCT", "Tissue")],
        SegmentedPropertyTypeCodeSequence=[elements.pop("kind", code("51114001", "SCT", "Artery"))],
        **elements,
    )


def plane(geometry: Geometry, k: int) -> list[float]:
    return [float(f"{value:.10g}") for value in geometry.lps((k, 0, 0))]


def seg(
    geometry: Geometry,
    frames: Sequence[Frame],
    segments: Sequence[Dataset],
    kind: Literal["BINARY", "FRACTIONAL", "LABELMAP"] = "BINARY",
    between_mm: float | None = None,
    **elements: object,
) -> Dataset:
    """A segmentation; frames are as large as their pictures."""
    direction, (_, down_mm, across_mm) = geometry.direction, geometry.spacing_mm
    dataset = item(
        SOPClassUID=LABEL_MAP if kind == "LABELMAP" else SegmentationStorage,
        SOPInstanceUID=uid("seg"), StudyInstanceUID=uid("study"),
        SeriesInstanceUID=uid("seg series"), FrameOfReferenceUID=uid("frame"), Modality="SEG",
        SeriesNumber=9, PatientName="Secret^Name", PatientID="SECRET-ID",
        SegmentationType=kind, SegmentSequence=list(segments), SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2", PixelRepresentation=0,
        NumberOfFrames=len(frames),
    )  # fmt: skip
    dataset.Rows, dataset.Columns = frames[0].picture.shape
    bits = 1 if kind == "BINARY" else 8 * frames[0].picture.itemsize
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    if kind == "FRACTIONAL":
        dataset.SegmentationFractionalType, dataset.MaximumFractionalValue = "PROBABILITY", 255
    measures = item(PixelSpacing=[down_mm, across_mm], SliceThickness=1.0)
    if between_mm is not None:
        measures.SpacingBetweenSlices = between_mm
    across, down = direction[:, 2], direction[:, 1]
    dataset.SharedFunctionalGroupsSequence = [item(
        PixelMeasuresSequence=[measures],
        PlaneOrientationSequence=[
            item(ImageOrientationPatient=[float(f"{v:.10g}") for v in (*across, *down)])
        ],
    )]  # fmt: skip
    dataset.PerFrameFunctionalGroupsSequence = [_group(geometry, frame) for frame in frames]
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.PixelData = _pixels([frame.picture for frame in frames], bits)
    return dataset


def _group(geometry: Geometry, frame: Frame) -> Dataset:
    group = item(
        PlanePositionSequence=[item(ImagePositionPatient=plane(geometry, frame.k))],
        FrameContentSequence=[item(DimensionIndexValues=[max(frame.segment, 1), frame.k + 1])],
    )
    if frame.segment:
        group.SegmentIdentificationSequence = [item(ReferencedSegmentNumber=frame.segment)]
    return group


def _pixels(pictures: Sequence[Array], bits: int) -> bytes:
    joined = np.concatenate([picture.reshape(-1) for picture in pictures])
    if bits > 1:
        return joined.tobytes()
    values = [int(voxel) for voxel in joined]
    packed = bytearray(-(-len(values) // 8))
    for n, value in enumerate(values):
        packed[n // 8] |= value << n % 8
    return bytes(packed)


def save_seg(path: Path, dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> Path:
    """Write it; an odd number of bytes is padded."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    if "PixelData" in dataset and syntax != RLELossless:
        dataset.PixelData += b"\0" * (len(dataset.PixelData) % 2)
        dataset["PixelData"].VR = "OB" if dataset.BitsAllocated == 8 else "OW"
    dataset.save_as(path, enforce_file_format=True)
    return path


def save_rle(path: Path, dataset: Dataset) -> Path:
    """Write it with its 8-bit frames as runs of one to 128 bytes: literal runs, PS3.5 G.3."""
    size = dataset.Rows * dataset.Columns
    frames = [dataset.PixelData[n : n + size] for n in range(0, len(dataset.PixelData), size)]
    frames = frames[: int(dataset.NumberOfFrames)]
    dataset.PixelData = encapsulate([_runs(frame) for frame in frames])
    dataset["PixelData"].is_undefined_length = True
    return save_seg(path, dataset, RLELossless)


def _runs(data: bytes) -> bytes:
    packed = bytearray()
    for n in range(0, len(data), 128):
        part = data[n : n + 128]
        packed += bytes([len(part) - 1]) + part
    packed += b"\0" * (len(packed) % 2)
    return np.array([1, 64, *[0] * 14], "<u4").tobytes() + bytes(packed)


def structures(
    rings: Mapping[int, Sequence[npt.ArrayLike]], kind: str = "CLOSED_PLANAR"
) -> Dataset:
    """A structure set: by number, contours as positions in mm."""
    dataset = item(
        SOPClassUID=STRUCTURES, SOPInstanceUID=uid("structures"), StudyInstanceUID=uid("study"),
        SeriesInstanceUID=uid("rt series"), Modality="RTSTRUCT", PatientName="Secret^Name",
    )  # fmt: skip
    dataset.ReferencedFrameOfReferenceSequence = [item(FrameOfReferenceUID=uid("frame"))]
    dataset.StructureSetROISequence = [
        item(ROINumber=n, ROIName=f"Region {n}", ReferencedFrameOfReferenceUID=uid("frame"))
        for n in rings
    ]
    dataset.ROIContourSequence = [
        item(
            ReferencedROINumber=n, ROIDisplayColor=[255, n, 0],
            ContourSequence=[contour(ring, kind) for ring in contours],
        )
        for n, contours in rings.items()
    ]  # fmt: skip
    return dataset


def contour(points: npt.ArrayLike, kind: str = "CLOSED_PLANAR") -> Dataset:
    flat = np.asarray(points, dtype=np.float64).reshape(-1)
    return item(
        ContourGeometricType=kind, NumberOfContourPoints=len(flat) // 3,
        ContourData=[float(f"{value:.10g}") for value in flat],
    )  # fmt: skip
