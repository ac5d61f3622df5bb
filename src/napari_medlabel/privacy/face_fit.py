"""Lay the template's skin onto a body's skin: robust least squares from many starts.

Ten numbers place the template: a turn, a place, three sizes and the length of the face. The
residual of a point is its signed distance from the body's skin, weighed as by Geman and McClure
(Bulletin of the ISI 52:5, 1987) and by how well the two surfaces face the same way. All starts are
improved side by side.
"""

from dataclasses import dataclass
from itertools import permutations, product
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import BoolArray, FloatArray
from napari_medlabel.privacy.face_mask import Skin
from napari_medlabel.privacy.face_template import NASION_Z, PIVOT

__all__ = ["ADULT", "SMALL_BUILDS", "TURNS", "Build", "Pose", "fit", "starts_at", "turned"]

_PRIOR_SIZE: Final = 0.12  # of the logarithm of the size as a whole: from a child's head to a large
_PRIOR_SHAPE: Final = 0.05  # of one axis against the others
_PRIOR_FACE: Final = 0.08  # of the face's length against the cranium
_PRIOR_WEIGHT: Final = 0.02  # of one prior's square against the mean of the points' errors
_UNSEEN: Final = 0.40  # the error of a point that the image does not show; 1 is a miss
_SCHEDULE_MM: Final = ((24.0, 12), (12.0, 10), (6.0, 10))  # width of the weights, steps
_FINE_MM: Final = ((3.0, 12),)
_MOST_TURN, _MOST_MM, _MOST_SIZE = 0.20, 12.0, 0.08  # of one step


@dataclass(frozen=True, slots=True)
class Build:
    """What is expected of a head before it is looked at, against the mean adult's.

    Parameters
    ----------
    size
        As a whole.
    face_length
        Of the face below the nasion.
    """

    size: float
    face_length: float


ADULT: Final = Build(1.0, 1.0)
# A newborn's head is two thirds of an adult's, its face less than half: Farkas (1994).
SMALL_BUILDS: Final = (Build(0.84, 0.94), Build(0.66, 0.78))  # a child's, a newborn's


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """Where the template lies.

    Parameters
    ----------
    turn
        float64 3x3: the patient's axes from the template's.
    place
        LPS mm of the template's pivot, the middle of the cranium.
    size
        Along the template's x, y and z.
    face_length
        Of the face below the nasion, against the template's.
    error
        Of the fit: 0 where all points lie on the skin, 1 where none does.
    build
        What size and length of the face were expected: of an adult's head or of a newborn's.
    """

    turn: FloatArray
    place: FloatArray
    size: FloatArray
    face_length: float = 1.0
    error: float = 1.0
    build: "Build" = ADULT

    def lps(self, points: FloatArray) -> FloatArray:
        """Positions in the image, `[n, 3]`, of positions in the template."""
        moved: FloatArray = (
            self.size * (_lengthened(points, self.face_length) - PIVOT)
        ) @ self.turn.T + self.place
        return moved

    def template(self, lps: FloatArray) -> FloatArray:
        """Positions in the template, `[n, 3]`, of positions in the image."""
        points = (lps - self.place) @ self.turn / self.size + PIVOT
        return _lengthened(points, 1.0 / self.face_length)

    @property
    def turned_deg(self) -> float:
        """How far the head is turned from facing forward and upright, degrees."""
        cosine = (np.trace(self.turn) - 1.0) / 2.0
        return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def _lengthened(points: FloatArray, length: float) -> FloatArray:
    below = np.minimum(points[..., 2] - NASION_Z, 0.0)
    longer = points.copy()
    longer[..., 2] += (length - 1.0) * below
    return longer


