"""Lines with words over a view, between two places in the volume: an axis of a segment."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFontMetricsF, QPainter, QPen

from napari_medlabel.ui.planes.marks import font_of, plate

if TYPE_CHECKING:
    from napari_medlabel.ui.planes.plane_view import PlaneView

__all__ = ["Span", "paint_spans"]

END_PX = 4.0
WHITE = QColor("#F0F1F2")


@dataclass(frozen=True, slots=True)
class Span:
    """A line from one place to another, k, j, i in fractions."""

    begin: tuple[float, float, float]
    end: tuple[float, float, float]
    words: str


def paint_spans(painter: QPainter, view: "PlaneView", spans: tuple[Span, ...]) -> None:
    """Draw those that pass through the slice; dashed where they leave it."""
    for span in spans:
        low, high = sorted((span.begin[view.axis], span.end[view.axis]))
        if not low - 0.5 <= view.index <= high + 0.5:
            continue
        a, b = view.point(span.begin), view.point(span.end)
        within = high - low < 1.0
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        style = Qt.PenStyle.SolidLine if within else Qt.PenStyle.DashLine
        for color, width in ((QColor(0, 0, 0, 170), 4.0), (WHITE, 1.6)):
            painter.setPen(QPen(color, width, style))
            painter.drawLine(a, b)
            painter.setPen(QPen(color, width))
            for end in (a, b):
                _end(painter, end, b - a)
        _say(painter, view, b if b.x() >= a.x() else a, span.words)


def _end(painter: QPainter, end: QPointF, along: QPointF) -> None:
    """A short line across an end."""
    length = max((along.x() ** 2 + along.y() ** 2) ** 0.5, 1e-6)
    across = QPointF(-along.y(), along.x()) * (END_PX / length)
    painter.drawLine(end - across, end + across)


def _say(painter: QPainter, view: "PlaneView", at: QPointF, words: str) -> None:
    """The words beside the right end, within the view."""
    font = font_of(view, 12.0, bold=False)
    metrics = QFontMetricsF(font)
    wide, high = metrics.horizontalAdvance(words) + 10.0, metrics.height() + 4.0
    left = min(max(at.x() + 8.0, 4.0), view.width() - wide - 4.0)
    top = min(max(at.y() - high / 2.0, 4.0), view.height() - high - 4.0)
    area = QRectF(left, top, wide, high)
    plate(painter, area)
    painter.setFont(font)
    painter.setPen(WHITE)
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, words)
