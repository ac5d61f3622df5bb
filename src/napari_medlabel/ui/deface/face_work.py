"""The face of the open case under the hand: found once, planned with every slider, drawn on."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject, QThreadPool, QTimer, Signal

from napari_medlabel import commands
from napari_medlabel.commands import FacePlan, FaceStudy, ForeseenFace, PlannedFace
from napari_medlabel.core.edit import Edit
from napari_medlabel.errors import MedlabelError
from napari_medlabel.ui.deface.by_hand import ByHand, FaceStroke, Way, masks_of
from napari_medlabel.ui.deface.face_hand import FaceHand
from napari_medlabel.ui.deface.face_sight import BRAIN, FaceSight
from napari_medlabel.ui.planes.plane_view import Kji
from napari_medlabel.ui.work import Job

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["FaceWork"]

SOON_MS: Final = 60  # a slider that still moves
_OTHER: Final[dict[Way, Way]] = {"add": "spare", "spare": "add"}


class FaceWork(QObject):
    """What is found, planned and foreseen of a face. It is also the brush of its hand.

    Work runs beside the window, one piece after the other; a newer wish calls off the older one.
    Its signals: `changed` when what it tells may differ; `studied`, `foreseen` when there is
    something new to be seen in 3-D; `failed` with an error; `said` with words.
    """

    changed = Signal()
    studied = Signal()
    was_foreseen = Signal()
    failed = Signal(object)
    said = Signal(str)

    def __init__(self, drawing: "Drawing") -> None:
        super().__init__(drawing)
        self._drawing = drawing
        self.sight = FaceSight(drawing)
        self.hand = FaceHand(drawing, self)
        self.plan = FacePlan(ears=True, teeth=True, brow=True)
        self.study: FaceStudy | None = None
        self.planned: PlannedFace | None = None
        self.foreseen: ForeseenFace | None = None
        self.by_hand = ByHand(drawing.case.volume.shape)
        self.way: Way | None = None
        self.progress: tuple[int, int] | None = None  # of looking for a face
        self.looked_at = False  # by a person, who says that it is a face after all
        self._stroke: FaceStroke | None = None
        self._shown: npt.NDArray[np.uint8] | None = None
        self._brain: npt.NDArray[np.uint8] | None = None
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._job: Job | None = None
        self._planning = False
        self._drawn = 0  # the version of the strokes that were planned with
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON_MS)
        self._soon.timeout.connect(self._plan_now)

    def close(self) -> None:
        """The case goes."""
        self._soon.stop()
        self._end_job()
        self.hand.let_go()

    # What there is

    @property
    def busy(self) -> str:
        """What is being worked out; "" for nothing."""
        if self.study is None:
            return "looking for a face" if self._job is not None else ""
        return "computing" if self._planning or self._soon.isActive() else ""

    @property
    def plannable(self) -> bool:
        """Whether there is a face that can be taken out, perhaps once a person has looked."""
        return self.study is not None and not self.study.why_not

    @property
    def size_mm(self) -> float:
        """Of the brush: the one that segments are painted with."""
        return float(self._drawing.choices.brush_mm)

    # What a person does

    def look_for_it(self) -> None:
        """Look for a face, once; all slices have to be there."""
        drawing = self._drawing
        if self.study is not None or self._job is not None or drawing.loading:
            return
        session, case = drawing.session, drawing.case

        def task(progress: Any, cancelled: Any) -> Any:  # noqa: ANN401  # as Job has them
            found = commands.study_face(session, case, progress=progress, cancelled=cancelled)
            return found, None if found.brain is None else found.brain * np.uint8(BRAIN)

        job = self._run(task, self._studied)
        job.progressed.connect(self._progressed)
        self.changed.emit()

    def set_plan(self, plan: FacePlan) -> None:
        """Plan it otherwise; at once, or soon where a slider still moves."""
        if plan != self.plan:
            self.plan = plan
            self._replan()

    def set_options(self, **options: Any) -> None:  # noqa: ANN401  # the fields of FacePlan
        """Change some of the plan."""
        try:
            self.set_plan(replace(self.plan, **options))
        except MedlabelError as error:
            self.failed.emit(error)

    def set_looked_at(self, *, on: bool) -> None:
        """A person has looked, and says that what was found is to be taken out."""
        if on != self.looked_at:
            self.looked_at = on
            self.changed.emit()

    def take(self, way: Way | None) -> None:
        """Take the brush that adds or spares; the same again puts it away."""
        self.way = None if way == self.way else way
        self.hand.refresh()
        self.changed.emit()

    def undo(self) -> bool:
        """Take the last stroke back; False where there is none."""
        return self._step(self.by_hand.undo())

    def redo(self) -> bool:
        """Make it again; False where there is none."""
        return self._step(self.by_hand.redo())

    def leave(self) -> bool:
        """Take back the stroke under the hand, or put the brush away; False for neither."""
        stroke, self._stroke = self._stroke, None
        if stroke is not None:
            stroke.take_back()
            self.hand.let_go()
            self.sight.tell_labels(stroke.box)
            return True
        if self.way is not None:
            self.take(None)
            return True
        return False

    # The brush

    def begin(self, axis: int, at: Kji, *, other_way: bool) -> bool:
        """Begin a stroke in a plane; False where there is nothing to draw on."""
        if self.way is None or self._shown is None:
            self.said.emit("There is no face to add to or to spare from")
            return False
        way = _OTHER[self.way] if other_way else self.way
        across = None if self._drawing.choices.ball else axis
        spacing_mm = self._drawing.case.volume.geometry.spacing_mm
        self._stroke = FaceStroke(
            self.by_hand, self._shown, self._brain, way, across, self.size_mm, spacing_mm
        )
        self.go_on(at)
        return True

    def go_on(self, at: Kji) -> None:
        """Draw to a place."""
        changed = None if self._stroke is None else self._stroke.to(at)
        if changed is not None:
            self.sight.tell_labels(changed)

    def end(self) -> None:
        """The stroke becomes one step that can be taken back."""
        stroke, self._stroke = self._stroke, None
        if stroke is not None:
            edit = stroke.finish()
            if not edit.is_nothing:
                self.by_hand.keep(edit)
                self._replan()

    # How

    def _step(self, edit: Edit | None) -> bool:
        if edit is None or self._stroke is not None:
            return False
        self._replan()
        return True

    def _progressed(self, done: int, total: int) -> None:
        self.progress = (done, total)
        self.changed.emit()

    def _studied(self, answer: Any) -> None:  # noqa: ANN401  # what the task gave
        self.study, self._brain = answer
        self.progress = None
        self._show_arrays()
        self.studied.emit()
        if self.plannable:
            self._plan_now()
        self.changed.emit()

    def _replan(self) -> None:
        if self.plannable:
            self._soon.start()
        self.changed.emit()

    def _plan_now(self) -> None:
        study, plan, planned = self.study, self.plan, self.planned
        if study is None or self._stroke is not None:
            return
        session, case, strokes = self._drawing.session, self._drawing.case, self.by_hand.snapshot()
        drawn = self.by_hand.version
        same = planned is not None and self._drawn == drawn and _region_of(plan) == _region_of(
            planned.plan
        )  # fmt: skip

        def task(_progress: Any, cancelled: Any) -> Any:  # noqa: ANN401
            if same and planned is not None:
                return replace(planned, plan=plan), None, drawn
            added, spared = masks_of(strokes)
            found = commands.plan_face(
                session, case, study, plan, added=added, spared=spared, cancelled=cancelled
            )
            return found, found.seen.view(np.uint8).copy(), drawn

        self._planning = True
        self._run(task, self._was_planned)
        self.changed.emit()

    def _was_planned(self, answer: Any) -> None:  # noqa: ANN401
        self.planned, shown, self._drawn = answer
        if shown is not None:
            self._shown = shown
            self._show_arrays()
        session, study, planned = self._drawing.session, self.study, self.planned
        if study is None or planned is None:
            return

        def task(_progress: Any, cancelled: Any) -> ForeseenFace:  # noqa: ANN401
            return commands.foresee_face(session, study, planned, cancelled=cancelled)

        self._planning = True
        self._run(task, self._foresaw)
        self.changed.emit()

    def _foresaw(self, answer: ForeseenFace) -> None:
        self.foreseen = answer
        self.was_foreseen.emit()
        self.changed.emit()

    def _show_arrays(self) -> None:
        self.sight.show_arrays(*(one for one in (self._brain, self._shown) if one is not None))

    def _run(self, task: Any, done: Any) -> Job:  # noqa: ANN401  # as Job has them
        self._end_job()
        job = self._job = Job(task, self, pool=self._pool)

        def arrived(answer: object) -> None:
            self._job, self._planning = None, False
            if self._stroke is None or self.study is None:
                done(answer)
            # else: with the end of the stroke it is planned anew

        def broke(error: object) -> None:
            self._job, self._planning = None, False
            self.failed.emit(error)
            self.changed.emit()

        job.done.connect(arrived)
        job.failed.connect(broke)
        return job

    def _end_job(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.cancel()


def _region_of(plan: FacePlan) -> FacePlan:
    """What of a plan decides where the region is."""
    return replace(plan, mode="blank", seed=0)
