"""DeepEdit: the whole image in one fixed grid, clicks as channels of their own.

The image is turned, scaled and pooled to the model's grid, and each label's clicks become a
channel: 1 at each click, blurred by a Gaussian of 3 samples and stretched to 0..1, as MONAI's
transforms for DeepEdit do (`monai.apps.deepedit`). A model knows its own labels only: the first
click decides which of them is meant, unless one was asked for by name.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.prompt import Prompt
from napari_medlabel.core.region import Stop
from napari_medlabel.core.volume import Volume
from napari_medlabel.engines.adapters.clicks import Click, as_clicks
from napari_medlabel.engines.adapters.grid import NetworkGrid
from napari_medlabel.engines.adapters.loaded import Loaded, Network
from napari_medlabel.engines.adapters.running import Running
from napari_medlabel.engines.adapters.statistics import scaling_of
from napari_medlabel.engines.engine import Answer, EngineFacts
from napari_medlabel.engines.models.spec import ModelSpec

__all__ = ["BACKGROUND", "DeepEditJudge", "click_names", "output_channels"]

FloatGrid = npt.NDArray[np.float32]

BACKGROUND: Final = "background"
_SIGMA: Final = 3.0  # samples


def click_names(spec: ModelSpec) -> tuple[str, ...]:
    """Whose clicks each channel after the image's takes."""
    return spec.clicks or (*spec.names, BACKGROUND)


def output_channels(spec: ModelSpec) -> int:
    """How many channels the network gives: one for each label, and background."""
    return max(number for number, _ in spec.labels) + 1


class DeepEditJudge:
    """A DeepEdit model on one image: see `Judge`."""

    complete = False

    def __init__(self, loaded: Loaded[Network], volume: Volume, *, cancelled: Stop) -> None:
        self._network, self._spec = loaded.network, loaded.spec
        spec = loaded.spec
        scaling, hole = scaling_of(volume, spec.intensity, cancelled=cancelled)
        self._grid = NetworkGrid(volume, spec.orientation, resized=spec.patch, hole=hole)
        self._image = self._grid.pooled(scaling, cancelled=cancelled)
        self._shape = volume.shape
        self._running = Running(loaded.facts, loaded.ways)

    @property
    def facts(self) -> EngineFacts:
        """What answers, and on what it runs now."""
        return self._running.facts

    def object_called(self, name: str, cancelled: Stop) -> Answer:
        """The object of a label, without a click."""
        number = next(number for number, own in self._spec.labels if own == name)
        return self._grid.answer(self._looked((), name, cancelled)[number], (0, 0, 0))

    def object_at(self, prompts: tuple[Prompt, ...], name: str, cancelled: Stop) -> Answer:
        """What the clicks point at."""
        clicks = as_clicks(prompts, self._shape)
        name = name or self._meant(clicks, cancelled)
        number = next(number for number, own in self._spec.labels if own == name)
        return self._grid.answer(self._looked(clicks, name, cancelled)[number], (0, 0, 0))

    def _meant(self, clicks: Sequence[Click], cancelled: Stop) -> str:
        """The label that the first including click most likely lies in, before any click counts."""
        if len(self._spec.labels) == 1:
            return self._spec.labels[0][1]
        found = self._looked((), "", cancelled)
        k, j, i = self._sample(next(click for click in clicks if click.include))
        return max(self._spec.labels, key=lambda label: float(found[label[0], k, j, i]))[1]

    def _looked(self, clicks: Sequence[Click], name: str, cancelled: Stop) -> FloatGrid:
        """Probabilities of all the network's channels on its grid."""
        channels = [self._image]
        for own in click_names(self._spec):
            wanted = [c for c in clicks if own == (name if c.include else BACKGROUND)]
            channels.append(self._signal(wanted))
        inputs = np.stack(channels)
        raw = self._running.tried(lambda way: self._network(inputs, way.device, cancelled))
        raised = np.exp(raw - raw.max(axis=0))
        return np.asarray(raised / raised.sum(axis=0), np.float32)

    def _signal(self, clicks: Sequence[Click]) -> FloatGrid:
        """A channel of clicks."""
        signal = np.zeros(self._grid.shape, np.float32)
        for click in clicks:
            signal[self._sample(click)] = 1.0
        if not clicks:
            return signal
        signal = ndimage.gaussian_filter(signal, _SIGMA, mode="constant", truncate=4.0)
        low, high = float(signal.min()), float(signal.max())
        return np.asarray((signal - low) / max(high - low, 1e-12), np.float32)

    def _sample(self, click: Click) -> tuple[int, int, int]:
        at = np.round(self._grid.samples_at([click.kji])[0])
        k, j, i = np.clip(at, 0, np.array(self._grid.shape) - 1).astype(int)
        return (int(k), int(j), int(i))
