"""What tells volumes of one series apart, and the names that follow from it."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from napari_medlabel.formats.dicom_instance import InstanceFacts

__all__ = [
    "ATTRIBUTES",
    "GATED",
    "PASSED",
    "Attribute",
    "Group",
    "names_of",
    "sortable",
    "type_words",
]

Group = tuple[InstanceFacts, ...]


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something that may be the same all through a volume, and what it is called.

    `rank` is the order in which attributes are asked: what a header counts or a protocol sets
    first, times that merely passed later, what gating makes vary from slice to slice last.
    `overlaps` where its volumes may share only some positions, as two acquisitions do.
    """

    value: Callable[[InstanceFacts], Any]
    name: str
    rank: int
    overlaps: bool = False


COUNTED, CHOSEN, MEASURED, PASSED, GATED = range(5)

# In the order in which names are made of them.
ATTRIBUTES: Final[tuple[Attribute, ...]] = (
    Attribute(lambda facts: facts.echo_time, "echo", CHOSEN),
    Attribute(lambda facts: facts.image_type, "type", CHOSEN),
    Attribute(lambda facts: facts.inversion_time, "inversion time", CHOSEN),
    Attribute(lambda facts: facts.flip_angle, "flip angle", CHOSEN),
    Attribute(lambda facts: facts.kernel, "kernel", CHOSEN),
    Attribute(lambda facts: facts.b_value, "b-value", COUNTED),
    Attribute(lambda facts: facts.gradient, "direction", COUNTED),
    Attribute(lambda facts: facts.temporal_position, "time", COUNTED),
    Attribute(lambda facts: facts.frame_time, "time", MEASURED),
    Attribute(lambda facts: facts.trigger_time, "phase", MEASURED),
    Attribute(lambda facts: facts.dimensions, "dimension", COUNTED),
    Attribute(lambda facts: facts.repetition_time, "repetition time", GATED),
    Attribute(lambda facts: facts.acquired_s, "time", PASSED),
    Attribute(lambda facts: facts.acquisition, "acquisition", PASSED, overlaps=True),
)
# What the third and later values of ImageType call themselves: PS3.3 C.8.3.1.1.1 and makers.
_TYPE_NAMES: Final = {
    "M": "magnitude", "M_FFE": "magnitude", "M_SE": "magnitude", "M_IR": "magnitude",
    "MAGNITUDE": "magnitude", "P": "phase", "PHASE": "phase", "PHASE MAP": "phase",
    "R": "real", "REAL": "real", "I": "imaginary", "IMAGINARY": "imaginary",
    "IN_PHASE": "in phase", "OPP_PHASE": "opposed phase", "OUT_PHASE": "opposed phase",
    "W": "water", "WATER": "water", "F": "fat", "FAT": "fat", "ADC": "ADC", "FA": "FA",
    "B0 MAP": "field map", "DIXON": "Dixon",
}  # fmt: skip


def type_words(facts: InstanceFacts) -> tuple[str, ...]:
    """What the ImageType says in known words."""
    return tuple(sorted({_TYPE_NAMES[word] for word in facts.image_type if word in _TYPE_NAMES}))


def names_of(groups: Sequence[tuple[str, Group]]) -> list[tuple[str, Group]]:
    """Volumes with their names, in the order of what the names say.

    Parameters
    ----------
    groups
        Volumes, each with a word for where no attribute tells it from others ("volume 2").
    """
    return _named([((), word, group) for word, group in groups], ATTRIBUTES)


def _named(
    groups: Sequence[tuple[tuple[str, ...], str, Group]], attributes: Sequence[Attribute]
) -> list[tuple[str, Group]]:
    """Name those that are left by the attributes that are left."""
    if len(groups) == 1 or not attributes:
        alone = len(groups) == 1
        return [
            (", ".join((*names, *(() if alone or not word else (word,)))), group)
            for names, word, group in groups
        ]
    first, *others = attributes
    parts: dict[Any, list[tuple[tuple[str, ...], str, Group]]] = defaultdict(list)
    for one in groups:
        values = {first.value(facts) for facts in one[2]}
        if len(values) > 1:  # it is not the same all through a volume
            return _named(groups, others)
        parts[values.pop()].append(one)
    if len(parts) == 1:
        return _named(groups, others)
    ordered = sorted(parts.items(), key=lambda item: sortable(item[0]))
    words = _words(first, [value for value, _ in ordered])
    return [
        named
        for said, (_, members) in zip(words, ordered, strict=True)
        for named in _named([((*names, said), w, group) for names, w, group in members], others)
    ]


def sortable(value: Any) -> tuple[bool, Any]:  # noqa: ANN401  # whatever an attribute holds
    """A value in an order in which nothing comes first."""
    return (value is not None, 0 if value is None else value)


def _words(by: Attribute, values: Sequence[Any]) -> list[str]:
    if by.name == "b-value":
        return ["b unknown" if value is None else f"b {value:g}" for value in values]
    if by.name == "type":
        named = [_type_name(value, values) for value in values]
        if all(named) and len(set(named)) == len(named):
            return named
    return [f"{by.name} {n}" for n in range(1, len(values) + 1)]


def _type_name(value: Sequence[str], others: Sequence[Sequence[str]]) -> str:
    """A known word for what is in this ImageType and not in all of them."""
    common = set(value).intersection(*map(set, others))
    own = [_TYPE_NAMES[word] for word in value if word not in common and word in _TYPE_NAMES]
    return own[0] if own else ""
