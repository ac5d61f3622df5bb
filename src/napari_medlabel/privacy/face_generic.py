"""What `noise` and `blur` leave in the place of a face: a smooth front, the same for everybody.

It has no nose, no eyes and no mouth. A face with features, however much nobody's, lies where the
person's own features lay and shows a good part of their relief again; and one that follows the
fitted head keeps its proportions. So the front is a part of a cylinder, well below anybody's skin,
and only turn, place and size as a whole are the fitted head's.
"""

from dataclasses import replace
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import FloatArray
from napari_medlabel.privacy.face_fit import Pose
from napari_medlabel.privacy.face_template import CHIN_Z, NASION_Z

__all__ = ["front_distance", "front_points", "generic_pose"]

Real = npt.NDArray[np.float32]
_BACK_Y: Final = -20.0  # of the cylinder's axis, which runs from feet to head
_WIDE_MM, _DEEP_MM = 78.0, 46.0  # its radii: flat, some 30 mm below the skin of the lips
_POINTS: Final = (24, 40)  # across, and along


def generic_pose(pose: Pose) -> Pose:
    """A fitted head's turn and place with one size along all axes: no proportions of anybody."""
    size = float(np.exp(np.log(pose.size).mean()))
    return replace(pose, size=np.full(3, size), face_length=1.0)


def front_distance(x: Real, y: Real) -> Real:
    """Signed distance from the front in the template, mm, negative inside; of first order.

    The arrays broadcast.
    """
    u, v = x / np.float32(_WIDE_MM), (y - np.float32(_BACK_Y)) / np.float32(_DEEP_MM)
    far = np.sqrt(u * u + v * v)
    steep = np.hypot(u / np.float32(_WIDE_MM), v / np.float32(_DEEP_MM))
    away: Real = far * (far - np.float32(1.0)) / np.maximum(steep, np.float32(1e-6))
    return away


@cache
def front_points() -> tuple[FloatArray, FloatArray]:
    """Points on the front between nasion and chin, and unit vectors outward; `[n, 3]` each."""
    across, along = _POINTS
    turn, z = np.meshgrid(
        np.linspace(-0.3 * np.pi, 0.3 * np.pi, across), np.linspace(CHIN_Z, NASION_Z, along)
    )
    x, y = np.sin(turn).ravel(), -np.cos(turn).ravel()
    points = np.stack([_WIDE_MM * x, _BACK_Y + _DEEP_MM * y, z.ravel()], axis=1)
    normals = np.stack([x / _WIDE_MM, y / _DEEP_MM, np.zeros(x.size)], axis=1)
    return points, normals / np.linalg.norm(normals, axis=1, keepdims=True)
