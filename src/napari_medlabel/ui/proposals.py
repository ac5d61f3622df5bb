"""Previews: what a tool would write, shown until a person accepts it, takes a slice, or not."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QThreadPool, Signal

from napari_medlabel import commands
from napari_medlabel.commands import Rehearsed
from napari_medlabel.errors import MedlabelError
from napari_medlabel.ui.sight import Proposal, RangePreview
from napari_medlabel.ui.work import Job

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["SLOW_S", "Making", "Proposals"]

SLOW_S = 0.28
Report = Callable[[int, int], None]
Stop = Callable[[], bool]
Make = Callable[[Report, Stop], Rehearsed | Proposal]


def _nothing_changes(words: str) -> str:
    return f"{words}: nothing changes here"


@dataclass(frozen=True, slots=True, eq=False)
class Making:
    """What is asked for: how to make it, and in whose name.

    Parameters
    ----------
    words, value
        What it is called, and the segment it belongs to.
    make
        Makes it on another thread.
    at_once
        Written without asking, once it is made.
    part
        Axis and slice, where only that is wanted.
    then
        Told the preview once it is shown or written.
    source
        As of a `Proposal`.
    dressed
        Adds to the preview what only this thread knows.
    nothing
        What to say where it changes nothing.
    ended
        Told when it came to nothing: the error, or None where a person stopped it.
    newer
        Whether it is of more than what is shown, so that this is not to be accepted any more.
    pool
        The threads it is made on.
    """

    words: str
    value: int
    make: Make
    at_once: bool = False
    part: tuple[int, int] | None = None
    then: Callable[[Proposal], None] | None = None
    source: str = ""
    dressed: Callable[[Proposal], Proposal] = lambda made: made
    nothing: Callable[[Proposal], str] = lambda made: _nothing_changes(made.words)
    ended: Callable[[object | None], None] = lambda _error: None
    newer: bool = True
    pool: QThreadPool | None = None


class Proposals(QObject):
    """The preview in sight, those put aside, and the work that makes one.

    A preview that another one takes the place of, or whose segment is put down, is kept until a
    person comes back to it.

    Signals: `changed` when there is another preview, none, or progress; `failed` with an error;
    `said` with words where there is nothing to propose; `written` with a preview of which nothing
    is left; `rejected` with the one that was let go, or None.
    """

    changed = Signal()
    failed = Signal(object)
    said = Signal(str)
    written = Signal(object)
    rejected = Signal(object)

    def __init__(self, drawing: "Drawing") -> None:
        super().__init__(drawing)
        self._drawing = drawing
        self._job: Job | None = None
        self._making: Making | None = None
        self._next: Making | None = None
        self._began = 0.0
        self._kept: tuple[Proposal, ...] = ()
        self._active = drawing.choices.active
        self.progress: tuple[int, int] | None = None
        drawing.changed.connect(self._look_at_choice)

    @property
    def open(self) -> Proposal | RangePreview | None:
        """The preview that waits for an answer."""
        return self._drawing.sight.proposal

    @property
    def kept(self) -> tuple[Proposal, ...]:
        """Previews put aside, the last one last."""
        schema = self._drawing.case.segmentation.schema
        return tuple(one for one in self._kept if schema.get(one.value) is not None)

    @property
    def making(self) -> str:
        """What is being made, in words; "" for nothing."""
        return self._making.words if self._making is not None else ""

    @property
    def making_value(self) -> int:
        """For which segment; 0 for none."""
        return self._making.value if self._making is not None else 0

    @property
    def making_source(self) -> str:
        """For which part of the window; "" for none that says so."""
        return self._making.source if self._making is not None else ""

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
        """Show a preview that was made at once; one of something else is put aside."""
        if proposal is not None:
            self._put_aside_for(proposal)
        self._drawing.sight.show_proposal(proposal)
        self.changed.emit()

    def stop(self) -> None:
        """Make it no longer; what is shown stays."""
        making = self._making
        self.drop()
        if making is not None:
            making.ended(None)

    def drop(self) -> None:
        """Make it no longer, and tell nobody: who asked for it knows."""
        self._next = None
        if self._job is not None:
            self._job.cancel()

    def reject(self) -> bool:
        """Let preview and work go; False where there was neither."""
        before = self.open
        had = before is not None or self._job is not None
        self.stop()
        self.show(None)
        self.rejected.emit(before)
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
        self.drop()

    # Put aside

    @property
    def waiting(self) -> tuple[Proposal, ...]:
        """Those put aside and the one in sight: what would be missed if the case were closed."""
        shown = self.open
        return (*self.kept, shown) if isinstance(shown, Proposal) else self.kept

    def bring(self, kept: tuple[Proposal, ...]) -> None:
        """Put previews aside that waited while the case was closed."""
        self._kept = (*self._kept, *kept)
        self.changed.emit()

    def lead_back(self, kept: Proposal) -> None:
        """Show a preview again that was put aside, with its segment and a slice that it is on."""
        drawing = self._drawing
        if kept not in self.kept:
            return
        if drawing.choices.active != kept.value:
            drawing.pick(kept.value)
        if self.open is not kept:
            self.show(kept)
        axis = drawing.looking.axis
        slices = kept.slices(axis)
        here = self.here(axis)
        if slices and here not in slices:
            drawing.sight.move_along(axis, min(slices, key=lambda n: abs(n - here)))

    def forget(self, kept: Proposal) -> None:
        """Let a preview go that was put aside."""
        self._kept = tuple(one for one in self._kept if one is not kept)
        self.rejected.emit(kept)
        self.changed.emit()

    def _put_aside_for(self, new: Proposal | RangePreview) -> None:
        """Keep what is shown, unless the other one takes its place for good."""
        old = self.open
        self._kept = tuple(one for one in self._kept if not _same(one, new))
        if isinstance(old, Proposal) and not _same(old, new):
            self._kept = (*self._kept, old)

    def _look_at_choice(self) -> None:
        """Another segment is in hand: previews go and come with theirs."""
        active = self._drawing.choices.active
        if active == self._active:
            return
        self._active, shown = active, self.open
        if isinstance(shown, Proposal):
            if shown.value == active:
                return
            self._kept = (*self._kept, shown)
            self._drawing.sight.show_proposal(None)
        back = next((one for one in reversed(self.kept) if one.value == active), None)
        if back is not None and self.open is None:
            self.show(back)
        self.changed.emit()

    # How

    def _start(self, making: Making) -> None:
        self._making, self._began, self.progress = making, time.monotonic(), None
        job = Job(making.make, self, pool=making.pool)
        self._job = job
        job.progressed.connect(self._progressed)
        job.done.connect(lambda what: self._made(making, what))
        job.failed.connect(lambda error: self._failed(making, error))
        job.cancelled.connect(self._ended)
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

    def _made(self, making: Making, what: Rehearsed | Proposal) -> None:
        seconds = self.seconds
        self._ended()
        made = Proposal(what, making.value, making.words, seconds) if isinstance(
            what, Rehearsed
        ) else what  # fmt: skip
        made = making.dressed(made)
        before = self.open
        if made.what.is_nothing:
            if before is None or _same(before, made):
                self._drawing.sight.show_proposal(None)
            self.said.emit(making.nothing(made))
            self.changed.emit()
            return
        if making.at_once:
            self._drawing.sight.show_proposal(made)
            self._write(making.part)
            # A range that one slice was taken of goes on; other previews wait as they did.
            ranged = isinstance(before, RangePreview)
            self.show(before if not ranged or making.part is not None else None)
        else:
            self.show(made)
        if making.then is not None:
            making.then(made)
        self.changed.emit()

    def _failed(self, making: Making, error: object) -> None:
        self._ended()
        making.ended(error)
        self.failed.emit(error)

    def _write(self, part: tuple[int, int] | None) -> bool:
        proposal, drawing = self.open, self._drawing
        if proposal is None or drawing.read_only:
            return False
        if isinstance(proposal, RangePreview):
            drawing.tools.apply_range(part)
            return True
        making = self._making
        if making is not None and making.newer and proposal.source == making.source != "":
            self.said.emit("A newer preview is on its way")
            return False
        taken, rest = proposal.what, None
        settings = dict(taken.settings) | drawing.tools.mask_settings
        if part is not None:
            taken, rest = taken.on_slice(*part)
            settings["only_slice"] = list(part)
            if taken.is_nothing:
                self.said.emit("It does not reach this slice")
                return False
        try:
            commands.accept(drawing.session, drawing.case, replace(taken, settings=settings))
        except MedlabelError as error:
            self.failed.emit(error)
            return False
        left = None if rest is None or rest.is_nothing else replace(proposal, what=rest)
        self.show(left)
        if left is None:
            self.written.emit(proposal)
        return True


def _same(one: Proposal | RangePreview, other: Proposal | RangePreview) -> bool:
    """Whether one preview takes the other's place: of one tool, for one segment."""
    return (one.value, one.words) == (other.value, other.words)
