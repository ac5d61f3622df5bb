"""A series' instances sorted into volumes: by orientation and size, then by echo, time, b-value.

Several slices at one position are several volumes. They are told apart by the first attributes
that do so for every position; where none does, they stay together and are refused.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from napari_medlabel.core.problem import Problem
from napari_medlabel.core.volume import FoundVolume
from napari_medlabel.errors import GeometryError
from napari_medlabel.formats.dicom_checks import INSTANCE_CHECKS, STACK_CHECKS, which
from napari_medlabel.formats.dicom_geometry import (
    geometry_of,
    plane_of,
    regular_runs,
    stack_of,
)
from napari_medlabel.formats.dicom_instance import InstanceFacts
from napari_medlabel.formats.dicom_quantities import no_suv, quantities_of
from napari_medlabel.formats.dicom_report import report_of

__all__ = ["regular_parts", "volumes_of"]

Group = tuple[InstanceFacts, ...]

_SAME_DIRECTION: Final = 1e-4  # of a unit vector; headers have six decimals


@dataclass(frozen=True, slots=True)
class Splitter:
    """An attribute that may tell volumes of one series apart, and what it is called.

    `overlaps` where its volumes may share only some positions, as two acquisitions do.
    """

    value: Callable[[InstanceFacts], Any]
    name: str
    overlaps: bool = False


SPLITTERS: Final[tuple[Splitter, ...]] = (
    Splitter(lambda facts: facts.echo_time, "echo"),
    Splitter(lambda facts: facts.image_type, "type"),
    Splitter(lambda facts: facts.inversion_time, "inversion time"),
    Splitter(lambda facts: facts.flip_angle, "flip angle"),
    Splitter(lambda facts: facts.repetition_time, "repetition time"),
    Splitter(lambda facts: facts.kernel, "kernel"),
    Splitter(lambda facts: facts.b_value, "b-value"),
    Splitter(lambda facts: facts.gradient, "direction"),
    Splitter(lambda facts: facts.temporal_position, "time"),
    Splitter(lambda facts: facts.frame_time, "time"),
    Splitter(lambda facts: facts.trigger_time, "phase"),
    Splitter(lambda facts: facts.dimensions, "dimension"),
    Splitter(lambda facts: facts.acquisition, "acquisition", overlaps=True),
)
# What the third and later values of ImageType call themselves: PS3.3 C.8.3.1.1.1 and makers.
_TYPE_NAMES: Final = {
    "M": "magnitude", "M_FFE": "magnitude", "M_SE": "magnitude", "M_IR": "magnitude",
    "MAGNITUDE": "magnitude", "P": "phase", "PHASE": "phase", "PHASE MAP": "phase",
    "R": "real", "REAL": "real", "I": "imaginary", "IMAGINARY": "imaginary",
    "IN_PHASE": "in phase", "OPP_PHASE": "opposed phase", "OUT_PHASE": "opposed phase",
    "W": "water", "WATER": "water", "F": "fat", "FAT": "fat", "ADC": "ADC", "FA": "FA",
    "B0 MAP": "field map", "DIXON": "Dixon",
}  # fmt: skip


def volumes_of(instances: Sequence[InstanceFacts]) -> tuple[tuple[FoundVolume, ...], list[Problem]]:
    """The volumes of one series, each checked, and what is wrong with the series as a whole."""
    stacks = _stacks(instances)
    labels = _stack_names(stacks)
    volumes: list[FoundVolume] = []
    for stack, label in zip(stacks, labels, strict=True):
        groups = _split(stack)
        for names, group in groups:
            name = ", ".join(part for part in (label, *names) if part)
            volumes.append(_checked(name, group))
    return tuple(volumes), list(mixed_orientation(stacks))


def regular_parts(volume: FoundVolume) -> tuple[FoundVolume, ...]:
    """A volume split into evenly spaced runs of slices, each a volume of its own.

    The volume itself where it is one grid already or has no positions at all. A run keeps its
    slices' other problems.
    """
    ordered, stack = stack_of(volume.parts)
    if volume.usable or stack is None or stack.repeated.any():
        return (volume,)
    runs = regular_runs(stack)
    if len(runs) == 1:
        return (volume,)
    names = [", ".join(filter(None, (volume.name, f"run {n}"))) for n in range(1, len(runs) + 1)]
    return tuple(
        _checked(name, ordered[start:stop]) for name, (start, stop) in zip(names, runs, strict=True)
    )


def _checked(name: str, group: Group) -> FoundVolume:
    ordered, stack = stack_of(group)
    problems = [problem for check in INSTANCE_CHECKS for problem in check(ordered)]
    problems.extend(no_suv(ordered))
    if stack is None:
        problems.insert(0, _no_position(ordered))
        report = report_of(ordered, None, None, problems)
        return FoundVolume(name, None, tuple(problems), ordered, report)
    found = [problem for check in STACK_CHECKS for problem in check(stack)]
    geometry = None
    if not any(problem.blocking for problem in found):
        try:
            geometry = geometry_of(stack)
        except GeometryError as error:
            found.append(Problem("no-position", error.what, error.hint, blocking=True))
    report = report_of(ordered, stack, geometry, [*found, *problems])
    return FoundVolume(
        name, geometry, (*found, *problems), ordered, report, quantities=quantities_of(ordered)
    )


def _no_position(group: Group) -> Problem:
    who = which(group, lambda facts: facts.position is None or facts.orientation is None)
    what = f"the header of {who} does not say where in the body it is"
    if not who:
        what = "rows and columns are not at right angles"
    return Problem("no-position", what, "it is a picture, not a part of a volume", blocking=True)


def mixed_orientation(stacks: Sequence[Group]) -> Iterable[Problem]:
    """Slices of several orientations in one series."""
    planes = [plane_of(s[0].orientation) for s in stacks if s[0].orientation is not None]
    directions = {_key(stack[0].orientation) for stack in stacks if stack[0].orientation}
    if len(directions) > 1:
        yield Problem(
            "mixed-orientation",
            f"the slices have {len(directions)} orientations ({', '.join(sorted(set(planes)))})",
            "each orientation is a volume of its own",
        )


def _key(orientation: Sequence[float] | None) -> tuple[float, ...]:
    return () if orientation is None else tuple(round(value, 3) for value in orientation)


def _stacks(instances: Sequence[InstanceFacts]) -> list[Group]:
    """Instances of one frame of reference, size, spacing and orientation, each its own group."""
    exact: dict[tuple[Hashable, ...], list[InstanceFacts]] = defaultdict(list)
    for facts in instances:
        exact[(_layout(facts), facts.orientation)].append(facts)
    stacks: list[tuple[Hashable, tuple[float, ...] | None, list[InstanceFacts]]] = []
    for (layout, _), members in exact.items():
        direction = members[0].orientation
        for other_layout, other, stack in stacks:
            if layout == other_layout and _same_direction(direction, other):
                stack.extend(members)
                break
        else:
            stacks.append((layout, direction, members))
    # Largest first, then by what the instances are: file names and their order never matter.
    ordered = sorted((m for _, _, m in stacks), key=lambda m: (-len(m), min(f.sop_uid for f in m)))
    return [tuple(members) for members in ordered]


def _layout(facts: InstanceFacts) -> Hashable:
    return (
        facts.frame_of_reference_uid,
        facts.rows,
        facts.columns,
        facts.pixel_spacing,
        facts.samples,
        facts.position is None,
        facts.place if facts.frames > 1 and facts.position is None else None,
        facts.stack,
    )


def _same_direction(a: Sequence[float] | None, b: Sequence[float] | None) -> bool:
    if a is None or b is None:
        return a is b
    return max(abs(x - y) for x, y in zip(a, b, strict=True)) <= _SAME_DIRECTION


def _stack_names(stacks: Sequence[Group]) -> list[str]:
    if len(stacks) == 1:
        return [""]
    planes = [plane_of(s[0].orientation) if s[0].orientation else "picture" for s in stacks]
    totals, seen = Counter(planes), Counter[str]()
    names = []
    for plane in planes:
        seen[plane] += 1
        names.append(f"{plane} {seen[plane]}" if totals[plane] > 1 else plane)
    return names


def _split(stack: Group) -> list[tuple[tuple[str, ...], Group]]:
    """The volumes that lie on the same positions, each with the words that name it."""
    places = _places(stack)
    if places is None or len(set(places)) in {1, len(stack)}:
        return [((), stack)]  # one slice for each position; or no volume at all: refused later
    at = dict(zip((facts.key for facts in stack), places, strict=True))
    groups: list[tuple[tuple[str, ...], Group]] = [((), stack)]
    for splitter in SPLITTERS:
        groups = [part for names, group in groups for part in _split_by(splitter, names, group, at)]
    groups = [part for names, group in groups for part in _split_by_number(names, group, at)]
    return [part for names, group in groups for part in _split_by_file(names, group, at)]


def _places(stack: Group) -> list[int] | None:
    """A number for each slice's position; equal where slices are at one place."""
    ordered, grid = stack_of(stack)
    if grid is None:
        return None
    numbers = np.concatenate([[0], np.cumsum(~grid.repeated)]) if len(ordered) > 1 else [0]
    known = {facts.key: int(n) for facts, n in zip(ordered, numbers, strict=True)}
    return [known[facts.key] for facts in stack]


