"""An annotation as a view draws it: lines, places and words in pixels."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from qtpy.QtCore import QPointF, QRectF
from qtpy.QtGui import QFontMetricsF, QPainterPath, QPolygonF

from napari_medlabel.core.annotation import (
    KIND_WORDS,
    Angle,
    Annotation,
    Cuboid,
    Distance,
    EllipseRoi,
    Keypoints,
    OrientedBox,
)
from napari_medlabel.core.annotation_handles import handles
from napari_medlabel.core.annotation_lines import Lines, lines_on
from napari_medlabel.core.annotation_places import corners
from napari_medlabel.core.annotation_section import section_of
from napari_medlabel.core.geometry import FloatArray, Geometry
from napari_medlabel.core.plane import Plane
from napari_medlabel.ui.planes.frame import Frame

__all__ = ["Dot", "Mark", "Place", "mark_of", "plate_size", "shown_words"]

NEAR_SLICES: Final = 1.5  # from a slice's middle: what ends further off is not shown
ARC_PX: Final = 22.0
OFF_PX: Final = 9.0  # from an annotation to its words
PAD_PX: Final = (6.0, 2.0)
REACH_PX: Final = 12.0  # around an annotation: that far something of it is drawn or taken hold of
Words = Callable[[Annotation], str]
Grips = tuple[int, QPointF]


@dataclass(frozen=True, slots=True, eq=False)
class Dot:
    """A keypoint: where, what it is called, and whether it cannot be seen."""

    at: QPointF
    name: str
    hidden: bool
    plate: QRectF


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """What a view draws of one annotation.

    Parameters
    ----------
    annotation
        Whose.
    path
        Its lines.
    faint
        True where it lies on a slice beside, or is only cut by this one: nothing to take hold of.
    grips
        Gives the handles, each with its number: not asked for where they are not shown.
    ends
        Where lines end that are more than a line: of distances and angles.
    dots
        Keypoints.
    words, plate
        What it measures, line by line, and the ground these words stand on.
    reach
        All of that, with what is drawn around it when it is under the pointer.
    """

    annotation: Annotation
    path: QPainterPath
    faint: bool = False
    grips: Callable[[], tuple[Grips, ...]] = tuple
    ends: tuple[QPointF, ...] = ()
    dots: tuple[Dot, ...] = ()
    words: tuple[str, ...] = ()
    plate: QRectF = field(default_factory=QRectF)
    reach: QRectF = field(default_factory=QRectF)


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where marks are drawn: a slice, and the pane that shows it.

    Parameters
    ----------
    plane, frame
        The slice and the pane.
    geometry
        Of the canonical grid.
    metrics
        Of the words' font.
    """

    plane: Plane
    frame: Frame
    geometry: Geometry
    metrics: QFontMetricsF

    def point(self, place: Sequence[float]) -> QPointF:
        """The pixel of a `(row, column)`."""
        return QPointF(*self.frame.px(float(place[0]), float(place[1])))

    def path(self, lines: Iterable[FloatArray]) -> QPainterPath:
        """Lines of `(row, column)` in pixels."""
        frame, path = self.frame, QPainterPath()
        left, top = frame.px(0.0, 0.0)
        steps = (frame.column_px, frame.row_px)
        for line in lines:
            pixels = (line[:, ::-1] * steps + (left, top)).tolist()
            path.addPolygon(QPolygonF([QPointF(x, y) for x, y in pixels]))
        return path


def mark_of(annotation: Annotation, place: Place, words_of: Words) -> Mark | None:
    """How a view draws an annotation; None where it shows nothing of it.

    What lies in a plane is shown by slices of that direction up to one slice away, and as a line
    where slices of the others cut it.
    """
    own = annotation.plane
    if own is not None and own.axis != place.plane.axis:
        return _cut(annotation, place)
    found = lines_on(annotation.shape, place.plane, place.geometry)
    if found is None or not (found.on_slice or _is_near(annotation, place)):
        return None
    shape = annotation.shape
    path = _round(shape, place) if isinstance(shape, EllipseRoi) else place.path(found.lines)
    if not found.on_slice:
        dots = _dots(found, place, named=False)
        return Mark(annotation, path, faint=True, dots=dots, reach=_reach(path, dots, QRectF()))
    dots = _dots(found, place, named=True)
    ends: tuple[QPointF, ...] = ()
    if isinstance(shape, Distance | Angle):
        ends = tuple(at for _n, at in _grips(annotation, place))
        if len(ends) == 3:
            _add_arc(path, ends)
    words = () if isinstance(shape, Keypoints) else shown_words(annotation, words_of(annotation))
    plate = _plate(path, ends, words, place)
    beyond = QRectF()
    if isinstance(shape, OrientedBox):  # the handle that turns it stands off
        beyond = _around(at for _n, at in _grips(annotation, place))
    return Mark(
        annotation, path, grips=lambda: _grips(annotation, place), ends=ends, dots=dots,
        words=words, plate=plate, reach=_reach(path, dots, plate.united(beyond)),
    )  # fmt: skip


