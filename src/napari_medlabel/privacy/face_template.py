"""A head that nobody has: the surface that is laid onto an image to find its face.

It is sculpted from the means of published measurements of adults, women and men together, and of
no person. Positions are LPS mm; the origin lies between the two tragions (the front of the ears'
openings), and z = 0 is the Frankfurt plane. The skin is where `skin_distance` is zero.

Landmarks: Gordon et al., 2012 Anthropometric Survey of U.S. Army Personnel, NATICK/TR-15/007
(distances from the back and the top of the head); Farkas, Anthropometry of the Head and Face,
2nd ed., Raven Press (1994), for widths and for the faces of children. The brain is that of an
adult of 1.3 to 1.4 L: Luders et al., NeuroImage 15:1 (2002), doi:10.1006/nimg.2001.0965
"""

from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import FloatArray

__all__ = [
    "CHIN_Z",
    "GLABELLA",
    "LANDMARKS",
    "NASION_Z",
    "PIVOT",
    "Part",
    "Template",
    "brain_distance",
    "skin_distance",
    "template",
]

Real = npt.NDArray[np.float32]
Triple = tuple[float, float, float]
Part = Literal["vault", "face", "side"]

LANDMARKS: Final[dict[str, Triple]] = {
    "vertex": (0.0, 5.0, 128.0),
    "opisthocranion": (0.0, 98.0, 40.0),
    "glabella": (0.0, -97.0, 38.0),
    "nasion": (0.0, -93.0, 25.0),
    "nose tip": (0.0, -119.0, -20.0),
    "subnasale": (0.0, -104.0, -31.0),
    "stomion": (0.0, -104.0, -53.0),
    "pogonion": (0.0, -99.0, -86.0),
    "menton": (0.0, -88.0, -101.0),
    "left brow": (28.0, -93.0, 38.0),
    "right brow": (-28.0, -93.0, 38.0),
    "left eye": (32.0, -84.0, 18.0),
    "right eye": (-32.0, -84.0, 18.0),
    "left ear": (77.0, 12.0, 4.0),
    "right ear": (-77.0, 12.0, 4.0),
}
GLABELLA: Final = LANDMARKS["glabella"]
NASION_Z: Final = LANDMARKS["nasion"][2]
CHIN_Z: Final = LANDMARKS["menton"][2]
PIVOT: Final[Triple] = (0.0, 0.0, 35.0)  # the middle of the cranium: turns and sizes are about it


@dataclass(frozen=True, slots=True)
class _Lump:
    """An ellipsoid, joined to what is there with a seam of this width, or taken away."""

    center: Triple
    radii: Triple
    seam_mm: float
    away: bool = False


def _both(center: Triple, radii: Triple, seam_mm: float, *, away: bool = False) -> list[_Lump]:
    x, y, z = center
    return [_Lump((side * x, y, z), radii, seam_mm, away) for side in (1.0, -1.0)]


