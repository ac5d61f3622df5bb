"""The surfaces of an open case: built while the hand rests and somebody looks at them."""

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from napari_medlabel.core.geometry import BoolArray, Geometry
from napari_medlabel.core.segmentation import Change, Segmentation
from napari_medlabel.core.skin import coarse_tissue
from napari_medlabel.core.surface import MOST_FACES, Surface
from napari_medlabel.core.volume import Volume
from napari_medlabel.session import OpenCase
from napari_medlabel.surfaces.builder import Builder
from napari_medlabel.surfaces.messages import Part
from napari_medlabel.surfaces.process import NotBuilt
from napari_medlabel.ui.sight import Proposal
from napari_medlabel.ui.surface_view import SurfaceView

__all__ = ["Surfaces", "cut_out", "part_of"]

REST_MS: Final = 400
_LOADING_MS: Final = 300
_SKIN: Final = -1
_PREVIEW: Final = -2
_LARGE: Final = 1_000_000  # voxels of an edit
_ALL_FACES: Final = 240_000  # shared by the segments, so that many turn as smoothly as few


class Surfaces(QObject):
    """Keeps a 3D view up to date with a case.

    Segments that changed are built anew, once nothing has changed for 0.4 s, no stroke is under
    the hand and the view can be seen; and the skin, once all slices are in memory.

    Its signals: `built` with the label value of each surface that arrived; `failed` with the
    error of one that could not be built, which the view says too.

    Parameters
    ----------
    case, view
        What to show, and where. The view stays the owner's, who closes it.
    parent
        Whoever opened it.
    busy
        Says whether a stroke is under the hand.
    builder
        Builds the surfaces, given to whom to tell them; our own process without it.
    """

    built = Signal(int)
    failed = Signal(object)
    _arrived = Signal(int, object, object)  # from the builder's thread to this one

    def __init__(
        self, case: OpenCase, view: SurfaceView, parent: QObject | None = None, *,
        busy: Callable[[], bool] = lambda: False,
        builder: Callable[..., Builder] = Builder,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._case, self._view, self._busy = case, view, busy
        self._stale: set[int] = set()
        self._broken: set[int] = set()
        self._closed = self._skin_asked = False
        self._preview: Proposal | None = None
        self._preview_asked: Proposal | None = None
        self._arrived.connect(self._take)
        self._builder = builder(self._arrived.emit)
        self._rest = _timer(self, REST_MS, self._rested)
        self._loading = _timer(self, _LOADING_MS, self._try_skin)
        self._stop_watching = case.segmentation.watch(self._changed)
        view.visibility_changed.connect(self._seen)
        view.rebuild_asked.connect(self.rebuild)
        self._schema_set()
        self.rebuild()

    @property
    def waiting(self) -> frozenset[int]:
        """Label values whose surface is not what is drawn."""
        return frozenset(self._stale)

    def rebuild(self) -> None:
        """Build all anew, now."""
        segmentation = self._case.segmentation
        self._stale |= {one.value for one in segmentation.schema if segmentation.voxels(one.value)}
        self._broken.clear()
        self._view.set_trouble("")
        self._skin_asked = False
        self._rested()

    def set_preview(self, preview: Proposal | None) -> None:
        """Show a preview as well, once the hand rests; None shows none."""
        if preview is self._preview:
            return
        self._preview = preview
        if preview is None:
            self._builder.drop(_PREVIEW)
            self._preview_asked = None
            self._view.set_preview(None)
        else:
            self._rest.start()

    def set_hidden(self, hidden: frozenset[int]) -> None:
        """Do not show these segments; their surfaces are kept."""
        self._view.set_hidden(hidden)

    def close(self) -> None:
        """End the process and let go of the case; safe to call again."""
        if self._closed:
            return
        self._closed = True
        self._stop_watching()
        self._rest.stop()
        self._loading.stop()
        self._view.visibility_changed.disconnect(self._seen)
        self._view.rebuild_asked.disconnect(self.rebuild)
        self._builder.close()
        self._view.set_surfaces({})
        self._view.set_skin(None)
        self._view.set_preview(None)
        self._view.set_trouble("")
        self.deleteLater()

    # How

    def _changed(self, change: Change) -> None:
        if change.step.schema_after is not None:
            self._schema_set()
        touched = self._touched(change)
        if touched:
            self._stale |= touched
            self._rest.start()

    def _touched(self, change: Change) -> frozenset[int]:
        """The segments whose surface may differ; all after a large edit, which is not looked at."""
        if sum(edit.after.size for edit in change.edits) <= _LARGE:
            return frozenset(value for edit in change.edits for value in edit.touched())
        schemas = (change.step.schema_before, change.step.schema_after)
        every = (self._case.segmentation.schema, *(one for one in schemas if one is not None))
        return frozenset(label.value for schema in every for label in schema)

    def _schema_set(self) -> None:
        for label in self._case.segmentation.schema:
            self._view.set_color(label.value, label.rgb)

    def _seen(self, seen: bool) -> None:  # noqa: FBT001  # Qt's signals take no names
        if seen:
            self._rested()

    def _rested(self) -> None:
        if self._closed or not self._view.isVisible():
            return
        if self._stale and self._busy():
            self._rest.start()
            return
        self._ask_for_segments()
        self._ask_for_preview()
        self._try_skin()

    def _ask_for_preview(self) -> None:
        preview = self._preview
        if preview is not None and preview is not self._preview_asked:
            self._preview_asked = preview
            self._builder.drop(_PREVIEW)
            self._builder.ask(_PREVIEW, partial(part_of, preview, self._case.volume.geometry))

    def _take_preview(self, surface: Surface | None) -> None:
        """Show it, if it is still the preview; one that was not built is seen on the slices."""
        shown = self._preview
        if shown is not None and shown is self._preview_asked:
            label = self._case.segmentation.schema.get(shown.value)
            self._view.set_preview(surface, (1.0, 1.0, 1.0) if label is None else label.rgb)

    def _ask_for_segments(self) -> None:
        segmentation = self._case.segmentation
        stale, self._stale = self._stale, set()
        count = sum(1 for one in segmentation.schema if segmentation.voxels(one.value))
        most_faces = min(MOST_FACES, _ALL_FACES // max(count, 1))
        # What is small is seen at once, while the large ones are built.
        for value in sorted(stale, key=segmentation.voxels):
            self._builder.drop(value)
            if not segmentation.voxels(value):
                self._view.set_surface(value, None)
            else:
                self._builder.ask(value, partial(cut_out, segmentation, value, most_faces))

    def _try_skin(self) -> None:
        if self._skin_asked or self._closed or not self._view.isVisible():
            return
        if not self._case.loading.finished:
            self._loading.start()
            return
        self._skin_asked = True
        if self._case.loading.error is None:
            self._builder.ask(_SKIN, partial(_skin_of, self._case.volume))

    def _take(self, key: int, surface: Surface | None, error: NotBuilt | None) -> None:
        if self._closed:
            return
        if key == _PREVIEW:
            self._take_preview(surface)
            return
        is_gone = key != _SKIN and not self._case.segmentation.voxels(key)  # erased meanwhile
        if error is not None and not is_gone:
            self._broken.add(key)
            self._view.set_trouble(error.what)
            self.failed.emit(error)
            return
        if key in self._broken:
            self._broken.discard(key)
            self._view.set_trouble("" if not self._broken else "Some surfaces were not built")
        if key == _SKIN:
            self._view.set_skin(surface)
        else:
            self._view.set_surface(key, None if is_gone else surface)
        self.built.emit(key)


def cut_out(segmentation: Segmentation, value: int, most_faces: int = MOST_FACES) -> Part | None:
    """A segment in its smallest box, to build its surface of; None where it has no voxel.

    Safe beside a hand that draws: what is drawn meanwhile comes with the next one.
    """
    slices = segmentation.slices(value)
    if slices.size == 0 or segmentation.schema.get(value) is None:  # erased, deleted just now
        return None
    labels = segmentation.labels_of(value)
    first, last = int(slices[0]), int(slices[-1])
    mask: BoolArray = np.asarray(labels[first : last + 1] == value)
    columns = np.asarray(mask.any(axis=0))
    if not columns.any():
        return None
    j, i = (np.flatnonzero(columns.any(axis=axis)) for axis in (1, 0))
    low = (first, int(j[0]), int(i[0]))
    mask = mask[:, j[0] : j[-1] + 1, i[0] : i[-1] + 1]
    offset = np.eye(4)
    offset[:3, 3] = low
    geometry = Geometry(mask.shape, segmentation.geometry.lps_from_kji @ offset)
    return Part(mask, geometry, most_faces=most_faces)


def part_of(preview: Proposal, geometry: Geometry) -> Part | None:
    """What a preview shows in its smallest box, to build its surface of; None where that is none.

    Parameters
    ----------
    preview
        Of any tool.
    geometry
        Of the case's volume.
    """
    parts = preview.parts
    if not parts:
        return None
    low = [min(box[axis].start for box, _mask in parts) for axis in range(3)]
    high = [max(box[axis].stop for box, _mask in parts) for axis in range(3)]
    mask: BoolArray = np.zeros([b - a for a, b in zip(low, high, strict=True)], bool)
    for box, shown in parts:
        k, j, i = (slice(s.start - n, s.stop - n) for s, n in zip(box, low, strict=True))
        mask[k, j, i] |= shown
    if not mask.any():
        return None
    offset = np.eye(4)
    offset[:3, 3] = low
    shape = (mask.shape[0], mask.shape[1], mask.shape[2])
    return Part(mask, Geometry(shape, geometry.lps_from_kji @ offset))


def _skin_of(volume: Volume) -> Part:
    tissue, geometry = coarse_tissue(volume)
    return Part(tissue, geometry, skin=True)


def _timer(parent: QObject, interval_ms: int, then: Callable[[], None]) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(interval_ms)
    timer.timeout.connect(then)
    return timer
