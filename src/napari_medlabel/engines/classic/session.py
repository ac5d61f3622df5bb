"""One object of one volume: from prompts to the part of the image that is looked at, and back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.prompt import (
    Box,
    Point,
    Prompt,
    Scribble,
    check_inside,
    voxels_of,
)
from napari_medlabel.core.region import Box as Sides
from napari_medlabel.core.region import Stop, check_not_stopped, never
from napari_medlabel.engines.answers import (
    alike,
    answer_of,
    bounds_mm,
    connected,
    extent_mm,
    leaves,
    looked_up,
    on_lattice,
)
from napari_medlabel.engines.classic.competition import Bout, compete
from napari_medlabel.engines.classic.scale import ranked
from napari_medlabel.engines.engine import Answer, EngineFacts
from napari_medlabel.engines.fronts import FloatGrid
from napari_medlabel.engines.sampling import SIDE, Lattice, Pyramid

__all__ = ["ClassicSession"]

_FIELDS_MM: Final = (28.0, 44.0, 70.0, 110.0, 175.0, 280.0)  # at the first click the size is open
_FINEST: Final = 0.6  # voxels: patches with a smaller step show nothing more
_WIDEST: Final = 1.6  # of the image's extent
_ROOM: Final = 1.45  # of the object's extent
_LEAST: Final = 0.02  # below this probability nothing is written back
_GROWTH: Final = 1.4


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """An answer on the lattice it was found on; none before the first prompt."""

    prompt: Prompt
    lattice: Lattice | None
    probability: FloatGrid | None
    answer: Answer
    chosen: int = 0  # of `found`
    found: tuple["_State", ...] = ()  # of a first prompt: of the sizes looked at so far
    left: tuple[Bout, ...] = ()  # what others can be made from


class ClassicSession:
    """An object of an image: see `EngineSession` and `SizedSession`."""

    def __init__(self, pyramid: Pyramid, start: BoolArray | None = None) -> None:
        self.facts = EngineFacts("classic")
        self._pyramid = pyramid
        self._first = Answer.nothing() if start is None else answer_of(start)
        self._states: list[_State] = []

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """Those added and not taken back, in order."""
        return tuple(state.prompt for state in self._states)

    @property
    def answer(self) -> Answer:
        """The last answer."""
        return self._states[-1].answer if self._states else self._first

    def add(self, prompt: Prompt, *, cancelled: Stop = never) -> Answer:
        """The answer to all prompts so far, this one the last."""
        check_inside(prompt, self._pyramid.shape)
        check_not_stopped(cancelled)
        prompts = (*self.prompts, prompt)
        if self.answer.mask().any():
            state = self._state(prompts, self._corrected(prompts, cancelled))
        elif any(one.include for one in prompts):
            best, *others = self._begun(prompts, cancelled)
            state = replace(self._state(prompts, best), left=tuple(others))
        else:
            state = self._state(prompts, None)
        self._states.append(state)
        return self.answer

    @property
    def chosen(self) -> int:
        """Which answer to the prompts so far is the last: 0 is the engine's own choice."""
        return self._states[-1].chosen if self._states else 0

    def runner_up(self, *, cancelled: Stop = never) -> Answer:
        """Another size of the object, in place of the last answer: see `SizedSession`."""
        check_not_stopped(cancelled)
        if not self._states:
            return self.answer
        last = self._states[-1]
        found, left = last.found or (last,), last.left
        while left and last.chosen == len(found) - 1:
            state = self._state(self.prompts, left[0])
            if state.answer.mask().any() and not any(
                alike(state.answer, one.answer) for one in found
            ):
                found = (*found, state)
            left = left[1:]
        chosen = (last.chosen + 1) % len(found)
        self._states[-1] = replace(found[chosen], chosen=chosen, found=found, left=left)
        return self.answer

    def undo(self) -> Answer:
        """Take the last prompt back; the answer before it."""
        if self._states:
            self._states.pop()
        return self.answer

    def reset(self) -> None:
        """Take all prompts back."""
        self._states.clear()

    def _begun(self, prompts: Sequence[Prompt], cancelled: Stop) -> list[Bout]:
        """First answers at several sizes, those that part the object best first."""
        pyramid = self._pyramid
        low, high = extent_mm([one for one in prompts if one.include], pyramid.spacing_mm)
        middle, size = (low + high) / 2.0, float((high - low).max())
        if any(isinstance(one, Box) and one.include for one in prompts):
            fields = [size * _ROOM]
        else:
            finest, widest = _FINEST * pyramid.spacing_mm.min() * SIDE, _WIDEST * pyramid.extent_mm
            fields = [one for one in _FIELDS_MM if max(finest, size * 1.2) <= one <= widest]
            fields = fields or [max(size * _ROOM, finest)]
        patches = [pyramid.patch(Lattice.around(middle, field)) for field in fields]
        bouts = compete(patches, prompts, pyramid.spacing_mm, pyramid.shape, cancelled=cancelled)
        return ranked(bouts)

    def _corrected(self, prompts: Sequence[Prompt], cancelled: Stop) -> Bout:
        """A later answer: around the object and all prompts, wider where it leaves the patch."""
        pyramid = self._pyramid
        low, high = extent_mm(prompts, pyramid.spacing_mm)
        own_low, own_high = bounds_mm(self.answer, pyramid.spacing_mm)
        low, high = np.minimum(low, own_low), np.maximum(high, own_high)
        field = max(float((high - low).max()) * _ROOM, pyramid.spacing_mm.min() * SIDE * _FINEST)
        for _ in range(2):
            lattice = Lattice.around((low + high) / 2.0, field)
            patch = pyramid.patch(lattice)
            (bout,) = compete(
                [patch], prompts, pyramid.spacing_mm, pyramid.shape,
                last=self._last_on(lattice), cancelled=cancelled,
            )  # fmt: skip
            if not leaves(bout.probability, bout.patch.inside):
                break
            field *= _GROWTH
        return bout

    def _state(self, prompts: Sequence[Prompt], bout: Bout | None) -> _State:
        if bout is None:
            return _State(prompts[-1], None, None, self._first)
        lattice, share = bout.patch.lattice, bout.probability
        share = share * connected(
            share, prompts, lattice, self._pyramid.spacing_mm, self._pyramid.shape
        )
        answer = self._on_voxels(share, lattice, prompts)
        return _State(prompts[-1], lattice, share, answer)

    def _on_voxels(self, share: FloatGrid, lattice: Lattice, prompts: Sequence[Prompt]) -> Answer:
        """The answer on the image's voxels; a click's own voxel is as it says."""
        likely = share > _LEAST
        if not likely.any():
            return Answer.nothing()
        box = []
        for axis in range(3):
            hits = np.flatnonzero(likely.any(axis=tuple(n for n in range(3) if n != axis)))
            ends = lattice.along(axis)[[max(hits[0] - 1, 0), min(hits[-1] + 1, SIDE - 1)]]
            first, last = ends / self._pyramid.spacing_mm[axis]
            stop = min(int(np.floor(last)) + 1, self._pyramid.shape[axis])
            box.append(slice(min(max(int(np.ceil(first)), 0), stop), stop))
        sides: Sides = (box[0], box[1], box[2])
        voxels = np.clip(self._pyramid.on_voxels(share, lattice, sides), 0.0, 1.0)
        corner = [side.start for side in sides]
        for prompt in prompts:
            if isinstance(prompt, Point | Scribble):
                own = voxels_of(prompt, self._pyramid.shape) - corner
                k, j, i = own[((own >= 0) & (own < voxels.shape)).all(axis=1)].T
                voxels[k, j, i] = np.float32(prompt.include)
        return Answer(sides, voxels)

    def _last_on(self, lattice: Lattice) -> FloatGrid:
        """The last answer's probability on another lattice."""
        last = self._states[-1] if self._states else None
        if last is not None and last.lattice is not None and last.probability is not None:
            places = [
                (lattice.along(n) - last.lattice.start_mm[n]) / last.lattice.step_mm
                for n in range(3)
            ]
            return looked_up(last.probability, places)
        return on_lattice(self.answer, lattice, self._pyramid.spacing_mm)
