"""What a person does to segments from their table: each a command on the open case."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from napari_medlabel import commands
from napari_medlabel.core.schema import Code
from napari_medlabel.errors import ValueTaken
from napari_medlabel.ui.drawing import Drawing

__all__ = [
    "add_another",
    "load_schema",
    "merge",
    "move_to_group",
    "save_schema",
    "set_code",
    "set_fill",
]

Ask = Callable[[ValueTaken, Callable[[], object]], object]


def merge(drawing: Drawing, value: int, into: int) -> None:
    """Give a segment's voxels to another and delete it."""
    in_hand = drawing.choices.active in {value, into}
    done = drawing.do(lambda: commands.merge_segments(drawing.session, drawing.case, value, into))
    if done and in_hand:
        drawing.pick(into)


def move_to_group(drawing: Drawing, value: int, group: int) -> None:
    """Move a segment with its voxels to a group, where it may overlap those of others."""
    done = drawing.do(
        lambda: commands.set_group(drawing.session, drawing.case, value, group)
    )  # fmt: skip
    if done and drawing.choices.active == value:
        drawing.pick(value)  # its strokes go to another array now


def set_code(drawing: Drawing, value: int, code: Code | None) -> None:
    """Say what a segment is, for machines."""
    label = drawing.case.segmentation.schema.get(value)
    if label is None:  # deleted, or undone, while its code was looked for
        return
    coded = replace(label, code=code)
    drawing.do(lambda: commands.set_label(drawing.session, drawing.case, coded))


def set_fill(drawing: Drawing, value: int, fill: float) -> None:
    """Fill one segment's area more or less than the others, from 0 to 1."""
    drawing.choose(fills={**drawing.choices.fills, value: fill})
    drawing.sight.fills = drawing.choices.fills
    drawing.sight.repaint()


def add_another(drawing: Drawing, value: int) -> None:
    """Add the next segment of a kind, "Lesion 3", and pick it."""
    before = {label.value for label in drawing.case.segmentation.schema}
    if drawing.do(lambda: commands.add_instance(drawing.session, drawing.case, value)):
        made = {label.value for label in drawing.case.segmentation.schema} - before
        drawing.pick(made.pop())


def load_schema(
    drawing: Drawing, source: Path | str, ask: Ask | None = None, *, renumber: bool = False
) -> None:
    """Bring a template, by its key, or a schema file into the case.

    Where it gives numbers of drawn segments to others, `ask` is told why, and what renumbers them.
    """

    def load() -> None:
        session, case = drawing.session, drawing.case
        try:
            commands.load_schema(session, case, source, renumber=renumber)
        except ValueTaken as taken:
            if ask is None:
                raise
            ask(taken, partial(load_schema, drawing, source, renumber=True))

    schema, held = drawing.case.segmentation.schema, drawing.choices.active
    name = schema[held].name if schema.get(held) else ""
    if drawing.do(load) and drawing.case.segmentation.schema is not schema:
        new = drawing.case.segmentation.schema
        known = [one.value for one in new if one.name.casefold() == name.casefold()]
        drawing.pick(next(iter(known or [one.value for one in new]), 0))


def save_schema(drawing: Drawing, path: Path) -> None:
    """Write the schema, with its protocol, to a file; the person has agreed to replace it."""
    drawing.do(
        lambda: commands.save_schema(drawing.session, drawing.case, path, force=True)
    )  # fmt: skip
