"""What a person does in the section "Assist" and with previews put aside, done to the open case."""

from napari_medlabel.ui.assist.box import AssistBox
from napari_medlabel.ui.assist.rules import SOURCE, TOOL
from napari_medlabel.ui.desk import Desk
from napari_medlabel.ui.drawing import Drawing
from napari_medlabel.ui.kept_box import KeptBox

__all__ = ["link_assist", "link_kept"]


def link_assist(box: AssistBox, desk: Desk) -> None:
    """Connect the section to whatever case is open."""
    act = desk.act_on
    act(box.kind_chosen, lambda drawing, kind: drawing.assist.take(kind))
    act(box.removed, lambda drawing, number: drawing.assist.remove(number))
    act(box.undo_wanted, lambda drawing: drawing.assist.step_back())
    act(box.reset_wanted, lambda drawing: drawing.assist.reset())
    act(box.name_chosen, lambda drawing, name: drawing.assist.find(name))
    act(box.size_wanted, lambda drawing: drawing.assist.next_size())
    act(box.boundary_moved, lambda drawing, loose: drawing.assist.set_loose(loose))
    act(box.engine_chosen, lambda drawing, engine: drawing.assist.set_engine(engine))
    act(box.device_chosen, lambda drawing, device: drawing.assist.set_device(device))


def link_kept(box: KeptBox, desk: Desk) -> None:
    """Connect the chips of previews that were put aside."""
    desk.act_on(box.wanted, _lead_back)
    desk.act_on(box.forgotten, _forget)


def _lead_back(drawing: Drawing, number: int) -> None:
    """Show it again; one that was pointed at comes with its tool."""
    kept = drawing.proposals.kept
    if number < len(kept):
        wanted = kept[number]
        drawing.proposals.lead_back(wanted)
        if wanted.source == SOURCE and drawing.choices.tool != TOOL:
            drawing.tools.set_tool(TOOL)


def _forget(drawing: Drawing, number: int) -> None:
    kept = drawing.proposals.kept
    if number < len(kept):
        drawing.proposals.forget(kept[number])
