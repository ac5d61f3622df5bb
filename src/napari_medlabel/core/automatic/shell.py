"""A surface that swells in a head until it meets the border of the brain.

The method of Smith, Human Brain Mapping 17:143-155 (2002), doi:10.1002/hbm.10062: a ball of
triangles is moved by its own smoothness and by the least and greatest intensity under each
corner. Here all corners move at once, on an image of cubes of some 2 mm.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.sparse import coo_array, csr_array

from napari_medlabel.core.geometry import BoolArray, FloatArray, Spacing
from napari_medlabel.core.region import Stop, check_not_stopped, never

__all__ = ["brain_shell"]

_ROUNDS: Final = ((3, 200), (4, 100))  # 642 corners find the border, 2562 follow it
_FLAT_MM, _ROUND_MM = 10.0, 3.33  # radii of curvature that are smoothed less and more
_DEEP_MM, _NEAR_MM = 20.0, 10.0  # how far beneath is looked for dark and for bright
_STEP_MM: Final = 1.25
Values = npt.NDArray[np.float32]


def brain_shell(
    image: Values, spacing_mm: Spacing, *, threshold: float = 0.5, cancelled: Stop = never
) -> BoolArray:
    """The brain of an MR head, as the inside of a closed surface.

    Parameters
    ----------
    image
        float32 `[k, j, i]`; the head, without what is far below it.
    spacing_mm
        Along k, j, i.
    threshold
        Of the brain's brightness against what is around it, from 0 (larger) to 1 (smaller).
    cancelled
        Polled.

    Returns
    -------
    array
        bool, the image's shape; empty where there is nothing bright.

    Raises
    ------
    Cancelled
        If `cancelled` says so.
    """
    dark, bright = (float(x) for x in np.percentile(image, (2.0, 98.0)))
    limit = dark + 0.1 * (bright - dark)
    head = image > limit
    if not head.any():
        return np.zeros(image.shape, bool)
    step = np.asarray(spacing_mm)
    weight = np.clip(image, dark, bright)[head]
    places = np.argwhere(head) * step
    center = (places * weight[:, None]).sum(axis=0) / weight.sum()
    radius = float((3.0 * head.sum() * step.prod() / (4.0 * np.pi)) ** (1.0 / 3.0))
    within = np.linalg.norm(places - center, axis=1) < radius
    usual = float(np.median(image[head][within])) if within.any() else bright
    force = _Force(image, step, (dark, limit, usual), threshold)
    corners, faces = _ball(_ROUNDS[0][0])
    corners = center + corners * radius / 2.0
    for fineness, rounds in _ROUNDS:
        if len(corners) < 10 * 4**fineness:
            corners, faces = _halved(corners, faces)
        mean = _mean_of_neighbours(faces, len(corners))
        for n in range(rounds):
            if n % 20 == 0:
                check_not_stopped(cancelled)
            corners += force.step(corners, mean, faces)
    return _inside(corners, faces, image.shape, step)


class _Force:
    """What moves each corner, mm."""

    def __init__(
        self, image: Values, step: FloatArray, levels: tuple[float, float, float],
        threshold: float,
    ) -> None:  # fmt: skip
        self._image, self._step, self._threshold = image, step, threshold
        self._dark, self._limit, self._usual = levels

    def step(self, corners: FloatArray, mean: csr_array, faces: npt.NDArray[np.intp]) -> FloatArray:
        normals = _normals(corners, faces)
        towards = mean @ corners - corners
        inwards = np.sum(towards * normals, axis=1, keepdims=True)
        along = inwards * normals
        sides = corners[faces] - corners[np.roll(faces, 1, axis=1)]
        length = float(np.linalg.norm(sides, axis=2).mean())
        curvature = 2.0 * np.abs(inwards) / length**2
        middle = (1.0 / _ROUND_MM + 1.0 / _FLAT_MM) / 2.0
        slope = 6.0 / (1.0 / _ROUND_MM - 1.0 / _FLAT_MM)
        smooth = (1.0 + np.tanh(slope * (curvature - middle))) / 2.0
        grow = 0.05 * length * self._pull(corners, normals)
        moved: FloatArray = 0.5 * (towards - along) + smooth * along + grow[:, None] * normals
        return moved

    def _pull(self, corners: FloatArray, normals: FloatArray) -> FloatArray:
        """Outwards where what is beneath is brain, inwards where it is not."""
        depths = np.arange(_STEP_MM, _DEEP_MM + 0.1, _STEP_MM)
        at = corners[None] - depths[:, None, None] * normals[None]
        index = (at / self._step).reshape(-1, 3).T
        values = ndimage.map_coordinates(self._image, index, order=1, mode="nearest")
        values = values.reshape(len(depths), -1)
        near = values[depths <= _NEAR_MM]
        least = np.maximum(self._dark, np.minimum(self._usual, values.min(axis=0)))
        most = np.minimum(self._usual, np.maximum(self._limit, near.max(axis=0)))
        border = (most - self._dark) * self._threshold + self._dark
        pull: FloatArray = 2.0 * (least - border) / np.maximum(most - self._dark, 1e-6)
        return pull


def _ball(times: int) -> tuple[FloatArray, npt.NDArray[np.intp]]:
    """A ball of nearly equal triangles: an icosahedron, each side halved again and again."""
    g = (1.0 + 5.0**0.5) / 2.0
    points = np.array([
        (-1, g, 0), (1, g, 0), (-1, -g, 0), (1, -g, 0), (0, -1, g), (0, 1, g), (0, -1, -g),
        (0, 1, -g), (g, 0, -1), (g, 0, 1), (-g, 0, -1), (-g, 0, 1),
    ], np.float64)  # fmt: skip
    faces = np.array([
        (0, 11, 5), (0, 5, 1), (0, 1, 7), (0, 7, 10), (0, 10, 11), (1, 5, 9), (5, 11, 4),
        (11, 10, 2), (10, 7, 6), (7, 1, 8), (3, 9, 4), (3, 4, 2), (3, 2, 6), (3, 6, 8),
        (3, 8, 9), (4, 9, 5), (2, 4, 11), (6, 2, 10), (8, 6, 7), (9, 8, 1),
    ], np.intp)  # fmt: skip
    for _ in range(times):
        points, faces = _halved(points, faces)
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points / np.linalg.norm(points, axis=1, keepdims=True), faces


def _halved(
    points: FloatArray, faces: npt.NDArray[np.intp]
) -> tuple[FloatArray, npt.NDArray[np.intp]]:
    """Each triangle made four."""
    sides = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), 1)
    unique, which = np.unique(sides, axis=0, return_inverse=True)
    ab, bc, ca = np.split(which.ravel() + len(points), 3)
    a, b, c = faces.T
    fours = ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))
    new = np.concatenate([np.stack(three, axis=1) for three in fours])
    return np.concatenate([points, points[unique].mean(axis=1)]), new


def _mean_of_neighbours(faces: npt.NDArray[np.intp], count: int) -> csr_array:
    start = faces.ravel()
    end = np.roll(faces, -1, axis=1).ravel()  # each side is in two faces, once each way
    links = coo_array((np.ones(len(start)), (start, end)), (count, count)).tocsr()
    links.data *= np.repeat(1.0 / np.diff(links.indptr), np.diff(links.indptr))
    return links


def _normals(corners: FloatArray, faces: npt.NDArray[np.intp]) -> FloatArray:
    """Outwards, of length 1."""
    a, b, c = (corners[faces[:, n]] for n in range(3))
    across = np.cross(b - a, c - a)
    summed = np.empty_like(corners)
    for axis in range(3):
        weights = np.repeat(across[:, axis], 3)
        summed[:, axis] = np.bincount(faces.ravel(), weights, len(corners))
    length = np.linalg.norm(summed, axis=1, keepdims=True)
    outwards: FloatArray = summed / np.where(length > 0, length, 1.0)
    return outwards


def _inside(
    corners: FloatArray, faces: npt.NDArray[np.intp], shape: tuple[int, ...], step: FloatArray
) -> BoolArray:
    """The voxels within the surface: points laid densely on it, and what they shut in."""
    fine = float(step.min()) * 0.45
    a, b, c = (corners[faces[:, n]] for n in range(3))
    longest = max(np.linalg.norm(x - y, axis=1).max() for x, y in ((a, b), (b, c), (c, a)))
    parts = int(np.ceil(longest / fine))
    wall = np.zeros(np.asarray(shape) + 4, bool)
    for u in range(parts + 1):
        for w in range(parts + 1 - u):
            at = (a * u + b * w + c * (parts - u - w)) / parts / step
            n = np.clip(np.rint(at).astype(np.intp) + 2, 0, np.asarray(wall.shape) - 1)
            wall[tuple(n.T)] = True
    outside, _count = ndimage.label(~wall)
    shut: BoolArray = (outside != outside[0, 0, 0])[2:-2, 2:-2, 2:-2]
    return shut
