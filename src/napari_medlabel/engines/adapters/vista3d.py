"""VISTA3D: clicks in a patch around them, and some hundred kinds of object by name.

The network and its prompts are those of He et al., VISTA3D (arXiv 2406.05285); class numbers,
groups and those that were never trained are those that its bundle publishes (Project-MONAI
model-zoo, models/vista3d, configs/metadata.json, configs/inference.json and docs/inference.md).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import FloatArray, Index
from napari_medlabel.core.prompt import Prompt
from napari_medlabel.core.region import Stop, check_not_stopped
from napari_medlabel.core.volume import Volume
from napari_medlabel.engines.adapters.clicks import as_clicks
from napari_medlabel.engines.adapters.grid import NetworkGrid
from napari_medlabel.engines.adapters.loaded import Loaded
from napari_medlabel.engines.adapters.running import Attempt, Running, polled, room_watched
from napari_medlabel.engines.adapters.statistics import scaling_of
from napari_medlabel.engines.adapters.tiles import centered, joined
from napari_medlabel.engines.engine import Answer, EngineFacts

__all__ = ["FACTOR", "GROUPS", "UNTRAINED", "Vista3dJudge", "findable_names"]

FloatGrid = npt.NDArray[np.float32]

FACTOR: Final = 16  # a patch's sides are multiples of it
GROUPS: Final[Mapping[int, tuple[int, ...]]] = {
    2: (5, 14),  # kidney
    20: (28, 29, 30, 31, 32),  # lung
    21: (*range(33, 57), *range(63, 98), 114, 120, 122),  # bone
}
UNTRAINED: Final = frozenset({16, 18, 129, 130, 131})
_SPECIAL: Final = frozenset({23, 24, 25, 26, 27, 57, 128})  # their clicks have labels of their own
_MARGIN: Final = 0.125  # of a patch: nearer to its border a click gets a patch of its own


def findable_names(labels: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    """The names that the network was trained on."""
    return tuple(name for number, name in labels if number not in UNTRAINED)


class Vista3dJudge:
    """VISTA3D on one image: see `Judge`."""

    complete = False

    def __init__(self, loaded: Loaded[Any], volume: Volume, *, cancelled: Stop) -> None:
        self._network, self._spec = loaded.network, loaded.spec
        spec = loaded.spec
        self._scaling, hole = scaling_of(volume, spec.intensity, cancelled=cancelled)
        self._grid = NetworkGrid(volume, spec.orientation, spec.spacing_mm, hole=hole)
        self._shape = volume.shape
        self._running = Running(loaded.facts, loaded.ways)
        self._seen: tuple[tuple[Index, Attempt], Any] | None = None

    @property
    def facts(self) -> EngineFacts:
        """What answers, and on what it runs now."""
        return self._running.facts

    def object_called(self, name: str, cancelled: Stop) -> Answer:
        """Every part of the image that belongs to a class, or to any class of a group."""
        number = self._number(name)
        classes = GROUPS.get(number, (number,))
        self._grid.check_whole(1)
        whole = self._running.tried(
            lambda way: joined(
                lambda low: self._classes_in(low, way, classes, cancelled), 1,
                self._grid.shape, way.patch, self._spec.overlap, cancelled=cancelled,
            )
        )  # fmt: skip
        return self._grid.answer(whole[0], (0, 0, 0))

    def object_at(self, prompts: tuple[Prompt, ...], name: str, cancelled: Stop) -> Answer:
        """What clicks point at: patches around them, joined by the mean where they overlap."""
        clicks = as_clicks(prompts, self._shape)
        samples = self._grid.samples_at([click.kji for click in clicks] or np.zeros((0, 3)))
        signs = np.array([click.include for click in clicks], bool)
        if not signs.any():
            return Answer.nothing()
        special = bool(name) and self._number(name) in _SPECIAL
        found, low = self._running.tried(
            lambda way: self._around(samples, signs, way, cancelled, special=special)
        )
        return self._grid.answer(found, low)

    def _around(
        self, samples: FloatArray, signs: npt.NDArray[np.bool_], way: Attempt, cancelled: Stop,
        *, special: bool,
    ) -> tuple[FloatGrid, Index]:  # fmt: skip
        """Probabilities in the box around all patches, and where that begins."""
        lows = self._patches(samples[signs], way.patch)
        start = np.min(lows, axis=0)
        size = np.max(lows, axis=0) + way.patch - start
        total: FloatGrid = np.zeros(size, np.float32)
        count: FloatGrid = np.zeros(size, np.float32)
        for low in lows:
            check_not_stopped(cancelled)
            inside = ((samples >= low) & (samples < np.add(low, way.patch))).all(axis=1)
            labels = signs[inside].astype(np.int64) + (2 if special else 0)
            found = self._clicked(low, way, samples[inside] - low, labels, cancelled)
            part = tuple(
                slice(a - b, a - b + n) for a, b, n in zip(low, start, way.patch, strict=True)
            )
            total[part] += found
            count[part] += 1.0
        np.divide(total, count, out=total, where=count > 0)
        values = _sigmoid(total)
        values[count == 0] = 0.0
        return values, (int(start[0]), int(start[1]), int(start[2]))

    def _patches(self, samples: FloatArray, patch: Index) -> list[Index]:
        """Where patches begin that hold all including clicks, each away from a border."""
        found: list[Index] = []
        margin = np.array(patch) * _MARGIN
        for sample in samples:
            if not any(_well_inside(sample, low, patch, margin, self._grid.shape) for low in found):
                found.append(centered(sample, self._grid.shape, patch))
        return found

    def _clicked(
        self, low: Index, way: Attempt, at: FloatArray, labels: npt.NDArray[np.int64],
        cancelled: Stop,
    ) -> FloatGrid:  # fmt: skip
        """Logits of the object that clicks in one patch point at."""
        import torch

        with room_watched(), torch.inference_mode(), polled(self._network, cancelled):
            network = self._network.to(way.device)
            with torch.autocast("cuda", torch.float16, enabled=way.device == "cuda"):
                features = self._features(low, way)
                points = torch.as_tensor(at, dtype=torch.float32, device=way.device)[None]
                signs = torch.as_tensor(labels, device=way.device)[None]
                found = network.point_head(features, points, signs)
            return np.asarray(found[0, 0].float().cpu().numpy(), np.float32)

    def _features(self, low: Index, way: Attempt) -> Any:  # noqa: ANN401  # a torch Tensor
        """What the encoder sees in a patch; that of the last patch is kept for the next click."""
        if self._seen is None or self._seen[0] != (low, way):
            self._seen = None  # room for the new one
            features, _ = self._network.image_encoder(
                self._inputs(low, way), with_point=True, with_label=False
            )
            self._seen = ((low, way), features)
        return self._seen[1]

    def _classes_in(
        self, low: Index, way: Attempt, classes: Sequence[int], cancelled: Stop
    ) -> FloatGrid | None:
        """How likely each sample of a patch is any of some classes; None where all is air."""
        import torch

        with room_watched(), torch.inference_mode(), polled(self._network, cancelled):
            inputs = self._inputs(low, way)
            if not bool((inputs > inputs.new_tensor(self._spec.intensity.to_low)).any()):
                return None
            network = self._network.to(way.device)
            wanted = torch.as_tensor(classes, device=way.device)[:, None]
            with torch.autocast("cuda", torch.float16, enabled=way.device == "cuda"):
                _, features = network.image_encoder(inputs, with_point=False, with_label=True)
                found, _ = network.class_head(features, wanted)
            return np.asarray(found.float().sigmoid().amax(0).cpu().numpy(), np.float32)

    def _inputs(self, low: Index, way: Attempt) -> Any:  # noqa: ANN401  # a torch Tensor
        import torch

        values = self._scaling(self._grid.cut(low, way.patch))
        return torch.from_numpy(values)[None, None].to(way.device)

    def _number(self, name: str) -> int:
        return next(number for number, own in self._spec.labels if own == name)


def _well_inside(
    sample: FloatArray, low: Index, patch: Index, margin: FloatArray, shape: Index
) -> bool:
    """Whether a patch shows a click with what is around it, as far as the image goes."""
    start, end = np.array(low), np.add(low, patch)
    near = np.where(start <= 0, start - 1.0, start + margin)
    far = np.where(end >= np.array(shape), end + 1.0, end - margin)
    return bool(((sample >= near) & (sample < far)).all())


def _sigmoid(logits: FloatGrid) -> FloatGrid:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -60.0, 60.0))), np.float32)
