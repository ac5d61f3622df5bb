"""One open case in the window: what is chosen for it, and everything that can be done to it."""

from dataclasses import replace
from functools import cached_property
from typing import Any

from napari import Viewer
from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QWidget

from napari_medlabel.core.edit import Edit
from napari_medlabel.core.segmentation import Change
from napari_medlabel.core.volume import Window
from napari_medlabel.session import OpenCase, Session
from napari_medlabel.ui import presets
from napari_medlabel.ui.annotate_state import AnnotateState, Choices, annotate_state
from napari_medlabel.ui.annotations.part import Annotations
from napari_medlabel.ui.arriving import Arriving
from napari_medlabel.ui.assist.part import Assist
from napari_medlabel.ui.deface.part import Deface
from napari_medlabel.ui.drawn_segments import DrawnSegments
from napari_medlabel.ui.hand import PlaneHand
from napari_medlabel.ui.histogram_state import EMPTY, Histogram, histogram_of
from napari_medlabel.ui.layers import CaseLayers
from napari_medlabel.ui.looking import Looking
from napari_medlabel.ui.napari_side import NapariSide
from napari_medlabel.ui.overlaying import Overlaying
from napari_medlabel.ui.planes.greys import slice_of
from napari_medlabel.ui.proposals import Proposals
from napari_medlabel.ui.sight import Look, Sight
from napari_medlabel.ui.state import case_report
from napari_medlabel.ui.strip_state import Mark, as_flags, next_gap
from napari_medlabel.ui.toolbox import Toolbox

__all__ = ["Drawing"]

REST_MS = 120


