"""Prompts to masks: on a file, in a script, and in a case where a person accepts the answer."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.commands.door import command
from napari_medlabel.commands.sources import read_source
from napari_medlabel.core.geometry import BoolArray, FloatArray, Index
from napari_medlabel.core.prompt import Prompt, check_inside, from_document, moved
from napari_medlabel.core.region import Stop, check_not_stopped, never
from napari_medlabel.core.volume import Source, Volume
from napari_medlabel.engines.engine import (
    Answer,
    Engine,
    EngineFacts,
    EngineSession,
    FindingEngine,
    FindingSession,
    SizedSession,
)
from napari_medlabel.engines.registry import DEFAULT, chosen_engine
from napari_medlabel.engines.registry import engines as all_engines
from napari_medlabel.errors import Cancelled, InputError
from napari_medlabel.files import check_new_file, shown
from napari_medlabel.formats import write
from napari_medlabel.session import Permission, Session

__all__ = [
    "Interactive",
    "Segmented",
    "engines",
    "interactive",
    "segment",
]


class Interactive:
    """Prompts on one object of a volume, and the engine's answers as masks.

    Nothing of a volume is changed by it. One call at a time, from any thread.
    """

    def __init__(self, session: EngineSession, shape: Index, names: tuple[str, ...] = ()) -> None:
        self._session = session
        self._shape = shape
        self.names = names  # of what the engine finds without a prompt
        self.found = ""  # by which of them the object was found
        self.seconds = 0.0  # of all answers together
        self.last_seconds = 0.0  # of the last one

    @property
    def engine(self) -> str:
        """The name of the engine that answers; not the one asked for where that cannot run."""
        return self.facts.name

    @property
    def facts(self) -> EngineFacts:
        """What answers: engine, model with version and hash, device."""
        return self._session.facts

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """Those added and not taken back, in order."""
        return self._session.prompts

    @property
    def answer(self) -> Answer:
        """The last answer: a box, and a probability for each voxel in it."""
        return self._session.answer

    def ask(self, prompt: Prompt, *, cancelled: Stop = never) -> Answer:
        """Add a prompt; the answer to all so far.

        Raises
        ------
        InputError
            If it lies outside of the image; nothing is added then.
        Cancelled
            If `cancelled` says so; nothing is added then.
        """
        start = time.perf_counter()
        answer = self._session.add(prompt, cancelled=cancelled)
        self.last_seconds = time.perf_counter() - start
        self.seconds += self.last_seconds
        return answer

    def find(self, name: str, *, cancelled: Stop = never) -> BoolArray:
        """The mask of the object of a name ("liver"), in place of all prompts; later ones correct.

        Raises
        ------
        InputError
            If the engine finds nothing of this name; `names` lists what it does.
        Cancelled
            If `cancelled` says so; nothing has changed then.
        """
        if not isinstance(self._session, FindingSession):
            raise InputError(
                f"the engine {self.engine} finds nothing by its name", "click into the object"
            )
        start = time.perf_counter()
        self._session.find(name, cancelled=cancelled)
        self.last_seconds = time.perf_counter() - start
        self.seconds += self.last_seconds
        known = {one.casefold(): one for one in self.names}
        self.found = known.get(" ".join(name.split()).casefold(), name)
        return self.mask()

    @property
    def chosen(self) -> int:
        """Which answer to the prompts is the last: 0 the engine's own choice, else a runner-up."""
        return self._session.chosen if isinstance(self._session, SizedSession) else 0

    def runner_up(self, *, cancelled: Stop = never) -> Answer:
        """Another answer to the same prompts in place of the last: after one click, another size.

        After all of them the engine's own choice comes again. Nothing changes where there is no
        other: after later prompts, or with an engine that has none.

        Raises
        ------
        Cancelled
            If `cancelled` says so; nothing has changed then.
        """
        if not isinstance(self._session, SizedSession):
            return self.answer
        start = time.perf_counter()
        answer = self._session.runner_up(cancelled=cancelled)
        self.last_seconds = time.perf_counter() - start
        self.seconds += self.last_seconds
        return answer

    def follow(self, wish: Callable[[], Sequence[Prompt]], *, cancelled: Stop = never) -> Answer:
        """Bring the prompts to those that are wished for; the answer to them.

        Prompts that differ from some place on are taken back and the others added, in order.

        Parameters
        ----------
        wish
            Asked before each prompt and while one is answered: one that is no longer wished for
            is called off, and those that came meanwhile are answered, too.
        cancelled
            Polled; the prompts stay as far as they came.

        Raises
        ------
        InputError
            If one cannot be answered; those before it were.
        Cancelled
            If `cancelled` says so.
        """
        while (wanted := tuple(wish())) != self.prompts:
            check_not_stopped(cancelled)
            same = _common(wanted, self.prompts)
            if len(self.prompts) > same:
                self._session.undo()
                continue
            until = wanted[: same + 1]

            def off(until: tuple[Prompt, ...] = until) -> bool:
                return cancelled() or tuple(wish())[: len(until)] != until

            try:
                self.ask(until[-1], cancelled=off)
            except Cancelled:
                if not off():  # by somebody else
                    raise
        return self.answer

    def add(self, prompt: Prompt, *, cancelled: Stop = never) -> BoolArray:
        """Add a prompt; the mask of the object by all so far, bool, the volume's shape.

        Raises
        ------
        InputError, Cancelled
            As `ask` does.
        """
        self.ask(prompt, cancelled=cancelled)
        return self.mask()

    def undo(self) -> BoolArray:
        """Take the last prompt back; the mask before it."""
        self._session.undo()
        return self.mask()

    def reset(self) -> None:
        """Take all prompts back, and what was found by its name."""
        self._session.reset()
        self.found = ""
        self.seconds = self.last_seconds = 0.0

    def mask(self, threshold: float = 0.5) -> BoolArray:
        """The object by the last answer, cut at another probability without asking again."""
        return self.answer.whole_mask(self._shape, threshold)


