"""One object of one volume: where the network looks, and what is made of what it sees."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from napari_medlabel.core.geometry import BoolArray, FloatArray
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
    around_both,
    bounds_mm,
    connected,
    extent_mm,
    leaves,
    on_lattice,
)
from napari_medlabel.engines.engine import Answer, EngineFacts
from napari_medlabel.engines.network.asking import Asking
from napari_medlabel.engines.network.encoding import FloatGrid
from napari_medlabel.engines.network.hints import is_in, likely_places, reach
from napari_medlabel.engines.network.looks import Look, promise
from napari_medlabel.engines.network.merging import merged, reach_mm
from napari_medlabel.engines.network.prompting import obeyed, sight_of
from napari_medlabel.engines.redrawing import border_moves
from napari_medlabel.engines.sampling import Lattice, Pyramid

__all__ = ["NetworkSession"]

_SIDE: Final = 48  # samples of a patch
_FINE_SIDE: Final = 64  # where that shows more
_FIELDS_MM: Final = (28.0, 44.0, 70.0, 110.0, 175.0, 280.0)  # at the first click the size is open
_FINEST: Final = 0.6  # voxels: patches with a smaller step show nothing more
_WIDEST: Final = 1.6  # of the image's extent
_ROOM: Final = 1.45  # of the object's extent
_LEAST: Final = 0.02  # below this probability nothing is written back
_GROWTH: Final = 1.4
_WIDE: Final = 1.6  # voxels: with a wider step a second, closer look is taken
_CLOSER: Final = 2.2
_HELD: Final = 0.7  # of the closer look's field: larger prompts are not looked at closer
_MERGED_FROM: Final = 2  # from this one on that is no box only changes that touch it are taken
_BOUNDED_FROM: Final = 4  # from this prompt on a click changes only what is near it
_MOST_VOXELS: Final = 48_000_000  # of an answer: 200 MB
_MOST_KEPT: Final = 400_000_000  # bytes of earlier answers
_REACHES: Final = 2.0  # what the sides of a box count for beside sureness
_MOVES: Final = 0.15  # of the object's size: room for its border to move


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """An answer with its border redrawn, and as the network gave it."""

    shown: Answer
    seen: Answer

    def on(self, lattice: Lattice, spacing_mm: FloatArray) -> FloatGrid:
        """What the network is shown of it at the next prompt: half of each."""
        own = on_lattice(self.seen, lattice, spacing_mm)
        if self.shown is self.seen:
            return own
        return (own + on_lattice(self.shown, lattice, spacing_mm)) * np.float32(0.5)


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """A prompt and the answer to all up to it; nothing is kept of early, large ones.

    Of a first prompt `found` are the answers of several sizes that were looked at so far, and
    `left` what others can be made from. `hints` are what was taken for clicks in a box.
    """

    prompt: Prompt
    found: tuple[_Found, ...] = ()
    chosen: int = 0
    left: tuple[Look, ...] = ()
    hints: tuple[Point, ...] = ()


class NetworkSession:
    """An object of an image: see `EngineSession` and `SizedSession`."""

    def __init__(self, pyramid: Pyramid, start: BoolArray | None, asking: Asking) -> None:
        self.facts: EngineFacts = asking.facts
        self._pyramid, self._asking = pyramid, asking
        first = Answer.nothing() if start is None else answer_of(start)
        self._first = _Found(first, first)
        self._states: list[_State] = []

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """Those added and not taken back, in order."""
        return tuple(state.prompt for state in self._states)

    @property
    def answer(self) -> Answer:
        """The last answer."""
        return self._last.shown

    @property
    def _last(self) -> _Found:
        state = self._states[-1] if self._states else None
        return state.found[state.chosen] if state is not None else self._first

    @property
    def chosen(self) -> int:
        """Which answer to the prompts so far is the last: 0 is the network's own choice."""
        return self._states[-1].chosen if self._states else 0

    def add(self, prompt: Prompt, *, cancelled: Stop = never) -> Answer:
        """The answer to all prompts so far, this one the last."""
        check_inside(prompt, self._pyramid.shape)
        check_not_stopped(cancelled)
        prompts, left, hints = (*self.prompts, prompt), tuple[Look, ...](), self._hints(prompt)
        if self._last.seen.mask().any():
            found = self._changed(prompts, self._corrected((*hints, *prompts), cancelled))
        elif any(one.include for one in prompts):
            best, *others = self._begun(prompts, cancelled)
            found, left = self._settled(best, prompts, cancelled), tuple(others)
            hints = best.hints
        else:
            found = self._first
        self._states.append(_State(prompt, (found,), left=left, hints=hints))
        self._forget()
        return self.answer

    def _changed(self, prompts: Sequence[Prompt], seen: Answer) -> _Found:
        """The last answer with those changes that concern the last prompt, and are allowed."""
        pointed = sum(not isinstance(one, Box) for one in prompts)
        if pointed >= _MERGED_FROM and not isinstance(prompts[-1], Box):
            touched = voxels_of(prompts[-1], self._pyramid.shape)
            last, mm, reach = prompts[-1], self._pyramid.spacing_mm, np.inf
            if len(prompts) >= _BOUNDED_FROM and isinstance(last, Point):
                reach = reach_mm(self.answer, last, mm)
            seen = merged(self._last.seen, seen, touched, mm, reach)
        return self._found(seen, prompts)

    def _found(self, seen: Answer, prompts: Sequence[Prompt]) -> _Found:
        """An answer with its border redrawn; of what was drawn by hand it stays."""
        if self._first.seen.probability.size:
            return _Found(seen, seen)
        where, change = border_moves(seen.probability, seen.box, self._pyramid, prompts)
        share = seen.probability.copy()
        part = share[where]
        part += change
        np.clip(part, 0.0, 1.0, out=part)
        return _Found(Answer(seen.box, self._said(share, seen.box, prompts)), seen)

    def runner_up(self, *, cancelled: Stop = never) -> Answer:
        """Another size of the object, in place of the last answer: see `SizedSession`."""
        check_not_stopped(cancelled)
        if not self._states:
            return self.answer
        state = self._states[-1]
        found, left = state.found, state.left
        while left and state.chosen == len(found) - 1:
            one = self._settled(left[0], self.prompts, cancelled)
            if one.shown.mask().any() and not any(alike(one.shown, old.shown) for old in found):
                found = (*found, one)
            left = left[1:]
        chosen = (state.chosen + 1) % len(found)
        self._states[-1] = replace(state, found=found, chosen=chosen, left=left)
        return self.answer

    def undo(self) -> Answer:
        """Take the last prompt back; the answer before it."""
        if self._states:
            self._states.pop()
        if self._states and not self._states[-1].found:
            states = tuple(self._states)
            self.reset()
            for state in states:
                self.add(state.prompt)
                for _ in range(state.chosen):
                    self.runner_up()
        return self.answer

    def reset(self) -> None:
        """Take all prompts back."""
        self._states.clear()

    def _hints(self, prompt: Prompt) -> tuple[Point, ...]:
        """Those of the box, which are no prompts of anybody's, that the answer still has in it.

        What a new prompt excludes may be what they were wrong about: then they count no more.
        """
        hints = self._states[-1].hints if self._states and prompt.include else ()
        return tuple(hint for hint in hints if is_in(self.answer, hint))

    def _forget(self) -> None:
        """Let go of early answers when they are large; the prompts bring them back."""
        kept = 0
        for n in range(len(self._states) - 1, -1, -1):
            state = self._states[n]
            kept += sum(2 * one.seen.probability.nbytes for one in state.found)
            if kept > _MOST_KEPT and n < len(self._states) - 1:
                self._states[n] = _State(state.prompt, (), state.chosen)

    def _begun(self, prompts: Sequence[Prompt], cancelled: Stop) -> list[Look]:
        """First looks at several sizes, those that promise most first."""
        pyramid = self._pyramid
        low, high = extent_mm([one for one in prompts if one.include], pyramid.spacing_mm)
        middle, size = (low + high) / 2.0, float((high - low).max())
        finest, widest = _FINEST * pyramid.spacing_mm.min() * _SIDE, _WIDEST * pyramid.extent_mm
        if any(isinstance(one, Box) and one.include for one in prompts):
            lattice = Lattice.around(middle, self._held(max(size * _ROOM, finest)), _SIDE)
            return self._boxed(lattice, prompts, cancelled)
        fields = [one for one in _FIELDS_MM if max(finest, size * 1.2) <= one <= widest]
        fields = fields or [max(size * _ROOM, finest)]
        lattices = [Lattice.around(middle, self._held(field), _SIDE) for field in fields]
        looks = self._looks(lattices, prompts, cancelled)
        return sorted(looks, key=promise, reverse=True)

    def _boxed(self, lattice: Lattice, prompts: Sequence[Prompt], cancelled: Stop) -> list[Look]:
        """First looks at what is in a box, by what may be clicked there; best first."""
        spacing_mm, shape = self._pyramid.spacing_mm, self._pyramid.shape
        (plain,) = self._looks([lattice], prompts, cancelled)
        within = sight_of(plain.patch, prompts, spacing_mm, shape).within
        if within is None or not within.any() or any(not isinstance(p, Box) for p in prompts):
            return [plain]
        places = likely_places(plain.probability, within)
        hints = [Point(lattice.voxel(at, spacing_mm, shape)) for at in places]
        sights = [sight_of(plain.patch, (*prompts, hint), spacing_mm, shape) for hint in hints]
        rows = zip(self._asking.about(sights, cancelled=cancelled), sights, hints, strict=True)
        looks = [
            Look(plain.patch, obeyed(one.probability, sight), one.expected, (hint,))
            for one, sight, hint in rows
        ]
        return sorted(
            looks, reverse=True,
            key=lambda look: promise(look) + _REACHES * reach(look.probability, within),
        )  # fmt: skip

    def _settled(self, look: Look, prompts: Sequence[Prompt], cancelled: Stop) -> _Found:
        """What a first look comes to when its object is looked at again."""
        prompts = (*look.hints, *prompts)
        answer = self._answer([look], prompts)
        if answer.mask().any():
            look = self._around(_Found(answer, answer), prompts, cancelled)
            answer = self._answer([look], prompts, final=True)
        return self._found(answer, prompts)

    def _corrected(self, prompts: Sequence[Prompt], cancelled: Stop) -> Answer:
        """A later answer: around the object and all prompts, then closer where a prompt is new."""
        pyramid = self._pyramid
        looks = [self._around(self._last, prompts, cancelled)]
        step, finest = looks[0].patch.lattice.step_mm, pyramid.spacing_mm.min()
        if step > _WIDE * finest:
            before = self._answer(looks, prompts)
            low, high = extent_mm(prompts[-1:], pyramid.spacing_mm)
            field = max(step / _CLOSER, finest * _FINEST) * _SIDE
            if float((high - low).max()) < _HELD * field and before.mask().any():
                lattice = Lattice.around((low + high) / 2.0, field, _SIDE)
                looks += self._looks([lattice], prompts, cancelled, _Found(before, before))
        return self._answer(looks, prompts, final=True)

    def _around(self, last: _Found, prompts: Sequence[Prompt], cancelled: Stop) -> Look:
        """A look at the object and all prompts, wider where it leaves the patch."""
        pyramid = self._pyramid
        low, high = extent_mm(prompts, pyramid.spacing_mm)
        own_low, own_high = bounds_mm(last.seen, pyramid.spacing_mm)
        low, high = np.minimum(low, own_low), np.maximum(high, own_high)
        finest = float(pyramid.spacing_mm.min())
        field = max(float((high - low).max()) * _ROOM, finest * _SIDE * _FINEST)
        for _ in range(2):
            middle = (low + high) / 2.0
            if (held := self._held(field)) < field:  # the new prompt has to be in it
                middle, field = np.mean(extent_mm(prompts[-1:], pyramid.spacing_mm), axis=0), held
            side = _FINE_SIDE if field / _SIDE > finest else _SIDE
            lattice = Lattice.around(middle, field, side)
            (look,) = self._looks([lattice], prompts, cancelled, last)
            if not leaves(look.probability, look.patch.inside):
                break
            field *= _GROWTH
        return look

    def _held(self, field_mm: float) -> float:
        """A field that an answer of is no larger than memory allows."""
        pyramid = self._pyramid
        while np.minimum(field_mm / pyramid.spacing_mm, pyramid.shape).prod() > _MOST_VOXELS:
            field_mm *= 0.9
        return field_mm

    def _looks(
        self, lattices: Sequence[Lattice], prompts: Sequence[Prompt], cancelled: Stop,
        last: _Found | None = None,
    ) -> list[Look]:  # fmt: skip
        pyramid, sights, patches = self._pyramid, [], []
        for lattice in lattices:
            check_not_stopped(cancelled)
            patch = pyramid.patch(lattice)
            before = None if last is None else last.on(lattice, pyramid.spacing_mm)
            patches.append(patch)
            sights.append(sight_of(patch, prompts, pyramid.spacing_mm, pyramid.shape, before))
        asked = self._asking.about(sights, cancelled=cancelled)
        self.facts = self._asking.facts
        rows = zip(patches, sights, asked, strict=True)
        return [Look(patch, obeyed(one.probability, sight), one.expected)
                for patch, sight, one in rows]  # fmt: skip

    def _answer(
        self, looks: Sequence[Look], prompts: Sequence[Prompt], *, final: bool = False
    ) -> Answer:
        """What looks come to on voxels: the first, and the closer ones blended into it.

        A final one has room for its border to be redrawn.
        """
        pyramid, (base, *closer) = self._pyramid, looks
        lattice, share = base.patch.lattice, base.probability
        kept = connected(share, prompts, lattice, pyramid.spacing_mm, pyramid.shape)
        likely = share * kept
        box = self._sides(lattice, likely > _LEAST)
        if final and (mask := likely > 0.5).any():
            box = _cut(box, self._roomier(self._sides(lattice, mask), mask, lattice))
        for look in closer:
            box = around_both(box, self._sides(look.patch.lattice, look.probability > _LEAST))
        if any(side.stop <= side.start for side in box):
            return Answer.nothing()
        voxels = pyramid.on_voxels(likely, lattice, box)
        np.clip(voxels, 0.0, 1.0, out=voxels)
        for look in closer:
            self._blend(voxels, box, look)
        return Answer(box, self._said(voxels, box, prompts))

    def _said(self, voxels: FloatGrid, box: Sides, prompts: Sequence[Prompt]) -> FloatGrid:
        """Clicked voxels as the prompts say; in place."""
        corner = [side.start for side in box]
        for prompt in prompts:
            if isinstance(prompt, Point | Scribble):
                own = voxels_of(prompt, self._pyramid.shape) - corner
                k, j, i = own[((own >= 0) & (own < voxels.shape)).all(axis=1)].T
                voxels[k, j, i] = np.float32(prompt.include)
        return voxels

    def _roomier(self, box: Sides, mask: BoolArray, lattice: Lattice) -> Sides:
        """The box of a mask with room for its border to move."""
        size_mm = np.cbrt(np.count_nonzero(mask)) * lattice.step_mm
        room = np.ceil(_MOVES * size_mm / self._pyramid.spacing_mm).astype(int).tolist()
        k, j, i = (
            slice(max(side.start - n, 0), min(side.stop + n, size))
            for side, n, size in zip(box, room, self._pyramid.shape, strict=True)
        )  # fmt: skip
        return (k, j, i)

    def _blend(self, voxels: FloatGrid, box: Sides, look: Look) -> None:
        """Let a closer look count, less towards its border."""
        lattice, pyramid = look.patch.lattice, self._pyramid
        ramp = np.minimum(np.arange(_SIDE) + 0.5, _SIDE - 0.5 - np.arange(_SIDE)) / (0.15 * _SIDE)
        ramp = np.clip(ramp - 0.3, 0.0, 1.0).astype(np.float32)
        weight = np.minimum(
            np.minimum(ramp[:, None, None], ramp[None, :, None]), ramp[None, None, :]
        )
        own = _cut(self._sides(lattice, np.ones((_SIDE,) * 3, bool)), box)
        if any(side.stop <= side.start for side in own):
            return
        part = voxels[tuple(
            slice(a.start - b.start, a.stop - b.start) for a, b in zip(own, box, strict=True)
        )]  # fmt: skip
        heavy = np.clip(pyramid.on_voxels(weight, lattice, own), 0.0, 1.0)
        part += heavy * (np.clip(pyramid.on_voxels(look.probability, lattice, own), 0, 1) - part)

    def _sides(self, lattice: Lattice, likely: BoolArray) -> Sides:
        """The voxels of some samples."""
        box = []
        for axis in range(3):
            hits = np.flatnonzero(likely.any(axis=tuple(n for n in range(3) if n != axis)))
            if not hits.size:
                return (slice(0, 0), slice(0, 0), slice(0, 0))
            ends = lattice.along(axis)[[max(hits[0] - 1, 0), min(hits[-1] + 1, lattice.side - 1)]]
            first, last = ends / self._pyramid.spacing_mm[axis]
            stop = max(min(int(np.floor(last)) + 1, self._pyramid.shape[axis]), 0)
            box.append(slice(min(max(int(np.ceil(first)), 0), stop), stop))
        return (box[0], box[1], box[2])


def _cut(one: Sides, other: Sides) -> Sides:
    """The box that two have in common."""
    k, j, i = (
        slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    )
    return (k, j, i)
