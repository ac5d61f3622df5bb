"""An engine for each installed model: what it needs, and how it is loaded, checked and opened."""

import importlib.util
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.region import Stop, check_not_stopped, never
from napari_medlabel.core.volume import Volume
from napari_medlabel.engines.adapters.automatic import AutomaticJudge, likely
from napari_medlabel.engines.adapters.deepedit import (
    DeepEditJudge,
    click_names,
    output_channels,
)
from napari_medlabel.engines.adapters.loaded import (
    Loaded,
    Network,
    OnnxNetwork,
    TorchNetwork,
    read_torchscript,
)
from napari_medlabel.engines.adapters.networks import built, deepedit_network, vista3d_network
from napari_medlabel.engines.adapters.nninteractive import (
    EXTRA,
    NnInteractiveJudge,
    read_nninteractive,
)
from napari_medlabel.engines.adapters.running import Attempt, attempts, chosen_device
from napari_medlabel.engines.adapters.session import Judge, ModelSession, checked_start
from napari_medlabel.engines.adapters.statistics import checked_image
from napari_medlabel.engines.adapters.vista3d import FACTOR, Vista3dJudge, findable_names
from napari_medlabel.engines.adapters.weights import read_weights
from napari_medlabel.engines.engine import EngineFacts
from napari_medlabel.engines.models.record import ModelRecord
from napari_medlabel.engines.models.spec import ModelSpec
from napari_medlabel.engines.models.store import PROGRAMS
from napari_medlabel.errors import InputError, MedlabelError

__all__ = ["ModelEngine", "check_model"]

_NEEDS: Final = {"torch": "ai", "monai": "ai", "onnxruntime": "onnx", "nnInteractive": EXTRA}
_ONNX: Final = ".onnx"
_SMALLEST: Final = 32  # samples along each side of a smaller patch
_last: dict[str, Any] = {}  # the model loaded last, by its hash: the next object costs no loading


class ModelEngine:
    """An installed model as an engine: see `Engine` and `FindingEngine`."""

    def __init__(self, record: ModelRecord) -> None:
        self.record = record
        self.name = record.name
        self.title = record.spec.title

    def why_not(self) -> str:
        """Why it cannot run here, or nothing; looks at names and lengths of files only."""
        for module in _modules(self.record.spec):
            if importlib.util.find_spec(module) is None:
                extra = _NEEDS[module]
                return f"it needs the extra '{extra}': pip install \"napari-medlabel[{extra}]\""
        if _is_program(self.record.spec) and not self.record.trusted:
            return "it is a program that nobody said to trust: add it again with --trust"
        for file in self.record.files:
            try:
                whole = (self.record.folder / file.name).stat().st_size == file.bytes
            except OSError:
                whole = False
            if not whole:
                return f"its files are damaged: medlabel model verify {self.name}"
        return ""

    def findable(self) -> tuple[str, ...]:
        """The names of what it finds without a prompt."""
        spec = self.record.spec
        return findable_names(spec.labels) if spec.kind == "vista3d" else spec.names

    def open(
        self,
        volume: Volume,
        *,
        device: str = "auto",
        start: npt.NDArray[Any] | None = None,
        cancelled: Stop = never,
    ) -> ModelSession:
        """A session on the volume: see `Engine.open`."""
        checked_image(volume)
        begun = checked_start(volume, start)
        loaded = _loaded(self.record, device)
        check_not_stopped(cancelled)
        judge: Judge
        if self.record.spec.kind == "nninteractive":
            judge = NnInteractiveJudge(loaded, volume, begun, cancelled=cancelled)
        else:
            judge = _JUDGES[self.record.spec.kind](loaded, volume, cancelled=cancelled)
        return ModelSession(judge, volume.shape, self.findable(), begun)


_JUDGES: Final[dict[str, Callable[..., Judge]]] = {
    "automatic": AutomaticJudge,
    "deepedit": DeepEditJudge,
    "vista3d": Vista3dJudge,
}


def check_model(record: ModelRecord) -> None:
    """Load a model once as for an answer, and ask it about an empty patch where that is quick.

    Raises
    ------
    InputError, IntegrityError
        If its weights cannot be used; says why.
    ExtraMissing
        If what it needs is not installed.
    """
    _check_sides(record.spec)
    network = _network(record)
    if record.spec.kind not in {"automatic", "deepedit"}:
        return
    spec = record.spec
    inputs = 1 if spec.kind == "automatic" else 1 + len(click_names(spec))
    try:
        found = network(np.zeros((inputs, *spec.patch), np.float32), "cpu", never)
    except MedlabelError:
        raise
    except Exception as error:  # a network that was exported for other inputs fails in many ways
        raise InputError(
            f"the model does not take an image of {_size((inputs, *spec.patch))}",
            "compare 'patch' and the number of inputs with how it was trained",
        ) from error
    _check_output(found, spec)


