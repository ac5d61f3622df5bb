"""Measurements and geometric annotations as values: a shape, and what it is called.

Places are indices of the volume's canonical array, `(k, j, i)` or, in a plane, `(row, column)`, as
fractions of voxels: whole numbers are voxel centres. What is a length or a right angle is so in
millimetres, by the exact affine; `annotation_measure` takes a `Geometry` for that.
"""

import math
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Literal, get_args

from napari_medlabel.core.plane import Kji, Plane, RowColumn
from napari_medlabel.core.schema import HIGHEST_VALUE, PALETTE, Code
from napari_medlabel.errors import InputError

__all__ = [
    "KIND_WORDS",
    "Angle",
    "Annotation",
    "Box2d",
    "Cuboid",
    "Distance",
    "EllipseRoi",
    "Keypoint",
    "Keypoints",
    "Kind",
    "OrientedBox",
    "PlanarShape",
    "Polygon",
    "RectangleRoi",
    "Shape",
    "UprightShape",
]

Kind = Literal[
    "distance", "angle", "ellipse", "rectangle", "box", "oriented-box", "polygon", "cuboid",
    "keypoints",
]  # fmt: skip
KIND_WORDS: Final[dict[Kind, str]] = {
    "distance": "Distance",
    "angle": "Angle",
    "ellipse": "Ellipse",
    "rectangle": "Rectangle",
    "box": "Box",
    "oriented-box": "Oriented box",
    "polygon": "Polygon",
    "cuboid": "Cuboid",
    "keypoints": "Keypoints",
}

_FARTHEST: Final = 1e6  # voxels: no grid reaches there
MOST_POINTS: Final = 5000


@dataclass(frozen=True, slots=True)
class Distance:
    """The straight line between two places; they may be on different slices."""

    kind: ClassVar[Kind] = "distance"

    start: Kji
    end: Kji

    def __post_init__(self) -> None:
        _check_finite((self.start, self.end))


@dataclass(frozen=True, slots=True)
class Angle:
    """The angle at `vertex` between the lines to two other places."""

    kind: ClassVar[Kind] = "angle"

    start: Kji
    vertex: Kji
    end: Kji

    def __post_init__(self) -> None:
        _check_finite((self.start, self.vertex, self.end))


@dataclass(frozen=True, slots=True)
class UprightShape:
    """What fills a box of a plane with edges along its rows and columns.

    Parameters
    ----------
    plane
        The slice it is on.
    low, high
        The smallest and largest row and column, as `(row, column)`; both edges belong to it.
    """

    plane: Plane
    low: RowColumn
    high: RowColumn

    def __post_init__(self) -> None:
        _check_finite((self.low, self.high))
        _check_grows(self.low, self.high)


@dataclass(frozen=True, slots=True)
class EllipseRoi(UprightShape):
    """The ellipse that touches the four edges, to measure image values in."""

    kind: ClassVar[Kind] = "ellipse"


@dataclass(frozen=True, slots=True)
class RectangleRoi(UprightShape):
    """A rectangle to measure image values in."""

    kind: ClassVar[Kind] = "rectangle"


@dataclass(frozen=True, slots=True)
class Box2d(UprightShape):
    """A bounding box of something on a slice."""

    kind: ClassVar[Kind] = "box"


@dataclass(frozen=True, slots=True)
class OrientedBox:
    """A turned rectangle on a slice; its corners are right angles in millimetres.

    Parameters
    ----------
    plane
        The slice it is on.
    center
        `(row, column)`.
    size_mm
        Its length and width.
    angle_deg
        How far its length is turned from growing columns towards growing rows.
    """

    kind: ClassVar[Kind] = "oriented-box"

    plane: Plane
    center: RowColumn
    size_mm: tuple[float, float]
    angle_deg: float = 0.0

    def __post_init__(self) -> None:
        _check_finite((self.center, self.size_mm, (self.angle_deg,)))
        _check_grows((0.0, 0.0), self.size_mm)


@dataclass(frozen=True, slots=True)
class Polygon:
    """A closed outline on a slice; where it crosses itself, inside is by the even-odd rule."""

    kind: ClassVar[Kind] = "polygon"

    plane: Plane
    points: tuple[RowColumn, ...]

    def __post_init__(self) -> None:
        _check_finite(self.points)
        if not 3 <= len(self.points) <= MOST_POINTS:
            raise InputError(f"a polygon has 3 to {MOST_POINTS} points, not {len(self.points)}")


