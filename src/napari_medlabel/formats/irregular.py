"""What can be done about slices that are no one right-angled grid, on request and never by itself.

A choice makes a series of other volumes from a series: evenly spaced runs, the longest run, or
volumes that will be resampled while they are read. They are opened as all others are, and say in
their problems what was done.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from napari_medlabel.core.derivation import Choice, Derivation, Irregular, SlicePlanes
from napari_medlabel.core.geometry import FloatArray, Geometry
from napari_medlabel.core.problem import Problem
from napari_medlabel.core.volume import FoundVolume, Series, VolumeReader
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.formats.dicom_geometry import longest_run, stack_of
from napari_medlabel.formats.dicom_instance import InstanceFacts
from napari_medlabel.formats.dicom_volumes import regular_parts, volumes_of
from napari_medlabel.formats.resample import ResampledReader, derivation_of, fill_value, made_up
from napari_medlabel.formats.resample_plan import Plan, plan_of

__all__ = ["Resampling", "choices_for", "pieces_of", "recipe_of", "with_choice"]

# What resampling mends: where slices are, never what is in them.
_MENDED: Final = frozenset({"gantry-tilt", "missing-slice", "uneven-spacing", "uneven-shift"})


@dataclass(frozen=True, slots=True, eq=False)
class Resampling:
    """The only part of a volume that is to be resampled: what it is made from, and how.

    `found` is opened as any other volume; where its slices are is in `planes`, and its own grid
    stands in for one that it does not have.
    """

    found: FoundVolume
    planes: SlicePlanes
    plan: Plan
    nearest: bool

    def derivation(self, unit: str, dtype: Any) -> Derivation:  # noqa: ANN401  # a numpy dtype
        """What is said of a volume that was made so, of values of this unit and type."""
        return derivation_of(
            self.planes,
            self.plan,
            method="nearest" if self.nearest else "linear",
            fill=fill_value(unit, dtype),
        )

    def reader(self, inner: VolumeReader, derived: FoundVolume) -> ResampledReader:
        """The reader of the derived volume; `inner` reads `found`."""
        recipe = self.derivation(inner.unit, inner.dtype)
        return ResampledReader(inner, self.plan, recipe, derived)


def with_choice(series: Series, choice: Choice) -> Series:
    """The series with every volume replaced by what the choice makes of it.

    Volumes that are one right-angled grid stay as they are, unless they are to be resampled to a
    step; so do those of which nothing can be made: they are refused when they are opened.

    Raises
    ------
    InputError
        If the step is no length that a grid can have.
    """
    pieces = [piece for n in range(len(series.volumes)) for piece in pieces_of(series, n, choice)]
    return replace(series, volumes=tuple(pieces))


def pieces_of(series: Series, volume: int, choice: Choice) -> tuple[FoundVolume, ...]:
    """What the choice makes of one volume, from 0: itself, or one or several others."""
    found = series.volumes[volume]
    if choice.irregular not in _MAKERS:
        known = ", ".join(_MAKERS)
        raise InputError(f"'{choice.irregular}' is no choice for irregular slices", known)
    made = _MAKERS[choice.irregular](series, found, choice)
    return tuple(
        one if one is found else replace(one, choice=choice, quantity=found.quantity)
        for one in made
    )


def choices_for(series: Series, volume: int = 0) -> tuple[Irregular, ...]:
    """Which choices make something usable of a volume that is no one right-angled grid."""
    names: tuple[Irregular, ...] = ("split", "largest-run", "resample")
    found = series.volumes[volume]
    return tuple(
        name
        for name in names
        if any(one.usable and one is not found for one in pieces_of(series, volume, Choice(name)))
    )


def recipe_of(found: FoundVolume) -> Resampling | None:
    """How a volume is to be resampled; None for all others."""
    first = found.parts[0] if found.parts else None
    return first if isinstance(first, Resampling) else None


def _as_it_is(_: Series, found: FoundVolume, __: Choice) -> tuple[FoundVolume, ...]:
    return (found,)


def _split(series: Series, found: FoundVolume, _: Choice) -> tuple[FoundVolume, ...]:
    """Evenly spaced runs; before that, complete copies of the stack."""
    if found.usable or series.format != "dicom":
        return (found,)
    return tuple(run for copy in _copies(found) for run in regular_parts(copy))


def _copies(found: FoundVolume) -> tuple[FoundVolume, ...]:
    """Slices that nothing but their numbers tells apart, as whole stacks; else as they are."""
    ordered, stack = stack_of(found.parts)
    if stack is None or not stack.repeated.any():
        return (found,)
    places: dict[int, list[InstanceFacts]] = defaultdict(list)
    number = 0
    for n, facts in enumerate(ordered):
        number += int(n > 0 and not stack.repeated[n - 1])
        places[number].append(facts)
    counts = {len(members) for members in places.values()}
    if len(places) < 2 or len(counts) > 1:
        return (found,)
    for members in places.values():
        numbers = [facts.instance_number for facts in members]
        if None in numbers or len(set(numbers)) < len(numbers):
            return (found,)
        members.sort(key=lambda facts: facts.instance_number or 0)
    note = Problem(
        "copies-by-number",
        f"there are {counts.pop()} slices at each place, told apart by nothing but their numbers",
        "look whether slices of one copy belong together",
    )
    return tuple(
        _renamed(found, f"copy {n}", copy, note)
        for n, copy in enumerate(zip(*places.values(), strict=True), 1)
    )


def _largest_run(series: Series, found: FoundVolume, _: Choice) -> tuple[FoundVolume, ...]:
    """The longest evenly spaced run, and what is not in it told."""
    if found.usable or series.format != "dicom":
        return (found,)
    ordered, stack = stack_of(found.parts)
    if stack is None or stack.repeated.any():
        return (found,)
    start, stop = longest_run(stack)
    left = len(ordered) - (stop - start)
    if not left:
        return (found,)
    sides = (("below", stack.heights_mm[:start]), ("above", stack.heights_mm[stop:]))
    where = " and ".join(_place_words(name, heights) for name, heights in sides if len(heights))
    note = Problem(
        "left-out-slices",
        f"{left} of {len(ordered)} slices left out: {where}",
        "split the series to have them, too",
    )
    return (_renamed(found, "longest run", ordered[start:stop], note),)


def _place_words(name: str, heights_mm: FloatArray) -> str:
    count, low, high = len(heights_mm), heights_mm[0], heights_mm[-1]
    place = f"at {low:.2f} mm" if count == 1 else f"from {low:.2f} to {high:.2f} mm"
    return f"{count} {name} ({place} along the normal)"


def _renamed(
    found: FoundVolume, word: str, parts: tuple[InstanceFacts, ...], note: Problem
) -> FoundVolume:
    """A volume of some of the slices of another."""
    (made, *_), _ = volumes_of(parts)
    name = ", ".join(filter(None, (found.name, word)))
    return replace(made, name=name, problems=(*made.problems, note))


def _resampled(series: Series, found: FoundVolume, choice: Choice) -> tuple[FoundVolume, ...]:
    """A volume on a right-angled grid, made while it is read."""
    grid = found.geometry
    if grid is not None and grid.is_right_angled and choice.step_mm is None:
        return (found,)
    left = tuple(p for p in found.problems if p.code not in _MENDED)
    if any(p.blocking for p in left):
        return (found,)
    ordered, planes = _planes_of(series, found)
    if planes is None:
        return (found,)
    try:
        plan = plan_of(planes, choice.step_mm)
    except GeometryError as error:
        reason = Problem("not-resampled", error.what, error.hint, blocking=True)
        return (replace(found, problems=(*found.problems, reason)),)
    stand_in = grid or Geometry.from_spacing(
        (len(planes.positions_lps), planes.rows, planes.columns)
    )
    recipe = Resampling(
        replace(found, geometry=stand_in, problems=left, parts=ordered),
        planes,
        plan,
        nearest=choice.nearest or series.kind == "segmentation",
    )
    name = ", ".join(filter(None, (found.name, "resampled")))
    problems = (*left, _resampled_note(recipe))
    return (FoundVolume(name, plan.geometry, problems, (recipe,), found.geometry_report()),)


def _planes_of(series: Series, found: FoundVolume) -> tuple[tuple[Any, ...], SlicePlanes | None]:
    """The parts in the order of the slices, and these."""
    if series.format == "dicom":
        ordered, stack = stack_of(found.parts)
        if stack is None or stack.pixel_mm is None or len(stack.distinct.positions_lps) < 2:
            return ordered, None
        return ordered, SlicePlanes(
            stack.positions_lps, stack.across, stack.down, stack.pixel_mm,
            stack.rows, stack.columns,
        )  # fmt: skip
    if found.geometry is None or found.geometry.shape[0] < 2:
        return found.parts, None
    return found.parts, SlicePlanes.of_grid(found.geometry)


def _resampled_note(recipe: Resampling) -> Problem:
    planes, plan = recipe.planes, recipe.plan
    count, step_mm = plan.geometry.shape[0], plan.step_mm
    words = [
        f"resampled from {len(planes.positions_lps)} slices to {count}, {step_mm:.2f} mm apart"
    ]
    words += [f"a tilt of {planes.tilt_deg:.1f} degrees corrected"] * (planes.tilt_deg > 0)
    gaps = made_up(planes, plan)
    if gaps:
        made = sum(gap.slices for gap in gaps)
        low, high = gaps[0].after_mm, gaps[-1].before_mm
        words.append(
            f"{made} of them interpolated where steps are longer, from {low:.2f} to {high:.2f} mm "
            "along the normal"
        )
    hint = "values between slices are estimates; the source's own are in its slices only"
    return Problem("resampled", ", ".join(words), hint)


_Maker = Callable[[Series, FoundVolume, Choice], tuple[FoundVolume, ...]]

_MAKERS: Final[Mapping[str, _Maker]] = {
    "refuse": _as_it_is,
    "split": _split,
    "largest-run": _largest_run,
    "resample": _resampled,
}
