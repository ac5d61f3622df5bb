"""The grid of a stack of slices, and what speaks against there being one.

Only ImagePositionPatient, ImageOrientationPatient and PixelSpacing say where a voxel is
(PS3.3 C.7.6.2); numbers, names, SliceLocation and SliceThickness do not.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from napari_medlabel.core.geometry import BoolArray, FloatArray, Geometry
from napari_medlabel.core.problem import Problem
from napari_medlabel.formats.dicom_instance import InstanceFacts

__all__ = ["CHECKS", "Stack", "geometry_of", "normal_of", "plane_of", "regular_runs", "stack_of"]

SAME_MM: Final = 0.01  # positions that are nearer to each other are one
OFF_MM: Final = 0.02  # off the even grid: what positions rounded to 0.01 mm may be
TILT_DEG: Final = 0.05  # headers round directions to some 1e-6: far below
UNIT: Final = 1e-3  # how far directions may be from unit length and right angles


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Slices of one size and orientation, in order along their normal.

    Parameters
    ----------
    positions_lps
        Centre of the first voxel of each slice, float64 `[n, 3]`, mm.
    across, down
        Unit vectors from column to column and from row to row.
    pixel_mm
        Distance from row to row, and from column to column; None where not known.
    rows, columns
        Of every slice.
    thickness_mm, between_mm
        What the first slice says about its thickness and the distance to the next.
    """

    positions_lps: FloatArray
    across: FloatArray
    down: FloatArray
    pixel_mm: tuple[float, float] | None
    rows: int
    columns: int
    thickness_mm: float | None = None
    between_mm: float | None = None

    @property
    def normal(self) -> FloatArray:
        """Unit vector along which slices are counted."""
        normal: FloatArray = np.cross(self.across, self.down)
        return normal / np.linalg.norm(normal)

    @property
    def heights_mm(self) -> FloatArray:
        """Where the slices are along the normal, ascending."""
        heights: FloatArray = self.positions_lps @ self.normal
        return heights

    @property
    def repeated(self) -> BoolArray:
        """For each slice but the first: whether it is where the one before it is."""
        moves = np.linalg.norm(np.diff(self.positions_lps, axis=0), axis=1)
        same: BoolArray = moves <= SAME_MM
        return same

    @property
    def distinct(self) -> "Stack":
        """The stack with one slice for each position."""
        keep = np.concatenate([[True], ~self.repeated])
        return self.part(self.positions_lps[keep])

    def part(self, positions_lps: FloatArray) -> "Stack":
        """The same stack with other positions."""
        return Stack(
            positions_lps, self.across, self.down, self.pixel_mm,
            self.rows, self.columns, self.thickness_mm, self.between_mm,
        )  # fmt: skip


def normal_of(orientation: Sequence[float]) -> FloatArray | None:
    """The slices' unit normal, or None where the six numbers are no two right-angled units."""
    across, down = np.asarray(orientation[:3]), np.asarray(orientation[3:])
    lengths = np.linalg.norm(across), np.linalg.norm(down)
    if max(abs(length - 1.0) for length in lengths) > UNIT or abs(across @ down) > UNIT:
        return None
    normal: FloatArray = np.cross(across, down)
    return normal / np.linalg.norm(normal)


def plane_of(orientation: Sequence[float]) -> str:
    """The body's plane that is nearest to the slices."""
    normal = normal_of(orientation)
    if normal is None:
        return "unknown"
    return ("sagittal", "coronal", "axial")[int(np.abs(normal).argmax())]


def stack_of(instances: Sequence[InstanceFacts]) -> tuple[tuple[InstanceFacts, ...], Stack | None]:
    """The instances in order along their normal, and their stack.

    Without positions or orientation there is no stack, and the order is that of their numbers.
    """
    first = instances[0]
    normal = normal_of(first.orientation) if first.orientation else None
    if normal is None or any(facts.position is None for facts in instances):
        numbered = sorted(instances, key=lambda facts: (facts.instance_number or 0, facts.sop_uid))
        return tuple(numbered), None
    positions = np.array([facts.position for facts in instances], dtype=np.float64)
    heights = positions @ normal
    # Ties are broken by what the instances are, so that file names never matter.
    order = sorted(range(len(instances)), key=lambda n: (heights[n], instances[n].sop_uid))
    ordered = tuple(instances[n] for n in order)
    orientation = np.asarray(first.orientation, dtype=np.float64)
    spacing = first.pixel_spacing
    pixel_mm = (spacing[0], spacing[1]) if spacing and min(spacing) > 0 else None
    stack = Stack(
        positions_lps=positions[order],
        across=orientation[:3],
        down=orientation[3:],
        pixel_mm=pixel_mm,
        rows=first.rows,
        columns=first.columns,
        thickness_mm=first.slice_thickness,
        between_mm=first.spacing_between_slices,
    )
    return ordered, stack


