"""The page over the canvas while there is no image: start, search, series, the first slice."""

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.volume import Volume
from napari_medlabel.ui import presets
from napari_medlabel.ui.advice import Advice
from napari_medlabel.ui.first_slice import FirstSlice
from napari_medlabel.ui.series_page import SeriesPage
from napari_medlabel.ui.start_page import StartPage
from napari_medlabel.ui.widgets import BusyView, ErrorView, column

__all__ = ["Page"]


class Page(QWidget):
    """Covers the canvas while there is no image: start, search, series."""

    def __init__(self, area: QWidget, advice: Advice) -> None:
        super().__init__(area)
        self.setObjectName("medlabel")
        self.setProperty("place", "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.start, self.series = StartPage(), SeriesPage(advice)
        self.busy, self.error = BusyView(), ErrorView()
        self._pages = QStackedWidget()
        self._pages.addWidget(self.start)
        self._pages.addWidget(self.series)
        self.first = FirstSlice()
        self.first.setParent(self)
        self.first.hide()
        notes = column(self.busy, self.error, gap=8)
        notes.setMaximumWidth(560)
        above = QHBoxLayout()
        above.addStretch(1)
        above.addWidget(notes, 10)
        above.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 8)
        layout.addLayout(above)
        layout.addWidget(self._pages, 1)
        area.installEventFilter(self)
        self._cover()

    def show_first_slice(self, volume: Volume, filled: BoolArray) -> None:
        """Cover everything with the slice; gone with the page when the canvas shows it."""
        self.show()
        self.raise_()
        self.first.setGeometry(self.rect())
        self.first.show()
        self.first.raise_()
        windows = presets.presets(volume, filled)
        self.first.show_slice(volume, presets.first_window(windows, volume))

    def show_place(self, *, series: bool) -> None:
        """Show the series, or the start."""
        self.first.hide()
        self._pages.setCurrentWidget(self.series if series else self.start)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's
        """Stay as large as what it covers."""
        if event.type() in {QEvent.Type.Resize, QEvent.Type.LayoutRequest}:
            self._cover()
        return bool(super().eventFilter(watched, event))

    def _cover(self) -> None:
        self.setGeometry(self.parentWidget().rect())
        self.raise_()
