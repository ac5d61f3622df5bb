"""Where an answer may go, by what a person has chosen; pure."""

from typing import Any, Final

from napari_medlabel.ui.annotate_state import Choices
from napari_medlabel.ui.assist.prompted import Prompted
from napari_medlabel.ui.assist.state import threshold_of

__all__ = ["SOURCE", "TOOL", "how_to_write", "is_refined", "rules_of"]

TOOL: Final = "prompt"  # in `tool_specs`
SOURCE: Final = "assist"  # of its previews


def how_to_write(choices: Choices, found: Prompted) -> dict[str, Any]:
    """What `commands.accept_answer` is given, besides the answer."""
    over, inside = choices.settings.of("paint")["paint_over"], choices.settings.of(TOOL)["inside"]
    return {
        "threshold": threshold_of(found.loose),
        "over_others": over == "unlocked",
        "only_over": over if isinstance(over, int) else None,
        "inside": inside if inside != choices.active else None,
    }


def rules_of(choices: Choices, edits: int) -> tuple[object, ...]:
    """All that decides it; where this differs, the same answer has to be cut again.

    Parameters
    ----------
    choices
        Of now.
    edits
        How many steps and locks there have been.
    """
    return (
        edits, choices.masked, choices.mask_limits, choices.mask_outside,
        choices.settings.of("paint")["paint_over"], choices.settings.of(TOOL)["inside"],
    )  # fmt: skip


def is_refined(choices: Choices, voxels: int) -> bool:
    """Whether prompts correct all of a segment that has so many voxels."""
    return choices.settings.of(TOOL)["object"] == "refine" and voxels > 0
