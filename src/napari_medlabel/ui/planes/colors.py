"""A second image in colours: few maps, each from a handful of points, weak values see-through."""

from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["COLORMAPS", "colored"]

# Red, green and blue from 0 to 1 at equal steps; "hot" as in PS3.6 Annex B (hot iron, coarse).
_POINTS: Final[dict[str, tuple[tuple[float, float, float], ...]]] = {
    "hot": ((0, 0, 0), (0.5, 0, 0), (1, 0, 0), (1, 0.5, 0), (1, 1, 0.5), (1, 1, 1)),
    "cold": ((0, 0, 0), (0, 0, 0.5), (0, 0.3, 1), (0, 0.8, 1), (0.6, 1, 1), (1, 1, 1)),
    "green": ((0, 0, 0), (0, 0.5, 0.1), (0.2, 0.9, 0.3), (0.8, 1, 0.8)),
    "gray": ((0, 0, 0), (1, 1, 1)),
    "magma": (
        (0, 0, 0.02), (0.23, 0.06, 0.44), (0.55, 0.16, 0.5), (0.87, 0.29, 0.41),
        (0.99, 0.62, 0.43), (0.99, 0.99, 0.75),
    ),
}  # fmt: skip
COLORMAPS: Final = tuple(_POINTS)
SEEN_FROM = 32  # of 256 steps: below, the first image shines through more and more


def colored(
    plane: npt.NDArray[Any], limits: tuple[float, float], name: str
) -> npt.NDArray[np.uint32]:
    """A slice as premultiplied pixels 0xAARRGGBB; NaN and values below the range are clear."""
    low, high = limits
    steps = (np.asarray(plane, np.float32) - low) * (255.0 / max(high - low, 1e-9))
    steps = np.nan_to_num(np.clip(steps, 0.0, 255.0), nan=0.0)
    pixels: npt.NDArray[np.uint32] = np.take(_table(name), steps.astype(np.uint8))
    return pixels


@cache
def _table(name: str) -> npt.NDArray[np.uint32]:
    points = np.asarray(_POINTS[name], float)
    at = np.linspace(0.0, 1.0, 256)
    rgb = [np.interp(at, np.linspace(0.0, 1.0, len(points)), points[:, n]) for n in range(3)]
    alpha = np.minimum(np.arange(256) / SEEN_FROM, 1.0)
    red, green, blue = (np.rint(255.0 * part * alpha).astype(np.uint32) for part in rgb)
    opaque = np.rint(255.0 * alpha).astype(np.uint32)
    table: npt.NDArray[np.uint32] = (opaque << 24) | (red << 16) | (green << 8) | blue
    return table
