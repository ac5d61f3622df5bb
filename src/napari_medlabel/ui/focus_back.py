"""Whose the focus was before something floated over the window, to give it back after.

Left to itself Qt moves the focus of what is hidden to the next field: the next key would be typed.
"""

from qtpy.QtWidgets import QWidget

__all__ = ["FocusBack"]


class FocusBack:
    """Remembers the focus of a window.

    Parameters
    ----------
    frame
        The window.
    """

    def __init__(self, frame: QWidget) -> None:
        self._frame = frame
        self._had: QWidget | None = None

    def remember(self) -> None:
        """Note who has the focus now."""
        self._had = self._frame.focusWidget()

    def give_back(self) -> None:
        """Give it back; to the window itself, where that widget is gone or hidden."""
        had, self._had = self._had, None
        try:
            there = had is not None and had.isVisible() and had.isEnabled()
        except RuntimeError:  # Qt has deleted it
            there = False
        if there and had is not None:
            had.setFocus()
        else:
            self._frame.setFocus()
