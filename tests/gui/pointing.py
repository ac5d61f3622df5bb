"""A hand with a mouse over one view of a window under test."""

from dataclasses import dataclass

from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_medlabel.ui.planes.plane_view import PlaneView
from tests.gui.real_window import Kji, Window

__all__ = ["CTRL", "Mouse"]

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier
CTRL = Qt.KeyboardModifier.ControlModifier


@dataclass
class Mouse:
    """Real events at voxels of a plane: 0 axial, 1 coronal, 2 sagittal."""

    window: Window
    plane: int = 0

    @property
    def view(self) -> PlaneView:
        return self.window.drawing.looking.room.planes[self.plane]

    def at(self, kji: Kji) -> QPoint:
        return self.view.point(kji).toPoint()

    def move(self, *places: Kji) -> None:
        for place in places:
            QTest.mouseMove(self.view, self.at(place))
            QApplication.processEvents()

    def click(self, *places: Kji, keys: Qt.KeyboardModifier = NONE) -> None:
        for place in places:
            self.move(place)
            QTest.mouseClick(self.view, LEFT, keys, self.at(place))
            self.window.rest(0.02)

    def double_click(self, place: Kji) -> None:
        self.click(place)
        QTest.mouseDClick(self.view, LEFT, NONE, self.at(place))
        self.window.rest(0.02)

    def drag(self, *places: Kji, keys: Qt.KeyboardModifier = NONE) -> None:
        self.move(places[0])
        QTest.mousePress(self.view, LEFT, keys, self.at(places[0]))
        self.move(*places[1:])
        QTest.mouseRelease(self.view, LEFT, keys, self.at(places[-1]))
        self.window.rest(0.02)

    def wheel(self, kji: Kji, notches: int) -> None:
        point = self.at(kji)
        place = QPointF(point)
        QApplication.sendEvent(self.view, QWheelEvent(
            place, QPointF(self.view.mapToGlobal(point)), QPoint(), QPoint(0, 120 * notches),
            Qt.MouseButton.NoButton, NONE, Qt.ScrollPhase.NoScrollPhase, False,  # noqa: FBT003  # Qt takes no name
        ))  # fmt: skip
        self.window.rest(0.02)
