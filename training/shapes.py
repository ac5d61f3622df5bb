"""Shapes as numbers over a warped grid: below 0 inside, growing outwards."""

from typing import Any

import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]
Generator = np.random.Generator


def basis(nodes: int, side: int) -> Field:
    """Cubic B-splines of so many nodes over so many samples, `[side, nodes + 3]`."""
    places = np.linspace(0.0, nodes - 1e-6, side)
    first = places.astype(int)
    t = (places - first)[:, None]
    weights = np.concatenate(
        [(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], 1
    ) / 6.0  # fmt: skip
    matrix = np.zeros((side, nodes + 3), np.float32)
    np.put_along_axis(matrix, first[:, None] + np.arange(4), weights.astype(np.float32), 1)
    return matrix


def smooth(rng: Generator, side: int, nodes: int | tuple[int, int, int]) -> Field:
    """Smooth noise of mean 0 and deviation 1."""
    k, j, i = (nodes, nodes, nodes) if isinstance(nodes, int) else nodes
    a, b, c = basis(k, side), basis(j, side), basis(i, side)
    coarse = rng.standard_normal((k + 3, j + 3, i + 3), np.float32)
    first = (a @ coarse.reshape(k + 3, -1)).reshape(side, j + 3, i + 3)
    noise = np.matmul(b, first) @ c.T
    noise -= noise.mean()
    return np.asarray(noise / max(float(noise.std()), 1e-6), np.float32)


def rotation(rng: Generator) -> npt.NDArray[np.float64]:
    q, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    return np.asarray(q)


def log_uniform(rng: Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


class Grid:
    """Warped coordinates of a cube, about -1 to 1, float32 `[3, side, side, side]`."""

    def __init__(self, rng: Generator, side: int) -> None:
        self.rng, self.side = rng, side
        ticks = np.linspace(-1.0, 1.0, side, dtype=np.float32)
        self.x = np.stack(np.meshgrid(ticks, ticks, ticks, indexing="ij"))
        self.plain = self.x.copy()
        if rng.random() < 0.85:
            amplitude, nodes = rng.uniform(0.0, 0.2), int(rng.integers(2, 5))
            for axis in range(3):
                self.x[axis] += np.float32(amplitude) * smooth(rng, side, nodes)

    def noise(self, low: int, high: int) -> Field:
        return smooth(self.rng, self.side, int(self.rng.integers(low, high + 1)))

    def blob(  # noqa: PLR0913  # what a blob can be
        self, center: Any, radius: float, *, ratio: float = 4.0, rough: float = 0.45,
        turn: Any = None, radii: Any = None,
    ) -> Field:  # fmt: skip
        """An ellipsoid, some of them boxy, with an uneven surface; in units of the grid."""
        rng = self.rng
        if radii is None:
            stretch = np.exp(rng.uniform(-0.5, 0.5, 3) * np.log(ratio))
            radii = radius * stretch / np.exp(np.log(stretch).mean())
        turn = rotation(rng) if turn is None else turn
        matrix = (turn / np.asarray(radii)[:, None]).astype(np.float32)
        offset = matrix @ np.asarray(center, np.float32)
        q = (matrix @ self.x.reshape(3, -1)).reshape(self.x.shape) - offset[:, None, None, None]
        if rng.random() < 0.35:
            power = np.float32(rng.uniform(1.5, 5.0))
            away = (np.abs(q) ** power).sum(0) ** np.float32(1.0 / power)
        else:
            away = np.sqrt(np.einsum("akji,akji->kji", q, q))
        away -= 1.0
        if rough > 0 and rng.random() < 0.8:
            away += np.float32(rng.uniform(0.0, rough)) * 0.5 * self.noise(3, 9)
        return np.asarray(away * np.float32(np.min(radii)), np.float32)

    def path(self, start: Any, length: float, *, bend: float = 0.5, count: int = 40) -> Any:
        """Points of a smooth walk through `start`, `[count, 3]`."""
        rng = self.rng
        heading = rng.standard_normal(3)
        points = [np.zeros(3)]
        turn = rng.standard_normal(3) * bend
        for _ in range(count - 1):
            turn = 0.8 * turn + 0.6 * bend * rng.standard_normal(3)
            heading = heading + turn * 0.5
            heading = heading / np.linalg.norm(heading)
            points.append(points[-1] + heading * length / count)
        walk = np.array(points)
        return walk - walk[count // 2] + np.asarray(start)

    def along(self, path: Any) -> tuple[Field, Field]:
        """Distance to a path, and how far along it the nearest point is, 0 to 1."""
        half = self.x[:, ::2, ::2, ::2].reshape(3, -1).T
        points = np.asarray(path, np.float32)
        squares = (half**2).sum(1)[:, None] - 2.0 * half @ points.T + (points**2).sum(1)
        nearest = squares.argmin(1)
        away = np.sqrt(np.maximum(np.take_along_axis(squares, nearest[:, None], 1)[:, 0], 0.0))
        n = self.side // 2
        place = (nearest / max(len(points) - 1, 1)).astype(np.float32)
        return doubled(away.reshape(n, n, n)), doubled(place.reshape(n, n, n))

    def tube(self, path: Any, radius: float, *, vary: float = 0.3) -> tuple[Field, Field]:
        """A tube around a path, and the place along it."""
        away, place = self.along(path)
        phase, waves = self.rng.uniform(0, 6.3), self.rng.uniform(1, 5)
        wobble = 1.0 + vary * np.sin(place * np.float32(6.3 * waves) + np.float32(phase))
        return np.asarray(away - np.float32(radius) * wobble.astype(np.float32)), place

    def slab(self, center: Any, thick: float) -> Field:
        """A bent plate through a point."""
        normal = self.rng.standard_normal(3)
        normal /= np.linalg.norm(normal)
        shift = self.x - np.asarray(center, np.float32)[:, None, None, None]
        off = np.einsum("a,akji->kji", normal.astype(np.float32), shift)
        off += np.float32(self.rng.uniform(0.0, 0.2)) * self.noise(2, 4)
        return np.asarray(np.abs(off) - np.float32(thick), np.float32)


def doubled(values: Field) -> Field:
    """Linearly to twice the samples along each axis."""
    for axis in range(3):
        before = np.concatenate(
            [values.take([0], axis), values.take(range(values.shape[axis] - 1), axis)], axis
        )
        after = np.concatenate(
            [values.take(range(1, values.shape[axis]), axis), values.take([-1], axis)], axis
        )
        pair = np.stack([0.75 * values + 0.25 * before, 0.75 * values + 0.25 * after], axis + 1)
        shape = list(values.shape)
        shape[axis] *= 2
        values = pair.reshape(shape)
    return np.asarray(values, np.float32)
