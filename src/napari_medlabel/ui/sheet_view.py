"""The rows of the sheet of keys, painted: a hundred labels would be felt whenever it opens."""

from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_medlabel.ui.key_cap import paint_cap, sized
from napari_medlabel.ui.key_sheet import Columns, Section, SheetRow
from napari_medlabel.ui.theme import DARK, Tokens

__all__ = ["SheetView"]

ROW, BETWEEN, COLUMN_GAP, GAP = 24, 18, 36, 5  # px at napari's usual font size
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


class SheetView(QWidget):
    """Shows columns of sections."""

    def __init__(self) -> None:
        super().__init__()
        self._columns: Columns = ()
        self._tokens: Tokens = DARK
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme."""
        self._tokens = tokens
        self._changed()

    def set_columns(self, columns: Columns) -> None:
        """Show these; a screen reader hears them row by row."""
        if columns != self._columns:
            self._columns = columns
            heard = (
                f"{row.words}: {' '.join(part.text for part in row.parts)}"
                for column in columns for section in column for row in section.rows
            )  # fmt: skip
            self.setAccessibleName("Keys")
            self.setAccessibleDescription(". ".join(heard))
            self._changed()

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's
        """As high as the longest column."""
        rows = [
            self._tokens.px(ROW) * (len(section.rows) + 1) + self._tokens.px(BETWEEN)
            for column in self._columns for section in column
        ]  # fmt: skip
        high, taken = 0, 0
        for column in self._columns:
            high = max(high, sum(rows[taken : taken + len(column)]))
            taken += len(column)
        return QSize(self._tokens.px(400), max(high - self._tokens.px(BETWEEN), 0) + 2)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        """Column by column."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        gap = self._tokens.px(COLUMN_GAP)
        count = max(len(self._columns), 1)
        wide = (self.width() - gap * (count - 1)) / count
        for n, column in enumerate(self._columns):
            left, top = n * (wide + gap), 0.0
            for section in column:
                top = self._section(painter, QRectF(left, top, wide, 0), section)
        painter.end()

    # How

    def _changed(self) -> None:
        self.setFixedHeight(self.sizeHint().height())
        self.update()

    def _section(self, painter: QPainter, place: QRectF, section: Section) -> float:
        """Paint a section from the top of a place; return where the next one begins."""
        high = self._tokens.px(ROW)
        line = QRectF(place.left(), place.top(), place.width(), high)
        painter.setFont(sized(self.font(), self._tokens.px(12.5), strong=True))
        painter.setPen(QColor(self._tokens.text1))
        painter.drawText(line, _LEFT, section.title)
        for row in section.rows:
            line.translate(0, high)
            self._row(painter, line, row)
        return float(line.bottom()) + self._tokens.px(BETWEEN)

    def _row(self, painter: QPainter, line: QRectF, row: SheetRow) -> None:
        tokens = self._tokens
        painter.setPen(QColor(tokens.line))
        low = line.bottom() - 0.5
        painter.drawLine(QPointF(line.left(), low), QPointF(line.right(), low))
        font = sized(self.font(), tokens.px(12))
        metrics = QFontMetrics(font)
        right = line.right()
        for part in reversed(row.parts):
            if part.cap:
                end = QPointF(right, line.center().y() - 1)
                right = paint_cap(painter, end, part.text, font, tokens)
            else:
                wide = metrics.horizontalAdvance(part.text)
                painter.setFont(font)
                painter.setPen(QColor(tokens.text3))
                painter.drawText(QRectF(right - wide, line.top(), wide + 1, line.height()),
                                 _LEFT, part.text)  # fmt: skip
                right -= wide
            right -= tokens.px(GAP)
        painter.setFont(font)
        painter.setPen(QColor(tokens.text1))
        room = max(right - line.left(), 0.0)
        shown = metrics.elidedText(row.words, Qt.TextElideMode.ElideRight, int(room))
        painter.drawText(QRectF(line.left(), line.top(), room, line.height()), _LEFT, shown)
