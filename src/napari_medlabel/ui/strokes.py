"""A stroke under the hand: a disc or ball in millimetres, set down where the pointer passes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_medlabel.core.geometry import BoolArray, Spacing
from napari_medlabel.ui import brush
from napari_medlabel.ui._napari_compat import Box
from napari_medlabel.ui.layers import CaseLayers

__all__ = ["Stroke", "around", "dab", "draw_in", "settings_of"]

Kji = Sequence[float]


@dataclass(slots=True, eq=False)
class Stroke:
    """Draws into a group's array until the hand is lifted; nothing is an edit before that.

    Parameters
    ----------
    layers
        Whose arrays, and who says where a stroke may pass.
    group, value
        What is drawn; 0 erases.
    axis
        Of the plane that is drawn in; a ball passes it.
    size_mm
        Diameter of the brush.
    ball
        A ball across slices instead of a disc in one.
    told
        Given each box that has changed.
    """

    layers: CaseLayers
    group: int
    value: int
    axis: int
    size_mm: float
    ball: bool
    spacing_mm: Spacing
    told: Callable[[Box], None]
    box: Box | None = None
    last: Kji | None = None

    def to(self, kji: Kji) -> None:
        """Draw from where the hand was to where it is."""
        start = kji if self.last is None else self.last
        self.last = kji
        changed: Box | None = None
        for station in brush.stations(start, kji, self.spacing_mm, self.size_mm):
            found = self.set_down([round(float(n)) for n in station])
            if found is not None:
                changed = found if changed is None else around(changed, found)
        if changed is not None:
            self.box = changed if self.box is None else around(self.box, changed)
            self.told(changed)

    def set_down(self, centre: Sequence[int]) -> Box | None:
        """Set the brush down around a voxel; the box where that changed any."""
        array = self.layers.drawn_of(self.group)
        mask = dab(self.size_mm, self.spacing_mm, None if self.ball else self.axis)
        placed = brush.placed(mask, centre, array.shape)
        if placed is None:
            return None
        inside, low, high = placed
        k, j, i = (slice(a, b) for a, b in zip(low, high, strict=True))
        return self.draw((k, j, i), inside)

    def draw(self, box: Box, wanted: BoolArray) -> Box | None:
        """Give the voxels of a box the value where that is allowed; the box where any changed."""
        return draw_in(self.layers, self.group, box, wanted, self.value)


def draw_in(layers: CaseLayers, group: int, box: Box, wanted: BoolArray, value: int) -> Box | None:
    """Give some voxels of a box a value where that is allowed; the box where any changed."""
    present = layers.drawn_of(group)[box]
    # What is not asked for cannot be in the way: a lock beside it is not worth a word.
    allowed = layers.allowed(group, box, np.where(wanted, present, 0), value)
    writes = wanted if allowed is None else wanted & allowed
    writes = writes & (present != value)
    if not writes.any():
        return None
    present[writes] = value
    return box


def dab(size_mm: float, spacing_mm: tuple[float, ...], axis: int | None) -> BoolArray:
    """A brush's voxels `[k, j, i]`: a ball, or a disc one slice thick across `axis`."""
    if axis is None:
        return brush.footprint(size_mm, spacing_mm)
    disc = brush.footprint(size_mm, tuple(n for a, n in enumerate(spacing_mm) if a != axis))
    return np.expand_dims(disc, axis)


def around(a: Box, b: Box) -> Box:
    """The smallest box with both in it."""
    k, j, i = (slice(min(x.start, y.start), max(x.stop, y.stop)) for x, y in zip(a, b, strict=True))
    return (k, j, i)


def settings_of(stroke: Stroke) -> dict[str, Any]:
    """What history and provenance keep of it."""
    kept: dict[str, Any] = {"brush_mm": stroke.size_mm, "axis": stroke.axis}
    return kept | ({"shape": "ball"} if stroke.ball else {})
