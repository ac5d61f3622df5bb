"""The outer shape of a head: face, ears and neck, sculpted onto the scalp.

Positions are LPS mm; the origin lies between the ear canals, some 30 mm above them.
"""

from dataclasses import dataclass

import numpy as np

from napari_medlabel.phantom.shapes import Carve, Ellipsoid, Segment, Shape, Triple, tube

__all__ = ["Person", "face"]


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

    def tubes(self, points: list[Triple], radii: list[float] | float) -> list[Segment]:
        """A bent tube of the left side, and of the right."""
        left = [self.near(point, 0.4) for point in points]
        right = [self.near(mirrored(point), 0.4) for point in points]
        return [*tube(left, radii), *tube(right, radii)]

    def _sized(self, radii: Triple) -> Triple:
        a, b, c = (r * (1.0 + 0.02 * float(d)) for r, d in zip(radii, self._draw(), strict=True))
        return (a, b, c)

    def _draw(self) -> list[float]:
        values: list[float] = np.clip(self.rng.standard_normal(3), -2.0, 2.0).tolist()
        return values


def mirrored(point: Triple) -> Triple:
    """The same place on the other side."""
    return (-point[0], point[1], point[2])


def face(person: Person) -> list[Carve]:
    """The steps from a scalp to a head with face, ears and neck."""
    return [
        *_flesh(person),
        *_eye_region(person),
        *_nose(person),
        *_mouth(person),
        *_ears(person),
    ]


def _flesh(person: Person) -> list[Carve]:
    joined = [
        Ellipsoid((0.0, -34.0, -40.0), (57.0, 52.0, 56.0)),  # middle of the face
        Ellipsoid((0.0, -46.0, -76.0), (45.0, 47.0, 34.0)),  # jaw
        *person.pair((44.0, -26.0, -74.0), (13.0, 24.0, 28.0)),  # angle of the jaw
        Ellipsoid((0.0, 22.0, -125.0), (55.0, 58.0, 135.0), (6.0, 0.0, 0.0)),  # neck
    ]
    soft = [
        *person.pair((38.0, -70.0, -37.0), (19.0, 17.0, 15.0)),  # cheekbones
        *person.pair((27.0, -76.0, -62.0), (16.0, 14.0, 20.0)),  # cheeks
    ]
    chin = Ellipsoid(person.near((0.0, -84.0, -103.0)), (15.0, 12.0, 11.0))
    return [
        *(Carve(shape, 14.0) for shape in joined),
        *(Carve(shape, 12.0) for shape in soft),
        Carve(chin, 11.0),
        Carve(Ellipsoid((0.0, -14.0, -118.0), (30.0, 12.0, 16.0)), 14.0),  # throat
    ]


def _eye_region(person: Person) -> list[Carve]:
    brows = person.tubes(
        [(7.0, -88.0, 3.0), (26.0, -89.0, 6.0), (46.0, -76.0, 2.0)], [7.0, 8.0, 7.0]
    )
    sockets = person.pair((32.0, -98.0, -10.0), (18.0, 14.0, 11.0), (0.0, 0.0, -18.0))
    corners = person.pair((14.0, -100.0, -13.0), (7.0, 9.0, 12.0))
    lids = person.pair((32.0, -74.0, -11.5), (14.0, 14.2, 13.0))
    upper = person.tubes([(20.0, -83.0, -10.0), (31.0, -89.0, -6.0), (43.0, -81.0, -9.5)], 2.0)
    lower = person.tubes([(21.0, -84.0, -16.0), (32.0, -87.0, -18.0), (43.0, -80.0, -15.0)], 1.8)
    slits = person.tubes([(22.0, -87.5, -13.0), (32.0, -90.5, -12.6), (42.0, -84.5, -12.0)], 0.9)
    return [
        *(Carve(shape, 10.0) for shape in brows),
        *(Carve(shape, 9.0, away=True) for shape in (*sockets, *corners)),
        *(Carve(shape, 3.0) for shape in lids),
        *(Carve(shape, 3.0) for shape in (*upper, *lower)),
        *(Carve(shape, 1.0, away=True) for shape in slits),
    ]


