"""Keys, wheel and right button of the window while a case is open; given back after."""

from collections.abc import Callable
from typing import Any

from napari import Viewer
from qtpy.QtCore import QObject

from napari_medlabel.core.volume import Window
from napari_medlabel.ui._napari_compat import main_window, without_scroll_keys
from napari_medlabel.ui.desk import Desk
from napari_medlabel.ui.drawing import Drawing
from napari_medlabel.ui.key_sets import KeyChoice
from napari_medlabel.ui.window_keys import WindowKeys

__all__ = ["Keys"]

REMEMBERED = "keys"


class Keys(QObject):
    """Takes the keys while a case is open, and wheel and right button of napari's own canvas.

    `window` runs actions by their keys and tells what the window has to do itself.

    Parameters
    ----------
    viewer
        Whose window.
    desk
        Has the drawing that they act on, and what is remembered.
    """

    def __init__(self, viewer: Viewer, desk: Desk) -> None:
        super().__init__(desk)
        self._viewer, self._desk = viewer, desk
        self._on: Drawing | None = None
        self._give_back: Callable[[], None] = lambda: None
        self.window = WindowKeys(main_window(viewer), self)
        self.window.set_choice(KeyChoice.from_document(desk.remembered.get(REMEMBERED, {})))
        self.window.panning.connect(self._hold_space)
        self.window.refused.connect(desk.blocked)
        desk.changed.connect(self._look)

    def keep_choice(self, choice: KeyChoice) -> None:
        """Use these keys from now on, and next time."""
        self.window.set_choice(choice)
        self._desk.remembered.set(REMEMBERED, choice.document())

    def remove(self) -> None:
        """Give everything back."""
        self._let_go()

    def _look(self) -> None:
        if self._desk.drawing is not self._on:
            self._let_go()
            if self._desk.drawing is not None:
                self._take(self._desk.drawing)

    def _take(self, drawing: Drawing) -> None:
        self._on = drawing
        self.window.take(drawing)
        self._give_back = without_scroll_keys(self._viewer)
        self._viewer.mouse_wheel_callbacks.insert(0, self._wheel)
        self._viewer.mouse_drag_callbacks.append(self._drag)

    def _let_go(self) -> None:
        if self._on is None:
            return
        self._on = None
        self.window.let_go()
        self._give_back()
        self._viewer.mouse_wheel_callbacks.remove(self._wheel)
        self._viewer.mouse_drag_callbacks.remove(self._drag)

    def _hold_space(self, held: bool) -> None:  # noqa: FBT001  # Qt's
        if self._desk.drawing is not None:
            self._desk.drawing.hand.space_held = held

    # On napari's own canvas

    def _wheel(self, _viewer: Viewer, event: Any) -> None:  # noqa: ANN401  # napari's event
        """The wheel steps slices, Shift sizes the brush, Ctrl is left to zoom."""
        drawing = self._desk.drawing
        if drawing is None or self._viewer.dims.ndisplay == 3 or "Control" in event.modifiers:
            return
        up = 1 if sum(event.delta) > 0 else -1
        if "Shift" in event.modifiers:
            drawing.tools.step_size(up)
        elif "Alt" not in event.modifiers:
            drawing.looking.step_slice(up)
        event.handled = True

    def _drag(self, _viewer: Viewer, event: Any) -> Any:  # noqa: ANN401
        """The right button sets the window: across its width, up and down its level."""
        drawing = self._desk.drawing
        if drawing is None or event.button != 2:
            return
        start, x, y = drawing.layers.window, *(float(n) for n in event.pos)
        step = max(start.width, 1e-3) / 400.0
        event.handled = True
        yield
        while event.type == "mouse_move":
            right, down = float(event.pos[0]) - x, float(event.pos[1]) - y
            width = max(start.width + right * step * 2.0, step)
            drawing.set_window(Window(width, start.level + down * step))
            event.handled = True
            yield
