"""Start a segment from a known part of the body: what the button and the actions do."""

from collections.abc import Callable

from qtpy.QtCore import QObject, Qt, Signal

from napari_medlabel import commands
from napari_medlabel.commands import Rehearsed
from napari_medlabel.core.automatic import label_for_part, part_of
from napari_medlabel.errors import MedlabelError
from napari_medlabel.ui.action_windows import ActionWindows
from napari_medlabel.ui.desk import Desk
from napari_medlabel.ui.drawing import Drawing
from napari_medlabel.ui.proposals import Making
from napari_medlabel.ui.sight import Proposal
from napari_medlabel.ui.start_actions import PREFIX
from napari_medlabel.ui.start_button import StartButton

__all__ = ["link_starting", "start_from"]

Report = Callable[[int, int], None]
Stop = Callable[[], bool]


def link_starting(button: StartButton, windows: ActionWindows, desk: Desk) -> None:
    """Connect the button, and the actions, to whatever case is open."""
    desk.act_on(button.wanted, _asked)
    desk.act_on(windows.asked, _asked)


def _asked(drawing: Drawing, action_id: str) -> None:
    if action_id.startswith(PREFIX):
        start_from(drawing, action_id.removeprefix(PREFIX))


def start_from(drawing: Drawing, what: str) -> None:
    """Find a part beside the window and show it as a preview of its own segment."""
    if drawing.read_only:
        return
    segmentation, part = drawing.case.segmentation, part_of(what)
    label = label_for_part(segmentation, part, drawing.choices.active)
    steps = len(segmentation.history)
    if segmentation.schema.get(label.value) != label and not drawing.do(
        lambda: commands.set_label(drawing.session, drawing.case, label)
    ):
        return
    added = len(segmentation.history) if len(segmentation.history) > steps else 0
    drawing.pick(label.value)
    over = drawing.choices.settings.of("paint")["paint_over"]

    trial = _Trial(drawing, added)

    def make(progress: Report, cancelled: Stop) -> Rehearsed:
        try:
            found = commands.rehearse(
                drawing.session, drawing.case, commands.start_from, what, label.value,
                over_others=over != "empty", progress=progress, cancelled=cancelled,
            )  # fmt: skip
        except MedlabelError:
            trial.failed.emit()
            raise
        return found.over_only(over) if isinstance(over, int) else found

    def then(made: Proposal) -> None:
        trial.deleteLater()
        notes = made.what.settings.get("notes", ())
        if notes:
            drawing.proposals.said.emit(f"{part.name}: {'; '.join(notes)}")

    drawing.proposals.ask(Making("Start from", label.value, make, then=then))


class _Trial(QObject):
    """Leaves no empty segment behind where nothing could be found.

    `failed` is told on the thread that searches, and heard on the window's.
    """

    failed = Signal()

    def __init__(self, drawing: Drawing, added: int) -> None:
        super().__init__(drawing)
        self._drawing, self._added = drawing, added
        self.failed.connect(self._take_back, Qt.ConnectionType.QueuedConnection)

    def _take_back(self) -> None:
        if self._added and len(self._drawing.case.segmentation.history) == self._added:
            self._drawing.undo()
        self.deleteLater()
