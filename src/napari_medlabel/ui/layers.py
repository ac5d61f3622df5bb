"""An open case as layers: its image, and its segments as they are and are being drawn."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from napari import Viewer
from napari.layers import Image, Layer
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

__all__ = ["STYLES", "CaseLayers", "PaintOver"]

# How strongly a segment's area and its border are shown, by the style that O cycles through.
STYLES: Final[dict[Style, tuple[float, float]]] = {
    "outline and fill": (0.25, 1.0), "outline": (0.0, 1.0), "fill": (0.4, 0.4),
}  # fmt: skip
TOOL_WORDS = {"paint": "Paint", "erase": "Erase", "fill": "Fill", "polygon": "Polygon"}


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


class CaseLayers:
    """The layers of one open case; strokes on them become edits.

    Each group of labels has a layer of its own, whose array is the group's labels with what is
    being drawn on top. napari's canvas is told of changes only while it is shown.

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
    on_drawn
        Told the box in which the arrays differ, or None for all of it.
    on_step
        Told the edit that undo or redo has just made.
    on_made
        Given each labels layer when it is made.
    """

    def __init__(  # noqa: PLR0913  # who, what, and those who listen
        self, viewer: Viewer, session: Session, case: OpenCase, window: Window, *,
        on_error: Callable[[MedlabelError], None], on_blocked: Callable[[int], None],
        on_drawn: Callable[[Box | None], None], on_step: Callable[[Edit], None],
        on_made: Callable[[CaseLabels], None],
    ) -> None:  # fmt: skip
        self._viewer, self._session, self._case = viewer, session, case
        self._on_error, self._on_blocked = on_error, on_blocked
        self._on_drawn, self._on_step, self._on_made = on_drawn, on_step, on_made
        self._blocked = False
        self._ended = False
        self._making = False  # a layer of ours is being added
        self._on_canvas = True
        self.mirrors: tuple[Layer, ...] = ()  # layers that show what is not voxels
        self._stale = False
        self.hidden: frozenset[int] = frozenset()
        self.style: Style = "outline and fill"
        self.over = PaintOver()
        self.settings: dict[str, Any] = {}
        self.image = self._add_image(window)
        self._by_group: dict[int, CaseLabels] = {}
        self._active = 0
        self._make_groups()
        self.show_schema(self.hidden)
        self._stop_watching = case.segmentation.watch(self._changed)
        viewer.dims.events.ndisplay.connect(self._turned)

    # What the panel asks for

    @property
    def labels(self) -> CaseLabels:
        """The layer of the segment in hand."""
        return self._by_group[self._active]

    @property
    def groups(self) -> dict[int, CaseLabels]:
        """The layers of all groups by number."""
        return dict(self._by_group)

    @property
    def drawn(self) -> tuple[npt.NDArray[Any], ...]:
        """The arrays of all groups, with what is being drawn, `[k, j, i]`."""
        return tuple(layer.data for layer in self._by_group.values())

    def owns(self, layer: object) -> bool:
        """True for the layers of the case."""
        made = (*self._by_group.values(), self.image, *self.mirrors)
        return self._making or any(layer is one for one in made)

    def drawn_of(self, group: int) -> npt.NDArray[Any]:
        """The array of one group, with what is being drawn."""
        found: npt.NDArray[Any] = self._by_group[group].data
        return found

    @property
    def on_canvas(self) -> bool:
        """True while napari's own canvas shows the layers."""
        return self._on_canvas

    def show_on_canvas(self, *, on: bool) -> None:
        """Tell napari's canvas of changes from now on, or leave it alone."""
        self._on_canvas = on
        if on and self._stale:
            self._stale = False
            for layer in (self.image, *self._by_group.values()):
                layer.refresh(extent=False)

    def set_window(self, window: Window) -> None:
        """Show this grey range."""
        self.image.contrast_limits = window.limits

    @property
    def window(self) -> Window:
        """The grey range that is shown, whoever set it."""
        low, high = (float(limit) for limit in self.image.contrast_limits)
        return Window(high - low, (low + high) / 2.0)

    @property
    def inverted(self) -> bool:
        """True where low values are bright."""
        return bool(self.image.colormap.name == "gray_r")

    @property
    def turned(self) -> bool:
        """True where a person asked for the greys the other way round."""
        return self.inverted != self._case.volume.source.inverted

    def invert(self) -> None:
        """Greys the other way round."""
        self.image.colormap = "gray" if self.inverted else "gray_r"

    def show_schema(
        self, hidden: frozenset[int], style: Style = "outline and fill", strength: float = 1.0
    ) -> None:
        """Colour the segments as the schema says, `hidden` ones not at all."""
        self.hidden, self.style = hidden, style
        solid = self._viewer.dims.ndisplay == 3
        fill, border = (1.0, 1.0) if solid else STYLES[style]
        fill = min(fill * strength, 1.0)
        for group, layer in self._by_group.items():
            schema = self._case.segmentation.schema.in_group(group)
            colors: dict[int | None, Any] = {None: (0, 0, 0, 0), 0: (0, 0, 0, 0)}
            for label in schema:
                shown = 0.0 if label.value in hidden else 1.0
                colors[label.value] = (*label.rgb, shown * (fill if label.value < OUTLINE else 0.4))
                if label.value < OUTLINE:
                    colors[label.value + OUTLINE] = (*label.rgb, shown * border)
            layer.values = frozenset(label.value for label in schema)
            layer.colormap = DirectLabelColormap(color_dict=colors)

    def show_segments(self, *, on: bool) -> None:
        """Show or hide all of them."""
        for layer in self._by_group.values():
            layer.visible = on

    def pick(self, value: int) -> None:
        """Draw this segment from now on."""
        label = self._case.segmentation.schema.get(value)
        before = self.labels
        self._active = label.group if label is not None else 0
        self.labels.selected_label = value
        if self.labels is not before:
            self.labels.brush_mm = before.brush_mm
            mode, before.mode = before.mode, "pan_zoom"
            self.labels.mode = mode
        self._viewer.layers.selection.active = self.labels

    def allow_edits(self, *, on: bool) -> None:
        """Let nobody draw, or let them again."""
        for layer in self._by_group.values():
            layer.editable = on

    def slices_came(self) -> None:
        """Show slices that were read since they were last drawn."""
        if self._on_canvas:
            self.image.refresh(extent=False, highlight=False)
        else:
            self._stale = True

    def close(self) -> None:
        """Take the layers away and hold on to nothing."""
        if self._ended:
            return
        self._ended = True
        self._stop_watching()
        self._viewer.dims.events.ndisplay.disconnect(self._turned)
        for layer in self._by_group.values():
            layer.let_go()
        for layer in (*self._by_group.values(), self.image):
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)

    # Strokes

    def allowed(
        self, group: int, box: Box, present: npt.NDArray[Any], value: int
    ) -> BoolArray | None:
        """Where locks, the intensity mask and *paint over* let a stroke pass."""
        segmentation = self._case.segmentation
        locked = {one.value for one in segmentation.schema.in_group(group)} & segmentation.locked
        allowed = None
        if value in locked:
            self._block(value)
            return np.zeros(present.shape, bool)
        if locked:
            held = np.isin(present, list(locked))
            if held.any():
                self._block(int(present[held][0]))
            allowed = ~held
        limits = [self.over.allows(present, value)]
        if segmentation.intensity_mask is not None:
            limits.append(segmentation.intensity_mask.allows(box))
        for limit in limits:
            if limit is not None:
                allowed = limit if allowed is None else allowed & limit
        return allowed

    def finish_stroke(
        self, group: int, box: Box, tool: str, settings: dict[str, Any] | None = None
    ) -> None:
        """Make what differs in the box one edit; then show what was written, if it was trimmed."""
        self._blocked = False
        there, drawn = self._case.segmentation.arrays.get(group), self.drawn_of(group)
        if there is None:
            there = np.zeros(drawn.shape, drawn.dtype)
        low: Index = (box[0].start, box[1].start, box[2].start)
        edit = Edit.between(low, there[box], drawn[box], group=group)
        try:
            commands.paint(self._session, self._case, edit, tool=tool, settings=settings or {})
        except MedlabelError as error:
            self._on_error(error)
        self.take_back(group, box)

    def end_blocked(self) -> None:
        """A stroke ended that changed nothing: the next one may be told of a lock again."""
        self._blocked = False

    def take_back(self, group: int, box: Box) -> None:
        """Show what the labels are in a box, whatever was drawn there."""
        there = self._case.segmentation.arrays.get(group)
        drawn = self.drawn_of(group)
        if there is None:
            there = np.zeros(drawn.shape, drawn.dtype)
        if not np.array_equal(drawn[box], there[box]):
            self._show(group, box, there)
        elif self._on_canvas:
            self._on_drawn(box)
        else:
            self._stale = True

    def undo(self) -> None:
        """Take the last step back."""
        self._step(commands.undo)

    def redo(self) -> None:
        """Make the step again that was taken back last."""
        self._step(commands.redo)

    # How

    def _show(self, group: int, box: Box, labels: npt.NDArray[Any]) -> None:
        layer = self._by_group[group]
        if self._on_canvas:
            layer.show_box(box, labels)
        else:
            layer.data[box] = labels[box]
            self._stale = True
        self._on_drawn(box)

    def _step(self, command: Callable[[Session, OpenCase], Edit | None]) -> None:
        if any(layer.drawing for layer in self._by_group.values()):
            return  # the hand is down: what it draws is not a step yet
        try:
            edit = command(self._session, self._case)
        except MedlabelError as error:
            self._on_error(error)
            return
        if edit is not None and not edit.is_nothing:
            self._on_step(edit)

    def _changed(self, change: Change) -> None:
        if change.step.schema_after is not None:
            self._make_groups()
            self.show_schema(self.hidden, self.style)
        for edit in change.edits:
            labels = self._case.segmentation.arrays.get(edit.group)
            drawn = self._by_group.get(edit.group)
            if edit.is_nothing or labels is None or drawn is None:
                continue
            if drawn.data.dtype != labels.dtype:  # a value came that the narrower type cannot hold
                drawn.data = np.array(labels)
            if not np.array_equal(drawn.data[edit.box], labels[edit.box]):
                self._show(edit.group, edit.box, labels)

    def _make_groups(self) -> None:
        groups = {*self._case.segmentation.schema.groups, *self._case.segmentation.arrays}
        self._making = True
        for group in sorted(groups - set(self._by_group)):
            self._by_group[group] = self._add_labels(group)
            self._on_made(self._by_group[group])
        self._making = False

    def _block(self, value: int) -> None:
        if not self._blocked:
            self._blocked = True
            self._on_blocked(value)

    def _turned(self, _event: object = None) -> None:
        views.hold_orientation(self._viewer)
        self.show_schema(self.hidden, self.style)
        if self._viewer.dims.ndisplay == 3:
            for layer in self._by_group.values():
                layer.iso_gradient_mode = "smooth"

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

    def _add_labels(self, group: int) -> CaseLabels:
        segmentation = self._case.segmentation
        layer = CaseLabels(
            _own_copy(segmentation, group), _OnCanvas(self, group),
            name=f"Segments {group + 1}" if group else "Segments", opacity=1.0, multiscale=False,
            **self._placed(),
        )  # fmt: skip
        layer.editable = not segmentation.read_only
        layer.contour = 1
        self._viewer.add_layer(layer)
        return layer


