"""A generated torso as CT: plain, but right-handed (the liver is on the patient's right)."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.schema import PALETTE, Code, Label, LabelSchema
from napari_medlabel.phantom.canvas import Canvas, Look, Texture, Tissue, kernel_noise, painted
from napari_medlabel.phantom.person import Person, mirrored
from napari_medlabel.phantom.shapes import Carve, Ellipsoid, Segment, Shape, Triple, curve, measure

__all__ = ["BODY_GRID", "BODY_SCHEMA", "Body"]

BODY_GRID: Final = Geometry.from_spacing((96, 256, 256), (4.0, 1.6, 1.6), (-204.0, -190.0, -150.0))
LESION_LPS: Final[Triple] = (-82.0, -22.0, 42.0)  # in the right lobe of the liver

_CODES: Final = (
    ("Liver", Code("10200004", "SCT", "Liver")),
    ("Spleen", Code("78961009", "SCT", "Spleen")),
    ("Kidneys", Code("64033007", "SCT", "Kidney")),
    ("Lungs", Code("39607008", "SCT", "Lung")),
    ("Spine", Code("421060004", "SCT", "Spine")),
    ("Lesion", Code("52988006", "SCT", "Lesion")),
)
BODY_SCHEMA: Final = LabelSchema(
    "Body",
    tuple(Label(n + 1, name, PALETTE[n], code) for n, (name, code) in enumerate(_CODES)),
)

_HU: Final = Look(
    {
        Tissue.AIR: -1000.0, Tissue.TABLE: -150.0, Tissue.FOAM: -940.0, Tissue.SKIN: 20.0,
        Tissue.FAT: -102.0, Tissue.MUSCLE: 58.0, Tissue.CORTICAL: 720.0, Tissue.SPONGY: 260.0,
        Tissue.VERTEBRA: 620.0, Tissue.MARROW: 190.0, Tissue.CARTILAGE: 85.0, Tissue.FLUID: 12.0,
        Tissue.LIVER: 108.0, Tissue.SPLEEN: 122.0, Tissue.KIDNEY: 172.0, Tissue.BOWEL: 34.0,
        Tissue.BLOOD: 158.0, Tissue.LUNG: -842.0, Tissue.CORE: 52.0,
    },
    edge_mm=1.6,
)  # fmt: skip
_LABELS: Final = Look(
    {
        Tissue.LIVER: 1, Tissue.SPLEEN: 2, Tissue.KIDNEY: 3, Tissue.LUNG: 4, Tissue.VERTEBRA: 5,
        Tissue.MARROW: 5, Tissue.CORE: 6,
    }
)  # fmt: skip
_BACK: Final = (  # erector spinae and psoas
    Ellipsoid((34.0, 88.0, -40.0), (26.0, 19.0, 420.0)),
    Ellipsoid((-34.0, 88.0, -40.0), (26.0, 19.0, 420.0)),
    Ellipsoid((38.0, 60.0, -130.0), (18.0, 19.0, 140.0)),
    Ellipsoid((-38.0, 60.0, -130.0), (18.0, 19.0, 140.0)),
)
_NOISE_HU: Final = np.float32(11.0)


class Body:
    """A torso that nobody has: the same for the same seed, on any grid.

    It reaches from z = -300 mm to z = 300 mm; the diaphragm is near z = 90 mm.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        person = Person(np.random.default_rng(seed))
        self._trunk = (
            Carve(Ellipsoid((0.0, 0.0, 0.0), (168.0, 112.0, 900.0))),
            Carve(Ellipsoid((0.0, 6.0, 190.0), (176.0, 108.0, 150.0)), 40.0),
        )
        self._lungs = person.pair((78.0, 2.0, 172.0), (62.0, 84.0, 112.0))
        self._liver = _liver()
        self._organs = _organs(person)
        self._bones = _ribs(person)
        self._loops = Texture(person.rng, grain_mm=16.0, step_mm=4.0)

    @property
    def landmarks(self) -> Mapping[str, Triple]:
        """Positions in LPS mm."""
        return {"lesion": LESION_LPS}

    def ct(self, geometry: Geometry = BODY_GRID) -> npt.NDArray[np.int16]:
        """The torso in Hounsfield units, with table and noise; int16, the grid's shape."""
        voxels = np.empty(geometry.shape, np.int16)
        rng = np.random.default_rng((self.seed, 1))
        for block, hu in painted(geometry, _HU, self._paint):
            np.add(hu, kernel_noise(rng, hu.shape) * _NOISE_HU, out=hu)
            voxels[block.slices] = np.rint(np.clip(hu, -1024.0, 3071.0))
        return voxels

    def labels(self, geometry: Geometry = BODY_GRID) -> tuple[npt.NDArray[np.uint8], LabelSchema]:
        """The truth: liver, spleen, kidneys, lungs, spine and the lesion in the liver."""
        voxels = np.empty(geometry.shape, np.uint8)
        for block, values in painted(geometry, _LABELS, self._paint):
            voxels[block.slices] = values
        return voxels, BODY_SCHEMA

    def _paint(self, canvas: Canvas) -> None:
        block = canvas.block
        _paint_table(canvas)
        skin = measure(block, self._trunk, 6.0)
        canvas.fill(skin, Tissue.SKIN)
        canvas.fill(skin + np.float32(2.0), Tissue.FAT)
        canvas.fill(skin + np.float32(16.0), Tissue.MUSCLE)
        within = skin + np.float32(27.0)
        canvas.fill(within, Tissue.FAT)
        self._paint_bowel(canvas)
        canvas.paint(_BACK, Tissue.MUSCLE, skin + np.float32(12.0))
        canvas.paint(self._bones, Tissue.CORTICAL)
        canvas.paint([piece.grown(-1.6) for piece in self._bones], Tissue.SPONGY)
        canvas.paint(self._lungs, Tissue.LUNG, within)
        canvas.fill(np.maximum(measure(block, self._liver, 4.0), within), Tissue.LIVER)
        for shape, tissue in self._organs:
            canvas.paint(shape, tissue)
        _paint_spine(canvas)
        canvas.paint(Ellipsoid(LESION_LPS, (12.0, 13.0, 11.0)), Tissue.CORE)

    def _paint_bowel(self, canvas: Canvas) -> None:
        room = Ellipsoid((0.0, -30.0, -110.0), (112.0, 58.0, 140.0))
        cut = canvas.block.near(room.low, room.high, 2.0)
        if cut is None:
            return
        inside = room.distance(cut.x, cut.y, cut.z)
        wave = self._loops.at(cut.x, cut.y, cut.z) * np.float32(8.0)
        canvas.fill(np.maximum(inside, -wave), Tissue.BOWEL, cut.where)
        canvas.fill(np.maximum(inside, np.float32(14.0) - wave), Tissue.AIR, cut.where)


