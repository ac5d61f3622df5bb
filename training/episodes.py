"""Episodes of clicks on generated images: what is cropped, what is said, what the robot says next.

The robot is the one of benchmarks/interactive.py: it clicks the deepest point of the largest part
that is missing or too much.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.engines.network.encoding import Sight
from training.pool import Pool
from training.scene import SIDE
from training.shapes import Field, Generator, log_uniform

_BOXES = 0.3  # share of the episodes that begin with a box: 0.12 up to step 4,900 of the first run

Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.float64]


def weights(places: Places, size: int) -> Field:
    """Linear interpolation of `size` values at places, `[places, size]`."""
    clipped = np.clip(places, 0.0, size - 1.0)
    low = np.minimum(clipped.astype(np.intp), size - 2)
    share = (clipped - low).astype(np.float32)
    matrix = np.zeros((len(places), size), np.float32)
    rows = np.arange(len(places))
    matrix[rows, low] = 1.0 - share
    matrix[rows, low + 1] += share
    return matrix


def resampled(values: Field, matrices: list[Field]) -> Field:
    k, j, i = matrices
    first = (k @ values.reshape(len(values), -1)).reshape(-1, *values.shape[1:])
    return np.asarray(np.matmul(j, first) @ i.T, np.float32)


def halved(values: Field) -> Field:
    n = len(values) // 2
    return np.asarray(values.reshape(n, 2, n, 2, n, 2).mean(axis=(1, 3, 5)), np.float32)


@dataclass
class Crop:
    """A cube of an image: its middle and side in voxels, sampled `samples` times per axis."""

    middle: Places
    side: float
    samples: int

    @property
    def step(self) -> float:
        return self.side / self.samples

    def along(self, axis: int) -> Places:
        first = self.middle[axis] - self.step * (self.samples - 1) / 2.0
        return np.asarray(first + np.arange(self.samples) * self.step)

    def samples_at(self, voxels: Places) -> Places:
        first = self.middle - self.step * (self.samples - 1) / 2.0
        return np.asarray((voxels - first) / self.step)

    def cut(self, values: Field, coarse: Field) -> Field:
        """Values, or where the step is wide, those of the grid half as fine."""
        if self.step > 1.5:
            return resampled(
                coarse, [weights((self.along(n) - 0.5) / 2.0, SIDE // 2) for n in range(3)]
            )
        return resampled(values, [weights(self.along(n), SIDE) for n in range(3)])

    def inside(self) -> Mask:
        k, j, i = ((self.along(n) > -0.5) & (self.along(n) < SIDE - 0.5) for n in range(3))
        return np.asarray(k[:, None, None] & j[None, :, None] & i[None, None, :])

    def pasted(self, answer: Field, onto: Field) -> Field:
        """The answer on the image's voxels; elsewhere what was there."""
        matrices, near = [], []
        for n in range(3):
            places = (np.arange(SIDE) - self.along(n)[0]) / self.step
            near.append((places > -0.5) & (places < self.samples - 0.5))
            matrices.append(weights(places[near[-1]], self.samples))
        found = onto.copy()
        found[np.ix_(*near)] = resampled(answer, matrices)
        return found


@dataclass
class Episode:
    """One object of one image, from the first prompt on."""

    image: Field
    coarse: Field
    target: Mask
    share: Field  # the target as numbers
    coarse_share: Field
    count: int
    crop: Crop
    include: list[Places] = field(default_factory=list)
    exclude: list[Places] = field(default_factory=list)
    box: tuple[Places, Places] | None = None
    answer: Field | None = None  # on the image's voxels
    rounds: int = 0
    clicks: int = 0
    limit: int = 8
    turn: Any = None


