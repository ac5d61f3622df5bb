"""Objects of real images by prompts: Dice and NSD (2 mm) after 1 to 10 clicks, a box, and seconds.

The first click is the object's deepest point; each later one is the deepest point of the largest
part that is missing or too much. Deepest is by millimetres, the image's border being outside;
parts touch by faces; of equally large errors what is missing comes first. The box is the object's
own, and the only prompt. Engines take turns, so that a slow minute hits all.

python benchmarks/interactive.py [ENGINE,ENGINE] [FOLDER OF REAL IMAGES]
"""

import statistics
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

import napari_medlabel as medlabel
from napari_medlabel.core.geometry import Spacing
from napari_medlabel.core.metrics import dice

Array = np.ndarray[Any, np.dtype[Any]]

CLICKS, TOLERANCE_MM = 10, 2.0
ORGANS = {
    "spleen": 1, "kidney": 2, "gallbladder": 4, "liver": 5, "stomach": 6, "lung lobe": 11,
    "colon": 20, "bladder": 21, "vertebra": 29, "aorta": 52, "hip": 77, "gluteus": 80,
    "autochthon": 86,
}  # fmt: skip
THIN = {"spleen 1 mm": 1, "liver 1 mm": 5, "stomach 1 mm": 6, "aorta 1 mm": 52, "vertebra 1 mm": 33}
SETS: tuple[tuple[str, str, dict[str, int]], ...] = (
    ("ct-multiorgan/example_ct.nii.gz", "ct-multiorgan/example_ct_labels.nii.gz", ORGANS),
    ("ct-multiorgan/dicom", "ct-multiorgan/dicom_labels.nii.gz", THIN),
    ("lesion-ct-lung/dicom", "lesion-ct-lung/expected/mask.nii.gz", {"lung tumour": 1}),
    ("lesion-mr-brain/brain1_image.nrrd", "lesion-mr-brain/brain1_label.nrrd", {"brain tumour": 1}),
    ("spinal-cord-mr/t1w.nii.gz", "spinal-cord-mr/t1w_seg-manual.nii.gz", {"cord T1": 1}),
    ("spinal-cord-mr/t2.nii.gz", "spinal-cord-mr/t2_seg-manual.nii.gz", {"cord T2": 1}),
    ("spinal-cord-mr/t2_fake_lesion.nii.gz", "spinal-cord-mr/t2_fake_lesion_sc_seg.nii.gz",
     {"cord T2 0.8 mm": 1}),
    ("spinal-cord-mr/t2s_uncropped.nii.gz", "spinal-cord-mr/t2s_uncropped_gmseg_manual.nii.gz",
     {"grey matter": 1}),
    ("t1-brain-mask/tcia_example_t1c.nii.gz", "t1-brain-mask/bet_tcia_example_t1c_mask.nii.gz",
     {"brain": 1}),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    name: str
    dices: list[float]
    nsds: list[float]
    preparing: float
    seconds: list[float]
    boxed: float = 0.0


def box_of(mask: Array) -> tuple[slice, ...]:
    return ndimage.find_objects(mask.astype(np.uint8))[0]


def largest(mask: Array) -> tuple[int, Array, tuple[slice, ...]]:
    """Voxels of the largest part; the part in its box."""
    if not mask.any():
        return 0, mask, ()
    box = box_of(mask)
    parts, _ = ndimage.label(mask[box])
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return int(sizes.max()), parts == sizes.argmax(), box


def deepest(part: Array, box: tuple[slice, ...], spacing_mm: Spacing) -> tuple[int, int, int]:
    depth = ndimage.distance_transform_edt(np.pad(part, 1), sampling=spacing_mm)[1:-1, 1:-1, 1:-1]
    at = np.unravel_index(int(depth.argmax()), depth.shape)
    k, j, i = (int(n) + side.start for n, side in zip(at, box, strict=True))
    return (k, j, i)


def next_click(mask: Array, truth: Array, spacing_mm: Spacing) -> medlabel.Point | None:
    missing, extra = largest(truth & ~mask), largest(mask & ~truth)
    if missing[0] == extra[0] == 0:
        return None
    include = missing[0] >= extra[0]
    _, part, box = missing if include else extra
    return medlabel.Point(deepest(part, box, spacing_mm), include=include)


def nsd(mask: Array, truth: Array, spacing_mm: Spacing) -> float:
    """Share of both surfaces that lies within the tolerance of the other one."""
    if not mask.any():
        return 0.0
    box = tuple(slice(max(s.start - 2, 0), s.stop + 2) for s in box_of(mask | truth))
    surfaces = [one[box] & ~ndimage.binary_erosion(one[box]) for one in (mask, truth)]
    near = 0
    for own, other in (surfaces, surfaces[::-1]):
        away = ndimage.distance_transform_edt(~other, sampling=spacing_mm)
        near += int(np.count_nonzero(away[own] <= TOLERANCE_MM))
    return near / sum(int(np.count_nonzero(one)) for one in surfaces)


def clicked(volume: medlabel.Volume, truth: Array, name: str, engine: str) -> Result:
    spacing_mm = volume.geometry.spacing_mm
    start = time.perf_counter()
    session = medlabel.interactive(volume, engine=engine)
    preparing, mask = time.perf_counter() - start, np.zeros(volume.shape, bool)
    dices, nsds, seconds = list[float](), list[float](), list[float]()
    for _ in range(CLICKS):
        click = next_click(mask, truth, spacing_mm)
        if click is not None:
            start = time.perf_counter()
            mask = session.add(click)
            seconds.append(time.perf_counter() - start)
        dices.append(dice(mask, truth))
        nsds.append(nsd(mask, truth, spacing_mm))
    session.reset()
    sides = box_of(truth)
    low, high = [side.start for side in sides], [side.stop - 1 for side in sides]
    box = medlabel.Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))
    return Result(name, dices, nsds, preparing, seconds, dice(session.add(box), truth))


