"""What else the values of a volume can be: SUVbw of PET, a maker's own scale, real world values."""

from napari_medlabel import formats
from napari_medlabel.commands.door import command
from napari_medlabel.commands.finding import check_number
from napari_medlabel.core.volume import Series
from napari_medlabel.session import Permission, Session

__all__ = ["in_quantity"]


@command(needs=Permission.VIEW)
def in_quantity(
    session: Session,  # noqa: ARG001  # the door's
    series: Series,
    volume: int,
    quantity: str,
) -> Series:
    """The series with the values of one volume, from 0, in another quantity.

    It is opened as any other; nothing is read before.

    Raises
    ------
    InputError
        If there is no such volume, or it does not have this quantity; says what it has.
    """
    check_number(series, volume + 1)
    return formats.in_quantity(series, volume, quantity)
