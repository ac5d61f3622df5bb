"""The grid of a stack of slices, where there is one.

Only ImagePositionPatient, ImageOrientationPatient and PixelSpacing say where a voxel is
(PS3.3 C.7.6.2); numbers, names, SliceLocation and SliceThickness do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from napari_medlabel.core.geometry import BoolArray, FloatArray, Geometry
from napari_medlabel.formats.dicom_instance import InstanceFacts

__all__ = [
    "OFF_MM",
    "SAME_MM",
    "Stack",
    "geometry_of",
    "is_even",
    "longest_run",
    "lost_slices",
    "normal_of",
    "off_heights_mm",
    "off_sideways_mm",
    "plane_of",
    "regular_runs",
    "stack_of",
    "tilt_of",
    "usual_step_mm",
]

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
        The smallest thickness that a slice says it has, and the distance to the next that the
        first says.
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
        return _normal(self.across, self.down)

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
    return _normal(across, down)


def _normal(across: FloatArray, down: FloatArray) -> FloatArray:
    """The unit vector at right angles to both; `numpy.cross` takes ten times as long for two."""
    (a, b, c), (d, e, f) = across.tolist(), down.tolist()
    normal: FloatArray = np.array([b * f - c * e, c * d - a * f, a * e - b * d])
    normal /= np.linalg.norm(normal)
    return normal


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
    thick = [one.slice_thickness for one in instances if one.slice_thickness is not None]
    stack = Stack(
        positions_lps=positions[order],
        across=orientation[:3],
        down=orientation[3:],
        pixel_mm=pixel_mm,
        rows=first.rows,
        columns=first.columns,
        thickness_mm=min(thick, default=None),
        between_mm=first.spacing_between_slices,
    )
    return ordered, stack


def geometry_of(stack: Stack) -> Geometry | None:
    """The grid of a stack with even steps; None where it has none.

    A tilted stack keeps its shear: k leads from slice to slice, not along the normal.
    """
    count = len(stack.positions_lps)
    if stack.pixel_mm is None or stack.rows < 1 or stack.columns < 1 or not is_even(stack):
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
        while stop < count and is_even(stack.part(stack.positions_lps[start : stop + 1])):
            stop += 1
        runs.append((start, stop))
        start = stop
    return runs


def longest_run(stack: Stack) -> tuple[int, int]:
    """Where the longest evenly spaced run begins and ends: most slices, then most millimetres.

    Unlike in `regular_runs` a slice at a border counts for the run below and above it.
    """
    heights, count = stack.heights_mm, len(stack.positions_lps)
    best, start, stop = (0, 1), 0, 1
    while stop < count:
        stop = start + 2
        while stop < count and is_even(stack.part(stack.positions_lps[start : stop + 1])):
            stop += 1
        if _length(heights, start, stop) > _length(heights, *best):
            best = (start, stop)
        start = max(stop - 1, start + 1)
    return best


def _length(heights: FloatArray, start: int, stop: int) -> tuple[int, float]:
    return stop - start, round(float(heights[stop - 1] - heights[start]), 2)


def tilt_of(stack: Stack) -> tuple[float, float]:
    """The angle between the stack's direction and the slices' normal, degrees; its tangent.

    Both 0.0 where it is below what the rounding of headers may make, or all is at one height.
    """
    way = stack.positions_lps[-1] - stack.positions_lps[0]
    rise = float(way @ stack.normal)
    shift = float(np.linalg.norm(way - rise * stack.normal))
    tilt_deg = float(np.degrees(np.arctan2(shift, rise)))
    return (tilt_deg, shift / rise) if rise > SAME_MM and tilt_deg > TILT_DEG else (0.0, 0.0)


def usual_step_mm(stack: Stack) -> float:
    """The middle one of the steps between slices, mm."""
    return float(np.median(np.diff(stack.heights_mm)))


def lost_slices(stack: Stack) -> list[int]:
    """The steps, by number, that are two or more usual ones; none where others differ, too."""
    steps = np.diff(stack.heights_mm)
    if len(steps) < 2 or off_heights_mm(stack).max() <= OFF_MM or steps.min() <= SAME_MM:
        return []
    usual = usual_step_mm(stack)
    times = np.rint(steps / usual)
    if times.min() < 1 or np.abs(steps - times * usual).max() > max(OFF_MM, 0.02 * usual):
        return []
    return [int(n) for n in np.flatnonzero(times > 1)]


def _assumed_step_mm(stack: Stack) -> float:
    for known in (stack.between_mm, stack.thickness_mm):
        if known is not None and known > 0:
            return known
    return 1.0


def is_even(stack: Stack) -> bool:
    """True where each slice is one same step from the one before it, to 0.02 mm."""
    if len(stack.positions_lps) == 1:
        return True
    if np.diff(stack.heights_mm).min() <= SAME_MM:
        return False
    return bool(max(off_heights_mm(stack).max(), off_sideways_mm(stack).max()) <= OFF_MM)


def off_heights_mm(stack: Stack) -> FloatArray:
    """How far each slice is, along the normal, from even steps between the first and the last."""
    heights = stack.heights_mm
    off: FloatArray = np.abs(heights - np.linspace(heights[0], heights[-1], len(heights)))
    return off


def off_sideways_mm(stack: Stack) -> FloatArray:
    """How far each slice is, in its plane, from the line through the first and the last."""
    heights = stack.heights_mm - stack.heights_mm[0]
    moves = stack.positions_lps - stack.positions_lps[0]
    off: FloatArray = np.linalg.norm(moves - np.outer(heights / heights[-1], moves[-1]), axis=1)
    return off
