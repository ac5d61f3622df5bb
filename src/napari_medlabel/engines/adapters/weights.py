"""Weights from a file: by their hash, as numbers alone, onto a network of exactly their shape."""

import hashlib
import os
import pickle
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from napari_medlabel.errors import ExtraMissing, InputError, IntegrityError
from napari_medlabel.files import shown

__all__ = ["aligned", "filled", "read_checkpoint", "read_weights", "state_of", "verified"]

_CHUNK: Final = 1 << 22
_NESTED: Final = (
    "model", "state_dict", "model_state_dict", "network", "net", "network_weights",
    "network_state_dict", "weights",
)  # fmt: skip
_PREFIXES: Final = ("module.", "network.", "model.", "_orig_mod.")
_SWELL: Final = 1.2  # what a weights file may hold, in its own length
_SPARE: Final = 1 << 20
_HINT: Final = "ask whoever made the model for its weights alone: a state_dict of tensors"


def read_weights(path: Path, sha256: str) -> dict[str, Any]:
    """The tensors of a weights file, by name, on the processor: see `read_checkpoint`.

    Raises
    ------
    IntegrityError, InputError, ExtraMissing
        As `read_checkpoint` does; InputError also where it holds no tensors.
    """
    return state_of(read_checkpoint(path, sha256))


def read_checkpoint(path: Path, sha256: str) -> Any:  # noqa: ANN401  # tensors and plain values
    """What is in a weights file, on the processor.

    It is read with torch's unpickler for weights only, which makes tensors, plain values and
    numpy's numbers, and calls nothing else that the file names.

    Parameters
    ----------
    path
        A file that `torch.save` wrote.
    sha256
        What the file has to have.

    Raises
    ------
    IntegrityError
        If it is another file.
    InputError
        If it wants to run code, or is no weights file.
    ExtraMissing
        If torch is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise ExtraMissing.named("ai", "a model of one's own") from error

    with verified(path, sha256) as file:
        _check_size(file, path)
        try:
            with torch.serialization.safe_globals(_numbers()):
                return torch.load(file, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            raise _refused(error) from error
        except MemoryError as error:
            raise InputError("there is not enough memory for the weights", _HINT) from error
        except Exception as error:  # torch fails in many ways on a file that is none of its own
            raise InputError("the weights are no file that torch wrote", _HINT) from error


def _numbers() -> list[Any]:
    """How pickles name a number of numpy: those of training, as in nnU-Net's log, are such."""
    kinds = {type(np.dtype(code)) for code in "?bBhHiIlLqQfd"}
    scalar = np.float64(0).__reduce__()[0]
    names = [(scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")]
    return [*names, np.dtype, *kinds]


def filled(network: Any, state: Mapping[str, Any]) -> Any:  # noqa: ANN401  # a torch Module
    """A network with these weights, to be asked and not trained.

    Parameters
    ----------
    network
        Its layout; may be on torch's device "meta", without any memory of its own.
    state
        From `read_weights`.

    Raises
    ------
    InputError
        If a tensor is missing, is too much, has another shape or holds a value that is no number.
    """
    wanted = network.state_dict()
    state = aligned(state, wanted)
    _check_names(wanted.keys(), state.keys())
    for name, tensor in wanted.items():
        found = state[name]
        if tuple(found.shape) != tuple(tensor.shape):
            raise InputError(
                f"the weights are of another network: {shown(name)} has the shape "
                f"{_size(found)} and not {_size(tensor)}",
                "compare the model's description with how it was trained",
            )
        if found.is_floating_point() and not bool(found.isfinite().all()):
            raise InputError(f"the weights hold values that are no numbers: {shown(name)}", _HINT)
    network.load_state_dict(
        {
            name: state[name].float() if state[name].is_floating_point() else state[name]
            for name in wanted
        },
        strict=True, assign=True,
    )  # fmt: skip
    network.eval()
    network.requires_grad_(requires_grad=False)
    return network


def verified(path: Path, sha256: str) -> BinaryIO:
    """A file, open at its start, if it has this SHA-256.

    Raises
    ------
    IntegrityError
        If it has another, or is gone.
    """
    try:
        file = path.open("rb")
        digest = hashlib.sha256()
        while part := file.read(_CHUNK):
            digest.update(part)
        file.seek(0)
    except OSError as error:
        raise IntegrityError("the weights cannot be read", "add the model again") from error
    if digest.hexdigest() != sha256:
        file.close()
        raise IntegrityError(
            "the weights are not the file that was installed", "remove the model and add it again"
        )
    return file


def _check_size(file: BinaryIO, path: Path) -> None:
    """Pass where the file does not swell as it is read: torch packs nothing."""
    if zipfile.is_zipfile(file):
        file.seek(0)
        try:
            with zipfile.ZipFile(file) as archive:
                inside = sum(member.file_size for member in archive.infolist())
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise InputError("the weights are no file that torch wrote", _HINT) from error
        if inside > _SWELL * os.path.getsize(path) + _SPARE:  # noqa: PTH202
            raise InputError("the weights swell beyond measure as they are read", _HINT)
    file.seek(0)


def _refused(error: pickle.UnpicklingError) -> InputError:
    words = str(error)
    if "GLOBAL" in words or "Unsupported" in words or "allowed" in words:
        return InputError("the weights file wants to run code: it was not loaded", _HINT)
    return InputError("the weights are no file that torch wrote", _HINT)


def state_of(read: object) -> dict[str, Any]:
    """The tensors in a checkpoint, whichever of the usual ways they are put in.

    Raises
    ------
    InputError
        If there are none.
    """
    for _ in range(4):
        if not isinstance(read, Mapping):
            break
        tensors = {str(key): one for key, one in read.items() if hasattr(one, "isfinite")}
        if tensors and all(hasattr(one, "isfinite") or one is None for one in read.values()):
            return tensors
        read = next((read[key] for key in _NESTED if isinstance(read.get(key), Mapping)), None)
    raise InputError("the file holds no weights of a network", _HINT)


def aligned(state: Mapping[str, Any], wanted: Collection[str]) -> Mapping[str, Any]:
    """The weights without the prefix that wrappers of networks put before each name.

    Parameters
    ----------
    state
        From `read_weights`.
    wanted
        Names of the network, some of which its weights have to have.
    """
    while not any(name in state for name in wanted):
        prefix = next((one for one in _PREFIXES if all(n.startswith(one) for n in state)), "")
        if not prefix:
            break
        state = {name[len(prefix) :]: one for name, one in state.items()}
    return state


def _check_names(wanted: Any, found: Any) -> None:  # noqa: ANN401  # sets of names
    missing, extra = sorted(wanted - found), sorted(found - wanted)
    if not missing and not extra:
        return
    told = []
    if missing:
        told.append(f"{len(missing)} missing ({shown(missing[0])})")
    if extra:
        told.append(f"{len(extra)} too many ({shown(extra[0])})")
    raise InputError(
        f"the weights are of another network: {' and '.join(told)} of {len(wanted)} tensors",
        "compare the model's description with how it was trained",
    )


def _size(tensor: Any) -> str:  # noqa: ANN401  # a torch Tensor
    return " x ".join(str(n) for n in tensor.shape) or "1"
