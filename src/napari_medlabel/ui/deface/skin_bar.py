"""The bar over the two heads: what comes in the place of the face, how deep, and Accept."""

from typing import Final

from qtpy.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QDoubleSpinBox, QFrame, QHBoxLayout, QSlider, QVBoxLayout, QWidget

from napari_medlabel.commands import FacePlan
from napari_medlabel.ui.shadow import Shadow
from napari_medlabel.ui.theme import Tokens
from napari_medlabel.ui.widgets import Choice, IconButton, button, text

__all__ = ["DEPTHS_MM", "MODES", "SkinBar"]

MODES: Final = ("blank", "blur", "noise")
_WORDS: Final = ("Blank", "Blur", "Noise")
_TIPS: Final = (
    "Air in the place of the face: the safest",
    "A smooth front of blurred flesh",
    "A smooth front of noise",
)
DEPTHS_MM: Final = (40, 90)
_BELOW: Final = 12  # px to the bottom of the heads


class SkinBar(QFrame):
    """Shows a plan; its signals say what a person chose.

    Parameters
    ----------
    parent
        What it floats over.
    """

    mode_chosen = Signal(str)
    depth_chosen = Signal(float)
    link_wanted = Signal(bool)
    reset_wanted = Signal()
    accept_wanted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("medlabel")
        self.setProperty("card", "float")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Removing the face")
        self.mode = Choice(_WORDS, _TIPS)
        self.mode.setAccessibleName("What comes in the place of the face")
        self.mode.chosen.connect(lambda n: self.mode_chosen.emit(MODES[n]))
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(*DEPTHS_MM)
        self.slider.setPageStep(5)
        self.slider.setAccessibleName("Depth")
        self.slider.setToolTip("How far behind the brow all in front of it goes")
        self.slider.valueChanged.connect(lambda mm: self.depth_chosen.emit(float(mm)))
        self.field = QDoubleSpinBox()
        self.field.setRange(*DEPTHS_MM)
        self.field.setDecimals(0)
        self.field.setSuffix(" mm")
        self.field.setKeyboardTracking(False)
        self.field.setAccessibleName("Depth in millimetres")
        self.field.setProperty("fit", "option")
        self.field.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.field.valueChanged.connect(self.depth_chosen)
        self.link = IconButton(
            "link", "Turn both heads together", self._linked, checkable=True, kind="tool", size=16
        )
        self.link.setChecked(True)
        self.reset = IconButton(
            "rotate", "Look from the front again", self.reset_wanted.emit, size=16
        )
        self.accept = button("Accept", self.accept_wanted.emit)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(10)
        for part in (
            self.mode, _upright(), text("Depth", tone="2"), self.slider, self.field, _upright(),
            self.link, self.reset, _upright(), self.accept,
        ):  # fmt: skip
            layout.addWidget(part)
        self._shadow = Shadow(self)
        parent.installEventFilter(self)

    def set_plan(self, plan: FacePlan, *, usable: bool, why_no_accept: str) -> None:
        """Show it; `usable` where there is a face that can be taken out."""
        self.mode.set_chosen(MODES.index(plan.mode))
        for part in (self.slider, self.field):
            with QSignalBlocker(part):
                part.setValue(round(plan.depth_mm))
        for part in (self.mode, self.slider, self.field):
            part.setEnabled(usable)
        self.accept.setEnabled(not why_no_accept)
        self.accept.setToolTip(
            why_no_accept or "Take the face out of this case's image, as it is seen here   Enter"
        )

    def _linked(self) -> None:
        self.link_wanted.emit(self.link.isChecked())

    def put(self) -> None:
        """Stand in the middle, at the bottom."""
        self.adjustSize()
        area = self.parentWidget().rect()
        left = (area.width() - self.width()) // 2
        self.move(max(left, 0), max(area.height() - self.height() - _BELOW, 0))
        self.raise_()

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's sizes."""
        self.slider.setFixedWidth(tokens.px(110))
        self.field.setFixedWidth(tokens.px(64))
        self.put()

    def eventFilter(self, _parent: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's
        """Stay there when the size changes."""
        if event.type() in {QEvent.Type.Resize, QEvent.Type.Show}:
            self.put()
        return False


def _upright() -> QWidget:
    holder, line = QWidget(), QFrame()
    line.setProperty("role", "line")
    line.setFixedSize(1, 20)
    layout = QVBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(line, 0, Qt.AlignmentFlag.AlignVCenter)
    return holder
