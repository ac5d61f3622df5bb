"""The linked views over napari's canvas: one large and three beside it, four alike, or one."""

from collections.abc import Sequence

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent
from qtpy.QtWidgets import QTabBar, QVBoxLayout, QWidget

from napari_medlabel.ui.planes.plane_view import Hand, PlaneView
from napari_medlabel.ui.planes.tiling import LEAST_PX, Split, Tiling
from napari_medlabel.ui.sight import Sight
from napari_medlabel.ui.views import PLANES

__all__ = ["Room"]

SOLID = 3  # the number of the view with surfaces
LEAST_WIDE, LEAST_NARROW = 320, 240  # px of the column at the right
COLUMN = 0.32  # of the width
ACROSS, DOWN = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
NARROW_PX = 1100  # of all views: below, the column shows one of its views, with tabs


class Room(QWidget):
    """Holds the views of an open case and lays them out as its sight says.

    Parameters
    ----------
    area
        What it covers: what holds napari's canvas and sliders.
    sight, hand
        Where one looks, and who acts there.
    solid
        The view with surfaces.
    """

    def __init__(self, area: QWidget, sight: Sight, hand: Hand, solid: QWidget) -> None:
        super().__init__(area)
        self.setObjectName("medlabel_room")
        self._ground = QColor()
        self._sight = sight
        self.planes = tuple(PlaneView(number, sight, hand) for number in range(len(PLANES)))
        self.views: tuple[QWidget, ...] = (*self.planes, solid)
        self._above, self._pages, self._below = QVBoxLayout(), QVBoxLayout(), QVBoxLayout()
        self._page: QWidget | None = None
        self._tiling = Tiling(self)
        self._tiling.hold(self.views)  # else one that is never shown would outlive the case
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self._above)
        layout.addWidget(self._tiling, 1)
        layout.addLayout(self._pages)
        layout.addLayout(self._below)
        self._tabs: QTabBar | None = None
        self._tabs_style = ""
        self._laid: tuple[object, ...] = ()
        self._dragged: dict[tuple[object, ...], Split] = {}  # layouts as a person left them
        sight.look_changed.connect(self.lay_out)
        area.installEventFilter(self)
        self.cover()
        self.lay_out()

    def add_above(self, widget: QWidget) -> None:
        """A bar over the views."""
        self._above.addWidget(widget)

    def add_below(self, widget: QWidget) -> None:
        """A strip under them."""
        self._below.addWidget(widget)
        if self._page is not None:
            widget.hide()

    @property
    def large(self) -> QWidget:
        """The large view."""
        return self.views[self._sight.look.large]

    @property
    def views_area(self) -> QWidget:
        """What the views lie in, without bars."""
        return self._tiling

    def set_page(self, page: QWidget | None) -> None:
        """Show a page in the place of all views and what is under them; None shows these again."""
        old, self._page = self._page, page
        if old is page:
            return
        if old is not None:
            old.hide()
        if page is not None:
            self._pages.addWidget(page, 1)
        self._tiling.setVisible(page is None)
        for n in range(self._below.count()):
            self._below.itemAt(n).widget().setVisible(page is None)
        if page is not None:
            page.show()

    @property
    def page(self) -> QWidget | None:
        """What is shown in the place of the views."""
        return self._page

    def shown(self) -> tuple[QWidget, ...]:
        """The views that are to be seen."""
        return tuple(view for view in self.views if view.isVisibleTo(self))

    def lay_out(self) -> None:
        """Put the views where the layout has them."""
        look = self._sight.look
        if look.layout == "napari":
            return  # which covers them, and gives them back as they were
        narrow = self.width() < NARROW_PX
        wanted = (look.layout, look.large, narrow)
        if wanted == self._laid:
            return
        self._laid = wanted
        if self._tabs is not None:
            self._tabs.hide()
            self._tiling.let_go(self._tabs)
            self._tabs.deleteLater()
            self._tabs = None
        others = [view for n, view in enumerate(self.views) if n != look.large]
        if look.layout == "1+3" and narrow:
            self._tabs = self._made_tabs(others)
            self._show_beside(others[0])
        else:
            if wanted not in self._dragged:
                self._dragged[wanted] = self._split(look.layout, others)
            self._tiling.arrange(self._dragged[wanted])

    def _split(self, layout: str, others: Sequence[QWidget]) -> Split:
        if layout == "single":
            return Split(ACROSS, [self.large])
        if layout == "2x2":
            one, two, three, four = self.views
            return Split(DOWN, [Split(ACROSS, [one, two]), Split(ACROSS, [three, four])])
        return self._beside(Split(DOWN, others), LEAST_WIDE)

    def _beside(self, column: Split, least: int) -> Split:
        shares = [1.0 - COLUMN, COLUMN]
        return Split(ACROSS, [self.large, column], shares, [LEAST_PX, least])

    def _made_tabs(self, others: Sequence[QWidget]) -> QTabBar:
        """Tabs that choose one of three views."""
        tabs = QTabBar(self._tiling)
        tabs.setStyleSheet(self._tabs_style)
        tabs.setExpanding(True)
        tabs.setDrawBase(False)
        tabs.setUsesScrollButtons(False)
        tabs.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        names = [*(plane.name for plane in PLANES), "3D"]
        for view in others:
            tabs.addTab(names[self.views.index(view)])
        tabs.setFixedHeight(tabs.sizeHint().height())
        tabs.currentChanged.connect(lambda number: self._show_beside(others[number]))
        return tabs

    def _show_beside(self, view: QWidget) -> None:
        """One view beside the large one, under the tabs."""
        if self._tabs is not None:
            self._tiling.arrange(self._beside(Split(DOWN, [self._tabs, view]), LEAST_NARROW))

    def set_look(self, ground: str, gaps: str, tabs: str) -> None:
        """Take colours, and the style sheet of the tabs that choose one of the small views."""
        self._ground, self._tiling.ground = QColor(ground), QColor(gaps)
        self.update()
        self._tiling.update()
        self._tabs_style = tabs
        if self._tabs is not None:
            self._tabs.setStyleSheet(tabs)
            self._tabs.setFixedHeight(self._tabs.sizeHint().height())
            self._tiling.place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's
        """Stay as large as what it covers."""
        if event.type() in {QEvent.Type.Resize, QEvent.Type.LayoutRequest}:
            self.cover()
        return bool(super().eventFilter(watched, event))

    def resizeEvent(self, event: object) -> None:  # noqa: N802
        """A narrow window shows fewer views at once."""
        super().resizeEvent(event)
        self.lay_out()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """The ground; by hand, since a style sheet here would be worked out for all in it."""
        QPainter(self).fillRect(event.rect(), self._ground)

    def cover(self) -> None:
        """Lie over napari's canvas, or under it where that is shown."""
        area = self.parentWidget()
        if area is None:
            return
        whole = area.rect()
        if self._sight.look.layout == "napari":
            whole.setTop(whole.bottom() - self.sizeHint().height() + 1)
        if self.geometry() != whole:
            self.setGeometry(whole)
