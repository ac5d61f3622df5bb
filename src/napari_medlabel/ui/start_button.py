"""The button "Start from": a menu of known parts of the body."""

from functools import partial

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QMenu, QToolButton

from napari_medlabel.core.automatic import PARTS
from napari_medlabel.ui.start_actions import PREFIX
from napari_medlabel.ui.widgets import IconButton

__all__ = ["StartButton"]


class StartButton(IconButton):
    """Unfolds the parts that a segment can start from; `wanted` has the action of one."""

    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__(
            "head", "Start from a known part of the body, found without AI", self._unfold,
            kind="list", words="Start from", size=16,
        )  # fmt: skip
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)

    def menu(self) -> QMenu:
        """The parts, each with what it is."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        for part in PARTS:
            made = menu.addAction(part.name, partial(self.wanted.emit, PREFIX + part.id))
            made.setToolTip(part.tip)
        return menu

    def _unfold(self) -> None:
        self.menu().popup(self.mapToGlobal(self.rect().bottomLeft()))
