"""What can be done to one segment, on a right click."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from qtpy.QtCore import Qt
from qtpy.QtGui import QAction, QIcon, QPixmap
from qtpy.QtWidgets import QMenu, QSlider, QWidget, QWidgetAction

from napari_medlabel.ui.segment_model import SegmentModel
from napari_medlabel.ui.segment_rows import SegmentDetail
from napari_medlabel.ui.state import SegmentRow
from napari_medlabel.ui.widgets import row, text

__all__ = ["SegmentMenu"]

DEFAULT_OPACITY = 0.25
PLAIN = SegmentDetail()


@dataclass(frozen=True, slots=True)
class Doings:
    """What a menu calls; each with the label value, and what was chosen."""

    rename: Callable[[int], object]
    color: Callable[[int], object]
    code: Callable[[int], object]
    only: Callable[[int], object]
    opacity: Callable[[int, float], object]
    merge: Callable[[int, int], object]
    group: Callable[[int, int], object]
    delete: Callable[[int], object]
    another: Callable[[int], object]


class SegmentMenu(QMenu):
    """The menu of one segment.

    Parameters
    ----------
    segment
        Whose.
    model
        Has the other segments and their groups.
    doings
        What is called.
    parent
        The table.
    """

    def __init__(
        self, segment: SegmentRow, model: SegmentModel, doings: Doings, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._segment, self._model, self._doings = segment, model, doings
        value, changes = segment.value, list[QAction]()
        changes.append(self.addAction("Rename\tF2", partial(doings.rename, value)))
        changes.append(
            self.addAction("Colour\N{HORIZONTAL ELLIPSIS}", partial(doings.color, value))
        )
        changes.append(self.addAction("Code\N{HORIZONTAL ELLIPSIS}", partial(doings.code, value)))
        self.addSeparator()
        self.addAction("Show only this", partial(doings.only, value))
        self.addAction(self._fill())
        self.addSeparator()
        changes.append(self.addAction("Add another of this kind", partial(doings.another, value)))
        changes += [self._merge().menuAction(), self._move().menuAction()]
        self.addSeparator()
        changes.append(self.addAction("Delete segment", partial(doings.delete, value)))
        for action in changes:
            action.setEnabled(action.isEnabled() and not model.read_only)

    def _fill(self) -> QWidgetAction:
        """How opaque its fill is."""
        detail = self._model.details.get(self._segment.value, PLAIN)
        first = DEFAULT_OPACITY if detail.opacity is None else detail.opacity
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, 100)
        slider.setValue(round(first * 100))
        slider.setAccessibleName(f"Fill of {self._segment.name}, percent")
        percent = text(f"{slider.value()} %", tone="2")
        percent.setMinimumWidth(40)
        slider.valueChanged.connect(lambda now: percent.setText(f"{now} %"))
        slider.valueChanged.connect(
            lambda now: self._doings.opacity(self._segment.value, now / 100.0)
        )
        action = QWidgetAction(self)
        action.setDefaultWidget(row(text("Fill"), slider, percent, gap=8, margins=(16, 2, 8, 2)))
        return action

    def _merge(self) -> QMenu:
        """All other segments; made once it unfolds, since there may be hundreds."""
        menu = self.addMenu("Merge into")
        others = [one for one in self._model.rows if one.value != self._segment.value]
        menu.setEnabled(bool(others))

        def fill() -> None:
            menu.clear()
            for one in others:
                square = QPixmap(12, 12)
                square.fill(one.color)
                merge = partial(self._doings.merge, self._segment.value, one.value)
                action = menu.addAction(QIcon(square), one.name, merge)
                action.setEnabled(not one.locked)

        menu.aboutToShow.connect(fill)
        return menu

    def _move(self) -> QMenu:
        """The groups that there are, and a new one."""
        menu = self.addMenu("Move to group")
        own = self._model.details.get(self._segment.value, PLAIN).group
        groups = {self._model.details.get(one.value, PLAIN).group for one in self._model.rows}
        for group in sorted({0, *groups}):
            move = partial(self._doings.group, self._segment.value, group)
            action = menu.addAction(f"Group {group + 1}", move)
            action.setCheckable(True)
            action.setChecked(group == own)
            action.setEnabled(group != own)
        menu.addSeparator()
        fresh = partial(self._doings.group, self._segment.value, max(groups) + 1)
        menu.addAction("New group: may overlap others", fresh)
        return menu
