"""What can be made of volumes: regular grids, other quantities; asked for once, and remembered."""

from weakref import WeakKeyDictionary

from napari_medlabel import commands
from napari_medlabel.commands import Offer
from napari_medlabel.core.derivation import Choice
from napari_medlabel.session import Session
from napari_medlabel.ui.state import SeriesRow, VolumeRow, series_row

__all__ = ["Advice"]


class Advice:
    """Offers for volumes in the table of series; nothing of them is done yet."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: WeakKeyDictionary[VolumeRow, tuple[Offer, ...]] = WeakKeyDictionary()

    def offers(self, row: SeriesRow, volume: VolumeRow) -> tuple[Offer, ...]:
        """What can be done about a volume; may be asked on another thread."""
        if not row.series.volumes:
            return ()
        if volume not in self._known:
            self._known[volume] = commands.offers(self._session, row.series, volume.number)
        return self._known[volume]

    def quantities(self, row: SeriesRow, volume: VolumeRow) -> tuple[str, ...]:
        """What else its values can be; nothing once something was made of it on request."""
        if not row.series.volumes or row.found is not None:
            return ()
        return row.series.volumes[volume.number].quantities

    def in_quantity(self, row: SeriesRow, volume: VolumeRow, quantity: str) -> SeriesRow:
        """The series with the values of one volume in another quantity; as it is for ""."""
        if not quantity:
            return row
        turned = commands.in_quantity(self._session, row.series, volume.number, quantity)
        return series_row(turned, first=volume.number)

    def offer(self, row: SeriesRow, volume: VolumeRow, choice: Choice) -> Offer:
        """What one choice would make of it.

        Raises
        ------
        GeometryError, InputError
            If it makes nothing that can be opened.
        """
        return commands.offer(self._session, row.series, volume.number, choice)
