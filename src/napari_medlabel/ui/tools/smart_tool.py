"""Smart paint: a brush whose discs end where the image shows an edge, seen as the hand moves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_medlabel.core.smart_paint import paint_to_edge
from napari_medlabel.core.volume import Grid
from napari_medlabel.ui._napari_compat import Box
from napari_medlabel.ui.planes.plane_view import PlaneView
from napari_medlabel.ui.strokes import Stroke
from napari_medlabel.ui.tools.brush_tool import BrushTool

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["SmartTool"]


@dataclass(slots=True, eq=False)
class _ToEdge(Stroke):
    """A stroke whose discs are each cut to what is of their centre's kind."""

    image: Grid | None = None

    def set_down(self, centre: Sequence[int]) -> Box | None:
        """A disc around a voxel; nothing beside the image."""
        labels, image = self.layers.drawn_of(self.group), self.image
        inside = all(0 <= n < size for n, size in zip(centre, labels.shape, strict=True))
        if image is None or not inside:
            return None
        # Over everything: locks and *paint over* are heeded where it is drawn.
        edit = paint_to_edge(
            labels, image, self.value, (centre[0], centre[1], centre[2]),
            diameter_mm=self.size_mm, spacing_mm=self.spacing_mm, axis=self.axis, over_others=True,
        )  # fmt: skip
        return None if edit.is_nothing else self.draw(edit.box, np.asarray(edit.changed))


class SmartTool(BrushTool):
    """Draws with the segment in hand up to edges of the image; Ctrl held erases as ever."""

    def __init__(self, drawing: "Drawing") -> None:
        super().__init__(drawing, erase=False)
        self.words = "Smart paint"

    @property
    def size_mm(self) -> float:
        """Diameter of the discs."""
        return float(self._drawing.choices.settings.of("smart_paint")["diameter_mm"])

    def _new_stroke(self, view: PlaneView) -> Stroke:
        drawing, value = self._drawing, self._drawing.choices.active
        spacing_mm = drawing.case.volume.geometry.spacing_mm
        return _ToEdge(
            drawing.layers, drawing.case.segmentation.group_of(value), value, view.axis,
            self.size_mm, ball=False, spacing_mm=spacing_mm, told=drawing.sight.tell_labels,
            image=drawing.sight.image,
        )  # fmt: skip
