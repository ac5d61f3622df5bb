"""The engine whose network was trained on generated images only."""

import threading
from typing import Any

import numpy.typing as npt

from napari_medlabel.core.region import Stop, never
from napari_medlabel.core.volume import Volume
from napari_medlabel.engines.network.asking import Asking
from napari_medlabel.engines.network.session import NetworkSession
from napari_medlabel.engines.network.weights import Card, missing_packages, network_of, read_card
from napari_medlabel.engines.opening import opened
from napari_medlabel.errors import ExtraMissing, IntegrityError

__all__ = ["NetworkEngine"]


class NetworkEngine:
    """Any object by prompts: see `engines.network.session`.

    Parameters
    ----------
    card
        Of the weights; those of this version without it.
    """

    name = "default"
    title = "network for any object"

    def __init__(self, card: Card | None = None) -> None:
        self._card = card

    def why_not(self) -> str:
        """What is missing: torch or the weights."""
        if missing := missing_packages():
            words = ExtraMissing.named("ai", "this engine")
            return f"{' and '.join(missing)} not installed: {words.hint}"
        try:
            self._card or read_card()
        except IntegrityError as error:
            return f"{error.what}: {error.hint}"
        return ""

    def open(
        self,
        volume: Volume,
        *,
        device: str = "auto",
        start: npt.NDArray[Any] | None = None,
        cancelled: Stop = never,
    ) -> NetworkSession:
        """A session on the volume: see `Engine.open`.

        Raises
        ------
        ExtraMissing
            If torch or MONAI are not installed.
        IntegrityError
            If the weights are not those of this version.
        """
        if missing_packages():
            raise ExtraMissing.named("ai", "the default engine")
        card = self._card or read_card()
        asking = Asking(lambda where: _network_on(card, where), card.facts, device)
        asking.warm()
        return NetworkSession(*opened(volume, start, cancelled), asking)


_networks: dict[tuple[str, str], Any] = {}
_turn = threading.Lock()


def _network_on(card: Card, device: str) -> Any:  # noqa: ANN401  # a torch Module
    """The network on a device, read once in the life of the program."""
    with _turn:
        if (card.sha256, device) not in _networks:
            _networks[card.sha256, device] = network_of(card).to(device)
        return _networks[card.sha256, device]
