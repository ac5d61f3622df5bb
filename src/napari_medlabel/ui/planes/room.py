"""The linked views over napari's canvas: one large and three beside it, four alike, or one."""

from collections.abc import Sequence

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QHBoxLayout, QSplitter, QSplitterHandle, QTabBar, QVBoxLayout, QWidget

from napari_medlabel.ui.planes.plane_view import Hand, PlaneView
from napari_medlabel.ui.sight import Sight
from napari_medlabel.ui.views import PLANES

__all__ = ["Room"]

SOLID = 3  # the number of the view with surfaces
GAP_PX = 2
LEAST_WIDE = 320  # of the column at the right
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
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._sight = sight
        self.planes = tuple(PlaneView(number, sight, hand) for number in range(len(PLANES)))
        self.views: tuple[QWidget, ...] = (*self.planes, solid)
        self._above, self._below = QVBoxLayout(), QVBoxLayout()
        self._holder = QWidget()
        self._held = QHBoxLayout(self._holder)
        self._held.setContentsMargins(0, 0, 0, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self._above)
        layout.addWidget(self._holder, 1)
        layout.addLayout(self._below)
        self._frame: QWidget | None = None
        self._tabs: QTabBar | None = None
        self._tabs_style = ""
        self._laid: tuple[object, ...] = ()
        self._sizes: list[int] = []
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

    @property
    def large(self) -> QWidget:
        """The large view."""
        return self.views[self._sight.look.large]

    @property
    def views_area(self) -> QWidget:
        """What the views lie in, without bars."""
        return self._holder

    def shown(self) -> tuple[QWidget, ...]:
        """The views that are to be seen."""
        return tuple(view for view in self.views if view.isVisibleTo(self))

    def lay_out(self) -> None:
        """Put the views where the layout has them."""
        look = self._sight.look
        narrow = self.width() < NARROW_PX
        wanted = (look.layout, look.large, narrow)
        if wanted == self._laid:
            return
        self._laid = wanted
        for view in self.views:
            view.hide()
            view.setParent(self)  # not nobody's: it would lose its window, and its canvas all
        if self._frame is not None:
            self._held.removeWidget(self._frame)
            self._frame.deleteLater()
        self._tabs = None
        others = [view for n, view in enumerate(self.views) if n != look.large]
        if look.layout == "single":
            self._frame = _split(Qt.Orientation.Horizontal, [self.large])
        elif look.layout == "2x2":
            rows = [_split(Qt.Orientation.Horizontal, pair) for pair in (
                [self.views[0], self.views[1]], [self.views[2], self.views[3]]
            )]  # fmt: skip
            self._frame = _split(Qt.Orientation.Vertical, rows, [1, 1])
        else:
            column = self._one_of(others) if narrow else _split(Qt.Orientation.Vertical, others)
            column.setMinimumWidth(200)
            frame = _split(Qt.Orientation.Horizontal, [self.large, column])
            wide = max(self.width(), 600)
            right = max(LEAST_WIDE if not narrow else 240, round(wide * 0.32))
            frame.setSizes([wide - right, right])
            frame.setStretchFactor(0, 1)
            frame.setStretchFactor(1, 0)
            self._frame = frame
        self._held.addWidget(self._frame)
        self._frame.show()

    def _one_of(self, others: Sequence[QWidget]) -> QWidget:
        """One of three views, with tabs to change it."""
        box = QWidget()
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self._tabs = QTabBar()
        self._tabs.setStyleSheet(self._tabs_style)
        self._tabs.setExpanding(True)
        self._tabs.setDrawBase(False)
        self._tabs.setUsesScrollButtons(False)
        self._tabs.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        names = [*(plane.name for plane in PLANES), "3D"]
        for view in others:
            self._tabs.addTab(names[self.views.index(view)])
            layout.addWidget(view, 1)
        layout.insertWidget(0, self._tabs)

        def show(number: int) -> None:
            for n, view in enumerate(others):
                view.setVisible(n == number)

        self._tabs.currentChanged.connect(show)
        show(0)
        return box

    def set_tabs_style(self, sheet: str) -> None:
        """Take the look of the tabs that choose one of the small views."""
        self._tabs_style = sheet
        if self._tabs is not None:
            self._tabs.setStyleSheet(sheet)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's
        """Stay as large as what it covers."""
        if event.type() in {QEvent.Type.Resize, QEvent.Type.LayoutRequest}:
            self.cover()
        return bool(super().eventFilter(watched, event))

    def resizeEvent(self, event: object) -> None:  # noqa: N802
        """A narrow window shows fewer views at once."""
        super().resizeEvent(event)
        self.lay_out()

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


class _Handle(QSplitterHandle):
    """Between views, over none: Qt's own reaches over its neighbours, and all of it is painted."""

    def resizeEvent(self, _event: object) -> None:  # noqa: N802  # Qt's
        """Stay as narrow as the gap."""


class _Splitter(QSplitter):
    """Views side by side."""

    def createHandle(self) -> QSplitterHandle:  # noqa: N802  # Qt's
        """What is dragged between two views."""
        return _Handle(self.orientation(), self)


def _split(way: Qt.Orientation, parts: Sequence[QWidget], weights: Sequence[int] = ()) -> QSplitter:
    splitter = _Splitter(way)
    splitter.setHandleWidth(GAP_PX)
    splitter.setChildrenCollapsible(False)
    for n, part in enumerate(parts):
        splitter.addWidget(part)
        splitter.setStretchFactor(n, weights[n] if weights else 1)
        part.show()
    splitter.setSizes([1000] * len(parts))
    return splitter