def results(folder: Path, engines: Sequence[str]) -> Iterator[list[Result]]:
    """For each object what each engine came to."""
    for image, labels, objects in SETS:
        volume, drawn = medlabel.read(folder / image), medlabel.read(folder / labels).levels[0][:]
        for name, value in objects.items():
            yield [clicked(volume, drawn == value, name, engine) for engine in engines]


def row(name: str, columns: Iterable[tuple[Sequence[float], Sequence[float], float]]) -> str:
    at, cells = (0, 2, 4, 9), [name]
    for dices, nsds, boxed in columns:
        cells += [" ".join(f"{values[n]:.2f}" for n in at) for values in (dices, nsds)]
        cells.append(f"{boxed:.2f}")
    return f"| {' | '.join(cells)} |"


def mean_of(every: Sequence[Result]) -> tuple[list[float], list[float], float]:
    dices, nsds = (np.mean([getattr(one, key) for one in every], axis=0).tolist()
                   for key in ("dices", "nsds"))  # fmt: skip
    return dices, nsds, float(np.mean([one.boxed for one in every]))


def main() -> None:
    engines = (sys.argv[1] if len(sys.argv) > 1 else "classic,default").split(",")
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else beside
    titles = [f"{engine}: {what}" for engine in engines
              for what in ("Dice at 1, 3, 5, 10 clicks", "NSD (2 mm)", "box")]  # fmt: skip
    print(f"| object | {' | '.join(titles)} |\n|{' --- |' * (1 + len(titles))}")
    every = []
    for found in results(folder, engines):
        every.append(found)
        columns = [(one.dices, one.nsds, one.boxed) for one in found]
        print(row(found[0].name, columns), flush=True)
    by_engine = [list(own) for own in zip(*every, strict=True)]
    print(row(f"mean of {len(every)}", map(mean_of, by_engine)))
    for engine, own in zip(engines, by_engine, strict=True):
        fell = [one.name for one in own if one.dices[9] < one.dices[2] - 0.01]
        seconds = [second for one in own for second in one.seconds]
        p95, slowest = float(np.percentile(seconds, 95)), max(one.preparing for one in own)
        print(f"{engine}: mean Dice after each click: "
              f"{' '.join(f'{value:.3f}' for value in mean_of(own)[0])}")  # fmt: skip
        print(f"{engine}: lower at 10 clicks than at 3: {', '.join(fell) or 'none'}")
        print(f"{engine}: seconds a click: median {statistics.median(seconds):.2f}, p95 {p95:.2f}; "
              f"of preparing at most {slowest:.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
