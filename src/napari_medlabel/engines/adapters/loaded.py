"""Models that have been loaded: one way to ask a network, whatever library runs it."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.region import Stop, check_not_stopped
from napari_medlabel.engines.adapters.running import Attempt, polled, room_watched
from napari_medlabel.engines.adapters.weights import verified
from napari_medlabel.engines.engine import EngineFacts
from napari_medlabel.engines.models.spec import ModelSpec
from napari_medlabel.errors import ExtraMissing, InputError

__all__ = ["Loaded", "Network", "OnnxNetwork", "TorchNetwork", "read_torchscript"]

N = TypeVar("N")
FloatGrid = npt.NDArray[np.float32]

_HINT: Final = "export it again: docs/models.md says how"
_OUTSIDE: Final = b"\x0a\x08location\x12"  # how ONNX names a file beside it that holds tensors
_GRAPHICS: Final = "CUDAExecutionProvider"
_PROCESSOR: Final = "CPUExecutionProvider"


@dataclass(frozen=True, slots=True)
class Loaded(Generic[N]):
    """A model ready for images: its network, what it is, and the ways in which it may run."""

    network: N
    spec: ModelSpec
    facts: EngineFacts
    ways: Sequence[Attempt]


class Network(Protocol):
    """A network that images are put through."""

    def __call__(self, inputs: FloatGrid, device: str, cancelled: Stop) -> FloatGrid:
        """What it gives, `[channel, ...]`, for an image, `[channel, ...]`.

        Raises
        ------
        NoRoom
            If the device's memory is too small.
        Cancelled
            If `cancelled` says so.
        """


class TorchNetwork:
    """A network of torch, or a TorchScript program, in half precision on a graphics card."""

    def __init__(self, module: Any) -> None:  # noqa: ANN401  # a torch Module
        self._module = module
        self._device = "cpu"

    def __call__(self, inputs: FloatGrid, device: str, cancelled: Stop) -> FloatGrid:
        """See `Network`."""
        import torch

        with room_watched(), torch.inference_mode(), polled(self._module, cancelled):
            if device != self._device:
                self._module.to(device)
                self._device = device
            batch = torch.from_numpy(np.ascontiguousarray(inputs))[None].to(device)
            with torch.autocast("cuda", torch.float16, enabled=device == "cuda"):
                found = self._module(batch)
            found = found[0] if isinstance(found, list | tuple) else found
            return np.asarray(found[0].float().cpu().numpy(), np.float32)


class OnnxNetwork:
    """An ONNX file, run by ONNX Runtime.

    Raises
    ------
    InputError
        If it is none, or wants files beside it.
    ExtraMissing
        If ONNX Runtime is not installed.
    """

    def __init__(self, path: Path, sha256: str) -> None:
        with verified(path, sha256) as file:
            self._bytes = file.read()
        if _OUTSIDE in self._bytes:
            raise InputError("the ONNX file keeps its weights in another file", _HINT)
        self._sessions: dict[str, Any] = {}
        self._session("cpu")

    def __call__(self, inputs: FloatGrid, device: str, cancelled: Stop) -> FloatGrid:
        """See `Network`."""
        check_not_stopped(cancelled)
        with room_watched():
            session = self._session(device)
            (given, *_more) = session.get_inputs()
            found = session.run(None, {given.name: np.ascontiguousarray(inputs[None])})
        check_not_stopped(cancelled)
        return np.asarray(found[0][0], np.float32)

    @staticmethod
    def device(asked: str) -> str:
        """The device, "cpu" or "cuda": the one asked for, or the better of those that are here.

        Raises
        ------
        InputError
            If there is no such device.
        """
        if asked not in {"auto", "cpu", "cuda"}:
            raise InputError(f"there is no device called {asked}", "choose auto, cpu or cuda")
        here = _GRAPHICS in _runtime().get_available_providers()
        if asked == "cuda" and not here:
            raise InputError(
                "this installation of ONNX Runtime knows no graphics card", "choose auto or cpu"
            )
        return "cuda" if here and asked != "cpu" else "cpu"

    def _session(self, device: str) -> Any:  # noqa: ANN401  # of ONNX Runtime
        if device not in self._sessions:
            runtime = _runtime()
            options = runtime.SessionOptions()
            options.log_severity_level = 4  # nothing on the screen
            providers = [_GRAPHICS, _PROCESSOR] if device == "cuda" else [_PROCESSOR]
            try:
                self._sessions[device] = runtime.InferenceSession(
                    self._bytes, options, providers=providers
                )
            except Exception as error:  # it fails in many ways on a file that is none
                with room_watched():
                    raise InputError("this is no ONNX file that can be run", _HINT) from error
        return self._sessions[device]


def read_torchscript(path: Path, sha256: str) -> TorchNetwork:
    """A TorchScript program: what is in it runs. Only for models that a person trusts.

    Raises
    ------
    IntegrityError
        If it is not the file that was trusted.
    InputError
        If it is no such program.
    """
    import torch

    with verified(path, sha256) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch would rather have other files
        try:
            module = torch.jit.load(file, map_location="cpu")  # type: ignore[no-untyped-call]
        except Exception as error:  # torch fails in many ways on a file that is none of its own
            raise InputError("this is no TorchScript file", _HINT) from error
    module.eval()
    return TorchNetwork(module)


def _runtime() -> Any:  # noqa: ANN401  # the library
    try:
        import onnxruntime
    except ImportError as error:
        raise ExtraMissing.named("onnx", "an ONNX model") from error
    onnxruntime.disable_telemetry_events()  # nothing leaves the machine
    return onnxruntime
