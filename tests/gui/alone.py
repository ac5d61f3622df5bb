"""A widget by itself on the screen, dressed as in the window, and a hand for it."""

from collections.abc import Iterator
from contextlib import contextmanager

from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QKeySequence, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QVBoxLayout, QWidget

from napari_medlabel.ui import theme, widgets
from napari_medlabel.ui.theme import DARK, Tokens

__all__ = ["drag", "press", "settle", "shown", "wheel"]

NONE = Qt.KeyboardModifier.NoModifier


@contextmanager
def shown(widget: QWidget, width: int = 280, tokens: Tokens = DARK) -> Iterator[QWidget]:
    """The widget in a dock's column; yields what is around it."""
    root = QWidget()
    root.setObjectName("medlabel")
    root.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    layout = QVBoxLayout(root)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(widget)
    layout.addStretch(1)
    root.setStyleSheet(theme.style_sheet(tokens))
    widgets.dress(root, tokens)
    root.resize(width, 600)
    root.show()
    root.activateWindow()
    QTest.qWaitForWindowExposed(root)
    settle()
    try:
        yield root
    finally:
        root.close()
        root.deleteLater()
        settle()


def settle() -> None:
    for _ in range(5):
        QApplication.processEvents()


def drag(widget: QWidget, *places: QPoint) -> None:
    """Press at the first place, move through the others, let go."""
    QTest.mousePress(widget, Qt.MouseButton.LeftButton, NONE, places[0])
    for place in places[1:]:
        QTest.mouseMove(widget, place)
        QApplication.processEvents()
    QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, NONE, places[-1])
    settle()


def press(widget: QWidget, key: str) -> None:
    """A key with its modifiers: "Shift+Return"."""
    combined = QKeySequence(key)[0]
    QTest.keyClick(widget, combined.key(), combined.keyboardModifiers())
    settle()


def wheel(widget: QWidget, place: QPoint, steps: int, held: Qt.KeyboardModifier = NONE) -> None:
    """Turn the wheel over a place; away from the hand is up."""
    event = QWheelEvent(
        QPointF(place), QPointF(widget.mapToGlobal(place)), QPoint(), QPoint(0, 120 * steps),
        Qt.MouseButton.NoButton, held, Qt.ScrollPhase.NoScrollPhase, False,  # noqa: FBT003  # Qt's
    )  # fmt: skip
    QApplication.sendEvent(widget, event)
    settle()
