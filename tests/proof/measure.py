"""One case opened and measured: what it gave, how far off it is, how many points agree.

References are read by nibabel, SimpleITK and pydicom, never by the code that is measured.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import pydicom
import SimpleITK as sitk  # noqa: N813  # its usual name

from napari_medlabel.commands.sources import find, open_source
from napari_medlabel.core.derivation import Choice
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.volume import Series, VolumeReader
from napari_medlabel.errors import InputError
from napari_medlabel.formats import TooNarrow, in_quantity, with_choice
from tests.proof.plan import Case

__all__ = ["Measured", "Opened", "measure", "open_all"]

Array = npt.NDArray[Any]
NEAR_MM = 0.5  # further off, a volume is not the one that a reference is of


@dataclass
class Opened:
    """A volume in memory, on its source's own grid."""

    name: str
    array: Array
    geometry: Geometry
    series: Series
    index: int


@dataclass
class Measured:
    """What a case gave; numbers are None where there was nothing to hold against."""

    case: Case
    outcome: str = ""
    codes: tuple[str, ...] = ()
    volumes: int = 0
    corners_mm: float | None = None
    values_off: float | None = None
    points: int = 0
    points_found: int = 0
    points_off: float = 0.0
    points_off_mm: float = 0.0
    faults: list[str] = field(default_factory=list)


def measure(data: Path, case: Case) -> Measured:
    """Open what a case names and compare."""
    result = Measured(case)
    try:
        found = find(data / case.path).series
    except InputError as error:
        result.outcome = f"refused: {error.what}"
        return result
    result.codes = tuple(sorted({p.code for one in found for p in one.all_problems()}))
    opened = [one for series in found for one in open_all(series)]
    refused = any(not volume.usable for series in found for volume in series.volumes)
    if refused:  # what can be made of it when asked
        split = [with_choice(series, Choice("split")) for series in found]
        opened = [one for series in split for one in open_all(series)]
    result.volumes = len(opened)
    result.outcome = _outcome(opened, refused=refused)
    if case.references:
        _against_references(data, case, opened, result)
    if case.points:
        _against_points(json.loads((data / case.points).read_text())["points"], opened, result)
    return result


def open_all(series: Series) -> list[Opened]:
    """The volumes of a series that can be."""
    opened = []
    for index, volume in enumerate(series.volumes):
        if volume.usable:
            array, geometry = _read(series, index)
            opened.append(Opened(volume.name, array, geometry, series, index))
    return opened


def _read(series: Series, index: int) -> tuple[Array, Geometry]:
    try:
        return _all_of(open_source(series, index))
    except TooNarrow:
        return _all_of(open_source(series, index, wide=True))


def _all_of(reader: VolumeReader) -> tuple[Array, Geometry]:
    try:
        geometry = reader.source.geometry
        return reader.read(0, geometry.shape[0]), geometry
    finally:
        reader.close()


def _outcome(opened: Sequence[Opened], *, refused: bool) -> str:
    if not opened:
        return "refused"
    shapes = list(dict.fromkeys("x".join(map(str, one.geometry.shape)) for one in opened))
    what = f"{len(opened)} of " if len(opened) > 1 else ""
    return f"{'refused; split: ' if refused else ''}{what}{', '.join(shapes)}"


# References


def _against_references(data: Path, case: Case, opened: Sequence[Opened], result: Measured) -> None:
    empty = 0
    for path in case.references:
        for array, geometry in _reference(data / path):
            if not case.labels and not array.any():
                empty += 1
                continue
            if case.padding is not None:
                array = np.where(array == case.padding, 0, array)  # noqa: PLW2901
            nearest = _nearest(opened, array, geometry, case)
            if nearest is None:
                result.faults.append(f"nothing lies where {path} does")
                continue
            corners, off = nearest
            result.corners_mm = max(result.corners_mm or 0.0, corners)
            if not case.labels:
                result.values_off = max(result.values_off or 0.0, off)
    if empty != case.empty:
        result.faults.append(f"{empty} volumes of the reference are empty, not {case.empty}")


