"""The tool for a name: what the left button does with it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from napari_medlabel.core.annotation import KIND_WORDS
from napari_medlabel.ui.tool_specs import ANNOTATION
from napari_medlabel.ui.tools.annotate_tool import AnnotateTool
from napari_medlabel.ui.tools.brush_tool import BrushTool
from napari_medlabel.ui.tools.click_tool import ClickTool
from napari_medlabel.ui.tools.outline_tool import LassoTool, PolygonTool
from napari_medlabel.ui.tools.prompt_tool import PromptTool
from napari_medlabel.ui.tools.scissors_tool import ScissorsTool
from napari_medlabel.ui.tools.smart_tool import SmartTool

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing
    from napari_medlabel.ui.hand import PointerTool

__all__ = ["make_tool"]

_OTHERS: Final[dict[str, Callable[["Drawing"], "PointerTool"]]] = {
    "polygon": PolygonTool, "lasso": LassoTool, "scissors": ScissorsTool, "smart_paint": SmartTool,
    "prompt": PromptTool,
}  # fmt: skip


def make_tool(name: str, drawing: "Drawing") -> "PointerTool | None":
    """A tool in hand, or None where the pointer only moves the crosshair."""
    if name in {"paint", "erase"}:
        return BrushTool(drawing, erase=name == "erase")
    if name in {"fill", "grow"}:
        return ClickTool(drawing, name)
    for kind in KIND_WORDS:
        if name == f"{ANNOTATION}{kind}":
            return AnnotateTool(drawing, kind)
    make = _OTHERS.get(name)
    return None if make is None else make(drawing)
