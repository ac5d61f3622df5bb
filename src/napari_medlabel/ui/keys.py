"""Keys of the window while a case is open; bound to viewer and layers, never application-wide."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from napari import Viewer
from qtpy.QtCore import QObject

from napari_medlabel.core.volume import Window
from napari_medlabel.ui._napari_compat import without_scroll_keys
from napari_medlabel.ui.desk import Desk
from napari_medlabel.ui.drawing import Drawing

__all__ = ["KEYS", "Keys"]

Action = Callable[[Drawing], object]

KEYS: Final[dict[str, tuple[str, Action]]] = {
    "P": ("Paint", lambda drawing: drawing.set_tool("paint")),
    "E": ("Erase", lambda drawing: drawing.set_tool("erase")),
    "F": ("Fill", lambda drawing: drawing.set_tool("fill")),
    "[": ("Smaller brush", lambda drawing: drawing.step_brush(-1)),
    "]": ("Larger brush", lambda drawing: drawing.step_brush(1)),
    "Q": ("Previous segment", lambda drawing: drawing.pick_next(-1)),
    "W": ("Next segment", lambda drawing: drawing.pick_next(1)),
    "K": ("Lock", lambda drawing: drawing.toggle_lock(drawing.choices.active)),
    "V": ("Show or hide segments", lambda drawing: drawing.toggle_shown()),
    "O": ("Outline, fill or both", lambda drawing: drawing.next_style()),
    "Control-Z": ("Undo", lambda drawing: drawing.undo()),
    "Control-Shift-Z": ("Redo", lambda drawing: drawing.redo()),
    "Control-Y": ("Redo", lambda drawing: drawing.redo()),
    "Control-Shift-N": ("Add a segment", lambda drawing: drawing.add_segment()),
    "Control-1": ("Axial", lambda drawing: drawing.set_plane(0)),
    "Control-2": ("Coronal", lambda drawing: drawing.set_plane(1)),
    "Control-3": ("Sagittal", lambda drawing: drawing.set_plane(2)),
    "Up": ("Next slice", lambda drawing: drawing.step_slice(1)),
    "Down": ("Previous slice", lambda drawing: drawing.step_slice(-1)),
}


def _preset(number: int, drawing: Drawing) -> None:
    drawing.set_window(drawing.choices.windows[number])


class Keys(QObject):
    """Binds keys, wheel and right button while a case is open, and gives them back after.

    Parameters
    ----------
    viewer
        Whose keys.
    desk
        Has the drawing that they act on.
    """

    def __init__(self, viewer: Viewer, desk: Desk) -> None:
        super().__init__(desk)
        self._viewer, self._desk = viewer, desk
        self._on: Drawing | None = None
        self._give_back: Callable[[], None] = lambda: None
        desk.changed.connect(self._look)

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
        actions = {key: action for key, (_words, action) in KEYS.items()}
        for n, _window in enumerate(drawing.choices.windows[:9]):
            actions[f"Alt-{n + 1}"] = partial(_preset, n)
        # The layers too: napari asks the active layer first, and its own keys are in its class.
        for place in (self._viewer, drawing.layers.image, drawing.layers.labels):
            for key, action in actions.items():
                place.bind_key(key, self._bound(action), overwrite=True)
        self._bound_keys = tuple(actions)
        self._give_back = without_scroll_keys(self._viewer)
        self._viewer.mouse_wheel_callbacks.insert(0, self._wheel)
        self._viewer.mouse_drag_callbacks.append(self._drag)

    def _let_go(self) -> None:
        if self._on is None:
            return
        self._on = None
        for key in self._bound_keys:
            self._viewer.bind_key(key, None, overwrite=True)
        self._give_back()
        self._viewer.mouse_wheel_callbacks.remove(self._wheel)
        self._viewer.mouse_drag_callbacks.remove(self._drag)

    def _bound(self, action: Action) -> Callable[[object], None]:
        def pressed(_layer_or_viewer: object) -> None:
            if self._desk.drawing is not None:
                action(self._desk.drawing)

        return pressed

    def _wheel(self, _viewer: Viewer, event: Any) -> None:  # noqa: ANN401  # napari's event
        """The wheel steps slices, Shift sizes the brush, Ctrl is left to zoom."""
        drawing = self._desk.drawing
        if drawing is None or self._viewer.dims.ndisplay == 3 or "Control" in event.modifiers:
            return
        up = 1 if sum(event.delta) > 0 else -1
        if "Shift" in event.modifiers:
            drawing.step_brush(up)
        elif "Alt" not in event.modifiers:
            drawing.step_slice(up)
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
