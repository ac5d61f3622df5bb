"""Annotations as napari layers, for napari's own canvas, its console and other plugins.

"Measurements" is a Shapes layer with all that has lines, "Keypoints" a Points layer. They are
copies to look at: nothing that is done to them reaches the case. `layer.metadata["medlabel"]` says
what they show: `format`, and `annotations` as the history keeps them, with places in voxels.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from napari import Viewer
from napari.layers import Points, Shapes

from napari_medlabel.core.annotation import (
    Angle,
    Annotation,
    Cuboid,
    Distance,
    EllipseRoi,
    Keypoints,
    Polygon,
)
from napari_medlabel.core.annotation_document import annotation_document
from napari_medlabel.core.annotation_places import corners
from napari_medlabel.core.geometry import FloatArray, Geometry
from napari_medlabel.ui import views
from napari_medlabel.ui.canvas_layers import CanvasLayers

__all__ = ["FORMAT", "MEASUREMENTS", "Mirrors", "shapes_of"]

FORMAT: Final = 1
MEASUREMENTS, KEYPOINTS = "Measurements", "Keypoints"
# All twelve edges of a cuboid in one line, by the numbers of its corners: it is shown on every
# slice that the line passes, as the section there.
_EDGES: Final = (0, 1, 3, 2, 0, 4, 5, 1, 5, 7, 3, 7, 6, 2, 6, 4)
Words = Callable[[Annotation], str]


@dataclass(slots=True)
class _Drawn:
    """What a Shapes layer takes."""

    data: list[FloatArray] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    of: list[Annotation] = field(default_factory=list)


def shapes_of(annotation: Annotation, geometry: Geometry) -> Iterable[tuple[str, FloatArray]]:
    """An annotation's lines as napari knows shapes: their kind, and places `[n, 3]` in voxels."""
    shape, places = annotation.shape, corners(annotation.shape, geometry)
    if isinstance(shape, Keypoints):
        return [("line", places[list(link)]) for link in shape.links]
    kind = "rectangle"
    if isinstance(shape, Distance):
        kind = "line"
    elif isinstance(shape, Angle):
        kind = "path"
    elif isinstance(shape, EllipseRoi):
        kind = "ellipse"
    elif isinstance(shape, Polygon):
        kind = "polygon"
    elif isinstance(shape, Cuboid):
        return [("path", places[list(_EDGES)])]
    return [(kind, places)]


class Mirrors:
    """The layers of one case; made when there is something to show, and only when asked.

    Parameters
    ----------
    viewer
        Where they are shown.
    layers
        Of the case: it counts them as its own.
    geometry
        Of the canonical grid.
    words_of
        What an annotation measures.
    """

    def __init__(
        self, viewer: Viewer, layers: CanvasLayers, geometry: Geometry, words_of: Words
    ) -> None:
        self._viewer, self._layers = viewer, layers
        self._geometry, self._words_of = geometry, words_of
        self._shapes: Shapes | None = None
        self._points: Points | None = None
        self._hidden: list[Shapes | Points] = []
        self._shown: Sequence[Annotation] | None = None

    def show(self, annotations: tuple[Annotation, ...]) -> None:
        """Show these, as they are now."""
        for layer in self._hidden:
            layer.visible = True
        self._hidden.clear()
        if annotations is self._shown:
            return
        self._shown = annotations
        active = self._viewer.layers.selection.active
        self._show_shapes(annotations)
        self._show_points([one for one in annotations if isinstance(one.shape, Keypoints)])
        self._viewer.layers.selection.active = active

    def hide(self) -> None:
        """Let them cost nothing while nobody looks at napari's canvas."""
        for layer in self._made():
            if layer.visible:
                layer.visible = False
                self._hidden.append(layer)

    def forget(self, layer: object) -> bool:
        """Let go of a layer that somebody took away; False where it is none of these."""
        if not any(layer is one for one in self._made()):
            return False
        if layer is self._shapes:
            self._shapes = None
        else:
            self._points = None
        self._hidden = [one for one in self._hidden if one is not layer]
        self._layers.mirrors = self._made()
        self._shown = None
        return True

    def close(self) -> None:
        """Take them away."""
        for layer in self._made():
            self.forget(layer)
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)

    # How

    def _made(self) -> tuple[Shapes | Points, ...]:
        return tuple(one for one in (self._shapes, self._points) if one is not None)

    def _add(self, layer: Shapes | Points) -> None:
        layer.editable = False
        self._layers.mirrors = self._made()  # before it is added, which others are told of
        self._viewer.add_layer(layer)

    def _show_shapes(self, annotations: Sequence[Annotation]) -> None:
        drawn = _Drawn()
        for one in annotations:
            for kind, places in shapes_of(one, self._geometry):
                drawn.data.append(places)
                drawn.kinds.append(kind)
                drawn.of.append(one)
        if self._shapes is None:
            if not drawn.data:
                return
            self._shapes = Shapes(
                ndim=3, name=MEASUREMENTS, face_color="transparent", edge_width=1,
                text=_text("{words}"), features=self._features(()), **self._placed(),
            )  # fmt: skip
            self._add(self._shapes)
        layer = self._shapes
        layer.data = []
        if drawn.data:
            layer.add(
                drawn.data, shape_type=drawn.kinds, edge_color=[one.color for one in drawn.of],
                face_color="transparent", edge_width=1,
            )  # fmt: skip
        layer.features = self._features(drawn.of)
        layer.refresh_text()
        layer.editable = False
        layer.metadata["medlabel"] = _schema(drawn.of)

    def _show_points(self, annotations: Sequence[Annotation]) -> None:
        places, names, seen, colors = [], [], [], []
        for one in annotations:
            if isinstance(one.shape, Keypoints):
                for point in one.shape.points:
                    places.append(point.at)
                    names.append(point.name)
                    seen.append(point.visible)
                    colors.append(one.color)
        if self._points is None:
            if not places:
                return
            self._points = Points(
                ndim=3, name=KEYPOINTS, size=5, text=_text("{name}"),
                features={"name": np.array([], dtype=object)}, **self._placed(),
            )  # fmt: skip
            self._add(self._points)
        layer = self._points
        layer.data = np.array(places, dtype=np.float64).reshape(-1, 3)
        layer.features = {"name": names, "seen": seen}
        if places:
            layer.face_color = colors
            layer.symbol = ["disc" if one else "ring" for one in seen]
        layer.refresh_text()
        layer.editable = False
        layer.metadata["medlabel"] = _schema(annotations)

    def _features(self, annotations: Sequence[Annotation]) -> dict[str, Any]:
        words = [self._words_of(one).replace("\n", "  ") for one in annotations]
        columns = {
            "id": [one.id for one in annotations],
            "kind": [one.kind for one in annotations],
            "name": [one.name for one in annotations],
            "words": ["" if one.kind == "keypoints" else told
                      for one, told in zip(annotations, words, strict=True)],
        }  # fmt: skip
        return {name: np.array(values, dtype=object) for name, values in columns.items()}

    def _placed(self) -> dict[str, Any]:
        scale, translate = views.grid_for_display(self._geometry)
        return {
            "scale": scale, "translate": translate, "units": ("mm",) * 3,
            "axis_labels": views.AXES, "projection_mode": "none",
        }  # fmt: skip


def _text(words: str) -> dict[str, Any]:
    return {"string": words, "color": "#F0F1F2", "size": 10}


def _schema(annotations: Iterable[Annotation]) -> dict[str, Any]:
    """Each annotation once, though it may have several shapes."""
    once = {one.id: one for one in annotations}
    return {"format": FORMAT, "annotations": [annotation_document(one) for one in once.values()]}
