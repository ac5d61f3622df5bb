"""The tools and their options, declared: what they are called, their key, what can be chosen.

An option is named as the parameter of the command that it is for. `tool_calls` makes the call.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from napari_medlabel.core.annotation import KIND_WORDS, Kind
from napari_medlabel.core.interpolation import REACH_MM

__all__ = [
    "ANNOTATION",
    "MAIN", "MORE", "ONE_BUTTON", "SPECS", "Buttons", "Choice", "Number", "Option", "Range",
    "SegmentPick", "Switch", "ToolSpec", "defaults", "spec_of", "visible_options",
]  # fmt: skip

# Units
MM, ML, VALUE = "mm", "mL", "value"  # "value" is shown as the unit of the image

When: TypeAlias = tuple[str, object]


@dataclass(frozen=True, slots=True)
class Number:
    """A number: a slider, where there is room, and a field.

    Parameters
    ----------
    name
        The parameter.
    words
        What it is called; "" without a label.
    unit
        "mm", "mL", "%", "value" (the image's) or "".
    low, high
        The limits of the field.
    default
        Its first value; None only with `none`.
    decimals
        Digits after the point.
    none
        What the lowest place says if it means None: "Auto".
    slider
        Whether it has one; its steps are fine where values are small.
    beside
        Whether it stands on the row of the option before it.
    when
        The option and its value with which this one is shown; None: always.
    tip
        What it does, and its keys.
    """

    name: str
    words: str
    unit: str
    low: float
    high: float
    default: float | None
    decimals: int = 1
    none: str = ""
    slider: bool = True
    beside: bool = False
    when: When | None = None
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few, all in sight or, with `folded`, in a list; values beside their words."""

    name: str
    words: str
    choices: tuple[tuple[object, str], ...]
    folded: bool = False
    beside: bool = False
    when: When | None = None
    tip: str = ""

    @property
    def default(self) -> object:
        """The first."""
        return self.choices[0][0]


@dataclass(frozen=True, slots=True)
class Switch:
    """On or off."""

    name: str
    words: str
    default: bool = False
    beside: bool = False
    when: When | None = None
    tip: str = ""


@dataclass(frozen=True, slots=True)
class SegmentPick:
    """A segment's label value; `first` are values beside their words that stand before all."""

    name: str
    words: str
    first: tuple[tuple[object, str], ...] = ()
    prefix: str = ""
    beside: bool = False
    when: When | None = None
    tip: str = ""

    @property
    def default(self) -> object:
        """The first; None where a segment must be picked."""
        return self.first[0][0] if self.first else None


@dataclass(frozen=True, slots=True)
class Range:
    """Two image values with a histogram; its setting is `(low, high)` or None before there is one.

    What it shows is an `IntensityState`, which the window makes.
    """

    name: str = "limits"
    words: str = ""
    default: object = None
    beside: bool = False
    when: When | None = None


@dataclass(frozen=True, slots=True)
class Buttons:
    """What the tool does at once: an action and its words; the first is the main one."""

    buttons: tuple[tuple[str, str, str], ...]
    name: str = ""
    words: str = ""
    default: object = None
    beside: bool = False
    when: When | None = None


Option: TypeAlias = Number | Choice | Switch | SegmentPick | Range | Buttons
Kinds = Literal["draw", "region", "annotation"]


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool: `hint` says how it is used where its options leave room."""

    id: str
    words: str
    key: str
    icon: str
    kind: Kinds
    tip: str
    options: tuple[Option, ...] = ()
    hint: str = ""


# Options that several tools have. One is one for all of them: see `SHARED`.
_OVER = SegmentPick(
    "paint_over", "Paint over", (("unlocked", "Everything unlocked"), ("empty", "Empty only")),
    prefix="Only ", tip="What may be painted over; locked segments never are",
)  # fmt: skip
_OUTLINER = Choice(
    "tool", "Draw", (("polygon", "Corners"), ("lasso", "Freehand")),
    tip="Corners   3\nFreehand   L",
)  # fmt: skip
_SHAPE = Choice(
    "shape", "Shape", (("disc", "Disc, this slice"), ("ball", "Ball, 3D")),
    tip="Disc or ball   D",
)  # fmt: skip
_MODE = Choice(
    "mode", "Outline", (("add", "Add"), ("subtract", "Subtract"), ("new", "New")),
    tip="Add what is inside, take it away, or replace what is on this slice",
)  # fmt: skip
_EXTENT = Choice(
    "extent", "Where", (("slice", "This slice"), ("volume", "Connected, 3D")),
)  # fmt: skip
_PREVIEW = Buttons((("preview", "Preview", "Show what it would do   Enter accepts"),))
_PREVIEW_BESIDE = Buttons(_PREVIEW.buttons, beside=True)


def _size(words: str, name: str = "size_mm") -> Number:
    return Number(name, words, MM, 0.5, 80.0, 10.0, tip=f"{words} size   [  and  ]")


_DRAW: Final = (
    ToolSpec(
        "paint", "Paint", "P", "paint", "draw", "Paint. Hold Ctrl to erase",
        (_size("Brush"), _SHAPE, _OVER),
    ),
    ToolSpec(
        "erase", "Erase", "E", "erase", "draw", "Erase. It keeps a size of its own",
        (_size("Eraser"), _SHAPE, Choice(
            "erase_from", "Erase", (("active", "This segment"), ("unlocked", "All unlocked")),
        )),
    ),
    ToolSpec(
        "fill", "Fill", "F", "fill", "draw", "Fill the region under a click",
        (_EXTENT, Number(
            "tolerance", "Tolerance", VALUE, 0.0, 500.0, None, 0, none="Off",
            tip="How much the image may differ from the click; off fills all of one segment",
        )),
        "Click into the region to fill.",
    ),
    ToolSpec(
        "polygon", "Polygon", "3", "polygon", "draw", "Polygon. Double click closes it",
        (_OUTLINER, _MODE, _OVER),
    ),
    ToolSpec(
        "grow", "Grow", "R", "grow", "draw", "Grow a segment from a click to edges of the image",
        (Choice("extent", "Where", (("slice", "This slice"), ("volume", "In 3D"))), Number(
            "most_ml", "Limit", ML, 0.1, 10_000.0, None, 1, none="No limit", slider=False,
            beside=True, when=("extent", "volume"),
            tip="The largest volume that it grows to; of more the part around the click is kept",
        ), Number(
            "tolerance", "Tolerance", VALUE, 0.0, 500.0, None, 0, none="Auto",
            tip="How much the image may differ from the click; Auto learns it there",
        ), Number(
            "factor", "Spread", "", 0.5, 6.0, 2.5, when=("tolerance", None),
            tip="Standard deviations around the mean of what was found so far",
        )),
    ),
    ToolSpec(
        "threshold", "Threshold", "T", "threshold", "draw", "All voxels between two values",
        (Range(),),
    ),
    ToolSpec(
        "scissors", "Scissors", "S", "scissors", "draw", "Outline that follows edges of the image",
        (_MODE, Number(
            "scale_mm", "Edges", MM, 0.5, 5.0, 1.0,
            tip="How fine the edges are that it follows",
        ), _OVER),
    ),
    ToolSpec(
        "interpolate", "Interpolate", "G", "interpolate", "draw", "Fill slices between drawn ones",
        (Choice("axis", "Slices", ((0, "Axial"), (1, "Coronal"), (2, "Sagittal"))),
         Choice("values", "Of", (("active", "This segment"), ("all", "All segments"))),
         Switch("by_image", "Follow image", tip=(
             f"Edges of the image pull the border by up to {REACH_MM:g} mm"
         )), _PREVIEW_BESIDE),
    ),
    ToolSpec(
        "lasso", "Lasso", "L", "lasso", "draw", "Freehand outline. Letting go closes it",
        (_OUTLINER, _MODE, _OVER),
    ),
    ToolSpec(
        "smart_paint", "Smart paint", "", "smart-paint", "draw",
        "A brush that stops at edges of the image", (_size("Brush", "diameter_mm"), _OVER),
    ),
    ToolSpec(
        "seeds", "Grow from seeds", "", "point", "draw",
        "Segments grow from what was drawn until they meet",
        (SegmentPick("outside", "Outside", ((None, "None"),), tip=(
            "The segment that stands for what is not wanted: only its seeds are left"
        )), Number(
            "margin_mm", "Margin", MM, 0.0, 200.0, 20.0, 0,
            tip="How far around all seeds they may grow",
        ), _PREVIEW),
    ),
    ToolSpec(
        "prompt", "Assist", "A", "assist", "draw", "Point at an object: the rest is found",
        (Choice(
            "object", "Object", (("new", "New"), ("refine", "Refine segment")),
            tip="A new object is added to the segment; refining corrects what it has",
        ), SegmentPick(
            "inside", "Inside", ((None, "Anywhere"),), prefix="Only ",
            tip="The object lies in this segment, and takes from it alone",
        ), _OVER),
    ),
    ToolSpec(
        "carry", "Carry", "N", "carry", "draw", "Carry this slice to the next ones",
        (Number("count", "Slices", "", 1, 50, 1, 0, tip="How many slices   N"),
         Choice("direction", "Towards", ((1, "Next"), (-1, "Previous"))),
         Switch("replace", "Replace", tip="Also on slices that have some of the segment already"),
         _PREVIEW_BESIDE),
    ),
)  # fmt: skip

_REGION: Final = (
    ToolSpec(
        "fill_holes", "Fill holes", "", "holes", "region", "Fill what the segment encloses",
        (Choice("extent", "Where", (("slice", "In each slice"), ("volume", "In 3D"))),
         Switch("over_others", "Over other segments"), _PREVIEW),
    ),
    ToolSpec(
        "islands", "Islands", "", "islands", "region", "Keep the largest parts, or drop small ones",
        (Choice("how", "Islands", (("largest", "Keep largest"), ("small", "Drop small"))),
         Number("count", "Keep", "", 1, 50, 1, 0, when=("how", "largest")),
         Number("below_ml", "Below", ML, 0.0, 1000.0, 1.0, 2, when=("how", "small")), _PREVIEW),
    ),
    ToolSpec(
        "smooth", "Smooth", "", "smooth", "region", "Smooth a border",
        (Choice("how", "By", (("median", "Median"), ("gaussian", "Gauss"), ("joint", "Joint")),
                tip="Joint smooths all segments together, without gaps between them"),
         Number("size_mm", "Size", MM, 0.5, 30.0, 3.0, when=("how", "median")),
         Number("sigma_mm", "Sigma", MM, 0.2, 15.0, 1.5, when=("how", ("gaussian", "joint"))),
         _PREVIEW),
    ),
    ToolSpec(
        "margin", "Margin", "", "margin", "region", "Grow or shrink by millimetres",
        (Choice("how", "Margin", (("grow", "Grow"), ("shrink", "Shrink"))),
         Number("by_mm", "By", MM, 0.1, 50.0, 2.0), _PREVIEW),
    ),
    ToolSpec(
        "hollow", "Hollow", "", "hollow", "region", "Leave a shell along the border",
        (Choice("side", "Shell", (("inside", "Inside"), ("outside", "Outside"), ("both", "Both"))),
         Number("thickness_mm", "Thick", MM, 0.1, 50.0, 3.0), _PREVIEW),
    ),
    ToolSpec(
        "combine", "Combine", "", "combine", "region", "Join with or cut by another segment",
        (Choice("how", "Do", (("union", "Join"), ("subtract", "Subtract"),
                              ("intersect", "Intersect"))),
         SegmentPick("other", "With"),
         Number("margin_mm", "Margin", MM, 0.0, 50.0, 0.0, slider=False), _PREVIEW_BESIDE),
    ),
    ToolSpec(
        "copy_slice", "Copy slice", "", "copy", "region", "Draw this slice's labels on the next",
        (Choice("direction", "To", ((1, "Next slice"), (-1, "Previous slice"))),
         Choice("values", "Of", (("active", "This segment"), ("all", "All segments"))),
         Buttons((("apply", "Copy slice", "Copy it now"),))),
    ),
    ToolSpec(
        "mirror", "Mirror", "", "mirror", "region", "Left for right, in the middle of the volume",
        (SegmentPick("into", "Into", ((None, "The same segment"),)),
         Switch("over_others", "Over other segments"), _PREVIEW),
    ),
    ToolSpec(
        "split", "Split", "", "split", "region", "A new segment for each island",
        (Number("most", "At most", "", 1, 100, 20, 0),
         Number("smallest_ml", "From", ML, 0.0, 1000.0, 0.0, 2),
         Buttons((("apply", "Split segment", "One step that can be undone"),))),
    ),
    ToolSpec(
        "relabel", "Relabel", "", "relabel", "region", "Give its voxels to another segment",
        (SegmentPick("into", "Into"),
         Buttons((("apply", "Relabel", "One step that can be undone"),))),
    ),
)  # fmt: skip

_HINTS: Final[dict[Kind, str]] = {
    "distance": "Click two points. Drag an end to move it.",
    "angle": "Click three points; the second is the corner.",
    "ellipse": "Drag from corner to corner. Mean and sd of the image stand beside it.",
    "rectangle": "Drag from corner to corner. Mean and sd of the image stand beside it.",
    "box": "Drag from corner to corner.",
    "oriented-box": "Drag along one side, then click how wide it is.",
    "polygon": "Click corners, double click closes.",
    "cuboid": "Drag from corner to corner, then drag its ends in another view.",
    "keypoints": "Click each point; its name can be typed.",
}
ANNOTATION: Final = "annotate:"  # before a kind of `core.annotation`: "polygon" is a tool, too


def _annotation(kind: Kind, words: str) -> ToolSpec:
    return ToolSpec(
        f"{ANNOTATION}{kind}", words, "", kind, "annotation", f"{words}. {_HINTS[kind]}", (),
        _HINTS[kind],
    )  # fmt: skip


SPECS: Final[dict[str, ToolSpec]] = {
    spec.id: spec
    for spec in (*_DRAW, *_REGION, *(_annotation(*item) for item in KIND_WORDS.items()))
}
MAIN: Final = (
    "paint", "erase", "fill", "polygon", "grow", "threshold", "scissors", "interpolate",
)  # fmt: skip
ONE_BUTTON: Final = {"lasso": "polygon"}  # tools that share the button of another
MORE: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("Draw", ("smart_paint", "seeds", "carry")),
    ("Change the segment", tuple(spec.id for spec in _REGION)),
    ("Measure", tuple(f"{ANNOTATION}{kind}" for kind in (
        "distance", "angle", "ellipse", "rectangle"
    ))),
    ("Annotate", tuple(f"{ANNOTATION}{kind}" for kind in (
        "box", "oriented-box", "polygon", "cuboid", "keypoints"
    ))),
)  # fmt: skip


def spec_of(tool: str) -> ToolSpec | None:
    """The tool's declaration; None for no tool."""
    return SPECS.get(tool)


def defaults(tool: str) -> dict[str, Any]:
    """What a tool's options begin with; `tool` among them chooses another tool."""
    spec = SPECS[tool]
    first = {option.name: option.default for option in spec.options if option.name}
    return {**first, "tool": tool} if "tool" in first else first


def visible_options(spec: ToolSpec, settings: Mapping[str, object]) -> tuple[Option, ...]:
    """The options that count with these settings."""
    first = defaults(spec.id)
    return tuple(
        option for option in spec.options
        if option.when is None or _is(settings.get(option.when[0], first[option.when[0]]),
                                      option.when[1])
    )  # fmt: skip


def _is(value: object, wanted: object) -> bool:
    return value in wanted if isinstance(wanted, tuple) else value == wanted
