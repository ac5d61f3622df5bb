"""Solid shapes in LPS millimetres, and the blocks of a grid they are measured on.

A shape answers with a signed distance: negative inside, in millimetres, exact for spheres and
close to the surface for ellipsoids (first order). Distances are joined smoothly, so that flesh
has no creases where two ellipsoids meet.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.interpolate import Akima1DInterpolator

from napari_medlabel.core.geometry import Geometry

__all__ = [
    "Block",
    "Carve",
    "Chain",
    "Cut",
    "Ellipsoid",
    "Real",
    "Segment",
    "Shape",
    "Triple",
    "curve",
    "measure",
    "tube",
]

Real = npt.NDArray[np.float32]
Triple = tuple[float, float, float]
FAR_MM = 60.0  # the distance given where no shape is near


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A box of a block: where it is, and positions that broadcast to its shape."""

    where: tuple[slice, slice, slice]
    x: Real
    y: Real
    z: Real


class Block:
    """Neighbouring slices of a grid, with the positions of their voxels.

    Positions are kept as one row per array axis: on a grid along the patient's axes an ellipsoid
    is then measured with two additions per voxel.
    """

    def __init__(self, geometry: Geometry, start: int, stop: int) -> None:
        self.slices = slice(start, stop)
        self.shape = (stop - start, geometry.shape[1], geometry.shape[2])
        matrix = geometry.lps_from_kji.copy()
        matrix[:3, 3] = geometry.lps((start, 0, 0))
        self._local = Geometry(self.shape, matrix)
        self._offset = [float(value) for value in matrix[:3, 3]]
        self._rows = [
            [_row(matrix[axis, n], self.shape[n], n) for n in range(3)] for axis in range(3)
        ]

    @property
    def whole(self) -> Cut:
        """All of it."""
        k, j, i = self.shape
        return self._cut((slice(0, k), slice(0, j), slice(0, i)))

    def near(self, low: Sequence[float], high: Sequence[float], reach: float) -> Cut | None:
        """The part within `reach` of a box in LPS, or None where that is nothing."""
        ends = np.array([np.asarray(low) - reach, np.asarray(high) + reach])
        corners = np.stack(np.meshgrid(*ends.T, indexing="ij"), axis=-1).reshape(-1, 3)
        index = self._local.kji(corners)
        first = np.maximum(np.ceil(index.min(axis=0)), 0).astype(int)
        last = np.minimum(np.floor(index.max(axis=0)) + 1, self.shape).astype(int)
        if (last <= first).any():
            return None
        k, j, i = (slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
        return self._cut((k, j, i))

    def _cut(self, where: tuple[slice, slice, slice]) -> Cut:
        x, y, z = (self._positions(axis, where) for axis in range(3))
        return Cut(where, x, y, z)

    def _positions(self, axis: int, where: tuple[slice, slice, slice]) -> Real:
        total: Real = np.full((1, 1, 1), self._offset[axis], np.float32)
        for n, row in enumerate(self._rows[axis]):
            if row is not None:
                total = total + row[tuple(where[m] if m == n else slice(None) for m in range(3))]
        return total


def _row(step: float, length: int, axis: int) -> Real | None:
    if abs(step) < 1e-9:
        return None
    shape = [1, 1, 1]
    shape[axis] = length
    row: Real = (step * np.arange(length)).astype(np.float32).reshape(shape)
    return row


class Shape(Protocol):
    """Something solid: a box in LPS around it, and the signed distance from it."""

    @property
    def low(self) -> Triple:
        """The box's lowest corner."""

    @property
    def high(self) -> Triple:
        """The box's highest corner."""

    def distance(self, x: Real, y: Real, z: Real) -> Real:
        """Signed distance in mm, negative inside; the arrays broadcast."""


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """Centre, radii along its axes, and how far it is turned about the patient's axes.

    `turn_deg` are turns about x, then y, then z (LPS, right-handed).
    """

    center: Triple
    radii: Triple
    turn_deg: Triple = (0.0, 0.0, 0.0)

    @property
    def low(self) -> Triple:
        """The box's lowest corner."""
        return _minus(self.center, self._reach())

    @property
    def high(self) -> Triple:
        """The box's highest corner."""
        return _plus(self.center, self._reach())

    def _reach(self) -> Triple:
        return self.radii if not any(self.turn_deg) else (max(self.radii),) * 3

    def grown(self, by: float) -> "Ellipsoid":
        """The same with longer radii."""
        return Ellipsoid(self.center, _plus(self.radii, (by, by, by)), self.turn_deg)

    def distance(self, x: Real, y: Real, z: Real) -> Real:
        """Signed distance, first order: |p/r| (|p/r| - 1) / |p/r²|."""
        u, v, w = x - self.center[0], y - self.center[1], z - self.center[2]
        if any(self.turn_deg):
            rows = _turn(self.turn_deg)
            u, v, w = (r[0] * u + r[1] * v + r[2] * w for r in rows)
        a, b, c = self.radii
        u, v, w = (u / a) ** 2, (v / b) ** 2, (w / c) ** 2
        size = np.sqrt(u + v + w)
        steep = np.sqrt(u / a**2 + v / b**2 + w / c**2 + np.float32(1e-12))
        away: Real = size * (size - np.float32(1.0)) / steep
        return away


@dataclass(frozen=True, slots=True)
class Segment:
    """A straight, round piece of a tube: two ends and a radius at each."""

    start: Triple
    stop: Triple
    radius_start: float
    radius_stop: float

    @property
    def low(self) -> Triple:
        """The box's lowest corner."""
        r, s = self.radius_start, self.radius_stop
        return _of([min(a - r, b - s) for a, b in zip(self.start, self.stop, strict=True)])

    @property
    def high(self) -> Triple:
        """The box's highest corner."""
        r, s = self.radius_start, self.radius_stop
        return _of([max(a + r, b + s) for a, b in zip(self.start, self.stop, strict=True)])

    def grown(self, by: float) -> "Segment":
        """The same, thicker."""
        return Segment(self.start, self.stop, self.radius_start + by, self.radius_stop + by)

    def distance(self, x: Real, y: Real, z: Real) -> Real:
        """Signed distance from the piece, its ends rounded."""
        u, v, w = x - self.start[0], y - self.start[1], z - self.start[2]
        a, b, c = _minus(self.stop, self.start)
        along = np.clip((a * u + b * v + c * w) / max(a * a + b * b + c * c, 1e-6), 0.0, 1.0)
        off: Real = np.sqrt((u - a * along) ** 2 + (v - b * along) ** 2 + (w - c * along) ** 2)
        off -= self.radius_start + (self.radius_stop - self.radius_start) * along
        return off


@dataclass(frozen=True, slots=True)
class Chain:
    """Pieces that are one shape, so that a seam runs along them and not between them."""

    pieces: tuple[Segment, ...]

    @property
    def low(self) -> Triple:
        """The box's lowest corner."""
        return _of([min(values) for values in zip(*(p.low for p in self.pieces), strict=True)])

    @property
    def high(self) -> Triple:
        """The box's highest corner."""
        return _of([max(values) for values in zip(*(p.high for p in self.pieces), strict=True)])

    def distance(self, x: Real, y: Real, z: Real) -> Real:
        """Signed distance from the nearest piece."""
        nearest = self.pieces[0].distance(x, y, z)
        for piece in self.pieces[1:]:
            np.minimum(nearest, piece.distance(x, y, z), out=nearest)
        return nearest


def tube(points: Sequence[Triple], radii: Sequence[float] | float) -> tuple[Segment, ...]:
    """A bent tube through the points, as its straight pieces."""
    sizes = [float(radii)] * len(points) if isinstance(radii, int | float) else list(radii)
    ends = zip(points, points[1:], sizes, sizes[1:], strict=False)
    return tuple(Segment(a, b, r, s) for a, b, r, s in ends)


def curve(
    points: Sequence[Triple], radii: Sequence[float] | float, pieces: int = 3
) -> tuple[Segment, ...]:
    """A tube without corners through the points: each step in so many straight pieces."""
    sizes = [float(radii)] * len(points) if isinstance(radii, int | float) else list(radii)
    known = np.column_stack([np.asarray(points, np.float64), sizes])
    steps = np.arange(len(points))
    fine = np.linspace(0, len(points) - 1, pieces * (len(points) - 1) + 1)
    spline = Akima1DInterpolator(steps, known, axis=0)(fine)
    return tube([(x, y, z) for x, y, z in spline[:, :3].tolist()], spline[:, 3].tolist())


@dataclass(frozen=True, slots=True)
class Carve:
    """One step of sculpting: a shape added to what is there, or taken away from it.

    `blend_mm` is how wide the seam is smoothed.
    """

    shape: Shape
    blend_mm: float = 0.0
    away: bool = False

    def apply(self, block: Block, distance: Real, reach: float) -> None:
        """Sculpt `distance`, an array over the block, where the shape is near."""
        # Far from an ellipsoid the distance comes out too short: look a little further.
        margin = max(reach, 1.6 * self.blend_mm + 2.0)
        cut = block.near(self.shape.low, self.shape.high, margin)
        if cut is None:
            return
        own = self.shape.distance(cut.x, cut.y, cut.z)
        there = distance[cut.where]
        if self.away:
            distance[cut.where] = -_joined(-there, own, self.blend_mm)
        else:
            distance[cut.where] = _joined(there, own, self.blend_mm)


def measure(block: Block, steps: Iterable[Carve], reach: float) -> Real:
    """The signed distance over a block, right within `reach` of the solid and inside it."""
    distance: Real = np.full(block.shape, FAR_MM, np.float32)
    for step in steps:
        step.apply(block, distance, reach)
    return distance


def _joined(a: Real, b: Real, blend_mm: float) -> Real:
    """The smaller distance, with a parabola of this width over the seam."""
    nearest: Real = np.minimum(a, b)
    if blend_mm <= 0.0:
        return nearest
    seam = np.maximum(blend_mm - np.abs(a - b), np.float32(0.0))
    nearest -= seam * seam * (0.25 / blend_mm)
    return nearest


def _turn(degrees: Triple) -> list[list[float]]:
    """Rows of the matrix that takes a position into the turned shape's own axes."""
    (a, b, c) = np.radians(degrees)
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    rows: list[list[float]] = (z @ y @ x).T.tolist()  # plain floats keep float32 arrays float32
    return rows


def _plus(a: Triple, b: Triple) -> Triple:
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2])


def _minus(a: Triple, b: Triple) -> Triple:
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2])


def _of(values: Sequence[float]) -> Triple:
    return (values[0], values[1], values[2])