def _check_output(found: npt.NDArray[np.float32], spec: ModelSpec) -> None:
    highest = max(number for number, _ in spec.labels)
    wanted = {"labels": 1, "softmax": highest + 1, "sigmoid": highest + 1}[spec.output]
    least = spec.output == "sigmoid" and found.shape[0] >= wanted
    if found.shape[1:] != spec.patch or not (found.shape[0] == wanted or least):
        raise InputError(
            f"the model gives {_size(found.shape)} values, not {_size((wanted, *spec.patch))}",
            "compare 'labels', 'output' and 'patch' with how it was trained",
        )
    if not np.isfinite(likely(found, spec, [highest])).all():
        raise InputError("the model gives values that are no numbers", "ask whoever made it")


def _check_sides(spec: ModelSpec) -> None:
    if spec.kind == "vista3d" and any(side % FACTOR for side in spec.patch):
        raise InputError(
            f"VISTA3D's patch of {_size(spec.patch)} has sides that are no multiple of {FACTOR}",
            "it was trained with 128 x 128 x 128",
        )
    if spec.kind == "deepedit":
        unknown = set(spec.names) - set(click_names(spec))
        if unknown or len(set(click_names(spec))) < len(click_names(spec)):
            raise InputError(
                "'clicks' has to name each label once, and background",
                "list them in the order of the network's channels",
            )


def _loaded(record: ModelRecord, device: str) -> Loaded[Any]:
    """A model with its network, and the ways in which it may run here."""
    network = _last.get(record.sha256)
    if network is None:
        network = _network(record)
        _last.clear()
        _last[record.sha256] = network
    facts = EngineFacts(
        record.name, "cpu", record.spec.title, record.spec.version, record.sha256, record.license
    )
    return Loaded(network, record.spec, facts, _ways(record.spec, network, device))


def _ways(spec: ModelSpec, network: Any, device: str) -> tuple[Attempt, ...]:  # noqa: ANN401
    if isinstance(network, OnnxNetwork):
        return attempts(network.device(device), spec.patch)
    chosen = chosen_device(device)
    if spec.kind == "vista3d":
        return attempts(chosen, spec.patch, multiple=FACTOR, smallest=min(64, *spec.patch))
    if spec.kind == "automatic" and not _is_program(spec):
        return attempts(chosen, spec.patch, multiple=_SMALLEST, smallest=_SMALLEST)
    return attempts(chosen, spec.patch)


def _network(record: ModelRecord) -> Any:  # noqa: ANN401  # what its judge takes
    spec = record.spec
    if spec.kind == "nninteractive":
        return read_nninteractive(record)
    if spec.weights.endswith(_ONNX):
        _check_kind(spec)
        return OnnxNetwork(record.weights, record.sha256)
    if _is_program(spec):
        _check_kind(spec)
        if not record.trusted:
            raise InputError("this model is a program that nobody said to trust", "use --trust")
        return read_torchscript(record.weights, record.sha256)
    state = read_weights(record.weights, record.sha256)
    if spec.kind == "vista3d":
        return vista3d_network(state)
    network: Network
    if spec.kind == "deepedit":
        module = deepedit_network(
            spec.network, len(click_names(spec)), output_channels(spec), state
        )
        network = TorchNetwork(module)
    else:
        network = TorchNetwork(built(spec.network, state))
    return network


def _check_kind(spec: ModelSpec) -> None:
    if spec.kind not in {"automatic", "deepedit"}:
        raise InputError(f"a model of the kind {spec.kind} is weights, not a program", _HINT)


_HINT: Final = "docs/models.md says what each kind of model consists of"


def _is_program(spec: ModelSpec) -> bool:
    return spec.weights.endswith(PROGRAMS)


def _modules(spec: ModelSpec) -> tuple[str, ...]:
    if spec.weights.endswith(_ONNX):
        return ("onnxruntime",)
    if spec.kind == "nninteractive":
        return ("torch", "monai", "nnInteractive")
    return ("torch",) if _is_program(spec) else ("torch", "monai")


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)
