"""What was prepared on a case as it was, brought onto the case as it is now.

Between a preview and its acceptance a person may add, rename or delete segments and measure. What
the preview adds is added to that; what it does not touch stays as it is now.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from napari_medlabel.core.annotation_set import AnnotationSet
from napari_medlabel.core.schema import Label, LabelSchema
from napari_medlabel.errors import StaleEdit

__all__ = ["SchemaSince", "annotations_since", "schema_since"]


@dataclass(frozen=True, slots=True)
class SchemaSince:
    """The schema that both changes come to.

    Parameters
    ----------
    schema
        With the labels that were prepared, and those that came since.
    moved
        Prepared label values that somebody else has taken since, and what they are now.
    """

    schema: LabelSchema
    moved: Mapping[int, int]


def schema_since(before: LabelSchema, prepared: LabelSchema, now: LabelSchema) -> SchemaSince:
    """Change the schema of now as `prepared` changes `before`.

    A prepared label whose value or name was given away since gets the next free one. A label that
    both changed is as it is now.

    Raises
    ------
    StaleEdit
        If a label was deleted since that the prepared schema changes, or moved to another group.
    """
    if now == before:
        return SchemaSince(prepared, {})
    made, moved = now, dict[int, int]()
    for label in before:
        if prepared.get(label.value) is None and now.get(label.value) == label:
            made = made.without(label.value)
    for label in prepared:
        old, there = before.get(label.value), now.get(label.value)
        if old is None:
            free = _free(made, label)
            made = made.with_label(free)
            if free.value != label.value:
                moved[label.value] = free.value
        elif old == label:
            continue
        elif there is None or (there.group != label.group and there != old):
            raise StaleEdit(
                f"'{label.name}' was deleted or moved since this was prepared", "prepare it again"
            )
        elif there == old:
            others = made.without(label.value)
            made = made.with_label(replace(label, name=others.next_label(label.name).name))
    name = prepared.name if prepared.name != before.name else now.name
    return SchemaSince(replace(made, name=name), moved)


def annotations_since(
    before: AnnotationSet, prepared: AnnotationSet, now: AnnotationSet
) -> AnnotationSet:
    """Change the annotations of now as `prepared` changes `before`; one that both changed stays."""
    if now == before:
        return prepared
    made = now
    for one in before:
        if prepared.get(one.id) is None and now.get(one.id) == one:
            made = made.without(one.id)
    for one in prepared:
        old, there = before.get(one.id), now.get(one.id)
        if old != one and there == old:
            made = made.with_(one)
    return made


def _free(schema: LabelSchema, label: Label) -> Label:
    """The label, with a value and a name that nobody has."""
    free = schema.next_label(label.name)
    value = label.value if schema.get(label.value) is None else free.value
    return replace(label, value=value, name=free.name)
