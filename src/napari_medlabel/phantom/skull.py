"""Bones, teeth and airways of a head, and the spine below it."""

from dataclasses import dataclass, field

import numpy as np

from napari_medlabel.phantom.canvas import Canvas, Texture, Tissue
from napari_medlabel.phantom.person import Person
from napari_medlabel.phantom.shapes import Block, Ellipsoid, Real, Segment, Triple, tube

__all__ = ["Skull"]

_Solid = Ellipsoid | Segment
WALL_MM = 1.6  # bone around a sinus
MASTOIDS = (  # the air-filled bone behind the ears
    Ellipsoid((58.0, 24.0, -38.0), (11.0, 15.0, 16.0)),
    Ellipsoid((-58.0, 24.0, -38.0), (11.0, 15.0, 16.0)),
)


@dataclass(slots=True, eq=False)
class Skull:
    """The bones of one person."""

    person: Person
    _thickness: Texture = field(init=False)
    _cells: Texture = field(init=False)
    _face: list[_Solid] = field(init=False)
    _jaw: list[Segment] = field(init=False)
    _sinuses: list[_Solid] = field(init=False)
    _petrous: list[Segment] = field(init=False)
    _teeth: list[Segment] = field(init=False)
    _turbinates: list[Segment] = field(init=False)

    def __post_init__(self) -> None:
        person = self.person
        self._thickness = Texture(person.rng, grain_mm=26.0, step_mm=4.0)
        self._cells = Texture(person.rng, grain_mm=4.5, step_mm=2.0)
        self._face = _face_bones(person)
        self._jaw = _jaw(person)
        self._sinuses = _sinuses(person)
        self._petrous = person.tubes(
            [(20.0, 2.0, -28.0), (50.0, 16.0, -30.0), (58.0, 24.0, -40.0)], [7.0, 9.0, 9.0]
        )
        self._teeth = _teeth(person)
        self._turbinates = _turbinates(person)

    def thickness(self, block: Block, cavity: Real) -> Real:
        """How thick the bone is, in mm, where the cavity is near."""
        thick: Real = np.full(block.shape, 6.5, np.float32)
        near = np.nonzero(np.abs(cavity - np.float32(8.0)) < 12.0)
        if near[0].size:
            whole = block.whole
            x, y, z = (
                np.broadcast_to(axis, block.shape)[near] for axis in (whole.x, whole.y, whole.z)
            )
            wave = self._thickness.at(x * 0.8, y * 0.8, z * 0.8)
            back = np.clip((y - np.float32(50.0)) / 40.0, 0.0, 1.0)
            fading = np.clip((np.float32(20.0) - cavity[near]) / 8.0, 0.0, 1.0)
            base = np.clip((np.float32(-12.0) - z) / 20.0, 0.0, 1.0)
            thick[near] += fading * np.clip(wave + 2.0 * back - 2.4 * base, -3.5, 4.5)
        return thick

    def paint(self, canvas: Canvas, cavity: Real, thickness: Real, skin: Real) -> None:
        """The vault and the bones of the face, then what is hollow in them."""
        inside = skin + np.float32(3.0)
        shell = np.maximum(cavity - thickness, inside)
        canvas.fill(shell, Tissue.SKULL)
        middle = np.abs(cavity - 0.5 * thickness) - (0.5 * thickness - np.float32(1.9))
        canvas.fill(middle, Tissue.DIPLOE)
        canvas.paint(self._face, Tissue.SKULL, inside)
        canvas.paint([shape.grown(-1.8) for shape in self._face], Tissue.DIPLOE, inside)
        canvas.paint(self._petrous, Tissue.SKULL, inside)
        self._paint_mastoid(canvas, inside)
        self._paint_orbits(canvas, skin)
        canvas.paint([shape.grown(WALL_MM) for shape in self._sinuses], Tissue.SKULL, inside)
        canvas.paint(self._jaw, Tissue.CORTICAL, inside)
        canvas.paint([shape.grown(-2.0) for shape in self._jaw], Tissue.SPONGY, inside)
        self._paint_airways(canvas)
        canvas.paint(self._teeth, Tissue.TOOTH)

    def paint_spine(self, canvas: Canvas) -> None:
        """The upper neck's vertebrae, with their canal and cord."""
        canal = tube(
            [(0.0, 22.0, -48.0), (0.0, 34.0, -80.0), (0.0, 38.0, -150.0)], [12.0, 10.5, 10.5]
        )
        for n in range(5):
            z = -66.0 - 19.0 * n
            y = 16.0 + (0.0 if n == 0 else 4.0 + 1.0 * n)
            body = Ellipsoid((0.0, y - 4.0, z), (11.0, 8.5, 9.0))
            ring = _arch(y, z, 22.0 if n == 0 else 17.0)
            canvas.paint([body, *ring], Tissue.CORTICAL)
            canvas.paint([body.grown(-1.4), *(s.grown(-1.8) for s in ring)], Tissue.SPONGY)
        canvas.paint(canal, Tissue.FLUID)
        cord = tube([(0.0, 20.0, -44.0), (0.0, 33.0, -80.0), (0.0, 37.0, -150.0)], [7.5, 5.5, 5.5])
        canvas.paint(cord, Tissue.WHITE)

    def _paint_mastoid(self, canvas: Canvas, inside: Real) -> None:
        for shape in MASTOIDS:
            cut = canvas.block.near(shape.low, shape.high, 2.0)
            if cut is None:
                continue
            away = np.maximum(shape.distance(cut.x, cut.y, cut.z), inside[cut.where] + 1.0)
            canvas.fill(away, Tissue.SKULL, cut.where)
            cells = 0.35 - self._cells.at(cut.x, cut.y, cut.z)
            canvas.fill(np.maximum(cells * 2.0, away + 2.0), Tissue.AIR, cut.where)

    def _paint_orbits(self, canvas: Canvas, skin: Real) -> None:
        for side in (1.0, -1.0):
            cone = tube(
                [
                    (32.0 * side, -72.0, -11.0),
                    (25.0 * side, -48.0, -11.0),
                    (13.0 * side, -30.0, -9.0),
                ],
                [17.0, 13.0, 4.0],
            )
            canvas.paint(
                [shape.grown(1.4) for shape in cone if shape.start[1] > -70.0], Tissue.SKULL
            )
            canvas.paint(cone, Tissue.FAT, skin + np.float32(1.8))

    def _paint_airways(self, canvas: Canvas) -> None:
        canvas.paint(self._sinuses, Tissue.AIR)
        canvas.paint(_airways(), Tissue.AIR)
        canvas.paint(self._turbinates, Tissue.MUSCLE)
        canvas.paint(Ellipsoid((0.6, -58.0, -34.0), (1.4, 32.0, 20.0)), Tissue.CARTILAGE)


