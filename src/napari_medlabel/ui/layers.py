"""An open case as two layers: its image, and its segments as they are and are being drawn."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from napari import Viewer
from napari.layers import Image
from napari.utils.colormaps import DirectLabelColormap

from napari_medlabel import commands
from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import BoolArray, Index
from napari_medlabel.core.segmentation import Change, Segmentation
from napari_medlabel.core.volume import Window
from napari_medlabel.errors import MedlabelError
from napari_medlabel.session import OpenCase, Session
from napari_medlabel.ui import presets, views
from napari_medlabel.ui._napari_compat import OUTLINE, Box, CaseLabels
from napari_medlabel.ui.state import Style

__all__ = ["STYLES", "CaseLayers"]

# How strongly a segment's area and its border are shown, by the style that O cycles through.
STYLES: Final[dict[Style, tuple[float, float]]] = {
    "outline and fill": (0.25, 1.0), "outline": (0.0, 1.0), "fill": (0.4, 0.4),
}  # fmt: skip
TOOL_WORDS = {"paint": "Paint", "erase": "Erase", "fill": "Fill", "polygon": "Polygon"}


class CaseLayers:
    """The layers of one open case; strokes on them become edits.

    Parameters
    ----------
    viewer, session, case
        Where it is shown, who draws, and what.
    window
        The grey range to open with.
    on_error
        Told when a stroke, undo or redo is refused; the layer then shows what is there.
    on_blocked
        Told the label value of the locked segment that a stroke ran into, once a stroke.
    """

    def __init__(  # noqa: PLR0913  # who, what, and two who listen
        self, viewer: Viewer, session: Session, case: OpenCase, window: Window, *,
        on_error: Callable[[MedlabelError], None], on_blocked: Callable[[int], None],
    ) -> None:  # fmt: skip
        self._viewer, self._session, self._case = viewer, session, case
        self._on_error, self._on_blocked = on_error, on_blocked
        self._blocked = False
        self._hidden: frozenset[int] = frozenset()
        self._ended = False
        self.image = self._add_image(window)
        self.labels = self._add_labels()
        self.show_schema(self._hidden)
        self._stop_watching = case.segmentation.watch(self._changed)
        viewer.dims.events.ndisplay.connect(self._turned)

    # What the panel asks for

    def set_window(self, window: Window) -> None:
        """Show this grey range."""
        self.image.contrast_limits = window.limits

    @property
    def window(self) -> Window:
        """The grey range that is shown, whoever set it."""
        low, high = (float(limit) for limit in self.image.contrast_limits)
        return Window(high - low, (low + high) / 2.0)

    def show_schema(self, hidden: frozenset[int], style: Style = "outline and fill") -> None:
        """Colour the segments as the schema says, `hidden` ones not at all."""
        self._hidden, self._style = hidden, style
        schema = self._case.segmentation.schema
        solid = self._viewer.dims.ndisplay == 3
        fill, border = (1.0, 1.0) if solid else STYLES[style]
        colors: dict[int | None, Any] = {None: (0, 0, 0, 0), 0: (0, 0, 0, 0)}
        for label in schema:
            shown = 0.0 if label.value in hidden else 1.0
            colors[label.value] = (*label.rgb, shown * (fill if label.value < OUTLINE else 0.4))
            if label.value < OUTLINE:
                colors[label.value + OUTLINE] = (*label.rgb, shown * border)
        self.labels.values = frozenset(label.value for label in schema)
        self.labels.colormap = DirectLabelColormap(color_dict=colors)

    def pick(self, value: int) -> None:
        """Draw this segment from now on."""
        self.labels.selected_label = value
        self._viewer.layers.selection.active = self.labels

    def slices_came(self) -> None:
        """Show slices that were read since they were last drawn."""
        self.image.refresh(extent=False, highlight=False)

    def close(self) -> None:
        """Take the layers away and hold on to nothing."""
        if self._ended:
            return
        self._ended = True
        self._stop_watching()
        self._viewer.dims.events.ndisplay.disconnect(self._turned)
        self.labels.let_go()
        for layer in (self.labels, self.image):
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)

    # What the drawing layer asks and tells (StrokeReceiver)

    def allowed(self, box: Box, present: npt.NDArray[Any], value: int) -> BoolArray | None:
        """Where locks and the intensity mask let the stroke pass."""
        segmentation = self._case.segmentation
        locked = segmentation.locked
        allowed = None
        if value in locked:
            self._block(value)
            return np.zeros(present.shape, bool)
        if locked:
            held = np.isin(present, list(locked))
            if held.any():
                self._block(int(present[held][0]))
            allowed = ~held
        if segmentation.intensity_mask is not None:
            inside = segmentation.intensity_mask.allows(box)
            allowed = inside if allowed is None else allowed & inside
        return allowed

    def stroke_done(self, box: Box, mode: str) -> None:
        """Make the stroke one edit; then show what was written, where locks or disk trimmed it."""
        self._blocked = False
        there = self._case.segmentation.labels
        low: Index = (box[0].start, box[1].start, box[2].start)
        edit = Edit.between(low, there[box], self.labels.data[box])
        settings = {"brush_mm": self.labels.brush_mm} if mode in {"paint", "erase"} else {}
        tool = TOOL_WORDS.get(mode, "Edit")
        try:
            commands.paint(self._session, self._case, edit, tool=tool, settings=settings)
        except MedlabelError as error:
            self._on_error(error)
        if not np.array_equal(self.labels.data[box], there[box]):
            self.labels.show_box(box, there)

    def undo(self) -> None:
        """Take the last step back and go to the slice it changed."""
        self._step(commands.undo)

    def redo(self) -> None:
        """Make the step again that was taken back last, and go there."""
        self._step(commands.redo)

    # How

    def _step(self, command: Callable[[Session, OpenCase], Edit | None]) -> None:
        if self.labels.drawing:
            return  # the hand is down: what it draws is not a step yet
        try:
            edit = command(self._session, self._case)
        except MedlabelError as error:
            self._on_error(error)
            return
        if edit is not None and not edit.is_nothing:
            self._go_to(edit)

    def _go_to(self, edit: Edit) -> None:
        axis = views.plane_of(self._viewer).axis
        box = edit.box[axis]
        if not box.start <= self._viewer.dims.current_step[axis] < box.stop:
            k, j, i = ((part.start + part.stop - 1) // 2 for part in edit.box)
            views.jump_to(self._viewer, (k, j, i))

    def _changed(self, change: Change) -> None:
        if change.step.schema_after is not None:
            self.show_schema(self._hidden, self._style)
        if change.edit.is_nothing:
            return
        box, labels = change.edit.box, self._case.segmentation.labels
        if not np.array_equal(self.labels.data[box], labels[box]):
            self.labels.show_box(box, labels)

    def _block(self, value: int) -> None:
        if not self._blocked:
            self._blocked = True
            self._on_blocked(value)

    def _turned(self, _event: object = None) -> None:
        views.hold_orientation(self._viewer)
        self.show_schema(self._hidden, self._style)
        if self._viewer.dims.ndisplay == 3:
            self.labels.iso_gradient_mode = "smooth"

    def _placed(self) -> dict[str, Any]:
        scale, translate = views.grid_for_display(self._case.volume.geometry)
        return {
            "scale": scale, "translate": translate, "units": ("mm",) * 3,
            "axis_labels": views.AXES, "projection_mode": "none",
        }  # fmt: skip

    def _add_image(self, window: Window) -> Image:
        volume = self._case.volume
        layer = Image(
            volume.levels[0], name=self._case.info.name, colormap=presets.colormap(volume),
            contrast_limits=window.limits, interpolation2d="linear", multiscale=False, rgb=False,
            **self._placed(),
        )  # fmt: skip
        layer.contrast_limits_range = _range_around(window, volume.unit)
        layer.contrast_limits = window.limits
        return self._viewer.add_layer(layer)

    def _add_labels(self) -> CaseLabels:
        segmentation = self._case.segmentation
        layer = CaseLabels(
            _own_copy(segmentation), self, name="Segments", opacity=1.0, multiscale=False,
            **self._placed(),
        )  # fmt: skip
        layer.editable = not segmentation.read_only
        layer.contour = 1
        self._viewer.add_layer(layer)
        return layer


def _own_copy(segmentation: Segmentation) -> LabelArray:
    """The labels in memory of their own; slices without a label cost nothing."""
    labels = segmentation.labels
    copy: LabelArray = np.zeros(labels.shape, labels.dtype)
    for label in segmentation.schema:
        for k in segmentation.slices(label.value):
            copy[k] = labels[k]
    return copy


def _range_around(window: Window, unit: str) -> tuple[float, float]:
    """How far napari's own contrast slider goes."""
    low, high = window.limits
    if unit == "HU":
        return (min(low, -1024.0), max(high, 3071.0))
    return (low - 2.0 * window.width, high + 4.0 * window.width)
