"""What a stroke may cover: everything, only what is empty, or one segment."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import BoolArray

__all__ = ["PaintOver"]


@dataclass(frozen=True, slots=True)
class PaintOver:
    """What a stroke may cover: everything unlocked, nothing drawn yet, or one segment."""

    kind: str = "everything"
    value: int = 0

    def allows(self, present: npt.NDArray[Any], value: int) -> BoolArray | None:
        """Where `value` may go; None for everywhere."""
        if self.kind == "everything":
            return None
        wanted = 0 if self.kind == "empty" else self.value
        return np.asarray((present == wanted) | (present == value))
