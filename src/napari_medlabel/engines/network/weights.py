"""The weights that come with this version: by their hash, as numbers alone."""

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from napari_medlabel.engines.adapters.weights import filled, read_weights
from napari_medlabel.engines.engine import EngineFacts
from napari_medlabel.engines.network.build import built
from napari_medlabel.errors import IntegrityError

__all__ = ["CARD", "Card", "network_of", "read_card"]

CARD: Final = Path(__file__).with_name("weights") / "default.json"


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a weights file.

    Parameters
    ----------
    path
        The file.
    name, version
        For people and for provenance.
    sha256
        What the file has to have.
    widths, units
        The network's, for `build.built`.
    """

    path: Path
    name: str
    version: str
    sha256: str
    widths: tuple[int, ...]
    units: int

    @property
    def facts(self) -> EngineFacts:
        """For the screen and for provenance."""
        return EngineFacts("default", model=self.name, version=self.version, sha256=self.sha256)


def read_card(path: Path = CARD) -> Card:
    """What is known of the weights that come with this version.

    Raises
    ------
    IntegrityError
        If the card or the weights are not there, or the card cannot be understood.
    """
    hint = "install this program again"
    try:
        said = json.loads(path.read_text("utf-8"))
        card = Card(
            path.with_name(said["file"]), str(said["name"]), str(said["version"]),
            str(said["sha256"]), tuple(int(n) for n in said["widths"]), int(said["units"]),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IntegrityError("the card of the network's weights cannot be read", hint) from error
    if not card.path.is_file():
        raise IntegrityError("the network's weights are not there", hint)
    return card


def network_of(card: Card) -> Any:  # noqa: ANN401  # a torch Module
    """The network with its weights, on the processor.

    Raises
    ------
    IntegrityError
        If the file has another hash.
    InputError
        If its tensors are not those of the network.
    """
    return filled(built(card.widths, card.units), read_weights(card.path, card.sha256))


def missing_packages() -> tuple[str, ...]:
    """Those that the network needs and that are not installed; costs no time."""
    return tuple(name for name in ("torch", "monai") if importlib.util.find_spec(name) is None)
