"""Inputs and seconds until a segment has a Dice of 0.9: with clicks, and without them.

The same robot works twice on the largest part of each object of real CT and MR. With clicks it is
the one of benchmarks/interactive.py; after 20 of them it draws the slice with the largest error
anew, and again. Without, it draws the first, the last and the middle slice, fills those between,
and goes on with the slice that is worst. What it draws is the label's own outline, without a slip.

Its seconds are those of the keystroke-level model: Card, Moran and Newell, Communications of the
ACM 23:396-410 (1980): 1.35 to think, 1.1 to point, 0.1 for a button, 0.28 for a key, and to draw
0.9 for each straight piece and 0.16 for each cm on the screen, where all is twice its size. A step
to a slice is a key. Waiting for the program is added as measured here.

./dev bench actions [ENGINE] [FOLDER OF REAL IMAGES]
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage
from skimage import measure

import napari_medlabel as medlabel
from benchmarks.interactive import SETS, box_of, next_click
from napari_medlabel.core.geometry import Spacing
from napari_medlabel.core.interpolation import interpolate
from napari_medlabel.core.metrics import dice

Array = np.ndarray[Any, np.dtype[Any]]

WANTED, CLICKS = 0.9, 20
THINK, POINT, BUTTON, KEY, PIECE, CM, ZOOM = 1.35, 1.1, 0.1, 0.28, 0.9, 0.16, 2.0
OBJECTS = (
    "spleen", "kidney", "liver", "bladder", "vertebra", "aorta", "hip", "gluteus", "lung tumour",
    "brain tumour", "cord T2", "brain",
)  # fmt: skip


@dataclass(slots=True)
class Effort:
    """What the robot did."""

    clicks: int = 0
    outlines: int = 0
    keys: int = 0
    hand: float = 0.0
    waiting: float = 0.0
    reached: float = 0.0

    @property
    def inputs(self) -> int:
        return self.clicks + self.outlines + self.keys

    @property
    def seconds(self) -> float:
        return self.hand + self.waiting

    def key(self) -> None:
        self.keys += 1
        self.hand += KEY

    def outline(self, plane: Array, spacing_mm: tuple[float, ...]) -> None:
        """Draw all outlines of a slice: pieces that are straight to half a voxel."""
        self.key()
        for line in measure.find_contours(np.pad(plane, 1).astype(float), 0.5):
            pieces = measure.approximate_polygon(line, 0.5)
            mm = np.linalg.norm(np.diff(pieces * spacing_mm, axis=0), axis=1).sum()
            self.outlines += 1
            self.hand += THINK + POINT + PIECE * (len(pieces) - 1) + CM * ZOOM * mm / 10.0


def with_clicks(volume: medlabel.Volume, truth: Array, engine: str) -> Effort:
    """Clicks; after 20 of them slices drawn anew."""
    effort, spacing_mm = Effort(), volume.geometry.spacing_mm
    session = medlabel.interactive(volume, engine=engine)
    mask = np.zeros(truth.shape, bool)
    while effort.clicks < CLICKS and effort.reached < WANTED:
        click = next_click(mask, truth, spacing_mm)
        if click is None:
            break
        start = time.process_time()
        mask = session.add(click)
        effort.waiting += time.process_time() - start
        effort.clicks += 1
        effort.hand += THINK + POINT + BUTTON
        effort.key()  # to the click's slice
        effort.reached = dice(mask, truth)
    effort.key()  # accept
    mask = mask.copy()
    while effort.reached < WANTED:
        worst = int((mask ^ truth).sum(axis=(1, 2)).argmax())
        effort.outline(truth[worst], spacing_mm[1:])
        mask[worst] = truth[worst]
        effort.reached = dice(mask, truth)
    return effort


def with_outlines(volume: medlabel.Volume, truth: Array) -> Effort:
    """Slices drawn, and those between them filled."""
    effort, spacing_mm = Effort(), volume.geometry.spacing_mm
    around = tuple(slice(max(s.start - 2, 0), s.stop + 2) for s in box_of(truth))
    own = truth[around]
    slices = np.flatnonzero(own.any(axis=(1, 2)))
    drawn = np.zeros(own.shape, np.uint8)
    todo = sorted({int(slices[0]), int(slices[-1]), int(slices[len(slices) // 2])})
    while True:
        for n in todo:
            effort.outline(own[n], spacing_mm[1:])
            drawn[n] = own[n]
        effort.key()  # fill the gaps
        start = time.process_time()
        filled = drawn.copy()
        if np.count_nonzero(drawn.any(axis=(1, 2))) > 1:
            interpolate(drawn, spacing_mm).write(filled)
        effort.waiting += time.process_time() - start
        effort.reached = dice(filled > 0, own)
        if effort.reached >= WANTED:
            return effort
        wrong = ((filled > 0) ^ own).sum(axis=(1, 2)) * ~drawn.any(axis=(1, 2))
        todo = [int(wrong.argmax())]


def largest_part(mask: Array) -> Array:
    """A mask without its smaller islands."""
    parts, count = ndimage.label(mask)
    return mask if count < 2 else parts == np.bincount(parts.ravel())[1:].argmax() + 1


def voxel_ml(spacing_mm: Spacing) -> float:
    return float(np.prod(spacing_mm)) / 1000.0


def main() -> None:
    engine = sys.argv[1] if len(sys.argv) > 1 else "default"
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else beside
    print(
        "| object, mL | clicks, outlines, keys | seconds | without: outlines, keys | seconds "
        "| ratio of inputs, of seconds |\n| --- | --- | --- | --- | --- | --- |"
    )
    ratios = []
    for image, labels, objects in SETS:
        wanted = {name: value for name, value in objects.items() if name in OBJECTS}
        if not wanted:
            continue
        volume, values = medlabel.read(folder / image), medlabel.read(folder / labels).levels[0][:]
        for name, value in wanted.items():
            truth = largest_part(values == value)
            one, other = with_clicks(volume, truth, engine), with_outlines(volume, truth)
            ratios.append((one.inputs / other.inputs, one.seconds / other.seconds))
            ml = int(truth.sum()) * voxel_ml(volume.geometry.spacing_mm)
            cells = (
                f"{name}, {ml:.0f}", f"{one.clicks}, {one.outlines}, {one.keys}",
                f"{one.seconds:.0f}", f"{other.outlines}, {other.keys}", f"{other.seconds:.0f}",
                "{:.2f}, {:.2f}".format(*ratios[-1]),
            )  # fmt: skip
            print(f"| {' | '.join(cells)} |", flush=True)
    inputs, seconds = np.median(np.array(ratios), axis=0)
    print(f"median of {len(ratios)}: inputs {inputs:.2f}, seconds {seconds:.2f} of those without")


if __name__ == "__main__":
    main()
