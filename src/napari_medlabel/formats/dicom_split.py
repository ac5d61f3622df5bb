"""Slices of one size and orientation told apart as volumes: by echo, type, b-value, time, file.

Several slices at one position are several volumes. They are told apart by the first attributes
that do so for every position; where none does, they stay together and are refused. Slices whose
values mean different things are never one volume, even where no position repeats.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np

from napari_medlabel.formats.dicom_geometry import stack_of
from napari_medlabel.formats.dicom_instance import InstanceFacts
from napari_medlabel.formats.dicom_naming import (
    ATTRIBUTES,
    GATED,
    PASSED,
    Attribute,
    Group,
    names_of,
    sortable,
    type_words,
)

__all__ = ["Group", "split"]

Worded = tuple[str, Group]  # a volume, and what to call it where no attribute does
Places = dict[Any, int]  # by a slice's key: a number for its position
Value = Callable[[InstanceFacts], Any]

_ASKED: Final = sorted(ATTRIBUTES, key=lambda one: one.rank)
# Orders that run through volumes, where no attribute tells them apart.
_NUMBER: Final[tuple[Value, str]] = (lambda facts: facts.instance_number, "volume")
_TIMES: Final[tuple[tuple[Value, str], ...]] = (
    (lambda facts: facts.acquired_s, "time"),
    (lambda facts: facts.content_s, "time"),
)
# What changes the meaning of a value.
_MEANINGS: Final[tuple[tuple[Value, str], ...]] = (
    (type_words, "type"),
    (lambda facts: facts.units, "unit"),
    (lambda facts: facts.rescale_type, "unit"),
)


def split(stack: Group) -> list[tuple[str, Group]]:
    """The volumes of slices of one size and orientation, each with its name."""
    places = _places(stack)
    if places is None:
        return [("", stack)]
    at = dict(zip((facts.key for facts in stack), places, strict=True))
    groups: list[Worded] = [("", stack)]
    if len(set(places)) < len(stack):
        groups = _split_repeated(stack, at)
    return names_of([part for one in groups for part in _split_by_meaning(*one)])


def _split_repeated(stack: Group, at: Places) -> list[Worded]:
    """Slices of which several lie at one position."""
    is_one_place = len(set(at.values())) == 1
    groups: list[Worded] = [("", stack)]
    for attribute in _ASKED:
        if attribute.rank == GATED:
            break
        if not (is_one_place and attribute.rank == PASSED):
            groups = [part for one in groups for part in _split_by(attribute, *one, at)]
    if is_one_place:
        # A cine of one slice; or no volume at all, unless an attribute tells all of them apart.
        return groups if all(len(group) == 1 for _, group in groups) else [("", stack)]
    groups = [part for one in groups for part in _in_order(*_NUMBER, *one, at)]
    for attribute in (one for one in _ASKED if one.rank == GATED):
        if _is_stepped({attribute.value(facts) for facts in stack}):
            groups = [part for one in groups for part in _split_by(attribute, *one, at)]
    for value, name in _TIMES:
        groups = [part for one in groups for part in _in_order(value, name, *one, at)]
    return [part for one in groups for part in _split_by_file(*one, at)]


def _is_stepped(values: set[float | None]) -> bool:
    """True for values that were chosen: each a fifth larger than the one before it, at least."""
    known = sorted(value for value in values if value)
    return len(known) == len(values) and all(b >= 1.2 * a for a, b in pairwise(known))


def _split_by_meaning(word: str, group: Group) -> list[Worded]:
    """Split what is not one quantity, wherever its slices are."""
    groups: list[Worded] = [(word, group)]
    for value, name in _MEANINGS:
        groups = [part for one in groups for part in _apart(value, name, *one)]
    return groups


def _apart(value: Value, name: str, word: str, group: Group) -> list[Worded]:
    parts: dict[Any, list[InstanceFacts]] = defaultdict(list)
    for facts in group:
        parts[value(facts)].append(facts)
    if len(parts) < 2:
        return [(word, group)]
    ordered = sorted(parts.items(), key=lambda item: sortable(item[0]))
    said = [f"{name} {n}" for n in range(1, len(parts) + 1)]
    return [(_joined(word, one), tuple(part)) for one, (_, part) in zip(said, ordered, strict=True)]


def _joined(word: str, more: str) -> str:
    return f"{word}, {more}" if word else more


def _places(stack: Group) -> list[int] | None:
    """A number for each slice's position; equal where slices are at one place."""
    ordered, grid = stack_of(stack)
    if grid is None:
        return None
    numbers = np.concatenate([[0], np.cumsum(~grid.repeated)]) if len(ordered) > 1 else [0]
    known = {facts.key: int(n) for facts, n in zip(ordered, numbers, strict=True)}
    return [known[facts.key] for facts in stack]