def fit(  # noqa: PLR0913  # what a fit may be told
    skin: Skin, points: FloatArray, normals: FloatArray, starts: list[Pose], *,
    weights: FloatArray | None = None, free_face: bool = True, coarse: bool = True,
    fine: bool = False,
) -> list[Pose]:  # fmt: skip
    """Improve every start; the best first.

    Parameters
    ----------
    skin
        Of the body.
    points, normals
        Of the template, `[n, 3]`.
    weights
        `[n]`, of the points.
    free_face
        Whether the length of the face may change.
    coarse
        Whether the starts may be far off.
    fine
        Whether to end with narrow weights: for a surface that may be the template's own.
    """
    state = _State.of(starts)
    shares = np.ones(len(points)) if weights is None else weights
    shares = shares / shares.sum()
    schedule = (_SCHEDULE_MM if coarse else _SCHEDULE_MM[1:]) + (_FINE_MM if fine else ())
    for width, steps in schedule:
        for _ in range(steps):
            _improve(state, skin, points, normals, shares, width, free_face=free_face)
    errors = _errors(state, skin, points, normals, shares, _SCHEDULE_MM[-1][0])
    poses = state.poses(errors)
    return sorted(poses, key=lambda pose: pose.error)


class _State:
    """The numbers of several poses, one row each."""

    def __init__(
        self, turn: FloatArray, place: FloatArray, log_size: FloatArray, log_face: FloatArray,
        builds: list[Build],
    ) -> None:  # fmt: skip
        self.turn, self.place = turn, place
        self.log_size, self.log_face = log_size, log_face
        self.builds = builds

    @property
    def odd(self) -> tuple[FloatArray, FloatArray]:
        """How far sizes and lengths of the face are from what was expected, in logarithms."""
        size = np.log([build.size for build in self.builds])
        face = np.log([build.face_length for build in self.builds])
        return self.log_size - size[:, None], self.log_face - face

    @classmethod
    def of(cls, starts: list[Pose]) -> "_State":
        return cls(
            np.stack([p.turn for p in starts]),
            np.stack([p.place for p in starts]),
            np.log(np.stack([p.size for p in starts])),
            np.log(np.array([p.face_length for p in starts])),
            [p.build for p in starts],
        )

    def poses(self, errors: FloatArray) -> list[Pose]:
        return [
            Pose(r, t, np.exp(s), float(np.exp(f)), float(e), build)
            for r, t, s, f, e, build in zip(
                self.turn,
                self.place,
                self.log_size,
                self.log_face,
                errors,
                self.builds,
                strict=True,
            )
        ]


def _improve(  # noqa: PLR0913, PLR0917  # what a step of the fit needs
    state: _State, skin: Skin, points: FloatArray, normals: FloatArray, shares: FloatArray,
    width: float, *, free_face: bool,
) -> None:  # fmt: skip
    """One damped Gauss-Newton step of each pose."""
    placed, distance, slope, seen, same_way = _measured(state, skin, points, normals)
    weight = shares * seen * same_way / (1.0 + (distance / width) ** 2) ** 2 / width**2
    rows = _jacobian(state, points, placed, slope)
    if not free_face:
        rows[..., 9] = 0.0
    left = np.einsum("bn,bnp,bnq->bpq", weight, rows, rows, optimize=True)
    right = np.einsum("bn,bnp,bn->bp", weight, rows, -distance, optimize=True)
    prior, pull = _priors(state)
    left += prior
    right += pull
    left += np.eye(10) * (1e-9 + 0.02 * np.einsum("bpp->bp", left)[:, None, :] * np.eye(10))
    step = np.linalg.solve(left, right[..., None])[..., 0]
    if not free_face:
        step[:, 9] = 0.0
    _move(state, step)


def _measured(
    state: _State, skin: Skin, points: FloatArray, normals: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray, FloatArray]:
    """Places about the pivot, distances, slopes, whether seen, and how alike the surfaces face."""
    count, n = len(state.turn), len(points)
    longer = np.stack([_lengthened(points, float(np.exp(f))) for f in state.log_face])
    scaled = np.exp(state.log_size)[:, None, :] * (longer - PIVOT)
    placed = scaled @ state.turn.transpose(0, 2, 1)
    distance, slope, seen = skin.at((placed + state.place[:, None]).reshape(-1, 3))
    slope = slope.reshape(count, n, 3)
    facing = normals @ state.turn.transpose(0, 2, 1)
    same_way = np.clip((facing * slope).sum(-1), 0.0, 1.0)
    return placed, distance.reshape(count, n), slope, seen.reshape(count, n), same_way


