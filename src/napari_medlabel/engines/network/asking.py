"""Asking the network about patches: on the device there is, with the memory there is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np

from napari_medlabel.core.region import Stop, check_not_stopped
from napari_medlabel.engines.adapters.running import (
    NoRoom,
    Running,
    attempts,
    chosen_device,
    room_watched,
)
from napari_medlabel.engines.engine import EngineFacts
from napari_medlabel.engines.network.build import run
from napari_medlabel.engines.network.encoding import FloatGrid, Sight, encoded

__all__ = ["Asked", "Asking"]

_PATCH: Final = (64, 64, 64)
_FLIPS: Final = ((2, 3, 4), (4,), (3,), (2,))  # axes of the channels


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What the network says of a patch: the object's probability, and the Dice it expects."""

    probability: FloatGrid
    expected: float


class Asking:
    """The network on a device; where memory runs out patch by patch, then on the processor.

    Parameters
    ----------
    network_on
        From `build.built` with its weights, on "cpu" or "cuda".
    facts
        Of the weights.
    device
        "auto", "cpu" or "cuda".
    """

    def __init__(
        self, network_on: Callable[[str], Any], facts: EngineFacts, device: str = "auto"
    ) -> None:
        self._network_on = network_on
        self._running = Running(facts, attempts(chosen_device(device), _PATCH))

    @property
    def facts(self) -> EngineFacts:
        """Of the weights, and the device that they are on now."""
        return self._running.facts

    def warm(self) -> None:
        """Read the weights now, and not at the first prompt.

        Raises
        ------
        IntegrityError
            If they are not those of this version.
        """
        self._running.tried(lambda way: self._network_on(way.device))

    def about(self, sights: Sequence[Sight], *, flips: int = 0, cancelled: Stop) -> list[Asked]:
        """What the network says of patches of one size.

        Parameters
        ----------
        sights
            The patches.
        flips
            How many mirror images are asked about too; the answer is the mean.
        cancelled
            Polled.

        Raises
        ------
        Cancelled
            If `cancelled` says so.
        InputError
            If there is not enough memory.
        """
        channels = encoded(sights, cancelled=cancelled)
        shares, guesses = self._tried(channels, cancelled)
        for axes in _FLIPS[:flips]:
            turned = np.ascontiguousarray(np.flip(channels, axes))
            more, guess = self._tried(turned, cancelled)
            shares, guesses = shares + np.flip(more, tuple(n - 1 for n in axes)), guesses + guess
        rows = zip(sights, shares / (1 + flips), guesses / (1 + flips), strict=True)
        return [Asked(share * sight.inside, float(guess)) for sight, share, guess in rows]

    def _tried(self, channels: FloatGrid, cancelled: Stop) -> tuple[Any, Any]:
        return self._running.tried(lambda way: self._ran(channels, way.device, cancelled))

    def _ran(self, channels: FloatGrid, device: str, cancelled: Stop) -> tuple[Any, Any]:
        if device == "cuda":
            try:
                return self._part(channels, device)
            except NoRoom:
                pass  # one by one
        parts = []
        for one in channels:
            check_not_stopped(cancelled)
            parts.append(self._part(one[None], device))
        shares, guesses = zip(*parts, strict=True)
        return np.concatenate(shares), np.concatenate(guesses)

    def _part(self, channels: FloatGrid, device: str) -> tuple[Any, Any]:
        import torch

        half = _half_is_fast(device)
        with room_watched(), torch.inference_mode():
            network = self._network_on(device)
            seen = torch.from_numpy(channels).to(device)
            with torch.autocast(device, torch.bfloat16, enabled=half):
                logits, guess = run(network, seen)
            return torch.sigmoid(logits).cpu().numpy(), guess.cpu().numpy()


@cache
def _half_is_fast(device: str) -> bool:
    """Whether numbers of 16 bits are the faster ones: elsewhere they are emulated, and slow."""
    import torch

    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # Asking by the clock would let the same prompts have other answers on a busy computer.
    capable = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(capable.get("avx512_bf16") or capable.get("amx_bf16") or capable.get("amx_tile"))
