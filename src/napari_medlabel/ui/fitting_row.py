"""A row that leaves out what there is no room for, the least needed first."""

from collections.abc import Callable, Sequence
from typing import Final

from qtpy.QtCore import QEvent, QSize, Qt, QTimer
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLayout, QPushButton, QSizePolicy, QWidget

__all__ = ["FittingRow", "RowButton", "upright"]

LAID_OUT_AGAIN: Final = {
    QEvent.Type.Polish, QEvent.Type.StyleChange, QEvent.Type.LayoutRequest,
}  # fmt: skip


class FittingRow(QFrame):
    """Widgets side by side; a number is a space, None stretches.

    Parameters
    ----------
    items
        From left to right.
    dispensable
        What goes where it is narrow, in this order; each may be several that go together, and
        may lie inside one of the items.
    gap
        px between two items.
    """

    def __init__(
        self, items: Sequence[QWidget | int | None],
        dispensable: Sequence[tuple[QWidget, ...]], gap: int = 6,
    ) -> None:  # fmt: skip
        super().__init__()
        self._dispensable = tuple(dispensable)
        self._unwanted: set[QWidget] = set()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self.fit)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 0, 10, 0)
        layout.setSpacing(gap)
        # Else the layout asks the window for room for all.
        layout.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        for item in items:
            if item is None:
                layout.addStretch(1)
            elif isinstance(item, int):
                layout.addSpacing(item)
            else:
                layout.addWidget(item)

    def want(self, widget: QWidget, *, wanted: bool) -> None:
        """Show a part where there is room for it, or not at all."""
        if wanted == (widget in self._unwanted):
            (self._unwanted.discard if wanted else self._unwanted.add)(widget)
            widget.setVisible(wanted)
            self.fit()

    def fit(self) -> None:
        """Look again what fits."""
        room = self.contentsRect().width()
        gone: set[QWidget] = set()
        for parts in ((), *self._dispensable):
            gone.update(parts)
            if self._wide(gone) <= room:
                break
        for parts in self._dispensable:
            for part in parts:
                part.setVisible(part not in gone and part not in self._unwanted)

    def natural_width(self) -> int:
        """The px at which everything fits."""
        return self._wide(set())

    def _wide(self, gone: set[QWidget]) -> int:
        return _width_of(self, gone | self._unwanted)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  # Qt's
        """As wide as what is always there."""
        parts = {part for parts in self._dispensable for part in parts}
        return QSize(self._wide(parts), super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:  # noqa: N802
        """As wide as all of it."""
        return QSize(self.natural_width(), super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Leave out more, or less."""
        super().resizeEvent(event)
        self.fit()

    def event(self, event: QEvent) -> bool:
        """Fonts and styles change how wide the parts are; each change comes as many events."""
        if event.type() in LAID_OUT_AGAIN and not self._soon.isActive():
            self._soon.start()
        return bool(super().event(event))


def _width_of(widget: QWidget, gone: set[QWidget]) -> int:
    """How wide a widget would be with all its parts but some, shown or not at the moment."""
    layout = widget.layout()
    if layout is None:
        wide = max(widget.sizeHint().width(), widget.minimumSizeHint().width())
    else:
        items = [layout.itemAt(n) for n in range(layout.count())]
        there = [item for item in items if item.widget() is None or item.widget() not in gone]
        margins = layout.contentsMargins()
        wide = margins.left() + margins.right() + max(len(there) - 1, 0) * layout.spacing()
        for item in there:
            part = item.widget()
            wide += item.sizeHint().width() if part is None else _width_of(part, gone)
    return int(min(max(wide, widget.minimumWidth()), widget.maximumWidth()))


class RowButton(QPushButton):
    """A button made of several parts, as wide as those that are shown."""

    def __init__(
        self, kind: str, tip: str, on_click: Callable[[], object], *parts: QWidget
    ) -> None:
        super().__init__()
        self.setProperty("kind", kind)
        self.setToolTip(tip)
        self.setAccessibleName(tip)
        self.setAutoDefault(False)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.clicked.connect(lambda _checked=False: on_click())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 0, 8, 0)
        layout.setSpacing(8)
        for part in parts:
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            layout.addWidget(part, 0, Qt.AlignmentFlag.AlignVCenter)

    def sizeHint(self) -> QSize:  # noqa: N802
        """What its parts need."""
        hidden = {part for part in self.findChildren(QWidget) if part.isHidden()}
        return QSize(_width_of(self, hidden), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """No less."""
        return self.sizeHint()


def upright() -> QFrame:
    """A line between two groups."""
    frame = QFrame()
    frame.setProperty("role", "upright")
    frame.setFixedSize(1, 18)
    return frame
