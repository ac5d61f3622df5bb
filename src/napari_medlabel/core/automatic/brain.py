"""The brain in a head, from CT or MR, and whether what was found can be one."""

from itertools import pairwise
from typing import Final

import numpy as np
from scipy import ndimage

from napari_medlabel.core.automatic.look import CoarseLook, Values
from napari_medlabel.core.automatic.shapes import (
    closed,
    filled_in_slices,
    grown,
    largest,
    opened,
    shrunk,
)
from napari_medlabel.core.automatic.shell import brain_shell
from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.region import Stop, never
from napari_medlabel.errors import InputError

__all__ = ["HEAD_MM", "coarse_brain"]

HEAD_MM: Final = 230.0
_TALL_MM: Final = 190.0  # from the top of a head to below its brain
_SCALP_MM: Final = 10.0
_CORE_MM: Final = 35.0  # so deep in a head is brain
_BRIDGE_MM: Final = 5.0  # half of what connects a brain with what is around it
_SULCI_MM: Final = 8.0
_ROUNDED_MM: Final = 4.0
_THICK_MM: Final = 3.0  # with thicker slices the surface of a shell is lost between them
_MR_RANGE: Final = (0.55, 1.45)  # of the usual brightness
_CT_RANGE_HU: Final = (-5.0, 100.0)
_SKULL_HU: Final = 180.0
_STRIPPED_ML: Final = 2100.0
_DIP: Final = 0.6
_LEAST_ML, _LEAST_CUT_ML, _MOST_ML = 500.0, 60.0, 2000.0
_WIDEST_MM: Final = 215.0
_EVEN: Final = 0.12
_IN_BONE: Final = 0.5


def coarse_brain(
    look: CoarseLook, body: BoolArray, *, cancelled: Stop = never
) -> tuple[BoolArray, tuple[str, ...]]:
    """The brain on the coarse grid, with cerebellum and stem, and notes about it.

    Raises
    ------
    InputError
        If nothing that can be a brain was found; with the number that speaks against it.
    Cancelled
        If `cancelled` says so.
    """
    top = _top(look, body)
    inside = body & top
    notes: tuple[str, ...] = ()
    if look.is_ct:
        brain = _in_skull(look, inside)
    elif _is_stripped(look, body):
        brain = closed(body, _SULCI_MM, look.spacing_mm)
        notes = ("there is no skull around it: all that is not air was taken",)
    else:
        brain = _in_head(look, inside, cancelled)
    notes += _checked(look, brain)
    return brain, notes


# How


def _top(look: CoarseLook, body: BoolArray) -> BoolArray:
    """As much below the top of a body as a brain is tall, as slices."""
    rows = np.flatnonzero(body.any(axis=(1, 2)))
    chosen = np.zeros((body.shape[0], 1, 1), bool)
    if rows.size:
        low = int(rows[-1]) + 1 - round(_TALL_MM / look.spacing_mm[0])
        chosen[max(low, 0) :] = True
    return chosen


def _in_skull(look: CoarseLook, inside: BoolArray) -> BoolArray:
    """CT: soft tissue that does not hang together with what is outside of the skull."""
    spacing = look.spacing_mm
    dense = look.means > _SKULL_HU
    soft = inside & (look.means > _CT_RANGE_HU[0]) & (look.means < _CT_RANGE_HU[1])
    brain = _freed(look, soft & ~dense)
    around = grown(brain, 2.0 * _ROUNDED_MM, spacing) & ~brain
    border = around & ~shrunk(around | brain, _ROUNDED_MM, spacing)
    if not border.any():
        return brain
    wall = float(np.mean(grown(dense, _ROUNDED_MM, spacing)[border]))
    if wall < _IN_BONE:
        raise InputError(
            f"brain not found: bone is around {wall:.0%} of what could be one, not around most",
            "choose an image that shows the head",
        )
    return brain & ~dense


def _in_head(look: CoarseLook, inside: BoolArray, cancelled: Stop) -> BoolArray:
    """MR: what is as bright as the middle of the head and does not hang together with its skin."""
    spacing = look.spacing_mm
    core = look.means[shrunk(inside, _CORE_MM, spacing)]
    if core.size < 8:
        raise InputError(
            "brain not found: the body in view is less than 70 mm thick",
            "choose an image that shows the head",
        )
    usual = float(np.median(core))
    like = (look.means > _MR_RANGE[0] * usual) & (look.means < _MR_RANGE[1] * usual)
    like &= shrunk(inside, _SCALP_MM, spacing)
    if max(spacing) > _THICK_MM:
        return _freed(look, like)
    near = grown(_freed(look, like, _BRIDGE_MM - 2.0), _ROUNDED_MM, spacing)
    gated: Values = np.where(near, look.means, look.means.min())
    return brain_shell(gated, spacing, cancelled=cancelled) & near


def _freed(look: CoarseLook, like: BoolArray, bridge_mm: float = _BRIDGE_MM) -> BoolArray:
    """The largest part once bridges are cut, with its own rim and folds."""
    spacing = look.spacing_mm
    part = largest(shrunk(like, bridge_mm, spacing))
    part = grown(part, bridge_mm + 1.0, spacing) & like
    part = filled_in_slices(closed(part, _SULCI_MM, spacing))
    return largest(opened(part, _ROUNDED_MM, spacing))


def _is_stripped(look: CoarseLook, body: BoolArray) -> bool:
    """Whether what is brighter than air is a brain alone: small, and no dark skull in it."""
    if look.ml(body) > _STRIPPED_ML:
        return False
    spacing = look.spacing_mm
    middle = look.means[shrunk(body, _CORE_MM - 10.0, spacing)]
    if not middle.size:
        return False
    rims = [shrunk(body, mm, spacing) for mm in (3.0, 6.0, 9.0, 12.0, 15.0)]
    shells = [look.means[a & ~b] for a, b in pairwise(rims)]
    levels = [float(np.median(values)) for values in shells if values.size]
    return bool(levels) and min(levels) > _DIP * float(np.median(middle))


def _checked(look: CoarseLook, brain: BoolArray) -> tuple[str, ...]:
    """Pass where it can be a brain, with notes.

    Raises
    ------
    InputError
        Otherwise.
    """
    ml = look.ml(brain)
    slices = brain.sum(axis=(1, 2))
    widest = float(slices.max(initial=0))
    below, above = slices[0] > 0.3 * widest > 0, slices[-1] > 0.3 * widest > 0
    least = _LEAST_CUT_ML if below or above else _LEAST_ML
    hint = "draw it, or choose an image that shows the head"
    if ml < least:
        raise InputError(f"brain not found: {ml:.0f} mL is too little for a brain", hint)
    if ml > _MOST_ML:
        raise InputError(f"brain not found: {ml / 1000:.1f} L is not a brain", hint)
    box = ndimage.find_objects(brain.astype(np.int8))[0]
    sizes = [(s.stop - s.start) * mm for s, mm in zip(box, look.spacing_mm, strict=True)]
    if max(sizes) > _WIDEST_MM:
        raise InputError(f"brain not found: {max(sizes):.0f} mm is too long for a brain", hint)
    low, middle, high = np.percentile(look.means[brain], (10, 50, 90))
    if not look.is_ct and high - low < _EVEN * abs(middle):
        raise InputError("brain not found: what is in view is too even for a brain", hint)
    ends = [name for name, cut in (("below", below), ("above", above)) if cut]
    return (f"the image cuts it off {' and '.join(ends)}",) if ends else ()
