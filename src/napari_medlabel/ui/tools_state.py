"""What the Tools section shows, as a value; it knows no Qt, so that any state may hold it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from napari_medlabel.ui.histogram_state import IntensityState

__all__ = ["Segment", "ToolsState"]

Segment: TypeAlias = tuple[int, str, str]  # label value, name, colour


@dataclass(frozen=True, slots=True)
class ToolsState:
    """All that the Tools section shows.

    Parameters
    ----------
    tool
        The id of the tool in hand, "" for none: a drag moves the crosshair.
    settings
        Its options (`ToolSettings.of`).
    enabled
        Whether anything can be drawn.
    reason
        Why not, in words.
    segments
        Label value, name and colour of each segment.
    unit
        Of the image's values.
    span
        From its lowest to its highest value: how far a tolerance goes.
    threshold
        What the threshold's histogram shows.
    blocked
        Why the tool cannot preview or apply as things are ("Pick a segment first"); "" if it can.
    """

    tool: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)
    enabled: bool = True
    reason: str = ""
    segments: tuple[Segment, ...] = ()
    unit: str = ""
    span: float = 1000.0
    threshold: IntensityState = field(default_factory=lambda: IntensityState("threshold"))
    blocked: str = ""
