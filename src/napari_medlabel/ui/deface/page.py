"""What stands in the place of the usual views: two heads above, three slices and a strip below."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_medlabel.core.surface import Surface
from napari_medlabel.surfaces.builder import Builder
from napari_medlabel.surfaces.messages import Part
from napari_medlabel.ui.deface.face_work import FaceWork
from napari_medlabel.ui.deface.removed_strip import RemovedStrip
from napari_medlabel.ui.deface.skin_bar import SkinBar
from napari_medlabel.ui.deface.skin_shape import smooth_skin
from napari_medlabel.ui.deface.skin_view import SkinView, SkinWords
from napari_medlabel.ui.planes.own_window import give_own_window
from napari_medlabel.ui.planes.plane_view import PlaneView
from napari_medlabel.ui.planes.tiling import Split, Tiling
from napari_medlabel.ui.strip_state import StripState
from napari_medlabel.ui.surface_camera import Camera
from napari_medlabel.ui.theme import Tokens
from napari_medlabel.ui.views import PLANES
from napari_medlabel.ui.widgets import dress

if TYPE_CHECKING:
    from napari_medlabel.commands import Body
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["DefacePage"]

BEFORE, AFTER = 1, 2  # keys of surfaces
RED_STAIN: Final = (0.86, 0.49, 0.47)
CUT_STAIN: Final = (0.34, 0.32, 0.30)
CUT_MM: Final = (1.5, 4.0)  # deeper below the skin than this, a surface is where it was cut
MOST_FACES: Final = 120_000
WARNING: Final = "#FF9C9C"


class DefacePage(QWidget):
    """Shows what a `FaceWork` has; made the first time that somebody looks.

    Parameters
    ----------
    drawing
        The open case.
    work
        What is found, planned and foreseen.
    """

    _arrived = Signal(int, object, object)  # from the builder's thread to this one

    def __init__(self, drawing: "Drawing", work: FaceWork) -> None:
        super().__init__()
        self.setObjectName("medlabel_deface")
        self._drawing, self._work = drawing, work
        self._surfaces: dict[int, Surface] = {}
        self._bodies: dict[int, Body] = {}  # that surfaces are built of
        self._closed = False
        self.before = SkinView("Before", RED_STAIN)
        self.after = SkinView("After", CUT_STAIN)
        self.planes = tuple(PlaneView(n, work.sight, work.hand) for n in range(len(PLANES)))
        work.hand.views = self.planes
        self.strip = RemovedStrip()
        give_own_window(self.strip)
        self._upper = QWidget()
        upper = QVBoxLayout(self._upper)
        upper.setContentsMargins(0, 0, 0, 0)
        self._heads, self._frame = Tiling(), Tiling()
        self._heads.arrange(Split(Qt.Orientation.Horizontal, [self.before, self.after]))
        upper.addWidget(self._heads)
        self.bar = SkinBar(self._upper)
        lower = Split(Qt.Orientation.Horizontal, self.planes)
        self._frame.arrange(Split(Qt.Orientation.Vertical, [self._upper, lower]))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._frame, 1)
        layout.addWidget(self.strip)
        self._arrived.connect(self._take)
        self._builder = Builder(self._built)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(15)
        self._soon.timeout.connect(self.show_state)
        self._connect()
        QTimer.singleShot(0, self, self._make_canvas)
        self._studied()
        self._was_foreseen()
        self.show_state()

    def close_canvases(self) -> None:
        """The case goes; safe to call again."""
        if self._closed:
            return
        self._closed = True
        self._soon.stop()
        self._builder.close()
        for view in (self.before, self.after):
            view.close_canvas()

    def set_style(self, sheet: str, tokens: Tokens) -> None:
        """Take the theme."""
        self.setStyleSheet(f"#medlabel_deface {{ background: {tokens.line}; }}")
        for tiles in (self._heads, self._frame):
            tiles.ground = QColor(tokens.line)
            tiles.update()
        for part in (self.bar, self.strip):
            part.setStyleSheet(sheet)
            dress(part, tokens)
            part.set_tokens(tokens)
        self.strip.setProperty("ground", tokens.bg)
        for view in (self.before, self.after):
            view.set_tokens(tokens)

    def show_state(self) -> None:
        """Show all that can be said without surfaces."""
        work, drawing = self._work, self._drawing
        axis = drawing.looking.axis
        for view in self.planes:
            view.set_active(on=view.number == drawing.looking.active)
        sight, shape = work.sight, work.sight.shape
        counts = () if work.planned is None else work.planned.per_slice[axis].tolist()
        ends = sight.ends(axis)
        state = StripState(shape[axis], sight.position[axis], "Slices", ends)
        self.strip.set_state(state, counts)
        self.before.set_words(self._before_words())
        self.after.set_words(self._after_words())

    # How

    def _connect(self) -> None:
        work, looking, sight = self._work, self._drawing.looking, self._work.sight
        work.changed.connect(self._show_soon)
        work.studied.connect(self._studied)
        work.was_foreseen.connect(self._was_foreseen)
        looking.turned.connect(self._show_soon)
        sight.moved.connect(lambda _new, _old: self._show_soon())
        self.strip.slice_chosen.connect(lambda n: sight.move_along(looking.axis, n))
        self.strip.stepped.connect(looking.step_slice)
        self.bar.mode_chosen.connect(lambda mode: work.set_options(mode=mode))
        self.bar.depth_chosen.connect(lambda mm: work.set_options(depth_mm=mm))
        self.bar.link_wanted.connect(self._link)
        self.bar.reset_wanted.connect(self._reset)
        self.before.looked.connect(lambda camera: self._looked(self.after, camera))
        self.after.looked.connect(lambda camera: self._looked(self.before, camera))

    def _make_canvas(self) -> None:
        """One after the other, events between them: each takes long."""
        made = next((one for one in (self.before, self.after) if one.native is one), None)
        if made is not None and not self._closed:
            made.make_canvas()
            QTimer.singleShot(0, self, self._make_canvas)

    def _show_soon(self) -> None:
        if not self._soon.isActive() and not self._closed:
            self._soon.start()

    def _before_words(self) -> SkinWords:
        work = self._work
        number = "" if work.planned is None else f"{work.planned.volume_ml:.0f} mL to remove"
        return SkinWords("Before", number, WARNING, self._middle(BEFORE))

    def _after_words(self) -> SkinWords:
        found = self._work.foreseen
        number = "" if found is None else f"Face score {found.matched_after:.2f}"
        color = "#F0F1F2" if found is None or found.is_gone else WARNING
        return SkinWords("After", number, color, self._middle(AFTER))

    def _middle(self, key: int) -> str:
        """What is said where there is nothing to see yet."""
        if key in self._surfaces:
            return ""
        if self._work.study is None:
            return "Looking for a face"
        if self._work.study.body is None:
            return "There is no head in this image"
        if key == AFTER and not self._work.plannable:
            return "There is no face that could be taken out"
        return ""

    def _studied(self) -> None:
        study = self._work.study
        if study is not None and study.body is not None:
            self._ask(BEFORE, study.body)

    def _was_foreseen(self) -> None:
        found = self._work.foreseen
        if found is None:
            return
        if found.body is not None:
            self._ask(AFTER, found.body)
        self._stain_before()

    def _ask(self, key: int, body: "Body") -> None:
        self._bodies[key] = body
        self._builder.drop(key)
        self._builder.ask(key, lambda: Part(body.mask, body.geometry, most_faces=MOST_FACES))

    def _built(self, key: int, surface: Surface | None, error: object) -> None:
        """On the builder's own thread: without the steps of voxels."""
        body = self._bodies.get(key)
        smooth = surface if surface is None or body is None else smooth_skin(surface, body)
        self._arrived.emit(key, smooth, error)

    def _take(self, key: int, surface: Surface | None, _error: object) -> None:
        if self._closed or surface is None:
            return
        self._surfaces[key] = surface
        if key == BEFORE:
            self._stain_before()
        else:
            self._stain_after()
        self.show_state()

    def _stain_before(self) -> None:
        """What goes, in red."""
        surface, found = self._surfaces.get(BEFORE), self._work.foreseen
        if surface is not None:
            stained = None if found is None else found.removed_at(surface.points_lps)
            self.before.set_surface(surface, stained)

    def _stain_after(self) -> None:
        """Where it was cut: no skin was there before."""
        surface, study = self._surfaces.get(AFTER), self._work.study
        if surface is not None and study is not None:
            low, high = CUT_MM
            deep = (study.below_skin_mm(surface.points_lps) - low) / (high - low)
            self.after.set_surface(surface, np.clip(deep, 0.0, 1.0).astype(np.float32))
            if self.bar.link.isChecked():
                self.after.set_camera(replace(self.before.camera))

    def _link(self, on: bool) -> None:  # noqa: FBT001  # Qt's
        if on:
            self.after.set_camera(self.before.camera)

    def _looked(self, other: SkinView, camera: Camera) -> None:
        if self.bar.link.isChecked():
            other.set_camera(camera)

    def _reset(self) -> None:
        self.before.look_as_at_first()
        if self.bar.link.isChecked():
            self.after.set_camera(self.before.camera)
        else:
            self.after.look_as_at_first()
