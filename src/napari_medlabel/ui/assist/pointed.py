"""Objects of an open case that are pointed at: their prompts, asked of the engine and answered."""

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from qtpy.QtCore import QObject, QTimer, Signal

from napari_medlabel.core.segmentation import Change
from napari_medlabel.ui.assist.asking import Wanted, engine_threads
from napari_medlabel.ui.assist.engine_room import EngineRoom
from napari_medlabel.ui.assist.prompted import Prompted
from napari_medlabel.ui.assist.rules import SOURCE, TOOL, how_to_write, is_refined, rules_of
from napari_medlabel.ui.proposals import Making
from napari_medlabel.ui.sight import Proposal

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["Pointed"]

WORDS: Final = "Preview"
REST_MS: Final = 120  # a slider that still moves, a stroke that goes on


class Pointed(QObject):
    """One object at a time for each segment. `changed` when something of them may differ.

    Parameters
    ----------
    drawing
        The open case.
    room
        The engine that answers.
    """

    changed = Signal()

    def __init__(self, drawing: "Drawing", room: EngineRoom) -> None:
        super().__init__(drawing)
        self._drawing, self.room = drawing, room
        self._objects: dict[int, Prompted] = {}  # by label value
        self._cuts: dict[int, tuple[object, ...]] = {}  # by object: what decided where it may go
        self._numbers = count(1)
        self._active, self._tool = drawing.choices.active, drawing.choices.tool
        self._edits = 0
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._cut_again)
        self._stop_watching = drawing.case.segmentation.watch(self._case_changed)
        drawing.changed.connect(self._look_at_choices)
        drawing.proposals.written.connect(self._done_with)
        drawing.proposals.rejected.connect(self._rejected)

    def close(self) -> None:
        """The case goes."""
        self._rest.stop()
        self._stop_watching()

    @property
    def prompted(self) -> Prompted | None:
        """What is being pointed at with the segment in hand."""
        return self._objects.get(self._drawing.choices.active)

    @property
    def in_hand(self) -> bool:
        """Whether the prompt tool is."""
        return self._drawing.choices.tool == TOOL

    @property
    def answering(self) -> bool:
        """Whether an answer is on its way."""
        return self._drawing.proposals.making_source == SOURCE

    @property
    def resting(self) -> bool:
        """Whether no answer waits to be cut anew."""
        return not self._rest.isActive()

    def begun(self, name: str = "") -> Prompted:
        """A new object, found by its name or pointed at; or all of the segment, to be refined."""
        if name:
            return Prompted(next(self._numbers), name=name)
        drawing, value = self._drawing, self._drawing.choices.active
        refine = is_refined(drawing.choices, drawing.case.segmentation.voxels(value))
        return Prompted(next(self._numbers), refine=refine)

    def put(self, found: Prompted) -> None:
        """These are its prompts now: ask, or let its preview go where there are none."""
        value = self._drawing.choices.active
        if found.is_begun:
            self._objects[value] = found
            self._ask()
        else:
            self._let_go(value)
            if found.undone:
                self._objects[value] = found.unasked()
        self._tell()

    def reset(self) -> None:
        """Let all prompts of the segment in hand go, and their preview."""
        if self.prompted is not None:
            self._let_go(self._drawing.choices.active)
            self._tell()

    def cut(self, loose: float) -> None:
        """Put its boundary elsewhere, once the hand rests."""
        found = self.prompted
        if found is not None:
            self._objects[self._drawing.choices.active] = replace(found, loose=loose)
            self._rest.start()
            self.changed.emit()

    def ask_anew(self) -> None:
        """Another engine is to answer: it has sizes of its own."""
        found = self.prompted
        if found is not None:
            found = self._objects[self._drawing.choices.active] = found.unsized()
        self.room.asking.wanted = self._wanted(self._drawing.choices.active, found)
        if found is not None and found.is_begun:
            self._ask()
        else:
            self._prepare()

    # How

    def _tell(self) -> None:
        self._drawing.sight.changed.emit()
        self.changed.emit()

    def _ask(self) -> None:
        drawing, found, value = self._drawing, self.prompted, self._drawing.choices.active
        if found is None or not found.is_begun or drawing.read_only:
            return
        asking, wanted = self.room.asking, self._wanted(value, found)
        asking.wanted = wanted
        if not found.can_be_asked:
            self._withdraw(value)
            drawing.blocked.emit("Nothing is included yet: click into the object")
            return
        self._cuts[found.number] = rules_of(self._drawing.choices, self._edits)
        how = how_to_write(drawing.choices, found)

        def make(_report: object, stopped: Any) -> Proposal:  # noqa: ANN401  # a function
            answer = asking.answer(wanted, how, stopped)
            region = (answer.box, answer.mask)
            return Proposal(answer.what, value, WORDS, asking.seconds, SOURCE, region)

        drawing.proposals.ask(Making(
            WORDS, value, make, source=SOURCE, pool=engine_threads(), nothing=self._nothing,
            dressed=lambda made: self._dressed(found.number, made),
            ended=lambda error: self._ended(found.number, error),
            newer=found.asked != found.settled,
        ))  # fmt: skip

    def _wanted(self, value: int, found: Prompted | None) -> Wanted:
        if found is None:
            return Wanted(0, value, (), self.room.engine, self.room.device)
        return Wanted(
            found.number, value, found.prompts, self.room.engine, self.room.device, found.refine,
            found.name, found.size, found.sized,
        )  # fmt: skip

    def _dressed(self, number: int, made: Proposal) -> Proposal:
        """Note what is answered now, and by how much it changed."""
        found = self._objects.get(made.value)
        if found is None or found.number != number:
            return made
        answered = self.room.asking.prompts
        if answered != found.answered and len(answered) > len(found.answered):
            self.room.note_seconds()
        ml = made.voxels * self._drawing.case.volume.geometry.voxel_ml
        known = found.sizes
        if 0 < found.sized == len(answered):
            found = found.of_size(self.room.asking.size)
        found = self._objects[made.value] = found.answered_by(answered, ml)
        if found.sizes == 1 != known:
            self._drawing.blocked.emit("It can have no other size")
        if note := self.room.news():
            self._drawing.blocked.emit(note)
        self.changed.emit()
        note = f"size {found.size + 1}" if found.sized and found.sizes != 1 else ""
        return replace(made, change_ml=found.change_ml, note=note)

    def _nothing(self, made: Proposal) -> str:
        if made.voxels:
            return "All of it belongs to this segment already"
        found = self._objects.get(made.value)
        if found is not None and found.name and not found.prompts:
            return f"Nothing was found here by the name {found.name}, or nothing that may change"
        return "Nothing found here that may change: give another prompt, or look at locks and mask"

    def _ended(self, number: int, error: object | None) -> None:
        """It came to nothing: what is not answered was not asked."""
        value = next((v for v, one in self._objects.items() if one.number == number), 0)
        found = self._objects.get(value)
        if found is None:
            return
        if error is not None and self.room.fall_back():
            self._ask()
            return
        answered = self.room.asking.prompts if error is not None else found.answered
        kept = answered if answered == found.prompts[: len(answered)] else ()
        if kept or (found.name and found.settled):
            self._objects[value] = found.as_settled(kept)
            self.room.asking.wanted = self._wanted(value, self._objects[value])
        else:
            self._let_go(value)
        self._tell()

    def _done_with(self, written: Proposal) -> None:
        if written.source == SOURCE:
            self._let_go(written.value)
            self._tell()

    def _rejected(self, shown: object) -> None:
        """A person let a preview go, in sight or put aside; or there was none but prompts."""
        if isinstance(shown, Proposal):
            if shown.source == SOURCE:
                self._let_go(shown.value)
        elif shown is None:
            self._let_go(self._drawing.choices.active)
        self._tell()

    def _let_go(self, value: int) -> None:
        """Forget an object, what is made of it and what is shown."""
        found = self._objects.pop(value, None)
        if found is not None:
            self._cuts.pop(found.number, None)
        if value == self._drawing.choices.active:
            self.room.asking.wanted = self._wanted(value, None)
            self._withdraw(value)

    def _withdraw(self, value: int) -> None:
        proposals = self._drawing.proposals
        if self.answering and proposals.making_value == value:
            proposals.drop()
        shown = proposals.open
        if isinstance(shown, Proposal) and shown.source == SOURCE and shown.value == value:
            proposals.show(None)

    # What others do

    def _look_at_choices(self) -> None:
        """Another segment or tool is in hand, or an option is another."""
        choices = self._drawing.choices
        if choices.tool != self._tool:
            self._tool = choices.tool
            if self.in_hand:
                self._prepare()
            self.changed.emit()
        if choices.active != self._active:
            self._active = choices.active
            self._turn_to(choices.active)
        elif self._is_stale() and not self._rest.isActive():
            self._rest.start()

    def _turn_to(self, value: int) -> None:
        """Prompts of another segment come up; those of the one before wait with it."""
        found, proposals = self._objects.get(value), self._drawing.proposals
        self.room.asking.wanted = self._wanted(value, found)
        if self.answering:
            proposals.drop()
        shown = proposals.open
        is_shown = isinstance(shown, Proposal) and shown.source == SOURCE
        if found is not None and found.is_begun and (not is_shown or self._is_stale()):
            self._ask()
        self.changed.emit()

    def _is_stale(self) -> bool:
        """Whether the answer that is shown was cut by other rules than those of now."""
        found = self.prompted
        return found is not None and self._cuts.get(found.number) not in {
            None,
            rules_of(self._drawing.choices, self._edits),
        }

    def _case_changed(self, change: Change) -> None:
        self._edits += 1
        schema = self._drawing.case.segmentation.schema
        if change.step.schema_after is not None:
            for value in [one for one in self._objects if schema.get(one) is None]:
                self._let_go(value)

    def _cut_again(self) -> None:
        """The same answer, cut elsewhere or by other rules."""
        found, shown = self.prompted, self._drawing.proposals.open
        ours = isinstance(shown, Proposal) and shown.source == SOURCE
        if self._drawing.hand.busy:
            self._rest.start()
        elif found is not None and found.can_be_asked and (ours or shown is None):
            self._ask()

    def _prepare(self) -> None:
        found = self.prompted
        wanted = self._wanted(self._drawing.choices.active, found)
        self.room.asking.wanted = wanted
        if found is None or not found.refine:
            self.room.prepare(wanted)
