"""Grey ranges to look at: a modality's own, in its unit, and those the numbers suggest."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.volume import Volume, Window

__all__ = ["CT", "colormap", "first_window", "presets", "suggested"]

CT = (
    Window(400, 40, "Soft tissue"), Window(1500, -600, "Lung"), Window(150, 90, "Liver"),
    Window(2500, 480, "Bone"), Window(80, 40, "Brain"), Window(350, 40, "Abdomen"),
    Window(350, 50, "Mediastinum"), Window(40, 40, "Stroke"), Window(200, 75, "Subdural"),
    Window(600, 300, "Angio"),
)  # fmt: skip
AIR = (-3100.0, -900.0)  # where the lowest value of a CT is, padding included
SAMPLED = 64  # values along each axis that a suggestion looks at


def presets(volume: Volume, filled: BoolArray | None = None) -> tuple[Window, ...]:
    """What to offer: the header's own first, then the modality's.

    Parameters
    ----------
    volume
        `levels[0]` is looked at where the unit has no windows of its own.
    filled
        Which slices are there already; all, if not said.
    """
    own = () if volume.window is None else (volume.window,)
    named = tuple(Window(w.width, w.level, w.name or "As stored") for w in own)
    if volume.unit == "HU":
        known = {stored.limits for stored in named} | {stored.name for stored in named}
        fresh = [w for w in CT if w.limits not in known and w.name not in known]
        return (*named, *fresh)
    found = suggested(np.asarray(volume.levels[0]), filled)
    # A NIfTI file does not say that it is a CT; air at -1000 does.
    lowest = found[-1].limits[0]
    like_ct = volume.unit == "stored" and AIR[0] <= lowest <= AIR[1]
    return (*named, *(CT if like_ct else ()), *found)


def colormap(volume: Volume) -> str:
    """Napari's name of the greys: low values bright where the header asks for it (MONOCHROME1)."""
    return "gray_r" if volume.source.inverted else "gray"


def first_window(windows: Sequence[Window], volume: Volume) -> Window:
    """What a case opens with: the header's own, else the first of its modality."""
    return windows[0] if windows else Window(1.0, 0.5, volume.unit)


def suggested(
    values: npt.NDArray[np.generic], filled: BoolArray | None = None
) -> tuple[Window, ...]:
    """Ranges around the values above the background; one range of width 1 where all are equal."""
    there = values if filled is None or filled.all() else values[filled]
    if there.size == 0:
        return (Window(1.0, 0.5, "Full range"),)
    steps = tuple(slice(None, None, max(1, n // SAMPLED)) for n in there.shape)
    sample = there[steps].astype(np.float64, copy=False)
    sample = sample[np.isfinite(sample)]
    if sample.size == 0:
        return (Window(1.0, 0.5, "Full range"),)
    lowest, highest = float(sample.min()), float(sample.max())
    body = sample[sample > lowest + 0.02 * (highest - lowest)]
    if body.size == 0:
        return (Window(1.0, lowest, "Full range"),)
    low, middle, high = (float(np.percentile(body, part)) for part in (1.0, 60.0, 99.0))
    found = (
        _between(low, high, "Balanced"),
        _between(low, middle, "Dark"),
        _between(middle, high, "Bright"),
    )
    # A mask has one value above its background, and no range of it to look at.
    wide = [window for window in found if window.width > 0.01 * (highest - lowest)]
    return (*wide, _between(lowest, highest, "Full range"))


def _between(low: float, high: float, name: str) -> Window:
    return Window(max(high - low, 1e-6), (low + high) / 2.0, name)
