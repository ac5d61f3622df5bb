"""Paints the cells of the segment table; nothing is a widget, so hundreds scroll as well as few."""

from qtpy.QtCore import QModelIndex, QRect, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPixmap
from qtpy.QtWidgets import QLineEdit, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from napari_medlabel.ui import theme
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
from napari_medlabel.ui.segment_rows import GroupRow
from napari_medlabel.ui.state import SegmentRow
from napari_medlabel.ui.theme import DARK, Tokens

__all__ = ["ROW", "SegmentDelegate"]

ROW = 26
SWATCH, MARK, CHEVRON = 13, 15, 12


class SegmentDelegate(QStyledItemDelegate):
    """One cell at a time."""

    def __init__(self, model: SegmentModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model
        self.tokens: Tokens = DARK
        self._icons: dict[tuple[str, str, int], QPixmap] = {}

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex) -> QSize:  # noqa: N802
        """A row's height."""
        return QSize(20, self.tokens.px(ROW))

    def setEditorData(self, editor: QWidget, index: QModelIndex) -> None:  # noqa: N802  # Qt's
        """Show the name, unless a new one is being typed: numbers change meanwhile."""
        if not (isinstance(editor, QLineEdit) and editor.isModified()):
            super().setEditorData(editor, index)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """One cell."""
        row, column, box = self._model.listed[index.row()], index.column(), option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if isinstance(row, GroupRow):
            self._heading(painter, option, row, column)
        else:
            active = row.value == self._model.active
            if active:
                painter.fillRect(box, QColor(self.tokens.accent_bg))
            if active and column == NUMBER:
                edge = QRect(box.left(), box.top(), 3, box.height())
                painter.fillRect(edge, QColor(self.tokens.accent_text))
            if column == COLOR:
                self._swatch(painter, box, row)
            elif column in {EYE, LOCK}:
                self._mark(painter, box, row, column)
            else:
                self._words(painter, option, row, column, active=active)
        painter.restore()

    def _heading(
        self, painter: QPainter, option: QStyleOptionViewItem, row: GroupRow, column: int
    ) -> None:
        if column == NUMBER:
            self._icon(painter, option.rect, "next" if row.folded else "down",
                       self.tokens.text3, CHEVRON)  # fmt: skip
        elif column in {NAME, SLICES}:
            left = Qt.AlignmentFlag.AlignLeft if column == NAME else Qt.AlignmentFlag.AlignRight
            painter.setPen(QColor(self.tokens.text3))
            # The heading begins where the swatches do.
            shift = -self.tokens.px(SWATCH + 7) if column == NAME else 0
            room = option.rect.adjusted(shift, 0, -3, 0)
            painter.setClipping(False)
            words = row.name if column == NAME else str(row.count)
            painter.drawText(room, int(left | Qt.AlignmentFlag.AlignVCenter), words)

    def _swatch(self, painter: QPainter, box: QRect, row: SegmentRow) -> None:
        side = self.tokens.px(SWATCH)
        square = QRect(0, 0, side, side)
        square.moveCenter(box.center())
        detail = self._model.details.get(row.value)
        color = QColor(row.color)
        if detail is not None and detail.opacity is not None:
            color.setAlphaF(0.15 + 0.85 * detail.opacity)
        if row.value in self._model.dashed:
            painter.setPen(QPen(QColor(self.tokens.text1), 1.4, Qt.PenStyle.DotLine))
        else:
            painter.setPen(QColor(0, 0, 0, 90))
        painter.setBrush(color)
        painter.drawRoundedRect(square, 3, 3)

    def _mark(self, painter: QPainter, box: QRect, row: SegmentRow, column: int) -> None:
        if column == EYE:
            name = "show" if row.visible else "hidden"
            color = self.tokens.text2 if row.visible else self.tokens.text3
        else:
            name = "lock" if row.locked else "unlock"
            color = self.tokens.warn if row.locked else self.tokens.line2
        self._icon(painter, box, name, color, MARK)

    def _icon(self, painter: QPainter, box: QRect, name: str, color: str, size: int) -> None:
        side = self.tokens.px(size)
        place = QRect(0, 0, side, side)
        place.moveCenter(box.center())
        look = (name, color, side)
        if look not in self._icons:
            self._icons[look] = theme.pixmap(*look)
        painter.drawPixmap(place, self._icons[look])

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