def geometry_of(stack: Stack) -> Geometry | None:
    """The grid of a stack with even steps; None where it has none.

    A tilted stack keeps its shear: k leads from slice to slice, not along the normal.
    """
    count = len(stack.positions_lps)
    if stack.pixel_mm is None or stack.rows < 1 or stack.columns < 1 or not _is_even(stack):
        return None
    first = stack.positions_lps[0]
    if count > 1:
        step = (stack.positions_lps[-1] - first) / (count - 1)
    else:
        step = stack.normal * _assumed_step_mm(stack)
    matrix = np.eye(4)
    matrix[:3, 0] = step
    matrix[:3, 1] = stack.down * stack.pixel_mm[0]
    matrix[:3, 2] = stack.across * stack.pixel_mm[1]
    matrix[:3, 3] = first
    return Geometry((count, stack.rows, stack.columns), matrix)


def regular_runs(stack: Stack) -> list[tuple[int, int]]:
    """Where evenly spaced runs of slices begin and end, each as long as can be.

    A run starts anew at a step that differs from the one before; the slice at the border
    belongs to the run below it.
    """
    runs: list[tuple[int, int]] = []
    start, count = 0, len(stack.positions_lps)
    while start < count:
        stop = min(start + 2, count)
        while stop < count and _is_even(stack.part(stack.positions_lps[start : stop + 1])):
            stop += 1
        runs.append((start, stop))
        start = stop
    return runs


def _assumed_step_mm(stack: Stack) -> float:
    for known in (stack.between_mm, stack.thickness_mm):
        if known is not None and known > 0:
            return known
    return 1.0


def _is_even(stack: Stack) -> bool:
    """True where each slice is one same step from the one before it."""
    if len(stack.positions_lps) == 1:
        return True
    if np.diff(stack.heights_mm).min() <= SAME_MM:
        return False
    return bool(max(_off_heights_mm(stack).max(), _off_sideways_mm(stack).max()) <= OFF_MM)


def _off_heights_mm(stack: Stack) -> FloatArray:
    """How far each slice is, along the normal, from even steps between the first and the last."""
    heights = stack.heights_mm
    off: FloatArray = np.abs(heights - np.linspace(heights[0], heights[-1], len(heights)))
    return off


def _off_sideways_mm(stack: Stack) -> FloatArray:
    """How far each slice is, in its plane, from the line through the first and the last."""
    heights = stack.heights_mm - stack.heights_mm[0]
    moves = stack.positions_lps - stack.positions_lps[0]
    off: FloatArray = np.linalg.norm(moves - np.outer(heights / heights[-1], moves[-1]), axis=1)
    return off


def _slices(count: int) -> str:
    return "1 slice" if count == 1 else f"{count} slices"


def gantry_tilt(stack: Stack) -> Iterator[Problem]:
    """Slices that are shifted against each other: the stack is sheared."""
    way = stack.positions_lps[-1] - stack.positions_lps[0]
    rise = float(way @ stack.normal)
    shift = float(np.linalg.norm(way - rise * stack.normal))
    tilt_deg = float(np.degrees(np.arctan2(shift, rise)))
    if rise > SAME_MM and tilt_deg > TILT_DEG:
        yield Problem(
            "gantry-tilt",
            f"the slices are tilted by {tilt_deg:.1f} degrees against the direction of the stack "
            f"(shear {shift / rise:.3f})",
            "the grid stays sheared as it was scanned; resample it where right angles are needed",
        )


def duplicate_position(stack: Stack) -> Iterator[Problem]:
    """Several slices at one place that nothing tells apart."""
    count = int(stack.repeated.sum())
    if not count:
        return
    where = np.flatnonzero(stack.repeated)
    heights = stack.heights_mm[where]
    places = len(stack.positions_lps) - count
    if places == 1:
        what = f"all {len(stack.positions_lps)} slices are at one place: they are no volume"
    else:
        what = (
            f"{_slices(count)} more than the {places} places along the normal, "
            f"first at {heights[0]:.2f} mm, and nothing tells them apart"
        )
    yield Problem("duplicate-position", what, "keep one slice for each position", blocking=True)


def overlapping_slices(stack: Stack) -> Iterator[Problem]:
    """Slices side by side at one height, or thicker than the step between them."""
    stack = stack.distinct
    steps = np.diff(stack.heights_mm)
    if len(steps) == 0:
        return
    if steps.min() <= SAME_MM:
        at = stack.heights_mm[int(steps.argmin())]
        yield Problem(
            "overlapping-slices",
            f"slices lie side by side at one height, first at {at:.2f} mm along the normal",
            "they do not make one stack: open them one by one",
            blocking=True,
        )
    elif stack.thickness_mm is not None and stack.thickness_mm > np.median(steps) + SAME_MM:
        yield Problem(
            "overlapping-slices",
            f"slices {stack.thickness_mm:.2f} mm thick are {np.median(steps):.2f} mm apart",
            "neighbouring slices show partly the same tissue",
        )


