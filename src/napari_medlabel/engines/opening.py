"""Whether an image can be segmented by an engine of ours, and its pyramid."""

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.region import Stop
from napari_medlabel.core.volume import Volume
from napari_medlabel.engines.sampling import Pyramid
from napari_medlabel.errors import GeometryError, InputError

__all__ = ["opened"]


def opened(
    volume: Volume, start: npt.NDArray[Any] | None, cancelled: Stop
) -> tuple[Pyramid, BoolArray | None]:
    """The pyramid of a volume, and the segment to refine: for `Engine.open`, with its errors."""
    image = volume.levels[0]
    if len(image.shape) != 3:
        raise InputError(
            f"an image of {len(image.shape)} axes cannot be segmented",
            "choose one volume of it",
        )
    if start is not None and start.shape != tuple(image.shape):
        raise GeometryError("the segment to refine is not on the image's grid")
    pyramid = Pyramid(image, volume.geometry.spacing_mm, cancelled=cancelled)
    return pyramid, None if start is None else np.asarray(start, bool)
