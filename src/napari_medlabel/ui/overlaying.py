"""The second image of an open case: found, read beside the window, shown, looked at."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_medlabel import commands
from napari_medlabel.commands import OverlayVolume
from napari_medlabel.core.volume import Series
from napari_medlabel.errors import InputError, MedlabelError
from napari_medlabel.session import OpenCase, Session
from napari_medlabel.ui.overlay_state import OverlayChoice, OverlayState, choices_of, name_words
from napari_medlabel.ui.sight import Overlay, Sight
from napari_medlabel.ui.state import error_card, without_places
from napari_medlabel.ui.work import Job, Report

__all__ = ["Overlaying"]

SUV = "SUVbw"
_NOWHERE = Path("\0")  # is in no words


class Overlaying(QObject):
    """What can be done with a second image; it is shown through `sight.overlay`.

    Signals: `changed` when `state` differs; `failed` with an error that names no file; `said` with
    words when there is nothing to do it to.

    Parameters
    ----------
    session, case
        Who looks, and at what.
    sight
        Where it is shown.
    parent
        Whoever owns it.
    """

    changed = Signal()
    failed = Signal(object)
    said = Signal(str)

    def __init__(self, session: Session, case: OpenCase, sight: Sight, parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._case, self._sight = session, case, sight
        self._around: tuple[OverlayChoice, ...] = ()
        self._job: Job | None = None
        self._overlay: Overlay | None = None
        self._read: OverlayVolume | None = None
        self._state = OverlayState()

    @property
    def state(self) -> OverlayState:
        """What to show."""
        return self._state

    def close(self) -> None:
        """The case goes: read no more."""
        self._stop()
        self._sight.show_overlay(None)

    # What is there

    def offer(self, found: Sequence[Series]) -> None:
        """Series of the search that led to the case."""
        self._around = choices_of(found, self._case.volume)
        self._tell(choices=self._around)

    def look_in(self, place: Path) -> None:
        """Search a folder or file; what can be nothing else is read at once."""

        def look(progress: Report, cancelled: Callable[[], bool]) -> tuple[Series, ...]:
            found = commands.scan(self._session, place, progress=progress, cancelled=cancelled)
            return found.series

        def looked(series: tuple[Series, ...]) -> None:
            self._searched(choices_of(series, self._case.volume))

        self._run("Looking for series", look, looked, place)

    def _searched(self, found: tuple[OverlayChoice, ...]) -> None:
        fresh = tuple(replace(one, words=f"{one.words} · opened") for one in found)
        usable = [one for one in fresh if not one.why_not]
        if not usable:
            what = "there is nothing to lay over this image"
            self._fail(InputError(fresh[0].why_not if fresh else what, "choose another series"))
            return
        chosen, before = self._state.chosen, self._state.choices
        kept = (*self._around, *before[chosen : chosen + 1]) if self._is_opened else self._around
        self._tell(choices=(*kept, *fresh), chosen=len(self._around) if self._is_opened else chosen)
        if len(usable) == 1:
            self.take(len(kept) + fresh.index(usable[0]))

    @property
    def _is_opened(self) -> bool:
        """Whether what is shown is of another search than the case: it stays in the list."""
        return self._state.chosen >= len(self._around)

    # What is shown

    def take(self, number: int, quantity: str | None = None) -> None:
        """Read one of the choices, in the quantity that is usual for it, and show it."""
        if not 0 <= number < len(self._state.choices):
            return
        choice = self._state.choices[number]

        def read(progress: Report, cancelled: Callable[[], bool]) -> OverlayVolume:
            return commands.read_overlay(
                self._session, self._case, choice.series, volume=choice.volume, quantity=quantity,
                progress=progress, cancelled=cancelled,
            )  # fmt: skip

        def done(found: OverlayVolume) -> None:
            self._show(number, choice, found, quantity)

        self._run("Reading the second image", read, done)

    def take_quantity(self, quantity: str) -> None:
        """Show its values in another quantity; "" as they are stored."""
        self.take(self._state.chosen, quantity)

    def _show(
        self, number: int, choice: OverlayChoice, found: OverlayVolume, quantity: str | None
    ) -> None:
        offered = choice.series.volumes[choice.volume - 1].quantities
        if quantity is None:
            quantity = SUV if SUV in offered else ""
        name, opacity = name_words(choice, found), self._state.opacity
        self._read = found
        self._overlay = Overlay(
            name, found.values, found.limits, found.colormap, opacity, unit=found.unit,
            value_of=found.value_at,
        )  # fmt: skip
        self._sight.show_overlay(self._overlay)
        self._tell(
            chosen=number, name=name, unit=found.unit, shown=True, colormap=found.colormap,
            limits=found.limits, quantity=quantity, quantities=offered, covered=found.covered,
            notes=found.notes,
        )  # fmt: skip

    def remove(self) -> None:
        """Show only the first image again, and forget the second."""
        self._read = self._overlay = None
        self._sight.show_overlay(None)
        self._tell(name="", unit="", chosen=-1, notes=(), quantities=(), quantity="")

    def toggle(self) -> None:
        """Show or hide it."""
        if self._overlay is None:
            self.said.emit("No second image is open")
        else:
            self.set_shown(on=not self._state.shown)

    def set_shown(self, *, on: bool) -> None:
        """Show it, or keep it back."""
        self._look(shown=on)

    def set_opacity(self, opacity: float) -> None:
        """How strongly, from 0 to 1."""
        self._look(opacity=min(max(opacity, 0.0), 1.0))

    def set_colormap(self, name: str) -> None:
        """In other colours."""
        self._look(colormap=name)

    def set_limits(self, low: float, high: float) -> None:
        """Which values are coloured."""
        self._look(limits=(low, high))

    def cancel(self) -> None:
        """Call off what is being done."""
        if self._job is not None:
            self._job.cancel()

    # How

    def _look(self, **look: Any) -> None:  # noqa: ANN401  # the fields of `Overlay`
        if self._overlay is not None:
            self._overlay = replace(self._overlay, **look)
            self._sight.show_overlay(self._overlay)
            self._tell(**look)

    def _tell(self, **state: Any) -> None:  # noqa: ANN401  # the fields of `OverlayState`
        new = replace(self._state, **state)
        if new != self._state:
            self._state = new
            self.changed.emit()

    def _fail(self, error: Exception, place: Path | None = None) -> None:
        """Tell an error without names of files, which may name a patient."""
        card = error_card(error, "Reading the second image")
        if isinstance(error, MedlabelError):
            card = without_places(card, place or _NOWHERE)
        self.failed.emit(InputError(card.title.removesuffix("."), card.text))

    def _stop(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.cancel()

    def _run(
        self, title: str, task: Callable[..., Any], done: Callable[[Any], None],
        place: Path | None = None,
    ) -> None:  # fmt: skip
        self._stop()
        job = self._job = Job(task, self)

        def over() -> None:
            if self._job is job:
                self._job = None
                self._tell(busy="", progress=(0, 0))

        def arrived(answer: object) -> None:
            over()
            done(answer)

        def broke(error: Exception) -> None:
            over()
            self._fail(error, place)

        job.progressed.connect(lambda count, total: self._tell(progress=(count, total)))
        job.done.connect(arrived)
        job.failed.connect(broke)
        job.cancelled.connect(over)
        self._tell(busy=title, progress=(0, 0))
