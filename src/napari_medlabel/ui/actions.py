"""Everything that can be done in the window, by key, menu or search: one list.

The methods named here are those of `Drawing`. `step_slice(1)` goes towards the head, and so do
Up and Page up; tools are named as `Drawing.set_tool` takes them.
"""

from typing import Any, Final

from napari_medlabel.ui.action import (
    Action,
    Group,
    can_change,
    has_done,
    has_number,
    has_preset,
    has_preview,
    has_segment,
    has_segments,
    has_tool,
    has_undone,
)

__all__ = ["ACTIONS", "BY_ID", "WINDOW_ACTIONS", "missing_methods"]


def _active(drawing: Any) -> tuple[object, ...]:  # noqa: ANN401  # a Drawing
    return (drawing.choices.active,)


def _preset(number: int) -> Action:
    def window(drawing: Any) -> tuple[object, ...]:  # noqa: ANN401
        return (drawing.choices.windows[number - 1],)

    return Action(
        f"preset-{number}", f"Window preset {number}", "View", (f"Alt+{number}",), "set_window",
        rule=has_preset(number), given=window, also="window level W/L contrast brightness",
    )  # fmt: skip


def _number(number: int) -> Action:
    return Action(
        f"pick-{number}", f"Pick segment {number}", "Segments", (f"Shift+{number}",),
        "pick_number", (number,), has_number(number), also="label select active",
    )  # fmt: skip


def _tool(name: str, words: str, keys: tuple[str, ...], also: str = "") -> Action:
    group: Group = "Paint" if name in {"paint", "erase"} else "Other tools"
    return Action(name, words, group, keys, "set_tool", (name,), can_change, also)


def _region(name: str, words: str, also: str = "") -> Action:
    return Action(name, words, "Regions", (), "open_region_tool", (name,), has_segment, also)


def _measure(name: str, words: str, also: str) -> Action:
    return Action(f"measure-{name}", words, "Measure", (), "set_tool", (name,), also=also)


_MOVE = (
    Action("next-slice", "Next slice, towards the head", "Move", ("Up", "Right"), "step_slice",
           (1,), also="forward scroll", repeats=True),
    Action("previous-slice", "Previous slice, towards the feet", "Move", ("Down", "Left"),
           "step_slice", (-1,), also="back scroll", repeats=True),
    Action("ten-slices-up", "Ten slices towards the head", "Move", ("PgUp",), "step_slice", (10,),
           also="page jump", repeats=True),
    Action("ten-slices-down", "Ten slices towards the feet", "Move", ("PgDown",), "step_slice",
           (-10,), also="page jump", repeats=True),
    Action("first-slice", "First slice", "Move", ("Home",), "go_to_end", ("first",), also="begin"),
    Action("last-slice", "Last slice", "Move", ("End",), "go_to_end", ("last",)),
    Action("next-labelled", "Next labelled slice", "Move", ("Ctrl+Up", "Ctrl+Right"),
           "next_labelled", (1,), has_segments, "jump drawn segmented", repeats=True),
    Action("previous-labelled", "Previous labelled slice", "Move", ("Ctrl+Down", "Ctrl+Left"),
           "next_labelled", (-1,), has_segments, "jump drawn segmented", repeats=True),
    Action("next-gap", "Next gap in the labels", "Move", (".",), "next_gap", (1,), has_segments,
           "missing slice unlabelled", repeats=True),
    Action("previous-gap", "Previous gap in the labels", "Move", (",",), "next_gap", (-1,),
           has_segments, "missing slice unlabelled", repeats=True),
    Action("next-finding", "Next finding", "Move", ("J",), "next_finding",
           also="problem check quality QC issue"),
)  # fmt: skip

