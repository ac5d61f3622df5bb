"""The first volume of a 4-D `.nii.gz` of 100 volumes of 64 x 96 x 96, against nibabel.

Run: python benchmarks/first_volume.py

Ours: scan the file, open its first volume, read it. The peer: nibabel's `get_fdata`, which is how
most programs ask, and its `dataobj[..., 0]`, which asks for no more than that. First all must
agree. Then all volumes, one after the other: ours go on where the one before ended.
"""

import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from napari_medlabel.formats import open_reader, scan

SHAPE = (96, 96, 64, 100)  # i, j, k, t
ROUNDS = 5


def main() -> None:
    """Make the file, compare the answers, time all in turn."""
    with tempfile.TemporaryDirectory() as folder:
        path = make(Path(folder) / "four.nii.gz")
        expected = np.asarray(nibabel.load(path).dataobj[..., 0]).T
        np.testing.assert_array_equal(first(path), expected)
        np.testing.assert_array_equal(whole(path)[..., 0].T, expected)
        rounds = [[seconds(run, path) for run in (first, sliced, whole)] for _ in range(ROUNDS)]
        ours, part, all_ = (statistics.median(one) for one in zip(*rounds, strict=True))
        print(f"first volume: {ours * 1e3:.0f} ms; {ours / all_:.3f} of get_fdata, ", end="")
        print(f"{ours / part:.2f} of dataobj[..., 0]")
        print(f"all volumes: {seconds(every, path) / all_:.2f} of get_fdata")
        tracemalloc.start()
        first(path)
        print(f"peak memory of the first volume: {tracemalloc.get_traced_memory()[1] >> 20} MiB")


def make(path: Path) -> Path:
    """Smooth values with noise, as an image has them: such a file deflates to two thirds."""
    rng = np.random.default_rng(0)
    voxels = rng.normal(800, 30, SHAPE).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([2.0, 2.0, 3.0, 1.0])), path)
    return path


def first(path: Path) -> Any:  # noqa: ANN401  # untyped
    """Our first volume, `[k, j, i]`."""
    reader = open_reader(scan(path).series[0], 0)
    try:
        return reader.read(0, reader.source.geometry.shape[0])
    finally:
        reader.close()


def every(path: Path) -> None:
    """All of our volumes."""
    series = scan(path).series[0]
    for number in range(len(series.volumes)):
        reader = open_reader(series, number)
        reader.read(0, reader.source.geometry.shape[0])
        reader.close()


def sliced(path: Path) -> Any:  # noqa: ANN401  # untyped
    """The peer, asked for one volume."""
    return np.asarray(nibabel.load(path).dataobj[..., 0])


def whole(path: Path) -> Any:  # noqa: ANN401  # untyped
    """The peer as it is mostly used."""
    return nibabel.load(path).get_fdata()


def seconds(run: Callable[[Path], object], path: Path) -> float:
    """How long one run takes."""
    start = time.perf_counter()
    run(path)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
