"""What a person adds to the voxels that go, and spares of them: strokes with a history."""

from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import BoolArray, Index, Spacing
from napari_medlabel.ui import brush
from napari_medlabel.ui._napari_compat import Box
from napari_medlabel.ui.strokes import around, dab

__all__ = ["ADDED", "SPARED", "ByHand", "FaceStroke", "Way", "masks_of"]

Way = Literal["add", "spare"]
ADDED: Final = 1
SPARED: Final = 2


class ByHand:
    """Which voxels a person added and spared, and how it came to be.

    Parameters
    ----------
    shape
        Of the image.
    """

    def __init__(self, shape: Index) -> None:
        self._shape = shape
        self._values: npt.NDArray[np.uint8] | None = None  # made with the first stroke
        self._done: list[Edit] = []
        self._undone: list[Edit] = []
        self.version = 0  # another number whenever something is different

    @property
    def values(self) -> npt.NDArray[np.uint8]:
        """`ADDED`, `SPARED` or neither, `[k, j, i]`."""
        if self._values is None:
            self._values = np.zeros(self._shape, np.uint8)
        return self._values

    @property
    def is_empty(self) -> bool:
        """Whether nothing was drawn, or all of it taken back."""
        return not self._done

    @property
    def can_redo(self) -> bool:
        """Whether a stroke that was taken back can come again."""
        return bool(self._undone)

    @property
    def strokes(self) -> int:
        """How many there are."""
        return len(self._done)

    def snapshot(self) -> npt.NDArray[np.uint8] | None:
        """The values as they are now, for another thread; None for nothing."""
        return None if self.is_empty or self._values is None else self._values.copy()

    def masks(self) -> tuple[BoolArray | None, BoolArray | None]:
        """What was added and what was spared, bool `[k, j, i]`; None for nothing."""
        return masks_of(self._values if not self.is_empty else None)

    def keep(self, edit: Edit) -> None:
        """A stroke is finished: what it changed is in `values` already."""
        if not edit.is_nothing:
            self.version += 1
            self._done.append(edit)
            self._undone.clear()

    def undo(self) -> Edit | None:
        """Take the last stroke back; None where there is none."""
        if not self._done:
            return None
        edit = self._done.pop()
        self._undone.append(edit)
        self.version += 1
        edit.inverse().write(self.values)
        return edit

    def redo(self) -> Edit | None:
        """Make it again; None where there is none."""
        if not self._undone:
            return None
        edit = self._undone.pop()
        self._done.append(edit)
        self.version += 1
        edit.write(self.values)
        return edit


def masks_of(
    values: npt.NDArray[np.uint8] | None,
) -> tuple[BoolArray | None, BoolArray | None]:
    """What was added and what was spared, of the values of strokes; None for nothing."""
    return (None, None) if values is None else (values == ADDED, values == SPARED)


class FaceStroke:
    """A stroke under the hand: seen at once, kept when the hand is lifted.

    Parameters
    ----------
    by_hand
        What it is kept in.
    shown
        uint8 `[k, j, i]`: what goes, as it is seen.
    brain
        What never goes, the same shape; None where nobody knows.
    way
        Whether it adds or spares.
    axis
        Of the plane that is drawn in; None for a ball across slices.
    size_mm, spacing_mm
        Diameter of the brush, and of the image.
    """

    def __init__(  # noqa: PLR0913, PLR0917  # all that a stroke is
        self, by_hand: ByHand, shown: npt.NDArray[np.uint8], brain: npt.NDArray[np.uint8] | None,
        way: Way, axis: int | None, size_mm: float, spacing_mm: Spacing,
    ) -> None:  # fmt: skip
        self._kept, self._shown, self._brain = by_hand, shown, brain
        self._value = ADDED if way == "add" else SPARED
        self._axis, self._size_mm, self._spacing_mm = axis, size_mm, spacing_mm
        self._before: list[tuple[Box, npt.NDArray[np.uint8], npt.NDArray[np.uint8]]] = []
        self._last: tuple[float, ...] | None = None
        self.box: Box | None = None

    def to(self, kji: tuple[float, ...]) -> Box | None:
        """Draw from where the hand was to where it is; the box that has changed."""
        start = kji if self._last is None else self._last
        self._last = kji
        changed: Box | None = None
        for station in brush.stations(start, kji, self._spacing_mm, self._size_mm):
            found = self._set_down([round(float(n)) for n in station])
            if found is not None:
                changed = found if changed is None else around(changed, found)
        if changed is not None:
            self.box = changed if self.box is None else around(self.box, changed)
        return changed

    def finish(self) -> Edit:
        """What it changed, which stays."""
        values = self._kept.values
        if self.box is None:
            return Edit.nothing()
        after = values[self.box].copy()
        for box, before, _seen in reversed(self._before):
            values[box] = before
        k, j, i = (part.start for part in self.box)
        edit = Edit.between((k, j, i), values[self.box].copy(), after)
        values[self.box] = after
        return edit

    def take_back(self) -> None:
        """As if it had not been begun."""
        for box, before, seen in reversed(self._before):
            self._kept.values[box] = before
            self._shown[box] = seen

    def _set_down(self, centre: list[int]) -> Box | None:
        placed = brush.placed(
            dab(self._size_mm, self._spacing_mm, self._axis), centre, self._shown.shape
        )
        if placed is None:
            return None
        inside, low, high = placed
        k, j, i = (slice(a, b) for a, b in zip(low, high, strict=True))
        box: Box = (k, j, i)
        values: Any = self._kept.values[box]
        wanted = inside & (values != self._value)
        if not wanted.any():
            return None
        seen = self._shown[box]
        self._before.append((box, values.copy(), seen.copy()))
        values[wanted] = self._value
        goes = self._value == ADDED
        if goes and self._brain is not None:
            wanted = wanted & (self._brain[box] == 0)
        seen[wanted] = goes
        return box
