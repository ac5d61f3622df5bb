"""Whether the Qt binding below the window can be trusted with an afternoon's work."""

import sys

from qtpy.QtCore import QObject

from napari_medlabel.ui.state import ErrorCard

__all__ = ["binding_problem"]

CALLS = 400


def binding_problem() -> ErrorCard | None:
    """What is wrong with the binding, or None.

    PySide6 6.12.0 gives away a reference to None with each call that returns nothing. Below
    Python 3.12, where None is counted, the process is ended once they are used up: after minutes
    of drawing. Measured rather than looked up, so that a repaired version is not complained of.
    """
    thing = QObject()
    before = sys.getrefcount(None)
    for _call in range(CALLS):
        thing.parent()
    lost = before - sys.getrefcount(None)
    if lost < CALLS // 2:
        return None
    return ErrorCard(
        "This version of PySide6 ends the program after a while.",
        'Work is saved stroke by stroke. Install another: pip install "pyside6-essentials<6.12"',
        f"the Qt binding lost {lost} references to None in {CALLS} calls; Python {sys.version}",
    )
