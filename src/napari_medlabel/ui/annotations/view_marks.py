"""What a view shows of the annotations of a case, kept as a picture until something differs."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QFont, QFontMetricsF, QImage, QPainter

from napari_medlabel.core.annotation import Annotation, Shape
from napari_medlabel.core.annotation_handles import nearest
from napari_medlabel.core.annotation_places import corners
from napari_medlabel.core.geometry import FloatArray, Geometry
from napari_medlabel.core.plane import Plane
from napari_medlabel.ui.annotations.mark import NEAR_SLICES, Mark, Place, Words, mark_of
from napari_medlabel.ui.annotations.painting import Lit, paint_marks
from napari_medlabel.ui.planes import marks
from napari_medlabel.ui.planes.plane_view import Kji, PlaneView

__all__ = ["Bounds", "Shown", "Under", "ViewMarks"]

HIT_PX: Final = 6.0
WORDS_PX: Final = 12.0
NARROW_PX: Final = 440  # narrower views have words of the chosen one alone


@dataclass(frozen=True, slots=True)
class Under:
    """What of an annotation is under the pointer: a handle, its words or a line, by number."""

    id: str
    part: Literal["handle", "words", "line"]
    number: int = -1


@dataclass(frozen=True, slots=True)
class Shown:
    """All that decides how annotations look in the views.

    Parameters
    ----------
    annotations
        Of the case, without the one that is being changed.
    draft
        The one that is being made or changed.
    chosen, under
        Which is chosen, and what is under the pointer.
    gripped
        Whether the handles of all are shown.
    version
        Rises when what they measure differs though they do not.
    """

    annotations: tuple[Annotation, ...] = ()
    draft: Annotation | None = None
    chosen: str = ""
    under: Under | None = None
    gripped: bool = False
    version: int = 0

    def lit(self, *, sparse: bool) -> Lit:
        """What stands out."""
        under = self.under
        held = (under.id, under.number) if under and under.part == "handle" else None
        chosen = self.chosen if self.draft is None else self.draft.id
        return Lit(chosen, held, self.gripped, sparse)


class Bounds:
    """The slices that annotations reach over, so that a view need not look at each of thousands.

    Parameters
    ----------
    geometry
        Of the canonical grid.
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        self._known: dict[str, tuple[Shape, FloatArray]] = {}
        self._of: tuple[Annotation, ...] = ()
        self._all: FloatArray = np.zeros((0, 2, 3))

    def near(self, annotations: tuple[Annotation, ...], plane: Plane) -> list[Annotation]:
        """Those that come within a slice of a slice."""
        if annotations is not self._of:
            self._of = annotations
            found = [self._bounds(one) for one in annotations]
            self._all = np.array(found).reshape(-1, 2, 3)
            self._known = {
                one.id: (one.shape, its) for one, its in zip(annotations, found, strict=True)
            }
        low, high = self._all[:, 0, plane.axis], self._all[:, 1, plane.axis]
        off = NEAR_SLICES
        there = np.flatnonzero((low <= plane.index + off) & (high >= plane.index - off))
        return [annotations[n] for n in there]

    def _bounds(self, annotation: Annotation) -> FloatArray:
        known = self._known.get(annotation.id)
        if known is not None and known[0] is annotation.shape:
            return known[1]
        places = corners(annotation.shape, self._geometry)
        return np.stack([places.min(axis=0), places.max(axis=0)])


class ViewMarks:
    """The marks of one view.

    Parameters
    ----------
    view
        Which.
    bounds
        Of the case's annotations; the views share it.
    words_of
        What an annotation measures.
    """

    def __init__(self, view: PlaneView, bounds: Bounds, words_of: Words) -> None:
        self._view, self._bounds, self._words_of = view, bounds, words_of
        self._made_of: tuple[object, ...] = ()
        self._marks: tuple[Mark, ...] = ()
        self._picture_of: tuple[object, ...] = ()
        self._picture: tuple[QImage, QPointF] | None = None

    def marks(self, shown: Shown) -> tuple[Mark, ...]:
        """All that lie in the slice or beside it, but for the draft."""
        view = self._view
        key = (shown.annotations, shown.version, view.index, view.frame, view.sight.scale)
        if not _same(key, self._made_of):
            place = self._place()
            near = self._bounds.near(shown.annotations, place.plane)
            made = (mark_of(one, place, self._words_of) for one in near)
            self._marks, self._made_of = tuple(one for one in made if one is not None), key
        return self._marks

    def paint(self, painter: QPainter, shown: Shown) -> None:
        """Paint them over the view."""
        view = self._view
        found = self.marks(shown)
        lit = self._lit(shown)
        look = (found, lit, view.devicePixelRatioF())
        if not _same(look, self._picture_of):
            self._picture, self._picture_of = self._painted(found, lit), look
        if self._picture is not None:
            painter.drawImage(self._picture[1], self._picture[0])
        if shown.draft is not None:
            mark = mark_of(shown.draft, self._place(), self._words_of)
            if mark is not None:
                paint_marks(painter, (mark,), self._font(), lit)

    def under(self, shown: Shown, at: Kji, *, lines: bool) -> Under | None:
        """What is under a place of the slice: a handle, else words, else, if asked for, a line."""
        view = self._view
        where = view.point(at)
        there = [
            one for one in self.marks(shown) if not one.faint and one.reach.contains(where)
        ]  # fmt: skip
        if not there:
            return None
        plane = self._place().plane
        found = nearest(
            [one.annotation for one in there], plane, plane.row_column(at),
            view.sight.case.volume.geometry, HIT_PX / view.frame.zoom,
        )  # fmt: skip
        if found is not None and found[1].part == "handle":
            return Under(found[0].id, "handle", found[1].number)
        lit = self._lit(shown)
        for one in filter(lit.has_words, reversed(there)):
            if one.plate.contains(where) or any(dot.plate.contains(where) for dot in one.dots):
                return Under(one.annotation.id, "words")
        if found is not None and lines:
            return Under(found[0].id, "line", found[1].number)
        return None

    # How

    def _lit(self, shown: Shown) -> Lit:
        return shown.lit(sparse=self._view.width() < NARROW_PX)

    def _place(self) -> Place:
        view = self._view
        geometry = view.sight.case.volume.geometry
        metrics = QFontMetricsF(self._font())
        return Place(Plane(view.axis, int(view.index)), view.frame, geometry, metrics)

    def _font(self) -> QFont:
        return marks.font_of(self._view, WORDS_PX)

    def _painted(self, found: tuple[Mark, ...], lit: Lit) -> tuple[QImage, QPointF] | None:
        area = QRectF()
        for one in found:
            area = area.united(one.reach)
        part = area.toAlignedRect().intersected(self._view.rect())
        if part.isEmpty():
            return None
        ratio = self._view.devicePixelRatioF()
        size = part.size() * ratio
        image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
        image.setDevicePixelRatio(ratio)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        painter.translate(-QPointF(part.topLeft()))
        paint_marks(painter, found, self._font(), lit)
        painter.end()
        return image, QPointF(part.topLeft())


def _same(new: tuple[object, ...], old: tuple[object, ...]) -> bool:
    """Whether nothing differs; long tuples of annotations are the same only if they are one."""
    return len(new) == len(old) and all(
        a is b if isinstance(a, tuple) and len(a) > 2 else a == b
        for a, b in zip(new, old, strict=True)
    )
