"""Between answers on an image's voxels and patches of samples."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from napari_medlabel.core.geometry import BoolArray, FloatArray
from napari_medlabel.core.prompt import Box, Point, Prompt, voxels_of
from napari_medlabel.core.region import Box as Sides
from napari_medlabel.engines.engine import Answer, ProbabilityArray
from napari_medlabel.engines.sampling import Lattice

__all__ = [
    "alike", "answer_of", "around_both", "bounds_mm", "connected", "extent_mm", "leaves",
    "looked_up", "on_lattice", "part_of", "widened",
]  # fmt: skip

_TOUCHED = 0.01  # of a face next to the patch's border
_ALIKE = 0.85  # the Dice of two answers that need not both be offered


def answer_of(mask: BoolArray) -> Answer:
    """A segment as an answer."""
    box = []
    for axis in range(3):
        hits = np.flatnonzero(mask.any(axis=tuple(n for n in range(3) if n != axis)))
        if hits.size == 0:
            return Answer.nothing()
        box.append(slice(int(hits[0]), int(hits[-1]) + 1))
    sides: Sides = (box[0], box[1], box[2])
    return Answer(sides, mask[sides].astype(np.float32))


def bounds_mm(answer: Answer, spacing_mm: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The box around what belongs to an answer's object, mm; it has to have one."""
    mask = answer.mask()
    ends = []
    for axis, side in enumerate(answer.box):
        hits = np.flatnonzero(mask.any(axis=tuple(n for n in range(3) if n != axis)))
        ends.append((side.start + hits[0] - 0.5, side.start + hits[-1] + 0.5))
    low, high = np.array(ends).T * spacing_mm
    return low, high


def extent_mm(prompts: Sequence[Prompt], spacing_mm: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The box around prompts, mm."""
    ends = [_ends(prompt) for prompt in prompts]
    low = np.min([one[0] for one in ends], axis=0) * spacing_mm
    high = np.max([one[1] for one in ends], axis=0) * spacing_mm
    return low, high


def _ends(prompt: Prompt) -> tuple[FloatArray, FloatArray]:
    if isinstance(prompt, Box):
        return np.array(prompt.low, float) - 0.5, np.array(prompt.high, float) + 0.5
    if isinstance(prompt, Point):
        return np.array(prompt.kji, float), np.array(prompt.kji, float)
    corners = np.array(prompt.kji, float)
    return corners.min(axis=0), corners.max(axis=0)


def on_lattice(answer: Answer, lattice: Lattice, spacing_mm: FloatArray) -> ProbabilityArray:
    """An answer's probability on a lattice; 0 outside of its box."""
    places = [lattice.along(n) / spacing_mm[n] - answer.box[n].start for n in range(3)]
    return looked_up(answer.probability, places)


def looked_up(values: ProbabilityArray, places: Sequence[FloatArray]) -> ProbabilityArray:
    """Values at fractional places along each axis, linearly; 0 outside of them."""
    grid = np.meshgrid(*places, indexing="ij", sparse=False)
    found = ndimage.map_coordinates(values, grid, order=1, mode="constant", cval=0.0)
    return np.asarray(found, np.float32)


def connected(
    share: ProbabilityArray,
    prompts: Sequence[Prompt],
    lattice: Lattice,
    spacing_mm: FloatArray,
    shape: tuple[int, int, int],
) -> BoolArray:
    """All but islands that no including prompt lies in; the largest where prompts lie in none."""
    islands, count = ndimage.label(share > 0.5)
    if count < 2:
        return np.ones(share.shape, bool)
    kept = set()
    for prompt in prompts:
        if prompt.include and not isinstance(prompt, Box):
            places = voxels_of(prompt, shape) * spacing_mm
            at = np.round(lattice.samples_at(places)).astype(np.intp)
            k, j, i = at[((at >= 0) & (at < lattice.side)).all(axis=1)].T
            kept |= set(islands[k, j, i].tolist())
    kept -= {0}
    if not kept:
        kept = {int(np.bincount(islands.ravel())[1:].argmax()) + 1}
    left: BoolArray = (islands == 0) | np.isin(islands, sorted(kept))
    return left


def leaves(probability: ProbabilityArray, inside: BoolArray) -> bool:
    """Whether the object comes close to the patch's border, within the volume."""
    mask, last = probability > 0.5, probability.shape[0] - 2
    faces = ((axis, end) for axis in range(3) for end in (1, last))
    return any(
        (mask.take(end, axis) & inside.take(end, axis)).mean() > _TOUCHED for axis, end in faces
    )


def around_both(one: Sides, other: Sides) -> Sides:
    """The smallest box around two, of which an empty one does not count."""
    if any(side.stop <= side.start for side in one):
        return other
    if any(side.stop <= side.start for side in other):
        return one
    k, j, i = (
        slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    )
    return (k, j, i)


def widened(answer: Answer, box: Sides) -> ProbabilityArray:
    """An answer's probability on another box; 0 outside of its own. Always a copy."""
    return part_of(answer, box).copy() if answer.box == box else part_of(answer, box)


def part_of(answer: Answer, box: Sides, step: Sides | None = None) -> ProbabilityArray:
    """An answer's probability on another box, or on each so-manieth voxel of it; 0 outside."""
    if answer.box == box:
        return answer.probability if step is None else answer.probability[step]
    steps = [1, 1, 1] if step is None else [side.step or 1 for side in step]
    shape = [-(-(side.stop - side.start) // n) for side, n in zip(box, steps, strict=True)]
    found = np.zeros(shape, np.float32)
    here, there = [], []
    for own, wanted, n in zip(answer.box, box, steps, strict=True):
        first = max(own.start - wanted.start, 0)
        first += -first % n
        stop = min(own.stop, wanted.stop) - wanted.start
        if stop <= first:
            return found
        here.append(slice(first // n, -(-stop // n)))
        there.append(slice(first + wanted.start - own.start, stop + wanted.start - own.start, n))
    found[here[0], here[1], here[2]] = answer.probability[there[0], there[1], there[2]]
    return found


def alike(one: Answer, other: Answer) -> bool:
    """Whether two answers are of the same object, nearly; so are two without any."""
    box = around_both(one.box, other.box)
    own, more = part_of(one, box) > 0.5, part_of(other, box) > 0.5
    both = np.count_nonzero(own & more)
    total = np.count_nonzero(own) + np.count_nonzero(more)
    return bool(2.0 * both >= _ALIKE * total)  # two without any are alike, too