def _split_by(
    splitter: Splitter, names: tuple[str, ...], group: Group, at: dict[Any, int]
) -> list[tuple[tuple[str, ...], Group]]:
    """Split by an attribute that is the same all through a volume; else leave as it is."""
    places = {at[facts.key] for facts in group}
    if len(places) == len(group):
        return [(names, group)]
    parts: dict[Any, list[InstanceFacts]] = defaultdict(list)
    for facts in group:
        parts[splitter.value(facts)].append(facts)
    if len(parts) < 2 or not _are_volumes(list(parts.values()), places, at, splitter):
        return [(names, group)]
    ordered = sorted(parts.items(), key=lambda item: _sortable(item[0]))
    words = _words(splitter, [value for value, _ in ordered])
    return [((*names, word), tuple(part)) for word, (_, part) in zip(words, ordered, strict=True)]


def _are_volumes(
    parts: Sequence[Sequence[InstanceFacts]], places: set[int], at: dict[Any, int], by: Splitter
) -> bool:
    """True where an attribute's values are volumes, not something that changes along the stack.

    Each covers all positions, but one that may be incomplete, since the scan was stopped.
    """
    covers = [[at[facts.key] for facts in part] for part in parts]
    if sum(set(cover) != places for cover in covers) <= 1:
        return True
    return by.overlaps and all(_is_run(cover) for cover in covers)


