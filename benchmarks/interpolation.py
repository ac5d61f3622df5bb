"""Slices between and beside drawn slices: how much of real masks is found again, and how fast.

python benchmarks/interpolation.py [--data FOLDER]

Every 3rd, 5th or 8th slice of each labelled object is kept; Dice is that of all slices between the
first and the last kept one, the kept ones left out. Objects with fewer than four kept slices are
left out. Beside ours: with the image as a guide; plain interpolation of signed distances (Raya and
Udupa); and ITK's morphological contour interpolation, where `itk` and its module
`itk-morphologicalcontourinterpolation` are installed. Then the same for a slice carried to the
next, beside a plain copy.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from scipy import ndimage

from napari_medlabel.core.carrying import carry
from napari_medlabel.core.geometry import Geometry, Spacing
from napari_medlabel.core.interpolation import interpolate
from napari_medlabel.core.metrics import dice

try:
    import itk
except ImportError:
    itk = None

Array = np.ndarray[Any, np.dtype[Any]]
Method = Callable[[Array, Spacing, int, Array | None], Array]

MASKS = {
    "head, brain": ("t1-brain-mask", "bet_tcia_example_t1c_mask.nii.gz", "tcia_example_t1c.nii.gz"),
    "trunk, organs": ("ct-multiorgan", "example_ct_labels.nii.gz", "example_ct.nii.gz"),
    "20 slices, organs": ("ct-multiorgan", "dicom_labels.nii.gz", ""),
    "lung, tumour": ("lesion-ct-lung", "expected/mask.nii.gz", ""),
    "cord": ("spinal-cord-mr", "t1w_seg-manual.nii.gz", "t1w.nii.gz"),
}
NAMES = {
    1: "spleen", 2: "right kidney", 3: "left kidney", 5: "liver", 6: "stomach", 7: "pancreas",
    14: "right lower lobe", 18: "small bowel", 20: "colon", 52: "aorta", 79: "cord",
}  # fmt: skip


def ours(drawn: Array, spacing_mm: Spacing, axis: int, _image: Array | None) -> Array:
    filled = drawn.copy()
    interpolate(drawn, spacing_mm, axis=axis).write(filled)
    return filled


def guided(drawn: Array, spacing_mm: Spacing, axis: int, image: Array | None) -> Array:
    filled = drawn.copy()
    interpolate(drawn, spacing_mm, axis=axis, image=image).write(filled)
    return filled


def plain(drawn: Array, spacing_mm: Spacing, axis: int, _image: Array | None) -> Array:
    """Signed distances mixed in proportion, every pair of drawn slices by itself."""
    turned = np.moveaxis(drawn.copy(), axis, 0)
    steps = [step for n, step in enumerate(spacing_mm) if n != axis]
    kept = np.flatnonzero(turned.any(axis=(1, 2)))
    signed = {}
    for n in kept:
        mask = np.pad(turned[n] > 0, 1)
        half = min(steps) / 2
        inside = ndimage.distance_transform_edt(mask, steps) - half
        outside = ndimage.distance_transform_edt(~mask, steps) - half
        signed[n] = np.where(mask, inside, -outside)[1:-1, 1:-1]
    for a, b in pairwise(kept):
        for n in range(a + 1, b):
            t = (n - a) / (b - a)
            turned[n] = (1 - t) * signed[a] + t * signed[b] > 0
    return np.moveaxis(turned, 0, axis)


def morphological(drawn: Array, _spacing: Spacing, axis: int, _image: Array | None) -> Array:
    padded = np.pad(drawn, 2)
    found = itk.morphological_contour_interpolator(
        itk.image_from_array(padded), axis=2 - axis, label=1
    )
    return itk.array_from_image(found)[2:-2, 2:-2, 2:-2]


METHODS: dict[str, Method] = {"ours": ours, "with image": guided, "plain": plain}
if itk is not None and hasattr(itk, "MorphologicalContourInterpolator"):
    METHODS["ITK"] = morphological


def loaded(path: Path) -> tuple[Array, Spacing]:
    image = nibabel.load(path)
    i, j, k = (float(step) for step in image.header.get_zooms()[:3])
    return np.asarray(image.dataobj).T, (k, j, i)


def scores(
    labels: Array, spacing_mm: Spacing, axis: int, every: int, image: Array | None
) -> dict[int, dict[str, float]]:
    found: dict[int, dict[str, float]] = {}
    for value, box in enumerate(ndimage.find_objects(labels.astype(np.int32)), 1):
        if box is None:
            continue
        wide = tuple(slice(max(side.start - 6, 0), side.stop + 6) for side in box)
        mask = labels[wide] == value
        turned = np.moveaxis(mask, axis, 0)
        places = np.flatnonzero(turned.any(axis=(1, 2)))
        kept = [n for n in range(places[0], places[-1] + 1, every) if turned[n].any()]
        if len(kept) < 4:
            continue
        drawn = np.zeros(mask.shape, np.uint8)
        np.moveaxis(drawn, axis, 0)[kept] = turned[kept]
        hidden = [n for n in range(kept[0], kept[-1]) if n not in kept]
        part = None if image is None else image[wide]
        found[value] = {
            name: dice(
                np.moveaxis(method(drawn, spacing_mm, axis, part), axis, 0)[hidden] > 0,
                turned[hidden],
            )
            for name, method in METHODS.items()
            if part is not None or name != "with image"
        }
    return found


def quality(data: Path) -> None:
    print("| mask | axis | kept | objects | " + " | ".join(METHODS) + " |")
    for name, (folder, mask, picture) in MASKS.items():
        path = data / folder / mask
        if not path.is_file():
            print(f"{name}: {path.name} is not there")
            continue
        labels, spacing_mm = loaded(path)
        image = loaded(data / folder / picture)[0] if picture else None
        for axis in (0, 2):
            for every in (3, 5, 8):
                found = scores(labels, spacing_mm, axis, every, image)
                if not found:
                    continue
                means = [
                    f"{np.mean([one[method] for one in found.values()]):.3f}"
                    if all(method in one for one in found.values()) else ""
                    for method in METHODS
                ]  # fmt: skip
                where = f"{'kji'[axis]}, {spacing_mm[axis]:.1f} mm"
                print(f"| {name} | {where} | 1 in {every} | {len(found)} | {' | '.join(means)} |")
                if name.startswith("trunk") and axis == 0:
                    each = [
                        f"{NAMES[value]} " + "/".join(f"{score:.3f}" for score in one.values())
                        for value, one in found.items() if value in NAMES
                    ]  # fmt: skip
                    print("   " + ", ".join(each))


def carried(data: Path) -> None:
    """How much of a slice is found again from the one before it: carried, and merely copied."""
    print("carried from each slice to the next, both ways: mean Dice, and slices of a second")
    for name, (folder, mask, picture) in MASKS.items():
        path = data / folder / mask
        if not picture or not path.is_file():
            continue
        labels, spacing_mm = loaded(path)
        image = loaded(data / folder / picture)[0]
        ours_and_copy, ends, took = [], [], []
        for value, box in enumerate(ndimage.find_objects(labels.astype(np.int32)), 1):
            if box is None or box[0].stop - box[0].start < 5:
                continue
            inside = labels == value
            for k, step in ((k, step) for k in range(len(labels)) for step in (1, -1)):
                if not (0 <= k + step < len(labels) and inside[k].any()):
                    continue
                low = min(k, k + step)
                drawn = np.zeros((2, *labels.shape[1:]), np.uint8)
                drawn[k - low] = inside[k]
                geometry = Geometry.from_spacing(drawn.shape, spacing_mm)
                start = time.perf_counter()
                edit = carry(drawn, image[low : low + 2], geometry, 1, 0, k - low, step)
                took.append(time.perf_counter() - start)
                edit.write(drawn)
                found, truth = drawn[k + step - low] > 0, inside[k + step]
                if truth.any():
                    ours_and_copy.append((dice(found, truth), dice(inside[k], truth)))
                else:
                    ends.append(not found.any())
        ours, copy = np.mean(ours_and_copy, axis=0)
        print(f"  {name}: {ours:.3f}, copied {copy:.3f}, ends seen {sum(ends)} of {len(ends)}, "
              f"{1 / np.mean(took):.0f} a second")  # fmt: skip


def head(slices: int = 200, every: int = 5, size: int = 512) -> Array:
    """A head's outline with an eyehole on every n-th slice."""
    labels = np.zeros((slices + 1, size, size), np.uint8)
    j, i = np.ogrid[:size, :size]
    for k in range(0, slices + 1, every):
        t = k / slices
        radius = size * 0.33 * np.sqrt(max(1 - (2 * t - 1) ** 2, 0.02))
        wavy = radius * (1 + 0.08 * np.sin(5 * np.arctan2(j - size / 2, i - size / 2) + 6 * t))
        labels[k][np.hypot(j - size / 2, (i - size / 2) * 1.2) < wavy] = 1
        labels[k][np.hypot(j - size / 2 + 20, i - size / 2) < wavy * 0.3] = 0
    return labels


def seconds(task: Callable[[], object]) -> float:
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def speed(rounds: int = 7) -> None:
    labels, spacing_mm = head(), (1.0, 0.7, 0.7)
    image = np.zeros(labels.shape, np.int16)
    assert (
        dice(ours(labels, spacing_mm, 0, None) > 0, plain(labels, spacing_mm, 0, None) > 0) > 0.98
    )
    times: dict[str, list[float]] = {name: [] for name in METHODS}
    for _ in range(rounds):
        for name, method in METHODS.items():
            times[name].append(seconds(lambda m=method: m(labels, spacing_mm, 0, image)))
    print("200 slices of 512 x 512, every fifth drawn, seconds and ratio to plain:")
    for name, own in times.items():
        ratios = [a / b for a, b in zip(own, times["plain"], strict=True)]
        low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
        print(f"  {name}: {statistics.median(own):.2f} s, {middle:.2f} ({low:.2f}-{high:.2f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    beside = Path(__file__).parents[2] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("MEDLABEL_DATA", beside)))
    options = parser.parse_args()
    quality(options.data)
    carried(options.data)
    speed()


if __name__ == "__main__":
    main()
