"""Every use of a private name of napari 0.9; `tests/gui/test_napari_compat.py` holds napari to it.

`CaseLabels` is a Labels layer that protects while it paints and reports a finished stroke as one
box. What is in its array is a preview: the stroke's receiver makes it an edit, or takes it back.
napari's own history is not used: nothing is ever put on it.
"""

from collections.abc import Callable, Generator
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
from napari import Viewer
from napari.components.overlays import Overlay
from napari.layers import Labels
from napari.layers.labels._labels_constants import Mode
from napari.layers.labels._labels_utils import mouse_event_to_labels_coordinate
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.ui import brush

__all__ = [
    "OUTLINE",
    "Box",
    "CaseLabels",
    "StrokeReceiver",
    "canvas_area",
    "canvas_widget",
    "drawing_overlays",
    "is_gone",
    "main_window",
    "napari_docks",
    "napari_status",
]

Box = tuple[slice, slice, slice]
OUTLINE = 128  # what a voxel at a label's border is shown as, above its label value
MouseDrag = Generator[None, None, None]


class StrokeReceiver(Protocol):
    """What stands behind a layer that is painted on."""

    def allowed(self, box: Box, present: npt.NDArray[Any], value: int) -> BoolArray | None:
        """Where in the box `value` may replace what is `present`; None for everywhere."""

    def stroke_done(self, box: Box, mode: str) -> None:
        """The hand was lifted: everything that changed lies in the box."""

    def undo(self) -> None:
        """Ctrl+Z was pressed."""

    def redo(self) -> None:
        """Ctrl+Shift+Z was pressed."""


def _draw(layer: "CaseLabels", event: Any) -> MouseDrag:  # noqa: ANN401  # napari's event
    """Paint while the left button is down; Ctrl held at the start erases."""
    if event.button != 1:
        return
    erase = layer.mode == "erase" or "Control" in event.modifiers
    value = 0 if erase else layer.selected_label
    before = coordinates = mouse_event_to_labels_coordinate(layer, event)
    with layer.block_history():
        layer._draw(value, coordinates, coordinates)  # noqa: SLF001
        yield
        while event.type == "mouse_move":
            coordinates = mouse_event_to_labels_coordinate(layer, event)
            layer._draw(value, before, coordinates)  # noqa: SLF001
            before = coordinates
            yield


