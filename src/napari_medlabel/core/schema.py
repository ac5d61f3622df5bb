"""What may be drawn: the labels of a task, with names, colours, codes and groups.

Segments of one group share an array, so that a voxel is in one of them at most. Segments of
different groups may overlap: a liver, and a lesion in it.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from napari_medlabel.errors import InputError

__all__ = ["HIGHEST_VALUE", "PALETTE", "Code", "Label", "LabelSchema"]

# Chosen for the largest smallest CIEDE2000 difference (12.7) over all pairs in normal, protan,
# deutan and tritan vision (Machado 2009, severity 1).
PALETTE: Final = (
    "#FF8000", "#33FFCC", "#33A680", "#EBEB33", "#EB59FF", "#A633A6", "#338033", "#EBA6EB",
)  # fmt: skip
HIGHEST_VALUE: Final = 65535
HIGHEST_GROUP: Final = 65535


@dataclass(frozen=True, slots=True)
class Code:
    """A coded term: `Code("10200004", "SCT", "Liver")`; schemes as in PS3.16 chapter 8."""

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Label:
    """One label of a schema.

    Parameters
    ----------
    value
        Its integer in the array: 1 to 65535 (0 is background).
    name
        For people; not empty.
    color
        "#RRGGBB".
    code
        What it is, for machines: a liver, a tumour.
    category
        What kind of thing that is: tissue, an anatomical structure.
    modifiers
        Of the code, such as its side.
    region
        Where in the body it is.
    group
        Which array holds it, from 0: labels of different groups may overlap.
    """

    value: int
    name: str
    color: str
    code: Code | None = None
    category: Code | None = None
    modifiers: tuple[Code, ...] = ()
    region: Code | None = None
    group: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.value <= HIGHEST_VALUE:
            raise InputError(f"label value {self.value} is not between 1 and {HIGHEST_VALUE}")
        if not self.name.strip():
            raise InputError("a label needs a name")
        if not self.name.isprintable():
            raise InputError("a label's name holds characters that cannot be shown")
        if not 0 <= self.group <= HIGHEST_GROUP:
            raise InputError(f"group {self.group} is not between 0 and {HIGHEST_GROUP}")
        digits = self.color[1:]
        if len(self.color) != 7 or self.color[0] != "#" or not _is_hex(digits):
            raise InputError(f"label color {self.color!r} is not #RRGGBB")

    @property
    def rgb(self) -> tuple[float, float, float]:
        """Red, green and blue from 0 to 1."""
        red, green, blue = (int(self.color[n : n + 2], 16) / 255.0 for n in (1, 3, 5))
        return (red, green, blue)


@dataclass(frozen=True, slots=True)
class LabelSchema:
    """The labels of a task, in order; values and names are each used once, over all groups."""

    name: str = "Segments"
    labels: tuple[Label, ...] = field(default=())

    def __post_init__(self) -> None:
        values = [label.value for label in self.labels]
        names = [label.name.casefold() for label in self.labels]
        if len(set(values)) < len(values):
            raise InputError("two labels of the schema have the same value")
        if len(set(names)) < len(names):
            raise InputError("two labels of the schema have the same name")

    def __iter__(self) -> Iterator[Label]:
        return iter(self.labels)

    def __len__(self) -> int:
        return len(self.labels)

    def get(self, value: int) -> Label | None:
        """The label with this value, or None."""
        return next((label for label in self.labels if label.value == value), None)

    def __getitem__(self, value: int) -> Label:
        label = self.get(value)
        if label is None:
            raise InputError(f"the schema has no label with value {value}")
        return label

    @property
    def groups(self) -> tuple[int, ...]:
        """The groups of its labels, growing; 0 is always one of them."""
        return tuple(sorted({0, *(label.group for label in self.labels)}))

    def in_group(self, group: int) -> "LabelSchema":
        """The schema with the labels of one group alone."""
        return replace(self, labels=tuple(one for one in self.labels if one.group == group))

    def next_label(self, name: str = "") -> Label:
        """A label with the lowest free value, its palette colour and a free name."""
        taken = {label.value for label in self.labels}
        value = next(v for v in range(1, HIGHEST_VALUE + 2) if v not in taken)
        names = {label.name.casefold() for label in self.labels}
        wanted = "".join(filter(str.isprintable, name)).strip() or f"Segment {value}"
        free, n = wanted, 2
        while free.casefold() in names:
            free, n = f"{wanted} {n}", n + 1
        return Label(value, free, PALETTE[(value - 1) % len(PALETTE)])

    def with_label(self, label: Label) -> "LabelSchema":
        """The schema with the label: replaced where its value is there, else added at the end."""
        if self.get(label.value) is None:
            return replace(self, labels=(*self.labels, label))
        return replace(
            self, labels=tuple(label if old.value == label.value else old for old in self.labels)
        )

    def without(self, value: int) -> "LabelSchema":
        """The schema without the label."""
        return replace(self, labels=tuple(label for label in self.labels if label.value != value))

    def document(self) -> dict[str, Any]:
        """The schema as JSON-ready values."""
        return {"name": self.name, "labels": [_label_document(label) for label in self.labels]}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "LabelSchema":
        """The schema that `document` wrote.

        Raises
        ------
        InputError
            If the document is not one.
        """
        try:
            labels = tuple(_label(entry) for entry in document["labels"])
            return cls(str(document.get("name", "Segments")), labels)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise InputError(
                "this is not a label schema", "each label needs a value, a name and a color"
            ) from error


def _label_document(label: Label) -> dict[str, Any]:
    document: dict[str, Any] = {"value": label.value, "name": label.name, "color": label.color}
    for key, code in (("code", label.code), ("category", label.category), ("region", label.region)):
        if code:
            document[key] = asdict(code)
    if label.modifiers:
        document["modifiers"] = [asdict(code) for code in label.modifiers]
    if label.group:
        document["group"] = label.group
    return document


def _label(entry: dict[str, Any]) -> Label:
    value = int(entry["value"])
    group = int(entry.get("group", 0))
    if value != float(entry["value"]) or group != float(entry.get("group", 0)):
        raise ValueError("a label's value and group are whole numbers")
    return Label(
        value,
        str(entry["name"]),
        str(entry["color"]),
        _code(entry.get("code")),
        _code(entry.get("category")),
        tuple(filter(None, map(_code, entry.get("modifiers") or ()))),
        _code(entry.get("region")),
        group,
    )


def _code(entry: dict[str, Any] | None) -> Code | None:
    if not entry:
        return None
    return Code(str(entry["value"]), str(entry["scheme"]), str(entry["meaning"]))


def _is_hex(digits: str) -> bool:
    return all(digit in "0123456789abcdefABCDEF" for digit in digits)
