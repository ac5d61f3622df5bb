"""The segments: a model that holds rows, a delegate that paints them, a view that says clicks."""

from typing import Any, Final

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QRect, QSize, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from napari_medlabel.ui import theme
from napari_medlabel.ui.state import SegmentRow
from napari_medlabel.ui.theme import DARK, Tokens

__all__ = ["SegmentTable"]

NUMBER, COLOR, NAME, ML, SLICES, EYE, LOCK = range(7)
HEADERS: Final = ("", "", "Name", "mL", "Slices", "", "")
SPOKEN: Final = ("Number", "Colour", "Name", "Volume, mL", "Slices", "Shown", "Locked")
WIDTHS: Final = {NUMBER: 20, COLOR: 22, ML: 50, SLICES: 42, EYE: 26, LOCK: 26}
ROW: Final = 26
MOST_ROWS: Final = 12


class _Model(QAbstractTableModel):
    """Rows as a table."""

    renamed = Signal(int, str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: tuple[SegmentRow, ...] = ()
        self.active = 0

    def set_rows(self, rows: tuple[SegmentRow, ...], active: int) -> None:
        """Show these; cells that stay keep what is being edited in them."""
        old = self.rows
        if [row.value for row in old] != [row.value for row in rows]:
            self.beginResetModel()
            self.rows, self.active = rows, active
            self.endResetModel()
            return
        moved, self.rows, self.active = active != self.active, rows, active
        for n, (before, now) in enumerate(zip(old, rows, strict=True)):
            if moved or before != now:
                self.dataChanged.emit(self.index(n, 0), self.index(n, LOCK))

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        """How many segments there are."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, _parent: QModelIndex | None = None) -> int:  # noqa: N802
        """Number to lock."""
        return len(HEADERS)

    def data(self, index: QModelIndex, role: int = 0) -> Any:  # noqa: ANN401  # Qt's
        """Words for eyes and ears."""
        row = self.rows[index.row()]
        words = {
            NUMBER: str(row.value), COLOR: row.color, NAME: row.name, ML: row.ml,
            SLICES: row.slices, EYE: "shown" if row.visible else "hidden",
            LOCK: "locked" if row.locked else "not locked",
        }[index.column()]  # fmt: skip
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole}:
            return words
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{row.name}, {SPOKEN[index.column()]}: {words}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return _tip(row, index.column())
        return None

    def headerData(self, section: int, way: Qt.Orientation, role: int = 0) -> Any:  # noqa: N802, ANN401
        """Column names; numbers stand over their column's right edge."""
        if way != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return HEADERS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section in {ML, SLICES} else Qt.AlignmentFlag(1)
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """A name can be edited."""
        plain = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return plain | Qt.ItemFlag.ItemIsEditable if index.column() == NAME else plain

    def setData(self, index: QModelIndex, value: str, role: int = 2) -> bool:  # noqa: N802
        """Ask for a new name; the row changes once the segmentation has."""
        if role != Qt.ItemDataRole.EditRole or index.column() != NAME:
            return False
        row = self.rows[index.row()]
        if value.strip() and value.strip() != row.name:
            self.renamed.emit(row.value, value.strip())
        return True


def _tip(row: SegmentRow, column: int) -> str:
    return {
        COLOR: "Choose a colour",
        NAME: f"{row.name}   double click renames",
        EYE: f"{'Hide' if row.visible else 'Show'} {row.name}   Alt+click shows only this",
        LOCK: f"{'Unlock' if row.locked else 'Lock'} {row.name}   K",
    }.get(column, "")


class _Delegate(QStyledItemDelegate):
    """Paints a cell; nothing is a widget, so hundreds of rows scroll as well as eight."""

    def __init__(self, model: _Model, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model
        self.tokens: Tokens = DARK

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex) -> QSize:  # noqa: N802
        """A row's height."""
        return QSize(20, self.tokens.px(ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """One cell."""
        row, column, box = self._model.rows[index.row()], index.column(), option.rect
        active = row.value == self._model.active
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if active:
            painter.fillRect(box, QColor(self.tokens.accent_bg))
        if active and column == NUMBER:
            painter.fillRect(
                QRect(box.left(), box.top(), 3, box.height()), QColor(self.tokens.accent_text)
            )
        if column == COLOR:
            self._swatch(painter, box, row.color)
        elif column in {EYE, LOCK}:
            self._mark(painter, box, row, column)
        else:
            self._words(painter, option, row, column, active=active)
        painter.restore()

    def _swatch(self, painter: QPainter, box: QRect, color: str) -> None:
        side = self.tokens.px(13)
        square = QRect(0, 0, side, side)
        square.moveCenter(box.center())
        painter.setPen(QColor(0, 0, 0, 90))
        painter.setBrush(QColor(color))
        painter.drawRoundedRect(square, 3, 3)

    def _mark(self, painter: QPainter, box: QRect, row: SegmentRow, column: int) -> None:
        if column == EYE:
            name = "show" if row.visible else "hidden"
            color = self.tokens.text2 if row.visible else self.tokens.text3
        else:
            name = "lock" if row.locked else "unlock"
            color = self.tokens.warn if row.locked else self.tokens.line2
        size = self.tokens.px(15)
        place = QRect(0, 0, size, size)
        place.moveCenter(box.center())
        painter.drawPixmap(place, theme.pixmap(name, color, size))

    def _words(
        self, painter: QPainter, option: QStyleOptionViewItem, row: SegmentRow, column: int, *,
        active: bool,
    ) -> None:  # fmt: skip
        quiet = self.tokens.text2 if active else self.tokens.text3
        words, color = {
            NUMBER: (str(row.value), quiet), NAME: (row.name, self.tokens.text1),
            ML: (row.ml, self.tokens.text2), SLICES: (row.slices, self.tokens.text2),
        }[column]  # fmt: skip
        side = Qt.AlignmentFlag.AlignLeft if column == NAME else Qt.AlignmentFlag.AlignRight
        font = option.font
        font.setBold(active and column == NAME)
        painter.setFont(font)
        painter.setPen(QColor(color if row.visible or column != NAME else self.tokens.text3))
        room = option.rect.adjusted(3 if column == NAME else 0, 0, -3, 0)
        fitted = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, int(side | Qt.AlignmentFlag.AlignVCenter), fitted)


class SegmentTable(QTableView):
    """Shows rows; says what a person did to one, by its label value."""

    picked = Signal(int)
    renamed = Signal(int, str)
    color_wanted = Signal(int)
    eye_clicked = Signal(int, bool)
    lock_clicked = Signal(int)
    delete_wanted = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._model = _Model(self)
        self._model.renamed.connect(self.renamed)
        self._delegate = _Delegate(self._model, self)
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
        header = self.horizontalHeader()
        header.setMinimumSectionSize(10)
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        self._alt = False
        self.clicked.connect(self._cell_clicked)
        self.doubleClicked.connect(self._cell_double_clicked)
        self.set_tokens(DARK)

    def set_rows(self, rows: tuple[SegmentRow, ...], active: int) -> None:
        """Show these rows, one of them active."""
        count = len(self._model.rows)
        self._model.set_rows(rows, active)
        if count != len(rows):
            self._fit()

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
        for n, row in enumerate(self._model.rows):
            if row.value == value:
                self.edit(self._model.index(n, NAME))

    def cell_rect(self, value: int, column: int) -> QRect:
        """Where a cell is in the viewport."""
        values = [row.value for row in self._model.rows]
        return self.visualRect(self._model.index(values.index(value), column))

    def keyboardSearch(self, _search: str) -> None:  # noqa: N802  # Qt's
        """Letters are keys of the window, not a search."""

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Remember whether Alt was held."""
        self._alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Up and down pick, F2 renames, Delete asks; all else is the window's."""
        rows = self._model.rows
        values = [row.value for row in rows]
        here = values.index(self._model.active) if self._model.active in values else -1
        if event.key() in {Qt.Key.Key_Up, Qt.Key.Key_Down} and rows:
            step = 1 if event.key() == Qt.Key.Key_Down else -1
            self.picked.emit(values[min(max(here + step, 0), len(values) - 1)])
        elif event.key() == Qt.Key.Key_F2 and here >= 0:
            self.rename(values[here])
        elif event.key() == Qt.Key.Key_Delete and here >= 0:
            self.delete_wanted.emit(values[here])
        else:
            event.ignore()

    def contextMenuEvent(self, event: Any) -> None:  # noqa: N802, ANN401
        """What can be done to a row."""
        index = self.indexAt(event.pos())
        if not index.isValid():
            return
        value = self._model.rows[index.row()].value
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Rename", lambda: self.rename(value))
        menu.addAction("Colour", lambda: self.color_wanted.emit(value))
        menu.addAction("Show only this", lambda: self._only(value))
        menu.addSeparator()
        menu.addAction("Delete segment", lambda: self.delete_wanted.emit(value))
        menu.popup(event.globalPos())

    def _cell_clicked(self, index: QModelIndex) -> None:
        value = self._model.rows[index.row()].value
        match index.column():
            case 1:
                self.color_wanted.emit(value)
            case 5:
                self.eye_clicked.emit(value, self._alt)
            case 6:
                self.lock_clicked.emit(value)
            case _:
                self.picked.emit(value)

    def _only(self, value: int) -> None:
        only = True
        self.eye_clicked.emit(value, only)

    def _cell_double_clicked(self, index: QModelIndex) -> None:
        if index.column() == NAME:
            self.edit(index)

    def _fit(self) -> None:
        rows = min(len(self._model.rows), MOST_ROWS)
        scale = self._delegate.tokens.px
        self.setFixedHeight(scale(20) + rows * scale(ROW) + 2)
