"""Prompts to masks: on a file, in a script, and in a case where a person accepts the answer."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_medlabel.commands.door import command
from napari_medlabel.commands.sources import read_source
from napari_medlabel.commands.tools import applied, image_of
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import BoolArray, FloatArray, Index
from napari_medlabel.core.prompt import Prompt, check_inside, from_document, moved, to_document
from napari_medlabel.core.region import Box, Stop, box_of, never
from napari_medlabel.core.volume import Source, Volume
from napari_medlabel.engines.engine import Answer, EngineFacts, EngineSession
from napari_medlabel.engines.registry import DEFAULT, chosen_engine
from napari_medlabel.engines.registry import engines as all_engines
from napari_medlabel.errors import InputError
from napari_medlabel.files import check_new_file, shown
from napari_medlabel.formats import write
from napari_medlabel.session import OpenCase, Permission, Session

__all__ = [
    "Interactive",
    "Segmented",
    "accept_answer",
    "assist",
    "engines",
    "interactive",
    "segment",
]

ACCEPTED = "Accept answer"


class Interactive:
    """Prompts on one object of a volume, and the engine's answers as masks.

    Nothing of a volume is changed by it. One call at a time, from any thread.
    """

    def __init__(self, session: EngineSession, shape: Index) -> None:
        self._session = session
        self._shape = shape
        self.seconds = 0.0  # of all answers together

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
        self.seconds += time.perf_counter() - start
        return answer

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
        """Take all prompts back."""
        self._session.reset()
        self.seconds = 0.0

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
    opened = chosen_engine(engine).open(volume, device=device, start=start, cancelled=cancelled)
    return Interactive(opened, volume.shape)


@dataclass(frozen=True, slots=True)
class Segmented:
    """What `segment` wrote. Seconds are those of preparing the image and of all answers."""

    file: str
    engine: str
    device: str
    prompts: int
    voxels: int
    ml: float
    seconds_preparing: float
    seconds: float

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
    prompts: Path,
    out: Path,
    *,
    engine: str = DEFAULT,
    device: str = "auto",
    series: str = "",
    volume: int = 0,
    force: bool = False,
    cancelled: Stop = never,
) -> Segmented:
    """Segment one object of an image by a file of prompts; the mask lies on the image's own grid.

    Parameters
    ----------
    image
        Whatever `read` reads.
    prompts
        JSON as `core.prompt.from_document` reads it, of the image's own grid.
    out
        A new `.nii`, `.nii.gz`, `.nrrd` or `.mha`.
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
        If the image or the prompts cannot be used; nothing is written.
    """
    check_new_file(out, force=force)
    document = _document(prompts)
    engine_chosen = chosen_engine(engine)
    read = read_source(image, series=series or None, volume=volume or None)
    given = from_document(document, read.source.geometry)
    _check_prompts(given, read.source)
    start = time.perf_counter()
    opened = engine_chosen.open(read, device=device, cancelled=cancelled)
    asked = Interactive(opened, read.shape)
    prepared = time.perf_counter() - start
    for prompt in given:
        asked.ask(_in_volume(prompt, read.source), cancelled=cancelled)
    mask = asked.mask()
    own = np.ascontiguousarray(read.source.axes.inverse().apply(mask.astype(np.uint8)))
    write(
        own, read.source.geometry, out, force=force, space_code=read.source.space_code, labels=True
    )
    voxels = int(np.count_nonzero(mask))
    return Segmented(
        out.name, asked.engine, asked.facts.device, len(given), voxels,
        voxels * read.geometry.voxel_ml, round(prepared, 3), round(asked.seconds, 3),
    )  # fmt: skip


@command(needs=Permission.VIEW)
def assist(  # noqa: PLR0913
    session: Session,  # noqa: ARG001  # the door's
    case: OpenCase,
    *,
    refine: int | None = None,
    engine: str = DEFAULT,
    device: str = "auto",
    cancelled: Stop = never,
) -> Interactive:
    """Begin to segment one object of a case by prompts; may be called off the main thread.

    Parameters
    ----------
    session, case
        Whose image is looked at; nothing is changed before `accept_answer`.
    refine
        The label value of a segment to correct, or a new object without it.
    engine, device, cancelled
        As for `interactive`.
    """
    case.check_open()
    image_of(case)
    start = None
    if refine is not None:
        start = np.asarray(case.segmentation.labels_of(refine) == refine)
    return interactive(case.volume, engine, device, start=start, cancelled=cancelled)


@command(needs=Permission.SEGMENT)
def accept_answer(  # noqa: PLR0913
    session: Session, case: OpenCase, value: int, asked: Interactive, *,  # noqa: ARG001
    threshold: float = 0.5, replace: bool = False, over_others: bool = False,
) -> Edit:  # fmt: skip
    """Give a segment the voxels of an answer: one step of the history, with all that led to it.

    Parameters
    ----------
    session, case
        Where it is written.
    value
        The segment's label value.
    asked
        Whose last answer.
    threshold
        Of the probability.
    replace
        Whether the segment's voxels outside of the answer are erased: for a refined segment.
    over_others
        Whether voxels of other segments may be taken; locked ones never are.

    Raises
    ------
    InputError
        If there is no such segment, no answer yet, or the threshold is no probability.
    """
    case.check_open()
    if not 0.0 <= threshold < 1.0:
        raise InputError("the threshold is no probability", "choose one from 0 up to 1")
    if not asked.prompts:
        raise InputError("there is no answer yet", "click into the object first")
    labels, answer = case.segmentation.labels_of(value), asked.answer
    box = answer.box
    if replace and (own := box_of(labels, value)) is not None:
        box = _union(box, own) if answer.probability.size else own
    found = np.zeros([side.stop - side.start for side in box], bool)
    inner = tuple(
        slice(a.start - b.start, a.stop - b.start) for a, b in zip(answer.box, box, strict=True)
    )
    if answer.probability.size:
        found[inner] = answer.mask(threshold)
    before = labels[box]
    free = found if over_others else found & ((before == 0) | (before == value))
    after = np.where(free, before.dtype.type(value), before)
    if replace:
        after[(before == value) & ~found] = 0
    edit = Edit.between((box[0].start, box[1].start, box[2].start), before, after)
    return applied(
        case, edit, ACCEPTED, label=value, **asked.facts.document(),
        **to_document(asked.prompts), threshold=threshold, replace=replace,
        over_others=over_others, seconds=round(asked.seconds, 3),
    )  # fmt: skip


def _document(path: Path) -> Any:  # noqa: ANN401  # any JSON
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"{shown(path.name)} cannot be read as prompts", 'it is JSON: {"prompts": [...]}'
        ) from error


def _check_prompts(prompts: Sequence[Prompt], source: Source) -> None:
    """Pass where every one lies in the image and one of them includes, as the file counts."""
    for prompt in prompts:
        check_inside(prompt, source.geometry.shape)
    if not any(prompt.include for prompt in prompts):
        what = "all prompts exclude" if prompts else "there are no prompts"
        raise InputError(f"{what}: nothing says where the object is", "add one that includes")


def _in_volume(prompt: Prompt, source: Source) -> Prompt:
    """A prompt of the file's own grid on the volume's."""
    new_from_old = np.linalg.inv(source.axes.old_from_new(source.geometry.shape))

    def turned(kji: FloatArray) -> FloatArray:
        new: FloatArray = kji @ new_from_old[:3, :3].T + new_from_old[:3, 3]
        return new

    return moved(prompt, turned)


def _union(one: Box, other: Box) -> Box:
    k, j, i = (
        slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    )
    return (k, j, i)
