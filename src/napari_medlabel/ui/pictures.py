"""Pictures of the volumes found, drawn one after the other beside the window; none is kept."""

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject, QThreadPool, Signal

from napari_medlabel import commands
from napari_medlabel.core.volume import Series
from napari_medlabel.session import Session
from napari_medlabel.ui.state import SeriesRow, VolumeRow
from napari_medlabel.ui.work import Job

__all__ = ["Pictures"]


class Pictures(QObject):
    """The middle slices of volumes, by their row; `came` when there is one more."""

    came = Signal()

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._jobs: list[Job] = []
        self._asked: set[VolumeRow] = set()
        self.drawn: dict[VolumeRow, npt.NDArray[np.uint8]] = {}

    def draw(self, row: SeriesRow, volume: VolumeRow) -> None:
        """Draw one, unless it is drawn or cannot be."""
        if volume.usable and volume not in self._asked:
            self._asked.add(volume)
            job = Job(self._task(row.series, volume.number), self, pool=self._pool)
            job.done.connect(partial(self._came, volume))
            self._jobs.append(job)

    def end(self) -> None:
        """Draw no more, and forget all."""
        self._pool.clear()
        self.drawn = {}
        self._asked.clear()
        jobs, self._jobs = self._jobs, []
        for job in jobs:
            job.end()

    def _task(self, series: Series, volume: int) -> Callable[..., npt.NDArray[np.uint8]]:
        return lambda _progress, _cancelled: commands.thumbnail(self._session, series, volume)

    def _came(self, volume: VolumeRow, pixels: npt.NDArray[np.uint8]) -> None:
        self.drawn[volume] = pixels
        self.came.emit()