def _nose(person: Person) -> list[Carve]:
    tip = person.near((0.8, -107.5, -46.0))
    bridge = tube(
        [(0.0, -88.0, -2.0), (0.2, -93.0, -16.0), (0.5, -101.0, -33.0), tip], [6.5, 5.5, 6.5, 7.5]
    )
    wings = person.pair((11.5, -96.0, -50.0), (7.0, 9.5, 6.5))
    column = Segment(tip, (0.4, -92.0, -56.0), 5.0, 6.0)
    nostrils = person.pair((6.4, -101.5, -55.0), (3.2, 6.0, 5.5), (35.0, 0.0, 0.0))
    return [
        *(Carve(shape, 7.0) for shape in bridge),
        *(Carve(shape, 5.0) for shape in wings),
        Carve(column, 5.0),
        *(Carve(shape, 1.5, away=True) for shape in nostrils),
    ]


def _mouth(person: Person) -> list[Carve]:
    muzzle = Ellipsoid((0.0, -74.0, -74.0), (27.0, 19.0, 21.0))
    upper: list[Shape] = [
        *person.tubes(
            [(0.0, -94.0, -69.5), (10.0, -92.5, -69.5), (23.0, -84.0, -73.0)], [4.0, 3.8, 1.5]
        )
    ]
    lower: list[Shape] = [
        *person.tubes(
            [(0.0, -92.5, -78.5), (10.0, -91.5, -78.0), (22.0, -84.0, -74.5)], [5.0, 4.4, 1.5]
        )
    ]
    slit = person.tubes([(0.0, -99.5, -73.6), (12.0, -97.0, -73.4), (25.0, -86.0, -74.0)], 1.3)
    groove = tube([(0.3, -99.5, -59.0), (0.3, -99.5, -66.0)], 2.6)
    fold = Ellipsoid((0.0, -103.0, -88.0), (17.0, 11.0, 4.0))
    return [
        Carve(muzzle, 12.0),
        *(Carve(shape, 4.0) for shape in (*upper, *lower)),
        *(Carve(shape, 1.5, away=True) for shape in slit),
        *(Carve(shape, 4.0, away=True) for shape in groove),
        Carve(fold, 7.0, away=True),
    ]


def _ears(person: Person) -> list[Carve]:
    helix: list[Triple] = [
        (76.0, 6.0, -33.0), (79.0, 3.0, -20.0), (82.0, 8.0, -8.0), (85.0, 19.0, -3.0),
        (88.0, 29.0, -10.0), (87.0, 31.0, -25.0), (83.0, 25.0, -42.0), (78.0, 15.0, -56.0),
        (76.0, 8.0, -60.0), (74.0, 3.0, -54.0),
    ]  # fmt: skip
    antihelix: list[Triple] = [
        (80.0, 17.0, -12.0), (82.0, 21.0, -22.0), (80.0, 20.0, -36.0), (76.0, 12.0, -46.0),
    ]  # fmt: skip
    shells = person.pair((77.5, 16.0, -30.0), (3.5, 15.0, 27.0), (-8.0, 0.0, -28.0))
    bowls = person.pair((80.0, 9.0, -36.0), (7.0, 7.0, 9.0))
    flaps = person.pair((75.5, 1.0, -37.0), (3.0, 5.0, 6.0))
    return [
        *(Carve(shape, 4.0) for shape in shells),
        *(Carve(shape, 3.0, away=True) for shape in bowls),
        *(
            Carve(s, 2.5)
            for s in person.tubes(helix, [3, 2.6, 2.6, 2.8, 2.8, 2.6, 2.8, 4.0, 4.0, 3.0])
        ),
        *(Carve(s, 3.0) for s in person.tubes(antihelix, 2.2)),
        *(Carve(shape, 3.0) for shape in flaps),
    ]