class CaseLabels(Labels):
    """The segments of an open case, painted with a brush in millimetres.

    Parameters
    ----------
    data
        uint8 or uint16, `[k, j, i]`: the layer's own copy, painted on before anybody decides.
    receiver
        Asked before voxels change, told when a stroke is done.
    **shown
        As for `napari.layers.Labels`.
    """

    _drag_modes: ClassVar[dict[Any, Any]] = {
        **Labels._drag_modes,  # noqa: SLF001
        Mode.PAINT: _draw, Mode.ERASE: _draw, Mode.FILL: _draw,
    }  # fmt: skip

    def __init__(self, data: npt.NDArray[Any], receiver: StrokeReceiver, **shown: Any) -> None:  # noqa: ANN401
        self._receiver: StrokeReceiver | None = receiver
        self._brush_mm = 10.0
        self._stroke_box: Box | None = None
        self._values: frozenset[int] = frozenset()
        super().__init__(data, **shown)

    @property
    def _type_string(self) -> str:
        return "labels"  # napari looks up icons, controls and writers by it

    # What the panel sets

    @property
    def brush_mm(self) -> float:
        """The brush's diameter in millimetres."""
        return self._brush_mm

    @brush_mm.setter
    def brush_mm(self, diameter_mm: float) -> None:
        self._brush_mm = min(max(float(diameter_mm), brush.SMALLEST_MM), brush.LARGEST_MM)
        self.cursor_size = self._calculate_cursor_size()
        self.events.brush_size()

    @property
    def brush_size(self) -> int:
        """The diameter in voxels of the finest axis, as napari's own controls show it."""
        return max(1, round(self._brush_mm / min(self.spacing_mm)))

    @brush_size.setter
    def brush_size(self, voxels: float) -> None:
        self.brush_mm = voxels * min(self.spacing_mm)

    @property
    def values(self) -> frozenset[int]:
        """The label values that may be picked."""
        return self._values

    @values.setter
    def values(self, values: frozenset[int]) -> None:
        self._values = values

    @property
    def selected_label(self) -> int:
        """The label value that is painted; one that is not in the schema cannot be picked."""
        return int(self._selected_label)

    @selected_label.setter
    def selected_label(self, value: int) -> None:
        if value in self._values:
            Labels.selected_label.fset(self, value)

    @property
    def spacing_mm(self) -> tuple[float, ...]:
        """Distance between voxels along k, j, i."""
        return tuple(float(step) for step in self.scale)

    @property
    def drawing(self) -> bool:
        """True while a stroke is under the hand."""
        return self._stroke_box is not None

    def refresh_box(self, box: Box) -> None:
        """Show what the array has in the box; uploads that part of the slice only."""
        if self._slice_input.ndisplay == 3:
            self.refresh(extent=False)
            return
        self._accumulate_updated_slice(box)
        self._partial_labels_refresh()

    def let_go(self) -> None:
        """End it: no stroke is reported and no key acts from here on."""
        self._receiver = None
        self._stroke_box = None

    # What napari calls

    def undo(self) -> None:
        """Ctrl+Z: the case's history, not napari's."""
        if self._receiver and not self.drawing:
            self._receiver.undo()

    def redo(self) -> None:
        """Ctrl+Shift+Z: the case's history, not napari's."""
        if self._receiver and not self.drawing:
            self._receiver.redo()

    def _mode_setter_helper(self, mode: Any) -> Any:  # noqa: ANN401
        mode = super()._mode_setter_helper(mode)
        if "brush_stroke" in self._overlays:  # not yet while the layer is being made
            self._overlays["brush_stroke"].enabled = False  # the right button sets the window
        return mode

    def _calculate_cursor_size(self) -> float:
        return self._brush_mm

    def _raw_to_displayed(
        self, raw: npt.NDArray[Any], data_slice: tuple[slice, ...] | None = None
    ) -> npt.NDArray[Any]:
        if self.contour < 1 or raw.ndim != 2:
            shown = raw if data_slice is None else raw[data_slice]
        else:
            shown = outlined(raw, data_slice or (slice(0, raw.shape[0]), slice(0, raw.shape[1])))
        return self.colormap._data_to_texture(shown)  # type: ignore[no-any-return]  # noqa: SLF001

    def _draw(self, new_label: int, last_cursor_coord: Any, coordinates: Any) -> None:  # noqa: ANN401
        if coordinates is None or self._slice_input.ndisplay == 3:
            return
        start = coordinates if last_cursor_coord is None else last_cursor_coord
        if self._mode == Mode.FILL:
            self.fill(coordinates, new_label, refresh=False)
        else:
            for station in brush.stations(start, coordinates, self.spacing_mm, self._brush_mm):
                self.paint(station, new_label, refresh=False)
        self._partial_labels_refresh()

    def _get_brush_mask_and_bbox(
        self, coord: Any, dims_to_paint: list[int], shape: list[int]  # noqa: ANN401
    ) -> tuple[BoolArray, list[int], list[int]] | None:  # fmt: skip
        mask = brush.footprint(self._brush_mm, tuple(self.spacing_mm[d] for d in dims_to_paint))
        return brush.placed(mask, [int(coord[d]) for d in dims_to_paint], shape)

    def _apply_mask_to_data(
        self, data: npt.NDArray[Any], mask: BoolArray, new_label: int, volume_slice: Box
    ) -> BoolArray | None:
        if self._receiver is None:
            return None
        allowed = self._receiver.allowed(volume_slice, data, new_label)
        wanted = mask if allowed is None else mask & allowed
        effective: BoolArray | None = super()._apply_mask_to_data(
            data, wanted, new_label, volume_slice
        )
        return effective

    def _paint_region_with_mask(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        super()._paint_region_with_mask(*args, **options)
        if not self._block_history:  # a polygon, or a script: done at once
            self._stroke_done()

    def _save_history(self, value: Any) -> None:  # noqa: ANN401  # a _MaskedPaintAtom
        k, j, i = value.slice_key
        box = (k, j, i)
        self._stroke_box = box if self._stroke_box is None else _around(self._stroke_box, box)

    def _commit_staged_history(self) -> None:
        self._stroke_done()

    def _stroke_done(self) -> None:
        box, self._stroke_box = self._stroke_box, None
        if box is not None and self._receiver is not None:
            self._receiver.stroke_done(box, str(self.mode))


def outlined(labels: npt.NDArray[Any], part: tuple[slice, ...]) -> npt.NDArray[Any]:
    """A part of a slice in which voxels at the border of their label have `OUTLINE` added.

    Labels from `OUTLINE` on have no number left for their border and stay as they are.
    """
    room = [slice(max(s.start - 1, 0), s.stop + 1) for s in part]
    near = labels[room[0], room[1]]
    border = np.zeros(near.shape, bool)
    for axis in (0, 1):
        first = tuple(slice(None, -1) if n == axis else slice(None) for n in (0, 1))
        second = tuple(slice(1, None) if n == axis else slice(None) for n in (0, 1))
        differs = near[first] != near[second]
        border[first] |= differs
        border[second] |= differs
    inner = tuple(
        slice(s.start - r.start, s.start - r.start + len(range(*s.indices(n))))
        for s, r, n in zip(part, room, labels.shape, strict=True)
    )
    border &= (near > 0) & (near < OUTLINE)
    shown: npt.NDArray[Any] = near + border.astype(near.dtype) * near.dtype.type(OUTLINE)
    return shown[inner]


def _around(a: Box, b: Box) -> Box:
    k, j, i = (slice(min(x.start, y.start), max(x.stop, y.stop)) for x, y in zip(a, b, strict=True))
    return (k, j, i)


# The window


def drawing_overlays(layer: Labels) -> list[Overlay]:
    """What napari shows over a layer while somebody draws: made where `visible` says so."""
    return [layer._overlays[name] for name in ("polygon", "brush_stroke")]  # noqa: SLF001


def main_window(viewer: Viewer) -> QMainWindow:
    """The viewer's window."""
    return viewer.window._qt_window  # noqa: SLF001


def is_gone(viewer: Viewer) -> bool:
    """True once the viewer's window was closed: napari lets go of it then."""
    window = getattr(viewer.window, "_qt_window", None)
    try:
        return window is None or not window.isVisible()
    except RuntimeError:  # Qt has deleted it already
        return True


def canvas_widget(viewer: Viewer) -> QWidget:
    """The widget that takes the mouse over the image."""
    return viewer.window._qt_viewer.canvas.native  # noqa: SLF001


def canvas_area(viewer: Viewer) -> QWidget:
    """What holds the canvas and the sliders: a page over the image covers this."""
    return canvas_widget(viewer).parentWidget()


def napari_docks(viewer: Viewer) -> tuple[QDockWidget, QDockWidget]:
    """The docks *layer controls* and *layer list*."""
    shown = viewer.window._qt_viewer  # noqa: SLF001
    return (shown.dockLayerControls, shown.dockLayerList)


def napari_status(viewer: Viewer) -> tuple[QWidget, ...]:
    """What napari shows in the status bar: words about its layers, and the switch of *activity*.

    The switch's dialog opens from the menu *View* as well.
    """
    bar = main_window(viewer).statusBar()
    return (bar._status.parentWidget(), bar._activity_item)  # noqa: SLF001


def without_scroll_keys(viewer: Viewer) -> Callable[[], None]:
    """Let Ctrl+wheel only zoom; calling the result gives it back to the sliders."""
    callbacks = viewer.mouse_wheel_callbacks
    taken = [found for found in callbacks if found.__name__ == "dims_scroll"]
    for found in taken:
        callbacks.remove(found)

    def give_back() -> None:
        callbacks.extend(found for found in taken if found not in callbacks)

    return give_back
