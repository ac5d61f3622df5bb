"""The hand over the views: slices, zoom, pan, window, crosshair, and the tool it holds."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from qtpy.QtCore import QObject, QPointF, Qt, QTimer, Signal
from qtpy.QtGui import QMouseEvent, QPainter, QWheelEvent

from napari_medlabel.ui.planes.plane_view import Kji, PlaneView
from napari_medlabel.ui.steering import panning, wheel, windowing

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["CLICK_MS", "CLICK_PX", "PlaneHand", "PointerTool", "UnderWay"]

CLICK_PX = 3.0  # Ctrl held and moved further than this erases
CLICK_MS = 200
ERASING = frozenset({"paint", "erase", "smart_paint"})  # where Ctrl held erases
NO_KEYS = Qt.KeyboardModifier.NoModifier
CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier


class PointerTool(Protocol):
    """A tool that works with the pointer on a view."""

    cursor: Qt.CursorShape

    def press(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:
        """The left button went down on a place of the slice."""

    def drag(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:
        """It moved while down."""

    def release(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:
        """It came up."""

    def hover(self, view: PlaneView, at: Kji | None, keys: Qt.KeyboardModifier) -> None:
        """The pointer moved with no button down; None where it left."""

    def double_click(self, view: PlaneView, at: Kji) -> bool:
        """Twice at once; False where the tool has no use for it."""

    def cancel(self) -> bool:
        """Let what is under way go; False where nothing was."""

    def paint(self, view: PlaneView, painter: QPainter) -> None:
        """Draw what is under way."""


@runtime_checkable
class UnderWay(Protocol):
    """A tool that is used by several clicks, and answers keys in between."""

    @property
    def under_way(self) -> bool:
        """True where it waits for more."""

    def finish(self) -> bool:
        """Enter: this is all. False where nothing was under way."""

    def step_back(self) -> bool:
        """Backspace: take the last click back. False where nothing was under way."""


class PlaneHand(QObject):
    """Acts on what the mouse does in any of the views.

    `pointed` tells the voxel under the pointer, in fractions, or None where there is none.
    """

    pointed = Signal(object)

    def __init__(self, drawing: "Drawing") -> None:
        super().__init__(drawing)
        self._drawing = drawing
        self._doing: Callable[[PlaneView, QMouseEvent], None] | None = None
        self._tool: PointerTool | None = None
        self._right_at: QPointF | None = None  # the right button went down here
        self._waiting: tuple[PlaneView, QPointF] | None = None  # Ctrl went down here
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(CLICK_MS)
        self._patience.timeout.connect(self._erase_after_all)
        self.space_held = False
        self.over: PlaneView | None = None
        self.last: Kji | None = None  # the voxel under the pointer

    @property
    def busy(self) -> bool:
        """True while a button is down."""
        return self._doing is not None or self._waiting is not None

    @property
    def moves_annotation(self) -> bool:
        """True while a measurement or an annotation is dragged with no tool in hand."""
        return self._tool is not None and self._tool is self._drawing.annotations.grip

    # Events of the views

    def pressed(self, view: PlaneView, event: QMouseEvent) -> None:
        """Decide what the button means until it comes up."""
        self._drawing.looking.set_active(view.number)
        at, keys, button = event.position(), event.modifiers(), event.button()
        if self._doing is not None or self._waiting is not None:
            return
        if button == Qt.MouseButton.MiddleButton or (self.space_held and _is_left(event)):
            self._doing = panning(view, at)
        elif button == Qt.MouseButton.RightButton:
            self._doing, self._right_at = windowing(self._drawing, at), at
        elif not _is_left(event):
            return
        elif keys & SHIFT and not keys & CTRL:
            self._doing = self._cross
            self._cross(view, event)
        elif keys & CTRL and self._drawing.choices.tool in ERASING:
            self._waiting = (view, at)
            self._patience.start()
        else:
            self._press_tool(view, at, keys)

    def moved(self, view: PlaneView, event: QMouseEvent) -> None:
        """Go on with it, or show what would happen here."""
        at, keys = event.position(), event.modifiers()
        self.over = view
        self.last = view.kji(at) if view.holds(at) else None
        self.pointed.emit(self.last)
        if self._waiting is not None:
            if (at - self._waiting[1]).manhattanLength() > CLICK_PX:
                self._erase_after_all()
                if self._doing is not None:
                    self._doing(view, event)
            return
        if self._doing is not None:
            self._doing(view, event)
            return
        if keys & SHIFT and not keys & CTRL and not keys & ALT:
            self._drawing.sight.move_to(view.kji(at))
        tool = self._resting
        view.setCursor(tool.cursor)
        tool.hover(view, view.kji(at), keys)

    def released(self, view: PlaneView, event: QMouseEvent) -> None:
        """The end of it."""
        if self._waiting is not None:
            _view, at = self._waiting
            self._forget_waiting()
            self._drawing.pick_at(view.kji(at))
            return
        doing, self._doing = self._doing, None
        tool, self._tool = self._tool, None
        right, self._right_at = self._right_at, None
        if right is not None and (event.position() - right).manhattanLength() <= CLICK_PX:
            self._end_by_click()
        if doing is not None and tool is not None:
            tool.release(view, view.kji(event.position()), event.modifiers())

    def double_clicked(self, view: PlaneView, event: QMouseEvent) -> None:
        """To the tool, else the view becomes as large as it can and back."""
        if not _is_left(event):
            return
        if self._resting.double_click(view, view.kji(event.position())):
            return
        if self._drawing.tools.pointer is None:
            self._drawing.looking.toggle_single(view.number)
        else:
            self.pressed(view, event)

    def wheeled(self, view: PlaneView, event: QWheelEvent) -> None:
        """Slices; with Ctrl zoom at the pointer, with Shift the size of the brush."""
        if not wheel(self._drawing, self._drawing.looking.room.planes, view, event):
            return
        if self._doing is None:
            self._resting.hover(view, view.kji(event.position()), event.modifiers())

    def left(self, view: PlaneView) -> None:
        """Nothing is under the pointer."""
        self.over = self.last = None
        self.pointed.emit(None)
        if self._doing is None:
            self._resting.hover(view, None, NO_KEYS)

    def paint(self, view: PlaneView, painter: QPainter) -> None:
        """Annotations, prompts, and what the tool draws over the view."""
        self._drawing.annotations.paint(view, painter)
        self._drawing.assist.paint(view, painter)
        tool = self._tool or self._drawing.tools.pointer
        if tool is not None:
            tool.paint(view, painter)

    def let_go(self) -> None:
        """Whatever is under way ends here, unfinished."""
        self._forget_waiting()
        held, self._tool, self._doing = self._tool, None, None
        for tool in (held, self._drawing.tools.pointer):
            if tool is not None:
                tool.cancel()

    # What it may be doing

    def _end_by_click(self) -> None:
        """A click of the right button closes an outline, as in 3D Slicer and ITK-SNAP."""
        tool = self._drawing.tools.pointer
        if isinstance(tool, UnderWay) and tool.under_way:
            tool.finish()

    @property
    def _resting(self) -> PointerTool:
        """The tool in hand; without one, what takes hold of annotations."""
        return self._drawing.tools.pointer or self._drawing.annotations.grip

    def _press_tool(self, view: PlaneView, at: QPointF, keys: Qt.KeyboardModifier) -> None:
        tool = self._drawing.tools.pointer
        annotations = self._drawing.annotations
        if tool is None and annotations.grip.reaches(view, view.kji(at)):
            tool = annotations.grip
        if tool is None:
            annotations.choose("")
            self._doing = self._cross
            self._drawing.sight.move_to(view.kji(at))
            return
        self._tool = tool
        self._doing = self._use
        tool.press(view, view.kji(at), keys)

    def _use(self, view: PlaneView, event: QMouseEvent) -> None:
        if self._tool is not None:
            self._tool.drag(view, view.kji(event.position()), event.modifiers())

    def _cross(self, view: PlaneView, event: QMouseEvent) -> None:
        self._drawing.sight.move_to(view.kji(event.position()))

    def _erase_after_all(self) -> None:
        """Ctrl was held and moved, or held long: it erases from where it went down."""
        if self._waiting is None:
            return
        view, at = self._waiting
        self._forget_waiting()
        eraser = self._drawing.tools.eraser
        self._tool, self._doing = eraser, self._use
        eraser.press(view, view.kji(at), CTRL)

    def _forget_waiting(self) -> None:
        self._waiting = None
        self._patience.stop()


def _is_left(event: QMouseEvent) -> bool:
    return bool(event.button() == Qt.MouseButton.LeftButton)
