"""Taking the face out of the open case's own image: beside the window, nobody drawing meanwhile."""

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_medlabel import commands
from napari_medlabel.ui.deface.by_hand import masks_of
from napari_medlabel.ui.deface.face_work import FaceWork
from napari_medlabel.ui.work import Job

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["Accepting"]


class Accepting(QObject):
    """One removal at a time.

    Its signals: `changed` when it begins, ends or goes on; `done` when the image is another one;
    `failed` with the error.
    """

    changed = Signal()
    done = Signal()
    failed = Signal(object)

    def __init__(self, drawing: "Drawing") -> None:
        super().__init__(drawing)
        self._drawing = drawing
        self._job: Job | None = None
        self.progress: tuple[int, int] = (0, 0)

    @property
    def running(self) -> bool:
        """Whether it is under way."""
        return self._job is not None

    def start(self, face: FaceWork) -> None:
        """Take out what is planned, as it is seen."""
        if self.running or face.study is None:
            return
        drawing, plan, study = self._drawing, face.plan, face.study
        session, case = drawing.session, drawing.case
        strokes = face.by_hand.snapshot()
        drawing.pause(on=True)

        def task(progress: Any, cancelled: Any) -> Any:  # noqa: ANN401  # as Job has them
            added, spared = masks_of(strokes)
            return commands.deface_case(
                session, case, plan, finding=study.finding, added=added, spared=spared,
                accept_uncertain=study.verdict != "face", accept_labelled=True, progress=progress,
                cancelled=cancelled,
            )  # fmt: skip

        job = self._job = Job(task, self)
        self.progress = (0, 0)
        job.progressed.connect(self._progressed)
        job.done.connect(self._arrived)
        job.failed.connect(self._broke)
        self.changed.emit()

    def cancel(self) -> None:
        """Call it off: the image stays as it was."""
        if self._job is not None:
            self._job.cancel()
            self._over()

    # How

    def _over(self) -> None:
        self._job = None
        self._drawing.pause(on=False)
        self.changed.emit()

    def _progressed(self, done: int, total: int) -> None:
        self.progress = (done, total)
        self.changed.emit()

    def _arrived(self, _answer: object) -> None:
        self._over()
        self.done.emit()

    def _broke(self, error: object) -> None:
        self._over()
        self.failed.emit(error)
