"""A generated head: CT, MR and the labels of the same person, on any grid."""

from collections.abc import Mapping
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import BoolArray, FloatArray, Geometry
from napari_medlabel.core.schema import PALETTE, Code, Label, LabelSchema
from napari_medlabel.phantom.brain import Brain
from napari_medlabel.phantom.canvas import (
    Canvas,
    Look,
    Texture,
    Tissue,
    blocks,
    kernel_noise,
    painted,
)
from napari_medlabel.phantom.face import face
from napari_medlabel.phantom.looks import HU, MR, Weighting
from napari_medlabel.phantom.person import Person
from napari_medlabel.phantom.shapes import Block, Ellipsoid, Real, Segment, Shape, Triple, tube
from napari_medlabel.phantom.skull import Skull

__all__ = ["CT_GRID", "HEAD_SCHEMA", "MR_GRID", "Head"]

CAVITY_REACH = 34.0  # bone, scalp and the widest seam of the face

CT_GRID: Final = Geometry.from_spacing(
    (160, 256, 256), (1.4, 0.9375, 0.9375), (-119.53125, -127.53125, -118.3)
)
# Sagittal, as a head's T1 is acquired: k to the left, j to the feet, i to posterior.
MR_GRID: Final = Geometry(
    (176, 224, 224),
    np.array([[1.0, 0, 0, -87.5], [0, 0, 1.0, -118.5], [0, -1.0, 0, 106.5], [0, 0, 0, 1.0]]),
)

_CODES: Final = (
    ("Brain", Code("12738006", "SCT", "Brain")),
    ("Ventricles", Code("35764002", "SCT", "Brain ventricle")),
    ("Lesion", Code("52988006", "SCT", "Lesion")),
    ("Eyes", Code("81745001", "SCT", "Eye")),
    ("Skull", Code("89546000", "SCT", "Skull")),
)
HEAD_SCHEMA: Final = LabelSchema(
    "Head",
    tuple(Label(n + 1, name, PALETTE[n], code) for n, (name, code) in enumerate(_CODES)),
)

_MR_NOISE: Final = np.float32(14.0)
_BRAIN, _VENTRICLES, _LESION, _EYES, _SKULL = range(1, 6)
_LABELS: Final = Look(
    {
        Tissue.GRAY: _BRAIN, Tissue.WHITE: _BRAIN, Tissue.EDEMA: _BRAIN, Tissue.CHALK: _BRAIN,
        Tissue.VENTRICLE: _VENTRICLES, Tissue.RIM: _LESION, Tissue.CORE: _LESION,
        Tissue.SCLERA: _EYES, Tissue.VITREOUS: _EYES, Tissue.LENS: _EYES,
        Tissue.SKULL: _SKULL, Tissue.DIPLOE: _SKULL,
    }
)  # fmt: skip


