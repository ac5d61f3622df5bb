"""Widgets that are painted often get a window of their own, so that nothing else is painted again.

A main window that holds an OpenGL canvas, as napari's does, is put together anew by OpenGL with
every repaint of any widget in it: 10 to 30 ms without a graphics card, for a slice that takes 2.
A child with a window of its own is not part of that. What floats over such a child needs one too.
"""

from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QWidget

__all__ = ["give_own_window"]

PLATFORM = "xcb"  # X11: elsewhere windows within windows are no help or do harm


def give_own_window(widget: QWidget) -> bool:
    """Paint the widget apart from the window it lies in; False where that is not done here."""
    if QGuiApplication.platformName() != PLATFORM:
        return False
    widget.setAttribute(Qt.WidgetAttribute.WA_DontCreateNativeAncestors)
    widget.setAttribute(Qt.WidgetAttribute.WA_NativeWindow)
    return True
