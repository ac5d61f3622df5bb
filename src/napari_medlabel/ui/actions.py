"""Everything that can be done in the window, by key, menu or search: one list.

The methods named here are those of `Drawing` and its parts. `step_slice(1)` goes towards the head,
and so do Up and Page up. Tools are those of `tool_specs`, each an action.
"""

from collections.abc import Callable
from typing import Any, Final

from napari_medlabel.ui.action import (
    Action,
    Group,
    always,
    can_change,
    has_annotation,
    has_done,
    has_ending,
    has_number,
    has_outline,
    has_preset,
    has_preview,
    has_proposal,
    has_segment,
    has_segments,
    has_tool,
    has_undone,
)
from napari_medlabel.ui.assist.state import KINDS
from napari_medlabel.ui.start_actions import start_actions
from napari_medlabel.ui.tool_specs import ANNOTATION, SPECS, ToolSpec

__all__ = ["ACTIONS", "BY_ID", "WINDOW_ACTIONS", "missing_methods"]


def _active(drawing: Any) -> tuple[object, ...]:  # noqa: ANN401  # a Drawing
    return (drawing.choices.active,)


def _step(name: str, words: str, keys: tuple[str, ...], slices: int) -> Action:
    return Action(
        name, words, "Move", keys, "looking.step_slice", (slices,), also="scroll page jump",
        repeats=True,
    )  # fmt: skip


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


def _tool(spec: ToolSpec) -> Action:
    """The action that takes a tool; its tip and its synonyms are searched."""
    also = f"{spec.tip} {_ALSO.get(spec.id, '')}"
    keys = _TOOL_KEYS.get(spec.id, ())
    words = spec.words
    group: Group = "Paint" if spec.id in _PAINTERS else "Other tools"
    if spec.kind == "region":
        group = "Regions"
    elif spec.kind == "annotation":
        group = "Measure"
        verb = "Measure" if spec.id.removeprefix(ANNOTATION) in _MEASURES else "Annotate"
        words = f"{verb}: {words[0].lower()}{words[1:]}"
    rule = can_change if spec.kind == "draw" else (has_segment if group == "Regions" else always)
    name = spec.id.replace("_", "-").replace(":", "-")
    return Action(name, words, group, keys, "tools.set_tool", (spec.id,), rule, also)


def _switch(field: str) -> Callable[[Any], dict[str, object]]:
    """A choice about the views, the other way round."""
    return lambda drawing: {field: not getattr(drawing.sight.look, field)}


