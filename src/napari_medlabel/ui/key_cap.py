"""A key cap, painted."""

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QFontMetrics, QPainter

from napari_medlabel.ui.theme import Tokens

__all__ = ["paint_cap", "sized"]


def sized(base: QFont, pixels: int, *, strong: bool = False) -> QFont:
    """The font in another size."""
    font = QFont(base)
    font.setPixelSize(pixels)
    if strong:
        font.setWeight(QFont.Weight.DemiBold)
    return font


def paint_cap(painter: QPainter, end: QPointF, key: str, base: QFont, tokens: Tokens) -> float:
    """Paint a cap whose right side has its middle at `end`; return where it begins."""
    font = sized(base, tokens.px(11))
    metrics = QFontMetrics(font)
    wide = max(metrics.horizontalAdvance(key) + tokens.px(8), tokens.px(15))
    high = tokens.px(16)
    box = QRectF(end.x() - wide, end.y() - high / 2 + 1, wide, high)
    shape = box.adjusted(0.5, 0.5, -0.5, -0.5)
    painter.setPen(QColor(tokens.line2))
    painter.setBrush(QColor(tokens.bg2))
    painter.drawRoundedRect(shape, 3, 3)
    lower = shape.bottom() - 1.0
    painter.drawLine(QPointF(shape.left() + 2, lower), QPointF(shape.right() - 2, lower))
    painter.setPen(QColor(tokens.text2))
    painter.setFont(font)
    painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), key)
    return float(box.left())
