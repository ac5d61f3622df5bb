"""Of a region the part that is nearest to a voxel, as large as is allowed."""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import BoolArray, FloatArray, Index, Spacing
from napari_medlabel.core.region import Box, Stop, check_not_stopped, check_spacing, never
from napari_medlabel.core.region_runs import region_around

__all__ = ["nearest_part"]

_SHELLS: Final = 4096  # distances are told apart by so much of the farthest


def nearest_part(  # noqa: PLR0913  # what, around what, how much
    box: Box, found: BoolArray, seed: Index, spacing_mm: Spacing, most: int, *,
    cancelled: Stop = never,
) -> tuple[Box, BoolArray]:  # fmt: skip
    """What of a region lies nearest to its seed and hangs together with it.

    Parameters
    ----------
    box, found
        Where the region is, and which voxels of the box belong to it.
    seed
        The voxel that it grew from, in the box.
    spacing_mm
        Along k, j, i.
    most
        How many voxels it may have.
    cancelled
        Polled on every slice.

    Returns
    -------
    tuple
        Box and bool, as `region_around` answers; those that were given where they are no larger.

    Raises
    ------
    Cancelled
        If `cancelled` says so.
    """
    check_spacing(spacing_mm)
    if int(np.count_nonzero(found)) <= most:
        return box, found
    shell = _shells(box, seed, spacing_mm)
    counts = np.zeros(_SHELLS, np.int64)
    for n, inside in enumerate(found):
        check_not_stopped(cancelled)
        counts += np.bincount(shell(n)[inside], minlength=_SHELLS)
    last = int(np.searchsorted(np.cumsum(counts), most, "right"))  # the first that is too many
    near = np.zeros_like(found)
    for n, inside in enumerate(found):
        check_not_stopped(cancelled)
        near[n] = inside & (shell(n) < last)
    low = [side.start for side in box]
    own = (seed[0] - low[0], seed[1] - low[1], seed[2] - low[2])
    near[own] = found[own] and most > 0
    shape = (found.shape[0], found.shape[1], found.shape[2])
    inner, kept = region_around(near.__getitem__, own, shape, cancelled=cancelled)
    k, j, i = (slice(side.start + a, side.stop + a) for side, a in zip(inner, low, strict=True))
    return (k, j, i), kept


def _shells(box: Box, seed: Index, spacing_mm: Spacing) -> Callable[[int], npt.NDArray[np.int64]]:
    """For a slice of the box, how far each voxel is from the seed, in steps of one size."""
    squares: list[FloatArray] = [
        np.square((np.arange(side.start, side.stop) - at) * mm)
        for side, at, mm in zip(box, seed, spacing_mm, strict=True)
    ]
    farthest = float(np.sqrt(sum(float(one.max()) for one in squares)))
    step = max(farthest, 1e-6) / (_SHELLS - 1)
    plane = squares[1][:, None] + squares[2]

    def shell(k: int) -> npt.NDArray[np.int64]:
        steps: npt.NDArray[np.int64] = (np.sqrt(squares[0][k] + plane) / step).astype(np.int64)
        return steps

    return shell
