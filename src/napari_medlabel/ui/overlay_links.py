"""What a person does in the section "Second image", done to the open case."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from qtpy.QtWidgets import QFileDialog

from napari_medlabel.ui.desk import Desk
from napari_medlabel.ui.overlay_box import OverlayBox

__all__ = ["link_overlay"]

Ask = Callable[[QFileDialog.FileMode, str, Callable[[Path], None]], None]


def link_overlay(box: OverlayBox, desk: Desk, ask: Ask) -> None:
    """Connect the section to whatever case is open; `ask` shows a dialog for a folder or file."""
    act = desk.act_on
    act(box.taken, lambda drawing, number: drawing.second.take(number))
    act(box.quantity_chosen, lambda drawing, name: drawing.second.take_quantity(name))
    act(box.shown_changed, lambda drawing, on: drawing.second.set_shown(on=on))
    act(box.opacity_changed, lambda drawing, opacity: drawing.second.set_opacity(opacity))
    act(box.colormap_chosen, lambda drawing, name: drawing.second.set_colormap(name))
    act(box.range_changed, lambda drawing, *limits: drawing.second.set_limits(*limits))
    act(box.remove_wanted, lambda drawing: drawing.second.remove())
    act(box.cancel_wanted, lambda drawing: drawing.second.cancel())
    look_in = partial(_look_in, desk)
    modes = QFileDialog.FileMode
    box.folder_wanted.connect(partial(ask, modes.Directory, "Second image", look_in))
    box.file_wanted.connect(partial(ask, modes.ExistingFile, "Second image", look_in))


def _look_in(desk: Desk, place: Path) -> None:
    if desk.drawing is not None:
        desk.drawing.second.look_in(place)
