"""What a scan found, and a volume: voxels with geometry, unit and origin."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.derivation import Choice, Derivation
from napari_medlabel.core.geometry import Axes, Geometry
from napari_medlabel.core.geometry_report import GeometryReport
from napari_medlabel.core.problem import Problem

__all__ = [
    "FoundVolume",
    "Grid",
    "Instance",
    "Kind",
    "Series",
    "Source",
    "Volume",
    "VolumeReader",
    "VolumeSequence",
    "Window",
    "slice_sha256",
    "volume_sha256",
]

Kind = Literal["image", "segmentation", "localizer", "other"]


class Grid(Protocol):
    """Voxels that can be cut: a numpy array, or chunks at rest behind a bounded cache."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along k, j, i."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of one voxel."""

    @property
    def ndim(self) -> int:
        """Number of axes: 3."""

    def __getitem__(self, key: Any) -> npt.NDArray[Any]:  # noqa: ANN401  # as numpy indexes
        """A numpy array, by whole numbers and slices."""


@dataclass(frozen=True, slots=True)
class Window:
    """What grey range is shown: the width and the centre, in the volume's unit."""

    width: float
    level: float
    name: str = ""

    @property
    def limits(self) -> tuple[float, float]:
        """The darkest and the brightest value shown."""
        return (self.level - self.width / 2.0, self.level + self.width / 2.0)


@dataclass(frozen=True, slots=True)
class Instance:
    """Where one slice comes from: an instance's UID and the SHA-256 of the frame (hex).

    `slice` is its place along k of the source's own grid, `frame` that in the instance, from 0.
    """

    uid: str
    slice: int
    sha256: str = ""
    frame: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Where a volume came from and how its own grid is laid out.

    Parameters
    ----------
    format
        "dicom", "dicom-seg", "nifti", "nrrd", "metaimage", "ome-zarr" or "generated".
    geometry
        The source's own grid: for files that of the array in the file, as `[k, j, i]`; for DICOM
        k along the normal of the slices, j rows, i columns.
    axes
        `axes.apply(source_array)` is the volume's (canonical) array.
    study_uid, series_uid, frame_of_reference_uid
        As in the header; empty where there is none. They identify: never log or show them.
    instances
        In order of k.
    lossy
        True where the pixels have been through a lossy compression.
    space_code
        NIfTI's code of the world: 1 scanner (all of DICOM), 2 aligned to something, 3 Talairach,
        4 MNI, 0 where the file does not say how the patient lies. Export writes it back.
    sop_class
        What kind of DICOM object the instances are: a UID of the standard, "" for other formats.
    report
        Where the slices are that it was read from; None where the grid says all.
    derivation
        How it was made, where these are not the source's own voxels; `geometry` is the derived
        grid then, and `Instance.slice` the place among `derivation.slices`.
    inverted
        True where low values are to be shown bright (MONOCHROME1); they are kept as they are.
    """

    format: str
    geometry: Geometry
    axes: Axes = field(default_factory=Axes)
    study_uid: str = ""
    series_uid: str = ""
    frame_of_reference_uid: str = ""
    instances: tuple[Instance, ...] = ()
    lossy: bool = False
    space_code: int = 1
    sop_class: str = ""
    report: GeometryReport | None = None
    derivation: Derivation | None = None
    inverted: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """Voxels in canonical axis order, with their place in space.

    Parameters
    ----------
    levels
        The pyramid, finest first; each `[k, j, i]`. Only the first may be there.
    geometry
        Of `levels[0]`.
    source
        Where it came from; `source.axes` leads from its grid to this one.
    modality
        As in DICOM: "CT", "MR", "PT"; "" where not known.
    unit
        "HU" or "stored" or another; what the numbers mean.
    name
        What tells this volume from its siblings ("echo 2"); never a patient's name.
    window
        The grey range its header asks for.
    problems
        What was found wrong with the series.
    sha256
        `volume_sha256` of the level-0 array in the source's own layout (hex), or "".
    """

    levels: tuple[Grid, ...]
    geometry: Geometry
    source: Source
    modality: str = ""
    unit: str = "stored"
    name: str = ""
    window: Window | None = None
    problems: tuple[Problem, ...] = ()
    sha256: str = ""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along k, j, i."""
        return self.geometry.shape

    @property
    def report(self) -> GeometryReport:
        """Where its source's slices are."""
        return self.source.report or GeometryReport.of_grid(self.source.geometry)


@dataclass(frozen=True, slots=True, eq=False)
class VolumeSequence:
    """Volumes of one series on one grid: times, echoes, b-values.

    Parameters
    ----------
    array
        `[t, k, j, i]`, in canonical axis order.
    geometry
        Of each volume.
    names
        What tells them apart ("echo 2"), in order of t.
    modality, unit
        As for a `Volume`.
    """

    array: npt.NDArray[Any]
    geometry: Geometry
    names: tuple[str, ...]
    modality: str = ""
    unit: str = "stored"


