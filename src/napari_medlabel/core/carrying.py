"""A drawn slice carried to the next: its shape, pulled to where the image changed.

Around the drawn border, every pixel has two normal distributions of image values, inside and
outside, of what lies near it on the drawn slice (the local regions of Lankton and Tannenbaum, IEEE
TIP 17:2029-2039 (2008), doi:10.1109/TIP.2008.2004611). On the next slice the logarithm of their
ratio speaks for inside or outside, as loud as it was right nearby on the drawn slice, and not where
it was wrong there. The signed distance to the drawn border speaks for the shape.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import BoolArray, Geometry
from napari_medlabel.core.outline import MmArray, Outline, Shape, Window, signed_mm
from napari_medlabel.core.region import Report, Stop, check_axis, never, silent, watched
from napari_medlabel.core.region_threshold import check_image
from napari_medlabel.core.volume import Grid
from napari_medlabel.errors import GeometryError, InputError

__all__ = ["carry"]

# Chosen on real masks of CT and MR; benchmarks/interpolation.py says how well they do.
_BAND_MM: Final = (6.0, 15.0)  # around the border, where it may move: at least, at most
_NEAR_MM: Final = 4.0  # sigma of what "near" is
_CALM_MM: Final = 1.5  # sigma by which the image's word is smoothed, or noise would fray the border
_STIFF: Final = 0.4  # steps between slices from the border at which the shape speaks with 1
_LOUDEST: Final = 4.0  # of the image, natural logarithm
_SPREAD: Final = 0.02  # of the variance in the band, below which no distribution is taken to be
_ENDED: Final = -1.0  # mean word of the image in a part that is no longer there


def carry(  # noqa: PLR0913, PLR0917  # each is a choice the person makes
    labels: LabelArray, image: Grid, geometry: Geometry, value: int, axis: int, index: int,
    step: int, *, replace: bool = False, over_others: bool = False, cancelled: Stop = never,
    progress: Report = silent,
) -> Edit:  # fmt: skip
    """Draw on the next slices what a slice shows, as far as the image shows it too.

    Every part of the shape is carried by itself and ends where the image says so.

    Parameters
    ----------
    labels
        uint8 or uint16, `[k, j, i]`.
    image
        On the same grid; only slices in question are read.
    geometry
        Where the voxels are.
    value
        The segment's label value.
    axis, index
        The drawn slice: along which axis, and where.
    step
        How many slices, one after the other; negative towards lower indices. Those outside of the
        array are left out.
    replace
        Whether voxels that the segment has on these slices are replaced; else a slice that has
        some is refused.
    over_others
        Whether voxels of other segments may be taken.
    cancelled
        Polled on every slice.
    progress
        Called with slices done and in all.

    Returns
    -------
    Edit
        Fewer slices, or nothing, where the image shows that the shape ends.

    Raises
    ------
    InputError
        If there is no such axis or slice, nothing is drawn on it, or the segment is on a slice
        already.
    GeometryError
        If the image or the labels have another shape.
    Cancelled
        If `cancelled` says so.
    """
    check_axis(axis)
    check_image(labels, image)
    if labels.shape != geometry.shape:
        raise GeometryError("the labels do not have the shape of the geometry")
    turned = np.moveaxis(labels, axis, 0)
    places = _places(turned, value, index, step, replace=replace)
    if not places:
        return Edit.nothing(labels.dtype)
    steps = [geometry.spacing_mm[n] for n in (axis, *(n for n in range(3) if n != axis))]
    low = min(places)
    after = turned[low : max(places) + 1].copy()
    drawn, old = turned[index] == value, _slice(image, axis, index)
    for place in watched(places, len(places), cancelled, progress):
        new = _slice(image, axis, place)
        by_hand = abs(place - index) == 1
        drawn = _carried(old, new, drawn, steps[0], (steps[1], steps[2]), by_hand=by_hand)
        if not drawn.any():
            break
        target = after[place - low]
        target[target == value] = 0
        target[drawn if over_others else drawn & (target == 0)] = value
        old = new
    corner = [0, 0, 0]
    corner[axis] = low
    before = np.moveaxis(turned[low : max(places) + 1], 0, axis)
    edit = np.moveaxis(after, 0, axis)
    return Edit.between((corner[0], corner[1], corner[2]), before, edit)


def _places(
    turned: LabelArray, value: int, index: int, step: int, *, replace: bool
) -> list[int]:  # fmt: skip
    """The slices to draw on, in order."""
    count = len(turned)
    if not 0 <= index < count:
        raise InputError("there is no such slice", f"slices go from 0 to {count - 1}")
    if value < 1 or not (turned[index] == value).any():
        raise InputError("nothing of the segment is drawn on this slice", "draw it first")
    ahead = (
        range(index + 1, index + step + 1) if step > 0 else range(index - 1, index + step - 1, -1)
    )
    places = [place for place in ahead if 0 <= place < count]
    taken = [place for place in places if not replace and (turned[place] == value).any()]
    if taken:
        raise InputError(
            f"slice {taken[0] + 1} has the segment already", "erase it there, or replace it"
        )
    return places


def _slice(image: Grid, axis: int, place: int) -> MmArray:
    key = tuple(slice(place, place + 1) if n == axis else slice(None) for n in range(3))
    plane: MmArray = np.moveaxis(np.asarray(image[key], np.float32), axis, 0)[0]
    return np.nan_to_num(plane)


def _carried(  # noqa: PLR0913
    old: MmArray, new: MmArray, drawn: BoolArray, step_mm: float,
    spacing_mm: tuple[float, float], *, by_hand: bool,
) -> BoolArray:  # fmt: skip
    """What of one slice is to be drawn on the next, bool, the slice's shape."""
    shape = Outline.of(0, drawn).shape
    band_mm = min(max(_BAND_MM[0], 2.0 * step_mm), _BAND_MM[1])
    window = _around(shape, band_mm + _NEAR_MM, spacing_mm, drawn.shape)
    distance = signed_mm(shape, window, spacing_mm)
    sides = _Sides.of(window.of(old), distance, band_mm, spacing_mm)
    inside = distance > 0
    word = sides.word(window.of(old))
    # What a person drew is right, whatever the image says; what was carried here may be wrong.
    wrong = np.where(inside, np.minimum(word, 0.0), np.maximum(word, 0.0)) if by_hand else 0.0
    there = np.clip(sides.word(window.of(new)) - wrong, -_LOUDEST, _LOUDEST)
    there = _calm(there, spacing_mm)
    near_border = np.abs(distance) < max(step_mm, 1.01 * max(spacing_mm))
    trust = _trusted((_calm(word, spacing_mm) > 0) == inside, near_border, spacing_mm)
    vote = trust * there + distance / np.float32(_STIFF * step_mm)
    found = np.where(np.abs(distance) > band_mm, inside, vote > 0)
    carried = np.zeros(drawn.shape, bool)
    window.of(carried)[...] = _going_on(found, inside, there)
    return carried


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """Mean and variance of image values inside and outside of a border, near every pixel."""

    means: tuple[MmArray, MmArray]
    variances: tuple[MmArray, MmArray]

    @classmethod
    def of(
        cls, values: MmArray, distance: MmArray, band_mm: float, spacing_mm: tuple[float, float]
    ) -> "_Sides":
        """From a drawn slice: all that is inside, and what is outside in the band."""
        own = values[distance > -band_mm]
        least = np.float32(max(_SPREAD * float(own.var()), 1e-6))
        middle = np.float32(own.mean())  # so that squares keep their digits
        means, variances = [], []
        for where in (distance > 0, (distance <= 0) & (distance > -band_mm)):
            weight = where.astype(np.float32)
            count = _near(weight, spacing_mm) + np.float32(1e-6)
            mean = _near(weight * (values - middle), spacing_mm) / count
            square = _near(weight * np.square(values - middle), spacing_mm) / count
            means.append(mean + middle)
            variances.append(np.maximum(square - np.square(mean), 0.0) + least)
        return cls((means[0], means[1]), (variances[0], variances[1]))

    def word(self, values: MmArray) -> MmArray:
        """How much likelier each value is inside than outside, natural logarithm, bounded."""
        far = [
            np.square(values - mean) / spread
            for mean, spread in zip(self.means, self.variances, strict=True)
        ]
        ratio = (far[1] - far[0] + np.log(self.variances[1] / self.variances[0])) / np.float32(2)
        bounded: MmArray = np.clip(ratio, -_LOUDEST, _LOUDEST).astype(np.float32)
        return bounded


