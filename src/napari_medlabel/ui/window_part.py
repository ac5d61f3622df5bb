"""One kind of work on the open case in a window of its own: what all such parts can do."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from qtpy.QtCore import QObject

from napari_medlabel.errors import MedlabelError
from napari_medlabel.ui.drawing import Drawing
from napari_medlabel.ui.state import ErrorCard, error_card, without_places
from napari_medlabel.ui.theme import Tokens
from napari_medlabel.ui.work import Job, Task

__all__ = ["OneJob", "WindowPart"]


class WindowPart(Protocol):
    """Opens on request, follows the case that is open, takes the theme, and goes."""

    @property
    def opens(self) -> Mapping[str, Callable[[], None]]:
        """By the id of the action that asks for it."""

    def look(self, drawing: Drawing | None) -> None:
        """Another case is open, or none."""

    def changed(self) -> None:
        """The case was drawn on."""

    def set_style(self, sheet: str, tokens: Tokens) -> None:
        """Take the theme."""

    def remove(self) -> None:
        """The window goes."""


class OneJob(QObject):
    """Runs one task at a time beside the window; a new one calls off the one before.

    Parameters
    ----------
    parent
        Who waits.
    busy
        Told what is done of how much.
    over
        Told that it ended without an answer.
    failed
        Told an error in words.
    """

    def __init__(
        self, parent: QObject, *, busy: Callable[[int, int], object],
        over: Callable[[], object], failed: Callable[[ErrorCard], object],
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._busy, self._over, self._failed = busy, over, failed
        self._job: Job | None = None

    @property
    def running(self) -> bool:
        """Whether something is under way."""
        return self._job is not None

    def run(
        self, doing: str, task: Task, done: Callable[[Any], object],
        refused: Callable[[MedlabelError, ErrorCard], bool] = lambda _error, _card: False,
        place: Path | None = None,
    ) -> None:  # fmt: skip
        """Start a task; `refused` may take an error of its own kind and answer True.

        Words never name `place`, a file that the task reads: it may be a patient's name.
        """
        self.cancel()
        job = self._job = Job(task, self)
        self._busy(0, 0)

        def arrived(answer: object) -> None:
            self._job = None
            self._over()
            done(answer)

        def broke(error: Exception) -> None:
            self._job = None
            self._over()
            card = error_card(error, doing)
            card = without_places(card, place) if place is not None else card
            if not (isinstance(error, MedlabelError) and refused(error, card)):
                self._failed(card)

        job.progressed.connect(self._busy)
        job.done.connect(arrived)
        job.failed.connect(broke)

    def cancel(self) -> None:
        """Call it off, if there is one."""
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
            self._over()
