"""A series as three pictures: the least, the greatest and the spread of each pixel's values.

Text that is repeated stands still while what is behind it changes: over the least value it is
bright on dark even where a single slice hides it in bright tissue. Frames are added one at a time.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["Projections"]

Array = npt.NDArray[Any]

_ENOUGH: Final = 3  # frames


class Projections:
    """What frames of one size have in common.

    Parameters
    ----------
    shape
        Rows and columns.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._least = np.full(shape, np.inf, np.float32)
        self._most = np.full(shape, -np.inf, np.float32)
        self._sum = np.zeros(shape, np.float64)
        self._squares = np.zeros(shape, np.float64)
        self.count = 0

    def add(self, values: Array) -> None:
        """One more frame, `[row, column]`."""
        plain = np.asarray(values, np.float32)
        np.minimum(self._least, plain, out=self._least)
        np.maximum(self._most, plain, out=self._most)
        self._sum += plain
        self._squares += np.square(plain, dtype=np.float64)
        self.count += 1

    def values(self) -> Iterator[tuple[str, Array]]:
        """The pictures by their names: "min", "max" and "std"; none where there are few frames."""
        if self.count < _ENOUGH:
            return
        mean = self._sum / self.count
        variance = np.maximum(self._squares / self.count - mean * mean, 0.0)
        yield "min", self._least
        yield "max", self._most
        yield "std", np.sqrt(variance)
