"""What the list of annotations shows, as frozen values made by pure functions."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from napari_medlabel.core.annotation import KIND_WORDS, Annotation, Keypoints, Kind
from napari_medlabel.core.segmentation import Segmentation

__all__ = [
    "AnnotationRow",
    "AnnotationsState",
    "LinkRow",
    "PointRow",
    "annotations_state",
]

Words = Callable[[Annotation], str]
SIZED: Final = frozenset({"box", "oriented-box", "cuboid"})


@dataclass(frozen=True, slots=True)
class AnnotationRow:
    """One annotation; `place` is where, in words: "Axial, slice 33"."""

    id: str
    kind: Kind
    name: str
    color: str
    segment: int
    place: str


@dataclass(frozen=True, slots=True)
class PointRow:
    """One keypoint, and whether it can be seen in the image."""

    name: str
    seen: bool


@dataclass(frozen=True, slots=True)
class LinkRow:
    """Two joined keypoints by name."""

    first: str
    second: str

    @property
    def words(self) -> str:
        """Both names."""
        return f"{self.first} \N{RIGHTWARDS ARROW} {self.second}"


@dataclass(frozen=True, slots=True)
class AnnotationsState:
    """All that the list shows.

    Parameters
    ----------
    rows
        Of all annotations.
    chosen
        The id of one of them, or "".
    points, links
        Of the chosen one, if it is keypoints.
    segments
        Value, name and colour of those that an annotation may belong to.
    wanted
        Whether a tool for annotations is in hand: the list is shown even when it is empty.
    read_only
        Whether nobody may change them now.
    version
        Rises when what is measured may differ though the rows do not.
    words_of
        What the annotation with an id measures, on one line; asked only for rows in sight.
    """

    rows: tuple[AnnotationRow, ...] = ()
    chosen: str = ""
    points: tuple[PointRow, ...] = ()
    links: tuple[LinkRow, ...] = ()
    segments: tuple[tuple[int, str, str], ...] = ()
    wanted: bool = False
    read_only: bool = False
    version: tuple[object, ...] = ()
    words_of: Callable[[str], str] = field(default=lambda _id: "", compare=False)

    @property
    def chosen_row(self) -> AnnotationRow | None:
        """The row that is chosen."""
        return next((row for row in self.rows if row.id == self.chosen), None)


def annotations_state(  # noqa: PLR0913  # what decides it
    segmentation: Segmentation, chosen: str, words_of: Words, version: int, *,
    wanted: bool = False, read_only: bool = False,
) -> AnnotationsState:  # fmt: skip
    """What to show of a case's annotations."""
    there = segmentation.annotations
    one = there.get(chosen)
    points: tuple[PointRow, ...] = ()
    links: tuple[LinkRow, ...] = ()
    if one is not None and isinstance(one.shape, Keypoints):
        names = [point.name for point in one.shape.points]
        points = tuple(PointRow(point.name, point.visible) for point in one.shape.points)
        links = tuple(LinkRow(names[a], names[b]) for a, b in one.shape.links)

    def words(annotation_id: str) -> str:
        found = there.get(annotation_id)
        if found is None:
            return ""
        lines = words_of(found).splitlines() or [""]
        # Sizes leave no room for an area or a volume beside them.
        return lines[0] if found.kind in SIZED else "  ".join(lines)

    return AnnotationsState(
        tuple(_row(annotation) for annotation in there), "" if one is None else chosen, points,
        links, tuple((label.value, label.name, label.color) for label in segmentation.schema),
        wanted, read_only, (version, there.annotations), words,
    )  # fmt: skip


def _row(annotation: Annotation) -> AnnotationRow:
    plane = annotation.plane
    place = "" if plane is None else f"{plane.view.capitalize()}, slice {plane.index + 1}"
    return AnnotationRow(
        annotation.id, annotation.kind, annotation.name, annotation.color, annotation.segment,
        place or KIND_WORDS[annotation.kind],
    )  # fmt: skip