def begun(rng: Generator, pool: Pool, samples: int) -> Episode:
    """Draw an image, an object in it, how it lies, a first prompt and a first crop."""
    while True:
        n = int(rng.integers(pool.filled))
        facts = np.array(pool.facts[n])
        known = np.flatnonzero(facts[:, 0] > 0)
        if known.size:
            break
    bit = int(rng.choice(known))
    image = np.asarray(pool.images[n], np.float32)
    target = (pool.targets[n] >> bit) & 1 == 1
    order = rng.permutation(3)
    flips = rng.random(3) < 0.5
    image, target = image.transpose(order), target.transpose(order)
    step = tuple(slice(None, None, -1 if flip else 1) for flip in flips)
    image, target = np.ascontiguousarray(image[step]), np.ascontiguousarray(target[step])
    own = facts[bit]
    deep = np.where(flips, SIDE - 1 - own[1:4][order], own[1:4][order])
    low = np.where(flips, SIDE - 1 - own[7:10][order], own[4:7][order])
    high = np.where(flips, SIDE - 1 - own[4:7][order], own[7:10][order])
    share = target.astype(np.float32)
    episode = Episode(
        image, halved(image), target, share, halved(share), int(own[0]),
        Crop(np.zeros(3), 1.0, samples), limit=int(rng.choice([1, 2, 3, 4, 6, 8, 11])),
    )  # fmt: skip
    extent = float((high - low + 1).max())
    if rng.random() < 0.25:  # not the deepest point: anywhere in it
        deep = np.argwhere(target)[rng.integers(episode.count)].astype(float)
    if rng.random() < _BOXES:
        _box(rng, episode, low, high, deep)
        middle, side = (low + high) / 2.0, extent * rng.uniform(1.2, 1.8)
        if rng.random() < 0.3:
            episode.include.append(deep.astype(float))
    else:
        episode.include.append(deep.astype(float))
        middle = deep + rng.uniform(-1, 1, 3) * 0.02 * extent
        side = extent * log_uniform(rng, 0.7, 4.5)
    episode.clicks = 1
    episode.crop = Crop(np.asarray(middle, float), float(np.clip(side, 14.0, 150.0)), samples)
    return episode


def _box(rng: Generator, episode: Episode, low: Places, high: Places, deep: Places) -> None:
    """A box around the object, loosely; in half of the cases on a slice only."""
    low, high = low.astype(float), high.astype(float)
    if rng.random() < 0.5:
        axis = int(rng.integers(3))
        plane = int(deep[axis])
        where = np.argwhere(episode.target.take(plane, axis)).astype(float)
        if len(where):
            others = [n for n in range(3) if n != axis]
            low[others], high[others] = where.min(0), where.max(0)
            low[axis] = high[axis] = plane
    loose = rng.uniform(-0.03, 0.12, (2, 3)) * (high - low)
    episode.box = (low - loose[0] - 0.5, high + loose[1] + 0.5)


def sight(rng: Generator, episode: Episode) -> tuple[Sight, Field, Mask, float]:
    """What the network sees, what is true, where that counts, and the object's whole size there."""
    crop = episode.crop
    values = crop.cut(episode.image, episode.coarse)
    inside = crop.inside()
    truth = crop.cut(episode.share, episode.coarse_share) * inside
    previous = None
    if episode.answer is not None:
        previous = crop.cut(episode.answer, halved(episode.answer)) * inside
        if rng.random() < 0.2:  # as if it came from a coarser look
            previous = ndimage.zoom(halved(previous), 2, order=1)
    within = beside = None
    if episode.box is not None:
        within, beside = _boxed(episode, inside)
    include = crop.samples_at(np.array(episode.include).reshape(-1, 3))
    exclude = crop.samples_at(np.array(episode.exclude).reshape(-1, 3))
    seen = Sight(values, inside, include, exclude, within, beside, previous)
    return seen, truth, inside, episode.count / crop.step**3


def _boxed(episode: Episode, inside: Mask) -> tuple[Mask, Mask]:
    crop, (low, high) = episode.crop, episode.box or (np.zeros(3), np.zeros(3))
    slack = crop.step / 2.0
    near = [
        (crop.along(n) >= low[n] - slack) & (crop.along(n) <= high[n] + slack) for n in range(3)
    ]
    within = np.zeros(inside.shape, bool)
    within[np.ix_(*near)] = True
    beside = ~within
    thin = [n for n in range(3) if high[n] - low[n] < 1.01]
    if thin:
        shape = [1, 1, 1]
        shape[thin[0]] = -1
        beside &= near[thin[0]].reshape(shape)
    return within, beside