_PAINTERS: Final = {"paint", "erase", "smart_paint"}
_MEASURES: Final = {"distance", "angle", "ellipse", "rectangle"}
_OWN: Final = {"interpolate", "carry", "prompt"}  # tools that are actions of their own
_TOOL_KEYS: Final = {
    "paint": ("P", "2"), "erase": ("E", "1"), "fill": ("F", "4"), "polygon": ("3",),
    "lasso": ("L",), "grow": ("R",), "threshold": ("T",), "scissors": ("S",),
}  # fmt: skip
_ALSO: Final = {
    "paint": "brush draw pencil paintbrush",
    "erase": "eraser rubber remove",
    "fill": "bucket flood",
    "polygon": "draw corners contour outline",
    "lasso": "draw freehand contour outline scissors",
    "grow": "region growing wand connected threshold snake",
    "threshold": "otsu range HU level",
    "scissors": "smart livewire intelligent magnetic edge level tracing",
    "smart_paint": "adaptive brush edge",
    "seeds": "grow cut competing watershed",
    "fill_holes": "closing smoothing cavity",
    "islands": "largest connected component specks noise remove small keep",
    "smooth": "median gaussian joint smoothing",
    "margin": "dilate erode expand grow shrink mm",
    "hollow": "shell wall",
    "combine": "logical operators union subtract intersect add boolean",
    "copy_slice": "duplicate next",
    "mirror": "flip left right",
    "split": "islands connected components separate",
    "relabel": "rename merge change label value",
    "annotate:distance": "ruler line length mm",
    "annotate:angle": "degrees protractor",
    "annotate:ellipse": "ROI mean sd circle region of interest",
    "annotate:rectangle": "ROI mean sd box region of interest",
    "annotate:keypoints": "landmark fiducial markup point",
}
_MOVE = (
    _step("next-slice", "Next slice, towards the head", ("Up", "Right"), 1),
    _step("previous-slice", "Previous slice, towards the feet", ("Down", "Left"), -1),
    _step("ten-slices-up", "Ten slices towards the head", ("PgUp",), 10),
    _step("ten-slices-down", "Ten slices towards the feet", ("PgDown",), -10),
    Action("first-slice", "First slice", "Move", ("Home",), "looking.go_to_end", ("first",),
           also="begin"),
    Action("last-slice", "Last slice", "Move", ("End",), "looking.go_to_end", ("last",)),
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
    Action("axial", "Axial plane", "View", ("Ctrl+1",), "looking.set_plane", (0,),
           also="transverse orientation red"),
    Action("coronal", "Coronal plane", "View", ("Ctrl+2",), "looking.set_plane", (1,),
           also="frontal orientation green"),
    Action("sagittal", "Sagittal plane", "View", ("Ctrl+3",), "looking.set_plane", (2,),
           also="lateral orientation yellow"),
    Action("surfaces", "Surfaces in 3D", "View", ("Ctrl+4",), "looking.set_plane", (3,),
           also="3-D volume rendering solid large"),
    Action("make-large", "Make the view under the pointer the large one", "View", ("X",),
           "looking.make_large", also="maximize expand full size double click"),
    Action("next-layout", "Next layout of the views", "View", ("Shift+X",), "looking.next_layout",
           also="four-up tri-view 1+3 2x2 single conventional"),
    Action("fit-view", "Fit the image to the view", "View", ("Ctrl+0",), "looking.fit",
           also="reset field of view zoom to fit recenter"),
    Action("crosshair", "Crosshair on or off", "View", ("C",), "sight.choose",
           options=_switch("crosshair"), also="cursor slice intersections"),
    Action("link", "Link the zoom of the views on or off", "View", (), "sight.choose",
           options=_switch("linked"), also="synchronize zoom pan position"),
    Action("overlays", "Hide all overlays", "View", ("`",), "sight.choose",
           options=_switch("overlays"), also="letters annotations text scale bar corner"),
    Action("second-image", "Second image on or off", "View", (), "second.toggle",
           also="overlay fusion PET blend additional background volume show hide"),
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
    *(_tool(SPECS[name]) for name in ("paint", "erase", "smart_paint")),
    Action("no-tool", "Put the tool away", "Paint", ("6", "Z"), "tools.set_tool", ("",), has_tool,
           "navigate pan zoom select hand none"),
    Action("smaller-brush", "Smaller brush", "Paint", ("[",), "tools.step_size", (-1,),
           also="size radius diameter", repeats=True),
    Action("larger-brush", "Larger brush", "Paint", ("]",), "tools.step_size", (1,),
           also="size radius diameter", repeats=True),
    Action("ball", "Disc or ball", "Paint", ("D",), "tools.toggle_ball",
           also="sphere brush 3D shape round"),
    Action("intensity-mask", "Intensity mask on or off", "Paint", ("I",), "tools.toggle_mask",
           also="editable intensity range threshold paint masking HU"),
    Action("paint-over", "Next choice of what is painted over", "Paint", ("B",),
           "tools.next_paint_over", also="overwrite preserve labels editable area draw over"),
)  # fmt: skip