_VIEW = (
    Action("axial", "Axial plane", "View", ("Ctrl+1",), "set_plane", (0,),
           also="transverse orientation red"),
    Action("coronal", "Coronal plane", "View", ("Ctrl+2",), "set_plane", (1,),
           also="frontal orientation green"),
    Action("sagittal", "Sagittal plane", "View", ("Ctrl+3",), "set_plane", (2,),
           also="lateral orientation yellow"),
    Action("make-large", "Make the view under the pointer the large one", "View", ("X",),
           "make_large", also="maximize expand full size double click"),
    Action("next-layout", "Next layout of the views", "View", ("Shift+X",), "next_layout",
           also="four-up tri-view 1+3 2x2 single conventional"),
    Action("fit-view", "Fit the image to the view", "View", ("Ctrl+0",), "fit_view",
           also="reset field of view zoom to fit recenter"),
    Action("crosshair", "Crosshair on or off", "View", ("C",), "toggle_crosshair",
           also="cursor slice intersections"),
    Action("overlays", "Hide all overlays", "View", ("`",), "toggle_overlay",
           also="letters annotations text scale bar corner"),
    Action("show-segments", "Labels on or off", "View", ("V",), "toggle_shown",
           also="segmentation visibility show hide mask"),
    Action("outline", "Outline or fill", "View", ("O",), "next_style",
           also="contour style opacity border"),
    Action("less-opaque", "Labels more transparent", "View", (), "step_opacity", (-1,),
           also="opacity fill fade", repeats=True),
    Action("more-opaque", "Labels less transparent", "View", (), "step_opacity", (1,),
           also="opacity fill", repeats=True),
    Action("invert", "Invert the greys", "View", ("Alt+I",), "invert",
           also="negative black white colour map"),
    *(_preset(number) for number in range(1, 10)),
)  # fmt: skip

_PAINT = (
    _tool("paint", "Paint", ("P", "2"), "brush draw pencil paintbrush"),
    _tool("erase", "Erase", ("E", "1"), "eraser rubber remove"),
    Action("no-tool", "Put the tool away", "Paint", ("6", "Z"), "set_tool", ("",), has_tool,
           "navigate pan zoom select hand none"),
    Action("smaller-brush", "Smaller brush", "Paint", ("[",), "step_brush", (-1,),
           also="size radius diameter", repeats=True),
    Action("larger-brush", "Larger brush", "Paint", ("]",), "step_brush", (1,),
           also="size radius diameter", repeats=True),
    Action("ball", "Disc or ball", "Paint", ("D",), "toggle_ball",
           also="sphere brush 3D shape round"),
    Action("intensity-mask", "Intensity mask on or off", "Paint", ("I",), "toggle_intensity_mask",
           also="editable intensity range threshold paint masking HU"),
    Action("paint-over", "Next choice of what is painted over", "Paint", ("B",),
           "next_paint_over", also="overwrite preserve labels editable area draw over"),
)  # fmt: skip

_TOOLS = (
    _tool("fill", "Fill", ("F", "4"), "bucket flood"),
    _tool("lasso", "Lasso and polygon", ("L", "3"), "draw freehand contour outline scissors"),
    _tool("grow", "Grow", ("R",), "region growing wand connected threshold snake"),
    _tool("threshold", "Threshold", ("T",), "otsu range HU level"),
    _tool("scissors", "Smart scissors", ("S",), "livewire intelligent magnetic edge level tracing"),
    Action("interpolate", "Fill gaps between slices", "Other tools", ("G",), "interpolate",
           rule=has_segment, also="interpolate fill between slices morphological"),
    Action("carry-up", "Carry to the next slice", "Other tools", ("N",), "carry", (1,),
           has_segment, "propagate copy slice track"),
    Action("carry-down", "Carry to the previous slice", "Other tools", ("Shift+N",), "carry", (-1,),
           has_segment, "propagate copy slice track"),
)  # fmt: skip

_REGIONS = (
    _region("fill-holes", "Fill holes", "closing smoothing cavity"),
    _region("keep-largest", "Keep the largest island", "largest component islands"),
    _region("small-islands", "Remove small islands", "components specks noise islands"),
    _region("smooth", "Smooth", "median gaussian joint smoothing"),
    _region("margin", "Grow or shrink by a margin", "dilate erode margin mm expand"),
    _region("hollow", "Make hollow", "shell wall"),
    _region("combine", "Add, subtract or intersect", "logical operators union boolean copy"),
    _region("mirror", "Mirror to the other side", "flip left right"),
    _region("split", "Split into parts", "islands connected components separate"),
    _region("grow-seeds", "Grow from seeds", "grow cut competing"),
)

