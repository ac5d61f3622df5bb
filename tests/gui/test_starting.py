"""Starting from a known part of the body, in a real window."""

import os
from pathlib import Path

import numpy as np
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.phantom import Body, write_ct_series
from napari_medlabel.ui.sight import Proposal
from tests.gui.real_window import Window, wait_until

TORSO = Geometry.from_spacing((30, 64, 68), (8.0, 6.0, 6.0), (-204.0, -190.0, 40.0))


def _made(window: Window, action: str) -> None:
    """Ask for an action as a search for it does, and wait until it came to something."""
    window.panel._keys.window.run(action)
    proposals = window.drawing.proposals
    wait_until(lambda: not proposals.making, f"{action} to be made")
    window.rest()


def test_a_part_is_previewed_accepted_and_undone_and_what_is_not_there_leaves_nothing(
    window: Window, tmp_path: Path
) -> None:
    write_ct_series(tmp_path / "study", Body().ct(TORSO), TORSO)
    truth = Body().labels(TORSO)[0] == 4
    window.open_study(tmp_path / "study")
    drawing = window.drawing
    seg = drawing.case.segmentation
    button = window.panel.annotate.start
    menu = button.menu()
    lungs = next(action for action in menu.actions() if action.text() == "Lungs")
    menu.popup(button.mapToGlobal(QPoint(0, 24)))
    place = menu.actionGeometry(lungs).center()
    QTest.mouseClick(menu, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    wait_until(lambda: isinstance(drawing.proposals.open, Proposal), "a preview of the lungs")
    assert not seg.labels.any()
    assert [one.name for one in seg.schema] == ["Lungs"]
    window.rest(0.5)
    if shot := os.environ.get("MEDLABEL_SHOT"):
        window.frame.grab().save(shot)
    window.press("Return")
    got = seg.labels == 1
    assert 2 * (got & truth).sum() / (got.sum() + truth.sum()) > 0.95
    step = seg.step(seg.history[-1])
    assert (step.tool, step.settings["what"]) == ("Start from", "lungs")
    window.press("Ctrl+Z")
    assert not seg.labels.any()
    window.press("Ctrl+Y")
    np.testing.assert_array_equal(seg.labels == 1, got)
    errors: list[str] = []
    drawing.failed.connect(lambda error: errors.append(str(error)))
    _made(window, "start-brain")
    wait_until(lambda: errors, "the reason")
    assert errors[0].startswith("brain not found")
    wait_until(lambda: len(seg.schema) == 1, "the empty segment to go")
    _made(window, "start-body")
    assert drawing.proposals.open is not None
    window.press("Esc")
    assert drawing.proposals.open is None
    np.testing.assert_array_equal(seg.labels > 0, got)
    QApplication.processEvents()
