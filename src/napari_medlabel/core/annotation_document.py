"""Annotations as JSON-ready values, as the history keeps them; for others see `annotation_export`.

Places are of the canonical array, in full precision, so that what is read back is equal.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final, TypeVar

from napari_medlabel.core.annotation import (
    Angle,
    Annotation,
    Box2d,
    Cuboid,
    Distance,
    EllipseRoi,
    Keypoint,
    Keypoints,
    Kind,
    OrientedBox,
    Polygon,
    RectangleRoi,
    Shape,
)
from napari_medlabel.core.plane import Kji, Plane, RowColumn
from napari_medlabel.core.schema import Code
from napari_medlabel.errors import InputError

__all__ = ["annotation_document", "annotation_from_document"]

Document = Mapping[str, Any]
Upright = TypeVar("Upright", EllipseRoi, RectangleRoi, Box2d)


def annotation_document(annotation: Annotation) -> dict[str, Any]:
    """The annotation as JSON-ready values."""
    document: dict[str, Any] = {
        "id": annotation.id,
        "name": annotation.name,
        "color": annotation.color,
        "shape": {"kind": annotation.kind, **asdict(annotation.shape)},
    }
    if annotation.segment:
        document["segment"] = annotation.segment
    if annotation.code is not None:
        document["code"] = asdict(annotation.code)
    return document


def annotation_from_document(document: Document) -> Annotation:
    """The annotation that `annotation_document` wrote.

    Raises
    ------
    InputError
        If the document is not one.
    """
    try:
        shape, code = document["shape"], document.get("code")
        return Annotation(
            str(document["id"]),
            _READERS[shape["kind"]](shape),
            str(document["name"]),
            str(document["color"]),
            int(document.get("segment", 0)),
            None if code is None else Code(code["value"], code["scheme"], code["meaning"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputError("this is not an annotation") from error


def _upright(kind: type[Upright]) -> Callable[[Document], Upright]:
    def read(entry: Document) -> Upright:
        return kind(_plane(entry), _pair(entry["low"]), _pair(entry["high"]))

    return read


def _keypoints(entry: Document) -> Keypoints:
    points = (
        Keypoint(str(one["name"]), _kji(one["at"]), bool(one["visible"])) for one in entry["points"]
    )
    return Keypoints(tuple(points), tuple((int(a), int(b)) for a, b in entry["links"]))


def _plane(entry: Document) -> Plane:
    return Plane(int(entry["plane"]["axis"]), int(entry["plane"]["index"]))


def _kji(numbers: Iterable[float]) -> Kji:
    k, j, i = numbers
    return (float(k), float(j), float(i))


def _pair(numbers: Iterable[float]) -> RowColumn:
    row, column = numbers
    return (float(row), float(column))


_READERS: Final[Mapping[Kind, Callable[[Document], Shape]]] = {
    "distance": lambda entry: Distance(_kji(entry["start"]), _kji(entry["end"])),
    "angle": lambda entry: Angle(_kji(entry["start"]), _kji(entry["vertex"]), _kji(entry["end"])),
    "ellipse": _upright(EllipseRoi),
    "rectangle": _upright(RectangleRoi),
    "box": _upright(Box2d),
    "oriented-box": lambda entry: OrientedBox(
        _plane(entry), _pair(entry["center"]), _pair(entry["size_mm"]), float(entry["angle_deg"])
    ),
    "polygon": lambda entry: Polygon(_plane(entry), tuple(map(_pair, entry["points"]))),
    "cuboid": lambda entry: Cuboid(_kji(entry["low"]), _kji(entry["high"])),
    "keypoints": _keypoints,
}
