"""An open case as layers of napari's: for its own canvas, its console and other plugins.

napari takes half a second to add an image and its segments, and as long to take them away. They
are made when its canvas is shown or somebody asks for one, else one at a time while the hand
rests; nothing that is drawn waits for them. Arrays are those of `CaseLayers`, not copies.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from napari import Viewer
from napari.components.overlays import Overlay
from napari.layers import Image, Layer
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtCore import QTimer

from napari_medlabel.core.volume import Window
from napari_medlabel.ui import views
from napari_medlabel.ui._napari_compat import OUTLINE, Box, CaseLabels, drawing_overlays, is_gone

if TYPE_CHECKING:
    from napari_medlabel.ui.layers import CaseLayers

__all__ = ["CanvasLayers"]

TOOL_WORDS: Final = {"paint": "Paint", "erase": "Erase", "fill": "Fill", "polygon": "Polygon"}


def _remove_in_turn(viewer: Viewer, layers: list[Layer]) -> None:
    """Take layers out of the list, each with another turn of the loop: napari is slow at it.

    In one batch of napari's: else it looks for garbage after each, which takes as long again.
    """
    events = viewer.layers.events

    def remove_next() -> None:
        if is_gone(viewer):
            return
        if not layers:
            events.end_batch()
            return
        layer = layers.pop(0)
        if layer in viewer.layers:
            viewer.layers.remove(layer)
        QTimer.singleShot(0, remove_next)

    if layers:
        events.begin_batch()
        QTimer.singleShot(0, remove_next)


class CanvasLayers:
    """The layers of one open case, in step with what is seen of it.

    Parameters
    ----------
    viewer
        Whose layers.
    of
        What they show.

    Attributes
    ----------
    on_made
        Given each labels layer when it is made.
    on_all
        Called when the last of them has been added.
    """

    def __init__(self, viewer: Viewer, of: "CaseLayers") -> None:
        self._viewer, self._of = viewer, of
        self.on_made: Callable[[CaseLabels], None] = lambda _layer: None
        self.on_all: Callable[[], None] = lambda: None
        self.mirrors: tuple[Layer, ...] = ()  # layers that show what is not voxels
        self.shown = False  # napari's canvas is
        self._image: Image | None = None
        self._by_group: dict[int, CaseLabels] = {}
        self._below = len(viewer.layers)  # of somebody else's, which stay where they are
        self._unshown: list[Overlay] = []  # of layers that are there, still without their pictures
        self._making = self._setting = False
        self._stale = False
        self._editable = not of.case.segmentation.read_only
        self._brush: tuple[float, int] = (10.0, 2)
        self._ended = False
        viewer.dims.events.ndisplay.connect(self._turned)

    # Which there are

    @property
    def ready(self) -> bool:
        """True once all of them are there."""
        there = self._image is not None and not self._missing() and not self._unshown
        return there and not self._making

    @property
    def image(self) -> Image:
        """The image's layer; made now where there is none yet."""
        self.make_all()
        assert self._image is not None  # noqa: S101  # for the type
        return self._image

    @property
    def groups(self) -> dict[int, CaseLabels]:
        """The layers of all groups by number; made now where there are none yet."""
        self.make_all()
        return dict(self._by_group)

    @property
    def labels(self) -> CaseLabels:
        """The layer of the segment in hand."""
        return self.groups[self._of.group]

    @property
    def drawing(self) -> bool:
        """True while a stroke is under the hand on napari's canvas."""
        return any(layer.drawing for layer in self._by_group.values())

    def owns(self, layer: object) -> bool:
        """True for the layers of the case."""
        made = (*self._by_group.values(), self._image, *self.mirrors)
        return self._making or any(layer is one for one in made)

    def make_all(self) -> None:
        """Make what is not there yet."""
        while self.make_next():
            pass

    def make_next(self) -> bool:
        """Make one of those that are not there yet, or a part of it; False where all are."""
        if self._ended or self._making or self.ready:
            return False
        self._making = True
        active = self._viewer.layers.selection.active
        try:
            if self._viewer.dims.ndim < 3:
                self._viewer.dims.ndim = 3  # its sliders alone take as long as a layer
            elif self._image is None:
                self._image = self._made_image()
                self._add(self._image, 0)
            elif self._unshown:
                self._unshown.pop().visible = True
            else:
                self._make_group(self._missing()[0])
        finally:
            self._making = False
        if self.ready:
            self.pick()
            if active is not None and not self.owns(active) and active in self._viewer.layers:
                self._viewer.layers.selection.active = active
            self.on_all()
        return not self.ready

    def close(self) -> None:
        """Take them away and hold on to nothing."""
        self._ended = True
        self._viewer.dims.events.ndisplay.disconnect(self._turned)
        for layer in self._by_group.values():
            layer.let_go()
        made = [*self._by_group.values(), *([] if self._image is None else [self._image])]
        self._image, self._by_group, self._unshown = None, {}, []
        _remove_in_turn(self._viewer, made)
        self.on_made, self.on_all = (lambda _layer: None), (lambda: None)

    # What they show

    def show(self, *, on: bool) -> None:
        """Show them on napari's canvas from now on, or leave it alone."""
        self.shown = on
        if not on:
            return
        self.make_all()
        if self._stale:
            self._stale = False
            for layer in (self.image, *self._by_group.values()):
                layer.refresh(extent=False)

    def show_greys(self) -> None:
        """The grey range or its direction differs."""
        if self._image is not None and not self._setting:
            with self._quietly():
                self._image.contrast_limits = self._of.window.limits
                if (self._image.colormap.name == "gray_r") != self._of.inverted:
                    self._image.colormap = _greys(self._of)

    def show_schema(self) -> None:
        """Names, colours, what is hidden: all may differ."""
        for group in self._by_group:
            self._color(group)

    def show_segments(self) -> None:
        """All are shown, or none."""
        with self._quietly():
            for layer in self._by_group.values():
                layer.visible = self._of.shown

    def pick(self) -> None:
        """Another segment is in hand."""
        if not self.ready:
            return
        layer = self._by_group[self._of.group]
        modes = [one for one in self._by_group.values() if str(one.mode) != "pan_zoom"]
        mode = modes[0].mode if modes else layer.mode
        with self._quietly():
            layer.selected_label = self._of.value
            for one in modes:
                one.mode = "pan_zoom"
            self._hold(layer)
            layer.mode = mode
        self._viewer.layers.selection.active = layer

    def lay_hold(self, mode: str, size_mm: float, dimensions: int) -> None:
        """Have a tool in hand there: a mode of napari's, the brush's size, a disc or a ball (3)."""
        self._brush = (size_mm, dimensions)
        if not self.ready:
            return
        layer = self._by_group[self._of.group]
        with self._quietly():
            self._hold(layer)
            if str(layer.mode) != mode:
                layer.mode = mode

    def allow_edits(self, *, on: bool) -> None:
        """Let nobody draw there, or let them again."""
        self._editable = on
        for layer in self._by_group.values():
            layer.editable = on

    def slices_came(self) -> None:
        """The image has slices that it had not."""
        if self._image is None:
            return
        if self.shown:
            self._image.refresh(extent=False, highlight=False)
        else:
            self._stale = True

    def box_changed(self, group: int, box: Box) -> None:
        """The array of a group differs in a box."""
        layer = self._by_group.get(group)
        if layer is not None and self.shown:
            layer.refresh_box(box)
        else:
            self._stale = True

    def array_came(self, group: int) -> None:
        """A group has another array."""
        layer = self._by_group.get(group)
        if layer is not None:
            layer.data = self._of.drawn_of(group)

    def groups_came(self) -> None:
        """There may be groups that had no layer yet."""
        if self.shown:
            self.make_all()

    # How

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """What changes now was asked for here: napari's events of it are no news."""
        before, self._setting = self._setting, True
        try:
            yield
        finally:
            self._setting = before

    @property
    def setting(self) -> bool:
        """True while what changes was asked for here."""
        return self._setting or self._making

    def _missing(self) -> list[int]:
        return sorted(set(self._of.groups) - set(self._by_group))

    def _make_group(self, group: int) -> None:
        layer = self._by_group[group] = self._made_labels(group)
        self._unshown = drawing_overlays(layer)
        for overlay in self._unshown:
            overlay.visible = False
        self._add(layer, sorted(self._by_group).index(group) + 1)
        self._color(group)
        self.on_made(layer)

    def _add(self, layer: Layer, at: int) -> None:
        """Above what was there before the case was opened, below what came later."""
        self._viewer.layers.insert(min(self._below + at, len(self._viewer.layers)), layer)

    def _hold(self, layer: CaseLabels) -> None:
        layer.brush_mm, layer.n_edit_dimensions = self._brush

    def _color(self, group: int) -> None:
        of, layer = self._of, self._by_group[group]
        fill, border = of.fill_and_border
        if self._viewer.dims.ndisplay == 3:
            fill = border = 1.0
        schema = of.case.segmentation.schema.in_group(group)
        colors: dict[int | None, Any] = {None: (0, 0, 0, 0), 0: (0, 0, 0, 0)}
        for label in schema:
            shown = 0.0 if label.value in of.hidden else 1.0
            colors[label.value] = (*label.rgb, shown * (fill if label.value < OUTLINE else 0.4))
            if label.value < OUTLINE:
                colors[label.value + OUTLINE] = (*label.rgb, shown * border)
        layer.values = frozenset(label.value for label in schema)
        layer.colormap = DirectLabelColormap(color_dict=colors)

    def _turned(self, _event: object = None) -> None:
        views.hold_orientation(self._viewer)
        self.show_schema()
        if self._viewer.dims.ndisplay == 3:
            for layer in self._by_group.values():
                layer.iso_gradient_mode = "smooth"

    def _greys_set(self, _event: object = None) -> None:
        """By napari's own controls."""
        if self._image is None or self.setting:
            return
        low, high = (float(limit) for limit in self._image.contrast_limits)
        with self._quietly():
            self._of.set_window(Window(high - low, (low + high) / 2.0))
            self._of.set_inverted(on=self._image.colormap.name == "gray_r")

    def _visible_set(self, layer: CaseLabels, _event: object) -> None:
        """By the eye in napari's list."""
        if not self.setting and layer is self._by_group.get(self._of.group):
            self._of.shown = bool(layer.visible)

    def _placed(self) -> dict[str, Any]:
        scale, translate = views.grid_for_display(self._of.case.volume.geometry)
        return {
            "scale": scale, "translate": translate, "units": ("mm",) * 3,
            "axis_labels": views.AXES, "projection_mode": "none",
        }  # fmt: skip

    def _made_image(self) -> Image:
        of, volume = self._of, self._of.case.volume
        layer = Image(
            volume.levels[0], name=of.case.info.name, colormap=_greys(of),
            contrast_limits=of.window.limits, interpolation2d="linear", multiscale=False,
            rgb=False, **self._placed(),
        )  # fmt: skip
        layer.contrast_limits_range = _range_around(of.window, volume.unit)
        layer.contrast_limits = of.window.limits
        layer.events.contrast_limits.connect(self._greys_set)
        layer.events.colormap.connect(self._greys_set)
        return layer

    def _made_labels(self, group: int) -> CaseLabels:
        layer = CaseLabels(
            self._of.drawn_of(group), _Strokes(self._of, group),
            name=f"Segments {group + 1}" if group else "Segments", opacity=1.0, multiscale=False,
            visible=self._of.shown, **self._placed(),
        )  # fmt: skip
        layer.editable = self._editable
        layer.contour = 1
        layer.events.visible.connect(partial(self._visible_set, layer))
        return layer


class _Strokes:
    """What a layer asks and tells when somebody draws on napari's own canvas."""

    def __init__(self, of: "CaseLayers", group: int) -> None:
        self._of, self._group = of, group
        self.allowed = partial(of.allowed, group)
        self.undo, self.redo = of.undo, of.redo

    def stroke_done(self, box: Box, mode: str) -> None:
        """The hand was lifted."""
        layer = self._of.canvas.groups[self._group]
        settings = {"brush_mm": layer.brush_mm} if mode in {"paint", "erase"} else {}
        self._of.finish_stroke(self._group, box, TOOL_WORDS.get(mode, "Edit"), settings)


def _greys(of: "CaseLayers") -> str:
    return "gray_r" if of.inverted else "gray"


def _range_around(window: Window, unit: str) -> tuple[float, float]:
    """How far napari's own contrast slider goes."""
    low, high = window.limits
    if unit == "HU":
        return (min(low, -1024.0), max(high, 3071.0))
    return (low - 2.0 * window.width, high + 4.0 * window.width)
