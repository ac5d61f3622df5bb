"""What differs from side to side, and from one person to the next."""

from dataclasses import dataclass

import numpy as np

from napari_medlabel.phantom.shapes import Chain, Ellipsoid, Segment, Triple, curve

__all__ = ["Person", "mirrored"]


@dataclass(slots=True, eq=False)
class Person:
    """Where left and right, and one head and the next, differ a little."""

    rng: np.random.Generator

    def near(self, center: Triple, by_mm: float = 0.7) -> Triple:
        """The position, moved a little."""
        x, y, z = (c + by_mm * float(d) for c, d in zip(center, self._draw(), strict=True))
        return (x, y, z)

    def pair(
        self, center: Triple, radii: Triple, turn_deg: Triple = (0.0, 0.0, 0.0)
    ) -> tuple[Ellipsoid, Ellipsoid]:
        """An ellipsoid of the left side and, mirrored but not quite, of the right."""
        a, b, c = turn_deg
        left = Ellipsoid(self.near(center), self._sized(radii), turn_deg)
        right = Ellipsoid(self.near(mirrored(center)), self._sized(radii), (a, -b, -c))
        return (left, right)

    def chains(self, points: list[Triple], radii: list[float] | float) -> tuple[Chain, Chain]:
        """A bent tube of the left side, and of the right, each one shape."""
        pieces = self.tubes(points, radii)
        half = len(pieces) // 2
        return (Chain(tuple(pieces[:half])), Chain(tuple(pieces[half:])))

    def tubes(self, points: list[Triple], radii: list[float] | float) -> list[Segment]:
        """A bent tube of the left side, and of the right."""
        left = [self.near(point, 0.4) for point in points]
        right = [self.near(mirrored(point), 0.4) for point in points]
        return [*curve(left, radii), *curve(right, radii)]

    def _sized(self, radii: Triple) -> Triple:
        a, b, c = (r * (1.0 + 0.02 * float(d)) for r, d in zip(radii, self._draw(), strict=True))
        return (a, b, c)

    def _draw(self) -> list[float]:
        values: list[float] = np.clip(self.rng.standard_normal(3), -2.0, 2.0).tolist()
        return values


def mirrored(point: Triple) -> Triple:
    """The same place on the other side."""
    return (-point[0], point[1], point[2])