_SKIN: Final = (
    _Lump((0.0, 3.0, 44.0), (73.0, 93.0, 84.0), 0.0),  # the vault
    _Lump((0.0, 45.0, 40.0), (62.0, 53.0, 54.0), 14.0),  # back of the head
    _Lump((0.0, -34.0, 52.0), (56.0, 60.0, 56.0), 14.0),  # forehead
    *_both((52.0, -10.0, 20.0), (21.0, 50.0, 44.0), 16.0),  # temples
    *_both((48.0, 24.0, -8.0), (23.0, 34.0, 34.0), 16.0),  # behind the ears
    _Lump((0.0, 46.0, -14.0), (46.0, 40.0, 46.0), 18.0),  # nape
    _Lump((0.0, 16.0, -100.0), (56.0, 56.0, 130.0), 18.0),  # neck
    _Lump((0.0, -43.0, -8.0), (60.0, 50.0, 52.0), 18.0),  # middle of the face
    *_both((44.0, -56.0, -4.0), (23.0, 24.0, 20.0), 14.0),  # cheekbones
    _Lump((0.0, -48.0, -56.0), (50.0, 46.0, 40.0), 18.0),  # jaw
    *_both((44.0, -24.0, -44.0), (17.0, 28.0, 30.0), 16.0),  # angles of the jaw
    _Lump((0.0, -78.0, -84.0), (24.0, 20.0, 16.0), 14.0),  # chin
    _Lump((0.0, -40.0, -92.0), (36.0, 38.0, 14.0), 14.0),  # floor of the mouth
    _Lump((0.0, -86.0, -47.0), (28.0, 16.0, 20.0), 12.0),  # lips
    *_both((24.0, -84.0, 36.0), (24.0, 10.0, 7.0), 10.0),  # brows
    *_both((33.0, -105.0, 16.0), (20.0, 18.0, 12.0), 9.0, away=True),  # sockets
    *_both((16.0, -102.0, 14.0), (8.0, 12.0, 10.0), 8.0, away=True),  # inner corners
    *_both((32.0, -71.0, 18.0), (14.5, 13.5, 13.0), 4.0),  # eyes, closed
    _Lump((0.0, -86.0, 20.0), (8.0, 9.0, 18.0), 8.0),  # root of the nose
    _Lump((0.0, -92.0, -2.0), (9.0, 13.0, 22.0), 8.0),  # its bridge
    _Lump((0.0, -102.0, -18.0), (11.5, 16.5, 13.0), 8.0),  # its tip
    *_both((10.5, -96.0, -24.0), (8.0, 11.0, 8.0), 5.0),  # its wings
)
_BRAIN: Final = (
    _Lump((0.0, 6.0, 62.0), (64.0, 80.0, 49.0), 0.0),  # cerebrum
    _Lump((0.0, -35.0, 57.0), (46.0, 42.0, 34.0), 10.0),  # frontal lobes
    _Lump((0.0, -50.0, 34.0), (12.0, 22.0, 13.0), 8.0),  # olfactory fossa
    *_both((38.0, 0.0, 22.0), (24.0, 38.0, 24.0), 10.0),  # temporal lobes
    _Lump((0.0, 42.0, 4.0), (48.0, 38.0, 35.0), 10.0),  # cerebellum
    _Lump((0.0, 18.0, -10.0), (17.0, 18.0, 40.0), 8.0),  # brain stem
)


def skin_distance(x: Real, y: Real, z: Real) -> Real:
    """Signed distance from the template's skin, mm, negative inside; right near the skin.

    The arrays broadcast. Far from the skin the distance is only of the right sign.
    """
    return _distance(_SKIN, x, y, z)


def brain_distance(x: Real, y: Real, z: Real) -> Real:
    """Signed distance from the template's brain, mm, negative inside; the arrays broadcast."""
    return _distance(_BRAIN, x, y, z)


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """Points on the template's skin.

    Parameters
    ----------
    points, normals
        float64 `[n, 3]`; LPS mm, and unit vectors outward.
    vault, face, side
        bool `[n]`: of the cranium above brow and ears; of the face between glabella and chin,
        in front of the cheeks; and of what lies between the two at the sides.
    """

    points: FloatArray
    normals: FloatArray
    vault: npt.NDArray[np.bool_]
    face: npt.NDArray[np.bool_]
    side: npt.NDArray[np.bool_]


