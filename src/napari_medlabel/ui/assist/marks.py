"""Prompts over a view: clicks as discs with a sign, lines, boxes with handles, outlines."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from qtpy.QtCore import QPointF, QRect, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

from napari_medlabel.core.prompt import Box, Lasso, Point, Prompt, Scribble
from napari_medlabel.ui.assist.box_shape import span_of
from napari_medlabel.ui.planes.plane_view import PlaneView

__all__ = ["paint_prompts", "prompt_rects"]

INCLUDE: Final = QColor("#4CC38A")
EXCLUDE: Final = QColor("#FF7B7B")
WHITE: Final = QColor("#F0F1F2")
HALO: Final = QColor(0, 0, 0, 170)
GROUND: Final = QColor(16, 24, 20, 220)
RADIUS_PX: Final = 8.0
HANDLE_PX: Final = 3.5
DASH: Final = (4.0, 3.0)


def paint_prompts(painter: QPainter, view: PlaneView, prompts: Sequence[Prompt]) -> None:
    """All prompts where they are on the slice shown; boxes elsewhere, too, as thin lines."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for prompt in sorted(prompts, key=lambda one: isinstance(one, Point)):
        _paint(painter, view, prompt)
    painter.restore()


def prompt_rects(view: PlaneView, prompts: Sequence[Prompt]) -> list[QRect]:
    """Where boxes and clicks are on the slice shown, in pixels: what floats keeps clear of them."""
    found = []
    reach = QPointF(RADIUS_PX, RADIUS_PX)
    for prompt in prompts:
        if (
            isinstance(prompt, Box)
            and prompt.low[view.axis] <= view.index <= prompt.high[view.axis]
        ):
            found.append(_area(view, prompt).toAlignedRect())
        elif isinstance(prompt, Point) and prompt.kji[view.axis] == view.index:
            at = view.point(prompt.kji)
            found.append(QRectF(at - reach, at + reach).toAlignedRect())
    return found


def _is_on(view: PlaneView, box: Box) -> bool:
    return box.low[view.axis] <= view.index <= box.high[view.axis]


def _area(view: PlaneView, box: Box) -> QRectF:
    axes = (view.plane.order[1], view.plane.order[2])
    return QRectF(*view.frame.box_px(span_of(box, axes)))


def _paint(painter: QPainter, view: PlaneView, prompt: Prompt) -> None:
    color = INCLUDE if prompt.include else EXCLUDE
    if isinstance(prompt, Point):
        if prompt.kji[view.axis] == view.index:
            _disc(painter, view.point(prompt.kji), color, plus=prompt.include)
    elif isinstance(prompt, Box):
        _box(painter, view, prompt)
    elif isinstance(prompt, Scribble):
        _line(painter, view, prompt, color)
    else:
        _outline(painter, view, prompt, color)


def _disc(painter: QPainter, at: QPointF, color: QColor, *, plus: bool) -> None:
    painter.setPen(QPen(HALO, 3.5))
    painter.setBrush(GROUND)
    painter.drawEllipse(at, RADIUS_PX, RADIUS_PX)
    painter.setPen(QPen(color, 1.8))
    painter.drawEllipse(at, RADIUS_PX, RADIUS_PX)
    reach = RADIUS_PX / 2.0
    painter.drawLine(at - QPointF(reach, 0.0), at + QPointF(reach, 0.0))
    if plus:
        painter.drawLine(at - QPointF(0.0, reach), at + QPointF(0.0, reach))


def _box(painter: QPainter, view: PlaneView, box: Box) -> None:
    area = _area(view, box)
    here = _is_on(view, box)
    color = WHITE if box.include else EXCLUDE
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if not here:
        color = QColor(color)
        color.setAlpha(120)
    painter.setPen(QPen(HALO, 3.0 if here else 2.0))
    painter.drawRect(area)
    pen = QPen(color, 1.6 if here else 1.0)
    pen.setDashPattern(DASH)
    painter.setPen(pen)
    painter.drawRect(area)
    if not here:
        return
    painter.setPen(QPen(HALO, 1.5))
    painter.setBrush(color)
    corners = (area.topLeft(), area.topRight(), area.bottomLeft(), area.bottomRight())
    for corner in corners:
        reach = QPointF(HANDLE_PX, HANDLE_PX)
        painter.drawRect(QRectF(corner - reach, corner + reach))


def _line(painter: QPainter, view: PlaneView, prompt: Scribble, color: QColor) -> None:
    """The runs of a line that are on the slice; single voxels where it passes through."""
    path = QPainterPath()
    drawing = False
    for kji in prompt.kji:
        if kji[view.axis] != view.index:
            drawing = False
            continue
        at = view.point(kji)
        if drawing:
            path.lineTo(at)
        else:
            path.moveTo(at)
            path.lineTo(at + QPointF(0.01, 0.0))  # a voxel by itself is a dot
            drawing = True
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for shade, width in ((HALO, 5.5), (color, 3.0)):
        painter.setPen(QPen(shade, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap,
                            Qt.PenJoinStyle.RoundJoin))  # fmt: skip
        painter.drawPath(path)


def _outline(painter: QPainter, view: PlaneView, prompt: Lasso, color: QColor) -> None:
    axis, index = prompt.plane
    if axis != view.axis or index != view.index:
        return
    corners = np.asarray(prompt.kji, float)[:, list(view.plane.order[1:])]
    points = [QPointF(*view.frame.px(row, column)) for row, column in corners]
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(HALO, 3.5))
    painter.drawPolygon(QPolygonF(points))
    painter.setPen(QPen(color, 1.6))
    painter.drawPolygon(QPolygonF(points))