def _face_bones(person: Person) -> list[_Solid]:
    arch = [
        (28.0, -70.0, -32.0),
        (44.0, -66.0, -34.0),
        (56.0, -50.0, -32.0),
        (62.0, -20.0, -30.0),
        (62.0, 2.0, -30.0),
    ]
    rim = [
        (14.0, -78.0, -8.0),
        (20.0, -80.0, 4.0),
        (34.0, -80.0, 7.0),
        (46.0, -72.0, 3.0),
        (49.0, -66.0, -12.0),
    ]
    below = [(49.0, -66.0, -12.0), (44.0, -69.0, -26.0), (30.0, -74.0, -29.0), (16.0, -78.0, -22.0)]
    return [
        *person.tubes(arch, [5.0, 6.0, 4.0, 3.5, 4.0]),
        *person.tubes(rim, [4.0, 4.5, 4.5, 4.0, 3.5]),
        *person.tubes(below, [3.5, 4.5, 4.0, 3.5]),
        *tube([(0.0, -84.0, 0.0), (0.3, -90.0, -14.0), (0.4, -93.0, -24.0)], [4.5, 4.0, 2.5]),
        *person.pair((22.0, -60.0, -46.0), (18.0, 20.0, 17.0)),  # maxilla
        Ellipsoid((0.0, -58.0, -60.0), (25.0, 26.0, 6.0)),  # palate
        *person.tubes([(12.0, -30.0, -36.0), (14.0, -26.0, -60.0)], 3.5),  # pterygoids
        Ellipsoid((0.0, -10.0, -24.0), (18.0, 20.0, 12.0)),  # sphenoid
        Ellipsoid((0.0, 0.0, -34.0), (13.0, 20.0, 8.0)),  # clivus
    ]


