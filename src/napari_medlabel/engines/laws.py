"""What every engine promises, tried out on a generated image: the laws behind `check_engine`."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import numpy as np

from napari_medlabel.core.geometry import Geometry, Index
from napari_medlabel.core.prompt import Box, Lasso, Point, Prompt, Scribble
from napari_medlabel.core.volume import Source, Volume
from napari_medlabel.engines.engine import (
    Answer,
    Engine,
    EngineSession,
    FindingEngine,
    FindingSession,
    SizedSession,
)
from napari_medlabel.errors import Cancelled, InputError

__all__ = ["check_engine", "example_prompts", "example_volume"]

_SHAPE: Final[Index] = (12, 40, 36)
_SPACING_MM: Final = (3.0, 0.9, 1.1)
_MIDDLE: Final[Index] = (6, 20, 17)
_MOST_SIZES: Final = 20


def example_volume(shape: Index = _SHAPE) -> Volume:
    """A bright ball in noise on an anisotropic, slightly oblique grid; always the same."""
    k, j, i = np.indices(shape)
    steps = [(a - b) * mm for a, b, mm in zip((k, j, i), _MIDDLE, _SPACING_MM, strict=True)]
    ball = sum(step**2 for step in steps) < 11.0**2
    noise = np.random.default_rng(7).normal(0.0, 12.0, shape)
    grid = Geometry.from_spacing(shape, _SPACING_MM, (-12.0, 30.0, 5.0))
    matrix = grid.lps_from_kji.copy()
    turn = np.array([[np.cos(0.1), -np.sin(0.1), 0], [np.sin(0.1), np.cos(0.1), 0], [0, 0, 1]])
    matrix[:3, :3] = turn @ matrix[:3, :3]
    geometry = Geometry(shape, matrix)
    image = (140.0 * ball + noise).astype(np.float32)
    return Volume((image,), geometry, Source("generated", geometry))


def example_prompts() -> tuple[Prompt, ...]:
    """One of each kind on the ball of `example_volume`."""
    k, j, i = _MIDDLE
    lasso = ((k, j - 9.0, i - 7.0), (k, j - 9.0, i + 7.0), (k, j + 9.0, i), (k, j + 4.0, i - 8.0))
    return (
        Point(_MIDDLE),
        Scribble(((k, j - 4, i), (k, j + 4, i + 3))),
        Box((k - 3, j - 12, i - 10), (k + 3, j + 12, i + 10)),
        Box((k, j - 12, i - 10), (k, j + 12, i + 10)),
        Lasso(lasso),
    )


def check_engine(engine: Engine) -> None:
    """Try out what `engines.engine` promises of every engine; for its author's tests.

    It opens small generated images on the processor and gives the engine prompts of every kind,
    prompts outside of the image, orders to stop, images of one slice, with values that are no
    numbers and of one value only, and does each twice.

    Parameters
    ----------
    engine
        One that can run here.

    Raises
    ------
    AssertionError
        If a promise is broken; names it.
    """
    _law(isinstance(engine, Engine), "it is an Engine")
    _law(engine.why_not() == "", f"it can run here: {engine.why_not()}")
    volume = example_volume()
    before = np.array(volume.levels[0][:])
    answered = _kinds(engine, volume)
    _law(bool(answered), "it answers at least one kind of prompt")
    _order(engine, volume, answered)
    _refusals(engine, volume, answered[0])
    _stops(engine, volume, answered[0])
    _refining(engine, volume, answered[0])
    _odd_images(engine, volume)
    _names(engine, volume)
    _sizes(engine, volume, answered[0])
    _law(np.array_equal(before, volume.levels[0][:]), "it changes nothing of the image")


def _kinds(engine: Engine, volume: Volume) -> tuple[Prompt, ...]:
    """Each kind of prompt alone: an answer, or a refusal that leaves nothing behind."""
    answered = []
    for prompt in example_prompts():
        session = engine.open(volume, device="cpu")
        _law(session.prompts == (), "a new session has no prompts")
        _law(not session.answer.mask().any(), "a new session has no answer")
        _law(bool(session.facts.name), "a session says what answers")
        _law(session.facts.device == "cpu", "a session says on which device it runs")
        try:
            answer = session.add(prompt)
        except InputError:
            _law(session.prompts == (), "a refused prompt is not kept")
            continue
        _sound(answer, volume)
        _law(session.prompts == (prompt,), "an answered prompt is kept")
        _same(session.answer, answer, "the session's answer is the last one")
        answered.append(prompt)
    return tuple(answered)


def _order(engine: Engine, volume: Volume, answered: tuple[Prompt, ...]) -> None:
    """Several prompts; the same again, in another thread; back one by one; all."""
    prompts = (*answered, Point((6, 33, 5), include=False))
    session, answers = _told(engine, volume, prompts)
    again: list[list[Answer]] = []
    thread = threading.Thread(target=lambda: again.append(_told(engine, volume, prompts)[1]))
    thread.start()
    thread.join()
    _law(len(again) == 1, "it answers in a thread of its own")
    for one, other in zip(answers, again[0], strict=True):
        _same(one, other, "the same prompts in the same order give the same answer")
    for count in range(len(prompts) - 1, 0, -1):
        _same(session.undo(), answers[count - 1], "undo gives the answer before")
        _law(session.prompts == prompts[:count], "undo takes one prompt back")
    _same(session.add(prompts[1]), answers[1], "a prompt after undo is answered as before it")
    session.reset()
    _law(session.prompts == (), "reset takes all prompts back")
    _law(not session.answer.mask().any(), "reset takes the answer back")
    _law(not session.undo().mask().any(), "undo of nothing does nothing")
    _same(session.add(prompts[0]), answers[0], "a session begins anew after reset")
    only = engine.open(volume, device="cpu").add(Point((6, 33, 5), include=False))
    _law(not only.mask().any(), "only excluding prompts find nothing")


def _refusals(engine: Engine, volume: Volume, prompt: Prompt) -> None:
    session = engine.open(volume, device="cpu")
    first = session.add(prompt)
    for outside in (Point((12, 0, 0)), Point((0, -1, 0)), Box((0, 50, 0), (3, 60, 3))):
        with _raises(InputError, "a prompt outside of the image is refused"):
            session.add(outside)
        _law(session.prompts == (prompt,), "a refused prompt is not kept")
        _same(session.answer, first, "a refused prompt changes no answer")
    with _raises(InputError, "a device that is none is refused"):
        engine.open(volume, device="abacus")


def _stops(engine: Engine, volume: Volume, prompt: Prompt) -> None:
    """Called off at once, and after some time: as before, or answered."""
    with _raises(Cancelled, "opening can be called off"):
        engine.open(volume, device="cpu", cancelled=lambda: True)
    session = engine.open(volume, device="cpu")
    first = session.add(prompt)
    more = Point((6, 12, 17))
    (wanted,) = _told(engine, volume, (prompt, more))[1][1:]
    for patience in (0, 1, 2, 5):
        try:
            answer = session.add(more, cancelled=_after(patience))
        except Cancelled:
            _law(session.prompts == (prompt,), "a prompt that was called off is not kept")
            _same(session.answer, first, "a prompt that was called off changes no answer")
        else:
            _law(patience > 0, "it asks whether it was called off")
            _same(answer, wanted, "what was called off before changes no later answer")
            session.undo()
    _same(session.add(more), wanted, "what was called off before changes no later answer")


def _refining(engine: Engine, volume: Volume, prompt: Prompt) -> None:
    begun = np.zeros(volume.shape, bool)
    begun[4:8, 15:24, 12:20] = True
    session = engine.open(volume, device="cpu", start=begun)
    kept = session.answer.whole_mask(volume.shape)
    _law(np.array_equal(kept, begun), "an object to refine is the first answer")
    _sound(session.add(prompt), volume)
    kept = session.undo().whole_mask(volume.shape)
    _law(np.array_equal(kept, begun), "undo goes back to the object to refine")
    with _raises(InputError, "an object of another shape is refused"):
        engine.open(volume, device="cpu", start=np.ones((2, 2, 2), bool))


def _odd_images(engine: Engine, volume: Volume) -> None:
    image = np.array(volume.levels[0][:])
    flat = example_volume((1, 40, 36))
    _sound(engine.open(flat, device="cpu").add(Point((0, 20, 17))), flat)
    holed = image.copy()
    holed[:2], holed[:, :, -3:] = np.nan, np.inf
    odd = replace(volume, levels=(holed,))
    _sound(engine.open(odd, device="cpu").add(Point(_MIDDLE)), odd)
    with _raises(InputError, "an image of four axes is refused"):
        engine.open(replace(volume, levels=(np.zeros((2, *_SHAPE)),)), device="cpu")
    for empty in (np.full(_SHAPE, 7.0, np.float32), np.full(_SHAPE, np.nan, np.float32)):
        same = replace(volume, levels=(empty,))
        try:
            answer = engine.open(same, device="cpu").add(Point(_MIDDLE))
        except InputError:
            continue
        _sound(answer, same)


def _names(engine: Engine, volume: Volume) -> None:
    if not isinstance(engine, FindingEngine) or not engine.findable():
        return
    session = engine.open(volume, device="cpu")
    _law(isinstance(session, FindingSession), "an engine that finds by name has sessions that do")
    if not isinstance(session, FindingSession):
        return
    name = engine.findable()[0]
    with _raises(InputError, "a name that is not known is refused"):
        session.find("no such thing, surely")
    with _raises(Cancelled, "finding by name can be called off"):
        session.find(name, cancelled=lambda: True)
    _sound(session.find(name), volume)
    _sound(session.add(Point(_MIDDLE)), volume)


def _sizes(engine: Engine, volume: Volume, prompt: Prompt) -> None:
    session = engine.open(volume, device="cpu")
    if not isinstance(session, SizedSession):
        return
    _law(not session.runner_up().mask().any(), "without a prompt there is no runner-up")
    first = session.add(prompt)
    _law(session.chosen == 0, "the first answer is the engine's own choice")
    with _raises(Cancelled, "a runner-up can be called off"):
        session.runner_up(cancelled=lambda: True)
    _same(session.answer, first, "a runner-up that was called off changes no answer")
    seen = [first]
    for _ in range(_MOST_SIZES):
        answer = session.runner_up()
        _sound(answer, volume)
        _law(session.prompts == (prompt,), "a runner-up changes no prompt")
        _same(session.answer, answer, "a runner-up is the session's answer")
        if session.chosen == 0:
            break
        _law(session.chosen == len(seen), "runners-up are counted")
        seen.append(answer)
    _same(session.answer, first, "after all runners-up the first answer comes again")
    if len(seen) > 1:
        _same(session.runner_up(), seen[1], "runners-up come again in their order")
        session.add(Point(_MIDDLE))
        _same(session.undo(), seen[1], "undo goes back to the runner-up that was chosen")
        session.undo()
        _same(session.add(prompt), first, "a prompt after undo is answered as before it")


def _told(
    engine: Engine, volume: Volume, prompts: tuple[Prompt, ...]
) -> tuple[EngineSession, list[Answer]]:
    session = engine.open(volume, device="cpu")
    return session, [session.add(prompt) for prompt in prompts]


def _sound(answer: Answer, volume: Volume) -> None:
    """Laws of every answer."""
    for side, size in zip(answer.box, volume.shape, strict=True):
        _law(0 <= side.start <= side.stop <= size, "an answer's box lies in the image")
    values = answer.probability
    _law(values.dtype == np.float32, "a probability is float32")
    inside = bool(((values >= 0.0) & (values <= 1.0)).all())
    _law(inside, "a probability lies from 0 to 1, and is a number")


def _same(one: Answer, other: Answer, promise: str) -> None:
    whole = [answer.probability for answer in (one, other)]
    same = whole[0].shape == whole[1].shape and np.array_equal(whole[0], whole[1])
    _law(same and (one.box == other.box or not whole[0].size), promise)


def _after(polls: int) -> Callable[[], bool]:
    """Say stop when asked for the so-manieth time."""
    left = iter(range(polls))
    return lambda: next(left, None) is None


@contextmanager
def _raises(kind: type[Exception], promise: str) -> Iterator[None]:
    try:
        yield
    except kind:
        return
    raise AssertionError(f"a promise of engines is broken: {promise}")


def _law(kept: bool, promise: str) -> None:  # noqa: FBT001  # as `assert`
    if not kept:
        raise AssertionError(f"a promise of engines is broken: {promise}")
