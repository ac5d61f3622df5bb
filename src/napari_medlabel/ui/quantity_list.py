"""What the values of a volume are to be: a list, where its header allows more than one."""

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QWidget

from napari_medlabel.ui.option_rows import ListBox
from napari_medlabel.ui.quantity_words import quantity_tip, quantity_words
from napari_medlabel.ui.widgets import text

__all__ = ["QuantityList"]


class QuantityList(QWidget):
    """One of several quantities; hidden where values are only as they are stored.

    `chosen` has the name of what a person chose, "" for values as they are stored.
    """

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._names: tuple[str, ...] = ("",)
        self.list = ListBox("Values", "What the values of this volume are to be")
        self.list.setMinimumContentsLength(12)
        self.list.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.list.activated.connect(lambda n: self.chosen.emit(self._names[n]))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(text("Values", tone="2"))
        layout.addWidget(self.list)
        layout.addStretch(1)
        self.hide()

    def set_quantities(self, names: Sequence[str]) -> None:
        """Offer these beside the values as they are stored, which are chosen at first."""
        self._names = ("", *names)
        self.list.clear()
        for n, name in enumerate(self._names):
            self.list.addItem(quantity_words(name))
            for role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole):
                self.list.setItemData(n, quantity_tip(name), role)
        self.setVisible(bool(names))
