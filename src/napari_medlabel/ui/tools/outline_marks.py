"""An outline under way, as it is painted over its view: line, corners, and the area it will be."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QBrush, QColor, QPainter, QPainterPath, QPen, QPolygonF

from napari_medlabel.core.plane import RowColumn
from napari_medlabel.ui.planes import marks
from napari_medlabel.ui.planes.plane_view import PlaneView

__all__ = ["NEAR_PX", "REACH_PX", "corners", "enclosed", "line", "path_through"]

NEAR_PX: Final = 8.0  # a click so near to the first corner closes
REACH_PX: Final = 12  # how far marks reach beyond their places
HALF_PX: Final = 3.0
HALO: Final = QColor(0, 0, 0, 160)


def path_through(view: PlaneView, places: Sequence[RowColumn]) -> QPainterPath:
    """Straight lines from place to place."""
    path = QPainterPath()
    if len(places):
        frame = view.frame
        left, top = frame.px(0.0, 0.0)
        steps = np.asarray(places, np.float64)[:, ::-1] * (frame.column_px, frame.row_px)
        points = steps + np.array([left, top])  # hundreds of them along an edge, at each move
        path.addPolygon(QPolygonF([QPointF(x, y) for x, y in points.tolist()]))
    return path


def enclosed(painter: QPainter, path: QPainterPath, color: QColor) -> None:
    """The area that closing would give: tinted and hatched, as no label is."""
    area = QPainterPath(path)
    area.closeSubpath()
    tint, stripes = QColor(color), QColor(color)
    tint.setAlpha(36)
    stripes.setAlpha(120)
    painter.fillPath(area, tint)
    painter.fillPath(area, QBrush(stripes, Qt.BrushStyle.BDiagPattern))


def line(painter: QPainter, path: QPainterPath, color: QColor, *, dashed: bool = False) -> None:
    """A line that is seen on black and on white."""
    marks.ring(painter, path, dashed=dashed, color=color)


def corners(
    painter: QPainter, view: PlaneView, places: Sequence[RowColumn], color: QColor, *,
    closing: bool,
) -> None:  # fmt: skip
    """A small square at each corner; the first is a disc, filled where a click would close."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(HALO, 1.0))
    painter.setBrush(color)
    for place in places[1:]:
        x, y = view.frame.px(*place)
        painter.drawRect(QRectF(x - HALF_PX, y - HALF_PX, 2.0 * HALF_PX, 2.0 * HALF_PX))
    if not places:
        return
    first, reach = QPointF(*view.frame.px(*places[0])), HALF_PX + (3.0 if closing else 1.5)
    painter.setPen(QPen(HALO, 3.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(first, reach, reach)
    painter.setPen(QPen(color, 1.5))
    painter.setBrush(color if closing else QColor(0, 0, 0, 120))
    painter.drawEllipse(first, reach, reach)
