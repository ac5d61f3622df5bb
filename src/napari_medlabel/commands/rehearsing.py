"""What a tool would write, without writing it; and writing it once a person has seen it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np

from napari_medlabel.commands.door import command
from napari_medlabel.core.annotation_set import AnnotationSet
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.schema import LabelSchema
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.core.since import annotations_since, schema_since
from napari_medlabel.core.writable import Checked, permitted
from napari_medlabel.session import OpenCase, Permission, Session

__all__ = ["Rehearsed", "accept", "on_slice", "rehearse"]


@dataclass(frozen=True, slots=True, eq=False)
class Rehearsed:
    """What a command would have written: its edits, and how history would name it.

    Where `whole`, it is written whole or not at all: a locked segment refuses it. `seen` has the
    schema and the annotations that it was made on, where it changes them; `checked` what the
    segmentation said of the edits then.
    """

    edits: tuple[Edit, ...]
    tool: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    schema: LabelSchema | None = None
    annotations: AnnotationSet | None = None
    whole: bool = False
    seen: tuple[LabelSchema, AnnotationSet] | None = None
    checked: Checked | None = None

    @property
    def is_nothing(self) -> bool:
        """True where no voxel, no label and no annotation would change."""
        others = self.schema is None and self.annotations is None
        return others and all(edit.is_nothing for edit in self.edits)

    @property
    def voxels(self) -> int:
        """How many voxels would change."""
        return sum(edit.voxels for edit in self.edits)

    def over_only(self, value: int) -> "Rehearsed":
        """What of it changes voxels of one label."""
        edits = []
        for edit in self.edits:
            where = np.zeros(edit.changed.shape, bool)
            where[edit.changed] = edit.before == value
            edits.append(edit.only(where))
        return replace(self, edits=tuple(edits))

    def on_slice(self, axis: int, index: int) -> "tuple[Rehearsed, Rehearsed]":
        """What of it lies on one slice, and the rest."""
        here = [edit.only(on_slice(edit, axis, index)) for edit in self.edits]
        rest = [edit.only(~on_slice(edit, axis, index)) for edit in self.edits]
        return replace(self, edits=tuple(here)), replace(self, edits=tuple(rest))


class _Rehearsal:
    """Stands for a segmentation that a command may look at but not change."""

    def __init__(self, real: Segmentation) -> None:
        self._real = real
        self.done: Rehearsed | None = None

    def __getattr__(self, name: str) -> object:
        if name in _CHANGES:
            raise TypeError(f"a rehearsal cannot {name}")
        return getattr(self._real, name)

    def apply(self, wanted: Edit, **how: Any) -> Edit:  # noqa: ANN401  # as `Segmentation.apply`
        return self.apply_all((wanted,), **how)[0]

    def apply_all(  # noqa: PLR0913  # as `Segmentation.apply_all`
        self, wanted: Sequence[Edit], *, tool: str = "Edit",
        settings: Mapping[str, Any] | None = None, schema: LabelSchema | None = None,
        annotations: AnnotationSet | None = None, whole: bool = False,
    ) -> tuple[Edit, ...]:  # fmt: skip
        real = self._real
        edits = tuple(wanted) if whole else tuple(
            permitted(edit, real.locked, real.intensity_mask) for edit in wanted
        )  # fmt: skip
        new = schema if schema is not None and schema != real.schema else None
        noted = None if annotations == real.annotations else annotations
        seen = (real.schema, real.annotations)
        self.done = Rehearsed(edits, tool, dict(settings or {}), new, noted, whole, seen)
        return edits


_CHANGES = frozenset({
    "undo", "redo", "lock", "set_label", "delete_label", "set_annotations", "forget_steps",
})  # fmt: skip


@command(needs=Permission.VIEW)
def rehearse(
    session: Session, /, case: OpenCase, action: Callable[..., object], *args: object,
    **settings: object,
) -> Rehearsed:  # fmt: skip
    """What a command of this package would write to the case now; nothing is written.

    May be called off the main thread. Locks and the intensity mask trim it as they would.

    Parameters
    ----------
    session, case
        As the command takes them.
    action
        The command; one that makes at most one step.
    *args, **settings
        Its other arguments.

    Raises
    ------
    PermissionDenied, MedlabelError
        As the command does.
    """
    session.permit(action.permission)  # type: ignore[attr-defined]  # every command has one
    stage = _Rehearsal(case.segmentation)
    inner = action.__wrapped__  # type: ignore[attr-defined]  # the command without its record
    inner(session, replace(case, segmentation=cast("Segmentation", stage)), *args, **settings)
    if stage.done is None:
        return Rehearsed((Edit.nothing(case.segmentation.labels.dtype),), "")
    done = stage.done
    return replace(done, checked=case.segmentation.check(done.edits, whole=done.whole))


@command(needs=Permission.SEGMENT)
def accept(session: Session, case: OpenCase, rehearsed: Rehearsed) -> tuple[Edit, ...]:  # noqa: ARG001
    """Write what was rehearsed, as one step; what was done since then is left as it is.

    Voxels drawn on since stay. Segments and annotations that were added or changed since stay,
    too; a new segment whose number was given to another one since gets the next free one.

    Returns
    -------
    tuple of Edit
        What was written.

    Raises
    ------
    Locked
        If it is written whole or not at all, and a locked segment would change.
    StaleEdit
        If a segment that it changes was deleted since.
    """
    case.check_open()
    arrays = case.segmentation.arrays
    rehearsed = _on_what_came_since(rehearsed, case.segmentation)
    edits, checked = rehearsed.edits, rehearsed.checked
    if checked is None or not case.segmentation.still_holds(checked, edits):
        edits, checked = tuple(_as_of_now(edit, arrays) for edit in edits), None
    return case.segmentation.apply_all(
        edits, tool=rehearsed.tool, settings=rehearsed.settings, schema=rehearsed.schema,
        annotations=rehearsed.annotations, whole=rehearsed.whole, checked=checked,
    )  # fmt: skip


def _on_what_came_since(rehearsed: Rehearsed, now: Segmentation) -> Rehearsed:
    """The same on the segments and annotations of now."""
    if rehearsed.seen is None:
        return rehearsed
    schema, annotations = rehearsed.seen
    if rehearsed.annotations is not None:
        noted = annotations_since(annotations, rehearsed.annotations, now.annotations)
        rehearsed = replace(rehearsed, annotations=noted)
    if rehearsed.schema is None:
        return rehearsed
    since = schema_since(schema, rehearsed.schema, now.schema)
    edits, settings = rehearsed.edits, rehearsed.settings
    if since.moved:
        edits = tuple(edit.with_values(since.moved) for edit in edits)
        settings = _renumbered(settings, since.moved)
    return replace(rehearsed, edits=edits, settings=settings, schema=since.schema)


def _renumbered(settings: Mapping[str, Any], moved: Mapping[int, int]) -> dict[str, Any]:
    """Settings of a step that name a label value, or where several went."""
    new = dict(settings)
    if settings.get("label") in moved:
        new["label"] = moved[settings["label"]]
    if isinstance(into := settings.get("into"), Mapping):
        new["into"] = {name: moved.get(value, value) for name, value in into.items()}
    return new


def _as_of_now(edit: Edit, arrays: Mapping[int, Any]) -> Edit:
    labels = arrays.get(edit.group)
    if labels is None or edit.is_nothing or edit.fits(labels):
        return edit
    same = np.zeros(edit.changed.shape, bool)
    same[edit.changed] = labels[edit.box][edit.changed] == edit.before
    return edit.only(same)


def on_slice(edit: Edit, axis: int, index: int) -> BoolArray:
    """Which voxels of an edit's box lie on a slice."""
    where = np.zeros(edit.changed.shape, bool)
    place = index - edit.low[axis]
    if 0 <= place < where.shape[axis]:
        where[(slice(None),) * axis + (place,)] = True
    return where
