"""What the network sees on a patch, and how much that promises."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from napari_medlabel.core.prompt import Point
from napari_medlabel.engines.network.encoding import FloatGrid
from napari_medlabel.engines.sampling import Patch

__all__ = ["Look", "promise"]

_FEWEST: Final = 8  # samples of an object
_DOUBT: Final = 0.4  # what a sample of doubt for each of the object costs in sureness
_MOST_DOUBT: Final = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """The object on a patch, as the network sees it; with `hints` that nobody gave."""

    patch: Patch
    probability: FloatGrid
    expected: float
    hints: tuple[Point, ...] = ()


def promise(look: Look) -> float:
    """How sure the network is of the object on a patch, and how little else it could be."""
    share = look.probability
    mask = share > 0.5
    count = int(np.count_nonzero(mask))
    if count < _FEWEST:
        return -_MOST_DOUBT
    doubt = min(float((share * (1.0 - share)).sum()) / count, _MOST_DOUBT)
    return float(share[mask].mean()) - _DOUBT * doubt
