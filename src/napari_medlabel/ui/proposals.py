"""Previews: what a tool would write, shown until a person accepts it, takes a slice, or not."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_medlabel import commands
from napari_medlabel.commands import Rehearsed
from napari_medlabel.errors import MedlabelError
from napari_medlabel.ui.sight import Proposal, RangePreview
from napari_medlabel.ui.work import Job

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["Making", "Proposals"]

SLOW_S = 0.28
Report = Callable[[int, int], None]
Stop = Callable[[], bool]
Make = Callable[[Report, Stop], Rehearsed]


@dataclass(frozen=True, slots=True, eq=False)
class Making:
    """What is asked for: how to make it, and in whose name."""

    words: str
    value: int
    make: Make
    at_once: bool = False  # written without asking, once it is made
    part: tuple[int, int] | None = None  # axis and slice, where only that is wanted
    then: Callable[[Proposal], None] | None = None  # once it is shown or written


class Proposals(QObject):
    """The one preview there may be, and the work that makes it.

    Signals: `changed` when there is another preview, none, or progress; `failed` with an error;
    `said` with words where there is nothing to propose.
    """

    changed = Signal()
    failed = Signal(object)
    said = Signal(str)

    def __init__(self, drawing: "Drawing") -> None:
        super().__init__(drawing)
        self._drawing = drawing
        self._job: Job | None = None
        self._making: Making | None = None
        self._next: Making | None = None
        self._began = 0.0
        self.progress: tuple[int, int] | None = None

    @property
    def open(self) -> Proposal | RangePreview | None:
        """The preview that waits for an answer."""
        return self._drawing.sight.proposal

    @property
    def making(self) -> str:
        """What is being made, in words; "" for nothing."""
        return self._making.words if self._making is not None else ""

    @property
    def making_value(self) -> int:
        """For which segment; 0 for none."""
        return self._making.value if self._making is not None else 0

    @property
    def slow(self) -> bool:
        """True where the work has taken so long that a person should see it."""
        return self.seconds > SLOW_S

    def here(self, axis: int) -> int:
        """The slice that is shown."""
        return self._drawing.sight.position[axis]

    @property
    def seconds(self) -> float:
        """For how long."""
        return time.monotonic() - self._began if self._making is not None else 0.0

    def ask(self, making: Making) -> None:
        """Make a preview beside the window; a newer wish replaces one that is being made."""
        if self._job is not None:
            self._next = making
            self._job.cancel()
            return
        self._start(making)

    def show(self, proposal: Proposal | RangePreview | None) -> None:
        """Show a preview that was made at once."""
        self._drawing.sight.show_proposal(proposal)
        self.changed.emit()

    def stop(self) -> None:
        """Make it no longer; what is shown stays."""
        self._next = None
        if self._job is not None:
            self._job.cancel()

    def reject(self) -> bool:
        """Let preview and work go; False where there was neither."""
        had = self.open is not None or self._job is not None
        self.stop()
        self.show(None)
        return had

    def accept(self) -> bool:
        """Write the preview as one step; False where there is none."""
        return self._write(None)

    def accept_slice(self) -> bool:
        """Write what it has on the slice that is shown; the rest stays a preview."""
        looking = self._drawing.looking
        axis = looking.axis
        return self._write((axis, self._drawing.sight.position[axis]))

    def close(self) -> None:
        """The case goes."""
        self.stop()

    # How

    def _start(self, making: Making) -> None:
        self._making, self._began, self.progress = making, time.monotonic(), None
        job = Job(making.make, self)
        self._job = job
        job.progressed.connect(self._progressed)
        job.done.connect(lambda what: self._made(making, what))
        job.failed.connect(self._failed)
        job.cancelled.connect(self._cancelled)
        self.changed.emit()

    def _progressed(self, done: int, total: int) -> None:
        self.progress = (done, total)
        self.changed.emit()

    def _ended(self) -> None:
        self._job, self._making, self.progress = None, None, None
        wanted, self._next = self._next, None
        if wanted is not None:
            self._start(wanted)
        self.changed.emit()

    def _made(self, making: Making, what: Rehearsed) -> None:
        seconds = self.seconds
        self._ended()
        if what.is_nothing:
            self._drawing.sight.show_proposal(None)
            self.said.emit(f"{making.words}: nothing changes here")
            self.changed.emit()
            return
        made = Proposal(what, making.value, making.words, seconds)
        before = self.open
        self._drawing.sight.show_proposal(made)
        if making.at_once:
            self._write(making.part)
            # A range that one slice was taken of goes on; other previews wait as they did.
            ranged = isinstance(before, RangePreview)
            self.show(before if not ranged or making.part is not None else None)
        if making.then is not None:
            making.then(made)
        self.changed.emit()

    def _failed(self, error: object) -> None:
        self._ended()
        self.failed.emit(error)

    def _cancelled(self) -> None:
        self._ended()

    def _write(self, part: tuple[int, int] | None) -> bool:
        proposal, drawing = self.open, self._drawing
        if proposal is None or drawing.read_only:
            return False
        if isinstance(proposal, RangePreview):
            drawing.tools.apply_range(part)
            return True
        taken, rest = proposal.what, None
        if part is not None:
            taken, rest = taken.on_slice(*part)
        settings = dict(taken.settings) | drawing.tools.mask_settings
        try:
            commands.accept(drawing.session, drawing.case, replace(taken, settings=settings))
        except MedlabelError as error:
            self.failed.emit(error)
            return False
        left = None if rest is None or rest.is_nothing else replace(proposal, what=rest)
        self.show(left)
        return True
