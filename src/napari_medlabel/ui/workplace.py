"""All that stands around the views of an open case: bar, strip, status line, preview, surfaces."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari import Viewer
from qtpy.QtCore import QObject, QRect, QTimer, Signal
from qtpy.QtGui import QCursor

from napari_medlabel.ui._napari_compat import main_window, napari_status
from napari_medlabel.ui.assist.marks import prompt_rects
from napari_medlabel.ui.assist.rules import SOURCE
from napari_medlabel.ui.docking import tab_sheet
from napari_medlabel.ui.planes.own_window import float_over, give_own_window, move_along
from napari_medlabel.ui.planes.room import SOLID
from napari_medlabel.ui.preview_bar import PreviewBar
from napari_medlabel.ui.readout import Readout
from napari_medlabel.ui.sight import Proposal
from napari_medlabel.ui.slice_strip import SliceStrip
from napari_medlabel.ui.status_line import StatusLine
from napari_medlabel.ui.strip_state import StripState
from napari_medlabel.ui.surface_view import SurfaceView
from napari_medlabel.ui.surfaces import Surfaces
from napari_medlabel.ui.theme import Tokens
from napari_medlabel.ui.view_bar import ViewBar
from napari_medlabel.ui.widgets import dress
from napari_medlabel.ui.workplace_state import (
    preview_state,
    status_state,
    strip_state,
    under_pointer,
    view_bar_state,
)

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["Workplace"]

SOON_MS = 15
REST_MS = 150
BUSY_MS = 300  # work that takes less shows nothing


class Workplace(QObject):
    """Stands around one drawing and goes with it.

    `asked` has the id of an action that the window does: "find-action", "keys".

    Parameters
    ----------
    viewer
        Whose window.
    drawing
        The open case.
    solid
        The view with surfaces.
    parent
        The panel.
    """

    asked = Signal(str)

    def __init__(
        self, viewer: Viewer, drawing: "Drawing", solid: SurfaceView, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._drawing, self._solid = drawing, solid
        self._sight, self._looking = drawing.sight, drawing.looking
        self.bar, self.strip, self.status = ViewBar(), SliceStrip(), StatusLine()
        room = self._looking.room
        room.add_above(self.bar)
        room.add_below(self.strip)
        self.preview = PreviewBar(room.views_area)
        for part in (self.strip, self.status):
            give_own_window(part)
        float_over(self.preview)
        self._status_bar = main_window(viewer).statusBar()
        self._not_ours = napari_status(viewer)
        for part in self._not_ours:
            part.hide()
        self._status_bar.insertWidget(0, self.status, 1)
        move_along(self.status, self._status_bar)
        self.status.show()
        self.surfaces = Surfaces(
            drawing.case, solid, self, busy=lambda: drawing.hand.busy
        )  # fmt: skip
        self._under: Readout = Readout()
        self._strip_state, self._strip_axis = StripState(), -1
        self._soon = _timer(self, SOON_MS, self.show_state)
        self._place = _timer(self, SOON_MS, self._show_place)
        self._slow = _timer(self, BUSY_MS, self._show_preview)
        self._resting = _timer(self, REST_MS, self._mark_solid)
        self._dressing = _timer(self, 0, self._dress_next)
        self._plain: list[Any] = []  # parts that do not have the theme yet
        self._connect()
        self.show_state()

    def close(self) -> None:
        """Go: the room is taken down by its drawing."""
        self._soon.stop()
        self._place.stop()
        self._slow.stop()
        self._resting.stop()
        self._dressing.stop()
        self.surfaces.close()
        self._solid.close_canvas()
        self._status_bar.removeWidget(self.status)
        self.status.deleteLater()
        for part in self._not_ours:
            part.show()
        self.deleteLater()

    def set_style(self, sheet: str, tokens: Tokens) -> None:
        """Take the theme."""
        room = self._looking.room
        self._sight.scale = tokens.scale
        self._drawing.deface.set_style(sheet, tokens)
        room.set_look(tokens.bg, tokens.line, tab_sheet(tokens, "bottom", 28))
        self._sight.repaint()
        self._sheet, self._tokens = sheet, tokens
        self._plain = [self.bar, self.strip, self.status, self.preview, self._solid]
        self._dressing.start()

    def _dress_next(self) -> None:
        """One part at a time, events between them: a sheet of styles takes long to work out."""
        part = self._plain.pop(0)
        part.setStyleSheet(self._sheet)
        dress(part, self._tokens)
        part.set_tokens(self._tokens)
        part.setProperty("ground", self._tokens.bg)
        if self._plain:
            self._dressing.start()

    def show_state(self) -> None:
        """Show the case as it is now."""
        drawing, axis = self._drawing, self._looking.axis
        state = drawing.state
        marks = drawing.findings.get(axis, ())
        active = drawing.choices.active
        self._strip_axis = axis
        self._strip_state = strip_state(drawing.case, self._sight, axis, active, marks)
        self.strip.set_state(self._strip_state)
        heads = drawing.deface.shown
        self.bar.set_state(view_bar_state(state, self._sight, heads=heads))
        engine = drawing.assist.state.status
        self.status.set_state(status_state(state, self._under, self._sight.overlay, engine))
        self.surfaces.set_hidden(drawing.choices.hidden)
        self._show_preview()

    # How

    def _connect(self) -> None:
        drawing, looking, bar, strip = self._drawing, self._looking, self.bar, self.strip
        drawing.changed.connect(self._tell_soon)
        looking.turned.connect(self._tell_soon)
        self._sight.moved.connect(self._moved)
        self._sight.changed.connect(self._tell_soon)
        drawing.hand.pointed.connect(self._pointed)
        drawing.proposals.changed.connect(self._proposals_changed)
        strip.slice_chosen.connect(lambda n: self._sight.move_along(looking.axis, n))
        strip.stepped.connect(looking.step_slice)
        strip.gap_wanted.connect(drawing.next_gap)
        bar.layout_chosen.connect(self._lay_out)
        bar.crosshair_wanted.connect(lambda on: self._sight.choose(crosshair=on))
        bar.link_wanted.connect(lambda on: self._sight.choose(linked=on))
        bar.labels_wanted.connect(lambda _on: drawing.toggle_shown())
        bar.style_stepped.connect(drawing.next_style)
        bar.fill_chosen.connect(lambda percent: drawing.set_fill(percent / 100.0))
        bar.window_chosen.connect(drawing.set_window)
        bar.invert_wanted.connect(lambda _on: drawing.invert())
        bar.undo_pressed.connect(drawing.undo)
        bar.redo_pressed.connect(drawing.redo)
        bar.find_pressed.connect(lambda: self.asked.emit("find-action"))
        bar.keys_pressed.connect(lambda: self.asked.emit("keys"))
        self.preview.accepted.connect(drawing.proposals.accept)
        self.preview.slice_accepted.connect(drawing.proposals.accept_slice)
        self.preview.rejected.connect(drawing.proposals.reject)
        self.preview.cancelled.connect(drawing.proposals.stop)
        self.status.remedy_pressed.connect(drawing.save_again)
        self._solid.maximise_asked.connect(lambda: looking.toggle_single(SOLID))
        self._solid.point_chosen.connect(self._point_chosen)

    def _lay_out(self, layout: Any) -> None:  # noqa: ANN401  # one of the layouts
        """Not while the views are not to be seen."""
        if self._drawing.deface.shown:
            self._drawing.blocked.emit("Go back to Annotate for other views")
        else:
            self._looking.set_layout(layout)

    def _tell_soon(self, *_told: object) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def _moved(self, _new: object, _old: object) -> None:
        if not self._place.isActive():
            self._place.start()
        self._resting.start()

    def _show_place(self) -> None:
        """Another slice, and nothing else of what is shown around the views."""
        axis = self._looking.axis
        if axis != self._strip_axis or self._soon.isActive():
            self._tell_soon()
            return
        self._strip_state = replace(self._strip_state, here=self._sight.position[axis])
        self.strip.set_state(self._strip_state)
        self._show_preview()

    def _mark_solid(self) -> None:
        """The surfaces are drawn anew once the hand rests: that costs more than all slices."""
        lps = self._drawing.case.volume.geometry.lps(self._sight.position)
        self._solid.set_marker((float(lps[0]), float(lps[1]), float(lps[2])))

    def _point_chosen(self, lps: tuple[float, float, float]) -> None:
        self._sight.move_to(self._drawing.case.volume.geometry.kji(lps))

    def _pointed(self, kji: tuple[float, float, float] | None) -> None:
        value = self._drawing.segment_at(kji) if kji is not None else 0
        self._under = under_pointer(self._drawing.case, self._sight, kji, value)
        self.status.set_readout(self._under)
        if self.preview.isVisible():
            area = self._looking.room.views_area
            busy = self._drawing.hand.busy
            self.preview.put(area.mapFromGlobal(QCursor.pos()) if busy else None)

    def _proposals_changed(self) -> None:
        if self._drawing.proposals.making and not self._slow.isActive():
            self._slow.start()
        self._show_preview()

    def _show_preview(self) -> None:
        shown = self._sight.proposal
        self.surfaces.set_preview(shown if isinstance(shown, Proposal) else None)
        axis = self._looking.axis
        state = preview_state(self._drawing.case, self._drawing.proposals, axis)
        if state is not None:
            self.preview.set_area(self._within(self._looking.view.rect()))
            self.preview.set_preview(self._preview_rect())
        self.preview.set_state(state)

    def _preview_rect(self) -> QRect | None:
        """Where the preview is, in the large view and within all views."""
        proposal, view = self._sight.proposal, self._looking.view
        if not isinstance(proposal, Proposal) or not view.isVisible():
            return None
        found = QRect()
        for box, _mask in proposal.parts:
            _axis, row, column = view.plane.order
            if not box[view.axis].start <= view.index < box[view.axis].stop:
                continue
            left, top, width, height = view.frame.box_px(
                (box[row].start, box[row].stop, box[column].start, box[column].stop)
            )
            found = found.united(QRect(round(left), round(top), round(width), round(height)))
        if proposal.source == SOURCE:
            for rect in prompt_rects(view, self._drawing.assist.prompts):
                found = found.united(rect)
        if found.isNull():
            return None
        return self._within(found.intersected(view.rect()))

    def _within(self, part: QRect) -> QRect | None:
        """A part of the view that keys act on, as the area of all views has it."""
        view = self._looking.view
        if not view.isVisible():
            return None
        return QRect(view.mapTo(self._looking.room.views_area, part.topLeft()), part.size())


def _timer(parent: QObject, ms: int, then: object) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(ms)
    timer.timeout.connect(then)
    return timer
