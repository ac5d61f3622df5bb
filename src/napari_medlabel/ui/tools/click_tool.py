"""Tools that take one click: fill a region, grow a segment from a voxel."""

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtGui import QPainter

from napari_medlabel.ui.planes.plane_view import Kji, PlaneView

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["ClickTool"]

AT_ONCE = frozenset({"fill"})  # written when it is made: what it does is seen before the click


class ClickTool:
    """Asks for what the tool would do from the voxel that was clicked.

    Parameters
    ----------
    drawing
        Where it works.
    name
        Of the tool, in `tool_specs`.
    """

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, drawing: "Drawing", name: str) -> None:
        self._drawing, self._name = drawing, name

    def press(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:  # noqa: ARG002
        """Begin from this voxel; nothing beside the image."""
        k, j, i = (round(n) for n in at)
        shape = self._drawing.sight.shape
        if all(0 <= n < size for n, size in zip((k, j, i), shape, strict=True)):
            self._drawing.sight.move_to((k, j, i))
            self._drawing.tools.propose(self._name, seed=(k, j, i), at_once=self._name in AT_ONCE)

    def drag(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:
        """A click is all it takes."""

    def release(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:
        """A click is all it takes."""

    def hover(self, view: PlaneView, at: Kji | None, keys: Qt.KeyboardModifier) -> None:
        """Nothing is shown before."""

    def double_click(self, view: PlaneView, at: Kji) -> bool:  # noqa: ARG002
        """Two clicks."""
        return False

    def cancel(self) -> bool:
        """Nothing is under way."""
        return False

    def paint(self, view: PlaneView, painter: QPainter) -> None:
        """The preview is shown by the view."""
