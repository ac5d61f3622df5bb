"""Where voxels are.

Arrays are `[k, j, i]` (slice, row, column). World is DICOM LPS in millimetres: x grows towards
the patient's left, y towards posterior, z towards the head. A matrix is named for what it maps,
right to left: `lps_from_kji @ kji` is LPS. NIfTI's RAS exists only at the file boundary.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import GeometryError

__all__ = [
    "RAS_FROM_LPS",
    "Axes",
    "BoolArray",
    "FloatArray",
    "Geometry",
    "Index",
    "Spacing",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Index = tuple[int, int, int]
Spacing = tuple[float, float, float]

RAS_FROM_LPS: Final[FloatArray] = np.diag([-1.0, -1.0, 1.0, 1.0])
_REVERSED: Final[FloatArray] = np.eye(4)[[2, 1, 0, 3]]  # kji from ijk, and back
# Column n of a canonical direction matrix points along: k to the head, j back, i left.
_CANONICAL: Final[FloatArray] = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
_TIE: Final = 1e-6  # cosines closer than this are equal
_FARTHEST_MM: Final = 1e9  # a header with more is broken, and its squares overflow


@dataclass(frozen=True, slots=True)
class Axes:
    """A permutation of array axes, then flips: how one grid is laid out as another.

    Parameters
    ----------
    order
        New axis `n` is old axis `order[n]`.
    flipped
        Whether new axis `n` runs against the old one.
    """

    order: Index = (0, 1, 2)
    flipped: tuple[bool, bool, bool] = (False, False, False)

    def __post_init__(self) -> None:
        if sorted(self.order) != [0, 1, 2]:
            raise GeometryError(f"axes {self.order} are not a permutation of 0, 1, 2")

    def apply(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The array in the new layout: a view, no copy."""
        turned = np.transpose(array, self.order)
        return turned[tuple(slice(None, None, -1 if flip else 1) for flip in self.flipped)]

    def inverse(self) -> "Axes":
        """The axes that take this layout back."""
        order = tuple(self.order.index(axis) for axis in range(3))
        flipped = tuple(self.flipped[axis] for axis in order)
        return Axes((order[0], order[1], order[2]), (flipped[0], flipped[1], flipped[2]))

    def shape(self, shape: Sequence[int]) -> Index:
        """The new shape of an array that has the given one."""
        return (int(shape[self.order[0]]), int(shape[self.order[1]]), int(shape[self.order[2]]))

    def old_from_new(self, shape: Sequence[int]) -> FloatArray:
        """Index in the old array from index in the new one; `shape` is the old shape."""
        matrix = np.zeros((4, 4))
        matrix[3, 3] = 1.0
        for new, (old, flip) in enumerate(zip(self.order, self.flipped, strict=True)):
            matrix[old, new] = -1.0 if flip else 1.0
            matrix[old, 3] = shape[old] - 1 if flip else 0.0
        return matrix

    @property
    def is_identity(self) -> bool:
        """True where nothing moves."""
        return self.order == (0, 1, 2) and not any(self.flipped)


