"""Rows of things that can be done: words, why not, keys drawn as key caps; painted, not widgets."""

from typing import Final, TypeAlias

from qtpy.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFont, QFontMetrics, QPainter
from qtpy.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from napari_medlabel.ui.action_search import Entry
from napari_medlabel.ui.key_cap import paint_cap, sized
from napari_medlabel.ui.theme import DARK, Tokens

__all__ = ["ENTRY", "EntryRows"]

ENTRY: Final = Qt.ItemDataRole.UserRole
ROW, EDGE, GAP = 30, 12, 8  # px at napari's usual font size
Index: TypeAlias = QModelIndex | QPersistentModelIndex


class EntryRows(QStyledItemDelegate):
    """Paints an `Entry` that an item holds as `ENTRY`."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.tokens: Tokens = DARK

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:  # noqa: N802
        """One height for all."""
        return QSize(100, self.tokens.px(ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Words at the left, the reason or group after them, keys at the right."""
        entry: Entry = index.data(ENTRY)
        tokens, selected = self.tokens, bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.accent_bg))
            painter.drawRoundedRect(QRectF(option.rect).adjusted(4, 1, -4, -1), 5, 5)
        edge = tokens.px(EDGE)
        room = option.rect.adjusted(edge, 0, -edge, 0)
        font = sized(option.font, tokens.px(12))
        quiet = QColor(tokens.text2 if selected else tokens.text3)
        small = sized(option.font, tokens.px(11.5))
        if entry.note:
            room.setRight(self._note(painter, room, entry.note, quiet, small) - tokens.px(GAP))
        for key in reversed(entry.keys):
            end = QPointF(room.right(), room.center().y())
            room.setRight(int(paint_cap(painter, end, key, font, tokens)) - tokens.px(5))
        if entry.color:
            room.setLeft(self._swatch(painter, room, entry.color) + tokens.px(GAP))
        words = tokens.text1 if not entry.why_not else (tokens.text2 if selected else tokens.text3)
        left = self._text(painter, room, entry.words, QColor(words), font)
        room.setLeft(left + tokens.px(GAP))
        self._text(painter, room, entry.why_not or entry.group, quiet, small)
        painter.restore()

    def _text(self, painter: QPainter, room: QRect, words: str, ink: QColor, font: QFont) -> int:
        """Write as much as fits; return where it ends."""
        painter.setFont(font)
        painter.setPen(ink)
        metrics = QFontMetrics(font)
        shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, max(room.width(), 0))
        align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(room, int(align), shown)
        return int(room.left() + metrics.horizontalAdvance(shown))

    def _note(self, painter: QPainter, room: QRect, words: str, ink: QColor, font: QFont) -> int:
        """Write at the right of the room; return the left edge."""
        wide = QFontMetrics(font).horizontalAdvance(words) + 2  # or it is elided by rounding
        self._text(painter, room.adjusted(room.width() - wide, 0, 0, 0), words, ink, font)
        return int(room.right() - wide)

    def _swatch(self, painter: QPainter, room: QRect, color: str) -> int:
        size = self.tokens.px(11)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(color))
        box = QRectF(room.left(), room.center().y() - size / 2 + 1, size, size)
        painter.drawRoundedRect(box, 2, 2)
        return int(box.right())