def _jacobian(
    state: _State, points: FloatArray, placed: FloatArray, slope: FloatArray
) -> FloatArray:
    """How each distance changes with turn, place, log size and log length of the face."""
    own = slope @ state.turn  # the slope along the template's axes
    size = np.exp(state.log_size)[:, None, :]
    face = np.exp(state.log_face)[:, None]
    below = np.minimum(points[:, 2] - NASION_Z, 0.0)
    parts = placed @ state.turn  # scaled, along the template's axes
    by_face = own[..., 2] * size[..., 2] * face * below
    return np.concatenate(
        [np.cross(placed, slope), slope, own * parts, by_face[..., None]], axis=-1
    )


def _priors(state: _State) -> tuple[FloatArray, FloatArray]:
    """Curvature and pull of the priors on size, shape and length of the face."""
    count = len(state.turn)
    curve = np.zeros((count, 10, 10))
    pull = np.zeros((count, 10))
    mean = np.full((3, 3), 1.0 / 3.0)
    sizes = mean / _PRIOR_SIZE**2 + (np.eye(3) - mean) / _PRIOR_SHAPE**2
    curve[:, 6:9, 6:9] = sizes * _PRIOR_WEIGHT
    size, face = state.odd
    pull[:, 6:9] = -(size @ sizes) * _PRIOR_WEIGHT
    curve[:, 9, 9] = _PRIOR_WEIGHT / _PRIOR_FACE**2
    pull[:, 9] = -face * _PRIOR_WEIGHT / _PRIOR_FACE**2
    return curve, pull


def _move(state: _State, step: FloatArray) -> None:
    """Take a step, but none too long."""
    longest = np.array([_MOST_TURN] * 3 + [_MOST_MM] * 3 + [_MOST_SIZE] * 4)
    over = np.maximum(np.abs(step / longest).max(axis=1), 1.0)
    step = step / over[:, None]
    state.turn = turned(step[:, :3]) @ state.turn
    state.place = state.place + step[:, 3:6]
    state.log_size = np.clip(state.log_size + step[:, 6:9], -0.7, 0.25)
    state.log_face = np.clip(state.log_face + step[:, 9], -0.35, 0.2)


def _errors(  # noqa: PLR0913, PLR0917  # what the error depends on
    state: _State, skin: Skin, points: FloatArray, normals: FloatArray, shares: FloatArray,
    width: float,
) -> FloatArray:  # fmt: skip
    """From 0 to about 1, with what the image does not show and what is odd about the shape."""
    _, distance, _, seen, same_way = _measured(state, skin, points, normals)
    square = (distance / width) ** 2
    missed = 1.0 - same_way / (1.0 + square)
    error = (shares * np.where(seen, missed, _UNSEEN)).sum(axis=1)
    size, face = state.odd
    mean = size.mean(axis=1)
    odd = (mean / _PRIOR_SIZE) ** 2 + (face / _PRIOR_FACE) ** 2
    odd += ((size - mean[:, None]) ** 2).sum(axis=1) / _PRIOR_SHAPE**2
    total: FloatArray = error + 0.5 * _PRIOR_WEIGHT * odd
    return total


def turned(vector: FloatArray) -> FloatArray:
    """Rotation matrices, `[..., 3, 3]`, of rotation vectors in radians: Rodrigues' formula."""
    angle = np.linalg.norm(vector, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(vector, -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(*x.shape, 3, 3)
    small = np.maximum(angle, 1e-12)
    one = np.sin(small) / small
    two = (1.0 - np.cos(small)) / small**2
    matrix: FloatArray = np.eye(3) + one * cross + two * (cross @ cross)
    return matrix


def _quarter_turns() -> tuple[npt.NDArray[np.float64], ...]:
    """The 24 ways to lie along the axes, the upright one first."""
    found = []
    for order in permutations(range(3)):
        for signs in product((1.0, -1.0), repeat=3):
            matrix = np.zeros((3, 3))
            matrix[range(3), order] = signs
            if np.linalg.det(matrix) > 0:
                found.append(matrix)
    return tuple(sorted(found, key=lambda m: -float(np.trace(m))))


TURNS: Final = _quarter_turns()


def starts_at(places: FloatArray, turns: list[FloatArray], build: Build = ADULT) -> list[Pose]:
    """Every place with every turn, with what is expected of a head."""
    return [
        Pose(turn, place, np.full(3, build.size), build.face_length, build=build)
        for place in places
        for turn in turns
    ]
