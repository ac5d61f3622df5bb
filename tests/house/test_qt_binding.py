"""The Qt binding gives back what it takes.

PySide6 6.12.0 gives up a reference to None at every event, until Python 3.11 ends the process with
"deallocating None". Later Pythons never count them.
"""

import sys

import pytest
from pytestqt.qtbot import QtBot

pytestmark = pytest.mark.gui


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal from Python 3.12 on")
def test_events_cost_no_reference_to_none(qtbot: QtBot) -> None:
    from qtpy.QtWidgets import QLabel  # noqa: PLC0415  # not where windows are skipped

    label = QLabel()
    qtbot.addWidget(label)
    label.show()
    qtbot.waitExposed(label)
    before = sys.getrefcount(None)
    for number in range(500):
        label.setText(str(number))
        label.repaint()
    lost = before - sys.getrefcount(None)
    assert lost < 100
