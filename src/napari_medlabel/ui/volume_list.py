"""The volumes of a series to choose from: echoes, times, b-values, runs."""

from collections.abc import Sequence

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QResizeEvent, QWheelEvent
from qtpy.QtWidgets import QComboBox

from napari_medlabel.ui import theme
from napari_medlabel.ui.state import VolumeRow
from napari_medlabel.ui.theme import Tokens
from napari_medlabel.ui.widgets import IconLabel

__all__ = ["VolumeList"]

SHOWN = 14
CHEVRON = 12


class VolumeList(QComboBox):
    """One of several volumes; those that cannot be opened say why not.

    `chosen` has the `VolumeRow` that a person chose.
    """

    chosen = Signal(object)

    def __init__(self, volumes: Sequence[VolumeRow], first: VolumeRow) -> None:
        super().__init__()
        self._volumes = tuple(volumes)
        self.setAccessibleName("Volume")
        self.setToolTip("Which of its volumes to open")
        self.setMaxVisibleItems(SHOWN)
        self.setMinimumContentsLength(16)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        for n, volume in enumerate(self._volumes):
            self.addItem(volume.name if volume.usable else f"{volume.name}, cannot be opened")
            why = volume.why_not or volume.line
            self.setItemData(n, why, Qt.ItemDataRole.ToolTipRole)
            self.setItemData(n, why, Qt.ItemDataRole.AccessibleDescriptionRole)
        self.setCurrentIndex(self._volumes.index(first))
        self._chevron = IconLabel("down", "text2", CHEVRON)
        self._chevron.setParent(self)
        self._chevron.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.activated.connect(lambda n: self.chosen.emit(self._volumes[n]))

    def set_tokens(self, tokens: Tokens) -> None:
        """Mark what cannot be opened, in the theme's colours."""
        sign = theme.icon("error", tokens.error, size=14)
        for n, volume in enumerate(self._volumes):
            if not volume.usable:
                self.setItemIcon(n, sign)

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's
        """With room for the sign that it unfolds."""
        return QSize(super().sizeHint().width() + 2 * CHEVRON, super().sizeHint().height())

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802  # Qt's
        """The wheel moves the table, and chooses nothing by the way."""
        event.ignore()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Keep the sign that it unfolds at its right."""
        super().resizeEvent(event)
        top = (self.height() - CHEVRON) // 2
        self._chevron.move(self.width() - CHEVRON - 8, top)
