"""Annotations as an open JSON document, `<name>.annotations.json`: see docs/annotations.md.

Places are told twice: as indices of the array that the document's `space` describes, and in
millimetres. Reading goes by the millimetres, so that a document may be brought onto any grid of
the same patient. The JSON Schema is docs/annotations.schema.json.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from napari_medlabel.core.annotation import (
    Angle,
    Annotation,
    Box2d,
    Cuboid,
    Distance,
    EllipseRoi,
    Keypoint,
    Keypoints,
    OrientedBox,
    Polygon,
    RectangleRoi,
    Shape,
)
from napari_medlabel.core.annotation_measure import measure, measure_words
from napari_medlabel.core.annotation_places import corners
from napari_medlabel.core.annotation_set import AnnotationSet
from napari_medlabel.core.geometry import FloatArray, Geometry
from napari_medlabel.core.plane import VIEWS, Kji, Plane, mm_from_row_column
from napari_medlabel.core.schema import Code, LabelSchema
from napari_medlabel.core.volume import Grid
from napari_medlabel.errors import InputError

__all__ = ["FORMAT", "AnnotationsToExport", "annotations_from_export"]

FORMAT: Final = 1
_DIGITS: Final = 6  # of millimetres and of voxels
_TOLERANCE_MM: Final = 1e-3
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "distance": ("start", "end"), "angle": ("start", "vertex", "end"),
}  # fmt: skip
_UPRIGHT: Final[Mapping[str, type[EllipseRoi] | type[RectangleRoi] | type[Box2d]]] = {
    "ellipse": EllipseRoi, "rectangle": RectangleRoi, "box": Box2d,
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class AnnotationsToExport:
    """Annotations with all that a document says of them.

    Parameters
    ----------
    annotations
        On the grid of `geometry`.
    geometry
        Of the canonical grid.
    image
        Its voxels, for the values inside; None where they cannot be had.
    unit
        Of these values.
    """

    annotations: AnnotationSet
    geometry: Geometry
    image: Grid | None = None
    unit: str = ""

    def document(self, grid: Geometry, schema: LabelSchema) -> dict[str, Any]:
        """All of it as JSON-ready values.

        Parameters
        ----------
        grid
            What indices are written for: that of the mask beside it.
        schema
            What segments are called.
        """
        return {
            "format": FORMAT,
            "space": {"world": "LPS", **grid.document()},
            "unit": self.unit,
            "annotations": [self._entry(one, grid, schema) for one in self.annotations],
        }

    def is_told_by(self, document: Mapping[str, Any]) -> bool:
        """Whether a document, read back, has these annotations at their places, to 1e-3 mm."""
        try:
            back = annotations_from_export(document, self.geometry)
        except InputError:
            return False
        facts = [
            [(one.id, one.name, one.plane) for one in them] for them in (self.annotations, back)
        ]
        places = [
            [self.geometry.lps(corners(one.shape, self.geometry)) for one in them]
            for them in (self.annotations, back)
        ]
        return facts[0] == facts[1] and all(
            a.shape == b.shape and np.allclose(a, b, rtol=0.0, atol=_TOLERANCE_MM)
            for a, b in zip(*places, strict=True)
        )

    def _entry(self, one: Annotation, grid: Geometry, schema: LabelSchema) -> dict[str, Any]:
        label = schema.get(one.segment)
        segment = {"value": one.segment, "name": label.name if label else ""}
        shape = one.shape
        measured = measure(shape, self.geometry, self.image)
        return {
            "id": one.id,
            "kind": one.kind,
            "name": one.name,
            "color": one.color,
            "segment": segment if one.segment else None,
            "code": asdict(one.code) if one.code else None,
            "plane": self._plane(one.plane, grid),
            "points": self._points(shape, grid),
            "links": [list(link) for link in shape.links] if isinstance(shape, Keypoints) else [],
            "measure": _rounded(asdict(measured)),
            "words": measure_words(shape, measured, self.unit).replace("\n", ", "),
        }

    def _points(self, shape: Shape, grid: Geometry) -> list[dict[str, Any]]:
        lps = self.geometry.lps(corners(shape, self.geometry))
        kji = grid.kji(lps)
        names: Sequence[str] = _NAMES.get(shape.kind, ("",) * len(lps))
        visible = [True] * len(lps)
        if isinstance(shape, Keypoints):
            names = [point.name for point in shape.points]
            visible = [point.visible for point in shape.points]
        return [
            {"name": name, "kji": _rounded(a.tolist()), "lps": _rounded(b.tolist()), "visible": v}
            for name, a, b, v in zip(names, kji, lps, visible, strict=True)
        ]

    def _plane(self, plane: Plane | None, grid: Geometry) -> dict[str, Any] | None:
        """The view, and which slice of the grid it is; null where it is none of its slices."""
        if plane is None:
            return None
        ends = grid.kji(self.geometry.lps([plane.kji((0.0, 0.0)), plane.kji((1.0, 1.0))]))
        across = grid.kji(self.geometry.lps(np.eye(3)[plane.axis])) - grid.kji(
            self.geometry.lps(np.zeros(3))
        )
        axis = int(np.abs(across).argmax())
        index = round(float(ends[0, axis]), _DIGITS)
        exact = abs(ends[1, axis] - ends[0, axis]) < 1e-6 and index == round(index)
        return {
            "view": plane.view,
            "axis": axis if exact else None,
            "index": round(index) if exact else None,
        }


def annotations_from_export(
    document: Mapping[str, Any], geometry: Geometry, schema: LabelSchema | None = None
) -> AnnotationSet:
    """The annotations of a document, by their places in millimetres.

    Parameters
    ----------
    document
        As `AnnotationsToExport.document` writes it.
    geometry
        Of the canonical grid that they are brought onto.
    schema
        Of the case that they are brought into: they belong to its segments of those names, or to
        none. Without it, to the label values that the document has.

    Raises
    ------
    InputError
        If it is no such document, of a newer format, or lies in no plane of the grid.
    """
    if document.get("format") != FORMAT:
        raise InputError(
            "these annotations are of another format", f"this program reads format {FORMAT}"
        )
    try:
        return AnnotationSet(
            tuple(_annotation(e, geometry, schema) for e in document["annotations"])
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputError("this is not a document of annotations") from error


def _annotation(
    entry: Mapping[str, Any], geometry: Geometry, schema: LabelSchema | None
) -> Annotation:
    segment, code = entry["segment"], entry["code"]
    return Annotation(
        str(entry["id"]),
        _shape(entry, geometry),
        str(entry["name"]),
        str(entry["color"]),
        _segment(segment, schema) if segment else 0,
        Code(code["value"], code["scheme"], code["meaning"]) if code else None,
    )


def _segment(entry: Mapping[str, Any], schema: LabelSchema | None) -> int:
    """The label value of the segment that is meant; 0 where the case has none of its name."""
    value, name = int(entry["value"]), str(entry["name"]).casefold()
    if schema is None:
        return value
    return next((one.value for one in schema if one.name.casefold() == name), 0)


def _shape(entry: Mapping[str, Any], geometry: Geometry) -> Shape:
    kji = geometry.kji([point["lps"] for point in entry["points"]]).reshape(-1, 3)
    places = [_kji(place) for place in kji]
    match entry["kind"]:
        case "distance":
            return Distance(*places)
        case "angle":
            return Angle(*places)
        case "cuboid":
            return Cuboid(_kji(kji.min(axis=0)), _kji(kji.max(axis=0)))
        case "keypoints":
            points = zip(entry["points"], places, strict=True)
            named = (Keypoint(str(one["name"]), at, bool(one["visible"])) for one, at in points)
            return Keypoints(tuple(named), tuple((int(a), int(b)) for a, b in entry["links"]))
        case kind:
            return _planar(kind, entry["plane"]["view"], kji, geometry)


def _planar(kind: str, view: str, kji: FloatArray, geometry: Geometry) -> Shape:
    axis = VIEWS.index(view)
    index = round(float(kji[:, axis].mean()))
    if np.abs(kji[:, axis] - index).max() > 0.5:
        raise InputError("an annotation lies in no plane of this image")
    plane = Plane(axis, index)
    flat = np.delete(kji, axis, axis=1)
    low, high = flat.min(axis=0), flat.max(axis=0)
    match kind:
        case "ellipse" | "rectangle" | "box":
            return _UPRIGHT[kind](
                plane, (float(low[0]), float(low[1])), (float(high[0]), float(high[1]))
            )
        case "polygon":
            return Polygon(plane, tuple((float(row), float(column)) for row, column in flat))
        case "oriented-box":
            return _oriented(plane, flat, geometry)
        case _:
            raise InputError("an annotation is of a kind that this program does not know")


def _oriented(plane: Plane, flat: FloatArray, geometry: Geometry) -> OrientedBox:
    first, second, third, _ = flat
    matrix = mm_from_row_column(geometry, plane.axis)
    along, across = matrix @ (second - first), matrix @ (third - second)
    row, column = (float(n) for n in flat.mean(axis=0))
    size_mm = (float(np.linalg.norm(along)), float(np.linalg.norm(across)))
    return OrientedBox(plane, (row, column), size_mm, math.degrees(math.atan2(along[1], along[0])))


def _kji(place: FloatArray) -> Kji:
    return (float(place[0]), float(place[1]), float(place[2]))


def _rounded(value: Any) -> Any:  # noqa: ANN401  # a JSON tree
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    return [_rounded(entry) for entry in value] if isinstance(value, list | tuple) else value
