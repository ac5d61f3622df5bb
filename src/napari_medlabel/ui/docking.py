"""Where the dock stands: at the left, napari's layer docks behind it as tabs at the bottom."""

from dataclasses import asdict

from napari import Viewer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow, QTabBar, QTabWidget, QWidget

from napari_medlabel.ui._napari_compat import is_gone, main_window, napari_docks
from napari_medlabel.ui.theme import Tokens

__all__ = ["dock_left", "set_dock_style", "tab_sheet"]

LEAST, WIDTH, MOST = 280, 304, 420
PILLS = """
QTabBar { background: %(bg)s; border: none; }
QTabBar::tab { background: transparent; color: %(text2)s; border: none; border-radius: 4px;
  margin: 2px 0 2px %(gap)dpx; padding: 0 %(pad)dpx; height: %(high)dpx; }
QTabBar::tab:hover { color: %(text1)s; background: %(hover)s; }
QTabBar::tab:selected { color: %(text1)s; background: %(bg2)s; }
"""
TABS = """
QTabBar { background: %(bg)s; border: none; }
QTabBar::tab { background: transparent; color: %(text2)s; border: none; margin: 0;
  border-%(side)s: 2px solid transparent; padding: 0 %(pad)dpx; height: %(high)dpx; }
QTabBar::tab:hover { color: %(text1)s; background: %(hover)s; }
QTabBar::tab:selected { color: %(text1)s; background: %(bg1)s;
  border-%(side)s: 2px solid %(accent_text)s; }
"""


def dock_left(viewer: Viewer, panel: QWidget, tokens: Tokens) -> None:
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
    set_dock_style(viewer, panel, tokens)
    window.resizeDocks([dock], [tokens.px(WIDTH)], Qt.Orientation.Horizontal)
    dock.show()
    dock.raise_()


def set_dock_style(viewer: Viewer, panel: QWidget, tokens: Tokens) -> None:
    """Let the dock's widths follow the font, and its tabs below look as all tabs of ours."""
    panel.setMinimumWidth(tokens.px(LEAST))
    dock = _dock_of(panel)
    if dock is None or is_gone(viewer):
        return
    dock.setMaximumWidth(tokens.px(MOST))
    for tabs in _dock_tabs(main_window(viewer), dock):
        tabs.setDrawBase(False)
        tabs.setStyleSheet(PILLS % {
            **asdict(tokens), "gap": tokens.px(6), "pad": tokens.px(9), "high": tokens.px(22)
        })  # fmt: skip


def tab_sheet(tokens: Tokens, side: str, height: int = 26) -> str:
    """The sheet of a tab bar; the chosen tab has a line at its `side`, "top" or "bottom"."""
    return TABS % {**asdict(tokens), "side": side, "pad": tokens.px(10), "high": tokens.px(height)}


def _dock_tabs(window: QMainWindow, dock: QDockWidget) -> list[QTabBar]:
    """Qt's own tab bars of the docks that stand where this one does: it names them nowhere."""
    own = QTabBar, Qt.FindChildOption.FindDirectChildrenOnly
    return [
        tabs for tabs in window.findChildren(own[0], "", own[1])
        if any(tabs.tabText(n) == dock.windowTitle() for n in range(tabs.count()))
    ]  # fmt: skip


def _dock_of(panel: QWidget) -> QDockWidget | None:
    widget = panel.parentWidget()
    while widget is not None and not isinstance(widget, QDockWidget):
        widget = widget.parentWidget()
    return widget
