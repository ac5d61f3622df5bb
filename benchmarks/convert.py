"""DICOM files to a sealed OME-Zarr with pyramid, scan included, against SimpleITK merely reading.

    python -m benchmarks.convert [slices] [--rounds N] [--files FOLDER] [--to FOLDER]

A CT of 512 x 512 is made once: soft shapes, noise, headers as long as a scanner writes them. Both
must give the same voxels at the same place; then both are timed in turn, files warm. Ours ends
when all is durable (fsync) and has its name. Memory is that of a process that does nothing else,
above a bare interpreter's.
"""

import argparse
import functools
import inspect
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813  # as everybody calls it
from pydicom.uid import generate_uid

from benchmarks.scan import header
from napari_medlabel.formats import open_reader, scan
from napari_medlabel.storage.cipher import Cipher, new_key
from napari_medlabel.storage.ome_zarr import open_volume, write_volume

TARGET = 0.70
TARGET_MB = 400
KEY = new_key()


def make_ct(folder: Path, slices: int) -> None:
    """One file for each slice, names in the order of slices, as SimpleITK wants them."""
    rng = np.random.default_rng(1)
    j, i = np.mgrid[-1:1:512j, -1:1:512j]
    noise = rng.normal(0, 12, (8, 512, 512))
    series, study, frame = generate_uid(), generate_uid(), generate_uid()
    for k in range(slices):
        z = 2 * k / slices - 1
        body = (i / 0.8) ** 2 + (j / 0.6) ** 2 < 1
        organ = ((i - 0.3) / 0.3) ** 2 + (j / 0.3) ** 2 + (z / 0.7) ** 2 < 1
        bone = (i / 0.08) ** 2 + ((j - 0.45) / 0.08) ** 2 < 1
        values = np.where(body, 40.0 + 60 * organ + 800 * bone, -1000) + noise[k % 8] * (1 + body)
        dataset = header(k)
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, series
        dataset.FrameOfReferenceUID = frame
        dataset.Rows = dataset.Columns = 512
        dataset.PixelSpacing = [0.7, 0.7]
        stored = np.clip(np.round(values) + 1024, 0, 4095).astype(np.uint16)
        dataset.PixelData = stored.tobytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset.save_as(folder / f"{k:05d}.dcm", enforce_file_format=True)


def ours(files: Path, target: Path) -> None:
    """Scan, convert, seal; durable when it returns."""
    found = scan(files)
    reader = open_reader(found.series[0])
    write_volume(reader, target, cipher=Cipher(KEY), place="case")
    reader.close()


def peer(files: Path) -> sitk.Image:
    """Read the files into memory, in an order that is known already."""
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(in_order(files))
    return reader.Execute()


@functools.cache
def in_order(files: Path) -> tuple[str, ...]:
    """The files by their places, found before anything is timed."""
    return tuple(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(files)))


def assert_same(files: Path, target: Path) -> None:
    """The same voxels at the same place."""
    ours(files, target)
    volume, image = open_volume(target, cipher=Cipher(KEY), place="case"), peer(files)
    np.testing.assert_array_equal(volume.levels[0][:], sitk.GetArrayViewFromImage(image))
    np.testing.assert_allclose(volume.geometry.origin_lps, image.GetOrigin(), atol=1e-6)
    np.testing.assert_allclose(volume.geometry.spacing_mm[::-1], image.GetSpacing(), atol=1e-6)


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def highest_mb() -> float:
    """Largest resident memory of this process so far; ru_maxrss begins with the parent's."""
    with open("/proc/self/status") as status:  # noqa: PTH123  # alone in a bare interpreter
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def peak_mb(*arguments: str) -> float:
    """Largest resident memory of a process of this module with these arguments."""
    command = [sys.executable, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def report(files: Path, to: Path, rounds: int) -> None:
    target = to / "image.zarr"
    assert_same(files, target)
    pairs = []
    for _ in range(rounds):
        shutil.rmtree(target)
        pairs.append((seconds(lambda: ours(files, target)), seconds(lambda: peer(files))))
    ratios = [a / b for a, b in pairs]
    print(f"{rounds} rounds, sealed OME-Zarr with pyramid, scan included / SimpleITK reads only:")
    print(f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f}), target {TARGET}")
    scans = [seconds(lambda: scan(files)) for _ in range(3)]
    medians = [statistics.median(times) for times in zip(*pairs, strict=True)]
    print(f"ours {medians[0]:.2f} s (scan {statistics.median(scans):.2f}), peer {medians[1]:.2f} s")
    shutil.rmtree(target)
    bare = peak_mb("-c", inspect.getsource(highest_mb) + "print(highest_mb())")
    once = ["-m", "benchmarks.convert", "--files", str(files), "--to", str(to), "--once"]
    print(
        f"peak memory {peak_mb(*once) - bare:.0f} MB above a bare interpreter, target {TARGET_MB}"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("slices", nargs="?", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--files", type=Path, help="where the DICOM files are, or are made")
    parser.add_argument("--to", type=Path, help="where the OME-Zarr goes")
    parser.add_argument("--once", action="store_true", help="convert once and tell the memory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = options.files or Path(folder, "dicom")
        to = options.to or Path(folder)
        if not files.exists():
            files.mkdir()
            make_ct(files, options.slices)
        if options.once:
            ours(files, to / "image.zarr")
            print(highest_mb())
        else:
            report(files, to, options.rounds)


if __name__ == "__main__":
    main()
