"""The engine that needs no network and no weights: it runs wherever this program does."""

from typing import Any

import numpy.typing as npt

from napari_medlabel.core.region import Stop, never
from napari_medlabel.core.volume import Volume
from napari_medlabel.engines.classic.session import ClassicSession
from napari_medlabel.engines.opening import opened
from napari_medlabel.errors import InputError

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
        return ClassicSession(*opened(volume, start, cancelled))
