"""napari's own canvas, layer list and controls beside an open case: heard, and kept in step."""

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from napari import Viewer
from qtpy.QtCore import QObject, QTimer

from napari_medlabel.ui import views
from napari_medlabel.ui._napari_compat import CaseLabels
from napari_medlabel.ui.toolbox import NAPARI_MODES

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["NapariSide"]

REST_MS: Final = 1000  # so long nobody did anything, before a layer is made that nobody waits for


class NapariSide(QObject):
    """What napari does to an open case, and what it needs of it.

    Parameters
    ----------
    drawing
        The open case.
    viewer
        Whose canvas and list.
    """

    def __init__(self, drawing: "Drawing", viewer: Viewer) -> None:
        super().__init__(drawing)
        self._drawing, self._viewer = drawing, viewer
        self._canvas = drawing.layers.canvas
        self._given = (viewer.scene.camera.orientation, viewer.canvas.background_color_override)
        self._placed_once = False
        viewer.canvas.background_color_override = "black"  # in both themes
        self._canvas.on_made = self._watch
        self._canvas.on_all = self._all_made
        viewer.layers.events.removed.connect(self._removed)
        viewer.layers.events.inserted.connect(self._inserted)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._make_next)
        for said in (drawing.changed, drawing.sight.moved, drawing.sight.labels_changed):
            said.connect(self._wait)
        self._wait()

    def close(self) -> None:
        """Hear no more, and give back how the canvas looked; the layers go with the case."""
        self._rest.stop()
        self._viewer.layers.events.removed.disconnect(self._removed)
        self._viewer.layers.events.inserted.disconnect(self._inserted)

    def give_back(self) -> None:
        """The layers are gone: the canvas looks as it did."""
        camera, canvas = self._viewer.scene.camera, self._viewer.canvas
        camera.orientation, canvas.background_color_override = self._given

    # Layers that nobody waits for

    def _wait(self, *_told: object) -> None:
        self._rest.start()

    def _make_next(self) -> None:
        """While the hand rests, one at a time: each takes longer than a hand should wait."""
        drawing = self._drawing
        busy = drawing.loading or drawing.hand.busy or bool(drawing.proposals.making)
        if busy or self._canvas.make_next():
            self._wait()

    def _all_made(self) -> None:
        if not self._placed_once:
            self._placed_once = True
            views.show_plane(self._viewer, views.PLANES[0])
        self._drawing.looking.lead_napari()

    # What is done there

    def _watch(self, layer: CaseLabels) -> None:
        layer.events.selected_label.connect(partial(self._picked, layer))
        layer.events.mode.connect(partial(self._mode_set, layer))
        layer.events.brush_size.connect(partial(self._brush_set, layer))

    def _by_hand(self, layer: CaseLabels) -> bool:
        """True where what changed was changed in napari's own controls."""
        return self._canvas.ready and not self._canvas.setting and layer is self._canvas.labels

    def _picked(self, layer: CaseLabels, _event: object) -> None:
        value = layer.selected_label
        if self._by_hand(layer) and value != self._drawing.choices.active and value in layer.values:
            self._drawing.pick(value)

    def _mode_set(self, layer: CaseLabels, _event: object) -> None:
        drawing = self._drawing
        if self._by_hand(layer) and drawing.looking.on_canvas:
            mode = str(layer.mode)
            if NAPARI_MODES.get(drawing.choices.tool, "pan_zoom") != mode:  # by a key of napari's
                drawing.choose(tool=mode if mode in NAPARI_MODES else "")

    def _brush_set(self, layer: CaseLabels, _event: object) -> None:
        if self._by_hand(layer) and layer.brush_mm != self._drawing.tools.size_mm:
            self._drawing.tools.set_size(layer.brush_mm)

    def _removed(self, event: Any) -> None:  # noqa: ANN401  # napari's
        mirrors = self._drawing.annotations.mirrors
        if self._canvas.owns(event.value) and not mirrors.forget(event.value):
            self._drawing.lost.emit()

    def _inserted(self, event: Any) -> None:  # noqa: ANN401  # napari's
        """A layer of somebody else's is seen on napari's canvas alone: show that."""
        if not self._canvas.owns(event.value) and not self._drawing.looking.on_canvas:
            # Not now: napari is still putting that layer in its place.
            QTimer.singleShot(0, self, self._show_canvas)

    def _show_canvas(self) -> None:
        drawing = self._drawing
        if drawing.layers.canvas is self._canvas and not drawing.looking.on_canvas:
            drawing.looking.set_layout("napari")
            drawing.blocked.emit("This layer is shown on napari's own canvas")
