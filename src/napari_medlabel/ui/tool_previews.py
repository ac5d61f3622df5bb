"""What the tools of an open case would do: asked for with their options, and again with others."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import TYPE_CHECKING, Any, Final

from qtpy.QtCore import QObject, QTimer

from napari_medlabel import commands
from napari_medlabel.commands import Rehearsed
from napari_medlabel.core.geometry import Index
from napari_medlabel.ui.proposals import Making
from napari_medlabel.ui.sight import Proposal
from napari_medlabel.ui.tool_settings import Call, Place, call_of, limit_words
from napari_medlabel.ui.tool_specs import spec_of

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["ToolPreviews"]

REST_MS = 150  # a slider that still moves asks for nothing
FOLLOWED: Final = frozenset({"carry", "copy_slice"})  # one goes to the slice that they drew on
Report = Callable[[int, int], None]
Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class _Asked:
    """The preview that was asked for last: whose it is, and where."""

    tool: str
    words: str
    place: Place


class ToolPreviews(QObject):
    """Asks commands what tools would do; a changed option asks again from the same place."""

    def __init__(self, drawing: "Drawing", parent: QObject) -> None:
        super().__init__(parent)
        self._drawing = drawing
        self._asked: _Asked | None = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._again)

    @property
    def blocked(self) -> str:
        """Why the tool in hand cannot do anything as things are; "" if it can."""
        tool = self._drawing.choices.tool
        call = call_of(tool, self._chosen(tool), self._place()) if tool else None
        return call.why_not if call is not None else ""

    def propose(
        self, tool: str, *, seed: Index | None = None, at_once: bool = False,
        part: tuple[int, int] | None = None,
    ) -> None:  # fmt: skip
        """Ask what the tool would do with its options: a preview, or written when it is there."""
        self._rest.stop()
        self._ask(tool, self._place(seed), at_once=at_once, part=part)

    def option_changed(self, tool: str) -> None:
        """An option of a tool, or with "" one of all tools, is another now."""
        if self._asked is not None and tool in {"", self._asked.tool} and self._shown:
            self._rest.start()

    def carry(self, step: int) -> None:
        """Carry the slice on; a preview of that which is open is accepted first."""
        drawing = self._drawing
        if self._shown and self._asked is not None and self._asked.tool == "carry":
            if drawing.proposals.making:
                return
            drawing.proposals.accept()
        drawing.choose(settings=drawing.choices.settings.with_option("carry", "direction", step))
        self.propose("carry")

    # How

    @property
    def _shown(self) -> bool:
        """True while what was asked for last is a preview, or is being made one."""
        if self._asked is None:
            return False
        proposals = self._drawing.proposals
        shown = proposals.open
        if isinstance(shown, Proposal) and shown.words == self._asked.words:
            return True
        return proposals.making == self._asked.words

    def _place(self, seed: Index | None = None) -> Place:
        """Where tools work now."""
        drawing = self._drawing
        axis, position = drawing.looking.axis, drawing.sight.position
        return Place(
            drawing.choices.active, axis, position[axis], drawing.sight.shape[axis],
            tuple(one.value for one in drawing.case.segmentation.schema), seed or position,
        )  # fmt: skip

    def _chosen(self, tool: str) -> dict[str, Any]:
        settings = self._drawing.choices.settings
        return {"paint_over": settings.of("paint")["paint_over"], **settings.of(tool)}

    def _again(self) -> None:
        if self._shown and self._asked is not None:
            self._ask(self._asked.tool, self._asked.place)

    def _ask(
        self, tool: str, place: Place, *, at_once: bool = False,
        part: tuple[int, int] | None = None,
    ) -> None:  # fmt: skip
        drawing = self._drawing
        if drawing.read_only:
            return
        call = call_of(tool, self._chosen(tool), place)
        if call is None or call.why_not:
            if call is not None:
                drawing.blocked.emit(call.why_not)
            return
        spec = spec_of(tool)
        words = spec.words if spec is not None else tool
        if not at_once:
            self._asked = _Asked(tool, words, place)
        then = self._follow(place) if tool in FOLLOWED else self._tell_limit
        drawing.proposals.ask(
            Making(words, place.active, self._rehearsing(call), at_once, part, then)
        )

    def _follow(self, place: Place) -> Callable[[Proposal], None]:
        """Go to the farthest slice that something was drawn on, once it is made."""

        def follow(made: Proposal) -> None:
            slices = made.slices(place.axis)
            farthest = max(slices, key=lambda n: abs(n - place.index), default=place.index)
            self._drawing.sight.move_along(place.axis, farthest)

        return follow

    def _tell_limit(self, made: Proposal) -> None:
        """Say where it was not allowed to go on."""
        if words := limit_words(made.what.settings):
            self._drawing.blocked.emit(f"{made.words} {words}")

    def _rehearsing(self, call: Call) -> Callable[[Report, Stop], Rehearsed]:
        drawing = self._drawing
        action = getattr(commands, call.command)
        taken = signature(action).parameters

        def make(progress: Report, cancelled: Stop) -> Rehearsed:
            told = {"progress": progress, "cancelled": cancelled}
            settings = {
                **call.settings,
                **{name: one for name, one in told.items() if name in taken},
            }
            found = commands.rehearse(drawing.session, drawing.case, action, *call.args, **settings)
            return found if call.only_over is None else found.over_only(call.only_over)

        return make
