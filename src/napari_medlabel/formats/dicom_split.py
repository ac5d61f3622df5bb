"""Slices of one size and orientation told apart as volumes: by echo, type, b-value, time, file.

Several slices at one position are several volumes. They are told apart by the first attributes
that do so for every position; where none does, they stay together and are refused. Slices whose
values mean different things are never one volume, even where no position repeats.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from napari_medlabel.formats.dicom_geometry import stack_of
from napari_medlabel.formats.dicom_instance import InstanceFacts

__all__ = ["Group", "Named", "split"]

Group = tuple[InstanceFacts, ...]
Named = tuple[tuple[str, ...], Group]
Places = dict[Any, int]  # by a slice's key: a number for its position


@dataclass(frozen=True, slots=True)
class Splitter:
    """An attribute that may tell volumes of one series apart, and what it is called.

    `overlaps` where its volumes may share only some positions, as two acquisitions do;
    `is_chosen` for what a protocol sets or counts, unlike a time that merely passed.
    """

    value: Callable[[InstanceFacts], Any]
    name: str
    overlaps: bool = False
    is_chosen: bool = True


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
    Splitter(lambda facts: facts.acquired_s, "time", is_chosen=False),
    Splitter(lambda facts: facts.acquisition, "acquisition", overlaps=True, is_chosen=False),
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


def _type_words(facts: InstanceFacts) -> tuple[str, ...]:
    """What the ImageType says in known words."""
    return tuple(sorted({_TYPE_NAMES[word] for word in facts.image_type if word in _TYPE_NAMES}))


# What changes the meaning of a value; the last two also where each is of two or more slices only,
# since a few slices with a time of their own are no series.
_MEANINGS: Final[tuple[tuple[Splitter, bool], ...]] = (
    (Splitter(_type_words, "type"), True),
    (Splitter(lambda facts: facts.units, "unit"), True),
    (Splitter(lambda facts: facts.rescale_type, "unit"), True),
    (Splitter(lambda facts: facts.kernel, "kernel"), False),
    (Splitter(lambda facts: None if facts.echo_time is None else round(facts.echo_time, 2),
              "echo"), False),
)  # fmt: skip
# Orders that run through volumes, where nothing else tells them apart.
_ORDERS: Final[tuple[Splitter, ...]] = (
    Splitter(lambda facts: facts.instance_number, "volume"),
    Splitter(lambda facts: facts.acquired_s, "time"),
    Splitter(lambda facts: facts.content_s, "time"),
)


def split(stack: Group) -> list[Named]:
    """The volumes of slices of one size and orientation, each with the words that name it."""
    places = _places(stack)
    if places is None:
        return [((), stack)]
    at = dict(zip((facts.key for facts in stack), places, strict=True))
    groups: list[Named] = [((), stack)]
    if len(set(places)) < len(stack):
        groups = _split_repeated(stack, at)
    return [part for names, group in groups for part in _split_by_meaning(names, group)]


def _split_repeated(stack: Group, at: Places) -> list[Named]:
    """Slices of which several lie at one position."""
    groups: list[Named] = [((), stack)]
    is_one_place = len(set(at.values())) == 1
    for splitter in SPLITTERS:
        if splitter.is_chosen or not is_one_place:
            groups = [part for one in groups for part in _split_by(splitter, *one, at)]
    if is_one_place:
        # A cine of one slice; or no volume at all, unless an attribute tells all of them apart.
        return groups if all(len(group) == 1 for _, group in groups) else [((), stack)]
    for order in _ORDERS:
        groups = [part for names, group in groups for part in _in_order(order, names, group, at)]
    return [part for names, group in groups for part in _split_by_file(names, group, at)]


def _split_by_meaning(names: tuple[str, ...], group: Group) -> list[Named]:
    """Split what is not one quantity, wherever its slices are."""
    groups: list[Named] = [(names, group)]
    for splitter, always in _MEANINGS:
        groups = [part for one in groups for part in _apart(splitter, *one, always=always)]
    return groups


def _apart(
    splitter: Splitter, names: tuple[str, ...], group: Group, *, always: bool
) -> list[Named]:
    parts: dict[Any, list[InstanceFacts]] = defaultdict(list)
    for facts in group:
        parts[splitter.value(facts)].append(facts)
    if len(parts) < 2 or not (always or min(map(len, parts.values())) > 1):
        return [(names, group)]
    ordered = sorted(parts.items(), key=lambda item: _sortable(item[0]))
    words = [f"{splitter.name} {n}" for n in range(1, len(parts) + 1)]
    if splitter.value is _type_words:
        words = [" ".join(value) or word for (value, _), word in zip(ordered, words, strict=True)]
    return [((*names, word), tuple(part)) for word, (_, part) in zip(words, ordered, strict=True)]


def _places(stack: Group) -> list[int] | None:
    """A number for each slice's position; equal where slices are at one place."""
    ordered, grid = stack_of(stack)
    if grid is None:
        return None
    numbers = np.concatenate([[0], np.cumsum(~grid.repeated)]) if len(ordered) > 1 else [0]
    known = {facts.key: int(n) for facts, n in zip(ordered, numbers, strict=True)}
    return [known[facts.key] for facts in stack]


def _split_by(splitter: Splitter, names: tuple[str, ...], group: Group, at: Places) -> list[Named]:
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
    parts: Sequence[Sequence[InstanceFacts]], places: set[int], at: Places, by: Splitter
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


def _in_order(order: Splitter, names: tuple[str, ...], group: Group, at: Places) -> list[Named]:
    """Split by an order that tells the slices at each position apart: the last resort.

    Only where it runs through whole volumes one after the other, or through all volumes at one
    position after the other; anything else may mix volumes up.
    """
    by_place: dict[int, list[InstanceFacts]] = defaultdict(list)
    for facts in group:
        by_place[at[facts.key]].append(facts)
    counts = {len(members) for members in by_place.values()}
    values = [[order.value(facts) for facts in members] for members in by_place.values()]
    if counts == {1} or len(counts) > 1 or any(None in one for one in values):
        return [(names, group)]
    if any(len(set(one)) < len(one) for one in values):
        return [(names, group)]  # of those that are alike nobody knows which comes first
    for members in by_place.values():
        members.sort(key=order.value)
    volumes = [tuple(part) for part in zip(*by_place.values(), strict=True)]
    if not (_in_blocks(order, volumes) or _in_blocks(order, list(by_place.values()))):
        return [(names, group)]
    return [((*names, f"{order.name} {n}"), part) for n, part in enumerate(volumes, 1)]


def _split_by_file(names: tuple[str, ...], group: Group, at: Places) -> list[Named]:
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


def _in_blocks(order: Splitter, groups: Sequence[Sequence[InstanceFacts]]) -> bool:
    """True where the groups' ranges do not overlap."""
    values = [[order.value(facts) for facts in group] for group in groups]
    ranges = sorted((min(one), max(one)) for one in values)
    return all(last < following for (_, last), (following, _) in pairwise(ranges))
