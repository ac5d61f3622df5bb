"""A coarse look at a volume, and masks that were found on it made sharp on the volume's own grid.

What is searched for is large, so the search runs on means of blocks of some millimetres, a
hundred times fewer voxels. The border is then decided voxel by voxel, but only near the coarse
one, so that time and memory are those of one pass over the image.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.automatic.shapes import grown, shrunk
from napari_medlabel.core.geometry import BoolArray, Geometry, Index, Spacing
from napari_medlabel.core.region import Box, Report, Stop, never, silent, watched
from napari_medlabel.core.surface import coarser
from napari_medlabel.core.volume import Grid, Volume
from napari_medlabel.errors import InputError

__all__ = ["AIR_HU", "CoarseLook", "Values", "coarse_look", "enlarged", "refined"]

AIR_HU: Final = -1024.0  # what padding and gaps count as
MOST_HU: Final = 3071.0
_SLAB_VOXELS: Final = 1 << 20  # small enough for the processor to keep
_THIN_MM: Final = 40.0  # what is thinner shows no part of a body

Array = npt.NDArray[Any]
Values = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class CoarseLook:
    """Means of blocks of a volume.

    Parameters
    ----------
    means
        float32 `[k, j, i]`; of a CT within -1024 and 3071 HU. Nowhere NaN.
    geometry
        Of `means`.
    factors
        How many voxels of the volume are one of these, along k, j, i.
    volume
        What was looked at.
    is_ct
        Whether the numbers are HU.
    assumed
        Whether that was told from the numbers, since nothing says so.
    """

    means: Values
    geometry: Geometry
    factors: Index
    volume: Volume
    is_ct: bool
    assumed: bool = False

    @property
    def spacing_mm(self) -> Spacing:
        """Of `means`, along k, j, i."""
        return self.geometry.spacing_mm

    def cut(self, box: Box) -> "CoarseLook":
        """The same of a box of `means` alone."""
        low = np.eye(4)
        low[:3, 3] = [side.start for side in box]
        shape = self.means[box].shape
        grid = Geometry((shape[0], shape[1], shape[2]), self.geometry.lps_from_kji @ low)
        return replace(self, means=self.means[box], geometry=grid)

    def ml(self, mask: BoolArray) -> float:
        """The volume of a mask on this grid."""
        return float(np.count_nonzero(mask)) * self.geometry.voxel_ml


def coarse_look(
    volume: Volume, step_mm: float, *, cancelled: Stop = never, progress: Report = silent
) -> CoarseLook:
    """Look at a volume with voxels of some `step_mm`.

    Raises
    ------
    InputError
        If it has one slice or less, one value, or no number at all.
    Cancelled
        If `cancelled` says so.
    """
    _check_shape(volume)
    factors = _factors(volume.geometry, step_mm)
    image = volume.levels[0]
    ct, assumed = _is_ct(volume)
    floor = AIR_HU if ct else _lowest(image)

    slabs = list(_slabs(volume.shape, factors))
    means = np.concatenate([
        _means(np.asarray(image[where]), factors, ct=ct, floor=floor)
        for where in watched(slabs, len(slabs), cancelled, progress)
    ])  # fmt: skip
    if not float(means.min()) < float(means.max()):
        raise InputError("the image has one value only", "choose an image that shows a patient")
    return CoarseLook(means, volume.geometry.coarser(factors), factors, volume, ct, assumed)


def refined(  # noqa: PLR0913  # where, within what, and who asks
    look: CoarseLook, coarse: BoolArray, limits: tuple[float, float], *, reach_mm: float,
    kept: BoolArray | None = None, allowed: BoolArray | None = None, cancelled: Stop = never,
    progress: Report = silent,
) -> BoolArray:  # fmt: skip
    """A coarse mask on the volume's own grid: near its border, voxels within limits only.

    Parameters
    ----------
    look
        What `coarse` was found on.
    coarse
        bool, `[k, j, i]`, the shape of `look.means`.
    limits
        Lowest and highest value of a voxel of the mask, both included.
    reach_mm
        How far from the coarse border the image decides; one coarse voxel at least.
    kept
        What is of the mask whatever the image shows; the coarse mask less the reach if not given.
    allowed
        Where voxels may be added; everywhere within reach if not given.

    Returns
    -------
    array
        bool, the volume's shape; the coarse mask itself where that is as fine.
    """
    if look.factors == (1, 1, 1):
        return coarse.copy()  # it is as fine as the volume
    reach = max(reach_mm, *look.spacing_mm) * 1.001
    core = shrunk(coarse, reach, look.spacing_mm) if kept is None else kept
    zone = grown(coarse, reach, look.spacing_mm)
    if allowed is not None:
        zone &= allowed | coarse
    zone |= core
    out = np.zeros(look.volume.shape, bool)
    image = look.volume.levels[0]

    slabs = list(_slabs(look.volume.shape, look.factors))
    for where in watched(slabs, len(slabs), cancelled, progress):
        first = where.start // look.factors[0]
        last = -(-where.stop // look.factors[0])
        box = _rectangle(zone[first:last], look.factors, look.volume.shape)
        if box is None:
            continue
        values = np.asarray(image[where])[:, box[0], box[1]]
        for k in range(where.start, where.stop):
            row = k // look.factors[0]
            plane = values[k - where.start]
            # A NaN is within no limits.
            near = (plane >= limits[0]) & (plane <= limits[1])
            near &= _spread(zone[row], look.factors, box)
            near |= _spread(core[row], look.factors, box)
            out[k, box[0], box[1]] = near
    return out


def enlarged(look: CoarseLook, coarse: BoolArray, *, cancelled: Stop = never) -> BoolArray:
    """A coarse mask on the volume's own grid, its border between the centres of coarse voxels."""
    if look.factors == (1, 1, 1):
        return coarse.copy()
    k, j, i = (
        _weights(n, m, factor)
        for n, m, factor in zip(look.volume.shape, coarse.shape, look.factors, strict=True)
    )
    out = np.zeros(look.volume.shape, bool)
    for row in watched(range(len(out)), len(out), cancelled):
        some = np.flatnonzero(k[row])
        plane = np.tensordot(k[row, some], coarse[some].astype(np.float32), 1)
        if plane.any():
            out[row] = j @ plane @ i.T > 0.5
    return out