def _liver() -> tuple[Carve, ...]:
    return (
        Carve(Ellipsoid((-78.0, 0.0, 32.0), (68.0, 76.0, 84.0))),
        Carve(Ellipsoid((-10.0, -42.0, 62.0), (72.0, 38.0, 34.0), (0.0, 0.0, 8.0)), 20.0),
        Carve(Ellipsoid((-20.0, 44.0, -34.0), (52.0, 58.0, 70.0)), 10.0, away=True),
    )


def _organs(person: Person) -> list[tuple[Shape, Tissue]]:
    vessels: list[tuple[Shape, Tissue]] = [
        *(
            (s, Tissue.BLOOD)
            for s in curve(
                [(14.0, 44.0, -300.0), (14.0, 44.0, 60.0), (18.0, 50.0, 300.0)], [9.0, 11.0, 12.0]
            )
        ),
        *(
            (s, Tissue.BLOOD)
            for s in curve(
                [(-22.0, 40.0, -300.0), (-24.0, 36.0, 0.0), (-22.0, 20.0, 110.0)],
                [11.0, 12.0, 13.0],
            )
        ),
        *(
            (s, Tissue.BLOOD)
            for s in curve(
                [(-16.0, 8.0, 4.0), (-40.0, 0.0, 24.0), (-78.0, -6.0, 34.0)], [7.0, 6.0, 3.0]
            )
        ),
    ]
    kidneys = person.pair((64.0, 46.0, -34.0), (26.0, 24.0, 54.0), (6.0, 12.0, 0.0))
    pelves = person.pair((50.0, 42.0, -34.0), (12.0, 11.0, 22.0))
    return [
        (
            Ellipsoid((22.0, -34.0, 128.0), (56.0, 46.0, 50.0), (0.0, 30.0, 0.0)),
            Tissue.BLOOD,
        ),  # heart
        (Ellipsoid((106.0, 30.0, 36.0), (28.0, 46.0, 50.0), (0.0, 0.0, 20.0)), Tissue.SPLEEN),
        (Ellipsoid((64.0, -34.0, 40.0), (40.0, 36.0, 44.0)), Tissue.BOWEL),  # stomach
        (Ellipsoid((66.0, -52.0, 46.0), (26.0, 14.0, 28.0)), Tissue.AIR),
        *((shape, Tissue.KIDNEY) for shape in kidneys),
        *((shape, Tissue.FAT) for shape in pelves),
        *vessels,
    ]


def _ribs(person: Person) -> list[Segment]:
    ribs: list[Segment] = []
    for n in range(11):
        z = 250.0 - 27.0 * n
        wide = 150.0 - 4.0 * abs(n - 5)
        ribs += person.tubes(
            [(24.0, 88.0, z + 8.0), (0.62 * wide, 82.0, z), (wide, 20.0, z - 22.0),
             (0.86 * wide, -50.0, z - 40.0), (0.45 * wide, -88.0, z - 40.0)],
            [4.5, 5.0, 5.0, 5.0, 4.5],
        )  # fmt: skip
    return ribs


def _paint_spine(canvas: Canvas) -> None:
    for n in range(20):
        z = 290.0 - 31.0 * n
        side: list[Triple] = [(12.0, 82.0, z), (18.0, 92.0, z - 2.0), (0.0, 104.0, z - 8.0)]
        body = Ellipsoid((0.0, 62.0, z), (23.0, 18.0, 17.0))
        canvas.paint(Ellipsoid((0.0, 62.0, z - 15.5), (20.0, 16.0, 6.0)), Tissue.CARTILAGE)
        canvas.paint(
            [body, *curve(side, 5.0), *curve([mirrored(p) for p in side], 5.0)], Tissue.VERTEBRA
        )
        canvas.paint(body.grown(-2.0), Tissue.MARROW)
    canvas.paint(Segment((0.0, 88.0, -340.0), (0.0, 88.0, 340.0), 8.0, 8.0), Tissue.FLUID)


def _paint_table(canvas: Canvas) -> None:
    whole = canvas.block.whole
    sagging = whole.y - np.float32(122.0) + (whole.x / np.float32(90.0)) ** 2 * 5.0
    sides = np.abs(whole.x) - np.float32(200.0)
    canvas.fill(np.maximum(np.maximum(sagging - 30.0, -sagging), sides), Tissue.FOAM)
    canvas.fill(np.maximum(np.abs(sagging - 2.0) - 2.0, sides), Tissue.TABLE)
