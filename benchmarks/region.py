"""Region tools on 512 x 512 x 300 voxels with one large, noisy object.

Beside each, where there is one, the same on the whole array by SciPy or SimpleITK, which must give
the same answer (or nearly, where it says so).

python benchmarks/region.py [ROUNDS]
"""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813  # its own name for itself
from scipy import ndimage

from napari_medlabel.core import (
    region_flood,
    region_islands,
    region_margin,
    region_seeds,
    region_smoothing,
    region_threshold,
    smart_paint,
)
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Spacing
from napari_medlabel.core.livewire import Livewire
from napari_medlabel.core.metrics import dice
from napari_medlabel.errors import Cancelled

Array = np.ndarray[Any, np.dtype[Any]]

SHAPE, MM = (300, 512, 512), (1.0, 0.7, 0.7)
SEED = (150, 256, 200)


def phantom() -> tuple[Array, Array]:
    """An ellipsoid of 100 in noise of 10, and which voxels it has."""
    k, j, i = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    inside = ((k - 150) / 100) ** 2 + ((j - 256) / 150) ** 2 + ((i - 200) / 110) ** 2 < 1
    image = np.random.default_rng(0).normal(0, 10, SHAPE).astype(np.int16)
    image[inside] += 100
    return image, inside


def seeds() -> Array:
    """A little of the object, and of what lies around it on three slices."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[150, 250:260, 190:210] = 1
    for k, j in ((20, 20), (280, 20), (150, 470)):
        labels[k, j : j + 20, 20:490] = 2
    return labels


def sitk_margin(mask: Array, spacing_mm: Spacing, by_mm: float) -> Array:
    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    image.SetSpacing(spacing_mm[::-1])
    squares = sitk.SignedMaurerDistanceMap(
        image, insideIsPositive=False, squaredDistance=True, useImageSpacing=True
    )
    return sitk.GetArrayViewFromImage(squares) <= by_mm**2 + 1e-4


def sitk_region(image: Array, low: float, high: float) -> Array:
    found = sitk.ConnectedThreshold(
        sitk.GetImageFromArray(image), [SEED[::-1]], float(low), float(high)
    )
    return sitk.GetArrayViewFromImage(found) > 0


def seconds(task: Callable[[], object]) -> float:
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def compared(  # noqa: PLR0913
    name: str, task: Callable[[], Edit], peer: Callable[[], Array] | None, labels: Array,
    rounds: int, *, least: float = 1.0,
) -> None:  # fmt: skip
    """Assert that both answers agree, then time them in turn."""
    if peer is not None:
        changed = labels.copy()
        task().write(changed)
        assert dice(changed == 1, peer()) >= least, name
    own, ratios = [], []
    for _ in range(rounds):
        own.append(seconds(task))
        if peer is not None:
            ratios.append(own[-1] / seconds(peer))
    beside = (
        f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})" if ratios else ""
    )
    print(f"| {name} | {statistics.median(own):.2f} s ({max(own):.2f}) | {beside} |", flush=True)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    image, inside = phantom()
    full, empty, sown = inside.astype(np.uint8), np.zeros(SHAPE, np.uint8), seeds()
    grown = sown.copy()
    region_seeds.grow_from_seeds(sown, image, MM, outside=2).write(grown)
    print(f"grown from seeds: Dice {dice(grown == 1, inside):.3f}")
    print("| tool | median (worst) | ratio to SciPy or SimpleITK on the whole array |")
    jobs: list[tuple[str, Callable[[], Edit], Callable[[], Array] | None, Array, float]] = [
        ("grow from seeds",
         lambda: region_seeds.grow_from_seeds(sown, image, MM, outside=2), None, sown, 1),
        ("grow from a point",
         lambda: region_flood.grow_from_point(empty, image, 1, SEED, 50),
         lambda: sitk_region(image, image[SEED] - 50, image[SEED] + 50), empty, 1),
        ("grow confidently",
         lambda: region_flood.grow_confidently(empty, image, 1, SEED, factor=3.0),
         None, empty, 1),
        ("fill in 3-D", lambda: region_flood.fill(full, 1, (0, 0, 0)), None, full, 1),
        ("threshold", lambda: region_threshold.threshold(empty, image, 1, 50, 150),
         lambda: (image >= 50) & (image <= 150), empty, 1),
        ("grow by 5 mm", lambda: region_margin.grow(full, 1, MM, 5.0),
         lambda: sitk_margin(inside, MM, 5.0), full, 1),
        ("shrink by 5 mm", lambda: region_margin.shrink(full, 1, MM, 5.0),
         lambda: ~sitk_margin(~inside, MM, 5.0), full, 1),
        ("fill holes", lambda: region_islands.fill_holes(full, 1),
         lambda: ndimage.binary_fill_holes(inside), full, 1),
        ("keep largest", lambda: region_islands.keep_largest(full, 1),
         lambda: ndimage.label(inside, np.ones((3, 3, 3)))[0] == 1, full, 1),
        ("median of 5 mm", lambda: region_smoothing.smooth_median(full, 1, MM, 5.0),
         lambda: ndimage.uniform_filter(inside.astype(np.float32), (5, 7, 7)) >= 0.5,
         full, 0.9999),
        ("Gaussian of 2 mm", lambda: region_smoothing.smooth_gaussian(full, 1, MM, 2.0),
         lambda: ndimage.gaussian_filter(
             inside.astype(np.float32), [2 / step for step in MM], truncate=3) >= 0.5,
         full, 0.9999),
    ]  # fmt: skip
    for name, task, peer, labels, least in jobs:
        compared(name, task, peer, labels, rounds, least=least)
    drawing(image, empty)
    polls = iter([False] * 40)
    late = seconds(lambda: _called_off(lambda: next(polls, True), image, sown))
    print(f"growing from seeds called off at the 41st poll: over after {late:.2f} s")


def drawing(image: Array, empty: Array) -> None:
    """What must follow the hand: milliseconds, the median and the worst of twenty."""
    plane = image[SEED[0]]
    wire = Livewire(plane, MM[1:])
    wire.seed((256, 90), snap_mm=3.0)
    stroke = [(150, 256 + n, 90) for n in range(60)]
    one_slice = (slice(150, 151), slice(0, 512), slice(0, 512))
    jobs: dict[str, Callable[[], object]] = {
        "scissors made": lambda: Livewire(plane, MM[1:]),
        "scissors' seed": lambda: wire.seed((256, 90), snap_mm=3.0),
        "scissors' path": lambda: wire.path_to((400, 300), snap_mm=3.0),
        "smart paint, 20 mm, one disc": lambda: smart_paint.paint_to_edge(
            empty, image, 1, stroke[0], diameter_mm=20.0, spacing_mm=MM
        ),
        "smart paint, a stroke of 60": lambda: smart_paint.paint_to_edge(
            empty, image, 1, stroke[0], path=stroke[1:], diameter_mm=20.0, spacing_mm=MM
        ),
        "threshold of one slice": lambda: region_threshold.threshold(
            empty, image, 1, 50, 150, box=one_slice
        ),
    }
    for name, job in jobs.items():
        own = sorted(1000 * seconds(job) for _ in range(20))
        print(f"{name}: {statistics.median(own):.1f} ms ({own[-1]:.1f})")


def _called_off(cancelled: Callable[[], bool], image: Array, sown: Array) -> None:
    try:
        region_seeds.grow_from_seeds(sown, image, MM, cancelled=cancelled)
    except Cancelled:
        return
    raise AssertionError("it was not called off")


if __name__ == "__main__":
    main()
