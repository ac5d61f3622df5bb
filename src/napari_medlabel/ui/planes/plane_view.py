"""One linked view of an open case: an axial, coronal or sagittal slice with all that lies on it."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QEvent, QPointF, QRect, QRectF, Qt
from qtpy.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from qtpy.QtWidgets import QWidget

from napari_medlabel.core.geometry import Index
from napari_medlabel.ui._napari_compat import Box
from napari_medlabel.ui.planes import marks
from napari_medlabel.ui.planes.colors import colored
from napari_medlabel.ui.planes.frame import Frame
from napari_medlabel.ui.planes.greys import Rect, greys, hatched, slice_of, tinted
from napari_medlabel.ui.planes.own_window import give_own_window
from napari_medlabel.ui.planes.spans import paint_spans
from napari_medlabel.ui.sight import Sight, plane_shape
from napari_medlabel.ui.views import PLANES

__all__ = ["Hand", "PlaneView"]

Kji = tuple[float, float, float]
MARGIN_PX = 4  # around what a stroke changed: borders of neighbours move too


class Hand(Protocol):
    """Who acts on mouse events in a view, and draws what is under way."""

    def pressed(self, view: "PlaneView", event: QMouseEvent) -> None:
        """A button went down."""

    def moved(self, view: "PlaneView", event: QMouseEvent) -> None:
        """The pointer moved, with or without a button."""

    def released(self, view: "PlaneView", event: QMouseEvent) -> None:
        """A button came up."""

    def double_clicked(self, view: "PlaneView", event: QMouseEvent) -> None:
        """Twice at once."""

    def wheeled(self, view: "PlaneView", event: QWheelEvent) -> None:
        """The wheel turned."""

    def left(self, view: "PlaneView") -> None:
        """The pointer is gone."""

    def paint(self, view: "PlaneView", painter: QPainter) -> None:
        """Draw a brush ring, an outline under way, a measure."""


class PlaneView(QWidget):
    """Paints one plane of what a `Sight` looks at; mouse events go to a hand.

    Parameters
    ----------
    number
        Which of `PLANES`.
    sight
        Where and how one looks.
    hand
        Who acts.
    """

    def __init__(self, number: int, sight: Sight, hand: Hand) -> None:
        super().__init__()
        self.number, self.plane = number, PLANES[number]
        self.sight, self._hand = sight, hand
        self.axis, self._row_axis, self._column_axis = self.plane.order
        rows, columns = plane_shape(sight.shape, number)
        spacing = sight.case.volume.geometry.spacing_mm
        self.frame = Frame(
            rows, columns, spacing[self._row_axis], spacing[self._column_axis],
            upwards=self.plane.orientation[0] == "up",
        ).fitted()  # fmt: skip
        self.active = False
        self._grey: QImage | None = None
        self._grey_of: object = None
        self._tint: QImage | None = None
        self._tint_of: tuple[object, ...] = ()
        self._slices: dict[int, npt.NDArray[Any]] = {}
        self._slices_at = -1
        self._painted: tuple[object, list[tuple[QImage, Rect]]] | None = None
        self._version = 0
        self.painted_times = 0
        self.setObjectName(f"medlabel_{self.plane.name.lower()}")
        self.setAccessibleName(f"{self.plane.name} view")
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setMinimumSize(80, 80)
        give_own_window(self)
        sight.moved.connect(self._moved)
        sight.changed.connect(self._all_changed)
        sight.labels_changed.connect(self._labels_changed)

    # Places

    @property
    def index(self) -> int:
        """Which slice is shown."""
        return self.sight.position[self.axis]

    def kji(self, where: QPointF) -> Kji:
        """The voxel under a pixel, in fractions; it may lie outside."""
        row, column = self.frame.place(where.x(), where.y())
        return self.voxel(row, column)

    def voxel(self, row: float, column: float) -> Kji:
        """Row and column of the slice shown as k, j, i."""
        found = [0.0, 0.0, 0.0]
        found[self.axis] = float(self.index)
        found[self._row_axis], found[self._column_axis] = row, column
        return (found[0], found[1], found[2])

    def point(self, kji: Kji | Index) -> QPointF:
        """Where a voxel's centre is in this view, seen along the axis."""
        return QPointF(*self.frame.px(kji[self._row_axis], kji[self._column_axis]))

    def holds(self, where: QPointF) -> bool:
        """True where there is a voxel under the pixel."""
        return self.frame.holds(*self.frame.place(where.x(), where.y()))

    def set_frame(self, frame: Frame) -> None:
        """Show another part, larger or smaller."""
        if frame != self.frame:
            self.frame = frame
            self.update()

    def fit(self) -> None:
        """All of the slice."""
        self.set_frame(self.frame.fitted())

    def set_active(self, *, on: bool) -> None:
        """Mark the view that keys act on."""
        if on != self.active:
            self.active = on
            self.update()

    # What it is told

    def _moved(self, new: Index, old: Index) -> None:
        if new[self.axis] != old[self.axis] or self.sight.look.crosshair:
            self.update()

    def _all_changed(self) -> None:
        self._version += 1
        self.update()

    def slices_came(self) -> None:
        """The image has slices that it had not."""
        self._grey = None
        self.update()

    def _labels_changed(self, box: Box | None) -> None:
        # Not of the slice shown alone: another may still be kept, and come back before a repaint.
        if box is None or box[self.axis].start <= self._slices_at < box[self.axis].stop:
            self._slices.clear()
            self._painted = None
        if box is not None and not box[self.axis].start <= self.index < box[self.axis].stop:
            return
        if box is None:
            self.update()
            return
        rows, columns = box[self._row_axis], box[self._column_axis]
        x, y, width, height = self.frame.box_px(
            (rows.start, rows.stop, columns.start, columns.stop)
        )
        area = QRectF(x, y, width, height).toAlignedRect()
        self.update(area.adjusted(-MARGIN_PX, -MARGIN_PX, MARGIN_PX, MARGIN_PX))

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's
        """Black, image, second image, labels, preview; then lines and words over it."""
        painter = QPainter(self)
        part = event.rect()
        painter.setClipRect(part)
        painter.fillRect(part, QColor("black"))
        self._paint_image(painter)
        if self.sight.look.overlays:
            self._paint_overlay(painter)
            self._paint_labels(painter, part)
            self._paint_proposal(painter, part)
        marks.crosshair(painter, self)
        paint_spans(painter, self, self.sight.spans)
        self._hand.paint(self, painter)
        marks.words(painter, self)
        if self.active:
            marks.border(painter, self)
        painter.end()
        self.painted_times += 1

    def _paint_image(self, painter: QPainter) -> None:
        layers = self.sight.layers
        window, inverted = layers.window, layers.inverted
        shown = (self.index, window.limits, inverted)
        if self._grey is None or self._grey_of != shown:
            plane = slice_of(self.sight.image, self.axis, self.index)
            self._grey = _grey_image(greys(plane, window, inverted=inverted))
            self._grey_of = shown
        self._draw_plane(painter, self._grey)

    def _paint_overlay(self, painter: QPainter) -> None:
        overlay = self.sight.overlay
        if overlay is None or not overlay.shown:
            self._tint, self._tint_of = None, ()  # it holds on to the values
            return
        shown = (self.index, overlay.values, overlay.limits, overlay.colormap)
        if self._tint is None or not _is_same(self._tint_of, shown):
            plane = slice_of(overlay.values, self.axis, self.index)
            self._tint = _color_image(colored(plane, overlay.limits, overlay.colormap))
            self._tint_of = shown
        painter.setOpacity(overlay.opacity)
        self._draw_plane(painter, self._tint)
        painter.setOpacity(1.0)

    def _draw_plane(self, painter: QPainter, image: QImage) -> None:
        fine = self.frame.zoom * min(self.frame.row_mm, self.frame.column_mm) < 12.0
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, fine)
        area = QRectF(*self.frame.box_px(self.frame.whole))
        if not self.frame.upwards:
            painter.drawImage(area, image)
            return
        painter.save()
        painter.translate(0.0, 2.0 * area.center().y())
        painter.scale(1.0, -1.0)
        painter.drawImage(area, image)
        painter.restore()

    def _labels_here(self) -> list[npt.NDArray[Any]]:
        if self._slices_at != self.index:
            self._slices.clear()
            self._slices_at = self.index
        for n, array in enumerate(self.sight.arrays):
            if n not in self._slices:
                self._slices[n] = slice_of(array, self.axis, self.index)
        return list(self._slices.values())

    def _paint_labels(self, painter: QPainter, part: QRect) -> None:
        ratio = self.devicePixelRatioF()
        palette = self.sight.palette
        whole = part == self.rect()
        key = (self.index, self.frame, palette, self._version)
        if self._painted is not None and self._painted[0] == key:
            pictures = self._painted[1]
        else:
            rect = (part.x(), part.y(), part.width(), part.height())
            made = [tinted(one, self.frame, rect, palette, ratio) for one in self._labels_here()]
            pictures = [(_color_image(found[0]), found[1]) for found in made if found]
            if whole:
                self._painted = (key, pictures)
        _draw_pixels(painter, pictures, ratio)

    def _paint_proposal(self, painter: QPainter, part: QRect) -> None:
        proposal = self.sight.proposal
        if proposal is None:
            return
        mask = proposal.slice_of(self.axis, self.index, (self.frame.rows, self.frame.columns))
        if mask is None:
            return
        label = self.sight.case.segmentation.schema.get(proposal.value)
        rgb = (1.0, 1.0, 1.0) if label is None else label.rgb
        rect, ratio = (part.x(), part.y(), part.width(), part.height()), self.devicePixelRatioF()
        found = hatched(mask, self.frame, rect, rgb, ratio)
        if found is not None:
            _draw_pixels(painter, [(_color_image(found[0]), found[1])], ratio)

    # Qt's events

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Keep what was in sight there."""
        self.frame = self.frame.sized(event.size().width(), event.size().height())

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """To the hand."""
        self._hand.pressed(self, event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """To the hand."""
        self._hand.moved(self, event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """To the hand."""
        self._hand.released(self, event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """To the hand."""
        self._hand.double_clicked(self, event)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """To the hand."""
        self._hand.wheeled(self, event)
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        """To the hand, unless the case is being closed: the hand is gone then."""
        if self.isVisible():
            self._hand.left(self)
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Left to the window."""
        event.ignore()


def _is_same(old: tuple[object, ...], new: tuple[object, ...]) -> bool:
    """Arrays are the same where they are one: two have no one equality."""
    return len(old) == len(new) and all(
        a is b or (not isinstance(a, np.ndarray) and a == b) for a, b in zip(old, new, strict=True)
    )


def _grey_image(pixels: npt.NDArray[np.uint8]) -> QImage:
    rows, columns = pixels.shape
    image = QImage(pixels.data, columns, rows, columns, QImage.Format.Format_Grayscale8)
    return image.copy()  # QImage looks at memory that is not its own


def _color_image(pixels: npt.NDArray[np.uint32]) -> QImage:
    rows, columns = pixels.shape
    kind = QImage.Format.Format_ARGB32_Premultiplied
    return QImage(pixels.data, columns, rows, 4 * columns, kind).copy()


def _draw_pixels(painter: QPainter, pictures: list[tuple[QImage, Rect]], ratio: float) -> None:
    """Pixels of the screen where they belong, none of them stretched."""
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, on=False)
    for image, (left, top, width, height) in pictures:
        area = QRectF(left / ratio, top / ratio, width / ratio, height / ratio)
        painter.drawImage(area, image)
