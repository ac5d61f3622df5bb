"""The outer shape of a head: face, ears and neck, sculpted onto the scalp.

Positions are LPS mm; the origin lies between the ear canals, some 30 mm above them.
"""

import numpy as np

from napari_medlabel.phantom.person import Person
from napari_medlabel.phantom.shapes import Carve, Chain, Ellipsoid, Segment, Triple, curve, tube

__all__ = ["face"]


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
    large = [
        Ellipsoid((0.0, -32.0, -36.0), (58.0, 54.0, 54.0)),  # middle of the face
        Ellipsoid((0.0, -42.0, -74.0), (46.0, 49.0, 37.0)),  # jaw
        *person.pair((43.0, -24.0, -68.0), (14.0, 26.0, 26.0)),  # angle of the jaw
        *person.pair((56.0, -22.0, 8.0), (15.0, 38.0, 34.0)),  # temples
        *person.pair((56.0, 14.0, -34.0), (17.0, 26.0, 28.0)),  # behind the ears
        Ellipsoid((0.0, 46.0, -50.0), (46.0, 42.0, 46.0)),  # nape
        Ellipsoid((0.0, 22.0, -125.0), (54.0, 57.0, 135.0), (6.0, 0.0, 0.0)),  # neck
    ]
    small = [
        *person.pair((37.0, -64.0, -37.0), (22.0, 22.0, 17.0)),  # cheekbones
        *person.pair((26.0, -72.0, -60.0), (18.0, 16.0, 22.0)),  # cheeks
        Ellipsoid(person.near((0.0, -79.0, -100.0)), (20.0, 15.0, 13.0)),  # chin
        Ellipsoid((0.0, -14.0, -118.0), (30.0, 12.0, 16.0)),  # throat
    ]
    return [
        *(Carve(shape, 18.0) for shape in large),
        *(Carve(shape, 16.0) for shape in small),
    ]


def _eye_region(person: Person) -> list[Carve]:
    brows = person.chains(
        [(9.0, -84.0, 3.0), (26.0, -84.0, 7.0), (44.0, -74.0, 4.0)], [5.0, 6.0, 5.0]
    )
    sockets = person.pair((31.0, -100.0, -11.0), (19.0, 15.0, 11.0), (0.0, 0.0, -20.0))
    corners = person.pair((16.0, -99.0, -13.0), (8.0, 11.0, 9.0))
    lids = person.pair((32.0, -74.0, -11.5), (14.6, 14.0, 13.4))
    return [
        *(Carve(shape, 14.0) for shape in brows),
        *(Carve(shape, 9.0, away=True) for shape in (*sockets, *corners)),
        *(Carve(shape, 4.0) for shape in lids),
        *(Carve(_lid_line(lid, -12.0, 0.9), 1.6, away=True) for lid in lids),
        *(Carve(_lid_line(lid, 26.0, 0.7), 2.5, away=True) for lid in lids),
    ]


def _lid_line(lid: Ellipsoid, up_deg: float, radius: float) -> Chain:
    """A furrow across the front of a lid, this high above its middle."""
    turns = np.radians(np.linspace(-52.0, 52.0, 7))
    rise = np.radians(up_deg) * np.cos(turns)
    offsets = np.stack(
        [np.sin(turns) * np.cos(rise), -np.cos(turns) * np.cos(rise), np.sin(rise)], axis=1
    )
    places = np.asarray(lid.center) + offsets * (np.asarray(lid.radii) + 0.2)
    return Chain(tube([(x, y, z) for x, y, z in places.tolist()], radius))


def _nose(person: Person) -> list[Carve]:
    tip = person.near((0.8, -105.5, -45.5))
    base = curve(
        [(0.0, -76.0, 0.0), (0.0, -80.0, -14.0), (0.0, -84.0, -32.0), (0.0, -86.0, -47.0)],
        [8.0, 9.0, 11.0, 12.0],
    )
    ridge = curve(
        [(0.0, -84.0, 2.0), (0.2, -89.5, -12.0), (0.5, -98.0, -30.0), tip], [6.5, 5.5, 6.5, 8.0]
    )
    wings = person.pair((9.5, -93.0, -49.5), (7.5, 10.5, 6.5), (10.0, 0.0, 12.0))
    column = Segment(tip, (0.4, -89.0, -54.0), 5.5, 5.5)
    nostrils = person.pair((6.2, -97.0, -54.0), (2.6, 5.0, 4.5), (35.0, 0.0, 0.0))
    return [
        Carve(Chain(base), 10.0),
        Carve(Chain(ridge), 9.0),
        *(Carve(shape, 6.0) for shape in wings),
        Carve(column, 6.0),
        *(Carve(shape, 2.0, away=True) for shape in nostrils),
    ]


def _mouth(person: Person) -> list[Carve]:
    muzzle = Ellipsoid((0.0, -75.0, -73.0), (29.0, 20.0, 22.0))
    upper = person.chains(
        [(0.5, -94.0, -69.8), (5.0, -94.4, -69.0), (13.0, -91.0, -70.2), (24.0, -82.5, -73.4)],
        [4.4, 4.6, 4.0, 1.6],
    )
    lower = person.chains(
        [(0.0, -92.5, -78.8), (10.0, -90.5, -78.4), (23.0, -82.5, -74.8)], [5.6, 5.2, 1.6]
    )
    slit = person.chains(
        [(0.0, -98.6, -74.0), (6.0, -98.2, -73.5), (13.0, -95.0, -73.8), (25.0, -85.5, -74.4)], 0.9
    )
    groove = tube([(0.3, -99.0, -58.0), (0.3, -100.5, -66.0)], 1.8)
    fold = Ellipsoid((0.0, -104.0, -88.5), (20.0, 13.0, 4.0))
    return [
        Carve(muzzle, 16.0),
        *(Carve(shape, 4.0) for shape in (*upper, *lower)),
        *(Carve(shape, 2.5, away=True) for shape in slit),
        *(Carve(shape, 5.0, away=True) for shape in groove),
        Carve(fold, 9.0, away=True),
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
            for s in person.chains(helix, [2.6, 2.6, 2.8, 3.0, 3.0, 2.8, 3.0, 4.0, 4.2, 3.4])
        ),
        *(Carve(s, 3.0) for s in person.chains(antihelix, 2.6)),
        *(Carve(shape, 3.0) for shape in flaps),
    ]
