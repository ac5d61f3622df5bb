"""Models that label a whole image at once: networks of MONAI, TorchScript or ONNX programs.

Such a model takes no prompts. A click picks of what it found: the part that the click lies in.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import Index
from napari_medlabel.core.prompt import Prompt
from napari_medlabel.core.region import Stop, check_not_stopped
from napari_medlabel.core.volume import Volume
from napari_medlabel.engines.adapters.clicks import as_clicks
from napari_medlabel.engines.adapters.grid import NetworkGrid
from napari_medlabel.engines.adapters.loaded import Loaded, Network
from napari_medlabel.engines.adapters.running import Attempt, Running
from napari_medlabel.engines.adapters.statistics import scaling_of
from napari_medlabel.engines.adapters.tiles import centered, joined
from napari_medlabel.engines.engine import Answer, EngineFacts
from napari_medlabel.engines.models.spec import ModelSpec

__all__ = ["AutomaticJudge", "likely"]

FloatGrid = npt.NDArray[np.float32]

_MOST_BYTES: Final = 1 << 30  # of all that is found, held together


class AutomaticJudge:
    """A model that labels images, on one image: see `Judge`."""

    complete = False

    def __init__(self, loaded: Loaded[Network], volume: Volume, *, cancelled: Stop) -> None:
        self._network, self._spec = loaded.network, loaded.spec
        spec = loaded.spec
        self._scaling, hole = scaling_of(volume, spec.intensity, cancelled=cancelled)
        self._grid = NetworkGrid(volume, spec.orientation, spec.spacing_mm, hole=hole)
        self._shape = volume.shape
        self._running = Running(loaded.facts, loaded.ways)
        self._found: dict[int, FloatGrid] = {}

    @property
    def facts(self) -> EngineFacts:
        """What answers, and on what it runs now."""
        return self._running.facts

    def object_called(self, name: str, cancelled: Stop) -> Answer:
        """The object of a label."""
        number = next(number for number, own in self._spec.labels if own == name)
        return self._grid.answer(self._probability(number, cancelled), (0, 0, 0))

    def object_at(self, prompts: tuple[Prompt, ...], name: str, cancelled: Stop) -> Answer:
        """What was found where prompts lie; of a label alone where that was asked for by name."""
        asked = [number for number, own in self._spec.labels if own == name]
        clicks = as_clicks(prompts, self._shape)
        samples = self._grid.samples_at([click.kji for click in clicks] or np.zeros((0, 3)))
        at = np.clip(np.round(samples), 0, np.array(self._grid.shape) - 1).astype(np.intp)
        wanted = [tuple(one) for one, click in zip(at, clicks, strict=True) if click.include]
        whole = np.zeros(self._grid.shape, np.float32)
        for sample in wanted:
            number = self._label_at(sample, asked, cancelled)
            if number is not None:
                np.maximum(whole, self._probability(number, cancelled), out=whole)
        return self._grid.answer(whole, (0, 0, 0))

    def _label_at(
        self, sample: tuple[Any, ...], asked: Sequence[int], cancelled: Stop
    ) -> int | None:
        """The label that a sample most likely has; None for background."""
        if asked:
            return asked[0]
        labels = [number for number, _ in self._spec.labels]
        if all(number in self._found for number in labels):
            chances = [float(self._found[number][sample]) for number in labels]
        else:
            chances = self._running.tried(lambda way: self._chances(sample, way, cancelled))
        best = int(np.argmax(chances))
        return labels[best] if chances[best] > _even(self._spec, chances) else None

    def _chances(self, sample: Sequence[int], way: Attempt, cancelled: Stop) -> list[float]:
        low = centered(sample, self._grid.shape, way.patch)
        found = self._look(low, way, [number for number, _ in self._spec.labels], cancelled)
        k, j, i = (place - start for place, start in zip(sample, low, strict=True))
        return [float(value) for value in found[:, k, j, i]]

    def _probability(self, number: int, cancelled: Stop) -> FloatGrid:
        """How likely each sample has a label; all labels at once where there is room for them."""
        if number not in self._found:
            every = [one for one, _ in self._spec.labels]
            room = 4 * len(every) * int(np.prod(self._grid.shape)) <= _MOST_BYTES
            wanted = every if room else [number]
            self._grid.check_whole(len(wanted))

            def whole(way: Attempt) -> FloatGrid:
                return joined(
                    lambda low: self._look(low, way, wanted, cancelled), len(wanted),
                    self._grid.shape, way.patch, self._spec.overlap, cancelled=cancelled,
                )  # fmt: skip

            found = self._running.tried(whole)
            self._found = dict(zip(wanted, found, strict=True))
        return self._found[number]

    def _look(self, low: Index, way: Attempt, wanted: Sequence[int], cancelled: Stop) -> FloatGrid:
        """Probabilities of labels in one patch, `[label, *patch]`."""
        check_not_stopped(cancelled)
        inputs = self._scaling(self._grid.cut(low, way.patch))[None]
        raw = self._network(inputs, way.device, cancelled)
        return likely(raw, self._spec, wanted)


def likely(raw: FloatGrid, spec: ModelSpec, wanted: Sequence[int]) -> FloatGrid:
    """Probabilities of labels from what a network gives: `[label, ...]`."""
    if spec.output == "labels":
        return np.stack([(np.round(raw[0]) == number) for number in wanted]).astype(np.float32)
    if spec.output == "sigmoid":
        found = raw[list(wanted)]
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(found, -60.0, 60.0))), np.float32)
    raised = np.exp(raw - raw.max(axis=0))
    return np.asarray(raised[list(wanted)] / raised.sum(axis=0), np.float32)


def _even(spec: ModelSpec, chances: Sequence[float]) -> float:
    """What a label's probability has to be above: a half, or more than background's."""
    return 0.5 if spec.output != "softmax" else 1.0 - sum(chances)
