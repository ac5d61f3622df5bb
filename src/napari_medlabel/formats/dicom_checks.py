"""What speaks against a series being a volume: pure functions from facts to problems.

Some look at the stack, some at the instances in it. What they say holds numbers, never a value
that identifies.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
from pydicom.config import IGNORE
from pydicom.uid import UID

from napari_medlabel.core.directions import contradicts, letters
from napari_medlabel.core.problem import Problem
from napari_medlabel.formats.dicom_geometry import (
    OFF_MM,
    SAME_MM,
    Stack,
    lost_slices,
    off_heights_mm,
    off_sideways_mm,
    tilt_of,
    usual_step_mm,
)
from napari_medlabel.formats.dicom_header import UNDEFINED
from napari_medlabel.formats.dicom_instance import InstanceFacts
from napari_medlabel.formats.dicom_pixels import DECODERS, NATIVE, is_lossy, is_native

__all__ = ["INSTANCE_CHECKS", "STACK_CHECKS", "which"]

_MAX_PIXELS: Final = 1 << 28
# A small file that claims a huge image: more than this, and compressed further than any real one.
_LARGE_BYTES: Final = 1 << 26
_MAX_RATIO: Final = 2000


def _slices(count: int) -> str:
    return "1 slice" if count == 1 else f"{count} slices"


def gantry_tilt(stack: Stack) -> Iterator[Problem]:
    """Slices that are shifted against each other: the stack is sheared."""
    tilt_deg, shear = tilt_of(stack)
    if tilt_deg:
        yield Problem(
            "gantry-tilt",
            f"the slices are tilted by {tilt_deg:.1f} degrees against the direction of the stack "
            f"(shear {shear:.3f})",
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
    gaps = lost_slices(stack)
    if not gaps:
        return
    heights, usual = stack.heights_mm, usual_step_mm(stack)
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
    if len(steps) < 2 or off_heights_mm(stack).max() <= OFF_MM or lost_slices(stack):
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
    off = off_sideways_mm(stack)
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


StackCheck = Callable[[Stack], Iterator[Problem]]

# One pure function each, in the order of the report.
STACK_CHECKS: Final[tuple[StackCheck, ...]] = (
    no_spacing,
    duplicate_position,
    overlapping_slices,
    missing_slice,
    uneven_spacing,
    uneven_shift,
    gantry_tilt,
    few_slices,
)


def which(instances: Sequence[InstanceFacts], bad: Callable[[InstanceFacts], bool]) -> str:
    """The slices that are concerned, for a person: "all slices", "slice 3", "slices 3, 4 …"."""
    hit = [n + 1 for n, facts in enumerate(instances) if bad(facts)]
    if not hit:
        return ""
    if len(hit) == len(instances):
        return "the slices" if len(hit) > 1 else "the slice"
    shown = ", ".join(str(n) for n in hit[:5])
    more = f" and {len(hit) - 5} more" if len(hit) > 5 else ""
    return f"slice {shown}" if len(hit) == 1 else f"slices {shown}{more}"


def no_pixel_data(instances: Sequence[InstanceFacts]) -> Iterator[Problem]:
    """Instances of an image kind without an image."""
    if who := which(instances, lambda facts: facts.pixels is None):
        yield Problem("no-pixel-data", f"there is no pixel data in {who}", blocking=True)


def colour(instances: Sequence[InstanceFacts]) -> Iterator[Problem]:
    """Colours are no measured values."""
    if any(_is_colour(facts) for facts in instances):
        what = "the pixels are colours, not measured values"
        yield Problem("colour", what, "open the series it was made from", blocking=True)


def undecodable(instances: Sequence[InstanceFacts]) -> Iterator[Problem]:
    """A transfer syntax without a decoder, or a pixel layout that makes no sense."""
    known = NATIVE | DECODERS.keys()
    for syntax in sorted({facts.syntax for facts in instances} - known):
        named = UID(syntax, IGNORE).name  # damaged ones must not be complained about
        name = named if named != syntax else "a transfer syntax that is not known"
        what = f"the pixels are stored as {name}, which cannot be decoded"
        yield Problem("undecodable", what, "export the series uncompressed", blocking=True)
    if who := which(instances, lambda facts: not _is_sensible(facts)):
        what = f"the header's description of the pixels makes no sense for {who}"
        yield Problem("undecodable", what, blocking=True)


def truncated(instances: Sequence[InstanceFacts]) -> Iterator[Problem]:
    """Fewer bytes than rows and columns need."""
    if who := which(instances, _is_cut):
        what = f"the pixel data of {who} is shorter than the header says"
        yield Problem("truncated", what, "copy the files again from their source", blocking=True)


def lossy_pixels(instances: Sequence[InstanceFacts]) -> Iterator[Problem]:
    """Values that a lossy compression has changed."""
    if who := which(instances, is_lossy):
        yield Problem("lossy-pixels", f"lossy compression has changed the values of {who}")


def varying_rescale(instances: Sequence[InstanceFacts]) -> Iterator[Problem]:
    """Stored values that mean another thing in each slice."""
    pairs = {(facts.slope, facts.intercept) for facts in instances}
    if any(facts.slope == 0 for facts in instances):
        yield Problem("no-rescale", "the rescale slope is 0: values mean nothing", blocking=True)
    elif len(pairs) > 1:
        what = f"slices have {len(pairs)} different rescale slopes or intercepts"
        yield Problem("varying-rescale", what, "each slice is rescaled with its own")
    elif instances[0].modality == "CT" and pairs == {(None, None)}:
        what = "this CT has no rescale slope and intercept: its values are as stored, not HU"
        yield Problem("no-rescale", what)


def mixed_values(instances: Sequence[InstanceFacts]) -> Iterator[Problem]:
    """Slices that were reconstructed or measured in different ways."""
    kernels = {facts.kernel for facts in instances}
    if len(kernels) > 1:
        yield Problem("mixed-values", f"slices have {len(kernels)} reconstruction kernels")
    echoes = [facts.echo_time for facts in instances if facts.echo_time]
    if echoes and max(echoes) > 1.05 * min(echoes):
        what = f"slices have echo times from {min(echoes):g} to {max(echoes):g} ms"
        yield Problem("mixed-values", what)


def assumed_place(instances: Sequence[InstanceFacts]) -> Iterator[Problem]:
    """Frames whose places follow from the first one's only."""
    if which(instances, lambda facts: facts.is_place_assumed):
        first = instances[0]
        if first.tile is None:
            step = first.spacing_between_slices or 0.0
            what = f"only the first frame says where it is; the others are {step:.2f} mm apart"
        else:
            step = first.slice_thickness or 0.0
            what = f"slices are taken to be as far apart as they are thick, {step:.2f} mm"
        yield Problem("assumed-positions", what, "compare with a picture that you trust")


