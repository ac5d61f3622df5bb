"""The inside of a skull: cavity, brain with folds and ventricles, lesion, vessels."""

from dataclasses import dataclass, field

import numpy as np

from napari_medlabel.phantom.canvas import Canvas, Texture, Tissue
from napari_medlabel.phantom.person import Person, mirrored
from napari_medlabel.phantom.shapes import (
    Block,
    Carve,
    Ellipsoid,
    Real,
    Segment,
    Triple,
    measure,
    tube,
)

__all__ = ["Brain"]

LESION_LPS: Triple = (34.0, -22.0, 46.0)  # in the left hemisphere, off every midline

CHALK = (  # in the pineal gland and the choroid plexus, as in most adults
    Ellipsoid((0.0, 19.0, 14.0), (2.0, 2.5, 1.8)),
    Ellipsoid((21.5, 31.0, 29.0), (2.2, 2.8, 2.4)),
    Ellipsoid((-21.0, 31.5, 28.0), (1.8, 2.6, 2.0)),
)


@dataclass(slots=True, eq=False)
class Brain:
    """Shapes of the brain of one person.

    Parameters
    ----------
    person
        What is drawn by chance.
    lesion_mm
        The lesion's diameter.
    """

    person: Person
    lesion_mm: float = 14.0
    lesion: Ellipsoid = field(init=False)
    _parts: dict[str, tuple[Ellipsoid, ...]] = field(init=False)
    _folds: Texture = field(init=False)
    _leaves: Texture = field(init=False)
    _vessels: list[Segment] = field(init=False)

    def __post_init__(self) -> None:
        pair = self.person.pair
        self._parts = {
            "cerebrum": (
                Ellipsoid((0.0, -24.0, 24.0), (56.0, 58.0, 59.0)),
                Ellipsoid((0.0, 20.0, 26.0), (65.0, 64.0, 60.0)),
            ),
            "below": (  # the nose and the orbits: no lobe reaches down between and behind the eyes
                Ellipsoid((0.0, -62.0, -40.0), (40.0, 44.0, 38.0)),
                Ellipsoid((32.0, -64.0, -20.0), (22.0, 34.0, 23.0)),
                Ellipsoid((-32.0, -64.0, -20.0), (22.0, 34.0, 23.0)),
            ),
            "temporal": pair((39.0, -8.0, -5.0), (21.0, 40.0, 19.0), (8.0, 0.0, 0.0)),
            "cerebellum": (
                *pair((23.0, 44.0, -20.0), (29.0, 31.0, 25.0)),
                Ellipsoid((0.0, 40.0, -14.0), (14.0, 26.0, 20.0)),  # vermis
            ),
            "stem": (
                Ellipsoid((0.0, 6.0, -14.0), (16.0, 13.0, 17.0)),
                Ellipsoid((0.0, 17.0, -42.0), (8.5, 8.0, 20.0)),
                Ellipsoid((0.0, 6.0, 2.0), (18.0, 11.0, 12.0)),
            ),
            "deep": (Ellipsoid((0.0, -2.0, 22.0), (34.0, 42.0, 21.0)),),
            "thalami": pair((10.0, 6.0, 20.0), (8.0, 14.0, 9.0)),
            "putamina": pair((25.0, -10.0, 20.0), (6.0, 17.0, 11.0), (0.0, 0.0, -12.0)),
        }
        self._folds = Texture(self.person.rng, grain_mm=7.5, step_mm=2.0).sheets()
        self._leaves = Texture(self.person.rng, grain_mm=4.0, step_mm=2.0).sheets()
        self._vessels = _vessels(self.person)
        size = self.lesion_mm / 2.0
        self.lesion = Ellipsoid(LESION_LPS, (size, size * 1.08, size * 0.95))

    def cavity(self, block: Block, reach: float) -> Real:
        """Distance from the inner surface of the skull."""
        parts = self._parts
        steps = [
            *(Carve(shape.grown(2.5), 14.0) for shape in parts["cerebrum"]),
            Carve(Ellipsoid((0.0, -30.0, -46.0), (70.0, 62.0, 44.0)), 8.0, away=True),
            *(Carve(shape, 5.0, away=True) for shape in parts["below"]),
            *(Carve(shape.grown(2.5), 9.0) for shape in parts["temporal"]),
            *(Carve(shape.grown(3.0), 18.0) for shape in parts["cerebellum"][:2]),
            *(Carve(shape.grown(4.0), 16.0) for shape in parts["stem"][:2]),
        ]
        return measure(block, steps, reach)

    def paint(self, canvas: Canvas, cavity: Real) -> None:
        """Everything inside the skull."""
        block = canvas.block
        if cavity.min() > 2.0:
            return
        canvas.fill(cavity, Tissue.FLUID)
        surface = self._surface(block, cavity)
        pial = self._pial(block, surface)
        canvas.fill(-pial, Tissue.GRAY)
        canvas.fill(3.0 - pial, Tissue.WHITE)
        canvas.paint(
            (*self._parts["thalami"], *self._parts["putamina"], *self._caudates()), Tissue.GRAY
        )
        self._paint_hindbrain(canvas, cavity)
        canvas.paint(self._ventricles(), Tissue.VENTRICLE)
        canvas.paint(self._vessels, Tissue.BLOOD)
        self._paint_dura(canvas, cavity)
        canvas.paint(CHALK, Tissue.CHALK)
        self._paint_lesion(canvas)

    def _surface(self, block: Block, cavity: Real) -> Real:
        """Distance from the outer surface of the cerebrum, folds not counted."""
        parts = self._parts
        steps = [
            *(Carve(shape, 14.0) for shape in parts["cerebrum"]),
            Carve(Ellipsoid((0.0, 44.0, -40.0), (75.0, 62.0, 42.0)), 4.0, away=True),
            *(Carve(shape.grown(2.2), 2.0, away=True) for shape in parts["cerebellum"]),
            Carve(Ellipsoid((0.0, -8.0, -14.0), (20.0, 24.0, 22.0)), 6.0, away=True),
            *(Carve(shape, 3.0) for shape in parts["temporal"]),
        ]
        surface: Real = np.maximum(measure(block, steps, 22.0), cavity + np.float32(1.5))
        return surface

    def _pial(self, block: Block, surface: Real) -> Real:
        """Depth below the folded surface: negative in fluid."""
        inside = np.nonzero(surface < 1.0)
        pial = -surface
        if inside[0].size == 0:
            return pial
        whole = block.whole
        x, y, z = (
            np.broadcast_to(axis, block.shape)[inside] for axis in (whole.x, whole.y, whole.z)
        )
        depth = -surface[inside]
        u, v, w = x, y - np.float32(2.0), z - np.float32(25.0)
        far = np.sqrt(u * u + v * v + w * w)
        out = np.float32(45.0) / (far + np.float32(20.0))  # folds run towards the middle
        sheet = np.abs(self._folds.at(u * out, v * out, w * out)) / out
        sheet += np.maximum(np.float32(42.0) - far, 0.0) * np.float32(0.4)
        gap = np.float32(1.1) - depth * np.float32(0.07)
        folds = sheet - gap + np.maximum(depth - np.float32(14.0), 0.0)
        flat: Real = np.minimum(depth, folds)
        deep = self._parts["deep"][0].distance(x, y, z)
        middle = np.maximum(np.abs(x - _midline(y, z)) - np.float32(1.0), -deep)
        flat = np.minimum(flat, middle)
        for lobe in self._parts["temporal"]:  # the Sylvian fissure runs along the lobe
            cleft = np.abs(lobe.distance(x, y, z)) - np.float32(1.1)
            cleft = np.maximum(cleft, np.float32(26.0) - np.abs(x))
            flat = np.minimum(flat, np.maximum(cleft, depth - np.float32(26.0)))
        pial[inside] = flat
        return pial

    def _paint_hindbrain(self, canvas: Canvas, cavity: Real) -> None:
        inside = cavity + np.float32(1.5)
        for shape in self._parts["cerebellum"]:
            cut = canvas.block.near(shape.low, shape.high, 2.0)
            if cut is None:
                continue
            away = np.maximum(shape.distance(cut.x, cut.y, cut.z), inside[cut.where])
            canvas.fill(away, Tissue.GRAY, cut.where)
            leaves = np.abs(self._leaves.at(cut.x * 0.5, cut.y * 0.5, cut.z * 1.2))
            canvas.fill(np.maximum(leaves - 0.3, away), Tissue.FLUID, cut.where)
            canvas.fill(away + 9.0 - leaves, Tissue.WHITE, cut.where)
        canvas.paint(self._parts["stem"], Tissue.WHITE)

    def _caudates(self) -> list[Segment]:
        path: list[Triple] = [(12.0, -28.0, 24.0), (14.0, -18.0, 32.0), (17.0, 2.0, 36.0)]
        return [*tube(path, [5.5, 4.5, 2.5]), *tube([mirrored(p) for p in path], [5.5, 4.5, 2.5])]

    def _ventricles(self) -> list[Ellipsoid | Segment]:
        body: list[Triple] = [
            (6.0, -34.0, 27.0), (6.5, -22.0, 34.0), (8.0, -4.0, 40.0), (12.0, 16.0, 38.0),
            (21.0, 30.0, 29.0), (27.0, 26.0, 14.0), (31.0, 10.0, 2.0), (32.0, -8.0, -2.0),
        ]  # fmt: skip
        horn: list[Triple] = [(21.0, 30.0, 29.0), (22.0, 46.0, 26.0), (20.0, 58.0, 25.0)]
        sizes = [3.0, 5.2, 4.6, 5.0, 7.0, 4.2, 2.4, 1.6]
        left = [*tube(body, sizes), *tube(horn, [7.0, 3.6, 1.4])]
        right = [
            *tube([mirrored(point) for point in body], [0.93 * size for size in sizes]),
            *tube([mirrored(point) for point in horn], [6.4, 3.0, 1.2]),
        ]
        return [
            *left,
            *right,
            Ellipsoid((0.0, 0.0, 18.0), (2.4, 14.0, 10.0)),
            Ellipsoid((0.0, 25.0, -22.0), (8.0, 5.5, 11.0)),
            Segment((0.0, 14.0, 8.0), (0.0, 22.0, -14.0), 1.2, 1.4),
        ]

    def _paint_dura(self, canvas: Canvas, cavity: Real) -> None:
        whole = canvas.block.whole
        aside = np.abs(whole.x - _midline(whole.y, whole.z))
        falx = np.maximum(aside - np.float32(0.6), cavity)
        floor = 8.0 + 0.15 * np.maximum(whole.y, np.float32(0.0))
        falx = np.maximum(falx, floor - whole.z)
        deep = Ellipsoid((0.0, -2.0, 12.0), (40.0, 56.0, 46.0))
        falx = np.maximum(falx, -deep.distance(whole.x, whole.y, whole.z))
        canvas.fill(falx, Tissue.DURA)
        sinus = np.maximum(aside + np.abs(cavity) - np.float32(4.0), cavity)
        sinus = np.maximum(sinus, np.float32(20.0) - whole.z)
        canvas.fill(sinus, Tissue.BLOOD)

    def _paint_lesion(self, canvas: Canvas) -> None:
        around = self.lesion.grown(6.0)
        cut = canvas.block.near(around.low, around.high, 2.0)
        if cut is None:
            return
        wavy = np.abs(self._leaves.at(cut.x, cut.y, cut.z))
        canvas.fill(around.distance(cut.x, cut.y, cut.z) + wavy, Tissue.EDEMA, cut.where)
        canvas.paint(self.lesion, Tissue.RIM)
        canvas.paint(self.lesion.grown(-2.5), Tissue.CORE)


def _midline(y: Real, z: Real) -> Real:
    """How far to the left the fissure between the hemispheres runs, mm."""
    aside: Real = 0.3 + 1.3 * np.sin(y / 19.0 + 1.0) + 0.9 * np.sin(z / 15.0)
    return aside


def _vessels(person: Person) -> list[Segment]:
    side: list[Triple] = [
        (9.0, -10.0, -16.0), (10.0, -13.0, -2.0), (22.0, -14.0, 1.0), (36.0, -14.0, 5.0),
        (44.0, -4.0, 16.0),
    ]  # fmt: skip
    front: list[Triple] = [(10.0, -13.0, -2.0), (2.5, -26.0, 6.0), (2.0, -42.0, 30.0)]
    return [
        *person.tubes(side, [2.4, 2.2, 1.7, 1.4, 0.9]),
        *person.tubes(front, [1.6, 1.3, 0.9]),
        *tube([(0.0, -8.0, -26.0), (0.0, -8.0, -4.0)], 1.8),
    ]
