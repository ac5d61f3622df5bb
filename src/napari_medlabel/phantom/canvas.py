"""Painting tissues into voxels, and the textures they have."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.phantom.shapes import Block, Real, Shape

__all__ = ["Canvas", "Look", "Texture", "Tissue", "blocks", "kernel_noise", "painted"]

SLAB = 12  # slices that are painted at once: little memory, and near the processor


class Tissue(Enum):
    """What a voxel is filled with."""

    AIR = auto()
    TABLE = auto()
    FOAM = auto()
    SKIN = auto()
    FAT = auto()
    MUSCLE = auto()
    CARTILAGE = auto()
    CORTICAL = auto()
    SPONGY = auto()
    SKULL = auto()
    DIPLOE = auto()
    TOOTH = auto()
    CHALK = auto()
    DURA = auto()
    FLUID = auto()
    VENTRICLE = auto()
    GRAY = auto()
    WHITE = auto()
    EDEMA = auto()
    RIM = auto()
    CORE = auto()
    SCLERA = auto()
    VITREOUS = auto()
    LENS = auto()
    BLOOD = auto()
    LIVER = auto()
    SPLEEN = auto()
    KIDNEY = auto()
    BOWEL = auto()
    VERTEBRA = auto()
    MARROW = auto()
    LUNG = auto()
    NERVE = auto()


@dataclass(frozen=True, slots=True)
class Look:
    """How tissues come out: a value for each, and how many mm an edge is blurred over.

    With `edge_mm` 0 each voxel is one tissue: so labels are made.
    """

    values: Mapping[Tissue, float]
    edge_mm: float = 0.0
    missing: float = 0.0

    def value(self, tissue: Tissue) -> float:
        """The value of a tissue."""
        return self.values.get(tissue, self.missing)


@dataclass(slots=True, eq=False)
class Canvas:
    """The voxels of a block while they are painted, later tissues over earlier ones."""

    block: Block
    look: Look
    voxels: Real = field(init=False)

    def __post_init__(self) -> None:
        air = self.look.value(Tissue.AIR)
        self.voxels = np.full(self.block.shape, air, np.float32)

    def fill(
        self,
        distance: Real,
        tissue: Tissue,
        where: tuple[slice, slice, slice] = (slice(None), slice(None), slice(None)),
    ) -> None:
        """Paint where the distance is negative; `where` is the box it was measured on."""
        target, value = self.voxels[where], self.look.value(tissue)
        if self.look.edge_mm <= 0.0:
            np.copyto(target, np.float32(value), where=distance < 0.0)
            return
        share = distance * np.float32(-1.0 / self.look.edge_mm)
        share += np.float32(0.5)
        np.clip(share, 0.0, 1.0, out=share)
        target += share * (value - target)  # a distance may broadcast to the box

    def paint(
        self, shapes: Shape | Iterable[Shape], tissue: Tissue, within: Real | None = None
    ) -> None:
        """Paint shapes; `within`, a distance over the block, keeps them inside something."""
        for shape in _each(shapes):
            cut = self.block.near(shape.low, shape.high, 1.0 + self.look.edge_mm)
            if cut is not None:
                away = shape.distance(cut.x, cut.y, cut.z)
                if within is not None:
                    away = np.maximum(away, within[cut.where])
                self.fill(away, tissue, cut.where)


def painted(
    geometry: Geometry, look: Look, paint: Callable[[Canvas], None]
) -> Iterator[tuple[Block, Real]]:
    """Paint a grid a few slices at a time: each block with its voxels."""
    for block in blocks(geometry):
        canvas = Canvas(block, look)
        paint(canvas)
        yield block, canvas.voxels


def blocks(geometry: Geometry) -> Iterator[Block]:
    """A grid as blocks of a few slices."""
    depth = geometry.shape[0]
    for start in range(0, depth, SLAB):
        yield Block(geometry, start, min(start + SLAB, depth))


def kernel_noise(rng: np.random.Generator, shape: tuple[int, ...]) -> Real:
    """Noise of deviation 1, softened within slices as a CT's reconstruction kernel does."""
    noise: Real = rng.standard_normal(shape, dtype=np.float32)
    for axis in (1, 2):
        noise = ndimage.correlate1d(noise, np.array([0.25, 0.5, 0.25]), axis=axis, mode="wrap")
    noise *= np.float32(1.0 / 0.375)
    return noise


def _each(shapes: Shape | Iterable[Shape]) -> Iterable[Shape]:
    return shapes if isinstance(shapes, Iterable) else (shapes,)


class Texture:
    """Smooth random values in space, of mean 0 and deviation 1, which repeat after 160 mm.

    Parameters
    ----------
    rng
        Where the randomness comes from.
    grain_mm
        About half of a wave.
    step_mm
        Spacing of the values that are kept.
    """

    def __init__(self, rng: np.random.Generator, grain_mm: float, step_mm: float) -> None:
        size = round(160.0 / step_mm)
        noise = rng.standard_normal((size, size, size), dtype=np.float32)
        sigma = 0.4 * grain_mm / step_mm
        fine = ndimage.gaussian_filter(noise, sigma, mode="wrap")
        coarse = ndimage.gaussian_filter(noise, sigma * 1.6, mode="wrap")
        band = fine - coarse
        self._step = 160.0 / size
        self._grid: Real = (band / band.std()).astype(np.float32)

    def sheets(self) -> "Texture":
        """The same, as signed distances in mm from the surfaces where it is 0."""
        slopes = np.gradient(np.pad(self._grid, 1, mode="wrap"), self._step)
        steep = np.sqrt(np.square(slopes).sum(axis=0))[1:-1, 1:-1, 1:-1]
        sheets = copy(self)
        sheets._grid = self._grid / np.maximum(steep, 0.4 * steep.mean())  # noqa: SLF001  # its own class
        return sheets

    def at(self, x: npt.NDArray[Any], y: npt.NDArray[Any], z: npt.NDArray[Any]) -> Real:
        """Values at positions in mm, interpolated."""
        places = np.stack([np.asarray(axis, np.float32) for axis in np.broadcast_arrays(z, y, x)])
        places /= np.float32(self._step)
        found: Real = ndimage.map_coordinates(
            self._grid, places, output=np.float32, order=1, mode="grid-wrap", prefilter=False
        )
        return found