def _is_run(places: Sequence[int]) -> bool:
    """True for two or more neighbouring positions, each once."""
    span = max(places) - min(places) + 1
    return len(places) == len(set(places)) == span > 1


def _sortable(value: Any) -> tuple[bool, Any]:  # noqa: ANN401  # whatever an attribute holds
    return (value is not None, 0 if value is None else value)


def _words(splitter: Splitter, values: Sequence[Any]) -> list[str]:
    if splitter.name == "b-value":
        return ["b unknown" if value is None else f"b {value:g}" for value in values]
    if splitter.name == "type":
        named = [_type_name(value, values) for value in values]
        if all(named) and len(set(named)) == len(named):
            return named
    return [f"{splitter.name} {n}" for n in range(1, len(values) + 1)]


def _type_name(value: Sequence[str], others: Sequence[Sequence[str]]) -> str:
    """A known word for what is in this ImageType and not in all of them."""
    common = set(value).intersection(*map(set, others))
    own = [_TYPE_NAMES[word] for word in value if word not in common and word in _TYPE_NAMES]
    return own[0] if own else ""


def _split_by_number(
    names: tuple[str, ...], group: Group, at: dict[Any, int]
) -> list[tuple[tuple[str, ...], Group]]:
    """Split by the order of InstanceNumber: the last resort.

    Only where the numbers run through whole volumes one after the other, or through all volumes
    at one position after the other; anything else may mix volumes up.
    """
    by_place: dict[int, list[InstanceFacts]] = defaultdict(list)
    for facts in group:
        by_place[at[facts.key]].append(facts)
    counts = {len(members) for members in by_place.values()}
    if counts == {1} or len(counts) > 1 or any(f.instance_number is None for f in group):
        return [(names, group)]
    for members in by_place.values():
        members.sort(key=lambda facts: facts.instance_number or 0)
    volumes = [tuple(part) for part in zip(*by_place.values(), strict=True)]
    if not (_in_blocks(volumes) or _in_blocks(list(by_place.values()))):
        return [(names, group)]
    return [((*names, f"volume {n}"), part) for n, part in enumerate(volumes, 1)]


def _split_by_file(
    names: tuple[str, ...], group: Group, at: dict[Any, int]
) -> list[tuple[tuple[str, ...], Group]]:
    """Split what is several whole volumes, each in a file of its own: the same one twice, say."""
    files: dict[Any, list[InstanceFacts]] = defaultdict(list)
    for facts in group:
        files[facts.place].append(facts)
    places = {at[facts.key] for facts in group}
    covers = [[at[facts.key] for facts in part] for part in files.values()]
    if len(files) < 2 or len(places) < 2 or any(sorted(c) != sorted(places) for c in covers):
        return [(names, group)]
    ordered = sorted(files.values(), key=_file_order)
    return [((*names, f"file {n}"), tuple(part)) for n, part in enumerate(ordered, 1)]


def _file_order(part: Sequence[InstanceFacts]) -> tuple[object, ...]:
    first = part[0]
    return (first.series_number, first.instance_number or 0, first.sop_uid, first.syntax)


def _in_blocks(groups: Sequence[Sequence[InstanceFacts]]) -> bool:
    """True where the groups' ranges of numbers do not overlap."""
    ranges = sorted(
        (min(f.instance_number or 0 for f in g), max(f.instance_number or 0 for f in g))
        for g in groups
    )
    return all(last < following for (_, last), (following, _) in pairwise(ranges))
