"""Widgets that are painted often get a window of their own, so that nothing else is painted again.

A main window that holds an OpenGL canvas, as napari's does, is put together anew by OpenGL with
every repaint of any widget in it: 10 to 30 ms without a graphics card, for a slice that takes 2.
A child with a window of its own is not part of that. What floats over such a child needs one too.
"""

from qtpy.QtCore import QEvent, QObject, QPoint, QRectF, Qt
from qtpy.QtGui import QColor, QGuiApplication, QPainter, QPainterPath, QRegion
from qtpy.QtWidgets import QWidget

__all__ = ["float_over", "give_own_window", "move_along"]

PLATFORM = "xcb"  # X11: elsewhere windows within windows are no help or do harm


def give_own_window(widget: QWidget) -> bool:
    """Paint the widget apart from the window it lies in; False where that is not done here.

    The widget has to paint all of itself, or has a property `ground`: the colour under it.
    """
    if QGuiApplication.platformName() != PLATFORM:
        return False
    # Else all beside it get one too, and every repaint of one is put together from all of them.
    QGuiApplication.setAttribute(Qt.ApplicationAttribute.AA_DontCreateNativeWidgetSiblings)
    widget.setAttribute(Qt.WidgetAttribute.WA_DontCreateNativeAncestors)
    widget.setAttribute(Qt.WidgetAttribute.WA_NativeWindow)
    _Opaque(widget)
    return True


def float_over(widget: QWidget, radius: float = 8.0) -> None:
    """Let a widget be seen over others that have windows of their own, with its round corners."""
    if give_own_window(widget):
        _Rounder(widget, radius)


def move_along(widget: QWidget, parent: QWidget) -> None:
    """Keep such a widget in its place when its parent moves: Qt may leave its window behind."""
    if widget.windowHandle() is not None:
        _Follower(widget, parent)


class _Follower(QObject):
    def __init__(self, widget: QWidget, parent: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        parent.installEventFilter(self)
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's
        """Put the window where the widget is."""
        if event.type() in {QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show}:
            own, above = self._widget.windowHandle(), self._widget.nativeParentWidget()
            if own is not None and above is not None:
                own.setPosition(self._widget.mapTo(above, QPoint(0, 0)))
        return False


class _Rounder(QObject):
    """Such a window has no see-through pixels: it is cut instead."""

    def __init__(self, widget: QWidget, radius: float) -> None:
        super().__init__(widget)
        self._widget, self._radius = widget, radius
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's
        """Cut it anew when its size changes."""
        if event.type() == QEvent.Type.Resize:
            path = QPainterPath()
            path.addRoundedRect(QRectF(self._widget.rect()), self._radius, self._radius)
            self._widget.setMask(QRegion(path.toFillPolygon().toPolygon()))
        return False


class _Opaque(QObject):
    """A style sheet takes a widget for see-through, and all that lies under it is painted too."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        widget.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's
        """Say again that it is not."""
        if event.type() == QEvent.Type.Paint and self._widget.property("ground"):
            painter = QPainter(self._widget)
            painter.fillRect(event.rect(), QColor(str(self._widget.property("ground"))))
            painter.end()
        if event.type() not in {QEvent.Type.StyleChange, QEvent.Type.Polish}:
            return False
        self._widget.event(event)  # first: only here does the style say so
        self._widget.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        return True
