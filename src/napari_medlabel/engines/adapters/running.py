"""A network at work: on which device, in patches of which size, and what it does without memory."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from napari_medlabel.core.geometry import Index
from napari_medlabel.core.region import Stop, check_not_stopped
from napari_medlabel.engines.engine import EngineFacts
from napari_medlabel.errors import InputError

__all__ = ["Attempt", "NoRoom", "Running", "attempts", "chosen_device", "polled", "room_watched"]

T = TypeVar("T")

_SIGNS: Final = ("out of memory", "can't allocate memory", "not enough memory", "allocate memory")


class NoRoom(InputError):
    """The memory of a device is too small for what was tried."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A device, "cpu" or "cuda", and how many samples are looked at together."""

    device: str
    patch: Index


class Running:
    """Tries a piece of work, and where memory runs out a smaller patch, then the processor.

    What did not fit is not tried again. `facts` says on what it runs now, and why there.

    Parameters
    ----------
    facts
        Of the model.
    ways
        From the best to the one that needs least; one at least.
    """

    def __init__(self, facts: EngineFacts, ways: Sequence[Attempt]) -> None:
        self._ways = list(ways)
        self.facts = replace(facts, device=self._ways[0].device)

    def tried(self, work: Callable[[Attempt], T]) -> T:
        """What the work gives in the first way that there is memory for.

        Raises
        ------
        InputError
            If there is not enough for any.
        """
        while True:
            way = self._ways[0]
            try:
                return work(way)
            except NoRoom as error:
                if len(self._ways) == 1:
                    raise InputError(
                        f"there is not enough memory for {_told(way)}",
                        "close other programs, or work on a smaller part of the image",
                    ) from error
            del self._ways[0]
            note = f"not enough memory for {_told(way)}: {_told(self._ways[0])} instead"
            self.facts = replace(self.facts, device=self._ways[0].device, note=note)


def attempts(
    device: str, patch: Index, *, multiple: int = 1, smallest: int | None = None
) -> tuple[Attempt, ...]:
    """The ways to run a network, from the best on.

    Parameters
    ----------
    device
        "cpu" or "cuda".
    patch
        As the network was trained.
    multiple
        Every side of a smaller patch is a multiple of it.
    smallest
        The least side of a smaller patch; None where the network knows only the one size.
    """
    patches = [patch]
    while smallest is not None:
        half = tuple(
            n if n <= smallest else max(n // 2 // multiple * multiple, smallest)
            for n in patches[-1]
        )
        if half == patches[-1]:
            break
        patches.append((half[0], half[1], half[2]))
    ways = [Attempt("cuda", one) for one in patches] if device == "cuda" else []
    return (*ways, *(Attempt("cpu", one) for one in patches))


def chosen_device(asked: str) -> str:
    """The device, "cpu" or "cuda": the one asked for, or the better of those that are here.

    Raises
    ------
    InputError
        If there is no such device.
    """
    import torch

    if asked not in {"auto", "cpu", "cuda"}:
        raise InputError(f"there is no device called {asked}", "choose auto, cpu or cuda")
    here = torch.cuda.is_available()
    if asked == "cuda" and not here:
        raise InputError("there is no graphics card that can be used here", "choose auto or cpu")
    return "cuda" if here and asked != "cpu" else "cpu"


@contextmanager
def room_watched() -> Iterator[None]:
    """Whatever a library says when memory runs out, as `NoRoom`."""
    try:
        yield
    except MemoryError as error:
        raise NoRoom("the memory is too small") from error
    except RuntimeError as error:  # torch.OutOfMemoryError is one, and so is onnxruntime's
        if not any(sign in str(error).lower() for sign in _SIGNS):
            raise
        raise NoRoom("the memory is too small") from error


_turn = threading.Lock()  # hooks are of the network, which several sessions may share


@contextmanager
def polled(module: Any, cancelled: Stop) -> Iterator[None]:  # noqa: ANN401  # a torch Module
    """While a network runs, ask before each of its layers whether it was called off.

    The layers of a TorchScript program cannot be watched: it is asked about before it runs.
    """
    import torch

    check_not_stopped(cancelled)
    whole = isinstance(module, torch.jit.ScriptModule)

    def ask(*_inputs: object) -> None:
        check_not_stopped(cancelled)

    with _turn:
        layers = [] if whole else [m for m in module.modules() if not list(m.children())]
        hooks = [layer.register_forward_pre_hook(ask) for layer in layers]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


def _told(way: Attempt) -> str:
    size = " x ".join(str(n) for n in way.patch)
    return (
        f"patches of {size} on {'the graphics card' if way.device == 'cuda' else 'the processor'}"
    )