def shown_words(annotation: Annotation, measured: str) -> tuple[str, ...]:
    """The lines on an annotation's plate: a name that somebody gave it, then what it measures."""
    named = annotation.name
    given = KIND_WORDS[annotation.kind].casefold()
    automatic = named.casefold().startswith(given) and named[len(given) :].strip().isdigit()
    return (*(() if automatic else (named,)), *measured.splitlines())


def plate_size(words: Sequence[str], metrics: QFontMetricsF) -> tuple[float, float]:
    """Width and height of the ground for some lines of words."""
    wide = max((metrics.horizontalAdvance(one) for one in words), default=0.0)
    return wide + 2.0 * PAD_PX[0], metrics.height() * len(words) + 2.0 * PAD_PX[1]


def _grips(annotation: Annotation, place: Place) -> tuple[Grips, ...]:
    found = handles(annotation.shape, place.plane, place.geometry)
    return tuple((one.number, place.point(one.at)) for one in found)


def _round(shape: EllipseRoi, place: Place) -> QPainterPath:
    area = QRectF(place.point(shape.low), place.point(shape.high)).normalized()
    path = QPainterPath(area.topLeft())
    if area.isEmpty():  # of which Qt draws nothing
        path.lineTo(area.bottomRight())
    else:
        path.addEllipse(area)
    return path


def _is_near(annotation: Annotation, place: Place) -> bool:
    """Whether it ends within a slice of this one."""
    along = corners(annotation.shape, place.geometry)[:, place.plane.axis]
    index = place.plane.index
    return bool(along.min() <= index + NEAR_SLICES and along.max() >= index - NEAR_SLICES)


def _cut(annotation: Annotation, place: Place) -> Mark | None:
    shape = annotation.shape
    if isinstance(shape, Distance | Angle | Cuboid | Keypoints):
        return None
    lines = section_of(shape, place.plane, place.geometry)
    if not lines:
        return None
    path = place.path(lines)
    return Mark(annotation, path, faint=True, reach=_reach(path, (), QRectF()))


def _dots(found: Lines, place: Place, *, named: bool) -> tuple[Dot, ...]:
    made = []
    for at, name, hidden in zip(found.points, found.names, found.hidden, strict=True):
        point = place.point(at)
        plate = QRectF()
        if named:
            wide, high = plate_size((name,), place.metrics)
            plate = _on_pixels(point.x() + OFF_PX, point.y() - high / 2.0, wide, high)
        made.append(Dot(point, name, hidden, plate))
    return tuple(made)


def _plate(
    path: QPainterPath, ends: Sequence[QPointF], words: Sequence[str], place: Place
) -> QRectF:
    """Beside the last end of a line, or at the lower right of a shape; inside the pane."""
    if not words:
        return QRectF()
    wide, high = plate_size(words, place.metrics)
    box = path.boundingRect()
    if ends:
        at = max(ends, key=lambda one: one.x())
        left, top = at.x() + OFF_PX, at.y() - high / 2.0
    else:
        left, top = box.right() + OFF_PX, box.bottom() - high
    pane = QRectF(0.0, 0.0, place.frame.width, place.frame.height)
    if box.intersects(pane.adjusted(-1.0, -1.0, 1.0, 1.0)):
        left = min(max(left, 4.0), max(pane.width() - wide - 4.0, 4.0))
        top = min(max(top, 4.0), max(pane.height() - high - 4.0, 4.0))
    return _on_pixels(left, top, wide, high)


def _on_pixels(left: float, top: float, wide: float, high: float) -> QRectF:
    """A rectangle of whole pixels, which Qt fills at once."""
    return QRectF(round(left), round(top), math.ceil(wide), math.ceil(high))


def _add_arc(path: QPainterPath, points: Sequence[QPointF]) -> None:
    """From one side of an angle to the other; smaller where a side is short."""
    start, vertex, end = points
    sides = [one - vertex for one in (start, end)]
    lengths = [math.hypot(one.x(), one.y()) for one in sides]
    radius = min(ARC_PX, 0.6 * min(lengths))
    if radius < 4.0:
        return
    first, last = (math.degrees(math.atan2(-one.y(), one.x())) for one in sides)
    sweep = (last - first + 180.0) % 360.0 - 180.0
    circle = QRectF(vertex.x() - radius, vertex.y() - radius, 2.0 * radius, 2.0 * radius)
    path.arcMoveTo(circle, first)
    path.arcTo(circle, first, sweep)


def _around(points: Iterable[QPointF]) -> QRectF:
    box = QRectF()
    for point in points:
        box = box.united(QRectF(point.x() - 0.5, point.y() - 0.5, 1.0, 1.0))
    return box


def _reach(path: QPainterPath, dots: Sequence[Dot], others: QRectF) -> QRectF:
    box = path.boundingRect().adjusted(-0.5, -0.5, 0.5, 0.5).united(others)
    for dot in dots:
        box = box.united(dot.plate).united(_around([dot.at]))
    return box.adjusted(-REACH_PX, -REACH_PX, REACH_PX, REACH_PX)