@dataclass(frozen=True, slots=True, eq=False)  # arrays have no one equality: see same_grid
class Geometry:
    """Where the voxels of a `[k, j, i]` array are: voxel centres to LPS, millimetres.

    Parameters
    ----------
    shape
        Voxels along k, j, i; each at least 1.
    lps_from_kji
        float64 4x4, affine, invertible; copied and locked.

    Raises
    ------
    GeometryError
        If the shape is empty or the matrix is not finite, not affine or not invertible.
    """

    shape: Index
    lps_from_kji: FloatArray

    def __post_init__(self) -> None:
        shape = tuple(int(n) for n in self.shape)
        if len(shape) != 3 or min(shape) < 1:
            raise GeometryError(f"a grid needs three axes of at least one voxel, not {shape}")
        matrix = np.array(self.lps_from_kji, dtype=np.float64)  # a copy: nobody else holds it
        _check_affine(matrix)
        matrix.flags.writeable = False
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "lps_from_kji", matrix)

    @classmethod
    def from_spacing(
        cls,
        shape: Sequence[int],
        spacing_mm: Sequence[float] = (1.0, 1.0, 1.0),
        origin_lps: Sequence[float] = (0.0, 0.0, 0.0),
    ) -> "Geometry":
        """An axial grid: k to the head, j to posterior, i to the left; spacing along k, j, i."""
        matrix = np.eye(4)
        matrix[:3, :3] = _CANONICAL * np.asarray(spacing_mm, dtype=np.float64)
        matrix[:3, 3] = origin_lps
        return cls((int(shape[0]), int(shape[1]), int(shape[2])), matrix)

    @classmethod
    def from_nifti(cls, shape_ijk: Sequence[int], ras_from_ijk: npt.ArrayLike) -> "Geometry":
        """The geometry of `array.T` for a NIfTI array of this shape and affine."""
        shape = (int(shape_ijk[2]), int(shape_ijk[1]), int(shape_ijk[0]))
        return cls(shape, RAS_FROM_LPS @ np.asarray(ras_from_ijk, dtype=np.float64) @ _REVERSED)

    def to_nifti(self) -> FloatArray:
        """`ras_from_ijk`, the affine of a NIfTI header for `array.T`; float64 4x4, mm."""
        matrix: FloatArray = RAS_FROM_LPS @ self.lps_from_kji @ _REVERSED
        return matrix + 0.0  # no negative zeros

    @property
    def spacing_mm(self) -> Spacing:
        """Distance between neighbouring voxel centres along k, j, i."""
        k, j, i = np.linalg.norm(self.lps_from_kji[:3, :3], axis=0)
        return (float(k), float(j), float(i))

    @property
    def direction(self) -> FloatArray:
        """Unit vectors along k, j, i as columns, in LPS; float64 3x3."""
        columns: FloatArray = self.lps_from_kji[:3, :3] / np.asarray(self.spacing_mm)
        return columns

    @property
    def origin_lps(self) -> Spacing:
        """The centre of voxel (0, 0, 0), mm."""
        x, y, z = self.lps_from_kji[:3, 3]
        return (float(x), float(y), float(z))

    @property
    def shear(self) -> float:
        """The largest cosine between two axes: 0 for a right-angled grid."""
        gram = self.direction.T @ self.direction
        return float(np.abs(gram - np.diag(np.diag(gram))).max())

    @property
    def is_right_angled(self) -> bool:
        """True where the axes are at right angles, to 1e-4 (the precision of headers)."""
        return self.shear < 1e-4

    @property
    def voxel_ml(self) -> float:
        """The volume of one voxel in millilitres."""
        return float(abs(np.linalg.det(self.lps_from_kji[:3, :3])) / 1000.0)

    @property
    def canonical(self) -> Axes:
        """The axes that bring the array closest to k to the head, j to posterior, i to left."""
        cosines = _CANONICAL.T @ self.direction  # [canonical axis, own axis]
        scores = {p: sum(abs(cosines[n, p[n]]) for n in (0, 1, 2)) for p in permutations(range(3))}
        # Halfway between two axes the first wins, the identity if it can: rounding decides nothing.
        best = next(p for p, score in scores.items() if score > max(scores.values()) - _TIE)
        flips = [bool(cosines[n, best[n]] < 0) for n in (0, 1, 2)]
        return Axes((best[0], best[1], best[2]), (flips[0], flips[1], flips[2]))

    @property
    def obliquity_deg(self) -> float:
        """The largest angle between an axis and the patient's axis nearest to it, degrees."""
        nearest = np.abs(self.direction).max(axis=0)
        return float(np.degrees(np.arccos(np.clip(nearest.min(), -1.0, 1.0))))

    def laid_out(self, axes: Axes) -> "Geometry":
        """The geometry of `axes.apply(array)`: the same voxels at the same places."""
        return Geometry(axes.shape(self.shape), self.lps_from_kji @ axes.old_from_new(self.shape))

    def coarser(self, factors: Sequence[int]) -> "Geometry":
        """The geometry after joining `factors` voxels along k, j, i into one."""
        step = np.asarray(factors, dtype=np.float64)
        matrix = np.diag([*step, 1.0])
        matrix[:3, 3] = (step - 1.0) / 2.0
        shape = tuple(-(-n // int(f)) for n, f in zip(self.shape, factors, strict=True))
        return Geometry((shape[0], shape[1], shape[2]), self.lps_from_kji @ matrix)

    def lps(self, kji: npt.ArrayLike) -> FloatArray:
        """Positions in mm, `[..., 3]`, of indices `[..., 3]` (which may be fractions)."""
        index = np.asarray(kji, dtype=np.float64)
        moved: FloatArray = index @ self.lps_from_kji[:3, :3].T + self.lps_from_kji[:3, 3]
        return moved

    def kji(self, lps: npt.ArrayLike) -> FloatArray:
        """Fractional indices, `[..., 3]`, of positions `[..., 3]` in mm."""
        offset = np.asarray(lps, dtype=np.float64) - self.lps_from_kji[:3, 3]
        flat = np.linalg.solve(self.lps_from_kji[:3, :3], offset.reshape(-1, 3).T)
        index: FloatArray = np.asarray(flat.T.reshape(offset.shape), dtype=np.float64)
        return index

    def corners_lps(self) -> FloatArray:
        """Centres of the eight corner voxels, `[8, 3]`, mm."""
        ends = [(0, n - 1) for n in self.shape]
        grid = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 3)
        return self.lps(grid)

    def difference_mm(self, other: "Geometry") -> float:
        """The largest distance between the two grids' corners; inf where shapes differ."""
        if self.shape != other.shape:
            return float("inf")
        gaps = np.linalg.norm(self.corners_lps() - other.corners_lps(), axis=1)
        return float(gaps.max())

    def same_grid(self, other: "Geometry", tolerance_mm: float = 1e-3) -> bool:
        """True where shapes are equal and no corner is further off than the tolerance."""
        return self.difference_mm(other) <= tolerance_mm

    def document(self) -> dict[str, Any]:
        """The geometry as JSON-ready values."""
        return {
            "shape": list(self.shape),
            "spacing_mm": list(self.spacing_mm),
            "lps_from_kji": self.lps_from_kji.tolist(),
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "Geometry":
        """The geometry that `document` wrote.

        Raises
        ------
        GeometryError
            If the document is not one.
        """
        try:
            k, j, i = document["shape"]
            return cls((k, j, i), np.asarray(document["lps_from_kji"], dtype=np.float64))
        except (KeyError, TypeError, ValueError) as error:
            raise GeometryError("this does not describe a geometry") from error


def _check_affine(matrix: FloatArray) -> None:
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise GeometryError("the voxel-to-world matrix is not a finite 4x4 matrix")
    if np.abs(matrix).max() > _FARTHEST_MM:
        raise GeometryError("the voxel-to-world matrix leads out of any scanner")
    if not np.array_equal(matrix[3], [0.0, 0.0, 0.0, 1.0]):
        raise GeometryError("the last row of the voxel-to-world matrix is not 0 0 0 1")
    lengths = np.linalg.norm(matrix[:3, :3], axis=0)
    if lengths.min() < 1e-9 or abs(np.linalg.det(matrix[:3, :3] / lengths)) < 1e-4:
        raise GeometryError(
            "the voxel-to-world matrix is singular: an axis has no length or two are parallel",
            "check the spacing and direction in the file's header",
        )
