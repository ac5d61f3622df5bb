"""One engine at a time, asked on other threads: prepared when needed, never twice at once."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from qtpy.QtCore import QThreadPool

from napari_medlabel import commands
from napari_medlabel.commands import AnswerPreview, Interactive
from napari_medlabel.core.prompt import Prompt
from napari_medlabel.errors import Cancelled, MedlabelError
from napari_medlabel.session import OpenCase, Session

__all__ = ["Asking", "EngineFailed", "Wanted", "engine_threads"]

Stop = Callable[[], bool]
LOOK_S: Final = 0.05  # between looks whether somebody still waits


class EngineFailed(MedlabelError):
    """An engine made a mistake; only its kind is told, since a text may hold anything."""


@cache
def engine_threads() -> QThreadPool:
    """Threads of their own: an engine that takes long holds up nothing else of the window."""
    pool = QThreadPool()
    pool.setMaxThreadCount(4)  # one that works; the others wait for their turn, or have let go
    return pool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to ask, and of which engine.

    Parameters
    ----------
    number
        Of the object: another one begins anew.
    value
        The segment's label value.
    prompts
        All that were given.
    engine, device
        As `commands.assist` takes them.
    refine
        Whether it is the segment that is corrected.
    name
        By which it is found first; "" where it is only pointed at.
    size, sized
        Which of its sizes, and by how many prompts; the engine's own choice where that is 0.
    """

    number: int
    value: int
    prompts: tuple[Prompt, ...] = ()
    engine: str = "default"
    device: str = "auto"
    refine: bool = False
    name: str = ""
    size: int = 0
    sized: int = 0

    @property
    def opened(self) -> tuple[object, ...]:
        """What an engine has to be opened for; the same for all new objects."""
        return (self.engine, self.device, *((self.number, self.value) if self.refine else ()))


class Asking:
    """An engine open on a case. `wanted` is set on one thread and looked at by those that ask.

    Parameters
    ----------
    session, case
        Who asks, about what.
    """

    def __init__(self, session: Session, case: OpenCase) -> None:
        self._session, self._case = session, case
        self._turn = threading.Lock()
        self._asked: Interactive | None = None
        self._opened: tuple[object, ...] = ()
        self._number = 0
        self._sized: tuple[object, ...] = ()  # which size of what was gone to last
        self._closed = False
        self.wanted: Wanted | None = None

    @property
    def facts(self) -> dict[str, str]:
        """What answers, as provenance has it; nothing before it is open."""
        asked = self._asked
        return {} if asked is None else asked.facts.document()

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """Those that are answered."""
        asked = self._asked
        return () if asked is None else asked.prompts

    @property
    def size(self) -> int:
        """Which of the object's sizes is answered: 0 is the engine's own choice."""
        asked = self._asked
        return 0 if asked is None else asked.chosen

    @property
    def seconds(self) -> float:
        """How long the last one took."""
        asked = self._asked
        return 0.0 if asked is None else asked.last_seconds

    def close(self) -> None:
        """Nobody waits any more."""
        self._closed, self.wanted = True, None

    # On other threads

    def prepare(self, wanted: Wanted, stopped: Stop) -> None:
        """Open the engine, if it is not."""
        with self._own_turn(stopped):
            if self._asked is None or self._opened != wanted.opened:  # else somebody was answered
                self._ready(wanted)

    def answer(self, wanted: Wanted, how: dict[str, Any], stopped: Stop) -> AnswerPreview:
        """Ask what is wanted, and newer prompts of the same object too; what accepting would do.

        Raises
        ------
        EngineFailed
            If the engine made a mistake.
        MedlabelError
            As the engine raises it.
        """
        with self._own_turn(stopped):
            asked = self._ready(wanted)
            with _blamed(wanted.engine):
                self._find(asked, wanted)
                self._go_to_size(asked, wanted)
                asked.follow(lambda: self._wish(wanted), cancelled=lambda: self._gone(wanted))
            return commands.preview_answer(
                self._session, self._case, wanted.value, asked, replace=wanted.refine, **how
            )

    # How

    def _find(self, asked: Interactive, wanted: Wanted) -> None:
        """Begin with what has the name, if that is wanted; prompts correct it."""
        if asked.found.casefold() == wanted.name.casefold():
            return
        asked.reset()
        if wanted.name:
            asked.find(wanted.name, cancelled=lambda: self._gone(wanted))

    def _go_to_size(self, asked: Interactive, wanted: Wanted) -> None:
        """Go on to the size that is wanted, as far as there are others."""
        sized = wanted.prompts[: wanted.sized]
        place = (wanted.number, sized, wanted.size)
        again = place == self._sized and asked.prompts[: wanted.sized] == sized
        if not sized or again:
            return
        self._sized = ()
        asked.follow(lambda: sized, cancelled=lambda: self._gone(wanted))
        while asked.chosen != wanted.size:
            asked.runner_up(cancelled=lambda: self._gone(wanted))
            if asked.chosen == 0:  # there are no more
                break
        self._sized = place

    def _wish(self, of: Wanted) -> tuple[Prompt, ...]:
        now = self.wanted
        return now.prompts if now is not None and now.number == of.number else ()

    def _gone(self, of: Wanted) -> bool:
        """Whether the object is no longer asked for, or of another engine."""
        now = self.wanted
        return now is None or now.number != of.number or now.opened != of.opened

    def _ready(self, wanted: Wanted) -> Interactive:
        if self._asked is None or self._opened != wanted.opened:
            self._asked = None  # its memory goes first

            def given_up() -> bool:
                now = self.wanted
                return self._closed or (now is not None and now.opened != wanted.opened)

            with _blamed(wanted.engine):
                self._asked = commands.assist(
                    self._session, self._case, refine=wanted.value if wanted.refine else None,
                    engine=wanted.engine, device=wanted.device, cancelled=given_up,
                )  # fmt: skip
            self._opened, self._number = wanted.opened, wanted.number
        elif self._number != wanted.number:
            self._asked.reset()
            self._number = wanted.number
        return self._asked

    @contextmanager
    def _own_turn(self, stopped: Stop) -> Iterator[None]:
        while not self._turn.acquire(timeout=LOOK_S):
            if stopped() or self._closed:
                raise Cancelled("called off")
        try:
            if stopped() or self._closed:
                raise Cancelled("called off")
            yield
        finally:
            self._turn.release()


@contextmanager
def _blamed(engine: str) -> Iterator[None]:
    """Say of a mistake that it was the engine's."""
    try:
        yield
    except MedlabelError:
        raise
    except Exception as error:
        kind = type(error).__name__
        raise EngineFailed(
            f"The engine {engine} did not answer ({kind})",
            "Nothing was changed. Give the prompt again, or choose another engine",
        ) from error
