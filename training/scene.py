"""Generated images: tissues, objects a person would call one, and what a scanner makes of them."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from training.shapes import Field, Generator, Grid, log_uniform, smooth

SIDE = 80
TARGETS = 8  # at most, of one image: bits of a byte

_CT = {
    "air": (-1000.0, 2.0), "lung": (-780.0, 80.0), "fat": (-95.0, 20.0), "water": (10.0, 12.0),
    "soft": (45.0, 18.0), "bright": (110.0, 45.0), "vivid": (230.0, 70.0), "marrow": (120.0, 90.0),
    "bone": (700.0, 300.0),
}  # fmt: skip
_CHOICES = ("soft", "bright", "water", "fat", "vivid", "lung", "bone", "air")
_CHANCES = (0.42, 0.2, 0.1, 0.1, 0.07, 0.04, 0.05, 0.02)


class Scene:
    """An image in the making: which tissue and which object is where."""

    def __init__(self, rng: Generator, side: int = SIDE) -> None:
        self.rng, self.side = rng, side
        self.grid = Grid(rng, side)
        self.ct = rng.random() < 0.5
        self.means: list[float] = []
        self.rough: list[float] = []
        shape = (side, side, side)
        self.tissue = np.zeros(shape, np.int16)
        self.fine = np.zeros(shape, np.int16)  # objects as small as they are named
        self.coarse = np.zeros(shape, np.int16)  # objects with all that is in them
        self.groups = 0
        self.spread = rng.uniform(0.02, 0.13)
        palette = rng.permutation(np.linspace(0.05, 1.0, int(rng.integers(4, 9))))
        self.base = {kind: float(palette[n % len(palette)]) for n, kind in enumerate(_CT)}
        if rng.random() < 0.85:
            self.base["air"] = float(rng.uniform(0.0, 0.04))
            self.base["lung"] = float(rng.uniform(0.0, 0.12))
        self.ground = self.new("fat" if rng.random() < 0.4 else self.any_kind())
        self.tissue[:] = self.ground

    def new(self, kind: str) -> int:
        """A tissue of a kind."""
        rng = self.rng
        if self.ct:
            mean, deviation = _CT[kind]
            self.means.append(mean + deviation * float(rng.standard_normal()))
            self.rough.append(abs(float(rng.standard_normal())) * log_uniform(rng, 4.0, 40.0))
        else:
            jitter = self.spread * float(rng.standard_normal())
            self.means.append(max(self.base[kind] + jitter, 0.0))
            self.rough.append(abs(float(rng.standard_normal())) * log_uniform(rng, 0.01, 0.1))
        if kind == "air":
            self.rough[-1] *= 0.1
        return len(self.means) - 1

    def like(self, tissue: int, share: float) -> int:
        """A tissue a little different from another."""
        width = 400.0 if self.ct else 1.0
        sign = 1.0 if self.rng.random() < 0.5 else -1.0
        self.means.append(self.means[tissue] + sign * share * width)
        self.rough.append(self.rough[tissue])
        return len(self.means) - 1

    def any_kind(self) -> str:
        return str(self.rng.choice(_CHOICES, p=_CHANCES))

    def put(
        self, mask: npt.NDArray[np.bool_], tissue: int, *, group: int | None = None,
        keep_coarse: bool = False,
    ) -> int:  # fmt: skip
        """Write a tissue; with a group, or a new one (0 is none). It covers what was there."""
        if group is None:
            self.groups += 1
            group = self.groups
        self.tissue[mask] = tissue
        self.fine[mask] = group
        if not keep_coarse:
            self.coarse[mask] = group
        return group

    def point(self, reach: float = 0.6) -> npt.NDArray[np.float64]:
        return self.rng.uniform(-reach, reach, 3)

    def object(self, away: Field, *, group: int | None = None, lesion: bool = False) -> int:
        """Fill a shape with tissue: even, rimmed, patchy, or with something else in it."""
        rng = self.rng
        inside = away < 0
        main = self.new(self.any_kind())
        group = self.put(inside, main, group=group, keep_coarse=lesion)
        if rng.random() < 0.2:  # a wall, a capsule, a bone's compact shell
            rim = inside & (away > -np.float32(rng.uniform(0.03, 0.09)))
            wall = self.new("bone" if rng.random() < 0.35 else self.any_kind())
            self.put(rim, wall, group=group, keep_coarse=lesion)
        if rng.random() < 0.3:  # parts, one object all the same
            share = rng.uniform(0.5, 1.6)
            other = self.new(self.any_kind()) if rng.random() < 0.5 else self.like(
                main, rng.uniform(0.05, 0.3)
            )  # fmt: skip
            parts = inside & (self.grid.noise(4, 14) > share)
            self.put(parts, other, group=group, keep_coarse=lesion)
        return group


def gas_and_content(scene: Scene, away: Field) -> None:
    """A hollow organ: wall, content, and gas above it."""
    rng = scene.rng
    inside = away < 0
    kind = "bright" if rng.random() < 0.5 else "soft"
    group = scene.put(inside, scene.new(kind))
    lumen = away < -np.float32(rng.uniform(0.025, 0.07))
    content = scene.new(str(rng.choice(["water", "soft", "vivid", "fat", "bright"])))
    scene.put(lumen, content, group=group)
    if rng.random() < 0.75:
        axis, level = int(rng.integers(3)), rng.uniform(-0.5, 0.5)
        above = scene.grid.plain[axis] + 0.02 * scene.grid.noise(2, 4) > level
        scene.put(lumen & above, scene.new("air"), group=group)
    if rng.random() < 0.4:
        clumps = lumen & (scene.grid.noise(8, 20) > rng.uniform(0.3, 1.2))
        scene.put(clumps, scene.new(scene.any_kind()), group=group)


# --- what surrounds the objects


def partition(scene: Scene) -> None:
    """Organs that touch, or that thin fat parts."""
    rng, grid = scene.rng, scene.grid
    count = int(rng.integers(2, 5) if rng.random() < 0.5 else rng.integers(5, 13))
    nodes = (3, 6) if count < 5 else (3, 7)
    fields = np.stack([grid.noise(*nodes) for _ in range(count)])
    first = fields.argmax(0)
    second = np.partition(fields, count - 2, axis=0)[count - 2]
    margin = fields.max(0) - second
    alike = scene.new("soft")
    similar = rng.random() < 0.4
    for n in range(count):
        tissue = scene.like(alike, rng.uniform(0.0, 0.2)) if similar else scene.new(
            scene.any_kind()
        )  # fmt: skip
        scene.put(first == n, tissue)
    if rng.random() < 0.55:  # fat planes, not everywhere open
        gap = np.float32(rng.uniform(0.05, 0.35)) + np.float32(0.08) * grid.noise(3, 8)
        kind = "fat" if rng.random() < 0.8 else scene.any_kind()
        scene.put(margin < gap, scene.new(kind), group=0)


def muscles(scene: Scene) -> None:
    """Long neighbours of one tissue, with streaks of fat between and in them."""
    rng, grid = scene.rng, scene.grid
    count, long = int(rng.integers(3, 8)), int(rng.integers(3))
    nodes = [int(rng.integers(3, 6)) for _ in range(3)]
    nodes[long] = 1
    spec = (nodes[0], nodes[1], nodes[2])
    fields = np.stack([smooth(rng, scene.side, spec) for _ in range(count)])
    first = fields.argmax(0)
    margin = fields.max(0) - np.partition(fields, count - 2, axis=0)[count - 2]
    muscle = scene.new("soft")
    for n in range(count):
        scene.put(first == n, scene.like(muscle, rng.uniform(0.0, 0.04)))
    fat = scene.new("fat")
    gap = np.float32(rng.uniform(0.04, 0.25)) + np.float32(0.07) * grid.noise(3, 8)
    scene.put(margin < gap, fat, group=0)
    nodes = [int(rng.integers(10, 26)) for _ in range(3)]
    nodes[long] = 4
    streaks = smooth(rng, scene.side, (nodes[0], nodes[1], nodes[2])) > rng.uniform(1.2, 2.5)
    scene.tissue[streaks & (first >= 0)] = fat


def trunk(scene: Scene) -> None:
    """A body with skin, fat and muscle, and organs in it; lungs in some."""
    rng, grid = scene.rng, scene.grid
    body = grid.blob(scene.point(0.4), log_uniform(rng, 0.7, 2.0), ratio=2.0, rough=0.15)
    partition(scene)
    inner = -np.float32(rng.uniform(0.04, 0.2))
    muscle = inner - np.float32(rng.uniform(0.03, 0.15))
    scene.put((body >= muscle) & (body < inner), scene.new("soft"))
    scene.put((body >= inner) & (body < 0), scene.new("fat"), group=0)
    if rng.random() < 0.35:
        wall = muscle - np.float32(rng.uniform(0.0, 0.08))
        both = body < wall
        tissue = scene.new("lung")
        side = grid.x[int(rng.integers(3))]
        apart = rng.uniform(0.05, 0.4)
        for way in (-1.0, 1.0):
            lung = both & (np.float32(way) * side > apart)
            group = scene.put(lung, tissue)
            if rng.random() < 0.5:
                cut = lung & (grid.slab(scene.point(0.5), 0.5) < 0)
                scene.put(cut, scene.like(tissue, 0.03), keep_coarse=True)
            vessels = lung & (np.abs(grid.noise(6, 10)) + np.abs(grid.noise(6, 10)) < 0.25)
            scene.put(vessels, scene.new("soft"), group=group)
    scene.put(body >= 0, scene.new("air"), group=0)
    if rng.random() < 0.3:
        scene.groups += 1
        scene.coarse[body < 0] = scene.groups


def head(scene: Scene) -> None:
    """Scalp, skull, fluid, folded cortex, white matter, ventricles, nuclei: the brain is one."""
    rng, grid = scene.rng, scene.grid
    middle, radius = scene.point(0.3), log_uniform(rng, 0.6, 1.3)
    skin = grid.blob(middle, radius, ratio=1.6, rough=0.12)
    scene.put(skin >= 0, scene.new("air"), group=0)
    scene.put(skin < 0, scene.new("fat"), group=0)
    depth = -np.float32(rng.uniform(0.03, 0.1))
    scene.put(skin < depth, scene.new("bone"))
    depth -= np.float32(rng.uniform(0.03, 0.1))
    scene.put(skin < depth, scene.new("water"), group=0)
    folds = np.float32(rng.uniform(0.0, 0.06)) * np.abs(grid.noise(9, 17))
    pia = skin - depth + np.float32(rng.uniform(0.01, 0.05)) + folds
    brain = pia < 0
    grey, white = scene.new("soft"), scene.new("bright")
    scene.put(brain, grey)
    whole = scene.groups
    ribbon = np.float32(rng.uniform(0.04, 0.12))
    matter = pia < -ribbon - folds * np.float32(0.5)
    scene.put(matter, white, keep_coarse=True)
    for _ in range(int(rng.integers(0, 4))):
        place = np.asarray(middle) + scene.point(0.25)
        nucleus = grid.blob(place, log_uniform(rng, 0.06, 0.2), rough=0.3) < 0
        scene.put(nucleus & matter, scene.like(white, rng.uniform(0.04, 0.2)), keep_coarse=True)
    ventricle = np.minimum(
        grid.blob(np.asarray(middle) + scene.point(0.12), log_uniform(rng, 0.05, 0.2), ratio=6.0),
        grid.blob(np.asarray(middle) + scene.point(0.12), log_uniform(rng, 0.05, 0.2), ratio=6.0),
    )
    scene.put((ventricle < 0) & brain, scene.new("water"), keep_coarse=True)
    scene.coarse[brain] = whole


def plain(scene: Scene) -> None:
    """One tissue, uneven."""


# --- objects


def a_blob(scene: Scene, place: npt.NDArray[np.float64]) -> None:
    scene.object(scene.grid.blob(place, log_uniform(scene.rng, 0.09, 0.62)))


def lobes(scene: Scene, place: npt.NDArray[np.float64]) -> None:
    rng, grid = scene.rng, scene.grid
    radius = log_uniform(rng, 0.12, 0.4)
    away = grid.blob(place, radius)
    for _ in range(int(rng.integers(1, 4))):
        step = rng.standard_normal(3)
        beside = place + step / np.linalg.norm(step) * radius * rng.uniform(0.6, 1.4)
        away = np.minimum(away, grid.blob(beside, radius * rng.uniform(0.4, 1.0)))
    if rng.random() < 0.25:
        gas_and_content(scene, away)
    else:
        scene.object(away)


def a_tube(scene: Scene, place: npt.NDArray[np.float64]) -> None:
    rng, grid = scene.rng, scene.grid
    through = rng.random() < 0.4
    length = rng.uniform(2.5, 4.0) if through else rng.uniform(0.6, 3.0)
    path = grid.path(place, length, bend=0.15 if through else rng.uniform(0.1, 0.7))
    away, _ = grid.tube(path, log_uniform(rng, 0.05, 0.26))
    group = scene.object(away)
    if rng.random() < 0.35:
        wall = away + np.float32(rng.uniform(0.02, 0.06))
        scene.put(wall < 0, scene.new(scene.any_kind()), group=group)


def bowel(scene: Scene, place: npt.NDArray[np.float64]) -> None:
    rng, grid = scene.rng, scene.grid
    path = grid.path(place, rng.uniform(1.2, 4.5), bend=rng.uniform(0.3, 0.9), count=60)
    away, along = grid.tube(path, rng.uniform(0.1, 0.26), vary=0.1)
    waves = np.float32(rng.uniform(20.0, 70.0))
    away = away + np.float32(rng.uniform(0.0, 0.05)) * np.sin(along * waves)
    gas_and_content(scene, away)


def beads(scene: Scene, place: npt.NDArray[np.float64]) -> None:
    """A row of bodies with discs between: each its own object."""
    rng, grid = scene.rng, scene.grid
    path = grid.path(place, rng.uniform(2.0, 4.0), bend=0.1, count=50)
    away, along = grid.tube(path, rng.uniform(0.12, 0.3), vary=0.1)
    if rng.random() < 0.6:
        side = path + rng.standard_normal(3) * 0.2
        canal, _ = grid.tube(side, rng.uniform(0.06, 0.12), vary=0.1)
        arch = np.abs(canal) - np.float32(rng.uniform(0.03, 0.07))
        spike = grid.slab(place, rng.uniform(0.03, 0.08))
        spike = np.maximum(spike, canal - np.float32(rng.uniform(0.1, 0.3)))
        away = np.minimum(away, np.minimum(arch, np.maximum(spike, -canal)))
        scene.put(canal < 0, scene.new("water"))
    count = int(rng.integers(3, 9))
    which = np.minimum((along * count).astype(np.int16), count - 1)
    phase = along * count - which
    gap = (phase < rng.uniform(0.05, 0.2)) & (away < 0)
    bone = rng.random() < 0.7
    main = scene.new("marrow" if bone else scene.any_kind())
    rim = scene.new("bone") if bone else scene.like(main, 0.1)
    thick = np.float32(rng.uniform(0.015, 0.05))
    for n in range(count):
        body = (which == n) & (away < 0) & ~gap
        group = scene.put(body, main)
        scene.put(body & (away > -thick), rim, group=group)
    scene.put(gap, scene.new("soft"), group=0)


def cord(scene: Scene, place: npt.NDArray[np.float64]) -> None:
    """A cord in fluid through the whole image; within it two horns of another grey."""
    rng, grid = scene.rng, scene.grid
    path = grid.path(place, rng.uniform(3.0, 4.5), bend=0.06, count=50)
    radius = rng.uniform(0.07, 0.35)
    away, _ = grid.tube(path, radius, vary=0.08)
    if rng.random() < 0.7:
        shell = np.float32(radius * rng.uniform(0.3, 1.0))
        scene.put(away < shell * 2, scene.new("bone"), group=0)
        scene.put(away < shell, scene.new("water"), group=0)
    matter = scene.new("soft")
    scene.put(away < 0, matter)
    if rng.random() < 0.6:
        tangent = path[-1] - path[0]
        tangent /= np.linalg.norm(tangent)
        across = np.cross(tangent, rng.standard_normal(3))
        across /= np.linalg.norm(across)
        depth = np.cross(tangent, across)
        nearest = path[len(path) // 2]
        shift = grid.x - nearest.astype(np.float32)[:, None, None, None]
        u = np.einsum("a,akji->kji", (across / radius).astype(np.float32), shift)
        v = np.einsum("a,akji->kji", (depth / radius).astype(np.float32), shift)
        thick = rng.uniform(0.08, 0.22)
        horns = np.abs(np.abs(u) - 0.25 - 0.3 * v**2) < thick
        bridge = (np.abs(v) < thick) & (np.abs(u) < 0.35)
        inner = (horns & (np.abs(v) < 0.7)) | bridge
        grey = scene.like(matter, rng.uniform(0.05, 0.25))
        scene.put(inner & (away < -0.12 * radius), grey, keep_coarse=True)


def shell(scene: Scene, place: npt.NDArray[np.float64]) -> None:
    rng, grid = scene.rng, scene.grid
    away = grid.blob(place, log_uniform(rng, 0.2, 0.7))
    group = scene.object(away)
    inner = scene.new(scene.any_kind())
    thick = np.float32(rng.uniform(0.04, 0.15))
    if rng.random() < 0.5:
        scene.put(away < -thick, inner, group=group)  # a bone with its marrow, a full bladder
    else:
        scene.put(away < -thick, inner, keep_coarse=True)


def slab(scene: Scene, place: npt.NDArray[np.float64]) -> None:
    rng, grid = scene.rng, scene.grid
    away = grid.slab(place, log_uniform(rng, 0.04, 0.2))
    if rng.random() < 0.5:
        away = np.maximum(away, grid.blob(place, rng.uniform(0.3, 0.9)))
    scene.object(away)


def flat_bone(scene: Scene, place: npt.NDArray[np.float64]) -> None:
    """A bent plate or blobs of marrow in a thin bright coat."""
    rng, grid = scene.rng, scene.grid
    away = np.maximum(
        grid.slab(place, log_uniform(rng, 0.05, 0.16)), grid.blob(place, rng.uniform(0.35, 0.9))
    )
    if rng.random() < 0.6:
        away = np.minimum(away, grid.blob(place + scene.point(0.4), log_uniform(rng, 0.1, 0.3)))
    inside = away < 0
    group = scene.put(inside, scene.new("marrow"))
    scene.put(
        inside & (away > -np.float32(rng.uniform(0.015, 0.05))), scene.new("bone"), group=group
    )
    pores = inside & (grid.noise(14, 26) > rng.uniform(1.0, 2.0))
    scene.put(pores, scene.new("fat"), group=group)


def lesion(scene: Scene, place: npt.NDArray[np.float64]) -> None:
    """Something small in another object or beside it; the other one holds it too, or not."""
    rng, grid = scene.rng, scene.grid
    hosts = np.flatnonzero(np.bincount(scene.fine.ravel())[1:] > 500) + 1
    radius = log_uniform(rng, 0.07, 0.35)
    if hosts.size:
        host = scene.fine == rng.choice(hosts)
        inside = np.flatnonzero(host)
        at = np.unravel_index(int(rng.choice(inside)), host.shape)
        place = np.array([grid.x[(axis, *at)] for axis in range(3)], np.float64)
    away = grid.blob(place, radius, ratio=2.5)
    if hosts.size and rng.random() < 0.6:
        away = np.where(host, away, np.float32(1.0))
    if hosts.size and rng.random() < 0.5:
        main = scene.like(int(scene.tissue[at]), rng.uniform(0.05, 0.4))
        group = scene.put(away < 0, main, keep_coarse=True)
        if rng.random() < 0.4:  # a dead middle
            scene.put(away < -np.float32(radius * rng.uniform(0.2, 0.6)), scene.like(main, 0.2),
                      group=group, keep_coarse=True)  # fmt: skip
    else:
        scene.object(away, lesion=rng.random() < 0.6)


def pair(scene: Scene, place: npt.NDArray[np.float64]) -> None:
    """Two halves that hardly differ; by themselves and as one."""
    rng, grid = scene.rng, scene.grid
    inside = grid.blob(place, log_uniform(rng, 0.25, 0.7)) < 0
    normal = rng.standard_normal(3)
    shift = grid.x - place.astype(np.float32)[:, None, None, None]
    off = np.einsum("a,akji->kji", normal.astype(np.float32), shift) + 0.1 * grid.noise(2, 5)
    main = scene.new(scene.any_kind())
    other = scene.like(main, rng.uniform(0.03, 0.25)) if rng.random() < 0.7 else scene.new(
        scene.any_kind()
    )  # fmt: skip
    scene.put(inside, main)
    scene.put(inside & (off > 0), other, keep_coarse=rng.random() < 0.5)
    if rng.random() < 0.3:
        scene.put(inside & (np.abs(off) < 0.03), scene.new("fat"), group=0)


_SCENES: tuple[tuple[Callable[[Scene], None], float], ...] = (
    (partition, 0.36), (trunk, 0.24), (head, 0.14), (muscles, 0.14), (plain, 0.12),
)  # fmt: skip
_OBJECTS: tuple[tuple[Callable[[Scene, npt.NDArray[np.float64]], None], float], ...] = (
    (a_blob, 0.2), (lobes, 0.12), (a_tube, 0.14), (bowel, 0.08), (beads, 0.06), (cord, 0.07),
    (shell, 0.06), (slab, 0.03), (flat_bone, 0.05), (lesion, 0.12), (pair, 0.07),
)  # fmt: skip


def drawn(rng: Generator, side: int = SIDE) -> Scene:
    """A scene with its objects."""
    scene = Scene(rng, side)
    _SCENES[rng.choice(len(_SCENES), p=[share for _, share in _SCENES])][0](scene)
    shares = [share for _, share in _OBJECTS]
    for n in range(int(rng.integers(0 if scene.groups > 2 else 1, 6))):
        place = scene.point(0.25 if n == 0 else 0.8)
        _OBJECTS[rng.choice(len(_OBJECTS), p=shares)][0](scene, place)
    if rng.random() < 0.15 and scene.groups > 1:  # two neighbours that are one to a person
        one, other = rng.integers(1, scene.groups + 1, 2)
        scene.coarse[scene.coarse == one] = other
    return scene


def scanned(scene: Scene) -> Field:
    """What a scanner makes of it: float32, of any unit."""
    rng, side, ct = scene.rng, scene.side, scene.ct
    means, rough = np.array(scene.means, np.float32), np.array(scene.rough, np.float32)
    image = means[scene.tissue]
    texture = rng.uniform(0.3, 1.0) * smooth(rng, side, int(rng.integers(5, 14)))
    texture += rng.uniform(0.3, 1.0) * smooth(rng, side, int(rng.integers(14, 40)))
    image += rough[scene.tissue] * texture.astype(np.float32)
    if rng.random() < 0.3:  # an agent that has not come everywhere
        ramp = np.einsum("a,akji->kji", rng.standard_normal(3).astype(np.float32), scene.grid.plain)
        amount = np.where(rng.random(len(means)) < 0.3, rng.normal(0, 0.15, len(means)), 0.0)
        image += (amount * (300.0 if ct else 1.0)).astype(np.float32)[scene.tissue] * ramp
    sigma = rng.uniform(0.3, 1.1) * np.exp(rng.uniform(-0.5, 0.5, 3))
    image = ndimage.gaussian_filter(image, sigma, truncate=2.5)
    if not ct:
        bias = np.float32(rng.uniform(0.0, 0.5)) * smooth(rng, side, int(rng.integers(1, 3)))
        image = np.maximum(image, 0.0) * np.exp(bias)
        if rng.random() < 0.3:
            image = image ** np.float32(rng.uniform(0.7, 1.5))
    image = _noisy(rng, image, ct=ct)
    image = _sliced(rng, image)
    if rng.random() < 0.1:
        image = -image
    return np.asarray(image, np.float32)


def _noisy(rng: Generator, image: Field, *, ct: bool) -> Field:
    sigma = log_uniform(rng, 3.0, 40.0) if ct else log_uniform(rng, 0.005, 0.09)
    noise = rng.standard_normal((2, *image.shape), np.float32)
    if rng.random() < 0.5:
        blur = rng.uniform(0.3, 0.9)
        noise[0] = ndimage.gaussian_filter(noise[0], blur, truncate=2.0)
        noise[0] /= max(float(noise[0].std()), 1e-6)
    if not ct and rng.random() < 0.5:
        return np.asarray(np.hypot(image + sigma * noise[0], sigma * noise[1]), np.float32)
    return np.asarray(image + np.float32(sigma) * noise[0], np.float32)


def _sliced(rng: Generator, image: Field) -> Field:
    """Thick slices, coarse voxels: lost along one axis or all."""
    factors = np.ones(3)
    if rng.random() < 0.35:
        factors[rng.integers(3)] = rng.uniform(2.0, 7.0)
    if rng.random() < 0.2:
        factors *= rng.uniform(1.5, 3.0)
    order = 0 if rng.random() < 0.15 else 1
    side = image.shape[0]
    for axis, factor in enumerate(factors):
        if factor > 1.0:
            image = ndimage.uniform_filter1d(image, max(round(float(factor)), 1), axis=axis)
            few = max(int(side / factor), 4)
            at = np.linspace(0, side - 1, few)
            image = image.take(np.round(at).astype(int), axis)
            back = np.linspace(0, few - 1, side)
            low = np.minimum(back.astype(int), few - 2)
            share = (back - low if order else np.round(back - low)).astype(np.float32)
            shape = [1, 1, 1]
            shape[axis] = side
            share = share.reshape(shape)
            image = image.take(low, axis) * (1 - share) + image.take(low + 1, axis) * share
    return np.asarray(image, np.float32)


def targets(scene: Scene, image: Field) -> list[npt.NDArray[np.bool_]]:
    """What may be asked for: connected, large enough, and with a border that can be seen."""
    rng = scene.rng
    found: list[npt.NDArray[np.bool_]] = []
    tries = 0
    while len(found) < TARGETS and tries < 20:
        tries += 1
        groups = scene.fine if rng.random() < 0.6 else scene.coarse
        counts = np.bincount(groups.ravel())
        counts[0] = 0
        some = np.flatnonzero(counts > 150)
        if not some.size:
            break
        mask = groups == rng.choice(some)
        parts, _ = ndimage.label(mask)
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        own = parts == rng.choice(np.flatnonzero(sizes >= 0.3 * sizes.max()))
        count = int(own.sum())
        if not 150 < count < 0.6 * own.size or any((own == one).all() for one in found):
            continue
        if _visible(own, image) or rng.random() < 0.1:
            found.append(own)
    return found


def _visible(mask: npt.NDArray[np.bool_], image: Field) -> bool:
    """Whether the border shows, along most of it: beside its voxels the image is another."""
    (box,) = ndimage.find_objects(mask.astype(np.uint8))
    around = tuple(slice(max(s.start - 3, 0), s.stop + 3) for s in box)
    own, values = mask[around], image[around]
    ring = ndimage.binary_dilation(own, iterations=2) & ~own
    rim = own & ~ndimage.binary_erosion(own, iterations=2)
    if not ring.any() or not rim.any():
        return False
    spread = max(float(values[rim].std()), float(values[ring].std()), 1e-6)
    return abs(float(values[rim].mean() - values[ring].mean())) > 0.6 * spread


def sample(seed: int, side: int = SIDE) -> tuple[Field, list[npt.NDArray[np.bool_]]]:
    """An image and what may be asked for in it, by a seed."""
    rng = np.random.default_rng(seed)
    while True:
        scene = drawn(rng, side)
        image = scanned(scene)
        found = targets(scene, image)
        if found:
            return image, found