def _trusted(
    right: BoolArray, where: BoolArray, spacing_mm: tuple[float, float]
) -> MmArray:  # fmt: skip
    """How far to trust the image near each pixel: 0 where it guesses, 1 where it is right."""
    weight = where.astype(np.float32)
    share = _near(weight * right, spacing_mm) / (_near(weight, spacing_mm) + np.float32(1e-6))
    return np.clip(2.0 * share - 1.0, 0.0, 1.0).astype(np.float32)


def _going_on(found: BoolArray, inside: BoolArray, there: MmArray) -> BoolArray:
    """What was found, without parts that end here, and what hangs together with no drawn part."""
    parts, count = ndimage.label(inside, np.ones((3, 3)))
    words = ndimage.mean(there, parts, np.arange(1, count + 1))
    goes_on = np.concatenate([[False], np.asarray(words) > _ENDED])[parts]
    numbers, most = ndimage.label(found, np.ones((3, 3)))
    kept = np.zeros(most + 1, bool)
    kept[np.unique(numbers[goes_on])] = True
    kept[0] = False
    going_on: BoolArray = kept[numbers]
    return going_on


def _around(
    shape: Shape, by_mm: float, spacing_mm: tuple[float, float], size: tuple[int, ...]
) -> Window:
    low, high = shape.window.low, shape.window.high
    more = [int(np.ceil(by_mm / step)) + 1 for step in spacing_mm]
    whole = Window((0, 0), (size[0], size[1]))
    wide = Window(
        (low[0] - more[0], low[1] - more[1]), (high[0] + more[0], high[1] + more[1])
    )  # fmt: skip
    return wide.within(whole)


def _near(values: npt.NDArray[Any], spacing_mm: tuple[float, float]) -> MmArray:
    return _blurred(values, _NEAR_MM, spacing_mm)


def _calm(values: npt.NDArray[Any], spacing_mm: tuple[float, float]) -> MmArray:
    return _blurred(values, _CALM_MM, spacing_mm)


def _blurred(
    values: npt.NDArray[Any], sigma_mm: float, spacing_mm: tuple[float, float]
) -> MmArray:  # fmt: skip
    sigmas = [sigma_mm / step for step in spacing_mm]
    found: MmArray = ndimage.gaussian_filter(
        values.astype(np.float32, copy=False), sigmas, truncate=3.0
    )
    return found
