"""What a person does to segments from their table: each a command on the open case."""

from dataclasses import replace
from pathlib import Path

from napari_medlabel import commands
from napari_medlabel.core.schema import Code
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


def load_schema(drawing: Drawing, source: Path | str) -> None:
    """Bring a template, by its key, or a schema file into the case."""
    if drawing.do(lambda: commands.load_schema(drawing.session, drawing.case, source)):
        first = next(iter(drawing.case.segmentation.schema), None)
        active = drawing.case.segmentation.schema.get(drawing.choices.active) or first
        drawing.pick(active.value if active else 0)


def save_schema(drawing: Drawing, path: Path) -> None:
    """Write the schema, with its protocol, to a file; the person has agreed to replace it."""
    drawing.do(
        lambda: commands.save_schema(drawing.session, drawing.case, path, force=True)
    )  # fmt: skip