class Drawing(DrawnSegments):
    """A case under the hand.

    Its parts: `sight` and `looking` (where one looks), `tools` (what is in hand), `proposals`
    (previews), `assist` (prompts), `deface` (the tab of that name), `layers` (napari's). Its
    signals: `changed` when what `state` tells may differ; `failed` with the error when something
    was refused; `blocked` with words when something ran into a lock or found nothing; `lost` when
    somebody took one of its layers away in napari's own list.

    Parameters
    ----------
    viewer, session, case
        Where it is shown, who draws, and what.
    parent
        Whoever opened it.
    look
        How the views were last time.
    solid
        The view with surfaces, if there is one.
    """

    lost = Signal()

    def __init__(  # noqa: PLR0913, PLR0917  # who, what, where and how
        self, viewer: Viewer, session: Session, case: OpenCase, parent: QObject,
        look: Look | None = None, solid: QWidget | None = None,
    ) -> None:  # fmt: skip
        windows = presets.presets(case.volume, case.loading.filled)
        first = next(iter(case.segmentation.schema), None)
        choices = Choices(active=first.value if first else 0, windows=windows)
        super().__init__(session, case, choices, parent)
        self._tool_held = ""
        self.layers = CaseLayers(
            viewer, session, case, presets.first_window(windows, case.volume),
            on_error=self.failed.emit, on_blocked=self._ran_into, on_drawn=self._drawn,
            on_step=self._stepped, on_look=self._window_set,
        )  # fmt: skip
        self.sight = Sight(case, self.layers, look or Look(), self)
        self.second = Overlaying(session, case, self.sight, self)
        self.tools = Toolbox(self)
        self.hand = PlaneHand(self)
        self.looking = Looking(viewer, self.sight, self.hand, solid or QWidget(), self)
        self.proposals = Proposals(self)
        self.assist = Assist(self)
        self.deface = Deface(self)
        self.arriving = Arriving(case, self.sight, self)
        self.annotations = Annotations(self, viewer)
        self._napari = NapariSide(self, viewer)
        self._histogram_of: tuple[object, Histogram] = (None, EMPTY)
        self._rest = QTimer(self)  # the dock's numbers follow the slice once the hand rests
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self.changed)
        self._connect()
        self.layers.pick(self.choices.active)
        self._name_window()

    def _connect(self) -> None:
        self._stop_watching = self.case.segmentation.watch(self._case_changed)
        self.second.changed.connect(self.changed)
        self.second.failed.connect(self.failed)
        self.second.said.connect(self.blocked)
        self.proposals.failed.connect(self.failed)
        self.proposals.said.connect(self.blocked)
        self.proposals.changed.connect(self.changed)
        self.assist.changed.connect(self.changed)
        self.deface.changed.connect(self.changed)
        self.deface.failed.connect(self.failed)
        self.deface.said.connect(self.blocked)
        self.sight.look_changed.connect(self._looked)
        self.sight.moved.connect(lambda _new, _old: self._rest.start())
        for view in self.looking.room.planes:
            self.arriving.came.connect(view.slices_came)
        self.arriving.came.connect(self.layers.slices_came)
        self.arriving.finished.connect(self._all_read)
        self.arriving.finished.connect(self.deface.slices_read)
        self.arriving.told.connect(self.changed)
        self.arriving.failed.connect(self.failed)

    @property
    def loading(self) -> bool:
        """True while slices arrive."""
        return not self.case.loading.finished

    @property
    def read_only(self) -> bool:
        """True where nobody may draw now."""
        return bool(self.case.segmentation.read_only) or self.paused

    @property
    def state(self) -> AnnotateState:
        """What to show."""
        state = annotate_state(
            self.case, self.choices, self.layers.window, self._histogram(), self.tools.blocked
        )
        if self.deface.shown:
            undo = "Undo stroke" if self.deface.face.by_hand.strokes else ""
            redo = "Redo stroke" if self.deface.face.by_hand.can_redo else ""
            state = replace(state, undo=undo, redo=redo)
        elif self.assist.can_step_back or self.assist.can_step_on:
            undo = "Undo prompt" if self.assist.can_step_back else state.undo
            redo = "Redo prompt" if self.assist.can_step_on else state.redo
            state = replace(state, undo=undo, redo=redo)
        return state

    def close(self) -> None:
        """Take the layers away and let go of the case, which stays open for its owner to close."""
        self.arriving.stop()
        self.hand.let_go()
        self.proposals.close()
        self.assist.close()
        self.deface.close()
        self.second.close()
        self.annotations.close()
        self._stop_watching()
        self._napari.close()
        self.looking.close()
        self.layers.close()
        self._napari.give_back()
        self.deleteLater()

    # History

    def undo(self) -> None:
        """Take the last prompt back, with the prompt tool in hand, or the last step."""
        if not self.paused and not self.hand.busy:
            if self.deface.shown:
                self.deface.undo()
            elif self.assist.can_step_back:
                self.assist.step_back()
            else:
                self.layers.undo()

    def redo(self) -> None:
        """Make it again."""
        if not self.paused and not self.hand.busy:
            if self.deface.shown:
                self.deface.redo()
            elif self.assist.can_step_on:
                self.assist.step_on()
            else:
                self.layers.redo()

    # Looking

    def set_window(self, window: Window) -> None:
        """Show this grey range."""
        self.layers.set_window(window)

    def invert(self) -> None:
        """Greys the other way round."""
        self.layers.invert()

    def next_labelled(self, step: int) -> None:
        """The next or previous slice with the segment in hand."""
        slices = self.case.segmentation.slices_along(self.choices.active, self.looking.axis)
        if not self.looking.next_of(slices, step):
            self.blocked.emit("No labelled slice further on")

    def next_gap(self, step: int) -> None:
        """The next or previous gap between labelled slices of the segment in hand."""
        axis = self.looking.axis
        slices = self.case.segmentation.slices_along(self.choices.active, axis)
        flags = as_flags((int(n) for n in slices), self.sight.shape[axis])
        found = next_gap(flags, self.sight.position[axis], step)
        if found is None:
            self.blocked.emit("No gap further on")
        else:
            self.sight.move_along(axis, found)

    def next_finding(self) -> None:
        """The next slice that the geometry report names, round and round."""
        axis, here = self.looking.axis, self.sight.position
        found = sorted({mark.slice for mark in self.findings.get(axis, ())})
        if not found:
            self.blocked.emit("No finding to go to")
        else:
            self.sight.move_along(axis, next((n for n in found if n > here[axis]), found[0]))

    @cached_property
    def findings(self) -> dict[int, tuple[Mark, ...]]:
        """What the geometry report says of single slices, by axis."""
        report = case_report(self.case)
        marks: dict[int, list[Mark]] = {}
        for fact in (*report.facts, *report.chosen):
            for place in fact.places:
                if place.to is not None:
                    mark = Mark(place.to.index, "finding", f"{fact.name}: {place.words}")
                    marks.setdefault(place.to.axis, []).append(mark)
        return {axis: tuple(found) for axis, found in marks.items()}

    # What others ask and tell

    def save_again(self) -> None:
        """Try to save what could not be saved."""
        self.do(self.case.segmentation.settle)

    def pause(self, *, on: bool) -> None:
        """Let nobody change anything while what is drawn is being written elsewhere."""
        if on and not self.paused:
            self.hand.let_go()
            self._tool_held = self.choices.tool
        self.paused = on
        self.layers.canvas.allow_edits(on=not on and not self.case.segmentation.read_only)
        if not on and self._tool_held and not self.choices.tool:
            self.tools.set_tool(self._tool_held)

    # How

    def _ran_into(self, value: int) -> None:
        label = self.case.segmentation.schema.get(value)
        self.blocked.emit(f"{label.name if label else 'This segment'} is locked")

    def _stepped(self, edit: Edit) -> None:
        self.looking.go_to_edit(edit)

    def _drawn(self, box: Any) -> None:  # noqa: ANN401  # a Box, or None
        self.sight.tell_labels(box)

    def _case_changed(self, change: Change) -> None:
        schema = self.case.segmentation.schema
        if schema.get(self.choices.active) is None:  # undone, or deleted
            first = next(iter(schema), None)
            self.pick(first.value if first else 0)
        if change.step.schema_after is not None:
            self.sight.repaint()
        self.changed.emit()

    def _window_set(self) -> None:
        self._name_window()
        self.sight.repaint()
        self.changed.emit()

    def _name_window(self) -> None:
        limits = self.layers.window.limits
        self.sight.window_name = next(
            (one.name for one in self.choices.windows
             if all(abs(a - b) < 1e-3 for a, b in zip(one.limits, limits, strict=True))), "",
        )  # fmt: skip

    def _histogram(self) -> Histogram:
        """Of the slice that keys act on."""
        axis = self.looking.axis
        index = self.sight.position[axis]
        shown = (axis, index, self.case.loading.done)
        if self._histogram_of[0] != shown and not self._rest.isActive():
            self._histogram_of = (shown, histogram_of(slice_of(self.sight.image, axis, index)))
        return self._histogram_of[1]

    def _looked(self) -> None:
        self.choose(plane=min(self.sight.look.large, 2))
        self.tools.lay_hold()
        self.changed.emit()

    def _all_read(self) -> None:
        if self.case.volume.unit == "HU":
            return
        # What the numbers suggest is known only now.
        old, chosen = self.choices.windows, self.layers.window
        windows = presets.presets(self.case.volume)
        on = [n for n, window in enumerate(old) if window.limits == chosen.limits]
        self.choices = replace(self.choices, windows=windows)
        if on and self.case.volume.window is None and on[0] < len(windows):
            self.layers.set_window(windows[on[0]])
