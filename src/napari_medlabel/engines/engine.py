"""What an engine is: code that answers prompts with a probability, for one object at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.prompt import Prompt
from napari_medlabel.core.region import Box, never
from napari_medlabel.core.volume import Volume

__all__ = [
    "Answer",
    "Engine",
    "EngineFacts",
    "EngineSession",
    "FindingEngine",
    "FindingSession",
    "ProbabilityArray",
    "SizedSession",
]

ProbabilityArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What answered: for the screen and for provenance.

    `model`, `version`, `sha256` and `license` are of the weights and empty for an engine without
    any; `device` is "cpu" or "cuda"; `note` says what it had to do otherwise than asked for, as
    when the memory of the graphics card was too small.
    """

    name: str
    device: str = "cpu"
    model: str = ""
    version: str = ""
    sha256: str = ""
    license: str = ""
    note: str = ""

    def document(self) -> dict[str, str]:
        """JSON-ready values; what is empty is null to a reader, and left out."""
        every = {
            "engine": self.name, "model": self.model, "version": self.version,
            "sha256": self.sha256, "license": self.license, "device": self.device,
            "note": self.note,
        }  # fmt: skip
        return {key: value for key, value in every.items() if value}


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What an engine takes for the object, given all prompts so far.

    Parameters
    ----------
    box
        Where it may be; outside of it nothing belongs to the object.
    probability
        float32 in [0, 1], the box's shape; locked.
    """

    box: Box
    probability: ProbabilityArray

    def __post_init__(self) -> None:
        if self.probability.dtype != np.float32:
            raise TypeError("an answer's probability is float32")
        if self.probability.shape != tuple(side.stop - side.start for side in self.box):
            raise ValueError("an answer's probability has the shape of its box")
        self.probability.flags.writeable = False

    @classmethod
    def nothing(cls) -> "Answer":
        """No voxel belongs to the object."""
        none = slice(0, 0)
        return cls((none, none, none), np.zeros((0, 0, 0), np.float32))

    def mask(self, threshold: float = 0.5) -> BoolArray:
        """What belongs to the object, in the box: where the probability is above the threshold."""
        return self.probability > threshold

    def uncertainty(self) -> ProbabilityArray:
        """How doubtful each voxel of the box is: 1 at a probability of one half, 0 where sure."""
        return np.asarray(1.0 - np.abs(2.0 * self.probability - 1.0), np.float32)

    def whole_mask(self, shape: tuple[int, int, int], threshold: float = 0.5) -> BoolArray:
        """The same as bool `[k, j, i]` of the whole volume."""
        whole = np.zeros(shape, bool)
        whole[self.box] = self.mask(threshold)
        return whole


class EngineSession(Protocol):
    """One object of one volume, from the first prompt to the accepted answer.

    - It exists only when ready: `Engine.open` prepares the image, nothing is set later.
    - An answer is to all prompts so far; outside `Answer.box` nothing belongs to the object.
    - One call at a time, from any thread; `cancelled` is polled at least every 100 ms.
    - A call that is cancelled or fails leaves the session as it was before the call.
    - On the CPU, the same prompts in the same order give the same answer.
    """

    @property
    def facts(self) -> EngineFacts:
        """What answers, and on what it runs now."""

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """Those added and not taken back, in order."""

    @property
    def answer(self) -> Answer:
        """The last one; nothing, or the segment to refine, before the first prompt."""

    def add(self, prompt: Prompt, *, cancelled: Callable[[], bool] = never) -> Answer:
        """The answer to all prompts so far, this one the last.

        Raises
        ------
        InputError
            If it lies outside of the image, or this engine does not know its kind.
        Cancelled
            If `cancelled` says so.
        """

    def undo(self) -> Answer:
        """Take the last prompt back; the answer before it. Nothing happens where there is none."""

    def reset(self) -> None:
        """Take all prompts back."""


@runtime_checkable
class Engine(Protocol):
    """Opens sessions. One object for the whole program, made by the entry point without arguments.

    A package adds its own by an entry point of the group `napari_medlabel.engines` that names a
    class or function which, called without arguments, gives an engine.
    """

    name: str
    title: str

    def why_not(self) -> str:
        """Why it cannot run here, in words with what to do; "" where it can. Costs no time."""

    def open(
        self,
        volume: Volume,
        *,
        device: str = "auto",
        start: npt.NDArray[Any] | None = None,
        cancelled: Callable[[], bool] = never,
    ) -> EngineSession:
        """A session on the volume, ready for prompts.

        Parameters
        ----------
        volume
            Any; only its levels and geometry are looked at.
        device
            "auto", "cpu" or "cuda".
        start
            bool, `[k, j, i]`: an object to refine; prompts correct it.
        cancelled
            Polled while the image is prepared.

        Raises
        ------
        InputError
            If the volume cannot be used, the start has another shape or there is no such device.
        Cancelled
            If `cancelled` says so.
        """


@runtime_checkable
class FindingEngine(Protocol):
    """What an engine has besides if it finds objects by their names, without a prompt.

    Its sessions are `FindingSession`s. Optional: `open` and all else are as in `Engine`.
    """

    def findable(self) -> tuple[str, ...]:
        """The names of what it can find, "liver"; costs no time."""


@runtime_checkable
class FindingSession(Protocol):
    """What a session has besides if its engine finds objects by their names."""

    def find(self, name: str, *, cancelled: Callable[[], bool] = never) -> Answer:
        """The object of this name, in place of all prompts so far; later ones correct it.

        Raises
        ------
        InputError
            If it finds nothing of this name, in any image.
        Cancelled
            If `cancelled` says so; the session is as it was then.
        """


@runtime_checkable
class SizedSession(Protocol):
    """What a session has besides if its first answer leaves open how large the object is."""

    @property
    def chosen(self) -> int:
        """Which of the answers to the prompts so far is the last: 0 is the engine's own choice."""

    def runner_up(self, *, cancelled: Callable[[], bool] = never) -> Answer:
        """Another answer to the same prompts in place of the last, the likeliest not seen yet.

        After all of them the engine's own choice comes again; where there is no other, nothing
        changes. Later prompts correct it; `undo` takes it back with its prompt.

        Raises
        ------
        Cancelled
            If `cancelled` says so; the session is as it was then.
        """
