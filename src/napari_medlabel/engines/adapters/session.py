"""One object of one image: prompts in order, and the answer of a model to each state of them."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import BoolArray, Index
from napari_medlabel.core.prompt import Prompt, check_inside
from napari_medlabel.core.region import Stop, check_not_stopped, never
from napari_medlabel.core.volume import Volume
from napari_medlabel.engines.adapters.clicks import corrected, kept_to
from napari_medlabel.engines.answers import answer_of
from napari_medlabel.engines.engine import Answer, EngineFacts
from napari_medlabel.errors import GeometryError, InputError

__all__ = ["Judge", "ModelSession", "checked_start"]


class Judge(Protocol):
    """A model on one image. It keeps nothing of what it was asked but what it need not redo.

    `complete` says that its answers hold an object to refine, and all that prompts say, already.
    """

    complete: bool

    @property
    def facts(self) -> EngineFacts:
        """What answers, and on what it runs now."""

    def object_at(self, prompts: tuple[Prompt, ...], name: str, cancelled: Stop) -> Answer:
        """What the prompts point at; `name` is what was found by name before, or nothing."""

    def object_called(self, name: str, cancelled: Stop) -> Answer:
        """The object of a name that the model knows."""


class ModelSession:
    """An object of an image: see `EngineSession` and `FindingSession`.

    Parameters
    ----------
    judge
        Answers.
    shape
        Of the image.
    names
        What can be found without a prompt.
    start
        An object to refine, or None.
    """

    def __init__(
        self, judge: Judge, shape: Index, names: tuple[str, ...], start: BoolArray | None = None
    ) -> None:
        self._judge = judge
        self._shape = shape
        self._names = {name.casefold(): name for name in names}
        self._start = Answer.nothing() if start is None else answer_of(start)
        self._first, self._name = self._start, ""
        self._states: list[tuple[Prompt, Answer]] = []

    @property
    def facts(self) -> EngineFacts:
        """What answers, and on what it runs now."""
        return self._judge.facts

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """Those added and not taken back, in order."""
        return tuple(prompt for prompt, _ in self._states)

    @property
    def answer(self) -> Answer:
        """The last answer."""
        return self._states[-1][1] if self._states else self._first

    def add(self, prompt: Prompt, *, cancelled: Stop = never) -> Answer:
        """The answer to all prompts so far, this one the last: see `EngineSession.add`."""
        check_inside(prompt, self._shape)
        check_not_stopped(cancelled)
        prompts = (*self.prompts, prompt)
        refined = bool(self._first.probability.size)
        answer = Answer.nothing()
        if refined or any(one.include for one in prompts):
            answer = self._judge.object_at(prompts, self._name, cancelled)
        if not self._judge.complete:
            if refined:
                answer = corrected(self._first, answer, prompts, self._shape)
            answer = kept_to(answer, prompts, self._shape)
        check_not_stopped(cancelled)
        self._states.append((prompt, answer))
        return answer

    def find(self, name: str, *, cancelled: Stop = never) -> Answer:
        """The object of this name, in place of all prompts: see `FindingSession.find`."""
        known = self._names.get(" ".join(name.split()).casefold())
        if known is None:
            listed = ", ".join([*self._names.values()][:20]) or "nothing"
            more = "..." if len(self._names) > 20 else ""
            raise InputError("this model finds nothing of that name", f"it finds: {listed}{more}")
        check_not_stopped(cancelled)
        found = self._judge.object_called(known, cancelled)
        check_not_stopped(cancelled)
        self._states.clear()
        self._first, self._name = found, known
        return found

    def undo(self) -> Answer:
        """Take the last prompt back; the answer before it."""
        if self._states:
            self._states.pop()
        return self.answer

    def reset(self) -> None:
        """Take all prompts back, and what was found by name."""
        self._states.clear()
        self._first, self._name = self._start, ""


def checked_start(volume: Volume, start: npt.NDArray[Any] | None) -> BoolArray | None:
    """A segment to refine, bool, or None.

    Raises
    ------
    GeometryError
        If it is not on the image's grid.
    """
    if start is None:
        return None
    if start.shape != tuple(volume.levels[0].shape):
        raise GeometryError("the segment to refine is not on the image's grid")
    return np.asarray(start, bool)
