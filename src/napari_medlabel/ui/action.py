"""What an action is: its words, its keys, which method of `Drawing` does it, and when it cannot.

Methods are named, not referred to, so that the list of actions needs no window and no case:
"looking.step_slice" is that method of that part of `Drawing`. A test holds every name to it. An
action without a method is for the window to do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from napari_medlabel.ui.tool_specs import SPECS

__all__ = [
    "GROUPS",
    "Action",
    "Facts",
    "Group",
    "always",
    "can_change",
    "facts_of",
    "has_annotation",
    "has_done",
    "has_ending",
    "has_number",
    "has_outline",
    "has_preset",
    "has_preview",
    "has_proposal",
    "has_segment",
    "has_segments",
    "has_tool",
    "has_undone",
]

Group = Literal["Move", "View", "Paint", "Other tools", "Regions", "Segments", "Assist", "Measure",
                "Everywhere"]  # fmt: skip
GROUPS: Final[tuple[Group, ...]] = (
    "Move", "View", "Paint", "Other tools", "Regions", "Segments", "Assist", "Measure",
    "Everywhere",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides whether something can be done now."""

    read_only: str = ""
    segments: int = 0
    active: int = 0
    presets: int = 0
    tool: str = ""
    preview: bool = False
    making: bool = False
    under_way: bool = False
    can_undo: bool = False
    can_redo: bool = False
    annotation: bool = False
    prompts: bool = False
    prompts_undone: bool = False
    defacing: bool = False
    strokes: int = 0
    strokes_undone: bool = False


def facts_of(drawing: Any) -> Facts:  # noqa: ANN401  # a Drawing, or what stands for one in a test
    """The facts about an open case; cheap, since each key asks for them."""
    segmentation, choices = drawing.case.segmentation, drawing.choices
    proposals = drawing.proposals
    return Facts(
        segmentation.read_only, len(segmentation.schema), choices.active, len(choices.windows),
        choices.tool, proposals.open is not None, bool(proposals.making),
        drawing.tools.under_way, segmentation.can_undo, segmentation.can_redo,
        bool(drawing.annotations.chosen), drawing.assist.can_step_back,
        drawing.assist.can_step_on, *drawing.deface.facts,
    )  # fmt: skip


Rule = Callable[[Facts], str]
# What the Deface tab has a use of its own for, and what is only for segments.
_IN_DEFACE: Final = frozenset({
    "paint", "erase", "no-tool", "smaller-brush", "larger-brush", "ball", "accept", "reject",
})  # fmt: skip
_NOT_IN_DEFACE: Final = frozenset({
    "Paint", "Other tools", "Regions", "Segments", "Assist", "Measure",
})  # fmt: skip


def always(_facts: Facts) -> str:
    """Nothing keeps anybody from it."""
    return ""


def can_change(facts: Facts) -> str:
    """It changes segments."""
    return facts.read_only


def has_segments(facts: Facts) -> str:
    """There is a segment."""
    return "" if facts.segments else "There is no segment yet"


def has_segment(facts: Facts) -> str:
    """It changes the segment that is drawn."""
    return (
        facts.read_only or has_segments(facts) or ("" if facts.active else "Pick a segment first")
    )


def has_preview(facts: Facts) -> str:
    """A preview waits for an answer."""
    return "" if facts.preview else "There is no preview"


def has_proposal(facts: Facts) -> str:
    """A preview waits for an answer, or is being made, or a tool waits for more."""
    there = facts.preview or facts.making or facts.under_way or facts.prompts
    return "" if there else "There is no preview"


def has_ending(facts: Facts) -> str:
    """A preview waits for an answer, or a tool to be told that this is all."""
    return "" if facts.preview or facts.under_way else "There is no preview"


def has_outline(facts: Facts) -> str:
    """A tool waits for more, or prompts were given."""
    return "" if facts.under_way or facts.prompts else "No outline is under way"


def has_annotation(facts: Facts) -> str:
    """A measurement or annotation is chosen."""
    return facts.read_only or ("" if facts.annotation else "No measurement is chosen")


def has_tool(facts: Facts) -> str:
    """A tool is in the hand."""
    return "" if facts.tool else "No tool is in use"


def has_done(facts: Facts) -> str:
    """There is a step or a prompt to take back."""
    there = facts.can_undo or facts.prompts
    return facts.read_only or ("" if there else "There is nothing to undo")


def has_undone(facts: Facts) -> str:
    """There is a step or a prompt to make again."""
    there = facts.can_redo or facts.prompts_undone
    return facts.read_only or ("" if there else "There is nothing to redo")


def has_number(number: int) -> Rule:
    """There is a segment in that row, from 1."""
    return lambda facts: "" if facts.segments >= number else f"There is no segment {number}"


def has_preset(number: int) -> Rule:
    """There is a window preset in that place, from 1."""
    return lambda facts: "" if facts.presets >= number else f"There is no window preset {number}"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done.

    Parameters
    ----------
    id
        Its name in settings and tests: "next-slice". It never changes.
    words
        For people: "Next slice".
    group
        Where it stands in lists.
    keys
        As they are given out with the program: "Ctrl+Z", "PgUp", "Shift+1".
    method, args
        Which method of `Drawing` or of a part of it does it, with what. Without a method the
        window does it.
    given, options
        Make the arguments from the drawing, by place and by name, where they are known only then.
    rule
        Why it cannot be done now, or nothing.
    also
        Other words that people look for it by, those of other programs among them.
    passes_on
        While it cannot be done its keys are left to whatever else wants them.
    repeats
        A key that is held down does it again and again.
    """

    id: str
    words: str
    group: Group
    keys: tuple[str, ...] = ()
    method: str = ""
    args: tuple[object, ...] = ()
    rule: Rule = always
    also: str = ""
    given: Callable[[Any], tuple[object, ...]] | None = None
    options: Callable[[Any], dict[str, object]] | None = None
    passes_on: bool = False
    repeats: bool = False

    def is_there(self, drawing: object) -> bool:
        """Whether the drawing, or a class with its parts, can do it."""
        if self.method == "tools.set_tool" and self.args[0] not in {"", *SPECS}:
            return False
        return not self.method or self._method(drawing) is not None

    def why_not(self, drawing: object) -> str:
        """Why it cannot be done now; "" where it can."""
        if not self.is_there(drawing):
            return "Not part of this version"
        facts = facts_of(drawing)
        return self.deface_rule(facts) if facts.defacing else self.rule(facts)

    def deface_rule(self, facts: Facts) -> str:
        """Why it cannot be done while the Deface tab is open, which draws nothing but its own."""
        if self.id in {"undo", "redo"}:
            there = facts.strokes if self.id == "undo" else facts.strokes_undone
            return "" if there else f"There is no stroke to {self.id}"
        if self.id in _IN_DEFACE:
            return ""
        if self.group in _NOT_IN_DEFACE or self.id == "history":
            return "Go back to Annotate for this"
        return self.rule(facts)

    def run(self, drawing: object) -> object:
        """Do it to the case that is open."""
        method = self._method(drawing)
        if method is None:
            raise AttributeError(self.method)
        args = self.args if self.given is None else self.given(drawing)
        return method(*args, **({} if self.options is None else self.options(drawing)))

    def _method(self, drawing: object) -> Callable[..., object] | None:
        found: object = drawing
        for name in self.method.split("."):
            found = getattr(found, name, None)
        return found if callable(found) else None
