"""A slice of the grid seen from one side, and positions in it as (row, column).

A view shows two axes of the canonical array: axial shows j and i, coronal k and i, sagittal k and
j; the first is its row, the second its column. Rows and columns may be fractions of voxels; whole
numbers are voxel centres.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import FloatArray, Geometry
from napari_medlabel.errors import InputError

__all__ = ["AXES_OF", "VIEWS", "Kji", "Plane", "RowColumn", "View", "mm_from_row_column"]

Kji = tuple[float, float, float]
RowColumn = tuple[float, float]
View = Literal["axial", "coronal", "sagittal"]

VIEWS: Final[tuple[View, View, View]] = ("axial", "coronal", "sagittal")  # by the axis left out
AXES_OF: Final = ((1, 2), (0, 2), (0, 1))  # the axes of row and column, by the axis left out


@dataclass(frozen=True, slots=True)
class Plane:
    """One slice.

    Parameters
    ----------
    axis
        The array's axis that it is across: 0 axial, 1 coronal, 2 sagittal.
    index
        Which slice along that axis; not negative.
    """

    axis: int
    index: int

    def __post_init__(self) -> None:
        if self.axis not in {0, 1, 2}:
            raise InputError(f"a plane is across axis 0, 1 or 2, not {self.axis}")
        if not isinstance(self.index, int) or self.index < 0:
            raise InputError("the number of a slice is a whole number from 0")

    @property
    def view(self) -> View:
        """What it is called."""
        return VIEWS[self.axis]

    @property
    def axes(self) -> tuple[int, int]:
        """The array's axes that are its row and its column."""
        return AXES_OF[self.axis]

    def kji(self, at: RowColumn) -> Kji:
        """The index in the array of a place in this slice."""
        place = [float(self.index)] * 3
        place[self.axes[0]], place[self.axes[1]] = float(at[0]), float(at[1])
        return (place[0], place[1], place[2])

    def row_column(self, kji: Kji) -> RowColumn:
        """The place in this slice straight in front of an index, along the axis left out."""
        return (float(kji[self.axes[0]]), float(kji[self.axes[1]]))

    def kji_of(self, places: npt.ArrayLike) -> FloatArray:
        """Indices in the array, `[n, 3]`, of places `[n, 2]` in this slice."""
        flat = np.asarray(places, dtype=np.float64).reshape(-1, 2)
        return np.insert(flat, self.axis, float(self.index), axis=1)


def mm_from_row_column(geometry: Geometry, axis: int) -> FloatArray:
    """Millimetres in a plane from steps `(row, column)`: float64 2x2, exact on sheared grids.

    The first of the two directions in the plane runs along the columns' axis, the second at a
    right angle to it, to the side of growing rows.
    """
    row, column = (geometry.lps_from_kji[:3, n] for n in AXES_OF[axis])
    along = column / np.linalg.norm(column)
    lean = float(row @ along)
    across = float(np.linalg.norm(row - lean * along))
    return np.array([[lean, float(np.linalg.norm(column))], [across, 0.0]])
