"""Rows of an icon, a name that can be typed over, words and small marks; painted, not widgets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from qtpy.QtCore import QAbstractListModel, QModelIndex, QPoint, QRect, QSize, Qt, Signal
from qtpy.QtGui import QColor, QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from napari_medlabel.ui import theme
from napari_medlabel.ui.theme import DARK, Tokens

__all__ = ["ROW", "ListRow", "RowList"]

ROW: Final = 26
ICON, SIGN, SIGN_ROOM, EDGE = 15, 14, 22, 4
SWATCH, SWATCH_ROOM = 10, 18
NO_WORDS: Final[Callable[[str], str]] = lambda _id: ""  # noqa: E731


@dataclass(frozen=True, slots=True)
class ListRow:
    """One row.

    Parameters
    ----------
    id
        By which it is told.
    name, spoken
        What it is called, and more of it for a tooltip.
    icon, color
        Before the name; the colour, "#RRGGBB", is a patch before the icon, or none.
    signs
        Small icons at the right, in order: each is its name and what a click on it does.
    fixed
        True where the name is not typed over.
    """

    id: str
    name: str
    spoken: str = ""
    icon: str = ""
    color: str = ""
    signs: tuple[tuple[str, str], ...] = ()
    fixed: bool = False


class _Model(QAbstractListModel):
    renamed = Signal(str, str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: tuple[ListRow, ...] = ()
        self.chosen = ""
        self.read_only = False
        self.words_of = NO_WORDS

    def set_rows(self, rows: Sequence[ListRow]) -> None:
        old, self_rows = self.rows, tuple(rows)
        if [row.id for row in old] != [row.id for row in self_rows]:
            self.beginResetModel()
            self.rows = self_rows
            self.endResetModel()
        else:
            self.rows = self_rows
            if old:
                self.dataChanged.emit(self.index(0), self.index(len(old) - 1))

    def rowCount(self, _parent: object = None) -> int:  # noqa: N802  # Qt's
        return len(self.rows)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401
        row = self.rows[index.row()]
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole}:
            return row.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(filter(None, (row.name, self.words_of(row.id), row.spoken)))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(filter(None, (row.name, self.words_of(row.id), row.spoken)))
        return None

    def setData(  # noqa: N802
        self, index: QModelIndex, value: object, _role: int = Qt.ItemDataRole.EditRole
    ) -> bool:
        name, row = str(value).strip(), self.rows[index.row()]
        if name and name != row.name:
            self.renamed.emit(row.id, name)
        return bool(name)

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        usual = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        fixed = self.read_only or self.rows[index.row()].fixed
        return usual if fixed else usual | Qt.ItemFlag.ItemIsEditable


class _Delegate(QStyledItemDelegate):
    """Paints a row, and says where its parts are."""

    def __init__(self, model: _Model, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model
        self.tokens: Tokens = DARK
        self._icons: dict[tuple[str, str, int], QPixmap] = {}

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex) -> QSize:  # noqa: N802
        return QSize(40, self.tokens.px(ROW))

    def updateEditorGeometry(  # noqa: N802
        self, editor: QWidget, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        name, _words = self._rooms(option, self._model.rows[index.row()])
        editor.setGeometry(name.adjusted(-5, 1, 4, -1))

    def setEditorData(self, editor: QWidget, index: QModelIndex) -> None:  # noqa: N802
        if not (isinstance(editor, QLineEdit) and editor.isModified()):
            super().setEditorData(editor, index)

    def sign_at(self, row: ListRow, box: QRect, x: int) -> int:
        """Which sign of a row is there, or -1."""
        for n in range(len(row.signs)):
            if self._sign_room(row, box, n).contains(x, box.center().y()):
                return n
        return -1

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        row, box, tokens = self._model.rows[index.row()], option.rect, self.tokens
        chosen = row.id == self._model.chosen
        painter.save()
        if chosen:
            painter.fillRect(box, QColor(tokens.accent_bg))
            painter.fillRect(QRect(box.left(), box.top(), 3, box.height()),
                             QColor(tokens.accent_text))  # fmt: skip
        left = self._after_swatch(row, box)
        if row.color:
            self._swatch(painter, box, row.color)
        if row.icon:
            middle = QRect(left, box.top(), tokens.px(ICON + 6), box.height())
            self._icon(painter, middle, row.icon, tokens.text2, ICON)
        name, room = self._rooms(option, row)
        font = option.font
        font.setBold(chosen)
        painter.setFont(font)
        painter.setPen(QColor(tokens.text1))
        self._words(painter, name, row.name, Qt.AlignmentFlag.AlignLeft)
        font.setBold(False)
        painter.setFont(font)
        painter.setPen(QColor(tokens.text2))
        self._words(painter, room, self._model.words_of(row.id), Qt.AlignmentFlag.AlignRight)
        for n, (sign, _tip) in enumerate(row.signs):
            self._icon(painter, self._sign_room(row, box, n), sign, tokens.text3, SIGN)
        painter.restore()

    def _rooms(self, option: QStyleOptionViewItem, row: ListRow) -> tuple[QRect, QRect]:
        """Where name and words are: the words get what they need, up to two thirds."""
        tokens, box = self.tokens, option.rect
        left = self._after_swatch(row, box) + (tokens.px(ICON + 10) if row.icon else 4)
        right = box.right() - tokens.px(SIGN_ROOM) * len(row.signs) - EDGE
        words = self._model.words_of(row.id)
        wide = option.fontMetrics.horizontalAdvance(words) if words else 0
        wide = min(wide, (right - left) * 2 // 3)
        gap = 8 if wide else 0
        name = QRect(left, box.top(), right - left - wide - gap, box.height())
        return name, QRect(right - wide, box.top(), wide, box.height())

    def on_swatch(self, row: ListRow, box: QRect, x: int) -> bool:
        """Whether the patch of colour of a row is there."""
        return bool(row.color) and x < self._after_swatch(row, box)

    def _after_swatch(self, row: ListRow, box: QRect) -> int:
        wide = self.tokens.px(SWATCH_ROOM) if row.color else 0
        return int(box.left()) + EDGE + wide

    def _swatch(self, painter: QPainter, box: QRect, color: str) -> None:
        side = self.tokens.px(SWATCH)
        square = QRect(0, 0, side, side)
        square.moveCenter(QPoint(box.left() + EDGE + self.tokens.px(SWATCH_ROOM) // 2,
                                 box.center().y()))  # fmt: skip
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(0, 0, 0, 90))
        painter.setBrush(QColor(color))
        painter.drawRoundedRect(square, 2.5, 2.5)

    def _sign_room(self, row: ListRow, box: QRect, number: int) -> QRect:
        wide = self.tokens.px(SIGN_ROOM)
        left = box.right() - EDGE // 2 - wide * (len(row.signs) - number)
        return QRect(left, box.top(), wide, box.height())

    def _words(self, painter: QPainter, room: QRect, words: str, side: Qt.AlignmentFlag) -> None:
        fitted = painter.fontMetrics().elidedText(
            words, Qt.TextElideMode.ElideRight, room.width() + 1
        )
        painter.drawText(room, int(side | Qt.AlignmentFlag.AlignVCenter), fitted)

    def _icon(self, painter: QPainter, box: QRect, name: str, color: str, size: int) -> None:
        side = self.tokens.px(size)
        place = QRect(0, 0, side, side)
        place.moveCenter(box.center())
        look = (name, color, side)
        if look not in self._icons:
            self._icons[look] = theme.pixmap(*look)
        painter.drawPixmap(place, self._icons[look])


class RowList(QListView):
    """Shows rows, so many at once; says what a person did to one, by its id.

    `sign_clicked` has the number of the sign, `menu_wanted` where on the screen.

    Parameters
    ----------
    name
        For who cannot see it.
    most
        So many rows are in sight at once; the others scroll.
    """

    picked = Signal(str)
    renamed = Signal(str, str)
    sign_clicked = Signal(str, int)
    color_clicked = Signal(str)
    menu_wanted = Signal(str, object)
    delete_wanted = Signal(str)

    def __init__(self, name: str, most: int) -> None:
        super().__init__()
        self._most = most
        self._model = _Model(self)
        self._model.renamed.connect(self.renamed)
        self._delegate = _Delegate(self._model, self)
        self.setModel(self._model)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName(name)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.clicked.connect(self._clicked)
        self.doubleClicked.connect(self._double_clicked)
        self._at = 0
        self._fit()

    @property
    def rows(self) -> tuple[ListRow, ...]:
        """What is listed."""
        return self._model.rows

    def set_rows(
        self, rows: Sequence[ListRow], chosen: str = "", words_of: Callable[[str], str] = NO_WORDS,
        *, read_only: bool = False,
    ) -> None:  # fmt: skip
        """Show these, one of them chosen and in sight."""
        model = self._model
        moved, model.chosen = chosen != model.chosen, chosen
        model.words_of, model.read_only = words_of, read_only
        model.set_rows(rows)
        self._fit()
        self.viewport().update()
        if moved and (place := self._row_of(chosen)) >= 0:
            self.scrollTo(model.index(place))

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's colours and sizes."""
        self._delegate.tokens = tokens
        self._fit()
        self.viewport().update()

    def rename(self, row_id: str) -> None:
        """Open the name of a row for typing."""
        index = self._model.index(self._row_of(row_id))
        if index.isValid() and self._model.flags(index) & Qt.ItemFlag.ItemIsEditable:
            self.edit(index)

    def row_rect(self, row_id: str) -> QRect:
        """Where a row is in the viewport."""
        return self.visualRect(self._model.index(self._row_of(row_id)))

    def sign_rect(self, row_id: str, number: int) -> QRect:
        """Where a sign of a row is in the viewport."""
        row = self._model.rows[self._row_of(row_id)]
        return self._delegate._sign_room(row, self.row_rect(row_id), number)  # noqa: SLF001

    def keyboardSearch(self, _search: str) -> None:  # noqa: N802  # Qt's
        """Letters are keys of the window, not a search."""

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Remember where."""
        self._at = event.pos().x()
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Up and down pick, F2 renames, Delete takes away; all else is the window's."""
        rows, here = self._model.rows, self._row_of(self._model.chosen)
        if event.key() in {Qt.Key.Key_Up, Qt.Key.Key_Down} and rows:
            step = 1 if event.key() == Qt.Key.Key_Down else -1
            self.picked.emit(rows[min(max(here + step, 0), len(rows) - 1)].id)
        elif event.key() == Qt.Key.Key_F2 and here >= 0:
            self.rename(rows[here].id)
        elif event.key() == Qt.Key.Key_Delete and here >= 0 and not self._model.read_only:
            self.delete_wanted.emit(rows[here].id)
        else:
            event.ignore()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802
        """What can be done to a row, or by the menu key to the chosen one."""
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        chosen = self._model.index(self._row_of(self._model.chosen))
        index = chosen if by_key else self.indexAt(event.pos())
        if index.isValid():
            corner = self.viewport().mapToGlobal(self.visualRect(index).bottomLeft())
            where = corner if by_key else event.globalPos()
            self.menu_wanted.emit(self._model.rows[index.row()].id, where)

    def _clicked(self, index: QModelIndex) -> None:
        row, box = self._model.rows[index.row()], self.visualRect(index)
        number = self._delegate.sign_at(row, box, self._at)
        if self._delegate.on_swatch(row, box, self._at):
            self.color_clicked.emit(row.id)
        elif number < 0:
            self.picked.emit(row.id)
        elif not self._model.read_only:
            self.sign_clicked.emit(row.id, number)

    def _double_clicked(self, index: QModelIndex) -> None:
        row, box = self._model.rows[index.row()], self.visualRect(index)
        on_name = self._delegate.sign_at(row, box, self._at) < 0
        if on_name and not self._delegate.on_swatch(row, box, self._at):
            self.rename(row.id)

    def _row_of(self, row_id: str) -> int:
        return next((n for n, row in enumerate(self._model.rows) if row.id == row_id), -1)

    def _fit(self) -> None:
        count = min(len(self._model.rows), self._most)
        self.setFixedHeight(count * self._delegate.tokens.px(ROW) + (2 if count else 0))
