"""At the first prompt: which of several patches shows an object, and not a part or a crowd."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy import ndimage

from napari_medlabel.engines.classic.competition import Bout
from napari_medlabel.engines.sampling import SIDE

__all__ = ["ranked"]

# Found on organs, vertebrae, lesions and cords; other orders of size for each change little.
_CLEAR_BORDER: Final = 0.1
_DECIDED: Final = 1.4
_LARGE: Final = 0.1
_FILLED: Final = -0.5
_FEWEST: Final = 8


def ranked(bouts: Sequence[Bout]) -> list[Bout]:
    """Those with the clearest border first; of equally clear ones the largest object."""
    return sorted(bouts, key=_score, reverse=True)


def _score(bout: Bout) -> float:
    mask = bout.probability > 0.5
    count = int(np.count_nonzero(mask))
    if count < _FEWEST:
        return -np.inf
    inside = bout.patch.inside
    core = ndimage.binary_erosion(mask | ~inside) & mask  # the volume's end is no border
    around = ndimage.binary_dilation(mask) & inside
    band = around & ~core
    if not band.any():
        return -np.inf
    steep = ndimage.gaussian_gradient_magnitude(bout.values, 0.7)
    within = steep[core] if core.any() else steep[mask]
    border = np.log((steep[band].mean() + 1e-6) / (within.mean() + 1e-4))
    decided = np.abs(bout.probability[around] - 0.5).mean()
    field_mm = bout.patch.lattice.step_mm * SIDE
    filled = count / max(int(np.count_nonzero(inside)), 1)
    return float(
        _CLEAR_BORDER * border + _DECIDED * decided + _LARGE * np.log(field_mm / 100.0)
        + _FILLED * filled
    )  # fmt: skip
