"""The engine that needs no network and no weights: it runs wherever this program does."""

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.region import Stop, never
from napari_medlabel.core.volume import Volume
from napari_medlabel.engines.classic.session import ClassicSession
from napari_medlabel.engines.sampling import Pyramid
from napari_medlabel.errors import GeometryError, InputError

__all__ = ["ClassicEngine"]


class ClassicEngine:
    """Fronts that compete for the voxels: see `engines.classic.competition`."""

    name = "classic"
    title = "edges and likeness, no network"

    def why_not(self) -> str:
        """It runs everywhere."""
        return ""

    def open(
        self,
        volume: Volume,
        *,
        device: str = "auto",
        start: npt.NDArray[Any] | None = None,
        cancelled: Stop = never,
    ) -> ClassicSession:
        """A session on the volume: see `Engine.open`."""
        if device not in {"auto", "cpu"}:
            raise InputError(f"the classic engine does not run on {device}", "choose auto or cpu")
        image = volume.levels[0]
        if len(image.shape) != 3:
            raise InputError(
                f"an image of {len(image.shape)} axes cannot be segmented",
                "choose one volume of it",
            )
        if start is not None and start.shape != tuple(image.shape):
            raise GeometryError("the segment to refine is not on the image's grid")
        pyramid = Pyramid(image, volume.geometry.spacing_mm, cancelled=cancelled)
        return ClassicSession(pyramid, None if start is None else np.asarray(start, bool))