def _split_by(attribute: Attribute, word: str, group: Group, at: Places) -> list[Worded]:
    """Split by an attribute that is the same all through a volume; else leave as it is."""
    places = {at[facts.key] for facts in group}
    if len(places) == len(group):
        return [(word, group)]
    parts: dict[Any, list[InstanceFacts]] = defaultdict(list)
    for facts in group:
        parts[attribute.value(facts)].append(facts)
    covers = [[at[facts.key] for facts in part] for part in parts.values()]
    if len(parts) < 2 or not (
        _are_volumes(covers, places) or (attribute.overlaps and all(map(_is_run, covers)))
    ):
        return [(word, group)]
    ordered = sorted(parts.items(), key=lambda item: sortable(item[0]))
    return [(word, tuple(part)) for _, part in ordered]


def _are_volumes(covers: Sequence[Sequence[int]], places: set[int]) -> bool:
    """True where an attribute's values are volumes, not something that changes along the stack.

    Each has every position equally often; but for one that has each at most once, since the
    scan was stopped.
    """
    counts = [Counter(cover) for cover in covers]
    whole = [set(one) == places and len(set(one.values())) == 1 for one in counts]
    rest = [one for one, is_whole in zip(counts, whole, strict=True) if not is_whole]
    return not rest or (len(rest) == 1 and any(whole) and max(rest[0].values()) == 1)


def _is_run(places: Sequence[int]) -> bool:
    """True for two or more neighbouring positions, each once."""
    span = max(places) - min(places) + 1
    return len(places) == len(set(places)) == span > 1


def _in_order(value: Value, name: str, word: str, group: Group, at: Places) -> list[Worded]:
    """Split by an order that tells the slices at each position apart: the last resort.

    Only where it runs through whole volumes one after the other, or through all volumes at one
    position after the other; anything else may mix volumes up.
    """
    by_place: dict[int, list[InstanceFacts]] = defaultdict(list)
    for facts in group:
        by_place[at[facts.key]].append(facts)
    counts = {len(members) for members in by_place.values()}
    values = [[value(facts) for facts in members] for members in by_place.values()]
    if counts == {1} or len(counts) > 1 or any(None in one for one in values):
        return [(word, group)]
    if any(len(set(one)) < len(one) for one in values):
        return [(word, group)]  # of those that are alike nobody knows which comes first
    for members in by_place.values():
        members.sort(key=value)
        if not all(_runs_along(members, other) for other in (_NUMBER[0], _TIMES[0][0])):
            return [(word, group)]  # numbers and times contradict each other: which are right?
    volumes = [tuple(part) for part in zip(*by_place.values(), strict=True)]
    if not (_in_blocks(value, volumes) or _in_blocks(value, list(by_place.values()))):
        return [(word, group)]
    if value is _NUMBER[0] and not _in_step(list(by_place.values())):
        return [(word, group)]
    return [(_joined(word, f"{name} {n}"), part) for n, part in enumerate(volumes, 1)]


def _split_by_file(word: str, group: Group, at: Places) -> list[Worded]:
    """Split what is several whole volumes, each in a file of its own: the same one twice, say."""
    files: dict[Any, list[InstanceFacts]] = defaultdict(list)
    for facts in group:
        files[facts.place].append(facts)
    places = {at[facts.key] for facts in group}
    covers = [[at[facts.key] for facts in part] for part in files.values()]
    if len(files) < 2 or len(places) < 2 or any(sorted(c) != sorted(places) for c in covers):
        return [(word, group)]
    ordered = sorted(files.values(), key=_file_order)
    return [(_joined(word, f"file {n}"), tuple(part)) for n, part in enumerate(ordered, 1)]


def _file_order(part: Sequence[InstanceFacts]) -> tuple[object, ...]:
    first = part[0]
    return (first.series_number, first.instance_number or 0, first.sop_uid, first.syntax)


def _runs_along(members: Sequence[InstanceFacts], value: Value) -> bool:
    """True where another order, as far as it is known of all, does not run against this one."""
    values = [value(facts) for facts in members]
    return None in values or values == sorted(values)


def _in_step(places: Sequence[Sequence[InstanceFacts]]) -> bool:
    """True where numbers go on from one volume to the next alike at all positions."""
    numbers = np.array([[facts.instance_number for facts in members] for members in places])
    steps = np.diff(numbers, axis=1)
    return bool((steps == steps[0]).all())


def _in_blocks(value: Value, groups: Sequence[Sequence[InstanceFacts]]) -> bool:
    """True where the groups' ranges do not overlap."""
    values = [[value(facts) for facts in group] for group in groups]
    ranges = sorted((min(one), max(one)) for one in values)
    return all(last < following for (_, last), (following, _) in pairwise(ranges))
