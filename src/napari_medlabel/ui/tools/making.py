"""The tool for a name: what the left button does with it."""

from typing import TYPE_CHECKING

from napari_medlabel.ui.tools.brush_tool import BrushTool
from napari_medlabel.ui.tools.click_tool import ClickTool

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing
    from napari_medlabel.ui.hand import PointerTool

__all__ = ["make_tool"]


def make_tool(name: str, drawing: "Drawing") -> "PointerTool | None":
    """A tool in hand, or None where the pointer only moves the crosshair."""
    if name in {"paint", "erase"}:
        return BrushTool(drawing, erase=name == "erase")
    if name in {"fill", "grow"}:
        return ClickTool(drawing, name)
    return None
