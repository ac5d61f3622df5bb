"""The first slice of a case, painted the moment it is read, while napari still makes its layers."""

import time

import numpy as np
from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QImage, QPainter, QPaintEvent
from qtpy.QtWidgets import QWidget

from napari_medlabel.core.volume import Volume, Window

__all__ = ["FirstSlice"]

FILLED = 0.95  # of the canvas, as napari's own reset of the view does


class FirstSlice(QWidget):
    """A slice on black, as large and in the same place as the canvas will show it."""

    def __init__(self) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._image = QImage()
        self._size_mm = (1.0, 1.0)
        self.painted_at = 0.0  # by time.perf_counter, for the benchmark

    def show_slice(self, volume: Volume, window: Window) -> None:
        """Paint the middle slice, now."""
        low, high = window.limits
        plane = np.asarray(volume.levels[0][volume.shape[0] // 2], np.float32)
        grey = np.clip((plane - low) * (255.0 / max(high - low, 1e-6)), 0.0, 255.0)
        grey = 255.0 - grey if volume.source.inverted else grey
        pixels = np.ascontiguousarray(grey.astype(np.uint8))
        rows, columns = pixels.shape
        # A copy: QImage looks at memory that is not its own.
        self._image = QImage(
            pixels.data, columns, rows, columns, QImage.Format.Format_Grayscale8
        ).copy()
        _k, j, i = volume.geometry.spacing_mm
        self._size_mm = (columns * i, rows * j)
        self.repaint()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  # Qt's
        """Black, and the slice in its true proportions."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("black"))
        if not self._image.isNull():
            wide, high = self._size_mm
            scale = FILLED * min(self.width() / wide, self.height() / high)
            box = QRectF(0.0, 0.0, wide * scale, high * scale)
            box.moveCenter(QRectF(self.rect()).center())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(box, self._image)
            self.painted_at = time.perf_counter()
        painter.end()