class _OnCanvas:
    """What a layer asks and tells when somebody draws on napari's own canvas."""

    def __init__(self, layers: CaseLayers, group: int) -> None:
        self._layers = layers
        self.allowed = partial(layers.allowed, group)
        self.undo, self.redo = layers.undo, layers.redo
        self._group = group

    def stroke_done(self, box: Box, mode: str) -> None:
        """The hand was lifted."""
        layer = self._layers.groups[self._group]
        settings = {"brush_mm": layer.brush_mm} if mode in {"paint", "erase"} else {}
        tool = TOOL_WORDS.get(mode, "Edit")
        self._layers.finish_stroke(self._group, box, tool, settings)


def _own_copy(segmentation: Segmentation, group: int) -> LabelArray:
    """A group's labels in memory of their own; slices without a label cost nothing."""
    labels = segmentation.arrays.get(group)
    if labels is None:
        return np.zeros(segmentation.labels.shape, segmentation.labels.dtype)
    copy: LabelArray = np.zeros(labels.shape, labels.dtype)
    for label in segmentation.schema.in_group(group):
        for k in segmentation.slices(label.value):
            copy[k] = labels[k]
    return copy


def _range_around(window: Window, unit: str) -> tuple[float, float]:
    """How far napari's own contrast slider goes."""
    low, high = window.limits
    if unit == "HU":
        return (min(low, -1024.0), max(high, 3071.0))
    return (low - 2.0 * window.width, high + 4.0 * window.width)
