"""nnInteractive through its own package: its local inference session, and nothing else of it.

The package also brings a server, a client and a downloader; none of them is imported here. Its own
loader unpickles whatever a checkpoint names, and imports what `plans.json` names: here the weights
are read as numbers alone, and only U-Nets of `dynamic_network_architectures` with layers of
`torch.nn` are built. Isensee et al., nnInteractive (arXiv 2503.08373).
"""

import importlib
import json
import re
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.geometry import BoolArray, Index
from napari_medlabel.core.prompt import Box, Lasso, Point, Prompt, Scribble, voxels_of
from napari_medlabel.core.region import Stop, check_not_stopped
from napari_medlabel.core.volume import Volume
from napari_medlabel.engines.adapters.loaded import Loaded
from napari_medlabel.engines.adapters.running import Attempt, Running, polled, room_watched
from napari_medlabel.engines.adapters.statistics import scaling_of
from napari_medlabel.engines.adapters.weights import filled, read_checkpoint, state_of
from napari_medlabel.engines.answers import answer_of
from napari_medlabel.engines.engine import Answer, EngineFacts
from napari_medlabel.engines.models.record import ModelRecord
from napari_medlabel.errors import ExtraMissing, InputError

__all__ = ["EXTRA", "Artifacts", "NnInteractiveJudge", "read_nninteractive"]

Artifacts = dict[str, Any]
Inner = Any  # their session: the package has no types

EXTRA: Final = "nninteractive"
_SESSION: Final = "nnInteractive.inference.inference_session"
_TRAINER: Final = "nnInteractive.trainer.nnInteractiveTrainer"
_POINTS: Final = "nnInteractive.interaction.point"
_PLANS: Final = "nnunetv2.utilities.plans_handling.plans_handler"
_LABELS: Final = "nnunetv2.utilities.label_handling.label_handling"
_NETWORK: Final = re.compile(r"dynamic_network_architectures\.architectures\.\w+\.\w*UNet")
_LAYER: Final = re.compile(r"torch\.nn(?:\.modules\.\w+)?\.[A-Z]\w+")
_MOST_VOXELS: Final = 1 << 30
_BYTES: Final = 22  # for each voxel: image, and seven channels in half precision, of its session
_HINT: Final = "copy the model's whole folder again"


def read_nninteractive(record: ModelRecord) -> Artifacts:
    """What their session is begun with: network, plans and how prompts are drawn.

    Raises
    ------
    InputError
        If a file is not what it has to be, or names code that is not known here.
    IntegrityError
        If the weights are another file.
    ExtraMissing
        If the package is not installed.
    """
    plans, dataset = _json(record.folder / "plans.json"), _json(record.folder / "dataset.json")
    theirs = _module(_SESSION)
    checkpoint = read_checkpoint(record.weights, record.sha256)
    try:
        session = _made(theirs, "cpu")
        capability, radius, thickness, decay, padding = (
            session._load_capability_and_runtime_defaults(str(record.folder))  # noqa: SLF001  # theirs
        )
        session._apply_capability(capability)  # noqa: SLF001  # their own loader's steps
        manager = _module(_PLANS).PlansManager(plans)
        configuration = manager.get_configuration(checkpoint["init_args"]["configuration"])
        _check_network(configuration.configuration["architecture"])
        channels = _module(_LABELS).determine_num_input_channels(manager, configuration, dataset)
        channels += session.num_interaction_channels
        network = _laid_out(manager, configuration, channels)
        trainer = str(checkpoint["trainer_name"])
    except InputError:
        raise
    except Exception as error:  # a description that is damaged fails in many ways
        raise InputError("this is no model of nnInteractive that is known here", _HINT) from error
    return {
        "capability_content": capability,
        "point_interaction": _module(_POINTS).PointInteraction_stub(
            radius, use_distance_transform=True
        ),
        "preferred_scribble_thickness": thickness,
        "interaction_decay": decay,
        "pad_mode_data": padding,
        "network": filled(network, state_of(checkpoint)),
        "plans_manager": manager,
        "configuration_manager": configuration,
        "dataset_json": dataset,
        "trainer_name": trainer,
        "label_manager": None,  # their session keeps it and asks it nothing
        "license": record.license,
    }


