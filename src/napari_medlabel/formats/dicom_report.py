"""What the facts of a DICOM volume's slices say of where they are: its geometry report."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from napari_medlabel.core.directions import WORDS, letters, position_words
from napari_medlabel.core.geometry import FloatArray, Geometry
from napari_medlabel.core.geometry_report import (
    Duplicate,
    GeometryReport,
    Missing,
    Step,
    rounded,
)
from napari_medlabel.core.problem import Problem
from napari_medlabel.formats.dicom_geometry import (
    SAME_MM,
    Stack,
    is_even,
    lost_slices,
    plane_of,
    tilt_of,
    usual_step_mm,
)
from napari_medlabel.formats.dicom_instance import InstanceFacts

__all__ = ["report_of"]

_TOUCH_MM: Final = 0.01  # thicknesses and steps are rounded by headers
_LEAST_DEG: Final = 0.001


def report_of(
    parts: Sequence[InstanceFacts],
    stack: Stack | None,
    geometry: Geometry | None,
    problems: Sequence[Problem] = (),
) -> GeometryReport:
    """The geometry report of one volume.

    Parameters
    ----------
    parts
        Its slices, in order of the stack.
    stack
        Where they are; None where the headers do not say.
    geometry
        Their grid, where they have one.
    problems
        What keeps them from having one is told in the words of its problem.
    """
    facts = parts[0]
    known: dict[str, Any] = {
        "slices": len(parts),
        "shape": geometry.shape if geometry else None,
        "spacing_mm": geometry.spacing_mm if geometry else None,
        "why_none": "" if geometry else next((p.what for p in problems if p.blocking), ""),
        "rescales": len({(one.slope, one.intercept) for one in parts}),
        "patient_position": _one_of({one.patient_position for one in parts}, position_words),
        "told_orientation": _letters_told(facts),
        "laterality": _one_of({one.laterality for one in parts}, {"L": "L", "R": "R"}.get),
        "deviation_deg": _deviation_deg(parts),
    }
    if stack is None:
        return GeometryReport(**known)
    return GeometryReport(**known, **_placed(parts, stack))


def _placed(parts: Sequence[InstanceFacts], stack: Stack) -> dict[str, Any]:
    """What is known where the slices have positions."""
    distinct = stack.distinct
    steps, even = np.diff(distinct.heights_mm), is_even(distinct)
    heights = distinct.heights_mm
    tilt_deg, shear = tilt_of(stack)
    return {
        "step_mm": rounded(steps.mean()) if even and len(steps) else None,
        "steps": () if even else _steps(heights, steps),
        "tilt_deg": round(tilt_deg, 3),
        "shear": round(shear, 6),
        "plane": plane_of((*stack.across, *stack.down)),
        "obliquity_deg": _obliquity_deg(stack),
        "missing": _missing(distinct),
        "duplicates": _duplicates(stack),
        "beside_mm": tuple(rounded(heights[n]) for n in np.flatnonzero(steps <= SAME_MM)),
        "pixel_mm": stack.pixel_mm,
        "runs_to": (letters(stack.across), letters(stack.down), letters(stack.normal)),
        **_windows(parts, stack),
    }


def _steps(heights: FloatArray, steps: FloatArray) -> tuple[Step, ...]:
    pairs = zip(heights[:-1], steps, strict=True)
    return tuple(Step(rounded(at), rounded(mm)) for at, mm in pairs)


def _missing(stack: Stack) -> tuple[Missing, ...]:
    lost = lost_slices(stack)
    heights, usual = stack.heights_mm, usual_step_mm(stack) if lost else 0.0
    return tuple(
        Missing(
            rounded(heights[n]),
            rounded(heights[n + 1]),
            round((heights[n + 1] - heights[n]) / usual) - 1,
        )
        for n in lost
    )


def _duplicates(stack: Stack) -> tuple[Duplicate, ...]:
    """Each place with several slices."""
    starts = np.flatnonzero(np.concatenate([[True], ~stack.repeated]))
    counts = np.diff(np.append(starts, len(stack.positions_lps)))
    return tuple(
        Duplicate(rounded(stack.heights_mm[start]), int(count))
        for start, count in zip(starts, counts, strict=True)
        if count > 1
    )


def _windows(parts: Sequence[InstanceFacts], stack: Stack) -> dict[str, Any]:
    """Slices as thick as their headers say, and how their edges meet."""
    thick = [one.slice_thickness for one in parts]
    if any(mm is None or mm <= 0 for mm in thick):
        return {}
    known = np.array(thick, np.float64)
    told: dict[str, Any] = {"thickness_mm": (rounded(known.min()), rounded(known.max()))}
    keep = np.concatenate([[True], ~stack.repeated])
    heights, known = stack.heights_mm[keep], known[keep]
    if len(heights) < 2:
        return told
    gaps = np.diff(heights) - (known[:-1] + known[1:]) / 2.0
    told["window_gap_mm"] = (rounded(gaps.min()), rounded(gaps.max()))
    if np.ptp(gaps) > _TOUCH_MM:
        found = np.flatnonzero(gaps < -_TOUCH_MM)
        told["overlaps"] = tuple(Step(rounded(heights[n]), rounded(-gaps[n])) for n in found)
    return told


def _deviation_deg(parts: Sequence[InstanceFacts]) -> float:
    """The largest angle between any slice's rows or columns and the first one's."""
    told = {one.orientation for one in parts if one.orientation is not None}
    if len(told) < 2 or parts[0].orientation is None:
        return 0.0
    own = np.array(parts[0].orientation, np.float64).reshape(2, 3)
    others = np.array(sorted(told), np.float64).reshape(-1, 2, 3)
    # Through the sine: a cosine of almost 1 has lost such small angles to rounding.
    sines = np.linalg.norm(np.cross(others, own), axis=-1)
    angle = float(np.degrees(np.arctan2(sines, (others * own).sum(axis=-1))).max())
    return round(angle, 4) if angle > _LEAST_DEG else 0.0


def _obliquity_deg(stack: Stack) -> float:
    axes = np.stack([stack.across, stack.down, stack.normal])
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    nearest = np.abs(axes).max(axis=1).min()
    angle = float(np.degrees(np.arccos(np.clip(nearest, -1.0, 1.0))))
    return round(angle, 3) if angle > _LEAST_DEG * 6 else 0.0


def _letters_told(facts: InstanceFacts) -> tuple[str, ...]:
    """The header's own directions; what is no letters of directions is not repeated."""
    told = facts.patient_orientation
    return told if all(word and set(word) <= set(WORDS) for word in told) else ()


def _one_of(values: set[str], known: Callable[[str], object]) -> str:
    """The one value that all slices have, if it is one that the standard knows."""
    (value, *others) = sorted(values)
    return value if not others and known(value) else ""
