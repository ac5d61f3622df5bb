"""Axial, coronal and sagittal on napari's canvas: radiological, the head up."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from napari import Viewer

from napari_medlabel.core.geometry import Geometry, Index

__all__ = ["AXES", "PLANES", "Plane", "grid_for_display", "plane_of", "show_plane"]

AXES: Final = ("z", "y", "x")
STEP_MM: Final = 2.0**-20  # napari loses the last slice of about one spacing in six otherwise


@dataclass(frozen=True, slots=True)
class Plane:
    """A way to cut the volume: which axis is stepped through, and which way up it is shown."""

    name: str
    order: Index
    orientation: tuple[str, str]

    @property
    def axis(self) -> int:
        """The axis that is stepped through."""
        return self.order[0]


PLANES: Final = (
    Plane("Axial", (0, 1, 2), ("down", "right")),
    Plane("Coronal", (1, 0, 2), ("up", "right")),
    Plane("Sagittal", (2, 0, 1), ("up", "right")),
)
_IN_3D: Final = ("away", "down", "right")  # napari's own choice swaps left and right


def show_plane(viewer: Viewer, plane: Plane) -> None:
    """Show the plane through where one is now, all of it in sight."""
    viewer.dims.ndisplay = 2
    viewer.dims.order = plane.order
    viewer.scene.camera.orientation2d = plane.orientation
    viewer.reset_view()


def plane_of(viewer: Viewer) -> Plane:
    """The plane that is shown."""
    order = tuple(viewer.dims.order)
    return next((plane for plane in PLANES if plane.axis == order[0]), PLANES[0])


def hold_orientation(viewer: Viewer) -> None:
    """Keep left on the right-hand side when 3-D is switched on or off."""
    if viewer.dims.ndisplay == 3:
        viewer.scene.camera.orientation = _IN_3D
    else:
        viewer.scene.camera.orientation2d = plane_of(viewer).orientation


def grid_for_display(geometry: Geometry) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Scale and translation for a layer, mm along k, j, i; the exact affine stays with the case."""
    scale = _rounded(geometry.spacing_mm)
    # Canonical axes: k runs along z, j along y, i along x.
    translate = _rounded(geometry.origin_lps[::-1])
    return tuple(max(step, STEP_MM) for step in scale), translate


def _rounded(values_mm: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(float(n) for n in np.round(np.asarray(values_mm) / STEP_MM) * STEP_MM)
