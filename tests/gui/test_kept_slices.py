"""A view keeps slices that it has painted, and never paints one that has changed since."""

from pathlib import Path

import numpy as np
import pytest

from napari_medlabel import commands
from napari_medlabel.core.edit import Edit
from tests.gui.real_window import Window

pytestmark = pytest.mark.gui


def test_a_slice_that_was_left_and_come_back_to_unseen_is_read_anew(
    window: Window, study: Path
) -> None:
    window.open_study(study)
    drawing, place = window.drawing, (3, 30, 25)
    value = drawing.add_segment()
    labels = drawing.case.segmentation.labels
    wanted = np.zeros(labels.shape, bool)
    wanted[3, 20:40, 15:35] = True
    drawing.sight.move_to(place)
    plain = window.color_at(place)
    edit = Edit.fill(labels, (0, 0, 0), wanted, value)
    commands.paint(drawing.session, drawing.case, edit, tool="Paint")
    assert window.color_at(place) != plain
    drawing.sight.move_along(0, 9)  # no repaint before
    drawing.undo()  # which goes back to the slice
    assert drawing.sight.position[0] == 3
    assert window.color_at(place) == plain