def lookup_table(instances: Sequence[InstanceFacts]) -> Iterator[Problem]:
    """A modality lookup table in place of slope and intercept."""
    if any(facts.has_lookup_table and facts.slope is None for facts in instances):
        what = "values go through a lookup table, which is not applied"
        yield Problem("lookup-table", what, "values are as stored")


def orientation_conflict(instances: Sequence[InstanceFacts]) -> Iterator[Problem]:
    """Directions that the header tells in letters, against those that it tells in numbers."""
    who = which(instances, lambda facts: bool(_conflict(facts)))
    first = next(filter(None, map(_conflict, instances)), None)
    if first:
        told, shown = first
        what = f"the header of {who} says that {told}, and by its numbers {shown}"
        hint = "the numbers are taken; look whether left is left"
        yield Problem("orientation-conflict", what, hint)
    sides = {facts.laterality for facts in instances} & {"L", "R"}
    if len(sides) > 1:
        what = "some slices are said to be of the left side of the body, others of the right"
        yield Problem("orientation-conflict", what, "look which side it is")


def _conflict(facts: InstanceFacts) -> tuple[str, str] | None:
    """What the letters say and what the numbers, where they cannot both be right."""
    if facts.orientation is None or len(facts.patient_orientation) != 2:
        return None
    directions = (facts.orientation[:3], facts.orientation[3:])
    for name, told, direction in zip(
        ("rows", "columns"), facts.patient_orientation, directions, strict=True
    ):
        if contradicts(told, direction):
            return f"{name} run to {told}", f"to {letters(direction)}"
    return None


InstanceCheck = Callable[[Sequence[InstanceFacts]], Iterator[Problem]]

INSTANCE_CHECKS: Final[tuple[InstanceCheck, ...]] = (
    no_pixel_data,
    colour,
    undecodable,
    truncated,
    lossy_pixels,
    varying_rescale,
    mixed_values,
    assumed_place,
    lookup_table,
    orientation_conflict,
)


def _is_colour(facts: InstanceFacts) -> bool:
    return facts.samples != 1 or facts.photometric not in {"MONOCHROME1", "MONOCHROME2", ""}


def _is_sensible(facts: InstanceFacts) -> bool:
    pixels = facts.rows * facts.columns
    if facts.pixels is None or _is_colour(facts):
        return True  # said elsewhere
    if not 0 < pixels <= _MAX_PIXELS or facts.bits_allocated not in {8, 16, 32}:
        return False
    return 1 <= facts.bits_stored <= facts.high_bit + 1 <= facts.bits_allocated


def _is_cut(facts: InstanceFacts) -> bool:
    place = facts.pixels
    if place is None or _is_colour(facts):
        return False  # said elsewhere
    if place.length == UNDEFINED:
        absurd = facts.frame_bytes > max(_LARGE_BYTES, _MAX_RATIO * place.stored)
        return not place.whole or is_native(facts) or absurd
    needed = (facts.frame + 1) * facts.frame_bytes
    return not place.whole or not is_native(facts) or place.length < needed
