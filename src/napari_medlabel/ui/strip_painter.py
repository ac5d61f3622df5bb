"""The strokes of the slice strip: columns, frames of gaps, hatching, marks, numbers.

All x are px from the first column, all y px from the top of the strip.
"""

from dataclasses import dataclass
from typing import Final

from qtpy.QtCore import QPointF, QRect, QRectF, Qt
from qtpy.QtGui import QBrush, QColor, QFont, QFontMetrics, QPainter, QPen, QPolygonF

from napari_medlabel.ui import theme
from napari_medlabel.ui.strip_layout import LABELLED, PREVIEW, Columns, Frame, Picture, Row, ticks
from napari_medlabel.ui.strip_state import MarkKind
from napari_medlabel.ui.theme import Tokens

__all__ = ["THIN_LANES", "Measures", "draw_columns", "draw_here", "draw_numbers", "plate"]

THIN_LANES: Final = 7  # that fit beside the active one
SEPARATE: Final = 3.0  # px of a column from which a line stands between two
FRAME_SEEN: Final = 6  # px of a gap from which its frame can be seen
REACH: Final = 5  # px of a mark to each side
HATCHING: Final = 4  # px between lines
DASHES: Final = (3.0, 2.0)
NUMBERS_APART: Final = 72
MARK_TONES: Final[dict[MarkKind, str]] = {
    "finding": "warn", "comment": "accent_text", "settled": "ok",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measures:
    """Where things stand, px; as the design has them, grown with the font."""

    tokens: Tokens
    side: int  # left and right of the columns
    top: int  # of the first lane; marks are above
    active: int  # height of the lane of the active segment, and of the others
    thin: int
    space: int  # between lanes
    bottom: int  # of the last lane there is room for; numbers are below
    height: int

    @classmethod
    def of(cls, tokens: Tokens) -> "Measures":
        """Those that fit the theme's scale."""
        px = tokens.px
        top, active, thin, space = px(14), px(10), px(3), px(1)
        bottom = top + active + THIN_LANES * (thin + space)
        return cls(tokens, px(12), top, active, thin, space, bottom, bottom + px(12))

    @property
    def ground(self) -> str:
        """Behind the lanes: the darker one, since segments have bright colours."""
        tokens = self.tokens
        return min(tokens.input, tokens.hover, key=lambda color: QColor(color).lightness())

    def lanes(self, picture: Picture) -> list[tuple[Row, int, int]]:
        """Each row with its top and its height."""
        found, top = [], self.top
        for row in picture.rows:
            high = self.active if row.active else self.thin
            found.append((row, top, high))
            top += high + self.space
        return found


def draw_columns(painter: QPainter, measures: Measures, picture: Picture, span: range) -> QRect:
    """Paint all above the numbers in a run of columns, on any ground; return where."""
    columns, reach = picture.columns, measures.tokens.px(REACH)
    left, right = columns.left(span.start), columns.left(span.stop)
    around = QRect(left - reach, 0, right - left + 2 * reach, measures.bottom)
    painter.save()
    painter.setClipRect(around)
    painter.fillRect(around, QColor(measures.tokens.bg))
    seen = columns.between(around.left(), around.right())
    for row, top, high in measures.lanes(picture):
        painter.fillRect(0, top, columns.width, high, QColor(measures.ground))
        _draw_cells(painter, measures, columns, (row, top, high), seen)
        if row.active:
            for frame in picture.frames:
                _draw_frame(painter, measures, columns, frame, (row.color, top))
    for column, kind in picture.marks:
        middle = (columns.left(column) + columns.left(column + 1)) / 2
        if around.left() - reach <= middle <= around.right() + reach:
            _draw_mark(painter, measures, kind, middle)
    painter.restore()
    return around


def _draw_cells(
    painter: QPainter, measures: Measures, columns: Columns, lane: tuple[Row, int, int],
    seen: range,
) -> None:  # fmt: skip
    row, top, high = lane
    color = row.color or measures.tokens.text3
    plain = QColor(color if row.active else theme.faded(color, "#000000", 0.85))
    line = 1 if columns.width >= SEPARATE * len(columns) else 0
    for column in seen:
        if row.cells[column] == LABELLED:
            left = columns.left(column)
            painter.fillRect(left, top, max(columns.left(column + 1) - left - line, 1), high, plain)


def _draw_frame(
    painter: QPainter, measures: Measures, columns: Columns, frame: Frame, lane: tuple[str, int]
) -> None:
    """A dashed frame: amber and empty for a gap, hatched in the segment's colour for a preview."""
    (own, top), high, waits = lane, measures.active, frame.kind == PREVIEW
    color, left = QColor(own if waits else measures.tokens.warn), columns.left(frame.start)
    box = QRect(left, top, max(columns.left(frame.stop) - left, 1), high)
    if box.width() < FRAME_SEEN:
        painter.fillRect(box, color)
        return
    painter.save()
    if waits:
        painter.setClipRect(box, Qt.ClipOperation.IntersectClip)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(color, 1.25))
        for x in range(left - high, box.right() + 1, measures.tokens.px(HATCHING)):
            painter.drawLine(x, top + high, x + high, top)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)  # noqa: FBT003  # Qt's
    pen = QPen(color, 1.0)
    pen.setDashPattern(DASHES)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(box.adjusted(0, 0, -2 if box.width() > FRAME_SEEN else -1, -1))
    painter.restore()


