"""Where the eye of the 3D view is: upright, from the front at first, without perspective.

Pure values; the picture is never mirrored: right, up and towards the eye are right-handed, as
LPS is.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from napari_medlabel.core.geometry import FloatArray
from napari_medlabel.core.surface import Surface, hit

__all__ = ["LETTERS", "Camera", "fitted", "nearest_hit"]

LETTERS: Final = {
    "L": (1.0, 0.0, 0.0), "R": (-1.0, 0.0, 0.0), "P": (0.0, 1.0, 0.0),
    "A": (0.0, -1.0, 0.0), "H": (0.0, 0.0, 1.0), "F": (0.0, 0.0, -1.0),
}  # fmt: skip
_ROOM: Final = 1.06  # around what is shown
_DEPTH: Final = 20.0  # times the radius: nothing is cut off by the eye
_NEAREST_MM, _FARTHEST_MM = 1.0, 5_000.0


@dataclass(frozen=True, slots=True)
class Camera:
    """An eye on a turntable.

    Parameters
    ----------
    center_lps
        What is in the middle of the picture, mm.
    radius_mm
        Half of the shorter side of the picture.
    azimuth_deg
        0 from the front, 90 from the patient's left, 180 from the back.
    elevation_deg
        90 from above the head, -90 from below the feet.
    """

    center_lps: tuple[float, float, float] = (0.0, 0.0, 0.0)
    radius_mm: float = 100.0
    azimuth_deg: float = 0.0
    elevation_deg: float = 0.0

    @property
    def axes(self) -> FloatArray:
        """Right, up and towards the eye as rows, in LPS; float64 3x3, a rotation."""
        a, e = np.radians(self.azimuth_deg), np.radians(self.elevation_deg)
        right = np.array([np.cos(a), np.sin(a), 0.0])
        towards = np.array([np.sin(a) * np.cos(e), -np.cos(a) * np.cos(e), np.sin(e)])
        rows: FloatArray = np.stack([right, np.cross(towards, right), towards])
        return rows

    def clip_from_lps(self, size: tuple[int, int]) -> FloatArray:
        """For OpenGL: float64 4x4, from LPS to the cube of -1 to 1; `size` is width and height."""
        width, height = max(size[0], 1), max(size[1], 1)
        half_mm = self.radius_mm * np.array([width, height]) / min(width, height)
        matrix = np.eye(4)
        matrix[:3, :3] = self.axes / np.array([*half_mm, -_DEPTH * self.radius_mm])[:, None]
        matrix[:3, 3] = -matrix[:3, :3] @ np.asarray(self.center_lps)
        return matrix

    def pixels(self, lps: FloatArray, size: tuple[int, int]) -> FloatArray:
        """Where positions `[..., 3]` are in the picture, from its top left corner; `[..., 2]`."""
        clip = lps @ self.clip_from_lps(size)[:2, :3].T + self.clip_from_lps(size)[:2, 3]
        shown: FloatArray = (clip * [1.0, -1.0] + 1.0) / 2.0 * size
        return shown

    def ray(
        self, pixel: tuple[float, float], size: tuple[int, int]
    ) -> tuple[FloatArray, FloatArray]:
        """A position in front of everything that is under a pixel, and the way into the picture."""
        right_mm, down_mm = self._moved_mm(pixel[0] - size[0] / 2, pixel[1] - size[1] / 2, size)
        right, up, towards = self.axes
        start = np.asarray(self.center_lps) + right * right_mm - up * down_mm
        return start + towards * _DEPTH * self.radius_mm, -towards

    def turned(self, right_px: float, down_px: float) -> "Camera":
        """As if the hand took what is shown at its front and drew it along."""
        elevation = float(np.clip(self.elevation_deg + down_px * 0.5, -90.0, 90.0))
        azimuth = (self.azimuth_deg - right_px * 0.5 + 180.0) % 360.0 - 180.0
        return replace(self, azimuth_deg=azimuth, elevation_deg=elevation)

    def moved(self, right_px: float, down_px: float, size: tuple[int, int]) -> "Camera":
        """As if the hand moved what is shown along."""
        right_mm, down_mm = self._moved_mm(right_px, down_px, size)
        right, up, _ = self.axes
        x, y, z = np.asarray(self.center_lps) - right * right_mm + up * down_mm
        return replace(self, center_lps=(float(x), float(y), float(z)))

    def zoomed(self, times: float) -> "Camera":
        """So many times nearer."""
        radius_mm = float(np.clip(self.radius_mm / times, _NEAREST_MM, _FARTHEST_MM))
        return replace(self, radius_mm=radius_mm)

    def _moved_mm(
        self, right_px: float, down_px: float, size: tuple[int, int]
    ) -> tuple[float, float]:
        mm = 2.0 * self.radius_mm / max(min(size), 1)
        return right_px * mm, down_px * mm


def fitted(surfaces: Iterable[Surface], camera: Camera, size: tuple[int, int]) -> Camera:
    """All surfaces in sight from any side and a little from above; the same where there is none."""
    boxes = [
        (one.points_lps.min(axis=0), one.points_lps.max(axis=0))
        for one in surfaces
        if not one.is_nothing
    ]
    if not boxes:
        return camera
    low = np.min([box[0] for box in boxes], axis=0).astype(np.float64)
    high = np.max([box[1] for box in boxes], axis=0).astype(np.float64)
    x, y, z = (low + high) / 2.0
    half_mm = (high - low) / 2.0
    wide_mm = float(np.linalg.norm(half_mm[:2]))  # about the turntable's axis
    tall_mm = float(half_mm[2]) + 0.25 * wide_mm
    width, height = max(size[0], 1), max(size[1], 1)
    radius_mm = max(wide_mm / width, tall_mm / height, 0.0) * min(width, height) * _ROOM
    center = (float(x), float(y), float(z))
    return replace(camera, center_lps=center, radius_mm=max(radius_mm, _NEAREST_MM))


def nearest_hit(
    surfaces: Iterable[Surface], start: FloatArray, way: FloatArray
) -> tuple[float, float, float] | None:
    """Where a ray first meets one of the surfaces, LPS in mm."""
    far_mm = [far for one in surfaces if (far := hit(one, start, way)) is not None]
    if not far_mm:
        return None
    x, y, z = start + way * min(far_mm)
    return (float(x), float(y), float(z))
