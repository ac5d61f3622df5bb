"""What is painted over the 3D view: its name, a compass of the patient's directions, words."""

from typing import Final

import numpy as np
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPaintEvent, QPen
from qtpy.QtWidgets import QWidget

from napari_medlabel.ui.surface_camera import LETTERS, Camera

__all__ = ["SurfaceOverlay"]

_LETTER: Final = "#FFE9A8"
_PLATE: Final = QColor(0, 0, 0, 153)
_ARM_PX: Final = 24.0


class SurfaceOverlay(QWidget):
    """A clear sheet over the canvas that lets the mouse through."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._camera = Camera()
        self._scale = 1.0
        self._words = ""

    def set_camera(self, camera: Camera) -> None:
        """Turn the compass."""
        turned = not np.array_equal(camera.axes, self._camera.axes)
        self._camera = camera
        if turned:
            self.update()

    def set_words(self, words: str) -> None:
        """What is said in the middle of an empty view; nothing for nothing."""
        if words != self._words:
            self._words = words
            self.update()

    def set_scale(self, scale: float) -> None:
        """Follow the font."""
        self._scale = scale
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        """Paint all of it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_name(painter)
        self._paint_compass(painter)
        if self._words:
            painter.setFont(self._font(12.0))
            painter.setPen(QColor("#949BA8"))
            room = self.rect().adjusted(24, 24, -24, -24)
            painter.drawText(room, _MIDDLE, self._words)
        painter.end()

    def _paint_name(self, painter: QPainter) -> None:
        strong, plain = self._font(12.0, QFont.Weight.DemiBold), self._font(12.0)
        first, second = QFontMetricsF(strong), QFontMetricsF(plain)
        left, gap = 12.0 * self._scale, second.horizontalAdvance(" ")
        wide = first.horizontalAdvance("3D") + gap + second.horizontalAdvance("surface")
        plate = QRectF(left - 4.0, 7.0 * self._scale, wide + 8.0, first.height() + 4.0)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_PLATE)
        painter.drawRoundedRect(plate, 3.0, 3.0)
        base = plate.top() + 2.0 + first.ascent()
        painter.setPen(QColor("#F0F1F2"))
        painter.setFont(strong)
        painter.drawText(QPointF(left, base), "3D")
        painter.setPen(QColor("#BCC1CA"))
        painter.setFont(plain)
        painter.drawText(QPointF(left + first.horizontalAdvance("3D") + gap, base), "surface")

    def _paint_compass(self, painter: QPainter) -> None:
        """Three axes with letters; those that point away are fainter."""
        arm = _ARM_PX * self._scale
        middle = QPointF(arm + 18.0 * self._scale, self.height() - arm - 18.0 * self._scale)
        font = self._font(12.0, QFont.Weight.Bold)
        ends = {
            letter: self._camera.axes @ np.asarray(way) for letter, way in LETTERS.items()
        }  # fmt: skip
        for letter, (right, up, towards) in sorted(ends.items(), key=lambda end: end[1][2]):
            if np.hypot(right, up) < 0.25:
                continue  # it points at the eye, or away: nothing to read
            color = QColor(_LETTER)
            color.setAlphaF(0.45 if towards < -0.3 else 1.0)
            tip = middle + QPointF(right * arm, -up * arm)
            painter.setPen(QPen(QColor(255, 255, 255, 90), 1.0))
            painter.drawLine(middle + (tip - middle) * 0.12, middle + (tip - middle) * 0.66)
            _halo(painter, letter, tip, font, color)

    def _font(self, size: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(max(1, round(size * self._scale)))
        font.setWeight(weight)
        return font


_MIDDLE: Final = Qt.AlignmentFlag.AlignCenter.value | Qt.TextFlag.TextWordWrap.value


def _halo(painter: QPainter, letter: str, middle: QPointF, font: QFont, color: QColor) -> None:
    """A letter around a point, with a black edge that reads on anything."""
    path = QPainterPath()
    path.addText(0.0, 0.0, font, letter)
    path.translate(middle - path.boundingRect().center())
    edge = QColor(0, 0, 0)
    edge.setAlphaF(color.alphaF())
    painter.strokePath(path, QPen(edge, 3.0))
    painter.fillPath(path, color)