def _draw_mark(painter: QPainter, measures: Measures, kind: MarkKind, x: float) -> None:
    """A triangle, a dot or a tick: the shape says what the colour does."""
    color = QColor(getattr(measures.tokens, MARK_TONES[kind]))
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(x, measures.top)
    painter.scale(measures.tokens.scale, measures.tokens.scale)
    painter.setPen(QPen(color, 1.75) if kind == "settled" else QPen(Qt.PenStyle.NoPen))
    painter.setBrush(QBrush(Qt.BrushStyle.NoBrush) if kind == "settled" else color)
    if kind == "finding":
        painter.drawPolygon(QPolygonF([QPointF(-4, -9), QPointF(4, -9), QPointF(0, -3)]))
    elif kind == "comment":
        painter.drawEllipse(QPointF(0, -6), 3, 3)
    else:
        painter.drawPolyline(QPolygonF([QPointF(-3.5, -6), QPointF(-1, -3.5), QPointF(3.5, -9)]))
    painter.restore()


def draw_numbers(painter: QPainter, measures: Measures, columns: Columns, font: QFont) -> None:
    """The numbers of some slices, from 1, below the columns."""
    painter.setFont(font)
    painter.setPen(QColor(measures.tokens.text3))
    for n in ticks(columns.count, columns.width, measures.tokens.px(NUMBERS_APART)):
        painter.drawText(_place(measures, columns, font, n), _CENTER, str(n + 1))


def draw_here(
    painter: QPainter, measures: Measures, columns: Columns, font: QFont, here: int
) -> None:
    """A line through all lanes and a plate with the number of the slice that is shown."""
    tokens, box = measures.tokens, plate(measures, columns, font, here)
    wide, top = tokens.px(2), measures.top - tokens.px(4)
    stroke = QRect(columns.middle(here) - wide // 2, top, wide, measures.bottom - top)
    painter.fillRect(stroke.adjusted(-1, 0, 1, 0), QColor(tokens.bg))  # a halo on bright labels
    painter.fillRect(stroke, QColor(tokens.text1))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(tokens.text1))
    painter.drawRoundedRect(QRectF(box), 3, 3)
    painter.setFont(font)
    painter.setPen(QColor(tokens.bg))
    painter.drawText(box, _CENTER, str(here + 1))


def plate(measures: Measures, columns: Columns, font: QFont, here: int) -> QRect:
    """Where the number of the slice that is shown stands."""
    return _place(measures, columns, font, here, 2 * measures.tokens.px(6))


def _place(measures: Measures, columns: Columns, font: QFont, n: int, around: int = 2) -> QRect:
    """Below a slice, but no farther out than the strip."""
    wide = QFontMetrics(font).horizontalAdvance(str(n + 1)) + around
    lowest, highest = 1 - measures.side, columns.width + measures.side - 1 - wide
    left = max(min(columns.middle(n) - wide // 2, highest), lowest)
    return QRect(left, measures.bottom, wide, measures.height - measures.bottom)


_CENTER: Final = int(Qt.AlignmentFlag.AlignCenter)
