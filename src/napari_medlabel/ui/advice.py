"""What can be done about volumes that are no regular grid: asked for once, and remembered."""

from weakref import WeakKeyDictionary

from napari_medlabel import commands
from napari_medlabel.commands import Offer
from napari_medlabel.core.derivation import Choice
from napari_medlabel.session import Session
from napari_medlabel.ui.state import SeriesRow, VolumeRow

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

    def offer(self, row: SeriesRow, volume: VolumeRow, choice: Choice) -> Offer:
        """What one choice would make of it.

        Raises
        ------
        GeometryError, InputError
            If it makes nothing that can be opened.
        """
        return commands.offer(self._session, row.series, volume.number, choice)
