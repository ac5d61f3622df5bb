"""What was chosen for each tool, and the call that a tool makes with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from napari_medlabel.core.geometry import Index
from napari_medlabel.ui.tool_specs import SPECS, defaults

__all__ = ["Call", "Place", "ToolSettings", "call_of", "limit_words"]

SHARED: Final = frozenset({"paint_over", "mode", "shape"})  # one for all tools that have it


@dataclass(frozen=True, slots=True)
class ToolSettings:
    """What a person chose, tool by tool; what was not chosen is as declared."""

    chosen: Mapping[tuple[str, str], Any] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, tool: str) -> dict[str, Any]:
        """All options of a tool; none of a tool that is not declared."""
        if tool not in SPECS:
            return {}
        return {
            name: first if name == "tool" else self.chosen.get(_place(tool, name), first)
            for name, first in defaults(tool).items()
        }

    def with_option(self, tool: str, option: str, value: object) -> "ToolSettings":
        """The same with one option chosen."""
        return replace(
            self, chosen=MappingProxyType({**self.chosen, _place(tool, option): value})
        )  # fmt: skip


def _place(tool: str, option: str) -> tuple[str, str]:
    return ("", option) if option in SHARED else (tool, option)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tool is used.

    Parameters
    ----------
    active
        The label value of the segment that is drawn.
    axis
        Of the view's slices: 0, 1 or 2.
    index
        Of the slice that is shown.
    count
        How many slices there are along the axis.
    values
        The label values of all segments.
    seed
        The voxel that was clicked, for tools that need one.
    """

    active: int
    axis: int = 0
    index: int = 0
    count: int = 1
    values: Sequence[int] = ()
    seed: Index = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Call:
    """A command to call after session and case.

    Parameters
    ----------
    command
        Its name in `napari_medlabel.commands`.
    args, settings
        Its other arguments.
    only_over
        With a label value, only voxels of that segment may change: no command knows that.
    why_not
        What is missing before it can be called, in words; "" if nothing is.
    """

    command: str
    args: tuple[Any, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    only_over: int | None = None
    why_not: str = ""


def call_of(tool: str, settings: Mapping[str, Any], place: Place) -> Call | None:
    """The command that a tool calls with its options, or None of one that calls no command.

    Parameters
    ----------
    tool
        Its id in `tool_specs`.
    settings
        All of its options, as `ToolSettings.of` has them, and `paint_over`, if it heeds it.
    place
        Where.
    """
    make = _CALLS.get(tool)
    if make is None:
        return None
    if not place.active and tool not in {"interpolate", "seeds"}:
        return Call(tool, why_not="Pick a segment first")
    return make(settings, place)


def limit_words(settings: Mapping[str, Any]) -> str:
    """What the settings of a step say of a limit that it came to; "" where it did not."""
    return f"stopped at {settings['most_ml']:g} mL" if settings.get("limit_reached") else ""


def _axis(chosen: Mapping[str, Any], place: Place) -> int | None:
    return place.axis if chosen["extent"] == "slice" else None


def _over(chosen: Mapping[str, Any]) -> dict[str, bool]:
    return {"over_others": chosen.get("paint_over", "unlocked") != "empty"}


def _only(chosen: Mapping[str, Any]) -> int | None:
    over = chosen.get("paint_over")
    return over if isinstance(over, int) else None


def _values(chosen: Mapping[str, Any], place: Place) -> tuple[int, ...]:
    return (place.active,) if chosen["values"] == "active" else ()


def _fill(chosen: Mapping[str, Any], place: Place) -> Call:
    options = {"tolerance": chosen["tolerance"], "axis": _axis(chosen, place)}
    return Call("fill_region", (place.active, place.seed), options)


def _grow(chosen: Mapping[str, Any], place: Place) -> Call:
    options = {name: chosen[name] for name in ("tolerance", "factor")}
    options |= {"axis": _axis(chosen, place), **_over(chosen)}
    options["most_ml"] = chosen["most_ml"] if chosen["extent"] == "volume" else None
    return Call("grow_region", (place.active, place.seed), options, _only(chosen))


def _threshold(chosen: Mapping[str, Any], place: Place) -> Call:
    if chosen["limits"] is None:
        return Call("threshold", why_not="Choose a range first")
    lower, upper = chosen["limits"]
    options = {"lower": lower, "upper": upper, **_over(chosen)}
    return Call("threshold", (place.active,), options, _only(chosen))


def _interpolate(chosen: Mapping[str, Any], place: Place) -> Call:
    values = _values(chosen, place)
    if values == (0,):
        return Call("interpolate_slices", why_not="Pick a segment first")
    options = {"axis": chosen["axis"], "values": values, "by_image": chosen["by_image"]}
    return Call("interpolate_slices", (), options)


def _smart_paint(chosen: Mapping[str, Any], place: Place) -> Call:
    options = {"diameter_mm": chosen["diameter_mm"], "axis": place.axis, **_over(chosen)}
    return Call("paint_to_edge", (place.active, place.seed), options, _only(chosen))


def _seeds(chosen: Mapping[str, Any], place: Place) -> Call:
    if len(place.values) < 2:
        return Call("grow_from_seeds", why_not="Draw seeds of two segments first")
    names = ("outside", "margin_mm")
    return Call("grow_from_seeds", (), {name: chosen[name] for name in names})


def _carry(chosen: Mapping[str, Any], place: Place) -> Call:
    if not 0 <= place.index + chosen["direction"] < place.count:
        return Call("carry_slice", why_not="There is no slice beyond this one")
    options = {"step": int(chosen["count"]) * chosen["direction"], "axis": place.axis}
    return Call(
        "carry_slice", (place.active, place.index), {**options, "replace": chosen["replace"]}
    )  # fmt: skip


def _fill_holes(chosen: Mapping[str, Any], place: Place) -> Call:
    options = {"axis": _axis(chosen, place), "over_others": chosen["over_others"]}
    return Call("fill_holes", (place.active,), options)


def _islands(chosen: Mapping[str, Any], place: Place) -> Call:
    if chosen["how"] == "largest":
        return Call("keep_largest_islands", (place.active,), {"count": int(chosen["count"])})
    return Call("remove_small_islands", (place.active,), {"below_ml": chosen["below_ml"]})


def _smooth(chosen: Mapping[str, Any], place: Place) -> Call:
    if chosen["how"] == "median":
        return Call("smooth_median", (place.active,), {"size_mm": chosen["size_mm"]})
    sigma = {"sigma_mm": chosen["sigma_mm"]}
    if chosen["how"] == "gaussian":
        return Call("smooth_gaussian", (place.active,), sigma)
    return Call("smooth_jointly", (tuple(place.values),), sigma)


def _margin(chosen: Mapping[str, Any], place: Place) -> Call:
    return Call(f"{chosen['how']}_margin", (place.active,), {"by_mm": chosen["by_mm"]})


def _hollow(chosen: Mapping[str, Any], place: Place) -> Call:
    options = {name: chosen[name] for name in ("side", "thickness_mm")}
    return Call("hollow", (place.active,), options)


def _combine(chosen: Mapping[str, Any], place: Place) -> Call:
    if chosen["other"] in {None, place.active}:
        return Call("combine_segments", why_not="Pick another segment to combine with")
    options = {name: chosen[name] for name in ("how", "margin_mm")}
    return Call("combine_segments", (place.active, chosen["other"]), options)


def _copy_slice(chosen: Mapping[str, Any], place: Place) -> Call:
    target = place.index + chosen["direction"]
    if not 0 <= target < place.count:
        return Call("copy_slice", why_not="There is no slice beyond this one")
    options = {"axis": place.axis, "values": _values(chosen, place)}
    return Call("copy_slice", (place.index, target), options)


def _mirror(chosen: Mapping[str, Any], place: Place) -> Call:
    options = {name: chosen[name] for name in ("into", "over_others")}
    return Call("mirror_segment", (place.active,), options)


def _split(chosen: Mapping[str, Any], place: Place) -> Call:
    options = {"most": int(chosen["most"]), "smallest_ml": chosen["smallest_ml"]}
    return Call("split_islands", (place.active,), options)


def _relabel(chosen: Mapping[str, Any], place: Place) -> Call:
    if chosen["into"] in {None, place.active}:
        return Call("relabel_segments", why_not="Pick another segment to give the voxels to")
    return Call("relabel_segments", ({place.active: chosen["into"]},))


_CALLS: Final = {
    "fill": _fill, "grow": _grow, "threshold": _threshold, "interpolate": _interpolate,
    "smart_paint": _smart_paint, "seeds": _seeds, "fill_holes": _fill_holes, "islands": _islands,
    "smooth": _smooth, "margin": _margin, "hollow": _hollow, "combine": _combine,
    "carry": _carry,
    "copy_slice": _copy_slice, "mirror": _mirror, "split": _split, "relabel": _relabel,
}  # fmt: skip
