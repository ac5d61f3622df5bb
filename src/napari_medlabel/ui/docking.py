"""Where the dock stands: at the left, napari's layer docks behind it as tabs at the bottom."""

from napari import Viewer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QTabWidget, QWidget

from napari_medlabel.ui._napari_compat import is_gone, main_window, napari_docks

__all__ = ["dock_left"]

WIDTH = 304


def dock_left(viewer: Viewer, panel: QWidget) -> None:
    """Move the dock that holds the panel; once, so that a person may move it elsewhere."""
    dock = _dock_of(panel)
    if dock is None or is_gone(viewer) or dock.property("medlabel_stands"):
        return
    dock.setProperty("medlabel_stands", "yes")
    window, left = main_window(viewer), Qt.DockWidgetArea.LeftDockWidgetArea
    window.setTabPosition(left, QTabWidget.TabPosition.South)
    window.addDockWidget(left, dock)
    for other in napari_docks(viewer):
        if window.dockWidgetArea(other) == left:
            window.tabifyDockWidget(dock, other)
    dock.setTitleBarWidget(QWidget(dock))
    dock.setMaximumWidth(420)
    window.resizeDocks([dock], [WIDTH], Qt.Orientation.Horizontal)
    dock.show()
    dock.raise_()


def _dock_of(panel: QWidget) -> QDockWidget | None:
    widget = panel.parentWidget()
    while widget is not None and not isinstance(widget, QDockWidget):
        widget = widget.parentWidget()
    return widget
