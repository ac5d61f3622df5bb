"""A series' slices sorted into volumes, each checked: by orientation and size, then by kind.

`dicom_split` tells slices of one orientation and size apart.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Final

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
from napari_medlabel.formats.dicom_split import Group, split

__all__ = ["regular_parts", "volumes_of"]

MAX_STACKS: Final = 1000
_SAME_DIRECTION: Final = 1e-4  # of a unit vector; headers have six decimals


def volumes_of(instances: Sequence[InstanceFacts]) -> tuple[tuple[FoundVolume, ...], list[Problem]]:
    """The volumes of one series, each checked, and what is wrong with the series as a whole."""
    # In an order that has nothing to do with files, so that theirs never matters.
    canonical = sorted(instances, key=lambda facts: (facts.sop_uid, facts.frame, facts.tile_number))
    stacks = _stacks(canonical)
    if len(stacks) > MAX_STACKS:
        what = f"the slices have more than {MAX_STACKS} orientations or sizes: they are no volume"
        problem = Problem("mixed-orientation", what, blocking=True)
        return (FoundVolume("", None, (problem,), tuple(canonical)),), []
    labels = _stack_names(stacks)
    volumes: list[FoundVolume] = []
    for stack, label in zip(stacks, labels, strict=True):
        for own, group in split(stack):
            volumes.append(_checked(", ".join(part for part in (label, own) if part), group))
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
    layouts: dict[Hashable, dict[tuple[float, ...] | None, list[InstanceFacts]]] = {}
    for facts in instances:
        turned = layouts.setdefault(_layout(facts), {})
        turned.setdefault(facts.orientation, []).append(facts)
    stacks = [group for turned in layouts.values() for group in _by_direction(turned)]
    # Largest first, then by what the instances are: file names and their order never matter.
    ordered = sorted(stacks, key=lambda m: (-len(m), min(f.sop_uid for f in m)))
    return [tuple(members) for members in ordered]


def _by_direction(
    turned: Mapping[tuple[float, ...] | None, list[InstanceFacts]],
) -> list[list[InstanceFacts]]:
    """Slices whose directions are the same, to what headers round."""
    groups = [members for direction, members in turned.items() if direction is None]
    known = np.empty((min(len(turned), MAX_STACKS + 1), 6))
    found: list[list[InstanceFacts]] = []
    for direction, members in turned.items():
        if direction is None:
            continue
        count = len(found)
        near = np.abs(known[:count] - direction).max(axis=1) <= _SAME_DIRECTION
        if near.any():
            found[int(near.argmax())].extend(members)
        elif count <= MAX_STACKS:
            known[count] = direction
            found.append(members.copy())
        else:  # refused as a whole
            found[-1].extend(members)
    return groups + found


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