def _jaw(person: Person) -> list[Segment]:
    ramus: list[Triple] = [(51.0, -6.0, -36.0), (49.0, -12.0, -58.0), (46.0, -20.0, -82.0)]
    body: list[Triple] = [
        (46.0, -20.0, -82.0),
        (38.0, -46.0, -92.0),
        (24.0, -70.0, -98.0),
        (0.0, -81.0, -101.0),
    ]
    upper: list[Triple] = [(40.0, -38.0, -85.0), (24.0, -68.0, -90.0), (0.0, -79.0, -92.0)]
    muscle: list[Triple] = [(48.0, -28.0, -42.0), (46.0, -26.0, -70.0)]
    return [
        *person.tubes(ramus, [5.5, 4.5, 6.5]),
        *person.tubes(body, [6.5, 7.0, 7.5, 8.0]),
        *person.tubes(upper, [5.0, 5.5, 6.0]),
        *person.tubes(muscle, [3.0, 4.0]),
    ]


def _sinuses(person: Person) -> list[_Solid]:
    return [
        *person.pair((25.0, -58.0, -42.0), (13.0, 16.0, 15.0)),  # maxillary
        *person.pair((11.0, -84.0, 9.0), (10.0, 4.0, 9.0)),  # frontal
        *person.pair((8.0, -12.0, -23.0), (7.0, 12.0, 8.0)),  # sphenoid
        *person.tubes(
            [(8.5, -74.0, -8.0), (9.0, -60.0, -8.0), (9.0, -36.0, -12.0)], [4.0, 5.0, 4.5]
        ),
    ]


def _airways() -> list[_Solid]:
    halls: list[_Solid] = []
    for side in (1.0, -1.0):
        halls += [
            Ellipsoid((7.0 * side, -58.0, -38.0), (6.5, 30.0, 18.0)),
            *tube([(6.4 * side, -98.0, -54.0), (6.0 * side, -84.0, -46.0)], [3.4, 4.5]),
        ]
    return [
        *halls,
        Ellipsoid((0.0, -22.0, -44.0), (12.0, 10.0, 16.0)),  # behind the nose
        *tube([(0.0, -14.0, -48.0), (0.0, -4.0, -70.0), (0.0, -2.0, -150.0)], [8.0, 7.5, 7.0]),
        Ellipsoid((0.0, -52.0, -67.5), (20.0, 24.0, 1.5)),  # between palate and tongue
    ]


def _turbinates(person: Person) -> list[Segment]:
    return [
        *person.tubes([(10.0, -80.0, -48.0), (9.5, -38.0, -47.0)], [3.2, 3.6]),
        *person.tubes([(10.0, -74.0, -36.0), (9.5, -38.0, -36.0)], [2.4, 2.8]),
        *person.tubes([(9.5, -66.0, -26.0), (9.5, -44.0, -26.0)], 1.8),
    ]


def _teeth(person: Person) -> list[Segment]:
    """Two rows of fourteen, along arches that narrow to the front."""
    teeth: list[Segment] = []
    for n in range(14):
        turn = np.radians(-84.0 + 168.0 * (n + 0.5) / 14.0)
        wide = 2.6 + 1.6 * abs(np.sin(turn)) ** 2
        x, y = 27.0 * float(np.sin(turn)), -46.0 - 38.0 * float(np.cos(turn)) ** 0.8
        for gum, tip in ((-62.0, -71.0), (-86.0, -76.0)):
            back = 2.0 if gum < -80.0 else 0.0
            root = person.near((x, y + back + 1.0, gum), 0.3)
            crown = person.near((x, y + back, tip), 0.3)
            teeth.append(Segment(root, crown, wide * 0.7, wide))
    return teeth


def _arch(y: float, z: float, wide: float) -> list[Segment]:
    left: list[Triple] = [
        (8.0, y, z),
        (wide, y + 9.0, z),
        (10.0, y + 30.0, z - 4.0),
        (0.0, y + 36.0, z - 6.0),
    ]
    right: list[Triple] = [(-a, b, c) for a, b, c in left]
    spine: list[Triple] = [(0.0, y + 36.0, z - 6.0), (0.0, y + 46.0, z - 10.0)]
    return [
        *tube(left, [4.5, 5.5, 3.5, 3.5]),
        *tube(right, [4.5, 5.5, 3.5, 3.5]),
        *tube(spine, 3.5),
    ]