_TOOLS = (
    *(
        _tool(spec) for name, spec in SPECS.items()
        if spec.kind == "draw" and name not in _PAINTERS | _OWN
    ),
    Action("step-back", "Take the last corner or prompt back", "Other tools", ("Backspace",),
           "tools.step_back", rule=has_outline, also="undo point polygon scissors outline",
           passes_on=True, repeats=True),
    Action("interpolate", "Fill gaps between slices", "Other tools", ("G",), "tools.propose",
           ("interpolate",), has_segment, "interpolate fill between slices morphological"),
    Action("carry-up", "Carry to the next slice; with prompts, the next object", "Other tools",
           ("N",), "tools.carry", (1,), has_segment, "propagate copy slice track instance number"),
    Action("carry-down", "Carry to the previous slice", "Other tools", ("Shift+N",), "tools.carry",
           (-1,), has_segment, "propagate copy slice track"),
)  # fmt: skip

_REGIONS = tuple(_tool(spec) for spec in SPECS.values() if spec.kind == "region")

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
    Action("statistics", "Statistics of the segments", "Segments", (), rule=has_segments,
           also="volume mL mean HU standard deviation surface area diameter RECIST measure table"),
    Action("compare", "Compare with a version or a mask", "Segments", (),
           also="dice hausdorff HD95 ASSD difference agreement overlap ground truth"),
    Action("import-mask", "Import a mask", "Segments", (), rule=can_change,
           also="load segmentation NIfTI NRRD DICOM SEG RTSTRUCT label map"),
    Action("import-mask-folder", "Import a mask that is a folder", "Segments", (), rule=can_change,
           also="load segmentation DICOM SEG RTSTRUCT OME-Zarr"),
    Action("save-version", "Save a version", "Segments", (), rule=can_change,
           also="snapshot checkpoint keep state"),
    Action("versions", "Versions: list, restore, compare", "Segments", (),
           also="history snapshot checkpoint go back"),
    Action("only-this", "Show only this segment", "Segments", ("Shift+V",), "show_only",
           rule=has_segments, also="solo isolate hide others"),
)  # fmt: skip

_ASSIST = (
    Action("prompt", "Start a prompt", "Assist", ("A",), "tools.set_tool", ("prompt",), can_change,
           "AI click point box scribble assist"),
    *(
        Action(f"prompt-{spec.kind}", f"Prompt: {spec.words.lower()}", "Assist", (), "assist.take",
               (spec.kind,), can_change, f"AI {spec.tip}")
        for spec in KINDS
    ),
    Action("next-size", "Show the answer in another size", "Assist", ("H",), "assist.next_size",
           rule=has_preview, also="smaller larger scale alternative ambiguous AI",
           passes_on=True),
    Action("next-object", "Accept and begin the next object", "Assist", (), "assist.next_object",
           rule=has_segment, also="instance number lesion AI"),
    *start_actions(),
    Action("accept", "Accept the preview or close the outline", "Assist", ("Return",),
           "tools.accept", rule=has_ending, also="apply confirm ok", passes_on=True),
    Action("accept-slice", "Accept the preview on this slice", "Assist", ("Shift+Return",),
           "proposals.accept_slice", rule=has_preview, also="apply confirm", passes_on=True),
    Action("reject", "Reject the preview or leave the outline", "Assist", ("Esc",),
           "tools.leave", rule=has_proposal, also="cancel discard", passes_on=True),
)  # fmt: skip

_MEASURE = (
    Action(
        "measure",
        "Measure",
        "Measure",
        ("M",),
        "annotations.measure",
        rule=can_change,
        also="ruler annotation markup tools",
    ),
    *(_tool(spec) for spec in SPECS.values() if spec.kind == "annotation"),
    Action(
        "delete-annotation",
        "Delete the chosen measurement",
        "Measure",
        ("Del",),
        "annotations.remove_chosen",
        rule=has_annotation,
        also="remove annotation ROI box",
        passes_on=True,
    ),
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
    Action("annotate-tab", "Go to Annotate", "Everywhere", (), also="tab draw segments label"),
    Action("deface-tab", "Go to Deface: face, text and header", "Everywhere", (),
           also="tab deidentify anonymize privacy burned-in PHI remove"),
    Action("export-tab", "Go to Export", "Everywhere", (), also="tab save write NIfTI DICOM SEG"),
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
