"""A second image over a case: another series, PET over CT, a T2 over a T1, by world coordinates."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.commands.door import command
from napari_medlabel.commands.finding import AS_FOUND, check_usable, choose
from napari_medlabel.commands.memory import fits_in_memory
from napari_medlabel.commands.sources import find, open_source
from napari_medlabel.core.derivation import Choice
from napari_medlabel.core.geometry import FloatArray, Geometry, Index
from napari_medlabel.core.region import Report, Stop, check_not_stopped, never, silent
from napari_medlabel.core.resampled_image import image_onto, nothing_of
from napari_medlabel.core.volume import Series, Source, VolumeReader
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.formats import Found, TooNarrow, in_quantity
from napari_medlabel.session import OpenCase, Permission, Session

__all__ = ["OverlayVolume", "read_overlay"]

SUV: Final = "SUVbw"
_EMISSION: Final = frozenset({"PT", "NM"})
_SAMPLED: Final = 64  # values along each axis that a grey range is suggested by
_WAYS: Final = ("left or right", "front or back", "head or feet")


@dataclass(frozen=True, slots=True, eq=False)
class OverlayVolume:
    """A second image on the grid of a case.

    Parameters
    ----------
    values
        float32, or int16 for whole HU, `[k, j, i]` of the case's shape. NaN, or the lowest int16,
        where the second image does not reach.
    modality, unit
        As of any volume: "PT", "SUVbw".
    name
        What tells it from its siblings ("echo 2"); never a patient's name or a file's.
    limits, colormap
        The range of values and the colours to begin with.
    covered
        Which part of the case it reaches, 0 to 1.
    notes
        What to keep in mind: another frame of reference, another study.
    """

    values: npt.NDArray[Any]
    modality: str
    unit: str
    name: str
    limits: tuple[float, float]
    colormap: str
    covered: float
    notes: tuple[str, ...] = ()

    def value_at(self, kji: Index) -> float | None:
        """The second image at a voxel of the case; None where it does not reach."""
        value = float(self.values[kji])
        return None if np.isnan(value) or value == nothing_of(self.values.dtype) else value


@command(needs=Permission.VIEW)
def read_overlay(  # noqa: PLR0913
    session: Session,  # noqa: ARG001  # the door's
    case: OpenCase, source: Path | Series, *, series: str = "", volume: int = 0,
    quantity: str | None = None, choice: Choice = AS_FOUND, progress: Report = silent,
    cancelled: Stop = never,
) -> OverlayVolume:  # fmt: skip
    """Read a volume onto the grid of an open case, linearly, by the coordinates of both.

    Nothing of it is kept in the workspace. Beside the answer no more of the image is in memory
    than some slices, for images that lie alike.

    Parameters
    ----------
    case
        An open case.
    source
        What can be opened, or a series of a scan.
    series, volume
        Which, as a scan counts them, from 1; needed where there are several.
    quantity
        What its values are to be, of those it offers; None for what is usually looked at: SUVbw of
        PET where the header allows. "" for values as they are stored.
    choice
        What to do where its slices are no one regular grid; one that is tilted needs nothing.
    progress
        Called with planes done and in all, once it was found.
    cancelled
        Polled.

    Raises
    ------
    GeometryError
        If both do not overlap in space, or it has no one place there.
    InputError
        If there is nothing to read, several and none was named, or no room in memory.
    Cancelled
        If `cancelled` says so.
    """
    case.check_open()
    chosen, index = _chosen(source, series, volume, quantity, choice, cancelled)
    try:
        return _read(case, chosen, index, progress, cancelled, wide=False)
    except TooNarrow:
        return _read(case, chosen, index, progress, cancelled, wide=True)


def _chosen(  # noqa: PLR0913, PLR0917  # as `read_overlay`
    source: Path | Series, series: str, volume: int, quantity: str | None, choice: Choice,
    cancelled: Stop,
) -> tuple[Series, int]:  # fmt: skip
    if isinstance(source, Series):
        found, series = Found((source,)), str(source.number)
    else:
        found = find(source, cancelled=cancelled)
    chosen, index = choose(found, series, volume, choice, quantity or "")
    check_usable(chosen, index)
    if quantity is None and SUV in chosen.volumes[index].quantities:
        chosen = in_quantity(chosen, index, SUV)
    return chosen, index


def _read(  # noqa: PLR0913  # as `read_overlay`
    case: OpenCase, series: Series, index: int, progress: Report, cancelled: Stop, *, wide: bool
) -> OverlayVolume:
    check_not_stopped(cancelled)
    reader = open_source(series, index, wide=wide)
    try:
        target = case.volume.geometry
        dtype = _dtype(reader)
        _check_room(target, dtype)
        _check_near(reader.source.geometry, target)
        nearest = series.kind == "segmentation"  # labels have no values in between
        values = image_onto(
            reader.read, reader.source.geometry, target, dtype=dtype, nearest=nearest,
            cancelled=cancelled, progress=progress,
        )  # fmt: skip
        return _described(reader, values, case.volume.source)
    finally:
        reader.close()


def _dtype(reader: VolumeReader) -> npt.DTypeLike:
    """Half the memory where a rounded value is as good: half a HU is far below the noise of CT."""
    return np.int16 if reader.unit == "HU" and reader.dtype.kind in "iu" else np.float32


def _check_room(target: Geometry, dtype: npt.DTypeLike) -> None:
    if not fits_in_memory(target.shape, dtype):
        size_gb = np.prod(target.shape) * np.dtype(dtype).itemsize / 1e9
        raise InputError(
            f"a second image on this grid needs {size_gb:.1f} GB of memory, which is not free",
            "close other programs, or other cases",
        )


def _check_near(source: Geometry, target: Geometry) -> None:
    """Refuse what is elsewhere before all of it is read; the boxes around both must meet."""
    (low, high), (others_low, others_high) = _box_mm(source), _box_mm(target)
    gaps = np.maximum(others_low - high, low - others_high)
    axis = int(np.argmax(gaps))
    if gaps[axis] > 0:
        raise GeometryError(
            f"the two images do not overlap: {gaps[axis]:.0f} mm lie between them ({_WAYS[axis]})",
            "choose one of the same part of the body",
        )


def _box_mm(grid: Geometry) -> tuple[FloatArray, FloatArray]:
    """The lowest and highest x, y, z of LPS that its voxels reach."""
    half = np.abs(grid.lps_from_kji[:3, :3]).sum(axis=1) / 2.0
    corners = grid.corners_lps()
    return corners.min(axis=0) - half, corners.max(axis=0) + half


def _described(
    reader: VolumeReader, values: npt.NDArray[Any], beside: Source
) -> OverlayVolume:  # fmt: skip
    step = tuple(slice(None, None, max(1, n // _SAMPLED)) for n in values.shape)
    sample = values[step]
    there = sample[sample != nothing_of(values.dtype)].astype(np.float64)
    there = there[np.isfinite(there)]
    limits, colormap = _first_look(reader, there)
    return OverlayVolume(
        values, reader.modality, "" if reader.unit == "stored" else reader.unit, reader.name,
        limits, colormap, there.size / sample.size, _notes(reader.source, beside),
    )  # fmt: skip


def _first_look(
    reader: VolumeReader, values: npt.NDArray[np.float64]
) -> tuple[tuple[float, float], str]:
    """The range and colours that an image of this kind is usually looked at with."""
    if reader.unit == SUV:
        return (0.0, 10.0), "hot"
    if reader.modality in _EMISSION:
        return (0.0, _percentile(values, 99.5, least=1e-6)), "hot"
    if reader.modality == "SEG":
        return (0.0, _percentile(values, 100.0, least=1.0)), "hot"
    if reader.window is not None:
        return reader.window.limits, "gray"
    if reader.unit == "HU":
        return (-160.0, 240.0), "gray"
    low = _percentile(values, 1.0)
    return (low, _percentile(values, 99.0, least=low + 1e-6)), "gray"


def _percentile(
    values: npt.NDArray[np.float64], percent: float, *, least: float = -np.inf
) -> float:
    found = float(np.percentile(values, percent)) if values.size else 0.0
    return max(found, least)


def _notes(source: Source, beside: Source) -> tuple[str, ...]:
    notes: list[str] = []
    if _differ(source.frame_of_reference_uid, beside.frame_of_reference_uid):
        notes.append("Another frame of reference: check that both images lie alike")
    if _differ(source.study_uid, beside.study_uid):
        notes.append("Of another study: check that it is the same patient")
    return tuple(notes)


def _differ(a: str, b: str) -> bool:
    """Where one of both does not say, nothing can be told."""
    return bool(a and b and a != b)
