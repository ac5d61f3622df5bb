"""Views side by side and one over the other, in gaps that can be dragged.

Unlike Qt's splitters it lays the same widgets out in ever other ways without giving them to
another parent: a canvas of OpenGL is set up anew then, which takes half a second.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from qtpy.QtCore import QPoint, QRect, Qt
from qtpy.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from qtpy.QtWidgets import QWidget

__all__ = ["GAP_PX", "Split", "Tiling"]

GAP_PX: Final = 2
LEAST_PX: Final = 80  # of any part
_REACH_PX: Final = 3  # beside a gap, where the pointer still takes it

Part = "Split | QWidget"


@dataclass(slots=True, eq=False)
class Split:
    """Parts beside each other, or one over the other.

    Parameters
    ----------
    way
        Horizontal: from left to right. Vertical: from above down.
    parts
        Widgets, or splits again. A widget whose height is fixed keeps it in a vertical split.
    shares
        Of the room, for each part; alike without them. Dragging a gap changes them.
    least
        px of each part; `LEAST_PX` without them.
    """

    way: Qt.Orientation
    parts: "Sequence[Split | QWidget]"
    shares: list[float] = field(default_factory=list)
    least: Sequence[int] = ()

    def __post_init__(self) -> None:
        self.shares = self.shares or [1.0] * len(self.parts)
        self.least = self.least or [LEAST_PX] * len(self.parts)

    def widgets(self) -> Iterator[QWidget]:
        """All that lie in it."""
        for part in self.parts:
            if isinstance(part, Split):
                yield from part.widgets()
            else:
                yield part

    def rects(self, room: QRect) -> list[QRect]:
        """Where each part lies in a room."""
        sizes = self.sizes(_length(room, self.way) - GAP_PX * (len(self.parts) - 1))
        at, found = 0, []
        for size in sizes:
            if self.way == Qt.Orientation.Horizontal:
                found.append(QRect(room.left() + at, room.top(), size, room.height()))
            else:
                found.append(QRect(room.left(), room.top() + at, room.width(), size))
            at += size + GAP_PX
        return found

    def sizes(self, room: int) -> list[int]:
        """How many px of so many each part gets; none below its least while there is room."""
        fixed = [self._fixed(part) for part in self.parts]
        free = [n for n, size in enumerate(fixed) if not size]
        left = max(room - sum(fixed), 0)
        sizes = [float(size) for size in fixed]
        floors = {n: min(self.least[n], left // max(len(free), 1)) for n in free}
        while free:  # those that would be too small get their least, the others share the rest
            whole = sum(self.shares[n] for n in free) or 1.0
            small = [n for n in free if left * self.shares[n] / whole < floors[n]]
            for n in small or free:
                sizes[n] = float(floors[n]) if small else left * self.shares[n] / whole
            if not small:
                break
            left -= sum(floors[n] for n in small)
            free = [n for n in free if n not in small]
        ends = [round(sum(sizes[: n + 1])) for n in range(len(sizes))]
        return [end - start for start, end in pairwise([0, *ends])]

    def _fixed(self, part: "Split | QWidget") -> int:
        """The height of a part that has always the same; else 0."""
        if isinstance(part, Split) or self.way == Qt.Orientation.Horizontal:
            return 0
        return part.maximumHeight() if part.minimumHeight() == part.maximumHeight() else 0


@dataclass(frozen=True, slots=True, eq=False)
class _Gap:
    """Between two parts of a split, in a room."""

    split: Split
    after: int
    rect: QRect
    sizes: tuple[int, ...]


class Tiling(QWidget):
    """Lays widgets out as a split says; those that are not in it are hidden."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.ground = QColor()  # of the gaps
        self._tree: Split | None = None
        self._mine: list[QWidget] = []
        self._gaps: list[_Gap] = []
        self._dragged: tuple[_Gap, QPoint] | None = None

    def arrange(self, tree: Split) -> None:
        """Lay out the widgets of a split."""
        self._tree = tree
        wanted = list(tree.widgets())
        for widget in self._mine:
            if widget not in wanted:
                widget.hide()
        for widget in wanted:
            if widget.parent() is not self:
                widget.setParent(self)
            if widget not in self._mine:
                self._mine.append(widget)
        self.place()
        for widget in wanted:
            widget.show()

    def hold(self, widgets: Sequence[QWidget]) -> None:
        """Own these from now on, though none is laid out yet: they go with this one."""
        for widget in widgets:
            widget.setParent(self)
            widget.hide()
        self._mine += widgets

    def let_go(self, widget: QWidget) -> None:
        """One that is not laid out any more."""
        self._mine.remove(widget)

    def place(self) -> None:
        """Put everything in its place again."""
        self._gaps = []
        if self._tree is not None and not self.rect().isEmpty():
            self._place(self._tree, self.rect())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's
        """All get their part of the room."""
        super().resizeEvent(event)
        self.place()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """The gaps; by hand, since a style sheet here would be worked out for all views."""
        QPainter(self).fillRect(event.rect(), self.ground)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Take a gap."""
        gap = self._gap_at(event.position().toPoint())
        if gap is not None and event.button() == Qt.MouseButton.LeftButton:
            self._dragged = (gap, event.position().toPoint())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Drag it, or show that it can be."""
        at = event.position().toPoint()
        if self._dragged is None:
            self._show_way(self._gap_at(at))
            return
        gap, start = self._dragged
        across = gap.split.way == Qt.Orientation.Horizontal
        self._drag(gap, at.x() - start.x() if across else at.y() - start.y())

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:  # noqa: N802
        """Let it go."""
        self._dragged = None

    def _place(self, split: Split, room: QRect) -> None:
        rects = split.rects(room)
        sizes = tuple(_length(rect, split.way) for rect in rects)
        for n, (part, rect) in enumerate(zip(split.parts, rects, strict=True)):
            if isinstance(part, Split):
                self._place(part, rect)
            else:
                part.setGeometry(rect)
            if n + 1 < len(rects):
                self._gaps.append(_Gap(split, n, _between(rect, split.way), sizes))

    def _gap_at(self, at: QPoint) -> _Gap | None:
        for gap in self._gaps:
            reach = gap.rect.adjusted(-_REACH_PX, -_REACH_PX, _REACH_PX, _REACH_PX)
            if reach.contains(at):
                return gap
        return None

    def _drag(self, gap: _Gap, by: int) -> None:
        """Give one neighbour what the other loses, none below its least."""
        n, sizes = gap.after, list(gap.sizes)
        one, other = gap.split.least[n] - sizes[n], sizes[n + 1] - gap.split.least[n + 1]
        by = max(min(by, max(other, 0)), min(one, 0))
        sizes[n] += by
        sizes[n + 1] -= by
        gap.split.shares = [float(size) for size in sizes]
        self.place()

    def _show_way(self, gap: _Gap | None) -> None:
        if gap is None:
            self.unsetCursor()
        elif gap.split.way == Qt.Orientation.Horizontal:
            self.setCursor(Qt.CursorShape.SplitHCursor)
        else:
            self.setCursor(Qt.CursorShape.SplitVCursor)


def _length(rect: QRect, way: Qt.Orientation) -> int:
    return int(rect.width() if way == Qt.Orientation.Horizontal else rect.height())


def _between(rect: QRect, way: Qt.Orientation) -> QRect:
    """The gap behind a part."""
    if way == Qt.Orientation.Horizontal:
        return QRect(rect.right() + 1, rect.top(), GAP_PX, rect.height())
    return QRect(rect.left(), rect.bottom() + 1, rect.width(), GAP_PX)
