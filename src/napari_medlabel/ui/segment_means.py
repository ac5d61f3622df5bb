"""The mean of the image in a segment, computed beside the window when a tooltip asks for it."""

import math
from collections.abc import Callable
from functools import partial

from qtpy.QtCore import QObject, QTimer, Signal

from napari_medlabel.core.metrics_mean import mean_inside
from napari_medlabel.core.segmentation import Change
from napari_medlabel.session import OpenCase
from napari_medlabel.ui.work import Job, Report

__all__ = ["SegmentMeans", "mean_words"]


def mean_words(mean: float, unit: str) -> str:
    """A mean with its unit: "97 HU", "0.52"; "none" where there is no value."""
    if not math.isfinite(mean):
        return "none"
    digits = 0 if abs(mean) >= 100.0 else (1 if abs(mean) >= 1.0 else 3)
    words = f"{mean:.{digits}f}".replace("-", "\N{MINUS SIGN}")
    return f"{words} {unit}".strip() if unit != "stored" else words


class SegmentMeans(QObject):
    """Computes means of one case; `known` has a label value and the mean in words.

    It has "" for a segment that changed: its mean is not known any more.

    Parameters
    ----------
    case
        The open case.
    parent
        Goes when it goes.
    """

    known = Signal(int, str)

    def __init__(self, case: OpenCase, parent: QObject) -> None:
        super().__init__(parent)
        self._case = case
        self._wanted = 0
        self._job: Job | None = None
        self._told: set[int] = set()
        self._stop_watching = case.segmentation.watch(self._changed)

    def ask(self, value: int) -> None:
        """Compute the mean of a segment; what was asked for before is called off."""
        if self._case.closed or not self._case.loading.finished:
            return
        self._end()
        seg = self._case.segmentation
        slices, labels = tuple(seg.slices(value)), seg.labels_of(value)
        image, unit = self._case.volume.levels[0], self._case.volume.unit
        if not slices:
            return

        def compute(_progress: Report, cancelled: Callable[[], bool]) -> str:
            mean = mean_inside(labels, image, value, slices, cancelled=cancelled)
            return mean_words(mean, unit)

        self._wanted = value
        self._job = Job(compute, self)
        self._job.done.connect(lambda words: self._arrived(value, words))

    def close(self) -> None:
        """The case goes."""
        self._stop_watching()
        self._end()
        self.deleteLater()

    def _arrived(self, value: int, words: str) -> None:
        self._job = None
        if value == self._wanted:
            self._told.add(value)
            self.known.emit(value, words)

    def _changed(self, change: Change) -> None:
        """Means of what was drawn on are not known any more; of one under way it starts again."""
        if self._job is None and not self._told:
            return
        touched = {value for edit in change.edits for value in edit.touched()}
        for value in self._told & touched:
            self.known.emit(value, "")
        self._told -= touched
        if self._job is not None and self._wanted in touched:
            QTimer.singleShot(0, partial(self.ask, self._wanted))

    def _end(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
