"""What a derived volume was made from: the recipe, and the slices its source had.

A volume is derived only on request, from slices that are no right-angled grid. What was made
says so wherever it goes, and a mask on it can go back onto the slices it was made from.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import numpy as np

from napari_medlabel.core.geometry import FloatArray, Geometry
from napari_medlabel.core.geometry_report import Missing
from napari_medlabel.errors import GeometryError

__all__ = ["Choice", "Derivation", "Irregular", "Method", "SlicePlanes"]

Method = Literal["linear", "nearest"]
Irregular = Literal["refuse", "split", "largest-run", "resample"]

_TILT_DEG: Final = 0.05
_PARALLEL: Final = 1e-4  # the sine of the least angle that rows and columns may have


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person chose to do about slices that are no regular grid.

    `step_mm` is that between the slices of a resampled volume; None is the source's usual one.
    `nearest` resamples labels, which have no values in between.
    """

    irregular: Irregular = "refuse"
    step_mm: float | None = None
    nearest: bool = False

    def document(self) -> dict[str, Any]:
        """The choice as JSON-ready values."""
        return {"irregular": self.irregular, "step_mm": self.step_mm, "nearest": self.nearest}


@dataclass(frozen=True, slots=True, eq=False)
class SlicePlanes:
    """Parallel slices of one size, wherever they lie along their normal.

    Parameters
    ----------
    positions_lps
        Centre of the first voxel of each slice, float64 `[n, 3]`, mm; ascending along the normal.
    across, down
        Unit vectors from column to column and from row to row, float64 `[3]`.
    pixel_mm
        Distance from row to row and from column to column.
    rows, columns
        Of every slice.

    Raises
    ------
    GeometryError
        If there is no slice, or rows and columns run along one line.
    """

    positions_lps: FloatArray
    across: FloatArray
    down: FloatArray
    pixel_mm: tuple[float, float]
    rows: int
    columns: int

    def __post_init__(self) -> None:
        for name in ("positions_lps", "across", "down"):
            array = np.array(getattr(self, name), dtype=np.float64)
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        if self.positions_lps.ndim != 2 or self.positions_lps.shape[1] != 3:
            raise GeometryError("slices need three numbers for each position")
        sine = np.linalg.norm(np.cross(self.across, self.down))
        if not len(self.positions_lps) or sine < _PARALLEL:
            raise GeometryError("there are no slices, or their rows and columns are parallel")

    @classmethod
    def of_grid(cls, geometry: Geometry) -> "SlicePlanes":
        """The slices along k of a grid, sheared or not; counted along their normal."""
        steps = np.arange(geometry.shape[0])[:, None] * geometry.lps_from_kji[:3, 0]
        direction, (_, down_mm, across_mm) = geometry.direction, geometry.spacing_mm
        positions = geometry.lps_from_kji[:3, 3] + steps
        rows, columns = geometry.shape[1:]
        pixel_mm = (down_mm, across_mm)
        return cls(positions, direction[:, 2], direction[:, 1], pixel_mm, rows, columns)

    @property
    def normal(self) -> FloatArray:
        """Unit vector across the slices, from the first to the last; float64 `[3]`."""
        normal: FloatArray = np.cross(self.across, self.down)
        normal /= np.linalg.norm(normal)
        rise = (self.positions_lps[-1] - self.positions_lps[0]) @ normal
        return -normal if rise < 0 else normal

    @property
    def heights_mm(self) -> FloatArray:
        """Where the slices are along the normal; float64 `[n]`."""
        heights: FloatArray = self.positions_lps @ self.normal
        return heights

    @property
    def tilt_deg(self) -> float:
        """The angle between the stack's direction and the normal; 0.0 up to what headers round."""
        way = self.positions_lps[-1] - self.positions_lps[0]
        rise = float(way @ self.normal)
        angle = float(np.degrees(np.arctan2(np.linalg.norm(way - rise * self.normal), rise)))
        return round(angle, 3) if angle > _TILT_DEG else 0.0

    def document(self) -> dict[str, Any]:
        """The slices as JSON-ready values."""
        return {
            "positions_lps": self.positions_lps.tolist(),
            "across": self.across.tolist(),
            "down": self.down.tolist(),
            "pixel_mm": list(self.pixel_mm),
            "rows": self.rows,
            "columns": self.columns,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "SlicePlanes":
        """The slices that `document` wrote; raises KeyError, TypeError or ValueError if none."""
        down_mm, across_mm = document["pixel_mm"]
        return cls(
            np.asarray(document["positions_lps"], np.float64),
            np.asarray(document["across"], np.float64),
            np.asarray(document["down"], np.float64),
            (float(down_mm), float(across_mm)),
            int(document["rows"]),
            int(document["columns"]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Derivation:
    """How a volume was made from another that is not stored.

    Parameters
    ----------
    kind
        "resampled".
    method
        "linear" or "nearest".
    step_mm
        Between the new slices.
    fill
        The value of voxels outside every slice.
    tilt_deg
        The tilt that was corrected; 0.0 where there was none.
    source_steps_mm
        Each step between the source's slices, along their normal.
    interpolated
        Steps of the source longer than one and a half new ones: slices there are made up.
    slices
        The source's own slices.
    source_sha256
        `core.volume.volume_sha256` of the source's slices, in order; "" before all were read.
    """

    kind: Literal["resampled"]
    method: Method
    step_mm: float
    fill: float
    tilt_deg: float
    source_steps_mm: tuple[float, ...]
    interpolated: tuple[Missing, ...]
    slices: SlicePlanes
    source_sha256: str = ""

    def document(self) -> dict[str, Any]:
        """The derivation as JSON-ready values."""
        return {
            "kind": self.kind,
            "method": self.method,
            "step_mm": self.step_mm,
            "fill": self.fill,
            "tilt_deg": self.tilt_deg,
            "source_steps_mm": list(self.source_steps_mm),
            "interpolated": [asdict(gap) for gap in self.interpolated],
            "slices": self.slices.document(),
            "source_sha256": self.source_sha256,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Derivation":
        """The derivation that `document` wrote; raises KeyError, TypeError or ValueError."""
        if document["kind"] != "resampled" or document["method"] not in {"linear", "nearest"}:
            raise ValueError("a derivation of a kind that is not known")
        return cls(
            document["kind"],
            document["method"],
            float(document["step_mm"]),
            float(document["fill"]),
            float(document["tilt_deg"]),
            tuple(document["source_steps_mm"]),
            tuple(Missing(**gap) for gap in document["interpolated"]),
            SlicePlanes.from_document(document["slices"]),
            document["source_sha256"],
        )