@dataclass(frozen=True, slots=True)
class Cuboid:
    """A 3-D box with edges along the array's axes, from `low` to `high`, `(k, j, i)`.

    A box around voxels 3 to 5 goes from 2.5 to 5.5.
    """

    kind: ClassVar[Kind] = "cuboid"

    low: Kji
    high: Kji

    def __post_init__(self) -> None:
        _check_finite((self.low, self.high))
        _check_grows(self.low, self.high)


@dataclass(frozen=True, slots=True)
class Keypoint:
    """A named place; one that is known but cannot be seen is not `visible`."""

    name: str
    at: Kji
    visible: bool = True

    def __post_init__(self) -> None:
        _check_finite((self.at,))
        _check_name(self.name, "a keypoint")


@dataclass(frozen=True, slots=True)
class Keypoints:
    """Named places, and which of them a skeleton links: pairs of their numbers from 0."""

    kind: ClassVar[Kind] = "keypoints"

    points: tuple[Keypoint, ...]
    links: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        count = len(self.points)
        if not 1 <= count <= MOST_POINTS:
            raise InputError(f"keypoints are 1 to {MOST_POINTS} points, not {count}")
        if len({point.name.casefold() for point in self.points}) < count:
            raise InputError("two keypoints of one annotation have the same name")
        for a, b in self.links:
            if a == b or not (0 <= a < count and 0 <= b < count):
                raise InputError("a link joins two different keypoints by their numbers")
        if len({frozenset(link) for link in self.links}) < len(self.links):
            raise InputError("two keypoints are linked twice")


PlanarShape = EllipseRoi | RectangleRoi | Box2d | OrientedBox | Polygon
Shape = Distance | Angle | PlanarShape | Cuboid | Keypoints


@dataclass(frozen=True, slots=True)
class Annotation:
    """A shape with what it is called and what it belongs to.

    Parameters
    ----------
    id
        Unique in its set and never changed: letters, digits, `-` and `_`, up to 64.
    shape
        What was drawn.
    name
        For people; not empty.
    color
        "#RRGGBB".
    segment
        The value of the label that it belongs to, or 0; with the label goes what it says of it.
    code
        What it shows, for machines.
    """

    id: str
    shape: Shape
    name: str
    color: str = PALETTE[1]
    segment: int = 0
    code: Code | None = None

    def __post_init__(self) -> None:
        if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", self.id) is None:
            raise InputError("an annotation's id is 1 to 64 letters, digits, - and _")
        _check_name(self.name, "an annotation")
        if re.fullmatch(r"#[0-9A-Fa-f]{6}", self.color) is None:
            raise InputError("an annotation's color is not #RRGGBB")
        if not isinstance(self.segment, int) or not 0 <= self.segment <= HIGHEST_VALUE:
            raise InputError(f"an annotation's segment is not from 0 to {HIGHEST_VALUE}")

    @property
    def kind(self) -> Kind:
        """What kind of shape it is."""
        return self.shape.kind

    @property
    def plane(self) -> Plane | None:
        """The slice that it lies in; None for what may reach over several."""
        return self.shape.plane if isinstance(self.shape, get_args(PlanarShape)) else None

    @classmethod
    def new(
        cls, shape: Shape, name: str, color: str = PALETTE[1], segment: int = 0
    ) -> "Annotation":
        """One with a new id."""
        return cls(uuid.uuid4().hex, shape, name, color, segment)

    def with_shape(self, shape: Shape) -> "Annotation":
        """The annotation moved or changed to another shape of its kind.

        Raises
        ------
        InputError
            If the shape is of another kind.
        """
        if shape.kind != self.kind:
            raise InputError(f"this annotation is of kind {self.kind}, not {shape.kind}")
        return replace(self, shape=shape)


def _check_finite(places: Iterable[Sequence[float]]) -> None:
    for place in places:
        for number in place:
            if not isinstance(number, int | float):  # as numpy's float32: it is not JSON
                raise TypeError(f"a place is made of Python's numbers, not {type(number).__name__}")
            if not math.isfinite(number) or abs(number) > _FARTHEST:
                raise InputError("an annotation has a place that is no number in any grid")


def _check_grows(low: Sequence[float], high: Sequence[float]) -> None:
    if any(a > b for a, b in zip(low, high, strict=True)):
        raise InputError("an annotation's low edge is above its high edge")


def _check_name(name: str, what: str) -> None:
    if not name.strip():
        raise InputError(f"{what} needs a name")
    if not name.isprintable():
        raise InputError(f"the name of {what} holds characters that cannot be shown")
    if len(name) > 200:
        raise InputError(f"the name of {what} is longer than 200 characters")
