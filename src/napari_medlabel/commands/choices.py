"""What can be done about slices that are no one right-angled grid: offered, with the numbers.

An offer is worked out from headers; nothing of it is done before its series is opened.
"""

from dataclasses import dataclass, replace
from typing import Final

from napari_medlabel.commands.door import command
from napari_medlabel.core.derivation import Choice, Irregular
from napari_medlabel.core.volume import FoundVolume, Series
from napari_medlabel.errors import GeometryError
from napari_medlabel.formats import pieces_of, recipe_of, with_choice
from napari_medlabel.formats.resample import made_up
from napari_medlabel.session import Permission, Session

__all__ = ["Offer", "offer", "offers"]

_CHOICES: Final[tuple[Irregular, ...]] = ("largest-run", "split", "resample")


@dataclass(frozen=True, slots=True, eq=False)
class Offer:
    """What a choice would make of one volume.

    Parameters
    ----------
    choice
        What may be asked for.
    found, volume
        Of which volume, from 0, of a series as it was found.
    pieces
        What the volume becomes.
    slices
        How many the volume has as it was found.
    tilt_deg
        Of the volume as it was found; resampling corrects it.
    made_up
        How many of a resampled volume's slices lie between slices that are too far apart.
    """

    choice: Choice
    found: Series
    volume: int
    pieces: tuple[FoundVolume, ...]
    slices: int
    tilt_deg: float = 0.0
    made_up: int = 0

    @property
    def left_out(self) -> int:
        """How many of the slices are in none of the pieces; 0 of a resampled volume."""
        if self.choice.irregular == "resample":
            return 0
        kept = sum(piece.geometry.shape[0] for piece in self.pieces if piece.geometry is not None)
        return self.slices - kept

    def made(self) -> tuple[Series, int]:
        """The series with every volume as the choice makes it, and where the pieces begin.

        It is opened as any other, and an import that is cut short finds its way back to it.
        """
        before = (pieces_of(self.found, n, self.choice) for n in range(self.volume))
        return with_choice(self.found, self.choice), sum(map(len, before))


@command(needs=Permission.VIEW)
def offers(
    session: Session,  # noqa: ARG001  # the door's
    series: Series,
    volume: int = 0,
) -> tuple[Offer, ...]:
    """What can be done about a volume, from 0, that is no one right-angled grid.

    Only what makes something that can be opened; nothing of a volume that is such a grid.
    """
    made = (_offer(series, volume, Choice(irregular)) for irregular in _CHOICES)
    return tuple(one for one in made if _is_of_use(one, series.volumes[volume]))


@command(needs=Permission.VIEW)
def offer(
    session: Session,  # noqa: ARG001  # the door's
    series: Series,
    volume: int,
    choice: Choice,
) -> Offer:
    """What one choice, with a step and a method of its own perhaps, makes of a volume.

    Raises
    ------
    GeometryError
        If it makes nothing that can be opened.
    InputError
        If the step is no length that a grid can have.
    """
    made = _offer(series, volume, choice)
    if not _is_of_use(made, series.volumes[volume]):
        reasons = [p for piece in made.pieces for p in piece.problems if p.blocking]
        raise GeometryError(
            reasons[-1].what if reasons else "nothing can be made of these slices",
            reasons[-1].hint if reasons else "",
        )
    return made


def _offer(series: Series, volume: int, choice: Choice) -> Offer:
    if series.kind == "segmentation" and choice.irregular == "resample":
        choice = replace(choice, nearest=True)  # labels have no values in between
    found = series.volumes[volume]
    report = found.geometry_report()
    pieces = pieces_of(series, volume, choice)
    recipe = recipe_of(pieces[0])
    gaps = made_up(recipe.planes, recipe.plan) if recipe else ()
    return Offer(
        choice,
        series,
        volume,
        pieces,
        report.slices if report else len(found.parts),
        recipe.planes.tilt_deg if recipe else 0.0,
        sum(gap.slices for gap in gaps),
    )


def _is_of_use(made: Offer, found: FoundVolume) -> bool:
    return any(piece.usable and piece is not found for piece in made.pieces)