def missing_slice(stack: Stack) -> Iterator[Problem]:
    """Steps that are a whole number of usual steps: slices have been lost."""
    stack = stack.distinct
    gaps = _gaps(stack)
    if gaps is None:
        return
    heights, usual = stack.heights_mm, _usual_step_mm(stack)
    named = [
        f"{heights[n + 1] - heights[n]:.2f} mm between slices {n + 1} and {n + 2} "
        f"(at {heights[n]:.2f} and {heights[n + 1]:.2f} mm along the normal)"
        for n in gaps[:5]
    ]
    lost = sum(round((heights[n + 1] - heights[n]) / usual) - 1 for n in gaps)
    more = f" and {len(gaps) - 5} more" if len(gaps) > 5 else ""
    yield Problem(
        "missing-slice",
        f"{_slices(lost)} missing where the step is {usual:.2f} mm: {', '.join(named)}{more}",
        "find the missing files, split the series, or resample it",
        blocking=True,
    )


def uneven_spacing(stack: Stack) -> Iterator[Problem]:
    """Slices that are not one step apart, to 0.02 mm."""
    stack = stack.distinct
    steps = np.diff(stack.heights_mm)
    if len(steps) < 2 or _off_heights_mm(stack).max() <= OFF_MM or _gaps(stack) is not None:
        return
    counts = Counter(round(float(step), 2) for step in steps)
    if len(counts) <= 5:
        parts = [f"{count} of {step:.2f} mm" for step, count in counts.most_common()]
        what = f"steps between slices differ: {', '.join(parts)}"
    else:
        what = f"steps between slices go from {steps.min():.3f} to {steps.max():.3f} mm"
    yield Problem("uneven-spacing", what, "split the series, or resample it", blocking=True)


def uneven_shift(stack: Stack) -> Iterator[Problem]:
    """Slices that are shifted sideways by differing amounts."""
    stack = stack.distinct
    if len(stack.positions_lps) < 3 or np.diff(stack.heights_mm).min() <= SAME_MM:
        return
    off = _off_sideways_mm(stack)
    if off.max() > OFF_MM:
        n = int(off.argmax())
        yield Problem(
            "uneven-shift",
            f"slices are shifted sideways unevenly: slice {n + 1} is {off[n]:.2f} mm off the line "
            "from the first to the last",
            "split the series, or resample it",
            blocking=True,
        )


def few_slices(stack: Stack) -> Iterator[Problem]:
    """One slice, or two: too few to see that they are evenly spaced."""
    count = len(stack.distinct.positions_lps)
    if count == 1 and len(stack.positions_lps) == 1:
        known = [v for v in (stack.between_mm, stack.thickness_mm) if v is not None and v > 0]
        step = f"{known[0]:.2f} mm as its header says" if known else "1 mm, as nothing is known"
        yield Problem("single-slice", f"there is one slice only; its thickness is taken as {step}")
    elif count == 2 and len(stack.positions_lps) == 2:
        step_mm = float(np.diff(stack.heights_mm)[0])
        yield Problem(
            "few-slices",
            f"there are two slices only, {step_mm:.2f} mm apart: nothing shows that none is "
            "missing between them",
        )


def no_spacing(stack: Stack) -> Iterator[Problem]:
    """No PixelSpacing: no millimetres are claimed."""
    if stack.pixel_mm is None:
        yield Problem(
            "no-spacing", "the header has no pixel spacing: sizes are unknown", blocking=True
        )


def _usual_step_mm(stack: Stack) -> float:
    return float(np.median(np.diff(stack.heights_mm)))


def _gaps(stack: Stack) -> list[int] | None:
    """Steps that are two or more usual ones, or None where there are none or others differ."""
    steps = np.diff(stack.heights_mm)
    if len(steps) < 2 or _off_heights_mm(stack).max() <= OFF_MM or steps.min() <= SAME_MM:
        return None
    usual = _usual_step_mm(stack)
    times = np.rint(steps / usual)
    if times.min() < 1 or np.abs(steps - times * usual).max() > max(OFF_MM, 0.02 * usual):
        return None
    gaps = [int(n) for n in np.flatnonzero(times > 1)]
    return gaps or None


Check = Callable[[Stack], Iterator[Problem]]

# One pure function each, in the order of the report.
CHECKS: Final[tuple[Check, ...]] = (
    no_spacing,
    duplicate_position,
    overlapping_slices,
    missing_slice,
    uneven_spacing,
    uneven_shift,
    gantry_tilt,
    few_slices,
)
