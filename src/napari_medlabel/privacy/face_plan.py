"""What a person may choose about a face that is to go: one value, checked once."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, get_args

from napari_medlabel.errors import InputError

__all__ = ["DEPTH_MM", "MARGIN_MM", "MODES", "USUAL_PLAN", "FacePlan", "Mode"]

Mode = Literal["blank", "blur", "noise"]
MODES: Final[tuple[str, ...]] = get_args(Mode)
MARGIN_MM: Final = (2.0, 30.0)
DEPTH_MM: Final = (40.0, 90.0)


@dataclass(frozen=True, slots=True)
class FacePlan:
    """What is to be done about a face.

    Parameters
    ----------
    mode
        "blank" puts air in its place, "noise" a smooth front of noise, "blur" one of blurred flesh.
    margin_mm
        To be kept from the image's own brain, 2 to 30; from the template's brain it is 9 mm.
    depth_mm
        How far behind the glabella the region reaches, 40 to 90 in an adult's head and in
        proportion in a smaller one. All of the face's skin in front of the cheeks needs 40; from 62
        on the eyes and all of the nose go with it.
    ears
        Whether the ears are to go, too.
    teeth
        Whether all teeth go with both jaws' arches, also those that lie behind the depth.
    brow
        Whether the brow and the lower forehead go, too, with the frontal sinus as far as the margin
        lets it: 30 mm above the glabella instead of 8.
    seed
        Of the noise: the same seed gives the same voxels.

    Raises
    ------
    InputError
        If one of them is nothing that can be done.
    """

    mode: Mode = "blank"
    margin_mm: float = 6.0
    depth_mm: float = 62.0
    ears: bool = False
    teeth: bool = False
    brow: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be done."""
        if self.mode not in MODES:
            raise InputError(f"there is no mode '{self.mode}'", f"it is one of {', '.join(MODES)}")
        _check_distance("margin", self.margin_mm, MARGIN_MM, usual=6.0)
        _check_distance("depth", self.depth_mm, DEPTH_MM, usual=62.0)
        if self.seed < 0:
            raise InputError("the seed is below 0", "any whole number from 0 on will do")

    def document(self) -> dict[str, Any]:
        """For a report, a certificate or a recorded step."""
        return asdict(self)


def _check_distance(name: str, value: float, limits: tuple[float, float], *, usual: float) -> None:
    low, high = limits
    if not (math.isfinite(value) and low <= value <= high):
        raise InputError(
            f"the {name} is no distance to keep",
            f"choose {low:.0f} to {high:.0f} mm; {usual:.0f} is usual",
        )


USUAL_PLAN: Final = FacePlan()