def _nearest(
    opened: Sequence[Opened], array: Array, geometry: Geometry, case: Case
) -> tuple[float, float] | None:
    """The corners' and values' largest differences to the volume that is most like it."""
    best: tuple[float, float] | None = None
    for one in opened:
        axes = one.geometry.canonical
        corners = one.geometry.laid_out(axes).difference_mm(geometry)
        if corners > NEAR_MM:
            continue
        off = 0.0
        if not case.labels:
            own = _in_quantity(one, case.quantity)
            off = float(np.abs(axes.apply(own).astype(np.float64) - array).max())
            if case.quantity:  # large numbers of 32 bits: as a part of the largest
                off /= float(np.abs(array).max())
        if best is None or off < best[1]:
            best = corners, off
    return best


def _in_quantity(one: Opened, name: str) -> Array:
    if not name:
        return one.array
    return _read(in_quantity(one.series, one.index, name), one.index)[0]


def _reference(path: Path) -> list[tuple[Array, Geometry]]:
    """The volumes of a reference, in canonical layout."""
    if path.suffix == ".nrrd":
        return _by_itk(path)
    if path.suffix == ".dcm":
        return _by_pydicom(path)
    image = nibabel.load(path)
    array = np.asarray(image.dataobj)
    frames = array[..., None] if array.ndim == 3 else array
    geometry = Geometry.from_nifti(array.shape[:3], image.affine)
    return [_canonical(frames[..., n].T, geometry) for n in range(frames.shape[3])]


def _by_itk(path: Path) -> list[tuple[Array, Geometry]]:
    image = sitk.ReadImage(str(path))
    matrix = np.eye(4)
    direction = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    matrix[:3, :3], matrix[:3, 3] = direction[:, ::-1], image.GetOrigin()
    array = sitk.GetArrayFromImage(image)
    return [_canonical(array, Geometry(array.shape, matrix))]


def _by_pydicom(path: Path) -> list[tuple[Array, Geometry]]:
    dataset = pydicom.dcmread(path)
    across, down = np.array(dataset.ImageOrientationPatient).reshape(2, 3)
    matrix = np.eye(4)
    matrix[:3, 0] = np.cross(across, down) * float(dataset.SliceThickness)
    matrix[:3, 1] = down * float(dataset.PixelSpacing[0])
    matrix[:3, 2] = across * float(dataset.PixelSpacing[1])
    matrix[:3, 3] = dataset.ImagePositionPatient
    stored = dataset.pixel_array.astype(np.float64)
    array = (stored * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept))[None]
    return [_canonical(array, Geometry(array.shape, matrix))]


def _canonical(array: Array, geometry: Geometry) -> tuple[Array, Geometry]:
    axes = geometry.canonical
    return axes.apply(array), geometry.laid_out(axes)


# Points


def _against_points(
    points: Sequence[dict[str, Any]], opened: Sequence[Opened], result: Measured
) -> None:
    """Each point must be on a voxel's centre, and have its value there in one of the volumes."""
    result.points = len(points)
    for point in points:
        found = [near for one in opened if (near := _at(one, point["lps"])) is not None]
        wanted = point.get("values_of_all_volumes", [point["value"]])
        if not found:
            continue
        result.points_off_mm = max(result.points_off_mm, min(mm for mm, _ in found))
        off = max(min(abs(value - own) for _, own in found) for value in wanted)
        result.points_off = max(result.points_off, off)
        result.points_found += 1


def _at(one: Opened, lps: Sequence[float]) -> tuple[float, float] | None:
    """How far the nearest voxel's centre is, mm, and its value; None outside the volume."""
    index = np.rint(one.geometry.kji(lps)).astype(int)
    if (index < 0).any() or (index >= one.geometry.shape).any():
        return None
    mm = float(np.linalg.norm(one.geometry.lps(index) - np.asarray(lps)))
    k, j, i = index
    return (mm, float(one.array[k, j, i])) if mm <= NEAR_MM else None
