"""The tools of an open case: which one is in hand, its options, and what it proposes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject, QTimer

from napari_medlabel import commands
from napari_medlabel.core.geometry import BoolArray, Index
from napari_medlabel.core.segmentation import IntensityMask
from napari_medlabel.ui import brush
from napari_medlabel.ui.hand import PointerTool, UnderWay
from napari_medlabel.ui.histogram_state import around
from napari_medlabel.ui.paint_over import PaintOver
from napari_medlabel.ui.planes.greys import slice_of
from napari_medlabel.ui.sight import RangePreview
from napari_medlabel.ui.tool_options import OTSU, RESET
from napari_medlabel.ui.tool_previews import ToolPreviews
from napari_medlabel.ui.tool_specs import spec_of
from napari_medlabel.ui.tools.brush_tool import BrushTool
from napari_medlabel.ui.tools.making import make_tool

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["NAPARI_MODES", "Toolbox"]

# What a tool is on napari's own canvas.
NAPARI_MODES: Final = {"paint": "paint", "erase": "erase", "fill": "fill", "polygon": "polygon"}
SIZED: Final = {"paint": "size_mm", "erase": "size_mm", "smart_paint": "diameter_mm"}
SIZE_SHOWN_MS = 1200


class Toolbox(QObject):
    """Takes tools in hand, keeps their options and asks commands what they would do."""

    def __init__(self, drawing: "Drawing") -> None:
        super().__init__(drawing)
        self._drawing = drawing
        self._made: dict[str, PointerTool | None] = {}
        self.eraser: PointerTool = BrushTool(drawing, erase=True)
        self._made["erase"] = self.eraser
        self.size_shown = False
        self._size_timer = QTimer(self)
        self._size_timer.setSingleShot(True)
        self._size_timer.setInterval(SIZE_SHOWN_MS)
        self._size_timer.timeout.connect(self._hide_size)
        self._previews = ToolPreviews(drawing, self)
        drawing.changed.connect(self._keep_range)

    # Which

    @property
    def pointer(self) -> PointerTool | None:
        """What the left button does; None moves the crosshair."""
        return self._tool(self._drawing.choices.tool)

    def set_tool(self, tool: str) -> None:
        """Take a tool; the same again puts it away."""
        drawing = self._drawing
        if drawing.deface.shown:
            drawing.deface.take(tool)
            return
        wanted = "" if tool == drawing.choices.tool else tool
        if wanted and drawing.read_only:
            return
        spec = spec_of(wanted)
        if wanted and not drawing.choices.active and spec and spec.kind == "draw":
            drawing.add_segment()  # nobody should meet a brush that paints nothing
        held = self.pointer
        if held is not None:
            held.cancel()
        if isinstance(drawing.sight.proposal, RangePreview):
            drawing.proposals.show(None)
        drawing.choose(tool=wanted)
        self.lay_hold()
        if wanted == "threshold":
            self.preview_range()
        drawing.sight.repaint()

    def lay_hold(self) -> None:
        """Give napari's own canvas the same tool, while it is shown."""
        drawing = self._drawing
        tool = drawing.choices.tool if drawing.looking.on_canvas else ""
        drawing.layers.over = self.paint_over(erase=tool == "erase")
        mode, dimensions = NAPARI_MODES.get(tool, "pan_zoom"), 3 if drawing.choices.ball else 2
        drawing.layers.canvas.lay_hold(mode, self.size_mm, dimensions)

    def _tool(self, name: str) -> PointerTool | None:
        if name not in self._made:
            self._made[name] = make_tool(name, self._drawing)
        return self._made[name]

    # Options

    def set_option(self, tool: str, option: str, value: object) -> None:
        """Change an option; one that names another tool takes that in hand."""
        drawing = self._drawing
        if option == "tool":
            if drawing.choices.tool != value:
                self.set_tool(str(value))
            return
        drawing.choose(settings=drawing.choices.settings.with_option(tool, option, value))
        if option in {"size_mm", "diameter_mm"}:
            self._show_size()
        self.lay_hold()
        if drawing.choices.tool == "threshold" and option in {"limits", "paint_over"}:
            self.preview_range()
        self._previews.option_changed("" if option == "paint_over" else tool)
        drawing.sight.repaint()

    @property
    def size_mm(self) -> float:
        """The brush's size; erasing keeps its own."""
        choices = self._drawing.choices
        tool = choices.tool if choices.tool in SIZED else "paint"
        return float(choices.settings.of(tool)[SIZED[tool]])

    def set_size(self, size_mm: float) -> None:
        """Set the size of the tool in hand."""
        tool = self._drawing.choices.tool
        tool = tool if tool in SIZED else "paint"
        size = min(max(size_mm, brush.SMALLEST_MM), brush.LARGEST_MM)
        self.set_option(tool, SIZED[tool], size)

    def step_size(self, step: int) -> None:
        """A little larger or smaller."""
        self.set_size((brush.larger if step > 0 else brush.smaller)(self.size_mm))

    def toggle_ball(self) -> None:
        """A ball across slices, or a disc in one."""
        self.set_option("paint", "shape", "disc" if self._drawing.choices.ball else "ball")

    def paint_over(self, *, erase: bool = False) -> PaintOver:
        """What a stroke may cover."""
        choices = self._drawing.choices
        if erase:
            if choices.settings.of("erase")["erase_from"] == "active":
                return PaintOver("segment", choices.active)
            return PaintOver()
        over = choices.settings.of("paint")["paint_over"]
        if isinstance(over, int):
            return PaintOver("segment", over)
        return PaintOver("empty") if over == "empty" else PaintOver()

    def next_paint_over(self) -> None:
        """Everything unlocked, empty only, only the segment in hand; and round."""
        over = self._drawing.choices.settings.of("paint")["paint_over"]
        active = self._drawing.choices.active
        order: list[object] = ["unlocked", "empty", *([active] if active else [])]
        n = order.index(over) if over in order else 0
        self.set_option("paint", "paint_over", order[(n + 1) % len(order)])

    # The intensity mask

    def toggle_mask(self) -> None:
        """The intensity mask on or off."""
        self.set_mask(on=not self._drawing.choices.masked)

    def set_mask(
        self, *, on: bool | None = None, limits: tuple[float, float] | None = None,
        outside: bool | None = None,
    ) -> None:  # fmt: skip
        """Let only voxels change whose image value lies in a range, or only others."""
        drawing = self._drawing
        chosen = drawing.choices
        on = chosen.masked if on is None else on
        outside = chosen.mask_outside if outside is None else outside
        limits = limits or chosen.mask_limits or drawing.layers.window.limits
        low, high = min(limits), max(limits)
        mask = IntensityMask(drawing.sight.image, low, high, outside) if on else None
        drawing.case.segmentation.intensity_mask = mask
        drawing.choose(masked=on, mask_limits=(low, high), mask_outside=outside)
        drawing.sight.repaint()

    def set_around(self, by: float | None) -> None:
        """Let limits follow each click, its value plus and minus so much; None fixes them."""
        self._drawing.choose(mask_around=by)

    def reset_mask(self) -> None:
        """The limits that the slice in sight suggests: what the window shows."""
        self.set_mask(limits=self._drawing.layers.window.limits)

    def clicked(self, kji: Index) -> None:
        """A stroke begins here: limits that follow clicks do so."""
        by = self._drawing.choices.mask_around
        if by is not None and self._drawing.choices.masked:
            self.set_mask(limits=around(self._drawing.sight.value_at(kji), by))

    @property
    def mask_settings(self) -> dict[str, Any]:
        """What provenance keeps of the mask in force."""
        chosen = self._drawing.choices
        if not chosen.masked or chosen.mask_limits is None:
            return {}
        kept: dict[str, Any] = {"intensity_mask": list(chosen.mask_limits)}
        return kept | ({"outside": True} if chosen.mask_outside else {})

    # What they do

    @property
    def blocked(self) -> str:
        """Why the tool in hand cannot do anything as things are; "" if it can."""
        return self._previews.blocked

    def propose(
        self, tool: str = "", *, seed: Index | None = None, at_once: bool = False,
        part: tuple[int, int] | None = None,
    ) -> None:  # fmt: skip
        """Ask what the tool would do with its options: a preview, or written when it is there."""
        wanted = tool or self._drawing.choices.tool
        self._previews.propose(wanted, seed=seed, at_once=at_once, part=part)

    def carry(self, step: int) -> None:
        """Carry this slice to the next or previous one; asked again, accept that and go on.

        With prompts in hand the next is the next object.
        """
        if step > 0 and self._drawing.assist.in_hand:
            self._drawing.assist.next_object()
        else:
            self._previews.carry(step)

    # What is under way

    @property
    def under_way(self) -> bool:
        """True while the tool in hand waits for more, as an outline does, or a mark is moved."""
        tool = self.pointer
        waits = isinstance(tool, UnderWay) and tool.under_way
        return waits or self._drawing.hand.moves_annotation

    def accept(self) -> None:
        """End what is under way, as closing an outline does; else accept the preview."""
        if self._drawing.deface.shown:
            self._drawing.deface.accept()
            return
        tool = self.pointer
        if not (isinstance(tool, UnderWay) and tool.finish()):
            self._drawing.proposals.accept()

    def leave(self) -> None:
        """Leave what is under way; else reject the preview."""
        if self._drawing.deface.shown:
            self._drawing.deface.face.leave()
        elif self._drawing.hand.moves_annotation:
            self._drawing.hand.let_go()
        elif self.under_way and self.pointer is not None:
            self.pointer.cancel()
        else:
            self._drawing.proposals.reject()

    def step_back(self) -> None:
        """Take the last corner back, or the last prompt."""
        tool = self.pointer
        if isinstance(tool, UnderWay) and tool.under_way:
            tool.step_back()
        else:
            self._drawing.assist.step_back()

    def press(self, action: str) -> None:
        """A button of the tool's options."""
        if action == "preview":
            self.propose()
        elif action == "apply":
            self.apply()
        elif action == OTSU:
            self._otsu()
        elif action == RESET:
            self.set_option("threshold", "limits", self._drawing.layers.window.limits)

    def _otsu(self) -> None:
        drawing = self._drawing

        def found() -> None:
            low = commands.otsu_threshold(drawing.session, drawing.case)
            high = float(np.max(slice_of(drawing.sight.image, 0, drawing.sight.position[0])))
            self.set_option("threshold", "limits", (low, max(high, low)))

        drawing.do(found)

    def preview_range(self) -> None:
        """Show what the threshold's range has, slice by slice."""
        drawing = self._drawing
        limits = drawing.choices.settings.of("threshold")["limits"]
        if limits is None:
            limits = drawing.layers.window.limits
            chosen = drawing.choices.settings.with_option("threshold", "limits", limits)
            drawing.choose(settings=chosen)
        active = drawing.choices.active
        labels = drawing.layers.drawn_of(drawing.case.segmentation.group_of(active))
        over = _unlocked(self.paint_over(), drawing.case.segmentation.locked)
        mask = drawing.case.segmentation.intensity_mask
        drawing.proposals.show(
            RangePreview(drawing.sight.image, labels, limits, active, over, mask=mask)
        )

    def _keep_range(self) -> None:
        """Another segment is in hand, another lock or mask is on: show what accepting would do."""
        drawing, shown = self._drawing, self._drawing.sight.proposal
        if not isinstance(shown, RangePreview):
            return
        over = _unlocked(self.paint_over(), drawing.case.segmentation.locked)
        mask = drawing.case.segmentation.intensity_mask
        if (shown.value, shown.over, shown.mask) != (drawing.choices.active, over, mask):
            self.preview_range()

    def apply_range(self, part: tuple[int, int] | None) -> None:
        """Write what the threshold's range has, all of it or one slice."""
        self.propose("threshold", at_once=True, part=part)

    def apply(self, tool: str = "") -> None:
        """Do it now: one step that can be undone."""
        self.propose(tool, at_once=True)

    def _show_size(self) -> None:
        self.size_shown = True
        self._size_timer.start()

    def _hide_size(self) -> None:
        self.size_shown = False
        self._drawing.sight.changed.emit()


@dataclass(frozen=True, slots=True)
class _Unlocked(PaintOver):
    """What a stroke may cover, locked segments left out."""

    locked: frozenset[int] = frozenset()

    def allows(self, present: npt.NDArray[Any], value: int) -> BoolArray | None:
        """Where `value` may go."""
        allowed = PaintOver.allows(self, present, value)
        held = np.isin(present, [*self.locked]) | (value in self.locked)
        return np.asarray(~held if allowed is None else allowed & ~held)


def _unlocked(over: PaintOver, locked: frozenset[int]) -> PaintOver:
    return _Unlocked(over.kind, over.value, locked) if locked else over