# How


def _check_shape(volume: Volume) -> None:
    if volume.levels[0].ndim != 3:
        raise InputError(
            f"the image has {volume.levels[0].ndim} axes, not 3", "choose one of its volumes"
        )
    if min(volume.shape) < 2:
        raise InputError(
            "a single slice does not show enough to find a part of the body",
            "choose a volume of several slices",
        )
    sizes = [n * mm for n, mm in zip(volume.shape, volume.geometry.spacing_mm, strict=True)]
    if sorted(sizes)[1] < _THIN_MM:
        k, j, i = sizes
        raise InputError(
            f"the image covers {k:.0f} x {j:.0f} x {i:.0f} mm: too little to find a part of the "
            "body", "choose an image that shows more",
        )  # fmt: skip


def _is_ct(volume: Volume) -> tuple[bool, bool]:
    """Whether numbers are HU, and whether that is a guess: files of NIfTI do not say it."""
    if volume.unit == "HU":
        return True, False
    if volume.unit != "stored" or volume.modality not in {"", "CT"}:
        return False, False
    k, j, i = (max(1, -(-n // 48)) for n in volume.shape)
    image = volume.levels[0]
    some = np.stack([np.asarray(image[n])[::j, ::i] for n in range(0, volume.shape[0], k)])
    values = some[np.isfinite(some)] if some.dtype.kind == "f" else some.ravel()
    if not values.size or float(values.min()) > -500:
        return False, False
    air = np.mean(values < -850)
    soft = np.mean((values > -150) & (values < 200))
    fits = bool(air > 0.002 and soft > 0.02 and values.min() > -9000 and values.max() < 66000)
    return fits, fits


def _factors(geometry: Geometry, step_mm: float) -> Index:
    k, j, i = (
        min(max(1, round(step_mm / mm)), n)
        for mm, n in zip(geometry.spacing_mm, geometry.shape, strict=True)
    )
    return (k, j, i)


def _slabs(shape: Index, factors: Index) -> Iterator[slice]:
    """Parts of the k axis of whole blocks."""
    thick = factors[0] * max(1, _SLAB_VOXELS // (shape[1] * shape[2] * factors[0]))
    for start in range(0, shape[0], thick):
        yield slice(start, min(start + thick, shape[0]))


def _lowest(image: Grid) -> float:
    """The least number, slice by slice; where there is none, the image shows nothing."""
    least = np.inf
    for k in range(image.shape[0]):
        plane = np.asarray(image[k])
        if plane.dtype.kind == "f":
            plane = plane[np.isfinite(plane)]
        if plane.size:
            least = min(least, float(plane.min()))
    if not np.isfinite(least):
        raise InputError("the image has no number in it", "choose another image")
    return least


def _means(part: Array, factors: Index, *, ct: bool, floor: float) -> Values:
    if part.dtype.kind == "f":
        part = np.where(np.isfinite(part), part, part.dtype.type(floor))
    if ct:
        part = np.clip(part, AIR_HU, MOST_HU)
    pads = [(0, -n % factor) for n, factor in zip(part.shape, factors, strict=True)]
    if any(after for _, after in pads):
        part = np.pad(part, pads, mode="edge")
    return coarser(part, factors)


def _rectangle(zone: BoolArray, factors: Index, shape: Index) -> tuple[slice, slice] | None:
    """The rows and columns of the volume that a part of a coarse mask touches."""
    flat: BoolArray = np.any(zone, axis=0)
    if not flat.any():
        return None
    rows, columns = np.flatnonzero(flat.any(axis=1)), np.flatnonzero(flat.any(axis=0))
    return (
        slice(int(rows[0]) * factors[1], min((int(rows[-1]) + 1) * factors[1], shape[1])),
        slice(int(columns[0]) * factors[2], min((int(columns[-1]) + 1) * factors[2], shape[2])),
    )


def _spread(plane: BoolArray, factors: Index, box: tuple[slice, slice]) -> BoolArray:
    """A coarse slice on the finer grid, cut to a box."""
    fine = plane.repeat(factors[1], axis=0)[box[0]].repeat(factors[2], axis=1)[:, box[1]]
    return np.asarray(fine)


def _weights(fine: int, coarse: int, factor: int) -> Values:
    """What of each coarse voxel is in each fine one, between their centres; `[fine, coarse]`."""
    at = np.clip((np.arange(fine) + 0.5) / factor - 0.5, 0, coarse - 1)
    low = np.minimum(at.astype(np.intp), coarse - 1)
    high = np.minimum(low + 1, coarse - 1)
    share = (at - low).astype(np.float32)
    out = np.zeros((fine, coarse), np.float32)
    out[np.arange(fine), low] += 1.0 - share
    out[np.arange(fine), high] += share
    return out
