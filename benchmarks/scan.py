"""Scan of a folder with 10,000 single-frame CT files, against pydicom reading the same elements.

Run: python benchmarks/scan.py [FILES]

Both read warm files; first both must agree on every position. The peer is pydicom's own fast
way: `specific_tags` and `stop_before_pixels`, without any grouping, sorting or checking. Then the
folder is scanned again: nothing in it has changed, and what its headers said is remembered.
"""

import statistics
import sys
import tempfile
import time
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from napari_medlabel.formats.dicom_gather import forget_headers
from napari_medlabel.formats.dicom_scan import scan_dicom
from napari_medlabel.formats.dicom_tags import WANTED

TARGET = 0.6
TARGET_AGAIN = 0.1
ROUNDS = 5
SETTLED_S = 2.5  # files that are younger are not remembered


def main(files: int = 10_000) -> None:
    """Make the files, compare the answers, time both in turn."""
    with tempfile.TemporaryDirectory() as folder:
        make_series(Path(folder), files)
        assert_same(Path(folder))
        time.sleep(SETTLED_S)
        rounds = [[seconds(run, folder) for run in (ours, again, peer)] for _ in range(ROUNDS)]
        memory = held(folder)
    print(f"{files} files, {ROUNDS} rounds, ours / pydicom specific_tags:")
    tell("first scan", [first / theirs for first, _, theirs in rounds], TARGET)
    tell("second scan", [second / theirs for _, second, theirs in rounds], TARGET_AGAIN)
    tell("second / first scan", [second / first for first, second, _ in rounds], TARGET_AGAIN)
    first = statistics.median(first for first, _, _ in rounds)
    print(f"median {first / files * 1e6:.0f} us a file; {memory / files:.0f} bytes held for each")


def tell(what: str, ratios: list[float], target: float) -> None:
    """One line of the report."""
    middle = statistics.median(ratios)
    print(f"{what}: {middle:.3f} ({min(ratios):.3f}-{max(ratios):.3f}), target {target}")


def held(folder: str) -> int:
    """Bytes that the answer and what is remembered take."""
    forget_headers()
    tracemalloc.start()
    try:
        answer = again(folder)
        return tracemalloc.get_traced_memory()[0] if answer else 0
    finally:
        tracemalloc.stop()


def ours(folder: str) -> object:
    """The whole scan: headers, grouping, sorting, geometry, checks."""
    forget_headers()
    return scan_dicom(Path(folder))


def again(folder: str) -> object:
    """The same once more."""
    return scan_dicom(Path(folder))


def peer(folder: str) -> object:
    """Headers only."""
    tags = sorted(WANTED)
    return [
        dcmread(file, stop_before_pixels=True, specific_tags=tags)
        for file in sorted(Path(folder).iterdir())
    ]


def seconds(run: Callable[[str], object], folder: str) -> float:
    """How long one run takes."""
    start = time.perf_counter()
    run(folder)
    return time.perf_counter() - start


def assert_same(folder: Path) -> None:
    """Both see the same slices at the same places."""
    series, skipped = scan_dicom(folder)
    (volume,) = series[0].volumes
    assert not skipped
    assert volume.geometry is not None
    heights = sorted(float(dataset.ImagePositionPatient[2]) for dataset in peer(str(folder)))
    np.testing.assert_allclose([part.position[2] for part in volume.parts], heights)


def make_series(folder: Path, files: int) -> None:
    """A CT of small slices whose headers are as long as a scanner writes them."""
    series, study, frame = generate_uid(), generate_uid(), generate_uid()
    pixels = np.zeros((64, 64), np.int16).tobytes()
    for n in range(files):
        dataset = header(n)
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, series
        dataset.FrameOfReferenceUID = frame
        dataset.PixelData = pixels
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset.save_as(folder / f"{(n * 7919) % files:05d}", enforce_file_format=True)


def header(n: int) -> Dataset:
    """Some ninety elements and a few sequences, as a CT scanner writes."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, generate_uid()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.Modality, dataset.Manufacturer = "CT", "Generated"
    dataset.SeriesDescription, dataset.StudyDescription = "axial", "generated"
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"):
        setattr(dataset, keyword, "20200101")
    for keyword in ("StudyTime", "SeriesTime", "AcquisitionTime", "ContentTime"):
        setattr(dataset, keyword, "120000.000000")
    for keyword in (
        "AccessionNumber", "PatientName", "PatientID", "PatientBirthDate", "PatientSex",
        "PatientAge", "InstitutionName", "StationName", "ProtocolName", "ContrastBolusAgent",
        "ManufacturerModelName", "DeviceSerialNumber", "SoftwareVersions", "BodyPartExamined",
        "ReferringPhysicianName", "OperatorsName", "FilterType", "StudyID", "PatientPosition",
    ):  # fmt: skip
        setattr(dataset, keyword, "")
    for keyword in (
        "KVP", "DataCollectionDiameter", "ReconstructionDiameter", "DistanceSourceToDetector",
        "DistanceSourceToPatient", "GantryDetectorTilt", "TableHeight", "SliceThickness",
        "FocalSpots", "SpiralPitchFactor", "SingleCollimationWidth", "TotalCollimationWidth",
        "TableSpeed", "CTDIvol", "PatientWeight", "PatientSize",
    ):  # fmt: skip
        setattr(dataset, keyword, 1)
    for keyword in ("ExposureTime", "XRayTubeCurrent", "Exposure", "GeneratorPower"):
        setattr(dataset, keyword, 100)
    dataset.ConvolutionKernel = "B30f"
    for keyword in ("ReferencedStudySequence", "ReferencedImageSequence", "SourceImageSequence"):
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CTImageStorage, generate_uid()
        setattr(dataset, keyword, [item])
    block = dataset.private_block(0x0029, "GENERATED HEADER", create=True)
    for element in range(10):
        block.add_new(element, "OB", b"\0" * 64)
    dataset.SeriesNumber, dataset.AcquisitionNumber, dataset.InstanceNumber = 2, 1, n + 1
    dataset.ImagePositionPatient = [-160.0, -160.0, round(-500 + 0.6 * n, 3)]
    dataset.ImageOrientationPatient = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    dataset.SliceLocation = round(-500 + 0.6 * n, 3)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows = dataset.Columns = 64
    dataset.PixelSpacing = [5.0, 5.0]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.SmallestImagePixelValue, dataset.LargestImagePixelValue = 0, 0
    dataset.WindowCenter, dataset.WindowWidth = 40, 400
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = -1024, 1, "HU"
    return dataset


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