@cache
def template(count: int = 1600) -> Template:
    """The template's skin as points that are spread evenly as seen from within.

    Parameters
    ----------
    count
        Directions looked into; fewer points come back, since the neck is left out.
    """
    ways = _directions(count)
    center = np.array((0.0, -12.0, 12.0))
    points = center + ways * _reach(center, ways)[:, None]
    x, y, z = points.T
    slope = _normals(points)
    kept = (z > CHIN_Z + 3.0) & ~((y > -8.0) & (z < -30.0))  # not the neck: it bends
    kept &= ~((np.abs(x) > 55.0) & (y > -10.0) & (y < 45.0) & (z < 30.0))  # nor the ears
    points, slope = points[kept], slope[kept]
    x, y, z = points.T
    glabella = GLABELLA[2]
    face = (z < glabella) & (y < -60.0) & (z > CHIN_Z + 6.0)
    vault = (z > glabella + 12.0 - 0.45 * np.maximum(y + 60.0, 0.0)) & (z > -25.0) & ~face
    return Template(points, slope, vault, face, ~face & ~vault)


def _directions(count: int) -> FloatArray:
    """A spiral over the sphere: Gonzalez, Mathematical Geosciences 42:49 (2010)."""
    n = np.arange(count) + 0.5
    z = 1.0 - 2.0 * n / count
    turn = np.pi * (1.0 + 5.0**0.5) * n
    flat = np.sqrt(1.0 - z * z)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), z], axis=1)


def _reach(center: FloatArray, ways: FloatArray) -> FloatArray:
    """How far the skin is in each direction: the outermost crossing, then bisection."""
    steps = np.arange(30.0, 190.0, 2.0)
    along = center + ways[:, None, :] * steps[:, None]
    inside = skin_distance(*_split(along)) < 0.0
    last = inside.shape[1] - 1 - inside[:, ::-1].argmax(axis=1)
    near, far = steps[last], steps[np.minimum(last + 1, len(steps) - 1)]
    for _ in range(8):
        middle = (near + far) / 2.0
        within = skin_distance(*_split(center + ways * middle[:, None])) < 0.0
        near, far = np.where(within, middle, near), np.where(within, far, middle)
    found: FloatArray = (near + far) / 2.0
    return found


def _normals(points: FloatArray) -> FloatArray:
    slope = np.empty_like(points)
    for axis in range(3):
        step = np.zeros(3)
        step[axis] = 0.5
        slope[:, axis] = skin_distance(*_split(points + step)) - skin_distance(
            *_split(points - step)
        )
    unit: FloatArray = slope / np.linalg.norm(slope, axis=1, keepdims=True)
    return unit


def _split(points: FloatArray) -> tuple[Real, Real, Real]:
    x, y, z = np.moveaxis(points.astype(np.float32), -1, 0)
    return x, y, z


def _distance(lumps: tuple[_Lump, ...], x: Real, y: Real, z: Real) -> Real:
    shape = np.broadcast_shapes(x.shape, y.shape, z.shape)
    total: Real = np.full(shape, 60.0, np.float32)
    for lump in lumps:
        own = _ellipsoid(lump, x, y, z)
        total = -_joined(-total, own, lump.seam_mm) if lump.away else (
            _joined(total, own, lump.seam_mm)
        )  # fmt: skip
    return total


def _ellipsoid(lump: _Lump, x: Real, y: Real, z: Real) -> Real:
    """Signed distance, first order: |p/r| (|p/r| - 1) / |p/r^2|."""
    parts = [
        ((axis - np.float32(c)) / np.float32(r)) ** 2
        for axis, c, r in zip((x, y, z), lump.center, lump.radii, strict=True)
    ]
    size = np.sqrt(parts[0] + parts[1] + parts[2])
    steep = np.sqrt(
        sum((p / np.float32(r * r) for p, r in zip(parts, lump.radii, strict=True)))
        + np.float32(1e-12)
    )
    away: Real = size * (size - np.float32(1.0)) / steep
    return away


def _joined(a: Real, b: Real, seam_mm: float) -> Real:
    """The smaller one, with a parabola over the seam where the two are alike."""
    nearest: Real = np.minimum(a, b)
    if seam_mm <= 0.0:
        return nearest
    overlap = np.maximum(np.float32(seam_mm) - np.abs(a - b), np.float32(0.0))
    nearest -= overlap * overlap * np.float32(0.25 / seam_mm)
    return nearest