def went_on(rng: Generator, episode: Episode, answer: Field) -> bool:
    """Take the network's answer; the next click or the next look. False where it ends."""
    crop = episode.crop
    blank = np.zeros_like(episode.image) if episode.answer is None else episode.answer
    episode.answer = crop.pasted(answer, blank)
    episode.rounds += 1
    mask = episode.answer > 0.5
    if episode.clicks >= episode.limit or episode.rounds > 2 * episode.limit + 1:
        return False
    if rng.random() < 0.25 and mask.any():
        _look(rng, episode, mask, None)
        return True
    click = _clicked(rng, mask, episode.target)
    if click is None:
        return False
    place, include = click
    (episode.include if include else episode.exclude).append(place)
    episode.clicks += 1
    _look(rng, episode, mask, place)
    return True


def _look(rng: Generator, episode: Episode, mask: Mask, click: Places | None) -> None:
    """Choose the next crop: around all, close to the click, around the truth, or as it was."""
    crop, chance = episode.crop, rng.random()
    if click is not None and chance < 0.15:  # close to the click
        side = max(crop.side / rng.uniform(1.5, 2.5), 14.0)
        episode.crop = Crop(click + rng.uniform(-0.1, 0.1, 3) * side, side, crop.samples)
        return
    known = click is None or crop_holds(crop, click)
    if chance < 0.3 and known:
        return
    shown = episode.target if chance < 0.45 or not mask.any() else mask
    low, high = _ends(shown)
    clicks = np.array(episode.include + episode.exclude).reshape(-1, 3)
    if len(clicks):
        low, high = np.minimum(low, clicks.min(0)), np.maximum(high, clicks.max(0))
    side = float((high - low + 1).max()) * rng.uniform(1.2, 1.9)
    side = float(np.clip(side, 14.0, 150.0))
    middle = (low + high) / 2.0 + rng.uniform(-0.03, 0.03, 3) * side
    episode.crop = Crop(middle, side, crop.samples)


def crop_holds(crop: Crop, place: Places) -> bool:
    at = crop.samples_at(place)
    return bool(((at > 1) & (at < crop.samples - 2)).all())


def _ends(mask: Mask) -> tuple[Places, Places]:
    ends = []
    for axis in range(3):
        hits = np.flatnonzero(mask.any(axis=tuple(n for n in range(3) if n != axis)))
        ends.append((hits[0], hits[-1]))
    low, high = np.array(ends, float).T
    return low, high


def _clicked(rng: Generator, mask: Mask, target: Mask) -> tuple[Places, bool] | None:
    """The deepest point of the largest error, or in some cases anywhere in it."""
    missing, extra = _largest(target & ~mask), _largest(mask & ~target)
    if max(missing[0], extra[0]) < 4:
        return None
    include = missing[0] >= extra[0]
    _, part, corner = missing if include else extra
    if rng.random() < 0.2:
        at = np.argwhere(part)[rng.integers(int(part.sum()))]
    else:
        thin = 2 if part.size > 20_000 and part.sum() > 2_000 else 1
        seen = part[::thin, ::thin, ::thin]
        depth = ndimage.distance_transform_edt(np.pad(seen, 1))[1:-1, 1:-1, 1:-1]
        at = thin * np.array(np.unravel_index(int(depth.argmax()), depth.shape))
    return (at + corner).astype(float), include


def _largest(errors: Mask) -> tuple[int, Mask, Places]:
    if not errors.any():
        return 0, errors, np.zeros(3)
    (box,) = ndimage.find_objects(errors.astype(np.uint8))
    parts, _ = ndimage.label(errors[box])
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    best = int(sizes.argmax())
    (own,) = ndimage.find_objects((parts == best).astype(np.uint8))
    corner = np.array([a.start + b.start for a, b in zip(box, own, strict=True)], float)
    return int(sizes[best]), parts[own] == best, corner
