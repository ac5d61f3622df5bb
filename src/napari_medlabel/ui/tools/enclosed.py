"""What an outline on a slice encloses becomes one step: added, taken away, or put in its place."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.plane import Plane
from napari_medlabel.ui._napari_compat import Box
from napari_medlabel.ui.paint_over import PaintOver
from napari_medlabel.ui.planes.greys import labelled_span
from napari_medlabel.ui.strokes import around, draw_in

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["Mode", "write_enclosed"]

Mode = Literal["add", "subtract", "new"]


def write_enclosed(  # noqa: PLR0913, PLR0917  # where, what, how, and what it is called
    drawing: "Drawing", plane: Plane, inside: BoolArray, mode: Mode, tool: str,
    settings: Mapping[str, Any],
) -> bool:  # fmt: skip
    """Draw with the segment in hand what is inside; locks, mask and *paint over* are heeded.

    Parameters
    ----------
    drawing
        Where.
    plane
        The slice.
    inside
        Of it, `[row, column]`.
    mode
        "add"; "subtract" takes the segment in hand away and no other; "new" also takes away what
        it has outside on this slice.
    tool, settings
        For history and provenance.

    Returns
    -------
    bool
        False where nothing changed.
    """
    layers, value = drawing.layers, drawing.choices.active
    group = drawing.case.segmentation.group_of(value)
    over, box = drawing.tools.paint_over(), None
    if mode != "add":
        own = np.take(layers.drawn_of(group), plane.index, plane.axis) == value
        layers.over = PaintOver("segment", value)
        box = _drawn(drawing, plane, own & (inside if mode == "subtract" else ~inside), 0)
    layers.over = over
    if mode != "subtract":
        added = _drawn(drawing, plane, inside, value)
        box = added if box is None else box if added is None else around(box, added)
    if box is None:
        layers.end_blocked()
        return False
    kept = {"mode": mode, "axis": plane.axis, "slice": plane.index, **settings}
    if mode != "subtract" and over.kind != "everything":
        kept["paint_over"] = over.value if over.kind == "segment" else over.kind
    layers.finish_stroke(group, box, tool, kept | drawing.tools.mask_settings)
    return True


def _drawn(drawing: "Drawing", plane: Plane, wanted: BoolArray, value: int) -> Box | None:
    """The part of a slice in which that changed anything."""
    span = labelled_span(wanted)
    if span is None:
        return None
    first, end, left, right = span
    sides = [slice(plane.index, plane.index + 1)] * 3
    sides[plane.axes[0]], sides[plane.axes[1]] = slice(first, end), slice(left, right)
    box: Box = (sides[0], sides[1], sides[2])
    group = drawing.case.segmentation.group_of(drawing.choices.active)
    part = np.expand_dims(wanted[first:end, left:right], plane.axis)
    return draw_in(drawing.layers, group, box, part, value)
