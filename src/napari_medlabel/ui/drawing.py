"""One open case in the window: what is chosen for it, and everything that can be done to it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from napari import Viewer
from qtpy.QtCore import QObject, QTimer, Signal

from napari_medlabel import commands
from napari_medlabel.core.schema import Label
from napari_medlabel.core.segmentation import Change
from napari_medlabel.core.volume import Window
from napari_medlabel.errors import Cancelled, MedlabelError
from napari_medlabel.session import OpenCase, Session
from napari_medlabel.ui import brush, presets, views
from napari_medlabel.ui.layers import STYLES, CaseLayers
from napari_medlabel.ui.state import AnnotateState, Choices, Tool, annotate_state

__all__ = ["Drawing"]

POLL_MS = 60
REFRESH_MS = 300  # how often a plane that is still being read is drawn anew


class Drawing(QObject):
    """A case under the hand.

    Its signals: `changed` when what `state` tells may differ; `failed` with the error when
    something was refused; `blocked` with words when a stroke runs into a locked segment; `lost`
    when somebody took one of its layers away in napari's own list.

    Parameters
    ----------
    viewer, session, case
        Where it is shown, who draws, and what.
    parent
        Whoever opened it.
    """

    changed = Signal()
    failed = Signal(object)
    blocked = Signal(str)
    lost = Signal()

    def __init__(self, viewer: Viewer, session: Session, case: OpenCase, parent: QObject) -> None:
        super().__init__(parent)
        self.case = case
        self._viewer, self._session = viewer, session
        self._given = (viewer.scene.camera.orientation, viewer.canvas.background_color_override)
        viewer.canvas.background_color_override = "black"  # in both themes
        windows = presets.presets(case.volume, case.loading.filled)
        first = next(iter(case.segmentation.schema), None)
        self.choices = Choices(active=first.value if first else 0, windows=windows)
        self.layers = CaseLayers(
            viewer, session, case, presets.first_window(windows, case.volume),
            on_error=self.failed.emit, on_blocked=self._ran_into,
        )  # fmt: skip
        viewer.dims.current_step = tuple(n // 2 for n in case.volume.shape)
        views.show_plane(viewer, views.PLANES[0])
        self.layers.pick(self.choices.active)
        self._stop_watching = case.segmentation.watch(self._case_changed)
        self.layers.labels.events.selected_label.connect(self._picked_on_canvas)
        self.layers.labels.events.mode.connect(self._mode_set)
        self.layers.labels.events.brush_size.connect(self._brush_set)
        self.layers.image.events.contrast_limits.connect(self._window_set)
        viewer.dims.events.current_step.connect(self._stepped)
        viewer.layers.events.removed.connect(self._layer_removed)
        self._paused = False
        self._tool_held: Tool = ""
        self._polled = (-1, "", "")
        self._waited_ms = self._silent_ms = 0
        self._slice_shown = False
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._poll)
        self._timer.start(POLL_MS)

    @property
    def loading(self) -> bool:
        """True while slices arrive."""
        return not self.case.loading.finished

    @property
    def state(self) -> AnnotateState:
        """What to show."""
        return annotate_state(self.case, self.choices, self.layers.window)

    def close(self) -> None:
        """Take the layers away and let go of the case, which stays open for its owner to close."""
        self._timer.stop()
        self._stop_watching()
        self._viewer.dims.events.current_step.disconnect(self._stepped)
        self._viewer.layers.events.removed.disconnect(self._layer_removed)
        self.layers.close()
        camera, canvas = self._viewer.scene.camera, self._viewer.canvas
        camera.orientation, canvas.background_color_override = self._given
        self.deleteLater()

    # Segments

    def add_segment(self) -> int:
        """Add a segment with the next free name and colour, and pick it."""
        label = self.case.segmentation.schema.next_label()
        if self._try(lambda: commands.set_label(self._session, self.case, label)):
            self.pick(label.value)
        return label.value

    def rename(self, value: int, name: str) -> None:
        """Call a segment something else."""
        self._change(value, lambda label: replace(label, name=name))

    def recolor(self, value: int, color: str) -> None:
        """Paint a segment in another colour."""
        self._change(value, lambda label: replace(label, color=color.upper()))

    def delete(self, value: int) -> None:
        """Delete a segment and its voxels; undo brings it back."""
        if self._try(lambda: commands.delete_label(self._session, self.case, value)):
            first = next(iter(self.case.segmentation.schema), None)
            if value == self.choices.active:
                self.pick(first.value if first else 0)

    def toggle_lock(self, value: int) -> None:
        """Protect a segment, or stop protecting it."""
        on = value not in self.case.segmentation.locked
        self._try(lambda: commands.lock_label(self._session, self.case, value, on=on))

    def toggle_eye(self, value: int, *, only: bool = False) -> None:
        """Show or hide a segment, or show only this and, asked again, all."""
        hidden = self.choices.hidden
        if only:
            others = frozenset(one.value for one in self.case.segmentation.schema) - {value}
            hidden = frozenset() if hidden == others else others
        else:
            hidden = hidden ^ {value}
        self.layers.show_schema(hidden, self.choices.style)
        self._choose(hidden=hidden)

    def pick(self, value: int) -> None:
        """Draw this segment from now on."""
        self.layers.pick(value)
        self._choose(active=value)

    def pick_next(self, step: int) -> None:
        """Pick the next or previous segment, round and round."""
        values = [label.value for label in self.case.segmentation.schema]
        if values:
            here = values.index(self.choices.active) if self.choices.active in values else -step
            self.pick(values[(here + step) % len(values)])

    # Tools

    def set_tool(self, tool: Tool) -> None:
        """Take a tool; the same again puts it away."""
        wanted = "" if tool == self.choices.tool else tool
        if wanted and self.case.segmentation.read_only:
            return
        if wanted and not self.choices.active:
            self.add_segment()  # nobody should meet a brush that paints nothing
        self._viewer.layers.selection.active = self.layers.labels
        self._choose(tool=wanted)
        self.layers.labels.brush_mm = self.brush_mm
        self.layers.labels.mode = wanted or "pan_zoom"

    @property
    def brush_mm(self) -> float:
        """The brush's size; erase keeps its own."""
        return self.choices.erase_mm if self.choices.tool == "erase" else self.choices.brush_mm

    def set_brush(self, size_mm: float) -> None:
        """Set the size of the tool in hand."""
        self.layers.labels.brush_mm = size_mm
        self._keep_brush(self.layers.labels.brush_mm)

    def step_brush(self, step: int) -> None:
        """A little larger or smaller."""
        self.set_brush((brush.larger if step > 0 else brush.smaller)(self.brush_mm))

    def undo(self) -> None:
        """Take the last step back."""
        if not self._paused:
            self.layers.undo()

    def redo(self) -> None:
        """Make it again."""
        if not self._paused:
            self.layers.redo()

    # Looking

    def set_window(self, window: Window) -> None:
        """Show this grey range."""
        self.layers.set_window(window)

    def set_plane(self, number: int) -> None:
        """Cut axial, coronal or sagittal."""
        views.show_plane(self._viewer, views.PLANES[number])
        self._choose(plane=number)

    def show_slice(self, axis: int, index: int) -> None:
        """Show a slice of the axial (0), coronal (1) or sagittal (2) plane."""
        if views.plane_of(self._viewer).axis != axis or self._viewer.dims.ndisplay == 3:
            self.set_plane(next(n for n, one in enumerate(views.PLANES) if one.axis == axis))
        self._viewer.dims.set_current_step(axis, index)

    def step_slice(self, step: int) -> None:
        """Step through the slices of the plane that is shown."""
        axis = views.plane_of(self._viewer).axis
        here = self._viewer.dims.current_step[axis]
        last = self.case.volume.shape[axis] - 1
        self._viewer.dims.set_current_step(axis, min(max(here + step, 0), last))

    def toggle_shown(self) -> None:
        """Show or hide all segments."""
        shown = not self.choices.shown
        self.layers.labels.visible = shown
        self._choose(shown=shown)

    def next_style(self) -> None:
        """Segments as outline and fill, then outline, then fill."""
        names = tuple(STYLES)
        style = names[(names.index(self.choices.style) + 1) % len(names)]
        self.layers.show_schema(self.choices.hidden, style)
        self._choose(style=style)

    def pause(self, *, on: bool) -> None:
        """Let nobody change anything while what is drawn is being written elsewhere."""
        if on and not self._paused:
            self._tool_held = self.choices.tool
        self._paused = on
        self.layers.labels.editable = not on and not self.case.segmentation.read_only
        if not on and self._tool_held and not self.choices.tool:
            self.set_tool(self._tool_held)

    # How

    def _choose(self, **chosen: object) -> None:
        self.choices = replace(self.choices, **chosen)  # type: ignore[arg-type]  # its own fields
        self.changed.emit()

    def _change(self, value: int, change: Callable[[Label], Label]) -> None:
        label = self.case.segmentation.schema[value]
        self._try(lambda: commands.set_label(self._session, self.case, change(label)))

    def _try(self, command: Callable[[], object]) -> bool:
        if self._paused:
            return False
        try:
            command()
        except MedlabelError as error:
            self.failed.emit(error)
            return False
        return True

    def _keep_brush(self, size_mm: float) -> None:
        if self.choices.tool == "erase":
            self._choose(erase_mm=size_mm)
        else:
            self._choose(brush_mm=size_mm)

    def _ran_into(self, value: int) -> None:
        label = self.case.segmentation.schema.get(value)
        self.blocked.emit(f"{label.name if label else 'This segment'} is locked")

    def _case_changed(self, _change: Change) -> None:
        schema = self.case.segmentation.schema
        if schema.get(self.choices.active) is None:  # undone, or deleted
            first = next(iter(schema), None)
            self.pick(first.value if first else 0)
        self.changed.emit()

    def _picked_on_canvas(self, _event: object) -> None:
        value = self.layers.labels.selected_label
        if value != self.choices.active and value in self.layers.labels.values:
            self._choose(active=value)

    def _mode_set(self, _event: object) -> None:
        mode = str(self.layers.labels.mode)
        tool = mode if mode in {"paint", "erase", "fill", "polygon"} else ""
        if tool != self.choices.tool:  # by a key of napari's
            self._choose(tool=tool)
            self.layers.labels.brush_mm = self.brush_mm

    def _brush_set(self, _event: object) -> None:
        if self.layers.labels.brush_mm != self.brush_mm:
            self._keep_brush(self.layers.labels.brush_mm)

    def _layer_removed(self, event: Any) -> None:  # noqa: ANN401  # napari's
        if event.value in (self.layers.labels, self.layers.image):
            self.lost.emit()

    def _window_set(self, _event: object) -> None:
        self.changed.emit()

    def _stepped(self, _event: object) -> None:
        self._slice_shown = False
        self._ask_for_slice()

    # While slices arrive

    def _ask_for_slice(self) -> None:
        loading = self.case.loading
        if not loading.finished and views.plane_of(self._viewer).axis == 0:
            k = self._viewer.dims.current_step[0]
            self._slice_shown = bool(loading.filled[k])
            if not self._slice_shown:
                loading.bring_first(int(k))

    def _poll(self) -> None:
        loading, saved = self.case.loading, self.case.saved()
        told = (loading.done, saved.words, str(loading.error or ""))
        if told == self._polled:
            return
        before, self._polled = self._polled, told
        if told[0] != before[0]:
            self._slices_came(finished=loading.finished)
        if told[1:] == before[1:] and not loading.finished:
            self._tell_progress()
            return
        if told[2] and told[2] != before[2] and not isinstance(loading.error, Cancelled):
            self.failed.emit(loading.error)
        self.changed.emit()

    def _tell_progress(self) -> None:
        """Now and then: each change in the dock draws the whole window anew."""
        self._silent_ms += POLL_MS
        if self._silent_ms >= REFRESH_MS:
            self._silent_ms = 0
            self.changed.emit()

    def _slices_came(self, *, finished: bool) -> None:
        loading = self.case.loading
        if finished:
            self._finished()
        elif views.plane_of(self._viewer).axis == 0:
            k = self._viewer.dims.current_step[0]
            if loading.filled[k] and not self._slice_shown:
                self._slice_shown = True
                self.layers.slices_came()
        else:
            self._waited_ms += POLL_MS
            if self._waited_ms >= REFRESH_MS:
                self._waited_ms = 0
                self.layers.slices_came()

    def _finished(self) -> None:
        self.layers.slices_came()
        if self.case.volume.unit == "HU":
            return
        # What the numbers suggest is known only now.
        old, chosen = self.choices.windows, self.layers.window
        windows = presets.presets(self.case.volume)
        on = [n for n, window in enumerate(old) if window.limits == chosen.limits]
        self.choices = replace(self.choices, windows=windows)
        if on and self.case.volume.window is None and on[0] < len(windows):
            self.layers.set_window(windows[on[0]])