@dataclass(frozen=True, slots=True, eq=False)
class FoundVolume:
    """One volume of a series, not read yet.

    `geometry` is on the source's own grid, None where the slices are not one regular grid;
    `parts` is what the format's own reader needs and nobody else looks into. `report` says where
    the slices are; `choice` what was asked for, where this is not as it was found; `quantities`
    what else its values can be turned into ("SUVbw"), `quantity` into what they were.
    """

    name: str
    geometry: Geometry | None
    problems: tuple[Problem, ...] = ()
    parts: tuple[Any, ...] = ()
    report: GeometryReport | None = None
    choice: Choice | None = None
    quantities: tuple[str, ...] = ()
    quantity: str = ""

    def geometry_report(self) -> GeometryReport | None:
        """Where the slices are: as found, else as the grid says; None where nothing is known."""
        if self.report is not None or self.geometry is None:
            return self.report
        return GeometryReport.of_grid(self.geometry)

    @property
    def usable(self) -> bool:
        """True where it can be read as one regular grid."""
        return self.geometry is not None and not any(p.blocking for p in self.problems)


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """What a scan found, headers only. `uid` and `description` may identify: never log them."""

    number: int
    uid: str
    format: str
    modality: str
    kind: Kind
    volumes: tuple[FoundVolume, ...]
    files: int
    problems: tuple[Problem, ...] = ()
    description: str = ""

    @property
    def geometry(self) -> Geometry | None:
        """The one grid of all volumes, or None."""
        grids = [volume.geometry for volume in self.volumes]
        if not grids or grids[0] is None:
            return None
        first = grids[0]
        return first if all(g is not None and first.same_grid(g) for g in grids) else None

    @property
    def regular(self) -> bool:
        """True where every volume can be read as one regular grid."""
        return bool(self.volumes) and all(volume.usable for volume in self.volumes)

    def all_problems(self) -> tuple[Problem, ...]:
        """The series' own and its volumes' problems, each once."""
        found = [*self.problems, *(p for volume in self.volumes for p in volume.problems)]
        return tuple(dict.fromkeys(found))

    def document(self) -> dict[str, Any]:
        """One entry of `scan --json`."""
        grid = self.geometry
        return {
            "number": self.number,
            "uid": self.uid,
            "modality": self.modality,
            "kind": self.kind,
            "volumes": len(self.volumes),
            "shape": list(grid.shape) if grid else None,
            "spacing_mm": list(grid.spacing_mm) if grid else None,
            "lps_from_kji": grid.lps_from_kji.tolist() if grid else None,
            "regular": self.regular,
            "problems": [problem.document() for problem in self.all_problems()],
            "files": self.files,
            "names": [volume.name for volume in self.volumes],
            "quantities": [list(volume.quantities) for volume in self.volumes],
            "report": [_report_document(volume) for volume in self.volumes],
        }


def _report_document(volume: FoundVolume) -> dict[str, Any] | None:
    report = volume.geometry_report()
    return None if report is None else report.document()


class VolumeReader(Protocol):
    """One volume of a series, opened to be read slab by slab.

    - `read` may be called from several threads at once and in any order.
    - Memory held does not grow with the number of slices.
    - A file that cannot be read raises InputError and names its place, never a patient.
    """

    @property
    def source(self) -> Source:
        """Its grid and origin; instances may have no hash before their slices were read."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Native byte order; int16 for CT with integral rescale."""

    @property
    def modality(self) -> str:
        """As in DICOM."""

    @property
    def unit(self) -> str:
        """What the numbers mean: "HU", "stored"."""

    @property
    def name(self) -> str:
        """What tells it from its siblings."""

    @property
    def window(self) -> Window | None:
        """The header's own grey range."""

    @property
    def problems(self) -> Sequence[Problem]:
        """What was found wrong."""

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Slices `start` to `stop` along k of the source's own grid, `[k, j, i]`."""

    def hashes(self) -> tuple[Instance, ...]:
        """The instances with the SHA-256 of those slices' pixel data that were read."""

    def close(self) -> None:
        """Let go of files."""


def slice_sha256(voxels: npt.NDArray[Any]) -> bytes:
    """The digest of one slice: SHA-256 of its voxels, little-endian, in C order."""
    plain = np.ascontiguousarray(voxels, voxels.dtype.newbyteorder("<"))
    return hashlib.sha256(plain.reshape(-1).view(np.uint8).data).digest()


def volume_sha256(slice_digests: Iterable[bytes]) -> str:
    """The digest of a volume (hex): SHA-256 of its slices' digests, along k of the source's grid.

    Slices can be hashed in any order and on several threads, since only their digests are
    joined. One digest for each slice of the source's own layout, not of the canonical one.
    """
    return hashlib.sha256(b"".join(slice_digests)).hexdigest()