def interactive(
    volume: Volume,
    engine: str = DEFAULT,
    device: str = "auto",
    *,
    start: BoolArray | None = None,
    cancelled: Stop = never,
) -> Interactive:
    """Begin to segment one object of a volume by prompts.

    Parameters
    ----------
    volume
        What `read` gives.
    engine
        Its name, as `medlabel engines` lists it. While `default` cannot run, `classic` answers,
        and `Interactive.engine` says so.
    device
        "auto", "cpu" or "cuda".
    start
        bool, `[k, j, i]`: an object to refine.
    cancelled
        Polled while the image is prepared.

    Raises
    ------
    InputError
        If the engine is not known or cannot run here, or the image cannot be segmented.
    Cancelled
        If `cancelled` says so.
    """
    chosen = chosen_engine(engine)
    opened = chosen.open(volume, device=device, start=start, cancelled=cancelled)
    return Interactive(opened, volume.shape, names_found_by(chosen))


def names_found_by(engine: Engine) -> tuple[str, ...]:
    """What an engine finds without a prompt, by name; nothing of one that does not."""
    return tuple(engine.findable()) if isinstance(engine, FindingEngine) else ()


@dataclass(frozen=True, slots=True)
class Segmented:
    """What `segment` wrote. Seconds are those of preparing the image and of all answers.

    `labels` names the mask's values where objects were found by name; `note` says what the engine
    had to do otherwise than asked for.
    """

    file: str
    engine: str
    device: str
    prompts: int
    voxels: int
    ml: float
    seconds_preparing: float
    seconds: float
    labels: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    def document(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {"format": 1, **asdict(self)}


@command(needs=Permission.INSPECT)
def engines(session: Session) -> dict[str, Any]:  # noqa: ARG001  # the door's
    """Every engine: which can run here, and why the others cannot, as a JSON-ready document."""
    return {"format": 1, "engines": [one.document() for one in all_engines()]}


@command(needs=Permission.EXPORT)
def segment(  # noqa: PLR0913  # each is a choice the person makes
    session: Session,  # noqa: ARG001  # the door's
    image: Path,
    prompts: Path | None,
    out: Path,
    *,
    automatic: Sequence[str] = (),
    engine: str = DEFAULT,
    device: str = "auto",
    series: str = "",
    volume: int = 0,
    force: bool = False,
    cancelled: Stop = never,
) -> Segmented:
    """Segment an image by a file of prompts or by names; the mask lies on the image's own grid.

    Parameters
    ----------
    image
        Whatever `read` reads.
    prompts
        JSON as `core.prompt.from_document` reads it, of the image's own grid; None where objects
        are found by name alone.
    out
        A new `.nii`, `.nii.gz`, `.nrrd` or `.mha`.
    automatic
        Names of objects that the engine finds by itself; the mask has the values 1, 2, ... in
        their order, and a voxel of two objects that of the first. Prompts correct a single one.
    engine, device
        As for `interactive`.
    series, volume
        Which one, where there are several; `volume` from 1.
    force
        Whether an existing file may be replaced.
    cancelled
        Polled.

    Raises
    ------
    InputError
        If the image, the prompts or a name cannot be used; nothing is written.
    """
    check_new_file(out, force=force)
    _check_wanted(prompts, automatic)
    document = None if prompts is None else _document(prompts)
    engine_chosen = chosen_engine(engine)
    read = read_source(image, series=series or None, volume=volume or None)
    given: tuple[Prompt, ...] = ()
    if document is not None:
        given = from_document(document, read.source.geometry)
        _check_prompts(given, read.source, found=bool(automatic))
    start = time.perf_counter()
    opened = engine_chosen.open(read, device=device, cancelled=cancelled)
    asked = Interactive(opened, read.shape, names_found_by(engine_chosen))
    prepared = time.perf_counter() - start
    moved_in = [_in_volume(prompt, read.source) for prompt in given]
    mask, labels = _mask_of(asked, automatic, moved_in, cancelled)
    own = np.ascontiguousarray(read.source.axes.inverse().apply(mask))
    write(
        own, read.source.geometry, out, force=force, space_code=read.source.space_code, labels=True
    )
    voxels = int(np.count_nonzero(mask))
    return Segmented(
        out.name, asked.engine, asked.facts.device, len(given), voxels,
        voxels * read.geometry.voxel_ml, round(prepared, 3), round(asked.seconds, 3),
        labels, asked.facts.note,
    )  # fmt: skip


def _check_wanted(prompts: Path | None, automatic: Sequence[str]) -> None:
    if prompts is None and not automatic:
        raise InputError(
            "nothing says what to segment", "give prompts, or a name that the engine finds"
        )
    if prompts is not None and len(automatic) > 1:
        raise InputError("prompts cannot correct several objects at once", "name one of them")
    if len(automatic) > 255:
        raise InputError("a mask has 255 objects at most", "segment fewer at once")


def _mask_of(
    asked: Interactive, automatic: Sequence[str], prompts: Sequence[Prompt], cancelled: Stop
) -> tuple[npt.NDArray[np.uint8], dict[str, str]]:
    """The mask of all that is asked for, and the names of its values."""
    found = [asked.find(name, cancelled=cancelled) for name in automatic[:1]]
    names = [asked.found for _ in found]
    for prompt in prompts:
        asked.ask(prompt, cancelled=cancelled)
    mask = asked.mask().astype(np.uint8)
    for value, name in enumerate(automatic[1:], 2):
        more = asked.find(name, cancelled=cancelled)
        mask[more & (mask == 0)] = value
        names.append(asked.found)
    return mask, {str(value): name for value, name in enumerate(names, 1)}


def _common(one: Sequence[Prompt], other: Sequence[Prompt]) -> int:
    """How many prompts are the same, from the first on."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))


def _document(path: Path) -> Any:  # noqa: ANN401  # any JSON
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"{shown(path.name)} cannot be read as prompts", 'it is JSON: {"prompts": [...]}'
        ) from error


def _check_prompts(prompts: Sequence[Prompt], source: Source, *, found: bool) -> None:
    """Pass where every one lies in the image and one of them includes, as the file counts.

    With an object that was `found` by its name all of them may exclude.
    """
    for prompt in prompts:
        check_inside(prompt, source.geometry.shape)
    if not found and not any(prompt.include for prompt in prompts):
        what = "all prompts exclude" if prompts else "there are no prompts"
        raise InputError(f"{what}: nothing says where the object is", "add one that includes")


def _in_volume(prompt: Prompt, source: Source) -> Prompt:
    """A prompt of the file's own grid on the volume's."""
    new_from_old = np.linalg.inv(source.axes.old_from_new(source.geometry.shape))

    def turned(kji: FloatArray) -> FloatArray:
        new: FloatArray = kji @ new_from_old[:3, :3].T + new_from_old[:3, 3]
        return new

    return moved(prompt, turned)
