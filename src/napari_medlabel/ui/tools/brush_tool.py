"""Paint and erase: a disc or ball in millimetres, shown as the very voxels it will cover."""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath

from napari_medlabel.ui import brush
from napari_medlabel.ui.planes import marks
from napari_medlabel.ui.planes.plane_view import Kji, PlaneView
from napari_medlabel.ui.strokes import Stroke, settings_of

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["BrushTool", "brush_outline"]

SMALL_PX = 3.0  # a ring smaller than that gets a cross around it
WHITE = QColor("#F0F1F2")


class BrushTool:
    """Draws with the segment in hand, or takes away.

    Parameters
    ----------
    drawing
        Where it draws.
    erase
        True to take away.
    """

    def __init__(self, drawing: "Drawing", *, erase: bool) -> None:
        self._drawing, self._erase = drawing, erase
        self.words = "Erase" if erase else "Paint"
        self.cursor = Qt.CursorShape.BlankCursor
        self._stroke: Stroke | None = None
        self._over: tuple[PlaneView, Kji] | None = None
        self._ring_at: QRectF | None = None

    @property
    def size_mm(self) -> float:
        """Diameter: erasing keeps its own."""
        choices = self._drawing.choices
        return choices.erase_mm if self._erase else choices.brush_mm

    @property
    def under_way(self) -> bool:
        """True while a stroke is under the hand: Esc takes it back."""
        return self._stroke is not None

    def finish(self) -> bool:
        """It ends where the hand is lifted, not by a key."""
        return False

    def step_back(self) -> bool:
        """A stroke has no corners."""
        return False

    def press(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:  # noqa: ARG002
        """Begin a stroke; nothing where nobody may draw."""
        drawing = self._drawing
        if drawing.read_only:
            return
        if view.sight.holds(at):
            drawing.tools.clicked(view.sight.nearest(at))
        drawing.layers.over = drawing.tools.paint_over(erase=self._erase)
        self._stroke = self._new_stroke(view)
        self._stroke.to(at)
        self._follow(view, at)

    def _new_stroke(self, view: PlaneView) -> Stroke:
        drawing, value = self._drawing, self._drawing.choices.active
        group = drawing.case.segmentation.group_of(value)
        return Stroke(
            drawing.layers, group, 0 if self._erase else value, view.axis, self.size_mm,
            ball=drawing.choices.ball, spacing_mm=drawing.case.volume.geometry.spacing_mm,
            told=drawing.sight.tell_labels,
        )  # fmt: skip

    def drag(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:  # noqa: ARG002
        """Go on."""
        if self._stroke is not None:
            self._stroke.to(at)
        self._follow(view, at)

    def release(self, view: PlaneView, at: Kji, keys: Qt.KeyboardModifier) -> None:  # noqa: ARG002
        """The stroke becomes one edit."""
        stroke, self._stroke = self._stroke, None
        if stroke is not None and stroke.box is not None:
            settings = settings_of(stroke) | self._drawing.tools.mask_settings
            self._drawing.layers.finish_stroke(stroke.group, stroke.box, self.words, settings)
        else:
            self._drawing.layers.end_blocked()
        self._follow(view, at)

    def hover(self, view: PlaneView, at: Kji | None, keys: Qt.KeyboardModifier) -> None:
        """Show what would be covered here."""
        hidden = at is None or bool(keys & Qt.KeyboardModifier.ShiftModifier)
        self._follow(view, None if hidden else at)

    def double_click(self, view: PlaneView, at: Kji) -> bool:  # noqa: ARG002
        """Two dabs."""
        return False

    def cancel(self) -> bool:
        """Take the stroke under the hand back."""
        stroke, self._stroke = self._stroke, None
        if stroke is None:
            return False
        if stroke.box is not None:
            self._drawing.layers.take_back(stroke.group, stroke.box)
        return True

    # The ring

    def _follow(self, view: PlaneView, at: Kji | None) -> None:
        before = self._over
        self._over = None if at is None else (view, at)
        if before is not None and before[0] is not view:
            before[0].update()
        area = self._area(view)
        dirty = area if self._ring_at is None else area.united(self._ring_at)
        self._ring_at = area
        view.update(dirty.toAlignedRect().adjusted(-4, -4, 4, 4))

    def _area(self, view: PlaneView) -> QRectF:
        if self._over is None:
            return QRectF()
        reach = self.size_mm * view.frame.zoom / 2.0 + 24.0
        middle = view.point(self._over[1])
        return QRectF(middle.x() - reach, middle.y() - reach, 2.0 * reach + 90.0, 2.0 * reach)

    def paint(self, view: PlaneView, painter: QPainter) -> None:
        """The outline of the voxels that would be covered, and the size in words."""
        if self._over is None or self._over[0] is not view:
            return
        at = self._over[1]
        centre = [round(float(n)) for n in at]
        middle = view.point((centre[0], centre[1], centre[2]))
        spacing = (view.frame.row_mm, view.frame.column_mm)
        path = brush_outline(self.size_mm, spacing, view.frame.row_px, view.frame.column_px)
        painter.save()
        painter.translate(middle)
        masked = self._drawing.case.segmentation.intensity_mask is not None
        active = self._drawing.active_rgb
        color = WHITE if self._erase or active is None else QColor.fromRgbF(*active).lighter(130)
        marks.ring(painter, path, dashed=masked, color=color)
        if self.size_mm * view.frame.zoom / 2.0 < SMALL_PX:
            _cross(painter)
        painter.restore()
        if self._drawing.tools.size_shown:
            self._words(painter, view, middle)

    def _words(self, painter: QPainter, view: PlaneView, middle: QPointF) -> None:
        font = marks.font_of(view, 12.0)
        shown = f"{self.size_mm:.1f} mm"
        metrics = QFontMetricsF(font)
        left = middle.x() + self.size_mm * view.frame.zoom / 2.0 + 10.0
        area = QRectF(left - 5.0, middle.y() - metrics.height() / 2.0 - 1.0,
                      metrics.horizontalAdvance(shown) + 10.0, metrics.height() + 2.0)  # fmt: skip
        marks.plate(painter, area)
        painter.setFont(font)
        painter.setPen(WHITE)
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, shown)


@lru_cache(maxsize=64)
def brush_outline(
    size_mm: float, spacing_mm: tuple[float, float], row_px: float, column_px: float
) -> QPainterPath:
    """The border of a brush's voxels around its centre, in pixels."""
    disc = np.pad(brush.footprint(size_mm, spacing_mm), 1)
    rows, columns = (n // 2 for n in disc.shape)
    path = QPainterPath()
    for row, column in np.argwhere(disc[1:] != disc[:-1]):
        y = (row + 0.5 - rows) * row_px
        path.moveTo((column - 0.5 - columns) * column_px, y)
        path.lineTo((column + 0.5 - columns) * column_px, y)
    for row, column in np.argwhere(disc[:, 1:] != disc[:, :-1]):
        x = (column + 0.5 - columns) * column_px
        path.moveTo(x, (row - 0.5 - rows) * row_px)
        path.lineTo(x, (row + 0.5 - rows) * row_px)
    return path


def _cross(painter: QPainter) -> None:
    path = QPainterPath()
    for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        path.moveTo(5.0 * x, 5.0 * y)
        path.lineTo(11.0 * x, 11.0 * y)
    marks.ring(painter, path)
