"""A VolumeReader of an array that is in memory already."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.problem import Problem
from napari_medlabel.core.volume import Instance, Source, Window
from napari_medlabel.errors import GeometryError

__all__ = ["MemoryReader"]


@dataclass(frozen=True, slots=True, eq=False)
class MemoryReader:
    """An array as a `VolumeReader`.

    Parameters
    ----------
    array
        `[k, j, i]`, in the layout of `source.geometry`; native byte order.
    source
        Its grid and origin.
    modality, unit, name, window, problems
        As in `VolumeReader`.

    Raises
    ------
    GeometryError
        If the array does not have the shape of the grid.
    """

    array: npt.NDArray[Any]
    source: Source
    modality: str = ""
    unit: str = "stored"
    name: str = ""
    window: Window | None = None
    problems: tuple[Problem, ...] = ()

    def __post_init__(self) -> None:
        if self.array.shape != self.source.geometry.shape:
            raise GeometryError(
                f"an array of {self.array.shape} voxels does not fit "
                f"a grid of {self.source.geometry.shape}"
            )

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of one voxel."""
        return self.array.dtype

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Slices `start` to `stop` along k; a view that must not be written to."""
        slices = self.array[start:stop]
        slices.flags.writeable = False
        return slices

    def hashes(self) -> tuple[Instance, ...]:
        """The source's instances as they were given."""
        return self.source.instances

    def close(self) -> None:
        """Nothing to let go of."""
