"""An enhanced CT of 600 frames in one file, against pydicom reading its pixel array.

    python -m benchmarks.multiframe [frames] [--rounds N]

The file, 512 x 512, is made once uncompressed and once as JPEG-LS, with the functional groups of
each frame. Ours must give the voxels that went in; then all are timed in turn, files warm: ours
scans and reads every slab, and does the same into a durable OME-Zarr with its pyramid; pydicom
gives the stored values in one array, SimpleITK its image. Memory is that of a process that does
nothing else, above a bare interpreter's.
"""

import argparse
import hashlib
import inspect
import shutil
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import numpy.typing as npt
import pydicom
import SimpleITK as sitk  # noqa: N813  # as everybody calls it
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, EnhancedCTImageStorage, ExplicitVRLittleEndian, generate_uid

from benchmarks.compressed import body
from benchmarks.convert import highest_mb, peak_mb, seconds
from benchmarks.scan import header
from napari_medlabel.formats import open_reader, scan
from napari_medlabel.storage.ome_zarr import write_volume

TARGET = 1.0
SLAB = 32
JPEG_LS = "1.2.840.10008.1.2.4.80"
MADE = 40  # slices of the phantom, which are repeated


def group(**macros: dict[str, object]) -> Dataset:
    """A functional group: one sequence of one item for each macro."""
    item = Dataset()
    for keyword, elements in macros.items():
        inner = Dataset()
        for name, value in elements.items():
            setattr(inner, name, value)
        setattr(item, keyword, Items([inner]))
    return item


def make(path: Path, frames: int, syntax: str) -> str:
    """Write the file; the SHA-256 of its HU."""
    voxels, _ = body(MADE)
    planes = [voxels[n % MADE] + n // MADE for n in range(frames)]
    dataset = header(0)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "SliceLocation"):
        delattr(dataset, keyword)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.FrameOfReferenceUID = generate_uid()
    dataset.Rows = dataset.Columns = 512
    dataset.NumberOfFrames = frames
    for keyword in ("PixelSpacing", "RescaleSlope", "RescaleIntercept", "RescaleType"):
        if keyword in dataset:
            delattr(dataset, keyword)
    dataset.SharedFunctionalGroupsSequence = Items([shared()])
    dataset.PerFrameFunctionalGroupsSequence = Items([own(n) for n in range(frames)])
    stored = [(plane + 1024).astype(np.uint16) for plane in planes]
    if syntax == ExplicitVRLittleEndian:
        dataset.PixelData = b"".join(plane.tobytes() for plane in stored)
    else:
        encoded: dict[int, bytes] = {}
        for n, plane in enumerate(stored):
            encoded[n] = bytes(imagecodecs.jpegls_encode(plane))
        dataset.PixelData = encapsulate(list(encoded.values()))
        dataset["PixelData"].is_undefined_length = True
    dataset["PixelData"].VR = "OW" if syntax == ExplicitVRLittleEndian else "OB"
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.save_as(path, enforce_file_format=True)
    return digest(planes)


def shared() -> Dataset:
    """What all frames have in common."""
    return group(
        PlaneOrientationSequence={"ImageOrientationPatient": [1.0, 0, 0, 0, 1.0, 0]},
        PixelMeasuresSequence={"PixelSpacing": [0.8, 0.8], "SliceThickness": 1.5},
        PixelValueTransformationSequence={
            "RescaleSlope": 1, "RescaleIntercept": -1024, "RescaleType": "HU",
        },
    )  # fmt: skip


def own(n: int) -> Dataset:
    """What a frame has of its own."""
    return group(
        FrameContentSequence={
            "StackID": "1", "InStackPositionNumber": n + 1, "DimensionIndexValues": [1, n + 1],
            "FrameAcquisitionNumber": 1,
        },
        PlanePositionSequence={"ImagePositionPatient": [-204.4, -204.4, round(1.5 * n, 3)]},
        FrameVOILUTSequence={"WindowCenter": 40, "WindowWidth": 400},
    )  # fmt: skip


def digest(planes: list[npt.NDArray[np.int16]]) -> str:
    known = hashlib.sha256()
    for plane in planes:
        known.update(plane.tobytes())
    return known.hexdigest()


def ours(path: Path, each: Callable[[npt.NDArray[np.int16]], object] = len) -> None:
    """Scan, then every voxel, slab by slab; nothing is kept."""
    reader = open_reader(scan(path).series[0])
    depth = reader.source.geometry.shape[0]
    for start in range(0, depth, SLAB):
        each(reader.read(start, min(start + SLAB, depth)))
    reader.close()


def to_zarr(path: Path, target: Path) -> None:
    """Scan and convert; durable when it returns."""
    shutil.rmtree(target, ignore_errors=True)
    reader = open_reader(scan(path).series[0])
    write_volume(reader, target, identifiers=False)
    reader.close()


def by_pydicom(path: Path) -> object:
    return pydicom.dcmread(path).pixel_array


def by_simpleitk(path: Path) -> object:
    return sitk.ReadImage(str(path))


def assert_same(path: Path, expected: str) -> None:
    known = hashlib.sha256()
    ours(path, lambda slab: known.update(slab.tobytes()))
    assert known.hexdigest() == expected


def report(path: Path, target: Path, rounds: int) -> None:
    runs: dict[str, Callable[[], object]] = {
        "ours": lambda: ours(path),
        "to OME-Zarr": lambda: to_zarr(path, target),
        "pydicom": lambda: by_pydicom(path),
        "SimpleITK": lambda: by_simpleitk(path),
    }
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(seconds(run))
    for name in ("ours", "to OME-Zarr"):
        for other in ("pydicom", "SimpleITK"):
            ratios = [a / b for a, b in zip(times[name], times[other], strict=True)]
            goal = f", target {TARGET}" if (name, other) == ("ours", "pydicom") else ""
            print(
                f"    {name} / {other}: {statistics.median(ratios):.2f} "
                f"({min(ratios):.2f}-{max(ratios):.2f}){goal}; "
                f"{statistics.median(times[name]):.2f} s and "
                f"{statistics.median(times[other]):.2f} s"
            )
    bare = peak_mb("-c", inspect.getsource(highest_mb) + "print(highest_mb())")
    for name in runs:
        command = ["-m", "benchmarks.multiframe", "--alone", name, str(path), str(target)]
        print(f"    memory, {name}: {peak_mb(*command) - bare:.0f} MB")


def alone(name: str, path: Path, target: Path) -> None:
    """One of them in this process, which then tells its memory."""
    run = {
        "ours": lambda: ours(path), "to OME-Zarr": lambda: to_zarr(path, target),
        "pydicom": lambda: by_pydicom(path), "SimpleITK": lambda: by_simpleitk(path),
    }[name]  # fmt: skip
    run()
    print(highest_mb())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("frames", nargs="?", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--alone", nargs=3, metavar=("NAME", "FILE", "TARGET"))
    options = parser.parse_args()
    if options.alone:
        name, path, target = options.alone
        alone(name, Path(path), Path(target))
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, syntax in (("uncompressed", ExplicitVRLittleEndian), ("JPEG-LS", JPEG_LS)):
            path = Path(folder, name)
            expected = make(path, options.frames, syntax)
            print(f"{name}: {options.frames} frames, {path.stat().st_size / 2**20:.0f} MiB")
            assert_same(path, expected)
            report(path, Path(folder, "image.zarr"), options.rounds)
            path.unlink()


if __name__ == "__main__":
    main()
