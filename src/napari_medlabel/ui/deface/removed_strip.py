"""The strip under the Deface tab's views: how many voxels go in each slice, and where one is."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPixmap
from qtpy.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from napari_medlabel.ui.deface.face_sight import RED
from napari_medlabel.ui.fixed_text import FixedText
from napari_medlabel.ui.strip_layout import Picture
from napari_medlabel.ui.strip_painter import Measures, draw_numbers
from napari_medlabel.ui.strip_plot import StripPlot
from napari_medlabel.ui.strip_state import StripState
from napari_medlabel.ui.swatch import Swatch
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.widgets import column, row

__all__ = ["RemovedPlot", "RemovedStrip", "heights"]

FADED: Final = 0.8  # of the colour, on the ground


def heights(counts: Sequence[int], columns: int, each: int) -> tuple[float, ...]:
    """The share of the fullest slice that each column has: the most of its slices."""
    most = max(counts, default=0)
    if not most:
        return (0.0,) * columns
    return tuple(max(counts[n * each : (n + 1) * each], default=0) / most for n in range(columns))


class RemovedPlot(StripPlot):
    """Columns as high as there are voxels that go; all else is the strip's."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: tuple[int, ...] = ()

    def set_counts(self, counts: Sequence[int], state: StripState) -> None:
        """Show so many voxels in each slice."""
        new = tuple(int(n) for n in counts)
        if new != self._counts:
            self._counts = new
            self._pixmap = None
            self.update()
        self.set_state(state)

    def _show(self, new: Picture) -> None:
        self._picture, self._pixmap = new, None
        self.update()

    def _whole(self) -> QPixmap:
        measures, columns = self._measures, self._picture.columns
        density = self.devicePixelRatioF()
        made = QPixmap(self.size() * density)
        made.setDevicePixelRatio(density)
        made.fill(QColor(measures.tokens.bg))
        painter = self._on(made)
        low, high = measures.tokens.px(6), measures.bottom
        painter.fillRect(0, low, columns.width, high - low, QColor(measures.ground))
        self._draw_bars(painter, low, high)
        draw_numbers(painter, measures, columns, self._number)
        painter.end()
        return made

    def _draw_bars(self, painter: QPainter, low: int, high: int) -> None:
        columns, color = self._picture.columns, QColor(RED)
        color.setAlphaF(FADED)
        gap = 1 if columns.width >= 4 * len(columns) else 0
        for n, share in enumerate(heights(self._counts, len(columns), columns.each)):
            if share:
                left, right = columns.left(n), columns.left(n + 1)
                tall = max(round(share * (high - low - 2)), 1)
                painter.fillRect(left, high - tall, max(right - left - gap, 1), tall, color)


class RemovedStrip(QWidget):
    """The strip with its name; `slice_chosen` and `stepped` as the slice strip's."""

    slice_chosen = Signal(int)
    stepped = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("medlabel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Voxels that go, by slice")
        self.plot = RemovedPlot()
        self.plot.slice_chosen.connect(self.slice_chosen)
        self.plot.stepped.connect(self.stepped)
        swatch = Swatch()
        swatch.set_color(RED)
        name = FixedText("Removed  ", strong=True)
        name.set_words("Removed")
        self._caption = FixedText("Slices, F to H  ", tone="text3", size=11.5)
        names = column(row(swatch, name, gap=6), self._caption, None, gap=2, margins=(0, 9, 0, 0))
        names.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 0, 6, 0)
        layout.setSpacing(0)
        layout.addWidget(names)
        layout.addWidget(self.plot, 1)
        self.set_tokens(DARK)

    def set_state(self, state: StripState, counts: Sequence[int]) -> None:
        """Show slices along an axis and how many voxels go in each."""
        self._caption.set_words(state.caption if state.count else "")
        self.plot.set_counts(counts, replace(state, lanes=(), active=0, marks=()))

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's sizes."""
        self.setFixedHeight(Measures.of(tokens).height)
