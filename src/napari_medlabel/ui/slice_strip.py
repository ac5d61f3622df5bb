"""The slice strip under the views: where segments are, where gaps are, and where one is."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from napari_medlabel.ui.fixed_text import FixedText
from napari_medlabel.ui.strip_painter import Measures
from napari_medlabel.ui.strip_plot import StripPlot
from napari_medlabel.ui.strip_state import StripState, gaps
from napari_medlabel.ui.swatch import Swatch
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.widgets import IconButton, column, row

__all__ = ["SliceStrip"]


class SliceStrip(QWidget):
    """Shows a `StripState`; its signals say where a person wants to go.

    `slice_chosen` has a slice, from 0; `stepped` by how many slices; `gap_wanted` 1 for the next
    gap towards the last slice, -1 for the one before.
    """

    slice_chosen = Signal(int)
    stepped = Signal(int)
    gap_wanted = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("medlabel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Slices")
        self._state: StripState | None = None
        self.plot = StripPlot()
        self.plot.slice_chosen.connect(self.slice_chosen)
        self.plot.stepped.connect(self.stepped)
        self.plot.gap_wanted.connect(self.gap_wanted)
        self._swatch = Swatch()
        self._name = FixedText("Kidney, right", strong=True)
        self._caption = FixedText("Slices, F to H  ", tone="text3", size=11.5)
        self.before = self._seeker("back", "Previous gap", ",", -1)
        self.after = self._seeker("next", "Next gap", ".", 1)
        gap = FixedText("Gap", tone="text2")
        gap.set_words("Gap")
        title = row(self._swatch, self._name, gap=6)
        names = column(title, self._caption, None, gap=2, margins=(0, 9, 0, 0))
        names.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 0, 6, 0)
        layout.setSpacing(0)
        layout.addWidget(names)
        layout.addWidget(self.plot, 1)
        layout.addWidget(row(self.before, gap, self.after, gap=4))
        self.set_tokens(DARK)

    def set_state(self, new: StripState) -> None:
        """Touch only what differs."""
        old, self._state = self._state, new
        lane = new.active_lane
        if old is None or old.active_lane != lane:
            self._name.set_words(lane.name if lane else "")
            self._name.setToolTip(lane.name if lane else "")
            self._swatch.set_color(lane.color if lane else "")
            found = lane is not None and bool(gaps(lane.labelled))
            for seeker, words in ((self.before, "Previous gap   ,"), (self.after, "Next gap   .")):
                seeker.setEnabled(found)
                seeker.setToolTip(words if found else f"No gap in {lane.name}" if lane else "")
        self._caption.set_words(new.caption if new.count else "")
        self.plot.set_state(new)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's sizes."""
        self.setFixedHeight(Measures.of(tokens).height)

    def _seeker(self, icon: str, tip: str, key: str, step: int) -> IconButton:
        made = IconButton(icon, tip, lambda: self.gap_wanted.emit(step), key=key, size=16)
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return made
