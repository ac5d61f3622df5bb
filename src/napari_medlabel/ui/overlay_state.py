"""What the section "Second image" shows; pure, and tested without Qt."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from napari_medlabel.commands import OverlayVolume
from napari_medlabel.core.volume import FoundVolume, Series, Volume
from napari_medlabel.ui.geometry_facts import spacing_words
from napari_medlabel.ui.state import TIMES

__all__ = [
    "COLOR_WORDS", "OverlayChoice", "OverlayState", "choices_of", "decimals_of", "name_words",
    "step_of",
]  # fmt: skip

COLOR_WORDS: Final = {
    "hot": "Hot iron", "cold": "Cold", "green": "Green", "gray": "Grey", "magma": "Magma",
}  # fmt: skip
_ALL: Final = 0.995  # of the case: what reaches less says how much


@dataclass(frozen=True, slots=True, eq=False)
class OverlayChoice:
    """A volume that may be laid over the case.

    Parameters
    ----------
    series, volume
        Of a scan, and which of its volumes, from 1.
    words, tip
        What it is called, and its size; never its description, which may name a patient.
    why_not
        What keeps it from being read; "" for nothing.
    """

    series: Series
    volume: int
    words: str
    tip: str = ""
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class OverlayState:
    """All that the section shows; `name` is "" where no second image is shown.

    Parameters
    ----------
    choices
        What may be laid over the case, of what was searched before.
    chosen
        Which of them it is, or is being read; -1 for none.
    name, unit
        Of the second image.
    shown, opacity, colormap, limits
        How it is looked at.
    quantity, quantities
        What its values are ("" as stored), and what else they can be.
    covered
        Which part of the case it reaches, 0 to 1.
    notes
        What to keep in mind.
    busy, progress
        What is being done, and how much of how many; "" for nothing.
    """

    choices: tuple[OverlayChoice, ...] = ()
    chosen: int = -1
    name: str = ""
    unit: str = ""
    shown: bool = True
    opacity: float = 0.5
    colormap: str = "hot"
    limits: tuple[float, float] = (0.0, 1.0)
    quantity: str = ""
    quantities: tuple[str, ...] = ()
    covered: float = 1.0
    notes: tuple[str, ...] = ()
    busy: str = ""
    progress: tuple[int, int] = (0, 0)

    @property
    def reach(self) -> str:
        """How much of the case it covers; "" where that is all of it."""
        if not self.name or self.covered >= _ALL:
            return ""
        percent = max(round(100.0 * self.covered), 1)
        return f"It covers {percent} % of this case"


def choices_of(found: Sequence[Series], beside: Volume) -> tuple[OverlayChoice, ...]:
    """What may be laid over a volume, of the series of a scan: all but itself."""
    return tuple(
        _choice(series, n)
        for series in found
        if series.kind in {"image", "segmentation"}
        for n, volume in enumerate(series.volumes)
        if not _is_same(series, volume, beside)
    )


def _is_same(series: Series, volume: FoundVolume, beside: Volume) -> bool:
    source = beside.source
    same = series.uid == source.series_uid != "" and volume.name == beside.name
    return same and volume.geometry is not None and volume.geometry.same_grid(source.geometry)


def _choice(series: Series, number: int) -> OverlayChoice:
    volume, several = series.volumes[number], len(series.volumes) > 1
    name = volume.name or (f"volume {number + 1}" if several else "")
    words = " · ".join(filter(None, (f"Series {series.number}", series.modality, name)))
    if volume.usable and volume.geometry is not None:
        size = f" {TIMES} ".join(str(n) for n in volume.geometry.shape[::-1])
        return OverlayChoice(
            series,
            number + 1,
            words,
            f"{size} voxels · {spacing_words(volume.geometry.spacing_mm)}",
        )
    blocking = [p.what for p in (*volume.problems, *series.problems) if p.blocking]
    why = blocking[0] if blocking else "its slices are not one regular grid"
    return OverlayChoice(series, number + 1, words, why, why)


def name_words(choice: OverlayChoice, read: OverlayVolume) -> str:
    """What the second image is called: its place in the scan, its kind, its quantity."""
    parts = [f"Series {choice.series.number}", read.modality, read.name]
    return " · ".join(filter(None, parts))


def decimals_of(limits: tuple[float, float]) -> int:
    """How many decimals tell values of such a range apart."""
    span = abs(limits[1] - limits[0])
    return int(np.clip(np.ceil(2.0 - np.log10(max(span, 1e-6))), 0, 6))


def step_of(limits: tuple[float, float]) -> float:
    """By how much an arrow key moves a limit: about a fiftieth of the range, 1, 2 or 5 times."""
    rough = max(abs(limits[1] - limits[0]), 1e-6) / 50.0
    power = 10.0 ** np.floor(np.log10(rough))
    return float(power * min((1.0, 2.0, 5.0, 10.0), key=lambda n: abs(n - rough / power)))
