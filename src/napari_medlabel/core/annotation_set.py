"""The annotations of a case in their order, and a change of them as a value."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from napari_medlabel.core.annotation import KIND_WORDS, Annotation, Kind
from napari_medlabel.core.annotation_document import annotation_document, annotation_from_document
from napari_medlabel.errors import InputError

__all__ = ["AnnotationEdit", "AnnotationSet"]

_MOST: Final = 20_000


@dataclass(frozen=True, slots=True)
class AnnotationSet:
    """Annotations, in the order in which they were made; each id is used once."""

    annotations: tuple[Annotation, ...] = field(default=())

    def __post_init__(self) -> None:
        if len({one.id for one in self.annotations}) < len(self.annotations):
            raise InputError("two annotations have the same id")
        if len(self.annotations) > _MOST:
            raise InputError(f"a case has no more than {_MOST} annotations")

    def __iter__(self) -> Iterator[Annotation]:
        return iter(self.annotations)

    def __len__(self) -> int:
        return len(self.annotations)

    def get(self, annotation_id: str) -> Annotation | None:
        """The annotation with this id, or None."""
        return next((one for one in self.annotations if one.id == annotation_id), None)

    def __getitem__(self, annotation_id: str) -> Annotation:
        found = self.get(annotation_id)
        if found is None:
            raise InputError("there is no annotation with this id")
        return found

    def with_(self, annotation: Annotation) -> "AnnotationSet":
        """The set with the annotation: replaced where its id is there, else added at the end."""
        if self.get(annotation.id) is None:
            return AnnotationSet((*self.annotations, annotation))
        return AnnotationSet(
            tuple(annotation if one.id == annotation.id else one for one in self.annotations)
        )

    def without(self, annotation_id: str) -> "AnnotationSet":
        """The set without the annotation.

        Raises
        ------
        InputError
            If there is none with this id.
        """
        gone = self[annotation_id]
        return AnnotationSet(tuple(one for one in self.annotations if one is not gone))

    def with_segments(self, new_values: Mapping[int, int]) -> "AnnotationSet":
        """The set with other label values in annotations that belong to a segment; 0 is none."""
        if not any(one.segment in new_values for one in self.annotations):
            return self
        return AnnotationSet(tuple(
            replace(one, segment=new_values.get(one.segment, one.segment))
            for one in self.annotations
        ))  # fmt: skip

    def next_name(self, kind: Kind) -> str:
        """A name that is free: "Distance 3"."""
        names = {one.name.casefold() for one in self.annotations}
        number = sum(one.kind == kind for one in self.annotations) + 1
        while f"{KIND_WORDS[kind]} {number}".casefold() in names:
            number += 1
        return f"{KIND_WORDS[kind]} {number}"

    def document(self) -> list[dict[str, Any]]:
        """The set as JSON-ready values."""
        return [annotation_document(one) for one in self.annotations]

    @classmethod
    def from_document(cls, document: Sequence[Mapping[str, Any]]) -> "AnnotationSet":
        """The set that `document` wrote.

        Raises
        ------
        InputError
            If the document is not one.
        """
        return cls(tuple(annotation_from_document(one) for one in document))


@dataclass(frozen=True, slots=True)
class AnnotationEdit:
    """From place `at` on, the annotations `before` give way to `after`; all others stay."""

    at: int
    before: tuple[Annotation, ...]
    after: tuple[Annotation, ...]

    @classmethod
    def between(cls, old: AnnotationSet, new: AnnotationSet) -> "AnnotationEdit":
        """The change from one set to another; trimmed to what differs."""
        a, b = old.annotations, new.annotations
        shorter = min(len(a), len(b))
        start = next((n for n in range(shorter) if a[n] != b[n]), shorter)
        rest = shorter - start
        same_end = next((n for n in range(rest) if a[-1 - n] != b[-1 - n]), rest)
        return cls(start, a[start : len(a) - same_end], b[start : len(b) - same_end])

    @property
    def is_nothing(self) -> bool:
        """True where nothing changes."""
        return not self.before and not self.after

    def inverse(self) -> "AnnotationEdit":
        """The change that takes this one back."""
        return AnnotationEdit(self.at, self.after, self.before)

    def fits(self, annotations: AnnotationSet) -> bool:
        """True where `before` is what is there, and no id would be there twice."""
        end = self.at + len(self.before)
        there = annotations.annotations
        others = {one.id for one in (*there[: self.at], *there[end:])}
        new = {one.id for one in self.after}
        whole = len(new) == len(self.after) and not new & others
        return whole and 0 <= self.at <= len(there) and there[self.at : end] == self.before

    def applied(self, annotations: AnnotationSet) -> AnnotationSet:
        """The set after the change, which must fit."""
        there = annotations.annotations
        end = self.at + len(self.before)
        return AnnotationSet((*there[: self.at], *self.after, *there[end:]))

    def document(self) -> dict[str, Any]:
        """The change as JSON-ready values."""
        return {
            "at": self.at,
            "before": AnnotationSet(self.before).document(),
            "after": AnnotationSet(self.after).document(),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "AnnotationEdit":
        """The change that `document` wrote.

        Raises
        ------
        InputError
            If the document is not one.
        """
        try:
            parts = [AnnotationSet.from_document(document[key]) for key in ("before", "after")]
            return cls(int(document["at"]), parts[0].annotations, parts[1].annotations)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("this is not a change of annotations") from error