_SEGMENTS = (
    Action("previous-segment", "Previous segment", "Segments", ("Q",), "pick_next", (-1,),
           has_segments, "label", repeats=True),
    Action("next-segment", "Next segment", "Segments", ("W",), "pick_next", (1,), has_segments,
           "label", repeats=True),
    *(_number(number) for number in range(1, 10)),
    Action("pick-under", "Pick the segment under the pointer", "Segments", ("5",), "pick_under",
           rule=has_segments, also="label picker pipette eyedropper"),
    Action("lock", "Lock or unlock", "Segments", ("K",), "toggle_lock", rule=has_segment,
           also="protect freeze", given=_active),
    Action("add-segment", "Add a segment", "Segments", ("Ctrl+Shift+N",), "add_segment",
           rule=can_change, also="new label create"),
    Action("only-this", "Show only this segment", "Segments", ("Shift+V",), "show_only",
           rule=has_segments, also="solo isolate hide others", given=_active),
)  # fmt: skip

_ASSIST = (
    Action("prompt", "Start a prompt", "Assist", ("A",), "set_tool", ("prompt",), can_change,
           "AI click point box scribble assist"),
    Action("accept", "Accept the preview", "Assist", ("Return",), "accept", rule=has_preview,
           also="apply confirm ok", passes_on=True),
    Action("accept-slice", "Accept the preview on this slice", "Assist", ("Shift+Return",),
           "accept_slice", rule=has_preview, also="apply confirm", passes_on=True),
    Action("reject", "Reject the preview", "Assist", ("Esc",), "reject", rule=has_preview,
           also="cancel discard", passes_on=True),
)  # fmt: skip

_MEASURE = (
    Action("measure", "Measure", "Measure", ("M",), also="ruler distance angle ROI annotation"),
    _measure("distance", "Measure a distance", "ruler line length mm"),
    _measure("angle", "Measure an angle", "degrees"),
    _measure("ellipse", "Measure in an ellipse", "ROI mean sd circle"),
    _measure("rectangle", "Measure in a rectangle", "ROI mean sd box"),
)

_EVERYWHERE = (
    Action("undo", "Undo", "Everywhere", ("Ctrl+Z",), "undo", rule=has_done, also="take back",
           repeats=True),
    Action("redo", "Redo", "Everywhere", ("Ctrl+Y", "Ctrl+Shift+Z"), "redo", rule=has_undone,
           also="again", repeats=True),
    Action("history", "Show the history", "Everywhere", ("Ctrl+Alt+Z",),
           also="steps undo list restore"),
    Action("find-action", "Find an action", "Everywhere", ("Ctrl+K",),
           also="search command palette"),
    Action("keys", "This list", "Everywhere", ("?",), also="keys shortcuts cheat sheet help"),
    Action("change-keys", "Change keys", "Everywhere", (),
           also="shortcuts preferences settings 3D Slicer ITK-SNAP bindings"),
    Action("lock-workspace", "Lock the workspace", "Everywhere", ("Ctrl+L",),
           also="sign out leave away"),
)  # fmt: skip

ACTIONS: Final[tuple[Action, ...]] = (
    *_MOVE, *_VIEW, *_PAINT, *_TOOLS, *_REGIONS, *_SEGMENTS, *_ASSIST, *_MEASURE, *_EVERYWHERE,
)  # fmt: skip
BY_ID: Final = {action.id: action for action in ACTIONS}
WINDOW_ACTIONS: Final = tuple(action.id for action in ACTIONS if not action.method)


def missing_methods(drawing: object) -> dict[str, tuple[str, ...]]:
    """Methods named here that the drawing, or its class, has not, with the actions they are for."""
    wanted: dict[str, tuple[str, ...]] = {}
    for action in ACTIONS:
        if not action.is_there(drawing):
            wanted[action.method] = (*wanted.get(action.method, ()), action.id)
    return wanted
