"""One action for each known part of the body that a segment can start from."""

from typing import Final

from napari_medlabel.core.automatic import PARTS
from napari_medlabel.ui.action import Action, can_change

__all__ = ["PREFIX", "start_actions"]

PREFIX: Final = "start-"
_ALSO: Final = "automatic segment find threshold without AI"


def start_actions() -> tuple[Action, ...]:
    """In the order of the menu; the window does them."""
    return tuple(
        Action(
            f"{PREFIX}{part.id}", f"Start from: {part.name[0].lower()}{part.name[1:]}", "Assist",
            rule=can_change, also=f"{part.tip} {_ALSO}",
        )
        for part in PARTS
    )  # fmt: skip
