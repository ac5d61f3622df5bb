"""The relief of a surface as seen from the front, and how much of a face it shows.

An independent measure: nothing of the fit goes in but, where it is known, which way the head
looks. The body is looked at from the front; how far each place lies before its surroundings is its
relief. A nose between two eyes above a mouth is a pattern, which is looked for with normalised
correlation (Lewis, Vision Interface 95:120, 1995), over all shifts and several sizes.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from scipy import ndimage, signal

from napari_medlabel.core.geometry import BoolArray, FloatArray, Geometry
from napari_medlabel.privacy.face_template import skin_distance

__all__ = ["Relief", "likeness", "relief", "self_correlation"]

_STEP_MM: Final = 2.0
_SMOOTH_MM, _WIDE_MM = 2.0, 14.0  # of the band of sizes that noses, eyes and lips are of
_DEPTH_MM: Final = 70.0  # what lies further behind the foremost point is not looked at
_PATCH_MM: Final = (
    -64.0,
    44.0,
    44.0,
)  # of the template: from below the mouth to the brow, half as wide
_SIZES: Final = (0.85, 1.0, 1.15)
_MOST_MM: Final = 14.0  # a step in depth, at a cheek's edge, counts as no more
_COVERED: Final = 0.75  # of the pattern's place must be body


@dataclass(frozen=True, slots=True, eq=False)
class Relief:
    """How far each place lies before its surroundings.

    Parameters
    ----------
    height_mm
        float64 `[z, x]`, upwards and to the left, 2 mm apart; 0 where there is no body.
    valid
        bool, the same shape.
    """

    height_mm: FloatArray
    valid: BoolArray


def relief(solid: BoolArray, geometry: Geometry, turn: FloatArray | None = None) -> Relief:
    """The relief of a body from the front.

    Parameters
    ----------
    solid
        bool `[k, j, i]` along the patient's axes.
    geometry
        Of it.
    turn
        3x3: the patient's axes from those of the head that looks at us; without it, these are
        the patient's.
    """
    depth, valid = _depth(solid, geometry, np.eye(3) if turn is None else turn)
    return _banded(depth, valid)


def likeness(seen: Relief) -> float:
    """How much of a generic face the relief shows, from -1 to 1; 0 where there is no room."""
    best = 0.0
    for size in _SIZES:
        pattern = _pattern(size)
        if all(n >= m for n, m in zip(seen.height_mm.shape, pattern.height_mm.shape, strict=True)):
            best = max(best, _best_match(seen, pattern))
    return best


def self_correlation(before: Relief, after: Relief, where: BoolArray | None = None) -> float:
    """How alike two reliefs of one grid are where both are, from -1 to 1; 0 where neither is.

    Parameters
    ----------
    before, after
        On the same grid.
    where
        bool, the same shape: only there.
    """
    both = before.valid & after.valid if where is None else before.valid & after.valid & where
    if both.sum() < 30:
        return 0.0
    a, b = before.height_mm[both], after.height_mm[both]
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / size) if size > 1e-9 else 0.0


def _depth(solid: BoolArray, geometry: Geometry, turn: FloatArray) -> tuple[FloatArray, BoolArray]:
    """How far back the body begins, mm, `[z, x]`, and where it does."""
    corners = geometry.corners_lps() @ turn
    low, high = corners.min(axis=0), corners.max(axis=0)
    count = np.ceil((high - low) / _STEP_MM).astype(int) + 1
    look = Geometry.from_spacing(count[::-1], (_STEP_MM,) * 3, low)
    world = np.eye(4)
    world[:3, :3] = turn
    matrix = np.linalg.inv(geometry.lps_from_kji) @ world @ look.lps_from_kji
    seen = ndimage.affine_transform(
        solid.astype(np.float32), matrix[:3, :3], matrix[:3, 3], look.shape, np.float32, order=1
    )
    inside = seen > 0.5
    valid = inside.any(axis=1)
    first = inside.argmax(axis=1)
    k, i = np.indices(first.shape)
    here, before = seen[k, first, i], seen[k, np.maximum(first - 1, 0), i]
    part = np.clip((here - 0.5) / np.maximum(here - before, 1e-3), 0.0, 1.0)
    return (first - part) * _STEP_MM, valid & (first > 0)


def _banded(depth: FloatArray, valid: BoolArray) -> Relief:
    """Height before the surroundings; what is far behind the foremost point is left out."""
    if valid.any():
        valid = valid & (depth < np.percentile(depth[valid], 1.0) + _DEPTH_MM)
    height = np.where(valid, -depth, 0.0)
    share = valid.astype(np.float64)
    parts = []
    for sigma in (_SMOOTH_MM / _STEP_MM, _WIDE_MM / _STEP_MM):
        weight = np.maximum(ndimage.gaussian_filter(share, sigma), 1e-3)
        parts.append(ndimage.gaussian_filter(height, sigma) / weight)
    band = np.clip(parts[0] - parts[1], -_MOST_MM, _MOST_MM)
    return Relief(np.where(valid, band, 0.0), valid)


@cache
def _pattern(size: float) -> Relief:
    """The template's relief from mouth to brow."""
    reach = 90.0 * size
    axis = np.arange(-reach, reach + 1e-6, _STEP_MM, dtype=np.float32) / np.float32(size)
    up = np.arange(-118.0, 118.0 + 1e-6, _STEP_MM / size, dtype=np.float32)
    y = np.arange(-124.0, -20.0, 1.0, dtype=np.float32)
    distance = skin_distance(axis[None, None, :], y[None, :, None], up[:, None, None])
    inside: BoolArray = np.asarray(distance < 0.0)
    valid: BoolArray = np.asarray(inside.any(axis=1))
    whole = _banded((y[inside.argmax(axis=1)] * size).astype(np.float64), valid)
    low, high, half = _PATCH_MM
    rows = (up >= low) & (up <= high)
    columns = np.abs(axis) <= half
    cut = np.ix_(rows, columns)
    return Relief(whole.height_mm[cut], whole.valid[cut])


def _best_match(seen: Relief, pattern: Relief) -> float:
    """The largest normalised correlation of the pattern with any place of the relief."""
    mask = pattern.valid.astype(np.float64)
    mean = (pattern.height_mm * mask).sum() / mask.sum()
    wanted = (pattern.height_mm - mean) * mask
    share = seen.valid.astype(np.float64)

    def slide(image: FloatArray, kernel: FloatArray) -> FloatArray:
        moved: FloatArray = signal.fftconvolve(image, kernel[::-1, ::-1], mode="valid")
        return moved

    height = seen.height_mm
    count = np.maximum(slide(share, mask), 1.0)
    total, square = slide(height, mask), slide(height**2, mask)
    both = slide(height, wanted)
    wanted_sum, wanted_square = slide(share, wanted), slide(share, wanted**2)
    cross = both - total / count * wanted_sum
    spread = np.maximum(square - total**2 / count, 0.0)
    own = np.maximum(wanted_square - wanted_sum**2 / count, 0.0)
    # A relief of less than a millimetre is noise, however alike.
    floor = count * 1.0**2
    found = cross / np.sqrt(np.maximum(spread, floor) * np.maximum(own, 1e-6))
    covered = count >= _COVERED * mask.sum()
    return float(np.where(covered, found, -1.0).max()) if covered.any() else 0.0
