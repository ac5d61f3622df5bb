"""Paints marks of annotations over a view: a line with a halo, handles, words on a plate."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPen

from napari_medlabel.ui.annotations.mark import PAD_PX, Dot, Mark
from napari_medlabel.ui.planes.marks import PLATE

__all__ = ["Lit", "paint_marks"]

HALO: Final = QColor(0, 0, 0)  # opaque: Qt takes three times as long to blend lines
WHITE: Final = QColor("#F0F1F2")
INK: Final = QColor("#18191E")
LINE_PX, LIT_PX, HALO_PX = 1.5, 2.2, 3.2
END_PX, GRIP_PX, HELD_PX, DOT_PX = 2.2, 3.6, 5.2, 3.6
CURVE: Final = QPainter.RenderHint.Antialiasing


@dataclass(frozen=True, slots=True)
class Lit:
    """What stands out.

    Parameters
    ----------
    chosen
        The id of the annotation that is chosen: its line is stronger and its handles are shown.
    held
        Id and number of the handle under the pointer.
    gripped
        Whether the handles of all are shown.
    sparse
        Whether only the chosen one has words: in a small view they would hide the image.
    """

    chosen: str = ""
    held: tuple[str, int] | None = None
    gripped: bool = False
    sparse: bool = False

    def has_words(self, mark: Mark) -> bool:
        """Whether what it measures is shown."""
        return not self.sparse or mark.annotation.id == self.chosen


def paint_marks(painter: QPainter, marks: Iterable[Mark], font: QFont, lit: Lit) -> None:
    """Paint marks over a view, the later over the earlier, with words in a font."""
    painter.setRenderHint(CURVE)
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    for mark in marks:
        if mark.faint:
            _paint_faint(painter, mark)
            continue
        chosen = mark.annotation.id == lit.chosen
        color = _color(mark.annotation.color)
        _paint_line(painter, mark, color, LIT_PX if chosen else LINE_PX)
        told = lit.has_words(mark)
        for dot in mark.dots:
            _paint_dot(painter, dot, color, metrics if told else None)
        if chosen or lit.gripped or (lit.held and lit.held[0] == mark.annotation.id):
            _paint_grips(painter, mark, color, lit.held)
        if mark.words and told:
            _paint_plate(painter, mark.plate, mark.words, metrics, color if chosen else None)


@lru_cache(maxsize=256)
def _color(name: str, alpha: float = 1.0) -> QColor:
    color = QColor(name)
    color.setAlphaF(alpha)
    return color


def _paint_line(painter: QPainter, mark: Mark, color: QColor, width: float) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(HALO, width + HALO_PX - LINE_PX))
    painter.drawPath(mark.path)
    painter.setPen(QPen(color, width))
    painter.drawPath(mark.path)
    if mark.ends:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        for end in mark.ends:
            painter.drawEllipse(end, END_PX, END_PX)


def _paint_faint(painter: QPainter, mark: Mark) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    pen = QPen(_color(mark.annotation.color, 0.75), 1.0)  # wider dots take Qt 80 times as long
    pen.setDashPattern([1.0, 3.0])
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    painter.setPen(pen)
    painter.drawPath(mark.path)
    painter.setPen(QPen(_color(mark.annotation.color, 0.6), 1.0))
    for dot in mark.dots:
        painter.drawEllipse(dot.at, DOT_PX, DOT_PX)


def _paint_dot(painter: QPainter, dot: Dot, color: QColor, metrics: QFontMetricsF | None) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush if dot.hidden else QBrush(color))
    painter.setPen(QPen(HALO, 3.0))
    painter.drawEllipse(dot.at, DOT_PX + 0.7, DOT_PX + 0.7)
    pen = QPen(color, 1.4)
    if dot.hidden:
        pen.setDashPattern([1.6, 1.6])
    painter.setPen(pen)
    painter.drawEllipse(dot.at, DOT_PX, DOT_PX)
    if metrics is not None:
        _paint_plate(painter, dot.plate, (dot.name,), metrics, None)


def _paint_grips(
    painter: QPainter, mark: Mark, color: QColor, held: tuple[str, int] | None
) -> None:
    for number, at in mark.grips():
        over = held == (mark.annotation.id, number)
        size = HELD_PX if over else GRIP_PX
        painter.setPen(QPen(INK, 1.0))
        painter.setBrush(color if over else WHITE)
        painter.drawEllipse(at, size, size)


def _paint_plate(
    painter: QPainter, area: QRectF, words: tuple[str, ...], metrics: QFontMetricsF,
    border: QColor | None,
) -> None:  # fmt: skip
    painter.setPen(Qt.PenStyle.NoPen if border is None else QPen(border, 1.0))
    painter.setBrush(PLATE)
    painter.drawRoundedRect(area, 4.0, 4.0)
    painter.setPen(WHITE)
    for n, line in enumerate(words):
        y = area.y() + PAD_PX[1] + metrics.ascent() + n * metrics.height()
        painter.drawText(QPointF(area.x() + PAD_PX[0], y), line)
