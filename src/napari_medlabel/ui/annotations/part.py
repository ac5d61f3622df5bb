"""The annotations of an open case under the hand: shown, chosen, changed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from napari import Viewer
from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QPainter

from napari_medlabel import commands
from napari_medlabel.core.annotation import Annotation, Keypoints, Shape
from napari_medlabel.core.annotation_lines import lines_on
from napari_medlabel.core.annotation_measure import measure, measure_words
from napari_medlabel.core.annotation_places import middle
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.plane import Plane
from napari_medlabel.core.segmentation import Change
from napari_medlabel.ui.annotations.grip import Grip
from napari_medlabel.ui.annotations.list_state import AnnotationsState, annotations_state
from napari_medlabel.ui.annotations.mirrors import Mirrors
from napari_medlabel.ui.annotations.points_state import (
    with_link,
    with_point_name,
    with_point_seen,
    without_link,
    without_point,
)
from napari_medlabel.ui.annotations.view_marks import Bounds, Shown, Under, ViewMarks
from napari_medlabel.ui.planes.plane_view import Kji, PlaneView
from napari_medlabel.ui.tool_specs import ANNOTATION

if TYPE_CHECKING:
    from napari_medlabel.ui.drawing import Drawing

__all__ = ["Annotations"]

MEASURED: Final = frozenset({"ellipse", "rectangle", "polygon"})  # by the image inside


class Annotations(QObject):
    """What is shown of a case's annotations, which is chosen, and every change of them.

    `changed` when what `state` tells may differ.

    Parameters
    ----------
    drawing
        The open case.
    viewer
        Where napari's own layers show them, too.
    """

    changed = Signal()

    def __init__(self, drawing: "Drawing", viewer: Viewer) -> None:
        super().__init__(drawing)
        self._drawing = drawing
        self.chosen = ""
        self.draft: Annotation | None = None
        self.grip = Grip(self)
        self._under: Under | None = None
        self._version = 0
        self._words: dict[str, tuple[Shape, int, str]] = {}
        self._others: tuple[object, str, tuple[Annotation, ...]] = (None, "", ())
        self._state: tuple[object, tuple[object, ...], AnnotationsState] | None = None
        bounds = Bounds(self.geometry)
        self._views = {
            view.number: ViewMarks(view, bounds, self.words_of)
            for view in drawing.looking.room.planes
        }
        self.mirrors = Mirrors(viewer, drawing.layers.canvas, self.geometry, self.words_of)
        self._active, self._last_tool = drawing.choices.active, f"{ANNOTATION}distance"
        self._stop_watching = drawing.case.segmentation.watch(self._case_changed)
        drawing.arriving.came.connect(self._values_came)
        drawing.changed.connect(self._look_at_choices)
        drawing.sight.look_changed.connect(self._mirror_if_shown)
        self.changed.connect(drawing.changed)

    def close(self) -> None:
        """Look no more."""
        self._stop_watching()
        self.mirrors.close()

    # What there is

    @property
    def geometry(self) -> Geometry:
        """Of the canonical grid."""
        geometry: Geometry = self._drawing.case.segmentation.geometry
        return geometry

    @property
    def read_only(self) -> bool:
        """True where nobody may change them now."""
        return self._drawing.read_only

    @property
    def state(self) -> AnnotationsState:
        """What the list shows."""
        segmentation = self._drawing.case.segmentation
        wanted = self._drawing.choices.tool.startswith(ANNOTATION)
        key = (self.chosen, self._version, wanted, self.read_only, segmentation.schema)
        there = segmentation.annotations
        if self._state is None or self._state[0] is not there or self._state[1] != key:
            made = annotations_state(
                segmentation, self.chosen, self.words_of, self._version, wanted=wanted,
                read_only=self.read_only,
            )  # fmt: skip
            self._state = (there, key, made)
        return self._state[2]

    def get(self, annotation_id: str) -> Annotation | None:
        """The annotation with this id."""
        return self._drawing.case.segmentation.annotations.get(annotation_id)

    def words_of(self, annotation: Annotation) -> str:
        """What it measures, in one or two lines."""
        shape = annotation.shape
        known = self._words.get(annotation.id)
        if known is None or known[0] is not shape or known[1] != self._version:
            volume = self._drawing.case.volume
            image = self._drawing.sight.image if annotation.kind in MEASURED else None
            told = measure_words(shape, measure(shape, self.geometry, image), volume.unit)
            known = self._words[annotation.id] = (shape, self._version, told)
        return known[2]

    def mirror(self) -> None:
        """Make napari's layers show them as they are now; without a call, only its canvas does."""
        self.mirrors.show(self._drawing.case.segmentation.annotations.annotations)

    # In the views

    def paint(self, view: PlaneView, painter: QPainter) -> None:
        """Paint what the view shows of them."""
        shown = self._shown()
        if view.sight.look.overlays and (shown.annotations or shown.draft):
            self._views[view.number].paint(painter, shown)

    def under(self, view: PlaneView, at: Kji, *, lines: bool) -> Under | None:
        """What is under a place of a view's slice."""
        if not view.sight.look.overlays:
            return None
        return self._views[view.number].under(self._shown(), at, lines=lines)

    def nearest(self, at: Kji) -> Kji:
        """The place itself, or the nearest in the image."""
        k, j, i = (
            min(max(float(n), -0.5), size - 0.5)
            for n, size in zip(at, self._drawing.sight.shape, strict=True)
        )
        return (k, j, i)

    def set_under(self, under: Under | None) -> None:
        """Light what is under the pointer."""
        if under != self._under:
            self._under = under
            self.repaint()

    def show_draft(self, draft: Annotation | None) -> None:
        """Show one as it would be; in the place of that with its id."""
        if draft is not self.draft:
            self.draft = draft
            self.repaint()

    def repaint(self) -> None:
        """Draw all views anew: what is in space is seen in all of them."""
        for view in self._drawing.looking.room.planes:
            view.update()

    # What a person does

    def measure(self) -> None:
        """Take the tool for annotations that was used last, or put it away."""
        tools, held = self._drawing.tools, self._drawing.choices.tool
        tools.set_tool("" if held.startswith(ANNOTATION) else self._last_tool)

    def choose(self, annotation_id: str) -> None:
        """Choose one, or none ("")."""
        if annotation_id != self.chosen:
            self.chosen = annotation_id
            self.repaint()
            self.changed.emit()

    def show(self, annotation_id: str) -> None:
        """Choose one and go where it is."""
        found = self.get(annotation_id)
        if found is not None:
            self.choose(annotation_id)
            self._drawing.sight.move_to(middle(found.shape, self.geometry))

    def add(self, shape: Shape) -> bool:
        """Add a shape under the next free name, and choose it; one step."""
        drawing = self._drawing
        name = drawing.case.segmentation.annotations.next_name(shape.kind)
        made = Annotation.new(shape, name)
        done = drawing.do(lambda: commands.add_annotation(drawing.session, drawing.case, made))
        if done:
            self.choose(made.id)
        return done

    def change(self, annotation: Annotation) -> bool:
        """Put it in the place of that with its id; one step, or none where nothing differs."""
        drawing = self._drawing
        return drawing.do(
            lambda: commands.change_annotation(drawing.session, drawing.case, annotation)
        )

    def remove(self, annotation_id: str) -> None:
        """Take one away; undo brings it back."""
        drawing = self._drawing
        drawing.do(lambda: commands.remove_annotation(drawing.session, drawing.case, annotation_id))

    def remove_chosen(self) -> None:
        """Take the chosen one away."""
        if self.get(self.chosen) is not None and not self._drawing.hand.busy:
            self.remove(self.chosen)

    def rename(self, annotation_id: str, name: str) -> None:
        """Call it something else."""
        self._alter(annotation_id, lambda one: replace(one, name=name.strip()))

    def recolor(self, annotation_id: str, color: str) -> None:
        """Draw it in another colour."""
        self._alter(annotation_id, lambda one: replace(one, color=color.upper()))

    def assign(self, annotation_id: str, segment: int) -> None:
        """Let it belong to a segment, or to none (0)."""
        self._alter(annotation_id, lambda one: replace(one, segment=segment))

    def rename_point(self, annotation_id: str, number: int, name: str) -> None:
        """Call a keypoint something else."""
        self._alter_points(annotation_id, lambda shape: with_point_name(shape, number, name))

    def see_point(self, annotation_id: str, number: int, *, seen: bool) -> None:
        """Say whether a keypoint can be seen in the image."""
        self._alter_points(annotation_id, lambda shape: with_point_seen(shape, number, seen=seen))

    def show_point(self, annotation_id: str, number: int) -> None:
        """Go to a keypoint."""
        found = self.get(annotation_id)
        if found is not None and isinstance(found.shape, Keypoints):
            self._drawing.sight.move_to(found.shape.points[number].at)

    def remove_point(self, annotation_id: str, number: int) -> None:
        """Take a keypoint away with its links; the last one takes the annotation with it."""
        found = self.get(annotation_id)
        if found is not None and isinstance(found.shape, Keypoints):
            if len(found.shape.points) == 1:
                self.remove(annotation_id)
            else:
                self._alter_points(annotation_id, lambda shape: without_point(shape, number))

    def link(self, annotation_id: str, first: int, second: int) -> None:
        """Join two keypoints."""
        self._alter_points(annotation_id, lambda shape: with_link(shape, first, second))

    def unlink(self, annotation_id: str, number: int) -> None:
        """Take a link away."""
        self._alter_points(annotation_id, lambda shape: without_link(shape, number))

    def export(self, path: Path) -> None:
        """Write them as JSON; the dialog has asked before a file is replaced."""
        drawing = self._drawing
        if drawing.do(lambda: commands.export_annotations(
            drawing.session, drawing.case, path, force=path.exists()
        )):  # fmt: skip
            drawing.blocked.emit("Measurements exported")

    def bring_in(self, path: Path) -> None:
        """Add those of a JSON document; one step."""
        drawing = self._drawing
        drawing.do(lambda: commands.import_annotations(drawing.session, drawing.case, path))

    # How

    def _shown(self) -> Shown:
        there = self._drawing.case.segmentation.annotations.annotations
        if self.draft is not None:
            drafted = self.draft.id
            if self._others[0] is not there or self._others[1] != drafted:
                others = tuple(one for one in there if one.id != drafted)
                self._others = (there, drafted, others)
            there = self._others[2]
        gripped = self._drawing.choices.tool.startswith(ANNOTATION)
        return Shown(there, self.draft, self.chosen, self._under, gripped, self._version)

    def _alter(self, annotation_id: str, change: Callable[[Annotation], Annotation]) -> None:
        """Change one; what is no annotation is refused in words."""
        found = self.get(annotation_id)
        if found is None:
            return
        drawing = self._drawing
        drawing.do(lambda: commands.change_annotation(drawing.session, drawing.case, change(found)))

    def _alter_points(self, annotation_id: str, change: Callable[[Keypoints], Keypoints]) -> None:
        def altered(one: Annotation) -> Annotation:
            return one.with_shape(change(one.shape)) if isinstance(one.shape, Keypoints) else one

        self._alter(annotation_id, altered)

    def _case_changed(self, change: Change) -> None:
        edit = change.step.annotations
        if edit is None:
            return
        if self.get(self.chosen) is None:
            self.chosen = ""
        self._under = None
        self._words = {
            one.id: known
            for one in self._drawing.case.segmentation.annotations
            if (known := self._words.get(one.id)) is not None
        }
        there = edit.after or edit.before
        if change.kind in {"undo", "redo"} and len(there) == 1:
            self._go_to(there[0])
        self.repaint()
        self._mirror_if_shown()
        self.changed.emit()

    def _mirror_if_shown(self) -> None:
        if self._drawing.looking.on_canvas:
            self.mirror()
        else:
            self.mirrors.hide()

    def _go_to(self, annotation: Annotation) -> None:
        """Look where something was undone, unless it is in sight already."""
        sight, plane = self._drawing.sight, annotation.plane
        if plane is not None:
            sight.move_along(plane.axis, plane.index)
            return
        here = [Plane(view.axis, int(view.index)) for view in self._drawing.looking.room.planes]
        found = [lines_on(annotation.shape, one, self.geometry) for one in here]
        if not any(one is not None and one.on_slice for one in found):
            sight.move_to(middle(annotation.shape, self.geometry))

    def _values_came(self) -> None:
        if self._drawing.case.segmentation.annotations:
            self._version += 1
            self.changed.emit()

    def _look_at_choices(self) -> None:
        """Another segment is in hand: what Delete takes away is no annotation any more."""
        active, tool = self._drawing.choices.active, self._drawing.choices.tool
        self._last_tool = tool if tool.startswith(ANNOTATION) else self._last_tool
        if active != self._active:
            self._active = active
            self.choose("")
