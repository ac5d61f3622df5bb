"""The segments: a view on their model that says what a person did to one."""

from collections.abc import Mapping
from typing import Final

from qtpy.QtCore import QEvent, QModelIndex, QPoint, QRect, Qt, Signal
from qtpy.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QToolTip

from napari_medlabel.ui.segment_delegate import ROW, SegmentDelegate
from napari_medlabel.ui.segment_menu import Doings, SegmentMenu
from napari_medlabel.ui.segment_model import (
    COLOR,
    EYE,
    LOCK,
    ML,
    NAME,
    NUMBER,
    SLICES,
    SegmentModel,
)
from napari_medlabel.ui.segment_rows import MANY, GroupRow, SegmentDetail
from napari_medlabel.ui.state import SegmentRow
from napari_medlabel.ui.theme import DARK, Tokens

__all__ = ["SegmentTable"]

WIDTHS: Final = {NUMBER: 20, COLOR: 22, ML: 50, SLICES: 42, EYE: 26, LOCK: 26}
WIDE_NUMBER: Final = 28  # of three figures


class SegmentTable(QTableView):
    """Shows rows; says what a person did to one, by its label value.

    `eye_clicked` has the value, and whether only this one shall be shown; `merge_wanted` the one
    that goes and the one that takes its voxels; `group_wanted` value and group;
    `opacity_changed` value and fill from 0 to 1; `mean_wanted` the value whose tooltip is up.
    """

    picked = Signal(int)
    renamed = Signal(int, str)
    color_wanted = Signal(int)
    code_wanted = Signal(int)
    eye_clicked = Signal(int, bool)
    lock_clicked = Signal(int)
    merge_wanted = Signal(int, int)
    group_wanted = Signal(int, int)
    opacity_changed = Signal(int, float)
    delete_wanted = Signal(int)
    another_wanted = Signal(int)
    mean_wanted = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._model = SegmentModel(self)
        self._model.renamed.connect(self.renamed)
        self._model.modelReset.connect(self._fit)
        self._delegate = SegmentDelegate(self._model, self)
        self.setModel(self._model)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName("Segments")
        self.setShowGrid(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.horizontalHeader()
        header.setMinimumSectionSize(10)
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        self._alt = False
        self._tip = (0, QPoint())  # whose tooltip was shown last, and where
        self.clicked.connect(self._cell_clicked)
        self.doubleClicked.connect(self._cell_double_clicked)
        self.set_tokens(DARK)

    def set_rows(self, rows: tuple[SegmentRow, ...], active: int) -> None:
        """Show these rows, one of them active and in sight."""
        moved = active != self._model.active
        self._model.set_rows(rows, active)
        if moved and (row := self._model.row_of(active)) >= 0:
            self.scrollTo(self._model.index(row, NAME))

    def set_details(self, details: Mapping[int, SegmentDetail]) -> None:
        """Groups, codes, means and fills, by label value."""
        self._model.set_details(details)

    def set_mean(self, value: int, words: str) -> None:
        """The mean of a segment, "97 HU", for its tooltip; without words it is not known now."""
        if not words:
            self._model.means.pop(value, None)
            return
        self._model.means[value] = words
        if self._tip[0] == value and QToolTip.isVisible():
            index = self._model.index(self._model.row_of(value), NAME)
            QToolTip.showText(self._tip[1], str(index.data(Qt.ItemDataRole.ToolTipRole)), self)

    def forget_means(self) -> None:
        """Another case is shown."""
        self._model.means.clear()

    def set_search(self, words: str) -> None:
        """List only segments with these words."""
        self._model.search = words
        self._model.relist()

    def set_read_only(self, *, on: bool) -> None:
        """Let nothing be changed but what is shown."""
        self._model.read_only = on

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's colours and sizes."""
        self._delegate.tokens = tokens
        for column, width in WIDTHS.items():
            self.setColumnWidth(column, tokens.px(width))
        self.verticalHeader().setDefaultSectionSize(tokens.px(ROW))
        self.horizontalHeader().setFixedHeight(tokens.px(20))
        self._fit()
        self.viewport().update()

    def rename(self, value: int) -> None:
        """Open the name of a row for typing."""
        row = self._model.row_of(value)
        if row >= 0 and not self._model.read_only:
            self.edit(self._model.index(row, NAME))

    def listed(self) -> list[int]:
        """The label values that are listed."""
        return self._model.values()

    def cell_rect(self, value: int, column: int) -> QRect:
        """Where a cell is in the viewport."""
        return self.visualRect(self._model.index(self._model.row_of(value), column))

    def heading_rect(self, group: int) -> QRect:
        """Where the heading of a group is in the viewport."""
        rows = self._model.listed
        row = next(
            n for n, one in enumerate(rows) if isinstance(one, GroupRow) and one.group == group
        )
        return self.visualRect(self._model.index(row, NAME))

    def menu_of(self, value: int) -> SegmentMenu | None:
        """What can be done to a segment; None of one that is not listed."""
        segment = self._model.segment_at(self._model.index(self._model.row_of(value), NAME))
        if segment is None:
            return None
        doings = Doings(
            self.rename, self.color_wanted.emit, self.code_wanted.emit, self._only,
            self.opacity_changed.emit, self.merge_wanted.emit, self.group_wanted.emit,
            self.delete_wanted.emit, self.another_wanted.emit,
        )  # fmt: skip
        return SegmentMenu(segment, self._model, doings, self)

    def viewportEvent(self, event: QEvent) -> bool:  # noqa: N802  # Qt's
        """A tooltip asks for what takes a while to know."""
        if event.type() == QEvent.Type.ToolTip:
            row = self._model.segment_at(self.indexAt(event.pos()))
            self._tip = (row.value if row else 0, event.globalPos())
            if row is not None and row.value not in self._model.means:
                self.mean_wanted.emit(row.value)
        return bool(super().viewportEvent(event))

    def keyboardSearch(self, _search: str) -> None:  # noqa: N802  # Qt's
        """Letters are keys of the window, not a search."""

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Remember whether Alt was held."""
        self._alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Up and down pick, F2 renames, Delete asks; all else is the window's."""
        values, active = self._model.values(), self._model.active
        here = values.index(active) if active in values else -1
        fixed = self._model.read_only
        if event.key() in {Qt.Key.Key_Up, Qt.Key.Key_Down} and values:
            step = 1 if event.key() == Qt.Key.Key_Down else -1
            self.picked.emit(values[min(max(here + step, 0), len(values) - 1)])
        elif event.key() == Qt.Key.Key_F2 and here >= 0:
            self.rename(values[here])
        elif event.key() == Qt.Key.Key_Delete and here >= 0 and not fixed:
            self.delete_wanted.emit(values[here])
        else:
            event.ignore()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802
        """What can be done to a row, or by the menu key to the active one."""
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        pressed = self._model.segment_at(self.indexAt(event.pos()))
        value = self._model.active if by_key else pressed.value if pressed else 0
        menu = self.menu_of(value)
        if menu is not None:
            place = self.cell_rect(value, NAME).bottomLeft()
            menu.popup(self.viewport().mapToGlobal(place) if by_key else event.globalPos())

    def _cell_clicked(self, index: QModelIndex) -> None:
        row = self._model.listed[index.row()]
        if isinstance(row, GroupRow):
            self._model.folded ^= {row.group}
            self._model.relist()
            return
        column = index.column()
        if column == COLOR:
            self.color_wanted.emit(row.value)
        elif column == EYE:
            self.eye_clicked.emit(row.value, self._alt)
        elif column == LOCK:
            self.lock_clicked.emit(row.value)
        else:
            self.picked.emit(row.value)

    def _only(self, value: int) -> None:
        only = True
        self.eye_clicked.emit(value, only)

    def _cell_double_clicked(self, index: QModelIndex) -> None:
        row = self._model.segment_at(index)
        if index.column() == NAME and row is not None:
            self.rename(row.value)

    def _fit(self) -> None:
        """As high as its rows, up to a dozen; a search that finds few leaves the panel still."""
        model, scale = self._model, self._delegate.tokens.px
        count = len(model.rows) if model.search else max(len(model.listed), min(len(model.rows), 1))
        self.setFixedHeight(scale(20) + min(count, MANY) * scale(ROW) + 2)
        widest = max((row.value for row in model.rows), default=0)
        self.setColumnWidth(NUMBER, scale(WIDE_NUMBER if widest > 99 else WIDTHS[NUMBER]))