class NnInteractiveJudge:
    """nnInteractive on one image: see `Judge`. Its answers are masks: probabilities of 0 and 1."""

    complete = True

    def __init__(
        self, loaded: Loaded[Artifacts], volume: Volume, start: BoolArray | None, *,
        cancelled: Stop,
    ) -> None:  # fmt: skip
        _check_room(volume)
        scaling, hole = scaling_of(volume, loaded.spec.intensity, cancelled=cancelled)
        values = scaling(np.asarray(volume.levels[0][:], np.float32))
        self._image = np.nan_to_num(values, nan=hole, posinf=hole, neginf=hole)
        self._shape = volume.shape
        self._start = start
        self._artifacts = loaded.network
        self._running = Running(loaded.facts, loaded.ways)
        self._inner: tuple[Attempt, Inner] | None = None
        self._done: tuple[Prompt, ...] = ()

    @property
    def facts(self) -> EngineFacts:
        """What answers, and on what it runs now."""
        return self._running.facts

    def object_called(self, name: str, cancelled: Stop) -> Answer:  # noqa: ARG002  # the protocol's
        """Nothing: it knows no names."""
        raise InputError("nnInteractive finds nothing by its name", "click into the object")

    def object_at(self, prompts: tuple[Prompt, ...], name: str, cancelled: Stop) -> Answer:  # noqa: ARG002
        """What the prompts point at."""
        return self._running.tried(lambda way: self._told(prompts, way, cancelled))

    def _told(self, prompts: tuple[Prompt, ...], way: Attempt, cancelled: Stop) -> Answer:
        """Tell their session what it does not know yet; what fails it takes back itself."""
        with room_watched(), polled(self._artifacts["network"], cancelled):
            inner = self._session(way)
            if self._done and self._done[:-1] == prompts[:-1] and inner.undo():
                self._done = self._done[:-1]
            if self._done != prompts[: len(self._done)]:
                self._begin(inner)
            for prompt in prompts[len(self._done) :]:
                check_not_stopped(cancelled)
                _tell(inner, prompt, self._shape)
                self._done = (*self._done, prompt)
            return answer_of(np.asarray(inner.target_buffer) > 0)

    def _session(self, way: Attempt) -> Inner:
        if self._inner is None or self._inner[0] != way:
            inner = _made(_module(_SESSION), way.device)
            network = self._artifacts["network"].to(way.device)
            inner.initialize_from_loaded_artifacts({**self._artifacts, "network": network})
            inner.set_image(self._image[None])
            inner.set_target_buffer(np.zeros(self._shape, np.uint8))
            inner._finish_preprocessing_and_initialize_interactions()  # noqa: SLF001  # waits
            self._inner = (way, inner)
            self._begin(inner)
        return self._inner[1]

    def _begin(self, inner: Inner) -> None:
        """Before all prompts: nothing, or the object to refine."""
        inner.reset_interactions()
        self._done = ()
        if self._start is not None:
            inner.add_initial_seg_interaction(self._start.astype(np.uint8), run_prediction=False)


def _tell(inner: Inner, prompt: Prompt, shape: Index) -> None:
    if isinstance(prompt, Point):
        inner.add_point_interaction(prompt.kji, include_interaction=prompt.include)
    elif isinstance(prompt, Box):
        inner.add_bbox_interaction(_sides(inner, prompt, shape), prompt.include)
    else:
        drawn, low = _drawn(prompt, shape)
        box = [[int(a), int(a + n)] for a, n in zip(low, drawn.shape, strict=True)]
        add = inner.add_lasso_interaction if isinstance(prompt, Lasso) else (
            inner.add_scribble_interaction
        )  # fmt: skip
        add(drawn, prompt.include, interaction_bbox=box)


def _sides(inner: Inner, box: Box, shape: Index) -> list[list[int]]:
    """A box as they count; its middle slice where the model knows boxes of one slice only."""
    sides = [
        [max(low, 0), min(high + 1, n)]
        for low, high, n in zip(box.low, box.high, shape, strict=True)
    ]
    if box.thin_axis is None and not inner.supported_interactions.get("bbox3d", False):
        middle = (sides[0][0] + sides[0][1]) // 2
        sides[0] = [middle, middle + 1]
    return sides


def _drawn(prompt: Scribble | Lasso, shape: Index) -> tuple[npt.NDArray[np.uint8], Index]:
    """What a hand drew as an image of its box, and where that begins; lines are 3 voxels wide."""
    voxels = voxels_of(prompt, shape)
    flat = np.ptp(voxels, axis=0) == 0
    room = np.zeros(3, int) if isinstance(prompt, Lasso) else np.where(flat, 0, 1)
    low = np.maximum(voxels.min(axis=0) - room, 0)
    high = np.minimum(voxels.max(axis=0) + room + 1, shape)
    drawn = np.zeros(high - low, bool)
    drawn[tuple((voxels - low).T)] = True
    if room.any():
        drawn = ndimage.binary_dilation(drawn, np.ones(1 + 2 * room, bool))
    return drawn.astype(np.uint8), (int(low[0]), int(low[1]), int(low[2]))


def _made(theirs: Any, device: str) -> Inner:  # noqa: ANN401  # their module
    """A session of theirs that says nothing on the screen, where answers are printed."""
    import torch

    theirs.print = lambda *_words, **_options: None  # before the builtin, for their module alone
    return theirs.nnInteractiveInferenceSession(
        device=torch.device(device),
        use_torch_compile=False,
        torch_n_threads=torch.get_num_threads(),
        enable_undo=True,
    )


def _laid_out(manager: Any, configuration: Any, channels: int) -> Any:  # noqa: ANN401  # theirs
    import torch

    with torch.device("meta"):
        return _module(_TRAINER).nnInteractiveTrainer_stub.build_network_architecture(
            manager, configuration, channels, 2, enable_deep_supervision=False
        )


def _check_network(architecture: dict[str, Any]) -> None:
    """Pass where all code that the plans name is on the list."""
    name, values = architecture["network_class_name"], architecture["arch_kwargs"]
    named = [values.get(key) for key in architecture["_kw_requires_import"]]
    layers = [one for one in named if one is not None]
    if _NETWORK.fullmatch(name) is None or not all(_LAYER.fullmatch(one) for one in layers):
        raise InputError("plans.json names code that is not known here: it was not run", _HINT)


def _check_room(volume: Volume) -> None:
    voxels = int(np.prod(volume.levels[0].shape))
    if voxels > _MOST_VOXELS:
        raise InputError(
            f"nnInteractive would need about {voxels * _BYTES / 2**30:.0f} GiB for this image",
            "work on a part of it",
        )


def _module(name: str) -> Any:  # noqa: ANN401  # the package has no types
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ExtraMissing.named(EXTRA, "nnInteractive") from error


def _json(path: Path) -> Any:  # noqa: ANN401  # any JSON
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path.name} cannot be read", _HINT) from error