class Head:
    """A head that nobody has: the same for the same seed, on any grid.

    Parameters
    ----------
    seed
        Chooses small asymmetries, folds, bone thickness and noise.
    lesion_mm
        Diameter of the lesion in the left hemisphere.
    """

    def __init__(self, seed: int = 0, *, lesion_mm: float = 14.0) -> None:
        self.seed = seed
        rng = np.random.default_rng(seed)
        person = Person(rng)
        self._face = face(person)
        self._brain = Brain(person, lesion_mm)
        self._skull = Skull(person)
        self._planes = Texture(rng, grain_mm=14.0, step_mm=2.0).sheets()
        self._muscles = _muscles(person)
        self._eyes = person.pair((32.0, -73.0, -11.5), (12.0, 12.2, 12.0))

    def ct(self, geometry: Geometry = CT_GRID) -> npt.NDArray[np.int16]:
        """The head in Hounsfield units, with head rest and noise; int16, the grid's shape."""
        voxels = np.empty(geometry.shape, np.int16)
        rng = np.random.default_rng((self.seed, 1))
        for block, hu in painted(geometry, HU, self._paint_with_table):
            np.add(hu, kernel_noise(rng, hu.shape) * _noise_hu(block), out=hu)
            voxels[block.slices] = np.rint(np.clip(hu, -1024.0, 3071.0))
        return voxels

    def mr(
        self, geometry: Geometry = MR_GRID, weighting: Weighting = "T1"
    ) -> npt.NDArray[np.uint16]:
        """The head as an MR of this weighting, with bias field and Rician noise; uint16."""
        voxels = np.empty(geometry.shape, np.uint16)
        rng = np.random.default_rng((self.seed, 2))
        for block, signal in painted(geometry, MR[weighting], self._paint):
            real, imaginary = rng.standard_normal((2, *signal.shape), dtype=np.float32)
            real = signal * _bias(block) + _MR_NOISE * real
            voxels[block.slices] = np.rint(np.hypot(real, _MR_NOISE * imaginary))
        return voxels

    def labels(self, geometry: Geometry = CT_GRID) -> tuple[npt.NDArray[np.uint8], LabelSchema]:
        """The truth: which voxel centres are brain, ventricle, lesion, eye or skull."""
        voxels = np.empty(geometry.shape, np.uint8)
        for block, values in painted(geometry, _LABELS, self._paint):
            voxels[block.slices] = values
        return voxels, HEAD_SCHEMA

    def brain(self, geometry: Geometry = CT_GRID) -> BoolArray:
        """Brain with ventricles and lesion; bool, the grid's shape."""
        labels, _ = self.labels(geometry)
        found: BoolArray = (labels >= _BRAIN) & (labels <= _LESION)
        return found

    def skin(self, geometry: Geometry = CT_GRID) -> npt.NDArray[np.float32]:
        """Signed distance from the skin in mm, negative inside; right near the skin."""
        distance = np.empty(geometry.shape, np.float32)
        for block in blocks(geometry):
            cavity = self._brain.cavity(block, CAVITY_REACH)
            thickness = self._skull.thickness(block, cavity)
            distance[block.slices] = self._skin(block, cavity, thickness)
        return distance

    @cached_property
    def landmarks(self) -> Mapping[str, Triple]:
        """Positions in LPS mm: nose tip, left eye, right eye, lesion."""
        left, right = self._eyes
        points = self.face_points
        x, y, z = points[np.argmin(points[:, 1])].tolist()
        return {
            "nose tip": (x, y, z),
            "left eye": left.center,
            "right eye": right.center,
            "lesion": self._brain.lesion.center,
        }

    @cached_property
    def face_points(self) -> FloatArray:
        """Points on the skin of the face, from brow to chin, `[n, 3]`, LPS mm."""
        grid = Geometry.from_spacing((58, 160, 45), (2.0, 0.5, 2.0), (-44.0, -122.0, -106.0))
        inside = self.skin(grid) < 0.0
        first = inside.argmax(axis=1)
        k, i = np.nonzero(inside.any(axis=1))
        return grid.lps(np.stack([k, first[k, i], i], axis=-1))

    def _paint_with_table(self, canvas: Canvas) -> None:
        _paint_table(canvas)
        self._paint(canvas)

    def _paint(self, canvas: Canvas) -> None:
        block = canvas.block
        cavity = self._brain.cavity(block, CAVITY_REACH)
        thickness = self._skull.thickness(block, cavity)
        skin = self._skin(block, cavity, thickness)
        if skin.min() > 2.0:
            return
        self._paint_flesh(canvas, skin)
        self._skull.paint(canvas, cavity, thickness, skin)
        self._skull.paint_spine(canvas)
        self._brain.paint(canvas, cavity)
        self._paint_eyes(canvas)

    def _skin(self, block: Block, cavity: Real, thickness: Real) -> Real:
        skin = cavity - thickness - np.float32(5.5)
        for step in self._face:
            step.apply(block, skin, 10.0)
        return skin

    def _paint_flesh(self, canvas: Canvas, skin: Real) -> None:
        canvas.fill(skin, Tissue.SKIN)
        canvas.fill(skin + np.float32(1.8), Tissue.FAT)
        whole = canvas.block.whole
        low = np.clip((-whole.z - 10.0) / 50.0, 0.0, 1.0)  # thin on the scalp, thick in the cheeks
        canvas.fill(skin + (3.2 + 3.8 * low), Tissue.MUSCLE)
        deep = np.nonzero(skin < -6.0)
        planes = np.full(skin.shape, 9.0, np.float32)
        x, y, z = (np.broadcast_to(axis, skin.shape)[deep] for axis in (whole.x, whole.y, whole.z))
        planes[deep] = np.abs(self._planes.at(x, y, z * 0.4)) - np.float32(0.65)
        canvas.fill(planes, Tissue.FAT)
        canvas.paint(self._muscles, Tissue.MUSCLE, skin + np.float32(5.0))

    def _paint_eyes(self, canvas: Canvas) -> None:
        for eye in self._eyes:
            x, y, z = eye.center
            nerve = tube(
                [(x, y + 11.0, z), (x * 0.8, y + 28.0, z), (x * 0.35, y + 46.0, z + 3.0)], 2.2
            )
            canvas.paint(nerve, Tissue.NERVE)  # as white matter looks, but it is no brain
            canvas.paint(_eye_muscles(eye), Tissue.MUSCLE)
            canvas.paint(eye, Tissue.SCLERA)
            canvas.paint(eye.grown(-1.4), Tissue.VITREOUS)
            canvas.paint(Ellipsoid((x, y - 7.6, z), (4.6, 2.2, 4.6)), Tissue.LENS)


