"""Schemas as documents: labels with the protocol to draw them by, and how one comes into a case.

A name may hold `{n}`, "Lesion {n}": such a label is numbered, and there are as many of it as are
needed. In a case the first is "Lesion 1", and `next_instance` gives the others.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from napari_medlabel.core.schema import HIGHEST_VALUE, Label, LabelSchema
from napari_medlabel.errors import InputError, ValueTaken

__all__ = ["NUMBER", "Loaded", "SchemaDocument", "loaded_into", "next_instance"]

FORMAT: Final = 1
NUMBER: Final = "{n}"
_LONGEST: Final = 100_000  # characters of a protocol
_NUMBERED: Final = re.compile(r"^(?P<stem>.*?)(?P<number>[0-9]+)$")


@dataclass(frozen=True, slots=True)
class SchemaDocument:
    """A schema and how to draw by it.

    Parameters
    ----------
    schema
        The labels.
    protocol
        Text for the annotator, plain or Markdown; may be empty.
    """

    schema: LabelSchema
    protocol: str = ""

    def __post_init__(self) -> None:
        if len(self.protocol) > _LONGEST:
            raise InputError(
                f"a protocol of {len(self.protocol)} characters is too long",
                f"leave {_LONGEST} or fewer",
            )

    def document(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {"format": FORMAT, **self.schema.document(), "protocol": self.protocol}

    @classmethod
    def from_document(cls, document: object) -> "SchemaDocument":
        """The schema that `document` wrote, or an export's .labels.json.

        Raises
        ------
        InputError
            If the document is not one, or of a later format.
        """
        if not isinstance(document, dict):
            raise InputError("this is not a label schema", "choose a .labels.json file")
        made = document.get("format", FORMAT)
        if not isinstance(made, int) or made > FORMAT:
            raise InputError("the schema is of a later format", "update this program")
        protocol = document.get("protocol", "")
        if not isinstance(protocol, str):
            raise InputError("the protocol of the schema is no text", "put it in quotes")
        return cls(LabelSchema.from_document(document), protocol)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a case's schema becomes.

    Parameters
    ----------
    schema
        The labels.
    new_values
        Label values whose voxels get new ones.
    moved
        Every label value of before that means another label now, or none (0), and what that is.
    renumbered
        The labels of the case that made room for those that were loaded, as they are now.
    """

    schema: LabelSchema
    new_values: Mapping[int, int]
    moved: Mapping[int, int]
    renumbered: tuple[Label, ...] = ()


def loaded_into(
    current: LabelSchema, loaded: LabelSchema, voxels: Mapping[int, int], *,
    renumber: bool = False,
) -> Loaded:  # fmt: skip
    """Bring a schema into a case whose labels may have voxels, and lose nothing.

    A label that is in both by its name has the loaded one's value, colour and codes, and keeps its
    group. Labels that are only in the case stay behind the loaded ones; those without a voxel give
    way where a loaded one needs their value.

    Parameters
    ----------
    current
        The case's.
    loaded
        The other one; numbered labels get the number 1, unless the case has one.
    voxels
        How many voxels each label of the case has.
    renumber
        Whether a label with voxels whose value the loaded schema gives another meaning gets the
        next free value; else it is refused.

    Raises
    ------
    ValueTaken
        If there is such a label, and it is not to be renumbered.
    """
    named = {label.name.casefold(): label for label in current}
    labels, moved = list[Label](), dict[int, int]()
    for label in _first_instances(current, loaded):
        known = named.pop(label.name.casefold(), None)
        labels.append(label if known is None else replace(label, group=known.group))
        if known is not None and known.value != label.value:
            moved[known.value] = label.value
    taken = {label.value: label for label in labels}
    in_the_way = [one for one in named.values() if one.value in taken and voxels.get(one.value, 0)]
    if in_the_way and not renumber:
        raise _value_taken(in_the_way, taken)
    used = {*taken, *(label.value for label in current)}
    free = (value for value in range(1, HIGHEST_VALUE + 2) if value not in used)
    renumbered = {one.value: replace(one, value=next(free)) for one in in_the_way}
    kept = list[Label]()
    for label in named.values():
        new = renumbered.get(label.value, label)
        if new.value in taken:
            moved[label.value] = 0
            continue
        kept.append(new)
        if new is not label:
            moved[label.value] = new.value
    new_values = {old: new for old, new in moved.items() if voxels.get(old, 0)}
    schema = LabelSchema(loaded.name, (*labels, *kept))
    return Loaded(schema, new_values, moved, tuple(renumbered.values()))


def _value_taken(labels: Sequence[Label], taken: Mapping[int, Label]) -> ValueTaken:
    """Why a schema cannot come in as it is."""
    first, *others = labels
    more = f", and {len(others)} more" if others else ""
    return ValueTaken(
        f"value {first.value} is '{first.name}' in the case, with voxels, and "
        f"'{taken[first.value].name}' in the schema{more}",
        "let what is drawn be renumbered, or give the segment the schema's name",
    )


def next_instance(schema: LabelSchema, value: int) -> Label:
    """One more label of the kind of another: "Lesion 3" after "Lesion 2", with the same codes.

    Raises
    ------
    InputError
        If there is no such label.
    """
    like = schema[value]
    found = _NUMBERED.match(like.name)
    stem = found["stem"] if found else f"{like.name} "
    numbers = [1] if not found else []
    for label in schema:
        other = _NUMBERED.match(label.name)
        if other and other["stem"].casefold() == stem.casefold():
            numbers.append(int(other["number"]))
    free = schema.next_label(f"{stem}{max(numbers) + 1}")
    return replace(like, value=free.value, name=free.name, color=free.color)


def _first_instances(current: LabelSchema, loaded: LabelSchema) -> list[Label]:
    """The loaded labels; a numbered one as its first, which the case may have already."""
    fixed = {label.value for label in loaded if NUMBER not in label.name}
    there = {label.name.casefold(): label for label in current}
    labels = list[Label]()
    for label in loaded:
        name = label.name.replace(NUMBER, "1")
        known = there.get(name.casefold())
        # An instance has the value that was free when it was added, and may keep it.
        mine = name != label.name and known is not None and known.value not in fixed
        labels.append(
            replace(label, name=name, value=known.value if mine and known else label.value)
        )
    return labels
