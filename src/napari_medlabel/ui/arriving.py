"""While the slices of a case arrive: what is shown meanwhile, and what is told."""

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QTimer, Signal

from napari_medlabel.core.geometry import Index
from napari_medlabel.errors import Cancelled
from napari_medlabel.session import OpenCase

if TYPE_CHECKING:
    from napari_medlabel.ui.sight import Sight

__all__ = ["Arriving"]

POLL_MS = 60
REFRESH_MS = 300  # how often planes that are still being read are drawn anew


class Arriving(QObject):
    """Looks at a case's loading and saving now and then.

    Signals: `came` when slices that are shown have arrived; `finished` once, when all have;
    `told` when words of progress or saving differ; `failed` with the error that ended it.
    """

    came = Signal()
    finished = Signal()
    told = Signal()
    failed = Signal(object)

    def __init__(self, case: OpenCase, sight: "Sight", parent: QObject) -> None:
        super().__init__(parent)
        self._case, self._sight = case, sight
        self._polled = (-1, "", "")
        self._waited_ms = self._silent_ms = 0
        self._shown = False
        self._ended = False
        sight.moved.connect(self._moved)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._poll)
        self._timer.start(POLL_MS)

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()

    def _moved(self, _new: Index, _old: Index) -> None:
        loading = self._case.loading
        self._shown = False
        if not loading.finished:
            k = self._sight.position[0]
            self._shown = bool(loading.filled[k])
            if not self._shown:
                loading.bring_first(int(k))

    def _poll(self) -> None:
        loading, saved = self._case.loading, self._case.saved()
        now = (loading.done, saved.words, str(loading.error or ""))
        if now == self._polled:
            return
        before, self._polled = self._polled, now
        if now[0] != before[0]:
            self._slices_came()
        if now[1:] == before[1:] and not loading.finished:
            self._tell_progress()
            return
        if now[2] and now[2] != before[2] and not isinstance(loading.error, Cancelled):
            self.failed.emit(loading.error)
        self.told.emit()

    def _tell_progress(self) -> None:
        """Now and then: each change in the dock draws the whole window anew."""
        self._silent_ms += POLL_MS
        if self._silent_ms >= REFRESH_MS:
            self._silent_ms = 0
            self.told.emit()

    def _slices_came(self) -> None:
        loading = self._case.loading
        if loading.finished:
            if not self._ended:
                self._ended = True
                self.came.emit()
                self.finished.emit()
            return
        self._waited_ms += POLL_MS
        here = loading.filled[self._sight.position[0]] and not self._shown
        if here or self._waited_ms >= REFRESH_MS:
            self._shown = self._shown or bool(here)
            self._waited_ms = 0
            self.came.emit()