def _eye_muscles(eye: Ellipsoid) -> list[Segment]:
    x, y, z = eye.center
    apex = (x * 0.4, y + 42.0, z + 2.0)
    sides = ((10.5, 0.0), (-10.5, 0.0), (0.0, 10.5), (0.0, -10.5))
    return [
        segment
        for dx, dz in sides
        for segment in tube(
            [(x + dx, y + 2.0, z + dz), (x * 0.9 + dx * 0.9, y + 16.0, z + dz * 0.9), apex],
            [1.0, 2.2, 1.2],
        )
    ]


def _muscles(person: Person) -> list[Shape]:
    """Bellies of muscle; fat lies between them."""
    turning: list[Triple] = [(58.0, 24.0, -56.0), (50.0, 2.0, -90.0), (38.0, -20.0, -124.0)]
    return [
        *person.pair((51.0, -26.0, -62.0), (8.0, 17.0, 24.0)),  # masseter
        *person.pair((31.0, -26.0, -52.0), (9.0, 15.0, 17.0)),  # pterygoid
        *person.pair((60.0, -24.0, 0.0), (9.0, 30.0, 32.0)),  # temporalis
        *person.tubes(turning, [8.0, 10.0, 10.0]),  # sternocleidomastoid
        *person.pair((13.0, 62.0, -86.0), (12.0, 11.0, 44.0)),  # nape, deep
        *person.pair((34.0, 52.0, -86.0), (12.0, 16.0, 44.0)),  # nape, outer
        *person.pair((30.0, 26.0, -100.0), (10.0, 12.0, 40.0)),  # scalene
        Ellipsoid((0.0, -44.0, -84.0), (19.0, 30.0, 15.0)),  # tongue
    ]


def _paint_table(canvas: Canvas) -> None:
    """A carbon trough with foam below the head."""
    whole = canvas.block.whole
    across = (whole.x / 100.0) ** 2 + ((whole.y - 2.0) / 101.0) ** 2
    ring = (np.sqrt(across) - 1.0) * 100.0
    half = np.float32(38.0) - whole.y
    canvas.fill(np.maximum(np.maximum(ring, -ring - 14.0), half), Tissue.FOAM)
    canvas.fill(np.maximum(np.abs(ring - 1.5) - 1.5, half), Tissue.TABLE)


def _noise_hu(block: Block) -> Real:
    """More noise in the middle and at the skull base, where less of the beam arrives."""
    whole = block.whole
    middle = np.exp(-((whole.x / 70.0) ** 2) - (whole.y / 90.0) ** 2)
    base = np.exp(-(((whole.z + 35.0) / 40.0) ** 2))
    deviation: Real = 2.2 + 2.0 * middle * (1.0 + 0.8 * base)
    return deviation


def _bias(block: Block) -> Real:
    whole = block.whole
    bias: Real = 1.0 + 0.0016 * whole.x - 0.0011 * whole.y + 0.0012 * whole.z
    bias = bias - 1.2e-5 * (whole.x**2 + whole.y**2 + whole.z**2) * 0.6
    return np.clip(bias, 0.4, 1.5)
