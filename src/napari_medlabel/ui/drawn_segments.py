"""The segments of an open case: added, named, picked, shown; what is chosen for it."""

from collections.abc import Callable
from dataclasses import replace

from qtpy.QtCore import QObject, Signal

from napari_medlabel import commands
from napari_medlabel.core.schema import Label
from napari_medlabel.errors import MedlabelError
from napari_medlabel.session import OpenCase, Session
from napari_medlabel.ui.annotate_state import Choices
from napari_medlabel.ui.hand import PlaneHand
from napari_medlabel.ui.layers import STYLES, CaseLayers
from napari_medlabel.ui.sight import Sight

__all__ = ["DrawnSegments"]


class DrawnSegments(QObject):
    """What `Drawing` does to segments and choices; its signals are told of there.

    Parameters
    ----------
    session, case
        Who draws, and what.
    choices
        What is chosen at first.
    parent
        Whoever opened it.
    """

    changed = Signal()
    failed = Signal(object)
    blocked = Signal(str)

    # What it acts on; made by `Drawing`, which has parts that need one another.
    layers: CaseLayers
    sight: Sight
    hand: PlaneHand

    def __init__(self, session: Session, case: OpenCase, choices: Choices, parent: QObject) -> None:
        super().__init__(parent)
        self.case, self.session, self.choices = case, session, choices
        self.paused = False

    # Segments

    def add_segment(self) -> int:
        """Add a segment with the next free name and colour, and pick it."""
        label = self.case.segmentation.schema.next_label()
        if self.do(lambda: commands.set_label(self.session, self.case, label)):
            self.pick(label.value)
        return label.value

    def rename(self, value: int, name: str) -> None:
        """Call a segment something else."""
        self._change(value, lambda label: replace(label, name=name))

    def recolor(self, value: int, color: str) -> None:
        """Paint a segment in another colour."""
        self._change(value, lambda label: replace(label, color=color.upper()))

    def delete(self, value: int) -> None:
        """Delete a segment and its voxels; undo brings it back."""
        if self.do(lambda: commands.delete_label(self.session, self.case, value)):
            first = next(iter(self.case.segmentation.schema), None)
            if value == self.choices.active:
                self.pick(first.value if first else 0)

    def toggle_lock(self, value: int | None = None) -> None:
        """Protect a segment, or stop protecting it; the one in hand if none is named."""
        wanted = self.choices.active if value is None else value
        if wanted:
            on = wanted not in self.case.segmentation.locked
            self.do(lambda: commands.lock_label(self.session, self.case, wanted, on=on))

    def toggle_eye(self, value: int, *, only: bool = False) -> None:
        """Show or hide a segment, or show only this and, asked again, all."""
        hidden = self.choices.hidden
        if only:
            others = frozenset(one.value for one in self.case.segmentation.schema) - {value}
            hidden = frozenset() if hidden == others else others
        else:
            hidden = hidden ^ {value}
        self.choose(hidden=hidden)
        self._restyle()

    def show_only(self) -> None:
        """Show only the segment in hand, and all of them when asked again."""
        self.toggle_eye(self.choices.active, only=True)

    def pick(self, value: int) -> None:
        """Draw this segment from now on."""
        self.layers.pick(value)
        self.choose(active=value)
        self.sight.repaint()

    def pick_next(self, step: int) -> None:
        """Pick the next or previous segment, round and round."""
        values = [label.value for label in self.case.segmentation.schema]
        if values:
            here = values.index(self.choices.active) if self.choices.active in values else -step
            self.pick(values[(here + step) % len(values)])

    def pick_number(self, number: int) -> None:
        """Pick the segment in this place of the table, counted from 1."""
        values = [label.value for label in self.case.segmentation.schema]
        if 1 <= number <= len(values):
            self.pick(values[number - 1])

    def pick_at(self, kji: tuple[float, float, float]) -> None:
        """Pick the segment that a voxel belongs to."""
        value = self.segment_at(kji)
        if value:
            self.pick(value)

    def pick_under(self) -> None:
        """Pick the segment under the pointer."""
        if self.hand.last is not None:
            self.pick_at(self.hand.last)

    def segment_at(self, kji: tuple[float, float, float]) -> int:
        """The label value there, of shown segments the one drawn last on top; 0 for none."""
        k, j, i = (round(n) for n in kji)
        if not all(0 <= n < size for n, size in zip((k, j, i), self.sight.shape, strict=True)):
            return 0
        found = [int(array[k, j, i]) for array in self.sight.arrays]
        return next((value for value in reversed(found) if value), 0)

    @property
    def active_rgb(self) -> tuple[float, float, float] | None:
        """The colour of the segment in hand."""
        label = self.case.segmentation.schema.get(self.choices.active)
        return None if label is None else label.rgb

    # How they look

    def toggle_shown(self) -> None:
        """Show or hide all segments."""
        shown = not self.choices.shown
        self.layers.show_segments(on=shown)
        self.choose(shown=shown)
        self.sight.repaint()

    def next_style(self) -> None:
        """Segments as outline and fill, then outline, then fill."""
        names = tuple(STYLES)
        self.choose(style=names[(names.index(self.choices.style) + 1) % len(names)])
        self._restyle()

    def set_fill(self, strength: float) -> None:
        """How strongly the areas of segments are filled, from 0 to 1."""
        self.sight.choose(fill=min(max(strength, 0.0), 1.0))
        self._restyle()

    def step_opacity(self, step: int) -> None:
        """A little more or less."""
        self.set_fill(self.sight.look.fill + 0.05 * step)

    # What others ask

    def choose(self, **chosen: object) -> None:
        """Change a choice and say so."""
        new = replace(self.choices, **chosen)  # type: ignore[arg-type]  # its own fields
        if new != self.choices:
            self.choices = new
            self.changed.emit()

    def do(self, command: Callable[[], object]) -> bool:
        """Carry a command out; False, and the reason told, where it is refused."""
        if self.paused:
            return False
        try:
            command()
        except MedlabelError as error:
            self.failed.emit(error)
            return False
        return True

    # How

    def _change(self, value: int, change: Callable[[Label], Label]) -> None:
        label = self.case.segmentation.schema[value]
        self.do(lambda: commands.set_label(self.session, self.case, change(label)))

    def _restyle(self) -> None:
        strength = self.sight.look.fill / STYLES["outline and fill"][0]
        self.layers.show_schema(self.choices.hidden, self.choices.style, strength)
        self.sight.repaint()
