"""Where one looks in the Deface tab: the place of the case, what goes in red, brain in green."""

from typing import TYPE_CHECKING, Any, Final

import numpy.typing as npt

from napari_medlabel.ui.planes.greys import Palette
from napari_medlabel.ui.sight import Look, Sight

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["BRAIN", "GREEN", "RED", "REMOVED", "FaceSight"]

REMOVED: Final = 1  # in the array of what goes
BRAIN: Final = 2  # in the array of the brain
RED: Final = "#F27E7E"
GREEN: Final = "#35C48A"


def _rgb(color: str) -> tuple[float, float, float]:
    red, green, blue = (int(color[n : n + 2], 16) / 255.0 for n in (1, 3, 5))
    return red, green, blue


_COLORS: Final = {REMOVED: _rgb(RED), BRAIN: _rgb(GREEN)}
NO_COLORS: Final[dict[int, tuple[float, float, float]]] = {}
_STRENGTH: Final = {REMOVED: 2.2, BRAIN: 1.2}  # of the strength that segments are filled with


class FaceSight(Sight):
    """A sight of its own on the same place; what is chosen about the views holds for both.

    Parameters
    ----------
    drawing
        The open case.
    """

    def __init__(self, drawing: "Drawing") -> None:
        super().__init__(drawing.case, drawing.layers, drawing.sight.look, drawing)
        self._of = drawing.sight
        self._shown: tuple[npt.NDArray[Any], ...] = ()
        self._painted: tuple[tuple[object, ...], Palette] | None = None
        self.position = self._of.position
        self._of.moved.connect(lambda new, _old: self.move_to(new))
        self.moved.connect(lambda new, _old: self._of.move_to(new))
        self._of.changed.connect(self._follow)

    def show_arrays(self, *arrays: npt.NDArray[Any]) -> None:
        """Show these, the last on top; uint8 `[k, j, i]` of `REMOVED` and `BRAIN`."""
        self._shown = arrays
        self.tell_labels(None)

    @property
    def arrays(self) -> tuple[npt.NDArray[Any], ...]:
        """What goes, and the brain."""
        return self._shown

    @property
    def palette(self) -> Palette:
        """Red and green, as strong as segments are shown."""
        layers = self.layers
        key = (self.look.fill, layers.style, layers.shown)
        if self._painted is None or self._painted[0] != key:
            filled = 0.0 if layers.style == "outline" else self.look.fill
            fills = {value: min(filled * n, 1.0) for value, n in _STRENGTH.items()}
            made = Palette.of(
                _COLORS if layers.shown else NO_COLORS, 0, fill=0.0,
                outline=0.0 if layers.style == "fill" else 1.0, highest=BRAIN, fills=fills,
            )  # fmt: skip
            self._painted = (key, made)
        return self._painted[1]

    def _follow(self) -> None:
        look: Look = self._of.look
        self.look, self.scale, self.window_name = look, self._of.scale, self._of.window_name
        self.image = self._of.image
        self.changed.emit()
