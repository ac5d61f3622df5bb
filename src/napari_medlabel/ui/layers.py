"""An open case as it is looked at and drawn on: its grey range, its segments, strokes on them."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from napari import Viewer

from napari_medlabel import commands
from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import BoolArray, Index
from napari_medlabel.core.segmentation import Change, Segmentation
from napari_medlabel.core.volume import Window
from napari_medlabel.errors import MedlabelError
from napari_medlabel.session import OpenCase, Session
from napari_medlabel.ui._napari_compat import Box
from napari_medlabel.ui.canvas_layers import CanvasLayers
from napari_medlabel.ui.paint_over import PaintOver
from napari_medlabel.ui.state import Style

__all__ = ["STYLES", "CaseLayers"]

# How strongly a segment's area and its border are shown, by the style that O cycles through.
STYLES: Final[dict[Style, tuple[float, float]]] = {
    "outline and fill": (0.25, 1.0), "outline": (0.0, 1.0), "fill": (0.4, 0.4),
}  # fmt: skip
LARGE: Final = 1_000_000  # voxels of an edit that no hand draws


class CaseLayers:
    """What is seen of one open case; strokes on it become edits.

    Each group of labels has an array of its own: the group's labels, with what is being drawn on
    top. `canvas` has the same as layers of napari's, which are made only where they are looked at.

    Parameters
    ----------
    viewer, session, case
        Where it is shown, who draws, and what.
    window
        The grey range to open with.
    on_error
        Told when a stroke, undo or redo is refused; the arrays then show what is there.
    on_blocked
        Told the label value of the locked segment that a stroke ran into, once a stroke.
    on_drawn
        Told the box in which the arrays differ, or None for all of it.
    on_step
        Told the edit that undo or redo has just made.
    on_look
        Told that the grey range or its direction differs, whoever set it.
    """

    def __init__(  # noqa: PLR0913  # who, what, and those who listen
        self, viewer: Viewer, session: Session, case: OpenCase, window: Window, *,
        on_error: Callable[[MedlabelError], None], on_blocked: Callable[[int], None],
        on_drawn: Callable[[Box | None], None], on_step: Callable[[Edit], None],
        on_look: Callable[[], None],
    ) -> None:  # fmt: skip
        self._session, self.case = session, case
        self._on_error, self._on_blocked = on_error, on_blocked
        self._on_drawn, self._on_step, self._on_look = on_drawn, on_step, on_look
        self._blocked = False
        self._ended = False
        self._window, self._inverted = window, case.volume.source.inverted
        self.hidden: frozenset[int] = frozenset()
        self.style: Style = "outline and fill"
        self.strength = 1.0  # of the areas of segments, beside the style's own
        self.shown = True  # the segments, all of them
        self.value = 0  # the segment in hand
        self.over = PaintOver()
        self._arrays: dict[int, npt.NDArray[Any]] = {}
        self._make_groups()
        self.canvas = CanvasLayers(viewer, self)
        self._stop_watching = case.segmentation.watch(self._changed)

    # What is seen

    @property
    def group(self) -> int:
        """The group of the segment in hand."""
        label = self.case.segmentation.schema.get(self.value)
        return label.group if label is not None else 0

    @property
    def groups(self) -> tuple[int, ...]:
        """The numbers of all groups."""
        return tuple(self._arrays)

    @property
    def drawn(self) -> tuple[npt.NDArray[Any], ...]:
        """The arrays of all groups, with what is being drawn, `[k, j, i]`."""
        return tuple(self._arrays.values())

    def drawn_of(self, group: int) -> npt.NDArray[Any]:
        """The array of one group, with what is being drawn."""
        return self._arrays[group]

    @property
    def window(self) -> Window:
        """The grey range that is shown, whoever set it."""
        return self._window

    def set_window(self, window: Window) -> None:
        """Show this grey range."""
        if window.limits != self._window.limits:
            self._window = window
            self.canvas.show_greys()
            self._on_look()

    @property
    def inverted(self) -> bool:
        """True where low values are bright."""
        return self._inverted

    def set_inverted(self, *, on: bool) -> None:
        """Show low values bright, or dark."""
        if on != self._inverted:
            self._inverted = on
            self.canvas.show_greys()
            self._on_look()

    @property
    def turned(self) -> bool:
        """True where a person asked for the greys the other way round."""
        return self._inverted != self.case.volume.source.inverted

    def invert(self) -> None:
        """Greys the other way round."""
        self.set_inverted(on=not self._inverted)

    @property
    def fill_and_border(self) -> tuple[float, float]:
        """How strongly areas and borders of segments are shown, by style and strength."""
        fill, border = STYLES[self.style]
        return min(fill * self.strength, 1.0), border

    def show_schema(
        self, hidden: frozenset[int], style: Style = "outline and fill", strength: float = 1.0
    ) -> None:
        """Colour the segments as the schema says, `hidden` ones not at all."""
        self.hidden, self.style, self.strength = hidden, style, strength
        self.canvas.show_schema()

    def show_segments(self, *, on: bool) -> None:
        """Show or hide all of them."""
        self.shown = on
        self.canvas.show_segments()

    def pick(self, value: int) -> None:
        """Draw this segment from now on."""
        self.value = value
        self.canvas.pick()

    def slices_came(self) -> None:
        """Show slices that were read since they were last drawn."""
        self.canvas.slices_came()

    def close(self) -> None:
        """Take what is napari's away and hold on to nothing."""
        if self._ended:
            return
        self._ended = True
        self._stop_watching()
        self.canvas.close()

    # Strokes

    def allowed(
        self, group: int, box: Box, present: npt.NDArray[Any], value: int
    ) -> BoolArray | None:
        """Where locks, the intensity mask and *paint over* let a stroke pass."""
        segmentation = self.case.segmentation
        locked = {one.value for one in segmentation.schema.in_group(group)} & segmentation.locked
        allowed = None
        if value in locked:
            self._block(value)
            return np.zeros(present.shape, bool)
        if locked:
            held = np.isin(present, list(locked))
            if held.any():
                self._block(int(present[held][0]))
            allowed = ~held
        limits = [self.over.allows(present, value)]
        if segmentation.intensity_mask is not None:
            limits.append(segmentation.intensity_mask.allows(box))
        for limit in limits:
            if limit is not None:
                allowed = limit if allowed is None else allowed & limit
        return allowed

    def finish_stroke(
        self, group: int, box: Box, tool: str, settings: dict[str, Any] | None = None
    ) -> None:
        """Make what differs in the box one edit; then show what was written, if it was trimmed."""
        self._blocked = False
        there, drawn = self.case.segmentation.arrays.get(group), self.drawn_of(group)
        if there is None:
            there = np.zeros(drawn.shape, drawn.dtype)
        low: Index = (box[0].start, box[1].start, box[2].start)
        edit = Edit.between(low, there[box], drawn[box], group=group)
        try:
            commands.paint(self._session, self.case, edit, tool=tool, settings=settings or {})
        except MedlabelError as error:
            self._on_error(error)
        self.take_back(group, box)

    def end_blocked(self) -> None:
        """A stroke ended that changed nothing: the next one may be told of a lock again."""
        self._blocked = False

    def take_back(self, group: int, box: Box) -> None:
        """Show what the labels are in a box, whatever was drawn there."""
        there = self.case.segmentation.arrays.get(group)
        drawn = self.drawn_of(group)
        if there is None:
            there = np.zeros(drawn.shape, drawn.dtype)
        if not np.array_equal(drawn[box], there[box]):
            self._show(group, box, there)
        elif self.canvas.shown:  # it was drawn there
            self._on_drawn(box)
        else:
            self.canvas.box_changed(group, box)

    def undo(self) -> None:
        """Take the last step back."""
        self._step(commands.undo)

    def redo(self) -> None:
        """Make the step again that was taken back last."""
        self._step(commands.redo)

    # How

    def _show(self, group: int, box: Box, labels: npt.NDArray[Any]) -> None:
        self._arrays[group][box] = labels[box]
        self.canvas.box_changed(group, box)
        self._on_drawn(box)

    def _step(self, command: Callable[[Session, OpenCase], Edit | None]) -> None:
        if self.canvas.drawing:
            return  # the hand is down: what it draws is not a step yet
        try:
            edit = command(self._session, self.case)
        except MedlabelError as error:
            self._on_error(error)
            return
        if edit is not None and not edit.is_nothing:
            self._on_step(edit)

    def _changed(self, change: Change) -> None:
        if change.step.schema_after is not None:
            self._make_groups()
            self.canvas.groups_came()
            self.show_schema(self.hidden, self.style, self.strength)
        for edit in change.edits:
            labels = self.case.segmentation.arrays.get(edit.group)
            drawn = self._arrays.get(edit.group)
            if edit.is_nothing or labels is None or drawn is None:
                continue
            if drawn.dtype != labels.dtype:  # a value came that the narrower type cannot hold
                self._arrays[edit.group] = drawn = np.array(labels)
                self.canvas.array_came(edit.group)
                self._on_drawn(None)
            # Comparing a large edit takes three times as long as showing what is there already.
            if edit.voxels > LARGE or not np.array_equal(drawn[edit.box], labels[edit.box]):
                self._show(edit.group, edit.box, labels)

    def _make_groups(self) -> None:
        segmentation = self.case.segmentation
        groups = {*segmentation.schema.groups, *segmentation.arrays} or {0}
        for group in sorted(groups - set(self._arrays)):
            self._arrays[group] = _own_copy(segmentation, group)

    def _block(self, value: int) -> None:
        if not self._blocked:
            self._blocked = True
            self._on_blocked(value)


def _own_copy(segmentation: Segmentation, group: int) -> LabelArray:
    """A group's labels in memory of their own; slices without a label cost nothing."""
    labels = segmentation.arrays.get(group)
    if labels is None:
        return np.zeros(segmentation.labels.shape, segmentation.labels.dtype)
    copy: LabelArray = np.zeros(labels.shape, labels.dtype)
    for label in segmentation.schema.in_group(group):
        for k in segmentation.slices(label.value):
            copy[k] = labels[k]
    return copy
