"""Compressed DICOM series to OME-Zarr, scan included, against others merely reading the pixels.

    python -m benchmarks.compressed [slices] [--rounds N] [--codec NAME] [--files FOLDER]

The generated body, 512 x 512, is written once in each of four lossless encodings. Ours must give
the voxels that went in; then all are timed in turn, files warm: ours until the OME-Zarr with its
pyramid is durable, SimpleITK's series reader and pydicom until the pixels are in memory, dcm2niix
(where it is installed) until its NIfTI is written. With `--files`, a series that is there already.
"""

import argparse
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import numpy.typing as npt
import pydicom
import SimpleITK as sitk  # noqa: N813  # as everybody calls it
from pydicom.encaps import encapsulate
from pydicom.uid import UID, RLELossless

from benchmarks.convert import in_order, peer, seconds
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.formats import open_reader, scan
from napari_medlabel.phantom import Body, write_ct_series
from napari_medlabel.storage.ome_zarr import open_volume, write_volume

TARGET = 0.60
_JPEG = "1.2.840.10008.1.2.4."

Stored = npt.NDArray[np.uint16]


def run_lengths(plane: Stored) -> bytes:
    """A frame in segments of high and low bytes, each row for itself: PS3.5 annex G."""
    pieces = [
        b"".join(imagecodecs.packbits_encode(row.tobytes()) for row in half)
        for half in ((plane >> 8).astype(np.uint8), (plane & 255).astype(np.uint8))
    ]
    even = [piece + bytes(len(piece) % 2) for piece in pieces]
    starts = np.array([2, 64, 64 + len(even[0]), *[0] * 13], "<u4")
    return starts.tobytes() + b"".join(even)


CODECS: dict[str, tuple[str, Callable[[Stored], bytes]]] = {
    "JPEG 2000": (
        _JPEG + "90",
        lambda plane: imagecodecs.jpeg2k_encode(plane, codecformat="j2k", reversible=True),
    ),
    "JPEG-LS": (_JPEG + "80", imagecodecs.jpegls_encode),
    "JPEG lossless": (
        _JPEG + "70",
        lambda plane: imagecodecs.ljpeg_encode(plane, bitspersample=16),
    ),
    "RLE": (RLELossless, run_lengths),
}


def body(slices: int) -> tuple[npt.NDArray[np.int16], Geometry]:
    """Part of the generated torso: axial pixels of 0.8 mm, 1.5 mm apart, about its middle."""
    lps_from_kji = np.array(
        [[0, 0, 0.8, -204.4], [0, 0.8, 0, -204.4], [1.5, 0, 0, -0.75 * slices], [0, 0, 0, 1.0]]
    )
    geometry = Geometry((slices, 512, 512), lps_from_kji)
    return Body().ct(geometry), geometry


def compress(plain: Path, folder: Path, codec: str) -> None:
    """The series again with each frame encoded; the same headers otherwise."""
    syntax, encode = CODECS[codec]
    folder.mkdir()
    for n, path in enumerate(sorted(plain.iterdir())):
        dataset = pydicom.dcmread(path)
        stored = np.frombuffer(dataset.PixelData, "<u2").reshape(512, 512)
        dataset.PixelData = encapsulate([bytes(encode(stored))])
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = UID(syntax)
        dataset.save_as(folder / f"{n:05d}.dcm", enforce_file_format=True)


def ours(files: Path, target: Path) -> None:
    """Scan and convert; durable when it returns."""
    reader = open_reader(scan(files).series[0])
    write_volume(reader, target, identifiers=False)
    reader.close()


def by_pydicom(files: Path) -> object:
    """Every pixel array, with the decoders that are installed."""
    return [pydicom.dcmread(path).pixel_array for path in in_order(files)]


def by_dcm2niix(files: Path, to: Path) -> object:
    """Into a NIfTI that is not compressed."""
    to.mkdir()
    command = ["dcm2niix", "-z", "n", "-b", "n", "-o", str(to), str(files)]
    return subprocess.run(command, check=True, capture_output=True)


def peers(files: Path, to: Path) -> dict[str, Callable[[], object]]:
    """Those that are installed and can read the series; the others are named on the way."""
    wanted: dict[str, Callable[[], object]] = {
        "SimpleITK": lambda: peer(files),
        "pydicom": lambda: by_pydicom(files),
        "dcm2niix": lambda: (shutil.rmtree(to, ignore_errors=True), by_dcm2niix(files, to)),
    }
    able = {}
    for name, run in wanted.items():
        try:
            run()
        except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
            print(f"    {name} left out: {str(error).splitlines()[0][:80]}")
        else:
            able[name] = run
    return able


def assert_same(files: Path, target: Path) -> None:
    """The voxels that SimpleITK reads."""
    ours(files, target)
    voxels = open_volume(target).levels[0][:]
    np.testing.assert_array_equal(voxels, sitk.GetArrayFromImage(peer(files)))


def report(name: str, files: Path, folder: Path, rounds: int) -> None:
    """Time all in turn; the median and the range of the ratios."""
    target = folder / "image.zarr"
    size = sum(path.stat().st_size for path in files.iterdir())
    count = len(list(files.iterdir()))
    print(f"{name}: {count} slices, {size / count / 1024:.0f} KiB each")
    assert_same(files, target)
    others = peers(files, folder / "nifti")
    times: dict[str, list[float]] = {name: [] for name in ("ours", *others)}
    for _ in range(rounds):
        shutil.rmtree(target)
        times["ours"].append(seconds(lambda: ours(files, target)))
        for other, run in others.items():
            times[other].append(seconds(run))
    for other in others:
        ratios = [a / b for a, b in zip(times["ours"], times[other], strict=True)]
        goal = f", target {TARGET}" if other == "SimpleITK" else ""
        print(
            f"    ours / {other}: {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f}-{max(ratios):.2f}){goal}; {statistics.median(times['ours']):.2f} s"
            f" and {statistics.median(times[other]):.2f} s"
        )
    shutil.rmtree(target)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("slices", nargs="?", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--codec", choices=sorted(CODECS), action="append")
    parser.add_argument("--files", type=Path, help="a compressed series that is there already")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.files:
            report("a given series", options.files, folder, options.rounds)
            return
        voxels, geometry = body(options.slices)
        write_ct_series(folder / "plain", voxels, geometry)
        for codec in options.codec or CODECS:
            compress(folder / "plain", folder / codec, codec)
            report(codec, folder / codec, folder, options.rounds)
            shutil.rmtree(folder / codec)


if __name__ == "__main__":
    main()
