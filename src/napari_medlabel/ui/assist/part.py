"""Segmenting by prompts in an open case: what a person does, and what is seen of it."""

from dataclasses import replace
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QPainter

from napari_medlabel import commands
from napari_medlabel.core.prompt import Prompt, check_inside
from napari_medlabel.errors import MedlabelError
from napari_medlabel.ui.assist.engine_room import EngineRoom
from napari_medlabel.ui.assist.marks import paint_prompts
from napari_medlabel.ui.assist.pointed import Pointed
from napari_medlabel.ui.assist.prompted import Prompted
from napari_medlabel.ui.assist.rules import SOURCE, TOOL
from napari_medlabel.ui.assist.state import AssistState, Kind, name_row, prompt_row, size_words
from napari_medlabel.ui.planes.plane_view import PlaneView
from napari_medlabel.ui.sight import Proposal

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["Assist"]


class Assist(QObject):
    """Prompts of an open case. `changed` when what `state` tells may differ."""

    changed = Signal()

    def __init__(self, drawing: "Drawing") -> None:
        super().__init__(drawing)
        self._drawing = drawing
        self.room = EngineRoom(drawing.session, drawing.case, self)
        self.pointed = Pointed(drawing, self.room)
        self.kind: Kind = "include"
        self.hidden: int | None = None  # the prompt that is being dragged
        self.pointed.changed.connect(self.changed)
        self.room.changed.connect(self.changed)
        self.room.failed.connect(drawing.failed)

    def close(self) -> None:
        """The case goes."""
        self.pointed.close()
        self.room.close()

    # What there is

    @property
    def prompted(self) -> Prompted | None:
        """What is being pointed at with the segment in hand."""
        return self.pointed.prompted

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """Those given for the segment in hand."""
        found = self.prompted
        return () if found is None else found.prompts

    @property
    def in_hand(self) -> bool:
        """Whether the prompt tool is."""
        return self.pointed.in_hand

    @property
    def answering(self) -> bool:
        """Whether an answer is on its way."""
        return self.pointed.answering

    @property
    def can_step_back(self) -> bool:
        """Whether there is a prompt that undo takes back: with the tool in hand, one was given."""
        found = self.prompted
        return self.in_hand and found is not None and found.is_begun

    @property
    def can_resize(self) -> bool:
        """Whether the answer may be of another size."""
        found = self.prompted
        return found is not None and found.has_sizes and not self.answering

    @property
    def can_step_on(self) -> bool:
        """Whether there is one that comes again."""
        found = self.prompted
        return self.in_hand and found is not None and bool(found.undone)

    @property
    def state(self) -> AssistState:
        """What the section shows."""
        geometry, room = self._drawing.case.volume.geometry, self.room
        found = self.prompted or Prompted(0)
        rows = (name_row(found.name),) if found.name else ()
        return AssistState(
            self.kind, self.in_hand,
            (*rows, *(prompt_row(one, geometry) for one in self.prompts)),
            self.can_step_on, found.loose, room.engines, room.engine,
            room.devices, room.device, room.ran, room.seconds, room.busy,
            self._drawing.case.segmentation.read_only,
            size_words(found.size, found.sizes) if found.sized or found.has_sizes else "",
            can_resize=self.can_resize,
        )  # fmt: skip

    # What a person does

    def take(self, kind: Kind) -> None:
        """Give prompts of a kind from now on; the kind in hand again puts the tool away."""
        tools = self._drawing.tools
        again = kind == self.kind and self.in_hand
        self.kind = kind
        if again or not self.in_hand:
            tools.set_tool(TOOL)
        self._drawing.sight.changed.emit()
        self.changed.emit()

    def may_ask(self) -> bool:
        """Whether a prompt can be given now; says why not."""
        drawing = self._drawing
        value, segmentation = drawing.choices.active, drawing.case.segmentation
        if drawing.read_only:
            return False
        label = segmentation.schema.get(value)
        if label is None:
            drawing.blocked.emit("Pick a segment first")
        elif value in segmentation.locked:
            drawing.blocked.emit(f"{label.name} is locked")
        else:
            return True
        return False

    def give(self, prompt: Prompt) -> None:
        """Add a prompt to those of the segment in hand, and ask."""
        drawing = self._drawing
        if not self.may_ask():
            return
        try:
            check_inside(prompt, drawing.sight.shape)
        except MedlabelError:
            drawing.blocked.emit("There is nothing of the image in it")
            return
        self.pointed.put((self.prompted or self.pointed.begun()).given(prompt))

    def find(self, name: str) -> None:
        """Ask the engine for what has this name, in place of what was pointed at so far."""
        if name and self.may_ask():
            self.pointed.put(self.pointed.begun(name))

    def next_size(self) -> None:
        """Show the object as large as it could be instead; after all sizes the first one again."""
        found = self.prompted
        if found is not None and self.can_resize:
            self.pointed.put(found.next_size())
        elif found is not None and found.sizes == 1:
            self._drawing.blocked.emit("It can have no other size")
        elif not self.answering:
            self._drawing.blocked.emit("Its size is open only after one click or stroke")

    def change(self, number: int, prompt: Prompt) -> None:
        """Put a prompt in the place of another: a box was dragged."""
        found = self.prompted
        if found is not None and 0 <= number < len(found.prompts):
            self.pointed.put(found.changed(number, prompt))

    def remove(self, number: int) -> None:
        """Take away what stands in a row: a prompt, or the name with all that corrects it."""
        found = self.prompted
        if found is not None and found.name:
            if number == 0:
                self.reset()
            number -= 1
        if found is not None and 0 <= number < len(found.prompts):
            self.pointed.put(found.without(number))

    def step_back(self) -> bool:
        """Take the last prompt back; False where there is none."""
        found = self.prompted
        if found is None or not found.is_begun:
            return False
        self.pointed.put(found.stepped_back() if found.prompts else replace(found, name=""))
        return True

    def step_on(self) -> bool:
        """Give the prompt again that was taken back last; False where there is none."""
        found = self.prompted
        if found is None or not found.undone:
            return False
        self.pointed.put(found.stepped_on())
        return True

    def reset(self) -> None:
        """Let all prompts of the segment in hand go, and their preview."""
        self.pointed.reset()

    def set_loose(self, loose: float) -> None:
        """Put the boundary elsewhere: the last answer is cut again, nobody is asked."""
        self.pointed.cut(loose)

    def set_engine(self, engine: str) -> None:
        """Ask another engine from now on, all prompts of the segment in hand among them."""
        if self.room.choose(engine=engine):
            self.pointed.ask_anew()

    def set_device(self, device: str) -> None:
        """Let it run there."""
        if self.room.choose(device=device):
            self.pointed.ask_anew()

    def next_object(self) -> None:
        """Accept the preview and begin the next object: a segment of the same kind, numbered."""
        drawing = self._drawing
        value = drawing.choices.active
        if not value or not self.may_ask():
            return
        shown = drawing.proposals.open
        if isinstance(shown, Proposal) and shown.source == SOURCE:
            if not drawing.proposals.accept():
                return
        elif self.prompts:
            drawing.blocked.emit("The answer is not there yet")
            return
        elif not drawing.case.segmentation.voxels(value):
            name = drawing.case.segmentation.schema[value].name
            drawing.blocked.emit(f"{name} is still empty: give a prompt first")
            return
        made: list[int] = []
        if drawing.do(lambda: made.append(
            commands.add_instance(drawing.session, drawing.case, value).value
        )):  # fmt: skip
            drawing.pick(made[0])

    # What is seen

    def paint(self, view: PlaneView, painter: QPainter) -> None:
        """The prompts of the segment in hand."""
        shown = [one for n, one in enumerate(self.prompts) if n != self.hidden]
        if shown:
            paint_prompts(painter, view, shown)
